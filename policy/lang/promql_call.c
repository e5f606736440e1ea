/* promql_call.c - function calls, aggregations, and the types that operators and functions take. */
#include "policy/lang/promql_parse.h"

/* arguments: "(" [expr ("," expr)*] ")"; each becomes a child of e. Only an aggregation or a call may be e. */
static enum err_code arguments(struct promql_parser *p, struct expr **list, size_t *len)
{
	enum err_code rc = promql_expect(p, TOKEN_LEFT_PAREN, "before arguments");
	struct expr **next = list;

	*len = 0;
	if (rc == ERR_OK && p->token->type == TOKEN_RIGHT_PAREN) {
		promql_advance(p);
		return ERR_OK;
	}
	while (rc == ERR_OK) {
		rc = promql_expr(p, PRECEDENCE_ANY, next);
		if (rc != ERR_OK)
			return rc;
		next = &(*next)->sibling;
		(*len)++;
		if (p->token->type != TOKEN_COMMA)
			return promql_expect(p, TOKEN_RIGHT_PAREN, "in a list of arguments");
		promql_advance(p);
	}
	return rc;
}

/* makes the arguments the children of e */
static void adopt_all(struct expr *e, struct expr *list)
{
	while (list != NULL) {
		struct expr *next = list->sibling;

		list->sibling = NULL;
		promql_adopt(e, list);
		list = next;
	}
}

static enum err_code wrong_type(struct promql_parser *p, const struct expr *e, enum value_type want, struct slice what)
{
	return err_set(p->err, ERR_INVALID, e->at, "%.*s() takes a %s here, this is a %s", SLICE_ARG(what),
	               value_type_text(want), value_type_text(e->type));
}

static enum err_code check_aggregate(struct promql_parser *p, const struct aggregate_expr *a, size_t args)
{
	const struct expr *param = a->expr.child;
	struct slice name = slice_cstr(token_text(a->op));
	size_t want = token_takes_parameter(a->op) ? 2 : 1;

	if (args != want)
		return err_set(p->err, ERR_INVALID, a->expr.at, "%.*s() takes %zu argument%s, here are %zu", SLICE_ARG(name),
		               want, want == 1 ? "" : "s", args);
	if ((a->op == TOKEN_LIMITK || a->op == TOKEN_LIMIT_RATIO) && !(p->features & FEATURE_EXPERIMENTAL))
		return err_set(p->err, ERR_INVALID, a->expr.at, "%.*s() is experimental and not switched on", SLICE_ARG(name));
	if (a->expr.last_child->type != TYPE_VECTOR)
		return wrong_type(p, a->expr.last_child, TYPE_VECTOR, name);
	if (want == 2) {
		enum value_type type = a->op == TOKEN_COUNT_VALUES ? TYPE_STRING : TYPE_SCALAR;

		if (param->type != type)
			return wrong_type(p, param, type, name);
	}
	return ERR_OK;
}

/* grouping: ("by" | "without") label_names; by () says no more than nothing at all */
static enum err_code grouping(struct promql_parser *p, bool *without, struct label_names *labels)
{
	*without = p->token->type == TOKEN_WITHOUT;
	promql_advance(p);
	return promql_label_names(p, labels);
}

/* aggregation: AGGREGATOR [grouping] arguments | AGGREGATOR arguments grouping */
enum err_code promql_aggregation(struct promql_parser *p, const struct token *word, struct expr **ret)
{
	bool without = false, grouped = p->token->type != TOKEN_LEFT_PAREN;
	struct label_names labels = { 0 };
	struct expr *list = NULL;
	enum token_type op = word->type;
	size_t at = word->at, args;
	enum err_code rc = grouped ? grouping(p, &without, &labels) : ERR_OK;

	if (rc == ERR_OK)
		rc = arguments(p, &list, &args);
	if (rc == ERR_OK && !grouped && (p->token->type == TOKEN_BY || p->token->type == TOKEN_WITHOUT))
		rc = grouping(p, &without, &labels);
	if (rc != ERR_OK)
		return rc;

	struct aggregate_expr *a = promql_node(p, EXPR_AGGREGATE, TYPE_VECTOR, at, sizeof(*a));

	if (a == NULL)
		return err_nomem(p->err);
	a->op = op;
	a->without = without;
	a->labels = labels;
	adopt_all(&a->expr, list);
	*ret = &a->expr;
	return check_aggregate(p, a, args);
}

static enum err_code check_count(struct promql_parser *p, const struct call_expr *c, size_t args)
{
	const struct promql_function *f = c->function;
	size_t least = f->variadic == 0 ? f->args_len : f->args_len - 1;
	size_t most = f->variadic < 0 ? SIZE_MAX : least + (size_t)f->variadic;

	if (args >= least && args <= most)
		return ERR_OK;
	if (most == SIZE_MAX)
		return err_set(p->err, ERR_INVALID, c->expr.at, "%.*s() takes at least %zu arguments, here are %zu",
		               SLICE_ARG(f->name), least, args);
	return err_set(p->err, ERR_INVALID, c->expr.at, least == most ? "%.*s() takes %zu arguments, here are %zu"
	               : "%.*s() takes %zu arguments or up to %zu more, here are %zu",
	               SLICE_ARG(f->name), least, least == most ? args : most - least, args);
}

/* info(v, {..}): the braces choose the info series. With one argument the backend chooses them itself, by no selector
 * that we could narrow, so that form is refused. */
