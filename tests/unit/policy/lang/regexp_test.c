/* Regular expressions: valid or not, empty or not, plain or not, as the Go library under Prometheus has it. */
#include "policy/lang/regexp.h"

#include "base/strbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum answer { EMPTY, FULL, INVALID };   /* matches the empty text, does not, is refused by the backend too */

static const struct {
	const char *re;
	enum answer want;
} answers[] = {
	/* texts and joints */
	{ "", EMPTY }, { "a", FULL }, { "a|", EMPTY }, { "|a", EMPTY }, { "a||b", EMPTY }, { "a|b", FULL },
	{ "\xff|b", FULL },
	{ "\xff.", INVALID }, { "\xed\xa0\x80.", INVALID }, { "(|a)", EMPTY }, { "(a|b)c", FULL }, { "()", EMPTY },
	{ "(?:)", EMPTY },
	{ "(", INVALID }, { ")", INVALID }, { "a)", INVALID }, { "(a", INVALID }, { "(a))", INVALID }, { "}", FULL },
	{ "]", FULL },
	/* assertions hold on the empty text, except \b */
	{ "^", EMPTY }, { "$", EMPTY }, { "^$", EMPTY }, { "\\A\\z", EMPTY }, { "\\B", EMPTY }, { "\\b", FULL },
	{ "\\b|a*", EMPTY },
	{ "\\Z", INVALID }, { "(?m)^$", EMPTY }, { "^*", EMPTY }, { "(?:\\b)?", EMPTY },
	/* repetitions */
	{ ".*", EMPTY }, { ".+", FULL }, { ".?", EMPTY }, { "a*?", EMPTY }, { "a+?", FULL }, { "a??", EMPTY },
	{ "a**", INVALID },
	{ "a*+", INVALID }, { "a*??", INVALID }, { "(a*)*", EMPTY }, { "*", INVALID }, { "a|*", INVALID },
	{ "(*a)", INVALID },
	{ "(?i)*", INVALID }, { "a(?i)*", EMPTY }, { "a*(?i)*", EMPTY }, { "a*\\Q\\E*", EMPTY }, { "\\Q\\E*", INVALID },
	{ "a{0}", EMPTY }, { "a{0,3}", EMPTY }, { "a{1,}", FULL }, { "a{0,}", EMPTY }, { "a{2}", FULL },
	{ "a{1000}", FULL },
	{ "a{1001}", INVALID }, { "a{1001,}", INVALID }, { "a{1,1001}", INVALID }, { "a{99999999999999999999}", INVALID },
	{ "a{2,1}", INVALID }, { "a{2}{3}", INVALID }, { "a{2}?", FULL }, { "(a{10}){100}", FULL },
	{ "(a{10}){101}", INVALID },
	{ "(a{1000}){1000}", INVALID }, { "((a{1000}){0}){1000}", EMPTY }, { "((a{10,}){10,}){11,}", INVALID },
	{ "((a{10,}){10,}){10,}", FULL }, { "(a{0,}){1000}", EMPTY }, { "(a{1000}|b{2}){2}", INVALID },
	{ "a{,2}", FULL }, { "a{", FULL }, { "{", FULL }, { "a{1", FULL }, { "a{01}", FULL }, { "a{1,02}", FULL },
	{ "a{1,2", FULL },
	{ "a{x}", FULL }, { "{2}", INVALID }, { "a*{", FULL },
	/* escapes */
	{ "\\", INVALID }, { "a\\", INVALID }, { "\\a\\f\\n\\r\\t\\v", FULL }, { "\\q", INVALID },
	{ "\\_\\.\\-\\ ", FULL }, { "\\C", INVALID },
	{ "\\1", INVALID }, { "\\8", INVALID }, { "\\0", FULL }, { "\\12", FULL }, { "\\777", FULL },
	{ "\\18", INVALID }, { "\\x4", INVALID },
	{ "\\x41", FULL }, { "\\x{10FFFF}", FULL }, { "\\x{110000}", INVALID }, { "\\x{}", INVALID },
	{ "\\x{41", INVALID },
	{ "\\x{zz}", INVALID }, { "\\x", INVALID }, { "\\\xc3\xa4", INVALID }, { "\\Qa*\\E", FULL }, { "\\Q", EMPTY },
	{ "\\E", INVALID },
	{ "\\Qa\\E*", EMPTY }, { "\\Qab\\E*", FULL }, { "\\Q\\", FULL },
	/* classes */
	{ "[a]", FULL }, { "[]", INVALID }, { "[]a]", FULL }, { "[^]a]", FULL }, { "[^]", INVALID }, { "[", INVALID },
	{ "[a", INVALID }, { "[a-z]*", EMPTY },
	{ "[z-a]", INVALID }, { "[a-]", FULL }, { "[-a]", FULL }, { "[a-\\d]", INVALID }, { "[\\d-z]", FULL },
	{ "[\\d-z-a]", INVALID },
	{ "[[:alpha:]]", FULL }, { "[[:^word:]]", FULL }, { "[[:foo:]]", INVALID }, { "[[:alpha]", FULL },
	{ "[[:a]b:]", INVALID },
	{ "[[:]", FULL }, { "[\\b]", INVALID }, { "[\\Q]", INVALID }, { "[\\x41-\\x{5A}]", FULL },
	{ "[\xc3\xa4-\xc3\xa9]", FULL },
	{ "[\xc3\xa9-\xc3\xa4]", INVALID }, { "[\\]]", FULL }, { "[a\\]", INVALID }, { "\\d\\D\\s\\S\\w\\W", FULL },
	{ "\\d*", EMPTY },
	{ "\\pL", FULL }, { "\\PL", FULL }, { "\\pN*", EMPTY }, { "\\p{Greek}", FULL }, { "\\p{^Greek}", FULL },
	{ "[\\p{Lu}\\PN]", FULL },
	{ "\\p{greek}", INVALID }, { "\\p{Foo}", INVALID }, { "\\p", INVALID }, { "\\p{", INVALID },
	{ "\\p{}", INVALID }, { "\\p^", INVALID },
	{ "\\p\xc3\xa4", INVALID }, { "\\p{Any}", FULL }, { "\\p{L", INVALID }, { "[\\pQ]", INVALID },
	/* groups */
	{ "(?i)a", FULL }, { "(?i:a*)", EMPTY }, { "(?i-s:.)", FULL }, { "(?)", EMPTY }, { "(?-)", INVALID },
	{ "(?-i)a", FULL }, { "(?i-)", INVALID },
	{ "(?--i)", INVALID }, { "(?U)a*", EMPTY }, { "(?x)a", INVALID }, { "(?", INVALID }, { "(?i", INVALID },
	{ "(?=a)", INVALID }, { "(?!a)", INVALID },
	{ "(?<=a)", INVALID }, { "(?>a)", INVALID }, { "(?#a)", INVALID }, { "(?P<n>a)", FULL },
	{ "(?<n>a*)", EMPTY }, { "(?P<n>a)(?P<n>b)", FULL },
	{ "(?P<>a)", INVALID }, { "(?P<n-m>a)", INVALID }, { "(?P<n", INVALID }, { "(?P=n)", INVALID },
	{ "(?'n'a)", INVALID }, { "(?P<9>a)", FULL },
};

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct arena a;
		struct regexp_facts facts;
		struct err err = { 0 };

		arena_init(&a, 1 << 20);
		enum err_code rc = regexp_check(&a, slice_cstr(answers[i].re), &facts, &err);
		enum answer got = rc != ERR_OK ? INVALID : facts.nullable ? EMPTY : FULL;

		if (got != answers[i].want || (rc != ERR_OK && rc != ERR_INVALID))
			fail_msg("%s: got %d, want %d (%s)", answers[i].re, got, answers[i].want, err.text);
		if (rc != ERR_OK)
			assert_true(err.at <= strlen(answers[i].re));
		arena_done(&a);
	}
}

