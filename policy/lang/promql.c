/* promql.c - PromQL as a kind of statement. */
#include "policy/lang/promql.h"

#include "policy/lang/lexer.h"
#include "policy/lang/promql_facts.h"
#include "policy/lang/promql_parse.h"

/* query: expr, up to the end of the text */
static enum err_code parse(struct stmt *s, struct slice in, struct err *reterr)
{
	struct promql_tree *tree = ARENA_NEW(s->arena, struct promql_tree);
	struct promql_parser p;

	if (tree == NULL)
		return err_nomem(reterr);

	enum err_code rc = promql_parser_init(&p, s, in, reterr);

	if (rc != ERR_OK)
		return rc;
	if (p.token->type == TOKEN_EOF)
		rc = err_set(reterr, ERR_SYNTAX, 0, "the query is empty");
	if (rc == ERR_OK)
		rc = promql_expr(&p, PRECEDENCE_ANY, &tree->root);
	if (rc == ERR_OK && p.token->type != TOKEN_EOF)
		rc = promql_unexpected(&p, "behind an expression", "an operator or the end of the query");
	if (rc == ERR_OK)
		rc = promql_check_selectors(&p);
	rc = lexer_check_end(in, p.token->at, rc, reterr);
	if (rc != ERR_OK)
		return rc;
	tree->tokens = promql_lexer_count(&p.lexer);
	tree->bytes = in.len;
	s->tree = tree;
	return ERR_OK;
}

const struct stmt_kind promql_kind = {
	.name = "promql",
	.effect = EFFECT_READ,
	.parse = parse,
	.print = promql_print,
	.facts = promql_facts,
	.times = promql_times,
	.equal = promql_equal,
};
