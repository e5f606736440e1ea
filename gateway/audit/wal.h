/* wal.h - one shard's write-ahead log, open for writing: groups go in, each durable before the next.
 *
 * After a crash it holds every group whose wal_append returned ERR_OK, on storage that honours flush, and nothing half.
 * A file whose write or sync failed is never written again: the group goes to the next ready segment. A group that no
 * segment takes was not written; the caller keeps it and appends the very same again later.
 * Ownership: wal_open takes the shard's lock and starts the thread of the reserve; wal_free ends both.
 * Errors:    ERR_INVALID for a damaged log, ERR_EXISTS when another process writes it, ERR_IO, ERR_NOMEM.
 * Threads:   one writer; wal_has_reserve from any thread.
 */
#ifndef WEIR_AUDIT_WAL_H
#define WEIR_AUDIT_WAL_H

#include "audit/recover.h"

#define WAL_SEGMENT_BYTES ((uint64_t)64 << 20)
/* a segment holds at least one group of the largest leaf */
#define WAL_SEGMENT_BYTES_MIN ((uint64_t)128 << 10)

struct wal;

struct wal_options {
	struct slice directory, instance;
	unsigned year;
	uint64_t segment_bytes;
	bool accept_damage;
};

/* records in bundle encoding, in one piece or two; both hold whole records */
struct wal_batch {
	uint32_t count;
	struct slice pieces[2];
};

MUST_USE enum err_code wal_open(const struct wal_options *o, struct wal **ret, struct err *reterr);
/* Takes NULL. retire: nothing more will ever be written here, so segments that were only prepared are removed. */
struct wal *wal_free(struct wal *w, bool retire);

/* ERR_OK: durable. sync_us: how long the sync took. */
MUST_USE enum err_code wal_append(struct wal *w, const struct wal_batch *b, uint64_t *sync_us, struct err *reterr);
/* payload bytes that fit in one group of these segments */
size_t wal_group_bytes(const struct wal *w);

/* false: the disk has no room for another segment, and what is left is for outcomes and records of the system */
bool wal_has_reserve(const struct wal *w);
/* false: the lock was taken away, or the file that is being written is no longer where it was, so that what was written
 * is lost for all who look there */
bool wal_present(const struct wal *w);

uint64_t wal_next_index(const struct wal *w);
/* over all that is durable */
struct merkle *wal_merkle(struct wal *w);
/* what was found at wal_open */
const struct recovery *wal_recovery(const struct wal *w);

#endif
