/* shard.c - see shard.h; the calls of metrics.h that count. */
#include "metrics/shard.h"

#include "base/err.h"

#include <stdlib.h>

#define SHARD_BYTES ((size_t)16 << 20)

const struct metric_row metric_rows[METRIC_COUNT] = {
#define METRIC(sym, kind, name, labels, help) [sym] = { kind, name, labels, help },
#include "metrics/metrics.def"
#undef METRIC
};

const struct metric_bound metric_bounds[METRIC_BOUNDS] = {
	{ 250, "0.00025" }, { 500, "0.0005" }, { 1000, "0.001" },  { 2500, "0.0025" }, { 5000, "0.005" },  { 10000, "0.01" },
	{ 25000, "0.025" }, { 50000, "0.05" }, { 100000, "0.1" },  { 250000, "0.25" }, { 500000, "0.5" },  { 1000000, "1" },
	{ 2500000, "2.5" }, { 5000000, "5" },  { 10000000, "10" }, { 30000000, "30" }, { 60000000, "60" },
};

size_t metric_label_count(enum metric id)
{
	const char *labels = metric_rows[id].labels;
	size_t n = labels[0] != '\0';

	for (; *labels != '\0'; labels++)
		n += *labels == ',';
	return n;
}

/* Not keyed: label values are compiled in or configured, nobody outside chooses them. */
uint64_t series_hash(enum metric id, const struct slice *labels, size_t n)
{
	const uint64_t mul = 0x9e3779b97f4a7c15;
	uint64_t h = ((uint64_t)id + 1) * mul;

	for (size_t i = 0; i < n; i++) {
		struct slice s = labels[i];

		h = (h ^ s.len) * mul;
		for (; s.len >= 8; s = slice_skip(s, 8)) {
			uint64_t word;

			memcpy(&word, s.ptr, 8);
			h = (h ^ word) * mul;
			h ^= h >> 32;
		}
		for (size_t k = 0; k < s.len; k++)
			h = (h ^ (unsigned char)s.ptr[k]) * mul;
		h ^= h >> 29;
	}
	return h;
}

bool series_is(const struct series *s, uint64_t hash, enum metric id, const struct slice *labels, size_t n)
{
	if (s->hash != hash || s->id != id)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!slice_eq(s->labels[i], labels[i]))
			return false;
	return true;
}

static bool grow_table(struct metrics_shard *s)
{
	size_t len = s->table_len == 0 ? 64 : s->table_len * 2;
	struct series **table = ARENA_ARRAY(&s->arena, len, struct series *);

	if (table == NULL)
		return false;
	for (struct series *x = atomic_load_explicit(&s->series, memory_order_relaxed); x != NULL; x = x->next) {
		size_t i = (size_t)x->hash & (len - 1);

		while (table[i] != NULL)
			i = (i + 1) & (len - 1);
		table[i] = x;
	}
	s->table = table;
	s->table_len = len;
	return true;
}

static struct series *make_series(struct metrics_shard *s, uint64_t hash, enum metric id, const struct slice *labels, size_t n)
{
	struct series *x = ARENA_NEW(&s->arena, struct series);

	if (x == NULL)
		return NULL;
	x->hash = hash;
	x->id = id;
	for (size_t i = 0; i < n; i++)
		if (!arena_dup(&s->arena, labels[i], &x->labels[i]))
			return NULL;
	if (metric_rows[id].kind == HISTOGRAM) {
		x->histogram = ARENA_NEW(&s->arena, struct histogram);
		if (x->histogram == NULL)
			return NULL;
	}
	return x;
}

/* the place of a series in the table: it stands there, or the place is free; the table is never full */
static struct series **find_place(struct metrics_shard *s, uint64_t hash, enum metric id, const struct slice *labels, size_t n)
{
	size_t i = (size_t)hash & (s->table_len - 1);

	while (s->table[i] != NULL && !series_is(s->table[i], hash, id, labels, n))
		i = (i + 1) & (s->table_len - 1);
	return &s->table[i];
}

/* the series of these labels, made at its first use; NULL: the shard is full */
static struct series *find_series(struct metrics_shard *s, enum metric id, const struct slice *labels)
{
	size_t n = s->label_count[id];
	uint64_t hash = series_hash(id, labels, n);
	struct series **place = s->table_len == 0 ? NULL : find_place(s, hash, id, labels, n);

	if (place != NULL && *place != NULL)
		return *place;
	if (s->len == METRIC_SHARD_SERIES || ((s->len + 1) * 2 > s->table_len && !grow_table(s)))
		return NULL;

	struct series *x = make_series(s, hash, id, labels, n);

	if (x == NULL)
		return NULL;
	*find_place(s, hash, id, labels, n) = x;
	s->len++;
	x->next = atomic_load_explicit(&s->series, memory_order_relaxed);
	atomic_store_explicit(&s->series, x, memory_order_release);
	return x;
}

/* one writer, so that no locked instruction is needed */
static void bump(_Atomic uint64_t *word, uint64_t n)
{
	atomic_store_explicit(word, atomic_load_explicit(word, memory_order_relaxed) + n, memory_order_relaxed);
}

/* the series to write to, or NULL when this call counts nothing */
static struct series *writable(struct metrics_shard *s, enum metric id, const struct slice *labels, enum metric_kind kind)
{
	if (s == NULL || !hope(metric_rows[id].kind == kind) || !hope(labels != NULL || s->label_count[id] == 0))
		return NULL;

	struct series *x = find_series(s, id, labels);

	if (x == NULL)
		bump(&s->lost->value, 1);
	return x;
}

void metric_add(struct metrics_shard *s, enum metric id, const struct slice *labels, uint64_t n)
{
	struct series *x = writable(s, id, labels, COUNTER);

	if (x != NULL)
		bump(&x->value, n);
}

void metric_set(struct metrics_shard *s, enum metric id, const struct slice *labels, int64_t value)
{
	struct series *x = writable(s, id, labels, GAUGE);

	if (x != NULL)
		atomic_store_explicit(&x->value, (uint64_t)value, memory_order_relaxed);
}

void metric_move(struct metrics_shard *s, enum metric id, const struct slice *labels, int64_t by)
{
	struct series *x = writable(s, id, labels, GAUGE);

	if (x != NULL)
		bump(&x->value, (uint64_t)by);
}

void metric_observe_many(struct metrics_shard *s, enum metric id, const struct slice *labels, int64_t bucket_us, uint64_t n,
                         int64_t sum_us)
{
	struct series *x = writable(s, id, labels, HISTOGRAM);
	size_t i = 0;

	if (x == NULL)
		return;
	while (i < METRIC_BOUNDS && metric_bounds[i].us < bucket_us)
		i++;
	bump(&x->histogram->buckets[i], n);
	bump(&x->histogram->sum_us, (uint64_t)sum_us);
}

void metric_observe_us(struct metrics_shard *s, enum metric id, const struct slice *labels, int64_t us)
{
	metric_observe_many(s, id, labels, us < 0 ? 0 : us, 1, us < 0 ? 0 : us);
}

struct metrics_shard *shard_free(struct metrics_shard *s)
{
	if (s != NULL)
		arena_done(&s->arena);
	free(s);
	return NULL;
}

struct metrics_shard *shard_new(void)
{
	struct metrics_shard *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	arena_init(&s->arena, SHARD_BYTES);
	for (enum metric i = 0; i < METRIC_COUNT; i++)
		s->label_count[i] = (unsigned char)metric_label_count(i);
	s->lost = find_series(s, METRIC_LOST, NULL);
	return s->lost == NULL ? shard_free(s) : s;
}
