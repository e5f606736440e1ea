/* promql_print.c - the canonical text of a PromQL tree: it reads back as the same tree.
 *
 * One walk along the links of the tree, without recursion. Parentheses are nodes, so none need to be thought of here.
 * Matchers are printed in order of name, operator and value: one text for one meaning.
 */
#include "policy/lang/duration.h"
#include "policy/lang/lexer.h"
#include "policy/lang/promql_tree.h"

#include <math.h>

/* [A-Za-z_:][A-Za-z0-9_:]* */
static bool metric_name_plain(struct slice name)
{
	if (name.len == 0 || char_is(name.ptr[0], CHAR_DIGIT))
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (name.ptr[i] != ':' && !char_is(name.ptr[i], CHAR_ALPHA | CHAR_DIGIT))
			return false;
	return true;
}

static int matcher_cmp(const struct matcher *x, const struct matcher *y)
{
	int c = slice_cmp(x->name, y->name);

	if (c == 0)
		c = (int)x->op - (int)y->op;
	return c != 0 ? c : slice_cmp(x->value, y->value);
}

/* fills ret with the numbers of the matchers from first on, in order */
static void sort_matchers(const struct label_set *set, size_t first, uint16_t *ret)
{
	for (size_t i = first; i < set->len; i++) {
		size_t at = i - first;

		for (; at > 0 && matcher_cmp(&set->v[i], &set->v[ret[at - 1]]) < 0; at--)
			ret[at] = ret[at - 1];
		ret[at] = (uint16_t)i;
	}
}

static bool is_plain(const struct selector_expr *s, size_t i)
{
	return i < 64 && (s->plain >> i & 1) != 0;
}

static void print_matcher(struct strbuf *out, const struct selector_expr *s, size_t i)
{
	static const struct {
		char text[STRBUF_PAD];
		size_t len;
	} ops[] = { [MATCH_EQ] = { "=\"", 2 }, [MATCH_NE] = { "!=\"", 3 }, [MATCH_RE] = { "=~\"", 3 }, [MATCH_NRE] = { "!~\"", 3 } };
	const struct matcher *m = &s->set.v[i];

	if (is_plain(s, i)) {
		strbuf_add_padded(out, m->name);
		strbuf_add_padded(out, slice_from(ops[m->op].text, ops[m->op].len));
		strbuf_add_padded(out, m->value);
		strbuf_char(out, '"');
		return;
	}
	if (label_name_plain(m->name))
		strbuf_add(out, m->name);
	else
		lexer_quote(out, m->name);
	strbuf_add_padded(out, slice_from(ops[m->op].text, ops[m->op].len - 1));
	lexer_quote(out, m->value);
}

/* The name stands before the braces when it was written there, is plain, and is the only one. */
static bool name_outside(const struct selector_expr *s)
{
	if (!s->outer_name || (!is_plain(s, 0) && !metric_name_plain(s->set.v[0].value)))
		return false;
	for (size_t i = 1; i < s->set.len; i++)
		if (slice_eq(s->set.v[i].name, s->set.v[0].name))
			return false;
	return true;
}

static void print_outer_name(struct strbuf *out, const struct selector_expr *s)
{
	if (is_plain(s, 0))
		strbuf_add_padded(out, s->set.v[0].value);
	else
		strbuf_add(out, s->set.v[0].value);
}

void promql_print_selector(struct strbuf *out, const struct selector_expr *s)
{
	bool outside = name_outside(s);
	size_t first = outside ? 1 : 0, len = s->set.len - first;
	uint16_t few[16], *sorted = few;

	if (outside)
		print_outer_name(out, s);
	if (outside && len == 0)
		return;
	if (len > sizeof(few) / sizeof(few[0])) {
		sorted = ARENA_ARRAY(out->arena, len, uint16_t);
		if (sorted == NULL || len > UINT16_MAX) {
			out->full = true;
			return;
		}
	}
	sort_matchers(&s->set, first, sorted);
	for (size_t i = 0; i < len; i++) {
		strbuf_char(out, i == 0 ? '{' : ',');
		print_matcher(out, s, sorted[i]);
	}
	if (len == 0)
		strbuf_char(out, '{');
	strbuf_char(out, '}');
}

