/* http_client.h - the upstream HTTP/1.1 client of one worker: connections kept per backend, calls in the shape of ports.h.
 *
 * A backend may send what it likes: the worst that follows is a failed call and a closed connection.
 *
 * Ownership: pools of backends whose place and TLS files stay the same outlive a swap, connections included.
 * Threads:   everything here belongs to one worker's thread, that of its event loop.
 */
#ifndef WEIR_IO_HTTP_CLIENT_H
#define WEIR_IO_HTTP_CLIENT_H

#include "core/ports.h"
#include "io/http_backends.h"
#include "metrics/metrics.h"

struct http_client;

/* Takes its own reference to set; metrics may be NULL. NULL without memory or a descriptor. */
struct http_client *http_client_new(void *h2o_loop, struct http_backends *set, const struct clock *clock,
                                    struct metrics_shard *metrics);
/* Every call must have ended. Takes NULL, returns NULL. */
struct http_client *http_client_free(struct http_client *c);

struct upstream_port http_client_port(struct http_client *c);
/* Calls that start from now on find these backends; takes its own reference. Calls of requests that began under the set before
 * still find theirs for a while. False: out of memory, nothing has changed. */
MUST_USE bool http_client_swap(struct http_client *c, struct http_backends *set);
/* Deadlines and tidying; about every 100 ms. */
void http_client_tick(struct http_client *c);

#endif
