/* reader_test.c - reading a log at rest, chosen records of it, and a log that is being written. */
#include "audit/reader.h"

#include "audit/faults.h"
#include "audit/frame.h"
#include "audit/logs.h"
#include "audit/scratch.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static char directory[SCRATCH_PATH_MAX];
static struct log_clock now;
static struct arena arena;

static int setup(void **state)
{
	(void)state;
	fault_clear();
	scratch_new(directory);
	log_clock_init(&now, LOG_NOON_2030);
	arena_init(&arena, (size_t)64 << 20);
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

/* a log with boot and count - 1 decisions of about 4 KiB */
static void write_log(const char *instance, unsigned count)
{
	struct committer_options o = log_options(directory, &now);
	char text[4000];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	o.instance = slice_cstr(instance);

	struct committer *c = log_open(&o);
	struct slice leaf = log_leaf(&arena, text);

	for (unsigned i = 1; i < count; i++)
		assert_int_equal(log_wait(c, log_submit(c, leaf, SUBMIT_DECISION)), TICKET_DURABLE);
	committer_free(c);
}

static struct reader *open_reader(struct reader_options o)
{
	struct reader *r = NULL;
	struct err e;

	o.directory = slice_cstr(directory);
	if (reader_open(&o, &r, &e) != ERR_OK)
		fail_msg("%s", e.text);
	return r;
}

/* reads to the end; returns how many, *first and *last are their indexes */
static unsigned read_all(struct reader *r, uint64_t *first, uint64_t *last)
{
	struct reader_record found;
	enum err_code rc;
	unsigned n = 0;

	while ((rc = reader_next(r, &found, NULL)) == ERR_OK) {
		if (n++ == 0)
			*first = found.index;
		else
			assert_int_equal(found.index, *last + 1 + found.lost);
		*last = found.index;
	}
	assert_int_equal(rc, ERR_NOT_FOUND);
	return n;
}

static void test_ranges(void **state)
{
	static const struct {
		const char *name;
		bool ranged;
		uint64_t from, to, first, last;
		unsigned count;
	} rows[] = {
		{ "all", false, 0, 0, 0, 99, 100 },
		{ "from the first", true, 0, UINT64_MAX, 0, 99, 100 },
		{ "one", true, 50, 50, 50, 50, 1 },
		{ "the first", true, 0, 0, 0, 0, 1 },
		{ "the last", true, 99, 99, 99, 99, 1 },
		{ "across segments", true, 10, 80, 10, 80, 71 },
		{ "beyond the end", true, 90, 1000, 90, 99, 10 },
		{ "behind the end", true, 100, 1000, 0, 0, 0 },
	};

	(void)state;
	write_log("gw", 100);                    /* four segments */
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct reader *r = open_reader(
			(struct reader_options){ .ranged = rows[i].ranged, .from = rows[i].from, .to = rows[i].to });
		uint64_t first = 0, last = 0;
		unsigned count = read_all(r, &first, &last);

		if (count != rows[i].count || first != rows[i].first || last != rows[i].last)
			fail_msg("%s: %u records, %d to %d", rows[i].name, count, (int)first, (int)last);
		assert_int_equal(reader_lost(r), 0);
		reader_free(r);
	}
}

static void test_shards(void **state)
{
	struct reader_options o = { .directory = slice_cstr(directory) };
	struct reader *r = NULL;
	uint64_t first, last;

	(void)state;
	assert_int_equal(reader_open(&o, &r, NULL), ERR_NOT_FOUND);
	write_log("gw", 3);
	now.wall_us += INT64_C(200) * 86400 * 1000000;
	write_log("gw", 5);

	/* numbers mean the newest shard */
	r = open_reader((struct reader_options){ .ranged = true, .from = 1, .to = UINT64_MAX });
	assert_int_equal(read_all(r, &first, &last), 4);
	reader_free(r);
	r = open_reader((struct reader_options){ .ranged = true, .from = 1, .to = 9, .shard = SLICE("gw-2030") });
	assert_int_equal(read_all(r, &first, &last), 2);
	reader_free(r);

	/* no numbers: all shards, in order */
	struct log_records all;

	log_read(&arena, directory, &all);
	assert_int_equal(all.len, 8);
	assert_true(slice_eq(all.shards[0], SLICE("gw-2030")) && slice_eq(all.shards[7], SLICE("gw-2031")));

	/* of several instances, numbers mean nothing */
	write_log("other", 1);
	o.ranged = true;
	assert_int_equal(reader_open(&o, &r, NULL), ERR_INVALID);
	o.shard = SLICE("other-2031");
	assert_int_equal(reader_open(&o, &r, NULL), ERR_OK);
	reader_free(r);
	o.shard = SLICE("nobody-2031");
	assert_int_equal(reader_open(&o, &r, NULL), ERR_NOT_FOUND);
}

