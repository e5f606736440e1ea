/* map.c - open addressing, at most three quarters full; see map.h. SipHash-2-4 as published by its authors in 2012. */
#include "base/map.h"

#include <pthread.h>
#include <sys/random.h>

static uint64_t secret[2];
static pthread_once_t secret_once = PTHREAD_ONCE_INIT;

static void make_secret(void)
{
	size_t got = 0;

	while (got < sizeof(secret)) {
		ssize_t n = getrandom((char *)secret + got, sizeof(secret) - got, 0);

		if (n > 0)
			got += (size_t)n;
	}
}

static inline uint64_t rotl(uint64_t x, unsigned b)
{
	return x << b | x >> (64 - b);
}

#define SIP_ROUND                                                                \
	do {                                                                         \
		v0 += v1; v1 = rotl(v1, 13); v1 ^= v0; v0 = rotl(v0, 32);                \
		v2 += v3; v3 = rotl(v3, 16); v3 ^= v2;                                   \
		v0 += v3; v3 = rotl(v3, 21); v3 ^= v0;                                   \
		v2 += v1; v1 = rotl(v1, 17); v1 ^= v2; v2 = rotl(v2, 32);                \
	} while (0)

uint64_t map_hash(struct slice key)
{
	pthread_once(&secret_once, make_secret);

	uint64_t v0 = secret[0] ^ 0x736f6d6570736575, v1 = secret[1] ^ 0x646f72616e646f6d;
	uint64_t v2 = secret[0] ^ 0x6c7967656e657261, v3 = secret[1] ^ 0x7465646279746573;
	uint64_t tail = (uint64_t)key.len << 56;
	size_t i = 0;

	for (; i + 8 <= key.len; i += 8) {
		uint64_t m;

		memcpy(&m, key.ptr + i, 8);
		v3 ^= m;
		SIP_ROUND;
		SIP_ROUND;
		v0 ^= m;
	}
	for (unsigned shift = 0; i < key.len; i++, shift += 8)
		tail |= (uint64_t)(unsigned char)key.ptr[i] << shift;
	v3 ^= tail;
	SIP_ROUND;
	SIP_ROUND;
	v0 ^= tail;
	v2 ^= 0xff;
	SIP_ROUND;
	SIP_ROUND;
	SIP_ROUND;
	SIP_ROUND;
	return v0 ^ v1 ^ v2 ^ v3;
}

void map_init(struct map *m, struct arena *a, size_t max)
{
	*m = (struct map){ .arena = a, .max = max };
}

/* the slot of key, or the free one where it belongs; the table is never full */
static struct map_slot *slot_of(struct map_slot *slots, size_t cap, struct slice key)
{
	size_t i = (size_t)map_hash(key) & (cap - 1);

	while (slots[i].value != NULL && !slice_eq(slots[i].key, key))
		i = (i + 1) & (cap - 1);
	return &slots[i];
}

static bool grow(struct map *m)
{
	size_t cap = m->cap == 0 ? 16 : m->cap * 2;
	struct map_slot *slots = ARENA_ARRAY(m->arena, cap, struct map_slot);

	if (slots == NULL)
		return false;
	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].value != NULL)
			*slot_of(slots, cap, m->slots[i].key) = m->slots[i];
	m->slots = slots;
	m->cap = cap;
	return true;
}

bool map_put(struct map *m, struct slice key, void *value)
{
	if (m->cap > 0) {
		struct map_slot *s = slot_of(m->slots, m->cap, key);

		if (s->value != NULL) {
			s->value = value;
			return true;
		}
	}
	if (m->len == m->max || ((m->len + 1) * 4 > m->cap * 3 && !grow(m)))
		return false;
	*slot_of(m->slots, m->cap, key) = (struct map_slot){ key, value };
	m->len++;
	return true;
}

void *map_get(const struct map *m, struct slice key)
{
	return m->cap == 0 ? NULL : slot_of(m->slots, m->cap, key)->value;
}
