/* pipeline.c - one loop over stages.def, and what the worker calls; see core.h. */
#include "core/request.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum runs_when { NOT_REFUSED, ALWAYS };

static const struct stage_row {
	const char *name;
	enum step (*run)(struct request *r);
	enum runs_when runs;
} rows[STAGE_COUNT] = {
#define STAGE(name, decides, waits, writes, runs) [STAGE_##name] = { #name, stage_##name, runs },
#include "core/stages.def"
#undef STAGE
};

const char *stage_name(enum stage s)
{
	return s < STAGE_COUNT ? rows[s].name : "";
}

enum step refuse(struct request *r, enum deny why, const char *fmt, ...)
{
	r->refused = true;
	r->refused_at = r->stage;
	verdict_refuse(&r->verdict, why, NULL);
	if (fmt != NULL) {
		va_list ap;

		va_start(ap, fmt);
		vsnprintf(r->verdict.text, sizeof(r->verdict.text), fmt, ap);
		va_end(ap);
	}
	return STEP_REFUSED;
}

enum step refuse_err(struct request *r, const struct err *e)
{
	if (e->at != ERR_NOWHERE && (e->code == ERR_SYNTAX || e->code == ERR_INVALID))
		return refuse(r, deny_from_err(e), "%s, at byte %zu", e->text, e->at);
	return refuse(r, deny_from_err(e), "%s", e->text);
}

const char *request_dec(const struct request *r)
{
	if (!r->refused)
		return r->verdict.rewritten ? "rewrite" : "allow";
	return deny_status(r->verdict.why) >= 500 ? "error" : "deny";
}

struct slice request_tenant_label(const struct request *r)
{
	if (r->tenant == NULL)
		return SLICE("");
	return r->tenant->index < r->snap->process.metrics_tenants ? r->tenant->id : SLICE("other");
}

bool request_is(const struct request *r, const char *method)
{
	return slice_eq(r->in->method, slice_cstr(method));
}

static void unlink_request(struct request *r)
{
	struct core *c = r->core;

	if (r->prev != NULL)
		r->prev->next = r->next;
	else
		c->live = r->next;
	if (r->next != NULL)
		r->next->prev = r->prev;
	c->live_len--;
}

static void request_free(struct request *r)
{
	unlink_request(r);
	snapshot_unref(r->snap);

	struct arena arena = r->arena;       /* r itself lies in it */

	arena_done(&arena);
}

/* runs stages until one waits; true when the request is over and gone */
static bool run(struct request *r)
{
	while (r->stage < STAGE_COUNT) {
		const struct stage_row *row = &rows[r->stage];

		if (!(r->refused && row->runs == NOT_REFUSED)) {
			if (row->run(r) == STEP_WAIT)
				return false;

			int64_t now = clock_mono_us(r->core->ports.clock);

			metric_observe_us(r->core->ports.metrics, METRIC_STAGE_SECONDS, METRIC_LABELS(slice_cstr(row->name)),
			                  now - r->stage_began_us);
			r->stage_began_us = now;
		}
		r->stage++;
	}
	request_free(r);
	return true;
}

void pipeline_resume(struct request *r)
{
	run(r);
}

static struct request *request_new(struct core *c, const struct inbound *in, struct exchange *x)
{
	struct arena arena;
	char rid[RID_LEN];

	arena_init(&arena, c->snap->process.request_memory);

	struct request *r = ARENA_NEW(&arena, struct request);
	struct inbound *copy = ARENA_NEW(&arena, struct inbound);

	if (r == NULL || copy == NULL) {
		arena_done(&arena);
		return NULL;
	}
	*copy = *in;
	*r = (struct request){ .arena = arena, .core = c, .snap = snapshot_ref(c->snap), .exchange = x, .in = copy,
	                       .verdict = VERDICT_INIT, .stage_began_us = in->received_us };
	record_rid(clock_wall_us(c->ports.clock), rid);
	memcpy(r->rid, rid, RID_LEN);
	trace_read(copy, &r->trace);
	r->next = c->live;
	if (c->live != NULL)
		c->live->prev = r;
	c->live = r;
	c->live_len++;
	return r;
}

struct request *core_begin(struct core *c, const struct inbound *in, struct exchange *x)
{
	struct request *r = request_new(c, in, x);

	if (r == NULL) {
		c->ports.down.abort(x);
		return NULL;
	}
	return run(r) ? NULL : r;
}

void core_client_gone(struct request *r)
{
	r->exchange = NULL;
	r->gone = true;
	if (r->answer.call != NULL)
		r->core->ports.up.cancel(r->answer.call);
	r->answer.call = NULL;
	r->stage = STAGE_finish;
	run(r);
}

void core_client_ready(struct request *r)
{
	if (r->answer.call != NULL && r->answer.paused && r->sent.head) {
		r->answer.paused = false;
		r->core->ports.up.resume(r->answer.call);
	}
}

/* calls every request that waits in stage response; each call may end it */
static void resume_waiting(struct core *c)
{
	for (struct request *r = c->live, *next; r != NULL; r = next) {
		next = r->next;
		if (r->stage == STAGE_response && !r->sent.head)
			pipeline_resume(r);
	}
}

void core_audit_moved(struct core *c)
{
	resume_waiting(c);
}

void core_tick(struct core *c)
{
	resume_waiting(c);                   /* deadlines of the audit log */
	probe_tick(c->probes);
}

struct core *core_new(const struct core_ports *ports, struct snapshot *snap)
{
	struct core *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->ports = *ports;
	c->probes = probe_set_new(ports, snap);
	if (c->probes == NULL) {
		free(c);
		return NULL;
	}
	c->snap = snapshot_ref(snap);
	return c;
}

struct core *core_free(struct core *c)
{
	if (c == NULL)
		return NULL;
	must(c->live == NULL);
	probe_set_free(c->probes);
	snapshot_unref(c->snap);
	free(c);
	return NULL;
}

void core_swap(struct core *c, struct snapshot *snap)
{
	struct probe_set *probes = probe_set_new(&c->ports, snap);

	if (probes == NULL)
		return;                          /* the old generation stays; the next reload tries again */
	probe_set_free(c->probes);
	c->probes = probes;
	snapshot_ref(snap);
	snapshot_unref(c->snap);
	c->snap = snap;
}

size_t core_in_flight(const struct core *c)
{
	return c->live_len;
}

const struct snapshot *core_snapshot(const struct core *c)
{
	return c->snap;
}
