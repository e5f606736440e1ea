#include "tenants/matcher.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void label_names(void **state)
{
	static const struct {
		struct slice name;
		bool want;
	} rows[] = {
		{ SLICE_INIT("a"), true },      { SLICE_INIT("__name__"), true }, { SLICE_INIT("A9_"), true },
		{ SLICE_INIT(""), false },      { SLICE_INIT("9a"), false },      { SLICE_INIT("a.b"), false },
		{ SLICE_INIT("a-b"), false },   { SLICE_INIT("a\0b"), false },    { SLICE_INIT("\xc3\xa9"), false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (label_name_plain(rows[i].name) != rows[i].want)
			fail_msg("%.*s", SLICE_ARG(rows[i].name));
}

static void equality(void **state)
{
	struct matcher m = { SLICE("a"), MATCH_EQ, SLICE("x") }, other = m;

	(void)state;
	assert_true(matcher_eq(&m, &other));
	other.op = MATCH_RE;
	assert_false(matcher_eq(&m, &other));
	other = m;
	other.name = SLICE("A");
	assert_false(matcher_eq(&m, &other));
	other = m;
	other.value = SLICE("x\0");
	assert_false(matcher_eq(&m, &other));
	assert_string_equal(matcher_op_text(MATCH_EQ), "=");
	assert_string_equal(matcher_op_text(MATCH_NE), "!=");
	assert_string_equal(matcher_op_text(MATCH_RE), "=~");
	assert_string_equal(matcher_op_text(MATCH_NRE), "!~");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(label_names), cmocka_unit_test(equality) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
