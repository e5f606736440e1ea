/* promql_lexer.c - see promql_lexer.h. */
#include "policy/lang/promql_lexer.h"

#include "policy/lang/lexer.h"
#include "policy/lang/unicode_letters.h"

#include <endian.h>

static const struct {
	char text[STRBUF_PAD];
	size_t len;
} texts[] = {
#define TOKEN(sym, text, precedence) [sym] = { text, sizeof(text) - 1 },
#include "policy/lang/promql_tokens.def"
#undef TOKEN
};

const unsigned char token_precedences[] = {
#define TOKEN(sym, text, precedence) [sym] = precedence,
#include "policy/lang/promql_tokens.def"
#undef TOKEN
};

const char *token_text(enum token_type t)
{
	return texts[t].text;
}

struct slice token_slice(enum token_type t)
{
	return slice_from(texts[t].text, texts[t].len);
}

/* The dispatcher promql_lexer_next stays a leaf with tail calls when these are not inlined, which is what makes it fast. */
#define NOINLINE __attribute__((noinline))

/* what a byte begins */
enum {
	START_BAD,
	START_END,
	START_SIGN,           /* one byte that is a token: see signs */
	START_WORD,           /* a name or keyword */
	START_NAME,           /* in braces: a name */
	START_DURATION_WORD,  /* in brackets: step, range, min_of, max_of */
	START_NUMBER,
	START_DOT,
	START_STRING,
	START_COMPARISON,     /* outside: == != < <= </ > >= >/ = */
	START_MATCH,          /* in braces: = != =~ !~ */
	START_OPEN_BRACE,
	START_CLOSE_BRACE,
	START_OPEN_BRACKET,
	START_CLOSE_BRACKET,
	START_COLON,          /* in brackets */
	START_UNICODE,        /* a byte of a character beyond ASCII */
};

static const unsigned char signs[256] = {
	['('] = TOKEN_LEFT_PAREN, [')'] = TOKEN_RIGHT_PAREN, [','] = TOKEN_COMMA, ['@'] = TOKEN_AT, ['+'] = TOKEN_ADD,
	['-'] = TOKEN_SUB, ['*'] = TOKEN_MUL, ['/'] = TOKEN_DIV, ['%'] = TOKEN_MOD, ['^'] = TOKEN_POW,
};

#define STARTS_WORDS(start) ['A' ... 'Z'] = start, ['a' ... 'z'] = start, ['_'] = start
#define STARTS_COMMON                                                                                         \
	['\0'] = START_END, [','] = START_SIGN, ['"'] = START_STRING, ['\''] = START_STRING, ['`'] = START_STRING,  \
	[0x80 ... 0xff] = START_UNICODE
#define STARTS_SIGNS                                                                                          \
	['('] = START_SIGN, [')'] = START_SIGN, ['@'] = START_SIGN, ['+'] = START_SIGN, ['-'] = START_SIGN,          \
	['*'] = START_SIGN, ['/'] = START_SIGN, ['%'] = START_SIGN, ['^'] = START_SIGN, ['='] = START_COMPARISON,    \
	['!'] = START_COMPARISON, ['<'] = START_COMPARISON, ['>'] = START_COMPARISON, ['{'] = START_OPEN_BRACE,      \
	['0' ... '9'] = START_NUMBER, ['.'] = START_DOT

static const unsigned char starts_outside[256] = {
	STARTS_COMMON, STARTS_SIGNS, STARTS_WORDS(START_WORD), [':'] = START_WORD, ['['] = START_OPEN_BRACKET,
};
static const unsigned char starts_in_braces[256] = {
	STARTS_COMMON, STARTS_WORDS(START_NAME), ['='] = START_MATCH, ['!'] = START_MATCH, ['}'] = START_CLOSE_BRACE,
};
static const unsigned char starts_in_brackets[256] = {
	STARTS_COMMON, STARTS_SIGNS, STARTS_WORDS(START_DURATION_WORD), [':'] = START_COLON, [']'] = START_CLOSE_BRACKET,
};

void promql_lexer_init(struct promql_lexer *lx, struct arena *a, const char *text, size_t tokens_max, struct err *err)
{
	*lx = (struct promql_lexer){
		.arena = a, .text = text, .p = text, .starts = starts_outside, .err = err,
		.tokens_max = tokens_max, .tokens_left = tokens_max,
	};
}

static size_t offset(const struct promql_lexer *lx)
{
	return (size_t)(lx->p - lx->text);
}

