/* lexer.c - text and string literals; see lexer.h. Numbers are in number.c. */
#include "policy/lang/lexer.h"

#include "base/json.h"

#define A (CHAR_ALPHA | CHAR_PLAIN)
#define X (CHAR_ALPHA | CHAR_HEX | CHAR_PLAIN)
#define D (CHAR_DIGIT | CHAR_HEX | CHAR_PLAIN)
#define P CHAR_PLAIN

/* every printable ASCII byte is PLAIN but the double quote and the backslash */
const unsigned char char_classes[256] = {
	['\t'] = CHAR_SPACE, ['\n'] = CHAR_SPACE, ['\r'] = CHAR_SPACE, [' '] = CHAR_SPACE | CHAR_PLAIN,
	['!'] = P, ['#' ... '/'] = P,
	['0' ... '9'] = D, [':' ... '@'] = P,
	['A' ... 'F'] = X, ['G' ... 'Z'] = A, ['['] = P, [']' ... '^'] = P, ['_'] = A, ['`'] = P,
	['a' ... 'f'] = X, ['g' ... 'z'] = A, ['{' ... '~'] = P,
};

#undef A
#undef X
#undef D
#undef P

enum err_code lexer_text(struct arena *a, struct slice in, size_t max, const char **ret, struct err *reterr)
{
	if (in.len > max)
		return err_rule(reterr, ERR_LIMIT, "query_bytes", max, "the query may hold %zu bytes, it has %zu", max, in.len);

	char *copy = arena_alloc(a, in.len + LEXER_PAD);

	if (copy == NULL)
		return err_nomem(reterr);
	if (in.len > 0)
		memcpy(copy, in.ptr, in.len);
	*ret = copy;
	return ERR_OK;
}

enum err_code lexer_check_end(struct slice in, size_t at, enum err_code rc, struct err *reterr)
{
	size_t nul = rc == ERR_OK ? at : slice_find(in, '\0');

	if (nul >= in.len)
		return rc;
	return err_rule(reterr, ERR_STRICT, "raw_nul", nul, "a zero byte in the query; write \\x00 inside a string");
}

bool lexer_pad(struct strbuf *out)
{
	if (!strbuf_reserve(out, LEXER_PAD))
		return false;
	memset(out->ptr + out->len, 0, LEXER_PAD);
	return true;
}

static enum err_code check_length(struct slice s, size_t at, struct err *reterr)
{
	if (s.len > STRING_BYTES_MAX)
		return err_rule(reterr, ERR_LIMIT, "string_bytes", at, "a string may hold %d bytes", STRING_BYTES_MAX);
	return ERR_OK;
}

/* length of the character at p when it may be typed inside a string; 0 for the end of the text and what is refused */
static size_t string_char(const char *p)
{
	if ((signed char)*p > 0)
		return 1;
	if (*p == '\0' || strncmp(p, "\xef\xbf\xbd", 3) == 0)
		return 0;
	return utf8_sequence(slice_from(p, 4));        /* the padding is there to be read */
}

static enum err_code bad_char(const char *text, const char *open, const char *p, struct err *reterr)
{
	if (*p == '\0' || (*p == '\n' && *open != '`'))
		return err_set(reterr, ERR_SYNTAX, (size_t)(open - text), "this string has no closing %c%s", *open,
		               *open == '`' ? "" : " on its line");
	return err_set(reterr, ERR_SYNTAX, (size_t)(p - text), "a string must be UTF-8 without U+FFFD; write other bytes as \\xff");
}

static int digit_value(char c)
{
	if (char_is(c, CHAR_DIGIT))
		return c - '0';
	return char_is(c, CHAR_HEX) ? ascii_lower(c) - 'a' + 10 : 16;
}

