/* promql_parse.c - PromQL's expressions: operators by precedence, parentheses, ranges, subqueries, modifiers.
 *
 * Recursive descent with a counter; chains of binary operators are a loop. Types are checked as nodes are made. What is
 * accepted is what Prometheus' own grammar accepts, where that is odd too; such places say so.
 */
#include "policy/lang/promql_parse.h"

#include "policy/lang/duration.h"
#include "policy/lang/lexer.h"

#include <math.h>

enum err_code promql_parser_init(struct promql_parser *p, struct stmt *s, struct slice in, struct err *err)
{
	size_t max = s->options.max_bytes != 0 ? s->options.max_bytes : PROMQL_BYTES_MAX;
	const char *text = in.ptr;
	enum err_code rc = s->is_second_reading ? ERR_OK : lexer_text(s->arena, in, max, &text, err);

	if (rc != ERR_OK)
		return rc;
	p->stmt = s;
	p->arena = s->arena;
	p->err = err;
	p->features = s->options.features;
	p->token = p->tokens;
	p->depth = 0;
	p->last = NULL;
	p->nodes = 0;
	p->open_selectors = 0;
	p->names_twice = false;
	promql_lexer_init(&p->lexer, s->arena, text, s->is_second_reading ? SIZE_MAX : PROMQL_TOKENS_MAX, err);
	p->lexer.utf8_names = (p->features & FEATURE_UTF8) != 0;
	promql_advance(p);
	return ERR_OK;
}

enum err_code promql_unexpected(struct promql_parser *p, const char *where, const char *right)
{
	const struct token *t = p->token;

	if (t->type == TOKEN_ERROR)
		return p->err->code;
	if (t->type == TOKEN_EOF || t->text.len > 40 || t->type == TOKEN_STRING)
		return err_set(p->err, ERR_SYNTAX, t->at, "unexpected %s %s; right is %s", token_text(t->type), where, right);
	return err_set(p->err, ERR_SYNTAX, t->at, "unexpected \"%.*s\" %s; right is %s", SLICE_ARG(t->text), where, right);
}

enum err_code promql_expect(struct promql_parser *p, enum token_type type, const char *where)
{
	if (p->token->type != type)
		return promql_unexpected(p, where, token_text(type));
	promql_advance(p);
	return ERR_OK;
}

enum err_code promql_too_deep(struct promql_parser *p)
{
	return err_rule(p->err, ERR_LIMIT, "query_depth", p->token->at, "a query may be nested %d deep", PROMQL_DEPTH_MAX);
}

enum err_code promql_number(struct promql_parser *p, double *ret)
{
	const struct token *t = p->token;
	enum err_code rc = t->type == TOKEN_NUMBER ? lexer_number(p->arena, t->text, t->at, ret, p->err)
	                                           : duration_parse(t->text, t->at, ret, p->err);

	if (rc == ERR_OK)
		promql_advance(p);
	return rc;
}

/* number_literal: NUMBER | DURATION */
static enum err_code number_literal(struct promql_parser *p, struct expr **ret)
{
	struct number_expr *n = promql_node(p, EXPR_NUMBER, TYPE_SCALAR, p->token->at, sizeof(*n));

	if (n == NULL)
		return err_nomem(p->err);
	n->is_duration = p->token->type == TOKEN_DURATION;
	*ret = &n->expr;
	return promql_number(p, &n->value);
}

/* string_literal: STRING */
static enum err_code string_literal(struct promql_parser *p, struct expr **ret)
{
	struct string_expr *s = promql_node(p, EXPR_STRING, TYPE_STRING, p->token->at, sizeof(*s));

	if (s == NULL)
		return err_nomem(p->err);
	s->value = p->token->text;
	*ret = &s->expr;
	promql_advance(p);
	return ERR_OK;
}

/* paren: "(" expr ")" */
static enum err_code paren(struct promql_parser *p, struct expr **ret)
{
	size_t at = p->token->at;
	struct expr *inner = NULL;

