/* tenant.c - see tenant.h. */
#include "tenants/tenant.h"

#include <stdlib.h>

static bool is_id_char(char c)
{
	char l = ascii_lower(c);

	return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

bool tenant_id_valid(struct slice id)
{
	if (id.len == 0 || id.len > TENANT_ID_MAX || strchr("_.-", id.ptr[0]) != NULL)
		return false;
	for (size_t i = 0; i < id.len; i++)
		if (!is_id_char(id.ptr[i]) || (i > 0 && id.ptr[i] == '.' && id.ptr[i - 1] == '.'))
			return false;
	return id.len < 5 || !slice_ieq(slice_from(id.ptr, 5), SLICE("weir-"));
}

/* patterns are valid since they were loaded; so is uri */
static bool group_has(const struct tenant_group *g, struct slice uri)
{
	for (size_t i = 0; i < g->patterns_len; i++)
		if (spiffe_match_valid(g->patterns[i], uri))
			return true;
	return false;
}

static bool contains(const struct slice *list, size_t len, struct slice s)
{
	for (size_t i = 0; i < len; i++)
		if (slice_eq(list[i], s))
			return true;
	return false;
}

static int by_text(const void *x, const void *y)
{
	return slice_cmp(*(const struct slice *)x, *(const struct slice *)y);
}

static int by_role_name(const void *x, const void *y)
{
	return slice_cmp((*(const struct tenant_role *const *)x)->name, (*(const struct tenant_role *const *)y)->name);
}

static bool role_has_one_of(const struct tenant_role *r, const struct slice *groups, size_t len)
{
	for (size_t i = 0; i < r->groups_len; i++)
		if (contains(groups, len, r->groups[i]))
			return true;
	return false;
}

enum err_code tenant_membership(struct arena *a, const struct tenant *t, const struct identity *who, struct membership *ret,
                                struct err *reterr)
{
	struct slice *groups = ARENA_ARRAY(a, t->groups_len, struct slice);
	const struct tenant_role **roles = ARENA_ARRAY(a, t->roles_len, const struct tenant_role *);
	struct membership m = { .groups = groups, .roles = roles };
	struct slice domain;

	if (groups == NULL || roles == NULL)
		return err_nomem(reterr);
	if (who->fault == IDENTITY_FINE && spiffe_valid(who->uri, &domain))
		for (size_t i = 0; i < t->groups_len; i++)
			if (group_has(&t->groups[i], who->uri))
				groups[m.groups_len++] = t->groups[i].name;
	qsort(groups, m.groups_len, sizeof(*groups), by_text);
	for (size_t i = 0; i < t->roles_len; i++) {
		if (!role_has_one_of(&t->roles[i], groups, m.groups_len))
			continue;
		roles[m.roles_len++] = &t->roles[i];
		m.may |= t->roles[i].may;
	}
	qsort(roles, m.roles_len, sizeof(const struct tenant_role *), by_role_name);
	*ret = m;
	return ERR_OK;
}

enum err_code membership_grants(struct arena *a, const struct membership *m, enum may may, enum signal signal, bool *named,
                                struct grants *ret, struct err *reterr)
{
	struct grants sum = { .all = false };
	bool any = false;

	for (size_t i = 0; i < m->roles_len; i++) {
		const struct tenant_role *r = m->roles[i];

		if ((r->may & may) == 0 || !r->signal_named[signal])
			continue;
		any = true;

		enum err_code rc = grants_union(a, &sum, &r->grants[signal], &sum, reterr);

		if (rc != ERR_OK)
			return rc;
	}
	*named = any;
	*ret = sum;
	return ERR_OK;
}
