/* fixture.h - a worker on real sockets, with a service that does as the path says, and clients; for the tests of this folder.
 * Everything aborts the test when it fails.
 */
#ifndef WEIR_TESTS_SERVER_FIXTURE_H
#define WEIR_TESTS_SERVER_FIXTURE_H

#include "server/listener.h"
#include "server/pki.h"
#include "server/worker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#define ID "spiffe://example.org/acme/svc/a"
#define H "Host: weir.example.org\r\n"
#define PATIENCE_MS 10000            /* to wait for a state before the test fails */
#define BIG ((size_t)20 * 1024 * 1024)
#define PIECE ((size_t)64 * 1024)

/* ---- time that the test can move ---- */

static _Atomic int64_t ahead_us;

static inline int64_t moved_wall_us(const struct clock *c)
{
	(void)c;
	return clock_wall_us(clock_system()) + atomic_load(&ahead_us);
}

static inline int64_t moved_mono_us(const struct clock *c)
{
	(void)c;
	return clock_mono_us(clock_system()) + atomic_load(&ahead_us);
}

static const struct clock moved_clock = { moved_wall_us, moved_mono_us, 0, 0 };

/* ---- a service ---- */

struct call {
	struct call *next;
	struct exchange *x;
	enum { ANSWER_LATER, STREAM, NEVER } kind;
	size_t sent;
	bool blocked;
};

struct seen {
	int begun, gone, wakes, swaps, refused_tls, refused_heads;
	enum deny fault, library;        /* of the last request; of libh2o's last refusal */
	bool has_identity;
	char uri[128], reason[32], target[64];
	size_t max_unsent;               /* bytes of a stream that were given but refused to be more */
};

struct fixture {
	struct pki_folder folder;
	struct pki_cert ca, edge, acme;
	struct tls_settings tls;
	struct listener_settings listeners[2];   /* traffic with TLS, plain health */
	struct trust_domain domain;
	struct snapshot *snap;
	struct tls_set *set;
	struct server *server;
	struct metrics *metrics;
	struct worker *worker;
	uint16_t port[2];
	struct downstream_port down;
	struct call *calls;              /* the worker's thread alone */
	_Atomic bool hold;               /* late answers stay late */
	bool setup_fails;
	pthread_mutex_t lock;
	struct seen seen;                /* behind the lock */
};

static inline void answer(struct fixture *f, struct exchange *x, unsigned status, const char *body, bool no_body)
{
	static const struct header type = { SLICE_INIT("content-type"), SLICE_INIT("text/plain") };

	f->down.head(x, &(struct answer_head){
		.status = status, .headers = &type, .headers_len = 1, .content_length = (int64_t)strlen(body), .no_body = no_body });
	if (!no_body)
		f->down.body(x, slice_cstr(body));
	f->down.end(x);
}

static inline void stream(struct fixture *f, struct call *c)
{
	static const char piece[PIECE];

	while (c->sent < BIG && !c->blocked) {
		c->blocked = !f->down.body(c->x, slice_from(piece, sizeof(piece)));
		c->sent += sizeof(piece);
	}
}

/* true: the call is over */
static inline bool go_on(struct fixture *f, struct call *c)
{
	if (c->kind == ANSWER_LATER && !atomic_load(&f->hold)) {
		answer(f, c->x, 200, "late", false);
		return true;
	}
	if (c->kind == STREAM) {
		stream(f, c);
		if (c->sent >= BIG)
			f->down.end(c->x);
		return c->sent >= BIG;
	}
	return false;
}

static inline void drop(struct fixture *f, struct call *c)
{
	struct call **at = &f->calls;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	free(c);
}

static inline void *keep(struct fixture *f, struct exchange *x, int kind)
{
	struct call *c = calloc(1, sizeof(*c));

	c->x = x;
	c->kind = kind;
	c->next = f->calls;
	f->calls = c;
	return c;
}

static inline void note(struct fixture *f, const struct inbound *in)
{
	pthread_mutex_lock(&f->lock);
	f->seen.begun++;
	f->seen.fault = in->fault;
	f->seen.has_identity = in->identity != NULL;
	snprintf(f->seen.uri, sizeof(f->seen.uri), "%.*s", SLICE_ARG(in->identity == NULL ? SLICE("") : in->identity->uri));
	snprintf(f->seen.target, sizeof(f->seen.target), "%.*s", SLICE_ARG(in->target));
	pthread_mutex_unlock(&f->lock);
}

