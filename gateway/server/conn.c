/* conn.c - one client connection: what it may do, how long it may take, and how it ends; see inner.h. */
#include "server/inner.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define CONTINUE_BYTES (sizeof("HTTP/1.1 100 Continue\r\n\r\n") - 1)
#define POLLS_PER_CALL 64

static struct server *server_of(const struct conn *c)
{
	return c->gate->worker->o.server;
}

static struct slice address_of(const struct conn *c)
{
	return slice_from(c->address, c->address_len);
}

static struct slice network_of(const struct conn *c)
{
	return slice_from(c->network, c->network_len);
}

static struct slice fingerprint_of(const struct conn *c)
{
	return slice_from((const char *)peer_identity(c->peer)->fingerprint, sizeof(peer_identity(c->peer)->fingerprint));
}

/* ---- how it begins ---- */

static void find_network(struct conn *c)
{
	struct sockaddr_storage sa;
	socklen_t len = h2o_socket_getpeername(c->sock, (struct sockaddr *)&sa);

	if (len == sizeof(struct sockaddr_in) && sa.ss_family == AF_INET) {
		c->network_len = sizeof(((struct sockaddr_in *)&sa)->sin_addr);
		memcpy(c->network, &((struct sockaddr_in *)&sa)->sin_addr, c->network_len);
	} else if (len == sizeof(struct sockaddr_in6) && sa.ss_family == AF_INET6) {
		c->network_len = 8;              /* who has one address has the whole /64 */
		memcpy(c->network, &((struct sockaddr_in6 *)&sa)->sin6_addr, c->network_len);
	}
}

static void count_open(const struct conn *c, int64_t by)
{
	metric_move(c->gate->worker->o.metrics, METRIC_CONNECTIONS, METRIC_LABELS(c->gate->settings->address), by);
}

static void count_handshake(const struct conn *c, enum tls_result r)
{
	const struct worker_options *o = &c->gate->worker->o;

	metric_add(o->metrics, METRIC_TLS_HANDSHAKES, METRIC_LABELS(slice_cstr(tls_result_name(r))), 1);
	if (r != TLS_OK && o->tls_refused != NULL)
		o->tls_refused(o->ctx, tls_result_name(r), address_of(c));
}

static void on_close(void *data);

static void link_conn(struct conn *c)
{
	struct worker *w = c->gate->worker;

	c->next = w->conns;
	if (c->next != NULL)
		c->next->prev = c;
	w->conns = c;
	w->conns_len++;
	c->gate->conns++;
}

static void unlink_conn(struct conn *c)
{
	struct worker *w = c->gate->worker;

	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		w->conns = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	w->conns_len--;
	c->gate->conns--;
}

void conn_accept(struct gate *g, h2o_socket_t *sock)
{
	struct server *s = g->worker->o.server;
	struct conn *c = calloc(1, sizeof(*c));

	if (c == NULL || atomic_fetch_add_explicit(&s->connections, 1, memory_order_relaxed) >= CONNECTIONS_MAX) {
		if (c != NULL)
			atomic_fetch_sub_explicit(&s->connections, 1, memory_order_relaxed);
		free(c);
		h2o_socket_close(sock);
		return;
	}
	c->gate = g;
	c->sock = sock;
	c->opened_ms = c->idle_ms = worker_now_ms(g->worker);
	c->address_len = listener_peer(h2o_socket_get_fd(sock), c->address);
	find_network(c);
	link_conn(c);
	count_open(c, 1);
	sock->on_close.cb = on_close;
	sock->on_close.data = c;
	if (g->tls != NULL) {
		if (!headcount_take(s->handshakes, network_of(c), HANDSHAKES_PER_ADDRESS)) {
			count_handshake(c, TLS_LIMIT);
			h2o_socket_close(sock);
			return;
		}
		c->handshaking = true;
		c->tls = tls_context_ref(g->tls);
		c->judged = tls_context_ref(g->tls);
	}
	h2o_accept(&g->accept, sock);
}

