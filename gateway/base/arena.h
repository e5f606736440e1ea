/* arena.h - memory that dies together, with a hard cap.
 *
 * Ownership: all that arena_alloc returns lives until arena_done or arena_reset; nothing is freed singly.
 *            Objects of other libraries are tied to it by arena_defer and released in reverse order.
 * Units:     bytes; the cap counts what was asked for, alignment and block heads included.
 * Errors:    NULL when the cap or the machine's memory is reached; the arena stays usable.
 * Threads:   one owner.
 */
#ifndef WEIR_BASE_ARENA_H
#define WEIR_BASE_ARENA_H

#include "base/slice.h"

struct arena_block;
struct arena_deferred;

struct arena {
	struct arena_block *blocks;       /* newest first */
	struct arena_deferred *deferred;  /* newest first */
	char *at, *end;                   /* free part of the newest block */
	size_t used, cap;
	long fail_in;                     /* tests: the fail_in-th allocation from now fails; 0 = none */
};

void arena_init(struct arena *a, size_t cap);
/* runs the deferred releases, then gives all memory back; fine on a zeroed struct */
void arena_done(struct arena *a);
/* like arena_done, but keeps one block for reuse */
void arena_reset(struct arena *a);

#define ARENA_ALIGN ((size_t)16)

/* what arena_alloc does when the newest block has no room */
MUST_USE void *arena_alloc_more(struct arena *a, size_t size);

/* zeroed, aligned for any type; size 0 gives a valid pointer */
MUST_USE static inline void *arena_alloc(struct arena *a, size_t size)
{
	size_t aligned = (size + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1);
	void *p = a->at;

	if (p == NULL || a->fail_in > 0 || aligned < size || aligned > (size_t)(a->end - a->at))
		return arena_alloc_more(a, size);
	a->at += aligned;
	return memset(p, 0, aligned);
}

/* the same for n items of one size; NULL when n * size overflows */
MUST_USE void *arena_array(struct arena *a, size_t n, size_t size);
/* a copy of s; the bytes are followed by a zero that is not counted. False: out of memory */
MUST_USE bool arena_dup(struct arena *a, struct slice s, struct slice *ret);
/* grows an array to hold at least want items: copies to a new place, doubling *cap. False: out of memory */
MUST_USE bool arena_grow(struct arena *a, void **items, size_t *cap, size_t want, size_t size);

/* release(object) runs at arena_done; when this fails, object is released at once and false is returned */
MUST_USE bool arena_defer(struct arena *a, void (*release)(void *object), void *object);

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, n, type) ((type *)arena_array((a), (n), sizeof(type)))

#endif
