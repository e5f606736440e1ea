/* The whole pipeline, with fake ports: what leaves, when it leaves, and what the log says of it. */
#include "fake_ports.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#define UP "/api/v1/query?query=up&time=1700000000"

static int setup(void **state)
{
	static struct fake_world w;

	fake_open(&w);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	fake_close(*state);
	return 0;
}

#define FORM SLICE("application/x-www-form-urlencoded")

/* refused before anything is sent: status, tag, one record that says so, no question to the backend */
static const struct {
	const char *name;
	struct fake_ask ask;
	unsigned status;
	const char *tag;
} refusals[] = {
	{ "H001", { "GET", UP, "", .fault = DENY_HEAD_SYNTAX }, 400, "H001" },
	{ "H016", { "POST", UP, "", .fault = DENY_BODY_TOO_LARGE }, 413, "H016" },
	{ "I001", { "GET", UP, "", .not_after = 1 }, 401, "I001" },
	{ "I002", { "GET", UP, "", .identity_fault = IDENTITY_TWO_NAMES }, 403, "I002" },
	{ "I003", { "GET", UP, "", .identity_fault = IDENTITY_FOREIGN_DOMAIN }, 403, "I003" },
	{ "T001", { "GET", UP, "", .uri = "spiffe://example.org/nobody" }, 403, "T001" },
	{ "T002", { "GET", UP, "", .headers = { { SLICE("x-tenant-id"), SLICE("globex") } } }, 403, "T002" },
	{ "T002, no such tenant", { "GET", UP, "", .headers = { { SLICE("x-tenant-id"), SLICE("b") } } }, 403, "T002" },
	{ "T003", { "GET", UP, "", .uri = "spiffe://example.org/grafana" }, 403, "T003" },
	{ "P013", { "GET", UP, "", .uri = "spiffe://example.org/acme/svc/push" }, 403, "P013" },
	{ "P014", { "GET", UP, "", .uri = "spiffe://example.org/acme/logs/x" }, 403, "P014" },
	{ "P010", { "GET", UP, "", .uri = "spiffe://example.org/acme/dev/ann" }, 403, "P010" },
	{ "P012", { "GET", "/api/v1/query?query=up%7Btenant_id%3D%22acme%22%7D", "", .uri = "spiffe://example.org/grafana",
	            .headers = { { SLICE("x-tenant-id"), SLICE("globex") } } }, 403, "P012" },
	{ "P011", { "GET", UP, "", .uri = "spiffe://example.org/acme/none/x" }, 403, "P011" },
	{ "R003", { "GET", UP, "", .uri = "spiffe://example.org/empty/x" }, 404, "R003" },
	{ "R001", { "GET", "/api/v1/nothing", "" }, 404, "R001" },
	{ "R002", { "GET", "/metrics", "" }, 404, "R002" },
	{ "R004", { "DELETE", "/api/v1/query", "" }, 405, "R004" },
	{ "R005", { "POST", "/api/v1/query", "query=up", .headers = { { SLICE("content-type"), SLICE("text/plain") } } }, 415, "R005" },
	{ "R005, no type", { "POST", "/api/v1/query", "query=up" }, 415, "R005" },
	{ "R006", { "POST", "/api/v1/query", "query=up", .headers = { { SLICE("content-type"), FORM },
	            { SLICE("content-encoding"), SLICE("gzip") } } }, 415, "R006" },
	{ "R007", { "POST", UP, "query=up", .headers = { { SLICE("content-type"), FORM } } }, 400, "R007" },
	{ "R008", { "GET", "/api/v1/query?query=%z", "" }, 400, "R008" },
	{ "R009", { "GET", "/api/v1/query", "" }, 400, "R009" },
	{ "R009, series", { "GET", "/api/v1/series", "" }, 400, "R009" },
	{ "R010", { "GET", "/api/v1/query?query=up&time=NaN", "" }, 400, "R010" },
	{ "R010, step", { "GET", "/api/v1/query_range?query=up&start=1&end=2&step=0", "" }, 400, "R010" },
	{ "R010, order", { "GET", "/api/v1/query_range?query=up&start=2&end=1&step=1", "" }, 400, "R010" },
	{ "R012", { "GET", "/api/v1/label/a%2fb/values", "" }, 400, "R012" },
	{ "Q001", { "GET", "/api/v1/query?query=up%7B", "" }, 400, "Q001" },
	{ "Q002", { "GET", "/api/v1/query?query=rate(up)", "" }, 400, "Q002" },
	{ "M6", { "GET", "/api/v1/query?query=%7Ba%3D%22%22%7D", "" }, 400, "Q002" },
	{ "S007", { "GET", "/api/v1/query?query=rate(up%5B32d%5D)", "" }, 422, "S007" },
	{ "S007, subquery", { "GET", "/api/v1/query?query=max_over_time(up%5B40d:1h%5D)", "" }, 422, "S007" },
	{ "S007, list", { "GET", "/api/v1/labels?start=1&end=1700000000", "" }, 422, "S007" },
	{ "S009", { "GET", "/api/v1/query_range?query=up&start=1&end=2&step=0.5", "" }, 422, "S009" },
	{ "S010", { "GET", "/api/v1/query_range?query=up&start=0&end=20000&step=1", "" }, 422, "S010" },
	{ "U006", { "GET", "/api/v1/status/buildinfo", "" }, 503, "U006" },
};

