/* policy.h - from who asks and what is asked to what may be seen: roles, grants, and the guard of the tenant.
 *
 * Everything here takes away and never adds. Source: the design note on policies, sections 1 and 5.
 */
#ifndef WEIR_POLICY_POLICY_H
#define WEIR_POLICY_POLICY_H

#include "policy/facts.h"
#include "policy/verdict.h"
#include "tenants/tenant.h"

struct policy_ask {
	const struct tenant *tenant;
	const struct identity *who;
	enum signal signal;
	struct slice label;          /* the tenant label; empty in header mode */
	struct stmt *stmt;           /* NULL for calls that read nothing of the tenant's */
	const struct facts *facts;   /* of stmt */
};

/* Roles and grants, then AND of the grants into every selector of stmt (fold, choose, or P010). Sets *v: still a refusal, with
 * its reason, or `allow` left to the caller when ERR_OK is returned; v->rewritten when a matcher was added. */
MUST_USE enum err_code policy_decide(struct arena *a, const struct policy_ask *ask, struct verdict *v, struct err *reterr);

#endif
