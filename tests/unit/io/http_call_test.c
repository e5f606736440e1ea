/* One call against a backend that the test plays by hand: answers, deadlines, pause and cancel. */
#include "io/world.h"

/* ---- answers ---- */

enum ending { STAYS, CLOSES, RESETS };

static const struct {
	const char *name, *answer;
	enum ending how;
	const char *body;      /* NULL: fails */
	const char *detail;    /* of the failure */
	int heads;
} rows[] = {
	{ "a length", OK_2, STAYS, "ok", NULL, 1 },
	{ "chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n", STAYS, "ok", NULL, 1 },
	{ "until close", "HTTP/1.1 200 OK\r\n\r\nok", CLOSES, "ok", NULL, 1 },
	{ "1xx first", "HTTP/1.1 100 Continue\r\n\r\n" OK_2, STAYS, "ok", NULL, 1 },
	{ "Content-Length: abc", "HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n", STAYS, NULL, "no plain number", 0 },
	{ "two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", STAYS, NULL, "two lengths", 0 },
	{ "leftover bytes", OK_2 "HTTP/1.1 200 OK\r\n", STAYS, NULL, "behind the end", 0 },
	{ "garbage", "\x16\x03\x01\x02", STAYS, NULL, "HTTP/1", 0 },
	{ "nothing", "", CLOSES, NULL, "ended before the answer", 0 },
	{ "nothing, reset", "", RESETS, NULL, "I/O error", 0 },
	{ "half a head", "HTTP/1.1 200 OK\r\nContent-", CLOSES, NULL, "ended early", 0 },
	{ "half a body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok", CLOSES, NULL, "ended early", 1 },
	{ "half a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok", CLOSES, NULL, "ended early", 1 },
	{ "no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", CLOSES, NULL, "ended early", 1 },
	{ "a bad chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n", STAYS, NULL, "longer than its size", 1 },
};

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct seen s = { 0 };
		struct world w;
		int fd;

		print_message("%s\n", rows[i].name);
		world_init(&w);
		start_call(&w, &s);
		fd = peer_accept(&w);
		peer_request(&w, fd);
		peer_send(fd, rows[i].answer);
		if (rows[i].heads == 1)
			RUN_UNTIL(&w, s.heads == 1);
		if (rows[i].how == CLOSES)
			close(fd);
		else if (rows[i].how == RESETS)
			peer_reset(fd);
		RUN_UNTIL(&w, OVER(s));
		assert_int_equal(s.heads, rows[i].heads);
		if (rows[i].body != NULL) {
			assert_true(s.done);
			assert_int_equal(s.status, 200);
			assert_string_equal(s.body, rows[i].body);
		} else {
			assert_failed(&s, UPSTREAM_NONSENSE, rows[i].detail);
			if (rows[i].how == STAYS)
				peer_sees_close(&w, fd);     /* never used again */
		}
		if (rows[i].body != NULL && rows[i].how == STAYS)
			close(fd);
		world_done(&w);
	}
}

