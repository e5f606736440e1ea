/* lexer.h - what the query languages share below their tokens: classes of characters, Go's string literals, Go's numbers.
 *
 * Ownership: a decoded string is a slice of the text itself when it holds no escape, else it lives in the arena.
 * Units:     bytes. The text ends with a zero byte that is not part of it and holds no other: see lexer_text.
 * Errors:    ERR_SYNTAX, ERR_LIMIT ("query_bytes", "string_bytes"), ERR_STRICT ("raw_nul"), ERR_NOMEM.
 */
#ifndef WEIR_POLICY_LANG_LEXER_H
#define WEIR_POLICY_LANG_LEXER_H

#include "base/err.h"
#include "base/strbuf.h"

#include <stdint.h>

#define STRING_BYTES_MAX 8192

enum char_class {
	CHAR_ALPHA = 1,       /* letter or _ */
	CHAR_DIGIT = 2,
	CHAR_SPACE = 4,       /* space, \t, \n, \r */
	CHAR_HEX = 8,
	CHAR_PLAIN = 16,      /* may stand in a string literal as it is, and be printed there as it is */
};

extern const unsigned char char_classes[256];

static inline bool char_is(char c, unsigned classes)
{
	return (char_classes[(unsigned char)c] & classes) != 0;
}

/* The user's text as the lexers want it: copied, a zero byte behind it. Refuses what is longer than max and raw zero bytes. */
MUST_USE enum err_code lexer_text(struct arena *a, struct slice in, size_t max, const char **ret, struct err *reterr);

/* Reads the string literal that starts at text[at] with one of " ' or a backtick. *end is the offset behind it.
 * Both quotes take Go's escapes, a backtick takes none; U+FFFD and bytes that are not UTF-8 are refused when typed. */
MUST_USE enum err_code lexer_string(struct arena *a, const char *text, size_t at, size_t *end, struct slice *ret,
                                    struct err *reterr);
/* the literal in double quotes that reads back as exactly these bytes */
void lexer_quote(struct strbuf *out, struct slice s);

/* Reads a number token as Go does: an integer with its prefix and underscores, else a float. at is for the error only. */
MUST_USE enum err_code lexer_number(struct arena *a, struct slice token, size_t at, double *ret, struct err *reterr);
/* the shortest decimal text that reads back as v: digits, or digits with an exponent; NaN, Inf, -Inf */
void lexer_print_number(struct strbuf *out, double v);

#endif
