#include "grants_text.h"


static struct grant_value value(struct arena *a, const char *text)
{
	struct grant_value v;

	assert_int_equal(grant_value_parse(a, slice_cstr(text), &v, NULL), ERR_OK);
	return v;
}

static void values_meet_as_written(void **state)
{
	static const struct {
		const char *pattern, *value;
		bool want;
	} rows[] = {
		{ "a", "a", true },        { "a", "ab", false },       { "a", "A", false },       { "dev-*", "dev-a", true },
		{ "dev-*", "dev-", true }, { "dev-*", "dev", false },  { "dev-*", "xdev-a", false }, { "*", "x", true },
		{ "*", "", false },        { "**", "", false },        { "**", "x", true },       { "*a*", "bab", true },
		{ "*a*", "bbb", false },   { "a*b*c", "a--b--b--c", true }, { "a*b*c", "a--c--b", false },
		{ "\\*", "*", true },      { "\\*", "x", false },      { "a\\**", "a*zz", true }, { "a\\**", "azz", false },
		{ "*\\*", "zz*", true },   { "*\\*", "zz", false },    { "\\", "\\", true },      { "a\\b", "a\\b", true },
		{ "*.b", "a.b", true },    { "*.b", "axb", false },    { "*aab", "aaaab", true }, { "x*", "x\ny", true },
	};
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct grant_value v = value(&a, rows[i].pattern);

		if (grant_value_meets(&v, slice_cstr(rows[i].value)) != rows[i].want)
			fail_msg("%s against \"%s\"", rows[i].pattern, rows[i].value);
	}
	arena_done(&a);
}

/* a star at every second place and a text that meets all but the last sign: the work stays a product, not a power */
static void long_globs_end(void **state)
{
	struct arena a;
	char glob[2001], text[20000];
	struct grant_value v;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < 2000; i++)
		glob[i] = i % 2 == 0 ? '*' : 'a';
	glob[2000] = 'b';
	memset(text, 'a', sizeof(text));
	assert_int_equal(grant_value_parse(&a, slice_from(glob, sizeof(glob)), &v, NULL), ERR_OK);
	assert_false(grant_value_meets(&v, slice_from(text, sizeof(text))));
	arena_done(&a);
}

static void bad_values(void **state)
{
	struct arena a;
	struct grant_value v;
	struct err e;

	(void)state;
	arena_init(&a, 1 << 20);
	assert_int_equal(grant_value_parse(&a, SLICE(""), &v, &e), ERR_INVALID);
	assert_non_null(strstr(e.text, "must not be empty"));
	assert_int_equal(grant_value_parse(&a, SLICE("a\xff"), &v, &e), ERR_INVALID);
	arena_done(&a);
}

/* what each term prints as: nothing of a value is a sign of the regular expression */
static void terms_print_quoted(void **state)
{
	static const struct {
		const char *term, *want;
	} rows[] = {
		{ "ns=a", "ns=\"a\"" },
		{ "ns=a.b", "ns=\"a.b\"" },
		{ "ns=\\*", "ns=\"*\"" },
		{ "ns=a|b", "ns=~\"a|b\"" },
		{ "ns=*", "ns=~\".+\"" },
		{ "ns=***", "ns=~\".+\"" },
		{ "ns=dev-*", "ns=~\"dev-.*\"" },
		{ "ns=dev-*|shared", "ns=~\"dev-.*|shared\"" },
		{ "ns=a**b", "ns=~\"a.*b\"" },
		{ "ns=a.*", "ns=~\"a\\..*\"" },
		{ "ns=*\\*", "ns=~\".*\\*\"" },
		{ "ns=a|.*+?()[]{}^$\\", "ns=~\"a|\\..*\\+\\?\\(\\)\\[\\]\\{\\}\\^\\$\\\\\"" },
		{ "ns=x|a\\d", "ns=~\"x|a\\\\d\"" },
		{ "ns=x|caf\xc3\xa9\n\"'`", "ns=~\"x|caf\xc3\xa9\n\"'`\"" },
	};
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct grant_term t = text_term(&a, slice_cstr(rows[i].term));
		struct matchers m = { ARENA_NEW(&a, struct matcher), 1 };

		assert_int_equal(grant_term_matcher(&a, &t, m.v, NULL), ERR_OK);
		assert_text(rows[i].term, text_of_matchers(&a, &m), rows[i].want);
	}
	arena_done(&a);
}

static void long_terms_are_refused(void **state)
{
	struct arena a;
	struct err e;
	struct matcher m;
	char *text;

	(void)state;
	arena_init(&a, 1 << 20);
	text = arena_alloc(&a, GRANT_TEXT_MAX);
	memset(text, '.', GRANT_TEXT_MAX);

	struct grant_value v[2] = { { .text = slice_from(text, GRANT_TEXT_MAX - 3) }, { .text = SLICE_INIT("x") } };
	struct grant_term t = { SLICE_INIT("ns"), v, 2 };

	assert_int_equal(grant_term_matcher(&a, &t, &m, &e), ERR_OK);
	assert_true(m.value.len <= 8192);         /* REGEXP_BYTES_MAX of the language */
	v[0].text.len++;
	assert_int_equal(grant_term_matcher(&a, &t, &m, &e), ERR_LIMIT);
	assert_string_equal(e.rule, "grant_text");
	arena_done(&a);
}

static void covering(void **state)
{
	static const struct {
		const char *x, *y;
		bool want;
	} rows[] = {
		{ "ns=a", "ns=a", true },
		{ "ns=a", "ns=a,team=x", true },
		{ "ns=a,team=x", "ns=a", false },
		{ "ns=dev-*", "ns=dev-a,team=x", true },
		{ "ns=dev-a", "ns=dev-*", false },
		{ "ns=a|b", "ns=b", true },
		{ "ns=b", "ns=a|b", false },
		{ "ns=dev-*", "ns=dev-a-*", false },    /* two globs: in doubt */
		{ "ns=*", "ns=a|b", true },
		{ "ns=a", "env=a", false },
		{ "ns=a|b|c", "ns=c|a", true },
	};
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct grants x = text_grants(&a, rows[i].x), y = text_grants(&a, rows[i].y);

		if (grant_clause_covers(&x.clauses[0], &y.clauses[0]) != rows[i].want)
			fail_msg("%s covers %s: want %d", rows[i].x, rows[i].y, rows[i].want);
	}
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_meet_as_written), cmocka_unit_test(long_globs_end),
		cmocka_unit_test(bad_values),             cmocka_unit_test(terms_print_quoted),
		cmocka_unit_test(long_terms_are_refused), cmocka_unit_test(covering),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
