/* http_conn.h - one connection to a backend: connect, TLS, bytes. It knows nothing of requests and of time.
 *
 * Ownership: the set of backends must outlive it. Whoever made it closes it, after `over` too; closing waits for nothing.
 * Threads:   those of the event loop it belongs to. No event comes before http_conn_new has returned, nor from inside the
 *            calls below.
 */
#ifndef WEIR_IO_HTTP_CONN_H
#define WEIR_IO_HTTP_CONN_H

#include "io/http_backends.h"
#include "io/http_resolve.h"

struct http_conn;

struct http_conn_events {
	/* ready for a request; reading is on */
	void (*open)(void *ctx);
	/* http_conn_input may have grown */
	void (*input)(void *ctx);
	/* It cannot be opened, or the other end has closed it, or it broke. clean: closed in order, so that this may be the end
	 * of an answer. Called once; the connection has to be closed; why is good until then. */
	void (*over)(void *ctx, bool clean, const char *why);
};

/* Tries the addresses in their order. NULL: all of them failed at once, or there is no memory; *why says so. */
struct http_conn *http_conn_new(void *h2o_loop, const struct http_backend *to, const struct http_addresses *at,
                                const struct http_conn_events *ev, void *ctx, const char **why);
/* takes NULL, returns NULL; no event follows */
struct http_conn *http_conn_close(struct http_conn *c);
/* while it is not open: gives this address up; false when it was the last one */
bool http_conn_next_address(struct http_conn *c);

/* bytes must live until they have gone out or the connection is closed; only when nothing is being sent */
void http_conn_send(struct http_conn *c, struct slice bytes);
/* false: what comes waits in the system's buffer, and then at the other end */
void http_conn_read(struct http_conn *c, bool on);
/* what has come and was not taken; good until the next event */
struct slice http_conn_input(const struct http_conn *c);
void http_conn_take(struct http_conn *c, size_t n);
/* nothing is on its way in either direction, as far as we can see */
bool http_conn_quiet(const struct http_conn *c);

#endif
