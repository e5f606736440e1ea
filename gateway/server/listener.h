/* listener.h - listening sockets: opened before privileges are dropped, handed to the workers.
 *
 * Errors: ERR_INVALID for an address that is none, ERR_IO when the system refuses it.
 */
#ifndef WEIR_SERVER_LISTENER_H
#define WEIR_SERVER_LISTENER_H

#include "base/err.h"

/* "192.0.2.1:8443", "[2001:db8::1]:8443", "unix:/path". Every TCP socket is opened with SO_REUSEPORT, so that each worker can
 * have one of its own; a unix socket takes the place of a dead one and is for one worker alone. Close-on-exec, non-blocking. */
MUST_USE enum err_code listener_open(struct slice address, int *ret, struct err *reterr);
bool listener_is_unix(struct slice address);
/* address and port of the other end of fd as text: "192.0.2.1:4711", "[2001:db8::1]:4711", "unix" */
#define LISTENER_PEER_MAX 64
size_t listener_peer(int fd, char ret[LISTENER_PEER_MAX]);

#endif