static inline void *on_begin(void *ctx, const struct inbound *in, struct exchange *x)
{
	struct fixture *f = ctx;
	struct slice p = in->path;

	note(f, in);
	if (in->fault != DENY_COUNT)
		answer(f, x, deny_status(in->fault), deny_tag(in->fault), false);
	else if (slice_eq(p, SLICE("/now")))
		answer(f, x, 200, "hello", slice_eq(in->method, SLICE("HEAD")));
	else if (slice_eq(p, SLICE("/echo"))) {
		f->down.head(x, &(struct answer_head){ .status = 200, .content_length = (int64_t)in->body.len });
		f->down.body(x, in->body);
		f->down.end(x);
	} else if (slice_eq(p, SLICE("/pieces")) || slice_eq(p, SLICE("/pieces-500"))) {
		f->down.head(x, &(struct answer_head){ .status = slice_eq(p, SLICE("/pieces")) ? 200 : 500, .content_length = -1 });
		f->down.body(x, SLICE("one,"));
		f->down.body(x, SLICE(""));
		f->down.body(x, SLICE("two"));
		f->down.end(x);
	} else if (slice_eq(p, SLICE("/empty"))) {
		f->down.head(x, &(struct answer_head){ .status = 204, .content_length = -1, .no_body = true });
		f->down.end(x);
	} else if (slice_eq(p, SLICE("/half")) || slice_eq(p, SLICE("/half-known"))) {
		f->down.head(x, &(struct answer_head){ .status = 200, .content_length = slice_eq(p, SLICE("/half")) ? -1 : 100 });
		f->down.body(x, SLICE("half"));
		f->down.abort(x);
	} else if (slice_eq(p, SLICE("/too-short")) || slice_eq(p, SLICE("/too-long"))) {
		f->down.head(x, &(struct answer_head){ .status = 200, .content_length = slice_eq(p, SLICE("/too-short")) ? 10 : 2 });
		f->down.body(x, SLICE("four"));
		f->down.end(x);
	} else if (slice_eq(p, SLICE("/abort"))) {
		f->down.abort(x);
	} else if (slice_eq(p, SLICE("/later"))) {
		return keep(f, x, ANSWER_LATER);
	} else if (slice_eq(p, SLICE("/never"))) {
		return keep(f, x, NEVER);
	} else if (slice_eq(p, SLICE("/stream"))) {
		struct call *c = keep(f, x, STREAM);

		f->down.head(x, &(struct answer_head){ .status = 200, .content_length = -1 });
		if (!go_on(f, c))
			return c;
		drop(f, c);
	} else {
		answer(f, x, 404, "unknown", false);
	}
	return NULL;
}

static inline void on_gone(void *ctx, void *request)
{
	struct fixture *f = ctx;

	pthread_mutex_lock(&f->lock);
	f->seen.gone++;
	pthread_mutex_unlock(&f->lock);
	drop(f, request);
}

static inline void on_ready(void *ctx, void *request)
{
	struct call *c = request;

	c->blocked = false;
	if (go_on(ctx, c))
		drop(ctx, c);
}

static inline bool on_setup(void *ctx, struct worker *w, void *loop)
{
	struct fixture *f = ctx;

	return w != NULL && loop != NULL && !f->setup_fails;
}

static inline void on_teardown(void *ctx)
{
	struct fixture *f = ctx;

	if (f->calls != NULL)
		abort();                         /* every request must have ended */
}

static inline void on_tick(void *ctx)
{
	struct fixture *f = ctx;

	for (struct call *c = f->calls, *next; c != NULL; c = next) {
		next = c->next;
		if (c->kind == ANSWER_LATER && go_on(f, c))
			drop(f, c);
	}
}

static inline void on_wake(void *ctx)
{
	struct fixture *f = ctx;

	pthread_mutex_lock(&f->lock);
	f->seen.wakes++;
	pthread_mutex_unlock(&f->lock);
}

static inline void on_swap(void *ctx, struct snapshot *snap)
{
	struct fixture *f = ctx;

	(void)snap;
	pthread_mutex_lock(&f->lock);
	f->seen.swaps++;
	pthread_mutex_unlock(&f->lock);
}

static inline void on_tls_refused(void *ctx, const char *reason, struct slice peer)
{
	struct fixture *f = ctx;

	pthread_mutex_lock(&f->lock);
	f->seen.refused_tls += slice_starts(peer, SLICE("127.0.0.1:"));
	snprintf(f->seen.reason, sizeof(f->seen.reason), "%s", reason);
	pthread_mutex_unlock(&f->lock);
}

