/* strbuf.h - text that grows up to a maximum given at birth.
 *
 * Ownership: the bytes live in the arena passed to strbuf_init; nothing to free.
 * Units:     bytes; no terminating zero is counted or promised.
 * Errors:    an append past the maximum, or without memory, sets `full` and changes nothing;
 *            later appends do nothing. Check once, at the end.
 * Threads:   one owner.
 */
#ifndef WEIR_BASE_STRBUF_H
#define WEIR_BASE_STRBUF_H

#include "base/arena.h"

#include <stdint.h>

struct strbuf {
	struct arena *arena;
	char *ptr;
	size_t len, cap, max;
	bool full;
};

void strbuf_init(struct strbuf *b, struct arena *a, size_t max);
/* makes room for len more bytes at once, so that growing does not copy */
void strbuf_reserve(struct strbuf *b, size_t len);
void strbuf_add(struct strbuf *b, struct slice s);
void strbuf_char(struct strbuf *b, char c);
void strbuf_u64(struct strbuf *b, uint64_t n);
void strbuf_i64(struct strbuf *b, int64_t n);
void strbuf_hex(struct strbuf *b, const void *bytes, size_t len);
void strbuf_fmt(struct strbuf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define strbuf_lit(b, lit) strbuf_add((b), SLICE(lit))

static inline struct slice strbuf_slice(const struct strbuf *b)
{
	return slice_from(b->ptr, b->len);
}

#endif
