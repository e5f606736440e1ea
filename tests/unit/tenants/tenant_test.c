#include "grants_text.h"

#include "tenants/tenant.h"

static void tenant_ids(void **state)
{
	static const struct {
		struct slice id;
		bool want;
	} rows[] = {
		{ SLICE_INIT("acme"), true },       { SLICE_INIT("a"), true },        { SLICE_INIT("9.A_b-c"), true },
		{ SLICE_INIT("a.b.c"), true },      { SLICE_INIT("weird"), true },    { SLICE_INIT("weir"), true },
		{ SLICE_INIT(""), false },          { SLICE_INIT(".a"), false },      { SLICE_INIT("_a"), false },
		{ SLICE_INIT("-a"), false },        { SLICE_INIT("a..b"), false },    { SLICE_INIT("a/b"), false },
		{ SLICE_INIT("a b"), false },       { SLICE_INIT("a\0b"), false },    { SLICE_INIT("a|b"), false },
		{ SLICE_INIT("weir-x"), false },    { SLICE_INIT("Weir-X"), false },  { SLICE_INIT("weir-"), false },
		{ SLICE_INIT("\xc3\xa9"), false },  { SLICE_INIT("a\"b"), false },    { SLICE_INIT(".*"), false },
	};
	char longest[TENANT_ID_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (tenant_id_valid(rows[i].id) != rows[i].want)
			fail_msg("%.*s", SLICE_ARG(rows[i].id));
	memset(longest, 'a', sizeof(longest));
	assert_true(tenant_id_valid(slice_from(longest, TENANT_ID_MAX)));
	assert_false(tenant_id_valid(slice_from(longest, TENANT_ID_MAX + 1)));
}

static const struct slice svc[] = { SLICE_INIT("spiffe://d/acme/svc/*") };
static const struct slice dev[] = { SLICE_INIT("spiffe://d/acme/dev/*") };
static const struct slice oncall[] = { SLICE_INIT("spiffe://d/acme/dev/ann"), SLICE_INIT("spiffe://d/acme/dev/ben") };
static const struct slice in_svc[] = { SLICE_INIT("svc") };
static const struct slice in_dev[] = { SLICE_INIT("dev") };
static const struct slice in_oncall[] = { SLICE_INIT("oncall") };
static const struct slice in_both[] = { SLICE_INIT("svc"), SLICE_INIT("dev") };

/* the roles are given out of order; acme's metrics grants differ by role */
static struct tenant acme(struct arena *a)
{
	static const struct tenant_group groups[] = {
		{ SLICE_INIT("svc"), svc, 1 }, { SLICE_INIT("oncall"), oncall, 2 }, { SLICE_INIT("dev"), dev, 1 },
	};
	struct tenant_role *roles = ARENA_ARRAY(a, 4, struct tenant_role);

	roles[0] = (struct tenant_role){ SLICE("writer"), in_svc, 1, MAY_WRITE, { false }, { { .all = false } } };
	roles[1] = (struct tenant_role){ SLICE("developer"), in_dev, 1, MAY_READ, { true, false, false },
		                             { text_grants(a, "ns=dev-*"), { .all = false }, { .all = false } } };
	roles[2] = (struct tenant_role){ SLICE("glass"), in_oncall, 1, MAY_READ | MAY_RULES, { true, true, true },
		                             { text_grants(a, "ns=shared"), { .all = true }, { .all = true } } };
	roles[3] = (struct tenant_role){ SLICE("any"), in_both, 2, MAY_AUDIT, { true, false, false },
		                             { { .all = true }, { .all = false }, { .all = false } } };
	return (struct tenant){ .id = SLICE("acme"), .groups = groups, .groups_len = 3, .roles = roles, .roles_len = 4 };
}

static struct membership member(struct arena *a, const struct tenant *t, const char *uri)
{
	struct identity who = { .uri = slice_cstr(uri) };
	struct membership m;

	assert_int_equal(tenant_membership(a, t, &who, &m, NULL), ERR_OK);
	return m;
}

static void groups_and_roles_come_sorted(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);

	struct tenant t = acme(&a);
	struct membership m = member(&a, &t, "spiffe://d/acme/dev/ann");

	assert_int_equal(m.groups_len, 2);
	assert_text("group", m.groups[0], "dev");
	assert_text("group", m.groups[1], "oncall");
	assert_int_equal(m.roles_len, 3);
	assert_text("role", m.roles[0]->name, "any");
	assert_text("role", m.roles[1]->name, "developer");
	assert_text("role", m.roles[2]->name, "glass");
	assert_int_equal(m.may, MAY_READ | MAY_RULES | MAY_AUDIT);
	m = member(&a, &t, "spiffe://d/acme/svc/api");
	assert_int_equal(m.roles_len, 2);
	assert_int_equal(m.may, MAY_WRITE | MAY_AUDIT);
	m = member(&a, &t, "spiffe://d/acme/other/api");
	assert_int_equal(m.groups_len + m.roles_len + m.may, 0);
	arena_done(&a);
}

