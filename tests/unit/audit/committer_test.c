/* committer_test.c - what a ticket promises, and what happens when the disk does not keep up, fails or is full. */
#include "audit/committer.h"

#include "audit/faults.h"
#include "audit/logs.h"
#include "audit/scratch.h"
#include "audit/tally.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
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

static struct committer *open_log(void)
{
	const struct committer_options o = log_options(directory, &now);

	return log_open(&o);
}

static struct slice leaf(const char *text)
{
	return log_leaf(&arena, text);
}

static void count_wake(void *ctx)
{
	++*(_Atomic unsigned *)ctx;
}

static struct committer_counters counters(const struct committer *c)
{
	struct committer_counters n;

	committer_counters(c, &n);
	return n;
}

/* ---- order and durability ---- */

static void test_boot_comes_first_and_tells_the_past(void **state)
{
	struct log_records r;

	(void)state;
	for (int boot = 0; boot < 3; boot++) {
		struct committer *c = open_log();

		assert_int_equal(log_wait(c, log_submit(c, leaf("one"), SUBMIT_DECISION)), TICKET_DURABLE);
		committer_free(c);
	}
	log_read(&arena, directory, &r);
	assert_int_equal(r.len, 6);
	assert_null(json_get(r.views[0].public, "prev"));
	assert_int_equal(log_number(&r.views[0], "replayed"), 0);

	const struct json_value *prev = json_get(r.views[4].public, "prev");

	assert_int_equal(log_number(&r.views[4], "replayed"), 4);
	assert_int_equal(json_get(prev, "size")->integer, 4);
	assert_true(slice_eq(json_get_text(prev, "origin"), SLICE("weir.example.org/audit/gw/2030")));
	assert_int_equal(json_get_text(prev, "root").len, 64);
}

static void test_ticket_leads_to_its_record(void **state)
{
	enum { RECORDS = 300 };
	struct committer *c = open_log();
	struct ticket tickets[RECORDS];
	struct log_records r;

	(void)state;
	for (int i = 0; i < RECORDS; i++) {
		char text[32];

		snprintf(text, sizeof(text), "/%d", i);
		tickets[i] = log_submit(c, leaf(text), i % 3 == 0 ? SUBMIT_OUTCOME : SUBMIT_DECISION);
	}
	assert_int_equal(log_wait(c, tickets[RECORDS - 1]), TICKET_DURABLE);
	log_read(&arena, directory, &r);
	for (int i = 0; i < RECORDS; i++) {
		char text[32];

		snprintf(text, sizeof(text), "/%d", i);
		assert_int_equal(committer_index(c, tickets[i]), log_find(&r, text));
		assert_int_equal(tickets[i].seq, i + 1);
	}
	assert_int_equal(committer_index(c, (struct ticket){ RECORDS + 1 }), -1);
	committer_free(c);
}

/* Invariant 1: a ticket is DURABLE only when a sync that covers its record has returned. */
static void test_ticket_waits_for_the_sync(void **state)
{
	struct committer *c = open_log();
	_Atomic unsigned wakes = 0;

	(void)state;
	assert_int_equal(committer_subscribe(c, count_wake, (void *)&wakes), ERR_OK);
	while (fault_count(FAULT_FSYNC) < 6)         /* the ready segments are made, their syncs do not disturb */
		usleep(1000);
	fault_clear();
	fault_slow_sync(20000);
	for (unsigned i = 1; i <= 10; i++) {
		struct ticket t = log_submit(c, leaf("x"), SUBMIT_DECISION);

		while (committer_state(c, t) == TICKET_PENDING)
			;
		assert_int_equal(committer_state(c, t), TICKET_DURABLE);
		assert_int_equal(fault_count(FAULT_FDATASYNC), i);
		while (wakes < i)
			usleep(100);
	}
	assert_int_equal(fault_count(FAULT_PWRITEV), 10);
	committer_free(c);
}