struct conn *conn_of(h2o_req_t *req)
{
	return req->conn->callbacks->get_socket(req->conn)->on_close.data;
}

/* ---- the handshake ---- */

static struct conn *conn_of_ssl(struct ssl_st *ssl)
{
	h2o_socket_t *sock = tls_transport(ssl);

	return sock->on_close.data;
}

static void handshake_over(struct conn *c, enum tls_result r)
{
	c->handshaking = false;
	headcount_give(server_of(c)->handshakes, network_of(c));
	count_handshake(c, r);
}

static void on_handshake_done(struct ssl_st *ssl)
{
	struct conn *c = conn_of_ssl(ssl);

	if (!c->handshaking)
		return;
	c->peer = peer_new(ssl, tls_context_trust(c->tls), address_of(c));
	if (c->peer == NULL) {
		handshake_over(c, TLS_OTHER);
		conn_cut(c);
		return;
	}
	c->counted = headcount_take(server_of(c)->certificates, fingerprint_of(c), CONNECTIONS_PER_CERTIFICATE);
	handshake_over(c, c->counted ? TLS_OK : TLS_LIMIT);
	c->idle_ms = worker_now_ms(c->gate->worker);
	if (!c->counted)
		conn_cut(c);
}

static void on_handshake_failed(struct ssl_st *ssl, enum tls_result why)
{
	struct conn *c = conn_of_ssl(ssl);

	if (c->why == TLS_OK)
		c->why = why;
}

const struct tls_hooks *worker_tls_hooks(void)
{
	static const struct tls_hooks hooks = { on_handshake_done, on_handshake_failed };

	return &hooks;
}

/* ---- how it ends ---- */

void conn_library_refused(struct conn *c, unsigned status)
{
	const struct worker_options *o = &c->gate->worker->o;
	enum deny why = status == 413 ? DENY_BODY_TOO_LARGE : status == 417 ? DENY_HEAD_EXPECT : DENY_HEAD_SYNTAX;

	c->answered = c->sock->bytes_written;
	if (o->head_refused != NULL)
		o->head_refused(o->ctx, why, c->peer == NULL ? NULL : peer_identity(c->peer), address_of(c));
}

/* the socket is as good as closed, only its counters may be looked at */
static void on_close(void *data)
{
	struct conn *c = data;
	size_t unknown = c->sock->bytes_written - c->answered;
	enum tls_result late = worker_now_ms(c->gate->worker) - c->opened_ms >= HANDSHAKE_MS ? TLS_TIMEOUT : TLS_OTHER;

	if (c->handshaking)
		handshake_over(c, c->why != TLS_OK ? c->why : late);
	else if (unknown > 0 && unknown != CONTINUE_BYTES)   /* bytes that nobody asked for: its 400 to what is no request */
		conn_library_refused(c, 400);
	if (c->counted)
		headcount_give(server_of(c)->certificates, fingerprint_of(c));
	peer_free(c->peer);
	tls_context_unref(c->tls);
	tls_context_unref(c->judged);
	count_open(c, -1);
	unlink_conn(c);
	atomic_fetch_sub_explicit(&server_of(c)->connections, 1, memory_order_relaxed);
	free(c);
}

void conn_cut(struct conn *c)
{
	shutdown(h2o_socket_get_fd(c->sock), SHUT_RDWR);
}

void conn_reset(struct conn *c)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	/* on TCP this dissolves the association with a reset; other sockets do not know it */
	if (connect(h2o_socket_get_fd(c->sock), &none, sizeof(none)) != 0)
		conn_cut(c);
}

void conn_close_idle(struct conn *c)
{
	int fd = h2o_socket_get_fd(c->sock), unread = 0;

	/* a request that has just come is served first */
	if (ioctl(fd, FIONREAD, &unread) != 0 || unread == 0)
		shutdown(fd, SHUT_RD);
}

/* ---- what is looked at with each request ---- */

