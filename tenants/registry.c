/* registry.c - a tree over the segments of all patterns; see registry.h.
 *
 * A node stands for the segments on the way to it; at each, `*` has a child of its own. A lookup follows the literal child and
 * the star, so it sees only nodes that match so far, at most as many on one level as there are patterns.
 */
#include "tenants/registry.h"

#include "base/map.h"

#define SEGMENTS_MAX (SPIFFE_PATTERN_SEGMENTS_MAX + 1)

/* one tenant that claims what the node stands for; several only under shared_identities */
struct claim {
	const struct claim *next;
	const struct tenant *tenant;
	struct slice pattern;
};

struct node {
	struct map literals;              /* segment to struct node */
	struct node *star;
	const struct claim *claims;
};

struct registry {
	struct tenant **tenants;
	size_t len;
	struct map by_id;
	struct node root;
};

struct segments {
	struct slice v[SEGMENTS_MAX];
	size_t len;
};

/* false when there are more than any pattern has */
static bool split(struct slice uri, struct segments *ret)
{
	ret->len = spiffe_split(uri, ret->v, SEGMENTS_MAX);
	return ret->len <= SEGMENTS_MAX;
}

static bool is_star(struct slice s)
{
	return slice_eq(s, SLICE("*"));
}

/* ---- building, with the search for clashes ---- */

struct build {
	struct arena *arena;
	const struct slice *shared;
	size_t shared_len, patterns;
	struct registry_clash *clashes;
	size_t clashes_max, clashes_len;
};

/* what both patterns match, segment by segment: the more special of each two */
static void meet(const struct segments *x, const struct segments *y, struct segments *ret)
{
	ret->len = x->len;
	for (size_t i = 0; i < x->len; i++)
		ret->v[i] = is_star(x->v[i]) ? y->v[i] : x->v[i];
}

static bool covers(const struct segments *wide, const struct segments *narrow)
{
	if (wide->len != narrow->len)
		return false;
	for (size_t i = 0; i < wide->len; i++)
		if (!is_star(wide->v[i]) && !slice_eq(wide->v[i], narrow->v[i]))
			return false;
	return true;
}

/* A star stands for endlessly many segments, so patterns together cover what has a star only when one of them does alone. */
static bool is_shared(const struct build *b, const struct segments *common)
{
	struct segments s;

	for (size_t i = 0; i < b->shared_len; i++)
		if (split(b->shared[i], &s) && covers(&s, common))
			return true;
	return false;
}

static void add_clash(struct build *b, struct registry_clash c)
{
	for (size_t i = 0; i < b->clashes_len; i++)
		if (b->clashes[i].a == c.a && b->clashes[i].b == c.b)
			return;                   /* one for each two tenants says enough */
	if (b->clashes_len < b->clashes_max)
		b->clashes[b->clashes_len++] = c;
}

/* The claims of one node have one pattern in common: whether it may be shared is asked once. */
static void clash_with(struct build *b, const struct node *n, const struct tenant *t, struct slice pattern, const struct segments *segs)
{
	struct segments other, common;
	const struct claim *c = n->claims;

	while (c != NULL && c->tenant == t)
		c = c->next;
	if (c == NULL || !split(c->pattern, &other))
		return;
	meet(&other, segs, &common);
	if (!is_shared(b, &common))
		add_clash(b, (struct registry_clash){ c->tenant, t, c->pattern, pattern });
}

/* every node that some id below both can reach; at is the depth, at most SEGMENTS_MAX */
static void find_clashes(struct build *b, const struct node *n, size_t at, const struct tenant *t, struct slice pattern,
                         const struct segments *segs)
{
	if (b->clashes_len == b->clashes_max)
		return;
	if (at == segs->len) {
		clash_with(b, n, t, pattern, segs);
		return;
	}
	if (n->star != NULL)
		find_clashes(b, n->star, at + 1, t, pattern, segs);
	if (!is_star(segs->v[at])) {
		const struct node *child = map_get(&n->literals, segs->v[at]);

		if (child != NULL)
			find_clashes(b, child, at + 1, t, pattern, segs);
		return;
	}
	for (size_t i = 0; i < n->literals.cap; i++)
		if (n->literals.slots[i].value != NULL)
			find_clashes(b, n->literals.slots[i].value, at + 1, t, pattern, segs);
}

/* the child of n for one segment, made when it is not there yet; NULL without memory */
static struct node *child_of(struct build *b, struct node *n, struct slice segment)
{
	struct node *child = is_star(segment) ? n->star : map_get(&n->literals, segment);

	if (child != NULL)
		return child;
	child = ARENA_NEW(b->arena, struct node);
	if (child == NULL)
		return NULL;
	map_init(&child->literals, b->arena, b->patterns);
	if (is_star(segment))
		n->star = child;
	else if (!map_put(&n->literals, segment, child))
		return NULL;
	return child;
}

static bool add_pattern(struct build *b, struct node *root, const struct tenant *t, struct slice pattern)
{
	struct segments segs;
	struct node *n = root;

	if (!split(pattern, &segs))
		return true;                  /* longer than a valid pattern: matches nothing */
	find_clashes(b, root, 0, t, pattern, &segs);
	for (size_t i = 0; i < segs.len; i++) {
		n = child_of(b, n, segs.v[i]);
		if (n == NULL)
			return false;
	}

	struct claim *c = ARENA_NEW(b->arena, struct claim);

	if (c == NULL)
		return false;
	*c = (struct claim){ .next = n->claims, .tenant = t, .pattern = pattern };
	n->claims = c;
	return true;
}

