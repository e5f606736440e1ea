/* promql_duration.c - what stands in brackets and after offset: numbers and arithmetic on numbers, step() and range().
 *
 * A plain number is known at once. An expression is kept as a tree, since its value comes with the request.
 */
#include "policy/lang/promql_parse.h"

#include "policy/lang/duration.h"
#include "policy/lang/lexer.h"

#include <math.h>

static enum err_code expression(struct promql_parser *p, unsigned least_precedence, struct duration **ret);

static enum err_code make(struct promql_parser *p, enum duration_op op, size_t at, struct duration *left,
                          struct duration *right, struct duration **ret)
{
	struct duration *d = ARENA_NEW(p->arena, struct duration);
	uint32_t below = right != NULL ? right->depth : 0;

	if (d == NULL)
		return err_nomem(p->err);
	if (left != NULL && left->depth > below)
		below = left->depth;
	*d = (struct duration){ .op = op, .at = (uint32_t)at, .depth = below + 1, .left = left, .right = right };
	if (d->depth > PROMQL_DEPTH_MAX)
		return err_rule(p->err, ERR_LIMIT, "query_depth", at, "a duration may be nested %d deep", PROMQL_DEPTH_MAX);
	*ret = d;
	return ERR_OK;
}

static enum err_code check_bounds(struct promql_parser *p, const struct duration *d)
{
	if (d->op == DURATION_NUMBER && duration_out_of_range(d->seconds))
		return err_set(p->err, ERR_SYNTAX, d->at, "this duration is out of range; up to 292y");
	return ERR_OK;
}

/* literal: NUMBER | DURATION */
static enum err_code literal(struct promql_parser *p, struct duration **ret)
{
	bool has_unit = p->token->type == TOKEN_DURATION;
	enum err_code rc = make(p, DURATION_NUMBER, p->token->at, NULL, NULL, ret);

	if (rc == ERR_OK)
		(*ret)->has_unit = has_unit;
	if (rc == ERR_OK)
		rc = promql_number(p, &(*ret)->seconds);
	return rc != ERR_OK ? rc : check_bounds(p, *ret);
}

/* call: ("step" | "range") "(" ")" | ("min_of" | "max_of") "(" expression "," expression ")" */
static enum err_code call(struct promql_parser *p, struct duration **ret)
{
	enum token_type word = p->token->type;
	size_t at = p->token->at;
	struct duration *left = NULL, *right = NULL;
	enum duration_op op = word == TOKEN_STEP ? DURATION_STEP : word == TOKEN_RANGE ? DURATION_RANGE
	                    : word == TOKEN_MIN_OF ? DURATION_MIN_OF : DURATION_MAX_OF;

	promql_advance(p);

	enum err_code rc = promql_expect(p, TOKEN_LEFT_PAREN, "in a duration");

	if (rc == ERR_OK && (op == DURATION_MIN_OF || op == DURATION_MAX_OF)) {
		rc = expression(p, PRECEDENCE_ANY, &left);
		if (rc == ERR_OK)
			rc = promql_expect(p, TOKEN_COMMA, "in a duration");
		if (rc == ERR_OK)
			rc = expression(p, PRECEDENCE_ANY, &right);
	}
	if (rc == ERR_OK)
		rc = promql_expect(p, TOKEN_RIGHT_PAREN, "in a duration");
	return rc != ERR_OK ? rc : make(p, op, at, left, right, ret);
}

/* paren: "(" expression ")" */
static enum err_code paren(struct promql_parser *p, struct duration **ret)
{
	struct duration *inner = NULL;
	size_t at = p->token->at;

	promql_advance(p);

	enum err_code rc = expression(p, PRECEDENCE_ANY, &inner);

	if (rc == ERR_OK)
		rc = promql_expect(p, TOKEN_RIGHT_PAREN, "in a duration");
	if (rc == ERR_OK && inner->op == DURATION_PAREN) {
		*ret = inner;                 /* a second pair says nothing */
		return ERR_OK;
	}
	return rc != ERR_OK ? rc : make(p, DURATION_PAREN, at, NULL, inner, ret);
}

/* A sign becomes part of a plain number; a plus before anything else says nothing. */
static enum err_code apply_sign(struct promql_parser *p, enum token_type sign, size_t at, struct duration **d)
{
	if ((*d)->op == DURATION_NUMBER) {
		if (sign == TOKEN_SUB)
			(*d)->seconds *= -1;
		(*d)->at = (uint32_t)at;
		return check_bounds(p, *d);
	}
	return sign == TOKEN_SUB ? make(p, DURATION_NEGATE, at, NULL, *d, d) : ERR_OK;
}