static enum err_code check_info(struct promql_parser *p, const struct call_expr *c)
{
	struct expr *second = c->expr.child->sibling;

	if (second == NULL)
		return err_rule(p->err, ERR_STRICT, "info_one_argument", c->expr.at,
		                "info() needs a second argument here, such as info(x, {__name__=\"target_info\"})");
	if (second->kind != EXPR_SELECTOR || ((struct selector_expr *)second)->outer_name)
		return err_set(p->err, ERR_INVALID, second->at, "the second argument of info() is matchers in braces");
	p->open_selectors -= !((struct selector_expr *)second)->excludes_empty;
	((struct selector_expr *)second)->may_be_empty = true;
	return ERR_OK;
}

static enum err_code check_call(struct promql_parser *p, const struct call_expr *c, size_t args)
{
	const struct promql_function *f = c->function;
	enum err_code rc = check_count(p, c, args);
	size_t i = 0;

	for (const struct expr *e = c->expr.child; rc == ERR_OK && e != NULL; e = e->sibling, i++) {
		enum value_type want = f->args[i < f->args_len ? i : f->args_len - 1];

		if (e->type != want)
			rc = wrong_type(p, e, want, f->name);
	}
	if (rc == ERR_OK && slice_eq(f->name, SLICE("info")))
		rc = check_info(p, c);
	return rc;
}

/* call: NAME arguments */
enum err_code promql_call(struct promql_parser *p, const struct token *word, struct expr **ret)
{
	const struct promql_function *f = promql_function_find(word->text);
	struct expr *list = NULL;
	size_t at = word->at, args;

	if (f == NULL)
		return err_set(p->err, ERR_INVALID, word->at, "there is no function %.*s()",
		               (int)(word->text.len < 60 ? word->text.len : 60), word->text.ptr);
	if (f->experimental && !(p->features & FEATURE_EXPERIMENTAL))
		return err_set(p->err, ERR_INVALID, word->at, "%.*s() is experimental and not switched on", SLICE_ARG(f->name));

	enum err_code rc = arguments(p, &list, &args);

	if (rc != ERR_OK)
		return rc;

	struct call_expr *c = promql_node(p, EXPR_CALL, f->returns, at, sizeof(*c));

	if (c == NULL)
		return err_nomem(p->err);
	c->function = f;
	adopt_all(&c->expr, list);
	*ret = &c->expr;
	return check_call(p, c, args);
}

static bool names_have(const struct label_names *names, struct slice name)
{
	for (size_t i = 0; i < names->len; i++)
		if (slice_eq(names->v[i], name))
			return true;
	return false;
}

/* between two instant vectors */
static enum err_code check_vectors(struct promql_parser *p, const struct binary_expr *b)
{
	const struct matching *m = b->matching;

	if (m == NULL || !token_is_set_operator(b->op))
		return ERR_OK;
	if (m->group != GROUP_NONE)
		return err_set(p->err, ERR_INVALID, b->expr.at, "%s takes no group_left or group_right", token_text(b->op));
	if (m->has_fill_left || m->has_fill_right)
		return err_set(p->err, ERR_INVALID, b->expr.at, "%s takes no fill", token_text(b->op));
	return ERR_OK;
}

/* with a scalar on one side or both. Empty lists such as on () pass, and mean nothing. */
static enum err_code check_scalars(struct promql_parser *p, struct binary_expr *b)
{
	const struct matching *m = b->matching;

	if (token_is_set_operator(b->op))
		return err_set(p->err, ERR_INVALID, b->expr.at, "%s needs an instant vector on both sides", token_text(b->op));
	if (m != NULL && m->labels.len > 0)
		return err_set(p->err, ERR_INVALID, b->expr.at, "on and ignoring need an instant vector on both sides");
	if (m != NULL && (m->has_fill_left || m->has_fill_right))
		return err_set(p->err, ERR_INVALID, b->expr.at, "fill needs an instant vector on both sides");
	b->matching = NULL;
	return ERR_OK;
}

enum err_code promql_check_binary(struct promql_parser *p, struct binary_expr *b)
{
	const struct expr *left = b->expr.child, *right = b->expr.last_child;
	const struct matching *m = b->matching;
	bool comparison = token_is_comparison(b->op);

	for (const struct expr *e = left; e != NULL; e = e->sibling)
		if (e->type != TYPE_SCALAR && e->type != TYPE_VECTOR)
			return err_set(p->err, ERR_INVALID, e->at, "%s needs scalars or instant vectors, this is a %s",
			               token_text(b->op), value_type_text(e->type));
	if (b->is_bool && !comparison)
		return err_set(p->err, ERR_INVALID, b->expr.at, "bool stands behind comparisons only, not behind %s",
		               token_text(b->op));
	if (left->type == TYPE_SCALAR && right->type == TYPE_SCALAR) {
		b->expr.type = TYPE_SCALAR;
		if (comparison && !b->is_bool)
			return err_set(p->err, ERR_INVALID, b->expr.at, "between scalars write %s bool", token_text(b->op));
	}
	if (m != NULL && m->on)
		for (size_t i = 0; i < m->labels.len; i++)
			if (names_have(&m->include, m->labels.v[i]))
				return err_set(p->err, ERR_INVALID, b->expr.at, "a label stands in on and in the group list");
	if (left->type == TYPE_VECTOR && right->type == TYPE_VECTOR)
		return check_vectors(p, b);
	return check_scalars(p, b);
}
