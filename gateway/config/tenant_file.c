/* tenant_file.c - see tenant_file.h. */
#include "config/tenant_file.h"

#include "backends/route.h"
#include "config/files.h"
#include "config/grants_file.h"

#define ZONEINFO "/usr/share/zoneinfo"

/* ---- id, time zone, policy ---- */

static struct slice read_id(const struct section *s)
{
	struct slice id = read_text(s, KEY_TENANT_ID);

	if (section_has(s, KEY_TENANT_ID) && !tenant_id_valid(id))
		report_error(s->rd->report, place_of(s, KEY_TENANT_ID), "\"%.*s\" cannot be a tenant's id: %s", SLICE_ARG(id),
		             key_row(KEY_TENANT_ID)->doc);
	return id;
}

static bool zone_name_fine(struct slice zone)
{
	for (size_t i = 0; i < zone.len; i++) {
		char c = ascii_lower(zone.ptr[i]);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || memchr("_+-/", c, 4) != NULL))
			return false;
	}
	return zone.len > 0 && zone.len <= 64 && zone.ptr[0] != '/';
}

/* a name of the system's table; a machine without the table cannot tell */
static struct slice read_zone(const struct section *s)
{
	struct slice zone = read_text(s, KEY_TENANT_TIME_ZONE), path;
	bool fine = zone_name_fine(zone), table = files_check(SLICE(ZONEINFO), true, &(unsigned){ 0 }, NULL) == ERR_OK;

	if (fine && table) {
		s->rd->no_memory |= !files_absolute(s->rd->arena, SLICE(ZONEINFO), zone, &path);
		fine = s->rd->no_memory || files_check(path, false, &(unsigned){ 0 }, NULL) == ERR_OK;
	}
	if (!fine)
		report_error(s->rd->report, place_of(s, KEY_TENANT_TIME_ZONE), "\"%.*s\" is not a time zone: an IANA name, as Europe/Berlin",
		             SLICE_ARG(zone));
	return zone;
}

static void check_policy(const struct section *s)
{
	const struct yaml_node *n = section_has(s, KEY_TENANT_POLICY) ? yaml_get(s->map, SLICE("policy")) : NULL;

	if (n == NULL || (n->type == YAML_TEXT && slice_eq(n->text, SLICE("none"))))
		return;
	report_error(s->rd->report, n->at, "Lua policies are not served by this version: write `policy: none`; groups, roles, grants and "
	             "limits hold without one");
}

/* ---- backends ---- */

/* Two backends whose callers would send the same paths must be told apart by a prefix. */
static void check_paths(const struct section *s, const struct yaml_node *at, const struct backend *b, const struct backend *const *before,
                        size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (before[i]->dialect == b->dialect && slice_eq(before[i]->prefix, b->prefix))
			report_error(s->rd->report, at->at, "backends %.*s and %.*s have the same paths: give each a `prefix: /name` in weir.yaml",
			             SLICE_ARG(before[i]->name), SLICE_ARG(b->name));
}

static void read_backends(const struct section *s, const struct snapshot *snap, struct tenant *t)
{
	struct reader *rd = s->rd;
	const struct yaml_node *list = yaml_get(s->map, SLICE("backends"));
	struct slices names = read_texts(s, KEY_TENANT_BACKENDS);
	const struct backend **found = ARENA_ARRAY(rd->arena, names.len, const struct backend *);
	size_t len = 0;

	t->backends = names.v;
	t->backends_len = names.len;
	if (!reader_has(rd, found))
		return;
	if (list != NULL && list->type == YAML_LIST && list->len == 0)
		report_error(rd->report, list->at, "backends must name at least one backend");
	for (size_t i = 0; i < names.len; i++) {
		const struct yaml_node *at = text_node(s, KEY_TENANT_BACKENDS, names.v[i]);
		const struct backend *b = snapshot_backend(snap, names.v[i]);

		if (b == NULL) {
			report_error(rd->report, at->at, "there is no backend \"%.*s\" in weir.yaml", SLICE_ARG(names.v[i]));
			continue;
		}
		check_paths(s, at, b, found, len);
		found[len++] = b;
	}
}

/* the labels that name the tenant in its backends */
static struct slices tenant_labels(struct reader *rd, const struct snapshot *snap, const struct tenant *t)
{
	struct slice *labels = ARENA_ARRAY(rd->arena, t->backends_len, struct slice);
	struct slices ret = { labels, 0 };

	if (!reader_has(rd, labels))
		return ret;
	for (size_t i = 0; i < t->backends_len; i++) {
		const struct backend *b = snapshot_backend(snap, t->backends[i]);

		if (b != NULL && (b->isolation & ISOLATE_LABEL) != 0)
			labels[ret.len++] = b->label;
	}
	return ret;
}

/* ---- groups, roles ---- */

