/* tenant_file.h - one tenant file as a struct tenant: groups, roles, grants, limits. */
#ifndef WEIR_CONFIG_TENANT_FILE_H
#define WEIR_CONFIG_TENANT_FILE_H

#include "config/settings.h"

/* What a tenant file is read against: backends by name, and the limits of all tenants. The tenant lives in the arena of rd. NULL when
 * the file is no map, or without memory; else as much of a tenant as could be read. */
struct tenant *tenant_file_read(struct reader *rd, const struct yaml_node *root, const struct snapshot *snap,
                                const struct limits_frame *frame);

#endif
