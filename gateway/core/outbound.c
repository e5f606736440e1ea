/* outbound.c - see outbound.h. Nothing here takes a byte of the client's head: the header set is built from nothing. */
#include "core/outbound.h"

#include "backends/backend.h"
#include "backends/router.h"
#include "tenants/tenant.h"

#define GET_MAX 2048                     /* longer parameters go as POST where the row allows it */
#define TARGET_MAX ((size_t)64 * 1024)
#define WIRE_MAX ((size_t)4 * 1024 * 1024)

struct outbound {
	const struct backend *backend;
	struct slice wire;
	int64_t first_byte_ms;
};

const struct backend *outbound_backend(const struct outbound *o)
{
	return o->backend;
}

struct slice outbound_wire(const struct outbound *o)
{
	return o->wire;
}

int64_t outbound_first_byte_ms(const struct outbound *o)
{
	return o->first_byte_ms;
}

bool outbound_repeatable(const struct outbound *o)
{
	(void)o;
	return true;                         /* every route served so far is a read */
}

bool outbound_is_head(const struct outbound *o)
{
	(void)o;
	return false;                        /* HEAD runs as GET */
}

/* one name=value; the name is ours and needs no escape but the brackets of match[] */
static void next_param(struct strbuf *b, enum param p)
{
	if (b->len > 0)
		strbuf_char(b, '&');
	form_encode(b, slice_cstr(param_name(p)));
	strbuf_char(b, '=');
}

static void print_ms(struct strbuf *b, enum param p, int64_t ms)
{
	next_param(b, p);
	param_print_ms(b, ms);
}

/* the parameters in our order */
static void print_params(struct strbuf *b, const struct outbound_parts *p)
{
	unsigned takes = p->route->params;
	enum param text = takes & PARAM_BIT(PARAM_QUERY) ? PARAM_QUERY : PARAM_MATCH;

	for (size_t i = 0; i < p->texts_len; i++) {
		next_param(b, text);
		form_encode(b, p->texts[i]);
	}
	if (takes & PARAM_BIT(PARAM_TIME))
		print_ms(b, PARAM_TIME, p->window.end_ms);
	if (takes & PARAM_BIT(PARAM_START))
		print_ms(b, PARAM_START, p->window.start_ms);
	if (takes & PARAM_BIT(PARAM_END))
		print_ms(b, PARAM_END, p->window.end_ms);
	if (takes & PARAM_BIT(PARAM_STEP))
		print_ms(b, PARAM_STEP, p->window.step_ms);
	if (p->timeout_ms >= 0)
		print_ms(b, PARAM_TIMEOUT, p->timeout_ms);
	if (p->limit >= 0) {
		next_param(b, PARAM_LIMIT);
		strbuf_i64(b, p->limit);
	}
	if (p->lookback_ms >= 0)
		print_ms(b, PARAM_LOOKBACK, p->lookback_ms);
	if (p->stats) {
		next_param(b, PARAM_STATS);
		strbuf_lit(b, "all");
	}
}

/* the row's path, its {part} encoded anew */
static void print_path(struct strbuf *b, const struct outbound_parts *p)
{
	struct slice path = slice_cstr(p->route->path);
	size_t brace = slice_find(path, '{');

	strbuf_add(b, p->backend->base_path);
	strbuf_add(b, slice_from(path.ptr, brace));
	if (brace == path.len)
		return;
	form_encode(b, p->part);
	strbuf_add(b, slice_skip(path, slice_find(path, '}') + 1));
}

static void print_host(struct strbuf *b, const struct backend *be)
{
	bool six = slice_find(be->host, ':') < be->host.len;

	strbuf_lit(b, " HTTP/1.1\r\nHost: ");
	if (six)
		strbuf_char(b, '[');
	strbuf_add(b, be->host);
	if (six)
		strbuf_char(b, ']');
	if (be->unix_path.len == 0 && be->port != (be->tls ? 443 : 80))
		strbuf_fmt(b, ":%u", be->port);
	strbuf_lit(b, "\r\n");
}

static void print_headers(struct strbuf *b, const struct outbound_parts *p)
{
	if (p->backend->isolation & ISOLATE_HEADER) {
		strbuf_add(b, p->backend->tenant_header);
		strbuf_lit(b, ": ");
		strbuf_add(b, p->tenant->id);
		strbuf_lit(b, "\r\n");
	}
	strbuf_lit(b, "Accept: application/json\r\nUser-Agent: weir\r\n");
	if (p->gzip)
		strbuf_lit(b, "Accept-Encoding: gzip\r\n");
	else
		strbuf_lit(b, "Accept-Encoding: identity\r\n");
	strbuf_fmt(b, "traceparent: %s\r\n", p->trace->parent);
	if (p->trace->state.len > 0) {
		strbuf_lit(b, "tracestate: ");
		strbuf_add(b, p->trace->state);
		strbuf_lit(b, "\r\n");
	}
}

static enum err_code finish(struct arena *a, const struct backend *be, struct strbuf *b, int64_t first_byte_ms,
                            struct outbound **ret, struct err *reterr)
{
	struct outbound *o = ARENA_NEW(a, struct outbound);

	if (o == NULL || b->full)
		return err_nomem(reterr);
	*o = (struct outbound){ .backend = be, .wire = strbuf_slice(b), .first_byte_ms = first_byte_ms };
	*ret = o;
	return ERR_OK;
}

enum err_code outbound_print(struct arena *a, const struct outbound_parts *p, struct outbound **ret, struct err *reterr)
{
	struct strbuf params, b;

	strbuf_init(&params, a, WIRE_MAX);
	strbuf_init(&b, a, WIRE_MAX);
	print_params(&params, p);

	bool post = params.len > GET_MAX && (p->route->methods & METHOD_POST) != 0;

	if (!post && params.len > TARGET_MAX)
		return err_rule(reterr, ERR_LIMIT, "query_bytes", ERR_NOWHERE, "the parameters of this call pass %zu bytes", TARGET_MAX);
	if (post)
		strbuf_lit(&b, "POST ");
	else
		strbuf_lit(&b, "GET ");
	print_path(&b, p);
	if (!post && params.len > 0) {
		strbuf_char(&b, '?');
		strbuf_add(&b, strbuf_slice(&params));
	}
	print_host(&b, p->backend);
	print_headers(&b, p);
	if (post)
		strbuf_fmt(&b, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n", params.len);
	strbuf_lit(&b, "\r\n");
	if (post)
		strbuf_add(&b, strbuf_slice(&params));
	if (params.full)
		return err_nomem(reterr);
	return finish(a, p->backend, &b, p->timeout_ms >= 0 ? p->timeout_ms + 5000 : p->backend->first_byte_ms, ret, reterr);
}

enum err_code outbound_probe(struct arena *a, const struct backend *be, struct slice path, struct outbound **ret, struct err *reterr)
{
	struct strbuf b;

	strbuf_init(&b, a, 8192);
	strbuf_lit(&b, "GET ");
	strbuf_add(&b, be->base_path);
	strbuf_add(&b, path);
	print_host(&b, be);
	if (be->isolation & ISOLATE_HEADER) {
		strbuf_add(&b, be->tenant_header);
		strbuf_lit(&b, ": weir-probe\r\n");
	}
	strbuf_lit(&b, "Accept: application/json\r\nUser-Agent: weir\r\nAccept-Encoding: identity\r\n\r\n");
	return finish(a, be, &b, 5000, ret, reterr);
}
