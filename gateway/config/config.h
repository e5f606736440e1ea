/* config.h - weir.yaml and the tenant files as one snapshot, with all errors at once.
 *
 * Ownership: a snapshot belongs to the caller (snapshot_unref). Findings live in the arena of the report.
 * Errors:    ERR_INVALID when the report holds errors, ERR_NOT_FOUND or ERR_IO when weir.yaml itself cannot be read, ERR_NOMEM; each
 *            is in the report too. There is no snapshot with an error in it.
 * Threads:   any; it touches files and nothing else.
 */
#ifndef WEIR_CONFIG_CONFIG_H
#define WEIR_CONFIG_CONFIG_H

#include "base/report.h"
#include "core/snapshot.h"

struct config_options {
	uint64_t generation;              /* of the snapshot: 1 at start, one more with each reload */
	long fail_in;                     /* tests: as arena.fail_in, for the snapshot's memory and for the scratch memory */
};

MUST_USE enum err_code config_load(struct slice path, const struct config_options *o, struct snapshot **ret, struct report *r);

/* Warns of every key that differs between the two and is only taken up by a restart (keys.def says which). */
void config_restart_keys(const struct snapshot *now, const struct snapshot *next, struct report *r);

#endif
