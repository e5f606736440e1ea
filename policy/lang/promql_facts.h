/* promql_facts.h - facts of PromQL trees and of single selectors.
 */
#ifndef WEIR_POLICY_LANG_PROMQL_FACTS_H
#define WEIR_POLICY_LANG_PROMQL_FACTS_H

#include "policy/facts.h"

/* the parts of a stmt_kind; see stmt.h */
enum err_code promql_facts(struct arena *a, const struct stmt *s, struct facts *ret, struct err *reterr);
enum err_code promql_times(struct arena *a, const struct stmt *s, struct facts *ret, struct err *reterr);

/* The facts of all sets of a statement whose sets are selectors, without ranges and times: selectors, regexps,
 * longest_regexp, is_constant. */
MUST_USE enum err_code promql_selector_facts(struct arena *a, const struct stmt *s, struct facts *ret, struct err *reterr);

#endif
