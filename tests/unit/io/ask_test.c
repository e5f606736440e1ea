/* Backends that are asked once: each a thread that takes one connection, reads the head of a request and says one thing. */
#include "io/ask.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct peer {
	const char *says;                /* the whole answer; NULL = nothing */
	bool fine;
	const char *text;                /* how what is told of it begins */
	int listener, connection;
	struct backend backend;
	pthread_t thread;
	size_t told;
};

static struct peer peers[] = {
	{ .says = "HTTP/1.1 200 OK\r\nContent-Length: 52\r\n\r\n{\"status\":\"success\",\"data\":{\"version\":\"3.16\\u0007\"}}", .fine = true,
	  .text = "version 3.16 " },
	{ .says = "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n{\"status\":\"success\",\"data\":{}}",
	  .text = "answers with status 200 and no build" },
	{ .says = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", .text = "answers with status 200 and no build information" },
	{ .says = "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", .text = "answers with status 404 and no build information" },
	{ .says = "SSH-2.0-OpenSSH_9.2\r\n", .text = "does not speak HTTP" },
	{ .says = NULL, .text = "does not answer in time" },
};
#define PEERS (sizeof(peers) / sizeof(peers[0]))

static void *serve(void *arg)
{
	struct peer *p = arg;
	char head[4096] = "";
	size_t got = 0;

	p->connection = accept(p->listener, NULL, NULL);
	while (got < sizeof(head) - 1 && strstr(head, "\r\n\r\n") == NULL) {
		ssize_t n = read(p->connection, head + got, sizeof(head) - 1 - got);

		if (n <= 0)
			return NULL;
		got += (size_t)n;
	}
	if (p->says != NULL && strncmp(head, "GET /api/v1/status/buildinfo HTTP/1.1\r\n", 39) == 0)
		got = (size_t)write(p->connection, p->says, strlen(p->says));
	return NULL;
}

static void open_peer(struct peer *p)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);

	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->listener, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(p->listener, 4), 0);
	assert_int_equal(getsockname(p->listener, (struct sockaddr *)&sin, &len), 0);
	p->backend = (struct backend){
		.name = SLICE("b"), .host = SLICE("127.0.0.1"), .port = ntohs(sin.sin_port), .isolation = ISOLATE_LABEL, .connect_ms = 5000,
		.first_byte_ms = 500, .idle_ms = 5000, .total_ms = 5000, .pool_connections = 1, .pool_waiters = 1,
	};
	assert_int_equal(pthread_create(&p->thread, NULL, serve, p), 0);
}

static void close_peer(struct peer *p)
{
	assert_int_equal(pthread_join(p->thread, NULL), 0);
	close(p->connection);
	close(p->listener);
}

/* ctx: the list that was asked */
static void on_answer(void *ctx, const struct backend *b, bool fine, const char *text)
{
	struct peer *p = &peers[b - (const struct backend *)ctx];

	p->told++;
	if (fine != p->fine || strncmp(text, p->text, strlen(p->text)) != 0)
		fail_msg("got `%s`, want `%s`", text, p->text);
}

static void each_is_told_once(void **state)
{
	struct backend list[PEERS];
	struct snapshot snap = { .backends = list, .backends_len = PEERS };
	struct err e;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < PEERS; i++) {
		open_peer(&peers[i]);
		list[i] = peers[i].backend;
		list[i].index = i;
	}
	assert_int_equal(ask_backends(&snap, 10000, on_answer, list, &e), ERR_OK);
	for (size_t i = 0; i < PEERS; i++) {
		close_peer(&peers[i]);
		assert_int_equal(peers[i].told, 1);
	}
}

static void silent(void *ctx, const struct backend *b, bool fine, const char *text)
{
	(void)b;
	assert_false(fine);
	*(const char **)ctx = strstr(text, "cannot be reached") != NULL ? "unreached" : strstr(text, "in time") != NULL ? "late" : "else";
}

static void nobody_and_no_time(void **state)
{
	struct peer p = { .says = NULL };
	struct snapshot snap = { .backends = &p.backend, .backends_len = 1 };
	const char *what = "";
	struct err e;

	(void)state;
	open_peer(&p);
	p.backend.first_byte_ms = 3600000;
	assert_int_equal(ask_backends(&snap, 200, silent, &what, &e), ERR_OK);
	assert_string_equal(what, "late");
	close_peer(&p);
	assert_int_equal(ask_backends(&snap, 10000, silent, &what, &e), ERR_OK);
	assert_string_equal(what, "unreached");
}

static void a_bad_ca_file(void **state)
{
	struct backend b = { .name = SLICE_INIT("b"), .tls = true, .host = SLICE_INIT("h"), .port = 1,
		                 .ca_file = SLICE_INIT("/nowhere/ca.pem") };
	struct snapshot snap = { .backends = &b, .backends_len = 1 };
	const char *what = "";
	struct err e;

	(void)state;
	assert_int_equal(ask_backends(&snap, 10000, silent, &what, &e), ERR_IO);
	assert_string_equal(what, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_told_once), cmocka_unit_test(nobody_and_no_time), cmocka_unit_test(a_bad_ca_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