/* takes n bytes as a token */
static void take(struct promql_lexer *lx, struct token *t, enum token_type type, size_t n)
{
	t->type = type;
	t->plain = true;
	t->text = slice_from(lx->p, n);
	lx->p += n;
}

/* the error is in lx->err already */
static void fail(struct token *t)
{
	t->type = TOKEN_ERROR;
	t->plain = false;
	t->text = SLICE("");
}

static void unexpected_char(struct promql_lexer *lx, struct token *t)
{
	const char *where = lx->starts == starts_in_braces ? "inside braces" : lx->starts == starts_in_brackets ? "in a range" : "here";
	const char *right = lx->starts == starts_in_braces ? "right are label=\"value\", != =~ !~, and commas between"
	                  : lx->starts == starts_in_brackets ? "right are durations, step(), range(), min_of() and max_of()"
	                  : "names beyond ASCII letters, digits, _ and : are quoted, as {\"name\"}; =~ and !~ stand in braces";
	unsigned char c = (unsigned char)*lx->p;

	if (c == '\0')
		err_set(lx->err, ERR_SYNTAX, offset(lx), "the query ends %s; %s", where, right);
	else if (c >= 0x21 && c < 0x7f)
		err_set(lx->err, ERR_SYNTAX, offset(lx), "unexpected '%c' %s; %s", c, where, right);
	else
		err_set(lx->err, ERR_SYNTAX, offset(lx), "unexpected byte 0x%02x %s; %s", c, where, right);
	fail(t);
}

/* length of the character at p when it may continue a name: an ASCII letter, digit or _; with the feature on also a dot
 * and any letter. 0 when it may not. */
static size_t name_char(const struct promql_lexer *lx, const char *p)
{
	if (char_is(*p, CHAR_ALPHA | CHAR_DIGIT))
		return 1;
	if (!lx->utf8_names)
		return 0;
	return *p == '.' ? 1 : unicode_letter(p);
}

/* Keywords are found by their first eight letters, as one number with the bit set that makes letters small. Among
 * letters, digits and _ that loses nothing else. */
#define SMALL(c) ((uint64_t)((c) == 0 ? 0 : (c) | 0x20))
#define KEY8(a, b, c, d, e, f, g, h, ...)                                                                \
	(SMALL(a) | SMALL(b) << 8 | SMALL(c) << 16 | SMALL(d) << 24 | SMALL(e) << 32 | SMALL(f) << 40 | SMALL(g) << 48 | \
	 SMALL(h) << 56)
#define KEY(...) KEY8(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0, 0)
#define KEYWORD_HASH 0xb1dbdd2b5629119bull
#define PLACE(key) ((key) * KEYWORD_HASH >> 58)

static const struct {
	uint64_t key;
	struct slice rest;
	enum token_type type;
} keywords[64] = {
#define KEYWORD(type, rest, ...) [PLACE(KEY(__VA_ARGS__))] = { KEY(__VA_ARGS__), SLICE_INIT(rest), type },
#include "policy/lang/promql_keywords.def"
#undef KEYWORD
};

/* the keyword that a word of ASCII letters, digits and _ is, in any case of letters, or TOKEN_IDENTIFIER */
static enum token_type keyword(const char *word, size_t len)
{
	uint64_t key;

	memcpy(&key, word, sizeof(key));          /* the padding behind the text is there to be read */
	key = le64toh(key) | 0x2020202020202020ull;
	if (len < 8)
		key &= (1ull << (8 * len)) - 1;

	size_t place = PLACE(key);
	size_t rest = len > 8 ? len - 8 : 0;

	if (keywords[place].key != key || !slice_ieq(keywords[place].rest, slice_from(word + len - rest, rest)))
		return TOKEN_IDENTIFIER;
	return keywords[place].type;
}

static bool paren_follows(const char *p)
{
	while (char_is(*p, CHAR_SPACE))
		p++;
	return *p == '(';
}

/* a word with a colon, or with characters beyond ASCII where they are switched on */
static void long_word(struct promql_lexer *lx, struct token *t)
{
	size_t len = 0;
	bool colon = false;

	for (size_t n = 1; n > 0; len += n) {
		n = lx->p[len] == ':' ? 1 : name_char(lx, lx->p + len);
		colon = colon || lx->p[len] == ':';
	}
	take(lx, t, colon ? TOKEN_METRIC_NAME : TOKEN_IDENTIFIER, len);
	t->plain = !lx->utf8_names;
}

