/* canon_test.c - one value has one text: what prints again to itself, and what is refused. */
#include "audit/canon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void test_reprint(void **state)
{
	/* want NULL: refused; otherwise the text that the parsed input prints to */
	static const struct {
		const char *name, *input, *want;
	} rows[] = {
		{ "empty object", "{}", "{}" },
		{ "blanks go", " { \"a\" : 1 , \"b\" : [ true , null ] } ", "{\"a\":1,\"b\":[true,null]}" },
		{ "escapes become the shortest", "\"\\u0041\\/\\u000a\\u001f\"", "\"A/\\n\\u001f\"" },
		{ "quote and backslash", "\"\\\"\\\\\"", "\"\\\"\\\\\"" },
		{ "no escape above ASCII", "\"\\u00e9\\u20ac\"", "\"\xc3\xa9\xe2\x82\xac\"" },
		{ "DEL stands for itself", "\"\\u007f\"", "\"\x7f\"" },
		{ "largest integer", "9007199254740991", "9007199254740991" },
		{ "smallest integer", "-9007199254740991", "-9007199254740991" },
		{ "minus zero", "-0", "0" },
		{ "prefix before the longer key", "{\"us\":1,\"us_up\":2}", "{\"us\":1,\"us_up\":2}" },
		{ "integer too large", "9007199254740992", NULL },
		{ "integer too small", "-9007199254740992", NULL },
		{ "real number", "1.0", NULL },
		{ "exponent", "1e3", NULL },
		{ "keys out of order", "{\"b\":1,\"a\":2}", NULL },
		{ "keys out of order inside", "{\"a\":{\"b\":1,\"a\":2}}", NULL },
		{ "key that is not ASCII", "{\"\xc3\xa9\":1}", NULL },
		{ "depth 9", "[[[[[[[[[1]]]]]]]]]", NULL },
	};
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct json_value *v;
		struct strbuf out;
		struct err e;

		if (json_parse(&a, slice_cstr(rows[i].input), &v, &e) != ERR_OK)
			fail_msg("%s: %s", rows[i].name, e.text);
		strbuf_init(&out, &a, 1000);

		enum err_code rc = canon_print(v, &out, &e);

		if (rc != (rows[i].want == NULL ? ERR_INVALID : ERR_OK))
			fail_msg("%s: code %d", rows[i].name, rc);
		if (rc == ERR_OK && !slice_eq(strbuf_slice(&out), slice_cstr(rows[i].want)))
			fail_msg("%s: got %.*s", rows[i].name, SLICE_ARG(strbuf_slice(&out)));
	}
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_reprint) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
