/* committer.c - see committer.h.
 *
 * One sync is in flight at a time, so groups grow by themselves under load.
 */
#include "audit/committer.h"

#include "audit/journal.h"
#include "audit/queue.h"
#include "audit/record.h"
#include "audit/tally.h"
#include "base/thread.h"

#include <stdatomic.h>
#include <stdlib.h>

#define QUEUE_BYTES ((size_t)16 << 20)
#define QUEUE_BYTES_MIN ((size_t)512 << 10)
#define QUEUE_RECORDS 16384
#define SUBSCRIBERS_MAX 64
#define SECOND_US 1000000
#define COMPANY_US 50000                 /* how long an outcome waits for others to share its sync */
#define SCRATCH ((size_t)1 << 20)
#define NEVER INT64_MAX

const uint64_t committer_bucket_us[16] = { 50,     100,    250,    500,     1000,    2500,    5000,     10000,
	                                       25000,  50000,  100000, 250000,  500000,  1000000, 5000000,  60000000 };

struct subscriber {
	void (*wake)(void *ctx);
	void *ctx;
};

/* outcomes and system records that the queue had no room for */
struct dropped {
	uint64_t count;
	int64_t from_us, to_us;
};

struct committer {
	struct journal *journal;         /* the thread's, once it runs */
	const struct clock *clock;
	struct tally tally;
	struct slice instance;           /* the journal's text */
	bool batched;
	int64_t max_delay_us;
	size_t group_bytes;              /* at most in one group */
	pthread_t thread;

	pthread_mutex_t lock;            /* over what follows */
	pthread_cond_t work;             /* monotonic */
	struct queue queue;
	int64_t oldest_us;               /* monotonic: since when the queue has been waiting for its next commit */
	bool sleeping, stop;
	uint64_t next_seq;
	uint64_t shard_seq, shard_index; /* the first ticket in this shard, and its index */
	struct dropped dropped;
	struct committer_counters counters;
	struct err error;                /* why the log closed last */
	struct subscriber subscribers[SUBSCRIBERS_MAX];
	size_t subscribers_len;

	/* Written by the thread alone. durable_seq: released after the group is durable, so whoever acquires it may act on
	 * the record. closed: no segment takes a group; tight: no room for another segment, decisions are refused. */
	_Atomic uint64_t durable_seq;
	_Atomic bool closed, tight;

	/* the thread's own */
	size_t owed;                     /* records of a group that failed: the very same must be written again */
	int64_t retry_us;                /* while closed: when to try again */
	int64_t second_us;               /* when the work of each second is due */
	bool gone;                       /* the files were taken away: closed until the process starts again */
};

/* ---- waiting ---- */

/* When the queue must be committed; called with the lock held. */
static int64_t commit_due(const struct committer *c)
{
	const struct queue *q = &c->queue;

	if (q->len == 0)
		return NEVER;
	if (c->closed)
		return c->retry_us;
	if (q->urgent > 0 || q->len >= GROUP_RECORDS_MAX || q->bytes >= c->group_bytes)
		return 0;
	return c->oldest_us + (q->decisions > 0 ? c->max_delay_us : COMPANY_US);
}

static int64_t mono_us(void)
{
	return clock_mono_us(clock_system());
}

/* waits until a commit or the work of a second is due, or the end; called with the lock held */
static void wait_for_work(struct committer *c)
{
	while (!c->stop) {
		int64_t due = commit_due(c);

		if (due > c->second_us)
			due = c->second_us;
		if (due <= mono_us())
			return;
		c->sleeping = true;
		thread_wait_until(&c->work, &c->lock, due);
		c->sleeping = false;
	}
}

/* ---- committing ---- */

static void wake_all(struct committer *c)
{
	pthread_mutex_lock(&c->lock);

	size_t len = c->subscribers_len; /* entries below it never change */

	pthread_mutex_unlock(&c->lock);
	for (size_t i = 0; i < len; i++)
		c->subscribers[i].wake(c->subscribers[i].ctx);
}

