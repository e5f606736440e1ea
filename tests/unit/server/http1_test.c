/* Requests and answers over HTTP/1: framing, refusals, half answers, streams, clients that leave. */
#include "server/fixture.h"

/* ---- answers ---- */

static void test_plain_answers(void **state)
{
	static const struct {
		const char *name, *request, *end;
		const char *has[3], *lacks;
	} rows[] = {
		{ "known length", "GET /now HTTP/1.1\r\n" H "\r\n", "hello",
		  { "HTTP/1.1 200 OK\r\n", "Content-Length: 5\r\n", "Connection: keep-alive\r\n" }, "chunked" },
		{ "unknown path", "GET /what HTTP/1.1\r\n" H "\r\n", "unknown", { "HTTP/1.1 404 Not Found\r\n" }, "Server:" },
		{ "header of the service", "GET /now HTTP/1.1\r\n" H "\r\n", "hello", { "content-type: text/plain\r\n", "\r\nDate: " }, NULL },
		{ "HEAD", "HEAD /now HTTP/1.1\r\n" H "\r\n", "\r\n\r\n", { "Content-Length: 5\r\n" }, "hello" },
		{ "no content", "GET /empty HTTP/1.1\r\n" H "\r\n", "\r\n\r\n", { "HTTP/1.1 204 No Content\r\n" }, "ength" },
		{ "chunks", "GET /pieces HTTP/1.1\r\n" H "\r\n", "\r\n0\r\n\r\n",
		  { "transfer-encoding: chunked\r\n", "\r\n\r\n4\r\none,\r\n3\r\ntwo\r\n0\r\n\r\n", "Connection: keep-alive" }, "Content-Length" },
		{ "chunks of another status", "GET /pieces-500 HTTP/1.1\r\n" H "\r\n", "\r\n0\r\n\r\n",
		  { "HTTP/1.1 500 Internal Server Error\r\n", "4\r\none,\r\n3\r\ntwo\r\n0\r\n\r\n", "Connection: keep-alive" }, NULL },
		{ "body", "POST /echo HTTP/1.1\r\n" H "Content-Length: 6\r\n\r\nabcdef", "abcdef", { "Content-Length: 6\r\n" }, NULL },
		{ "chunked body", "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3;x=y\r\ndef\r\n0\r\nA: b\r\n\r\n",
		  "abcdef", { "Content-Length: 6\r\n" }, NULL },
		{ "late", "GET /later HTTP/1.1\r\n" H "\r\n", "late", { "HTTP/1.1 200 OK" }, NULL },
		{ "refused and open", "PUT /now HTTP/1.1\r\n" H "\r\n", "H010", { "HTTP/1.1 405 Method Not Allowed\r\n", "keep-alive" }, NULL },
	};
	struct fixture *f = *state;
	struct client c;

	client_plain(&c, f->port[1]);        /* one connection for all */
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		client_clear(&c);
		client_send(&c, rows[i].request);
		client_until(&c, rows[i].end);
		for (size_t k = 0; k < 3 && rows[i].has[k] != NULL; k++)
			assert_in(&c, rows[i].has[k]);
		if (rows[i].lacks != NULL)
			assert_not_in(&c, rows[i].lacks);
	}
	client_done(&c);
}

