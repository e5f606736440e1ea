/* shard_test.c - names of shards, their folders, and the lock: one writer, and no lock that outlives its holder. */
#include "audit/shard.h"

#include "audit/faults.h"
#include "audit/scratch.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char directory[SCRATCH_PATH_MAX];

static int setup(void **state)
{
	(void)state;
	fault_clear();
	scratch_new(directory);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fault_clear();
	scratch_remove(directory);
	return 0;
}

static void test_names(void **state)
{
	static const struct {
		const char *name, *instance;
		unsigned year;               /* 0 = no name of a shard */
	} rows[] = {
		{ "main-2030", "main", 2030 },
		{ "gw-a-2030", "gw-a", 2030 },
		{ "a-2029-2030", "a-2029", 2030 },
		{ "x.y_z-0001", "x.y_z", 1 },
		{ "main-203", NULL, 0 },
		{ "main-20300", NULL, 0 },
		{ "main2030", NULL, 0 },
		{ "-2030", NULL, 0 },
		{ "--2030", NULL, 0 },
		{ ".-2030", NULL, 0 },
		{ "main-203x", NULL, 0 },
		{ "main-0000", NULL, 0 },
		{ "ma/in-2030", NULL, 0 },
		{ "keys", NULL, 0 },
		{ "", NULL, 0 },
		{ "a123456789012345678901234567890123456789012345678901234567890123-2030",
		  "a123456789012345678901234567890123456789012345678901234567890123", 2030 },
		{ "a1234567890123456789012345678901234567890123456789012345678901234-2030", NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct shard_name n;
		bool fine = shard_name_parse(slice_cstr(rows[i].name), &n);

		if (fine != (rows[i].year != 0) ||
		    (fine && (n.year != rows[i].year || !slice_eq(n.instance, slice_cstr(rows[i].instance)))))
			fail_msg("'%s'", rows[i].name);
	}
}

static void test_year_is_utc(void **state)
{
	(void)state;
	assert_int_equal(shard_year(0), 1970);
	assert_int_equal(shard_year(INT64_C(1924991999999999)), 2030);
	assert_int_equal(shard_year(INT64_C(1924992000000000)), 2031);
}

static struct shard open_one(void)
{
	struct shard s;
	struct err e;

	if (shard_open(slice_cstr(directory), SLICE("gw"), 2030, &s, &e) != ERR_OK)
		fail_msg("%s", e.text);
	return s;
}

static void test_folders_are_private(void **state)
{
	struct shard s = open_one();
	struct stat st;

	(void)state;
	assert_string_equal(s.name, "gw-2030");
	assert_int_equal(fstat(s.state_fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(fstat(s.lock_fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	shard_close(&s);
	shard_close(&s);
}

/* Invariant 7: a new folder's name is durable before anything is put there */
static void test_folders_are_synced(void **state)
{
	struct shard s = open_one();

	(void)state;
	assert_string_equal(fault_trace(), "SSw");           /* shard and .state, then the lock's note of the process */
	shard_close(&s);
	fault_clear();
	s = open_one();
	assert_string_equal(fault_trace(), "w");
	shard_close(&s);
	fault_arm(FAULT_FSYNC, 1, 1, EIO);
	assert_int_equal(shard_open(slice_cstr(directory), SLICE("gw"), 2031, &s, NULL), ERR_IO);
}

static void test_lock(void **state)
{
	struct shard s = open_one(), second;
	char want[64];
	struct err e;

	(void)state;
	assert_int_equal(shard_open(slice_cstr(directory), SLICE("gw"), 2030, &second, &e), ERR_EXISTS);
	snprintf(want, sizeof(want), "another process (%ld)", (long)getpid());
	assert_non_null(strstr(e.text, want));
	shard_close(&s);
	s = open_one();
	shard_close(&s);
}

/* a killed process leaves its lock file, but not its lock */
static void test_lock_of_a_killed_process(void **state)
{
	int ready[2];
	char byte;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_int_not_equal(child, -1);
	if (child == 0) {
		open_one();
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);

	struct shard s;

	assert_int_equal(shard_open(slice_cstr(directory), SLICE("gw"), 2030, &s, NULL), ERR_EXISTS);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	s = open_one();
	shard_close(&s);
}

/* a lock on a file that is no longer the one with the name protects nobody: its holder can tell */
static void test_replaced_lock_file(void **state)
{
	struct shard s = open_one(), second;
	char path[SCRATCH_PATH_MAX + 32];

	(void)state;
	snprintf(path, sizeof(path), "%s/gw-2030/.state/lock", directory);
	assert_true(shard_held(&s));
	assert_int_equal(unlink(path), 0);
	assert_false(shard_held(&s));
	second = open_one();
	assert_false(shard_held(&s));
	assert_true(shard_held(&second));
	shard_close(&second);
	shard_close(&s);
}

static void test_list(void **state)
{
	static const char *const made[] = { "b-2031", "b-2030", "a-2031", "keys", "a-203x" };
	static const char *const want[] = { "a-2031", "b-2030", "b-2031" };
	struct shard_name *names;
	struct arena a;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		char path[SCRATCH_PATH_MAX + 32];

		snprintf(path, sizeof(path), "%s/%s", directory, made[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	arena_init(&a, 1 << 20);
	assert_int_equal(shard_list(&a, slice_cstr(directory), &names, &len, NULL), ERR_OK);
	assert_int_equal(len, 3);
	for (size_t i = 0; i < len; i++)
		assert_true(slice_eq(names[i].text, slice_cstr(want[i])));
	assert_int_equal(shard_list(&a, SLICE("/nowhere/at/all"), &names, &len, NULL), ERR_OK);
	assert_int_equal(len, 0);
	arena_done(&a);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_names),
		TEST(test_year_is_utc),
		TEST(test_folders_are_private),
		TEST(test_folders_are_synced),
		TEST(test_lock),
		TEST(test_lock_of_a_killed_process),
		TEST(test_replaced_lock_file),
		TEST(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