static void test_refusals(void **state)
{
	struct fake_world *w = *state;

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		char want[32];

		print_message("%s\n", refusals[i].name);
		assert_null(fake_begin(w, &refusals[i].ask));
		assert_int_equal(w->status, refusals[i].status);
		snprintf(want, sizeof(want), "x-weir-refusal: %s\n", refusals[i].tag);
		assert_non_null(strstr(w->head, want));
		assert_non_null(strstr(w->body, refusals[i].tag));
		assert_non_null(strstr(w->body, "\"status\":\"error\""));
		assert_int_equal(w->started, 0);
		assert_int_equal(w->records, 1);
		snprintf(want, sizeof(want), "\"why\":\"%s\"", refusals[i].tag);
		assert_non_null(strstr(fake_public(w, 0), want));
		assert_non_null(strstr(fake_public(w, 0), "\"end\":\"refused\""));
		assert_true(w->ended);
		assert_false(w->aborted);
	}
	assert_int_equal(core_in_flight(w->core), 0);
}

/* answered: what the backend is sent */
static void test_sent(void **state)
{
	const struct {
		const char *name;
		struct fake_ask ask;
		const char *first_line, *dec;
	} t[] = {
		{ "query", { "GET", UP, "" },
		  "GET /api/v1/query?query=up%7Btenant_id%3D%22acme%22%7D&time=1700000000&timeout=60 HTTP/1.1\r\n", "allow" },
		{ "HEAD runs as GET", { "HEAD", UP, "" },
		  "GET /api/v1/query?query=up%7Btenant_id%3D%22acme%22%7D&time=1700000000&timeout=60 HTTP/1.1\r\n", "allow" },
		{ "form", { "POST", "/api/v1/query", "query=1&extra=2", .headers = { { SLICE("content-type"), FORM } } },
		  "GET /api/v1/query?query=1&time=1700000000&timeout=60 HTTP/1.1\r\n", "allow" },
		{ "timeout is clamped", { "GET", UP "&timeout=5m", "" },
		  "GET /api/v1/query?query=up%7Btenant_id%3D%22acme%22%7D&time=1700000000&timeout=60 HTTP/1.1\r\n", "rewrite" },
		{ "range", { "GET", "/api/v1/query_range?query=up&start=1700000000&end=1700000060&step=15s", "" },
		  "GET /api/v1/query_range?query=up%7Btenant_id%3D%22acme%22%7D&start=1700000000&end=1700000060&step=15&timeout=60 HTTP/1.1\r\n",
		  "allow" },
		{ "labels get a guard", { "GET", "/api/v1/labels?start=1699999000", "" },
		  "GET /api/v1/labels?match%5B%5D=%7Btenant_id%3D%22acme%22%7D&start=1699999000&end=1700000000&limit=10000 HTTP/1.1\r\n", "allow" },
		{ "values", { "GET", "/api/v1/label/a.b/values?match[]=up&start=1699999000&limit=5", "" },
		  "GET /api/v1/label/a.b/values?match%5B%5D=up%7Btenant_id%3D%22acme%22%7D&start=1699999000&end=1700000000&limit=5 HTTP/1.1\r\n",
		  "allow" },
		{ "granted", { "GET", "/api/v1/query?query=up%7Bnamespace%3D%22dev-a%22%7D&time=1700000000", "",
		               .uri = "spiffe://example.org/acme/dev/ann" },
		  "GET /api/v1/query?query=up%7Bnamespace%3D%22dev-a%22%2Cnamespace%3D~%22dev-.%2A%22%2Ctenant_id%3D%22acme%22%7D"
		  "&time=1700000000&timeout=60 HTTP/1.1\r\n", "rewrite" },
		{ "the label of another", { "GET", "/api/v1/query?query=up%7Btenant_id%3D%22globex%22%7D&time=1700000000", "" },
		  "GET /api/v1/query?query=up%7Btenant_id%3D%22acme%22%2Ctenant_id%3D%22globex%22%7D&time=1700000000&timeout=60 HTTP/1.1\r\n",
		  "allow" },
	};
	struct fake_world *w = *state;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char want[32];

		print_message("%s\n", t[i].name);
		assert_non_null(fake_begin(w, &t[i].ask));
		if (strncmp(w->wire, t[i].first_line, strlen(t[i].first_line)) != 0)
			fail_msg("sent: %s", w->wire);
		assert_null(strstr(w->wire, "extra"));
		fake_answer_head(w, 200, "application/json");
		fake_answer_body(w, "{}");
		fake_answer_done(w);
		assert_int_equal(w->status, 200);
		assert_string_equal(w->body, strcmp(t[i].ask.method, "HEAD") == 0 ? "" : "{}");
		assert_null(strstr(w->head, "set-cookie"));
		assert_true(w->ended);
		assert_int_equal(w->records, 2);
		snprintf(want, sizeof(want), "\"dec\":\"%s\"", t[i].dec);
		assert_non_null(strstr(fake_public(w, 0), want));
		assert_non_null(strstr(fake_public(w, 1), "\"end\":\"ok\""));
	}
}

