/* world.h - an event loop with one upstream client on it, and a backend that the test plays by hand on a loopback socket.
 *
 * Nothing here sleeps: the loop runs until a state is reached, and time for the client is a clock that stands still until the
 * test moves it.
 */
#ifndef WEIR_TESTS_IO_WORLD_H
#define WEIR_TESTS_IO_WORLD_H

#include "core/outbound.h"
#include "io/http_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <h2o/socket.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* The client knows a request by these getters alone; this stands in for core's own, which only makes what core sends. */
struct outbound {
	const struct backend *backend;
	struct slice wire;
	bool repeatable, is_head;
};

const struct backend *outbound_backend(const struct outbound *o)
{
	return o->backend;
}

struct slice outbound_wire(const struct outbound *o)
{
	return o->wire;
}

int64_t outbound_first_byte_ms(const struct outbound *o)
{
	return o->backend->first_byte_ms;
}

bool outbound_repeatable(const struct outbound *o)
{
	return o->repeatable;
}

bool outbound_is_head(const struct outbound *o)
{
	return o->is_head;
}

/* ---- the world ---- */

struct world {
	h2o_loop_t *loop;
	struct clock clock;
	struct metrics *metrics;
	struct backend backend;
	struct http_client *client;
	struct upstream_port up;
	int listener;
};

static inline int listen_on_loopback(uint16_t *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	*port = ntohs(sin.sin_port);
	return fd;
}

static inline struct backend loopback_backend(uint16_t port)
{
	return (struct backend){
		.name = SLICE("metrics"), .host = SLICE("127.0.0.1"), .port = port, .isolation = ISOLATE_LABEL,
		.connect_ms = 1000, .first_byte_ms = 5000, .idle_ms = 3000, .total_ms = 60000,
		.pool_connections = 4, .pool_waiters = 4,
	};
}

static inline void swap_backends(struct world *w, const struct backend *backends, size_t len)
{
	struct http_backends *set;
	struct err err;

	if (http_backends_new(backends, len, &set, &err) != ERR_OK)
		fail_msg("%s", err.text);
	if (w->client == NULL)
		w->client = http_client_new(w->loop, set, &w->clock, metrics_shard_new(w->metrics));
	else
		assert_true(http_client_swap(w->client, set));
	assert_non_null(w->client);
	http_backends_unref(set);
}

/* a world whose client is not made yet: the test may change w->backend first */
static inline void world_prepare(struct world *w)
{
	uint16_t port;

	signal(SIGPIPE, SIG_IGN);
	*w = (struct world){ .loop = h2o_evloop_create(), .clock = clock_fake(0, 1000000000), .metrics = metrics_new() };
	w->listener = listen_on_loopback(&port);
	w->backend = loopback_backend(port);
}

static inline void world_open(struct world *w)
{
	swap_backends(w, &w->backend, 1);
	w->up = http_client_port(w->client);
}

static inline void world_init(struct world *w)
{
	world_prepare(w);
	world_open(w);
}

static inline void world_done(struct world *w)
{
	http_client_free(w->client);
	h2o_evloop_run(w->loop, 0);
	h2o_evloop_destroy(w->loop);
	metrics_free(w->metrics);
	if (w->listener != -1)
		close(w->listener);
}

