/* promql_lexer.h - PromQL text to tokens, one at a time.
 *
 * What a word or a sign means depends on where it stands: inside braces there are no keywords, inside brackets hardly
 * any names. The lexer keeps track of braces and brackets itself, as the original does, so the parser need not tell it.
 *
 * Ownership: borrows the text, which has LEXER_PAD zero bytes behind it (see lexer_text).
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
	bool plain;                   /* of words and strings: padded printable ASCII, as typed, without " and \ */
	uint32_t at;                  /* byte offset */
	struct slice text;            /* as written; of a string: decoded */
};

struct promql_lexer {
	struct arena *arena;
	const char *text, *p;         /* all of it; the next byte */
	const unsigned char *starts;  /* what a byte begins, outside of braces and brackets or inside of either */
	struct err *err;
	size_t tokens_left, tokens_max;
	bool utf8_names;              /* letters beyond ASCII, and dots, in names that are not quoted */
	bool duration_start;          /* in brackets, no number yet: a # starts no comment there */
	bool got_colon;
};

extern const unsigned char token_precedences[];

/* the word or sign itself */
const char *token_text(enum token_type t);
/* the same as a slice, padded for strbuf_add_padded */
struct slice token_slice(enum token_type t);

/* 1 (or) to 6 (^) for binary operators, else 0 */
static inline unsigned token_precedence(enum token_type t)
{
	return token_precedences[t];
}

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

void promql_lexer_init(struct promql_lexer *lx, struct arena *a, const char *text, size_t tokens_max, struct err *err);
/* how many tokens were read */
static inline size_t promql_lexer_count(const struct promql_lexer *lx)
{
	return lx->tokens_max - lx->tokens_left;
}

void promql_lexer_next(struct promql_lexer *lx, struct token *ret);

/* Short cuts over several tokens at once, for what stands in nearly every query; false, and nothing is read, when
 * something else stands there. What they read counts as tokens all the same. */
/* behind { or a comma: name="value", both plain */
bool promql_lexer_plain_matcher(struct promql_lexer *lx, struct slice *name, struct slice *value);
/* behind [: a duration of digits and one unit, and ] */
bool promql_lexer_plain_range(struct promql_lexer *lx, double *seconds);

#endif
