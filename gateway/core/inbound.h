/* inbound.h - one request as the server took it from the wire: scanned strictly, not yet understood.
 *
 * Ownership: all slices live until the exchange ends; core copies what it keeps longer.
 */
#ifndef WEIR_CORE_INBOUND_H
#define WEIR_CORE_INBOUND_H

#include "base/slice.h"
#include "policy/verdict.h"
#include "tenants/identity.h"

struct listener_settings;

struct header {
	struct slice name;               /* in lower case */
	struct slice value;              /* without blanks at the ends */
};

struct inbound {
	struct slice method;             /* token as sent */
	struct slice target;             /* as sent */
	struct slice path, query;        /* of the target; query without its `?` */
	bool has_query;
	const struct header *headers;
	size_t headers_len;
	struct slice body;
	const struct identity *identity; /* NULL on a plain listener */
	const struct listener_settings *listener;
	struct slice peer;               /* address and port */
	int64_t received_us;             /* monotonic */

	/* what the head scan found wrong; DENY_COUNT = nothing. Such a request is refused by the first stage, recorded, and
	 * its connection closed when close is set. Slices above may then be empty. */
	enum deny fault;
	char fault_text[128];
	bool close;
};

/* the value of a header, or a slice with ptr NULL */
struct slice inbound_header(const struct inbound *in, struct slice lower_name);

#endif