/* while one sync is in flight, what arrives becomes one group */
static void test_groups_grow_under_load(void **state)
{
	struct committer *c = open_log();
	struct slice x = leaf("x");
	struct ticket t = { 0 };

	(void)state;
	fault_slow_sync(200000);
	for (int i = 0; i < 400; i++)
		t = log_submit(c, x, SUBMIT_DECISION);
	assert_int_equal(log_wait(c, t), TICKET_DURABLE);
	assert_in_range(counters(c).groups, 1, 3);
	assert_int_equal(counters(c).records[RECORD_DECISION], 400);
	committer_free(c);
}

static void test_outcomes_wait_for_company(void **state)
{
	struct committer *c = open_log();
	struct ticket t = { 0 };
	uint64_t groups = counters(c).groups;
	int64_t began = clock_mono_ms(clock_system());

	(void)state;
	for (int i = 0; i < 10; i++)
		t = log_submit(c, leaf("x"), SUBMIT_OUTCOME);
	assert_int_equal(committer_state(c, t), TICKET_PENDING);
	assert_int_equal(log_wait(c, t), TICKET_DURABLE);
	assert_in_range(clock_mono_ms(clock_system()) - began, 45, 5000);
	assert_int_equal(counters(c).groups, groups + 1);

	/* a decision takes them along at once */
	t = log_submit(c, leaf("x"), SUBMIT_OUTCOME);
	assert_int_equal(log_wait(c, log_submit(c, leaf("x"), SUBMIT_DECISION)), TICKET_DURABLE);
	assert_int_equal(committer_state(c, t), TICKET_DURABLE);
	assert_int_equal(counters(c).groups, groups + 2);
	committer_free(c);
}

static void test_batched_counts_once_queued(void **state)
{
	struct committer_options o = log_options(directory, &now);
	struct log_records r;

	(void)state;
	o.batched = true;
	o.max_delay_ms = 20;

	struct committer *c = log_open(&o);
	uint64_t groups = counters(c).groups;

	fault_slow_sync(10000);
	for (int i = 0; i < 100; i++)
		assert_int_equal(committer_state(c, log_submit(c, leaf("x"), SUBMIT_DECISION)), TICKET_DURABLE);
	while (counters(c).records[RECORD_DECISION] < 100)
		usleep(1000);
	assert_in_range(counters(c).groups - groups, 1, 3);
	for (int i = 0; i < 100; i++)
		log_submit(c, leaf("y"), SUBMIT_DECISION);
	committer_free(c);                       /* commits what is queued, without waiting for the delay */
	log_read(&arena, directory, &r);
	assert_int_equal(log_count(&r, "decision"), 200);
}

static void test_closing_commits_what_is_queued(void **state)
{
	struct committer *c = open_log();
	struct log_records r;

	(void)state;
	fault_slow_sync(20000);
	for (int i = 0; i < 2000; i++)
		log_submit(c, leaf("x"), SUBMIT_OUTCOME);
	committer_free(c);
	log_read(&arena, directory, &r);
	assert_int_equal(log_count(&r, "decision"), 2000);   /* leaves of decisions, submitted as outcomes */
}

/* ---- many producers ---- */

struct producer {
	struct committer *c;
	struct slice leaf;
	pthread_t thread;
	unsigned durable;
};

static void *produce(void *arg)
{
	struct producer *p = arg;

	for (int i = 0; i < 300; i++) {
		struct ticket t;

		while (committer_submit(p->c, p->leaf, RECORD_DECISION, SUBMIT_DECISION, &t, NULL) == ERR_FULL)
			usleep(100);
		while (committer_state(p->c, t) == TICKET_PENDING)
			usleep(50);
		p->durable += committer_state(p->c, t) == TICKET_DURABLE && committer_index(p->c, t) > 0;
	}
	return NULL;
}