/* word: a name, or a keyword, or with a colon in it a metric name. fill and its sisters are keywords only right before
 * a parenthesis, so that metrics of these names keep working. */
static NOINLINE void word(struct promql_lexer *lx, struct token *t)
{
	const char *p = lx->p + span_word(lx->p);

	if (*p == ':' || (lx->utf8_names && name_char(lx, p) > 0)) {
		long_word(lx, t);
		return;
	}

	enum token_type type = keyword(lx->p, (size_t)(p - lx->p));

	if (type >= TOKEN_FILL && type <= TOKEN_FILL_RIGHT && !paren_follows(p))
		type = TOKEN_IDENTIFIER;
	take(lx, t, type, (size_t)(p - lx->p));
}

/* in braces: a name, never a keyword */
static NOINLINE void name(struct promql_lexer *lx, struct token *t)
{
	const char *p = lx->p + span_word(lx->p);

	if (lx->utf8_names)
		for (size_t n = name_char(lx, p); n > 0; n = name_char(lx, p))
			p += n;
	take(lx, t, TOKEN_IDENTIFIER, (size_t)(p - lx->p));
	t->plain = !lx->utf8_names;
}

static bool accept(const char **p, const char *set)
{
	if (**p == '\0' || strchr(set, **p) == NULL)
		return false;
	(*p)++;
	return true;
}

/* Moves *p over a number the way the original does, oddities included (0x1e+5 is one bad number, not a sum): false when
 * no number ends there. What it takes for a number may still be none: lexer_number decides. */
static bool scan_number(const char **p)
{
	static const char decimal[] = "0123456789", hexadecimal[] = "0123456789abcdefABCDEF";
	const char *digits = decimal;
	bool dot = false, exponent = false;

	if (accept(p, "0") && accept(p, "xX")) {
		accept(p, "_");
		digits = hexadecimal;
	}
	accept(p, ".");
	accept(p, digits);
	while (char_is(**p, digits == decimal ? CHAR_DIGIT : CHAR_HEX) || (**p != '\0' && strchr("._eE", **p) != NULL)) {
		if ((**p == '.' && dot) || (ascii_lower(**p) == 'e' && exponent)) {
			(*p)++;
			return false;
		}
		if (accept(p, ".")) {
			dot = true;
			if (accept(p, "_.") || digits == hexadecimal)
				return false;
		} else if (accept(p, "eE")) {
			exponent = true;
			accept(p, "+-");
			if (accept(p, "._eE") || **p == '\0')
				return false;
		} else if (accept(p, "_")) {
			if (accept(p, "._eE") || **p == '\0')
				return false;
		} else {
			while (accept(p, digits))
				;
		}
	}
	return !char_is(**p, CHAR_ALPHA | CHAR_DIGIT);
}

/* what follows the first number of a duration: unit (number unit)*; duration_parse looks at the units */
static bool scan_units(const char **p)
{
	if (!accept(p, "smhdwy"))
		return false;
	accept(p, "s");
	while (char_is(**p, CHAR_DIGIT)) {
		while (char_is(**p, CHAR_DIGIT))
			(*p)++;
		if (!accept(p, "smhdw"))
			return false;
		accept(p, "s");
	}
	return !char_is(**p, CHAR_ALPHA | CHAR_DIGIT);
}

static void long_number(struct promql_lexer *lx, struct token *t)
{
	const char *p = lx->p;
	enum token_type type = TOKEN_NUMBER;

	if (!scan_number(&p)) {
		type = TOKEN_DURATION;
		if (!scan_units(&p)) {
			err_set(lx->err, ERR_SYNTAX, offset(lx), "bad number or duration; right are 1, 0.5, 1e3, 0x1f, 5m, 1h30m");
			fail(t);
			return;
		}
	}
	take(lx, t, type, (size_t)(p - lx->p));
}

/* what follows the digits of a plain duration such as 5m or 1h30m: units, digits between them; NULL when it is no such one */
static const char *plain_units(const char *p)
{
	while (*p == 's' || *p == 'm' || *p == 'h' || *p == 'd' || *p == 'w' || *p == 'y') {
		p += p[0] == 'm' && p[1] == 's' ? 2 : 1;
		if (!char_is(*p, CHAR_ALPHA | CHAR_DIGIT))
			return p;
		while (char_is(*p, CHAR_DIGIT))
			p++;
	}
	return NULL;
}

