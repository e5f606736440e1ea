/* limits.h - kinds of limit and their arithmetic (GCRA); pure, no clock and no store of its own.
 *
 * Units: tokens; rates per second; times in microseconds. Source: the design note on limits, sections 1 to 4;
 *        GCRA as in ITU-T I.371 with a tolerance of burst * emission interval.
 */
#ifndef WEIR_TENANTS_LIMITS_H
#define WEIR_TENANTS_LIMITS_H

#include "base/slice.h"

#include <stdint.h>

/* HINT: to add a kind of rate limit, add a row to limits.def. */
enum limit_kind {
#define LIMIT(sym, name, unit, doc) sym,
#include "tenants/limits.def"
#undef LIMIT
	LIMIT_COUNT
};

struct rate_limit {
	double per_second;              /* 0 = this limit is not set */
	double burst;
};

/* Static limits of a tenant; 0 = the default that limits.c names, unless said otherwise. Times in milliseconds. */
struct static_limits {
	int64_t max_query_length_ms;    /* default 31 d: effective range of each selector */
	int64_t max_query_lookback_ms;  /* how far behind now a read may reach; 0 = no limit */
	int64_t min_step_ms;            /* default 1 s */
	int64_t max_points;             /* default 11,000 */
	int64_t max_query_series;       /* limit parameter of query and query_range; 0 = as asked */
	int64_t query_timeout_ms;       /* default 60 s */
	int64_t max_query_expression_size_bytes;   /* 0 = the language's own limit */
	bool allow_stats, allow_lookback_delta;
};

struct tenant_limits {
	struct rate_limit rate[LIMIT_COUNT];
	struct static_limits fixed;
};

/* one bucket: the theoretical arrival time */
struct gcra_take {
	double em_us;                   /* microseconds per token */
	double burst, min, max, back;   /* tokens */
	int64_t now_us;                 /* monotonic where one process counts: a double keeps small times finer */
};

struct gcra_given {
	double granted, left;
	int64_t retry_us;               /* 0 when granted, -1 = never */
	int64_t reset_us;               /* until the bucket is full */
};

/* *tat_us: 0 = never used. Advances it exactly as the Redis script of the design will. */
struct gcra_given gcra_take(double *tat_us, const struct gcra_take *t);
const char *limit_name(enum limit_kind kind);
/* fields that are 0 get their defaults */
struct static_limits static_limits_filled(struct static_limits given);

#endif
