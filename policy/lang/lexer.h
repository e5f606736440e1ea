/* lexer.h - what the query languages share below their tokens: classes of characters, Go's string literals, Go's numbers.
 *
 * Ownership: a decoded string is a slice of the text itself when it holds no escape, else it lives in the arena.
 * Units:     bytes. Behind the text lie LEXER_PAD zero bytes that are not part of it, and it holds no other: see lexer_text.
 * Errors:    ERR_SYNTAX, ERR_LIMIT ("query_bytes", "string_bytes"), ERR_STRICT ("raw_nul"), ERR_NOMEM.
 */
#ifndef WEIR_POLICY_LANG_LEXER_H
#define WEIR_POLICY_LANG_LEXER_H

#include "base/err.h"
#include "base/strbuf.h"

#include <stdint.h>

#define STRING_BYTES_MAX 8192
#define LEXER_PAD STRBUF_PAD

#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

/* Length of the run of ASCII letters, digits and _ at p. Sixteen bytes are looked at in one go: a loop that ends after each
 * word at another length costs more in mispredicted branches than in work. The padding is there to be read. */
static inline size_t span_word(const char *p)
{
	size_t n = 0;

#ifdef __SSE2__
	for (;; n += 16) {
		__m128i c = _mm_loadu_si128((const __m128i *)(p + n));
		__m128i letter = _mm_sub_epi8(_mm_or_si128(c, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
		__m128i digit = _mm_sub_epi8(c, _mm_set1_epi8('0'));
		__m128i in = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(25)), letter),
		                                       _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit)),
		                          _mm_cmpeq_epi8(c, _mm_set1_epi8('_')));
		unsigned out = (unsigned)_mm_movemask_epi8(in) ^ 0xffff;

		if (out != 0)
			return n + (unsigned)__builtin_ctz(out);
	}
#endif
	while (char_is(p[n], CHAR_ALPHA | CHAR_DIGIT))
		n++;
	return n;
}

/* the same for printable ASCII without the double quote and the backslash */
static inline size_t span_plain(const char *p)
{
	size_t n = 0;

#ifdef __SSE2__
	for (;; n += 16) {
		__m128i c = _mm_loadu_si128((const __m128i *)(p + n));
		__m128i shifted = _mm_sub_epi8(c, _mm_set1_epi8(0x20));
		__m128i printable = _mm_cmpeq_epi8(_mm_min_epu8(shifted, _mm_set1_epi8(0x7e - 0x20)), shifted);
		__m128i special = _mm_or_si128(_mm_cmpeq_epi8(c, _mm_set1_epi8('"')), _mm_cmpeq_epi8(c, _mm_set1_epi8('\\')));
		unsigned out = (unsigned)_mm_movemask_epi8(_mm_andnot_si128(special, printable)) ^ 0xffff;

		if (out != 0)
			return n + (unsigned)__builtin_ctz(out);
	}
#endif
	while (char_is(p[n], CHAR_PLAIN))
		n++;
	return n;
}

/* equal, both padded */
static inline bool padded_eq(struct slice a, struct slice b)
{
#ifdef __SSE2__
	if (a.len <= 32) {
		__m128i low = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)a.ptr), _mm_loadu_si128((const __m128i *)b.ptr));
		__m128i high = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(a.ptr + 16)),
		                              _mm_loadu_si128((const __m128i *)(b.ptr + 16)));
		uint64_t same = (uint64_t)_mm_movemask_epi8(low) | (uint64_t)_mm_movemask_epi8(high) << 16 | 1ull << 32;

		return a.len == b.len && (size_t)__builtin_ctzll(~same) >= a.len;
	}
#endif
	return slice_eq(a, b);
}

/* The user's text as the lexers want it: copied, zero bytes behind it. Refuses what is longer than max. */
MUST_USE enum err_code lexer_text(struct arena *a, struct slice in, size_t max, const char **ret, struct err *reterr);
/* What the outcome of a parse is worth: rc, unless the text holds a raw zero byte, which is where the lexers stopped. at is
 * the end of what was read. */
MUST_USE enum err_code lexer_check_end(struct slice in, size_t at, enum err_code rc, struct err *reterr);
/* puts the zero bytes behind a text that we printed; false when they do not fit */
MUST_USE bool lexer_pad(struct strbuf *out);

/* Reads the string literal that starts at *p with one of " ' or a backtick, and moves *p behind it. Both quotes take Go's
 * escapes, a backtick takes none; U+FFFD and bytes that are not UTF-8 are refused when typed. Offsets count from text. */
MUST_USE enum err_code lexer_string(struct arena *a, const char *text, const char **p, struct slice *ret,
                                    struct err *reterr);
/* the literal in double quotes that reads back as exactly these bytes */
void lexer_quote(struct strbuf *out, struct slice s);

/* Reads a number token as Go does: an integer with its prefix and underscores, else a float. at is for the error only. */
MUST_USE enum err_code lexer_number(struct arena *a, struct slice token, size_t at, double *ret, struct err *reterr);
/* the shortest decimal text that reads back as v: digits, or digits with an exponent; NaN, Inf, -Inf */
void lexer_print_number(struct strbuf *out, double v);

#endif
