/* stmt.c - what all kinds of statement share; see stmt.h. */
#include "policy/stmt.h"

#include "policy/facts.h"
#include "policy/lang/lexer.h"
#include "policy/lang/params.h"
#include "policy/lang/promql.h"

static const struct stmt_kind *const kinds[STMT_KIND_COUNT] = {
#define STMT(sym, kind) [sym] = &kind,
#include "policy/stmt.def"
#undef STMT
};

const struct stmt_kind *stmt_kind_by_id(enum stmt_kind_id id)
{
	return kinds[id];
}

const struct stmt_kind *stmt_kind_by_name(struct slice name)
{
	for (size_t i = 0; i < STMT_KIND_COUNT; i++)
		if (slice_eq(name, slice_cstr(kinds[i]->name)))
			return kinds[i];
	return NULL;
}

/* is_second_reading: the text is our own print */
static enum err_code parse(struct arena *a, const struct stmt_kind *k, const struct stmt_options *options,
                           bool is_second_reading, struct slice in, struct stmt **ret, struct err *reterr)
{
	struct err unwanted;
	struct stmt *s = ARENA_NEW(a, struct stmt);

	if (reterr == NULL)
		reterr = &unwanted;           /* the parsers look at what the lexers wrote there */
	if (s == NULL)
		return err_nomem(reterr);
	s->kind = k;
	s->arena = a;
	s->options = *options;
	s->is_second_reading = is_second_reading;

	enum err_code rc = k->parse(s, in, reterr);

	if (rc == ERR_OK)
		*ret = s;
	return rc;
}

enum err_code stmt_parse(struct arena *a, const struct stmt_kind *k, const struct stmt_options *options,
                         struct slice in, struct stmt **ret, struct err *reterr)
{
	return parse(a, k, options, false, in, ret, reterr);
}

enum err_code label_set_add(struct arena *a, struct label_set *set, const struct matcher *m, struct err *reterr)
{
	if (set->len == set->cap && !arena_grow(a, (void **)&set->v, &set->cap, set->len + 1, sizeof(*set->v)))
		return err_nomem(reterr);
	set->v[set->len++] = *m;
	return ERR_OK;
}

enum err_code stmt_add_set(struct stmt *s, struct label_set *set, struct err *reterr)
{
	if (s->sets.len >= STMT_SETS_MAX && !s->is_second_reading)
		return err_rule(reterr, ERR_LIMIT, "query_selectors", set->at, "a query may hold %d selectors", STMT_SETS_MAX);
	if (s->sets.v == NULL) {
		s->sets.v = s->few_sets;
		s->sets.cap = sizeof(s->few_sets) / sizeof(s->few_sets[0]);
	}
	if (s->sets.len == s->sets.cap &&
	    !arena_grow(s->arena, (void **)&s->sets.v, &s->sets.cap, s->sets.len + 1, sizeof(*s->sets.v)))
		return err_nomem(reterr);
	s->sets.v[s->sets.len++] = set;
	return ERR_OK;
}

static bool set_has(const struct label_set *set, const struct matcher *m)
{
	for (size_t i = 0; i < set->len; i++)
		if (matcher_eq(&set->v[i], m))
			return true;
	return false;
}

enum err_code stmt_narrow_set(struct stmt *s, struct label_set *set, const struct matchers *m, struct err *reterr)
{
	for (size_t i = 0; i < m->len; i++) {
		enum err_code rc = set_has(set, &m->v[i]) ? ERR_OK : label_set_add(s->arena, set, &m->v[i], reterr);

		if (rc != ERR_OK)
			return rc;
	}
	return ERR_OK;
}

enum err_code stmt_narrow(struct stmt *s, const struct matchers *m, struct err *reterr)
{
	for (size_t i = 0; i < s->sets.len; i++) {
		enum err_code rc = stmt_narrow_set(s, s->sets.v[i], m, reterr);

		if (rc != ERR_OK)
			return rc;
	}
	return ERR_OK;
}

enum err_code stmt_shape(struct arena *a, const struct stmt *s, struct facts *ret, struct err *reterr)
{
	return s->kind->facts(a, s, ret, reterr);
}

enum err_code stmt_facts(struct arena *a, const struct stmt *s, struct facts *ret, struct err *reterr)
{
	struct facts f;
	enum err_code rc = s->kind->facts(a, s, &f, reterr);

	if (rc == ERR_OK)
		rc = s->kind->times(a, s, &f, reterr);
	if (rc == ERR_OK)
		*ret = f;
	return rc;
}

enum err_code stmt_print(const struct stmt *s, struct strbuf *out)
{
	return s->kind->print(s, out);
}

bool stmt_equal(const struct stmt *x, const struct stmt *y)
{
	return x->kind == y->kind && x->kind->equal(x, y);
}

static bool is_guarded(const struct stmt *s, const struct matchers *guard)
{
	for (size_t i = 0; i < s->sets.len; i++)
		for (size_t m = 0; m < guard->len; m++)
			if (!set_has(s->sets.v[i], &guard->v[m]))
				return false;
	return true;
}

enum err_code stmt_print_checked(struct arena *a, const struct stmt *s, const struct matchers *guard,
                                 struct slice *text, struct err *reterr)
{
	struct strbuf out;
	struct stmt *again = NULL;

	strbuf_init(&out, a, STMT_TEXT_MAX);
	strbuf_reserve(&out, 256);            /* enough for most; growing would copy */
	if (stmt_print(s, &out) != ERR_OK || !lexer_pad(&out))
		return err_rule(reterr, ERR_LIMIT, "query_bytes", ERR_NOWHERE, "the rewritten query would hold over %zu bytes",
		                STMT_TEXT_MAX);

	enum err_code rc = parse(a, s->kind, &s->options, true, strbuf_slice(&out), &again, reterr);

	if (rc == ERR_NOMEM)
		return rc;
	if (rc != ERR_OK)
		return err_set(reterr, ERR_BUG, ERR_NOWHERE, "the rewritten query cannot be read again");
	if (!stmt_equal(s, again))
		return err_set(reterr, ERR_BUG, ERR_NOWHERE, "the rewritten query reads as something else");
	if (!is_guarded(again, guard))
		return err_set(reterr, ERR_BUG, ERR_NOWHERE, "a selector of the rewritten query lacks the guard");
	*text = strbuf_slice(&out);
	return ERR_OK;
}