/* writes a code point as UTF-8 */
static size_t utf8_put(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* escapes of one letter and the bytes they mean */
static bool simple_escape(char c, char quote, char *ret)
{
	static const char letters[] = "abfnrtv\\", bytes[] = "\a\b\f\n\r\t\v\\";
	const char *p = c == '\0' ? NULL : strchr(letters, c);

	if (p == NULL && c != quote)
		return false;
	*ret = p == NULL ? c : bytes[p - letters];
	return true;
}

/* escape: one letter | three octal digits | x and two, u and four, U and eight hex digits. *p is behind the backslash;
 * out takes up to four bytes. */
static enum err_code escape(const char *text, const char **p, char quote, char *out, size_t *len, struct err *reterr)
{
	size_t at = (size_t)(*p - 1 - text);
	char c = **p;
	unsigned digits = 3, base = 8;
	uint32_t value = 0;

	*len = 1;
	if (simple_escape(c, quote, out)) {
		(*p)++;
		return ERR_OK;
	}
	if (c == 'x' || c == 'u' || c == 'U') {
		digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;
		base = 16;
		(*p)++;
	} else if (c < '0' || c > '7') {
		return err_set(reterr, ERR_SYNTAX, at, "unknown escape in a string; a backslash is written \\\\");
	}
	for (unsigned i = 0; i < digits; i++, (*p)++) {
		unsigned d = (unsigned)digit_value(**p);

		if (d >= base)
			return err_set(reterr, ERR_SYNTAX, at, "this escape needs %u digits of base %u", digits, base);
		value = value * base + d;
	}
	if (c == 'u' || c == 'U') {
		if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
			return err_set(reterr, ERR_SYNTAX, at, "this escape is no Unicode character");
		*len = utf8_put(out, value);
		return ERR_OK;
	}
	if (value > 255)
		return err_set(reterr, ERR_SYNTAX, at, "an octal escape goes up to \\377");
	*out = (char)value;
	return ERR_OK;
}

/* Finds the closing quote of the string that starts at open; *escapes says whether there is something to decode. */
static enum err_code string_end(const char *text, const char *open, const char **ret, bool *escapes, struct err *reterr)
{
	char quote = *open;
	const char *p = open + 1;

	for (*escapes = false; *p != quote;) {
		if (*p == '\\' && quote != '`') {
			*escapes = true;
			p += p[1] == '\0' ? 1 : 2;
			continue;
		}

		size_t n = *p == '\n' && quote != '`' ? 0 : string_char(p);

		if (n == 0)
			return bad_char(text, open, p, reterr);
		p += n;
	}
	*ret = p;
	return ERR_OK;
}

/* no escape is shorter than what it means, so the decoded string fits into the length of the written one */
static enum err_code decode(struct arena *a, const char *text, const char *open, const char *close, struct slice *ret,
                            struct err *reterr)
{
	char *out = arena_alloc(a, (size_t)(close - open));
	size_t len = 0;

	if (out == NULL)
		return err_nomem(reterr);
	for (const char *p = open + 1; p < close;) {
		size_t n = 1;

		if (*p != '\\') {
			out[len++] = *p++;
			continue;
		}
		p++;

		enum err_code rc = escape(text, &p, *open, out + len, &n, reterr);

		if (rc != ERR_OK)
			return rc;
		len += n;
	}
	*ret = slice_from(out, len);
	return ERR_OK;
}

enum err_code lexer_string(struct arena *a, const char *text, const char **p, struct slice *ret, struct err *reterr)
{
	const char *open = *p, *close = open + 1;
	bool escapes = false;
	enum err_code rc = ERR_OK;

	if (*open == '"')
		close += span_plain(close);
	if (*close != '"' || *open != '"')
		rc = string_end(text, open, &close, &escapes, reterr);
	if (rc != ERR_OK)
		return rc;
	*p = close + 1;
	*ret = slice_from(open + 1, (size_t)(close - open - 1));
	if (escapes)
		rc = decode(a, text, open, close, ret, reterr);
	return rc != ERR_OK ? rc : check_length(*ret, (size_t)(open - text), reterr);
}

void lexer_quote(struct strbuf *out, struct slice s)
{
	static const char digits[] = "0123456789abcdef";
	size_t done = 0, at = 0;

	strbuf_char(out, '"');
	while (at < s.len) {
		char c = s.ptr[at];
		size_t n = char_is(c, CHAR_PLAIN) ? 1 : (unsigned char)c < 0x80 ? 0 : utf8_sequence(slice_skip(s, at));

		if (n > 0 && !(n == 3 && memcmp(s.ptr + at, "\xef\xbf\xbd", 3) == 0)) {
			at += n;
			continue;
		}
		strbuf_add(out, slice_from(s.ptr + done, at - done));
		if (c == '"' || c == '\\')
			strbuf_add(out, slice_from((char[]){ '\\', c }, 2));
		else
			strbuf_add(out, slice_from((char[]){ '\\', 'x', digits[(unsigned char)c >> 4], digits[c & 15] }, 4));
		done = ++at;
	}
	strbuf_add(out, slice_from(s.ptr + done, at - done));
	strbuf_char(out, '"');
}