/* primary: literal | call | paren */
static enum err_code primary(struct promql_parser *p, struct duration **ret)
{
	switch (p->token->type) {
	case TOKEN_NUMBER:
	case TOKEN_DURATION: return literal(p, ret);
	case TOKEN_STEP:
	case TOKEN_RANGE:
	case TOKEN_MIN_OF:
	case TOKEN_MAX_OF: return call(p, ret);
	case TOKEN_LEFT_PAREN: return paren(p, ret);
	default: break;
	}
	return promql_unexpected(p, "in a duration", "a duration, a number, step(), range(), min_of() or max_of()");
}

static bool is_sign(enum token_type t)
{
	return t == TOKEN_ADD || t == TOKEN_SUB;
}

static bool is_call(enum duration_op op)
{
	return op == DURATION_STEP || op == DURATION_RANGE || op == DURATION_MIN_OF || op == DURATION_MAX_OF;
}

/* signed: ("+" | "-") expression of "^" | primary */
static enum err_code signed_operand(struct promql_parser *p, struct duration **ret)
{
	enum token_type sign = p->token->type;
	size_t at = p->token->at;

	if (!is_sign(sign))
		return primary(p, ret);
	promql_advance(p);

	enum err_code rc = expression(p, token_precedence(TOKEN_POW), ret);

	return rc != ERR_OK ? rc : apply_sign(p, sign, at, ret);
}

static bool duration_operator(enum token_type t, enum duration_op *ret)
{
	switch (t) {
	case TOKEN_ADD: *ret = DURATION_ADD; return true;
	case TOKEN_SUB: *ret = DURATION_SUB; return true;
	case TOKEN_MUL: *ret = DURATION_MUL; return true;
	case TOKEN_DIV: *ret = DURATION_DIV; return true;
	case TOKEN_MOD: *ret = DURATION_MOD; return true;
	case TOKEN_POW: *ret = DURATION_POW; return true;
	default: return false;
	}
}

/* binary: *left OPERATOR expression, as long as operators of the least precedence follow */
static enum err_code operators(struct promql_parser *p, unsigned least_precedence, struct duration **left)
{
	enum duration_op op;
	enum err_code rc = ERR_OK;

	while (rc == ERR_OK && duration_operator(p->token->type, &op) &&
	       token_precedence(p->token->type) >= least_precedence) {
		unsigned precedence = token_precedence(p->token->type);
		size_t at = p->token->at;
		struct duration *right = NULL;

		promql_advance(p);
		rc = expression(p, op == DURATION_POW ? precedence : precedence + 1, &right);
		if (rc == ERR_OK && (op == DURATION_DIV || op == DURATION_MOD) && right->op == DURATION_NUMBER &&
		    right->seconds == 0)
			rc = err_set(p->err, ERR_SYNTAX, at, "division by zero in a duration");
		if (rc == ERR_OK)
			rc = make(p, op, at, *left, right, left);
	}
	return rc;
}

/* expression: signed_operand (OPERATOR expression)* */
static enum err_code expression(struct promql_parser *p, unsigned least_precedence, struct duration **ret)
{
	enum err_code rc = promql_enter(p);

	if (rc == ERR_OK)
		rc = signed_operand(p, ret);
	if (rc == ERR_OK)
		rc = operators(p, least_precedence, ret);
	p->depth--;
	return rc;
}

enum err_code promql_plain_range(struct promql_parser *p, struct duration **ret)
{
	double seconds;
	size_t at = (size_t)(p->lexer.p - p->lexer.text);

	if (!promql_lexer_plain_range(&p->lexer, &seconds))
		return ERR_NOT_FOUND;

	enum err_code rc = make(p, DURATION_NUMBER, at, NULL, NULL, ret);

	if (rc == ERR_OK) {
		(*ret)->has_unit = true;
		(*ret)->seconds = seconds;
		promql_advance(p);
	}
	return rc;
}

enum err_code promql_range_duration(struct promql_parser *p, struct duration **ret)
{
	enum err_code rc = expression(p, PRECEDENCE_ANY, ret);

	if (rc == ERR_OK && (*ret)->op == DURATION_NUMBER && (*ret)->seconds <= 0)
		rc = err_set(p->err, ERR_SYNTAX, (*ret)->at, "a range must be longer than 0");
	return rc;
}

/* offset_duration: ["+" | "-"] primary | signed_operand of two signs or more, or paren, (OPERATOR expression)*
 *
 * As in the original: behind a plain or once signed duration an operator belongs to the query, so `x offset 5m + y` is a
 * sum; behind a parenthesis or a double sign it belongs to the duration, so there y could not stand. */
static enum err_code offset_duration(struct promql_parser *p, struct duration **ret)
{
	enum token_type sign = p->token->type;
	size_t at = p->token->at;
	enum err_code rc;

