/* reader.h - the records of a log in order of their indexes, shard after shard; also of a log that is being written.
 *
 * Takes no lock and writes nothing, so it also runs on a copy. Shows what the files hold: the last records of a writer at
 * work may not be durable yet.
 * Ownership: a record returned is valid until the next call.
 * Errors:    ERR_NOT_FOUND at the end; ERR_NOT_FOUND from reader_open too when there is no such shard; ERR_INVALID when
 *            a group contradicts the log; ERR_IO; ERR_NOMEM.
 * Threads:   one owner.
 */
#ifndef WEIR_AUDIT_READER_H
#define WEIR_AUDIT_READER_H

#include "base/arena.h"
#include "base/err.h"

struct reader;

struct reader_options {
	struct slice directory;
	struct slice shard;              /* "" = all shards, or the newest one when records are chosen by index */
	bool ranged;                     /* from and to hold */
	uint64_t from, to;               /* indexes, both included */
	bool follow;                     /* reader_next may be called again after the end, and goes on into a new year */
};

struct reader_record {
	struct slice shard;
	uint64_t index;
	struct slice leaf;
	uint64_t lost;                   /* records missing right before this one */
};

MUST_USE enum err_code reader_open(const struct reader_options *o, struct reader **ret, struct err *reterr);
/* takes NULL */
struct reader *reader_free(struct reader *r);
MUST_USE enum err_code reader_next(struct reader *r, struct reader_record *ret, struct err *reterr);

/* records found missing so far: damage */
uint64_t reader_lost(const struct reader *r);

/* Follow: waits until something was written, at most timeout_ms, or until wake_fd can be read; true for the latter. */
bool reader_wait(struct reader *r, int wake_fd, int timeout_ms);

#endif
