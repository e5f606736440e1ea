/* grants_text.h - grants and matchers as short text, for tables of tests.
 *
 * Grants:   "ns=dev-*|shared,team=x ; ns=y": clauses by ` ; `, terms by `,`, values by `|`; "all" is everything.
 * Matchers: `ns="a",team=~"b|c"`, without escapes.
 */
#ifndef WEIR_TESTS_GRANTS_TEXT_H
#define WEIR_TESTS_GRANTS_TEXT_H

#include "base/strbuf.h"
#include "tenants/grants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* the part before the next `sep`, or all; *rest is what follows */
static inline struct slice text_cut(struct slice *rest, const char *sep)
{
	struct slice all = *rest, found;
	const char *p = all.len == 0 ? NULL : memmem(all.ptr, all.len, sep, strlen(sep));

	found = p == NULL ? all : slice_from(all.ptr, (size_t)(p - all.ptr));
	*rest = p == NULL ? slice_skip(all, all.len) : slice_skip(all, found.len + strlen(sep));
	return found;
}

static inline struct grant_term text_term(struct arena *a, struct slice s)
{
	struct grant_value *values = ARENA_ARRAY(a, GRANT_VALUES_MAX, struct grant_value);
	struct grant_term t = { .label = text_cut(&s, "="), .values = values };

	while (s.len > 0)
		assert_int_equal(grant_value_parse(a, text_cut(&s, "|"), &values[t.values_len++], NULL), ERR_OK);
	return t;
}

static inline struct grants text_grants(struct arena *a, const char *text)
{
	struct slice s = slice_cstr(text);
	struct grant_clause *clauses = ARENA_ARRAY(a, 64, struct grant_clause);
	struct grants g = { .all = slice_eq(s, SLICE("all")), .clauses = clauses };

	while (!g.all && s.len > 0) {
		struct grant_term *terms = ARENA_ARRAY(a, 64, struct grant_term);
		struct slice clause = text_cut(&s, " ; ");
		struct grant_clause *c = &clauses[g.len++];

		*c = (struct grant_clause){ .terms = terms };
		while (clause.len > 0)
			terms[c->terms_len++] = text_term(a, text_cut(&clause, ","));
	}
	return g;
}

/* the same text back; `\*` of plain values is not written again */
static inline struct slice text_of_grants(struct arena *a, const struct grants *g)
{
	struct strbuf b;

	strbuf_init(&b, a, 65536);
	if (g->all)
		strbuf_lit(&b, "all");
	for (size_t i = 0; i < g->len; i++)
		for (size_t t = 0; t < g->clauses[i].terms_len; t++) {
			const struct grant_term *term = &g->clauses[i].terms[t];

			strbuf_fmt(&b, "%s%.*s=", t > 0 ? "," : i > 0 ? " ; " : "", SLICE_ARG(term->label));
			for (size_t v = 0; v < term->values_len; v++)
				strbuf_fmt(&b, "%s%.*s", v > 0 ? "|" : "", SLICE_ARG(term->values[v].text));
		}
	return strbuf_slice(&b);
}

static inline struct matchers text_matchers(struct arena *a, const char *text)
{
	struct slice s = slice_cstr(text);
	struct matchers m = { ARENA_ARRAY(a, 64, struct matcher), 0 };

	while (s.len > 0) {
		struct slice one = text_cut(&s, "\","), op;
		size_t at = strcspn(one.ptr, "=!");

		op = slice_skip(one, at);
		m.v[m.len].name = slice_from(one.ptr, at);
		m.v[m.len].op = slice_starts(op, SLICE("=~")) ? MATCH_RE : slice_starts(op, SLICE("!=")) ? MATCH_NE
			: slice_starts(op, SLICE("!~")) ? MATCH_NRE : MATCH_EQ;
		op = slice_skip(op, m.v[m.len].op == MATCH_EQ ? 2 : 3);
		if (op.len > 0 && op.ptr[op.len - 1] == '"' && s.len == 0)
			op.len--;
		m.v[m.len++].value = op;
	}
	return m;
}

static inline struct slice text_of_matchers(struct arena *a, const struct matchers *m)
{
	struct strbuf b;

	strbuf_init(&b, a, 65536);
	for (size_t i = 0; i < m->len; i++)
		strbuf_fmt(&b, "%s%.*s%s\"%.*s\"", i > 0 ? "," : "", SLICE_ARG(m->v[i].name), matcher_op_text(m->v[i].op),
		           SLICE_ARG(m->v[i].value));
	return strbuf_slice(&b);
}

#define assert_text(name, got, want)                                                                                      \
	do {                                                                                                                  \
		struct slice got_ = (got), want_ = slice_cstr(want);                                                              \
		if (!slice_eq(got_, want_))                                                                                       \
			fail_msg("%s: got `%.*s`, want `%.*s`", (name), SLICE_ARG(got_), SLICE_ARG(want_));                           \
	} while (0)

#endif
