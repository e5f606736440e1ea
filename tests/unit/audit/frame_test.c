/* frame_test.c - the bytes of segments and groups: what is written reads back, and one flipped bit anywhere is seen. */
#include "audit/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const uint8_t id[FRAME_ID] = "sixteen bytes id";

static void test_segment_head(void **state)
{
	const struct segment_head h = { .number = 258, .id = "sixteen bytes id", .first_index = 70000 };
	uint8_t block[FRAME_BLOCK];
	struct segment_head again;

	(void)state;
	segment_head_print(&h, block);
	assert_memory_equal(block, "WEIRWAL1\0\0\0\0\0\0\1\2sixteen bytes id\0\0\0\0\0\1\x11\x70", 40);
	assert_true(segment_head_parse(block, &again));
	assert_int_equal(again.number, h.number);
	assert_int_equal(again.first_index, h.first_index);
	assert_memory_equal(again.id, h.id, FRAME_ID);
	for (size_t bit = 0; bit < 44 * 8; bit++) {
		block[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (segment_head_parse(block, &again))
			fail_msg("bit %zu", bit);
		block[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

/* a group of two leaves, "ab" and "c", as one run of bytes */
static size_t print_group(char bytes[64], struct group_head *h)
{
	const struct slice payload[2] = { SLICE("\0\2ab"), SLICE("\0\1c") };

	*h = (struct group_head){ .number = 3, .first_index = 258, .count = 2, .bytes = 7 };
	group_head_print(h, id, payload, (uint8_t *)bytes);
	memcpy(bytes + FRAME_GROUP_HEAD, "\0\2ab\0\1c", 7);
	return FRAME_GROUP_HEAD + 7;
}

static bool group_reads(const char *bytes, size_t len, const uint8_t with_id[FRAME_ID])
{
	struct group_head h;

	return group_head_parse(slice_from(bytes, len), &h) && FRAME_GROUP_HEAD + h.bytes <= len &&
	       group_valid(slice_from(bytes, FRAME_GROUP_HEAD + h.bytes), &h, with_id);
}

static void test_group(void **state)
{
	char bytes[64];
	struct group_head h;
	size_t len = print_group(bytes, &h);

	(void)state;
	assert_memory_equal(bytes, "WEIRGRP1\0\0\0\0\0\0\0\3\0\0\0\0\0\0\1\2\0\0\0\2\0\0\0\7", 32);
	assert_true(group_reads(bytes, len, id));
	assert_false(group_reads(bytes, len, (const uint8_t *)"another segments"));
	for (size_t bit = 0; bit < len * 8; bit++) {
		bytes[bit / 8] ^= (char)(1 << bit % 8);
		if (group_reads(bytes, len, id))
			fail_msg("bit %zu", bit);
		bytes[bit / 8] ^= (char)(1 << bit % 8);
	}
	for (size_t n = 0; n < len; n++)
		assert_false(group_reads(bytes, n, id));
}

/* a right CRC over a payload that does not hold what the head says */
static void test_group_of_another_count(void **state)
{
	static const struct {
		const char *name;
		uint32_t count;
		struct slice payload;
	} rows[] = {
		{ "fewer leaves", 2, SLICE_INIT("\0\1c") },
		{ "more leaves", 1, SLICE_INIT("\0\1c\0\1d") },
		{ "an empty leaf", 1, SLICE_INIT("\0\0") },
		{ "half a length", 1, SLICE_INIT("\0\1c\0") },
		{ "a leaf cut off", 1, SLICE_INIT("\0\5c") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct group_head h = { .number = 1, .count = rows[i].count, .bytes = (uint32_t)rows[i].payload.len };
		char bytes[64];

		group_head_print(&h, id, (struct slice[]){ rows[i].payload, SLICE("") }, (uint8_t *)bytes);
		memcpy(bytes + FRAME_GROUP_HEAD, rows[i].payload.ptr, rows[i].payload.len);
		if (group_reads(bytes, FRAME_GROUP_HEAD + rows[i].payload.len, id))
			fail_msg("%s", rows[i].name);
	}
}

static void test_head_bounds(void **state)
{
	static const struct {
		const char *name;
		struct group_head head;
		bool want;
	} rows[] = {
		{ "largest", { .number = 1, .count = GROUP_RECORDS_MAX, .bytes = GROUP_BYTES_MAX }, true },
		{ "group 0", { .number = 0, .count = 1, .bytes = 3 }, false },
		{ "no records", { .number = 1, .count = 0, .bytes = 3 }, false },
		{ "too many records", { .number = 1, .count = GROUP_RECORDS_MAX + 1, .bytes = 3 }, false },
		{ "too many bytes", { .number = 1, .count = 1, .bytes = GROUP_BYTES_MAX + 1 }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t bytes[FRAME_GROUP_HEAD];
		struct group_head h;

		group_head_print(&rows[i].head, id, (struct slice[]){ SLICE(""), SLICE("") }, bytes);
		if (group_head_parse(slice_from((char *)bytes, sizeof(bytes)), &h) != rows[i].want)
			fail_msg("%s", rows[i].name);
	}
}

static void test_extent(void **state)
{
	(void)state;
	assert_int_equal(group_extent(1), 4096);
	assert_int_equal(group_extent(4096 - 36), 4096);
	assert_int_equal(group_extent(4096 - 35), 8192);
	assert_int_equal(group_extent(GROUP_BYTES_MAX), GROUP_BYTES_MAX + 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_segment_head), cmocka_unit_test(test_group),
		cmocka_unit_test(test_group_of_another_count), cmocka_unit_test(test_head_bounds),
		cmocka_unit_test(test_extent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
