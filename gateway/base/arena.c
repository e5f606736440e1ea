/* arena.c - blocks of growing size; see arena.h. */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>

#define BLOCK_MIN ((size_t)4096)
#define BLOCK_MAX ((size_t)256 * 1024)

struct arena_block {
	struct arena_block *next;
	size_t size;                      /* of the bytes behind this head */
	_Alignas(16) char bytes[];
};

struct arena_deferred {
	struct arena_deferred *next;
	void (*release)(void *);
	void *object;
};

void arena_init(struct arena *a, size_t cap)
{
	*a = (struct arena){ .cap = cap };
}

static void run_deferred(struct arena *a)
{
	while (a->deferred != NULL) {
		struct arena_deferred *d = a->deferred;

		a->deferred = d->next;
		d->release(d->object);
	}
}

void arena_done(struct arena *a)
{
	run_deferred(a);
	while (a->blocks != NULL) {
		struct arena_block *next = a->blocks->next;

		free(a->blocks);
		a->blocks = next;
	}
	*a = (struct arena){ .cap = a->cap };
}

void arena_reset(struct arena *a)
{
	struct arena_block *keep = a->blocks;

	if (keep == NULL)
		return;
	run_deferred(a);
	while (keep->next != NULL) {
		struct arena_block *next = keep->next->next;

		free(keep->next);
		keep->next = next;
	}
	a->at = keep->bytes;
	a->end = keep->bytes + keep->size;
	a->used = sizeof(*keep) + keep->size;
}

static bool add_block(struct arena *a, size_t need)
{
	size_t size = a->blocks == NULL ? BLOCK_MIN : a->blocks->size * 2;

	if (size > BLOCK_MAX)
		size = BLOCK_MAX;
	if (size < need)
		size = need;
	if (a->used > a->cap || sizeof(struct arena_block) + need > a->cap - a->used)
		return false;
	if (sizeof(struct arena_block) + size > a->cap - a->used)
		size = need;

	struct arena_block *b = malloc(sizeof(*b) + size);

	if (b == NULL)
		return false;
	b->next = a->blocks;
	b->size = size;
	a->blocks = b;
	a->at = b->bytes;
	a->end = b->bytes + size;
	a->used += sizeof(*b) + size;
	return true;
}

void *arena_alloc_more(struct arena *a, size_t size)
{
	if (a->fail_in > 0 && --a->fail_in == 0)
		return NULL;
	if (size > SIZE_MAX / 2)
		return NULL;
	size = size == 0 ? ARENA_ALIGN : (size + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1);
	if ((size_t)(a->end - a->at) < size && !add_block(a, size))
		return NULL;

	void *p = a->at;

	a->at += size;
	return memset(p, 0, size);
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : arena_alloc(a, bytes);
}

bool arena_dup(struct arena *a, struct slice s, struct slice *ret)
{
	char *p = s.len == SIZE_MAX ? NULL : arena_alloc(a, s.len + 1);

	if (p == NULL)
		return false;
	if (s.len > 0)
		memcpy(p, s.ptr, s.len);
	*ret = slice_from(p, s.len);
	return true;
}

bool arena_grow(struct arena *a, void **items, size_t *cap, size_t want, size_t size)
{
	if (want <= *cap)
		return true;

	size_t n = *cap < 4 ? 4 : *cap;

	while (n < want)
		if (__builtin_mul_overflow(n, (size_t)2, &n))
			return false;

	void *p = arena_array(a, n, size);

	if (p == NULL)
		return false;
	if (*cap > 0)
		memcpy(p, *items, *cap * size);
	*items = p;
	*cap = n;
	return true;
}

bool arena_defer(struct arena *a, void (*release)(void *), void *object)
{
	struct arena_deferred *d = ARENA_NEW(a, struct arena_deferred);

	if (d == NULL) {
		release(object);
		return false;
	}
	*d = (struct arena_deferred){ .next = a->deferred, .release = release, .object = object };
	a->deferred = d;
	return true;
}
