/* settings.h - audit, process and limits of weir.yaml; limits of a tenant file too. */
#ifndef WEIR_CONFIG_SETTINGS_H
#define WEIR_CONFIG_SETTINGS_H

#include "config/reader.h"
#include "core/snapshot.h"

/* what weir.yaml says of the limits of all tenants */
struct limits_frame {
	struct tenant_limits defaults;   /* of tenants that say nothing */
	struct section maximum;          /* map is NULL when there is none */
	struct tenant_limits most;       /* its values, where it has a key */
};

/* Fills audit, process and limit_headers_always of snap. */
void settings_read(const struct section *root, struct snapshot *snap, struct limits_frame *ret);
/* The limits of one tenant file: what it says, else the frame's defaults. Warns of each key that is above the maximum. */
struct tenant_limits limits_read(const struct section *tenant, const struct limits_frame *frame);

#endif
