/* frame.h - segments and groups of the write-ahead log as bytes. No I/O.
 *
 * Segment: one head block of 4 KiB, then groups, each beginning on a 4 KiB border, then zeros.
 *   head   "WEIRWAL1" number u64 id[16] first-index u64 CRC-32C u32, over what stands before it
 *   group  "WEIRGRP1" number u64 first-index u64 count u32 bytes u32 CRC-32C u32, over the segment's id, the head up to
 *          here and the payload; then the payload: count times length u16, leaf
 * Integers are big-endian. The id is random and new with each use of a file, so a group of an earlier use is no group.
 * Source: the design note on the audit log, section 5.
 */
#ifndef WEIR_AUDIT_FRAME_H
#define WEIR_AUDIT_FRAME_H

#include "base/slice.h"

#include <stdint.h>

#define FRAME_BLOCK 4096
#define FRAME_ID 16
#define FRAME_GROUP_HEAD 36
#define FRAME_LEAF_HEAD 2
#define GROUP_RECORDS_MAX 1024
#define GROUP_BYTES_MAX ((size_t)1 << 20)

struct segment_head {
	uint64_t number;
	uint8_t id[FRAME_ID];
	uint64_t first_index;
};

struct group_head {
	uint64_t number;                 /* from 1, without holes through all segments */
	uint64_t first_index;
	uint32_t count, bytes;           /* records; bytes of the payload */
};

void segment_head_print(const struct segment_head *h, uint8_t ret[FRAME_BLOCK]);
/* false: no head, or a damaged one */
MUST_USE bool segment_head_parse(const uint8_t block[FRAME_BLOCK], struct segment_head *ret);

/* the payload may lie in two pieces */
void group_head_print(const struct group_head *h, const uint8_t id[FRAME_ID], const struct slice payload[2],
                      uint8_t ret[FRAME_GROUP_HEAD]);
/* looks at the head alone: false when no group can begin so */
MUST_USE bool group_head_parse(struct slice in, struct group_head *ret);
/* in: head and payload. True when the CRC is right and the payload holds count leaves. */
MUST_USE bool group_valid(struct slice in, const struct group_head *h, const uint8_t id[FRAME_ID]);
/* bytes of a group on disk, up to the next border */
uint64_t group_extent(uint32_t payload_bytes);

/* takes one leaf off the front of a payload; false at its end, or when it is malformed */
bool payload_next(struct slice *payload, struct slice *leaf);

#endif
