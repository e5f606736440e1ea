/* recover.h - reads a shard's log from its beginning: what is in it, what is missing, where writing goes on.
 *
 * Damage is refused, unless it was accepted before: then a `gap` record with the reason "damage" covers it. A record that
 * is missing counts as an empty leaf in the tree, so that the indexes behind it stay.
 * Ownership: recovery_done gives back what recover took; fine on a zeroed struct.
 * Errors:    ERR_INVALID for damage; ERR_IO; ERR_NOMEM.
 */
#ifndef WEIR_AUDIT_RECOVER_H
#define WEIR_AUDIT_RECOVER_H

#include "audit/merkle.h"
#include "audit/scan.h"

#define HOLES_MAX 64
#define UNUSED_SEGMENTS_MAX 16
#define GAP_DAMAGE SLICE("damage")

/* indexes [from, to) of records that are missing */
struct hole {
	uint64_t from, to;
};

struct recovery {
	struct scan_end end;
	struct merkle merkle;            /* over all indexes below end.next_index */
	uint64_t records;                /* that are there */
	struct hole holes[HOLES_MAX];    /* not covered by a gap record; with accept_damage only */
	size_t holes_len;
	uint64_t unused[UNUSED_SEGMENTS_MAX];   /* segments prepared and never written */
	size_t unused_len;
};

MUST_USE enum err_code recover(int state_fd, bool accept_damage, struct recovery *ret, struct err *reterr);
void recovery_done(struct recovery *r);

#endif
