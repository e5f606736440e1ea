/* canon.c - see canon.h. */
#include "audit/canon.h"

#define DEPTH_MAX 8

static enum err_code print_value(const struct json_value *v, struct strbuf *out, unsigned depth, struct err *reterr);

static bool is_ascii(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] >= 0x80)
			return false;
	return true;
}

static enum err_code print_items(const struct json_value *v, struct strbuf *out, unsigned depth, struct err *reterr)
{
	bool named = v->type == JSON_TYPE_OBJECT;

	strbuf_char(out, named ? '{' : '[');
	for (size_t i = 0; i < v->len; i++) {
		const struct json_value *item = &v->items[i];

		if (i > 0)
			strbuf_char(out, ',');
		if (named) {
			/* RFC 8785 sorts by UTF-16 units, which is byte order as long as keys are ASCII; a leaf has no others */
			if (!is_ascii(item->key) || (i > 0 && slice_cmp(v->items[i - 1].key, item->key) >= 0))
				return err_set(reterr, ERR_INVALID, ERR_NOWHERE, "canonical JSON: key \"%.*s\" is out of order",
				               SLICE_ARG(item->key));
			json_text(out, item->key);
			strbuf_char(out, ':');
		}

		enum err_code rc = print_value(item, out, depth + 1, reterr);

		if (rc != ERR_OK)
			return rc;
	}
	strbuf_char(out, named ? '}' : ']');
	return ERR_OK;
}

static enum err_code print_value(const struct json_value *v, struct strbuf *out, unsigned depth, struct err *reterr)
{
	if (depth > DEPTH_MAX)
		return err_set(reterr, ERR_INVALID, ERR_NOWHERE, "canonical JSON: nested deeper than %d", DEPTH_MAX);
	switch (v->type) {
	case JSON_TYPE_NULL: strbuf_lit(out, "null"); return ERR_OK;
	case JSON_TYPE_BOOL: strbuf_add(out, v->boolean ? SLICE("true") : SLICE("false")); return ERR_OK;
	case JSON_TYPE_INT:
		if (v->integer > CANON_INT_MAX || v->integer < -CANON_INT_MAX)
			return err_set(reterr, ERR_INVALID, ERR_NOWHERE, "canonical JSON: integer beyond 2^53-1");
		strbuf_i64(out, v->integer);
		return ERR_OK;
	case JSON_TYPE_REAL:
		return err_set(reterr, ERR_INVALID, ERR_NOWHERE, "canonical JSON: a leaf holds no real numbers");
	case JSON_TYPE_TEXT: json_text(out, v->text); return ERR_OK;
	case JSON_TYPE_LIST:
	case JSON_TYPE_OBJECT: return print_items(v, out, depth, reterr);
	}
	return err_set(reterr, ERR_BUG, ERR_NOWHERE, "canonical JSON: unknown type");
}

enum err_code canon_print(const struct json_value *v, struct strbuf *out, struct err *reterr)
{
	return print_value(v, out, 0, reterr);
}