/* id in small letters; it is at most TENANT_ID_MAX long */
static struct slice fold_case(struct slice id, char space[TENANT_ID_MAX])
{
	for (size_t i = 0; i < id.len; i++)
		space[i] = ascii_lower(id.ptr[i]);
	return slice_from(space, id.len);
}

static bool add_tenant(struct build *b, struct registry *r, struct tenant *t)
{
	char space[TENANT_ID_MAX];
	struct slice id = fold_case(t->id, space);
	const struct tenant *other = map_get(&r->by_id, id);

	if (other != NULL)
		add_clash(b, (struct registry_clash){ .a = other, .b = t });
	else if (!arena_dup(b->arena, id, &id) || !map_put(&r->by_id, id, t))
		return false;
	for (size_t g = 0; g < t->groups_len; g++)
		for (size_t p = 0; p < t->groups[g].patterns_len; p++)
			if (!add_pattern(b, &r->root, t, t->groups[g].patterns[p]))
				return false;
	return true;
}

static size_t count_patterns(struct tenant **tenants, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		for (size_t g = 0; g < tenants[i]->groups_len; g++)
			n += tenants[i]->groups[g].patterns_len;
	return n;
}

static enum err_code say_clash(const struct registry_clash *c, struct err *reterr)
{
	if (c->pattern_a.len == 0)
		return err_set(reterr, ERR_EXISTS, ERR_NOWHERE, "the ids of tenants %.*s and %.*s are equal but for case",
		               SLICE_ARG(c->a->id), SLICE_ARG(c->b->id));
	return err_set(reterr, ERR_EXISTS, ERR_NOWHERE, "tenants %.*s and %.*s both claim identities by %.*s and %.*s",
	               SLICE_ARG(c->a->id), SLICE_ARG(c->b->id), SLICE_ARG(c->pattern_a), SLICE_ARG(c->pattern_b));
}

/* the whole registry, with what clashes in b; NULL without memory */
static struct registry *build_tree(struct build *b, struct tenant **tenants, size_t len)
{
	struct registry *r = ARENA_NEW(b->arena, struct registry);

	if (r == NULL)
		return NULL;
	*r = (struct registry){ .tenants = tenants, .len = len };
	b->patterns = count_patterns(tenants, len);
	map_init(&r->by_id, b->arena, len);
	map_init(&r->root.literals, b->arena, b->patterns);
	for (size_t i = 0; i < len; i++) {
		tenants[i]->index = i;
		if (!add_tenant(b, r, tenants[i]))
			return NULL;
	}
	return r;
}

enum err_code registry_new(struct arena *a, struct tenant **tenants, size_t len, const struct slice *shared, size_t shared_len,
                           struct registry **ret, struct err *reterr)
{
	struct registry_clash clash;
	struct build b = { .arena = a, .shared = shared, .shared_len = shared_len, .clashes = &clash, .clashes_max = 1 };
	struct registry *r = build_tree(&b, tenants, len);

	if (r == NULL)
		return err_nomem(reterr);
	if (b.clashes_len > 0)
		return say_clash(&clash, reterr);
	*ret = r;
	return ERR_OK;
}

enum err_code registry_clashes(struct arena *a, struct tenant **tenants, size_t len, const struct slice *shared, size_t shared_len,
                               struct registry_clash *ret, size_t max, size_t *ret_len, struct err *reterr)
{
	struct build b = { .arena = a, .shared = shared, .shared_len = shared_len, .clashes = ret, .clashes_max = max };

	if (build_tree(&b, tenants, len) == NULL)
		return err_nomem(reterr);
	*ret_len = b.clashes_len;
	return ERR_OK;
}

/* ---- looking up ---- */

size_t registry_len(const struct registry *r)
{
	return r->len;
}

const struct tenant *registry_at(const struct registry *r, size_t index)
{
	return index < r->len ? r->tenants[index] : NULL;
}

const struct tenant *registry_by_id(const struct registry *r, struct slice id)
{
	char folded[TENANT_ID_MAX];
	const struct tenant *t = id.len > sizeof(folded) ? NULL : map_get(&r->by_id, fold_case(id, folded));

	return t != NULL && slice_eq(t->id, id) ? t : NULL;
}

/* who claims one URI; only: the one tenant asked for, or NULL for all */
struct lookup {
	struct segments segs;
	const struct tenant *only, *first;
	size_t found;                     /* tenants that differ, 2 at most */
};

static void look(struct lookup *l, const struct node *n, size_t at)
{
	if (n == NULL || l->found == 2)
		return;
	if (at < l->segs.len) {
		look(l, map_get(&n->literals, l->segs.v[at]), at + 1);
		look(l, n->star, at + 1);
		return;
	}
	for (const struct claim *c = n->claims; c != NULL && l->found < 2; c = c->next) {
		if (c->tenant == l->first || (l->only != NULL && c->tenant != l->only))
			continue;
		if (l->found++ == 0)
			l->first = c->tenant;
	}
}

static size_t lookup(const struct registry *r, struct slice uri, const struct tenant *only, const struct tenant **first)
{
	struct lookup l = { .only = only };
	struct slice domain;

	if (!spiffe_valid(uri, &domain) || !split(uri, &l.segs))
		return 0;
	look(&l, &r->root, 0);
	if (l.found > 0)
		*first = l.first;
	return l.found;
}

size_t registry_find(const struct registry *r, struct slice uri, const struct tenant **first)
{
	return lookup(r, uri, NULL, first);
}

bool registry_claims(const struct registry *r, const struct tenant *t, struct slice uri)
{
	const struct tenant *found;

	return lookup(r, uri, t, &found) > 0;
}
