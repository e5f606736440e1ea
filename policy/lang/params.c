/* params.c - see params.h. A match statement's sets are parts of selector_expr nodes, as those of PromQL are. */
#include "policy/lang/params.h"

#include "policy/lang/lexer.h"
#include "policy/lang/promql_facts.h"
#include "policy/lang/promql_parse.h"

/* what is kept beside the sets */
struct match_tree {
	size_t tokens, bytes;
};

static struct selector_expr *selector_of(struct label_set *set)
{
	return (struct selector_expr *)((char *)set - offsetof(struct selector_expr, set));
}

/* metric_selector: NAME [braces] | braces */
static enum err_code metric_selector(struct promql_parser *p)
{
	const struct token *name = p->token;
	struct expr *e;

	if (token_is_metric_name(name->type)) {
		promql_advance(p);
		return promql_selector(p, name, &e);
	}
	if (name->type == TOKEN_LEFT_BRACE)
		return promql_selector(p, NULL, &e);
	return promql_unexpected(p, "here", "a metric name or matchers in braces");
}

/* adds the selector of one text to the statement */
static enum err_code parse_one(struct stmt *s, struct slice in, struct err *reterr)
{
	struct match_tree *tree = s->tree;
	struct promql_parser p;
	enum err_code rc = promql_parser_init(&p, s, in, reterr);

	if (rc != ERR_OK)
		return rc;
	p.names_twice = true;
	rc = metric_selector(&p);
	if (rc == ERR_OK && p.token->type != TOKEN_EOF)
		rc = promql_unexpected(&p, "behind a selector", "the end; a match[] takes no ranges, modifiers or operators");
	if (rc == ERR_OK)
		rc = promql_check_selectors(&p);
	rc = lexer_check_end(in, p.token->at, rc, reterr);
	tree->tokens += promql_lexer_count(&p.lexer);
	tree->bytes += in.len;
	return rc;
}

static enum err_code parse(struct stmt *s, struct slice in, struct err *reterr)
{
	s->tree = ARENA_NEW(s->arena, struct match_tree);
	return s->tree == NULL ? err_nomem(reterr) : parse_one(s, in, reterr);
}

static enum err_code add_empty(struct stmt *s, struct err *reterr)
{
	struct selector_expr *e = ARENA_NEW(s->arena, struct selector_expr);

	return e == NULL ? err_nomem(reterr) : stmt_add_set(s, &e->set, reterr);
}

enum err_code match_new(struct arena *a, const struct stmt_options *o, const struct slice *texts, size_t n,
                        struct stmt **ret, struct err *reterr)
{
	struct err unwanted;
	struct stmt *s = ARENA_NEW(a, struct stmt);
	struct match_tree *tree = ARENA_NEW(a, struct match_tree);

	if (reterr == NULL)
		reterr = &unwanted;
	if (s == NULL || tree == NULL)
		return err_nomem(reterr);
	*s = (struct stmt){ .kind = &match_kind, .arena = a, .options = *o, .tree = tree };

	enum err_code rc = n == 0 ? add_empty(s, reterr) : ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < n; i++)
		rc = parse_one(s, texts[i], reterr);
	if (rc == ERR_OK)
		*ret = s;
	return rc;
}

static struct label_set *copy_set(struct arena *a, struct label_set *set)
{
	struct selector_expr *e = ARENA_NEW(a, struct selector_expr);

	if (e == NULL)
		return NULL;
	*e = *selector_of(set);
	e->set.v = ARENA_ARRAY(a, set->len, struct matcher);
	e->set.cap = set->len;
	if (e->set.v == NULL)
		return NULL;
	if (set->len > 0)
		memcpy(e->set.v, set->v, set->len * sizeof(*set->v));
	return &e->set;
}

enum err_code match_split(struct stmt *s, const struct matchers *clauses, size_t n, struct err *reterr)
{
	size_t old_len = s->sets.len;
	struct label_set **old = ARENA_ARRAY(s->arena, old_len, struct label_set *);

	if (n == 0)
		return err_set(reterr, ERR_BUG, ERR_NOWHERE, "a selector cannot be split into none");
	if (old == NULL)
		return err_nomem(reterr);
	memcpy(old, s->sets.v, old_len * sizeof(*old));
	s->sets = (struct label_sets){ 0 };
	for (size_t i = 0; i < old_len; i++) {
		for (size_t c = 0; c < n; c++) {
			struct label_set *copy = copy_set(s->arena, old[i]);
			enum err_code rc = copy == NULL ? err_nomem(reterr) : stmt_add_set(s, copy, reterr);

			if (rc == ERR_OK)
				rc = stmt_narrow_set(s, copy, &clauses[c], reterr);
			if (rc != ERR_OK)
				return rc;
		}
	}
	return ERR_OK;
}

enum err_code match_text(const struct stmt *s, size_t i, struct strbuf *out)
{
	promql_print_selector(out, selector_of(s->sets.v[i]));
	return out->full ? ERR_LIMIT : ERR_OK;
}

static enum err_code print(const struct stmt *s, struct strbuf *out)
{
	return s->sets.len == 1 ? match_text(s, 0, out) : ERR_INVALID;
}

static bool equal(const struct stmt *x, const struct stmt *y)
{
	if (x->sets.len != y->sets.len)
		return false;
	for (size_t i = 0; i < x->sets.len; i++)
		if (!promql_selector_equal(selector_of(x->sets.v[i]), selector_of(y->sets.v[i])))
			return false;
	return true;
}

enum err_code match_print_checked(struct arena *a, const struct stmt *s, const struct matchers *guard,
                                  struct slice **texts, size_t *n, struct err *reterr)
{
	struct slice *list = ARENA_ARRAY(a, s->sets.len, struct slice);

	if (list == NULL)
		return err_nomem(reterr);
	for (size_t i = 0; i < s->sets.len; i++) {
		struct stmt one = *s;

		one.sets = (struct label_sets){ .v = &s->sets.v[i], .len = 1 };

		enum err_code rc = stmt_print_checked(a, &one, guard, &list[i], reterr);

		if (rc != ERR_OK)
			return rc;
	}
	*texts = list;
	*n = s->sets.len;
	return ERR_OK;
}

static enum err_code facts(struct arena *a, const struct stmt *s, struct facts *ret, struct err *reterr)
{
	const struct match_tree *tree = s->tree;
	struct facts f = { .language = s->kind->name, .tokens = tree->tokens, .bytes = tree->bytes };
	enum err_code rc = promql_selector_facts(a, s, &f, reterr);

	f.depth = 1;
	f.nodes = s->sets.len;
	if (rc == ERR_OK)
		*ret = f;
	return rc;
}

/* a list of series is read once, over the request's own times */
static enum err_code times(struct arena *a, const struct stmt *s, struct facts *ret, struct err *reterr)
{
	const struct window *w = &s->options.window;

	(void)a;
	ret->from_ms = w->start_ms;
	ret->to_ms = w->end_ms;
	if (__builtin_sub_overflow(w->end_ms, w->start_ms, &ret->longest_ms))
		return err_rule(reterr, ERR_LIMIT, "max_query_length", ERR_NOWHERE, "start and end are too far apart");
	for (size_t i = 0; i < ret->selectors_len; i++) {
		ret->selectors[i].from_ms = w->start_ms;
		ret->selectors[i].to_ms = w->end_ms;
		ret->selectors[i].evaluations = 1;
	}
	return ERR_OK;
}

const struct stmt_kind match_kind = {
	.name = "match",
	.effect = EFFECT_READ,
	.parse = parse,
	.print = print,
	.facts = facts,
	.times = times,
	.equal = equal,
};
