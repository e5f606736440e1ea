/* fake_ports.c - see fake_ports.h. */
#include "fake_ports.h"

#include "backends/route.h"

#include <stdio.h>
#include <stdlib.h>

static struct fake_world *world;   /* one at a time: an exchange is only a name for it */

static void down_head(struct exchange *x, const struct answer_head *h)
{
	(void)x;
	world->status = h->status;
	world->closed = h->close;
	for (size_t i = 0; i < h->headers_len; i++)
		world->head_len += (size_t)snprintf(world->head + world->head_len, sizeof(world->head) - world->head_len, "%.*s: %.*s\n",
		                                    SLICE_ARG(h->headers[i].name), SLICE_ARG(h->headers[i].value));
}

static bool down_body(struct exchange *x, struct slice bytes)
{
	(void)x;
	world->body_calls++;
	memcpy(world->body + world->body_len, bytes.ptr, bytes.len);
	world->body_len += bytes.len;
	world->body[world->body_len] = '\0';
	return !world->full;
}

static void down_end(struct exchange *x)
{
	(void)x;
	world->ended = true;
}

static void down_abort(struct exchange *x)
{
	(void)x;
	world->aborted = true;
}

static struct upstream_call *up_start(void *ctx, const struct outbound *o, const struct upstream_events *ev, void *evctx)
{
	struct fake_world *w = ctx;
	struct slice wire = outbound_wire(o);

	w->started++;
	w->events = ev;
	w->events_ctx = evctx;
	snprintf(w->wire, sizeof(w->wire), "%.*s", SLICE_ARG(wire));
	return (struct upstream_call *)w;
}

static void up_pause(struct upstream_call *c)
{
	((struct fake_world *)c)->paused++;
}

static void up_resume(struct upstream_call *c)
{
	((struct fake_world *)c)->resumed++;
}

static void up_cancel(struct upstream_call *c)
{
	((struct fake_world *)c)->cancelled++;
}

static enum err_code log_submit(void *ctx, struct slice leaf, int type, enum submit_class class, struct ticket *ret,
                                struct err *reterr)
{
	struct fake_world *w = ctx;

	(void)class;
	if (w->refuse_records)
		return err_set(reterr, ERR_IO, ERR_NOWHERE, "closed");
	if (w->records < 16 && leaf.len <= sizeof(w->leaves[0])) {
		memcpy(w->leaves[w->records], leaf.ptr, leaf.len);
		w->leaf_len[w->records] = leaf.len;
		w->types[w->records] = type;
	}
	ret->seq = ++w->records;
	return ERR_OK;
}

static enum ticket_state log_state(void *ctx, struct ticket t)
{
	(void)t;
	return ((struct fake_world *)ctx)->ticket;
}

static int64_t log_index(void *ctx, struct ticket t)
{
	(void)ctx;
	return (int64_t)t.seq;
}

static bool log_open(void *ctx)
{
	return !((struct fake_world *)ctx)->refuse_records;
}

static void log_pseudonym(void *ctx, struct slice spki, char ret[24])
{
	(void)ctx, (void)spki;
	strcpy(ret, "op_aaaaaaaaaaaaaaaa");
}

static struct gcra_given limit_take(void *ctx, enum limit_kind kind, struct slice key, const struct rate_limit *l, double tokens)
{
	struct fake_world *w = ctx;

	(void)kind, (void)key, (void)l, (void)tokens;
	w->taken++;
	return w->given;
}

static const struct slice acme_all[] = { SLICE_INIT("spiffe://example.org/acme/*") };
static const struct slice acme_dev[] = { SLICE_INIT("spiffe://example.org/acme/dev/*") };
static const struct slice acme_svc[] = { SLICE_INIT("spiffe://example.org/acme/svc/*") };
static const struct slice acme_logs[] = { SLICE_INIT("spiffe://example.org/acme/logs/*") };
static const struct slice acme_none[] = { SLICE_INIT("spiffe://example.org/acme/none/*") };
static const struct slice empty_all[] = { SLICE_INIT("spiffe://example.org/empty/*") };
static const struct slice shared[] = { SLICE_INIT("spiffe://example.org/grafana") };
static const struct slice group_names[] = { SLICE_INIT("all"), SLICE_INIT("dev"), SLICE_INIT("svc"), SLICE_INIT("logs"),
	                                        SLICE_INIT("shared"), SLICE_INIT("none") };
