/* regexp_rune.c - see regexp_rune.h. Only what decides on validity is read: which characters a class holds does not matter. */
#include "policy/lang/regexp_rune.h"

#include "base/json.h"

#define RUNE_MAX 0x10ffff

/* sorted in byte order */
static const struct slice unicode_names[] = {
#define UNICODE_NAME(name) SLICE_INIT(name),
#include "policy/lang/unicode_names.def"
#undef UNICODE_NAME
};

/* sorted in byte order */
static const struct slice posix_names[] = {
	SLICE_INIT("alnum"), SLICE_INIT("alpha"), SLICE_INIT("ascii"), SLICE_INIT("blank"), SLICE_INIT("cntrl"),
	SLICE_INIT("digit"), SLICE_INIT("graph"), SLICE_INIT("lower"), SLICE_INIT("print"), SLICE_INIT("punct"),
	SLICE_INIT("space"), SLICE_INIT("upper"), SLICE_INIT("word"),  SLICE_INIT("xdigit"),
};

static bool is_listed(const struct slice *names, size_t len, struct slice name)
{
	size_t low = 0, high = len;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = slice_cmp(name, names[mid]);

		if (c == 0)
			return true;
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return false;
}

/* a leading '^' negates and is no part of the name */
static struct slice without_caret(struct slice name)
{
	return name.len > 0 && name.ptr[0] == '^' ? slice_skip(name, 1) : name;
}

static bool is_octal(struct slice in, size_t at)
{
	return at < in.len && in.ptr[at] >= '0' && in.ptr[at] <= '7';
}