static void read_groups(const struct section *s, struct tenant *t)
{
	struct reader *rd = s->rd;
	const struct yaml_node *map = section_names(s, KEY_TENANT_GROUPS);
	struct tenant_group *list;

	if (map == NULL)
		return;
	list = ARENA_ARRAY(rd->arena, map->len, struct tenant_group);
	if (!reader_has(rd, list))
		return;
	for (size_t i = 0; i < map->len; i++) {
		struct slices patterns = read_patterns_at(rd, &map->items[i], "groups");

		read_name(rd, &map->items[i], "group");
		rd->no_memory |= !arena_dup(rd->arena, map->items[i].key, &list[i].name);
		list[i].patterns = patterns.v;
		list[i].patterns_len = patterns.len;
	}
	t->groups = list;
	t->groups_len = map->len;
}

/* Groups that are not there are errors; a role that nobody can have is a warning. groups: as written, NULL when there are none. */
static void check_role_groups(const struct section *s, const struct yaml_node *role, const struct yaml_node *groups,
                              const struct tenant_role *r)
{
	bool reached = false;

	for (size_t i = 0; i < r->groups_len; i++) {
		const struct yaml_node *g = groups == NULL ? NULL : yaml_get(groups, r->groups[i]);

		if (g == NULL)
			report_error(s->rd->report, text_node(s, KEY_ROLE_GROUPS, r->groups[i])->at, "there is no group \"%.*s\"",
			             SLICE_ARG(r->groups[i]));
		reached |= g == NULL || g->type != YAML_LIST || g->len > 0;
	}
	if (!reached && section_has(s, KEY_ROLE_GROUPS))
		report_warning(s->rd->report, role->key_at, "no group reaches role \"%.*s\"", SLICE_ARG(r->name));
}

static void read_role(struct reader *rd, const struct yaml_node *n, const struct yaml_node *group_map, struct slices labels,
                      struct tenant_role *r)
{
	struct section s = section_of(rd, n, SHAPE_ROLE);
	struct slices groups = read_texts(&s, KEY_ROLE_GROUPS);
	const struct yaml_node *grants = yaml_get(n, SLICE("grants"));

	read_name(rd, n, "role");
	rd->no_memory |= !arena_dup(rd->arena, n->key, &r->name);
	r->groups = groups.v;
	r->groups_len = groups.len;
	/* the words of the bounds stand in the order of enum may */
	r->may = read_choices(&s, KEY_ROLE_MAY);
	check_role_groups(&s, n, group_map, r);
	if (grants != NULL)
		grants_read(rd, grants, labels, r);
	else if ((r->may & (MAY_READ | MAY_RULES)) != 0)
		report_error(rd->report, n->at, "grants is missing: a role that reads must say what, or `grants: all`");
}

static void read_roles(const struct section *s, const struct snapshot *snap, struct tenant *t)
{
	struct reader *rd = s->rd;
	const struct yaml_node *map = section_names(s, KEY_TENANT_ROLES), *groups = yaml_get(s->map, SLICE("groups"));
	struct slices labels = tenant_labels(rd, snap, t);
	struct tenant_role *list;

	if (map == NULL)
		return;
	list = ARENA_ARRAY(rd->arena, map->len, struct tenant_role);
	if (!reader_has(rd, list))
		return;
	for (size_t i = 0; i < map->len; i++)
		if (reader_is_map(rd, &map->items[i], "roles"))
			read_role(rd, &map->items[i], groups, labels, &list[t->roles_len++]);
	t->roles = list;
}

static bool is_in_a_role(const struct tenant *t, struct slice group)
{
	for (size_t i = 0; i < t->roles_len; i++)
		for (size_t g = 0; g < t->roles[i].groups_len; g++)
			if (slice_eq(t->roles[i].groups[g], group))
				return true;
	return false;
}

/* an identity with no role is refused: a group that leads to none is likely forgotten */
static void warn_of_idle_groups(const struct section *s, const struct tenant *t)
{
	const struct yaml_node *groups = yaml_get(s->map, SLICE("groups"));

	for (size_t i = 0; i < t->groups_len; i++)
		if (!is_in_a_role(t, t->groups[i].name))
			report_warning(s->rd->report, groups->items[i].key_at, "group \"%.*s\" has no role: who is in no other group is refused",
			               SLICE_ARG(t->groups[i].name));
}

struct tenant *tenant_file_read(struct reader *rd, const struct yaml_node *root, const struct snapshot *snap,
                                const struct limits_frame *frame)
{
	struct tenant *t = ARENA_NEW(rd->arena, struct tenant);
	struct section s;
	unsigned passed;

	if (!reader_has(rd, t) || !reader_is_map(rd, root, "a tenant file"))
		return NULL;
	s = section_of(rd, root, SHAPE_TENANT);
	t->id = read_id(&s);
	t->time_zone = read_zone(&s);
	check_policy(&s);
	read_backends(&s, snap, t);
	read_groups(&s, t);
	read_roles(&s, snap, t);
	warn_of_idle_groups(&s, t);
	t->refuse_foreign_matcher = read_choice(&s, KEY_TENANT_FOREIGN_MATCHER) == 1;
	t->limits = limits_read(&s, frame);
	passed = read_choices(&s, KEY_TENANT_ALLOW_PARAMETERS);
	t->limits.fixed.allow_stats = (passed & 1) != 0;
	t->limits.fixed.allow_lookback_delta = (passed & 2) != 0;
	return t;
}
