/* number.c - Go's numbers, to a double and back; the declarations are in lexer.h.
 *
 * The short forms that nearly all queries use are read and printed with a few operations whose results IEEE 754
 * rounds exactly; strtod and snprintf serve the rest. Both follow the C locale, which this program never leaves.
 */
#include "policy/lang/lexer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* the powers of ten that a double holds exactly */
static const double power_of_ten[] = {
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

/* digits, or digits with a point, 15 of them at most and no leading zero before another digit: one exact division */
static bool read_short(struct slice s, double *ret)
{
	uint64_t digits = 0;
	size_t point = s.len;

	if (s.len == 0 || s.len > 15 || (s.len > 1 && s.ptr[0] == '0' && s.ptr[1] != '.'))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (char_is(s.ptr[i], CHAR_DIGIT))
			digits = digits * 10 + (uint64_t)(s.ptr[i] - '0');
		else if (s.ptr[i] == '.' && point == s.len && s.len > 1)
			point = i;
		else
			return false;
	}
	*ret = point == s.len ? (double)digits : (double)digits / power_of_ten[s.len - point - 1];
	return true;
}

/* an underscore stands between digits, or between a hexadecimal prefix and a digit */
static bool underscores_fine(struct slice s)
{
	bool hex = s.len >= 2 && s.ptr[0] == '0' && ascii_lower(s.ptr[1]) == 'x';
	unsigned digit = hex ? CHAR_HEX : CHAR_DIGIT;

	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] != '_')
			continue;
		if (i == 0 || i + 1 == s.len || !char_is(s.ptr[i + 1], digit))
			return false;
		if (!char_is(s.ptr[i - 1], digit) && !(hex && i == 2))
			return false;
	}
	return true;
}

/* 0x.. is hexadecimal, 0.. octal, else decimal; false when it is no such number or over the largest int64 */
static bool read_integer(const char *s, double *ret)
{
	unsigned base = s[0] != '0' ? 10 : ascii_lower(s[1]) == 'x' && s[2] != '\0' ? 16 : 8;
	uint64_t n = 0;

	for (s += base == 16 ? 2 : 0; *s != '\0'; s++) {
		unsigned d = char_is(*s, CHAR_DIGIT) ? (unsigned)(*s - '0')
		           : char_is(*s, CHAR_HEX) ? (unsigned)(ascii_lower(*s) - 'a' + 10) : 16;

		if (d >= base || __builtin_mul_overflow(n, (uint64_t)base, &n) || __builtin_add_overflow(n, (uint64_t)d, &n))
			return false;
	}
	if (n > INT64_MAX)
		return false;
	*ret = (double)n;
	return true;
}

/* strtod would also take hexadecimal floats, which are none here */
static bool read_float(const char *s, double *ret)
{
	char *end;

	if (ascii_lower(s[0]) == 'i' || ascii_lower(s[0]) == 'n') {
		*ret = ascii_lower(s[0]) == 'i' ? (double)INFINITY : (double)NAN;
		return true;
	}
	if (s[0] == '0' && ascii_lower(s[1]) == 'x')
		return false;
	*ret = strtod(s, &end);
	return *end == '\0' && end != s && isfinite(*ret);
}

enum err_code lexer_number(struct arena *a, struct slice token, size_t at, double *ret, struct err *reterr)
{
	if (read_short(token, ret))
		return ERR_OK;
	if (token.len > STRING_BYTES_MAX)
		return err_rule(reterr, ERR_LIMIT, "string_bytes", at, "a number may hold %d bytes", STRING_BYTES_MAX);

	char *digits = arena_alloc(a, token.len + 1);
	size_t n = 0;

	if (digits == NULL)
		return err_nomem(reterr);
	for (size_t i = 0; i < token.len; i++)
		if (token.ptr[i] != '_')
			digits[n++] = token.ptr[i];
	digits[n] = '\0';
	if (underscores_fine(token) && (read_integer(digits, ret) || read_float(digits, ret)))
		return ERR_OK;
	return err_set(reterr, ERR_SYNTAX, at, "\"%.*s\" is no number", (int)(token.len < 40 ? token.len : 40), token.ptr);
}

/* Decimals of few digits: when v is some integer divided by a small power of ten, exactly as reading it would divide. */
static bool print_short(struct strbuf *out, double v)
{
	for (unsigned places = 0; places <= 9; places++) {
		double scaled = nearbyint(v * power_of_ten[places]);
		char digits[24];
		size_t at = sizeof(digits);

		if (!(scaled < 1e15))
			return false;
		if (scaled / power_of_ten[places] != v)
			continue;

		uint64_t n = (uint64_t)scaled;

		for (unsigned i = 0; i < places || n > 0 || i == 0; i++) {
			if (i == places && places > 0)
				digits[--at] = '.';
			digits[--at] = (char)('0' + n % 10);
			n /= 10;
		}
		if (places > 0 && v < 1) {
			digits[--at] = '.';
			digits[--at] = '0';
		}
		strbuf_add(out, slice_from(digits + at, sizeof(digits) - at));
		return true;
	}
	return false;
}

void lexer_print_number(struct strbuf *out, double v)
{
	if (isnan(v)) {
		strbuf_lit(out, "NaN");
		return;
	}
	if (signbit(v))
		strbuf_char(out, '-');
	v = fabs(v);
	if (isinf(v)) {
		strbuf_lit(out, "Inf");
		return;
	}
	if (print_short(out, v))
		return;

	char text[32];
	int n = 0;

	for (int digits = 15; digits <= 17; digits++) {
		n = snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	strbuf_add(out, slice_from(text, (size_t)n));
}