	promql_advance(p);

	enum err_code rc = promql_expr(p, PRECEDENCE_ANY, &inner);

	if (rc == ERR_OK)
		rc = promql_expect(p, TOKEN_RIGHT_PAREN, "after an expression in parentheses");
	if (rc != ERR_OK)
		return rc;
	*ret = promql_node(p, EXPR_PAREN, inner->type, at, sizeof(**ret));
	if (*ret == NULL)
		return err_nomem(p->err);
	promql_adopt(*ret, inner);
	return ERR_OK;
}

/* A word is an aggregation, a function or a metric name by what follows it. */
static enum err_code word(struct promql_parser *p, struct expr **ret)
{
	const struct token *w = p->token;
	enum token_type type = w->type;

	promql_advance(p);
	if (token_is_aggregator(type) && (p->token->type == TOKEN_LEFT_PAREN || p->token->type == TOKEN_BY ||
	                                    p->token->type == TOKEN_WITHOUT))
		return promql_aggregation(p, w, ret);
	if (p->token->type == TOKEN_LEFT_PAREN && (type == TOKEN_IDENTIFIER || (type >= TOKEN_START && type <= TOKEN_MAX_OF)))
		return promql_call(p, w, ret);
	return promql_selector(p, w, ret);
}

/* operand: number_literal | string_literal | paren | selector | aggregation | call */
static enum err_code operand(struct promql_parser *p, struct expr **ret)
{
	switch (p->token->type) {
	case TOKEN_NUMBER:
	case TOKEN_DURATION: return number_literal(p, ret);
	case TOKEN_STRING: return string_literal(p, ret);
	case TOKEN_LEFT_PAREN: return paren(p, ret);
	case TOKEN_LEFT_BRACE: return promql_selector(p, NULL, ret);
	default: break;
	}
	if (token_is_metric_name(p->token->type))
		return word(p, ret);
	return promql_unexpected(p, "here", "a selector, a number, a function call or a parenthesis");
}

/* range: selector "[" duration "]"; all of it is read */
static enum err_code range(struct promql_parser *p, struct expr *of, struct duration *d, struct expr **ret)
{
	if (of->kind != EXPR_SELECTOR)
		return err_set(p->err, ERR_SYNTAX, d->at,
		               "a range stands right behind a selector; elsewhere write a subquery, as [5m:]");

	struct selector_expr *s = (struct selector_expr *)of;

	if (s->modifiers.offset != NULL || s->modifiers.at != AT_NONE)
		return err_set(p->err, ERR_SYNTAX, d->at, "offset and @ stand behind the range, as in x[5m] offset 1h");

	struct range_expr *r = promql_node(p, EXPR_RANGE, TYPE_MATRIX, of->at, sizeof(*r));

	if (r == NULL)
		return err_nomem(p->err);
	r->range = d;
	if (s->modifiers.anchored || s->modifiers.smoothed) {
		r->modifiers = s->modifiers;
		s->modifiers = (struct modifiers){ 0 };
	}
	promql_adopt(&r->expr, of);
	*ret = &r->expr;
	return ERR_OK;
}

/* subquery: expr "[" duration ":" [duration] "]"; read up to the colon */
static enum err_code subquery(struct promql_parser *p, struct expr *of, struct duration *d, struct expr **ret)
{
	struct duration *step = NULL;

	promql_advance(p);
	if (p->token->type != TOKEN_RIGHT_BRACKET) {
		enum err_code rc = promql_range_duration(p, &step);

		if (rc != ERR_OK)
			return rc;
	}
	if (of->type != TYPE_VECTOR)
		return err_set(p->err, ERR_INVALID, of->at, "a subquery needs an instant vector, this is a %s",
		               value_type_text(of->type));

	struct subquery_expr *q = promql_node(p, EXPR_SUBQUERY, TYPE_MATRIX, of->at, sizeof(*q));

