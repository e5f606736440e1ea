#include "grants_text.h"

/* stands for policy/lang/regexp: letters, digits and `-` between bars are a list of plain texts */
static bool plain_texts(struct arena *a, struct slice re, const struct slice **texts, size_t *len)
{
	struct slice *list = ARENA_ARRAY(a, 64, struct slice);

	*len = 0;
	for (size_t i = 0; i < re.len; i++)
		if (strchr(".*+?()[]{}^$\\", re.ptr[i]) != NULL)
			return false;
	while (re.len > 0)
		list[(*len)++] = text_cut(&re, "|");
	*texts = list;
	return true;
}

static void unions(void **state)
{
	static const struct {
		const char *x, *y, *want;
	} rows[] = {
		{ "ns=a", "ns=b", "ns=a ; ns=b" },
		{ "ns=a", "ns=a", "ns=a" },
		{ "ns=a,team=x", "ns=a", "ns=a" },
		{ "ns=dev-*", "ns=dev-a,team=x ; env=prod", "ns=dev-* ; env=prod" },
		{ "all", "ns=a", "all" },
		{ "ns=a", "all", "all" },
		{ "", "ns=a", "ns=a" },
		{ "", "", "" },
	};
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct grants x = text_grants(&a, rows[i].x), y = text_grants(&a, rows[i].y), got;

		assert_int_equal(grants_union(&a, &x, &y, &got, NULL), ERR_OK);
		assert_text(rows[i].x, text_of_grants(&a, &got), rows[i].want);
	}
	arena_done(&a);
}

static void products(void **state)
{
	static const struct {
		const char *x, *y, *want;
	} rows[] = {
		{ "all", "ns=a", "ns=a" },
		{ "ns=a", "all", "ns=a" },
		{ "all", "all", "all" },
		{ "ns=a", "env=prod", "env=prod,ns=a" },
		{ "ns=a ; ns=b", "env=p ; env=q", "env=p,ns=a ; env=q,ns=a ; env=p,ns=b ; env=q,ns=b" },
		{ "ns=dev-*", "ns=*-x", "ns=dev-*,ns=*-x" },
		{ "ns=a", "ns=a", "ns=a" },
		{ "ns=a", "", "" },
		{ "ns=a ; ns=a,team=x", "env=p", "env=p,ns=a" },
	};
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct grants x = text_grants(&a, rows[i].x), y = text_grants(&a, rows[i].y), got;

		assert_int_equal(grants_intersect(&a, &x, &y, &got, NULL), ERR_OK);
		assert_text(rows[i].x, text_of_grants(&a, &got), rows[i].want);
	}
	arena_done(&a);
}

/* n clauses n<from>..: each with a value of its own */
static struct grants many(struct arena *a, const char *label, size_t n)
{
	struct grant_clause *c = ARENA_ARRAY(a, n, struct grant_clause);

	for (size_t i = 0; i < n; i++) {
		struct grant_term *t = ARENA_NEW(a, struct grant_term);
		struct grant_value *v = ARENA_NEW(a, struct grant_value);
		struct strbuf b;

		strbuf_init(&b, a, 16);
		strbuf_u64(&b, i);
		*v = (struct grant_value){ .text = strbuf_slice(&b) };
		*t = (struct grant_term){ slice_cstr(label), v, 1 };
		c[i] = (struct grant_clause){ t, 1 };
	}
	return (struct grants){ .clauses = c, .len = n };
}

static void at_most_32_clauses(void **state)
{
	struct arena a;
	struct err e;
	struct grants got;

	(void)state;
	arena_init(&a, 1 << 22);

	struct grants x = many(&a, "x", 4), y = many(&a, "y", 8), z = many(&a, "z", 9), w = many(&a, "w", 28);

	assert_int_equal(grants_intersect(&a, &x, &y, &got, &e), ERR_OK);
	assert_int_equal(got.len, 32);
	assert_int_equal(grants_intersect(&a, &x, &z, &got, &e), ERR_LIMIT);
	assert_string_equal(e.rule, "grant_clauses");
	assert_int_equal(grants_union(&a, &x, &w, &got, &e), ERR_OK);
	assert_int_equal(grants_union(&a, &z, &w, &got, &e), ERR_LIMIT);
	arena_done(&a);
}