/* number: most are plain digits, digits with a point, or a plain duration; scan_number knows all there is */
static NOINLINE void number(struct promql_lexer *lx, struct token *t)
{
	const char *start = lx->p, *p = start;

	lx->duration_start = false;
	while (char_is(*p, CHAR_DIGIT))
		p++;
	if (char_is(*p, CHAR_ALPHA)) {
		p = plain_units(p);
		if (p == NULL)
			long_number(lx, t);
		else
			take(lx, t, TOKEN_DURATION, (size_t)(p - start));
		return;
	}
	if (*p == '.' && char_is(p[1], CHAR_DIGIT))
		for (p++; char_is(*p, CHAR_DIGIT);)
			p++;
	if (*p == '.' || char_is(*p, CHAR_ALPHA))
		long_number(lx, t);
	else
		take(lx, t, TOKEN_NUMBER, (size_t)(p - start));
}

static NOINLINE void long_string(struct promql_lexer *lx, struct token *t)
{
	t->plain = false;
	if (lexer_string(lx->arena, lx->text, &lx->p, &t->text, lx->err) != ERR_OK)
		fail(t);
}

/* string: most are in double quotes and hold nothing to decode */
static NOINLINE void string(struct promql_lexer *lx, struct token *t)
{
	const char *start = lx->p + 1, *p = start + span_plain(start);

	t->type = TOKEN_STRING;
	if (start[-1] != '"' || *p != '"' || p - start > STRING_BYTES_MAX) {
		long_string(lx, t);
		return;
	}
	t->plain = true;
	t->text = slice_from(start, (size_t)(p - start));
	lx->p = p + 1;
}

/* in brackets words are step range min_of max_of, in letters and _ only */
static void duration_word(struct promql_lexer *lx, struct token *t)
{
	size_t len = 0;

	while (char_is(lx->p[len], CHAR_ALPHA))
		len++;

	enum token_type type = keyword(lx->p, len);

	if (type >= TOKEN_STEP && type <= TOKEN_MAX_OF)
		take(lx, t, type, len);
	else
		unexpected_char(lx, t);
}

static void colon(struct promql_lexer *lx, struct token *t)
{
	if (lx->got_colon) {
		err_set(lx->err, ERR_SYNTAX, offset(lx), "a second colon; a subquery has one, as in [5m:1m]");
		fail(t);
		return;
	}
	lx->got_colon = true;
	take(lx, t, TOKEN_COLON, 1);
}

static void comparison(struct promql_lexer *lx, struct token *t)
{
	char c = lx->p[0], d = lx->p[1];

	if (c == '<')
		take(lx, t, d == '=' ? TOKEN_LTE : d == '/' ? TOKEN_TRIM_UPPER : TOKEN_LSS, d == '=' || d == '/' ? 2 : 1);
	else if (c == '>')
		take(lx, t, d == '=' ? TOKEN_GTE : d == '/' ? TOKEN_TRIM_LOWER : TOKEN_GTR, d == '=' || d == '/' ? 2 : 1);
	else if (d == '=')
		take(lx, t, c == '=' ? TOKEN_EQLC : TOKEN_NE, 2);
	else if (c == '=' && d != '~')
		take(lx, t, TOKEN_EQ, 1);
	else
		unexpected_char(lx, t);
}

static NOINLINE void match_sign(struct promql_lexer *lx, struct token *t)
{
	char c = lx->p[0], d = lx->p[1];

	if (d == '~')
		take(lx, t, c == '=' ? TOKEN_RE : TOKEN_NRE, 2);
	else if (c == '=')
		take(lx, t, TOKEN_EQ, 1);
	else if (d == '=')
		take(lx, t, TOKEN_NE, 2);
	else
		unexpected_char(lx, t);
}

/* braces and brackets change what the bytes behind them begin */
static NOINLINE void change(struct promql_lexer *lx, struct token *t, enum token_type type, const unsigned char *starts)
{
	lx->starts = starts;
	lx->duration_start = type == TOKEN_LEFT_BRACKET;
	lx->got_colon = false;
	take(lx, t, type, 1);
}

/* Behind spaces and comments. At the start of a duration the original knows no comments, so neither do we. */
static NOINLINE const char *blank_end(const struct promql_lexer *lx, const char *p)
{
	while (char_is(*p, CHAR_SPACE) || (*p == '#' && !lx->duration_start)) {
		if (*p++ == '#')
			while (*p != '\0' && *p != '\n' && *p != '\r')
				p++;
	}
	return p;
}

