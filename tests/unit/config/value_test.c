#include "config/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct row {
	const char *in;
	int64_t want;                    /* -1 = refused */
};

static void check(const struct row *rows, size_t len, enum err_code (*parse)(struct slice, int64_t *, struct err *))
{
	for (size_t i = 0; i < len; i++) {
		int64_t got = -1;
		struct err e;

		if ((parse(slice_cstr(rows[i].in), &got, &e) == ERR_OK) != (rows[i].want >= 0) || got != rows[i].want)
			fail_msg("%s: got %lld", rows[i].in, (long long)got);
	}
}

static void durations(void **state)
{
	static const struct row rows[] = {
		{ "5ms", 5 },         { "1s", 1000 },      { "2m", 120000 },   { "1h", 3600000 }, { "31d", 2678400000 },
		{ "1w", 604800000 },
		{ "1h30m", 5400000 }, { "1m5s10ms", 65010 }, { "0", 0 },       { "0s", 0 },       { "90m", 5400000 },
		{ "", -1 },           { "5", -1 },         { "s", -1 },        { "5 s", -1 },     { "-5s", -1 },         { "1.5s", -1 },
		{ "30m1h", -1 },      { "1s1s", -1 },      { "1h30", -1 },     { "5y", -1 },      { "5S", -1 },          { "5sec", -1 },
		{ "99999999999999w", -1 }, { "99999999999999999999s", -1 }, { "9223372036854775807ms", INT64_MAX },
		{ "9223372036854775807ms1s", -1 },
		{ "15250w9223372036854775807ms", -1 },
	};

	(void)state;
	check(rows, sizeof(rows) / sizeof(rows[0]), value_duration);
}

static void sizes(void **state)
{
	static const struct row rows[] = {
		{ "0", 0 },    { "1024", 1024 }, { "1B", 1 },    { "4KiB", 4096 }, { "1MiB", 1 << 20 }, { "2GiB", (int64_t)2 << 30 },
		{ "1MB", -1 }, { "1k", -1 },     { "KiB", -1 },  { "1 MiB", -1 },  { "-1", -1 },        { "1.5MiB", -1 },
		{ "", -1 },    { "1mib", -1 },   { "9999999999999GiB", -1 },
	};

	(void)state;
	check(rows, sizeof(rows) / sizeof(rows[0]), value_size);
}

static void counts(void **state)
{
	static const struct row rows[] = {
		{ "0", 0 },   { "007", 7 },  { "9223372036854775807", INT64_MAX }, { "9223372036854775808", -1 }, { "", -1 },
		{ "1e3", -1 }, { "0x1", -1 }, { "+1", -1 }, { "-1", -1 }, { "1_000", -1 }, { " 1", -1 }, { "1 ", -1 },
	};

	(void)state;
	check(rows, sizeof(rows) / sizeof(rows[0]), value_count);
}

static void numbers(void **state)
{
	static const struct {
		const char *in;
		double want;
	} rows[] = {
		{ "0", 0 },   { "200", 200 }, { "0.5", 0.5 }, { "1.25", 1.25 }, { "2.0", 2 },
		{ "", -1 },   { ".5", -1 },   { "5.", -1 },   { "1e3", -1 },    { "-1", -1 }, { "1,5", -1 }, { "nan", -1 }, { "inf", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double got = -1;
		struct err e;
		enum err_code rc = value_number(slice_cstr(rows[i].in), &got, &e);

		if ((rc == ERR_OK) != (rows[i].want >= 0) || got != rows[i].want)
			fail_msg("%s: got %g", rows[i].in, got);
	}
}

static void long_texts_are_cut_in_the_sentence(void **state)
{
	char text[400];
	int64_t n;
	struct err e;

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(value_duration(slice_from(text, sizeof(text)), &n, &e), ERR_INVALID);
	assert_non_null(strstr(e.text, "is not a duration: digits and ms, s, m, h, d or w"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations), cmocka_unit_test(sizes), cmocka_unit_test(counts), cmocka_unit_test(numbers),
		cmocka_unit_test(long_texts_are_cut_in_the_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
