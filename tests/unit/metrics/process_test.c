/* process_*: the numbers of this very process. */
#include "metrics/process.h"

#include "base/arena.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

static double value_of(const char *name)
{
	struct arena a;
	struct strbuf out;
	double value;

	arena_init(&a, (size_t)1 << 20);
	strbuf_init(&out, &a, 65536);
	process_print(&out, 1900000000250000);
	assert_false(out.full);
	strbuf_char(&out, '\0');

	const char *at = strstr(out.ptr, name);

	while (at != NULL && at != out.ptr && at[-1] != '\n')
		at = strstr(at + 1, name);
	if (at == NULL)
		fail_msg("%s is missing", name);
	value = strtod(at + strlen(name), NULL);
	arena_done(&a);
	return value;
}

static void test_numbers(void **state)
{
	struct rlimit files;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	assert_true(value_of("process_start_time_seconds ") == 1900000000.25);
	assert_true(value_of("process_cpu_seconds_total ") >= 0);
	assert_true(value_of("process_threads ") >= 1);
	assert_true(value_of("process_resident_memory_bytes ") > 100000);
	assert_true(value_of("process_virtual_memory_bytes ") >= value_of("process_resident_memory_bytes "));
	assert_true(value_of("process_max_fds ") == (double)files.rlim_cur);
}

static void test_descriptors(void **state)
{
	double before = value_of("process_open_fds ");
	int fd = open("/dev/null", O_RDONLY);

	(void)state;
	assert_true(fd >= 0);
	assert_true(value_of("process_open_fds ") == before + 1);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_numbers), cmocka_unit_test(test_descriptors) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
