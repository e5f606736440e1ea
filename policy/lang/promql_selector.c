/* promql_selector.c - selectors and lists of label names. This is the only place where a selector is made, so every
 * selector of a query stands in stmt->sets. */
#include "policy/lang/promql_parse.h"

#include "base/json.h"

static const char metric_name_text[STRBUF_PAD] = "__name__";
static const struct slice metric_name = { metric_name_text, 8 };

/* Checks a regular expression and remembers what it says about itself. *ret is whether it can match the empty text. */
static enum err_code note_regexp(struct promql_parser *p, struct selector_expr *s, size_t at, bool *ret)
{
	struct selector_regexp *re = ARENA_NEW(p->arena, struct selector_regexp);

	if (re == NULL)
		return err_nomem(p->err);
	re->matcher = s->set.len - 1;

	enum err_code rc = regexp_check(p->arena, s->set.v[re->matcher].value, &re->facts, p->err);

	if (rc != ERR_OK) {
		p->err->at = at;              /* the check counts from the start of the expression, not of the query */
		return rc;
	}
	re->next = s->regexps;
	s->regexps = re;
	*ret = re->facts.nullable;
	return ERR_OK;
}

/* a place for one more matcher, or NULL with p->err filled */
static struct matcher *new_matcher(struct promql_parser *p, struct selector_expr *s, size_t at)
{
	if (s->set.len - s->outer_name >= PROMQL_MATCHERS_MAX && !p->stmt->is_second_reading) {
		err_rule(p->err, ERR_LIMIT, "selector_matchers", at, "a selector may hold %d matchers", PROMQL_MATCHERS_MAX);
		return NULL;
	}
	if (s->set.len == s->set.cap &&
	    !arena_grow(p->arena, (void **)&s->set.v, &s->set.cap, s->set.len + 1, sizeof(*s->set.v))) {
		err_nomem(p->err);
		return NULL;
	}
	return &s->set.v[s->set.len++];
}

/* what the last matcher, now complete, says about its selector; plain: see selector_expr */
static enum err_code note_matcher(struct promql_parser *p, struct selector_expr *s, bool plain, size_t at)
{
	const struct matcher *m = &s->set.v[s->set.len - 1];
	bool matches_empty = m->value.len == 0;
	enum err_code rc = ERR_OK;

	if (s->set.len <= 64)
		s->plain |= (uint64_t)plain << (s->set.len - 1);
	if (m->op == MATCH_RE || m->op == MATCH_NRE)
		rc = note_regexp(p, s, at, &matches_empty);
	if (m->op == MATCH_NE || m->op == MATCH_NRE)
		matches_empty = !matches_empty;
	s->excludes_empty = s->excludes_empty || !matches_empty;
	return rc;
}

static bool matcher_op(enum token_type t, enum matcher_op *ret)
{
	switch (t) {
	case TOKEN_EQ: *ret = MATCH_EQ; return true;
	case TOKEN_NE: *ret = MATCH_NE; return true;
	case TOKEN_RE: *ret = MATCH_RE; return true;
	case TOKEN_NRE: *ret = MATCH_NRE; return true;
	default: return false;
	}
}

/* matcher: (NAME | STRING) ("=" | "!=" | "=~" | "!~") STRING | STRING; a string alone is the metric name */
static enum err_code matcher(struct promql_parser *p, struct selector_expr *s)
{
	enum token_type type = p->token->type;
	bool plain = p->token->plain;
	size_t at = p->token->at;

	if (type != TOKEN_IDENTIFIER && type != TOKEN_STRING)
		return promql_unexpected(p, "inside braces", "a label name or }");

	struct matcher *m = new_matcher(p, s, at);

	if (m == NULL)
		return p->err->code;
	m->name = p->token->text;
	promql_advance(p);
	if (matcher_op(p->token->type, &m->op)) {
		promql_advance(p);
		if (p->token->type != TOKEN_STRING)
			return promql_unexpected(p, "inside braces", "a value in quotes");
		m->value = p->token->text;
		plain = plain && type == TOKEN_IDENTIFIER && p->token->plain;
		promql_advance(p);
	} else if (type == TOKEN_STRING) {
		m->value = m->name;
		m->name = metric_name;
	} else {
		return promql_unexpected(p, "inside braces", "= != =~ or !~ after a label name");
	}
	return note_matcher(p, s, plain, at);
}

/* matcher, when it is name="value" without anything odd; ERR_NOT_FOUND when another stands there. The token to look at is
 * the one before it. */
static enum err_code plain_matcher(struct promql_parser *p, struct selector_expr *s)
{
	struct slice name, value;
	size_t at = (size_t)(p->lexer.p - p->lexer.text);

	if (!promql_lexer_plain_matcher(&p->lexer, &name, &value))
		return ERR_NOT_FOUND;

	struct matcher *m = new_matcher(p, s, at);

