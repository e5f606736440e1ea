#include "config/files.h"

#include "config_folder.h"

static void parts_of_paths(void **state)
{
	static const struct {
		const char *path, *folder, *name, *trimmed;
	} rows[] = {
		{ "weir.yaml", "", "weir.yaml", "weir.yaml" }, { "a/b/c", "a/b", "c", "a/b/c" }, { "/c", "/", "c", "/c" },
		{ "a/", "a", "", "a" },                        { "/", "/", "", "/" },             { "a//", "a/", "", "a" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice p = slice_cstr(rows[i].path);

		if (!slice_eq(files_folder(p), slice_cstr(rows[i].folder)) || !slice_eq(files_name(p), slice_cstr(rows[i].name)) ||
		    !slice_eq(files_trim(p), slice_cstr(rows[i].trimmed)))
			fail_msg("%s", rows[i].path);
	}
}

static void absolute_paths(void **state)
{
	struct config_folder *f = folder_new();
	struct slice got;
	char here[512];

	(void)state;
	assert_true(files_absolute(&f->arena, SLICE("/etc/weir"), SLICE("certs/"), &got));
	assert_string_equal(got.ptr, "/etc/weir/certs");
	assert_true(files_absolute(&f->arena, SLICE("/etc/weir"), SLICE("/certs"), &got));
	assert_string_equal(got.ptr, "/certs");
	assert_true(files_absolute(&f->arena, SLICE(""), SLICE("certs"), &got));       /* the folder of /weir.yaml */
	assert_string_equal(got.ptr, "/certs");
	assert_int_equal(files_absolute_folder(&f->arena, SLICE("/weir.yaml"), &got, NULL), ERR_OK);
	assert_string_equal(got.ptr, "");
	assert_int_equal(files_absolute_folder(&f->arena, SLICE("/a/weir.yaml"), &got, NULL), ERR_OK);
	assert_string_equal(got.ptr, "/a");
	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(files_absolute_folder(&f->arena, SLICE("weir.yaml"), &got, NULL), ERR_OK);
	assert_string_equal(got.ptr, here);
	folder_free(f);
}

static struct slice below(struct config_folder *f, const char *name)
{
	struct slice ret;

	assert_true(files_absolute(&f->arena, slice_cstr(f->path), slice_cstr(name), &ret));
	return ret;
}

static void reading(void **state)
{
	struct config_folder *f = folder_new();
	struct slice got;
	unsigned mode;
	struct err e;

	(void)state;
	folder_write(f, "a", SLICE("x\0y"), 0640);
	folder_write(f, "empty", SLICE(""), 0600);
	assert_int_equal(files_read(&f->arena, below(f, "a"), 3, &got, &mode, &e), ERR_OK);
	assert_true(slice_eq(got, SLICE("x\0y")) && mode == 0640);
	assert_int_equal(files_read(&f->arena, below(f, "empty"), 3, &got, &mode, &e), ERR_OK);
	assert_int_equal(got.len, 0);
	assert_int_equal(files_read(&f->arena, below(f, "a"), 2, &got, &mode, &e), ERR_LIMIT);
	assert_int_equal(files_read(&f->arena, below(f, "none"), 2, &got, &mode, &e), ERR_NOT_FOUND);
	assert_int_equal(files_read(&f->arena, below(f, ""), 2, &got, &mode, &e), ERR_IO);
	assert_int_equal(files_read(&f->arena, SLICE("/tmp\0x"), 2, &got, &mode, &e), ERR_INVALID);
	assert_int_equal(mkfifo(below(f, "pipe").ptr, 0600), 0);
	assert_int_equal(files_read(&f->arena, below(f, "pipe"), 2, &got, &mode, &e), ERR_IO);
	folder_free(f);
}

static void looking(void **state)
{
	struct config_folder *f = folder_new();
	unsigned mode;
	struct err e;

	(void)state;
	folder_write(f, "a", SLICE("x"), 0604);
	assert_int_equal(files_check(below(f, "a"), false, &mode, &e), ERR_OK);
	assert_int_equal(mode, 0604);
	assert_int_equal(files_check(below(f, "a"), true, &mode, &e), ERR_IO);
	assert_int_equal(files_check(below(f, "b"), false, &mode, &e), ERR_NOT_FOUND);
	assert_int_equal(files_check(slice_cstr(f->path), true, &mode, &e), ERR_OK);
	assert_int_equal(files_check(slice_cstr(f->path), false, &mode, &e), ERR_IO);
	assert_int_equal(files_check(SLICE(""), false, &mode, &e), ERR_INVALID);
	folder_free(f);
}

static void listing(void **state)
{
	struct config_folder *f = folder_new();
	const struct slice *names;
	size_t len;
	struct err e;

	(void)state;
	assert_int_equal(files_list(&f->arena, slice_cstr(f->path), 9, &names, &len, &e), ERR_OK);
	assert_int_equal(len, 0);
	folder_write(f, "b", SLICE(""), 0600);
	folder_write(f, "a", SLICE(""), 0600);
	folder_write(f, ".c", SLICE(""), 0600);
	assert_int_equal(files_list(&f->arena, slice_cstr(f->path), 2, &names, &len, &e), ERR_OK);
	assert_true(len == 2 && slice_eq(names[0], SLICE("a")) && slice_eq(names[1], SLICE("b")));
	assert_int_equal(files_list(&f->arena, slice_cstr(f->path), 1, &names, &len, &e), ERR_LIMIT);
	assert_int_equal(files_list(&f->arena, below(f, "a"), 1, &names, &len, &e), ERR_NOT_FOUND);
	folder_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_of_paths), cmocka_unit_test(absolute_paths), cmocka_unit_test(reading),
		cmocka_unit_test(looking),        cmocka_unit_test(listing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
