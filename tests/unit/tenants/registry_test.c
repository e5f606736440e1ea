#include "tenants/registry.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* one tenant with one group that holds all patterns, given as one text with blanks between */
static struct tenant *tenant(struct arena *a, const char *id, const char *patterns)
{
	struct tenant *t = ARENA_NEW(a, struct tenant);
	struct tenant_group *g = ARENA_NEW(a, struct tenant_group);
	struct slice *list = ARENA_ARRAY(a, 16, struct slice), rest = slice_cstr(patterns), text;

	*g = (struct tenant_group){ .name = SLICE("all"), .patterns = list };
	while (rest.len > 0) {
		struct slice one = slice_from(rest.ptr, slice_find(rest, ' '));

		list[g->patterns_len++] = one;
		rest = slice_skip(rest, one.len + 1);
	}
	assert_true(arena_dup(a, slice_cstr(id), &text));
	*t = (struct tenant){ .id = text, .groups = g, .groups_len = 1 };
	return t;
}

/* patterns of acme and globex, those that are shared, and what is said: NULL = no clash */
static const struct {
	const char *acme, *globex, *shared, *want;
} clashes[] = {
	{ "spiffe://d/acme/*", "spiffe://d/globex/*", "", NULL },
	{ "spiffe://d/acme/*", "spiffe://d/acme/*/x", "", NULL },
	{ "spiffe://d/acme/*", "spiffe://e/acme/*", "", NULL },
	{ "spiffe://d/acme/a", "spiffe://d/acme/A", "", NULL },
	{ "spiffe://d/acme/*", "spiffe://d/acme/x", "",
	  "tenants acme and globex both claim identities by spiffe://d/acme/* and spiffe://d/acme/x" },
	{ "spiffe://d/acme/x", "spiffe://d/acme/*", "",
	  "tenants acme and globex both claim identities by spiffe://d/acme/x and spiffe://d/acme/*" },
	{ "spiffe://d/acme/*", "spiffe://d/*/x", "",
	  "tenants acme and globex both claim identities by spiffe://d/acme/* and spiffe://d/*/x" },
	{ "spiffe://d/*/svc/*", "spiffe://d/acme/*/api", "",
	  "tenants acme and globex both claim identities by spiffe://d/*/svc/* and spiffe://d/acme/*/api" },
	{ "spiffe://d/*/svc/*", "spiffe://d/acme/dev/*", "", NULL },
	{ "spiffe://d/a spiffe://d/b spiffe://d/c", "spiffe://d/x spiffe://d/b", "",
	  "tenants acme and globex both claim identities by spiffe://d/b and spiffe://d/b" },
	/* shared identities */
	{ "spiffe://d/grafana", "spiffe://d/grafana", "spiffe://d/grafana", NULL },
	{ "spiffe://d/grafana", "spiffe://d/grafana", "spiffe://d/*", NULL },
	{ "spiffe://d/*", "spiffe://d/grafana", "spiffe://d/grafana", NULL },
	{ "spiffe://d/*", "spiffe://d/*", "spiffe://d/grafana",
	  "tenants acme and globex both claim identities by spiffe://d/* and spiffe://d/*" },
	{ "spiffe://d/*/x", "spiffe://d/acme/*", "spiffe://d/acme/*", NULL },
	{ "spiffe://d/*/*", "spiffe://d/acme/*", "spiffe://d/acme/a spiffe://d/acme/b",
	  "tenants acme and globex both claim identities by spiffe://d/*/* and spiffe://d/acme/*" },
};

static void two_tenants_must_not_claim_one_identity(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(clashes) / sizeof(clashes[0]); i++) {
		struct arena a;
		struct err e = { .code = ERR_OK };
		struct registry *r;

		arena_init(&a, 1 << 20);

		struct tenant *both[] = { tenant(&a, "acme", clashes[i].acme), tenant(&a, "globex", clashes[i].globex) };
		const struct tenant_group *shared = tenant(&a, "shared", clashes[i].shared)->groups;
		enum err_code rc = registry_new(&a, both, 2, shared->patterns, shared->patterns_len, &r, &e);

		if (clashes[i].want == NULL && rc != ERR_OK)
			fail_msg("row %zu: %s", i, e.text);
		if (clashes[i].want != NULL) {
			assert_int_equal(rc, ERR_EXISTS);
			assert_string_equal(e.text, clashes[i].want);
		}
		arena_done(&a);
	}
}

static void ids_equal_but_for_case(void **state)
{
	struct arena a;
	struct err e;
	struct registry *r;

	(void)state;
	arena_init(&a, 1 << 20);

	struct tenant *both[] = { tenant(&a, "acme", "spiffe://d/a"), tenant(&a, "Acme", "spiffe://d/b") };

	assert_int_equal(registry_new(&a, both, 2, NULL, 0, &r, &e), ERR_EXISTS);
	assert_string_equal(e.text, "the ids of tenants acme and Acme are equal but for case");
	arena_done(&a);
}

