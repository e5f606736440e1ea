/* probe.h - what each backend says of itself: /api/v1/status/buildinfo, asked at start and once a minute, kept in between.
 *
 * Private to core. Threads: one worker's.
 */
#ifndef WEIR_CORE_PROBE_H
#define WEIR_CORE_PROBE_H

#include "core/core.h"

struct probe_set;

/* NULL without memory; snap must outlive it */
struct probe_set *probe_set_new(const struct core_ports *ports, const struct snapshot *snap);
/* cancels what is under way; takes NULL */
struct probe_set *probe_set_free(struct probe_set *p);
/* asks again where a minute has passed (5 s after a failure) */
void probe_tick(struct probe_set *p);
/* the last good answer, JSON; ptr NULL when the backend was never reached */
struct slice probe_buildinfo(const struct probe_set *p, size_t backend);

#endif
