/* thread.h - starts a thread that no signal interrupts (signals are main's), and waits that count monotonic time.
 *
 * Units: microseconds of clock_mono_us.
 */
#ifndef WEIR_BASE_THREAD_H
#define WEIR_BASE_THREAD_H

#include "base/slice.h"

#include <pthread.h>
#include <stdint.h>

/* name: up to 15 characters, shown by ps and in core dumps. False: no thread was started. */
MUST_USE bool thread_start(pthread_t *ret, const char *name, void *(*run)(void *arg), void *arg);
/* a condition for thread_wait_until */
void thread_cond_init(pthread_cond_t *c);
/* waits until c is signalled, or a moment has come: then false. May return too early, as all waits for conditions do. */
bool thread_wait_until(pthread_cond_t *c, pthread_mutex_t *lock, int64_t mono_us);

#endif