static void count_sync(struct committer_counters *n, uint64_t us)
{
	size_t bucket = 0;

	while (bucket < 15 && us > committer_bucket_us[bucket])
		bucket++;
	n->sync_buckets[bucket]++;
	n->sync_us_total += us;
	n->groups++;
}

/* the group is durable; called with the lock held */
static void note_group(struct committer *c, const struct wal_batch *group, const struct journal_place *place)
{
	uint64_t first_seq = c->durable_seq + 1;

	if (place->new_shard) {
		c->shard_seq = first_seq;
		c->shard_index = place->first_index;
	}
	for (size_t i = 0; i < group->count; i++)
		c->counters.records[queue_entry(&c->queue, i)->type]++;
	queue_drop(&c->queue, group->count);
	count_sync(&c->counters, place->sync_us);
	c->counters.durable_index = place->first_index + group->count;
	c->oldest_us = mono_us();
}

/* changes what decisions and tickets see; true when they must look again */
static bool set_state(struct committer *c, bool closed)
{
	bool tight = !journal_has_reserve(c->journal);
	bool changed = closed != c->closed || tight != c->tight;

	if (closed && !c->closed) {
		pthread_mutex_lock(&c->lock);
		c->counters.lost += c->queue.decisions;
		pthread_mutex_unlock(&c->lock);
	}
	c->tight = tight;
	c->closed = closed;
	return changed;
}

static void commit(struct committer *c, const struct wal_batch *group)
{
	struct journal_place place;
	struct err e;
	enum err_code rc = c->gone ? err_set(&e, ERR_IO, ERR_NOWHERE, "audit log: its files were taken away")
	                           : journal_append(c->journal, group, &place, &e);
	bool durable = rc == ERR_OK;

	pthread_mutex_lock(&c->lock);
	if (durable)
		note_group(c, group, &place);
	else
		c->error = e;
	pthread_mutex_unlock(&c->lock);
	if (durable)
		atomic_store_explicit(&c->durable_seq, c->durable_seq + group->count, memory_order_release);
	c->owed = durable ? 0 : group->count;
	c->retry_us = mono_us() + SECOND_US;
	set_state(c, !durable);
	wake_all(c);
}

/* ---- the work of each second ---- */

static struct record own_record(const struct committer *c, enum record_type type)
{
	return (struct record){ .type = type, .instance = c->instance, .wall_us = clock_wall_us(c->clock),
	                        .mono_us = clock_mono_us(c->clock), .ref = -1 };
}

static bool submit_own(struct committer *c, const struct record *r)
{
	struct arena a;
	struct slice leaf;
	struct ticket t;

	arena_init(&a, SCRATCH);

	bool taken = record_print(&a, r, &leaf, NULL) == ERR_OK &&
	             committer_submit(c, leaf, (int)r->type, SUBMIT_SYSTEM, &t, NULL) == ERR_OK;

	arena_done(&a);
	return taken;
}

static void record_tally(struct committer *c)
{
	static const size_t bytes = TALLY_ROWS * sizeof(struct tally_row);
	struct tally_row *rows = malloc(bytes);
	size_t len = rows == NULL ? 0 : tally_drain(&c->tally, rows);

	for (size_t i = 0; i < len; i++) {
		struct record r = own_record(c, RECORD_TLS);

		r.reason = slice_cstr(rows[i].reason);
		r.peer = slice_cstr(rows[i].network);
		r.count = rows[i].count;
		r.from = (uint64_t)rows[i].from_us;
		r.to = (uint64_t)rows[i].to_us;
		(void)submit_own(c, &r);     /* a drop is counted, and becomes part of a gap record */
	}
	free(rows);
}

/* what the queue had no room for leaves a trace as soon as it has room again */
static void record_dropped(struct committer *c)
{
	struct record r = own_record(c, RECORD_GAP);

	pthread_mutex_lock(&c->lock);

	struct dropped d = c->dropped;

	c->dropped = (struct dropped){ 0 };
	pthread_mutex_unlock(&c->lock);
	if (d.count == 0)
		return;
	r.reason = SLICE("queue full");
	r.count = d.count;
	r.from = (uint64_t)d.from_us;
	r.to = (uint64_t)d.to_us;
	if (submit_own(c, &r))
		return;
	pthread_mutex_lock(&c->lock);
	c->dropped.count += d.count - 1; /* the failed submit counted itself */
	c->dropped.from_us = d.from_us;
	pthread_mutex_unlock(&c->lock);
}