static int hex_digit(struct slice in, size_t at)
{
	char c = at < in.len ? ascii_lower(in.ptr[at]) : '\0';

	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* hex: HEX HEX | '{' HEX+ '}', behind \x */
static bool read_hex(struct slice in, size_t *at, uint32_t *ret)
{
	size_t p = *at;
	uint32_t rune = 0;

	if (p < in.len && in.ptr[p] == '{') {
		size_t first = ++p;

		for (int d; (d = hex_digit(in, p)) >= 0; p++) {
			rune = rune * 16 + (uint32_t)d;
			if (rune > RUNE_MAX)
				return false;
		}
		if (p == first || p >= in.len || in.ptr[p] != '}')
			return false;
		p++;
	} else {
		int high = hex_digit(in, p), low = hex_digit(in, p + 1);

		if (high < 0 || low < 0)
			return false;
		rune = (uint32_t)(high * 16 + low);
		p += 2;
	}
	*at = p;
	*ret = rune;
	return true;
}

/* octal: '0' OCTAL? OCTAL? | [1-7] OCTAL OCTAL? ; one digit alone would be a back reference */
static bool read_octal(struct slice in, size_t *at, uint32_t *ret)
{
	size_t p = *at;
	uint32_t rune = 0;

	if (in.ptr[p] != '0' && !is_octal(in, p + 1))
		return false;
	for (size_t digits = 0; digits < 3 && is_octal(in, p); digits++, p++)
		rune = rune * 8 + (uint32_t)(in.ptr[p] - '0');
	*at = p;
	*ret = rune;
	return true;
}

/* one letter or sign behind the backslash; false where it means nothing */
static bool read_single(char c, uint32_t *ret)
{
	static const struct {
		char name, rune;
	} controls[] = { { 'a', '\a' }, { 'f', '\f' }, { 'n', '\n' }, { 'r', '\r' }, { 't', '\t' }, { 'v', '\v' } };
	char low = ascii_lower(c);

	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++)
		if (controls[i].name == c) {
			*ret = (uint32_t)controls[i].rune;
			return true;
		}
	if ((c & 0x80) != 0 || (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9'))
		return false;
	*ret = (uint32_t)c;
	return true;
}

enum err_code regexp_escape(struct slice in, size_t *at, uint32_t *ret, struct err *reterr)
{
	size_t p = *at + 1;
	bool good;

	if (p >= in.len)
		return err_set(reterr, ERR_INVALID, *at, "regular expression: a backslash at the end");
	if (in.ptr[p] == 'x') {
		p++;
		good = read_hex(in, &p, ret);
	} else if (is_octal(in, p)) {
		good = read_octal(in, &p, ret);
	} else {
		good = read_single(in.ptr[p++], ret);
	}
	if (!good)
		return err_set(reterr, ERR_INVALID, *at, "regular expression: unknown escape sequence");
	*at = p;
	return ERR_OK;
}

/* unicode: \p RUNE | \p '{' NAME '}' */
static enum err_code read_unicode(struct slice in, size_t *at, struct err *reterr)
{
	size_t p = *at + 2, len;
	struct slice name;

	if (p < in.len && in.ptr[p] == '{') {
		struct slice rest = slice_skip(in, p + 1);

		len = slice_find(rest, '}');
		if (len == rest.len)
			return err_set(reterr, ERR_INVALID, *at, "regular expression: the name of a class is not closed");
		name = slice_from(rest.ptr, len);
		p += len + 2;
	} else {
		name = slice_skip(in, p);
		name.len = utf8_sequence(name);
		p += name.len;
	}
	if (!is_listed(unicode_names, sizeof(unicode_names) / sizeof(unicode_names[0]), without_caret(name)))
		return err_set(reterr, ERR_INVALID, *at, "regular expression: unknown Unicode class");
	*at = p;
	return ERR_OK;
}

enum err_code regexp_class_escape(struct slice in, size_t *at, bool *found, struct err *reterr)
{
	*found = false;
	if (*at + 1 >= in.len || in.ptr[*at] != '\\')
		return ERR_OK;
	switch (in.ptr[*at + 1]) {
	case 'd': case 'D': case 's': case 'S': case 'w': case 'W':
		*found = true;
		*at += 2;
		return ERR_OK;
	case 'p': case 'P':
		*found = true;
		return read_unicode(in, at, reterr);
	default:
		return ERR_OK;
	}
}

/* posix: '[:' '^'? NAME ':]'. Where no ':]' follows at all, the bracket is a character like others; *closed_from is the
 * offset of the first ':]' that can still be met, so that looking for it stays linear over the whole class. */
static enum err_code read_posix(struct slice in, size_t *at, size_t *closed_from, bool *found, struct err *reterr)
{
	size_t p = *at + 2;

	*found = false;
	if (p >= in.len || in.ptr[*at] != '[' || in.ptr[*at + 1] != ':')
		return ERR_OK;
	if (*closed_from < p) {
		const char *end = memmem(in.ptr + p, in.len - p, ":]", 2);

		*closed_from = end == NULL ? in.len : (size_t)(end - in.ptr);
	}
	if (*closed_from == in.len)
		return ERR_OK;

	struct slice name = without_caret(slice_from(in.ptr + p, *closed_from - p));

	if (!is_listed(posix_names, sizeof(posix_names) / sizeof(posix_names[0]), name))
		return err_set(reterr, ERR_INVALID, *at, "regular expression: unknown class name");
	*found = true;
	*at = *closed_from + 2;
	return ERR_OK;
}

/* one character of a class, escaped or not */
static enum err_code read_class_rune(struct slice in, size_t *at, size_t opened_at, uint32_t *ret, struct err *reterr)
{
	if (*at >= in.len)
		return err_set(reterr, ERR_INVALID, opened_at, "regular expression: missing closing ]");
	if (in.ptr[*at] == '\\')
		return regexp_escape(in, at, ret, reterr);
	*at += utf8_decode(slice_skip(in, *at), ret);
	return ERR_OK;
}

/* range: RUNE ('-' RUNE)? ; a '-' before the closing bracket is a character */
static enum err_code read_range(struct slice in, size_t *at, size_t opened_at, struct err *reterr)
{
	size_t from = *at;
	uint32_t low, high;
	enum err_code rc = read_class_rune(in, at, opened_at, &low, reterr);

	if (rc != ERR_OK || in.len - *at < 2 || in.ptr[*at] != '-' || in.ptr[*at + 1] == ']')
		return rc;
	++*at;
	rc = read_class_rune(in, at, opened_at, &high, reterr);
	if (rc == ERR_OK && high < low)
		return err_set(reterr, ERR_INVALID, from, "regular expression: a range of a class runs backwards");
	return rc;
}

/* class: '[' '^'? (posix | class_escape | range)+ ']' ; a ']' that comes first is a character */
enum err_code regexp_class(struct slice in, size_t *at, struct err *reterr)
{
	size_t opened_at = *at, p = *at + 1, closed_from = 0;

	if (p < in.len && in.ptr[p] == '^')
		p++;
	for (bool first = true; first || p >= in.len || in.ptr[p] != ']'; first = false) {
		bool found;
		enum err_code rc = read_posix(in, &p, &closed_from, &found, reterr);

		if (rc == ERR_OK && !found)
			rc = regexp_class_escape(in, &p, &found, reterr);
		if (rc == ERR_OK && !found)
			rc = read_range(in, &p, opened_at, reterr);
		if (rc != ERR_OK)
			return rc;
	}
	*at = p + 1;
	return ERR_OK;
}
