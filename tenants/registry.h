/* registry.h - all tenants of one snapshot; from an identity to its tenant.
 *
 * An identity that two tenants claim is a load error, unless weir.yaml lists it under shared_identities.
 * Ownership: lives in the snapshot's arena; const once built.
 */
#ifndef WEIR_TENANTS_REGISTRY_H
#define WEIR_TENANTS_REGISTRY_H

#include "tenants/tenant.h"

struct registry; /* made only by registry_new; never changes afterwards */

/* Tenants get their index here, in the order given. shared: SPIFFE patterns that may stand in several tenants. Reports the
 * first clash as ERR_EXISTS, naming both tenants and a pattern; ids equal but for case too. Two patterns clash when some
 * SPIFFE id matches both and is not covered by `shared`. */
MUST_USE enum err_code registry_new(struct arena *a, struct tenant **tenants, size_t len, const struct slice *shared,
                                    size_t shared_len, struct registry **ret, struct err *reterr);
size_t registry_len(const struct registry *r);
const struct tenant *registry_at(const struct registry *r, size_t index);
const struct tenant *registry_by_id(const struct registry *r, struct slice id);
/* How many tenants claim this URI; *first is one of them when the count is not 0. Goes by an index on the fixed head of the
 * patterns, so 1,000 tenants cost no scan. */
size_t registry_find(const struct registry *r, struct slice uri, const struct tenant **first);
/* true when tenant t claims uri */
bool registry_claims(const struct registry *r, const struct tenant *t, struct slice uri);

#endif