static void each_second(struct committer *c)
{
	c->second_us = mono_us() + SECOND_US;
	if (!c->gone && !journal_present(c->journal))
		c->gone = true;
	if (set_state(c, c->closed || c->gone))
		wake_all(c);
	if (c->closed)
		return;                      /* the tally goes on counting, the gap grows */
	record_tally(c);
	record_dropped(c);
}

/* commits what is due, or at the end whatever there is; false when nothing is left to be done */
static bool commit_some(struct committer *c, bool stop)
{
	struct wal_batch group = { 0 };

	pthread_mutex_lock(&c->lock);
	if (stop || commit_due(c) <= mono_us())
		queue_group(&c->queue, c->owed > 0 ? c->owed : GROUP_RECORDS_MAX, c->group_bytes, &group);
	pthread_mutex_unlock(&c->lock);
	if (group.count > 0)
		commit(c, &group);
	return group.count > 0 && !c->closed;
}

static void *run(void *arg)
{
	struct committer *c = arg;
	bool stop = false;

	while (!stop) {
		pthread_mutex_lock(&c->lock);
		wait_for_work(c);
		stop = c->stop;
		pthread_mutex_unlock(&c->lock);
		if (stop || mono_us() >= c->second_us)
			each_second(c);
		commit_some(c, false);
	}
	while (commit_some(c, true))
		;
	return NULL;
}

/* ---- any thread ---- */

static enum err_code refuse(struct committer *c, enum submit_class class, struct err *reterr)
{
	if (class != SUBMIT_DECISION) {      /* nobody is told no in place of this record: it must leave a trace */
		c->dropped.to_us = clock_wall_us(c->clock);
		if (c->dropped.count++ == 0)
			c->dropped.from_us = c->dropped.to_us;
		c->counters.lost++;
	}
	return err_set(reterr, ERR_FULL, ERR_NOWHERE, "audit log: the queue is full");
}

enum err_code committer_submit(struct committer *c, struct slice leaf, int type, enum submit_class class,
                               struct ticket *ret, struct err *reterr)
{
	bool decision = class == SUBMIT_DECISION;
	bool urgent = class == SUBMIT_SYSTEM || (decision && !c->batched);
	enum err_code rc = ERR_OK;

	if (leaf.len == 0 || leaf.len > LEAF_MAX || type < 0 || type >= RECORD_TYPES)
		return err_set(reterr, ERR_LIMIT, ERR_NOWHERE, "audit log: a leaf has 1 to %d bytes", LEAF_MAX);
	if (decision && !committer_is_open(c))
		return err_set(reterr, ERR_IO, ERR_NOWHERE, "audit log: closed for decisions, its disk takes no more");
	pthread_mutex_lock(&c->lock);
	if (queue_push(&c->queue, leaf, (uint8_t)type, decision, urgent)) {
		ret->seq = c->next_seq++;
		if (c->queue.len == 1)
			c->oldest_us = mono_us();
		if (c->sleeping && (c->queue.len == 1 || commit_due(c) == 0))
			pthread_cond_signal(&c->work);
	} else {
		rc = refuse(c, class, reterr);
	}
	pthread_mutex_unlock(&c->lock);
	return rc;
}

enum ticket_state committer_state(const struct committer *c, struct ticket t)
{
	if (c->batched || t.seq <= atomic_load_explicit(&c->durable_seq, memory_order_acquire))
		return TICKET_DURABLE;
	return c->closed ? TICKET_LOST : TICKET_PENDING;
}

int64_t committer_index(const struct committer *c, struct ticket t)
{
	pthread_mutex_t *lock = (pthread_mutex_t *)&c->lock;
	int64_t index = -1;

	pthread_mutex_lock(lock);
	if (t.seq >= c->shard_seq && t.seq <= c->durable_seq)
		index = (int64_t)(c->shard_index + (t.seq - c->shard_seq));
	pthread_mutex_unlock(lock);
	return index;
}