/* invariant 1: no byte before the record is durable, whoever is slower */
static void test_first_byte_waits(void **state)
{
	struct fake_world *w = *state;
	struct fake_ask ask = { "GET", UP, "" };

	w->ticket = TICKET_PENDING;
	assert_non_null(fake_begin(w, &ask));
	assert_int_equal(w->started, 1);     /* the disk works while the backend works */
	fake_answer_head(w, 200, "application/json");
	fake_answer_body(w, "{\"a\":");
	fake_answer_body(w, "1}");
	assert_int_equal(w->status, 0);
	assert_int_equal(w->body_calls, 0);
	assert_int_equal(w->paused, 1);
	fake_durable(w);
	assert_int_equal(w->status, 200);
	assert_int_equal(w->resumed, 1);
	fake_answer_done(w);
	assert_string_equal(w->body, "{\"a\":1}");
	assert_true(w->ended);
}

static void test_whole_answer_waits(void **state)
{
	struct fake_world *w = *state;
	struct fake_ask ask = { "GET", UP, "" };

	w->ticket = TICKET_PENDING;
	assert_non_null(fake_begin(w, &ask));
	fake_answer_head(w, 200, "application/json");
	fake_answer_body(w, "{}");
	fake_answer_done(w);
	assert_int_equal(w->status, 0);
	fake_durable(w);
	assert_string_equal(w->body, "{}");
	assert_true(w->ended);
	assert_int_equal(core_in_flight(w->core), 0);
}

static void test_refusal_waits_too(void **state)
{
	struct fake_world *w = *state;
	struct fake_ask ask = { "GET", "/nothing", "" };

	w->ticket = TICKET_PENDING;
	assert_non_null(fake_begin(w, &ask));
	assert_int_equal(w->status, 0);
	fake_durable(w);
	assert_int_equal(w->status, 404);
	assert_true(w->ended);
}

static void test_log_closed(void **state)
{
	struct fake_world *w = *state;
	struct fake_ask ask = { "GET", UP, "" };

	w->refuse_records = true;
	assert_null(fake_begin(w, &ask));
	assert_int_equal(w->status, 503);
	assert_non_null(strstr(w->body, "A001"));
	assert_non_null(strstr(w->head, "retry-after: "));
	assert_int_equal(w->started, 0);
}

