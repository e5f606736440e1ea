/* pseudonym_test.c - one key for ever, made once, readable by its owner alone; names that follow from it. */
#include "audit/pseudonym.h"

#include "audit/faults.h"
#include "audit/scratch.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char directory[SCRATCH_PATH_MAX], keys[SCRATCH_PATH_MAX + 8], key[SCRATCH_PATH_MAX + 32];

static int setup(void **state)
{
	(void)state;
	fault_clear();
	scratch_new(directory);
	snprintf(keys, sizeof(keys), "%s/keys", directory);
	snprintf(key, sizeof(key), "%s/pseudonym.key", keys);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fault_clear();
	scratch_remove(directory);
	return 0;
}

static struct pseudonym *open_names(void)
{
	struct pseudonym *p = NULL;
	struct err e;

	if (pseudonym_open(slice_cstr(directory), &p, &e) != ERR_OK)
		fail_msg("%s", e.text);
	return p;
}

static void put_key(struct slice bytes, mode_t mode)
{
	assert_int_equal(mkdir(keys, 0700), 0);
	scratch_write(key, bytes);
	assert_int_equal(chmod(key, mode), 0);
}

#define KEY_32 "0123456789abcdef0123456789abcdef"

/* computed with another implementation of HMAC and base32 */
static void test_names(void **state)
{
	static const struct {
		const char *spki, *want;
	} rows[] = {
		{ "", "" },
		{ "spki of ann", "op_lsa7quskg45kvqno" },
		{ "spki of ben", "op_zffb3iykrhh3tq5n" },
	};
	struct pseudonym *p;

	(void)state;
	put_key(SLICE(KEY_32), 0400);
	p = open_names();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char got[24];

		pseudonym_print(p, slice_cstr(rows[i].spki), got);
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s: got %s", rows[i].spki, got);
	}
	pseudonym_free(p);
}

static void test_key_is_made_once(void **state)
{
	char first[24], second[24];
	struct redactor redactor;
	struct stat st;
	size_t len;

	(void)state;

	struct pseudonym *p = open_names();

	pseudonym_print(p, SLICE("spki"), first);
	redactor = *pseudonym_redactor(p);
	pseudonym_free(p);
	assert_int_equal(stat(key, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	assert_int_equal(stat(keys, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);

	char *bytes = scratch_read(key, &len);

	assert_int_equal(len, 32);
	assert_memory_not_equal(redactor.key, bytes, len);      /* the marks have a key of their own */
	free(bytes);
	p = open_names();
	pseudonym_print(p, SLICE("spki"), second);
	assert_string_equal(first, second);
	assert_memory_equal(pseudonym_redactor(p)->key, redactor.key, sizeof(redactor.key));
	pseudonym_free(p);
}

static void test_keys_that_are_refused(void **state)
{
	static const struct {
		const char *name;
		struct slice bytes;
		mode_t mode;
	} rows[] = {
		{ "empty", SLICE_INIT(""), 0400 },
		{ "short", SLICE_INIT("0123456789abcdef0123456789abcde"), 0400 },
		{ "long", SLICE_INIT(KEY_32 "\n"), 0400 },
		{ "read by the group", SLICE_INIT(KEY_32), 0440 },
		{ "written by others", SLICE_INIT(KEY_32), 0402 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pseudonym *p = NULL;

		put_key(rows[i].bytes, rows[i].mode);
		if (pseudonym_open(slice_cstr(directory), &p, NULL) != ERR_INVALID || p != NULL)
			fail_msg("%s: not refused", rows[i].name);
		teardown(state);
		setup(state);
	}
}

/* a link could lead to a key that somebody else chose */
static void test_link_is_refused(void **state)
{
	struct pseudonym *p = NULL;
	char elsewhere[SCRATCH_PATH_MAX + 8];

	(void)state;
	snprintf(elsewhere, sizeof(elsewhere), "%s/x", directory);
	scratch_write(elsewhere, SLICE(KEY_32));
	assert_int_equal(mkdir(keys, 0700), 0);
	assert_int_equal(symlink(elsewhere, key), 0);
	assert_int_equal(pseudonym_open(slice_cstr(directory), &p, NULL), ERR_IO);
}

/* nothing half is left behind: the next start makes the key */
static void test_disk_fails_while_it_is_made(void **state)
{
	struct pseudonym *p = NULL;

	(void)state;
	for (unsigned kth = 1; kth <= 2; kth++) {
		fault_arm(FAULT_FSYNC, kth, 1, EIO);
		assert_int_equal(pseudonym_open(slice_cstr(directory), &p, NULL), ERR_IO);
		fault_clear();
		pseudonym_free(open_names());
		assert_int_equal(unlink(key), 0);
	}
	assert_int_equal(pseudonym_open(SLICE("/nowhere/at/all"), &p, NULL), ERR_IO);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_names),
		TEST(test_key_is_made_once),
		TEST(test_keys_that_are_refused),
		TEST(test_link_is_refused),
		TEST(test_disk_fails_while_it_is_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
