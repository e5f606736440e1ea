/* grants.c - see grants.h. */
#include "tenants/grants.h"

#include "base/strbuf.h"

/* adds a clause unless one covers it; drops those that it covers */
static enum err_code add_clause(struct grant_clause list[GRANTS_CLAUSES_MAX], size_t *len, const struct grant_clause *c,
                                struct err *reterr)
{
	size_t kept = 0;

	for (size_t i = 0; i < *len; i++)
		if (grant_clause_covers(&list[i], c))
			return ERR_OK;
	for (size_t i = 0; i < *len; i++)
		if (!grant_clause_covers(c, &list[i]))
			list[kept++] = list[i];
	if (kept == GRANTS_CLAUSES_MAX)
		return err_rule(reterr, ERR_LIMIT, "grant_clauses", ERR_NOWHERE,
		                "the grants of this caller come to more than %d clauses", GRANTS_CLAUSES_MAX);
	list[kept] = *c;
	*len = kept + 1;
	return ERR_OK;
}

enum err_code grants_union(struct arena *a, const struct grants *x, const struct grants *y, struct grants *ret,
                           struct err *reterr)
{
	if (x->all || y->all) {
		*ret = (struct grants){ .all = true };
		return ERR_OK;
	}

	struct grant_clause *list = ARENA_ARRAY(a, GRANTS_CLAUSES_MAX, struct grant_clause);
	size_t len = 0;
	enum err_code rc = list == NULL ? err_nomem(reterr) : ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < x->len; i++)
		rc = add_clause(list, &len, &x->clauses[i], reterr);
	for (size_t i = 0; rc == ERR_OK && i < y->len; i++)
		rc = add_clause(list, &len, &y->clauses[i], reterr);
	if (rc == ERR_OK)
		*ret = (struct grants){ .clauses = list, .len = len };
	return rc;
}

enum err_code grants_intersect(struct arena *a, const struct grants *x, const struct grants *y, struct grants *ret,
                               struct err *reterr)
{
	if (x->all || y->all) {
		*ret = x->all ? *y : *x;
		return ERR_OK;
	}

	struct grant_clause *list = ARENA_ARRAY(a, GRANTS_CLAUSES_MAX, struct grant_clause);
	size_t len = 0;

	if (list == NULL)
		return err_nomem(reterr);
	for (size_t i = 0; i < x->len; i++) {
		for (size_t j = 0; j < y->len; j++) {
			struct grant_clause both;

			if (!grant_clause_product(a, &x->clauses[i], &y->clauses[j], &both))
				return err_nomem(reterr);

			enum err_code rc = add_clause(list, &len, &both, reterr);

			if (rc != ERR_OK)
				return rc;
		}
	}
	*ret = (struct grants){ .clauses = list, .len = len };
	return ERR_OK;
}

enum err_code grants_clauses(struct arena *a, const struct grants *g, struct matchers **ret, struct err *reterr)
{
	struct matchers *lists = ARENA_ARRAY(a, g->len, struct matchers);
	enum err_code rc = lists == NULL ? err_nomem(reterr) : ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < g->len; i++)
		rc = grant_clause_matchers(a, &g->clauses[i], &lists[i], reterr);
	if (rc == ERR_OK)
		*ret = lists;
	return rc;
}

/* ---- fold ---- */

/* true when x and y have the same labels and differ in the values of term k alone */
static bool differ_only_in(const struct grant_clause *x, const struct grant_clause *y, size_t k)
{
	if (x->terms_len != y->terms_len || k >= x->terms_len || !slice_eq(x->terms[k].label, y->terms[k].label))
		return false;
	for (size_t i = 0; i < x->terms_len; i++)
		if (i != k && !grant_term_eq(&x->terms[i], &y->terms[i]))
			return false;
	return true;
}

/* x OR y, which differ only in term k. *fits is false when the sum would be too long for one matcher. */
static enum err_code fold_two(struct arena *a, struct grant_clause *x, const struct grant_clause *y, size_t k, bool *fits,
                              struct err *reterr)
{
	struct grant_term sum;

	if (!grant_term_sum(a, &x->terms[k], &y->terms[k], &sum))
		return err_nomem(reterr);
	*fits = grant_term_text_bytes(&sum) <= GRANT_TEXT_MAX;
	if (!*fits)
		return ERR_OK;

