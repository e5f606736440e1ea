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
	struct token token;           /* the one to look at */
	unsigned depth;               /* of open calls, parentheses, signs and right-hand sides */
	unsigned features;
	struct expr *last;            /* the node made last */
	uint32_t nodes;
	bool names_twice;             /* a selector may name the metric before its braces and inside: match[] may */
};

/* copies the text and reads the first token */
MUST_USE enum err_code promql_parser_init(struct promql_parser *p, struct stmt *s, struct slice in, struct err *err);

static inline void promql_advance(struct promql_parser *p)
{
	promql_lexer_next(&p->lexer, &p->token);
}

/* the error for a token that cannot stand where it does; the lexer's own error when it has one */
MUST_USE enum err_code promql_unexpected(struct promql_parser *p, const char *where, const char *right);
/* goes past a token of this type, or fails */
MUST_USE enum err_code promql_expect(struct promql_parser *p, enum token_type type, const char *where);
/* one level deeper, or ERR_LIMIT; the caller takes 1 off p->depth again */
MUST_USE enum err_code promql_enter(struct promql_parser *p);

/* a node of size bytes (its first member is a struct expr), linked behind the last one; NULL without memory */
void *promql_node(struct promql_parser *p, enum expr_kind kind, enum value_type type, size_t at, size_t size);
/* appends a child */
void promql_adopt(struct expr *parent, struct expr *child);

MUST_USE enum err_code promql_expr(struct promql_parser *p, unsigned least_precedence, struct expr **ret);
/* outer: the word before the braces, already read, or NULL */
MUST_USE enum err_code promql_selector(struct promql_parser *p, const struct token *outer, struct expr **ret);
/* "(" label, .. ")" */
MUST_USE enum err_code promql_label_names(struct promql_parser *p, struct label_names *ret);
/* word: the name of the function, or of the aggregation, already read */
MUST_USE enum err_code promql_call(struct promql_parser *p, const struct token *word, struct expr **ret);
MUST_USE enum err_code promql_aggregation(struct promql_parser *p, const struct token *word, struct expr **ret);
/* a number or duration token as seconds */
MUST_USE enum err_code promql_number(struct promql_parser *p, double *ret);
/* what stands in brackets: above 0 when it is a plain number */
MUST_USE enum err_code promql_range_duration(struct promql_parser *p, struct duration **ret);
MUST_USE enum err_code promql_offset_duration(struct promql_parser *p, struct duration **ret);

/* every selector needs a matcher that does not match the empty text */
MUST_USE enum err_code promql_check_selectors(const struct promql_parser *p);
/* types and vector matching of a binary operation whose children are complete */
MUST_USE enum err_code promql_check_binary(struct promql_parser *p, struct binary_expr *b);

#endif
