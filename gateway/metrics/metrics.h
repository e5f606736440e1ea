/* metrics.h - counters per thread, summed on scrape.
 *
 * Ownership: label values are copied at their first use.
 * Threads:   a shard has one writer; metrics_print may run on another thread at any time, and on several.
 * Errors:    a shard that is full counts into nothing and says so in weir_metrics_lost_total; no call fails.
 */
#ifndef WEIR_METRICS_METRICS_H
#define WEIR_METRICS_METRICS_H

#include "base/strbuf.h"

enum metric {
#define METRIC(sym, kind, name, labels, help) sym,
#include "metrics/metrics.def"
#undef METRIC
	METRIC_COUNT
};

#define METRIC_LABELS_MAX 4
#define METRIC_SHARD_SERIES 16384    /* series of one shard; more are lost, and counted as such */

struct metrics;
struct metrics_shard;

/* NULL without memory */
struct metrics *metrics_new(void);
struct metrics *metrics_free(struct metrics *m);
/* one per thread; NULL without memory. Lives as long as m. */
struct metrics_shard *metrics_shard_new(struct metrics *m);
/* For numbers that are kept elsewhere: collect(ctx, s) runs inside each scrape, on the scraping thread, and adds them to a
 * shard that lives only that long. False: METRICS_COLLECTORS_MAX are there already. Before the first scrape. */
#define METRICS_COLLECTORS_MAX 4
MUST_USE bool metrics_collect(struct metrics *m, void (*collect)(void *ctx, struct metrics_shard *s), void *ctx);

/* labels: as many values as the row names, in its order; NULL when it names none. s may be NULL: counts nothing. */
void metric_add(struct metrics_shard *s, enum metric id, const struct slice *labels, uint64_t n);
void metric_set(struct metrics_shard *s, enum metric id, const struct slice *labels, int64_t value);
void metric_move(struct metrics_shard *s, enum metric id, const struct slice *labels, int64_t by);
/* seconds into the row's histogram; buckets 0.25 ms to 60 s */
void metric_observe_us(struct metrics_shard *s, enum metric id, const struct slice *labels, int64_t us);
/* adds n observations that fell into the bucket with this upper bound, and their sum; for histograms kept elsewhere */
void metric_observe_many(struct metrics_shard *s, enum metric id, const struct slice *labels, int64_t bucket_us,
                         uint64_t n, int64_t sum_us);

#define METRIC_LABELS(...) ((const struct slice[]){ __VA_ARGS__ })

/* Prometheus text format 0.0.4, with the usual process_* of /proc/self. Gauges of several shards are summed. Without memory
 * out is marked full. */
void metrics_print(const struct metrics *m, struct strbuf *out);
/* the sum over shards of one series (a histogram: its count); for tests and the demo */
uint64_t metrics_value(const struct metrics *m, enum metric id, const struct slice *labels);

#endif
