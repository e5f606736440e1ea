/* query.h - what the targets for query languages share. The first byte of an input chooses the backend's features and the
 * window of the request; the rest is the text.
 */
#ifndef WEIR_TESTS_FUZZ_QUERY_H
#define WEIR_TESTS_FUZZ_QUERY_H

#include "fuzz.h"
#include "policy/facts.h"

static inline struct stmt_options query_options(uint8_t choice)
{
	struct stmt_options o = { .features = choice & 7u };

	o.window.end_ms = o.window.start_ms = 1700000000000;
	if ((choice & 8) != 0) {
		o.window.end_ms += 3600000;
		o.window.step_ms = 15000;
	}
	return o;
}

/* true when the text is accepted; else the refusal was one that input may cause */
static inline bool query_parse(struct arena *a, enum stmt_kind_id kind, const struct stmt_options *o, struct slice text,
                               struct stmt **ret)
{
	struct err err = { 0 };
	enum err_code rc = stmt_parse(a, stmt_kind_by_id(kind), o, text, ret, &err);

	if (rc != ERR_OK)
		fuzz_check_refusal(rc, &err, text.len);
	return rc == ERR_OK;
}

static inline struct slice query_print(struct arena *a, const struct stmt *s)
{
	struct strbuf out;

	strbuf_init(&out, a, FUZZ_MEMORY);
	must(stmt_print(s, &out) == ERR_OK && !out.full);
	return strbuf_slice(&out);
}

static inline size_t query_count(const struct label_set *set, const struct matcher *m)
{
	size_t n = 0;

	for (size_t i = 0; i < set->len; i++)
		n += matcher_eq(&set->v[i], m);
	return n;
}

/* each matcher of x stands in y as often as in x */
static inline bool query_set_within(const struct label_set *x, const struct label_set *y)
{
	for (size_t i = 0; i < x->len; i++)
		if (query_count(x, &x->v[i]) != query_count(y, &x->v[i]))
			return false;
	return true;
}

/* Narrows a text of any kind, and checks what would leave: its selectors are those of the text, each with the guard once
 * more unless the text held it itself. */
static inline int query_narrow(enum stmt_kind_id kind, const uint8_t *data, size_t size)
{
	struct matcher own = { SLICE_INIT("tenant_id"), MATCH_EQ, SLICE_INIT("a") };
	struct matchers guard = { &own, 1 };
	struct arena a;
	struct stmt *user, *narrowed, *left;
	struct slice text;
	struct err err = { 0 };

	if (size == 0)
		return 0;
	arena_init(&a, FUZZ_MEMORY * 8);

	struct stmt_options o = query_options(data[0]);
	struct slice in = fuzz_input(data + 1, size - 1);

	if (query_parse(&a, kind, &o, in, &user) && query_parse(&a, kind, &o, in, &narrowed)) {
		enum err_code rc = stmt_narrow(narrowed, &guard, &err);

		if (rc == ERR_OK)
			rc = stmt_print_checked(&a, narrowed, &guard, &text, &err);
		must(rc == ERR_OK || (rc == ERR_LIMIT && strcmp(err.rule, "query_bytes") == 0));
		if (rc == ERR_OK && query_parse(&a, kind, &o, text, &left)) {
			must(left->sets.len == user->sets.len);
			for (size_t i = 0; i < left->sets.len; i++) {
				const struct label_set *before = user->sets.v[i], *after = left->sets.v[i];
				size_t had = query_count(before, &own);

				must(query_count(after, &own) == (had > 0 ? had : 1));
				must(after->len == before->len + (had == 0) && query_set_within(before, after));
			}
		}
	}
	arena_done(&a);
	return 0;
}

#endif
