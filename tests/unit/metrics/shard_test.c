/* The counters of one thread: found again, bounded, and calm without memory. */
#include "metrics/shard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void test_same_labels_same_series(void **state)
{
	struct metrics_shard *s = shard_new();
	char text[] = "acme";
	size_t len;

	(void)state;
	assert_non_null(s);
	len = s->len;
	metric_add(s, METRIC_REFUSALS, METRIC_LABELS(slice_cstr(text), SLICE("P001")), 1);
	text[0] = 'X';                                   /* values are copied at their first use */
	metric_add(s, METRIC_REFUSALS, METRIC_LABELS(SLICE("acme"), SLICE("P001")), 2);
	assert_int_equal(s->len, len + 1);
	assert_int_equal(atomic_load(&atomic_load(&s->series)->value), 3);

	/* the end of one value is not the beginning of the next */
	metric_add(s, METRIC_REFUSALS, METRIC_LABELS(SLICE("acm"), SLICE("eP001")), 1);
	metric_add(s, METRIC_REFUSALS, METRIC_LABELS(SLICE("P001"), SLICE("acme")), 1);
	metric_add(s, METRIC_REFUSALS, METRIC_LABELS(SLICE(""), SLICE("")), 1);
	assert_int_equal(s->len, len + 4);
	shard_free(s);
}

static void test_buckets(void **state)
{
	static const struct {
		int64_t us;
		size_t bucket;
	} rows[] = {
		{ -5, 0 },       { 0, 0 },         { 250, 0 },         { 251, 1 },         { 500, 1 },
		{ 1000, 2 },     { 1001, 3 },      { 60000000, 16 },   { 60000001, 17 },   { INT64_MAX, 17 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct metrics_shard *s = shard_new();

		metric_observe_us(s, METRIC_AUDIT_COMMIT, NULL, rows[i].us);

		const struct histogram *h = atomic_load(&s->series)->histogram;

		for (size_t b = 0; b <= METRIC_BOUNDS; b++)
			assert_int_equal(atomic_load(&h->buckets[b]), b == rows[i].bucket ? 1 : 0);
		assert_int_equal(atomic_load(&h->sum_us), rows[i].us < 0 ? 0 : rows[i].us);
		shard_free(s);
	}
}

static void test_bounded(void **state)
{
	struct metrics_shard *s = shard_new();
	char text[32];

	(void)state;
	for (int i = 0; i < METRIC_SHARD_SERIES + 10; i++) {
		snprintf(text, sizeof(text), "call-%d", i);
		metric_add(s, METRIC_PARAMS_DROPPED, METRIC_LABELS(slice_cstr(text)), 1);
	}
	assert_int_equal(s->len, METRIC_SHARD_SERIES);
	assert_int_equal(atomic_load(&s->lost->value), 11);   /* the lost ones have a series, too */

	/* what is there still counts */
	metric_add(s, METRIC_PARAMS_DROPPED, METRIC_LABELS(SLICE("call-7")), 1);
	assert_int_equal(atomic_load(&s->lost->value), 11);
	shard_free(s);
}

static void test_without_memory(void **state)
{
	(void)state;
	for (long n = 1;; n++) {
		struct metrics_shard *s = shard_new();
		bool passed;

		s->arena.fail_in = n;
		for (int i = 0; i < 100; i++) {                  /* past the first growth of the table */
			char text[32];

			snprintf(text, sizeof(text), "call-%d", i);
			metric_observe_us(s, METRIC_REQUEST_SECONDS, METRIC_LABELS(slice_cstr(text)), 1);
		}
		passed = s->arena.fail_in > 0;
		assert_int_equal(atomic_load(&s->lost->value), passed ? 0 : 1);
		shard_free(s);
		if (passed)
			break;
	}
}

static void test_misuse_counts_nothing(void **state)
{
	struct metrics_shard *s = shard_new();
	size_t len = s->len;

	(void)state;
	metric_add(NULL, METRIC_HOPES, NULL, 1);
	metric_add(s, METRIC_AUDIT_QUEUE, NULL, 1);      /* a gauge */
	metric_set(s, METRIC_HOPES, NULL, 1);            /* a counter */
	metric_observe_us(s, METRIC_HOPES, NULL, 1);
	metric_add(s, METRIC_REFUSALS, NULL, 1);         /* its labels are missing */
	assert_int_equal(s->len, len);
	shard_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_labels_same_series),
		cmocka_unit_test(test_buckets),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_without_memory),
		cmocka_unit_test(test_misuse_counts_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