/* Milliseconds where they read back as written, which they do up to the year 30000; the number itself beyond. */
static void print_at_time(struct strbuf *out, const struct modifiers *m)
{
	uint64_t ms = m->at_ms < 0 ? 0 - (uint64_t)m->at_ms : (uint64_t)m->at_ms;

	if (ms >= 1000000000000000) {
		lexer_print_number(out, m->at_seconds);
		return;
	}
	if (m->at_ms < 0)
		strbuf_char(out, '-');
	strbuf_u64(out, ms / 1000);
	strbuf_add(out, slice_from((char[]){ '.', (char)('0' + ms / 100 % 10), (char)('0' + ms / 10 % 10), (char)('0' + ms % 10) }, 4));
}

/* true when the token behind the text of e is an operator that a duration could have, too */
static bool arithmetic_follows(const struct expr *e)
{
	for (; e->parent != NULL; e = e->parent) {
		enum expr_kind kind = e->parent->kind;

		if (kind == EXPR_BINARY && e->sibling != NULL)
			return token_precedence(((const struct binary_expr *)e->parent)->op) >= token_precedence(TOKEN_ADD);
		if (kind != EXPR_BINARY && kind != EXPR_UNARY)
			return false;
	}
	return false;
}

/* Behind `offset (1h)` a plus belongs to the duration, behind `offset +(1h)` to the query; see promql_duration.c. */
static void print_offset(struct strbuf *out, const struct expr *e, const struct duration *offset)
{
	strbuf_lit(out, " offset ");
	if (offset->op == DURATION_PAREN && arithmetic_follows(e))
		strbuf_char(out, '+');
	promql_duration_print(out, offset);
}

static void print_modifiers(struct strbuf *out, const struct expr *e, const struct modifiers *m)
{
	if (m->anchored)
		strbuf_lit(out, " anchored");
	if (m->smoothed)
		strbuf_lit(out, " smoothed");
	switch (m->at) {
	case AT_NONE: break;
	case AT_TIME:
		strbuf_lit(out, " @ ");
		print_at_time(out, m);
		break;
	case AT_START: strbuf_lit(out, " @ start()"); break;
	case AT_END: strbuf_lit(out, " @ end()"); break;
	}
	if (m->offset != NULL)
		print_offset(out, e, m->offset);
}

/* A word that is no name in a list of labels is quoted there, as is all that is no plain name. */
static bool label_needs_quotes(struct slice name)
{
	return !label_name_plain(name) || slice_ieq(name, SLICE("without")) || slice_ieq(name, SLICE("inf")) ||
	       slice_ieq(name, SLICE("nan"));
}

static void print_labels(struct strbuf *out, const struct label_names *names)
{
	strbuf_lit(out, " (");
	for (size_t i = 0; i < names->len; i++) {
		if (i > 0)
			strbuf_lit(out, ", ");
		if (label_needs_quotes(names->v[i]))
			lexer_quote(out, names->v[i]);
		else
			strbuf_add(out, names->v[i]);
	}
	strbuf_char(out, ')');
}

static void print_fill(struct strbuf *out, const char *word, double v)
{
	strbuf_char(out, ' ');
	strbuf_add(out, slice_cstr(word));
	strbuf_lit(out, " (");
	lexer_print_number(out, v);
	strbuf_char(out, ')');
}

static void print_matching(struct strbuf *out, const struct matching *m)
{
	if (m->on || m->labels.len > 0 || m->group != GROUP_NONE) {
		strbuf_add(out, m->on ? SLICE(" on") : SLICE(" ignoring"));
		print_labels(out, &m->labels);
	}
	if (m->group != GROUP_NONE) {
		strbuf_add(out, m->group == GROUP_LEFT ? SLICE(" group_left") : SLICE(" group_right"));
		print_labels(out, &m->include);
	}
	if (m->has_fill_left && m->has_fill_right && same_number(m->fill_left, m->fill_right)) {
		print_fill(out, "fill", m->fill_left);
		return;
	}
	if (m->has_fill_left)
		print_fill(out, "fill_left", m->fill_left);
	if (m->has_fill_right)
		print_fill(out, "fill_right", m->fill_right);
}

