#include "base/yaml.h"

#include "base/strbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* {k: v, ..} [v, ..] and texts, quoted ones in "" */
static void print(struct strbuf *out, const struct yaml_node *n)
{
	if (n->type == YAML_BROKEN)
		strbuf_lit(out, "?");
	else if (n->type == YAML_TEXT)
		strbuf_fmt(out, n->quoted ? "\"%.*s\"" : "%.*s", SLICE_ARG(n->text));
	else
		strbuf_char(out, n->type == YAML_LIST ? '[' : '{');
	for (size_t i = 0; i < n->len; i++) {
		if (i > 0)
			strbuf_lit(out, ", ");
		if (n->type == YAML_MAP)
			strbuf_fmt(out, "%.*s: ", SLICE_ARG(n->items[i].key));
		print(out, &n->items[i]);
	}
	if (n->type == YAML_LIST || n->type == YAML_MAP)
		strbuf_char(out, n->type == YAML_LIST ? ']' : '}');
}

struct row {
	const char *in, *tree;            /* tree NULL: none */
	const char *said;                 /* findings as LINE:COLUMN: TEXT, one a line */
};

static const struct row rows[] = {
	{ "a: 1\nb: [x, 'y', \"z\"]\n", "{a: 1, b: [x, \"y\", \"z\"]}", "" },
	{ "a:\n  - {b: c}\n  -\n    d: e\n", "{a: [{b: c}, {d: e}]}", "" },
	{ "a: no\nb: 0123\nc: 2031-05-04\nd: ~\ne:\n", "{a: no, b: 0123, c: 2031-05-04, d: ~, e: }", "" },
	{ "a: |\n  two\n  lines\n", "{a: \"two\nlines\n\"}", "" },
	{ "text", "text", "" },
	{ "\"a\": 1\n'b': 2\n", "{a: 1, b: 2}", "" },
	{ "---\na: b\n...\n", "{a: b}", "" },
	/* what is no plain YAML */
	{ "a: &x 1\nb: *x\n", "{a: 1, b: ?}",
	  "1:4: anchors (&x) are not accepted: write the value out\n"
	  "2:4: aliases (*x) are not accepted: write the value out, or put a text that begins with * in quotes\n" },
	{ "a: {b: 1}\nc:\n  <<: {d: 1}\n  e: 2\n", "{a: {b: 1}, c: {e: 2}}", "3:3: merge keys (<<) are not accepted: write the members out\n" },
	{ "\"<<\": 1\n", "{<<: 1}", "" },
	{ "a: !!str 1\nb: !x [1]\nc: ! y\n", "{a: 1, b: [1], c: y}",
	  "1:4: tags (tag:yaml.org,2002:str) are not accepted\n2:4: tags (!x) are not accepted\n3:4: tags (!) are not accepted\n" },
	{ "a: 1\nb: 2\na: 3\na: 4\n", "{a: 1, b: 2}",
	  "3:1: key \"a\" stands twice; the first is in line 1\n4:1: key \"a\" stands twice; the first is in line 1\n" },
	{ "a: 1\n\"a\": 2\n", "{a: 1}", "2:1: key \"a\" stands twice; the first is in line 1\n" },
	{ "? [a]\n: 1\nb: 2\n", "{b: 2}", "1:3: a key must be a text\n" },
	{ "a: 1\n---\nb: 2\n", NULL, "2:1: a second document is not accepted\n" },
	{ "", NULL, "1:1: the file is empty\n" },
	{ "# nothing\n", NULL, "1:1: the file is empty\n" },
	/* syntax */
	{ "a: [1, 2\nb: 3\n", NULL, "2:2: not YAML: did not find expected ',' or ']' while parsing a flow sequence\n" },
	{ "a: 1\n b: 2\n", NULL, "2:3: not YAML: mapping values are not allowed in this context\n" },
	{ "a:\n\t- b\n", NULL, "2:1: not YAML: found character that cannot start any token while scanning for the next token\n" },
	{ "a: \"x\n", NULL, "2:1: not YAML: found unexpected end of stream while scanning a quoted scalar\n" },
	{ "ns: *\n", NULL, "1:6: not YAML: did not find expected alphabetic or numeric character while scanning an alias "
	  "(a text that begins with * must be in quotes)\n" },
	{ "a: 1\nb: \xff\n", NULL, "2:4: not YAML in UTF-8: invalid leading UTF-8 octet\n" },
	{ "a: \xc3\xa9 \xff\n", NULL, "1:6: not YAML in UTF-8: invalid leading UTF-8 octet\n" },
	{ "a: \x01\n", NULL, "1:4: not YAML in UTF-8: control characters are not allowed\n" },
	{ "\xff\xfe" "a\0", NULL, "1:1: not YAML in UTF-8: invalid leading UTF-8 octet\n" },
	{ "%TAG ! tag:x,2000:\n---\na: 1\n", "{a: 1}", "" },
	{ "a: 1\n}\n", NULL, "2:1: not YAML: did not find expected key while parsing a block mapping\n" },
};

static struct slice said(struct arena *a, const struct report *r)
{
	struct strbuf b;

	strbuf_init(&b, a, 65536);
	for (size_t i = 0; i < r->len; i++)
		strbuf_fmt(&b, "%u:%u: %.*s\n", r->v[i].at.line, r->v[i].at.column, SLICE_ARG(r->v[i].text));
	return strbuf_slice(&b);
}