	if (q == NULL)
		return err_nomem(p->err);
	q->range = d;
	q->step = step;
	promql_adopt(&q->expr, of);
	*ret = &q->expr;
	return promql_expect(p, TOKEN_RIGHT_BRACKET, "after a subquery");
}

/* brackets: range | subquery */
static enum err_code brackets(struct promql_parser *p, struct expr **of)
{
	struct duration *d = NULL;
	enum err_code rc = promql_plain_range(p, &d);

	if (rc == ERR_OK)
		return range(p, *of, d, of);
	if (rc != ERR_NOT_FOUND)
		return rc;
	promql_advance(p);
	rc = promql_range_duration(p, &d);
	if (rc != ERR_OK)
		return rc;
	if (p->token->type == TOKEN_COLON)
		return subquery(p, *of, d, of);
	rc = promql_expect(p, TOKEN_RIGHT_BRACKET, "after a range");
	return rc != ERR_OK ? rc : range(p, *of, d, of);
}

/* what a modifier is applied to, or an error when the expression takes none */
static enum err_code modified(struct promql_parser *p, struct expr *of, struct modifiers **ret)
{
	*ret = expr_modifiers(of);
	if (*ret == NULL)
		return err_set(p->err, ERR_SYNTAX, p->token->at,
		               "%s stands behind a selector, a range or a subquery", token_text(p->token->type));
	return ERR_OK;
}

/* offset: expr "offset" duration. An offset of zero counts as none, so another may follow it. */
static enum err_code offset(struct promql_parser *p, struct modifiers *m)
{
	struct duration *d = NULL;

	if (m->offset != NULL)
		return err_set(p->err, ERR_SYNTAX, p->token->at, "offset stands once");
	promql_advance(p);

	enum err_code rc = promql_offset_duration(p, &d);

	if (rc == ERR_OK && (d->op != DURATION_NUMBER || duration_ns(d->seconds) != 0))
		m->offset = d;
	return rc;
}

/* at_time: ["+" | "-"] (NUMBER | DURATION) */
static enum err_code at_time(struct promql_parser *p, struct modifiers *m)
{
	bool negative = p->token->type == TOKEN_SUB;
	size_t at = p->token->at;
	double seconds;

	if (negative || p->token->type == TOKEN_ADD)
		promql_advance(p);
	if (p->token->type != TOKEN_NUMBER && p->token->type != TOKEN_DURATION)
		return promql_unexpected(p, "after @", "a time in seconds, start() or end()");

	enum err_code rc = promql_number(p, &seconds);

	if (rc != ERR_OK)
		return rc;
	if (!(fabs(seconds) < 0x1p63))
		return err_set(p->err, ERR_SYNTAX, at, "this time is out of range");
	m->at = AT_TIME;
	m->at_seconds = negative ? -seconds : seconds;

	double ms = round(m->at_seconds * 1000);

	m->at_ms = ms >= -0x1p63 && ms < 0x1p63 ? (int64_t)ms : INT64_MIN;      /* as the backend's conversion does */
	return ERR_OK;
}

/* at: expr "@" (at_time | "start" "(" ")" | "end" "(" ")") */
static enum err_code at_modifier(struct promql_parser *p, struct modifiers *m)
{
	if (m->at != AT_NONE)
		return err_set(p->err, ERR_SYNTAX, p->token->at, "@ stands once");
	promql_advance(p);
	if (p->token->type != TOKEN_START && p->token->type != TOKEN_END)
		return at_time(p, m);
	m->at = p->token->type == TOKEN_START ? AT_START : AT_END;
	promql_advance(p);

	enum err_code rc = promql_expect(p, TOKEN_LEFT_PAREN, "after @ start or @ end");

	return rc != ERR_OK ? rc : promql_expect(p, TOKEN_RIGHT_PAREN, "after @ start( or @ end(");
}

