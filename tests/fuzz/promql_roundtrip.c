/* promql_roundtrip.c - fuzz: any bytes as PromQL. What is accepted reads back from our print as an equal tree, prints the same
 * a second time, and has the same facts. */
#include "query.h"

static bool same_selector(const struct selector_facts *x, const struct selector_facts *y)
{
	struct label_set before = { .v = (struct matcher *)x->matchers, .len = x->matchers_len };
	struct label_set after = { .v = (struct matcher *)y->matchers, .len = y->matchers_len };

	return before.len == after.len && query_set_within(&before, &after) && slice_eq(x->metric, y->metric) &&
	       x->range_ms == y->range_ms && x->offset_ms == y->offset_ms && x->from_ms == y->from_ms &&
	       x->to_ms == y->to_ms && x->evaluations == y->evaluations;
}

/* all but the sizes of the text */
static void check_same_facts(const struct facts *x, const struct facts *y)
{
	must(x->selectors_len == y->selectors_len && x->names_len == y->names_len);
	for (size_t i = 0; i < x->selectors_len; i++)
		must(same_selector(&x->selectors[i], &y->selectors[i]));
	for (size_t i = 0; i < x->names_len; i++)
		must(slice_eq(x->names[i], y->names[i]));
	must(x->max_range_ms == y->max_range_ms && x->max_offset_ms == y->max_offset_ms && x->min_offset_ms == y->min_offset_ms);
	must(x->subqueries == y->subqueries && x->at_modifiers == y->at_modifiers);
	must(x->regexps == y->regexps && x->longest_regexp == y->longest_regexp);
	must(x->depth == y->depth && x->nodes == y->nodes && x->range_dynamic == y->range_dynamic);
	must(x->from_ms == y->from_ms && x->to_ms == y->to_ms && x->longest_ms == y->longest_ms);
	must(x->is_constant == y->is_constant && x->is_constant == (x->selectors_len == 0));
}

static void check_facts(struct arena *a, const struct stmt *user, const struct stmt *again, size_t size)
{
	struct facts before, after;
	struct err err = { 0 };
	enum err_code rc = stmt_facts(a, user, &before, &err);

	if (rc != ERR_OK)
		fuzz_check_refusal(rc, &err, size);
	must(stmt_facts(a, again, &after, NULL) == rc);
	if (rc == ERR_OK)
		check_same_facts(&before, &after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	struct stmt *user, *again;

	if (size == 0)
		return 0;
	arena_init(&a, FUZZ_MEMORY * 8);

	struct stmt_options o = query_options(data[0]);

	if (query_parse(&a, STMT_PROMQL, &o, fuzz_input(data + 1, size - 1), &user)) {
		struct slice text = query_print(&a, user);
		struct err err = { 0 };
		enum err_code rc = stmt_parse(&a, user->kind, &o, text, &again, &err);

		must(rc == ERR_OK || rc == ERR_LIMIT);           /* the print may be longer */
		if (rc == ERR_OK) {
			must(stmt_equal(user, again) && stmt_equal(again, user));
			must(slice_eq(query_print(&a, again), text));
			check_facts(&a, user, again, size);
		}
	}
	arena_done(&a);
	return 0;
}