/* runs the loop until cond; a state that is not reached is a failure */
#define RUN_UNTIL(w, cond)                                                                        \
	do {                                                                                          \
		int64_t begin_us = clock_mono_us(clock_system());                                         \
		while (!(cond)) {                                                                         \
			if (clock_mono_us(clock_system()) - begin_us > 20 * 1000000)                          \
				fail_msg("%s:%d: never reached: %s", __FILE__, __LINE__, #cond);                  \
			assert_int_equal(h2o_evloop_run((w)->loop, 10), 0);                                   \
		}                                                                                         \
	} while (0)

/* everything that is on its way has arrived: for what must not happen */
static inline void settle(struct world *w)
{
	for (int i = 0; i < 20; i++)
		assert_int_equal(h2o_evloop_run(w->loop, 1), 0);
}

static inline void pass_ms(struct world *w, int64_t ms)
{
	w->clock.fake_mono_us += ms * 1000;
	http_client_tick(w->client);
}

/* ---- one call, as its caller sees it ---- */

struct seen {
	struct world *w;
	struct outbound out;
	struct upstream_call *call;
	bool starting;                   /* inside start: no event may come */
	int heads, ends;
	unsigned status;
	int64_t content_length;
	char type[64];
	size_t body_len;
	char body[256];                  /* its beginning */
	bool ordered;                    /* body byte i is i % 251 */
	bool done, failed;
	enum upstream_fault why;
	char detail[200];

	/* what the caller does inside its events */
	bool cancel_in_head, cancel_in_body, pause_in_body;
};

static inline void seen_head(void *ctx, unsigned status, const struct header *headers, size_t len, int64_t content_length)
{
	struct seen *s = ctx;

	assert_false(s->starting);
	assert_int_equal(s->ends, 0);
	s->heads++;
	s->status = status;
	s->content_length = content_length;
	for (size_t i = 0; i < len; i++)
		if (slice_eq(headers[i].name, SLICE("content-type")))
			snprintf(s->type, sizeof(s->type), "%.*s", SLICE_ARG(headers[i].value));
	if (s->cancel_in_head) {
		s->w->up.cancel(s->call);
		s->out = (struct outbound){ 0 };     /* with the request its memory goes */
	}
}

static inline void seen_body(void *ctx, struct slice bytes)
{
	struct seen *s = ctx;

	assert_false(s->starting);
	assert_int_equal(s->heads, 1);
	assert_int_equal(s->ends, 0);
	assert_false(s->cancel_in_head);
	for (size_t i = 0; i < bytes.len; i++) {
		if (s->body_len + i < sizeof(s->body) - 1)
			s->body[s->body_len + i] = bytes.ptr[i];
		s->ordered = s->ordered && (unsigned char)bytes.ptr[i] == (s->body_len + i) % 251;
	}
	s->body_len += bytes.len;
	if (s->pause_in_body)
		s->w->up.pause(s->call);
	if (s->cancel_in_body) {
		s->w->up.cancel(s->call);
		s->out = (struct outbound){ 0 };
	}
}

static inline void seen_done(void *ctx)
{
	struct seen *s = ctx;

	assert_false(s->starting);
	assert_false(s->cancel_in_head || s->cancel_in_body);
	assert_int_equal(s->ends++, 0);
	s->done = true;
	s->out = (struct outbound){ 0 };
}

static inline void seen_failed(void *ctx, enum upstream_fault why, const char *detail)
{
	struct seen *s = ctx;

	assert_false(s->starting);
	assert_int_equal(s->ends++, 0);
	s->failed = true;
	s->why = why;
	snprintf(s->detail, sizeof(s->detail), "%s", detail);
	assert_true(s->detail[0] != '\0');
	s->out = (struct outbound){ 0 };
}

#define REQUEST "GET /api/v1/query?query=up HTTP/1.1\r\nHost: metrics\r\n\r\n"

#define OK_2 "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"

/* begins with what s->out says; a GET that may be repeated where it says nothing */
static inline void start_call(struct world *w, struct seen *s)
{
	static const struct upstream_events events = { seen_head, seen_body, seen_done, seen_failed };

	s->w = w;
	s->ordered = true;
	if (s->out.backend == NULL)
		s->out.backend = &w->backend;
	if (s->out.wire.len == 0) {
		s->out.wire = SLICE(REQUEST);
		s->out.repeatable = true;
	}
	s->starting = true;
	s->call = w->up.start(w->up.ctx, &s->out, &events, s);
	s->starting = false;
	assert_non_null(s->call);
}

#define OVER(s) ((s).done || (s).failed)

static inline void assert_failed(const struct seen *s, enum upstream_fault why, const char *detail)
{
	assert_true(s->failed);
	if (s->why != why || strstr(s->detail, detail) == NULL)
		fail_msg("fault %d, \"%s\"; wanted %d, \"%s\"", s->why, s->detail, why, detail);
}

/* ---- the backend's side ---- */

/* the next connection that the client opens */
static inline int peer_accept(struct world *w)
{
	int fd = -1;

	RUN_UNTIL(w, (fd = accept4(w->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0);
	return fd;
}

static inline bool peer_is_waiting(struct world *w)
{
	int fd = accept4(w->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* takes exactly one request without a body */
static inline void peer_request(struct world *w, int fd)
{
	char buf[sizeof(REQUEST)];
	ssize_t n = -1;

	h2o_evloop_run(w->loop, 0);      /* so that the client, too, knows that its request is out */
	RUN_UNTIL(w, (n = recv(fd, buf, sizeof(buf) - 1, MSG_PEEK)) >= (ssize_t)sizeof(REQUEST) - 1);
	assert_int_equal(read(fd, buf, sizeof(REQUEST) - 1), sizeof(REQUEST) - 1);
	buf[sizeof(REQUEST) - 1] = '\0';
	assert_string_equal(buf, REQUEST);
}

static inline void peer_send(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* the client has closed its end */
static inline void peer_sees_close(struct world *w, int fd)
{
	char buf[65536];
	ssize_t n = 1;

	do {
		RUN_UNTIL(w, (n = read(fd, buf, sizeof(buf))) >= 0 || errno == ECONNRESET);
	} while (n > 0);
	close(fd);
}

/* closes with a reset instead of an end */
static inline void peer_reset(int fd)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

/* one whole exchange on a new connection, which stays open */
static inline int peer_serve_first(struct world *w)
{
	struct seen s = { 0 };
	int fd;

	start_call(w, &s);
	fd = peer_accept(w);
	peer_request(w, fd);
	peer_send(fd, OK_2);
	RUN_UNTIL(w, OVER(s));
	assert_true(s.done);
	return fd;
}

#endif