	struct grant_term *terms = ARENA_ARRAY(a, x->terms_len, struct grant_term);

	if (terms == NULL)
		return err_nomem(reterr);
	memcpy(terms, x->terms, x->terms_len * sizeof(*terms));
	terms[k] = sum;
	x->terms = terms;
	return ERR_OK;
}

/* folds over term k whatever can be folded; *len falls by one with each */
static enum err_code fold_over(struct arena *a, struct grant_clause *list, size_t *len, size_t k, struct err *reterr)
{
	for (size_t i = 0; i < *len; i++) {
		for (size_t j = i + 1; j < *len;) {
			bool fits = false;

			if (differ_only_in(&list[i], &list[j], k)) {
				enum err_code rc = fold_two(a, &list[i], &list[j], k, &fits, reterr);

				if (rc != ERR_OK)
					return rc;
			}
			if (!fits) {
				j++;
				continue;
			}
			memmove(&list[j], &list[j + 1], (*len - j - 1) * sizeof(*list));
			(*len)--;
		}
	}
	return ERR_OK;
}

/* One term position after the other, again until nothing more folds. */
static enum err_code fold(struct arena *a, struct grant_clause *list, size_t *len, struct err *reterr)
{
	size_t before, terms = 0;

	for (size_t i = 0; i < *len; i++)
		terms = list[i].terms_len > terms ? list[i].terms_len : terms;
	do {
		before = *len;
		for (size_t k = 0; k < terms; k++) {
			enum err_code rc = fold_over(a, list, len, k, reterr);

			if (rc != ERR_OK)
				return rc;
		}
	} while (*len < before);
	return ERR_OK;
}

/* ---- choose ---- */

/* what one matcher of the selector lets through, as far as it is a list of plain texts */
struct have_texts {
	struct slice label;
	const struct slice *texts;
	size_t len;
};

/* the matchers of the selector that can rule something out; *ret has room for all of them */
static size_t plain_matchers(struct arena *a, const struct matchers *have, grants_plain_texts *plain, struct have_texts *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < have->len; i++) {
		const struct matcher *m = &have->v[i];

		ret[n] = (struct have_texts){ .label = m->name };
		if (m->op == MATCH_EQ) {
			ret[n].texts = &m->value;
			ret[n++].len = 1;
		} else if (m->op == MATCH_RE && plain != NULL && plain(a, m->value, &ret[n].texts, &ret[n].len)) {
			n++;
		}
	}
	return n;
}

static bool ruled_out(const struct grant_clause *c, const struct have_texts *have, size_t len)
{
	for (size_t t = 0; t < c->terms_len; t++) {
		for (size_t h = 0; h < len; h++) {
			bool met = !slice_eq(c->terms[t].label, have[h].label);

			for (size_t i = 0; i < have[h].len && !met; i++)
				met = grant_term_meets(&c->terms[t], have[h].texts[i]);
			if (!met)
				return true;
		}
	}
	return false;
}

/* ---- refuse: what to add ---- */

#define ADVICE_MAX ((size_t)280)

static const struct grant_term *term_of(const struct grant_clause *c, struct slice label)
{
	for (size_t i = 0; i < c->terms_len; i++)
		if (slice_eq(c->terms[i].label, label))
			return &c->terms[i];
	return NULL;
}

/* true when each clause says something of this label, and not all the same: naming a value can decide */
static bool can_decide(const struct grant_clause *list, size_t len, struct slice label)
{
	bool differ = false;

	for (size_t i = 0; i < len; i++) {
		const struct grant_term *t = term_of(&list[i], label);

		if (t == NULL)
			return false;
		differ |= !grant_term_eq(t, term_of(&list[0], label));
	}
	return differ;
}

static bool is_named(struct slice label, const struct have_texts *have, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (slice_eq(have[i].label, label))
			return true;
	return false;
}

/* the first label that decides, better one that the selector does not name yet; NULL when no label does */
static const struct slice *deciding_label(const struct grant_clause *list, size_t len, const struct have_texts *have, size_t have_len)
{
	const struct slice *named = NULL;

	for (size_t i = 0; i < list[0].terms_len; i++) {
		const struct slice *label = &list[0].terms[i].label;

		if (!can_decide(list, len, *label))
			continue;
		if (!is_named(*label, have, have_len))
			return label;
		if (named == NULL)
			named = label;
	}
	return named;
}

