#include "tenants/limits.h"

#include <math.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The vectors that the store in process and the Redis script must both give: em = 100000, burst = 10, one key, in order. */
static void twelve_vectors(void **state)
{
	static const struct {
		int64_t at;
		double min, max, back;
		double granted, left;
		int64_t retry, reset;
	} rows[] = {
		{ 0, 1, 1, 0, 1, 9, 0, 100000 },
		{ 0, 1, 1, 0, 1, 8, 0, 200000 },
		{ 0, 8, 8, 0, 8, 0, 0, 1000000 },
		{ 0, 1, 1, 0, 0, 0, 100000, 1000000 },
		{ 50000, 1, 1, 0, 0, 0, 50000, 950000 },
		{ 100000, 1, 1, 0, 1, 0, 0, 1000000 },
		{ 100000, 1, 1, 0, 0, 0, 100000, 1000000 },
		{ 600000, 1, 4, 0, 4, 1, 0, 900000 },
		{ 600000, 1, 4, 2, 3, 0, 0, 1000000 },
		{ 600000, 5, 5, 0, 0, 0, 500000, 1000000 },
		{ 10000000, 11, 11, 0, 0, 10, -1, 0 },
		{ 10000000, 1, 64, 0, 10, 0, 0, 1000000 },
	};
	double tat = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gcra_take t = { 100000, 10, rows[i].min, rows[i].max, rows[i].back, 1800000000000000 + rows[i].at };
		struct gcra_given g = gcra_take(&tat, &t);

		if (g.granted != rows[i].granted || g.left != rows[i].left || g.retry_us != rows[i].retry || g.reset_us != rows[i].reset)
			fail_msg("row %zu: granted %g left %g retry %lld reset %lld", i, g.granted, g.left, (long long)g.retry_us,
			         (long long)g.reset_us);
	}
}

static void clock_steps_lock_nobody_out(void **state)
{
	struct gcra_take t = { .em_us = 1000, .burst = 5, .min = 1, .max = 5, .now_us = 1000000000 };
	double tat = 0;

	(void)state;
	assert_true(gcra_take(&tat, &t).granted == 5);
	t.now_us -= 500000000;                    /* back by far more than a burst */
	assert_true(gcra_take(&tat, &t).granted == 0);
	t.now_us += 5000;
	assert_true(gcra_take(&tat, &t).granted == 5);
	t.burst = 2;                              /* a smaller limit of a reload */
	t.max = 2;
	assert_true(gcra_take(&tat, &t).granted == 0);
	t.now_us += 2000;
	assert_true(gcra_take(&tat, &t).granted == 2);
}

/* what comes back can never make more than one burst */
static void returned_tokens_make_none(void **state)
{
	struct gcra_take t = { .em_us = 1000, .burst = 5, .min = 1, .max = 100, .back = 1000, .now_us = 1000000000 };
	double tat = 0;

	(void)state;
	assert_true(gcra_take(&tat, &t).granted == 5);
	t.back = 0;
	assert_true(gcra_take(&tat, &t).granted == 0);
}

static void senseless_limits_grant_nothing(void **state)
{
	static const double bad[] = { 0, -1, NAN, INFINITY };
	double tat = 0;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct gcra_take t = { .em_us = bad[i], .burst = 5, .min = 1, .max = 1, .now_us = 1 };
		struct gcra_given g = gcra_take(&tat, &t);

		assert_true(g.granted == 0 && g.retry_us == -1);
	}
}

/* the wait that is told is long enough, to the microsecond, for rates that are no whole number of microseconds */
static void the_wait_is_enough(void **state)
{
	(void)state;
	for (double rate = 0.7; rate < 3000; rate *= 1.7) {
		struct gcra_take t = { .em_us = 1e6 / rate, .burst = 3, .min = 1, .max = 1, .now_us = 77000000 };
		double tat = 0;

		for (int i = 0; i < 50; i++) {
			struct gcra_given g = gcra_take(&tat, &t);

			t.now_us += g.retry_us;
			if (g.retry_us > 0)
				assert_true(gcra_take(&tat, &t).granted == 1);
		}
	}
}

static void names_and_defaults(void **state)
{
	struct static_limits filled = static_limits_filled((struct static_limits){ .max_points = 7 });

	(void)state;
	assert_string_equal(limit_name(LIMIT_REQUEST_RATE), "request_rate");
	assert_int_equal(filled.max_points, 7);
	assert_int_equal(filled.max_query_length_ms, 2678400000);
	assert_int_equal(filled.min_step_ms, 1000);
	assert_int_equal(filled.query_timeout_ms, 60000);
	assert_int_equal(filled.max_query_lookback_ms, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(twelve_vectors),
		cmocka_unit_test(clock_steps_lock_nobody_out),
		cmocka_unit_test(returned_tokens_make_none),
		cmocka_unit_test(senseless_limits_grant_nothing),
		cmocka_unit_test(the_wait_is_enough),
		cmocka_unit_test(names_and_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
