/* promql_equal.c - whether two trees say the same: as strict as the second reading needs.
 *
 * Nodes are compared in the order in which they were made, from the last to the first. A node comes right behind its
 * children, so equal kinds and equal parents mean an equal shape: no recursion is needed.
 */
#include "policy/lang/lexer.h"
#include "policy/lang/promql_tree.h"

static size_t count(const struct label_set *set, const struct matcher *m)
{
	size_t n = 0;

	for (size_t i = 0; i < set->len; i++)
		n += matcher_eq(&set->v[i], m);
	return n;
}

/* the i-th matchers of both */
static bool same_place(const struct selector_expr *x, const struct selector_expr *y, size_t i)
{
	const struct matcher *a = &x->set.v[i], *b = &y->set.v[i];

	if (i < 64 && (x->plain & y->plain) >> i & 1)
		return a->op == b->op && padded_eq(a->name, b->name) && padded_eq(a->value, b->value);
	return matcher_eq(a, b);
}

/* the order of matchers does not matter, how often each stands does */
static bool sets_equal(const struct selector_expr *x, const struct selector_expr *y)
{
	if (x->set.len != y->set.len)
		return false;
	for (size_t i = 0; i < x->set.len; i++)
		if (!same_place(x, y, i) && count(&x->set, &x->set.v[i]) != count(&y->set, &x->set.v[i]))
			return false;
	return true;
}

static bool modifiers_equal(const struct modifiers *x, const struct modifiers *y)
{
	return x->at == y->at && x->at_ms == y->at_ms && x->anchored == y->anchored && x->smoothed == y->smoothed &&
	       promql_duration_equal(x->offset, y->offset);
}

bool promql_selector_equal(const struct selector_expr *x, const struct selector_expr *y)
{
	return sets_equal(x, y) && modifiers_equal(&x->modifiers, &y->modifiers);
}

static bool names_equal(const struct label_names *x, const struct label_names *y)
{
	if (x->len != y->len)
		return false;
	for (size_t i = 0; i < x->len; i++)
		if (!slice_eq(x->v[i], y->v[i]))
			return false;
	return true;
}

static bool fill_equal(bool has_x, double x, bool has_y, double y)
{
	return has_x == has_y && (!has_x || same_number(x, y));
}

static bool matching_equal(const struct matching *x, const struct matching *y)
{
	if (x == NULL || y == NULL)
		return x == y;
	return x->on == y->on && x->group == y->group && names_equal(&x->labels, &y->labels) &&
	       names_equal(&x->include, &y->include) &&
	       fill_equal(x->has_fill_left, x->fill_left, y->has_fill_left, y->fill_left) &&
	       fill_equal(x->has_fill_right, x->fill_right, y->has_fill_right, y->fill_right);
}

static bool range_equal(const struct range_expr *x, const struct range_expr *y)
{
	return promql_duration_equal(x->range, y->range) && modifiers_equal(&x->modifiers, &y->modifiers);
}

static bool subquery_equal(const struct subquery_expr *x, const struct subquery_expr *y)
{
	return promql_duration_equal(x->range, y->range) && promql_duration_equal(x->step, y->step) &&
	       modifiers_equal(&x->modifiers, &y->modifiers);
}

static bool binary_equal(const struct binary_expr *x, const struct binary_expr *y)
{
	return x->op == y->op && x->is_bool == y->is_bool && matching_equal(x->matching, y->matching);
}

static bool aggregate_equal(const struct aggregate_expr *x, const struct aggregate_expr *y)
{
	return x->op == y->op && x->without == y->without && names_equal(&x->labels, &y->labels);
}

/* the two nodes themselves, without their children */
static bool node_equal(const struct expr *x, const struct expr *y)
{
	if (x->kind != y->kind || x->type != y->type)
		return false;
	switch (x->kind) {
	case EXPR_NUMBER: return same_number(((const struct number_expr *)x)->value, ((const struct number_expr *)y)->value);
	case EXPR_STRING: return slice_eq(((const struct string_expr *)x)->value, ((const struct string_expr *)y)->value);
	case EXPR_SELECTOR: return promql_selector_equal((const struct selector_expr *)x, (const struct selector_expr *)y);
	case EXPR_RANGE: return range_equal((const struct range_expr *)x, (const struct range_expr *)y);
	case EXPR_SUBQUERY: return subquery_equal((const struct subquery_expr *)x, (const struct subquery_expr *)y);
	case EXPR_PAREN: return true;
	case EXPR_UNARY: return ((const struct unary_expr *)x)->op == ((const struct unary_expr *)y)->op;
	case EXPR_BINARY: return binary_equal((const struct binary_expr *)x, (const struct binary_expr *)y);
	case EXPR_AGGREGATE: return aggregate_equal((const struct aggregate_expr *)x, (const struct aggregate_expr *)y);
	case EXPR_CALL: return ((const struct call_expr *)x)->function == ((const struct call_expr *)y)->function;
	}
	return false;
}

bool promql_equal(const struct stmt *sx, const struct stmt *sy)
{
	const struct expr *x = ((const struct promql_tree *)sx->tree)->root;
	const struct expr *y = ((const struct promql_tree *)sy->tree)->root;

	for (; x != NULL && y != NULL; x = x->prev, y = y->prev) {
		if (!node_equal(x, y))
			return false;
		if ((x->parent == NULL) != (y->parent == NULL) || (x->parent != NULL && x->parent->index != y->parent->index))
			return false;
	}
	return x == y;
}
