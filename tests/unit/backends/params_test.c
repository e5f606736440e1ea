#include "backends/params.h"

#include "backends/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const struct route *route_of(const char *path)
{
	struct arena a;
	struct routed found;

	arena_init(&a, 4096);
	(void)route_find(&a, dialect_by_name(SLICE("prometheus")), SLICE("GET"), slice_cstr(path), &found);
	arena_done(&a);
	return found.route;
}

static void test_parse(void **state)
{
	static const struct {
		const char *name, *path, *query, *body;
		enum deny want;
		const char *value;             /* of query */
		size_t match_len, dropped;
	} t[] = {
		{ "plain", "/api/v1/query", "query=up", "", DENY_COUNT, "up", 0, 0 },
		{ "plus and escapes", "/api/v1/query", "query=a+%2B%20b", "", DENY_COUNT, "a + b", 0, 0 },
		{ "twice in one place", "/api/v1/query", "query=up&query=x", "", DENY_PARAM_DOUBLED, NULL, 0, 0 },
		{ "URL and body", "/api/v1/query", "query=up", "query=x", DENY_PARAM_DOUBLED, NULL, 0, 0 },
		{ "unlisted names", "/api/v1/query", "query=up&extra_label=a&Query=b&dedup=1", "", DENY_COUNT, "up", 0, 3 },
		{ "missing", "/api/v1/query", "time=1", "", DENY_PARAM_MISSING, NULL, 0, 0 },
		{ "semicolon", "/api/v1/query", "query=up;time=1", "", DENY_PARAM_BYTES, NULL, 0, 0 },
		{ "escaped semicolon", "/api/v1/query", "query=up%3Btime", "", DENY_COUNT, "up;time", 0, 0 },
		{ "cut escape", "/api/v1/query", "query=up%2", "", DENY_PARAM_BYTES, NULL, 0, 0 },
		{ "escape at the end", "/api/v1/query", "query=up%20", "", DENY_COUNT, "up ", 0, 0 },
		{ "no hex", "/api/v1/query", "query=%zz", "", DENY_PARAM_BYTES, NULL, 0, 0 },
		{ "overlong key", "/api/v1/query", "query=up&%c0%af=1", "", DENY_PARAM_BYTES, NULL, 0, 0 },
		{ "NUL in a key", "/api/v1/query", "query=up&a%00=1", "", DENY_PARAM_BYTES, NULL, 0, 0 },
		{ "NUL in a value", "/api/v1/query", "query=up&time=%00", "", DENY_PARAM_BYTES, NULL, 0, 0 },
		{ "bytes of a query are its parser's", "/api/v1/query", "query=%ff", "", DENY_COUNT, "\xff", 0, 0 },
		{ "spellings of match", "/api/v1/series", "match[]=a&match%5B%5D=b&match=c&match[0]=d", "", DENY_COUNT, NULL, 2, 2 },
		{ "match from both places", "/api/v1/series", "match[]=a", "match[]=b", DENY_COUNT, NULL, 2, 0 },
		{ "no match", "/api/v1/series", "", "", DENY_PARAM_MISSING, NULL, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct arena a;
		struct params p;
		char text[ERR_TEXT_MAX];

		arena_init(&a, 1 << 20);
		print_message("%s\n", t[i].name);
		assert_int_equal(params_parse(&a, route_of(t[i].path), slice_cstr(t[i].query), slice_cstr(t[i].body), &p, text), t[i].want);
		if (t[i].want == DENY_COUNT) {
			if (t[i].value != NULL)
				assert_true(slice_eq(p.value[PARAM_QUERY], slice_cstr(t[i].value)));
			assert_int_equal(p.match_len, t[i].match_len);
			assert_int_equal(p.dropped, t[i].dropped);
		}
		arena_done(&a);
	}
}

static void test_many(void **state)
{
	char form[16384] = "query=up";
	struct arena a;
	struct params p;
	char text[ERR_TEXT_MAX];

	(void)state;
	arena_init(&a, 1 << 20);
	for (int i = 0; i < 63; i++)
		strncat(form, "&x=1", sizeof(form) - strlen(form) - 1);
	assert_int_equal(params_parse(&a, route_of("/api/v1/query"), slice_cstr(form), SLICE(""), &p, text), DENY_COUNT);
	assert_int_equal(params_parse(&a, route_of("/api/v1/query"), slice_cstr(form), SLICE("y=1"), &p, text), DENY_PARAM_MANY);
	form[0] = '\0';
	for (int i = 0; i < 33; i++)
		strncat(form, "match[]=a&", sizeof(form) - strlen(form) - 1);
	assert_int_equal(params_parse(&a, route_of("/api/v1/series"), slice_cstr(form), SLICE(""), &p, text), DENY_PARAM_MANY);
	arena_done(&a);
}

static void test_times(void **state)
{
	static const struct {
		const char *in;
		bool ok;
		int64_t ms;
	} t[] = {
		{ "1700000000", true, 1700000000000 }, { "1700000000.5", true, 1700000000500 }, { "-1.25", true, -1250 },
		{ "1e3", true, 1000000 }, { "2023-11-14T22:13:20Z", true, 1700000000000 },
		{ "2023-11-14T22:13:20.123456789+01:00", true, 1699996400123 }, { "NaN", false, 0 }, { "Inf", false, 0 },
		{ "0x10", false, 0 }, { "", false, 0 }, { " 1", false, 0 }, { "1e99", false, 0 }, { "2023-02-30T00:00:00Z", false, 0 },
		{ "2023-11-14T22:13:20", false, 0 }, { "2023-11-14T22:13:20.Z", false, 0 }, { "2023-13-14T22:13:20Z", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		int64_t ms = 0;

		print_message("%s\n", t[i].in);
		assert_int_equal(param_time_ms(slice_cstr(t[i].in), &ms), t[i].ok);
		if (t[i].ok)
			assert_int_equal(ms, t[i].ms);
	}
}

static void test_durations(void **state)
{
	static const struct {
		const char *in;
		bool ok;
		int64_t ms;
	} t[] = {
		{ "15", true, 15000 }, { "0.5", true, 500 }, { "1h30m", true, 5400000 }, { "1ms", true, 1 }, { "0.000000001", true, 1 },
		{ "0", true, 0 },
		{ "1y2w3d4h5m6s7ms", true, 33019506007 },
		{ "1m1h", false, 0 }, { "1m1m", false, 0 }, { "5x", false, 0 }, { "m", false, 0 }, { "1h ", false, 0 },
		{ "99999999999999999999y", false, 0 }, { "inf", false, 0 },
	};
	int64_t ms = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		print_message("%s\n", t[i].in);
		assert_int_equal(param_duration_ms(slice_cstr(t[i].in), &ms), t[i].ok);
		if (t[i].ok)
			assert_int_equal(ms, t[i].ms);
	}
	assert_true(param_count(SLICE("0"), &ms) && ms == 0);
	assert_true(param_count(SLICE("12"), &ms) && ms == 12);
	assert_false(param_count(SLICE("-1"), &ms));
	assert_false(param_count(SLICE("1.5"), &ms));
	assert_false(param_count(SLICE("9999999999999999"), &ms));
}

static void test_print(void **state)
{
	struct arena a;
	struct strbuf b;

	(void)state;
	arena_init(&a, 4096);
	strbuf_init(&b, &a, 256);
	param_print_ms(&b, 1700000000500);
	strbuf_char(&b, ' ');
	param_print_ms(&b, -1);
	strbuf_char(&b, ' ');
	param_print_ms(&b, 15000);
	strbuf_char(&b, ' ');
	form_encode(&b, SLICE("up{a=\"b\"} +\n"));
	assert_true(slice_eq(strbuf_slice(&b), SLICE("1700000000.500 -0.001 15 up%7Ba%3D%22b%22%7D%20%2B%0A")));
	arena_done(&a);
}

static void test_no_memory(void **state)
{
	(void)state;
	for (long n = 1; n < 100; n++) {
		struct arena a;
		struct params p;
		char text[ERR_TEXT_MAX];
		enum deny got;

		arena_init(&a, 1 << 20);
		a.fail_in = n;
		got = params_parse(&a, route_of("/api/v1/query"), SLICE("query=up&time=1"), SLICE(""), &p, text);
		arena_done(&a);
		if (got == DENY_COUNT)
			return;
	}
	fail();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse), cmocka_unit_test(test_many), cmocka_unit_test(test_times),
		cmocka_unit_test(test_durations), cmocka_unit_test(test_print), cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
