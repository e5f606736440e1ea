/* http_resolve.h - one look-up of a host name, on a thread of its own, so that no event loop waits for a name server.
 *
 * Ownership: counted between the asker and the thread: the asker may go first.
 * Threads:   the asker's; the thread only ever touches its own look-up.
 */
#ifndef WEIR_IO_HTTP_RESOLVE_H
#define WEIR_IO_HTTP_RESOLVE_H

#include "base/slice.h"

#include <stdint.h>
#include <sys/socket.h>

#define HTTP_ADDRESSES_MAX 8

struct http_address {
	union {
		struct sockaddr any;
		struct sockaddr_storage storage;
	} at;
	socklen_t len;
};

struct http_addresses {
	struct http_address items[HTTP_ADDRESSES_MAX];
	size_t len;
};

struct http_lookup;

/* true when host is an address itself: nobody needs to be asked */
bool http_address_literal(struct slice host, uint16_t port, struct http_addresses *ret);
/* of a unix socket; false when the path is too long for one */
bool http_address_unix(struct slice path, struct http_addresses *ret);

/* Begins; 8 bytes are written to bell_fd (an eventfd) when it has ended. NULL: no memory, no thread, no name. */
struct http_lookup *http_lookup_start(struct slice host, uint16_t port, int bell_fd);
/* True when it has ended; ret->len is then 0 when nothing was found, and *why says why. */
bool http_lookup_ended(const struct http_lookup *l, struct http_addresses *ret, const char **why);
/* forgets it, whether it has ended or not; takes NULL, returns NULL */
struct http_lookup *http_lookup_drop(struct http_lookup *l);

#endif