static void test_record_lost(void **state)
{
	struct fake_world *w = *state;
	struct fake_ask ask = { "GET", UP, "" };

	w->ticket = TICKET_PENDING;
	assert_non_null(fake_begin(w, &ask));
	fake_answer_head(w, 200, "application/json");
	w->ticket = TICKET_LOST;
	core_audit_moved(w->core);
	assert_int_equal(w->status, 503);
	assert_non_null(strstr(w->body, "A001"));
	assert_int_equal(w->cancelled, 1);
	assert_int_equal(core_in_flight(w->core), 0);
}

static void test_record_late(void **state)
{
	struct fake_world *w = *state;
	struct fake_ask ask = { "GET", "/nothing", "" };

	w->ticket = TICKET_PENDING;
	assert_non_null(fake_begin(w, &ask));
	w->clock.fake_mono_us += 1900000;
	core_tick(w->core);
	assert_int_equal(w->status, 0);
	w->clock.fake_mono_us += 200000;
	core_tick(w->core);
	assert_int_equal(w->status, 503);
	assert_non_null(strstr(w->body, "A002"));
}

static void test_backend_faults(void **state)
{
	static const struct {
		enum upstream_fault why;
		unsigned status;
		const char *tag;
	} t[] = {
		{ UPSTREAM_CONNECT, 502, "U001" },
		{ UPSTREAM_NONSENSE, 502, "U002" },
		{ UPSTREAM_TIMEOUT, 504, "U004" },
		{ UPSTREAM_BUSY, 503, "U005" },
	};
	struct fake_world *w = *state;
	struct fake_ask ask = { "GET", UP, "" };

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_non_null(fake_begin(w, &ask));
		fake_answer_fails(w, t[i].why);
		assert_int_equal(w->status, t[i].status);
		assert_non_null(strstr(w->body, t[i].tag));
		assert_int_equal(w->records, 2);
	}
	/* a redirect, and what else is not passed on: our own text */
	assert_non_null(fake_begin(w, &ask));
	fake_answer_head(w, 302, "text/html");
	assert_int_equal(w->status, 502);
	assert_non_null(strstr(w->body, "U003"));
	assert_int_equal(w->cancelled, 1);
	/* what the caller can act on passes with its body */
	assert_non_null(fake_begin(w, &ask));
	fake_answer_head(w, 422, "application/json");
	fake_answer_body(w, "{\"x\":1}");
	fake_answer_done(w);
	assert_int_equal(w->status, 422);
	assert_string_equal(w->body, "{\"x\":1}");
}

static void test_half_an_answer(void **state)
{
	struct fake_world *w = *state;
	struct fake_ask ask = { "GET", UP, "" };

	assert_non_null(fake_begin(w, &ask));
	fake_answer_head(w, 200, "application/json");
	fake_answer_body(w, "{\"half");
	fake_answer_fails(w, UPSTREAM_NONSENSE);
	assert_true(w->aborted);
	assert_false(w->ended);
	assert_non_null(strstr(fake_public(w, 1), "\"end\":\"reset\""));
}

static void test_client_leaves(void **state)
{
	struct fake_world *w = *state;
	struct fake_ask ask = { "GET", UP, "" };
	struct request *r = fake_begin(w, &ask);

	core_client_gone(r);
	assert_int_equal(w->cancelled, 1);
	assert_int_equal(w->status, 0);
	assert_int_equal(w->records, 2);
	assert_non_null(strstr(fake_public(w, 1), "\"end\":\"reset\""));
	assert_int_equal(core_in_flight(w->core), 0);
}

static void test_slow_reader(void **state)
{
	struct fake_world *w = *state;
	struct fake_ask ask = { "GET", UP, "" };
	struct request *r = fake_begin(w, &ask);

	w->full = true;
	fake_answer_head(w, 200, "application/json");
	fake_answer_body(w, "{");
	assert_int_equal(w->paused, 1);
	core_client_ready(r);
	assert_int_equal(w->resumed, 1);
	w->full = false;
	fake_answer_body(w, "}");
	fake_answer_done(w);
	assert_string_equal(w->body, "{}");
}

static void test_throttled(void **state)
{
	struct fake_world *w = *state;
	struct fake_ask ask = { "GET", UP, "" };

	w->given = (struct gcra_given){ .granted = 0, .left = 0, .retry_us = 2500000, .reset_us = 9000000 };
	assert_null(fake_begin(w, &ask));
	assert_int_equal(w->status, 429);
	assert_non_null(strstr(w->body, "L001"));
	assert_non_null(strstr(w->body, "too_many_requests"));
	assert_non_null(strstr(w->head, "ratelimit-policy: \"requests\";q=20;w=2\n"));
	assert_non_null(strstr(w->head, "ratelimit: \"requests\";r=0;t=3\n"));
	assert_non_null(strstr(w->head, "retry-after: "));
	assert_int_equal(w->started, 0);
}