static void test_many_producers(void **state)
{
	enum { PRODUCERS = 8 };
	struct producer producers[PRODUCERS];
	struct committer *c = open_log();
	struct log_records r;
	_Atomic unsigned wakes = 0;

	(void)state;
	assert_int_equal(committer_subscribe(c, count_wake, (void *)&wakes), ERR_OK);
	for (int i = 0; i < PRODUCERS; i++) {
		producers[i] = (struct producer){ .c = c, .leaf = leaf("x") };
		assert_int_equal(pthread_create(&producers[i].thread, NULL, produce, &producers[i]), 0);
	}
	for (int i = 0; i < 200; i++)
		tally_add(committer_tally(c), "no certificate", SLICE("192.0.2.7:1"));
	for (int i = 0; i < PRODUCERS; i++) {
		pthread_join(producers[i].thread, NULL);
		assert_int_equal(producers[i].durable, 300);
	}
	committer_free(c);
	log_read(&arena, directory, &r);
	assert_int_equal(log_count(&r, "decision"), PRODUCERS * 300);
	assert_int_equal(log_number(log_first(&r, "tls"), "count"), 200);
	assert_true(wakes > 0);
}

static void test_subscribers_are_bounded(void **state)
{
	struct committer *c = open_log();
	_Atomic unsigned wakes = 0;

	(void)state;
	for (int i = 0; i < 64; i++)
		assert_int_equal(committer_subscribe(c, count_wake, (void *)&wakes), ERR_OK);
	assert_int_equal(committer_subscribe(c, count_wake, (void *)&wakes), ERR_FULL);
	committer_free(c);
}

/* ---- limits of the queue ---- */

static void test_full_queue(void **state)
{
	struct committer *c = open_log();
	struct log_records r;
	struct ticket t;
	char big[40001];
	unsigned decisions = 0, outcomes = 0;

	(void)state;
	memset(big, 'x', 40000);
	big[40000] = '\0';

	struct slice large = leaf(big);

	fault_slow_sync(1500000);
	log_submit(c, leaf("in flight"), SUBMIT_DECISION);
	while (fault_count(FAULT_PWRITEV) < 3)           /* head of the segment, boot, and the group that now waits */
		usleep(1000);
	while (committer_submit(c, large, RECORD_DECISION, SUBMIT_DECISION, &t, NULL) == ERR_OK)
		decisions++;
	assert_in_range(decisions, 15, 19);              /* three quarters of 1 MiB */
	while (committer_submit(c, large, RECORD_OUTCOME, SUBMIT_OUTCOME, &t, NULL) == ERR_OK)
		outcomes++;
	assert_in_range(outcomes, 5, 8);
	assert_int_equal(counters(c).lost, 1);
	assert_int_equal(committer_submit(c, SLICE(""), RECORD_DECISION, SUBMIT_DECISION, &t, NULL), ERR_LIMIT);
	fault_slow_sync(0);
	while (counters(c).queue_records > 0)
		usleep(1000);
	committer_free(c);

	/* what had no room left a trace */
	log_read(&arena, directory, &r);
	assert_int_equal(log_count(&r, "decision"), 1 + decisions + outcomes);
	assert_true(slice_eq(json_get_text(log_first(&r, "gap")->public, "reason"), SLICE("queue full")));
	assert_int_equal(log_number(log_first(&r, "gap"), "count"), 1);
}

/* ---- faults ---- */

/* Invariant 6, seen from a ticket: one failed sync is not noticed by anybody */
static void test_one_failed_sync_is_survived(void **state)
{
	struct committer *c = open_log();
	struct log_records r;

	(void)state;
	for (int i = 0; i < 20; i++) {
		char text[32];

		snprintf(text, sizeof(text), "/%d", i);
		if (i == 10)
			fault_arm(FAULT_FDATASYNC, 1, 1, EIO);
		assert_int_equal(log_wait(c, log_submit(c, leaf(text), SUBMIT_DECISION)), TICKET_DURABLE);
	}
	assert_true(committer_is_open(c));
	committer_free(c);
	log_read(&arena, directory, &r);
	assert_int_equal(log_count(&r, "decision"), 20);
}

