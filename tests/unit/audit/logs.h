/* logs.h - a log for a test: opened with small segments, written to, read back. All failures fail the test. */
#ifndef WEIR_TESTS_AUDIT_LOGS_H
#define WEIR_TESTS_AUDIT_LOGS_H

#include "audit/committer.h"
#include "audit/record.h"
#include "base/arena.h"

#define LOG_INSTANCE "gw"
#define LOG_NOON_2030 INT64_C(1909310400000000) /* 2030-07-03T12:00:00Z */
#define LOG_SHARD "gw-2030"

/* A clock whose wall time a test may move while others read it. */
struct log_clock {
	struct clock clock;
	_Atomic int64_t wall_us;
};

void log_clock_init(struct log_clock *c, int64_t wall_us);

/* small segments, strict; change what a test needs */
struct committer_options log_options(const char *directory, const struct log_clock *clock);
struct committer *log_open(const struct committer_options *o);

/* a decision whose private target is text */
struct slice log_leaf(struct arena *a, const char *text);
struct ticket log_submit(struct committer *c, struct slice leaf, enum submit_class class);
/* waits until a ticket is no longer pending */
enum ticket_state log_wait(const struct committer *c, struct ticket t);

/* a log as read back: all records of all shards, the leaves in the arena */
struct log_records {
	struct record_view *views;
	struct slice *shards;
	uint64_t *indexes;
	size_t len, cap;
	uint64_t lost;
};

void log_read(struct arena *a, const char *directory, struct log_records *ret);
/* how many records have this typ */
size_t log_count(const struct log_records *r, const char *typ);
/* the first record of a typ; fails when there is none */
const struct record_view *log_first(const struct log_records *r, const char *typ);
/* index of the record whose target is text; -1 when there is none */
int64_t log_find(const struct log_records *r, const char *text);
int64_t log_number(const struct record_view *v, const char *key);

#endif
