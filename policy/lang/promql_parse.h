/* promql_parse.h - the parser's state and the productions that several of its files use.
 *
 * promql_parse.c holds operators, parentheses, ranges and modifiers; promql_call.c functions and aggregations;
 * promql_selector.c selectors and lists of labels; promql_duration.c what stands in [ ] and after offset.
 *
 * Errors: each production returns ERR_OK, or another code with p->err filled; the first error ends the parse.
 */
#ifndef WEIR_POLICY_LANG_PROMQL_PARSE_H
#define WEIR_POLICY_LANG_PROMQL_PARSE_H

#include "policy/lang/promql_tree.h"

#define PROMQL_BYTES_MAX 16384
#define PROMQL_TOKENS_MAX 4096
#define PROMQL_DEPTH_MAX 128
#define PROMQL_MATCHERS_MAX 64

/* the lowest precedence of all: takes every operator */
#define PRECEDENCE_ANY 1

struct promql_parser {
	struct stmt *stmt;
	struct arena *arena;
	struct err *err;
	struct promql_lexer lexer;
	struct token tokens[2];       /* the one to look at, and the one before it */
	struct token *token;          /* the one to look at */
	unsigned depth;               /* of open calls, parentheses, signs and right-hand sides */
	unsigned features;
	struct expr *last;            /* the node made last */
	uint32_t nodes;
	size_t open_selectors;        /* that may match everything, those in info() apart */
	bool names_twice;             /* a selector may name the metric before its braces and inside: match[] may */
};

/* copies the text, unless it is our own print, and reads the first token */
MUST_USE enum err_code promql_parser_init(struct promql_parser *p, struct stmt *s, struct slice in, struct err *err);

/* The token that p->token pointed to stays as it is until the next call. */
static inline void promql_advance(struct promql_parser *p)
{
	p->token = p->token == p->tokens ? p->tokens + 1 : p->tokens;
	promql_lexer_next(&p->lexer, p->token);
}

/* the error for a token that cannot stand where it does; the lexer's own error when it has one */
MUST_USE enum err_code promql_unexpected(struct promql_parser *p, const char *where, const char *right);
/* goes past a token of this type, or fails */
MUST_USE enum err_code promql_expect(struct promql_parser *p, enum token_type type, const char *where);
MUST_USE enum err_code promql_too_deep(struct promql_parser *p);

/* one level deeper, or ERR_LIMIT; the caller takes 1 off p->depth again */
MUST_USE static inline enum err_code promql_enter(struct promql_parser *p)
{
	return ++p->depth > PROMQL_DEPTH_MAX ? promql_too_deep(p) : ERR_OK;
}

/* a node of size bytes (its first member is a struct expr), linked behind the last one; NULL without memory */
static inline void *promql_node(struct promql_parser *p, enum expr_kind kind, enum value_type type, size_t at, size_t size)
{
	struct expr *e = arena_alloc(p->arena, size);

	if (e == NULL)
		return NULL;
	e->kind = kind;
	e->type = type;
	e->at = (uint32_t)at;
	e->depth = 1;
	e->index = p->nodes++;
	e->prev = p->last;
	p->last = e;
	return e;
}

/* appends a child */
static inline void promql_adopt(struct expr *parent, struct expr *child)
{
	child->parent = parent;
	if (parent->child == NULL)
		parent->child = child;
	else
		parent->last_child->sibling = child;
	parent->last_child = child;
	if (child->depth >= parent->depth)
		parent->depth = child->depth + 1;
}

MUST_USE enum err_code promql_expr(struct promql_parser *p, unsigned least_precedence, struct expr **ret);
/* outer: the word before the braces, the token before the one to look at, or NULL */
MUST_USE enum err_code promql_selector(struct promql_parser *p, const struct token *outer, struct expr **ret);
/* "(" label, .. ")" */
MUST_USE enum err_code promql_label_names(struct promql_parser *p, struct label_names *ret);
/* word: the name of the function, or of the aggregation; the token before the one to look at */
MUST_USE enum err_code promql_call(struct promql_parser *p, const struct token *word, struct expr **ret);
MUST_USE enum err_code promql_aggregation(struct promql_parser *p, const struct token *word, struct expr **ret);
/* a number or duration token as seconds */
MUST_USE enum err_code promql_number(struct promql_parser *p, double *ret);
/* Behind "[": a plain duration and the "]"; ERR_NOT_FOUND, and nothing is read, when something else stands there. */
MUST_USE enum err_code promql_plain_range(struct promql_parser *p, struct duration **ret);
/* what stands in brackets: above 0 when it is a plain number */
MUST_USE enum err_code promql_range_duration(struct promql_parser *p, struct duration **ret);
MUST_USE enum err_code promql_offset_duration(struct promql_parser *p, struct duration **ret);

/* every selector needs a matcher that does not match the empty text */
MUST_USE enum err_code promql_check_selectors(const struct promql_parser *p);
/* types and vector matching of a binary operation whose children are complete */
MUST_USE enum err_code promql_check_binary(struct promql_parser *p, struct binary_expr *b);

#endif