static NOINLINE void too_many(struct promql_lexer *lx, struct token *t)
{
	err_rule(lx->err, ERR_LIMIT, "query_tokens", offset(lx), "a query may hold %zu tokens", lx->tokens_max);
	lx->tokens_left = 0;
	fail(t);
}

static NOINLINE void next_special(struct promql_lexer *lx, struct token *t, unsigned start)
{
	switch (start) {
	case START_END:
		if (lx->starts != starts_in_braces) {
			take(lx, t, TOKEN_EOF, 0);
			return;
		}
		break;
	case START_DURATION_WORD: duration_word(lx, t); return;
	case START_DOT:
		if (char_is(lx->p[1], CHAR_DIGIT)) {
			lx->duration_start = false;
			long_number(lx, t);
			return;
		}
		break;
	case START_COMPARISON: comparison(lx, t); return;
	case START_COLON: colon(lx, t); return;
	case START_UNICODE:
		if (lx->utf8_names && lx->starts != starts_in_brackets && unicode_letter(lx->p) > 0) {
			if (lx->starts == starts_in_braces)
				name(lx, t);
			else
				long_word(lx, t);
			return;
		}
		break;
	default: break;
	}
	unexpected_char(lx, t);
}

void promql_lexer_next(struct promql_lexer *lx, struct token *t)
{
	const char *p = lx->p;

	if (char_is(*p, CHAR_SPACE)) p++;
	if (char_is(*p, CHAR_SPACE) || *p == '#')
		p = blank_end(lx, p);
	lx->p = p;
	t->at = (uint32_t)(p - lx->text);
	if (lx->tokens_left-- == 0) {
		too_many(lx, t);
		return;
	}

	unsigned start = lx->starts[(unsigned char)*p];

	if (start == START_SIGN) {
		take(lx, t, signs[(unsigned char)*p], 1);
		return;
	}
	if (start == START_WORD) {
		word(lx, t);
		return;
	}
	switch (start) {
	case START_WORD: word(lx, t); return;
	case START_NAME: name(lx, t); return;
	case START_NUMBER: number(lx, t); return;
	case START_STRING: string(lx, t); return;
	case START_MATCH: match_sign(lx, t); return;
	case START_OPEN_BRACE: change(lx, t, TOKEN_LEFT_BRACE, starts_in_braces); return;
	case START_CLOSE_BRACE: change(lx, t, TOKEN_RIGHT_BRACE, starts_outside); return;
	case START_OPEN_BRACKET: change(lx, t, TOKEN_LEFT_BRACKET, starts_in_brackets); return;
	case START_CLOSE_BRACKET: change(lx, t, TOKEN_RIGHT_BRACKET, starts_outside); return;
	default: next_special(lx, t, start); return;
	}
}

bool promql_lexer_plain_matcher(struct promql_lexer *lx, struct slice *name, struct slice *value)
{
	const char *p = lx->p + (*lx->p == ' ');
	size_t len = span_word(p);

	if (len == 0 || p[len] != '=' || p[len + 1] != '"' || char_is(*p, CHAR_DIGIT) || lx->tokens_left < 3)
		return false;

	const char *v = p + len + 2;
	size_t value_len = span_plain(v);

	if (v[value_len] != '"' || value_len > STRING_BYTES_MAX)
		return false;
	*name = slice_from(p, len);
	*value = slice_from(v, value_len);
	lx->p = v + value_len + 1;
	lx->tokens_left -= 3;
	return true;
}

bool promql_lexer_plain_range(struct promql_lexer *lx, double *seconds)
{
	const char *p = lx->p;
	unsigned n = 0, digits = 0;

	for (; digits < 5 && char_is(p[digits], CHAR_DIGIT); digits++)
		n = n * 10 + (unsigned)(p[digits] - '0');

	char unit = p[digits];
	unsigned scale = unit == 's' ? 1 : unit == 'm' ? 60 : unit == 'h' ? 3600 : unit == 'd' ? 86400 : 0;

	if (n == 0 || scale == 0 || p[digits + 1] != ']' || lx->tokens_left < 2)
		return false;
	*seconds = (double)n * scale;
	lx->p = p + digits + 2;
	lx->starts = starts_outside;
	lx->duration_start = false;
	lx->tokens_left -= 2;
	return true;
}
