#include "core/limiter.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

static const struct rate_limit ten = { 10, 10 };

static void test_take(void **state)
{
	struct clock c = clock_fake(0, 1000000000);
	struct limiter *l = limiter_new(&c);
	struct limit_port p = limiter_port(l);
	struct gcra_given g;

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_true(p.take(p.ctx, LIMIT_REQUEST_RATE, SLICE("acme"), &ten, 1).granted == 1);
	g = p.take(p.ctx, LIMIT_REQUEST_RATE, SLICE("acme"), &ten, 1);
	assert_true(g.granted == 0);
	assert_int_equal(g.retry_us, 100000);
	assert_true(p.take(p.ctx, LIMIT_REQUEST_RATE, SLICE("globex"), &ten, 1).granted == 1);   /* a bucket each */
	c.fake_mono_us += 100000;
	assert_true(p.take(p.ctx, LIMIT_REQUEST_RATE, SLICE("acme"), &ten, 1).granted == 1);
	assert_true(p.take(p.ctx, LIMIT_REQUEST_RATE, SLICE("acme"), &ten, 1).granted == 0);
	limiter_free(l);
}

/* more keys than slots: shared buckets are stricter, nothing breaks, nobody gets more than his burst */
static void test_many_keys(void **state)
{
	struct clock c = clock_fake(0, 1000000000);
	struct limiter *l = limiter_new(&c);
	struct limit_port p = limiter_port(l);
	char key[32];

	(void)state;
	for (int i = 0; i < 200000; i++) {
		snprintf(key, sizeof(key), "tenant-%d", i);
		(void)p.take(p.ctx, LIMIT_REQUEST_RATE, slice_cstr(key), &ten, 1);
	}
	limiter_free(l);
}

struct crowd {
	struct limit_port port;
	int granted;
};

static void *spend(void *arg)
{
	struct crowd *c = arg;

	for (int i = 0; i < 20000; i++)
		c->granted += c->port.take(c->port.ctx, LIMIT_REQUEST_RATE, SLICE("acme"), &(struct rate_limit){ 1, 5000 }, 1).granted == 1;
	return NULL;
}

/* however many threads ask, the bucket gives exactly its burst */
static void test_exact_over_threads(void **state)
{
	struct clock c = clock_fake(0, 1000000000);
	struct limiter *l = limiter_new(&c);
	struct crowd crowd[4];
	pthread_t t[4];
	int sum = 0;

	(void)state;
	for (int i = 0; i < 4; i++) {
		crowd[i] = (struct crowd){ limiter_port(l), 0 };
		assert_int_equal(pthread_create(&t[i], NULL, spend, &crowd[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], NULL);
		sum += crowd[i].granted;
	}
	assert_int_equal(sum, 5000);
	limiter_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_take), cmocka_unit_test(test_many_keys),
		                                cmocka_unit_test(test_exact_over_threads) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
