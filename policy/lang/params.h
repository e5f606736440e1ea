/* params.h - match[] calls: selectors with a grammar of their own, several in one request.
 */
#ifndef WEIR_POLICY_LANG_PARAMS_H
#define WEIR_POLICY_LANG_PARAMS_H

#include "policy/stmt.h"

/* A statement of kind match from n texts; from none it holds one empty set, legal only once narrowed. */
MUST_USE enum err_code match_new(struct arena *a, const struct stmt_options *o, const struct slice *texts, size_t n,
                                 struct stmt **ret, struct err *reterr);
/* replaces every set by n copies, the i-th narrowed by clauses[i]; ERR_LIMIT over 64 sets */
MUST_USE enum err_code match_split(struct stmt *s, const struct matchers *clauses, size_t n, struct err *reterr);
/* stmt_print_checked for each set */
MUST_USE enum err_code match_print_checked(struct arena *a, const struct stmt *s, const struct matchers *guard,
                                           struct slice **texts, size_t *n, struct err *reterr);

#endif
