/* limiter.c - see limiter.h. */
#include "core/limiter.h"

#include "base/map.h"

#include <stdatomic.h>
#include <stdlib.h>

#define SLOTS ((size_t)1 << 16)
#define NEIGHBOURS 16

/* Both words are written by any worker. key goes from 0 to a hash once, by compare-and-swap; tat is the bits of a double,
 * advanced by compare-and-swap. Relaxed is enough: each word carries its whole meaning. */
struct slot {
	_Atomic uint64_t key, tat;
};

struct limiter {
	const struct clock *clock;
	struct slot slots[SLOTS];
};

struct limiter *limiter_new(const struct clock *clock)
{
	struct limiter *l = calloc(1, sizeof(*l));

	if (l != NULL)
		l->clock = clock;
	return l;
}

struct limiter *limiter_free(struct limiter *l)
{
	free(l);
	return NULL;
}

static double bits_to_tat(uint64_t bits)
{
	double d;

	memcpy(&d, &bits, sizeof(d));
	return d;
}

static uint64_t tat_to_bits(double d)
{
	uint64_t bits;

	memcpy(&bits, &d, sizeof(bits));
	return bits;
}

/* the slot of this key; a free one, or one whose bucket is full again, is taken over */
static struct slot *slot_of(struct limiter *l, uint64_t key, int64_t now_us)
{
	for (size_t i = 0; i < NEIGHBOURS; i++) {
		struct slot *s = &l->slots[(key + i) & (SLOTS - 1)];
		uint64_t have = atomic_load_explicit(&s->key, memory_order_relaxed);

		if (have == key)
			return s;
		if (have == 0 && atomic_compare_exchange_strong_explicit(&s->key, &have, key, memory_order_relaxed, memory_order_relaxed))
			return s;
		if (have == key)
			return s;
	}
	for (size_t i = 0; i < NEIGHBOURS; i++) {
		struct slot *s = &l->slots[(key + i) & (SLOTS - 1)];
		uint64_t have = atomic_load_explicit(&s->key, memory_order_relaxed);

		if (bits_to_tat(atomic_load_explicit(&s->tat, memory_order_relaxed)) < (double)now_us &&
		    atomic_compare_exchange_strong_explicit(&s->key, &have, key, memory_order_relaxed, memory_order_relaxed))
			return s;
	}
	return &l->slots[key & (SLOTS - 1)];
}

static struct gcra_given take(void *ctx, enum limit_kind kind, struct slice key, const struct rate_limit *limit, double tokens)
{
	struct limiter *l = ctx;
	int64_t now = clock_mono_us(l->clock);
	uint64_t hash = (map_hash(key) ^ ((uint64_t)kind + 1) * 0x9e3779b97f4a7c15u) | 1;
	struct slot *s = slot_of(l, hash, now);
	struct gcra_take t = { .em_us = 1e6 / limit->per_second, .burst = limit->burst, .min = tokens, .max = tokens, .now_us = now };
	uint64_t was = atomic_load_explicit(&s->tat, memory_order_relaxed);

	for (;;) {
		double tat = bits_to_tat(was);
		struct gcra_given g = gcra_take(&tat, &t);

		if (atomic_compare_exchange_weak_explicit(&s->tat, &was, tat_to_bits(tat), memory_order_relaxed, memory_order_relaxed))
			return g;
	}
}

struct limit_port limiter_port(struct limiter *l)
{
	return (struct limit_port){ .ctx = l, .take = take };
}
