/* scan.h - walks the groups of one shard's write-ahead log in order, and tells a torn end from damage in the middle.
 *
 * A group is written only after the one before it is durable. So a bad group is the torn end of the log exactly when no
 * valid group with a higher number follows in any segment; else it is damage, and scan_next says what is missing. A group
 * that was written twice, because its first sync failed, is good when one copy is.
 * Ownership: what scan_next returns is valid until the next call.
 * Errors:    ERR_NOT_FOUND at the end; ERR_IO; ERR_NOMEM.
 * Threads:   one owner. No lock is needed: a live writer's unfinished group is no group yet.
 */
#ifndef WEIR_AUDIT_SCAN_H
#define WEIR_AUDIT_SCAN_H

#include "audit/frame.h"
#include "base/err.h"

enum scan_use {
	SCAN_READ,        /* what is there now; a writer may be at work */
	SCAN_FOLLOW,      /* the same, and scan_next may be called again after the end */
	SCAN_RECOVER,     /* under the lock: what the disk holds, not what the page cache does; finds damage at the end too */
};

struct scan;

struct scan_group {
	struct group_head head;
	struct slice payload;            /* for payload_next */
	uint64_t lost;                   /* so many records before this group are missing; their indexes end at first_index */
};

/* where the log ends, once scan_next has said so */
struct scan_end {
	uint64_t next_group, next_index;
	uint64_t lost;                   /* records known to be missing at the very end, already counted in next_index */
	uint64_t cut;                    /* bytes of a torn group behind the last good one */
	bool has_tail;                   /* the last segment with a head, where writing may go on: */
	struct segment_head tail;
	uint64_t tail_offset, tail_size;
	uint64_t last_number;            /* the highest segment number seen; 0 = none */
};

/* state_fd: the shard's `.state/`, borrowed. from_index: groups before it need not be returned. */
MUST_USE enum err_code scan_open(int state_fd, enum scan_use use, uint64_t from_index, struct scan **ret,
                                 struct err *reterr);
/* takes NULL */
struct scan *scan_free(struct scan *s);
MUST_USE enum err_code scan_next(struct scan *s, struct scan_group *ret, struct err *reterr);
const struct scan_end *scan_end(const struct scan *s);

/* numbers of segments that hold nothing: prepared and never used. Ascending; up to max of them. */
size_t scan_unused(const struct scan *s, uint64_t *numbers, size_t max);

/* file name of a segment */
#define SEGMENT_NAME_MAX 32
void segment_name(uint64_t number, char ret[SEGMENT_NAME_MAX]);

#endif
