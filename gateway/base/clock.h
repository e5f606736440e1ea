/* clock.h - wall and monotonic time; the only file that asks the system for either.
 *
 * Units:   microseconds in int64_t, or milliseconds where the name says so.
 * Threads: clock_system() may be used by all; a fake clock belongs to its test.
 */
#ifndef WEIR_BASE_CLOCK_H
#define WEIR_BASE_CLOCK_H

#include "base/slice.h"

#include <stdint.h>

struct clock {
	int64_t (*wall_us)(const struct clock *c);  /* since 1970-01-01 UTC */
	int64_t (*mono_us)(const struct clock *c);  /* since boot; never steps */
	int64_t fake_wall_us, fake_mono_us;         /* only a fake one looks here */
};

const struct clock *clock_system(void);
/* a clock that stands still until the test moves its fields */
struct clock clock_fake(int64_t wall_us, int64_t mono_us);

static inline int64_t clock_wall_us(const struct clock *c)
{
	return c->wall_us(c);
}

static inline int64_t clock_mono_us(const struct clock *c)
{
	return c->mono_us(c);
}

static inline int64_t clock_mono_ms(const struct clock *c)
{
	return c->mono_us(c) / 1000;
}

#define CLOCK_TEXT_MAX 32
/* RFC 3339 in UTC with six digits after the second: 2030-01-02T03:04:05.000006Z. Returns the length. */
size_t clock_print(int64_t wall_us, char ret[CLOCK_TEXT_MAX]);

#endif
