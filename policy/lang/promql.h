/* promql.h - PromQL of Prometheus 3.16 as a kind of statement. See README.md for how its files share the work.
 */
#ifndef WEIR_POLICY_LANG_PROMQL_H
#define WEIR_POLICY_LANG_PROMQL_H

#include "policy/stmt.h"

extern const struct stmt_kind promql_kind;

#endif
