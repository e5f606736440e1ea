/* committer.h - one thread between the workers and the WAL: bounded queue, group commit, durable number.
 *
 * A record that was taken is not dropped while the process lives: as long as the log is closed it waits in the queue, and
 * is written when the log opens again. The log closes when no segment takes a group; it tries again each second, and opens
 * by itself. When the disk has no room for another segment, decisions are refused, but outcomes and records of the system
 * are still written.
 * Source:    the design note on the audit log, sections 5 to 7.
 * Ownership: leaf bytes are copied by committer_submit.
 * Errors:    ERR_IO when the log takes no decisions (disk full, device lost), ERR_FULL when the queue is full.
 * Threads:   submit, state and counters from any thread; open and close from main.
 */
#ifndef WEIR_AUDIT_COMMITTER_H
#define WEIR_AUDIT_COMMITTER_H

#include "base/clock.h"
#include "base/err.h"

struct committer;
struct tally;

struct committer_options {
	struct slice directory;        /* audit/; created 0700 when it is missing */
	struct slice instance;         /* names the shard folder <instance>-<yyyy> */
	struct slice origin_host;      /* origin is <host>/audit/<instance>/<yyyy> */
	struct slice build;            /* version text for the boot record */
	bool batched;                  /* false = strict: a ticket counts once durable */
	int64_t max_delay_ms;          /* batched: commit at least this often */
	bool accept_damage;            /* go on behind records that are missing; a gap record says which */
	const struct clock *clock;
	uint64_t segment_bytes;        /* 0 = 64 MiB */
	size_t queue_bytes;            /* 0 = 16 MiB; three quarters at most for decisions */
};

enum submit_class { SUBMIT_DECISION, SUBMIT_OUTCOME, SUBMIT_SYSTEM };
enum ticket_state { TICKET_PENDING, TICKET_DURABLE, TICKET_LOST };

/* a promise of durability; seq is given in order of submission, from 1 */
struct ticket {
	uint64_t seq;
};

struct committer_counters {
	uint64_t records[8];           /* durable, by enum record_type */
	uint64_t groups, sync_us_total, queue_records;
	uint64_t durable_index;        /* number of durable records of this shard */
	uint64_t lost;                 /* tickets that were pending when the log closed, and outcomes the queue had no room for */
	uint64_t sync_buckets[16];     /* of committer_bucket_us, not cumulative; the last one takes all above it too */
	bool closed;                   /* decisions are refused */
};
extern const uint64_t committer_bucket_us[16];

/* Locks the directory, recovers the WAL (torn tail cut, damage refused with ERR_INVALID unless accept_damage), makes the
 * boot record durable and starts the thread. */
MUST_USE enum err_code committer_open(const struct committer_options *o, struct committer **ret, struct err *reterr);
/* commits what is queued, stops the thread; takes NULL */
struct committer *committer_free(struct committer *c);

/* type: enum record_type, for the counters. An outcome never waits and never delays a decision. */
MUST_USE enum err_code committer_submit(struct committer *c, struct slice leaf, int type, enum submit_class class,
                                        struct ticket *ret, struct err *reterr);
/* batched: DURABLE as soon as it is queued. LOST: the log closed before the record was durable. It is written all the same
 * when the log opens again; the ticket is then PENDING, and later DURABLE, for whoever still asks. */
enum ticket_state committer_state(const struct committer *c, struct ticket t);
/* index in the log of a record that is durable, else -1; -1 too when a new year's shard has begun since */
int64_t committer_index(const struct committer *c, struct ticket t);
/* false while decisions would be refused */
bool committer_is_open(const struct committer *c);
/* wake(ctx) runs on the committer's thread after each group and when the log closes or opens; at most 64 of them,
 * registered before the first submit by that worker */
MUST_USE enum err_code committer_subscribe(struct committer *c, void (*wake)(void *ctx), void *ctx);
/* why the log closed last, or ERR_OK when it never did; for the operator's log */
enum err_code committer_error(const struct committer *c, struct err *ret);
void committer_counters(const struct committer *c, struct committer_counters *ret);
struct slice committer_instance(const struct committer *c);
/* what is counted here becomes `tls` records, each second; owned by c */
struct tally *committer_tally(struct committer *c);

#endif