static void test_head(void **state)
{
	struct seen s = { .out = { .wire = SLICE(REQUEST), .is_head = true } };
	struct world w;
	int fd;

	(void)state;
	world_init(&w);
	start_call(&w, &s);
	fd = peer_accept(&w);
	peer_request(&w, fd);
	peer_send(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n");
	RUN_UNTIL(&w, OVER(s));
	assert_true(s.done);
	assert_int_equal(s.content_length, 1000);
	assert_string_equal(s.type, "text/plain");
	assert_int_equal(s.body_len, 0);
	close(fd);
	world_done(&w);
}

static void test_size_cap(void **state)
{
	static const struct {
		const char *name, *answer;
		int heads;
		bool fits;
	} caps[] = {
		{ "just fits", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nokok", 1, true },
		{ "says so in its head", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nokok!", 0, false },
		{ "shows it in its chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nokok\r\n1\r\n!\r\n0\r\n\r\n", 1, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		struct seen s = { 0 };
		struct world w;
		int fd;

		print_message("%s\n", caps[i].name);
		world_prepare(&w);
		w.backend.max_answer_bytes = 4;
		world_open(&w);
		start_call(&w, &s);
		fd = peer_accept(&w);
		peer_request(&w, fd);
		peer_send(fd, caps[i].answer);
		RUN_UNTIL(&w, OVER(s));
		assert_int_equal(s.done, caps[i].fits);
		assert_int_equal(s.heads, caps[i].heads);
		if (!caps[i].fits)
			assert_failed(&s, UPSTREAM_NONSENSE, "larger");
		close(fd);
		world_done(&w);
	}
}

/* ---- deadlines ---- */

static void test_first_byte_timeout(void **state)
{
	static const char *const begun[] = { "", "HTTP/1.1 200 OK\r\nA: b", "HTTP/1.1 100 Continue\r\n\r\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(begun) / sizeof(begun[0]); i++) {
		struct seen s = { 0 };
		struct world w;
		int fd;

		world_init(&w);
		start_call(&w, &s);
		fd = peer_accept(&w);
		peer_request(&w, fd);
		pass_ms(&w, 4000);
		peer_send(fd, begun[i]);         /* some of a head is no answer */
		settle(&w);
		assert_false(OVER(s));
		pass_ms(&w, 1100);
		assert_failed(&s, UPSTREAM_TIMEOUT, "no answer within 5000 ms");
		peer_sees_close(&w, fd);
		world_done(&w);
	}
}

static void test_idle_timeout(void **state)
{
	struct seen s = { 0 };
	struct world w;
	int fd;

	(void)state;
	world_init(&w);
	start_call(&w, &s);
	fd = peer_accept(&w);
	peer_request(&w, fd);
	peer_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
	for (size_t i = 0; i < 3; i++) {                 /* each byte begins the time anew */
		RUN_UNTIL(&w, s.heads == 1 && s.body_len == i);
		pass_ms(&w, 2900);
		peer_send(fd, "x");
	}
	RUN_UNTIL(&w, s.body_len == 3);
	pass_ms(&w, 3100);
	assert_failed(&s, UPSTREAM_TIMEOUT, "stood still for 3000 ms");
	peer_sees_close(&w, fd);
	world_done(&w);
}

static void test_total_timeout(void **state)
{
	struct seen s = { 0 };
	struct world w;
	int fd;

	(void)state;
	world_init(&w);
	start_call(&w, &s);
	fd = peer_accept(&w);
	peer_request(&w, fd);
	peer_send(fd, "HTTP/1.1 200 OK\r\n\r\n");
	RUN_UNTIL(&w, s.heads == 1);
	for (size_t i = 1; i <= 24; i++) {
		peer_send(fd, "x");
		RUN_UNTIL(&w, s.body_len == i);
		pass_ms(&w, 2500);
	}
	assert_false(OVER(s));
	pass_ms(&w, 100);
	assert_failed(&s, UPSTREAM_TIMEOUT, "not whole within 60000 ms");
	peer_sees_close(&w, fd);
	world_done(&w);
}

static void test_waiting_timeout(void **state)
{
	struct seen first = { 0 }, s = { 0 };
	struct world w;
	int fd;

	(void)state;
	world_prepare(&w);
	w.backend.pool_connections = 1;
	world_open(&w);
	start_call(&w, &first);
	fd = peer_accept(&w);
	peer_request(&w, fd);
	peer_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
	RUN_UNTIL(&w, first.heads == 1);
	start_call(&w, &s);
	for (int i = 0; i < 5; i++) {
		peer_send(fd, "x");
		RUN_UNTIL(&w, first.body_len == (size_t)i + 1);
		pass_ms(&w, 1000);
	}
	assert_false(OVER(s));
	pass_ms(&w, 100);
	assert_failed(&s, UPSTREAM_BUSY, "became free within 5000 ms");
	assert_false(OVER(first));
	w.up.cancel(first.call);
	close(fd);
	world_done(&w);
}

/* a backend that takes the connection but never says its part of the TLS handshake */
static void test_connect_timeout(void **state)
{
	struct seen s = { 0 };
	struct world w;
	int fd;

	(void)state;
	world_prepare(&w);
	w.backend.tls = true;
	world_open(&w);
	start_call(&w, &s);
	fd = peer_accept(&w);
	settle(&w);
	pass_ms(&w, 900);
	assert_false(OVER(s));
	pass_ms(&w, 200);
	assert_failed(&s, UPSTREAM_CONNECT, "no connection within 1000 ms");
	peer_sees_close(&w, fd);
	world_done(&w);
}

/* ---- pause, resume, cancel ---- */

/* sends what the socket takes of the ordered body that s wants; returns how much that was */
static size_t pour(int fd, size_t from, size_t len)
{
	char buf[65536];
	size_t sent = 0;

	while (from + sent < len) {
		size_t n = len - from - sent < sizeof(buf) ? len - from - sent : sizeof(buf);
		ssize_t put;

		for (size_t i = 0; i < n; i++)
			buf[i] = (char)((from + sent + i) % 251);
		put = send(fd, buf, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (put <= 0)
			break;
		sent += (size_t)put;
	}
	return sent;
}

static void test_pause(void **state)
{
	size_t len = (size_t)32 << 20, sent = 0, held;
	struct seen s = { .pause_in_body = true };
	char head[100];
	struct world w;
	int fd;

	(void)state;
	world_init(&w);
	start_call(&w, &s);
	fd = peer_accept(&w);
	peer_request(&w, fd);
	snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", len);
	peer_send(fd, head);

	/* paused at its first bytes: the backend is stopped by the system's buffers, not by our memory */
	for (int calm = 0; calm < 50;) {
		size_t n = pour(fd, sent, len);

		sent += n;
		calm = n == 0 ? calm + 1 : 0;
		h2o_evloop_run(w.loop, 1);
	}
	held = s.body_len;
	assert_true(held > 0);
	assert_true(sent < len / 2);
	pass_ms(&w, 30000);                              /* a slow reader is no fault of the backend */
	settle(&w);
	assert_false(OVER(s));
	assert_int_equal(s.body_len, held);

	s.pause_in_body = false;
	w.up.resume(s.call);
	while (sent < len) {
		sent += pour(fd, sent, len);
		h2o_evloop_run(w.loop, 1);
	}
	RUN_UNTIL(&w, OVER(s));
	assert_true(s.done);
	assert_int_equal(s.body_len, len);
	assert_true(s.ordered);
	close(fd);
	world_done(&w);
}

/* the whole answer lies here while the caller is paused, with the end of the connection behind it */
static void test_pause_at_the_end(void **state)
{
	struct seen s = { .pause_in_body = true };
	struct world w;
	int fd;

	(void)state;
	world_init(&w);
	start_call(&w, &s);
	fd = peer_accept(&w);
	peer_request(&w, fd);
	peer_send(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n");
	RUN_UNTIL(&w, s.heads == 1);
	peer_send(fd, "o\r\n1\r\nk\r\n0\r\n\r\n");
	close(fd);
	RUN_UNTIL(&w, s.body_len == 1);
	settle(&w);
	assert_int_equal(s.body_len, 1);
	w.up.resume(s.call);
	assert_int_equal(s.body_len, 1);                 /* not from inside resume */
	RUN_UNTIL(&w, s.body_len == 2);
	settle(&w);
	assert_false(OVER(s));
	w.up.resume(s.call);
	RUN_UNTIL(&w, OVER(s));
	assert_true(s.done);
	world_done(&w);
}

static void test_cancel_inside_events(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct seen s = { .cancel_in_head = i == 0, .cancel_in_body = i == 1 };
		struct world w;
		int fd;

		world_init(&w);
		start_call(&w, &s);
		fd = peer_accept(&w);
		peer_request(&w, fd);
		peer_send(fd, OK_2);
		peer_sees_close(&w, fd);
		assert_int_equal(s.heads, 1);
		assert_int_equal(s.ends, 0);
		world_done(&w);
	}
}

static void test_cancel_elsewhere(void **state)
{
	struct seen running = { 0 }, waiting = { 0 }, connecting = { 0 }, failed = { 0 };
	struct world w;
	int fd;

	(void)state;
	world_prepare(&w);
	w.backend.pool_connections = 1;
	w.backend.pool_waiters = 1;
	world_open(&w);
	start_call(&w, &connecting);
	w.up.cancel(connecting.call);
	start_call(&w, &running);
	start_call(&w, &waiting);
	start_call(&w, &failed);                         /* BUSY, to be told later */
	w.up.cancel(failed.call);
	w.up.cancel(waiting.call);
	fd = peer_accept(&w);                            /* of the one that was cancelled, or of the running one */
	settle(&w);
	w.up.cancel(running.call);
	peer_sees_close(&w, fd);
	settle(&w);
	assert_int_equal(connecting.ends + running.ends + waiting.ends + failed.ends, 0);
	world_done(&w);
}

/* the place of a cancelled call goes to the next one */
static void test_cancel_makes_room(void **state)
{
	struct seen first = { 0 }, next = { 0 };
	struct world w;
	int fd;

	(void)state;
	world_prepare(&w);
	w.backend.pool_connections = 1;
	world_open(&w);
	start_call(&w, &first);
	fd = peer_accept(&w);
	start_call(&w, &next);
	w.up.cancel(first.call);
	peer_sees_close(&w, fd);
	fd = peer_accept(&w);
	peer_request(&w, fd);
	peer_send(fd, OK_2);
	RUN_UNTIL(&w, OVER(next));
	assert_true(next.done);
	close(fd);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_size_cap),
		cmocka_unit_test(test_first_byte_timeout),
		cmocka_unit_test(test_idle_timeout),
		cmocka_unit_test(test_total_timeout),
		cmocka_unit_test(test_waiting_timeout),
		cmocka_unit_test(test_connect_timeout),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_pause_at_the_end),
		cmocka_unit_test(test_cancel_inside_events),
		cmocka_unit_test(test_cancel_elsewhere),
		cmocka_unit_test(test_cancel_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
