/* limiter.h - the limit store in process: theoretical arrival times in one table for all workers.
 *
 * Ownership: made by the program, shared by its workers; state is lost at restart (one extra burst) and kept over a reload.
 * Threads:   any; one compare-and-swap a call, no lock.
 * Errors:    a full neighbourhood of the table makes keys share a bucket: stricter, never looser.
 */
#ifndef WEIR_CORE_LIMITER_H
#define WEIR_CORE_LIMITER_H

#include "base/clock.h"
#include "core/ports.h"

struct limiter;

/* NULL without memory */
struct limiter *limiter_new(const struct clock *clock);
struct limiter *limiter_free(struct limiter *l);
struct limit_port limiter_port(struct limiter *l);

#endif
