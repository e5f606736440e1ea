/* tenants_folder.c - see tenants_folder.h. */
#include "config/tenants_folder.h"

#include "config/files.h"
#include "config/tenant_file.h"

static bool ends_in(struct slice s, struct slice end)
{
	return s.len > end.len && slice_eq(slice_skip(s, s.len - end.len), end);
}

/* one tenant and the tree it was read from, for the places of what is found later */
struct source {
	struct tenant *tenant;
	const struct yaml_node *root;
};

/* the file of the folder as a tenant; NULL when it is none */
static struct tenant *read_file(struct load *l, struct reader *rd, struct slice folder, struct slice shown, struct slice name,
                                const struct limits_frame *frame, const struct yaml_node **root)
{
	struct reader own = { .arena = rd->arena, .report = rd->report, .folder = folder, .domains = rd->domains };
	struct slice path, shown_path;
	struct strbuf named;
	struct tenant *t;

	strbuf_init(&named, &l->scratch, 512);
	strbuf_lit(&named, "tenants/");
	strbuf_add(&named, name);
	if (named.full || !files_absolute(&l->scratch, folder, name, &path) ||
	    !files_absolute(l->report->arena, shown, name, &shown_path)) {
		l->no_memory = true;
		return NULL;
	}
	*root = load_yaml(l, path, shown_path, strbuf_slice(&named));
	if (*root == NULL)
		return NULL;
	t = tenant_file_read(&own, *root, l->snap, frame);
	l->no_memory |= own.no_memory;
	return t;
}

/* ---- clashes ---- */

static const struct source *source_of(const struct source *list, size_t len, const struct tenant *t)
{
	for (size_t i = 0; i < len; i++)
		if (list[i].tenant == t)
			return &list[i];
	return list;
}

/* where a pattern stands in a tenant's file */
static struct place place_of_pattern(const struct source *s, struct slice pattern)
{
	const struct yaml_node *groups = yaml_get(s->root, SLICE("groups"));

	for (size_t i = 0; groups != NULL && i < groups->len; i++) {
		const struct yaml_node *g = &groups->items[i];

		if (g->type == YAML_TEXT && slice_eq(g->text, pattern))
			return g->at;
		for (size_t p = 0; p < g->len; p++)
			if (slice_eq(g->items[p].text, pattern))
				return g->items[p].at;
	}
	return s->root->at;
}

static void say_clash(struct load *l, const struct source *list, size_t len, const struct registry_clash *c)
{
	const struct source *a = source_of(list, len, c->a), *b = source_of(list, len, c->b);
	const struct yaml_node *id = yaml_get(b->root, SLICE("id"));

	if (c->pattern_a.len == 0)
		report_error(l->report, id == NULL ? b->root->at : id->at, "tenant id \"%.*s\" stands in %.*s already%s", SLICE_ARG(c->b->id),
		             SLICE_ARG(a->root->at.file), slice_eq(c->a->id, c->b->id) ? "" : ", but for the case of its letters");
	else
		report_error(l->report, place_of_pattern(b, c->pattern_b), "\"%.*s\" and \"%.*s\" of tenant %.*s (%.*s) match the same identities; "
		             "put what is shared under shared_identities of weir.yaml", SLICE_ARG(c->pattern_b), SLICE_ARG(c->pattern_a),
		             SLICE_ARG(c->a->id), SLICE_ARG(a->root->at.file));
}

static void find_clashes(struct load *l, const struct source *list, size_t len, struct tenant **tenants)
{
	struct registry_clash *found = ARENA_ARRAY(&l->scratch, REPORT_MAX, struct registry_clash);
	size_t found_len = 0;

	if (found == NULL || registry_clashes(&l->scratch, tenants, len, l->snap->shared_identities, l->snap->shared_identities_len, found,
	                                      REPORT_MAX, &found_len, NULL) != ERR_OK) {
		l->no_memory = true;
		return;
	}
	for (size_t i = 0; i < found_len; i++)
		say_clash(l, list, len, &found[i]);
}

/* With errors there is no registry, and no snapshot is given out. */
static void build_registry(struct load *l, const struct source *list, size_t len)
{
	struct tenant **tenants = ARENA_ARRAY(&l->snap->arena, len, struct tenant *);
	struct registry *r;

	if (tenants == NULL) {
		l->no_memory = true;
		return;
	}
	for (size_t i = 0; i < len; i++)
		tenants[i] = list[i].tenant;
	find_clashes(l, list, len, tenants);
	if (l->no_memory || l->report->errors > 0)
		return;
	if (registry_new(&l->snap->arena, tenants, len, l->snap->shared_identities, l->snap->shared_identities_len, &r, NULL) != ERR_OK)
		l->no_memory = true;
	else
		l->snap->tenants = r;
}

void tenants_read(struct load *l, struct reader *rd, struct slice folder, struct slice shown, struct place at,
                  const struct limits_frame *frame)
{
	const struct slice *names = NULL;
	struct source *list;
	size_t names_len = 0, len = 0;
	struct err e;

	if (files_list(&l->scratch, folder, TENANT_FILES_MAX, &names, &names_len, &e) != ERR_OK) {
		l->no_memory |= e.code == ERR_NOMEM;
		report_error(l->report, at, "tenants: %s", e.text);
		return;
	}
	list = ARENA_ARRAY(&l->scratch, names_len, struct source);
	if (list == NULL) {
		l->no_memory = true;
		return;
	}
	for (size_t i = 0; i < names_len && !l->no_memory; i++) {
		if (ends_in(names[i], SLICE(".yml")))
			report_warning(l->report, at, "%.*s in the folder is not read: tenant files end in .yaml", SLICE_ARG(names[i]));
		if (!ends_in(names[i], SLICE(".yaml")))
			continue;
		list[len].tenant = read_file(l, rd, folder, shown, names[i], frame, &list[len].root);
		/* who has no valid id has been told, and can clash with nobody */
		len += list[len].tenant != NULL && tenant_id_valid(list[len].tenant->id);
	}
	if (len == 0 && l->report->errors == 0)
		report_warning(l->report, at, "there is no tenant: nobody can do anything");
	if (!l->no_memory)
		build_registry(l, list, len);
}
