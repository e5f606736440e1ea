/* journal_test.c - what a start finds and says: damage is refused or recorded, years follow each other, clocks go back. */
#include "audit/journal.h"

#include "audit/faults.h"
#include "audit/logs.h"
#include "audit/scratch.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define DAY_US (INT64_C(86400) * 1000000)

static char directory[SCRATCH_PATH_MAX];
static struct log_clock now;
static struct arena arena;

static int setup(void **state)
{
	(void)state;
	fault_clear();
	scratch_new(directory);
	log_clock_init(&now, LOG_NOON_2030);
	arena_init(&arena, (size_t)256 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fault_clear();
	scratch_remove(directory);
	arena_done(&arena);
	return 0;
}

static struct journal_options options(void)
{
	return (struct journal_options){ .directory = slice_cstr(directory), .instance = SLICE(LOG_INSTANCE),
	                                 .origin_host = SLICE("weir.example.org"), .build = SLICE("test"),
	                                 .clock = &now.clock, .segment_bytes = WAL_SEGMENT_BYTES_MIN };
}

static struct journal *open_journal(void)
{
	const struct journal_options o = options();
	struct journal *j = NULL;
	struct err e;

	if (journal_open(&o, &j, &e) != ERR_OK)
		fail_msg("%s", e.text);
	return j;
}

/* one group of one record */
static enum err_code append(struct journal *j, const char *text, struct journal_place *ret)
{
	struct slice leaf = log_leaf(&arena, text);
	struct strbuf b;

	strbuf_init(&b, &arena, LEAF_MAX + 2);
	strbuf_char(&b, (char)(leaf.len >> 8));
	strbuf_char(&b, (char)leaf.len);
	strbuf_add(&b, leaf);
	return journal_append(j, &(struct wal_batch){ .count = 1, .pieces = { strbuf_slice(&b) } }, ret, NULL);
}

static void append_well(struct journal *j, const char *text)
{
	struct journal_place place;

	assert_int_equal(append(j, text, &place), ERR_OK);
}

/* ---- damage ---- */

/* three boots of four records each, then one byte of the second boot's last group is changed */
static void write_and_damage(void)
{
	char path[SCRATCH_PATH_MAX];

	for (int boot = 0; boot < 3; boot++) {
		struct journal *j = open_journal();

		for (int i = 0; i < 3; i++)
			append_well(j, "/x");
		journal_free(j);
	}
	scratch_segment(path, directory, LOG_SHARD, 1);
	scratch_patch(path, (uint64_t)FRAME_BLOCK * 8 + 50, "X", 1);         /* head, four groups, three groups: index 7 */
}

static void test_damage_is_refused_until_accepted(void **state)
{
	struct journal_options o = options();
	struct journal *j = NULL;
	struct log_records r;
	struct err e;

	(void)state;
	write_and_damage();
	assert_int_equal(journal_open(&o, &j, &e), ERR_INVALID);
	assert_non_null(strstr(e.text, "records 7 to 7 are missing"));
	o.accept_damage = true;
	assert_int_equal(journal_open(&o, &j, &e), ERR_OK);
	journal_free(j);

	/* the gap record covers the hole from now on, with no flag */
	j = open_journal();
	append_well(j, "/after");
	journal_free(j);
	log_read(&arena, directory, &r);
	assert_int_equal(log_count(&r, "gap"), 1);
	assert_int_equal(log_number(log_first(&r, "gap"), "from"), 7);
	assert_int_equal(log_number(log_first(&r, "gap"), "to"), 8);
	assert_int_equal(log_number(log_first(&r, "gap"), "count"), 1);
	assert_true(slice_eq(json_get_text(log_first(&r, "gap")->public, "reason"), GAP_DAMAGE));
	assert_int_equal(log_find(&r, "/after"), 15);        /* 12 records, boot, gap, boot */
	assert_int_equal(r.lost, 1);
}

/* a gap record for one place does not cover damage in another */
static void test_other_damage_is_refused_again(void **state)
{
	struct journal_options o = options();
	struct journal *j = NULL;
	char path[SCRATCH_PATH_MAX];

	(void)state;
	write_and_damage();
	o.accept_damage = true;
	assert_int_equal(journal_open(&o, &j, NULL), ERR_OK);
	journal_free(j);
	scratch_segment(path, directory, LOG_SHARD, 1);
	scratch_patch(path, (uint64_t)FRAME_BLOCK * 3 + 50, "X", 1);
	o.accept_damage = false;
	assert_int_equal(journal_open(&o, &j, NULL), ERR_INVALID);
}

/* text in a request that looks like a gap record covers nothing */
static void test_forged_gap_covers_nothing(void **state)
{
	struct journal_options o = options();
	struct journal *j = open_journal();
	char path[SCRATCH_PATH_MAX];

	(void)state;
	append_well(j, "/x");
	append_well(j, "\n{\"count\":1,\"from\":0,\"reason\":\"damage\",\"to\":100,\"typ\":\"gap\"}\n");
	journal_free(j);
	scratch_segment(path, directory, LOG_SHARD, 1);
	scratch_patch(path, (uint64_t)FRAME_BLOCK * 2 + 50, "X", 1);
	assert_int_equal(journal_open(&o, &j, NULL), ERR_INVALID);
}

static void test_torn_end_is_counted(void **state)
{
	struct journal *j = open_journal();
	struct log_records r;
	char path[SCRATCH_PATH_MAX];

	(void)state;
	append_well(j, "/x");
	append_well(j, "/torn");
	journal_free(j);
	scratch_segment(path, directory, LOG_SHARD, 1);
	scratch_patch(path, (uint64_t)FRAME_BLOCK * 3 + 50, "X", 1);
	journal_free(open_journal());
	log_read(&arena, directory, &r);
	assert_int_equal(r.len, 3);
	assert_int_equal(log_number(&r.views[2], "replayed"), 2);
	assert_in_range(log_number(&r.views[2], "cut"), 300, FRAME_BLOCK);
	assert_int_equal(log_find(&r, "/torn"), -1);
}

/* ---- years ---- */

static const struct json_value *prev_of(const struct log_records *r, size_t i)
{
	return json_get(r->views[i].public, "prev");
}

static void test_start_in_a_new_year(void **state)
{
	struct journal *j = open_journal();
	struct log_records r;

	(void)state;
	append_well(j, "/old");
	journal_free(j);
	now.wall_us += 200 * DAY_US;
	j = open_journal();
	append_well(j, "/new");
	journal_free(j);
	log_read(&arena, directory, &r);
	assert_int_equal(r.len, 4);
	assert_true(slice_eq(r.shards[2], SLICE("gw-2031")));
	assert_int_equal(json_get(prev_of(&r, 2), "size")->integer, 2);
	assert_true(slice_eq(json_get_text(prev_of(&r, 2), "origin"), SLICE("weir.example.org/audit/gw/2030")));
	assert_int_equal(scratch_count(directory, LOG_SHARD, "wal-"), 1);    /* its ready segments are gone */
}

/* killed between the making of a new year's folder and its first record: the past is found all the same */
static void test_new_year_without_a_record(void **state)
{
	struct journal *j = open_journal();
	struct journal_options o = options();
	struct log_records r;

	(void)state;
	append_well(j, "/old");
	journal_free(j);
	now.wall_us += 200 * DAY_US;
	fault_arm(FAULT_PWRITEV, 1, 0, EIO);
	assert_int_equal(journal_open(&o, &j, NULL), ERR_IO);
	fault_clear();
	journal_free(open_journal());
	log_read(&arena, directory, &r);
	assert_int_equal(r.len, 3);
	assert_int_equal(json_get(prev_of(&r, 2), "size")->integer, 2);
}

static void test_damage_of_the_past_year_is_refused(void **state)
{
	struct journal *j = open_journal();
	struct journal_options o = options();
	char path[SCRATCH_PATH_MAX];

	(void)state;
	append_well(j, "/old");
	append_well(j, "/older");
	journal_free(j);
	scratch_segment(path, directory, LOG_SHARD, 1);
	scratch_patch(path, (uint64_t)FRAME_BLOCK * 2 + 50, "X", 1);
	now.wall_us += 200 * DAY_US;
	assert_int_equal(journal_open(&o, &j, NULL), ERR_INVALID);
}

/* a clock that goes back begins no older shard, at a start or at work */
static void test_clock_goes_back(void **state)
{
	struct journal *j = open_journal();
	struct log_records r;

	(void)state;
	append_well(j, "/1");
	now.wall_us -= 400 * DAY_US;
	append_well(j, "/2");
	journal_free(j);
	j = open_journal();
	append_well(j, "/3");
	journal_free(j);
	log_read(&arena, directory, &r);
	assert_int_equal(r.len, 5);
	assert_int_equal(log_find(&r, "/3"), 4);
	for (size_t i = 0; i < r.len; i++)
		assert_true(slice_eq(r.shards[i], SLICE(LOG_SHARD)));
}

/* A group that failed may be on the disk all the same, so it must not go to another shard when it comes again. */
static void test_failed_group_stays_in_its_year(void **state)
{
	struct journal *j = open_journal();
	struct journal_place place;
	struct log_records r;

	(void)state;
	append_well(j, "/1");
	fault_arm(FAULT_FDATASYNC, 1, 0, EIO);
	assert_int_equal(append(j, "/2", &place), ERR_IO);
	fault_clear();
	now.wall_us += 200 * DAY_US;
	while (append(j, "/2", &place) != ERR_OK)
		usleep(1000);
	assert_false(place.new_shard);
	assert_int_equal(append(j, "/3", &place), ERR_OK);
	assert_true(place.new_shard);
	assert_int_equal(append(j, "/4", &place), ERR_OK);
	assert_false(place.new_shard);
	journal_free(j);
	log_read(&arena, directory, &r);
	assert_int_equal(r.len, 6);
	assert_int_equal(json_get(prev_of(&r, 3), "size")->integer, 3);
}

/* the new shard cannot be written at first: nothing is lost, and its boot record is there once */
static void test_new_year_on_a_failing_disk(void **state)
{
	struct journal *j = open_journal();
	struct journal_place place;
	struct log_records r;

	(void)state;
	append_well(j, "/1");
	now.wall_us += 200 * DAY_US;
	fault_tear(true);
	fault_arm(FAULT_PWRITEV, 2, 0, ENOSPC);      /* after the head of the new segment */
	assert_int_equal(append(j, "/2", &place), ERR_IO);
	fault_clear();
	while (append(j, "/2", &place) != ERR_OK)
		usleep(1000);
	assert_true(place.new_shard);
	assert_int_equal(place.first_index, 1);
	journal_free(j);
	log_read(&arena, directory, &r);
	assert_int_equal(r.len, 4);
	assert_int_equal(log_count(&r, "boot"), 2);
}

static void test_options_that_are_refused(void **state)
{
	struct journal *j = NULL;
	static const struct {
		const char *name;
		struct slice instance, host;
	} rows[] = {
		{ "no instance", SLICE_INIT(""), SLICE_INIT("h") },
		{ "path as instance", SLICE_INIT("a/b"), SLICE_INIT("h") },
		{ "dots as instance", SLICE_INIT(".."), SLICE_INIT("h") },
		{ "no host", SLICE_INIT("a"), SLICE_INIT("") },
		{ "host with a slash", SLICE_INIT("a"), SLICE_INIT("h/x") },
		{ "host with a newline", SLICE_INIT("a"), SLICE_INIT("h\nx") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct journal_options o = options();

		o.instance = rows[i].instance;
		o.origin_host = rows[i].host;
		if (journal_open(&o, &j, NULL) != ERR_INVALID)
			fail_msg("%s", rows[i].name);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_damage_is_refused_until_accepted),
		TEST(test_other_damage_is_refused_again),
		TEST(test_forged_gap_covers_nothing),
		TEST(test_torn_end_is_counted),
		TEST(test_start_in_a_new_year),
		TEST(test_new_year_without_a_record),
		TEST(test_damage_of_the_past_year_is_refused),
		TEST(test_clock_goes_back),
		TEST(test_failed_group_stays_in_its_year),
		TEST(test_new_year_on_a_failing_disk),
		TEST(test_options_that_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
