/* Statements as core uses them: narrowed, printed behind the last wall, looked at for facts. */
#include "policy/stmt.h"

#include "policy/facts.h"
#include "policy/lang/params.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#define T ((int64_t)1700000000000)
#define MIN ((int64_t)60000)

static const struct matcher acme = { SLICE_INIT("tenant_id"), MATCH_EQ, SLICE_INIT("acme") };
static const struct matchers guard = { (struct matcher *)&acme, 1 };

static enum err_code parse(struct arena *a, const char *text, struct window w, struct stmt **ret, struct err *e)
{
	struct stmt_options o = { .window = w };

	return stmt_parse(a, stmt_kind_by_id(STMT_PROMQL), &o, slice_cstr(text), ret, e);
}

static const struct window now = { T, T, 0 };

static void test_narrow(void **state)
{
	static const struct {
		const char *in, *want;   /* want NULL: refused */
	} t[] = {
		{ "up", "up{tenant_id=\"acme\"}" },
		{ "up{tenant_id=\"acme\"}", "up{tenant_id=\"acme\"}" },
		{ "up{tenant_id=\"b\"}", "up{tenant_id=\"acme\",tenant_id=\"b\"}" },
		{ "topk(scalar(count(cpu)), mem)", "topk(scalar(count(cpu{tenant_id=\"acme\"})), mem{tenant_id=\"acme\"})" },
		{ "rate(a[5m]) / on (x) group_left (y) b", "rate(a{tenant_id=\"acme\"}[5m]) / on (x) group_left (y) b{tenant_id=\"acme\"}" },
		{ "max_over_time(a[1h:5m] offset 1d)", "max_over_time(a{tenant_id=\"acme\"}[1h:5m] offset 1d)" },
		{ "{\"cpu\"}", "{__name__=\"cpu\",tenant_id=\"acme\"}" },
		{ "1 + 1", "1 + 1" },
		{ "info(a)", NULL },
		{ "{tenant_id=\"\"}", NULL },
		{ "{a!=\"b\"}", NULL },
		{ "up{", NULL },
		{ "rate(up)", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct arena a;
		struct stmt *s;
		struct slice text;
		struct err e;

		print_message("%s\n", t[i].in);
		arena_init(&a, 1 << 22);
		if (t[i].want == NULL) {
			assert_int_not_equal(parse(&a, t[i].in, now, &s, &e), ERR_OK);
		} else {
			assert_int_equal(parse(&a, t[i].in, now, &s, &e), ERR_OK);
			assert_int_equal(stmt_narrow(s, &guard, &e), ERR_OK);
			assert_int_equal(stmt_print_checked(&a, s, &guard, &text, &e), ERR_OK);
			if (!slice_eq(text, slice_cstr(t[i].want)))
				fail_msg("printed %.*s", SLICE_ARG(text));
		}
		arena_done(&a);
	}
}

static enum err_code print_bare(const struct stmt *s, struct strbuf *out)
{
	(void)s;
	strbuf_lit(out, "up");
	return ERR_OK;
}

static enum err_code print_other_name(const struct stmt *s, struct strbuf *out)
{
	(void)s;
	strbuf_lit(out, "secret{tenant_id=\"acme\"}");
	return ERR_OK;
}

static enum err_code print_two(const struct stmt *s, struct strbuf *out)
{
	(void)s;
	strbuf_lit(out, "up{tenant_id=\"acme\"} or secret");
	return ERR_OK;
}

static enum err_code print_nonsense(const struct stmt *s, struct strbuf *out)
{
	(void)s;
	strbuf_lit(out, "up{tenant_id=\"acme\"");
	return ERR_OK;
}

/* M11: whatever bug the printer has, what it prints does not leave */
static void test_last_wall(void **state)
{
	enum err_code (*const broken[])(const struct stmt *s, struct strbuf *out) = { print_bare, print_other_name, print_two, print_nonsense };

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct stmt_kind kind = *stmt_kind_by_id(STMT_PROMQL);
		struct slice text = SLICE("untouched");
		struct arena a;
		struct stmt *s;
		struct err e;

		arena_init(&a, 1 << 20);
		assert_int_equal(parse(&a, "up", now, &s, &e), ERR_OK);
		assert_int_equal(stmt_narrow(s, &guard, &e), ERR_OK);
		kind.print = broken[i];
		s->kind = &kind;
		assert_int_equal(stmt_print_checked(&a, s, &guard, &text, &e), ERR_BUG);
		assert_true(slice_eq(text, SLICE("untouched")));
		arena_done(&a);
	}
}