static const struct slice metrics_backend[] = { SLICE_INIT("metrics") };

static const struct tenant_group groups[] = {
	{ SLICE_INIT("all"), acme_all, 1 },   { SLICE_INIT("dev"), acme_dev, 1 },     { SLICE_INIT("svc"), acme_svc, 1 },
	{ SLICE_INIT("logs"), acme_logs, 1 }, { SLICE_INIT("shared"), shared, 1 },
	{ SLICE_INIT("none"), acme_none, 1 },
};

static const struct tenant_group empty_groups[] = { { SLICE_INIT("all"), empty_all, 1 } };

static const struct grant_value dev_value[] = { { SLICE_INIT("dev-*"), true } }, shared_value[] = { { SLICE_INIT("shared"), false } },
                                team_value[] = { { SLICE_INIT("payments"), false } };
static const struct grant_term dev_term[] = { { SLICE_INIT("namespace"), dev_value, 1 } },
                               shared_terms[] = { { SLICE_INIT("namespace"), shared_value, 1 }, { SLICE_INIT("team"), team_value, 1 } };
static const struct grant_clause dev_clauses[] = { { dev_term, 1 }, { shared_terms, 2 } };

static const struct tenant_role roles[] = {
	{ .name = SLICE_INIT("reader"), .groups = &group_names[0], .groups_len = 1, .may = MAY_READ,
	  .signal_named = { [SIGNAL_METRICS] = true }, .grants = { [SIGNAL_METRICS] = { .all = true } } },
	{ .name = SLICE_INIT("developer"), .groups = &group_names[1], .groups_len = 1, .may = MAY_READ,
	  .signal_named = { [SIGNAL_METRICS] = true }, .grants = { [SIGNAL_METRICS] = { .clauses = dev_clauses, .len = 2 } } },
	{ .name = SLICE_INIT("writer"), .groups = &group_names[2], .groups_len = 1, .may = MAY_WRITE },
	{ .name = SLICE_INIT("logs"), .groups = &group_names[3], .groups_len = 1, .may = MAY_READ,
	  .signal_named = { [SIGNAL_LOGS] = true }, .grants = { [SIGNAL_LOGS] = { .all = true } } },
	{ .name = SLICE_INIT("shared"), .groups = &group_names[4], .groups_len = 1, .may = MAY_READ,
	  .signal_named = { [SIGNAL_METRICS] = true }, .grants = { [SIGNAL_METRICS] = { .all = true } } },
	{ .name = SLICE_INIT("none"), .groups = &group_names[5], .groups_len = 1, .may = MAY_READ,
	  .signal_named = { [SIGNAL_METRICS] = true } },
};

static struct snapshot *make_snapshot(void)
{
	struct snapshot *s = snapshot_new(1 << 22);
	struct backend *b = ARENA_NEW(&s->arena, struct backend);
	struct tenant *t = ARENA_ARRAY(&s->arena, 3, struct tenant);
	struct tenant **list = ARENA_ARRAY(&s->arena, 3, struct tenant *);
	struct registry *reg = NULL;
	struct err e;

	*b = (struct backend){ .name = SLICE("metrics"), .dialect = dialect_by_name(SLICE("prometheus")), .isolation = ISOLATE_LABEL,
		                   .label = SLICE("tenant_id"), .tenant_header = SLICE("X-Scope-OrgID"), .host = SLICE("127.0.0.1"),
		                   .port = 9090, .first_byte_ms = 60000 };
	t[0] = (struct tenant){ .id = SLICE("acme"), .backends = metrics_backend, .backends_len = 1, .groups = groups, .groups_len = 6,
		                    .roles = roles, .roles_len = 6 };
	t[0].limits.rate[LIMIT_REQUEST_RATE] = (struct rate_limit){ 10, 20 };
	t[1] = t[0];
	t[1].id = SLICE("globex");
	t[1].groups = &groups[4];
	t[1].groups_len = 1;
	t[1].roles = &roles[4];
	t[1].roles_len = 1;
	t[1].refuse_foreign_matcher = true;
	list[0] = &t[0];
	list[1] = &t[1];
	t[2] = (struct tenant){ .id = SLICE("empty"), .groups = empty_groups, .groups_len = 1, .roles = roles, .roles_len = 1 };
	list[2] = &t[2];
	if (registry_new(&s->arena, list, 3, shared, 1, &reg, &e) != ERR_OK) {
		fprintf(stderr, "%s\n", e.text);
		abort();
	}
	s->tenants = reg;
	s->backends = b;
	s->backends_len = 1;
	s->audit.instance = SLICE("gw-a");
	s->process.request_memory = 4 << 20;
	s->process.metrics_tenants = 1000;
	return s;
}

