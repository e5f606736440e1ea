/* grants.h - what a role may see: an OR of clauses, a clause being an AND of label values.
 *
 * A value is a text (equal), a text with `*` (glob; `\*` is a star), or a list of both (any of); it prints as one
 * matcher and never matches a missing label. See the design of policies: fold, choose, refuse.
 * Ownership: built in the snapshot's arena, const afterwards; results of grants_choose live in the caller's arena.
 */
#ifndef WEIR_TENANTS_GRANTS_H
#define WEIR_TENANTS_GRANTS_H

#include "base/err.h"
#include "base/strbuf.h"
#include "tenants/matcher.h"

enum signal { SIGNAL_METRICS, SIGNAL_LOGS, SIGNAL_TRACES, SIGNAL_COUNT };

#define GRANTS_CLAUSES_MAX 32

struct grant_value {
	struct slice text;              /* as written: with `*` and `\*` when glob is set */
	bool glob;
};

struct grant_term {
	struct slice label;
	const struct grant_value *values;   /* any of; at least one */
	size_t values_len;
};

struct grant_clause {
	const struct grant_term *terms;     /* all of, sorted by label; at least one */
	size_t terms_len;
};

struct grants {
	bool all;                           /* everything of the tenant: no matcher is added */
	const struct grant_clause *clauses; /* any of; empty and not `all` = nothing is granted */
	size_t len;
};

/* The OR of two grants; equal clauses once. ERR_LIMIT above GRANTS_CLAUSES_MAX. */
MUST_USE enum err_code grants_union(struct arena *a, const struct grants *x, const struct grants *y,
                                    struct grants *ret, struct err *reterr);
/* The AND of two grants: every pair of clauses; terms over the same label stay as two terms. ERR_LIMIT as above. */
MUST_USE enum err_code grants_intersect(struct arena *a, const struct grants *x, const struct grants *y,
                                        struct grants *ret, struct err *reterr);
/* The matcher that one term prints as: equality for one plain text, else an anchored regular expression in which all
 * but our own `.*` is quoted; a value that could match the empty text prints so that it does not (`*` is `.+`). */
MUST_USE enum err_code grant_term_matcher(struct arena *a, const struct grant_term *t, struct matcher *ret, struct err *reterr);
/* What to AND into a selector that already holds `have`: fold, else choose, else ERR_DENIED whose text says what to add.
 * ret->len is 0 for `all`. */
MUST_USE enum err_code grants_choose(struct arena *a, const struct grants *g, const struct matchers *have,
                                     struct matchers *ret, struct err *reterr);
/* Every clause as its own list of matchers, for languages and calls that can say OR. *ret has g->len items. */
MUST_USE enum err_code grants_clauses(struct arena *a, const struct grants *g, struct matchers **ret, struct err *reterr);

#endif