static void print_number(struct strbuf *out, const struct number_expr *n)
{
	if (n->is_duration)
		duration_print(out, n->value);
	else
		lexer_print_number(out, n->value);
}

static void print_aggregate(struct strbuf *out, const struct aggregate_expr *a)
{
	strbuf_add_padded(out, token_slice(a->op));
	if (a->without || a->labels.len > 0) {
		strbuf_add(out, a->without ? SLICE(" without") : SLICE(" by"));
		print_labels(out, &a->labels);
		strbuf_char(out, ' ');
	}
	strbuf_char(out, '(');
}

static void print_name(struct strbuf *out, const struct promql_function *f)
{
	strbuf_add_padded(out, slice_from(f->padded_name, f->name.len));
}

/* what stands before the first child; all of it when there is none */
static void print_before(struct strbuf *out, const struct expr *e)
{
	switch (e->kind) {
	case EXPR_NUMBER: print_number(out, (const struct number_expr *)e); break;
	case EXPR_STRING: lexer_quote(out, ((const struct string_expr *)e)->value); break;
	case EXPR_SELECTOR:
		promql_print_selector(out, (const struct selector_expr *)e);
		print_modifiers(out, e, &((const struct selector_expr *)e)->modifiers);
		break;
	case EXPR_PAREN: strbuf_char(out, '('); break;
	case EXPR_UNARY: strbuf_char(out, ((const struct unary_expr *)e)->op == TOKEN_SUB ? '-' : '+'); break;
	case EXPR_AGGREGATE: print_aggregate(out, (const struct aggregate_expr *)e); break;
	case EXPR_CALL:
		print_name(out, ((const struct call_expr *)e)->function);
		strbuf_char(out, '(');
		break;
	case EXPR_RANGE:
	case EXPR_SUBQUERY:
	case EXPR_BINARY: break;
	}
}

/* what stands between two children */
static void print_between(struct strbuf *out, const struct expr *e)
{
	const struct binary_expr *b = (const struct binary_expr *)e;

	if (e->kind != EXPR_BINARY) {
		strbuf_lit(out, ", ");
		return;
	}
	strbuf_char(out, ' ');
	strbuf_add_padded(out, token_slice(b->op));
	if (b->is_bool)
		strbuf_lit(out, " bool");
	if (b->matching != NULL)
		print_matching(out, b->matching);
	strbuf_char(out, ' ');
}

static void print_range(struct strbuf *out, const struct range_expr *r)
{
	strbuf_char(out, '[');
	promql_duration_print(out, r->range);
	strbuf_char(out, ']');
	print_modifiers(out, &r->expr, &r->modifiers);
}

static void print_subquery(struct strbuf *out, const struct subquery_expr *q)
{
	strbuf_char(out, '[');
	promql_duration_print(out, q->range);
	strbuf_char(out, ':');
	if (q->step != NULL)
		promql_duration_print(out, q->step);
	strbuf_char(out, ']');
	print_modifiers(out, &q->expr, &q->modifiers);
}

/* what stands behind the last child */
static void print_after(struct strbuf *out, const struct expr *e)
{
	switch (e->kind) {
	case EXPR_RANGE: print_range(out, (const struct range_expr *)e); break;
	case EXPR_SUBQUERY: print_subquery(out, (const struct subquery_expr *)e); break;
	case EXPR_PAREN:
	case EXPR_AGGREGATE:
	case EXPR_CALL: strbuf_char(out, ')'); break;
	case EXPR_NUMBER:
	case EXPR_STRING:
	case EXPR_SELECTOR:
	case EXPR_UNARY:
	case EXPR_BINARY: break;
	}
}

enum err_code promql_print(const struct stmt *s, struct strbuf *out)
{
	const struct promql_tree *tree = s->tree;
	const struct expr *e = tree->root;

	for (;;) {
		print_before(out, e);
		if (e->child != NULL) {
			e = e->child;
			continue;
		}
		print_after(out, e);
		while (e != tree->root && e->sibling == NULL) {
			e = e->parent;
			print_after(out, e);
		}
		if (e == tree->root)
			break;
		print_between(out, e->parent);
		e = e->sibling;
	}
	return out->full ? ERR_LIMIT : ERR_OK;
}
