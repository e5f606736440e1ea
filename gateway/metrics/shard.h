/* shard.h - the counters of one thread: what its writer and a scrape share. Only this folder looks inside.
 *
 * A shard is a hash table that only its writer looks at, and a list of its series that only ever grows at its head: a scrape
 * walks the list, so neither side waits for the other.
 */
#ifndef WEIR_METRICS_SHARD_H
#define WEIR_METRICS_SHARD_H

#include "base/arena.h"
#include "metrics/metrics.h"

#include <stdatomic.h>

enum metric_kind { COUNTER, GAUGE, HISTOGRAM };

struct metric_row {
	enum metric_kind kind;
	const char *name, *labels, *help;    /* labels: names with commas between them */
};

extern const struct metric_row metric_rows[METRIC_COUNT];

/* upper bounds of a histogram's buckets; one more bucket behind them takes the rest */
#define METRIC_BOUNDS 17
struct metric_bound {
	int64_t us;
	const char *text;                    /* in seconds */
};

extern const struct metric_bound metric_bounds[METRIC_BOUNDS];

/* Words of a series are written by the shard's own thread, relaxed: a scrape may see one of two related words newer than the
 * other, which the next scrape mends. */
struct histogram {
	_Atomic uint64_t buckets[METRIC_BOUNDS + 1];     /* not cumulative */
	_Atomic uint64_t sum_us;
};

struct series {
	struct series *next;             /* const once the series is on the list */
	uint64_t hash;
	enum metric id;
	struct slice labels[METRIC_LABELS_MAX];
	_Atomic uint64_t value;          /* of a counter; of a gauge as two's complement */
	struct histogram *histogram;     /* NULL when the row is none */
};

struct metrics_shard {
	struct metrics_shard *next;      /* const once the shard is on the list */
	struct arena arena;
	_Atomic(struct series *) series; /* newest first; released by the writer, acquired by a scrape */
	struct series **table;           /* open addressing, at most half full */
	size_t table_len, len;
	struct series *lost;             /* made at birth, so that a full shard can still count what it loses */
	unsigned char label_count[METRIC_COUNT];
};

/* on no list yet; NULL without memory */
struct metrics_shard *shard_new(void);
struct metrics_shard *shard_free(struct metrics_shard *s);

size_t metric_label_count(enum metric id);
uint64_t series_hash(enum metric id, const struct slice *labels, size_t n);
bool series_is(const struct series *s, uint64_t hash, enum metric id, const struct slice *labels, size_t n);

#endif
