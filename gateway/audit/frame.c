/* frame.c - see frame.h. */
#include "audit/frame.h"

#include "audit/crc32c.h"

#define SEGMENT_MAGIC "WEIRWAL1"
#define GROUP_MAGIC "WEIRGRP1"
#define SEGMENT_CRC_AT 40
#define GROUP_CRC_AT 32

static void put_uint(uint8_t *to, uint64_t n, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		to[i] = (uint8_t)(n >> (8 * (bytes - 1 - i)));
}

static uint64_t get_uint(const uint8_t *from, unsigned bytes)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < bytes; i++)
		n = n << 8 | from[i];
	return n;
}

static struct slice bytes_slice(const uint8_t *p, size_t len)
{
	return slice_from((const char *)p, len);
}

void segment_head_print(const struct segment_head *h, uint8_t ret[FRAME_BLOCK])
{
	memset(ret, 0, FRAME_BLOCK);
	memcpy(ret, SEGMENT_MAGIC, 8);
	put_uint(ret + 8, h->number, 8);
	memcpy(ret + 16, h->id, FRAME_ID);
	put_uint(ret + 32, h->first_index, 8);
	put_uint(ret + SEGMENT_CRC_AT, crc32c(0, bytes_slice(ret, SEGMENT_CRC_AT)), 4);
}

bool segment_head_parse(const uint8_t block[FRAME_BLOCK], struct segment_head *ret)
{
	if (memcmp(block, SEGMENT_MAGIC, 8) != 0 ||
	    get_uint(block + SEGMENT_CRC_AT, 4) != crc32c(0, bytes_slice(block, SEGMENT_CRC_AT)))
		return false;
	ret->number = get_uint(block + 8, 8);
	memcpy(ret->id, block + 16, FRAME_ID);
	ret->first_index = get_uint(block + 32, 8);
	return true;
}

void group_head_print(const struct group_head *h, const uint8_t id[FRAME_ID], const struct slice payload[2],
                      uint8_t ret[FRAME_GROUP_HEAD])
{
	uint32_t crc;

	memcpy(ret, GROUP_MAGIC, 8);
	put_uint(ret + 8, h->number, 8);
	put_uint(ret + 16, h->first_index, 8);
	put_uint(ret + 24, h->count, 4);
	put_uint(ret + 28, h->bytes, 4);
	crc = crc32c(0, bytes_slice(id, FRAME_ID));
	crc = crc32c(crc, bytes_slice(ret, GROUP_CRC_AT));
	crc = crc32c(crc, payload[0]);
	crc = crc32c(crc, payload[1]);
	put_uint(ret + GROUP_CRC_AT, crc, 4);
}

bool group_head_parse(struct slice in, struct group_head *ret)
{
	const uint8_t *p = (const uint8_t *)in.ptr;

	if (in.len < FRAME_GROUP_HEAD || memcmp(p, GROUP_MAGIC, 8) != 0)
		return false;
	ret->number = get_uint(p + 8, 8);
	ret->first_index = get_uint(p + 16, 8);
	ret->count = (uint32_t)get_uint(p + 24, 4);
	ret->bytes = (uint32_t)get_uint(p + 28, 4);
	return ret->number > 0 && ret->count > 0 && ret->count <= GROUP_RECORDS_MAX && ret->bytes <= GROUP_BYTES_MAX;
}

bool group_valid(struct slice in, const struct group_head *h, const uint8_t id[FRAME_ID])
{
	const uint8_t *p = (const uint8_t *)in.ptr;
	struct slice payload = slice_skip(in, FRAME_GROUP_HEAD), leaf;
	uint32_t crc = crc32c(0, bytes_slice(id, FRAME_ID)), count = 0;

	crc = crc32c(crc, bytes_slice(p, GROUP_CRC_AT));
	if (crc32c(crc, payload) != get_uint(p + GROUP_CRC_AT, 4))
		return false;
	while (payload_next(&payload, &leaf))
		count++;
	return payload.len == 0 && count == h->count;
}

uint64_t group_extent(uint32_t payload_bytes)
{
	return ((uint64_t)FRAME_GROUP_HEAD + payload_bytes + FRAME_BLOCK - 1) / FRAME_BLOCK * FRAME_BLOCK;
}

bool payload_next(struct slice *payload, struct slice *leaf)
{
	if (payload->len < FRAME_LEAF_HEAD)
		return false;

	size_t len = get_uint((const uint8_t *)payload->ptr, 2);

	if (len == 0 || len > payload->len - FRAME_LEAF_HEAD)
		return false;
	*leaf = slice_from(payload->ptr + FRAME_LEAF_HEAD, len);
	*payload = slice_skip(*payload, FRAME_LEAF_HEAD + len);
	return true;
}
