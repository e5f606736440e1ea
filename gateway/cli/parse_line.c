/* parse_line.c - see parse_line.h. */
#include "cli/parse_line.h"

#include "base/json.h"
#include "policy/facts.h"
#include "policy/verdict.h"

/* the value of a base64 digit, or 64 */
static unsigned base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = c == '\0' ? NULL : strchr(digits, c);

	return p == NULL ? 64 : (unsigned)(p - digits);
}

static enum err_code base64_decode(struct arena *a, struct slice in, struct slice *ret, struct err *reterr)
{
	char *out = arena_alloc(a, in.len);
	size_t n = 0;
	uint32_t bits = 0;
	unsigned have = 0;

	if (out == NULL)
		return err_nomem(reterr);
	while (in.len > 0 && in.ptr[in.len - 1] == '=')
		in.len--;
	for (size_t i = 0; i < in.len; i++) {
		unsigned d = base64_digit(in.ptr[i]);

		if (d == 64)
			return err_set(reterr, ERR_SYNTAX, i, "query_b64 is not base64");
		bits = bits << 6 | d;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (char)(bits >> have & 0xff);
		}
	}
	*ret = slice_from(out, n);
	return ERR_OK;
}

enum err_code parse_line_query(struct arena *a, struct slice line, struct slice *ret, struct err *reterr)
{
	const struct json_value *v, *query;
	enum err_code rc = json_parse(a, line, &v, reterr);

	if (rc != ERR_OK)
		return rc;
	query = v->type == JSON_TYPE_OBJECT ? json_get(v, "query") : v;
	if (query != NULL && query->type == JSON_TYPE_TEXT) {
		*ret = query->text;
		return ERR_OK;
	}
	query = json_get(v, "query_b64");
	if (query == NULL || query->type != JSON_TYPE_TEXT)
		return err_set(reterr, ERR_SYNTAX, ERR_NOWHERE,
		               "a line is a JSON string, or an object with a string query or query_b64");
	return base64_decode(a, query->text, ret, reterr);
}

static void key(struct strbuf *out, const char *name)
{
	if (out->len > 0 && out->ptr[out->len - 1] != '{')
		strbuf_char(out, ',');
	json_text(out, slice_cstr(name));
	strbuf_char(out, ':');
}

static void text(struct strbuf *out, const char *name, struct slice value)
{
	key(out, name);
	json_text(out, value);
}

static void number(struct strbuf *out, const char *name, int64_t value)
{
	key(out, name);
	strbuf_i64(out, value);
}

static void selector(struct strbuf *out, const struct selector_facts *s)
{
	strbuf_char(out, '[');
	for (size_t i = 0; i < s->matchers_len; i++) {
		const struct matcher *m = &s->matchers[i];

		strbuf_add(out, i > 0 ? SLICE(",{") : SLICE("{"));
		text(out, "name", m->name);
		text(out, "op", slice_cstr(matcher_op_text(m->op)));
		text(out, "value", m->value);
		strbuf_char(out, '}');
	}
	strbuf_char(out, ']');
}

static void facts(struct strbuf *out, const struct facts *f)
{
	key(out, "selectors");
	strbuf_char(out, '[');
	for (size_t i = 0; i < f->selectors_len; i++) {
		if (i > 0)
			strbuf_char(out, ',');
		selector(out, &f->selectors[i]);
	}
	strbuf_char(out, ']');
	key(out, "functions");
	strbuf_char(out, '[');
	for (size_t i = 0; i < f->names_len; i++) {
		if (i > 0)
			strbuf_char(out, ',');
		json_text(out, f->names[i]);
	}
	strbuf_char(out, ']');
	number(out, "max_range_ms", f->max_range_ms);
	number(out, "max_offset_ms", f->max_offset_ms);
	number(out, "min_offset_ms", f->min_offset_ms);
	number(out, "subqueries", (int64_t)f->subqueries);
	number(out, "at_modifiers", (int64_t)f->at_modifiers);
	number(out, "depth", (int64_t)f->depth);
	number(out, "nodes", (int64_t)f->nodes);
}

static void error(struct strbuf *out, const struct err *e)
{
	text(out, "err", slice_cstr(e->text));
	if (e->at != ERR_NOWHERE)
		number(out, "offset", (int64_t)e->at);
	text(out, "refused", slice_cstr(deny_tag(deny_from_err(e))));
}

void parse_line_error(const struct err *e, struct strbuf *out)
{
	strbuf_lit(out, "{\"ok\":false");
	error(out, e);
	strbuf_char(out, '}');
}

static enum err_code print(struct arena *a, const struct stmt *s, struct slice *ret, struct err *reterr)
{
	struct strbuf out;

	strbuf_init(&out, a, STMT_TEXT_MAX);
	if (stmt_print(s, &out) != ERR_OK)
		return err_rule(reterr, ERR_LIMIT, "query_bytes", ERR_NOWHERE, "the printed query is too long");
	*ret = strbuf_slice(&out);
	return ERR_OK;
}

static enum err_code enforce(struct arena *a, const struct parse_options *o, struct stmt *s, struct slice *ret,
                             struct err *reterr)
{
	struct matcher own = { o->label, MATCH_EQ, o->tenant };
	struct matchers guard = { &own, o->tenant.len > 0 ? 1 : 0 };
	enum err_code rc = stmt_narrow(s, &guard, reterr);

	return rc != ERR_OK ? rc : stmt_print_checked(a, s, &guard, ret, reterr);
}

void parse_line_answer(struct arena *a, const struct parse_options *o, struct slice query, struct strbuf *out)
{
	struct stmt *s;
	struct facts f;
	struct slice canonical, enforced;
	struct err e;

	if (stmt_parse(a, o->kind, &o->stmt, query, &s, &e) != ERR_OK || stmt_shape(a, s, &f, &e) != ERR_OK ||
	    print(a, s, &canonical, &e) != ERR_OK) {
		parse_line_error(&e, out);
		return;
	}
	strbuf_lit(out, "{\"ok\":true");
	text(out, "canonical", canonical);
	facts(out, &f);                       /* before narrowing: they are the user's */
	if (enforce(a, o, s, &enforced, &e) == ERR_OK)
		text(out, "enforced", enforced);
	else
		error(out, &e);
	strbuf_char(out, '}');
}

bool parse_line_run(struct arena *a, const struct parse_options *o, struct slice query)
{
	struct stmt *s;
	struct slice enforced;
	struct err e;

	return stmt_parse(a, o->kind, &o->stmt, query, &s, &e) == ERR_OK && enforce(a, o, s, &enforced, &e) == ERR_OK;
}