/* smoothing: expr "anchored" | expr "smoothed" */
static enum err_code smoothing(struct promql_parser *p, const struct expr *of, struct modifiers *m)
{
	bool *mine = p->token->type == TOKEN_ANCHORED ? &m->anchored : &m->smoothed;

	if (of->kind == EXPR_SUBQUERY)
		return err_set(p->err, ERR_SYNTAX, p->token->at, "a subquery is neither anchored nor smoothed");
	*mine = true;
	if (m->anchored && m->smoothed)
		return err_set(p->err, ERR_SYNTAX, p->token->at, "anchored and smoothed exclude each other");
	promql_advance(p);
	return ERR_OK;
}

/* postfix: operand (brackets | offset | at | smoothing)*; they bind tighter than any operator */
static enum err_code postfix(struct promql_parser *p, struct expr **ret)
{
	enum err_code rc = operand(p, ret);

	while (rc == ERR_OK) {
		enum token_type type = p->token->type;
		struct modifiers *m = NULL;

		if (type == TOKEN_LEFT_BRACKET) {
			rc = brackets(p, ret);
			continue;
		}
		if (type != TOKEN_OFFSET && type != TOKEN_AT && type != TOKEN_ANCHORED && type != TOKEN_SMOOTHED)
			break;
		rc = modified(p, *ret, &m);
		if (rc == ERR_OK)
			rc = type == TOKEN_OFFSET ? offset(p, m) : type == TOKEN_AT ? at_modifier(p, m) : smoothing(p, *ret, m);
	}
	return rc;
}

/* unary: ("+" | "-") expr of "^" | postfix. A sign before a number becomes part of it. */
static enum err_code unary(struct promql_parser *p, struct expr **ret)
{
	enum token_type op = p->token->type;
	size_t at = p->token->at;
	struct expr *of = NULL;

	if (op != TOKEN_ADD && op != TOKEN_SUB)
		return postfix(p, ret);
	promql_advance(p);

	enum err_code rc = promql_expr(p, token_precedence(TOKEN_POW), &of);

	if (rc != ERR_OK)
		return rc;
	if (of->kind == EXPR_NUMBER) {
		if (op == TOKEN_SUB)
			((struct number_expr *)of)->value *= -1;
		of->at = (uint32_t)at;
		*ret = of;
		return ERR_OK;
	}
	if (of->type != TYPE_SCALAR && of->type != TYPE_VECTOR)
		return err_set(p->err, ERR_INVALID, of->at, "a sign needs a scalar or an instant vector, this is a %s",
		               value_type_text(of->type));

	struct unary_expr *u = promql_node(p, EXPR_UNARY, of->type, at, sizeof(*u));

	if (u == NULL)
		return err_nomem(p->err);
	u->op = op;
	promql_adopt(&u->expr, of);
	*ret = &u->expr;
	return ERR_OK;
}

/* fill_value: "(" ["+" | "-"] (NUMBER | DURATION) ")" */
static enum err_code fill_value(struct promql_parser *p, double *ret)
{
	enum err_code rc = promql_expect(p, TOKEN_LEFT_PAREN, "after fill");
	bool negative = p->token->type == TOKEN_SUB;

	if (rc != ERR_OK)
		return rc;
	if (negative || p->token->type == TOKEN_ADD)
		promql_advance(p);
	if (p->token->type != TOKEN_NUMBER && p->token->type != TOKEN_DURATION)
		return promql_unexpected(p, "in fill()", "a number");
	rc = promql_number(p, ret);
	if (negative)
		*ret *= -1;
	return rc != ERR_OK ? rc : promql_expect(p, TOKEN_RIGHT_PAREN, "after the number in fill()");
}

/* fill: ["fill" value | "fill_left" value ["fill_right" value] | "fill_right" value ["fill_left" value]] */
static enum err_code fill(struct promql_parser *p, struct matching *m)
{
	enum token_type first = p->token->type;
	enum err_code rc;

