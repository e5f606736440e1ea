#include "backends/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void test_find(void **state)
{
	static const struct {
		const char *method, *path;
		enum deny want;
		const char *call, *part;
	} t[] = {
		{ "GET", "/api/v1/query", DENY_COUNT, "prom.query", "" },
		{ "HEAD", "/api/v1/query", DENY_COUNT, "prom.query", "" },
		{ "POST", "/api/v1/query_range", DENY_COUNT, "prom.query_range", "" },
		{ "POST", "/api/v1/query_exemplars", DENY_COUNT, "prom.query_exemplars", "" },
		{ "GET", "/api/v1/format_query", DENY_COUNT, "prom.format_query", "" },
		{ "GET", "/api/v1/series", DENY_COUNT, "prom.series", "" },
		{ "GET", "/api/v1/labels", DENY_COUNT, "prom.labels", "" },
		{ "GET", "/api/v1/label/job/values", DENY_COUNT, "prom.label_values", "job" },
		{ "GET", "/api/v1/label/a%20b/values", DENY_COUNT, "prom.label_values", "a b" },
		{ "GET", "/api/v1/status/buildinfo", DENY_COUNT, "prom.buildinfo", "" },
		{ "GET", "/-/healthy", DENY_COUNT, "prom.healthy", "" },
		{ "GET", "/-/ready", DENY_COUNT, "prom.ready", "" },
		{ "GET", "/version", DENY_COUNT, "prom.version", "" },
		{ "OPTIONS", "/api/v1/query", DENY_COUNT, "prom.query", "" },
		{ "POST", "/api/v1/label/job/values", DENY_ROUTE_METHOD, NULL, NULL },
		{ "DELETE", "/api/v1/series", DENY_ROUTE_METHOD, NULL, NULL },
		{ "PUT", "/api/v1/query", DENY_ROUTE_METHOD, NULL, NULL },
		{ "GET", "/api/v1/%71uery", DENY_ROUTE_UNKNOWN, NULL, NULL },
		{ "GET", "/api/v1/query/", DENY_ROUTE_UNKNOWN, NULL, NULL },
		{ "GET", "/API/v1/query", DENY_ROUTE_UNKNOWN, NULL, NULL },
		{ "GET", "/api/v1/query_rangex", DENY_ROUTE_UNKNOWN, NULL, NULL },
		{ "GET", "/api/v1/quer", DENY_ROUTE_UNKNOWN, NULL, NULL },
		{ "GET", "/api/v1/label//values", DENY_ROUTE_UNKNOWN, NULL, NULL },
		{ "GET", "/api/v1/label/a/b/values", DENY_ROUTE_UNKNOWN, NULL, NULL },
		{ "GET", "/api/v1/label/a%2fb/values", DENY_PATH_PART, NULL, NULL },
		{ "GET", "/api/v1/label/%2e%2e/values", DENY_PATH_PART, NULL, NULL },
		{ "GET", "/api/v1/label/a%2541/values", DENY_PATH_PART, NULL, NULL },
		{ "GET", "/api/v1/label/%00/values", DENY_PATH_PART, NULL, NULL },
		{ "GET", "/api/v1/label/%ff/values", DENY_PATH_PART, NULL, NULL },
		{ "GET", "/api/v1/rules", DENY_ROUTE_UNKNOWN, NULL, NULL },
		{ "GET", "/api/v1/status/config", DENY_ROUTE_CLOSED, NULL, NULL },
		{ "POST", "/api/v1/admin/tsdb/snapshot", DENY_ROUTE_CLOSED, NULL, NULL },
		{ "GET", "/metrics", DENY_ROUTE_CLOSED, NULL, NULL },
		{ "GET", "/debug/pprof/heap", DENY_ROUTE_CLOSED, NULL, NULL },
		{ "GET", "/graph", DENY_ROUTE_CLOSED, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct arena a;
		struct routed r;

		arena_init(&a, 8192);
		print_message("%s %s\n", t[i].method, t[i].path);
		assert_int_equal(route_find(&a, dialect_by_name(SLICE("prometheus")), slice_cstr(t[i].method), slice_cstr(t[i].path), &r),
		                 t[i].want);
		if (t[i].call != NULL) {
			assert_string_equal(r.route->call, t[i].call);
			assert_true(slice_eq(r.part, slice_cstr(t[i].part)));
		}
		arena_done(&a);
	}
}

/* a row that is never served has no call name; one that is has a name of its own and is reached by its own path */
static void test_rows(void **state)
{
	const struct dialect *d = dialect_at(0);

	(void)state;
	for (size_t i = 0; i < d->routes_len; i++) {
		const struct route *r = &d->routes[i];

		assert_int_equal(r->how == HOW_DENY, r->call[0] == '\0');
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(r->path, d->routes[k].path);
	}
	assert_null(dialect_at(DIALECTS_LEN));
	assert_null(dialect_by_name(SLICE("prom")));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_find), cmocka_unit_test(test_rows) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