bool conn_judge(struct conn *c)
{
	struct tls_context *now = c->gate->tls;

	if (c->peer == NULL)
		return true;
	if (now == NULL)                     /* the listener became plain: no certificate is good there */
		return false;
	if (now != c->judged) {
		if (!tls_same_trust(now, c->judged) && !peer_judge(c->peer, tls_context_trust(now)))
			return false;
		tls_context_unref(c->judged);
		c->judged = tls_context_ref(now);
	}
	return tls_crl_current(now, clock_wall_us(c->gate->worker->o.clock) / 1000000);
}

/* ---- clocks ---- */

/* true when the head is whole: an empty line has come, by any of the line ends that libh2o takes */
static bool has_blank_line(struct slice in)
{
	for (size_t i = 0; i + 1 < in.len; i++)
		if (in.ptr[i] == '\n' && (in.ptr[i + 1] == '\n' || (i + 2 < in.len && in.ptr[i + 1] == '\r' && in.ptr[i + 2] == '\n')))
			return true;
	return false;
}

static bool read_is_late(struct conn *c, int64_t now_ms)
{
	struct slice in = slice_from(c->sock->input->bytes, c->sock->input->size);

	if (in.len == 0) {
		c->input_ms = 0;
		return now_ms - c->idle_ms >= IDLE_MS;
	}
	if (c->input_ms == 0) {
		c->input_ms = now_ms;
		c->has_head = false;
	}
	if (!c->has_head)
		c->has_head = has_blank_line(in);
	return now_ms - c->input_ms >= (c->has_head ? UPLOAD_MS : HEAD_MS);
}

/* any change in what libh2o has handed over or the other end has taken counts as progress */
static bool write_is_stalled(struct conn *c, int64_t now_ms)
{
	int unsent = 0;

	if (!h2o_socket_is_writing(c->sock)) {
		c->write_ms = 0;
		return false;
	}
	if (ioctl(h2o_socket_get_fd(c->sock), SIOCOUTQ, &unsent) != 0)
		unsent = 0;

	size_t mark = c->sock->bytes_written - (size_t)unsent;

	if (c->write_ms == 0 || mark != c->write_mark) {
		c->write_ms = now_ms;
		c->write_mark = mark;
	}
	return now_ms - c->write_ms >= STALLED_WRITE_MS;
}

static void check_clocks(struct conn *c, int64_t now_ms)
{
	bool between = !c->handshaking && c->exchange == NULL;

	if (write_is_stalled(c, now_ms) || (c->handshaking && now_ms - c->opened_ms >= HANDSHAKE_MS + CHECK_MS))
		conn_cut(c);
	else if (between && read_is_late(c, now_ms)) {
		if (c->input_ms == 0)
			conn_close_idle(c);
		else
			conn_cut(c);
	}
}

/* libh2o does not read while a request waits, so it does not notice a client that leaves; the kernel does */
static void look_for_leavers(struct conn **conns, struct pollfd *fds, nfds_t n)
{
	if (n == 0 || poll(fds, n, 0) <= 0)
		return;
	for (nfds_t i = 0; i < n; i++)
		if ((fds[i].revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0)
			exchange_abandon(conns[i]->exchange);
}

void conns_check(struct worker *w, int64_t now_ms)
{
	struct conn *waiting[POLLS_PER_CALL];
	struct pollfd fds[POLLS_PER_CALL];
	nfds_t n = 0;

	for (struct conn *c = w->conns, *next; c != NULL; c = next) {
		next = c->next;
		check_clocks(c, now_ms);
		if (c->exchange == NULL || !exchange_is_waiting(c->exchange))
			continue;
		waiting[n] = c;
		fds[n++] = (struct pollfd){ .fd = h2o_socket_get_fd(c->sock), .events = POLLRDHUP };
		if (n == POLLS_PER_CALL) {
			look_for_leavers(waiting, fds, n);
			n = 0;
		}
	}
	look_for_leavers(waiting, fds, n);
}
