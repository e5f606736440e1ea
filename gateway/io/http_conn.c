/* http_conn.c - see http_conn.h. On libh2o's sockets; what has to be known of them:
 *
 * - h2o_socket_connect returns NULL when connect(2) fails at once; later failures come to the callback.
 * - A socket may be closed in its own callback, and while it writes: no callback follows. With OpenSSL's quiet shutdown that
 *   is so for TLS, too: closing never waits for the other end.
 * - Reading takes all that the kernel has, so the kernel's buffer is what bounds our memory.
 * - It must not be told to write while it still writes (an assertion).
 * - It takes a fatal TLS alert for an orderly end.
 * - In TLS 1.3 it does not compare the server's name, and in TLS 1.2 it knows no addresses: see http_client_tls.h.
 */
#include "io/http_conn.h"

#include "io/http_client_tls.h"

#include <errno.h>
#include <h2o/socket.h>
#include <stdlib.h>

#define RECEIVE_BYTES (256 * 1024)

struct http_conn {
	struct http_client_tls_peer peer;        /* first: see http_client_tls.h */
	const struct http_backend *to;
	const struct http_conn_events *ev;
	void *ctx;
	h2o_loop_t *loop;
	h2o_socket_t *sock;                      /* NULL: the last address has failed */
	struct http_addresses at;
	size_t next;                             /* address to try next */
	bool writing, broken;
};

static void on_connected(h2o_socket_t *sock, const char *err);

static bool connect_next(struct http_conn *c, const char **why)
{
	while (c->next < c->at.len) {
		struct http_address *a = &c->at.items[c->next++];
		int bytes = RECEIVE_BYTES;

		c->sock = h2o_socket_connect(c->loop, &a->at.any, a->len, on_connected);
		if (c->sock != NULL) {
			c->sock->data = c;
			(void)setsockopt(h2o_socket_get_fd(c->sock), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
			return true;
		}
		*why = strerror(errno);
	}
	return false;
}

static void drop_socket(struct http_conn *c)
{
	if (c->sock != NULL)
		h2o_socket_close(c->sock);
	c->sock = NULL;
	c->peer = (struct http_client_tls_peer){ 0 };
}

/* ---- libh2o calls back ---- */

static void on_read(h2o_socket_t *sock, const char *err)
{
	struct http_conn *c = sock->data;

	if (c->peer.alert[0] != '\0')
		err = c->peer.alert;
	else if (err == NULL && c->peer.ended && sock->input->size == 0)
		err = h2o_socket_error_closed;       /* its last word; the end of TCP adds nothing */
	if (err == NULL) {
		c->ev->input(c->ctx);
		return;
	}
	h2o_socket_read_stop(sock);
	c->ev->over(c->ctx, err == h2o_socket_error_closed && (!c->to->tls || c->peer.ended), err);
}

static void on_written(h2o_socket_t *sock, const char *err)
{
	struct http_conn *c = sock->data;

	/* no end by itself: the other end may have answered before it closed, which reading will show */
	c->writing = false;
	c->broken = c->broken || err != NULL;
}

static void opened(struct http_conn *c)
{
	h2o_socket_read_start(c->sock, on_read);
	c->ev->open(c->ctx);
}

static void on_handshake(h2o_socket_t *sock, const char *err)
{
	struct http_conn *c = sock->data;

	if (err == h2o_socket_error_ssl_cert_name_mismatch)
		err = NULL;                          /* libh2o's own opinion, which knows no addresses; OpenSSL's counts */
	if (err == NULL && !http_client_tls_verified(&c->peer))
		err = "the server's certificate was not verified";
	if (err != NULL)
		c->ev->over(c->ctx, false, err);
	else
		opened(c);
}

static void on_connected(h2o_socket_t *sock, const char *err)
{
	struct http_conn *c = sock->data;

	if (err != NULL) {
		const char *why = err;

		drop_socket(c);
		if (!connect_next(c, &why))
			c->ev->over(c->ctx, false, why);
	} else if (c->to->tls) {
		h2o_socket_ssl_handshake(sock, c->to->ssl, c->to->sni, on_handshake);
	} else {
		opened(c);
	}
}

/* ---- what the owner calls ---- */

struct http_conn *http_conn_new(void *h2o_loop, const struct http_backend *to, const struct http_addresses *at,
                                const struct http_conn_events *ev, void *ctx, const char **why)
{
	struct http_conn *c = calloc(1, sizeof(*c));

	*why = "out of memory";
	if (c == NULL)
		return NULL;
	c->to = to;
	c->ev = ev;
	c->ctx = ctx;
	c->loop = h2o_loop;
	c->at = *at;
	if (connect_next(c, why))
		return c;
	free(c);
	return NULL;
}

struct http_conn *http_conn_close(struct http_conn *c)
{
	if (c != NULL)
		drop_socket(c);
	free(c);
	return NULL;
}

bool http_conn_next_address(struct http_conn *c)
{
	const char *why;

	drop_socket(c);
	return connect_next(c, &why);
}

void http_conn_send(struct http_conn *c, struct slice bytes)
{
	h2o_iovec_t iov = { .base = (char *)bytes.ptr, .len = bytes.len };

	c->writing = true;
	h2o_socket_write(c->sock, &iov, 1, on_written);
}

void http_conn_read(struct http_conn *c, bool on)
{
	if (on)
		h2o_socket_read_start(c->sock, on_read);
	else
		h2o_socket_read_stop(c->sock);
}

struct slice http_conn_input(const struct http_conn *c)
{
	return slice_from(c->sock->input->bytes, c->sock->input->size);
}

void http_conn_take(struct http_conn *c, size_t n)
{
	h2o_buffer_consume(&c->sock->input, n);
}

bool http_conn_quiet(const struct http_conn *c)
{
	return !c->writing && !c->broken && c->sock->input->size == 0;
}