static void a_faulty_identity_is_in_no_group(void **state)
{
	struct arena a;
	struct membership m;

	(void)state;
	arena_init(&a, 1 << 20);

	struct tenant t = acme(&a);

	for (int fault = IDENTITY_NO_NAME; fault <= IDENTITY_FOREIGN_DOMAIN; fault++) {
		struct identity who = { .fault = fault, .uri = SLICE("spiffe://d/acme/dev/ann") };

		assert_int_equal(tenant_membership(&a, &t, &who, &m, NULL), ERR_OK);
		assert_int_equal(m.groups_len + m.roles_len + m.may, 0);
	}
	arena_done(&a);
}

static void grants_are_those_of_roles_that_may(void **state)
{
	static const struct {
		const char *uri;
		enum may may;
		enum signal signal;
		bool named;
		const char *want;
	} rows[] = {
		{ "spiffe://d/acme/dev/ann", MAY_READ, SIGNAL_METRICS, true, "ns=dev-* ; ns=shared" },
		{ "spiffe://d/acme/dev/cid", MAY_READ, SIGNAL_METRICS, true, "ns=dev-*" },
		{ "spiffe://d/acme/dev/cid", MAY_READ, SIGNAL_LOGS, false, "" },
		{ "spiffe://d/acme/dev/ann", MAY_READ, SIGNAL_LOGS, true, "all" },
		{ "spiffe://d/acme/dev/ann", MAY_RULES, SIGNAL_METRICS, true, "ns=shared" },
		{ "spiffe://d/acme/svc/api", MAY_READ, SIGNAL_METRICS, false, "" },
		{ "spiffe://d/acme/svc/api", MAY_WRITE, SIGNAL_METRICS, false, "" },
		{ "spiffe://d/acme/svc/api", MAY_AUDIT, SIGNAL_METRICS, true, "all" },
	};
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);

	struct tenant t = acme(&a);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct membership m = member(&a, &t, rows[i].uri);
		struct grants got;
		bool named;

		assert_int_equal(membership_grants(&a, &m, rows[i].may, rows[i].signal, &named, &got, NULL), ERR_OK);
		assert_int_equal(named, rows[i].named);
		assert_text(rows[i].uri, text_of_grants(&a, &got), rows[i].want);
	}
	arena_done(&a);
}

static void memory_may_end_anywhere(void **state)
{
	struct arena built, a;
	struct identity who = { .uri = SLICE_INIT("spiffe://d/acme/dev/ann") };

	(void)state;
	arena_init(&built, 1 << 20);

	struct tenant t = acme(&built);

	for (long n = 1;; n++) {
		struct membership m;
		struct grants got;
		bool named;
		enum err_code rc;

		arena_init(&a, 1 << 20);
		a.fail_in = n;
		rc = tenant_membership(&a, &t, &who, &m, NULL);
		if (rc == ERR_OK)
			rc = membership_grants(&a, &m, MAY_READ, SIGNAL_METRICS, &named, &got, NULL);
		arena_done(&a);
		if (rc == ERR_OK)
			break;
		assert_int_equal(rc, ERR_NOMEM);
		assert_true(n < 100);
	}
	arena_done(&built);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tenant_ids),
		cmocka_unit_test(groups_and_roles_come_sorted),
		cmocka_unit_test(a_faulty_identity_is_in_no_group),
		cmocka_unit_test(grants_are_those_of_roles_that_may),
		cmocka_unit_test(memory_may_end_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