static void test_http_1_0(void **state)
{
	struct fixture *f = *state;
	struct client c;

	client_plain(&c, f->port[1]);
	client_send(&c, "GET /pieces HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	client_until_closed(&c);
	assert_in(&c, "Connection: close\r\n");
	assert_in(&c, "\r\n\r\none,two");
	assert_not_in(&c, "chunked");
	assert_false(c.reset);
	client_done(&c);
}

static void test_pipelined(void **state)
{
	struct fixture *f = *state;
	struct client c;

	client_plain(&c, f->port[1]);
	client_send(&c, "GET /later?1 HTTP/1.1\r\n" H "\r\nGET /now?2 HTTP/1.1\r\n" H "\r\n"
	                "PUT / HTTP/1.1\r\n" H "\r\nGET /pieces HTTP/1.1\r\n" H "\r\n");
	client_until(&c, "two\r\n0\r\n\r\n");
	assert_true(strstr(c.in, "late") < strstr(c.in, "hello") && strstr(c.in, "hello") < strstr(c.in, "H010"));
	assert_int_equal(seen(f).begun, 4);
	client_done(&c);
}

/* nothing behind a head whose framing is doubtful is read as a request */
static void test_closes_behind_a_fault(void **state)
{
	static const struct {
		const char *head, *status, *tag;
	} rows[] = {
		{ "POST /echo HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "400", "H002" },
		{ "POST /echo HTTP/1.1\r\n" H "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400", "H002" },
		{ "GET /now HTTP/1.1\n" H "\r\n", "400", "H001" },
		{ "\r\nGET /now HTTP/1.1\r\n" H "\r\n", "400", "H001" },
		{ "GET /now HTTP/1.1\r\n" H "A: b\r\n c\r\n\r\n", "400", "H008" },
		{ "GET /now HTTP/1.1\r\n" H "X_Y: b\r\n\r\n", "400", "H008" },
		{ "GET http://weir.example.org/now HTTP/1.1\r\n" H "\r\n", "400", "H006" },
		{ "GET /now HTTP/1.7\r\n" H "\r\n", "400", "H005" },
		{ "GET /now HTTP/1.1\r\n\r\n", "400", "H004" },
		{ "GET /now HTTP/1.1\r\n" H "Upgrade: websocket\r\nConnection: upgrade\r\n\r\n", "400", "H012" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct client c;
		char both[512];

		client_plain(&c, f->port[1]);
		snprintf(both, sizeof(both), "%sGET /now?smuggled HTTP/1.1\r\n" H "\r\n", rows[i].head);
		client_send(&c, both);
		client_until_closed(&c);
		assert_in(&c, rows[i].status);
		assert_in(&c, rows[i].tag);
		assert_in(&c, "Connection: close");
		assert_not_in(&c, "hello");
		client_done(&c);
	}
	assert_int_equal(seen(f).begun, sizeof(rows) / sizeof(rows[0]));
}

/* libh2o answers these by itself; each is told */
static void test_library_refusals(void **state)
{
	static const struct {
		const char *name, *request, *status;
		enum deny why;
	} rows[] = {
		{ "no request", "hello\r\n\r\n", " 400 ", DENY_HEAD_SYNTAX },
		{ "preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", " 400 ", DENY_HEAD_SYNTAX },
		{ "NUL in a header", "GET /now HTTP/1.1\r\nA: \x01\r\n\r\n", " 400 ", DENY_HEAD_SYNTAX },
		{ "too large", "POST /echo HTTP/1.1\r\n" H "Content-Length: 5000\r\n\r\n", " 413 ", DENY_BODY_TOO_LARGE },
		{ "chunked and too large", "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n400\r\n", NULL, DENY_BODY_TOO_LARGE },
		{ "no number", "POST /echo HTTP/1.1\r\n" H "Content-Length: abc\r\n\r\n", " 400 ", DENY_HEAD_SYNTAX },
		{ "no chunk size", "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", " 400 ", DENY_HEAD_SYNTAX },
		{ "expectation", "POST /echo HTTP/1.1\r\n" H "Expect: more\r\nContent-Length: 3\r\n\r\n", " 417 ", DENY_HEAD_EXPECT },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char filler[1025] = "";
		struct client c;

		client_plain(&c, f->port[1]);
		client_send(&c, rows[i].request);
		if (rows[i].status == NULL) {
			memset(filler, 'a', 1024);
			client_send(&c, filler);
		}
		client_until_closed(&c);
		assert_in(&c, rows[i].status == NULL ? " 413 " : rows[i].status);
		client_done(&c);
		WAIT_FOR(f, s, s.refused_heads == (int)i + 1);
		assert_int_equal(seen(f).library, rows[i].why);
	}
	assert_int_equal(seen(f).begun, 0);

	/* a 100 is no refusal, and a client that just leaves is none either */
	struct client c;

	client_plain(&c, f->port[1]);
	client_send(&c, "POST /echo HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	client_until(&c, "100 Continue\r\n\r\n");
	client_done(&c);
	client_plain(&c, f->port[1]);
	client_send(&c, "POST /echo HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	client_until(&c, "100 Continue\r\n\r\n");
	client_send(&c, "abc");
	client_until(&c, "abc");
	client_done(&c);
	while (server_connections(f->server) > 0)
		usleep(1000);
	assert_int_equal(seen(f).refused_heads, sizeof(rows) / sizeof(rows[0]));
}

static void test_limits_of_a_body(void **state)
{
	struct fixture *f = *state;

	for (int n = 999; n <= 1001; n++)
		for (int chunked = 0; chunked < 2; chunked++) {
			char request[2048], body[1002];
			struct client c;

			memset(body, 'b', sizeof(body));
			client_plain(&c, f->port[1]);
			if (chunked)
				snprintf(request, sizeof(request), "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n%x\r\n%.*s\r\n0\r\n\r\n",
				         (unsigned)n, n, body);
			else
				snprintf(request, sizeof(request), "POST /echo HTTP/1.1\r\n" H "Content-Length: %d\r\n\r\n%.*s", n, n, body);
			client_send(&c, request);
			if (n <= 1000) {
				client_until(&c, "bbb");
				assert_in(&c, "HTTP/1.1 200");
			} else {
				client_until_closed(&c);
				assert_in(&c, "HTTP/1.1 413");
			}
			client_done(&c);
		}
}

/* ---- half answers ---- */

static void test_half_answers(void **state)
{
	static const struct {
		const char *path, *version;
		bool tls;
	} rows[] = {
		{ "/half", "1.1", false },      { "/half", "1.0", false },      { "/half-known", "1.1", false },
		{ "/too-short", "1.1", false }, { "/too-long", "1.1", false },  { "/abort", "1.1", false },
		{ "/half", "1.1", true },       { "/half", "1.0", true },       { "/half-known", "1.1", true },
		{ "/abort", "1.1", true },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct client c;
		char request[256];

		if (rows[i].tls)
			client_tls(&c, f);
		else
			client_plain(&c, f->port[1]);
		snprintf(request, sizeof(request), "GET %s HTTP/%s\r\n" H "\r\n", rows[i].path, rows[i].version);
		client_send(&c, request);
		client_until_closed(&c);
		assert_not_in(&c, "\r\n0\r\n");
		if (!c.reset)
			fail_msg("%s over HTTP/%s ended well: %.*s", rows[i].path, rows[i].version, (int)c.len, c.in);
		client_done(&c);
	}
}

/* ---- streams, slow readers, clients that leave ---- */

static size_t drain_stream(struct client *c)
{
	size_t total = 0;

	while (c->len < 7 || memcmp(c->in + c->len - 7, "\r\n0\r\n\r\n", 7) != 0) {
		if (c->len > 7) {
			total += c->len - 7;
			memmove(c->in, c->in + c->len - 7, 7);
			c->len = 7;
		}
		if (!client_read(c))
			fail_msg("the stream ended early, after %zu bytes", total + c->len);
	}
	return total + c->len;
}

static void test_stream(void **state)
{
	struct fixture *f = *state;

	for (int tls = 0; tls < 2; tls++) {
		struct client c;

		if (tls)
			client_tls(&c, f);
		else
			client_plain(&c, f->port[1]);
		client_send(&c, "GET /stream HTTP/1.1\r\n" H "\r\n");
		assert_true(drain_stream(&c) > BIG);
		client_clear(&c);
		client_send(&c, "GET /now HTTP/1.1\r\n" H "\r\n");
		client_until(&c, "hello");
		client_done(&c);
	}
	assert_int_equal(seen(f).gone, 0);
}

static void test_client_leaves(void **state)
{
	static const char *const paths[] = { "/never", "/stream" };
	struct fixture *f = *state;
	int gone = 0;

	for (size_t i = 0; i < 2; i++)
		for (int tls = 0; tls < 2; tls++) {
			struct client c;
			char request[128];

			if (tls)
				client_tls(&c, f);
			else
				client_plain(&c, f->port[1]);
			/* a second request waits behind the first: its bytes must not hide that the client has left */
			snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n" H "\r\nGET /now HTTP/1.1\r\n" H "\r\n", paths[i]);
			client_send(&c, request);
			WAIT_FOR(f, s, strcmp(s.target, paths[i]) == 0);
			client_done(&c);
			gone++;
			WAIT_FOR(f, s, s.gone == gone);
		}
	while (server_connections(f->server) > 0)
		usleep(1000);
}

static void test_slow_reader_is_cut(void **state)
{
	struct fixture *f = *state;
	struct client c;

	client_plain(&c, f->port[1]);
	client_send(&c, "GET /stream HTTP/1.1\r\n" H "\r\n");
	WAIT_FOR(f, s, s.begun == 1);
	usleep(1200000);                     /* longer than one check, so that the stall is known before the clock moves */
	assert_int_equal(seen(f).gone, 0);
	atomic_fetch_add(&ahead_us, (int64_t)31 * 1000000);
	WAIT_FOR(f, s, s.gone == 1);
	client_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plain_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_http_1_0, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pipelined, setup, teardown),
		cmocka_unit_test_setup_teardown(test_closes_behind_a_fault, setup, teardown),
		cmocka_unit_test_setup_teardown(test_library_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits_of_a_body, setup, teardown),
		cmocka_unit_test_setup_teardown(test_half_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stream, setup, teardown),
		cmocka_unit_test_setup_teardown(test_client_leaves, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_reader_is_cut, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
