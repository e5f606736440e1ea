/* promql_lexer.h - PromQL text to tokens, one at a time.
 *
 * What a word or a sign means depends on where it stands: inside braces there are no keywords, inside brackets hardly
 * any names. The lexer keeps track of braces and brackets itself, as the original does, so the parser need not tell it.
 *
 * Ownership: borrows the text (see lexer_text), which ends with a zero byte.
 * Errors:    TOKEN_ERROR, once, with *err filled and nothing behind it.
 */
#ifndef WEIR_POLICY_LANG_PROMQL_LEXER_H
#define WEIR_POLICY_LANG_PROMQL_LEXER_H

#include "base/arena.h"
#include "base/err.h"

#include <stdint.h>

enum token_type {
#define TOKEN(sym, text, precedence) sym,
#include "policy/lang/promql_tokens.def"
#undef TOKEN
	TOKEN_TYPE_COUNT
};

struct token {
	enum token_type type;
	uint32_t at;                  /* byte offset */
	struct slice text;            /* as written; of a string: decoded */
};

struct promql_lexer {
	struct arena *arena;
	const char *text;
	struct err *err;
	size_t at;
	size_t tokens, tokens_max;
	bool utf8_names;              /* letters beyond ASCII, and dots, in names that are not quoted */
	bool in_braces, in_brackets;
	bool duration_start;          /* in brackets, no number yet: a # starts no comment there */
	bool got_colon;
};

/* the word or sign itself */
const char *token_text(enum token_type t);
/* 1 (or) to 6 (^) for binary operators, else 0 */
unsigned token_precedence(enum token_type t);

static inline bool token_is_comparison(enum token_type t)
{
	return t >= TOKEN_EQLC && t <= TOKEN_GTR;
}

static inline bool token_is_set_operator(enum token_type t)
{
	return t >= TOKEN_AND && t <= TOKEN_OR;
}

static inline bool token_is_aggregator(enum token_type t)
{
	return t >= TOKEN_SUM && t <= TOKEN_LIMIT_RATIO;
}

static inline bool token_takes_parameter(enum token_type t)
{
	return t >= TOKEN_TOPK && t <= TOKEN_LIMIT_RATIO;
}

/* words that are metric names where an operand is expected */
static inline bool token_is_metric_name(enum token_type t)
{
	return t >= TOKEN_IDENTIFIER && t <= TOKEN_FILL_RIGHT && t != TOKEN_ATAN2;
}

/* words that are label names in by(), on(), group_left() and the like */
static inline bool token_is_grouping_label(enum token_type t)
{
	return t >= TOKEN_IDENTIFIER && t < TOKEN_TYPE_COUNT && t != TOKEN_WITHOUT;
}

void promql_lexer_init(struct promql_lexer *lx, struct arena *a, const char *text, struct err *err);
void promql_lexer_next(struct promql_lexer *lx, struct token *ret);

#endif