static const struct {
	const char *re;
	const char *texts[4];      /* ends with NULL; none at all: not plain */
} lists[] = {
	{ "", { "" } }, { "a", { "a" } }, { "a|b", { "a", "b" } }, { "|a|", { "", "a", "" } },
	{ "b|a|b", { "b", "a", "b" } },
	{ "10\\.0\\.0\\.1|x", { "10.0.0.1", "x" } }, { "\\Qa|b\\E|c", { "a|b", "c" } },
	{ "a\\x{e4}|\\101", { "a\xc3\xa4", "A" } },
	{ "a{|b}", { "a{", "b}" } }, { "\\||\\\\", { "|", "\\" } }, { "\\x{1F600}", { "\xf0\x9f\x98\x80" } },
	{ "\\Q", { "" } },
	{ "(a|b)", { NULL } }, { "a.", { NULL } }, { "a*", { NULL } }, { "^a", { NULL } }, { "[a]", { NULL } },
	{ "(?i)a", { NULL } },
	{ "a|(?i)b", { NULL } }, { "a{1}", { NULL } }, { "\\d", { NULL } }, { "\\Ba", { NULL } },
	{ "\\x{fffd}", { NULL } }, { "\\x{d800}", { NULL } },
};

static void test_plain_lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct arena a;
		struct regexp_facts facts;

		arena_init(&a, 1 << 20);
		assert_int_equal(regexp_check(&a, slice_cstr(lists[i].re), &facts, NULL), ERR_OK);
		size_t n = 0;

		while (n < 4 && lists[i].texts[n] != NULL)
			n++;
		if (facts.plain != (n > 0) || facts.texts_len != n)
			fail_msg("%s: plain %d, %zu texts, want %zu", lists[i].re, facts.plain, facts.texts_len, n);
		for (size_t k = 0; k < n; k++)
			if (!slice_eq(facts.texts[k], slice_cstr(lists[i].texts[k])))
				fail_msg("%s: text %zu is '%.*s'", lists[i].re, k, SLICE_ARG(facts.texts[k]));
		arena_done(&a);
	}
}

