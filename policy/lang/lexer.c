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
	struct slice copy;

	if (in.len > max)
		return err_rule(reterr, ERR_LIMIT, "query_bytes", max, "the query may hold %zu bytes, it has %zu", max, in.len);
	if (!arena_dup(a, in, &copy))
		return err_nomem(reterr);

	size_t nul = slice_find(copy, '\0');

	if (nul < in.len)
		return err_rule(reterr, ERR_STRICT, "raw_nul", nul, "a zero byte in the query; write \\x00 inside a string");
	*ret = copy.ptr;
	return ERR_OK;
}

static enum err_code string_too_long(size_t at, struct err *reterr)
{
	return err_rule(reterr, ERR_LIMIT, "string_bytes", at, "a string may hold %d bytes", STRING_BYTES_MAX);
}

/* length of the character at p when it may be typed inside a string; 0 for the end of the text and what is refused */
static size_t string_char(const char *p)
{
	if ((signed char)*p > 0)
		return 1;
	if (*p == '\0' || strncmp(p, "\xef\xbf\xbd", 3) == 0)
		return 0;
	return utf8_sequence(slice_from(p, strnlen(p, 4)));
}

static enum err_code bad_char(const char *text, size_t open, size_t at, struct err *reterr)
{
	if (text[at] == '\0' || text[at] == '\n')
		return err_set(reterr, ERR_SYNTAX, open, "this string has no closing %c on its line", text[open]);
	return err_set(reterr, ERR_SYNTAX, at, "a string must be UTF-8 without U+FFFD; write other bytes as \\xff");
}

static enum err_code raw_string(const char *text, size_t open, size_t *end, struct slice *ret, struct err *reterr)
{
	size_t at = open + 1;

	while (text[at] != '`') {
		size_t n = string_char(text + at);

		if (n == 0 && text[at] == '\0')
			return err_set(reterr, ERR_SYNTAX, open, "this string has no closing backtick");
		if (n == 0)
			return bad_char(text, open, at, reterr);
		at += n;
	}
	*end = at + 1;
	*ret = slice_from(text + open + 1, at - open - 1);
	return ret->len > STRING_BYTES_MAX ? string_too_long(open, reterr) : ERR_OK;
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

/* escape: one letter | three octal digits | x and two, u and four, U and eight hex digits. *at is behind the backslash. */
static enum err_code escape(const char *text, size_t *at, char quote, char *out, size_t *len, struct err *reterr)
{
	size_t start = *at;
	char c = text[start];
	unsigned digits = 3, base = 8;
	uint32_t value = 0;

	if (simple_escape(c, quote, out)) {
		*len = 1;
		(*at)++;
		return ERR_OK;
	}
	if (c == 'x' || c == 'u' || c == 'U') {
		digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;
		base = 16;
		(*at)++;
	} else if (c < '0' || c > '7') {
		return err_set(reterr, ERR_SYNTAX, start - 1, "unknown escape in a string; a backslash is written \\\\");
	}
	for (unsigned i = 0; i < digits; i++, (*at)++) {
		unsigned d = (unsigned)digit_value(text[*at]);

		if (d >= base)
			return err_set(reterr, ERR_SYNTAX, start - 1, "this escape needs %u digits of base %u", digits, base);
		value = value * base + d;
	}
	if (c != 'u' && c != 'U') {
		if (value > 255)
			return err_set(reterr, ERR_SYNTAX, start - 1, "an octal escape goes up to \\377");
		*out = (char)value;
		*len = 1;
		return ERR_OK;
	}
	if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
		return err_set(reterr, ERR_SYNTAX, start - 1, "this escape is no Unicode character");
	*len = utf8_put(out, value);
	return ERR_OK;
}

/* offset of the closing quote; *escapes says whether there is something to decode */
static enum err_code string_end(const char *text, size_t open, size_t *end, bool *escapes, struct err *reterr)
{
	size_t at = open + 1;

	*escapes = false;
	for (;;) {
		char c = text[at];

		if (c == text[open])
			break;
		if (char_is(c, CHAR_PLAIN)) {
			at++;
		} else if (c == '\\') {
			*escapes = true;
			at += text[at + 1] == '\0' ? 1 : 2;
		} else {
			size_t n = c == '\n' ? 0 : string_char(text + at);

			if (n == 0)
				return bad_char(text, open, at, reterr);
			at += n;
		}
	}
	*end = at;
	return ERR_OK;
}

enum err_code lexer_string(struct arena *a, const char *text, size_t open, size_t *end, struct slice *ret,
                           struct err *reterr)
{
	bool escapes;
	size_t close;

	if (text[open] == '`')
		return raw_string(text, open, end, ret, reterr);

	enum err_code rc = string_end(text, open, &close, &escapes, reterr);

	if (rc != ERR_OK)
		return rc;
	*end = close + 1;
	*ret = slice_from(text + open + 1, close - open - 1);
	if (escapes) {
		char *out = arena_alloc(a, ret->len);      /* no escape is shorter than what it means */
		size_t len = 0;

		if (out == NULL)
			return err_nomem(reterr);
		for (size_t at = open + 1; at < close;) {
			size_t n = 1;

			if (text[at] == '\\') {
				at++;
				rc = escape(text, &at, text[open], out + len, &n, reterr);
				if (rc != ERR_OK)
					return rc;
			} else {
				out[len] = text[at++];
			}
			len += n;
		}
		*ret = slice_from(out, len);
	}
	return ret->len > STRING_BYTES_MAX ? string_too_long(open, reterr) : ERR_OK;
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
