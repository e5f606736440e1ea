/* json.c - see json.h. jansson reads; the tree is copied into the arena so that nobody else sees its types. */
#include "base/json.h"

#include <jansson.h>

#define DEPTH_MAX 64

size_t utf8_sequence(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;

	if (s.len == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;

	size_t n = p[0] >= 0xf0 && p[0] <= 0xf4 ? 4 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : 0;

	if (n == 0 || s.len < n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
	    (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

size_t utf8_decode(struct slice s, uint32_t *ret)
{
	static const unsigned char first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	size_t n = utf8_sequence(s);

	if (n == 0)
		return 0;
	*ret = (unsigned char)s.ptr[0] & first_bits[n];
	for (size_t i = 1; i < n; i++)
		*ret = *ret << 6 | ((unsigned char)s.ptr[i] & 0x3f);
	return n;
}

size_t utf8_encode(uint32_t rune, char ret[4])
{
	static const unsigned char first_mark[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	if (rune >= 0xd800 && rune <= 0xdfff)
		rune = 0xfffd;

	size_t n = rune < 0x80 ? 1 : rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;

	for (size_t i = n; i-- > 1; rune >>= 6)
		ret[i] = (char)(0x80 | (rune & 0x3f));
	ret[0] = (char)(first_mark[n] | rune);
	return n;
}

bool utf8_valid(struct slice s)
{
	while (s.len > 0) {
		size_t n = utf8_sequence(s);

		if (n == 0)
			return false;
		s = slice_skip(s, n);
	}
	return true;
}

/* what is written for one byte below 0x80, or NULL for the byte itself */
static const char *escape_of(unsigned char c, char space[8])
{
	switch (c) {
	case '"': return "\\\"";
	case '\\': return "\\\\";
	case '\b': return "\\b";
	case '\t': return "\\t";
	case '\n': return "\\n";
	case '\f': return "\\f";
	case '\r': return "\\r";
	default: break;
	}
	if (c >= 0x20)
		return NULL;
	memcpy(space, "\\u00", 4);
	space[4] = "0123456789abcdef"[c >> 4];
	space[5] = "0123456789abcdef"[c & 15];
	space[6] = '\0';
	return space;
}

/* how many bytes at the start of s stand for themselves: printable ASCII but the quote and the backslash */
static size_t plain_run(struct slice s)
{
	size_t n = 0;

	while (n < s.len && s.ptr[n] >= 0x20 && s.ptr[n] < 0x7f && s.ptr[n] != '"' && s.ptr[n] != '\\')
		n++;
	return n;
}

void json_text(struct strbuf *out, struct slice s)
{
	struct slice run = { s.ptr, 0 };       /* bytes that need no escape, added in one go */
	char space[8];

	strbuf_char(out, '"');
	while (s.len > 0) {
		size_t plain = plain_run(s);

		run.len += plain;
		s = slice_skip(s, plain);
		if (s.len == 0)
			break;

		size_t n = utf8_sequence(s);
		const char *esc = n == 0 ? "\xef\xbf\xbd" : n == 1 ? escape_of((unsigned char)s.ptr[0], space) : NULL;

		if (esc == NULL) {
			run.len += n;
			s = slice_skip(s, n);
			continue;
		}
		strbuf_add(out, run);
		strbuf_add(out, slice_cstr(esc));
		s = slice_skip(s, 1);
		run = slice_from(s.ptr, 0);
	}
	strbuf_add(out, run);
	strbuf_char(out, '"');
}

static bool copy(struct arena *a, json_t *from, struct json_value *to, unsigned depth);

static bool copy_list(struct arena *a, json_t *from, struct json_value *to, unsigned depth)
{
	size_t n = json_array_size(from);
	struct json_value *items = ARENA_ARRAY(a, n, struct json_value);

	if (items == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!copy(a, json_array_get(from, i), &items[i], depth + 1))
			return false;
	to->type = JSON_TYPE_LIST;
	to->items = items;
	to->len = n;
	return true;
}

static bool copy_object(struct arena *a, json_t *from, struct json_value *to, unsigned depth)
{
	struct json_value *items = ARENA_ARRAY(a, json_object_size(from), struct json_value);
	size_t n = 0;

	if (items == NULL)
		return false;
	for (void *it = json_object_iter(from); it != NULL; it = json_object_iter_next(from, it), n++) {
		struct slice key = slice_cstr(json_object_iter_key(it));

		if (!copy(a, json_object_iter_value(it), &items[n], depth + 1) || !arena_dup(a, key, &items[n].key))
			return false;
	}
	to->type = JSON_TYPE_OBJECT;
	to->items = items;
	to->len = n;
	return true;
}

static bool copy(struct arena *a, json_t *from, struct json_value *to, unsigned depth)
{
	if (depth > DEPTH_MAX)
		return false;
	switch (json_typeof(from)) {
	case JSON_NULL: to->type = JSON_TYPE_NULL; return true;
	case JSON_TRUE: to->type = JSON_TYPE_BOOL; to->boolean = true; return true;
	case JSON_FALSE: to->type = JSON_TYPE_BOOL; return true;
	case JSON_INTEGER: to->type = JSON_TYPE_INT; to->integer = json_integer_value(from); return true;
	case JSON_REAL: to->type = JSON_TYPE_REAL; to->real = json_real_value(from); return true;
	case JSON_STRING:
		to->type = JSON_TYPE_TEXT;
		return arena_dup(a, slice_from(json_string_value(from), json_string_length(from)), &to->text);
	case JSON_ARRAY: return copy_list(a, from, to, depth);
	case JSON_OBJECT: return copy_object(a, from, to, depth);
	}
	return false;
}

enum err_code json_parse(struct arena *a, struct slice in, const struct json_value **ret, struct err *reterr)
{
	json_error_t e;
	json_t *tree = json_loadb(in.ptr == NULL ? "" : in.ptr, in.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &e);

	if (tree == NULL)
		return err_set(reterr, ERR_SYNTAX, e.position < 0 ? 0 : (size_t)e.position, "not JSON: %s", e.text);

	struct json_value *v = ARENA_NEW(a, struct json_value);
	bool fine = v != NULL && copy(a, tree, v, 0);

	json_decref(tree);
	if (!fine)
		return err_set(reterr, ERR_NOMEM, ERR_NOWHERE, "JSON too large or nested deeper than %d", DEPTH_MAX);
	*ret = v;
	return ERR_OK;
}

const struct json_value *json_get(const struct json_value *v, const char *key)
{
	if (v == NULL || v->type != JSON_TYPE_OBJECT)
		return NULL;
	for (size_t i = 0; i < v->len; i++)
		if (slice_eq(v->items[i].key, slice_cstr(key)))
			return &v->items[i];
	return NULL;
}

struct slice json_get_text(const struct json_value *v, const char *key)
{
	const struct json_value *m = json_get(v, key);

	return m != NULL && m->type == JSON_TYPE_TEXT ? m->text : SLICE("");
}
