/* duration.c - see duration.h. */
#include "policy/lang/duration.h"

#include "policy/lang/lexer.h"

#include <math.h>

#define NS_PER_MS 1000000ull
#define MS_PER_DAY 86400000ull

/* falling; a unit may stand once */
static const struct {
	const char *name;
	uint64_t ms;
	bool only_whole;              /* printed only when it leaves no rest: 90d reads better than 12w6d */
} units[] = {
	{ "y", 365 * MS_PER_DAY, true },
	{ "w", 7 * MS_PER_DAY, true },
	{ "d", MS_PER_DAY, false },
	{ "h", 3600000, false },
	{ "m", 60000, false },
	{ "s", 1000, false },
	{ "ms", 1, false },
};

#define UNITS (sizeof(units) / sizeof(units[0]))

/* the unit that text[0..len) names, or UNITS */
static size_t unit_find(const char *text, size_t len)
{
	if (len == 2 && text[0] == 'm' && text[1] == 's')
		return UNITS - 1;
	for (size_t u = 0; len == 1 && u < UNITS - 1; u++)
		if (text[0] == units[u].name[0])
			return u;
	return UNITS;
}

/* as the backend turns nanoseconds into seconds; the exact value matters, it is compared */
static double seconds_of_ns(uint64_t ns)
{
	return (double)(ns / 1000000000) + (double)(ns % 1000000000) / 1e9;
}

/* digits and one unit of seconds or more, as nearly all durations are */
static bool read_short(struct slice token, double *ret)
{
	char unit = token.ptr[token.len - 1];
	uint64_t n = 0, seconds = unit == 's' ? 1 : unit == 'm' ? 60 : unit == 'h' ? 3600 : unit == 'd' ? 86400 : 0;

	if (token.len > 6 || seconds == 0)
		return false;
	for (size_t i = 0; i + 1 < token.len; i++) {
		if (!char_is(token.ptr[i], CHAR_DIGIT))
			return false;
		n = n * 10 + (uint64_t)(token.ptr[i] - '0');
	}
	*ret = (double)(n * seconds);
	return token.len > 1;
}

enum err_code duration_parse(struct slice token, size_t at, double *ret_seconds, struct err *reterr)
{
	const char *p = token.ptr, *end = p + token.len;
	size_t next_unit = 0;
	uint64_t ns = 0;

	if (token.len > 0 && read_short(token, ret_seconds))
		return ERR_OK;
	do {
		const char *digits = p;
		uint64_t n = 0, part;

		for (; p < end && char_is(*p, CHAR_DIGIT); p++)
			if (__builtin_mul_overflow(n, 10ull, &n) || __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
				goto out_of_range;

		const char *unit = p;

		while (p < end && !char_is(*p, CHAR_DIGIT))
			p++;

		size_t u = unit_find(unit, (size_t)(p - unit));

		if (digits == unit || u == UNITS || u < next_unit)
			return err_set(reterr, ERR_SYNTAX, at,
			               "\"%.*s\" is no duration; units are y w d h m s ms, in this order, each once",
			               (int)(token.len < 40 ? token.len : 40), token.ptr);
		if (__builtin_mul_overflow(n, units[u].ms * NS_PER_MS, &part) || __builtin_add_overflow(ns, part, &ns) ||
		    ns > INT64_MAX)
			goto out_of_range;
		next_unit = u + 1;
	} while (p < end);
	*ret_seconds = seconds_of_ns(ns);
	return ERR_OK;
out_of_range:
	return err_set(reterr, ERR_SYNTAX, at, "this duration is out of range; up to 292y");
}

static void print_ms(struct strbuf *out, uint64_t ms)
{
	if (ms == 0) {
		strbuf_lit(out, "0s");
		return;
	}
	for (size_t u = 0; u < UNITS; u++) {
		if (ms < units[u].ms || (units[u].only_whole && ms % units[u].ms != 0))
			continue;
		strbuf_u64(out, ms / units[u].ms);
		strbuf_add(out, slice_cstr(units[u].name));
		ms %= units[u].ms;
	}
}

void duration_print(struct strbuf *out, double seconds)
{
	double ms = nearbyint(fabs(seconds) * 1000);

	if (!(ms < 9e12) || seconds_of_ns((uint64_t)ms * NS_PER_MS) != fabs(seconds)) {
		lexer_print_number(out, seconds);
		return;
	}
	if (signbit(seconds))
		strbuf_char(out, '-');
	print_ms(out, (uint64_t)ms);
}

int64_t duration_ns(double seconds)
{
	double ns = round(seconds * 1e9);

	return ns >= -0x1p63 && ns < 0x1p63 ? (int64_t)ns : INT64_MIN;
}

bool duration_out_of_range(double seconds)
{
	return seconds > 0x1p63 / 1e9 || seconds < -0x1p63 / 1e9;
}
