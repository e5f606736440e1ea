/* unicode_letters.c - see unicode_letters.h. */
#include "policy/lang/unicode_letters.h"

#include "base/json.h"

static const struct {
	uint32_t first, last;
} ranges[] = {
#define LETTERS(first, last) { first, last },
#include "policy/lang/unicode_letters.def"
#undef LETTERS
};

/* the code point of a valid sequence of two to four bytes */
static uint32_t decode(const char *p, size_t n)
{
	uint32_t c = (unsigned char)p[0] & (0xffu >> (n + 1));

	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)p[i] & 0x3f);
	return c;
}

size_t unicode_letter(const char *p)
{
	size_t n = utf8_sequence(slice_from(p, strnlen(p, 4)));
	size_t low = 0, high = sizeof(ranges) / sizeof(ranges[0]);

	if (n < 2)
		return 0;

	uint32_t c = decode(p, n);

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (c > ranges[mid].last)
			low = mid + 1;
		else
			high = mid;
	}
	return low < sizeof(ranges) / sizeof(ranges[0]) && c >= ranges[low].first ? n : 0;
}
