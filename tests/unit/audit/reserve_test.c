/* reserve_test.c - segments are made whole before they get their name, and a full disk is said and survived. */
#include "audit/reserve.h"

#include "audit/faults.h"
#include "audit/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define SEGMENT ((uint64_t)128 << 10)

static char directory[SCRATCH_PATH_MAX];
static int folder = -1;

static int setup(void **state)
{
	(void)state;
	fault_clear();
	scratch_new(directory);
	folder = open(directory, O_RDONLY | O_DIRECTORY);
	return folder == -1;
}

static int teardown(void **state)
{
	(void)state;
	fault_clear();
	close(folder);
	scratch_remove(directory);
	return 0;
}

static void await_renames(unsigned n)
{
	while (fault_count(FAULT_RENAMEAT) < n)
		usleep(500);
}

static void assert_zeros(uint64_t number)
{
	char path[SCRATCH_PATH_MAX + 32];
	size_t len;

	snprintf(path, sizeof(path), "%s/wal-%d", directory, (int)number);

	char *bytes = scratch_read(path, &len);

	assert_int_equal(len, SEGMENT);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(bytes[i], 0);
	free(bytes);
}

static void test_two_are_kept_ready(void **state)
{
	struct reserve *r = reserve_new(folder, SEGMENT, NULL, 0, 7);
	struct stat st;

	(void)state;
	for (uint64_t want = 7; want < 12; want++) {
		uint64_t number;
		int fd;

		assert_true(reserve_take(r, &fd, &number));
		assert_int_equal(number, want);
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		assert_true((uint64_t)st.st_blocks * 512 >= SEGMENT);
		close(fd);
		assert_zeros(number);
	}
	await_renames(7);
	usleep(20000);
	assert_int_equal(fault_count(FAULT_RENAMEAT), 7);        /* two, and not more */
	reserve_free(r, true);
	assert_int_equal(faccessat(folder, "wal-11", F_OK, 0), 0);
	assert_int_equal(faccessat(folder, "wal-12", F_OK, 0), -1);
	assert_int_equal(faccessat(folder, "wal-13", F_OK, 0), -1);
}

/* Invariant 7: temporary name, write, fsync, rename, fsync of the folder */
static void test_order_of_the_calls(void **state)
{
	struct reserve *r = reserve_new(folder, SEGMENT, (uint64_t[]){ 1 }, 1, 2);
	uint64_t number;
	int fd;

	(void)state;
	await_renames(1);
	reserve_free(r, false);
	assert_string_equal(fault_trace(), "awSrS");

	/* what was prepared is taken up again, oldest first */
	fault_clear();
	r = reserve_new(folder, SEGMENT, (uint64_t[]){ 2 }, 1, 3);
	assert_true(reserve_take(r, &fd, &number));
	assert_int_equal(number, 2);
	close(fd);
	reserve_free(r, false);
}

static void test_each_call_fails(void **state)
{
	static const enum fault_call calls[] = { FAULT_FALLOCATE, FAULT_PWRITE, FAULT_FSYNC, FAULT_RENAMEAT };

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		uint64_t number;
		int fd;

		fault_arm(calls[i], 1, 1, ENOSPC);

		struct reserve *r = reserve_new(folder, SEGMENT, NULL, 0, 1);

		assert_false(reserve_take(r, &fd, &number));
		assert_int_equal(reserve_errno(r), ENOSPC);
		while (!reserve_take(r, &fd, &number))       /* it tries again by itself */
			usleep(1000);
		close(fd);
		assert_int_equal(reserve_errno(r), 0);
		assert_zeros(number);
		reserve_free(r, true);
		fault_clear();
	}
}

/* what a process that was killed left unfinished is no obstacle */
static void test_unfinished_segment(void **state)
{
	char path[SCRATCH_PATH_MAX + 32];
	uint64_t number;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/wal.tmp", directory);
	scratch_write(path, SLICE("half"));

	struct reserve *r = reserve_new(folder, SEGMENT, NULL, 0, 1);

	assert_true(reserve_take(r, &fd, &number));
	close(fd);
	assert_zeros(number);
	reserve_free(r, true);
}

static void test_ready_segment_that_is_gone(void **state)
{
	struct reserve *r = reserve_new(folder, SEGMENT, (uint64_t[]){ 3, 4 }, 2, 5);
	uint64_t number;
	int fd;

	(void)state;
	assert_true(reserve_take(r, &fd, &number));
	assert_int_equal(number, 5);
	close(fd);
	reserve_free(r, true);
	assert_null(reserve_free(NULL, true));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_two_are_kept_ready),   TEST(test_order_of_the_calls),         TEST(test_each_call_fails),
		TEST(test_unfinished_segment),   TEST(test_ready_segment_that_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