static void close_by_fault(struct committer *c, enum fault_call call, int error, struct ticket *t)
{
	fault_arm(call, 1, 0, error);
	fault_arm(FAULT_FSYNC, 1, 0, error);
	*t = log_submit(c, leaf("lost at first"), SUBMIT_DECISION);
	assert_int_equal(log_wait(c, *t), TICKET_LOST);
}

static void test_log_closes_and_opens_again(void **state)
{
	static const struct {
		enum fault_call call;
		int error;
		bool tear;
	} rows[] = { { FAULT_FDATASYNC, EIO, false }, { FAULT_PWRITEV, ENOSPC, true } };
	uint64_t decisions = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct committer *c = open_log();
		_Atomic unsigned wakes = 0;
		struct ticket lost, refused, outcome;
		struct log_records r;
		struct err e;

		assert_int_equal(committer_subscribe(c, count_wake, (void *)&wakes), ERR_OK);
		assert_int_equal(log_wait(c, log_submit(c, leaf("before"), SUBMIT_DECISION)), TICKET_DURABLE);
		fault_tear(rows[i].tear);
		close_by_fault(c, rows[i].call, rows[i].error, &lost);
		assert_false(committer_is_open(c));
		assert_int_equal(committer_index(c, lost), -1);
		assert_int_equal(committer_submit(c, leaf("no"), RECORD_DECISION, SUBMIT_DECISION, &refused, NULL), ERR_IO);
		assert_int_equal(committer_error(c, &e), ERR_IO);
		outcome = log_submit(c, leaf("outcome"), SUBMIT_OUTCOME);
		assert_int_equal(counters(c).lost, 1);

		unsigned before = wakes;

		fault_clear();
		while (!committer_is_open(c) || committer_state(c, outcome) != TICKET_DURABLE)
			usleep(1000);
		assert_true(wakes > before);
		assert_int_equal(log_wait(c, log_submit(c, leaf("after"), SUBMIT_DECISION)), TICKET_DURABLE);
		committer_free(c);

		/* the record of the lost ticket is there all the same, once */
		log_read(&arena, directory, &r);
		decisions += 4;
		assert_int_equal(log_count(&r, "decision"), decisions);
		assert_int_equal(r.lost, 0);
	}
}

static void test_closed_log_ends_cleanly(void **state)
{
	struct committer *c = open_log();
	struct log_records r;
	struct ticket t;

	(void)state;
	close_by_fault(c, FAULT_PWRITEV, EIO, &t);
	committer_free(c);
	fault_clear();
	committer_free(open_log());
	log_read(&arena, directory, &r);
	assert_int_equal(log_count(&r, "boot"), 2);
	assert_int_equal(log_count(&r, "decision"), 0);
}

/* Invariant 7: the folder is removed under a running log: it closes, for good */
static void test_folder_removed(void **state)
{
	struct committer *c = open_log();
	struct ticket t;
	char path[SCRATCH_PATH_MAX + 16];

	(void)state;
	assert_int_equal(log_wait(c, log_submit(c, leaf("x"), SUBMIT_DECISION)), TICKET_DURABLE);
	while (fault_count(FAULT_RENAMEAT) < 3)      /* nothing new appears in the folder while it is removed */
		usleep(1000);
	snprintf(path, sizeof(path), "%s/" LOG_SHARD, directory);
	scratch_remove(path);
	while (committer_is_open(c))
		usleep(1000);
	assert_int_equal(committer_submit(c, leaf("y"), RECORD_DECISION, SUBMIT_DECISION, &t, NULL), ERR_IO);
	committer_free(c);
}

