/* clause.c - values, what covers what, and printing; see clause.h. */
#include "tenants/clause.h"

#include "base/json.h"
#include "base/strbuf.h"

#include <stdlib.h>

/* the next star that is a wildcard at or behind `from`, or s.len */
static size_t find_wildcard(struct slice s, size_t from)
{
	for (size_t i = from; i < s.len; i++) {
		if (s.ptr[i] == '*')
			return i;
		if (s.ptr[i] == '\\' && i + 1 < s.len && s.ptr[i + 1] == '*')
			i++;
	}
	return s.len;
}

/* s without the backslashes that stand before a star */
static bool unescape(struct arena *a, struct slice s, struct slice *ret)
{
	char *out = arena_alloc(a, s.len);
	size_t n = 0;

	if (out == NULL)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\\' && i + 1 < s.len && s.ptr[i + 1] == '*')
			i++;
		out[n++] = s.ptr[i];
	}
	*ret = slice_from(out, n);
	return true;
}

enum err_code grant_value_parse(struct arena *a, struct slice text, struct grant_value *ret, struct err *reterr)
{
	struct grant_value v = { .glob = find_wildcard(text, 0) < text.len };

	if (text.len == 0)
		return err_set(reterr, ERR_INVALID, ERR_NOWHERE, "a grant never matches a missing label: the value must not be empty "
		               "(\"*\" is any value)");
	if (!utf8_valid(text))
		return err_set(reterr, ERR_INVALID, ERR_NOWHERE, "a label value must be UTF-8");
	if (!(v.glob ? arena_dup(a, text, &v.text) : unescape(a, text, &v.text)))
		return err_nomem(reterr);
	*ret = v;
	return ERR_OK;
}

/* One character of a glob at *at: true and moved past when it is a wildcard, else *c is the literal byte. */
static bool glob_step(struct slice glob, size_t *at, char *c)
{
	if (glob.ptr[*at] == '\\' && *at + 1 < glob.len && glob.ptr[*at + 1] == '*')
		(*at)++;
	else if (glob.ptr[*at] == '*') {
		(*at)++;
		return true;
	}
	*c = glob.ptr[(*at)++];
	return false;
}

/* Greedy with one place to go back to: a later star makes an earlier one's choice final, so the work is bounded by the
 * product of the lengths. */
static bool glob_meets(struct slice glob, struct slice v)
{
	size_t g = 0, i = 0, back_g = SIZE_MAX, back_i = 0;

	while (i < v.len || g < glob.len) {
		char c = 0;

		if (g < glob.len) {
			size_t next = g;

			if (glob_step(glob, &next, &c)) {
				g = back_g = next;
				back_i = i;
				continue;
			}
			if (i < v.len && v.ptr[i] == c) {
				g = next;
				i++;
				continue;
			}
		}
		if (back_g == SIZE_MAX || back_i >= v.len)
			return false;
		g = back_g;
		i = ++back_i;
	}
	return true;
}

bool grant_value_meets(const struct grant_value *g, struct slice v)
{
	if (v.len == 0)
		return false;
	return g->glob ? glob_meets(g->text, v) : slice_eq(g->text, v);
}

bool grant_term_meets(const struct grant_term *t, struct slice v)
{
	for (size_t i = 0; i < t->values_len; i++)
		if (grant_value_meets(&t->values[i], v))
			return true;
	return false;
}

static bool value_covers(const struct grant_value *x, const struct grant_value *y)
{
	if (x->glob == y->glob)
		return slice_eq(x->text, y->text);
	return x->glob && grant_value_meets(x, y->text);
}

static bool values_cover(const struct grant_value *x, size_t len, const struct grant_value *y)
{
	for (size_t i = 0; i < len; i++)
		if (value_covers(&x[i], y))
			return true;
	return false;
}

bool grant_term_covers(const struct grant_term *x, const struct grant_term *y)
{
	if (!slice_eq(x->label, y->label))
		return false;
	if (x->values == y->values && x->values_len == y->values_len)
		return true;
	for (size_t i = 0; i < y->values_len; i++)
		if (!values_cover(x->values, x->values_len, &y->values[i]))
			return false;
	return true;
}

bool grant_term_eq(const struct grant_term *x, const struct grant_term *y)
{
	return grant_term_covers(x, y) && grant_term_covers(y, x);
}

/* each term of x covers some term of y */
bool grant_clause_covers(const struct grant_clause *x, const struct grant_clause *y)
{
	for (size_t i = 0; i < x->terms_len; i++) {
		bool found = false;

		for (size_t j = 0; j < y->terms_len && !found; j++)
			found = grant_term_covers(&x->terms[i], &y->terms[j]);
		if (!found)
			return false;
	}
	return true;
}

