/* wal_test.c - groups that are durable stay, whatever tears, decays or fails around them. */
#include "audit/wal.h"

#include "audit/faults.h"
#include "audit/record.h"
#include "audit/scratch.h"
#include "audit/shard.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define SHARD "gw-2030"
#define LEAF_LEN 1500

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

static struct wal_options options(void)
{
	return (struct wal_options){ .directory = slice_cstr(directory), .instance = SLICE("gw"), .year = 2030,
	                             .segment_bytes = WAL_SEGMENT_BYTES_MIN };
}

static struct wal *open_wal(void)
{
	const struct wal_options o = options();
	struct wal *w = NULL;
	struct err e;

	if (wal_open(&o, &w, &e) != ERR_OK)
		fail_msg("%s", e.text);
	return w;
}

/* a group of count leaves; every leaf of a log is different: its first bytes say which it is */
static struct wal_batch make_group(char *bytes, uint64_t first, uint32_t count, size_t leaf_len)
{
	struct wal_batch b = { .count = count };
	char *to = bytes;

	for (uint32_t i = 0; i < count; i++) {
		*to++ = (char)(leaf_len >> 8);
		*to++ = (char)leaf_len;
		memset(to, 'x', leaf_len);
		snprintf(to, leaf_len, "leaf %06d", (int)(first + i));
		to += leaf_len;
	}
	b.pieces[0] = slice_from(bytes, (size_t)(to - bytes));
	return b;
}

static enum err_code append(struct wal *w, uint32_t count, size_t leaf_len)
{
	char *bytes = malloc(count * (2 + leaf_len));
	uint64_t sync_us;

	assert_non_null(bytes);

	struct wal_batch b = make_group(bytes, wal_next_index(w), count, leaf_len);
	enum err_code rc = wal_append(w, &b, &sync_us, NULL);

	free(bytes);
	return rc;
}

/* reads the log as a start would; with damage accepted when holes is not NULL */
static enum err_code read_log(struct recovery *ret, bool accept_damage)
{
	int fd = shard_open_state(slice_cstr(directory), SLICE(SHARD));
	enum err_code rc;

	assert_int_not_equal(fd, -1);
	rc = recover(fd, accept_damage, ret, NULL);
	close(fd);
	return rc;
}

/* the log holds want records, undamaged; returns the torn bytes behind them */
static uint64_t assert_records(const char *what, uint64_t want)
{
	struct recovery r;
	uint64_t cut;

	if (read_log(&r, false) != ERR_OK)
		fail_msg("%s: refused", what);
	if (r.records != want || r.end.next_index != want)
		fail_msg("%s: %d records, next %d, want %d", what, (int)r.records, (int)r.end.next_index, (int)want);
	cut = r.end.cut;
	recovery_done(&r);
	return cut;
}

static void test_groups_are_there_after_reopening(void **state)
{
	uint8_t root[DIGEST_LEN], again[DIGEST_LEN];

	(void)state;
	for (int round = 0; round < 4; round++) {
		struct wal *w = open_wal();

		assert_int_equal(wal_next_index(w), round * 60);
		if (round > 0) {
			merkle_root(wal_merkle(w), again);
			assert_memory_equal(again, root, DIGEST_LEN);
		}
		for (uint32_t i = 0; i < 60; i += 4)
			assert_int_equal(append(w, 4, LEAF_LEN), ERR_OK);
		merkle_root(wal_merkle(w), root);
		wal_free(w, false);
	}
	/* 60 groups of 8 KiB are four segments, and up to two more are ready */
	assert_in_range(scratch_count(directory, SHARD, "wal-"), 4, 6);
	assert_int_equal(scratch_count(directory, SHARD, "wal.tmp"), 0);
}

static void test_largest_group_fits(void **state)
{
	struct wal *w = open_wal();

	(void)state;
	assert_int_equal(append(w, 1, LEAF_MAX), ERR_OK);
	assert_int_equal(append(w, 1024, 100), ERR_OK);
	assert_int_equal(append(w, 1, LEAF_MAX), ERR_OK);
	wal_free(w, false);
	assert_records("three large groups", 1026);
}