static void all_clashes_are_told(void **state)
{
	struct arena a;
	struct registry_clash found[8];
	size_t len;

	(void)state;
	arena_init(&a, 1 << 20);

	struct tenant *t[] = {
		tenant(&a, "one", "spiffe://d/x/* spiffe://d/y/*"), tenant(&a, "two", "spiffe://d/x/a spiffe://d/y/a"),
		tenant(&a, "three", "spiffe://d/z/*"), tenant(&a, "THREE", "spiffe://d/y/b"),
	};

	assert_int_equal(registry_clashes(&a, t, 4, NULL, 0, found, 8, &len, NULL), ERR_OK);
	assert_int_equal(len, 3);
	assert_true(found[0].a == t[0] && found[0].b == t[1] && slice_eq(found[0].pattern_b, SLICE("spiffe://d/x/a")));
	assert_true(found[1].a == t[2] && found[1].b == t[3] && found[1].pattern_a.len == 0);
	assert_true(found[2].a == t[0] && found[2].b == t[3] && slice_eq(found[2].pattern_a, SLICE("spiffe://d/y/*")));
	assert_int_equal(registry_clashes(&a, t, 4, NULL, 0, found, 2, &len, NULL), ERR_OK);
	assert_int_equal(len, 2);
	arena_done(&a);
}

static void finding(void **state)
{
	static const struct {
		const char *uri;
		size_t want;
		const char *first;
	} rows[] = {
		{ "spiffe://d/acme/x", 1, "acme" },
		{ "spiffe://d/acme/dev/ann", 1, "acme" },
		{ "spiffe://d/globex/x", 1, "globex" },
		{ "spiffe://d/grafana", 2, NULL },
		{ "spiffe://d/acme", 0, NULL },
		{ "spiffe://d/acme/x/y/z", 0, NULL },
		{ "spiffe://e/acme/x", 0, NULL },
		{ "spiffe://d/acme/*", 0, NULL },
		{ "spiffe://d/acme/../globex/x", 0, NULL },
		{ "spiffe://d/ACME/x", 0, NULL },
		{ "", 0, NULL },
	};
	static const struct slice shared[] = { SLICE_INIT("spiffe://d/grafana") };
	struct arena a;
	struct registry *r;

	(void)state;
	arena_init(&a, 1 << 20);

	struct tenant *t[] = {
		tenant(&a, "acme", "spiffe://d/acme/* spiffe://d/acme/x spiffe://d/*/dev/* spiffe://d/grafana"),
		tenant(&a, "globex", "spiffe://d/globex/* spiffe://d/grafana"), tenant(&a, "Initech", ""),
	};

	assert_int_equal(registry_new(&a, t, 3, shared, 1, &r, NULL), ERR_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct tenant *first = NULL;

		if (registry_find(r, slice_cstr(rows[i].uri), &first) != rows[i].want)
			fail_msg("%s", rows[i].uri);
		if (rows[i].first != NULL)
			assert_true(slice_eq(first->id, slice_cstr(rows[i].first)));
	}
	assert_true(registry_claims(r, t[0], SLICE("spiffe://d/grafana")));
	assert_true(registry_claims(r, t[1], SLICE("spiffe://d/grafana")));
	assert_false(registry_claims(r, t[2], SLICE("spiffe://d/grafana")));
	assert_false(registry_claims(r, t[1], SLICE("spiffe://d/acme/x")));
	assert_int_equal(registry_len(r), 3);
	assert_true(registry_at(r, 1) == t[1] && t[1]->index == 1);
	assert_null(registry_at(r, 3));
	assert_true(registry_by_id(r, SLICE("Initech")) == t[2]);
	assert_null(registry_by_id(r, SLICE("initech")));
	assert_null(registry_by_id(r, SLICE("")));
	assert_null(registry_by_id(r, SLICE("0123456789012345678901234567890123456789012345678901234567890123456789")));
	arena_done(&a);
}

static void a_thousand_tenants(void **state)
{
	static const struct slice shared[] = { SLICE_INIT("spiffe://d/grafana") };
	struct tenant *t[1000];
	struct arena a;
	struct registry *r;
	const struct tenant *first;

	(void)state;
	arena_init(&a, 64 << 20);
	for (int i = 0; i < 1000; i++) {
		char *id = arena_alloc(&a, 16), *patterns = arena_alloc(&a, 512);

		snprintf(id, 16, "t%d", i);
		snprintf(patterns, 512, "spiffe://d/t%d/svc/* spiffe://d/t%d/dev/* spiffe://d/*/for-t%d spiffe://d/grafana", i, i, i);
		t[i] = tenant(&a, id, patterns);
	}

	int64_t began = clock_mono_us(clock_system());

	assert_int_equal(registry_new(&a, t, 1000, shared, 1, &r, NULL), ERR_OK);
	assert_true(clock_mono_us(clock_system()) - began < 1000000);
	assert_int_equal(registry_find(r, SLICE("spiffe://d/t999/svc/x"), &first), 1);
	assert_true(first == t[999]);
	assert_int_equal(registry_find(r, SLICE("spiffe://d/whoever/for-t500"), &first), 1);
	assert_true(first == t[500]);
	arena_done(&a);
}

static void memory_may_end_anywhere(void **state)
{
	struct arena built, a;

	(void)state;
	arena_init(&built, 1 << 20);

	struct tenant *t[] = { tenant(&built, "acme", "spiffe://d/acme/* spiffe://d/*/x/*"), tenant(&built, "globex", "spiffe://d/y") };

	for (long n = 1;; n++) {
		struct registry *r;
		enum err_code rc;

		arena_init(&a, 1 << 20);
		a.fail_in = n;
		rc = registry_new(&a, t, 2, NULL, 0, &r, NULL);
		arena_done(&a);
		if (rc == ERR_OK)
			break;
		assert_int_equal(rc, ERR_NOMEM);
		assert_true(n < 200);
	}
	arena_done(&built);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_tenants_must_not_claim_one_identity),
		cmocka_unit_test(ids_equal_but_for_case),
		cmocka_unit_test(all_clashes_are_told),
		cmocka_unit_test(finding),
		cmocka_unit_test(a_thousand_tenants),
		cmocka_unit_test(memory_may_end_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
