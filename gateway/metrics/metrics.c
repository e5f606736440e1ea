/* metrics.c - see metrics.h: the list of shards, and the scrape over them. */
#include "metrics/metrics.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "metrics/process.h"
#include "metrics/shard.h"

#include <inttypes.h>
#include <stdlib.h>

#define SCRAPE_BYTES ((size_t)128 << 20)

struct collector {
	void (*collect)(void *ctx, struct metrics_shard *s);
	void *ctx;
};

struct metrics {
	int64_t started_wall_us;
	_Atomic(struct metrics_shard *) shards;      /* newest first; released by who makes one, acquired by a scrape */
	struct collector collectors[METRICS_COLLECTORS_MAX];
	size_t collectors_len;
};

/* what base counts, which must not know metrics */
static void collect_base(void *ctx, struct metrics_shard *s)
{
	(void)ctx;
	metric_add(s, METRIC_HOPES, NULL, hope_count());
}

struct metrics *metrics_new(void)
{
	struct metrics *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->started_wall_us = clock_wall_us(clock_system());
	m->collectors[m->collectors_len++] = (struct collector){ collect_base, NULL };
	return m;
}

struct metrics *metrics_free(struct metrics *m)
{
	if (m == NULL)
		return NULL;
	for (struct metrics_shard *s = atomic_load(&m->shards), *next; s != NULL; s = next) {
		next = s->next;
		shard_free(s);
	}
	free(m);
	return NULL;
}

struct metrics_shard *metrics_shard_new(struct metrics *m)
{
	struct metrics_shard *s = shard_new();

	if (s == NULL)
		return NULL;
	s->next = atomic_load_explicit(&m->shards, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(&m->shards, &s->next, s, memory_order_release, memory_order_relaxed))
		;
	return s;
}

bool metrics_collect(struct metrics *m, void (*collect)(void *ctx, struct metrics_shard *s), void *ctx)
{
	if (m->collectors_len == METRICS_COLLECTORS_MAX)
		return false;
	m->collectors[m->collectors_len++] = (struct collector){ collect, ctx };
	return true;
}

/* A scrape runs the collectors into a shard of its own and puts that in front of the others. NULL: no memory. */
static struct metrics_shard *begin_scrape(const struct metrics *m)
{
	struct metrics_shard *s = shard_new();

	if (s == NULL)
		return NULL;
	for (size_t i = 0; i < m->collectors_len; i++)
		m->collectors[i].collect(m->collectors[i].ctx, s);
	s->next = atomic_load_explicit(&m->shards, memory_order_acquire);
	return s;
}

static int order_series(const void *a, const void *b)
{
	const struct series *x = *(const struct series *const *)a, *y = *(const struct series *const *)b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	for (size_t i = 0; i < METRIC_LABELS_MAX; i++) {
		int c = slice_cmp(x->labels[i], y->labels[i]);

		if (c != 0)
			return c;
	}
	return 0;
}

/* every series of every shard in the order in which they are printed: equal ones stand side by side */
static bool list_series(const struct metrics_shard *first, struct arena *a, const struct series ***ret, size_t *ret_len)
{
	const struct series **list = NULL;
	size_t len = 0, cap = 0;

	for (const struct metrics_shard *s = first; s != NULL; s = s->next)
		for (const struct series *x = atomic_load_explicit(&s->series, memory_order_acquire); x != NULL; x = x->next) {
			if (!arena_grow(a, (void **)&list, &cap, len + 1, sizeof(*list)))
				return false;
			list[len++] = x;
		}
	qsort(list, len, sizeof(*list), order_series);
	*ret = list;
	*ret_len = len;
	return true;
}

/* backslash, quote and line end are escaped; what is not UTF-8 would spoil the whole scrape and becomes U+FFFD */
static void print_escaped(struct strbuf *out, struct slice s, bool quotes)
{
	while (s.len > 0) {
		size_t n = utf8_sequence(s);

		if (n == 0)
			strbuf_lit(out, "\xef\xbf\xbd");
		else if (s.ptr[0] == '\n')
			strbuf_lit(out, "\\n");
		else if (s.ptr[0] == '\\')
			strbuf_lit(out, "\\\\");
		else if (s.ptr[0] == '"' && quotes)
			strbuf_lit(out, "\\\"");
		else
			strbuf_add(out, slice_from(s.ptr, n));
		s = slice_skip(s, n == 0 ? 1 : n);
	}
}

