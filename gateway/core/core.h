/* core.h - the pipeline of one worker: what the server calls, and what it brings.
 *
 * Threads: everything here belongs to one worker's thread.
 */
#ifndef WEIR_CORE_CORE_H
#define WEIR_CORE_CORE_H

#include "core/ports.h"
#include "core/snapshot.h"
#include "metrics/metrics.h"

struct core; /* one per worker */

struct core_ports {
	const struct clock *clock;
	struct downstream_port down;
	struct upstream_port up;
	struct audit_port audit;
	struct limit_port limits;
	struct metrics_shard *metrics;
};

/* takes its own reference to snap; NULL without memory */
struct core *core_new(const struct core_ports *ports, struct snapshot *snap);
/* every request must have ended; takes NULL */
struct core *core_free(struct core *c);

/* A request begins. May answer at once or later through the downstream port; NULL when it is already over. */
struct request *core_begin(struct core *c, const struct inbound *in, struct exchange *x);
/* The client has left: upstream work is cancelled, the outcome recorded; x is not used again, r is gone. */
void core_client_gone(struct request *r);
/* What downstream->body refused to take more of has gone out. */
void core_client_ready(struct request *r);

/* The audit log moved: looks at every request that waits for it. Called on the worker's thread. */
void core_audit_moved(struct core *c);
/* Deadlines; the worker calls it about every 100 ms. */
void core_tick(struct core *c);
/* New requests use snap from now on; takes its own reference. */
void core_swap(struct core *c, struct snapshot *snap);
size_t core_in_flight(const struct core *c);
const struct snapshot *core_snapshot(const struct core *c);

#endif
