/* registry.h - all tenants of one snapshot; from an identity to its tenant.
 *
 * An identity that two tenants claim is a load error, unless weir.yaml lists it under shared_identities.
 * Ownership: lives in the snapshot's arena; const once built.
 */
#ifndef WEIR_TENANTS_REGISTRY_H
#define WEIR_TENANTS_REGISTRY_H

#include "tenants/tenant.h"

struct registry; /* made only by registry_new; never changes afterwards */

/* Tenants get their index here, in the order given; their ids and patterns are valid. shared: SPIFFE patterns that may stand in
 * several tenants. Reports the first clash as ERR_EXISTS, naming both tenants and their patterns. */
MUST_USE enum err_code registry_new(struct arena *a, struct tenant **tenants, size_t len, const struct slice *shared,
                                    size_t shared_len, struct registry **ret, struct err *reterr);

/* Two tenants that must not stand in one registry: their ids are equal but for case (the patterns are then empty), or some
 * SPIFFE id matches a pattern of each and no pattern of `shared` covers what they have in common. */
struct registry_clash {
	const struct tenant *a, *b;     /* in the order given */
	struct slice pattern_a, pattern_b;
};

/* Every two tenants that clash, once each, up to max of them. */
MUST_USE enum err_code registry_clashes(struct arena *a, struct tenant **tenants, size_t len, const struct slice *shared,
                                        size_t shared_len, struct registry_clash *ret, size_t max, size_t *ret_len,
                                        struct err *reterr);
size_t registry_len(const struct registry *r);
const struct tenant *registry_at(const struct registry *r, size_t index);
const struct tenant *registry_by_id(const struct registry *r, struct slice id);
/* How many tenants claim this URI: 0, 1, or 2 for two and more; *first is one of them when it is not 0. Goes by an index over
 * the segments of the patterns, so 1,000 tenants cost no scan. */
size_t registry_find(const struct registry *r, struct slice uri, const struct tenant **first);
/* true when tenant t claims uri */
bool registry_claims(const struct registry *r, const struct tenant *t, struct slice uri);

#endif
