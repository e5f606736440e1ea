/* slice.h - text as pointer and length, passed by value.
 *
 * Ownership: a slice borrows; whoever made the bytes says how long they live.
 * Units:     bytes; zero bytes inside are normal, no terminating zero is promised.
 */
#ifndef WEIR_BASE_SLICE_H
#define WEIR_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

struct slice {
	const char *ptr;
	size_t len;
};

/* a slice over a string literal; usable in static initialisers */
#define SLICE_INIT(lit) { (lit), sizeof(lit) - 1 }
#define SLICE(lit) ((struct slice)SLICE_INIT(lit))
/* for printf: "%.*s", SLICE_ARG(s) */
#define SLICE_ARG(s) ((int)(s).len), ((s).ptr == NULL ? "" : (s).ptr)

static inline struct slice slice_from(const char *ptr, size_t len)
{
	return (struct slice){ ptr, len };
}

static inline struct slice slice_cstr(const char *s)
{
	return (struct slice){ s, s == NULL ? 0 : strlen(s) };
}

static inline bool slice_eq(struct slice a, struct slice b)
{
	/* the first byte tells most texts of one length apart, without a call */
	return a.len == b.len && (a.len == 0 || (a.ptr[0] == b.ptr[0] && memcmp(a.ptr, b.ptr, a.len) == 0));
}

/* byte order, a prefix before the longer text */
static inline int slice_cmp(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n == 0 ? 0 : memcmp(a.ptr, b.ptr, n);

	return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

static inline char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* equal but for the case of ASCII letters */
static inline bool slice_ieq(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i]))
			return false;
	return true;
}

static inline bool slice_starts(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

/* what is left behind the first n bytes; empty when there are fewer */
static inline struct slice slice_skip(struct slice s, size_t n)
{
	return n >= s.len ? (struct slice){ s.ptr == NULL ? NULL : s.ptr + s.len, 0 }
	                  : (struct slice){ s.ptr + n, s.len - n };
}

/* offset of the first c, or s.len */
static inline size_t slice_find(struct slice s, char c)
{
	const char *p = s.len == 0 ? NULL : memchr(s.ptr, c, s.len);

	return p == NULL ? s.len : (size_t)(p - s.ptr);
}

#endif