/* want: the matchers, or `refused: TEXT` */
static const struct {
	const char *grants, *have, *want;
} choices[] = {
	/* one clause needs no choice, whatever the selector says */
	{ "all", "ns=\"a\"", "" },
	{ "ns=a", "", "ns=\"a\"" },
	{ "ns=a,team=x|y*", "ns=\"b\"", "ns=\"a\",team=~\"x|y.*\"" },
	{ "", "ns=\"a\"", "refused: nothing is granted to this caller" },
	/* fold */
	{ "ns=dev-* ; ns=shared", "", "ns=~\"dev-.*|shared\"" },
	{ "ns=a,team=x ; ns=b,team=x", "", "ns=~\"a|b\",team=\"x\"" },
	{ "ns=a,team=x ; ns=b,team=y ; ns=a,team=y ; ns=b,team=x", "", "ns=~\"a|b\",team=~\"x|y\"" },
	{ "ns=a,ns=z* ; ns=b,ns=z*", "", "ns=~\"a|b\",ns=~\"z.*\"" },
	/* the mixed pairs are in no grant: never folded together */
	{ "ns=a,team=x ; ns=b,team=y", "", "refused: name one ns: \"a\", \"b\"" },
	{ "ns=a,team=x ; ns=b,team=y", "team=\"y\"", "ns=\"b\",team=\"y\"" },
	{ "ns=a,team=x ; ns=b,team=y", "ns=\"a\",team=\"y\"", "refused: name one ns: \"a\", \"b\"" },
	/* choose */
	{ "namespace=dev-* ; namespace=shared,team=payments", "namespace=\"dev-a\"", "namespace=~\"dev-.*\"" },
	{ "namespace=dev-* ; namespace=shared,team=payments", "namespace=\"shared\"", "namespace=\"shared\",team=\"payments\"" },
	{ "namespace=dev-* ; namespace=shared,team=payments", "namespace=~\"dev-a|dev-b\"", "namespace=~\"dev-.*\"" },
	{ "namespace=dev-* ; namespace=shared,team=payments", "namespace=~\"dev-a|shared\"",
	  "refused: name one namespace: \"shared\", or one like \"dev-*\"" },
	{ "namespace=dev-* ; namespace=shared,team=payments", "", "refused: name one namespace: \"shared\", or one like \"dev-*\"" },
	{ "namespace=dev-* ; namespace=shared,team=payments", "namespace=\"other\"",
	  "refused: name one namespace: \"shared\", or one like \"dev-*\"" },
	/* a pattern is never compared as text, and only = and =~ rule out */
	{ "namespace=dev-* ; namespace=shared,team=payments", "namespace=~\"dev-.*\"",
	  "refused: name one namespace: \"shared\", or one like \"dev-*\"" },
	{ "namespace=dev-* ; namespace=shared,team=payments", "namespace!=\"shared\"",
	  "refused: name one namespace: \"shared\", or one like \"dev-*\"" },
	{ "namespace=dev-* ; namespace=shared,team=payments", "namespace!~\"shared\"",
	  "refused: name one namespace: \"shared\", or one like \"dev-*\"" },
	/* an empty text is a missing label: met by no grant */
	{ "ns=* ; team=x", "ns=\"\"", "team=\"x\"" },
	{ "ns=* ; team=x", "ns=~\"|a\"", "refused: add labels that fit only one of {ns: \"*\"}, {team: \"x\"}" },
	/* what the selector leaves folds, though the whole does not */
	{ "ns=a,team=x ; ns=b,team=x ; ns=a,team=y", "ns=\"a\"", "ns=\"a\",team=~\"x|y\"" },
	{ "ns=a,team=x ; ns=b,team=x ; ns=a,team=y", "team=\"x\"", "ns=~\"a|b\",team=\"x\"" },
	/* the advice is a label that is not named yet */
	{ "ns=a|b,team=x ; ns=b|c,team=y", "ns=\"b\"", "refused: name one team: \"x\", \"y\"" },
	{ "ns=x-* ; ns=y-*,team=a*", "", "refused: name one ns like \"x-*\", \"y-*\"" },
};

static void fold_choose_refuse(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		struct arena a;
		struct err e;
		struct matchers got;

		arena_init(&a, 1 << 20);

		struct grants g = text_grants(&a, choices[i].grants);
		struct matchers have = text_matchers(&a, choices[i].have);
		enum err_code rc = grants_choose(&a, &g, &have, plain_texts, &got, &e);

		if (strncmp(choices[i].want, "refused: ", 9) == 0) {
			assert_int_equal(rc, ERR_DENIED);
			assert_text(choices[i].grants, slice_cstr(e.text), choices[i].want + 9);
		} else {
			assert_int_equal(rc, ERR_OK);
			assert_text(choices[i].grants, text_of_matchers(&a, &got), choices[i].want);
		}
		arena_done(&a);
	}
}

