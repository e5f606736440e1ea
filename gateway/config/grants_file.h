/* grants_file.h - the `grants` of a role: `all`, or by signal `all` or an OR of clauses. */
#ifndef WEIR_CONFIG_GRANTS_FILE_H
#define WEIR_CONFIG_GRANTS_FILE_H

#include "config/reader.h"
#include "core/snapshot.h"

/* Fills signal_named and grants of the role. node is the value of `grants`. tenant_labels: labels that name the tenant in its
 * backends; a grant cannot be about them. */
void grants_read(struct reader *rd, const struct yaml_node *node, struct slices tenant_labels, struct tenant_role *role);

#endif