/* a statement that was never narrowed does not pass either */
static void test_guard_is_asked_for(void **state)
{
	struct arena a;
	struct stmt *s;
	struct slice text;
	struct err e;

	(void)state;
	arena_init(&a, 1 << 20);
	assert_int_equal(parse(&a, "up or down{tenant_id=\"acme\"}", now, &s, &e), ERR_OK);
	assert_int_equal(stmt_print_checked(&a, s, &guard, &text, &e), ERR_BUG);
	arena_done(&a);
}

static void test_match(void **state)
{
	struct slice texts[] = { SLICE("up"), SLICE("{job=\"api\"}") }, *out;
	struct matcher x = { SLICE("ns"), MATCH_EQ, SLICE("x") }, y = { SLICE("ns"), MATCH_EQ, SLICE("y") };
	struct matchers clauses[] = { { &x, 1 }, { &y, 1 } };
	struct stmt_options o = { .window = now };
	struct arena a;
	struct stmt *s;
	struct err e;
	size_t n;

	(void)state;
	arena_init(&a, 1 << 20);
	assert_int_equal(match_new(&a, &o, texts, 2, &s, &e), ERR_OK);
	assert_int_equal(match_split(s, clauses, 2, &e), ERR_OK);
	assert_int_equal(stmt_narrow(s, &guard, &e), ERR_OK);
	assert_int_equal(match_print_checked(&a, s, &guard, &out, &n, &e), ERR_OK);
	assert_int_equal(n, 4);
	assert_true(slice_eq(out[0], SLICE("up{ns=\"x\",tenant_id=\"acme\"}")));
	assert_true(slice_eq(out[3], SLICE("{job=\"api\",ns=\"y\",tenant_id=\"acme\"}")));
	assert_int_equal(match_new(&a, &o, NULL, 0, &s, &e), ERR_OK);
	assert_int_equal(match_print_checked(&a, s, &guard, &out, &n, &e), ERR_BUG);
	assert_int_equal(stmt_narrow(s, &guard, &e), ERR_OK);
	assert_int_equal(match_print_checked(&a, s, &guard, &out, &n, &e), ERR_OK);
	assert_true(n == 1 && slice_eq(out[0], SLICE("{tenant_id=\"acme\"}")));
	arena_done(&a);
}

/* what a selector makes the backend read (languages note, section 5), in minutes around T */
static void test_reach(void **state)
{
	static const struct {
		const char *in;
		int64_t from, to;
	} t[] = {
		{ "cpu", -5, 0 },
		{ "rate(cpu[10m])", -10, 0 },
		{ "cpu offset 1h", -65, -60 },
		{ "cpu offset -1h", 55, 60 },
		{ "cpu @ 1700000000", -5, 0 },
		{ "rate(cpu[10m] @ 1700000000 offset 10m)", -20, -10 },
		{ "max_over_time(rate(cpu[5m])[1h:30s] offset -10m)", -55, 10 },
		{ "max_over_time(cpu[1h:])", -65, 0 },
		{ "cpu or rate(mem[1h])", -60, 0 },
		{ "cpu[1h + 30m]", -90, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct arena a;
		struct stmt *s;
		struct facts f;
		struct err e;

		print_message("%s\n", t[i].in);
		arena_init(&a, 1 << 20);
		assert_int_equal(parse(&a, t[i].in, now, &s, &e), ERR_OK);
		assert_int_equal(stmt_facts(&a, s, &f, &e), ERR_OK);
		assert_int_equal((f.from_ms - T) / MIN, t[i].from);
		assert_int_equal((f.to_ms - T) / MIN, t[i].to);
		arena_done(&a);
	}
}

/* the N-th allocation fails, for every N until none is left: a refusal each time, nothing broken */
static void test_no_memory(void **state)
{
	static const char query[] = "sum by (job) (rate(http_requests_total{job=~\"a|b\"}[5m] offset 1h))"
	                            " / on (job) group_left max_over_time(x[1h:5m])";

	(void)state;
	for (long n = 1; n < 2000; n++) {
		struct arena a;
		struct stmt *s;
		struct slice text;
		struct facts f;
		struct err e;
		enum err_code rc;

		arena_init(&a, 1 << 22);
		a.fail_in = n;
		rc = parse(&a, query, now, &s, &e);
		if (rc == ERR_OK)
			rc = stmt_facts(&a, s, &f, &e);
		if (rc == ERR_OK)
			rc = stmt_narrow(s, &guard, &e);
		if (rc == ERR_OK)
			rc = stmt_print_checked(&a, s, &guard, &text, &e);
		arena_done(&a);
		if (rc == ERR_OK && n > 1)
			return;
		assert_true(rc == ERR_NOMEM || rc == ERR_LIMIT);   /* a text that could not grow is one that is full */
	}
	fail();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_narrow), cmocka_unit_test(test_last_wall), cmocka_unit_test(test_guard_is_asked_for),
		cmocka_unit_test(test_match), cmocka_unit_test(test_reach), cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
