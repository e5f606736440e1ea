/* clock.c - see clock.h. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t system_wall(const struct clock *c)
{
	(void)c;
	return read_clock(CLOCK_REALTIME);
}

static int64_t system_mono(const struct clock *c)
{
	(void)c;
	return read_clock(CLOCK_MONOTONIC);
}

static int64_t fake_wall(const struct clock *c)
{
	return c->fake_wall_us;
}

static int64_t fake_mono(const struct clock *c)
{
	return c->fake_mono_us;
}

const struct clock *clock_system(void)
{
	static const struct clock system = { .wall_us = system_wall, .mono_us = system_mono };

	return &system;
}

struct clock clock_fake(int64_t wall_us, int64_t mono_us)
{
	return (struct clock){ .wall_us = fake_wall, .mono_us = fake_mono,
	                       .fake_wall_us = wall_us, .fake_mono_us = mono_us };
}

size_t clock_print(int64_t wall_us, char ret[CLOCK_TEXT_MAX])
{
	time_t s = (time_t)(wall_us / 1000000);
	long us = (long)(wall_us % 1000000);
	struct tm tm;

	if (us < 0) {
		us += 1000000;
		s--;
	}
	gmtime_r(&s, &tm);

	size_t n = strftime(ret, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);

	return n + (size_t)snprintf(ret + n, CLOCK_TEXT_MAX - n, ".%06ldZ", us);
}
