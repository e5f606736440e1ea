/* admin.c - see admin.h. One table, one file. */
#include "admin/admin.h"

#include "audit/record.h"
#include "base/json.h"

#include <pthread.h>
#include <stdlib.h>

#define ANSWER_MAX ((size_t)16 * 1024 * 1024)

struct admin {
	struct admin_options o;
	pthread_mutex_t lock;                /* of snap */
	struct snapshot *snap;
};

/* what a call answers; body is text */
struct reply {
	unsigned status;
	const char *type;
	struct strbuf body;
};

enum may_call { ANYONE, MONITORS };      /* MONITORS: monitor or admin patterns of `operators` */

static void call_healthy(struct admin *a, struct reply *r);
static void call_ready(struct admin *a, struct reply *r);
static void call_metrics(struct admin *a, struct reply *r);

/* HINT: to add an admin call, add a row; gateway/admin/README.md lists them. */
static const struct call {
	const char *path;
	bool health_listener;                /* answered there too */
	enum may_call who;
	void (*answer)(struct admin *a, struct reply *r);
} calls[] = {
	{ "/healthy", true, ANYONE, call_healthy },
	{ "/ready", true, ANYONE, call_ready },
	{ "/metrics", false, MONITORS, call_metrics },
};

/* what the log counts, which must not know metrics */
static void collect_log(void *ctx, struct metrics_shard *s)
{
	static const char *const types[RECORD_TYPES] = {
		[RECORD_DECISION] = "decision", [RECORD_OUTCOME] = "outcome", [RECORD_ADMIN] = "admin", [RECORD_BOOT] = "boot",
		[RECORD_POLICY] = "policy",     [RECORD_TLS] = "tls",         [RECORD_GAP] = "gap",
	};
	const struct admin *a = ctx;
	struct committer_counters now;

	committer_counters(a->o.log, &now);
	for (size_t i = 0; i < RECORD_TYPES; i++)
		metric_add(s, METRIC_AUDIT_RECORDS, METRIC_LABELS(slice_cstr(types[i])), now.records[i]);
	for (size_t i = 0; i < sizeof(now.sync_buckets) / sizeof(now.sync_buckets[0]); i++)
		metric_observe_many(s, METRIC_AUDIT_COMMIT, NULL, (int64_t)committer_bucket_us[i], now.sync_buckets[i],
		                    i == 0 ? (int64_t)now.sync_us_total : 0);
	metric_set(s, METRIC_AUDIT_QUEUE, NULL, (int64_t)now.queue_records);
	metric_set(s, METRIC_AUDIT_DURABLE, NULL, (int64_t)now.durable_index);
}

struct admin *admin_new(const struct admin_options *o)
{
	struct admin *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->o = *o;
	if (!metrics_collect(o->metrics, collect_log, a) || pthread_mutex_init(&a->lock, NULL) != 0) {
		free(a);
		return NULL;
	}
	a->snap = snapshot_ref(o->snap);
	return a;
}

struct admin *admin_free(struct admin *a)
{
	if (a == NULL)
		return NULL;
	snapshot_unref(a->snap);
	pthread_mutex_destroy(&a->lock);
	free(a);
	return NULL;
}

void admin_swap(struct admin *a, struct snapshot *snap)
{
	pthread_mutex_lock(&a->lock);
	snapshot_ref(snap);
	snapshot_unref(a->snap);
	a->snap = snap;
	pthread_mutex_unlock(&a->lock);
}

static void call_healthy(struct admin *a, struct reply *r)
{
	(void)a;
	strbuf_lit(&r->body, "healthy\n");
}

/* readiness never asks backends: they come and go without taking Weir out of rotation */
static void call_ready(struct admin *a, struct reply *r)
{
	struct admin_state s = a->o.state(a->o.state_ctx);

	if (!s.draining && s.audit_open) {
		strbuf_lit(&r->body, "ready\n");
		return;
	}
	r->status = 503;
	if (s.draining)
		strbuf_lit(&r->body, "not ready: draining\n");
	if (!s.audit_open)
		strbuf_lit(&r->body, "not ready: the audit log cannot take records\n");
}

static void call_metrics(struct admin *a, struct reply *r)
{
	r->type = "text/plain; version=0.0.4; charset=utf-8";
	metrics_print(a->o.metrics, &r->body);
}