void fake_open(struct fake_world *w)
{
	memset(w, 0, sizeof(*w));
	world = w;
	w->clock = clock_fake((int64_t)1700000000 * 1000000, 1000000);
	w->ticket = TICKET_DURABLE;
	w->given = (struct gcra_given){ .granted = 1, .left = 19, .reset_us = 100000 };
	w->ports = (struct core_ports){
		.clock = &w->clock,
		.down = { down_head, down_body, down_end, down_abort },
		.up = { w, up_start, up_pause, up_resume, up_cancel },
		.audit = { w, log_submit, log_state, log_index, log_open, log_pseudonym, NULL },
		.limits = { w, limit_take },
	};
	w->snap = make_snapshot();
	w->core = core_new(&w->ports, w->snap);
}

void fake_close(struct fake_world *w)
{
	core_free(w->core);
	snapshot_unref(w->snap);
}

struct request *fake_begin(struct fake_world *w, const struct fake_ask *ask)
{
	static struct identity who;
	struct inbound in = { .method = slice_cstr(ask->method), .target = slice_cstr(ask->target), .headers = ask->headers,
		                  .body = slice_cstr(ask->body), .peer = SLICE("192.0.2.1:4711"), .received_us = w->clock.fake_mono_us,
		                  .fault = ask->fault == 0 ? DENY_COUNT : ask->fault, .identity = &who };

	who = (struct identity){ .fault = ask->identity_fault, .not_after = ask->not_after == 0 ? INT64_MAX : ask->not_after,
		                     .uri = slice_cstr(ask->uri == NULL ? "spiffe://example.org/acme/ann" : ask->uri) };
	while (in.headers_len < 4 && ask->headers[in.headers_len].name.len > 0)
		in.headers_len++;
	in.path = slice_from(in.target.ptr, slice_find(in.target, '?'));
	in.query = slice_skip(in.target, in.path.len + 1);
	w->head_len = w->body_len = w->body_calls = w->records = w->started = w->cancelled = w->paused = w->resumed = w->taken = 0;
	w->status = 0;
	w->closed = w->ended = w->aborted = false;
	w->head[0] = w->body[0] = w->wire[0] = '\0';
	return core_begin(w->core, &in, (struct exchange *)w);
}

void fake_answer_head(struct fake_world *w, unsigned status, const char *type)
{
	struct header h[] = { { SLICE("content-type"), slice_cstr(type) }, { SLICE("set-cookie"), SLICE("a=b") } };

	w->events->head(w->events_ctx, status, h, 2, -1);
}

void fake_answer_body(struct fake_world *w, const char *bytes)
{
	w->events->body(w->events_ctx, slice_cstr(bytes));
}

void fake_answer_done(struct fake_world *w)
{
	w->events->done(w->events_ctx);
}

void fake_answer_fails(struct fake_world *w, enum upstream_fault why)
{
	w->events->failed(w->events_ctx, why, "as the test wants it");
}

void fake_durable(struct fake_world *w)
{
	w->ticket = TICKET_DURABLE;
	core_audit_moved(w->core);
}

const char *fake_public(struct fake_world *w, size_t n)
{
	static char text[8192];
	struct slice leaf = slice_skip(slice_from(w->leaves[n], w->leaf_len[n]), 6);

	snprintf(text, sizeof(text), "%.*s", (int)slice_find(leaf, '\n'), leaf.ptr);
	return text;
}
