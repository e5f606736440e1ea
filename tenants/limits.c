/* limits.c - see limits.h. */
#include "tenants/limits.h"

#include <math.h>

/* a count of tokens just short of a whole one by rounding is a whole one */
#define TOKEN_TOLERANCE 1e-6

static const char *const names[LIMIT_COUNT] = {
#define LIMIT(sym, name, unit, doc) [sym] = name,
#include "tenants/limits.def"
#undef LIMIT
};

const char *limit_name(enum limit_kind kind)
{
	return names[kind];
}

/* whole microseconds, rounded up, so that who waits that long is served */
static int64_t wait_us(double us)
{
	return us >= 9e18 ? INT64_MAX : (int64_t)ceil(us - TOKEN_TOLERANCE);
}

struct gcra_given gcra_take(double *tat_us, const struct gcra_take *t)
{
	double now = (double)t->now_us, tau = t->burst * t->em_us, tat = *tat_us == 0 ? now : *tat_us;
	struct gcra_given given = { .retry_us = -1 };

	if (!(t->em_us > 0) || !isfinite(tau))
		return given;
	/* at most a full burst of debt: a clock that stepped back or a smaller limit cannot lock a tenant out */
	tat = fmax(fmin(tat, now + tau) - t->back * t->em_us, now);
	given.left = floor((tau - (tat - now)) / t->em_us + TOKEN_TOLERANCE);
	if (given.left >= t->min) {
		given.granted = fmin(t->max, given.left);
		given.left -= given.granted;
		given.retry_us = 0;
		tat += given.granted * t->em_us;
	} else if (t->min <= t->burst) {
		given.retry_us = wait_us(tat - now + t->min * t->em_us - tau);
	}
	given.reset_us = wait_us(tat - now);
	*tat_us = tat;
	return given;
}

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

struct static_limits static_limits_filled(struct static_limits given)
{
	if (given.max_query_length_ms == 0)
		given.max_query_length_ms = 31 * DAY_MS;
	if (given.min_step_ms == 0)
		given.min_step_ms = 1000;
	if (given.max_points == 0)
		given.max_points = 11000;
	if (given.query_timeout_ms == 0)
		given.query_timeout_ms = 60000;
	return given;
}