bool committer_is_open(const struct committer *c)
{
	return !c->closed && !c->tight;
}

enum err_code committer_subscribe(struct committer *c, void (*wake)(void *ctx), void *ctx)
{
	enum err_code rc = ERR_FULL;

	pthread_mutex_lock(&c->lock);
	if (c->subscribers_len < SUBSCRIBERS_MAX) {
		c->subscribers[c->subscribers_len++] = (struct subscriber){ wake, ctx };
		rc = ERR_OK;
	}
	pthread_mutex_unlock(&c->lock);
	return rc;
}

void committer_counters(const struct committer *c, struct committer_counters *ret)
{
	pthread_mutex_t *lock = (pthread_mutex_t *)&c->lock;

	pthread_mutex_lock(lock);
	*ret = c->counters;
	ret->queue_records = c->queue.len;
	pthread_mutex_unlock(lock);
	ret->closed = !committer_is_open(c);
}

enum err_code committer_error(const struct committer *c, struct err *ret)
{
	pthread_mutex_t *lock = (pthread_mutex_t *)&c->lock;

	pthread_mutex_lock(lock);
	*ret = c->error;
	pthread_mutex_unlock(lock);
	return ret->code;
}

struct slice committer_instance(const struct committer *c)
{
	return c->instance;
}

struct tally *committer_tally(struct committer *c)
{
	return &c->tally;
}

/* ---- life ---- */

static void free_parts(struct committer *c)
{
	journal_free(c->journal);
	tally_done(&c->tally);
	queue_done(&c->queue);
	pthread_cond_destroy(&c->work);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static enum err_code open_parts(struct committer *c, const struct committer_options *o, struct err *reterr)
{
	const struct journal_options journal = {
		.directory = o->directory, .instance = o->instance, .origin_host = o->origin_host, .build = o->build,
		.clock = o->clock, .segment_bytes = o->segment_bytes > 0 ? o->segment_bytes : WAL_SEGMENT_BYTES,
		.accept_damage = o->accept_damage,
	};
	size_t queue_bytes = o->queue_bytes > 0 ? o->queue_bytes : QUEUE_BYTES;

	if (queue_bytes < QUEUE_BYTES_MIN || queue_bytes > UINT32_MAX)
		return err_set(reterr, ERR_INVALID, ERR_NOWHERE, "audit log: a queue has %zu bytes at least", QUEUE_BYTES_MIN);
	if (!queue_init(&c->queue, queue_bytes, QUEUE_RECORDS))
		return err_nomem(reterr);

	enum err_code rc = journal_open(&journal, &c->journal, reterr);

	if (rc != ERR_OK)
		return rc;
	c->instance = journal_instance(c->journal);
	c->group_bytes = journal_group_bytes(c->journal);
	c->shard_index = c->counters.durable_index = journal_next_index(c->journal);
	c->counters.records[RECORD_BOOT]++;
	return ERR_OK;
}

enum err_code committer_open(const struct committer_options *o, struct committer **ret, struct err *reterr)
{
	struct committer *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return err_nomem(reterr);
	*c = (struct committer){ .clock = o->clock, .batched = o->batched, .max_delay_us = o->max_delay_ms * 1000,
	                         .next_seq = 1, .shard_seq = 1, .second_us = mono_us() + SECOND_US };
	pthread_mutex_init(&c->lock, NULL);
	thread_cond_init(&c->work);
	tally_init(&c->tally, o->clock);

	enum err_code rc = open_parts(c, o, reterr);

	if (rc == ERR_OK && !thread_start(&c->thread, "audit-commit", run, c))
		rc = err_nomem(reterr);
	if (rc == ERR_OK)
		*ret = c;
	else
		free_parts(c);
	return rc;
}

struct committer *committer_free(struct committer *c)
{
	if (c == NULL)
		return NULL;
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_signal(&c->work);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	free_parts(c);
	return NULL;
}
