/* http1.c - requests from libh2o to a service, and answers back; see inner.h.
 *
 * libh2o hands over whole requests. Its view of the head is not used: the bytes are scanned again where they lie, at the start
 * of the socket's input, and stay there while the request is answered, because nothing is read meanwhile. Answers are
 * buffered and framed here; libh2o gets one write at a time and calls back when it is out.
 *
 * An exchange lives in its request's pool. It outlives the calls of the service that end it: libh2o lets go of a request only
 * from its event loop, after the last write. For that, each h2o_send carries at least one buffer, if an empty one; without
 * any, libh2o would go on to the next request, and so back into the service, before the call returned.
 */
#include "server/head.h"
#include "server/inner.h"

#include <stdio.h>

#define HEAD_MEMORY ((size_t)64 * 1024)
#define BUFFER_FULL ((size_t)256 * 1024)
#define BUFFER_LOW ((size_t)64 * 1024)

struct output {
	char *bytes;
	size_t len, cap;
};

struct exchange {
	h2o_generator_t generator;       /* first: libh2o hands it back */
	h2o_req_t *req;
	struct conn *conn;
	const struct service *service;
	void *request;                   /* the service's; NULL = it has nothing to do with this any more */
	struct snapshot *snap;           /* held: in.listener is of it */
	struct inbound in;
	struct head head;
	struct arena arena;              /* of the head */

	bool close;                      /* the connection ends with this answer */
	bool has_head, started;          /* the service gave its head; libh2o has it */
	bool chunked;
	bool counted;                    /* content-length was announced: */
	uint64_t left;                   /* that many bytes are still due */
	bool ended, aborted;
	bool writing;                    /* libh2o will call proceed, or let go */
	bool full;                       /* the service waits for ready */
	struct output waiting, sending;
	char chunk[24];
};

/* ---- output ---- */

static bool output_add(struct output *o, struct slice bytes)
{
	if (bytes.len > o->cap - o->len) {
		size_t cap = o->cap < 4096 ? 4096 : o->cap;
		char *p;

		while (cap - o->len < bytes.len)
			cap *= 2;
		p = realloc(o->bytes, cap);
		if (p == NULL)
			return false;
		o->bytes = p;
		o->cap = cap;
	}
	if (bytes.len > 0)
		memcpy(o->bytes + o->len, bytes.ptr, bytes.len);
	o->len += bytes.len;
	return true;
}

/* What is handed over goes out as the answer's bytes, or as one chunk of them; the last one says that it is the last. */
static size_t frame(struct exchange *x, h2o_iovec_t out[3])
{
	static const char next[] = "\r\n", last[] = "\r\n0\r\n\r\n";
	size_t n = 0;

	if (x->chunked && x->sending.len > 0)
		out[n++] = h2o_iovec_init(x->chunk, (size_t)snprintf(x->chunk, sizeof(x->chunk), "%zx\r\n", x->sending.len));
	if (x->sending.len > 0)
		out[n++] = h2o_iovec_init(x->sending.bytes, x->sending.len);
	if (x->chunked && x->sending.len > 0)
		out[n++] = x->ended ? h2o_iovec_init(last, sizeof(last) - 1) : h2o_iovec_init(next, sizeof(next) - 1);
	else if (x->chunked && x->ended)
		out[n++] = h2o_iovec_init(last + 2, sizeof(last) - 1 - 2);
	if (n == 0)
		out[n++] = h2o_iovec_init(next, 0);
	return n;
}

static void start(struct exchange *x)
{
	bool persistent = x->req->http1_is_persistent && !x->close && !x->conn->gate->worker->draining;

	x->started = true;
	h2o_start_response(x->req, &x->generator);
	x->req->http1_is_persistent = persistent;    /* libh2o's own chunking, not used here, may have cleared it */
}

static void flush(struct exchange *x)
{
	struct output done = x->sending;
	h2o_iovec_t out[3];
	size_t n;

	x->sending = x->waiting;
	x->waiting = done;
	x->waiting.len = 0;
	if (!x->started)
		start(x);
	x->writing = true;
	n = frame(x, out);
	h2o_send(x->req, out, n, x->ended ? H2O_SEND_STATE_FINAL : H2O_SEND_STATE_IN_PROGRESS);
}

/* The connection is reset; libh2o learns it by the write that fails, or by this one. */
static void send_failure(struct exchange *x)
{
	h2o_iovec_t nothing = h2o_iovec_init(x->chunk, 0);

	if (!x->started) {
		x->req->res.status = 500;
		x->req->res.reason = "";
		start(x);
	}
	x->writing = true;
	h2o_send(x->req, &nothing, 1, H2O_SEND_STATE_ERROR);
}

static void give_up(struct exchange *x)
{
	if (x->aborted)
		return;
	x->aborted = true;
	conn_reset(x->conn);
	if (!x->writing)
		send_failure(x);
}

