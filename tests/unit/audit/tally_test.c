/* tally_test.c - networks of addresses, and a table that never forgets an event however many networks there are. */
#include "audit/tally.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static void test_networks(void **state)
{
	static const struct {
		const char *address, *want;
	} rows[] = {
		{ "192.0.2.77", "192.0.2.0/24" },
		{ "192.0.2.77:443", "192.0.2.0/24" },
		{ "[192.0.2.77]:443", "192.0.2.0/24" },
		{ "::ffff:192.0.2.77", "192.0.2.0/24" },
		{ "[::ffff:192.0.2.77]:443", "192.0.2.0/24" },
		{ "2001:db8:1:2::3", "2001:db8:1::/48" },
		{ "[2001:db8:1:2::3]:443", "2001:db8:1::/48" },
		{ "[fe80::1%eth0]:443", "fe80::/48" },
		{ "::1", "::/48" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff::/48" },
		{ "", "" },
		{ "unix:", "" },
		{ "/run/weir.sock", "" },
		{ "1.2.3", "" },
		{ "256.1.1.1:80", "" },
		{ "[", "" },
		{ "[]", "" },
		{ ":", "" },
		{ "111111111111111111111111111111111111111111111111111111111111111111111111111", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char got[NETWORK_MAX];

		tally_network(slice_cstr(rows[i].address), got);
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s: got %s", rows[i].address, got);
	}
}

static void test_pairs_are_counted_apart(void **state)
{
	struct clock clock = clock_fake(1000, 0);
	struct tally_row rows[TALLY_ROWS];
	struct tally t;

	(void)state;
	tally_init(&t, &clock);
	tally_add(&t, "expired", SLICE("192.0.2.1:1"));
	tally_add(&t, "wrong CA", SLICE("192.0.2.2:1"));
	clock.fake_wall_us = 2000;
	tally_add(&t, "expired", SLICE("192.0.2.3:1"));
	tally_add(&t, "expired", SLICE("198.51.100.1:1"));
	assert_int_equal(tally_drain(&t, rows), 3);
	assert_string_equal(rows[0].reason, "expired");
	assert_string_equal(rows[0].network, "192.0.2.0/24");
	assert_int_equal(rows[0].count, 2);
	assert_int_equal(rows[0].from_us, 1000);
	assert_int_equal(rows[0].to_us, 2000);
	assert_int_equal(rows[1].count, 1);
	assert_string_equal(rows[2].network, "198.51.100.0/24");
	assert_int_equal(tally_drain(&t, rows), 0);
	tally_done(&t);
}

/* a flood from everywhere: the table stays bounded, and the sum is right for each reason */
static void test_flood(void **state)
{
	struct clock clock = clock_fake(1000, 0);
	struct tally_row rows[TALLY_ROWS];
	struct tally t;
	uint64_t expired = 0, wrong = 0;

	(void)state;
	tally_init(&t, &clock);
	for (unsigned i = 0; i < 5000; i++) {
		char address[32];

		snprintf(address, sizeof(address), "10.%u.%u.1", i >> 8, i & 255);
		tally_add(&t, "expired", slice_cstr(address));
		tally_add(&t, "wrong CA", slice_cstr(address));
	}

	size_t len = tally_drain(&t, rows);

	assert_in_range(len, TALLY_ROWS - TALLY_SPARE + 2, TALLY_ROWS);
	for (size_t i = 0; i < len; i++)
		*(strcmp(rows[i].reason, "expired") == 0 ? &expired : &wrong) += rows[i].count;
	assert_int_equal(expired, 5000);
	assert_int_equal(wrong, 5000);
	tally_done(&t);
}

static void *add_many(void *arg)
{
	for (int i = 0; i < 20000; i++)
		tally_add(arg, "expired", SLICE("192.0.2.1:1"));
	return NULL;
}

static void test_many_threads(void **state)
{
	struct tally_row rows[TALLY_ROWS];
	pthread_t threads[4];
	uint64_t sum = 0;
	struct tally t;

	(void)state;
	tally_init(&t, clock_system());
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_many, &t), 0);
	for (size_t i = 0; i < 4; i++) {
		for (size_t n = tally_drain(&t, rows); n > 0; n--)
			sum += rows[n - 1].count;
		pthread_join(threads[i], NULL);
	}
	for (size_t n = tally_drain(&t, rows); n > 0; n--)
		sum += rows[n - 1].count;
	assert_int_equal(sum, 80000);
	tally_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_networks), cmocka_unit_test(test_pairs_are_counted_apart),
		cmocka_unit_test(test_flood), cmocka_unit_test(test_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
