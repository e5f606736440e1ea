/* The calls of the health and the admin listener: who gets what, and what the scrape holds. */
#include "admin/admin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

static struct {
	unsigned status;
	char head[1024], body[65536];
	bool ended, close, no_body;
	int64_t content_length;
} seen;

static void down_head(struct exchange *x, const struct answer_head *h)
{
	size_t n = 0;

	(void)x;
	seen.status = h->status;
	seen.close = h->close;
	seen.no_body = h->no_body;
	seen.content_length = h->content_length;
	for (size_t i = 0; i < h->headers_len; i++)
		n += (size_t)snprintf(seen.head + n, sizeof(seen.head) - n, "%.*s: %.*s\n", SLICE_ARG(h->headers[i].name),
		                      SLICE_ARG(h->headers[i].value));
}

static bool down_body(struct exchange *x, struct slice bytes)
{
	(void)x;
	snprintf(seen.body, sizeof(seen.body), "%.*s", SLICE_ARG(bytes));
	return true;
}

static void down_end(struct exchange *x)
{
	(void)x;
	seen.ended = true;
}

static struct admin_state state_now;

static struct admin_state state_of(void *ctx)
{
	(void)ctx;
	return state_now;
}

/* the log is another folder's: what admin asks of it is answered here */
const uint64_t committer_bucket_us[16] = { 100, 1000 };

void committer_counters(const struct committer *c, struct committer_counters *ret)
{
	(void)c;
	*ret = (struct committer_counters){ .records = { 7, 5 }, .durable_index = 12, .sync_buckets = { 3 }, .sync_us_total = 200 };
}

static const struct slice monitors[] = { SLICE_INIT("spiffe://ops.example.org/prometheus") };
static const struct slice admins[] = { SLICE_INIT("spiffe://ops.example.org/admin/*") };

static const struct {
	const char *name, *method, *path, *uri;
	bool health, closed, draining;
	enum deny fault;
	int64_t not_after;
	unsigned status;
	const char *body, *head;       /* parts of them; head NULL = any */
} cases[] = {
	{ "healthy", "GET", "/healthy", NULL, true, .status = 200, .body = "healthy\n", .head = "content-type: text/plain" },
	{ "ready", "GET", "/ready", NULL, true, .status = 200, .body = "ready\n" },
	{ "HEAD", "HEAD", "/ready", NULL, true, .status = 200, .body = "" },
	{ "OPTIONS", "OPTIONS", "/ready", NULL, true, .status = 204, .body = "", .head = "allow: GET, HEAD, OPTIONS" },
	{ "POST", "POST", "/ready", NULL, true, .status = 405, .body = "R004", .head = "allow: GET, HEAD, OPTIONS" },
	{ "POST to nowhere", "POST", "/nowhere", NULL, true, .status = 404, .body = "R001" },
	{ "a path that only begins so", "GET", "/ready/", NULL, true, .status = 404, .body = "R001" },
	{ "draining", "GET", "/ready", NULL, true, .draining = true, .status = 503, .body = "draining" },
	{ "both", "GET", "/ready", NULL, true, .draining = true, .closed = true, .status = 503,
	  .body = "not ready: draining\nnot ready: the audit log" },
	{ "HEAD of no", "HEAD", "/ready", NULL, true, .draining = true, .status = 503, .body = "" },
	{ "log closed", "GET", "/ready", NULL, true, .closed = true, .status = 503, .body = "audit log" },
	{ "no metrics for all", "GET", "/metrics", NULL, true, .status = 404, .body = "R001" },
	{ "a bad head", "GET", "/ready", NULL, true, .fault = DENY_HEAD_SYNTAX, .status = 400, .body = "H001",
	  .head = "content-type: application/json" },
	{ "monitor", "GET", "/metrics", "spiffe://ops.example.org/prometheus", false, .status = 200,
	  .body = "weir_audit_records_total{type=\"decision\"} 7" },
	{ "admin", "GET", "/metrics", "spiffe://ops.example.org/admin/eve", false, .status = 200, .body = "weir_audit_durable_index 12" },
	{ "text for Prometheus", "GET", "/metrics", "spiffe://ops.example.org/prometheus", false, .status = 200,
	  .body = "# TYPE weir_requests_total counter\n", .head = "content-type: text/plain; version=0.0.4; charset=utf-8" },
	{ "syncs of the log", "GET", "/metrics", "spiffe://ops.example.org/prometheus", false, .status = 200,
	  .body = "weir_audit_commit_seconds_bucket{le=\"0.00025\"} 3\n" },
	{ "their sum", "GET", "/metrics", "spiffe://ops.example.org/prometheus", false, .status = 200,
	  .body = "weir_audit_commit_seconds_sum 0.000200\n" },
	{ "ready for an operator", "GET", "/ready", "spiffe://ops.example.org/nobody", false, .status = 200, .body = "ready\n" },
	{ "POST by nobody", "POST", "/metrics", "spiffe://ops.example.org/nobody", false, .status = 403, .body = "P013" },
	{ "somebody", "GET", "/metrics", "spiffe://ops.example.org/nobody", false, .status = 403, .body = "P013" },
	{ "nobody", "GET", "/metrics", NULL, false, .status = 403, .body = "I002" },
	{ "expired", "GET", "/metrics", "spiffe://ops.example.org/prometheus", false, .not_after = 1, .status = 401, .body = "I001" },
	{ "unknown", "GET", "/api/v1/query", "spiffe://ops.example.org/prometheus", false, .status = 404, .body = "R001" },
};