/* zero bytes are characters like others */
static void test_zero_bytes(void **state)
{
	struct arena a;
	struct regexp_facts facts;

	(void)state;
	arena_init(&a, 1 << 20);
	assert_int_equal(regexp_check(&a, slice_from("a\0|b", 4), &facts, NULL), ERR_OK);
	assert_int_equal(facts.texts_len, 2);
	assert_int_equal(facts.texts[0].len, 2);
	assert_int_equal(regexp_check(&a, slice_from("\0*", 2), &facts, NULL), ERR_OK);
	assert_true(facts.nullable);
	assert_int_equal(regexp_check(&a, slice_from("\\\0", 2), &facts, NULL), ERR_OK);
	assert_int_equal(regexp_check(&a, slice_from("\\p\0", 3), &facts, NULL), ERR_INVALID);
	arena_done(&a);
}

/* head, then `unit` n times, then `tail` n times */
static struct slice repeated(struct arena *a, const char *head, const char *unit, const char *tail, size_t n)
{
	struct strbuf b;

	strbuf_init(&b, a, 1 << 20);
	strbuf_add(&b, slice_cstr(head));
	for (size_t i = 0; i < n; i++)
		strbuf_add(&b, slice_cstr(unit));
	for (size_t i = 0; i < n; i++)
		strbuf_add(&b, slice_cstr(tail));
	assert_false(b.full);
	return strbuf_slice(&b);
}

