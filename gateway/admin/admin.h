/* admin.h - what Weir says of itself: health and readiness on the health listener; these and metrics on the admin listener.
 *
 * Shared by all workers. Every call answers at once, so there is nothing to be told of a client that leaves.
 * Ownership: holds a reference to its snapshot; metrics and log must outlive it. Behind admin_free metrics must not be
 *            scraped any more: part of what they print is collected here.
 * Threads:   begin from any worker, the collecting too; new, swap and free from main.
 */
#ifndef WEIR_ADMIN_ADMIN_H
#define WEIR_ADMIN_ADMIN_H

#include "core/ports.h"
#include "core/snapshot.h"
#include "metrics/metrics.h"

struct admin;

struct admin_state {
	bool audit_open, draining;
};

struct admin_options {
	struct metrics *metrics;
	struct committer *log;
	struct downstream_port down;
	struct snapshot *snap;
	/* asked at each /ready; any thread */
	struct admin_state (*state)(void *ctx);
	void *state_ctx;
};

/* NULL without memory */
struct admin *admin_new(const struct admin_options *o);
struct admin *admin_free(struct admin *a);
/* operators of this generation from now on; takes its own reference */
void admin_swap(struct admin *a, struct snapshot *snap);

/* The two services of a worker: ctx is the struct admin; always NULL, since the answer is already given. */
void *admin_begin(void *ctx, const struct inbound *in, struct exchange *x);
void *admin_begin_health(void *ctx, const struct inbound *in, struct exchange *x);

#endif
