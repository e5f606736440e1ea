/* queue.h - records on their way to the log, first in, first out, in bundle encoding already.
 *
 * A ring of bytes, so that a group is written from where its records lie; a record never wraps, so each is in one piece.
 * The last quarter is kept for what is not a decision: outcomes are not dropped because decisions crowd them out.
 * Threads: none of its own; the committer's lock is around all calls, but queue_group's bytes may be read without it
 *          until they are dropped.
 */
#ifndef WEIR_AUDIT_QUEUE_H
#define WEIR_AUDIT_QUEUE_H

#include "audit/wal.h"

struct queue_entry {
	uint32_t at, len;                /* in the ring, the length before the leaf included */
	uint8_t type;                    /* enum record_type */
	bool decision;
	bool urgent;                     /* a record somebody waits for */
};

struct queue {
	char *ring;
	struct queue_entry *entries;     /* a ring too */
	size_t ring_size, entries_size;
	size_t head, len;                /* in entries */
	size_t at;                       /* where the next record goes in ring */
	size_t used;                     /* bytes of ring that are taken, gaps at the wrap included */
	size_t bytes;                    /* of the records alone */
	size_t decisions, urgent;        /* how many of the entries are */
};

/* false without memory; queue_done is fine then */
MUST_USE bool queue_init(struct queue *q, size_t ring_size, size_t entries_size);
void queue_done(struct queue *q);

/* false when it is full */
MUST_USE bool queue_push(struct queue *q, struct slice leaf, uint8_t type, bool decision, bool urgent);
/* the first records, as many as fit in max_records and max_bytes */
void queue_group(const struct queue *q, size_t max_records, size_t max_bytes, struct wal_batch *ret);
/* the i-th from the front */
const struct queue_entry *queue_entry(const struct queue *q, size_t i);
void queue_drop(struct queue *q, size_t n);

#endif