static void test_group_in_two_pieces(void **state)
{
	struct wal *w = open_wal();
	struct wal_batch b = { .count = 3, .pieces = { SLICE("\0\2ab\0\1c"), SLICE("\0\3def") } };
	struct merkle want;
	uint8_t root[DIGEST_LEN], got[DIGEST_LEN];
	uint64_t sync_us;
	struct recovery r;

	(void)state;
	assert_int_equal(wal_append(w, &b, &sync_us, NULL), ERR_OK);
	wal_free(w, false);
	assert_true(merkle_init(&want));
	merkle_add(&want, SLICE("ab"));
	merkle_add(&want, SLICE("c"));
	merkle_add(&want, SLICE("def"));
	merkle_root(&want, root);
	merkle_done(&want);
	assert_int_equal(read_log(&r, false), ERR_OK);
	merkle_root(&r.merkle, got);
	recovery_done(&r);
	assert_memory_equal(got, root, DIGEST_LEN);
}

/* ---- torn ends ---- */

#define TORN_AT (FRAME_BLOCK + 2 * 8192) /* where the last group of write_three begins */
#define TORN_LEN ((uint64_t)8192)

/* two groups of four records, and one more of four that a crash may tear; returns the segment's bytes */
static char *write_three(char path[SCRATCH_PATH_MAX], size_t *len)
{
	struct wal *w = open_wal();

	for (int i = 0; i < 3; i++)
		assert_int_equal(append(w, 4, LEAF_LEN), ERR_OK);
	while (fault_count(FAULT_RENAMEAT) < 3)  /* one in use and two ready */
		usleep(1000);
	wal_free(w, false);
	scratch_segment(path, directory, SHARD, 1);
	return scratch_read(path, len);
}

/* The last group, torn at each byte: everything before a cut is new and everything behind it old, or the other way. */
static void test_end_torn_at_each_byte(void **state)
{
	char path[SCRATCH_PATH_MAX], torn[TORN_LEN];
	size_t len;
	char *whole = write_three(path, &len);
	const char *group = whole + TORN_AT;
	uint64_t used = FRAME_GROUP_HEAD + 4 * (2 + LEAF_LEN);

	(void)state;
	for (uint64_t cut = 0; cut < used; cut += cut < 64 || cut > used - 8 ? 1 : 97) {
		memset(torn, 0, sizeof(torn));
		memcpy(torn, group, cut);
		scratch_patch(path, TORN_AT, torn, sizeof(torn));

		uint64_t there = cut;

		while (there > 0 && torn[there - 1] == '\0')
			there--;
		assert_int_equal(assert_records("beginning written", 8), there);

		memcpy(torn, group, sizeof(torn));
		memset(torn, 0, cut + 1);
		scratch_patch(path, TORN_AT, torn, sizeof(torn));
		assert_records("end written", 8);
	}
	scratch_patch(path, TORN_AT, group, TORN_LEN);
	assert_int_equal(assert_records("whole", 12), 0);
	free(whole);
}

/* any one byte of the last group changed, and any subset of its blocks on the disk */
static void test_end_torn_in_any_pattern(void **state)
{
	enum { BLOCKS = 4 };
	char path[SCRATCH_PATH_MAX];
	struct wal *w = open_wal();

	(void)state;
	assert_int_equal(append(w, 1, 100), ERR_OK);
	assert_int_equal(append(w, 10, LEAF_LEN), ERR_OK);       /* four blocks */
	wal_free(w, false);
	scratch_segment(path, directory, SHARD, 1);

	size_t len;
	char *whole = scratch_read(path, &len);
	const uint64_t at = 2 * FRAME_BLOCK;

	for (unsigned there = 0; there < (1u << BLOCKS) - 1; there++) {
		char torn[BLOCKS * FRAME_BLOCK];

		for (unsigned b = 0; b < BLOCKS; b++)
			if ((there >> b & 1) != 0)
				memcpy(torn + b * FRAME_BLOCK, whole + at + b * FRAME_BLOCK, FRAME_BLOCK);
			else
				memset(torn + b * FRAME_BLOCK, b % 2 == 0 ? 0 : 0xff, FRAME_BLOCK);
		scratch_patch(path, at, torn, sizeof(torn));
		assert_records("subset of blocks", 1);
	}
	scratch_patch(path, at, whole + at, BLOCKS * FRAME_BLOCK);
	for (uint64_t i = 0; i < FRAME_GROUP_HEAD + 10 * (2 + LEAF_LEN); i += i < 64 ? 1 : 131) {
		char flipped = whole[at + i] ^ 0x10;

		scratch_patch(path, at + i, &flipped, 1);
		assert_records("flipped byte", 1);
		scratch_patch(path, at + i, whole + at + i, 1);
	}
	free(whole);
}