static void on_proceed(h2o_generator_t *generator, h2o_req_t *req)
{
	struct exchange *x = (struct exchange *)generator;

	(void)req;
	x->writing = false;
	x->sending.len = 0;
	if (x->aborted) {
		send_failure(x);
		return;
	}
	if (x->waiting.len > 0 || x->ended)
		flush(x);
	if (x->full && x->sending.len <= BUFFER_LOW && x->request != NULL) {
		x->full = false;
		x->service->ready(x->service->ctx, x->request);
	}
}

/* ---- what the service calls ---- */

static const char *reason_phrase(unsigned status)
{
	static const struct {
		unsigned status;
		const char *phrase;
	} known[] = {
		{ 200, "OK" }, { 201, "Created" }, { 202, "Accepted" }, { 204, "No Content" }, { 400, "Bad Request" },
		{ 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" },
		{ 408, "Request Timeout" }, { 411, "Length Required" }, { 413, "Content Too Large" }, { 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" }, { 421, "Misdirected Request" }, { 422, "Unprocessable Content" },
		{ 429, "Too Many Requests" }, { 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" },
		{ 502, "Bad Gateway" }, { 503, "Service Unavailable" }, { 504, "Gateway Timeout" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].status == status)
			return known[i].phrase;
	return "Other";
}

/* a line end in a value would be the start of another header */
static bool is_line(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '\r' || s.ptr[i] == '\n' || s.ptr[i] == '\0')
			return false;
	return true;
}

static void add_header(struct exchange *x, const struct header *h)
{
	h2o_mem_pool_t *pool = &x->req->pool;

	if (!hope(h->name.len > 0 && is_line(h->name) && is_line(h->value)))
		return;

	h2o_iovec_t name = h2o_strdup(pool, h->name.ptr, h->name.len);
	h2o_iovec_t value = h->value.len == 0 ? h2o_iovec_init("", 0) : h2o_strdup(pool, h->value.ptr, h->value.len);

	h2o_add_header_by_str(pool, &x->req->res.headers, name.base, name.len, 0, NULL, value.base, value.len);
}

static void answer_head(struct exchange *x, const struct answer_head *h)
{
	h2o_res_t *res = &x->req->res;
	bool no_body = h->no_body || h->status == 204 || h->status == 304;

	if (!hope(!x->has_head && h->status >= 200 && h->status <= 599)) {
		give_up(x);
		return;
	}
	x->has_head = true;
	res->status = (int)h->status;
	res->reason = reason_phrase(h->status);
	for (size_t i = 0; i < h->headers_len; i++)
		add_header(x, &h->headers[i]);
	if (h->content_length >= 0 && h->status != 204)
		res->content_length = (size_t)h->content_length;
	x->counted = no_body || h->content_length >= 0;
	x->left = no_body ? 0 : (uint64_t)h->content_length;
	x->chunked = !x->counted && x->head.minor == 1;
	if (x->chunked)
		h2o_add_header(&x->req->pool, &res->headers, H2O_TOKEN_TRANSFER_ENCODING, NULL, H2O_STRLIT("chunked"));
	if (h->close || (!x->counted && !x->chunked))
		x->close = true;
}

static bool answer_body(struct exchange *x, struct slice bytes)
{
	if (x->aborted)
		return true;
	if (!hope(x->has_head && (!x->counted || bytes.len <= x->left)) || !output_add(&x->waiting, bytes)) {
		give_up(x);
		return true;
	}
	x->left -= x->counted ? bytes.len : 0;
	if (!x->writing && x->waiting.len > 0)
		flush(x);
	x->full = x->waiting.len + x->sending.len >= BUFFER_FULL;
	return !x->full;
}

static void answer_abort(struct exchange *x)
{
	x->ended = true;
	x->request = NULL;
	give_up(x);
}

static void answer_end(struct exchange *x)
{
	if (x->aborted || !hope(x->has_head && (!x->counted || x->left == 0))) {
		answer_abort(x);
		return;
	}
	x->ended = true;
	x->request = NULL;
	if (!x->writing)
		flush(x);
}

struct downstream_port worker_downstream(void)
{
	return (struct downstream_port){ answer_head, answer_body, answer_end, answer_abort };
}

bool exchange_is_waiting(const struct exchange *x)
{
	return x->request != NULL && !x->writing;
}

void exchange_abandon(struct exchange *x)
{
	void *request = x->request;

	x->request = NULL;
	x->ended = true;
	if (request != NULL)
		x->service->gone(x->service->ctx, request);
	give_up(x);
}

/* ---- how an exchange begins and ends ---- */

/* libh2o lets go of the request: it is answered, or its connection is closed */
static void on_dispose(void *exchange)
{
	struct exchange *x = exchange;

	if (x->request != NULL)
		x->service->gone(x->service->ctx, x->request);
	x->conn->exchange = NULL;
	x->conn->answered = x->conn->sock->bytes_written;
	x->conn->idle_ms = worker_now_ms(x->conn->gate->worker);
	x->conn->input_ms = 0;
	free(x->waiting.bytes);
	free(x->sending.bytes);
	arena_done(&x->arena);
	snapshot_unref(x->snap);
}

static struct head_rules rules_of(const struct conn *c)
{
	const struct listener_settings *l = c->gate->settings;
	struct head_rules r = { .allow_chunked = l->allow_chunked, .max_body = l->max_body, .any_host = c->gate->tls == NULL };

	if (c->gate->tls != NULL)
		r.hosts = tls_context_hosts(c->gate->tls, &r.hosts_len);
	return r;
}

static void set_fault(struct inbound *in, enum deny why, const char *text)
{
	in->fault = why;
	in->close = true;
	snprintf(in->fault_text, sizeof(in->fault_text), "%s", text);
}

/* What the scan says of the body must be what libh2o took for it, to the byte: two readings of one framing would be a way to
 * smuggle a request. */
static bool body_agrees(const struct exchange *x, struct slice raw)
{
	h2o_iovec_t body = x->req->entity;

	if (!x->head.chunked && body.len != x->head.content_length)
		return false;
	return body.len == 0 || body.base == raw.ptr + x->head.len;
}

static void judge(struct exchange *x)
{
	struct conn *c = x->conn;
	struct inbound *in = &x->in;
	struct slice raw = slice_from(c->sock->input->bytes, c->sock->input->size);
	struct head_rules rules = rules_of(c);
	struct head *h = &x->head;

	in->fault = head_scan(&x->arena, raw, &rules, h);
	in->close = h->close;
	memcpy(in->fault_text, h->fault_text, sizeof(in->fault_text));
	in->method = h->method;
	in->target = h->target;
	in->path = h->path;
	in->query = h->query;
	in->has_query = h->has_query;
	in->headers = h->headers;
	in->headers_len = h->headers_len;
	if (in->fault == DENY_COUNT) {
		in->body = slice_from(x->req->entity.base, x->req->entity.len);
		if (!body_agrees(x, raw))
			set_fault(in, DENY_HEAD_FRAMING, "the length of the request body is ambiguous");
		else if (rules.max_body > 0 && in->body.len > rules.max_body)
			set_fault(in, DENY_BODY_TOO_LARGE, "the request body is larger than this listener takes");
	}
	if (!conn_judge(c))
		set_fault(in, DENY_CERT_NOT_GOOD, "the client certificate is no longer good");
}

static struct exchange *exchange_new(struct conn *c, h2o_req_t *req)
{
	struct exchange *x = h2o_mem_alloc_shared(&req->pool, sizeof(*x), on_dispose);
	struct worker *w = c->gate->worker;
	int64_t now_ms = worker_now_ms(w);

	*x = (struct exchange){
		.generator = { .proceed = on_proceed }, .req = req, .conn = c, .service = c->gate->service,
		.snap = snapshot_ref(w->snap),
	};
	arena_init(&x->arena, HEAD_MEMORY);
	c->exchange = x;
	c->requests++;
	x->close = c->requests >= REQUESTS_PER_CONNECTION || now_ms - c->opened_ms >= CONNECTION_AGE_MS;
	x->in = (struct inbound){
		.identity = c->peer == NULL ? NULL : peer_identity(c->peer),
		.listener = c->gate->settings,
		.peer = slice_from(c->address, c->address_len),
		.received_us = clock_mono_us(w->o.clock),
	};
	return x;
}

static int on_req(h2o_handler_t *handler, h2o_req_t *req)
{
	struct exchange *x = exchange_new(conn_of(req), req);
	void *request;

	(void)handler;
	judge(x);
	if (x->in.close)
		x->close = true;
	request = x->service->begin(x->service->ctx, &x->in, x);
	if (request != NULL && !x->ended)
		x->request = request;
	else if (!hope(x->ended))            /* neither answered nor kept */
		answer_abort(x);
	return 0;
}

/* libh2o logs every request that it parsed; one without an exchange is one that it refused by itself */
static void on_log(h2o_logger_t *logger, h2o_req_t *req)
{
	struct conn *c = conn_of(req);

	(void)logger;
	if (c->exchange == NULL)
		conn_library_refused(c, (unsigned)req->res.status);
}

void http1_register(h2o_hostconf_t *host)
{
	/* no path is registered, so that all of them, and targets that are none, come here */
	h2o_create_handler(&host->fallback_path, sizeof(h2o_handler_t))->on_req = on_req;
	h2o_create_logger(&host->fallback_path, sizeof(h2o_logger_t))->log_access = on_log;
}