static void test_limits(void **state)
{
	static const struct {
		const char *head, *unit, *tail;
		size_t n;
		enum err_code want;
		const char *rule;
	} rows[] = {
		{ "", "a", "", 8192, ERR_OK, NULL },
		{ "", "a", "", 8193, ERR_LIMIT, "regexp_bytes" },
		{ "a", "|a", "", 63, ERR_OK, NULL },
		{ "a", "|a", "", 64, ERR_OK, NULL },
		{ "", "(", ")", 100, ERR_OK, NULL },
		{ "", "(", ")", 101, ERR_LIMIT, "regexp_depth" },
		{ "", "(?:", ")", 101, ERR_LIMIT, "regexp_depth" },
		{ "a", "*(?i)", "", 900, ERR_OK, NULL },
		{ "a", "*(?i)", "", 1200, ERR_LIMIT, "regexp_depth" },
		{ "", "a{1000}", "", 1000, ERR_OK, NULL },
		{ "", "\\pL{1000}", "", 900, ERR_OK, NULL },
		{ "(", "aaaaaaaaaaaaaaaa", "", 200, ERR_INVALID, NULL },
		{ "", "[[:", "", 2730, ERR_INVALID, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a;
		struct regexp_facts facts;
		struct err err = { 0 };

		arena_init(&a, 4 << 20);
		struct slice re = repeated(&a, rows[i].head, rows[i].unit, rows[i].tail, rows[i].n);

		if (regexp_check(&a, re, &facts, &err) != rows[i].want)
			fail_msg("%s x %zu: %s", rows[i].unit, rows[i].n, err.text);
		if (rows[i].rule != NULL)
			assert_string_equal(err.rule, rows[i].rule);
		arena_done(&a);
	}
}

/* a program larger than RE2's limit: 8,000 characters, a thousand times */
static void test_program_size(void **state)
{
	struct arena a;
	struct strbuf b;
	struct regexp_facts facts;
	struct err err = { 0 };

	(void)state;
	arena_init(&a, 1 << 20);
	strbuf_init(&b, &a, 8192);
	strbuf_lit(&b, "(?:");
	for (size_t i = 0; i < 8000; i++)
		strbuf_char(&b, 'a');
	strbuf_lit(&b, "){1000}");
	assert_int_equal(regexp_check(&a, strbuf_slice(&b), &facts, &err), ERR_LIMIT);
	assert_string_equal(err.rule, "regexp_size");
	arena_done(&a);
}

/* more alternatives than a list holds: valid, only not plain */
static void test_long_lists(void **state)
{
	static const char *heads[] = { "x", "\\." };      /* a bare list, and one that is parsed */

	(void)state;
	for (size_t i = 0; i < 2; i++)
		for (size_t n = 63; n <= 64; n++) {
			struct arena a;
			struct regexp_facts facts;

			arena_init(&a, 1 << 20);
			assert_int_equal(regexp_check(&a, repeated(&a, heads[i], "|b", "", n), &facts, NULL), ERR_OK);
			assert_int_equal(facts.plain, n == 63);
			assert_int_equal(facts.texts_len, n == 63 ? 64 : 0);
			assert_false(facts.nullable);
			arena_done(&a);
		}
}

static void test_without_memory(void **state)
{
	static const char *texts[] = { "a|b|", "a\\.|b|c|d|e|f", "(a(b[c]*)?|\\Qd\\E)" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		enum err_code rc = ERR_NOMEM;

		for (long n = 1; rc != ERR_OK; n++) {
			struct arena a;
			struct regexp_facts facts;
			struct err err = { 0 };

			arena_init(&a, 1 << 20);
			a.fail_in = n;
			rc = regexp_check(&a, slice_cstr(texts[i]), &facts, &err);
			assert_true(rc == ERR_OK || rc == ERR_NOMEM);
			assert_int_equal(err.code, rc);
			arena_done(&a);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),       cmocka_unit_test(test_plain_lists),
		cmocka_unit_test(test_zero_bytes),    cmocka_unit_test(test_limits),
		cmocka_unit_test(test_program_size),  cmocka_unit_test(test_long_lists),
		cmocka_unit_test(test_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
