/* redact_test.c - secrets that must not reach a leaf, and bytes that must stay as they are. */
#include "audit/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct redactor redactor = { .key = "0123456789abcdef0123456789abcde" };

static void test_headers(void **state)
{
	static const struct {
		const char *name;
		bool want;
	} rows[] = {
		{ "authorization", false }, { "Authorization", false },   { "cookie", false },
		{ "set-cookie", false },    { "proxy-authorization", false }, { "x-api-key", false },
		{ "X-API-Key", false },     { "x-unknown", false },       { "", false },
		{ "referer", false },       { "user-agent", true },       { "User-Agent", true },
		{ "x-tenant-id", true },    { "x-scope-orgid", true },    { "host", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (redact_header_kept(slice_cstr(rows[i].name)) != rows[i].want)
			fail_msg("header '%s'", rows[i].name);
}

struct row {
	const char *name, *input, *want;
};

typedef enum err_code redact_function(struct arena *, const struct redactor *, struct slice, struct slice *, struct err *);

static void check(redact_function *redact, const struct redactor *r, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct slice in = slice_cstr(rows[i].input), out;
		struct arena a;
		struct err e;
		enum err_code rc;
		long fail_in = 0;

		do {
			arena_init(&a, 1 << 20);
			a.fail_in = ++fail_in;
			rc = redact(&a, r, in, &out, &e);
			if (rc != ERR_OK) {
				assert_int_equal(rc, ERR_NOMEM);
				arena_done(&a);
			}
		} while (rc != ERR_OK);
		if (!slice_eq(out, slice_cstr(rows[i].want)))
			fail_msg("%s: got %.*s", rows[i].name, SLICE_ARG(out));
		arena_done(&a);
	}
}

#define CHECK(redact, r, rows) check((redact), (r), (rows), sizeof(rows) / sizeof((rows)[0]))

static void test_form(void **state)
{
	static const struct row rows[] = {
		{ "nothing", "", "" },
		{ "no secret", "query=up&time=1&&=&a", "query=up&time=1&&=&a" },
		{ "each name", "token=a&password=b&key=c&secret=d&access_token=e",
		  "token=[r:token:1:ac43b671]&password=[r:password:1:29979ca4]&key=[r:key:1:268b75a7]"
		  "&secret=[r:secret:1:71ac4d9e]&access_token=[r:access_token:1:b4826abd]" },
		{ "between others", "query=up&token=hunter2&time=1", "query=up&token=[r:token:7:925b186d]&time=1" },
		{ "upper case", "ToKeN=hunter2", "ToKeN=[r:token:7:925b186d]" },
		{ "escaped name", "%74oken=hunter2", "%74oken=[r:token:7:925b186d]" },
		{ "equal secrets, escaped or not", "token=hunter%32", "token=[r:token:7:925b186d]" },
		{ "a blank is not plus", "token=a+b&key=a%20b", "token=[r:token:3:b73176a5]&key=[r:key:3:b73176a5]" },
		{ "value with equals signs", "token=a=b", "token=[r:token:3:759d9aa1]" },
		{ "behind a semicolon", "a=1;token=hunter2;b=2", "a=1;token=[r:token:7:925b186d];b=2" },
		{ "empty value", "token=", "token=[r:token:0:a24a7c40]" },
		{ "name alone", "token", "token" },
		{ "longer name", "tokens=a&mykey=b&access_token_id=c", "tokens=a&mykey=b&access_token_id=c" },
		{ "broken escape in the name", "%7=1&%zz=2&%", "%7=1&%zz=2&%" },
	};

	(void)state;
	CHECK(redact_form, &redactor, rows);
}

static void test_form_without_key(void **state)
{
	static const struct row rows[] = { { "still masked", "a=1&token=hunter2", "a=1&token=[r:token:7]" } };

	(void)state;
	CHECK(redact_form, NULL, rows);
}

static void test_target(void **state)
{
	static const struct row rows[] = {
		{ "empty", "", "" },
		{ "path alone", "/api/v1/query", "/api/v1/query" },
		{ "question mark alone", "/x?", "/x?" },
		{ "query", "/x?token=hunter2", "/x?token=[r:token:7:925b186d]" },
		{ "names in the path stay", "/token=hunter2?a=b", "/token=hunter2?a=b" },
		{ "user of an absolute target", "http://ann:hunter2@host/x?a=1", "http://[r:user:11:79a228d0]@host/x?a=1" },
		{ "both", "http://ann:hunter2@host/x?key=hunter2",
		  "http://[r:user:11:79a228d0]@host/x?key=[r:key:7:925b186d]" },
		{ "two at signs", "http://a@b@host/", "http://[r:user:3:ff02c618]@host/" },
		{ "user of an authority", "ann:hunter2@host:443", "[r:user:11:79a228d0]@host:443" },
		{ "at sign in a path", "/a@b", "/a@b" },
		{ "at sign in the path of an absolute target", "http://host/a@b", "http://host/a@b" },
		{ "star", "*", "*" },
	};

	(void)state;
	CHECK(redact_target, &redactor, rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_form_without_key),
		cmocka_unit_test(test_target),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
