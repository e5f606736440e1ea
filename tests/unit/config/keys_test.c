#include "config_folder.h"

#include "config/files.h"
#include "config/keys.h"
#include "config/value.h"

/* the line of README.md for one row; --print writes them all, in their order */
static struct slice table_line(struct arena *a, enum key k)
{
	const struct key_row *row = key_row(k);
	struct strbuf b;

	strbuf_init(&b, a, 1024);
	strbuf_fmt(&b, "| `%s%s` | %s | %s | ", shape_path(row->shape), row->name, key_type_name(row->type), row->def);
	for (const char *p = row->bounds; *p != '\0'; p++)
		strbuf_add(&b, *p == '|' ? SLICE(", ") : slice_from(p, 1));
	strbuf_fmt(&b, " | %s | %s |", row->reload == RELOAD_RESTART ? "restart" : "", row->doc);
	return strbuf_slice(&b);
}

static const char *heading(enum shape s)
{
	return s == SHAPE_TENANT ? "\n### A tenant file\n\n" : s == SHAPE_WEIR ? "### weir.yaml\n\n" : NULL;
}

static void print_tables(struct arena *a, FILE *out)
{
	for (enum key k = 0; k < KEY_COUNT; k++) {
		enum shape s = key_row(k)->shape;

		if ((k == 0 || s != key_row(k - 1)->shape) && heading(s) != NULL)
			fprintf(out, "%s| key | type | default | bounds | reload | what it is |\n|---|---|---|---|---|---|\n", heading(s));
		fprintf(out, "%.*s\n", SLICE_ARG(table_line(a, k)));
	}
}

static void every_row_stands_in_the_readme(void **state)
{
	struct arena a;
	struct slice readme, all;
	unsigned mode;
	size_t size;
	char *tables;
	FILE *out = open_memstream(&tables, &size);

	(void)state;
	arena_init(&a, 4 << 20);
	assert_int_equal(files_read(&a, SLICE(WEIR_SOURCE_DIR "/gateway/config/README.md"), 1 << 20, &readme, &mode, NULL), ERR_OK);
	print_tables(&a, out);
	fclose(out);
	all = slice_from(tables, size);
	if (memmem(readme.ptr, readme.len, all.ptr, all.len) == NULL)
		fail_msg("the tables of gateway/config/README.md are stale: this program prints them with --print");
	free(tables);
	arena_done(&a);
}

static bool parses(enum key_type type, struct slice text, double *ret)
{
	int64_t n = 0;
	bool fine = type == TYPE_NUMBER ? value_number(text, ret, NULL) == ERR_OK
		: type == TYPE_DURATION ? value_duration(text, &n, NULL) == ERR_OK
		: type == TYPE_SIZE ? value_size(text, &n, NULL) == ERR_OK : value_count(text, &n, NULL) == ERR_OK;

	if (type != TYPE_NUMBER)
		*ret = (double)n;
	return fine;
}

static bool is_a_choice(struct slice bounds, struct slice text)
{
	struct slice word;
	bool later;

	while (choice_next(&bounds, &word, &later))
		if (!later && slice_eq(word, text))
			return true;
	return false;
}

/* defaults and bounds are read when a config is, and must not fail then */
static void rows_are_sound(void **state)
{
	(void)state;
	for (enum key k = 0; k < KEY_COUNT; k++) {
		const struct key_row *row = key_row(k);
		const char *dots = strstr(row->bounds, "..");
		bool has_default = row->def[0] != '\0' && !key_required(k);
		double def, least, most;

		assert_int_equal(key_find(row->shape, slice_cstr(row->name)), k);
		switch (row->type) {
		case TYPE_COUNT: case TYPE_NUMBER: case TYPE_SIZE: case TYPE_DURATION:
			assert_non_null(dots);
			assert_true(parses(row->type, slice_from(row->bounds, (size_t)(dots - row->bounds)), &least));
			assert_true(parses(row->type, slice_cstr(dots + 2), &most) && least < most);
			if (has_default)
				assert_true(parses(row->type, slice_cstr(row->def), &def) && def >= least && def <= most);
			break;
		case TYPE_CHOICE: case TYPE_CHOICES: case TYPE_SWITCH:
			if (has_default)
				assert_true(is_a_choice(slice_cstr(row->bounds), slice_cstr(row->def)));
			break;
		case TYPE_LATER:
			assert_false(key_required(k));
			break;
		default:
			break;
		}
	}
}

static void choices(void **state)
{
	struct slice rest = SLICE("a|b*|c"), word;
	bool later;

	(void)state;
	assert_true(choice_next(&rest, &word, &later) && slice_eq(word, SLICE("a")) && !later);
	assert_true(choice_next(&rest, &word, &later) && slice_eq(word, SLICE("b")) && later);
	assert_true(choice_next(&rest, &word, &later) && slice_eq(word, SLICE("c")) && !later);
	assert_false(choice_next(&rest, &word, &later));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_stands_in_the_readme), cmocka_unit_test(rows_are_sound), cmocka_unit_test(choices),
	};
	struct arena a;

	if (argc < 2 || strcmp(argv[1], "--print") != 0)
		return cmocka_run_group_tests(tests, NULL, NULL);
	arena_init(&a, 4 << 20);
	print_tables(&a, stdout);
	arena_done(&a);
	return 0;
}
