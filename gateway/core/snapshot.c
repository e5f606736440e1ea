/* snapshot.c - see snapshot.h. */
#include "core/snapshot.h"

#include <stdlib.h>

struct snapshot *snapshot_new(size_t cap)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	arena_init(&s->arena, cap);
	atomic_init(&s->refs, 1);
	return s;
}

struct snapshot *snapshot_ref(struct snapshot *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

struct snapshot *snapshot_unref(struct snapshot *s)
{
	if (s != NULL && atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) == 1) {
		arena_done(&s->arena);
		free(s);
	}
	return NULL;
}

const struct backend *snapshot_backend(const struct snapshot *s, struct slice name)
{
	for (size_t i = 0; i < s->backends_len; i++)
		if (slice_eq(s->backends[i].name, name))
			return &s->backends[i];
	return NULL;
}
