/* map.h - hash map from bytes to a pointer, keyed per process (SipHash-2-4), so that untrusted keys cannot collide on purpose.
 *
 * Ownership: keys and values are borrowed; the table lives in the arena.
 * Errors:    map_put returns false at the maximum given at birth or without memory.
 * Threads:   one writer; readers may share a map that no longer changes.
 */
#ifndef WEIR_BASE_MAP_H
#define WEIR_BASE_MAP_H

#include "base/arena.h"

#include <stdint.h>

struct map_slot {
	struct slice key;
	void *value;              /* NULL = free slot */
};

struct map {
	struct arena *arena;
	struct map_slot *slots;
	size_t len, cap, max;
};

void map_init(struct map *m, struct arena *a, size_t max);
/* value must not be NULL; an existing key gets the new value */
MUST_USE bool map_put(struct map *m, struct slice key, void *value);
void *map_get(const struct map *m, struct slice key);
uint64_t map_hash(struct slice key);

#endif
