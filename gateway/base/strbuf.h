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
bool strbuf_reserve(struct strbuf *b, size_t len);
void strbuf_u64(struct strbuf *b, uint64_t n);
void strbuf_i64(struct strbuf *b, int64_t n);
void strbuf_hex(struct strbuf *b, const void *bytes, size_t len);
void strbuf_fmt(struct strbuf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

static inline void strbuf_add(struct strbuf *b, struct slice s)
{
	if (s.len == 0 || ((b->full || s.len > b->cap - b->len) && !strbuf_reserve(b, s.len)))
		return;
	memcpy(b->ptr + b->len, s.ptr, s.len);
	b->len += s.len;
}

static inline void strbuf_char(struct strbuf *b, char c)
{
	if ((b->full || b->len == b->cap) && !strbuf_reserve(b, 1))
		return;
	b->ptr[b->len++] = c;
}

#define STRBUF_PAD 32

/* strbuf_add of bytes behind which others can be read: STRBUF_PAD of them from s.ptr on. Short texts are copied whole, by
 * a few instructions that do not depend on their length. */
static inline void strbuf_add_padded(struct strbuf *b, struct slice s)
{
	if (s.len > STRBUF_PAD || b->full || b->cap - b->len < STRBUF_PAD) {
		strbuf_add(b, s);
		return;
	}
	memcpy(b->ptr + b->len, s.ptr, STRBUF_PAD);
	b->len += s.len;
}

#define strbuf_lit(b, lit) strbuf_add((b), SLICE(lit))

static inline struct slice strbuf_slice(const struct strbuf *b)
{
	return slice_from(b->ptr, b->len);
}

#endif