static void test_refusals_cost(void **state)
{
	struct fake_world *w = *state;
	struct fake_ask unknown = { "GET", "/nothing", "" }, fine = { "GET", UP, "" };

	assert_null(fake_begin(w, &unknown));
	assert_int_equal(w->taken, 1);
	core_client_gone(fake_begin(w, &fine));
	assert_int_equal(w->taken, 1);
}

static void test_own_answers(void **state)
{
	struct fake_world *w = *state;
	struct fake_ask options = { "OPTIONS", "/api/v1/query", "" }, values = { "GET", "/api/v1/label/tenant_id/values", "" };
	struct fake_ask escaped = { "GET", "/api/v1/label/U__tenant__id/values", "" }, health = { "GET", "/-/healthy", "" };
	struct fake_ask format = { "GET", "/api/v1/format_query?query=sum(up)by(a)", "" }, info = { "GET", "/api/v1/status/buildinfo", "" };

	assert_null(fake_begin(w, &options));
	assert_int_equal(w->status, 204);
	assert_non_null(strstr(w->head, "allow: GET, HEAD, POST, OPTIONS\n"));
	assert_int_equal(w->records, 0);     /* not recorded singly */
	assert_null(fake_begin(w, &values));
	assert_string_equal(w->body, "{\"status\":\"success\",\"data\":[\"acme\"]}");
	assert_null(fake_begin(w, &escaped));
	assert_string_equal(w->body, "{\"status\":\"success\",\"data\":[\"acme\"]}");
	assert_int_equal(w->started, 0);
	assert_null(fake_begin(w, &health));
	assert_int_equal(w->status, 200);
	assert_null(fake_begin(w, &format));
	assert_non_null(strstr(w->body, "sum by (a) (up)"));
	assert_null(strstr(w->body, "tenant_id"));
	core_tick(w->core);                  /* asks the backend for its build */
	assert_non_null(strstr(w->wire, "GET /api/v1/status/buildinfo HTTP/1.1\r\n"));
	fake_answer_head(w, 200, "application/json");
	fake_answer_body(w, "{\"status\":\"success\",\"data\":{\"version\":\"3.16.0\"}}");
	fake_answer_done(w);
	assert_null(fake_begin(w, &info));
	assert_int_equal(w->status, 200);
	assert_non_null(strstr(w->body, "3.16.0"));
}

/* the outgoing head is built from nothing: of the client only the trace context goes on */
static void test_headers(void **state)
{
	struct fake_world *w = *state;
	struct fake_ask ask = { "GET", UP, "", .headers = { { SLICE("x-scope-orgid"), SLICE("globex") },
		{ SLICE("authorization"), SLICE("Bearer hush") }, { SLICE("accept-encoding"), SLICE("br, gzip") },
		{ SLICE("traceparent"), SLICE("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01") } } };
	struct request *r = fake_begin(w, &ask);
	const char *head = strstr(w->wire, "\r\n") + 2;
	char span[17];

	assert_non_null(strstr(head, "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-"));
	memcpy(span, strstr(head, "4736-") + 5, 16);
	span[16] = '\0';
	assert_string_not_equal(span, "00f067aa0ba902b7");
	assert_null(strstr(w->wire, "globex"));
	assert_null(strstr(w->wire, "hush"));
	assert_non_null(strstr(head, "Host: 127.0.0.1:9090\r\n"));
	assert_non_null(strstr(head, "Accept-Encoding: gzip\r\n"));
	assert_null(strstr(w->leaves[0], "hush"));
	core_client_gone(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(test_refusals), T(test_sent), T(test_first_byte_waits), T(test_whole_answer_waits), T(test_refusal_waits_too),
		T(test_log_closed), T(test_record_lost), T(test_record_late), T(test_backend_faults), T(test_half_an_answer),
		T(test_client_leaves), T(test_slow_reader), T(test_throttled), T(test_refusals_cost), T(test_own_answers),
		T(test_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
