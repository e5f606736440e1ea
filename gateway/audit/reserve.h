/* reserve.h - two segments that are ready to be written, kept by a thread of its own.
 *
 * A segment is allocated and written with zeros before it gets its name, so that later writes need no space and no
 * metadata: they are the reserve for the day when the disk is full, and they make a commit cheap.
 * Errors:  reserve_take returns false while no segment can be made; the thread tries again each second by itself.
 * Threads: all calls from the log's writer, reserve_errno from any.
 */
#ifndef WEIR_AUDIT_RESERVE_H
#define WEIR_AUDIT_RESERVE_H

#include "base/slice.h"

#include <stdint.h>

#define RESERVE_SEGMENTS 2

struct reserve;

/* state_fd is borrowed. ready: numbers of segments that were prepared before, of segment_bytes each, ascending; further
 * ones get next_number and up. NULL without memory or thread. */
struct reserve *reserve_new(int state_fd, uint64_t segment_bytes, const uint64_t *ready, size_t ready_len,
                            uint64_t next_number);
/* Stops the thread; what is ready stays on the disk, unless discard. Takes NULL. */
struct reserve *reserve_free(struct reserve *r, bool discard);

/* Hands out the oldest ready segment, open for writing; waits while the first one is being made. */
MUST_USE bool reserve_take(struct reserve *r, int *fd, uint64_t *number);
/* 0 while the reserve is whole or being filled; else why it cannot be */
int reserve_errno(const struct reserve *r);

#endif