	if (sign == TOKEN_LEFT_PAREN)
		return expression(p, PRECEDENCE_ANY, ret);
	if (!is_sign(sign))
		return primary(p, ret);
	promql_advance(p);
	if (!is_sign(p->token->type)) {
		rc = primary(p, ret);
		if (rc == ERR_OK && sign == TOKEN_ADD && is_call((*ret)->op))
			return make(p, DURATION_PLUS, at, NULL, *ret, ret);
		return rc != ERR_OK ? rc : apply_sign(p, sign, at, ret);
	}
	rc = expression(p, token_precedence(TOKEN_POW), ret);
	if (rc == ERR_OK)
		rc = apply_sign(p, sign, at, ret);
	return rc != ERR_OK ? rc : operators(p, PRECEDENCE_ANY, ret);
}

/* An operator at the top, or right behind a sign there, gets parentheses: it stays with the duration when it is printed. */
enum err_code promql_offset_duration(struct promql_parser *p, struct duration **ret)
{
	enum err_code rc = offset_duration(p, ret);

	if (rc == ERR_OK && ((*ret)->op >= DURATION_ADD || ((*ret)->op == DURATION_NEGATE && (*ret)->right->op >= DURATION_ADD)))
		rc = make(p, DURATION_PAREN, (*ret)->at, NULL, *ret, ret);
	return rc;
}

static double combine(const struct duration *d, const struct window *w, double left, double right)
{
	switch (d->op) {
	case DURATION_NUMBER: return d->seconds;
	case DURATION_STEP: return (double)w->step_ms / 1000;
	case DURATION_RANGE: return ((double)w->end_ms - (double)w->start_ms) / 1000;
	case DURATION_PAREN:
	case DURATION_PLUS: return right;
	case DURATION_NEGATE: return -right;
	case DURATION_MIN_OF: return isnan(left) || left < right ? left : right;
	case DURATION_MAX_OF: return isnan(left) || left > right ? left : right;
	case DURATION_ADD: return left + right;
	case DURATION_SUB: return left - right;
	case DURATION_MUL: return left * right;
	case DURATION_DIV: return right == 0 ? (double)NAN : left / right;
	case DURATION_MOD: return right == 0 ? (double)NAN : fmod(left, right);
	case DURATION_POW: return pow(left, right);
	}
	return NAN;
}

/* the depth of the tree is bounded when it is made */
static double value(const struct duration *d, const struct window *w)
{
	double left = d->left != NULL ? value(d->left, w) : 0;
	double right = d->right != NULL ? value(d->right, w) : 0;

	return combine(d, w, left, right);
}

enum err_code promql_duration_eval(const struct duration *d, const struct window *w, double *ret, struct err *reterr)
{
	double seconds = value(d, w);

	if (!isfinite(seconds) || duration_out_of_range(seconds))
		return err_set(reterr, ERR_INVALID, d->at, "this duration has no value, or one that is out of range");
	*ret = seconds;
	return ERR_OK;
}

bool promql_duration_equal(const struct duration *x, const struct duration *y)
{
	if (x == NULL || y == NULL)
		return x == y;
	if (x->op != y->op)
		return false;
	if (x->op == DURATION_NUMBER)
		return same_number(x->seconds, y->seconds);
	return promql_duration_equal(x->left, y->left) && promql_duration_equal(x->right, y->right);
}

int64_t promql_duration_literal_ns(const struct duration *d)
{
	return d != NULL && d->op == DURATION_NUMBER ? duration_ns(d->seconds) : 0;
}

/* how it is written: around one part, before two in parentheses, or between two */
static const char *op_text(enum duration_op op)
{
	switch (op) {
	case DURATION_STEP: return "step()";
	case DURATION_RANGE: return "range()";
	case DURATION_PAREN: return "(";
	case DURATION_NEGATE: return "-";
	case DURATION_PLUS: return "+";
	case DURATION_MIN_OF: return "min_of(";
	case DURATION_MAX_OF: return "max_of(";
	case DURATION_ADD: return " + ";
	case DURATION_SUB: return " - ";
	case DURATION_MUL: return " * ";
	case DURATION_DIV: return " / ";
	case DURATION_MOD: return " % ";
	case DURATION_POW: return " ^ ";
	case DURATION_NUMBER: break;
	}
	return "";
}

static void print_part(struct strbuf *out, const struct duration *d)
{
	bool call = d->op == DURATION_MIN_OF || d->op == DURATION_MAX_OF;

	if (d->op == DURATION_NUMBER && d->has_unit)
		duration_print(out, d->seconds);
	else if (d->op == DURATION_NUMBER)
		lexer_print_number(out, d->seconds);
	if (d->left != NULL && !call)
		print_part(out, d->left);
	strbuf_add(out, slice_cstr(op_text(d->op)));
	if (call) {
		print_part(out, d->left);
		strbuf_lit(out, ", ");
	}
	if (d->right != NULL)
		print_part(out, d->right);
	if (call || d->op == DURATION_PAREN)
		strbuf_char(out, ')');
}

void promql_duration_print(struct strbuf *out, const struct duration *d)
{
	if (d->op == DURATION_NUMBER)
		duration_print(out, d->seconds);
	else
		print_part(out, d);
}