static void test_calls(void **state)
{
	struct snapshot *snap = snapshot_new(4096);
	struct metrics *m = metrics_new();
	struct admin *a;

	(void)state;
	snap->operators = (struct operators){ .monitor = monitors, .monitor_len = 1, .admin = admins, .admin_len = 1 };
	a = admin_new(&(struct admin_options){ .metrics = m, .down = { down_head, down_body, down_end, NULL }, .snap = snap,
	                                       .state = state_of });
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct identity id = { .uri = slice_cstr(cases[i].uri), .not_after = cases[i].not_after == 0 ? INT64_MAX : cases[i].not_after };
		struct inbound in = { .method = slice_cstr(cases[i].method), .path = slice_cstr(cases[i].path),
			                  .fault = cases[i].fault == 0 ? DENY_COUNT : cases[i].fault, .close = cases[i].fault != 0,
			                  .identity = cases[i].uri == NULL ? NULL : &id };

		print_message("%s\n", cases[i].name);
		memset(&seen, 0, sizeof(seen));
		state_now = (struct admin_state){ .audit_open = !cases[i].closed, .draining = cases[i].draining };
		assert_null((cases[i].health ? admin_begin_health : admin_begin)(a, &in, NULL));
		assert_int_equal(seen.status, cases[i].status);
		assert_true(seen.ended);
		assert_int_equal(seen.close, in.close);
		assert_int_equal(seen.no_body, cases[i].status == 204 || strcmp(cases[i].method, "HEAD") == 0);
		if (strcmp(cases[i].method, "HEAD") == 0)
			assert_true(seen.content_length > 0);    /* as GET would say */
		if (cases[i].head != NULL)
			assert_non_null(strstr(seen.head, cases[i].head));
		if (cases[i].body[0] == '\0')
			assert_string_equal(seen.body, "");
		else
			assert_non_null(strstr(seen.body, cases[i].body));
	}
	admin_free(a);
	metrics_free(m);
	snapshot_unref(snap);
}

/* who may scrape changes with the snapshot */
static void test_swap(void **state)
{
	struct snapshot *before = snapshot_new(4096), *after = snapshot_new(4096);
	struct identity id = { .uri = SLICE("spiffe://ops.example.org/prometheus"), .not_after = INT64_MAX };
	struct inbound in = { .method = SLICE("GET"), .path = SLICE("/metrics"), .fault = DENY_COUNT, .identity = &id };
	struct metrics *m = metrics_new();
	struct admin *a;

	(void)state;
	before->operators = (struct operators){ .monitor = monitors, .monitor_len = 1 };
	a = admin_new(&(struct admin_options){ .metrics = m, .down = { down_head, down_body, down_end, NULL }, .snap = before,
	                                       .state = state_of });
	admin_begin(a, &in, NULL);
	assert_int_equal(seen.status, 200);
	admin_swap(a, after);
	admin_begin(a, &in, NULL);
	assert_int_equal(seen.status, 403);
	admin_free(a);
	metrics_free(m);
	snapshot_unref(before);
	snapshot_unref(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_calls), cmocka_unit_test(test_swap) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
