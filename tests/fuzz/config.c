/* Any text as a tenant file and as weir.yaml: it is read or refused with a place, and what is read without an error is sound. */
#include "fuzz.h"

#include "backends/route.h"
#include "config/edge.h"
#include "config/stores.h"
#include "config/tenant_file.h"

static void check_findings(const struct report *r, size_t size)
{
	for (size_t i = 0; i < r->len; i++) {
		must(r->v[i].text.len > 0);
		must(r->v[i].at.line <= size + 1 && r->v[i].at.column <= size + 1);
	}
}

static void check_clause(struct arena *a, const struct grant_clause *c)
{
	struct matchers m;

	must(c->terms_len > 0);
	must(grant_clause_matchers(a, c, &m, NULL) != ERR_LIMIT);
	for (size_t t = 0; t < c->terms_len; t++)
		must(!grant_term_meets(&c->terms[t], SLICE("")));
}

/* a tenant without an error: nothing of it surprises whoever uses it */
static void check_tenant(struct arena *a, const struct tenant *t)
{
	must(tenant_id_valid(t->id) && t->backends_len > 0);
	for (size_t g = 0; g < t->groups_len; g++)
		for (size_t p = 0; p < t->groups[g].patterns_len; p++)
			must(spiffe_pattern_valid(t->groups[g].patterns[p]));
	for (size_t i = 0; i < t->roles_len; i++) {
		const struct tenant_role *r = &t->roles[i];

		must(r->may != 0);
		for (enum signal s = 0; s < SIGNAL_COUNT; s++) {
			must(r->signal_named[s] ? r->grants[s].all || r->grants[s].len > 0 : r->grants[s].len == 0);
			for (size_t c = 0; c < r->grants[s].len; c++)
				check_clause(a, &r->grants[s].clauses[c]);
		}
	}
}

static void read_as_tenant(struct arena *a, struct report *r, const struct yaml_node *root, bool plain, struct limits_frame *frame)
{
	struct backend metrics = {
		.name = SLICE_INIT("metrics"), .dialect = dialect_at(0), .isolation = ISOLATE_LABEL, .label = SLICE_INIT("t"),
	};
	struct snapshot snap = { .backends = &metrics, .backends_len = 1 };
	struct slice domain = SLICE("example.org");
	struct reader rd = { .arena = a, .report = r, .folder = SLICE_INIT("/nowhere"), .domains = { &domain, 1 } };
	size_t before = r->errors;
	struct tenant *t = tenant_file_read(&rd, root, &snap, frame);

	if (plain && r->errors == before && !rd.no_memory)
		check_tenant(a, t);
}

static void read_as_weir(struct arena *a, struct report *r, const struct yaml_node *root, bool plain, struct limits_frame *frame)
{
	struct snapshot snap = { .generation = 1 };
	struct reader rd = { .arena = a, .report = r, .folder = SLICE_INIT("/nowhere") };
	struct section s = section_of(&rd, root->type == YAML_MAP ? root : NULL, SHAPE_WEIR);
	size_t before = r->errors;
	bool sound;

	edge_read(&s, &snap);
	settings_read(&s, &snap, frame);
	stores_read(&s, &snap);
	sound = plain && r->errors == before && !rd.no_memory;
	for (size_t i = 0; sound && i < snap.listeners_len; i++)
		must(snap.listeners[i].serve != 0 && (snap.listeners[i].tls != NULL || snap.listeners[i].serve == SERVE_HEALTH));
	for (size_t i = 0; sound && i < snap.backends_len; i++)
		must(snap.backends[i].isolation != 0 && snap.backends[i].dialect != NULL && snap.backends[i].host.len > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	struct report r;
	struct limits_frame frame;
	const struct yaml_node *root;

	arena_init(&a, 16 << 20);
	report_init(&r, &a);
	root = yaml_parse(&a, SLICE("f"), fuzz_input(data, size), &r);
	must(root != NULL || r.errors > 0);
	if (root != NULL) {
		bool plain = r.errors == 0;       /* else there are holes in the tree, reported already */

		read_as_weir(&a, &r, root, plain, &frame);
		read_as_tenant(&a, &r, root, plain, &frame);
	}
	check_findings(&r, size);
	arena_done(&a);
	return 0;
}
