/* stores.h - the backends of weir.yaml. */
#ifndef WEIR_CONFIG_STORES_H
#define WEIR_CONFIG_STORES_H

#include "config/reader.h"
#include "core/snapshot.h"

/* Fills the backends of snap, in the order of the file. */
void stores_read(const struct section *root, struct snapshot *snap);

#endif
