/* queue_test.c - a ring against a plain list: what goes in comes out, in order and whole, wherever it wraps. */
#include "audit/queue.h"

#include "audit/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define RING 4096
#define ENTRIES 64

/* the n-th record that was pushed: its length and its bytes follow from n */
static size_t nth_len(size_t n)
{
	return 1 + n * 7919 % 300;
}

static void fill_nth(char *leaf, size_t n)
{
	memset(leaf, (int)('a' + n % 26), nth_len(n));
}

/* the records of a group are the ones from first on */
static void assert_group(const struct wal_batch *b, size_t first)
{
	size_t n = first;

	for (int i = 0; i < 2; i++) {
		struct slice rest = b->pieces[i], leaf;

		while (payload_next(&rest, &leaf)) {
			char want[300];

			fill_nth(want, n);
			assert_int_equal(leaf.len, nth_len(n));
			assert_memory_equal(leaf.ptr, want, leaf.len);
			n++;
		}
		assert_int_equal(rest.len, 0);
	}
	assert_int_equal(n - first, b->count);
}

static void test_against_a_list(void **state)
{
	struct queue q;
	size_t in = 0, out = 0;
	bool wrapped = false, full = false;

	(void)state;
	srand(1);
	assert_true(queue_init(&q, RING, ENTRIES));
	for (int step = 0; step < 20000; step++) {
		if (rand() % 3 != 0) {
			char leaf[300];

			fill_nth(leaf, in);
			if (queue_push(&q, slice_from(leaf, nth_len(in)), RECORD_OUTCOME, false, in % 2 == 0))
				in++;
			else
				full = true;
		} else {
			struct wal_batch b;
			size_t max = (size_t)rand() % 8 + 1;

			queue_group(&q, max, RING, &b);
			assert_int_equal(b.count, in - out < max ? in - out : max);
			assert_group(&b, out);
			wrapped = wrapped || b.pieces[1].len > 0;
			queue_drop(&q, b.count);
			out += b.count;
		}
		assert_int_equal(q.len, in - out);
		assert_int_equal(q.urgent, (in + 1) / 2 - (out + 1) / 2);
		assert_true(q.used <= RING && q.bytes <= q.used);
	}
	assert_true(wrapped && full);
	queue_done(&q);
}

static void test_group_keeps_its_limits(void **state)
{
	struct queue q;
	struct wal_batch b;

	(void)state;
	assert_true(queue_init(&q, RING, ENTRIES));
	queue_group(&q, 10, RING, &b);
	assert_int_equal(b.count, 0);
	for (int i = 0; i < 5; i++)
		assert_true(queue_push(&q, SLICE("12345678"), RECORD_OUTCOME, false, false));
	queue_group(&q, 3, RING, &b);
	assert_int_equal(b.count, 3);
	queue_group(&q, 10, 29, &b);
	assert_int_equal(b.count, 2);
	assert_int_equal(b.pieces[0].len, 20);
	queue_group(&q, 10, 30, &b);
	assert_int_equal(b.count, 3);
	queue_done(&q);
}

static void test_decisions_leave_a_quarter(void **state)
{
	struct queue q;
	size_t decisions = 0, others = 0;
	static const char leaf[98];

	(void)state;
	assert_true(queue_init(&q, RING, ENTRIES));
	while (queue_push(&q, slice_from(leaf, sizeof(leaf)), RECORD_DECISION, true, true))
		decisions++;
	while (queue_push(&q, slice_from(leaf, sizeof(leaf)), RECORD_OUTCOME, false, false))
		others++;
	assert_int_equal(decisions, RING / 4 * 3 / 100);
	assert_int_equal(decisions + others, RING / 100);
	assert_int_equal(q.decisions, decisions);
	queue_done(&q);

	assert_true(queue_init(&q, (size_t)1 << 20, ENTRIES));      /* the same for the number of records */
	for (decisions = 0; queue_push(&q, SLICE("x"), RECORD_DECISION, true, true); decisions++)
		;
	for (others = 0; queue_push(&q, SLICE("x"), RECORD_OUTCOME, false, false); others++)
		;
	assert_int_equal(decisions, ENTRIES / 4 * 3);
	assert_int_equal(decisions + others, ENTRIES);
	queue_done(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_a_list),
		cmocka_unit_test(test_group_keeps_its_limits),
		cmocka_unit_test(test_decisions_leave_a_quarter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