static void fail(struct reply *r, enum deny why)
{
	r->status = deny_status(why);
	r->type = "application/json";
	r->body.len = 0;
	strbuf_lit(&r->body, "{\"status\":\"error\",\"error\":");
	json_text(&r->body, slice_cstr(deny_sentence(why)));
	strbuf_fmt(&r->body, ",\"tag\":\"%s\"}\n", deny_tag(why));
}

static bool matches(const struct slice *patterns, size_t len, struct slice uri)
{
	for (size_t i = 0; i < len; i++)
		if (spiffe_match(patterns[i], uri))
			return true;
	return false;
}

static enum deny judge(struct admin *a, const struct call *c, const struct inbound *in)
{
	const struct identity *id = in->identity;
	enum deny bad = DENY_COUNT;

	if (c->who == ANYONE)
		return DENY_COUNT;
	if (id == NULL || id->fault != IDENTITY_FINE)
		return id != NULL && id->fault == IDENTITY_FOREIGN_DOMAIN ? DENY_TRUST_DOMAIN : DENY_IDENTITY_NAME;
	pthread_mutex_lock(&a->lock);
	if (!matches(a->snap->operators.monitor, a->snap->operators.monitor_len, id->uri) &&
	    !matches(a->snap->operators.admin, a->snap->operators.admin_len, id->uri))
		bad = DENY_MAY_NOT;
	pthread_mutex_unlock(&a->lock);
	return bad;
}

static bool expired(const struct inbound *in)
{
	int64_t now = clock_wall_us(clock_system()) / 1000000;

	return in->identity != NULL && (now < in->identity->not_before || now > in->identity->not_after);
}

static bool is_method(const struct inbound *in, const char *method)
{
	return slice_eq(in->method, slice_cstr(method));
}

static void answer(struct admin *a, const struct inbound *in, bool health_listener, struct reply *r)
{
	const struct call *c = NULL;
	enum deny bad;

	if (in->fault != DENY_COUNT) {
		fail(r, in->fault);
		return;
	}
	if (expired(in)) {
		fail(r, DENY_CERT_NOT_GOOD);
		return;
	}
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (slice_eq(in->path, slice_cstr(calls[i].path)) && (calls[i].health_listener || !health_listener))
			c = &calls[i];
	bad = c == NULL ? DENY_ROUTE_UNKNOWN : judge(a, c, in);
	if (bad == DENY_COUNT && !is_method(in, "GET") && !is_method(in, "HEAD") && !is_method(in, "OPTIONS"))
		bad = DENY_ROUTE_METHOD;
	if (bad != DENY_COUNT)
		fail(r, bad);
	else if (is_method(in, "OPTIONS"))
		r->status = 204;
	else
		c->answer(a, r);
}

static void send(struct admin *a, const struct inbound *in, struct exchange *x, const struct reply *r)
{
	struct header h[2] = { { SLICE("content-type"), slice_cstr(r->type) }, { SLICE("allow"), SLICE("GET, HEAD, OPTIONS") } };
	bool no_body = r->status == 204 || is_method(in, "HEAD");
	struct answer_head head = { .status = r->status, .headers = h, .headers_len = r->status == 204 || r->status == 405 ? 2 : 1,
		                        .content_length = r->status == 204 ? -1 : (int64_t)r->body.len, .close = in->close, .no_body = no_body };

	a->o.down.head(x, &head);
	if (!no_body)
		a->o.down.body(x, strbuf_slice(&r->body));
	a->o.down.end(x);
}

static void *begin(struct admin *a, const struct inbound *in, struct exchange *x, bool health_listener)
{
	struct arena arena;
	struct reply r = { .status = 200, .type = "text/plain; charset=utf-8" };

	arena_init(&arena, ANSWER_MAX * 3);
	strbuf_init(&r.body, &arena, ANSWER_MAX);
	answer(a, in, health_listener, &r);
	if (r.body.full) {
		strbuf_init(&r.body, &arena, ANSWER_MAX);
		fail(&r, DENY_MEMORY);
	}
	send(a, in, x, &r);
	arena_done(&arena);
	return NULL;
}

void *admin_begin(void *ctx, const struct inbound *in, struct exchange *x)
{
	return begin(ctx, in, x, false);
}

void *admin_begin_health(void *ctx, const struct inbound *in, struct exchange *x)
{
	return begin(ctx, in, x, true);
}
