/* grants.h - what a role may see: an OR of clauses, a clause being an AND of label values.
 *
 * A value is a text (equal), a text with `*` (glob; `\*` is a star), or a list of both (any of); it prints as one
 * matcher and never matches a missing label. Selectors have no OR over labels, so a grant of several clauses is folded into
 * one, or the selector's own matchers choose one, or the selector is refused with what to add.
 * Ownership: built in the snapshot's arena, const afterwards; results live in the arena given to the call.
 */
#ifndef WEIR_TENANTS_GRANTS_H
#define WEIR_TENANTS_GRANTS_H

#include "tenants/clause.h"

enum signal { SIGNAL_METRICS, SIGNAL_LOGS, SIGNAL_TRACES, SIGNAL_COUNT };

#define GRANTS_CLAUSES_MAX 32

struct grants {
	bool all;                           /* everything of the tenant: no matcher is added */
	const struct grant_clause *clauses; /* any of; empty and not `all` = nothing is granted */
	size_t len;
};

/* The OR of two grants; a clause that another one covers is left out. ERR_LIMIT above GRANTS_CLAUSES_MAX. */
MUST_USE enum err_code grants_union(struct arena *a, const struct grants *x, const struct grants *y,
                                    struct grants *ret, struct err *reterr);
/* The AND of two grants: every pair of clauses; terms over the same label stay as two terms. ERR_LIMIT as above. */
MUST_USE enum err_code grants_intersect(struct arena *a, const struct grants *x, const struct grants *y,
                                        struct grants *ret, struct err *reterr);

/* True when the regular expression is nothing but a list of plain texts, which are then set. Whoever calls grants_choose brings
 * it: the parser of regular expressions stands in a folder above this one. */
typedef bool grants_plain_texts(struct arena *a, struct slice re, const struct slice **texts, size_t *len);
/* What to AND into a selector that already holds `have`: fold, else choose, else ERR_DENIED whose text says what to add.
 * A matcher of the selector rules a clause out when it is an equality, or a list of plain texts, and none of its texts meets
 * the clause. plain NULL: regular expressions rule nothing out. ret->len is 0 for `all`. */
MUST_USE enum err_code grants_choose(struct arena *a, const struct grants *g, const struct matchers *have,
                                     grants_plain_texts *plain, struct matchers *ret, struct err *reterr);

/* Every clause as its own list of matchers, for languages and calls that can say OR. *ret has g->len items. */
MUST_USE enum err_code grants_clauses(struct arena *a, const struct grants *g, struct matchers **ret, struct err *reterr);

#endif
