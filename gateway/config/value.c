/* value.c - see value.h. */
#include "config/value.h"

struct unit {
	const char *name;
	int64_t of;
};

static const struct unit sizes[] = { { "GiB", 1 << 30 }, { "MiB", 1 << 20 }, { "KiB", 1 << 10 }, { "B", 1 }, { NULL, 0 } };
static const struct unit durations[] = { { "w", 604800000 }, { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 },
	                                     { "s", 1000 },      { "ms", 1 },       { NULL, 0 } };

/* the digits at the start of *s, taken off it; false when there are none or the number is too large */
static bool take_digits(struct slice *s, int64_t *ret)
{
	size_t n = 0;
	int64_t sum = 0;

	while (n < s->len && s->ptr[n] >= '0' && s->ptr[n] <= '9')
		if (__builtin_mul_overflow(sum, (int64_t)10, &sum) || __builtin_add_overflow(sum, (int64_t)(s->ptr[n++] - '0'), &sum))
			return false;
	*s = slice_skip(*s, n);
	*ret = sum;
	return n > 0;
}

/* The unit at the start of *s, up to the next digit, taken off it; it must stand in the table at or behind *from. */
static const struct unit *take_unit(struct slice *s, const struct unit **from)
{
	size_t n = 0;

	while (n < s->len && !(s->ptr[n] >= '0' && s->ptr[n] <= '9'))
		n++;
	for (const struct unit *u = *from; u->name != NULL; u++) {
		if (!slice_eq(slice_from(s->ptr, n), slice_cstr(u->name)))
			continue;
		*s = slice_skip(*s, n);
		*from = u + 1;
		return u;
	}
	return NULL;
}

/* part* over the units from the given one on, larger units first, each once; false when it is not that or too large */
static bool parse_units(struct slice s, const struct unit *from, int64_t *ret)
{
	int64_t sum = 0;

	do {
		const struct unit *u;
		int64_t n;

		if (!take_digits(&s, &n))
			return false;
		u = take_unit(&s, &from);
		if (u == NULL || __builtin_mul_overflow(n, u->of, &n) || __builtin_add_overflow(sum, n, &sum))
			return false;
	} while (s.len > 0);
	*ret = sum;
	return true;
}

/* a short piece of what was written, for the sentence */
static int shown(struct slice s)
{
	return s.len < 40 ? (int)s.len : 40;
}

enum err_code value_count(struct slice s, int64_t *ret, struct err *reterr)
{
	struct slice rest = s;
	int64_t n;

	if (!take_digits(&rest, &n) || rest.len > 0)
		return err_set(reterr, ERR_INVALID, 0, "\"%.*s\" is not a whole number", shown(s), s.ptr);
	*ret = n;
	return ERR_OK;
}

enum err_code value_number(struct slice s, double *ret, struct err *reterr)
{
	struct slice rest = s;
	int64_t whole, fraction = 0;
	double scale = 1;
	bool fine = take_digits(&rest, &whole);

	if (fine && rest.len > 0 && rest.ptr[0] == '.') {
		size_t before;

		rest = slice_skip(rest, 1);
		before = rest.len;
		fine = take_digits(&rest, &fraction);
		for (size_t i = before - rest.len; i > 0; i--)
			scale *= 10;
	}
	if (!fine || rest.len > 0)
		return err_set(reterr, ERR_INVALID, 0, "\"%.*s\" is not a number: digits, perhaps a fraction, as 200 or 0.5", shown(s), s.ptr);
	*ret = (double)whole + (double)fraction / scale;
	return ERR_OK;
}

enum err_code value_size(struct slice s, int64_t *ret, struct err *reterr)
{
	if (value_count(s, ret, NULL) == ERR_OK || parse_units(s, sizes, ret))
		return ERR_OK;
	return err_set(reterr, ERR_INVALID, 0, "\"%.*s\" is not a size: digits and B, KiB, MiB or GiB, as 4MiB", shown(s), s.ptr);
}

enum err_code value_duration(struct slice s, int64_t *ret_ms, struct err *reterr)
{
	if (slice_eq(s, SLICE("0"))) {
		*ret_ms = 0;
		return ERR_OK;
	}
	if (parse_units(s, durations, ret_ms))
		return ERR_OK;
	return err_set(reterr, ERR_INVALID, 0, "\"%.*s\" is not a duration: digits and ms, s, m, h, d or w, as 5ms, 31d or 1h30m", shown(s),
	               s.ptr);
}
