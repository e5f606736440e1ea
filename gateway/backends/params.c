/* params.c - see params.h. */
#include "backends/params.h"

#include "backends/router.h"
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *const names[PARAM_COUNT] = {
	[PARAM_QUERY] = "query", [PARAM_MATCH] = "match[]", [PARAM_TIME] = "time", [PARAM_START] = "start",
	[PARAM_END] = "end", [PARAM_STEP] = "step", [PARAM_TIMEOUT] = "timeout", [PARAM_LIMIT] = "limit",
	[PARAM_LOOKBACK] = "lookback_delta", [PARAM_STATS] = "stats",
};

const char *param_name(enum param p)
{
	return names[p];
}

static int hex_value(char c)
{
	c = ascii_lower(c);
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool form_decode(struct arena *a, struct slice in, bool plus, struct slice *ret)
{
	char *out = arena_alloc(a, in.len + 1);
	size_t n = 0;

	if (out == NULL)
		return false;
	for (size_t i = 0; i < in.len; i++) {
		char c = in.ptr[i];

		if (c == '%') {
			bool whole = in.len - i > 2;
			int hi = whole ? hex_value(in.ptr[i + 1]) : -1;
			int lo = whole ? hex_value(in.ptr[i + 2]) : -1;

			if (hi < 0 || lo < 0)
				return false;
			c = (char)(hi * 16 + lo);
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		out[n++] = c;
	}
	*ret = slice_from(out, n);
	return true;
}

void form_encode(struct strbuf *out, struct slice s)
{
	static const char digit[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		char low = ascii_lower((char)c);

		if ((low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~') {
			strbuf_char(out, (char)c);
		} else {
			char esc[3] = { '%', digit[c >> 4], digit[c & 15] };

			strbuf_add(out, slice_from(esc, 3));
		}
	}
}

static bool holds_nul(struct slice s)
{
	return s.len > 0 && memchr(s.ptr, '\0', s.len) != NULL;
}

/* one decoded pair into its place; the query texts are judged by their own parser, bytes included */
static enum deny take_pair(const struct route *r, struct slice key, struct slice value, struct params *p, char *text)
{
	enum param id = 0;

	while (id < PARAM_COUNT && !slice_eq(key, slice_cstr(names[id])))
		id++;
	if (id == PARAM_COUNT || (r->params & PARAM_BIT(id)) == 0) {
		p->dropped++;
		return DENY_COUNT;
	}
	if (id == PARAM_MATCH) {
		if (p->match_len == PARAMS_MATCH_MAX) {
			snprintf(text, ERR_TEXT_MAX, "match[] may stand %d times", PARAMS_MATCH_MAX);
			return DENY_PARAM_MANY;
		}
		p->match[p->match_len++] = value;
		p->given |= PARAM_BIT(id);
		return DENY_COUNT;
	}
	if ((p->given & PARAM_BIT(id)) != 0) {
		snprintf(text, ERR_TEXT_MAX, "parameter \"%s\" stands twice", names[id]);
		return DENY_PARAM_DOUBLED;
	}
	if (id != PARAM_QUERY && (holds_nul(value) || !utf8_valid(value))) {
		snprintf(text, ERR_TEXT_MAX, "parameter \"%s\" holds a zero byte or invalid UTF-8", names[id]);
		return DENY_PARAM_BYTES;
	}
	p->given |= PARAM_BIT(id);
	p->value[id] = value;
	return DENY_COUNT;
}

static enum deny take_form(struct arena *a, const struct route *r, struct slice form, size_t *pairs, struct params *p, char *text)
{
	if (form.len > 0 && memchr(form.ptr, ';', form.len) != NULL) {
		snprintf(text, ERR_TEXT_MAX, "a bare ; separates nothing; write %%3B");
		return DENY_PARAM_BYTES;
	}
	while (form.len > 0) {
		size_t end = slice_find(form, '&');
		struct slice pair = slice_from(form.ptr, end), key, value;
		size_t eq = slice_find(pair, '=');

		form = slice_skip(form, end + 1);
		if (pair.len == 0)
			continue;
		if (++*pairs > PARAMS_PAIRS_MAX) {
			snprintf(text, ERR_TEXT_MAX, "at most %d parameters", PARAMS_PAIRS_MAX);
			return DENY_PARAM_MANY;
		}
		if (!form_decode(a, slice_from(pair.ptr, eq), true, &key) || !form_decode(a, slice_skip(pair, eq + 1), true, &value)) {
			snprintf(text, ERR_TEXT_MAX, "a parameter holds a broken percent escape");
			return DENY_PARAM_BYTES;
		}
		if (holds_nul(key) || !utf8_valid(key)) {
			snprintf(text, ERR_TEXT_MAX, "the name of a parameter holds a zero byte or invalid UTF-8");
			return DENY_PARAM_BYTES;
		}

		enum deny bad = take_pair(r, key, value, p, text);

		if (bad != DENY_COUNT)
			return bad;
	}
	return DENY_COUNT;
}

enum deny params_parse(struct arena *a, const struct route *r, struct slice query, struct slice body, struct params *ret,
                       char text[ERR_TEXT_MAX])
{
	size_t pairs = 0;
	enum deny bad;

	memset(ret, 0, sizeof(*ret));
	bad = take_form(a, r, query, &pairs, ret, text);
	if (bad == DENY_COUNT)
		bad = take_form(a, r, body, &pairs, ret, text);
	if (bad != DENY_COUNT)
		return bad;
	for (enum param id = 0; id < PARAM_COUNT; id++)
		if ((r->needs & PARAM_BIT(id)) != 0 && (ret->given & PARAM_BIT(id)) == 0) {
			snprintf(text, ERR_TEXT_MAX, "parameter \"%s\" is needed", names[id]);
			return DENY_PARAM_MISSING;
		}
	return DENY_COUNT;
}

/* times beyond these have no use and would overflow sums: the years 0 and 9999, more or less */
#define TIME_MAX_MS ((int64_t)253402300799000)

/* a finite decimal number; what strtod takes beyond that (hex, inf, nan, blanks) is refused */
static bool plain_number(struct slice s, double *ret)
{
	char buf[64], *end;

	if (s.len == 0 || s.len >= sizeof(buf))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = ascii_lower(s.ptr[i]);

		if (!((c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' || c == 'e'))
			return false;
	}
	memcpy(buf, s.ptr, s.len);
	buf[s.len] = '\0';
	*ret = strtod(buf, &end);
	return *end == '\0' && isfinite(*ret);
}

static bool two_digits(const char *p, int *ret)
{
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return false;
	*ret = (p[0] - '0') * 10 + p[1] - '0';
	return true;
}

/* ".123456" behind the seconds: milliseconds, the rest is cut */
static bool fraction_ms(struct slice *s, int64_t *ms)
{
	int64_t scale = 100;
	size_t i = 1;

	*ms = 0;
	if (s->len == 0 || s->ptr[0] != '.')
		return true;
	for (; i < s->len && s->ptr[i] >= '0' && s->ptr[i] <= '9'; i++, scale /= 10)
		*ms += (s->ptr[i] - '0') * scale;
	if (i == 1)
		return false;
	*s = slice_skip(*s, i);
	return true;
}

/* Z or +hh:mm */
static bool zone_ms(struct slice s, int64_t *ms)
{
	int h, m;

	if (s.len == 1 && s.ptr[0] == 'Z') {
		*ms = 0;
		return true;
	}
	if (s.len != 6 || (s.ptr[0] != '+' && s.ptr[0] != '-') || s.ptr[3] != ':' || !two_digits(s.ptr + 1, &h) ||
	    !two_digits(s.ptr + 4, &m) || h > 23 || m > 59)
		return false;
	*ms = (int64_t)(h * 60 + m) * 60000 * (s.ptr[0] == '-' ? -1 : 1);
	return true;
}

static bool rfc3339_ms(struct slice s, int64_t *ret)
{
	struct tm tm = { 0 }, back;
	int century, year;
	int64_t frac, zone;

	if (s.len < 20 || s.ptr[4] != '-' || s.ptr[7] != '-' || s.ptr[10] != 'T' || s.ptr[13] != ':' || s.ptr[16] != ':')
		return false;
	if (!two_digits(s.ptr, &century) || !two_digits(s.ptr + 2, &year) || !two_digits(s.ptr + 5, &tm.tm_mon) ||
	    !two_digits(s.ptr + 8, &tm.tm_mday) || !two_digits(s.ptr + 11, &tm.tm_hour) ||
	    !two_digits(s.ptr + 14, &tm.tm_min) || !two_digits(s.ptr + 17, &tm.tm_sec))
		return false;
	tm.tm_year = century * 100 + year - 1900;
	tm.tm_mon -= 1;
	s = slice_skip(s, 19);
	if (tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59 || !fraction_ms(&s, &frac) || !zone_ms(s, &zone))
		return false;

	struct tm want = tm;
	time_t t = timegm(&tm);

	gmtime_r(&t, &back);   /* timegm takes 31 February for 3 March */
	if (back.tm_mon != want.tm_mon || back.tm_mday != want.tm_mday)
		return false;
	*ret = (int64_t)t * 1000 + frac - zone;
	return true;
}

bool param_time_ms(struct slice s, int64_t *ret)
{
	double seconds;

	if (plain_number(s, &seconds)) {
		if (fabs(seconds) > (double)TIME_MAX_MS / 1000)
			return false;
		*ret = (int64_t)llround(seconds * 1000);
		return true;
	}
	return rfc3339_ms(s, ret);
}

/* 1h30m: units in falling order, each once (model.ParseDuration of the Prometheus project) */
static bool unit_duration_ms(struct slice s, int64_t *ret)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {
		{ "y", 31536000000 }, { "w", 604800000 }, { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 },
	};
	size_t next = 0;
	int64_t sum = 0;

	if (s.len == 0)
		return false;
	while (s.len > 0) {
		int64_t n = 0;
		size_t digits = 0, letters = 0;

		for (; digits < s.len && s.ptr[digits] >= '0' && s.ptr[digits] <= '9'; digits++)
			if (digits > 12)
				return false;
			else
				n = n * 10 + s.ptr[digits] - '0';
		s = slice_skip(s, digits);
		while (letters < s.len && s.ptr[letters] >= 'a' && s.ptr[letters] <= 'z')
			letters++;

		struct slice unit = slice_from(s.ptr, letters);

		while (next < 7 && !slice_eq(unit, slice_cstr(units[next].unit)))
			next++;
		if (digits == 0 || next == 7 || n > TIME_MAX_MS / units[next].ms)
			return false;
		sum += n * units[next++].ms;
		s = slice_skip(s, letters);
	}
	*ret = sum;
	return sum <= TIME_MAX_MS;
}

bool param_duration_ms(struct slice s, int64_t *ret)
{
	double seconds;

	if (plain_number(s, &seconds)) {
		if (fabs(seconds) > (double)TIME_MAX_MS / 1000)
			return false;
		*ret = (int64_t)llround(seconds * 1000);
		if (*ret == 0 && seconds > 0)
			*ret = 1;                        /* a nanosecond is no zero */
		return true;
	}
	return unit_duration_ms(s, ret);
}

bool param_count(struct slice s, int64_t *ret)
{
	int64_t n = 0;

	if (s.len == 0 || s.len > 15)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
		n = n * 10 + s.ptr[i] - '0';
	}
	*ret = n;
	return true;
}

void param_print_ms(struct strbuf *out, int64_t ms)
{
	uint64_t n = ms < 0 ? (uint64_t)0 - (uint64_t)ms : (uint64_t)ms;

	if (ms < 0)
		strbuf_char(out, '-');
	strbuf_u64(out, n / 1000);
	if (n % 1000 != 0)
		strbuf_fmt(out, ".%03u", (unsigned)(n % 1000));
}