static void test_open_fails_at_each_call(void **state)
{
	static const enum fault_call calls[] = { FAULT_PWRITEV,   FAULT_PWRITE,   FAULT_FDATASYNC,
		                                     FAULT_FALLOCATE, FAULT_RENAMEAT, FAULT_FSYNC };

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		char fresh[SCRATCH_PATH_MAX + 16];
		struct committer_options o;
		struct committer *c = NULL;

		snprintf(fresh, sizeof(fresh), "%s/%zu", directory, i);
		o = log_options(fresh, &now);
		fault_arm(calls[i], 1, 0, ENOSPC);
		assert_int_equal(committer_open(&o, &c, NULL), ERR_IO);
		assert_null(c);
		fault_clear();
		committer_free(log_open(&o));
	}
}

/* ---- a full disk ---- */

/* no room for another segment: decisions are refused at once, outcomes go on into the reserve */
static void test_reserve_is_for_outcomes(void **state)
{
	struct committer *c = open_log();
	struct log_records r;
	struct ticket t;
	char text[1000];
	unsigned decisions = 0;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';

	struct slice large = leaf(text);

	while (fault_count(FAULT_RENAMEAT) < 3)  /* one in use and two ready */
		usleep(1000);
	fault_arm(FAULT_FALLOCATE, 1, 0, ENOSPC);
	while (committer_submit(c, large, RECORD_DECISION, SUBMIT_DECISION, &t, NULL) == ERR_OK) {
		assert_int_equal(log_wait(c, t), TICKET_DURABLE);
		decisions++;
	}
	assert_in_range(decisions, 20, 200);     /* one segment, and a little of the next */
	assert_false(committer_is_open(c));
	for (int i = 0; i < 20; i++)
		assert_int_equal(log_wait(c, log_submit(c, large, SUBMIT_OUTCOME)), TICKET_DURABLE);

	fault_clear();
	while (!committer_is_open(c))
		usleep(1000);
	assert_int_equal(log_wait(c, log_submit(c, large, SUBMIT_DECISION)), TICKET_DURABLE);
	committer_free(c);
	log_read(&arena, directory, &r);
	assert_int_equal(log_count(&r, "decision"), decisions + 21);
}

/* the same on a file system that really is full */
static void test_full_file_system(void **state)
{
	struct committer_options o;
	struct log_records r;
	struct ticket t;
	char path[SCRATCH_PATH_MAX + 16], filler[SCRATCH_PATH_MAX + 32];
	uint64_t durable = 0;

	(void)state;
	snprintf(path, sizeof(path), "%s/small", directory);
	assert_int_equal(mkdir(path, 0700), 0);
	if (mount("weir-test", path, "tmpfs", 0, "size=1m") != 0) {
		print_message("skipped: mounting a small tmpfs needs root (%s)\n", strerror(errno));
		skip();
	}
	o = log_options(path, &now);

	struct committer *c = log_open(&o);
	struct slice x = leaf("x");

	while (committer_submit(c, x, RECORD_DECISION, SUBMIT_DECISION, &t, NULL) == ERR_OK) {
		enum ticket_state s = log_wait(c, t);

		durable += s == TICKET_DURABLE;
	}
	assert_true(durable > 20);
	assert_int_equal(log_wait(c, log_submit(c, x, SUBMIT_OUTCOME)), TICKET_DURABLE);
	snprintf(filler, sizeof(filler), "%s/unused", path);
	assert_int_equal(mount("weir-test", path, "tmpfs", MS_REMOUNT, "size=4m"), 0);
	while (!committer_is_open(c))
		usleep(1000);
	assert_int_equal(log_wait(c, log_submit(c, x, SUBMIT_DECISION)), TICKET_DURABLE);
	committer_free(c);
	log_read(&arena, path, &r);
	assert_int_equal(log_count(&r, "decision"), durable + 2);
	assert_int_equal(umount(path), 0);
}

/* ---- one writer, records of the system, years ---- */

