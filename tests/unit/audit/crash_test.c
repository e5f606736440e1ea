/* crash_test.c - a writer is killed at random moments, again and again: whatever it said was durable is in the log.
 *
 * The writer tells its parent over a pipe which records were durable: the ledger. After each kill the parent opens the
 * log, which must not be damaged, and compares. The seed is printed; WEIR_TEST_SEED repeats a run.
 */
#include "audit/logs.h"
#include "audit/scratch.h"
#include "audit/shard.h"
#include "audit/wal.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define ROUNDS 60
#define PRODUCERS 3
#define LONGEST_LIFE_US 100000 /* from before it opens the log to deep in its work */

struct producer {
	struct committer *c;
	int ledger;
	uint32_t round, number;
};

/* submits records named round/producer/i, and notes each that is durable; until it is killed */
static void *produce(void *arg)
{
	const struct producer *p = arg;
	struct arena a;

	for (uint32_t i = 0;; i++) {
		char text[64];
		struct ticket t;
		uint32_t note[3] = { p->round, p->number, i };

		arena_init(&a, 1 << 20);
		snprintf(text, sizeof(text), "/%u/%u/%u", p->round, p->number, i);
		t = log_submit(p->c, log_leaf(&a, text), i % 5 == 4 ? SUBMIT_OUTCOME : SUBMIT_DECISION);
		if (log_wait(p->c, t) == TICKET_DURABLE && write(p->ledger, note, sizeof(note)) != (ssize_t)sizeof(note))
			_exit(1);
		arena_done(&a);
	}
	return NULL;
}

static void run_writer(const char *directory, int ledger, uint32_t round)
{
	static struct producer producers[PRODUCERS];
	struct log_clock clock;
	struct committer_options o;
	pthread_t thread;

	log_clock_init(&clock, LOG_NOON_2030);
	o = log_options(directory, &clock);

	struct committer *c = log_open(&o);

	for (uint32_t i = 0; i < PRODUCERS; i++) {
		producers[i] = (struct producer){ .c = c, .ledger = ledger, .round = round, .number = i };
		if (pthread_create(&thread, NULL, produce, &producers[i]) != 0)
			_exit(1);
	}
	for (;;)
		pause();
}

/* the highest note of each producer; a producer waits for each record, so all below it were durable too */
struct ledger {
	int64_t last[ROUNDS][PRODUCERS];
};

static void read_ledger(int fd, struct ledger *l)
{
	uint32_t note[3];

	while (read(fd, note, sizeof(note)) == (ssize_t)sizeof(note))
		if (note[0] < ROUNDS && note[1] < PRODUCERS)
			l->last[note[0]][note[1]] = note[2];
}

static void kill_one_writer(const char *directory, uint32_t round, struct ledger *l)
{
	int pipe_fds[2];
	pid_t child;
	int status;

	assert_int_equal(pipe(pipe_fds), 0);
	child = fork();
	assert_int_not_equal(child, -1);
	if (child == 0) {
		close(pipe_fds[0]);
		run_writer(directory, pipe_fds[1], round);
	}
	close(pipe_fds[1]);
	usleep((useconds_t)(rand() % LONGEST_LIFE_US));
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	read_ledger(pipe_fds[0], l);
	close(pipe_fds[0]);
}

static void assert_undamaged(const char *directory, uint32_t round)
{
	int fd = shard_open_state(slice_cstr(directory), SLICE(LOG_SHARD));
	struct recovery r;
	struct err e;

	if (fd == -1)
		return;                      /* killed before it had made the folder */
	if (recover(fd, false, &r, &e) != ERR_OK)
		fail_msg("round %u: %s", round, e.text);
	recovery_done(&r);
	close(fd);
}

/* which round, producer and number a record is of; false for records of the log itself */
static bool record_name(const struct record_view *v, uint32_t name[3])
{
	for (size_t i = 0; i < v->items_len; i++)
		if (v->items[i].tag == RECORD_TAG_TARGET) {
			char text[64];

			snprintf(text, sizeof(text), "%.*s", SLICE_ARG(v->items[i].value));
			return sscanf(text, "/%u/%u/%u", &name[0], &name[1], &name[2]) == 3;
		}
	return false;
}

/* every producer's records are in the log in order, without a hole, at least as far as the ledger goes */
static uint64_t compare(const struct log_records *r, const struct ledger *l)
{
	static int64_t found[ROUNDS][PRODUCERS];
	uint64_t durable = 0;

	memset(found, -1, sizeof(found));
	for (size_t i = 0; i < r->len; i++) {
		uint32_t name[3];

		assert_int_equal(r->indexes[i], i);
		if (!record_name(&r->views[i], name))
			continue;
		assert_int_equal(++found[name[0]][name[1]], name[2]);
	}
	for (uint32_t round = 0; round < ROUNDS; round++)
		for (uint32_t p = 0; p < PRODUCERS; p++) {
			if (found[round][p] < l->last[round][p])
				fail_msg("round %u, producer %u: durable up to %d, found up to %d", round, p, (int)l->last[round][p],
				         (int)found[round][p]);
			durable += (uint64_t)(l->last[round][p] + 1);
		}
	return durable;
}

static void test_killed_writers(void **state)
{
	static struct ledger ledger;
	const char *seed_text = getenv("WEIR_TEST_SEED");
	unsigned seed = seed_text != NULL ? (unsigned)strtoul(seed_text, NULL, 10) : (unsigned)getpid();
	char directory[SCRATCH_PATH_MAX];
	struct log_records r;
	struct arena a;

	(void)state;
	print_message("WEIR_TEST_SEED=%u\n", seed);
	srand(seed);
	scratch_new_on_disk(directory);
	memset(&ledger, -1, sizeof(ledger));
	for (uint32_t round = 0; round < ROUNDS; round++) {
		kill_one_writer(directory, round, &ledger);
		assert_undamaged(directory, round);
	}
	arena_init(&a, (size_t)1 << 30);
	log_read(&a, directory, &r);

	uint64_t durable = compare(&r, &ledger);

	print_message("%d kills, %d records durable, %d in the log\n", ROUNDS, (int)durable, (int)r.len);
	assert_true(durable > 100);
	arena_done(&a);
	scratch_remove(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_killed_writers) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
