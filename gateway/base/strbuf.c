/* strbuf.c - see strbuf.h. */
#include "base/strbuf.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void strbuf_init(struct strbuf *b, struct arena *a, size_t max)
{
	*b = (struct strbuf){ .arena = a, .max = max };
}

bool strbuf_reserve(struct strbuf *b, size_t n)
{
	if (b->full || n > b->max - b->len) {
		b->full = true;
		return false;
	}
	if (b->len + n <= b->cap)
		return true;

	size_t cap = b->cap < 64 ? 64 : b->cap * 2;

	while (cap < b->len + n)
		cap *= 2;
	if (cap > b->max)                /* strbuf_add looks at cap alone */
		cap = b->max;

	char *p = arena_alloc(b->arena, cap);

	if (p == NULL) {
		b->full = true;
		return false;
	}
	if (b->len > 0)
		memcpy(p, b->ptr, b->len);
	b->ptr = p;
	b->cap = cap;
	return true;
}

void strbuf_u64(struct strbuf *b, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	strbuf_add(b, slice_from(digits + at, sizeof(digits) - at));
}

void strbuf_i64(struct strbuf *b, int64_t n)
{
	if (n < 0) {
		strbuf_char(b, '-');
		strbuf_u64(b, (uint64_t)0 - (uint64_t)n);
	} else {
		strbuf_u64(b, (uint64_t)n);
	}
}

void strbuf_hex(struct strbuf *b, const void *bytes, size_t len)
{
	static const char digit[] = "0123456789abcdef";
	const unsigned char *p = bytes;

	for (size_t i = 0; i < len; i++) {
		char two[2] = { digit[p[i] >> 4], digit[p[i] & 15] };

		strbuf_add(b, slice_from(two, 2));
	}
}

void strbuf_fmt(struct strbuf *b, const char *fmt, ...)
{
	char small[256];
	va_list ap, again;

	va_start(ap, fmt);
	va_copy(again, ap);

	int n = vsnprintf(small, sizeof(small), fmt, ap);

	if (n < 0) {
		b->full = true;
	} else if ((size_t)n < sizeof(small)) {
		strbuf_add(b, slice_from(small, (size_t)n));
	} else if (strbuf_reserve(b, (size_t)n + 1)) {      /* vsnprintf writes a zero behind the text */
		vsnprintf(b->ptr + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
	va_end(ap);
}