/* name_suffix{label="value",le="bound"} and a blank; le may be NULL */
static void print_name(struct strbuf *out, enum metric id, const char *suffix, const struct slice *values, const char *le)
{
	struct slice names = slice_cstr(metric_rows[id].labels);
	char open = '{';

	strbuf_fmt(out, "%s%s", metric_rows[id].name, suffix);
	for (size_t i = 0; names.len > 0; i++) {
		size_t len = slice_find(names, ',');

		strbuf_fmt(out, "%c%.*s=\"", open, (int)len, names.ptr);
		print_escaped(out, values[i], true);
		strbuf_char(out, '"');
		open = ',';
		names = slice_skip(names, len + 1);
	}
	if (le != NULL) {
		strbuf_fmt(out, "%cle=\"%s\"", open, le);
		open = ',';
	}
	strbuf_add(out, open == ',' ? SLICE("} ") : SLICE(" "));
}

/* list[0..n) are the same series, of several shards */
static void print_histogram(struct strbuf *out, enum metric id, const struct series *const *list, size_t n)
{
	const struct slice *labels = n == 0 ? NULL : list[0]->labels;
	uint64_t total = 0, sum_us = 0;

	for (size_t b = 0; b <= METRIC_BOUNDS; b++) {
		for (size_t i = 0; i < n; i++)
			total += atomic_load_explicit(&list[i]->histogram->buckets[b], memory_order_relaxed);
		print_name(out, id, "_bucket", labels, b == METRIC_BOUNDS ? "+Inf" : metric_bounds[b].text);
		strbuf_fmt(out, "%" PRIu64 "\n", total);
	}
	for (size_t i = 0; i < n; i++)
		sum_us += (uint64_t)atomic_load_explicit(&list[i]->histogram->sum_us, memory_order_relaxed);
	print_name(out, id, "_sum", labels, NULL);
	strbuf_fmt(out, "%" PRIu64 ".%06" PRIu64 "\n", sum_us / 1000000, sum_us % 1000000);
	print_name(out, id, "_count", labels, NULL);
	strbuf_fmt(out, "%" PRIu64 "\n", total);
}

static void print_series(struct strbuf *out, enum metric id, const struct series *const *list, size_t n)
{
	uint64_t sum = 0;

	if (metric_rows[id].kind == HISTOGRAM) {
		print_histogram(out, id, list, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		sum += atomic_load_explicit(&list[i]->value, memory_order_relaxed);
	print_name(out, id, "", n == 0 ? NULL : list[0]->labels, NULL);
	if (metric_rows[id].kind == GAUGE)
		strbuf_fmt(out, "%" PRId64 "\n", (int64_t)sum);
	else
		strbuf_fmt(out, "%" PRIu64 "\n", sum);
}

/* one row; returns how many of list it took. A row without labels is there from the start, as 0. */
static size_t print_row(struct strbuf *out, enum metric id, const struct series *const *list, size_t len)
{
	static const char *const kind[] = { [COUNTER] = "counter", [GAUGE] = "gauge", [HISTOGRAM] = "histogram" };
	size_t taken = 0;

	strbuf_fmt(out, "# HELP %s ", metric_rows[id].name);
	print_escaped(out, slice_cstr(metric_rows[id].help), false);
	strbuf_fmt(out, "\n# TYPE %s %s\n", metric_rows[id].name, kind[metric_rows[id].kind]);
	while (taken < len && list[taken]->id == id) {
		size_t n = 1;

		while (taken + n < len && order_series(&list[taken], &list[taken + n]) == 0)
			n++;
		print_series(out, id, list + taken, n);
		taken += n;
	}
	if (taken == 0 && metric_rows[id].labels[0] == '\0')
		print_series(out, id, NULL, 0);
	return taken;
}

void metrics_print(const struct metrics *m, struct strbuf *out)
{
	struct metrics_shard *first = begin_scrape(m);
	const struct series **list;
	size_t len, at = 0;
	struct arena a;

	arena_init(&a, SCRAPE_BYTES);
	if (first == NULL || !list_series(first, &a, &list, &len)) {
		out->full = true;
	} else {
		for (enum metric id = 0; id < METRIC_COUNT; id++)
			at += print_row(out, id, (const struct series *const *)list + at, len - at);
		process_print(out, m->started_wall_us);
	}
	arena_done(&a);
	shard_free(first);
}

uint64_t metrics_value(const struct metrics *m, enum metric id, const struct slice *labels)
{
	struct metrics_shard *first = begin_scrape(m);
	size_t n = metric_label_count(id);
	uint64_t hash = series_hash(id, labels, n), sum = 0;

	for (const struct metrics_shard *s = first; s != NULL; s = s->next)
		for (const struct series *x = atomic_load_explicit(&s->series, memory_order_acquire); x != NULL; x = x->next) {
			if (!series_is(x, hash, id, labels, n))
				continue;
			sum += atomic_load_explicit(&x->value, memory_order_relaxed);
			for (size_t b = 0; x->histogram != NULL && b <= METRIC_BOUNDS; b++)
				sum += atomic_load_explicit(&x->histogram->buckets[b], memory_order_relaxed);
		}
	shard_free(first);
	return sum;
}
