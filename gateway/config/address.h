/* address.h - where to listen and where backends are, as an operator writes it.
 *
 * Ownership: results borrow from the text.
 * Errors:    ERR_INVALID with a sentence that says how it is written.
 */
#ifndef WEIR_CONFIG_ADDRESS_H
#define WEIR_CONFIG_ADDRESS_H

#include "base/err.h"

#define UNIX_PATH_MAX 107                /* what the system takes */

/* "192.0.2.1:8443", "[2001:db8::1]:8443" or "unix:path"; *unix_path is empty for the first two */
MUST_USE enum err_code address_check(struct slice text, struct slice *unix_path, struct err *reterr);

struct url {
	bool tls;
	struct slice host;               /* without the brackets of IPv6; "localhost" for a unix socket */
	uint16_t port;
	struct slice unix_path;          /* as written; empty for a host */
	struct slice base_path;          /* "" or "/prometheus", no slash at its end */
};

/* http://host[:port][/base], https://.., unix:path */
MUST_USE enum err_code url_parse(struct slice text, struct url *ret, struct err *reterr);
/* true when the host is this machine for sure, so that nobody reads along */
bool url_is_local(const struct url *u);

/* letters, digits, `.` and `-`, as a host name or an IPv4 address has them; 253 at most */
bool host_name_valid(struct slice s);

#endif