/* writing goes on over what was torn, and what is left of it is never taken for a group */
static void test_writing_over_a_torn_end(void **state)
{
	char path[SCRATCH_PATH_MAX];
	size_t len;
	char *whole = write_three(path, &len);

	(void)state;
	scratch_patch(path, TORN_AT + 100, "torn", 4);
	for (uint64_t records = 8; records < 12; records++) {
		struct wal *w = open_wal();

		assert_int_equal(wal_next_index(w), records);
		assert_int_equal(append(w, 1, 20), ERR_OK);
		wal_free(w, false);
	}
	assert_records("four small groups", 12);
	free(whole);
}

/* a segment whose head was being written when the machine stopped holds nothing, and becomes a ready one again */
static void test_torn_segment_head(void **state)
{
	char path[SCRATCH_PATH_MAX], block[FRAME_BLOCK];
	size_t len;
	char *whole = write_three(path, &len);

	(void)state;
	memset(block, 0, sizeof(block));
	memcpy(block, whole, 20);
	scratch_segment(path, directory, SHARD, 2);
	scratch_patch(path, 0, block, sizeof(block));
	assert_records("half a head", 12);

	struct wal *w = open_wal();

	for (int i = 0; i < 20; i++)             /* through segment 1 and into the ready one */
		assert_int_equal(append(w, 4, LEAF_LEN), ERR_OK);
	wal_free(w, false);
	assert_records("went on", 92);
	free(whole);
}

/* ---- damage ---- */

static void assert_damaged(const char *what, uint64_t from, uint64_t to, uint64_t records)
{
	struct recovery r;

	if (read_log(&r, false) != ERR_INVALID)
		fail_msg("%s: not refused", what);
	assert_int_equal(read_log(&r, true), ERR_OK);
	assert_int_equal(r.holes_len, 1);
	if (r.holes[0].from != from || r.holes[0].to != to || r.records != records)
		fail_msg("%s: hole %d to %d, %d records", what, (int)r.holes[0].from, (int)r.holes[0].to, (int)r.records);
	recovery_done(&r);
}

/* any one byte of a group that has a valid successor */
static void test_flipped_byte_before_the_end(void **state)
{
	char path[SCRATCH_PATH_MAX];
	size_t len;
	char *whole = write_three(path, &len);
	uint64_t used = FRAME_GROUP_HEAD + 4 * (2 + LEAF_LEN);

	(void)state;
	for (int group = 0; group < 2; group++)
		for (uint64_t i = 0; i < used; i += i < 64 ? 1 : 131) {
			uint64_t at = FRAME_BLOCK + (uint64_t)group * 8192 + i;
			char flipped = whole[at] ^ 1;

			scratch_patch(path, at, &flipped, 1);
			assert_damaged("flipped byte", (uint64_t)group * 4, (uint64_t)group * 4 + 4, 8);
			scratch_patch(path, at, whole + at, 1);
		}
	assert_records("restored", 12);
	free(whole);
}

/* fills three segments of 15 groups each */
static void write_segments(void)
{
	struct wal *w = open_wal();

	for (int i = 0; i < 45; i++)
		assert_int_equal(append(w, 4, LEAF_LEN), ERR_OK);
	wal_free(w, false);
}

static void test_whole_segment_missing(void **state)
{
	char path[SCRATCH_PATH_MAX];

	(void)state;
	write_segments();
	scratch_segment(path, directory, SHARD, 2);
	assert_int_equal(unlink(path), 0);
	assert_damaged("segment 2 removed", 60, 120, 120);
}

static void test_first_segment_missing(void **state)
{
	char path[SCRATCH_PATH_MAX];

	(void)state;
	write_segments();
	scratch_segment(path, directory, SHARD, 1);
	assert_int_equal(unlink(path), 0);
	assert_damaged("segment 1 removed", 0, 60, 120);
}