static void without_knowledge_of_regexps_less_is_chosen(void **state)
{
	struct arena a;
	struct matchers got;

	(void)state;
	arena_init(&a, 1 << 20);

	struct grants g = text_grants(&a, "ns=a,t=x ; ns=b,t=y");
	struct matchers have = text_matchers(&a, "ns=~\"a\"");

	assert_int_equal(grants_choose(&a, &g, &have, NULL, &got, NULL), ERR_DENIED);
	assert_int_equal(grants_choose(&a, &g, &have, plain_texts, &got, NULL), ERR_OK);
	arena_done(&a);
}

/* a fold that would print too long a regular expression does not happen; the clauses stay apart */
static void folds_stay_within_a_pattern(void **state)
{
	struct arena a;
	struct err e;
	struct matchers got, have = { NULL, 0 };
	struct grant_value v[3];
	struct grant_term t[3];
	struct grant_clause c[3];
	struct grants g = { .clauses = c, .len = 3 };

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < 3; i++) {
		char *p = arena_alloc(&a, 2000);

		memset(p, 'a' + (int)i, 2000);
		v[i] = (struct grant_value){ .text = slice_from(p, 2000) };
		t[i] = (struct grant_term){ SLICE("ns"), &v[i], 1 };
		c[i] = (struct grant_clause){ &t[i], 1 };
	}
	assert_int_equal(grants_choose(&a, &g, &have, NULL, &got, &e), ERR_DENIED);
	assert_non_null(strstr(e.text, "name one ns"));
	assert_non_null(strstr(e.text, "..."));
	g.len = 2;
	assert_int_equal(grants_choose(&a, &g, &have, NULL, &got, &e), ERR_OK);
	assert_int_equal(got.v[0].value.len, 4001);
	arena_done(&a);
}

static void each_clause_alone(void **state)
{
	struct arena a;
	struct matchers *got;

	(void)state;
	arena_init(&a, 1 << 20);

	struct grants g = text_grants(&a, "ns=dev-* ; ns=shared,team=x|y");

	assert_int_equal(grants_clauses(&a, &g, &got, NULL), ERR_OK);
	assert_text("first", text_of_matchers(&a, &got[0]), "ns=~\"dev-.*\"");
	assert_text("second", text_of_matchers(&a, &got[1]), "ns=\"shared\",team=~\"x|y\"");
	arena_done(&a);
}

static void memory_may_end_anywhere(void **state)
{
	struct arena built, a;
	struct grants x, y;
	struct matchers have;

	(void)state;
	arena_init(&built, 1 << 20);
	x = text_grants(&built, "ns=a,team=x ; ns=b,team=y ; ns=c*,team=y");
	y = text_grants(&built, "env=p ; env=q|r,dc=1");
	have = text_matchers(&built, "ns=~\"b\",env=\"p\"");
	for (long n = 1;; n++) {
		struct grants both, more;
		struct matchers got, *lists;
		struct err e;
		enum err_code rc;

		arena_init(&a, 1 << 20);
		a.fail_in = n;
		rc = grants_intersect(&a, &x, &y, &both, &e);
		if (rc == ERR_OK)
			rc = grants_union(&a, &both, &x, &more, &e);
		if (rc == ERR_OK)
			rc = grants_choose(&a, &both, &have, NULL, &got, &e) == ERR_NOMEM ? ERR_NOMEM : ERR_OK;
		if (rc == ERR_OK)
			rc = grants_clauses(&a, &more, &lists, &e);
		arena_done(&a);
		if (rc == ERR_OK)
			break;
		assert_int_equal(rc, ERR_NOMEM);
		assert_true(n < 1000);
	}
	arena_done(&built);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unions),
		cmocka_unit_test(products),
		cmocka_unit_test(at_most_32_clauses),
		cmocka_unit_test(fold_choose_refuse),
		cmocka_unit_test(without_knowledge_of_regexps_less_is_chosen),
		cmocka_unit_test(folds_stay_within_a_pattern),
		cmocka_unit_test(each_clause_alone),
		cmocka_unit_test(memory_may_end_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