/* Invariant 5 */
static void test_second_writer_is_refused(void **state)
{
	const struct committer_options o = log_options(directory, &now);
	struct committer *c = open_log(), *second = NULL;

	(void)state;
	assert_int_equal(committer_open(&o, &second, NULL), ERR_EXISTS);
	now.wall_us += INT64_C(366) * 86400 * 1000000;   /* a year later it would be another shard */
	assert_int_equal(committer_open(&o, &second, NULL), ERR_EXISTS);
	now.wall_us = LOG_NOON_2030;
	assert_int_equal(log_wait(c, log_submit(c, leaf("x"), SUBMIT_DECISION)), TICKET_DURABLE);
	committer_free(c);
	committer_free(open_log());
}

static void test_counted_handshakes_become_records(void **state)
{
	struct committer *c = open_log();
	struct log_records r;

	(void)state;
	for (int i = 0; i < 5; i++)
		tally_add(committer_tally(c), "expired certificate", SLICE("[2001:db8:1:2::3]:443"));
	while (counters(c).records[RECORD_TLS] == 0)
		usleep(1000);
	committer_free(c);
	log_read(&arena, directory, &r);

	const struct record_view *tls = log_first(&r, "tls");

	assert_int_equal(log_number(tls, "count"), 5);
	assert_int_equal(log_number(tls, "from"), LOG_NOON_2030);
	assert_true(slice_eq(json_get_text(tls->public, "reason"), SLICE("expired certificate")));
	assert_int_equal(tls->items_len, 1);
	assert_int_equal(tls->items[0].tag, RECORD_TAG_PEER);
	assert_true(slice_eq(tls->items[0].value, SLICE("2001:db8:1::/48")));
}

static void test_new_year_begins_a_shard(void **state)
{
	struct committer *c = open_log();
	struct ticket old = log_submit(c, leaf("/old"), SUBMIT_DECISION), new;
	struct log_records r;

	(void)state;
	assert_int_equal(log_wait(c, old), TICKET_DURABLE);
	assert_int_equal(committer_index(c, old), 1);
	now.wall_us += INT64_C(200) * 86400 * 1000000;
	new = log_submit(c, leaf("/new"), SUBMIT_DECISION);
	assert_int_equal(log_wait(c, new), TICKET_DURABLE);
	assert_int_equal(committer_index(c, new), 1);        /* behind the boot record */
	assert_int_equal(committer_index(c, old), -1);
	committer_free(c);
	assert_int_equal(scratch_count(directory, LOG_SHARD, "wal-"), 1);

	log_read(&arena, directory, &r);
	assert_int_equal(r.len, 4);
	assert_true(slice_eq(r.shards[2], SLICE("gw-2031")));
	assert_int_equal(r.indexes[2], 0);

	const struct json_value *prev = json_get(r.views[2].public, "prev");

	assert_int_equal(json_get(prev, "size")->integer, 2);
	assert_true(slice_eq(json_get_text(prev, "origin"), SLICE("weir.example.org/audit/gw/2030")));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_boot_comes_first_and_tells_the_past),
		TEST(test_ticket_leads_to_its_record),
		TEST(test_ticket_waits_for_the_sync),
		TEST(test_groups_grow_under_load),
		TEST(test_outcomes_wait_for_company),
		TEST(test_batched_counts_once_queued),
		TEST(test_closing_commits_what_is_queued),
		TEST(test_many_producers),
		TEST(test_subscribers_are_bounded),
		TEST(test_full_queue),
		TEST(test_one_failed_sync_is_survived),
		TEST(test_log_closes_and_opens_again),
		TEST(test_closed_log_ends_cleanly),
		TEST(test_folder_removed),
		TEST(test_open_fails_at_each_call),
		TEST(test_reserve_is_for_outcomes),
		TEST(test_full_file_system),
		TEST(test_second_writer_is_refused),
		TEST(test_counted_handshakes_become_records),
		TEST(test_new_year_begins_a_shard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