static inline void on_head_refused(void *ctx, enum deny why, const struct identity *identity, struct slice peer)
{
	struct fixture *f = ctx;

	pthread_mutex_lock(&f->lock);
	f->seen.refused_heads += peer.len > 0;
	f->seen.library = why;
	f->seen.has_identity = identity != NULL;
	pthread_mutex_unlock(&f->lock);
}

static inline struct seen seen(struct fixture *f)
{
	pthread_mutex_lock(&f->lock);

	struct seen s = f->seen;

	pthread_mutex_unlock(&f->lock);
	return s;
}

/* waits for a condition over the fixture's counters */
#define WAIT_FOR(f, s, condition)                                                              \
	for (int waited = 0;; waited += 5) {                                                       \
		struct seen s = seen(f);                                                               \
		(void)s;                                                                               \
		if (condition)                                                                         \
			break;                                                                             \
		if (waited >= PATIENCE_MS)                                                             \
			fail_msg("never true: %s", #condition);                                            \
		usleep(5000);                                                                          \
	}

/* ---- the worker ---- */

static inline void on_report(void *ctx, enum tls_problem kind, const char *text)
{
	(void)ctx;
	if (kind == TLS_ERROR)
		fail_msg("%s", text);
}

static inline struct snapshot *make_snapshot(struct fixture *f)
{
	struct snapshot *s = snapshot_new((size_t)1 << 20);

	assert_non_null(s);
	s->listeners = f->listeners;
	s->listeners_len = 2;
	s->tls = &f->tls;
	s->tls_len = 1;
	s->trust_domains = &f->domain;
	s->trust_domains_len = 1;
	s->process.drain_timeout_ms = 2000;
	return s;
}

static inline int open_port(uint16_t *port)
{
	struct sockaddr_in sa;
	socklen_t len = sizeof(sa);
	struct err e;
	int fd;

	if (listener_open(SLICE("127.0.0.1:0"), &fd, &e) != ERR_OK)
		fail_msg("%s", e.text);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	*port = ntohs(sa.sin_port);
	return fd;
}

static inline enum err_code start_worker(struct fixture *f, struct err *e)
{
	int fds[2] = { open_port(&f->port[0]), open_port(&f->port[1]) };
	const struct service service = { f, on_begin, on_gone, on_ready };
	const struct worker_options o = {
		.server = f->server, .snap = f->snap, .tls = f->set, .listen_fds = fds, .clock = &moved_clock,
		.metrics = metrics_shard_new(f->metrics), .traffic = service, .health = service, .ctx = f,
		.setup = on_setup, .teardown = on_teardown, .tick = on_tick, .wake = on_wake, .swap = on_swap,
		.tls_refused = on_tls_refused, .head_refused = on_head_refused,
	};
	enum err_code rc = worker_start(&o, &f->worker, e);

	if (rc != ERR_OK) {
		close(fds[0]);
		close(fds[1]);
	}
	return rc;
}

static inline int setup_files(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	pki_folder_make(&f->folder);
	f->ca = pki_make(&(struct pki_spec){ .name = "clients", .ca = true }, NULL);
	f->edge = pki_make(&(struct pki_spec){ .name = "edge", .san = "DNS:weir.example.org" }, &f->ca);
	f->acme = pki_make(&(struct pki_spec){ .name = "acme", .san = "URI:" ID }, &f->ca);
	f->tls = (struct tls_settings){
		.name = SLICE("edge"),
		.certificate = pki_write_certs(&f->folder, "edge.pem", f->edge.cert, NULL),
		.key = pki_write_key(&f->folder, "edge.key", f->edge.key),
		.client_ca = pki_write_certs(&f->folder, "clients.pem", f->ca.cert, NULL),
		.tickets = true,
	};
	f->domain = (struct trust_domain){ SLICE("example.org"), f->tls.client_ca };
	f->listeners[0] = (struct listener_settings){ .address = SLICE("traffic"), .serve = SERVE_QUERY, .tls = &f->tls, .max_body = 1000 };
	f->listeners[1] = (struct listener_settings){ .address = SLICE("health"), .serve = SERVE_HEALTH,
	                                               .allow_chunked = true, .max_body = 1000 };
	f->snap = make_snapshot(f);
	f->set = tls_set_load(f->snap, NULL, worker_tls_hooks(), &moved_clock, on_report, NULL);
	f->server = server_new(f->snap);
	f->metrics = metrics_new();
	f->down = worker_downstream();
	pthread_mutex_init(&f->lock, NULL);
	atomic_store(&ahead_us, 0);
	*state = f;
	return 0;
}

static inline int setup(void **state)
{
	struct err e;

	setup_files(state);
	if (start_worker(*state, &e) != ERR_OK)
		fail_msg("%s", e.text);
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	if (f->worker != NULL)
		worker_stop(f->worker);
	worker_join(f->worker);
	assert_int_equal(server_connections(f->server), 0);
	server_free(f->server);
	metrics_free(f->metrics);
	tls_set_unref(f->set);
	snapshot_unref(f->snap);
	pki_folder_remove(&f->folder);
	pki_free(&f->ca);
	pki_free(&f->edge);
	pki_free(&f->acme);
	pthread_mutex_destroy(&f->lock);
	free(f);
	return 0;
}

static inline void reload(struct fixture *f)
{
	struct snapshot *snap = make_snapshot(f);
	struct tls_set *set = tls_set_load(snap, f->set, worker_tls_hooks(), &moved_clock, on_report, NULL);
	int swaps = seen(f).swaps;

	assert_true(worker_same_listeners(f->snap, snap));
	worker_swap(f->worker, snap, set);
	snapshot_unref(f->snap);
	tls_set_unref(f->set);
	f->snap = snap;
	f->set = set;
	WAIT_FOR(f, s, s.swaps > swaps);
}

/* ---- clients ---- */

struct client {
	int fd;
	SSL_CTX *ctx;
	SSL *ssl;
	char in[65536];
	size_t len;
	bool closed, reset;
};

static inline void client_plain(struct client *c, uint16_t port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	*c = (struct client){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	assert_int_equal(connect(c->fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
}

static inline bool client_handshake(struct client *c, uint16_t port, const struct pki_cert *who)
{
	client_plain(c, port);
	c->ctx = SSL_CTX_new(TLS_client_method());
	if (who != NULL) {
		SSL_CTX_use_certificate(c->ctx, who->cert);
		SSL_CTX_use_PrivateKey(c->ctx, who->key);
	}
	c->ssl = SSL_new(c->ctx);
	SSL_set_fd(c->ssl, c->fd);
	return SSL_connect(c->ssl) == 1;
}

static inline void client_tls(struct client *c, struct fixture *f)
{
	assert_true(client_handshake(c, f->port[0], &f->acme));
}

static inline void client_done(struct client *c)
{
	SSL_free(c->ssl);
	SSL_CTX_free(c->ctx);
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
}

static inline void client_send(struct client *c, const char *text)
{
	if (c->ssl != NULL)
		assert_int_equal(SSL_write(c->ssl, text, (int)strlen(text)), (int)strlen(text));
	else
		assert_int_equal(send(c->fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* one read; false at the end of the connection */
static inline bool client_read(struct client *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	size_t room = sizeof(c->in) - c->len - 1;
	ssize_t n;

	assert_true(room > 0);
	if ((c->ssl == NULL || SSL_pending(c->ssl) == 0) && poll(&p, 1, PATIENCE_MS) != 1)
		fail_msg("nothing came; so far: %.*s", (int)c->len, c->in);
	n = c->ssl != NULL ? SSL_read(c->ssl, c->in + c->len, (int)room) : recv(c->fd, c->in + c->len, room, 0);
	if (n <= 0) {
		c->closed = true;
		c->reset = c->ssl != NULL ? SSL_get_shutdown(c->ssl) != SSL_RECEIVED_SHUTDOWN : n < 0;
		return false;
	}
	c->len += (size_t)n;
	c->in[c->len] = '\0';
	return true;
}

static inline void client_until(struct client *c, const char *text)
{
	while (c->len == 0 || strstr(c->in, text) == NULL)
		if (!client_read(c))
			fail_msg("closed before \"%s\" came; so far: %.*s", text, (int)c->len, c->in);
}

static inline void client_until_closed(struct client *c)
{
	while (client_read(c))
		;
}

/* what has come is forgotten */
static inline void client_clear(struct client *c)
{
	c->len = 0;
	c->in[0] = '\0';
}

static inline void assert_in(const struct client *c, const char *text)
{
	if (strstr(c->in, text) == NULL)
		fail_msg("\"%s\" is not in: %s", text, c->in);
}

static inline void assert_not_in(const struct client *c, const char *text)
{
	if (c->len > 0 && strstr(c->in, text) != NULL)
		fail_msg("\"%s\" is in: %s", text, c->in);
}

#endif
