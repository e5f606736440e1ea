#include "core/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define ID "4bf92f3577b34da6a3ce929d0e0e4736"

static void test_read(void **state)
{
	static const struct {
		const char *name, *header, *value, *id, *flags;   /* id NULL: a new one */
	} t[] = {
		{ "w3c", "traceparent", "00-" ID "-00f067aa0ba902b7-01", ID, "01" },
		{ "other flags are cut", "traceparent", "00-" ID "-00f067aa0ba902b7-ff", ID, "01" },
		{ "later version", "traceparent", "01-" ID "-00f067aa0ba902b7-00-more", ID, "00" },
		{ "version ff", "traceparent", "ff-" ID "-00f067aa0ba902b7-01", NULL, "00" },
		{ "too long for 00", "traceparent", "00-" ID "-00f067aa0ba902b7-01-x", NULL, "00" },
		{ "zero id", "traceparent", "00-00000000000000000000000000000000-00f067aa0ba902b7-01", NULL, "00" },
		{ "upper case", "traceparent", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", NULL, "00" },
		{ "short", "traceparent", "00-abc", NULL, "00" },
		{ "b3", "b3", ID "-00f067aa0ba902b7-1", ID, "01" },
		{ "b3 64 bit", "b3", "a3ce929d0e0e4736-00f067aa0ba902b7-0", "0000000000000000a3ce929d0e0e4736", "00" },
		{ "b3 many", "x-b3-traceid", ID, ID, "00" },
		{ "none", "accept", "x", NULL, "00" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct header h = { slice_cstr(t[i].header), slice_cstr(t[i].value) };
		struct inbound in = { .headers = &h, .headers_len = 1 };
		struct trace got;

		print_message("%s\n", t[i].name);
		trace_read(&in, &got);
		assert_int_equal(strlen(got.id), 32);
		if (t[i].id != NULL)
			assert_string_equal(got.id, t[i].id);
		else
			assert_string_not_equal(got.id, ID);
		assert_int_equal(strlen(got.parent), 55);
		assert_memory_equal(got.parent + 3, got.id, 32);
		assert_memory_not_equal(got.parent + 36, "00f067aa0ba902b7", 16);
		assert_string_equal(got.parent + 53, t[i].flags);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_read) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
