/* policy.c - see policy.h. */
#include "policy/policy.h"

#include "policy/lang/params.h"
#include "policy/lang/regexp.h"

static enum err_code refused(struct verdict *v, enum deny why, struct err *reterr)
{
	verdict_refuse(v, why, NULL);
	return err_set(reterr, ERR_DENIED, ERR_NOWHERE, "%s", deny_sentence(why));
}

/* what grants_choose asks of a regular expression */
static bool plain_texts(struct arena *a, struct slice re, const struct slice **texts, size_t *len)
{
	struct regexp_facts f;

	if (regexp_check(a, re, &f, NULL) != ERR_OK || !f.plain)
		return false;
	*texts = f.texts;
	*len = f.texts_len;
	return true;
}

/* match[] calls can say OR: one copy of the selector for each clause */
static enum err_code narrow_by_copies(struct arena *a, struct stmt *s, const struct grants *g, struct err *reterr)
{
	struct matchers *clauses;
	enum err_code rc = grants_clauses(a, g, &clauses, reterr);

	return rc != ERR_OK ? rc : match_split(s, clauses, g->len, reterr);
}

static enum err_code narrow(struct arena *a, struct stmt *s, const struct grants *g, struct verdict *v, struct err *reterr)
{
	if (g->all || s->sets.len == 0)
		return ERR_OK;
	v->rewritten = true;
	if (s->kind == stmt_kind_by_id(STMT_MATCH) && g->len > 1)
		return narrow_by_copies(a, s, g, reterr);
	for (size_t i = 0; i < s->sets.len; i++) {
		struct label_set *set = s->sets.v[i];
		struct matchers have = { set->v, set->len }, more;
		enum err_code rc = grants_choose(a, g, &have, plain_texts, &more, reterr);

		if (rc == ERR_OK)
			rc = stmt_narrow_set(s, set, &more, reterr);
		if (rc != ERR_OK)
			return rc;
	}
	return ERR_OK;
}

enum err_code policy_decide(struct arena *a, const struct policy_ask *ask, struct verdict *v, struct err *reterr)
{
	struct membership m;
	struct grants g;
	bool named = false;
	enum err_code rc = tenant_membership(a, ask->tenant, ask->who, &m, reterr);

	if (rc != ERR_OK)
		return rc;
	if (m.roles_len == 0)
		return refused(v, DENY_NO_ROLE, reterr);
	if ((m.may & MAY_READ) == 0)
		return refused(v, DENY_MAY_NOT, reterr);
	rc = membership_grants(a, &m, MAY_READ, ask->signal, &named, &g, reterr);
	if (rc != ERR_OK)
		return rc;
	if (!named)
		return refused(v, DENY_SIGNAL, reterr);
	if (ask->stmt == NULL)
		return ERR_OK;
	if (ask->tenant->refuse_foreign_matcher && ask->label.len > 0 && facts_conflict(ask->facts, ask->label, ask->tenant->id))
		return refused(v, DENY_FOREIGN_MATCHER, reterr);
	if (!g.all && g.len == 0)
		return refused(v, DENY_NOTHING_LEFT, reterr);
	return narrow(a, ask->stmt, &g, v, reterr);
}