/* any bit of a segment's head; in the last segment too, where no later group tells that something is missing */
static void test_damaged_segment_head(void **state)
{
	(void)state;
	write_segments();
	for (uint64_t number = 1; number <= 3; number++)
		for (uint64_t at = 0; at < 44; at++) {
			char path[SCRATCH_PATH_MAX];
			size_t len;

			scratch_segment(path, directory, SHARD, number);

			char *whole = scratch_read(path, &len);
			char flipped = whole[at] ^ 4;

			scratch_patch(path, at, &flipped, 1);
			assert_damaged("segment head", (number - 1) * 60, number * 60, 120);
			scratch_patch(path, at, whole + at, 1);
			free(whole);
		}
}

/* the log goes on behind accepted damage, its indexes are not given out again */
static void test_going_on_behind_damage(void **state)
{
	char path[SCRATCH_PATH_MAX];
	struct wal_options o = options();
	struct wal *w = NULL;

	(void)state;
	write_segments();
	scratch_segment(path, directory, SHARD, 3);
	scratch_patch(path, 16, "another id......", 16);
	assert_int_equal(wal_open(&o, &w, NULL), ERR_INVALID);
	o.accept_damage = true;
	assert_int_equal(wal_open(&o, &w, NULL), ERR_OK);
	assert_int_equal(wal_next_index(w), 180);
	assert_int_equal(append(w, 1, 100), ERR_OK);
	assert_int_equal(wal_next_index(w), 181);
	wal_free(w, false);
	assert_damaged("third segment", 120, 180, 121);
}

/* ---- faults ---- */

/* Invariant 6: a failed sync spoils its file; the group goes to another one and nothing is written twice to the first. */
static void test_failed_sync_spoils_the_file(void **state)
{
	char path[SCRATCH_PATH_MAX];
	size_t len;
	struct wal *w = open_wal();

	(void)state;
	assert_int_equal(append(w, 4, LEAF_LEN), ERR_OK);
	assert_int_equal(append(w, 4, LEAF_LEN), ERR_OK);

	fault_arm(FAULT_FDATASYNC, 1, 1, EIO);
	assert_int_equal(append(w, 4, LEAF_LEN), ERR_OK);
	scratch_segment(path, directory, SHARD, 1);

	char *spoiled = scratch_read(path, &len);

	for (int i = 0; i < 5; i++)
		assert_int_equal(append(w, 4, LEAF_LEN), ERR_OK);
	wal_free(w, false);

	char *later = scratch_read(path, &len);

	assert_memory_equal(spoiled, later, len);
	free(spoiled);
	free(later);
	assert_records("one group is there twice", 32);
	scratch_segment(path, directory, SHARD, 2);
	assert_int_equal(access(path, F_OK), 0);
}

/* a group whose first copy is torn is good by its second */
static void test_torn_write_then_another_file(void **state)
{
	struct wal *w = open_wal();

	(void)state;
	assert_int_equal(append(w, 4, LEAF_LEN), ERR_OK);
	fault_tear(true);
	fault_arm(FAULT_PWRITEV, 1, 1, ENOSPC);
	assert_int_equal(append(w, 4, LEAF_LEN), ERR_OK);
	assert_int_equal(append(w, 4, LEAF_LEN), ERR_OK);
	wal_free(w, false);
	assert_records("torn, then whole", 12);
}

/* every write and every sync fails once, in turn: the log holds all that was reported durable, and no damage */
static void test_each_call_fails_once(void **state)
{
	static const enum fault_call calls[] = { FAULT_PWRITEV, FAULT_FDATASYNC };

	(void)state;
	for (size_t c = 0; c < sizeof(calls) / sizeof(calls[0]); c++)
		for (unsigned kth = 1; kth <= 20; kth++) {
			struct wal *w = open_wal();
			uint64_t before = wal_next_index(w);

			fault_clear();
			fault_tear(kth % 2 == 0);
			fault_arm(calls[c], kth, 1, kth % 3 == 0 ? ENOSPC : EIO);
			for (int i = 0; i < 20; i++)
				assert_int_equal(append(w, 4, LEAF_LEN), ERR_OK);
			assert_true(fault_count(calls[c]) >= kth);
			wal_free(w, false);
			fault_clear();
			assert_records("after a fault", before + 80);
		}
}