	if (first != TOKEN_FILL && first != TOKEN_FILL_LEFT && first != TOKEN_FILL_RIGHT)
		return ERR_OK;
	if (!(p->features & FEATURE_FILL))
		return err_set(p->err, ERR_INVALID, p->token->at, "%s() is an experimental modifier and not switched on",
		               token_text(first));
	promql_advance(p);
	m->has_fill_left = first != TOKEN_FILL_RIGHT;
	m->has_fill_right = first != TOKEN_FILL_LEFT;
	rc = fill_value(p, m->has_fill_left ? &m->fill_left : &m->fill_right);
	if (rc != ERR_OK)
		return rc;
	if (first == TOKEN_FILL) {
		m->fill_right = m->fill_left;
	} else if (first == TOKEN_FILL_LEFT && p->token->type == TOKEN_FILL_RIGHT) {
		promql_advance(p);
		m->has_fill_right = true;
		rc = fill_value(p, &m->fill_right);
	} else if (first == TOKEN_FILL_RIGHT && p->token->type == TOKEN_FILL_LEFT) {
		promql_advance(p);
		m->has_fill_left = true;
		rc = fill_value(p, &m->fill_left);
	}
	return rc;
}

/* matching: [("on" | "ignoring") labels [("group_left" | "group_right") [labels]]] fill */
static enum err_code matching(struct promql_parser *p, struct matching *m)
{
	enum err_code rc;

	if (p->token->type == TOKEN_ON || p->token->type == TOKEN_IGNORING) {
		m->on = p->token->type == TOKEN_ON;
		promql_advance(p);
		rc = promql_label_names(p, &m->labels);
		if (rc != ERR_OK)
			return rc;
		if (p->token->type == TOKEN_GROUP_LEFT || p->token->type == TOKEN_GROUP_RIGHT) {
			m->group = p->token->type == TOKEN_GROUP_LEFT ? GROUP_LEFT : GROUP_RIGHT;
			promql_advance(p);
			rc = p->token->type == TOKEN_LEFT_PAREN ? promql_label_names(p, &m->include) : ERR_OK;
			if (rc != ERR_OK)
				return rc;
		}
	}
	return fill(p, m);
}

/* binary: left OPERATOR ["bool"] matching expr. All operators are left associative but "^". */
static enum err_code binary(struct promql_parser *p, struct expr *left, struct expr **ret)
{
	enum token_type op = p->token->type;
	unsigned precedence = token_precedence(op);
	struct matching m = { 0 };
	struct expr *right = NULL;

	promql_advance(p);

	bool is_bool = p->token->type == TOKEN_BOOL;

	if (is_bool)
		promql_advance(p);

	enum err_code rc = matching(p, &m);

	if (rc == ERR_OK)
		rc = promql_expr(p, op == TOKEN_POW ? precedence : precedence + 1, &right);
	if (rc != ERR_OK)
		return rc;

	struct binary_expr *b = promql_node(p, EXPR_BINARY, TYPE_VECTOR, left->at, sizeof(*b));

	if (b == NULL)
		return err_nomem(p->err);
	b->op = op;
	b->is_bool = is_bool;
	promql_adopt(&b->expr, left);
	promql_adopt(&b->expr, right);
	if (m.on || m.labels.len > 0 || m.group != GROUP_NONE || m.has_fill_left || m.has_fill_right) {
		b->matching = ARENA_NEW(p->arena, struct matching);
		if (b->matching == NULL)
			return err_nomem(p->err);
		*b->matching = m;
	}
	*ret = &b->expr;
	return promql_check_binary(p, b);
}

/* expr: unary (binary operator of at least this precedence, expr)* */
enum err_code promql_expr(struct promql_parser *p, unsigned least_precedence, struct expr **ret)
{
	enum err_code rc = promql_enter(p);

	if (rc == ERR_OK)
		rc = unary(p, ret);
	while (rc == ERR_OK && token_precedence(p->token->type) >= least_precedence)
		rc = binary(p, *ret, ret);
	p->depth--;
	return rc;
}
