#include "base/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct place at(const char *file, unsigned line, unsigned column)
{
	return (struct place){ slice_cstr(file), line, column };
}

static void findings_are_sorted_within_their_file(void **state)
{
	static const char *const want[] = { "w 3:1", "w 3:2", "w 9:1", "a 0:0", "a 1:1" };
	struct report *r = test_malloc(sizeof(*r));
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	report_init(r, &a);
	report_error(r, at("w", 9, 1), "w 9:1");
	report_error(r, at("a", 1, 1), "a 1:1");
	report_warning(r, at("w", 3, 2), "w %d:%d", 3, 2);
	report_error(r, at("a", 0, 0), "a 0:0");
	report_error(r, at("w", 3, 1), "w 3:1");
	report_sort(r);
	assert_int_equal(r->len, 5);
	assert_int_equal(r->errors, 4);
	assert_int_equal(r->warnings, 1);
	for (size_t i = 0; i < 5; i++)
		assert_true(slice_eq(r->v[i].text, slice_cstr(want[i])));
	assert_false(r->v[1].is_error);
	arena_done(&a);
	test_free(r);
}

/* what does not fit is counted: an error is never lost from the sum */
static void all_are_counted(void **state)
{
	struct report *r = test_malloc(sizeof(*r));
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	report_init(r, &a);
	for (int i = 0; i < REPORT_MAX + 5; i++)
		report_error(r, at("w", 1, 1), "x");
	assert_int_equal(r->len, REPORT_MAX);
	assert_int_equal(r->errors, REPORT_MAX + 5);
	assert_int_equal(report_left_out(r), 5);
	report_init(r, &a);
	a.fail_in = 1;
	report_error(r, at("w", 1, 1), "x");
	assert_int_equal(r->len, 0);
	assert_int_equal(r->errors, 1);
	arena_done(&a);
	test_free(r);
}

static void texts_are_one_line(void **state)
{
	struct report *r = test_malloc(sizeof(*r));
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	report_init(r, &a);
	report_error(r, at("w", 1, 1), "a\nb\x1b[31m%*s", 5000, "");
	assert_true(slice_starts(r->v[0].text, SLICE("a b [31m")));
	assert_true(r->v[0].text.len < 400);
	arena_done(&a);
	test_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(findings_are_sorted_within_their_file),
		cmocka_unit_test(all_are_counted),
		cmocka_unit_test(texts_are_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
