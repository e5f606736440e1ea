#include "tenants/spiffe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void ids(void **state)
{
	static const struct {
		const char *uri;
		bool want, want_as_pattern;
	} rows[] = {
		{ "spiffe://example.org/acme/svc/api", true, true },
		{ "spiffe://example.org/a", true, true },
		{ "spiffe://ex_am-ple.0rg/A.b_c-d", true, true },
		{ "spiffe://example.org/acme/*", false, true },
		{ "spiffe://example.org/*/svc", false, true },
		{ "spiffe://example.org/...", true, true },
		{ "spiffe://example.org/acme*", false, false },
		{ "spiffe://*/acme", false, false },
		{ "spiffe://example.org", false, false },
		{ "spiffe://example.org/", false, false },
		{ "spiffe://example.org/acme/", false, false },
		{ "spiffe://example.org//acme", false, false },
		{ "spiffe://example.org/acme//svc", false, false },
		{ "spiffe://example.org/acme/./svc", false, false },
		{ "spiffe://example.org/acme/../svc", false, false },
		{ "spiffe://Example.org/acme", false, false },
		{ "SPIFFE://example.org/acme", false, false },
		{ "spiffe:/example.org/acme", false, false },
		{ "spiffe:///acme", false, false },
		{ "spiffe://example.org:443/acme", false, false },
		{ "spiffe://user@example.org/acme", false, false },
		{ "spiffe://example.org/acme?x=1", false, false },
		{ "spiffe://example.org/acme#x", false, false },
		{ "spiffe://example.org/ac%6de", false, false },
		{ "spiffe://example.org/acme svc", false, false },
		{ "spiffe://example.org/\xc3\xa4", false, false },
		{ "https://example.org/acme", false, false },
		{ "", false, false },
	};
	struct slice domain;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice uri = slice_cstr(rows[i].uri);

		if (spiffe_valid(uri, &domain) != rows[i].want)
			fail_msg("as an id: %s", rows[i].uri);
		if (spiffe_pattern_valid(uri) != rows[i].want_as_pattern)
			fail_msg("as a pattern: %s", rows[i].uri);
	}
	assert_false(spiffe_valid(SLICE("spiffe://example.org/a\0b"), &domain));
	assert_true(spiffe_valid(slice_cstr("spiffe://ops.example.org/admin/ann"), &domain));
	assert_true(slice_eq(domain, SLICE("ops.example.org")));
}

static void lengths(void **state)
{
	char uri[SPIFFE_ID_MAX + 2] = "spiffe://example.org/";
	char deep[256] = "spiffe://d";
	struct slice domain;

	(void)state;
	memset(uri + 21, 'a', sizeof(uri) - 21);
	assert_true(spiffe_valid(slice_from(uri, SPIFFE_ID_MAX), &domain));
	assert_false(spiffe_valid(slice_from(uri, SPIFFE_ID_MAX + 1), &domain));
	for (int i = 1; i < SPIFFE_PATTERN_SEGMENTS_MAX; i++)
		memcpy(deep + strlen(deep), "/x", 3);
	assert_true(spiffe_pattern_valid(slice_cstr(deep)));
	memcpy(deep + strlen(deep), "/x", 3);
	assert_false(spiffe_pattern_valid(slice_cstr(deep)));
	assert_true(spiffe_valid(slice_cstr(deep), &domain));
	assert_false(spiffe_domain_valid(SLICE("")));
	memset(uri, 'a', 256);
	assert_true(spiffe_domain_valid(slice_from(uri, SPIFFE_DOMAIN_MAX)));
	assert_false(spiffe_domain_valid(slice_from(uri, SPIFFE_DOMAIN_MAX + 1)));
}

static void patterns_match_whole_segments(void **state)
{
	static const struct {
		const char *pattern, *uri;
		bool want;
	} rows[] = {
		{ "spiffe://d/acme/*", "spiffe://d/acme/x", true },
		{ "spiffe://d/acme/*", "spiffe://d/acme/x/y", false },
		{ "spiffe://d/acme/*", "spiffe://d/acme", false },
		{ "spiffe://d/acme/*", "spiffe://e/acme/x", false },
		{ "spiffe://d/acme/*", "spiffe://d/acmex/x", false },
		{ "spiffe://d/*/dev/*", "spiffe://d/acme/dev/ann", true },
		{ "spiffe://d/acme/x", "spiffe://d/acme/X", false },
		{ "spiffe://d/acme/x", "spiffe://d/acme/x", true },
		{ "spiffe://d/*", "spiffe://d/*", false },
		{ "spiffe://d/acme/*", "spiffe://d/acme/..", false },
		{ "spiffe://d/acme*", "spiffe://d/acme", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (spiffe_match(slice_cstr(rows[i].pattern), slice_cstr(rows[i].uri)) != rows[i].want)
			fail_msg("%s against %s: want %d", rows[i].pattern, rows[i].uri, rows[i].want);
}

static void splitting(void **state)
{
	struct slice parts[2];

	(void)state;
	assert_int_equal(spiffe_split(SLICE("spiffe://d/a/b"), parts, 2), 3);
	assert_true(slice_eq(parts[0], SLICE("d")) && slice_eq(parts[1], SLICE("a")));
	assert_true(slice_eq(spiffe_domain(SLICE("spiffe://d.e/a")), SLICE("d.e")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids), cmocka_unit_test(lengths),
		cmocka_unit_test(patterns_match_whole_segments), cmocka_unit_test(splitting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