static void trees_and_places(void **state)
{
	struct report *r = test_malloc(sizeof(*r));

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a;
		struct strbuf tree;

		arena_init(&a, 1 << 20);
		report_init(r, &a);
		strbuf_init(&tree, &a, 65536);

		const struct yaml_node *root = yaml_parse(&a, SLICE("f"), slice_cstr(rows[i].in), r);

		if (!slice_eq(said(&a, r), slice_cstr(rows[i].said)))
			fail_msg("%s: said\n%.*swant\n%s", rows[i].in, SLICE_ARG(said(&a, r)), rows[i].said);
		assert_int_equal(root != NULL, rows[i].tree != NULL);
		if (root != NULL) {
			print(&tree, root);
			if (!slice_eq(strbuf_slice(&tree), slice_cstr(rows[i].tree)))
				fail_msg("%s: got %.*s", rows[i].in, (int)tree.len, tree.ptr);
		}
		arena_done(&a);
	}
	test_free(r);
}

static void places_and_lookups(void **state)
{
	struct report *r = test_malloc(sizeof(*r));
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	report_init(r, &a);

	const struct yaml_node *root = yaml_parse(&a, SLICE("f"), SLICE("x: {\xc3\xa9: 1, b: [2]}\nn: ~\nq: '~'\nz: \"\\0x\"\n"), r);
	const struct yaml_node *x = yaml_get(root, SLICE("x")), *b = yaml_get(x, SLICE("b"));

	assert_int_equal(b->key_at.line, 1);
	assert_int_equal(b->key_at.column, 11);         /* characters, not bytes */
	assert_int_equal(b->items[0].at.column, 15);
	assert_true(slice_eq(b->at.file, SLICE("f")));
	assert_null(yaml_get(x, SLICE("c")));
	assert_null(yaml_get(b, SLICE("c")));
	assert_true(yaml_is_nothing(yaml_get(root, SLICE("n"))));
	assert_false(yaml_is_nothing(yaml_get(root, SLICE("q"))));
	assert_true(slice_eq(yaml_get(root, SLICE("z"))->text, SLICE("\0x")));
	arena_done(&a);
	test_free(r);
}

/* n times open, then n times close */
static struct slice nested(struct arena *a, size_t n, char open, char close)
{
	char *p = arena_alloc(a, 2 * n);

	memset(p, open, n);
	memset(p + n, close, n);
	return slice_from(p, 2 * n);
}

static void size_and_depth(void **state)
{
	struct report *r = test_malloc(sizeof(*r));
	struct arena a;

	(void)state;
	arena_init(&a, 64 << 20);
	report_init(r, &a);
	assert_non_null(yaml_parse(&a, SLICE("f"), nested(&a, YAML_DEPTH_MAX, '[', ']'), r));
	assert_null(yaml_parse(&a, SLICE("f"), nested(&a, YAML_DEPTH_MAX + 1, '[', ']'), r));
	assert_true(slice_eq(r->v[0].text, SLICE("nested deeper than 32")));
	assert_int_equal(r->v[0].at.column, 33);
	assert_null(yaml_parse(&a, SLICE("f"), nested(&a, YAML_BYTES_MAX / 2, '[', ']'), r));
	assert_null(yaml_parse(&a, SLICE("f"), nested(&a, YAML_BYTES_MAX / 2, '{', '}'), r));
	assert_null(yaml_parse(&a, SLICE("f"), nested(&a, YAML_BYTES_MAX / 2 + 1, '#', '#'), r));
	assert_true(slice_eq(r->v[3].text, SLICE("the file is larger than 1048576 bytes")));
	assert_null(yaml_parse(&a, SLICE("f"), nested(&a, YAML_BYTES_MAX / 2, '#', '#'), r));
	arena_done(&a);
	test_free(r);
}

/* a flat file of the largest size that needs more than the arena may hold ends in one sentence */
static void memory_has_a_cap(void **state)
{
	struct report *r = test_malloc(sizeof(*r));
	struct arena a, texts;

	(void)state;
	arena_init(&texts, 4 << 20);
	arena_init(&a, 1 << 20);
	report_init(r, &texts);

	char *p = arena_alloc(&texts, YAML_BYTES_MAX);

	for (size_t i = 0; i < YAML_BYTES_MAX; i += 2)
		memcpy(p + i, i == 0 ? "[a" : ",a", 2);
	assert_null(yaml_parse(&a, SLICE("f"), slice_from(p, YAML_BYTES_MAX), r));
	assert_int_equal(r->len, 1);
	assert_true(slice_eq(r->v[0].text, SLICE("the file needs too much memory")));
	arena_done(&a);
	arena_done(&texts);
	test_free(r);
}

static void memory_may_end_anywhere(void **state)
{
	struct report *r = test_malloc(sizeof(*r));
	struct slice in = SLICE("a: {b: [1, 2, {c: 'd'}], e: f}\ng: &x h\ni: *x\na: 2\n");

	(void)state;
	for (long n = 1;; n++) {
		struct arena a;

		arena_init(&a, 1 << 20);
		report_init(r, &a);
		a.fail_in = n;

		const struct yaml_node *root = yaml_parse(&a, SLICE("f"), in, r);
		bool done = a.fail_in > 0;        /* nothing failed any more */

		assert_true(root != NULL || r->errors > 0);
		assert_true(r->errors >= 3 || root == NULL);
		arena_done(&a);
		if (done)
			break;
		assert_true(n < 200);
	}
	test_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trees_and_places), cmocka_unit_test(places_and_lookups), cmocka_unit_test(size_and_depth),
		cmocka_unit_test(memory_has_a_cap), cmocka_unit_test(memory_may_end_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