/* all segments fail: the group is not taken. Later the very same group is, and only once. */
static void test_no_segment_takes_the_group(void **state)
{
	struct wal *w = open_wal();
	char bytes[4 * (2 + LEAF_LEN)];
	uint64_t sync_us;

	(void)state;
	assert_int_equal(append(w, 4, LEAF_LEN), ERR_OK);

	struct wal_batch b = make_group(bytes, 4, 4, LEAF_LEN);

	fault_arm(FAULT_FDATASYNC, 1, 0, EIO);
	fault_arm(FAULT_FSYNC, 1, 0, EIO);
	assert_int_equal(wal_append(w, &b, &sync_us, NULL), ERR_IO);
	assert_int_equal(wal_next_index(w), 4);
	while (wal_has_reserve(w))
		usleep(1000);                /* its thread finds out by itself */
	fault_clear();
	while (wal_append(w, &b, &sync_us, NULL) != ERR_OK)
		usleep(1000);                /* the thread of the reserve tries again each second */
	assert_int_equal(append(w, 1, LEAF_LEN), ERR_OK);
	wal_free(w, false);
	assert_records("after the device is back", 9);
}

/* files that fail do not pile up */
static void test_failing_device_does_not_fill_the_disk(void **state)
{
	struct wal *w = open_wal();

	(void)state;
	assert_int_equal(append(w, 4, LEAF_LEN), ERR_OK);
	fault_arm(FAULT_PWRITEV, 1, 0, EIO);     /* segments can be made, but not used */
	for (int i = 0; i < 10; i++)
		assert_int_equal(append(w, 1, 100), ERR_IO);
	fault_clear();
	wal_free(w, false);
	assert_in_range(scratch_count(directory, SHARD, "wal-"), 1, 3);
	assert_records("first group", 4);
}

/* ---- presence ---- */

/* Invariant 7: files that were taken away are noticed */
static void test_files_taken_away(void **state)
{
	char path[SCRATCH_PATH_MAX], away[SCRATCH_PATH_MAX + 8];
	struct wal *w = open_wal();

	(void)state;
	assert_int_equal(append(w, 1, 100), ERR_OK);
	assert_true(wal_present(w));
	scratch_segment(path, directory, SHARD, 1);
	snprintf(away, sizeof(away), "%s.away", path);
	assert_int_equal(rename(path, away), 0);
	assert_false(wal_present(w));

	size_t len;
	char *copy = scratch_read(away, &len);

	scratch_write(path, slice_from(copy, len));          /* the same bytes, but another file */
	assert_false(wal_present(w));
	assert_int_equal(rename(away, path), 0);
	assert_true(wal_present(w));
	assert_int_equal(unlink(path), 0);
	assert_false(wal_present(w));
	free(copy);
	wal_free(w, false);
}

static void test_options_that_are_refused(void **state)
{
	struct wal_options o = options();
	struct wal *w;

	(void)state;
	o.segment_bytes = WAL_SEGMENT_BYTES_MIN - FRAME_BLOCK;
	assert_int_equal(wal_open(&o, &w, NULL), ERR_INVALID);
	o.segment_bytes = WAL_SEGMENT_BYTES_MIN + 1;
	assert_int_equal(wal_open(&o, &w, NULL), ERR_INVALID);
	o = options();
	o.instance = SLICE("../x");
	assert_int_equal(wal_open(&o, &w, NULL), ERR_INVALID);
	o = options();
	o.directory = SLICE("/nowhere/at/all");
	assert_int_equal(wal_open(&o, &w, NULL), ERR_IO);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_groups_are_there_after_reopening),
		TEST(test_largest_group_fits),
		TEST(test_group_in_two_pieces),
		TEST(test_end_torn_at_each_byte),
		TEST(test_end_torn_in_any_pattern),
		TEST(test_writing_over_a_torn_end),
		TEST(test_torn_segment_head),
		TEST(test_flipped_byte_before_the_end),
		TEST(test_whole_segment_missing),
		TEST(test_first_segment_missing),
		TEST(test_damaged_segment_head),
		TEST(test_going_on_behind_damage),
		TEST(test_failed_sync_spoils_the_file),
		TEST(test_torn_write_then_another_file),
		TEST(test_each_call_fails_once),
		TEST(test_no_segment_takes_the_group),
		TEST(test_failing_device_does_not_fill_the_disk),
		TEST(test_files_taken_away),
		TEST(test_options_that_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
