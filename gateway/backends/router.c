/* router.c - see router.h. */
#include "backends/router.h"

#include "backends/params.h"
#include "base/json.h"

#define DIALECT(sym) extern const struct dialect sym;
#include "backends/backends.def"
#undef DIALECT

static const struct dialect *const dialects[DIALECTS_LEN] = {
#define DIALECT(sym) &sym,
#include "backends/backends.def"
#undef DIALECT
};

const struct dialect *dialect_at(size_t i)
{
	return i < DIALECTS_LEN ? dialects[i] : NULL;
}

const struct dialect *dialect_by_name(struct slice name)
{
	for (size_t i = 0; i < DIALECTS_LEN; i++)
		if (slice_eq(name, slice_cstr(dialects[i]->name)))
			return dialects[i];
	return NULL;
}

/* row path against raw path; *part is the raw text of a {part} */
static bool path_matches(struct slice row, struct slice path, struct slice *part)
{
	for (;;) {
		size_t fixed = 0;

		while (fixed < row.len && row.ptr[fixed] != '{' && row.ptr[fixed] != '*')
			fixed++;
		if (!slice_starts(path, slice_from(row.ptr, fixed)))
			return false;
		row = slice_skip(row, fixed);
		path = slice_skip(path, fixed);
		if (row.len == 0)
			return path.len == 0;
		if (row.ptr[0] == '*')
			return true;
		*part = slice_from(path.ptr, slice_find(path, '/'));
		if (part->len == 0)
			return false;
		row = slice_skip(row, slice_find(row, '}') + 1);
		path = slice_skip(path, part->len);
	}
}

static unsigned method_bit(struct slice method)
{
	if (slice_eq(method, SLICE("GET")) || slice_eq(method, SLICE("HEAD")))
		return METHOD_GET;
	if (slice_eq(method, SLICE("POST")))
		return METHOD_POST;
	return slice_eq(method, SLICE("DELETE")) ? METHOD_DELETE : 0;
}

/* a label name as Prometheus takes it in a path: any text; U__ names (escaped UTF-8) are decoded as the backend does */
static enum deny decode_part(struct arena *a, struct slice raw, struct slice *ret)
{
	if (!form_decode(a, raw, false, ret))
		return DENY_PATH_PART;
	if (ret->len == 0 || ret->len > 1024 || !utf8_valid(*ret) || memchr(ret->ptr, '%', ret->len) != NULL)
		return DENY_PATH_PART;
	for (size_t i = 0; i < ret->len; i++)
		if ((unsigned char)ret->ptr[i] < 0x20 || ret->ptr[i] == 0x7f || ret->ptr[i] == '/')
			return DENY_PATH_PART;
	return slice_eq(*ret, SLICE(".")) || slice_eq(*ret, SLICE("..")) ? DENY_PATH_PART : DENY_COUNT;
}

enum deny route_find(struct arena *a, const struct dialect *d, struct slice method, struct slice path, struct routed *ret)
{
	struct slice raw = SLICE("");

	*ret = (struct routed){ .part = SLICE("") };
	for (size_t i = 0; i < d->routes_len && ret->route == NULL; i++)
		if (path_matches(slice_cstr(d->routes[i].path), path, &raw))
			ret->route = &d->routes[i];
	if (ret->route == NULL)
		return DENY_ROUTE_UNKNOWN;
	if (ret->route->how == HOW_DENY)
		return DENY_ROUTE_CLOSED;
	if (raw.len > 0) {
		enum deny bad = decode_part(a, raw, &ret->part);

		if (bad != DENY_COUNT)
			return bad;
	}
	if (slice_eq(method, SLICE("OPTIONS")))
		return DENY_COUNT;
	return (ret->route->methods & method_bit(method)) != 0 ? DENY_COUNT : DENY_ROUTE_METHOD;
}

void route_allow(const struct route *r, struct strbuf *out)
{
	if (r->methods & METHOD_GET)
		strbuf_lit(out, "GET, HEAD, ");
	if (r->methods & METHOD_POST)
		strbuf_lit(out, "POST, ");
	if (r->methods & METHOD_DELETE)
		strbuf_lit(out, "DELETE, ");
	strbuf_lit(out, "OPTIONS");
}