static void test_damage_is_shown_and_passed(void **state)
{
	struct reader_record found;
	char path[SCRATCH_PATH_MAX];

	(void)state;
	write_log("gw", 10);
	scratch_segment(path, directory, LOG_SHARD, 1);
	scratch_patch(path, (uint64_t)FRAME_BLOCK * 2 + 8192 * 2 + 100, "X", 1);     /* the third decision */

	struct reader *r = open_reader((struct reader_options){ 0 });

	for (uint64_t want = 0; want < 10; want++) {
		if (want == 3)
			continue;
		assert_int_equal(reader_next(r, &found, NULL), ERR_OK);
		assert_int_equal(found.index, want);
		assert_int_equal(found.lost, want == 4);
	}
	assert_int_equal(reader_next(r, &found, NULL), ERR_NOT_FOUND);
	assert_int_equal(reader_lost(r), 1);
	reader_free(r);
}

/* what a follower has seen; indexes ascend by one, and begin anew with a shard */
struct followed {
	uint64_t next;
	unsigned boots, decisions;
};

static void follow_some(struct reader *r, struct followed *f)
{
	struct reader_record found;
	enum err_code rc;

	while ((rc = reader_next(r, &found, NULL)) == ERR_OK) {
		struct record_view v;
		struct arena a;

		arena_init(&a, 1 << 20);
		assert_int_equal(record_parse(&a, found.leaf, &v, NULL), ERR_OK);
		f->boots += slice_eq(json_get_text(v.public, "typ"), SLICE("boot"));
		f->decisions += slice_eq(json_get_text(v.public, "typ"), SLICE("decision"));
		f->next = found.index == 0 ? 0 : f->next;
		assert_int_equal(found.index, f->next++);
		arena_done(&a);
	}
	assert_int_equal(rc, ERR_NOT_FOUND);
}

/* a follower sees each record once and in order while it is written, through segments, failed syncs and a new year */
static void test_following_a_writer(void **state)
{
	enum { RECORDS = 400 };
	const struct committer_options o = log_options(directory, &now);
	struct committer *c = log_open(&o);
	struct reader *r = open_reader((struct reader_options){ .follow = true });
	struct followed f = { 0 };
	char text[3000];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';

	struct slice leaf = log_leaf(&arena, text);

	for (int i = 0; i < RECORDS; i++) {
		if (i % 50 == 30)
			fault_arm(FAULT_FDATASYNC, 1, 1, EIO);
		if (i == RECORDS / 2)
			now.wall_us += INT64_C(200) * 86400 * 1000000;
		log_submit(c, leaf, SUBMIT_DECISION);
		follow_some(r, &f);
	}
	while (f.decisions < RECORDS) {
		reader_wait(r, -1, 1000);
		follow_some(r, &f);
	}
	committer_free(c);
	follow_some(r, &f);
	assert_int_equal(f.boots, 2);
	assert_int_equal(f.decisions, RECORDS);
	assert_int_equal(reader_lost(r), 0);
	reader_free(r);
}

static void test_waiting(void **state)
{
	struct reader *r;
	struct reader_record found;
	int fds[2];

	(void)state;
	write_log("gw", 1);
	r = open_reader((struct reader_options){ .follow = true });
	assert_int_equal(pipe(fds), 0);
	while (reader_next(r, &found, NULL) == ERR_OK)
		;
	assert_false(reader_wait(r, fds[0], 1));         /* the time is over */
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_true(reader_wait(r, fds[0], 60000));      /* interrupted */
	close(fds[0]);
	close(fds[1]);
	write_log("gw", 1);
	assert_false(reader_wait(r, -1, 60000));         /* something was written */
	assert_int_equal(reader_next(r, &found, NULL), ERR_OK);
	assert_int_equal(found.index, 1);
	reader_free(r);
}

/* files of any content end in an answer, not in a crash */
static void test_nonsense_in_the_folder(void **state)
{
	static const struct slice files[] = {
		SLICE_INIT(""), SLICE_INIT("WEIRWAL1"), SLICE_INIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
	};
	char path[SCRATCH_PATH_MAX];
	uint64_t first, last;

	(void)state;
	write_log("gw", 3);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		for (uint64_t number = 2; number < 5; number++) {
			scratch_segment(path, directory, LOG_SHARD, number);
			scratch_write(path, files[i]);

			struct reader *r = open_reader((struct reader_options){ 0 });

			assert_int_equal(read_all(r, &first, &last), 3);
			reader_free(r);
		}
	scratch_segment(path, directory, LOG_SHARD, 99);
	assert_int_equal(symlink("/dev/zero", path), 0);

	struct reader *r = open_reader((struct reader_options){ 0 });
	struct reader_record found;

	for (int i = 0; i < 3; i++)
		assert_int_equal(reader_next(r, &found, NULL), ERR_OK);
	assert_int_equal(reader_next(r, &found, NULL), ERR_IO);
	reader_free(r);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ranges),
		TEST(test_shards),
		TEST(test_damage_is_shown_and_passed),
		TEST(test_following_a_writer),
		TEST(test_waiting),
		TEST(test_nonsense_in_the_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
