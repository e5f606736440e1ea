/* journal.h - one instance's log over the years: opens this year's shard, writes `boot` first, moves on at new year.
 *
 * Errors:  as wal.h; ERR_INVALID too for a bad instance name or host.
 * Threads: one writer; journal_has_reserve from any.
 */
#ifndef WEIR_AUDIT_JOURNAL_H
#define WEIR_AUDIT_JOURNAL_H

#include "audit/wal.h"
#include "base/clock.h"

struct journal;

struct journal_options {
	struct slice directory, instance, origin_host, build;
	const struct clock *clock;
	uint64_t segment_bytes;
	bool accept_damage;
};

/* where a group went */
struct journal_place {
	uint64_t first_index;
	bool new_shard;                  /* the first group of a new shard, whose indexes begin anew */
	uint64_t sync_us;
};

/* Returns once the boot record is durable, and a gap record for each damaged place when damage is accepted. */
MUST_USE enum err_code journal_open(const struct journal_options *o, struct journal **ret, struct err *reterr);
/* takes NULL */
struct journal *journal_free(struct journal *j);

/* ERR_OK: durable. After a failure the very same group must come again, before any other. */
MUST_USE enum err_code journal_append(struct journal *j, const struct wal_batch *b, struct journal_place *ret,
                                      struct err *reterr);
size_t journal_group_bytes(const struct journal *j);
bool journal_has_reserve(const struct journal *j);
bool journal_present(const struct journal *j);
uint64_t journal_next_index(const struct journal *j);
struct slice journal_instance(const struct journal *j);

#endif
