/* crc32c_test.c - published values, and the instruction against plain code. */
#include "audit/crc32c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void test_published(void **state)
{
	static const char zeros[32], ones[32] = { -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
		                                      -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 };
	static const struct {
		const char *name;
		struct slice in;
		uint32_t want;
	} rows[] = {
		{ "nothing", SLICE_INIT(""), 0 },
		{ "check value", SLICE_INIT("123456789"), 0xe3069283 },
		{ "RFC 3720: zeros", { zeros, 32 }, 0x8a9136aa },
		{ "RFC 3720: ones", { ones, 32 }, 0x62a8ab43 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (crc32c(0, rows[i].in) != rows[i].want || crc32c_portable(0, rows[i].in) != rows[i].want)
			fail_msg("%s", rows[i].name);
}

static void test_both_agree_in_any_portions(void **state)
{
	char bytes[300];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 37 + i / 7);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		uint32_t whole = crc32c(0, slice_from(bytes, len));

		assert_int_equal(whole, crc32c_portable(0, slice_from(bytes, len)));
		for (size_t cut = 0; cut <= len; cut += 7)
			assert_int_equal(crc32c(crc32c(0, slice_from(bytes, cut)), slice_from(bytes + cut, len - cut)), whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published),
		cmocka_unit_test(test_both_agree_in_any_portions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