	if (m == NULL)
		return p->err->code;
	m->name = name;
	m->value = value;
	promql_advance(p);
	return note_matcher(p, s, true, at);
}

/* braces: "{" [matcher ("," matcher)* [","]] "}" */
static enum err_code braces(struct promql_parser *p, struct selector_expr *s)
{
	do {
		enum err_code rc = plain_matcher(p, s);

		if (rc == ERR_NOT_FOUND) {
			promql_advance(p);
			if (p->token->type == TOKEN_RIGHT_BRACE)
				break;
			rc = matcher(p, s);
		}
		if (rc != ERR_OK)
			return rc;
	} while (p->token->type == TOKEN_COMMA);
	if (p->token->type != TOKEN_RIGHT_BRACE)
		return promql_unexpected(p, "inside braces", "a comma or }");
	promql_advance(p);
	return ERR_OK;
}

/* An expression may name the metric before the braces or inside; a match[] parameter may do both. */
static enum err_code check_name_once(struct promql_parser *p, const struct selector_expr *s)
{
	for (size_t i = 1; i < s->set.len; i++)
		if (slice_eq(s->set.v[i].name, metric_name))
			return err_set(p->err, ERR_INVALID, s->expr.at, "the metric name stands twice, before and inside the braces");
	return ERR_OK;
}

/* selector: NAME [braces] | braces */
enum err_code promql_selector(struct promql_parser *p, const struct token *outer, struct expr **ret)
{
	size_t at = outer != NULL ? outer->at : p->token->at;
	struct selector_expr *s = promql_node(p, EXPR_SELECTOR, TYPE_VECTOR, at, sizeof(*s));
	enum err_code rc = ERR_OK;

	if (s == NULL)
		return err_nomem(p->err);
	s->set = (struct label_set){ .v = s->few, .cap = SELECTOR_FEW, .at = at };
	if (outer != NULL) {
		s->few[0] = (struct matcher){ .name = metric_name, .op = MATCH_EQ, .value = outer->text };
		s->set.len = 1;
		s->outer_name = s->excludes_empty = true;
		s->plain = outer->plain;
	}
	if (rc == ERR_OK && p->token->type == TOKEN_LEFT_BRACE)
		rc = braces(p, s);
	if (rc == ERR_OK && s->outer_name && !p->names_twice)
		rc = check_name_once(p, s);
	if (rc == ERR_OK)
		rc = stmt_add_set(p->stmt, &s->set, p->err);
	if (rc != ERR_OK)
		return rc;
	p->open_selectors += !s->excludes_empty;
	*ret = &s->expr;
	return ERR_OK;
}

enum err_code promql_check_selectors(const struct promql_parser *p)
{
	if (p->open_selectors == 0)
		return ERR_OK;
	for (const struct expr *e = p->last; e != NULL; e = e->prev) {
		const struct selector_expr *s = (const struct selector_expr *)e;

		if (e->kind == EXPR_SELECTOR && !s->excludes_empty && !s->may_be_empty)
			return err_set(p->err, ERR_INVALID, e->at,
			               "a selector needs one matcher that does not match the empty text, such as a metric name");
	}
	return ERR_OK;
}

/* label: a word, any but without, inf and nan | STRING */
static enum err_code label_name(struct promql_parser *p, struct slice *ret)
{
	const struct token *t = p->token;

	if (t->type == TOKEN_STRING) {
		if (t->text.len == 0 || !utf8_valid(t->text))
			return err_set(p->err, ERR_SYNTAX, t->at, "a label name is UTF-8 and not empty");
	} else if (!token_is_grouping_label(t->type)) {
		return promql_unexpected(p, "in a list of labels", "a label name or )");
	} else if (t->type == TOKEN_METRIC_NAME && (p->features & FEATURE_UTF8)) {
		return err_set(p->err, ERR_SYNTAX, t->at, "a label name with a colon must be quoted");
	}
	*ret = t->text;
	promql_advance(p);
	return ERR_OK;
}

/* label_names: "(" [label ("," label)* [","]] ")" */
enum err_code promql_label_names(struct promql_parser *p, struct label_names *ret)
{
	size_t cap = 0;
	enum err_code rc = promql_expect(p, TOKEN_LEFT_PAREN, "before a list of labels");

	if (rc != ERR_OK)
		return rc;
	while (p->token->type != TOKEN_RIGHT_PAREN) {
		struct slice name;

		rc = label_name(p, &name);
		if (rc != ERR_OK)
			return rc;
		if (!arena_grow(p->arena, (void **)&ret->v, &cap, ret->len + 1, sizeof(*ret->v)))
			return err_nomem(p->err);
		ret->v[ret->len++] = name;
		if (p->token->type == TOKEN_COMMA)
			promql_advance(p);
		else if (p->token->type != TOKEN_RIGHT_PAREN)
			return promql_unexpected(p, "in a list of labels", "a comma or )");
	}
	promql_advance(p);
	return ERR_OK;
}
