/* The headcount: capped by key, bounded in keys, exact under threads. */
#include "server/headcount.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void test_cap(void **state)
{
	struct headcount *t = headcount_new(4);

	(void)state;
	assert_true(headcount_take(t, SLICE("a"), 2));
	assert_true(headcount_take(t, SLICE("a"), 2));
	assert_false(headcount_take(t, SLICE("a"), 2));
	assert_true(headcount_take(t, SLICE("b"), 2));
	assert_true(headcount_take(t, SLICE(""), 1));
	assert_int_equal(headcount_count(t, SLICE("a")), 2);
	headcount_give(t, SLICE("a"));
	assert_true(headcount_take(t, SLICE("a"), 2));
	assert_false(headcount_take(t, SLICE("a"), 2));
	assert_false(headcount_take(t, SLICE("123456789012345678901234567890123"), 2));
	headcount_free(t);
}

/* a key that has nothing left gives its place back */
static void test_room(void **state)
{
	struct headcount *t = headcount_new(3);
	char key[8];

	(void)state;
	for (int round = 0; round < 100; round++) {
		for (int i = 0; i < 4; i++) {
			snprintf(key, sizeof(key), "%d", round * 10 + i);
			assert_int_equal(headcount_take(t, slice_cstr(key), 9), i < 3);
		}
		for (int i = 0; i < 3; i++) {
			snprintf(key, sizeof(key), "%d", round * 10 + i);
			headcount_give(t, slice_cstr(key));
			assert_int_equal(headcount_count(t, slice_cstr(key)), 0);
		}
	}
	headcount_free(t);
}

static void *take_and_give(void *headcount)
{
	char key[8];

	for (int i = 0; i < 20000; i++) {
		snprintf(key, sizeof(key), "%d", i % 50);
		if (!headcount_take(headcount, slice_cstr(key), 1000))
			return headcount;
		headcount_give(headcount, slice_cstr(key));
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct headcount *t = headcount_new(50);
	pthread_t threads[4];
	void *failed;

	(void)state;
	assert_true(headcount_take(t, SLICE("7"), 1000));
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, t), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	assert_int_equal(headcount_count(t, SLICE("7")), 1);
	assert_int_equal(headcount_count(t, SLICE("8")), 0);
	headcount_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cap),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