/* The values of one kind, quoted, in a list that `lead` opens. Returns how many. */
static size_t advise_values(struct strbuf *out, const struct grant_clause *list, size_t len, struct slice label, bool glob,
                            const char *lead)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		const struct grant_term *t = term_of(&list[i], label);

		for (size_t v = 0; v < t->values_len; v++)
			if (t->values[v].glob == glob)
				strbuf_fmt(out, "%s\"%.*s\"", n++ == 0 ? lead : ", ", SLICE_ARG(t->values[v].text));
	}
	return n;
}

/* {namespace: "dev-*"}, {team: "payments"} */
static void advise_clauses(struct strbuf *out, const struct grant_clause *list, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		strbuf_add(out, i == 0 ? SLICE("{") : SLICE(", {"));
		for (size_t t = 0; t < list[i].terms_len; t++) {
			const struct grant_term *term = &list[i].terms[t];

			strbuf_fmt(out, "%s%.*s: ", t == 0 ? "" : ", ", SLICE_ARG(term->label));
			for (size_t v = 0; v < term->values_len; v++)
				strbuf_fmt(out, "%s\"%.*s\"", v == 0 ? "" : " or ", SLICE_ARG(term->values[v].text));
		}
		strbuf_char(out, '}');
	}
}

static enum err_code refuse(struct arena *a, const struct grant_clause *list, size_t len, const struct have_texts *have,
                            size_t have_len, struct err *reterr)
{
	const struct slice *label = deciding_label(list, len, have, have_len);
	struct strbuf out;

	strbuf_init(&out, a, ADVICE_MAX);
	if (label != NULL) {
		strbuf_fmt(&out, "name one %.*s", SLICE_ARG(*label));

		size_t texts = advise_values(&out, list, len, *label, false, ": ");

		advise_values(&out, list, len, *label, true, texts > 0 ? ", or one like " : " like ");
	} else {
		strbuf_lit(&out, "add labels that fit only one of ");
		advise_clauses(&out, list, len);
	}
	return err_set(reterr, ERR_DENIED, ERR_NOWHERE, "%.*s%s", SLICE_ARG(strbuf_slice(&out)), out.full ? ", ..." : "");
}

/* fold, else choose, else refuse, for a grant of at least one clause */
static enum err_code choose(struct arena *a, const struct grants *g, const struct matchers *have, grants_plain_texts *plain,
                            struct matchers *ret, struct err *reterr)
{
	struct grant_clause *list = ARENA_ARRAY(a, g->len, struct grant_clause);
	struct have_texts *texts = ARENA_ARRAY(a, have->len, struct have_texts);
	size_t len = g->len, have_len;
	enum err_code rc;

	if (list == NULL || texts == NULL)
		return err_nomem(reterr);
	memcpy(list, g->clauses, len * sizeof(*list));
	rc = fold(a, list, &len, reterr);
	if (rc != ERR_OK || len == 1)
		return rc != ERR_OK ? rc : grant_clause_matchers(a, &list[0], ret, reterr);

	/* The clauses as granted are ruled out one by one; what is left may fold where the whole did not. */
	have_len = plain_matchers(a, have, plain, texts);
	len = 0;
	for (size_t i = 0; i < g->len; i++)
		if (!ruled_out(&g->clauses[i], texts, have_len))
			list[len++] = g->clauses[i];
	if (len == 0)
		return refuse(a, g->clauses, g->len, texts, have_len, reterr);
	rc = fold(a, list, &len, reterr);
	if (rc != ERR_OK || len == 1)
		return rc != ERR_OK ? rc : grant_clause_matchers(a, &list[0], ret, reterr);
	return refuse(a, list, len, texts, have_len, reterr);
}

enum err_code grants_choose(struct arena *a, const struct grants *g, const struct matchers *have, grants_plain_texts *plain,
                            struct matchers *ret, struct err *reterr)
{
	if (g->all) {
		*ret = (struct matchers){ NULL, 0 };
		return ERR_OK;
	}
	if (g->len == 0)
		return err_set(reterr, ERR_DENIED, ERR_NOWHERE, "nothing is granted to this caller");
	if (g->len == 1)
		return grant_clause_matchers(a, &g->clauses[0], ret, reterr);
	return choose(a, g, have, plain, ret, reterr);
}
