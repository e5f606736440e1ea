/* crc32c.c - see crc32c.h. */
#include "audit/crc32c.h"

/* the CRC of each value of four bits, for the reflected polynomial 0x82f63b78 */
static const uint32_t nibble_crc[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
	0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t crc32c_portable(uint32_t crc, struct slice in)
{
	crc = ~crc;
	for (size_t i = 0; i < in.len; i++) {
		crc ^= (uint8_t)in.ptr[i];
		crc = crc >> 4 ^ nibble_crc[crc & 15];
		crc = crc >> 4 ^ nibble_crc[crc & 15];
	}
	return ~crc;
}

#if defined(__x86_64__)

#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, struct slice in)
{
	uint64_t c = ~crc;

	for (; in.len >= 8; in = slice_skip(in, 8)) {
		uint64_t eight;

		memcpy(&eight, in.ptr, 8);
		c = _mm_crc32_u64(c, eight);
	}
	for (; in.len > 0; in = slice_skip(in, 1))
		c = _mm_crc32_u8((uint32_t)c, (uint8_t)in.ptr[0]);
	return ~(uint32_t)c;
}

uint32_t crc32c(uint32_t crc, struct slice in)
{
	return __builtin_cpu_supports("sse4.2") ? crc32c_sse42(crc, in) : crc32c_portable(crc, in);
}

#else

uint32_t crc32c(uint32_t crc, struct slice in)
{
	return crc32c_portable(crc, in);
}

#endif
