/* edge.h - listeners, TLS blocks, trust domains, shared identities and operators of weir.yaml. */
#ifndef WEIR_CONFIG_EDGE_H
#define WEIR_CONFIG_EDGE_H

#include "config/reader.h"
#include "core/snapshot.h"

/* Fills these parts of snap. Sets the trust domains of the reader, so that patterns read from then on are held against them. */
void edge_read(const struct section *root, struct snapshot *snap);

#endif
