/* tenant.h - one tenant: groups, roles, grants, limits, backends. Made by config, never changes afterwards.
 *
 * Ownership: lives in the snapshot's arena; everything returned is borrowed from it.
 */
#ifndef WEIR_TENANTS_TENANT_H
#define WEIR_TENANTS_TENANT_H

#include "base/err.h"
#include "tenants/grants.h"
#include "tenants/identity.h"
#include "tenants/limits.h"
#include "tenants/spiffe.h"

#define TENANT_ID_MAX 64

enum may { MAY_READ = 1, MAY_WRITE = 2, MAY_RULES = 4, MAY_AUDIT = 8 };

struct tenant_group {
	struct slice name;
	const struct slice *patterns;   /* SPIFFE ids; `*` is one path segment */
	size_t patterns_len;
};

struct tenant_role {
	struct slice name;
	const struct slice *groups;     /* names; each exists */
	size_t groups_len;
	unsigned may;                   /* enum may, ORed */
	bool signal_named[SIGNAL_COUNT];/* false: this role has no access to that signal */
	struct grants grants[SIGNAL_COUNT];
};

struct tenant {
	struct slice id;
	size_t index;                   /* place in the registry; stable within a snapshot */
	struct slice time_zone;         /* IANA name; "UTC" when the file does not say */
	const struct slice *backends;   /* names; each exists in weir.yaml */
	size_t backends_len;
	const struct tenant_group *groups;
	size_t groups_len;
	const struct tenant_role *roles;
	size_t roles_len;
	bool refuse_foreign_matcher;    /* foreign_matcher: refuse */
	struct tenant_limits limits;
};

/* what one caller is inside one tenant */
struct membership {
	const struct slice *groups;     /* sorted */
	size_t groups_len;
	const struct tenant_role **roles;   /* sorted by name */
	size_t roles_len;
	unsigned may;                   /* OR of the roles */
};

/* 1 to 64 of [A-Za-z0-9_.-], begins with a letter or digit, no "..", not "weir-..." */
bool tenant_id_valid(struct slice id);

/* The groups and roles of an identity in t; none at all when the identity has a fault. */
MUST_USE enum err_code tenant_membership(struct arena *a, const struct tenant *t, const struct identity *who,
                                         struct membership *ret, struct err *reterr);
/* The OR of the grants of those roles that may do `may` on `signal`. *named is false when no such role names the signal. */
MUST_USE enum err_code membership_grants(struct arena *a, const struct membership *m, enum may may, enum signal signal,
                                         bool *named, struct grants *ret, struct err *reterr);

#endif