static int by_label(const void *x, const void *y)
{
	return slice_cmp(((const struct grant_term *)x)->label, ((const struct grant_term *)y)->label);
}

bool grant_clause_product(struct arena *a, const struct grant_clause *x, const struct grant_clause *y,
                          struct grant_clause *ret)
{
	struct grant_term *terms = ARENA_ARRAY(a, x->terms_len + y->terms_len, struct grant_term);
	size_t n = x->terms_len;

	if (terms == NULL)
		return false;
	memcpy(terms, x->terms, n * sizeof(*terms));
	for (size_t j = 0; j < y->terms_len; j++) {
		bool there = false;

		for (size_t i = 0; i < x->terms_len && !there; i++)
			there = grant_term_eq(&x->terms[i], &y->terms[j]);
		if (!there)
			terms[n++] = y->terms[j];
	}
	qsort(terms, n, sizeof(*terms), by_label);
	*ret = (struct grant_clause){ terms, n };
	return true;
}

bool grant_term_sum(struct arena *a, const struct grant_term *x, const struct grant_term *y, struct grant_term *ret)
{
	struct grant_value *values = ARENA_ARRAY(a, x->values_len + y->values_len, struct grant_value);
	size_t n = x->values_len;

	if (values == NULL)
		return false;
	memcpy(values, x->values, n * sizeof(*values));
	for (size_t i = 0; i < y->values_len; i++)
		if (!values_cover(values, n, &y->values[i]))
			values[n++] = y->values[i];
	*ret = (struct grant_term){ x->label, values, n };
	return true;
}

size_t grant_term_text_bytes(const struct grant_term *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->values_len; i++)
		n += t->values[i].text.len + 1;
	return n;
}

static bool is_regexp_sign(char c)
{
	return c != '\0' && strchr("\\.+*?()|[]{}^$", c) != NULL;
}

/* true when a glob is stars and nothing else, and so could match the empty text */
static bool only_wildcards(struct slice glob)
{
	for (size_t i = 0; i < glob.len; i++)
		if (glob.ptr[i] != '*')
			return false;
	return true;
}

static void print_quoted(struct strbuf *out, char c)
{
	if (is_regexp_sign(c))
		strbuf_char(out, '\\');
	strbuf_char(out, c);
}

static void print_glob(struct strbuf *out, struct slice glob)
{
	bool after_wildcard = false;

	if (only_wildcards(glob)) {
		strbuf_lit(out, ".+");
		return;
	}
	for (size_t i = 0; i < glob.len;) {
		char c;
		bool wildcard = glob_step(glob, &i, &c);

		if (!wildcard)
			print_quoted(out, c);
		else if (!after_wildcard)
			strbuf_lit(out, ".*");
		after_wildcard = wildcard;
	}
}

static void print_value(struct strbuf *out, const struct grant_value *v)
{
	if (v->glob)
		print_glob(out, v->text);
	else
		for (size_t i = 0; i < v->text.len; i++)
			print_quoted(out, v->text.ptr[i]);
}

enum err_code grant_term_matcher(struct arena *a, const struct grant_term *t, struct matcher *ret, struct err *reterr)
{
	struct strbuf out;

	if (t->values_len == 1 && !t->values[0].glob) {
		*ret = (struct matcher){ t->label, MATCH_EQ, t->values[0].text };
		return ERR_OK;
	}
	if (grant_term_text_bytes(t) > GRANT_TEXT_MAX)
		return err_rule(reterr, ERR_LIMIT, "grant_text", ERR_NOWHERE,
		                "the values granted of label \"%.*s\" come to more than %d bytes", SLICE_ARG(t->label), GRANT_TEXT_MAX);
	strbuf_init(&out, a, (size_t)2 * GRANT_TEXT_MAX);
	for (size_t i = 0; i < t->values_len; i++) {
		if (i > 0)
			strbuf_char(&out, '|');
		print_value(&out, &t->values[i]);
	}
	if (out.full)
		return err_nomem(reterr);
	*ret = (struct matcher){ t->label, MATCH_RE, strbuf_slice(&out) };
	return ERR_OK;
}

enum err_code grant_clause_matchers(struct arena *a, const struct grant_clause *c, struct matchers *ret, struct err *reterr)
{
	struct matcher *v = ARENA_ARRAY(a, c->terms_len, struct matcher);
	enum err_code rc = v == NULL ? err_nomem(reterr) : ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < c->terms_len; i++)
		rc = grant_term_matcher(a, &c->terms[i], &v[i], reterr);
	if (rc == ERR_OK)
		*ret = (struct matchers){ v, c->terms_len };
	return rc;
}
