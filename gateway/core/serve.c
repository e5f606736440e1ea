/* serve.c - stages record, upstream, response and finish: the decision is written down, the backend asked, the answer sent.
 *
 * No byte of an answer leaves before the decision's record is durable; a log that cannot take it answers for us: 503.
 */
#include "core/request.h"

#include "base/log.h"

#define AUDIT_WAIT_MS 2000
#define HELD_MAX ((size_t)1024 * 1024)

/* Before: decided, either way. After: the record is on its way to the disk; `response` waits for it. */
enum step stage_record(struct request *r)
{
	if (request_is(r, "OPTIONS") && !r->refused)
		return STEP_NEXT;
	r->recorded.since_ms = clock_mono_ms(r->core->ports.clock);
	r->recorded.refused_too = r->refused;
	ledger_decision(r);
	if (!r->recorded.taken)
		return refuse(r, DENY_AUDIT_CLOSED, NULL);
	return STEP_NEXT;
}

static void on_head(void *ctx, unsigned status, const struct header *headers, size_t len, int64_t content_length)
{
	struct request *r = ctx;
	struct answer *a = &r->answer;

	a->has_head = true;
	a->status = status;
	a->content_length = content_length;
	a->first_us = clock_mono_us(r->core->ports.clock);
	for (size_t i = 0; i < len; i++) {
		struct slice *to = slice_eq(headers[i].name, SLICE("content-type"))       ? &a->type
		                   : slice_eq(headers[i].name, SLICE("content-encoding")) ? &a->encoding
		                   : slice_eq(headers[i].name, SLICE("retry-after"))      ? &a->retry_after
		                                                                          : NULL;

		if (to != NULL && !arena_dup(&r->arena, headers[i].value, to))
			*to = SLICE("");
	}
	pipeline_resume(r);
}

static void set_paused(struct request *r, bool paused)
{
	if (r->answer.call == NULL || r->answer.paused == paused)
		return;
	r->answer.paused = paused;
	(paused ? r->core->ports.up.pause : r->core->ports.up.resume)(r->answer.call);
}

/* sends on what may leave, keeps what may not yet; too much of either stops reading from the backend */
static void on_body(void *ctx, struct slice bytes)
{
	struct request *r = ctx;

	r->answer.bytes += bytes.len;
	if (!r->sent.head) {
		strbuf_add(&r->answer.held, bytes);
		set_paused(r, true);
		pipeline_resume(r);
		return;
	}
	if (r->exchange == NULL || request_is(r, "HEAD"))
		return;
	r->sent.bytes += bytes.len;
	if (!r->core->ports.down.body(r->exchange, bytes))
		set_paused(r, true);
}

static void over(struct request *r)
{
	r->answer.call = NULL;
	r->answer.end_us = clock_mono_us(r->core->ports.clock);
	metric_observe_us(r->core->ports.metrics, METRIC_UPSTREAM_SECONDS, METRIC_LABELS(r->backend->name),
	                  r->answer.end_us - r->answer.sent_us);
}

static void on_done(void *ctx)
{
	struct request *r = ctx;

	over(r);
	r->answer.done = true;
	pipeline_resume(r);
}

static void on_failed(void *ctx, enum upstream_fault why, const char *detail)
{
	struct request *r = ctx;

	over(r);
	r->answer.failed = true;
	r->answer.fault = why;
	log_event(LOG_WARN, "upstream_failed", LOG_CSTR("rid", r->rid), LOG_TEXT("backend", r->backend->name), LOG_CSTR("detail", detail));
	pipeline_resume(r);
}

static enum deny fault_deny(enum upstream_fault f)
{
	switch (f) {
	case UPSTREAM_CONNECT: return DENY_UPSTREAM_CONNECT;
	case UPSTREAM_BUSY: return DENY_UPSTREAM_BUSY;
	case UPSTREAM_TIMEOUT: return DENY_UPSTREAM_TIMEOUT;
	case UPSTREAM_NONSENSE: return DENY_UPSTREAM_ANSWER;
	}
	return DENY_BUG;
}

static bool status_passes(unsigned s)
{
	return s / 100 == 2 || s == 400 || s == 413 || s == 422 || s == 429 || s == 503 || s == 504;
}

static void count_upstream(struct request *r)
{
	static const char *const fault[] = { "connect", "busy", "timeout", "nonsense" };
	char text[12];
	struct strbuf b = { .ptr = text, .cap = sizeof(text), .max = sizeof(text) };

	if (r->answer.has_head)
		strbuf_u64(&b, r->answer.status);
	else
		strbuf_add(&b, slice_cstr(fault[r->answer.fault]));
	metric_add(r->core->ports.metrics, METRIC_UPSTREAM_REQUESTS, METRIC_LABELS(r->backend->name, strbuf_slice(&b)), 1);
}

/* Before: the record is under way, the request printed. After: the head of the answer is here and may be passed on. */
enum step stage_upstream(struct request *r)
{
	static const struct upstream_events events = { on_head, on_body, on_done, on_failed };
	struct answer *a = &r->answer;

	if (r->outbound == NULL)
		return STEP_NEXT;
	if (!a->started) {
		a->started = true;
		strbuf_init(&a->held, &r->arena, HELD_MAX);
		a->sent_us = clock_mono_us(r->core->ports.clock);
		a->call = r->core->ports.up.start(r->core->ports.up.ctx, r->outbound, &events, r);
		return a->call == NULL ? refuse(r, DENY_MEMORY, NULL) : STEP_WAIT;
	}
	if (!a->has_head && !a->failed)
		return STEP_WAIT;
	count_upstream(r);
	if (a->failed)
		return refuse(r, fault_deny(a->fault), NULL);
	if (!status_passes(a->status))
		return refuse(r, DENY_UPSTREAM_STATUS, "the backend answered with status %u", a->status);
	return STEP_NEXT;
}

static void drop_call(struct request *r)
{
	if (r->answer.call != NULL)
		r->core->ports.up.cancel(r->answer.call);
	r->answer.call = NULL;
}

/* may the first byte leave? STEP_REFUSED: not what was planned, but the log's own 503 */
static enum step wait_for_record(struct request *r)
{
	if (!r->recorded.taken)
		return STEP_NEXT;
	switch (r->core->ports.audit.state(r->core->ports.audit.ctx, r->recorded.ticket)) {
	case TICKET_DURABLE: return STEP_NEXT;
	case TICKET_LOST: return refuse(r, DENY_AUDIT_CLOSED, NULL);
	case TICKET_PENDING: break;
	}
	if (clock_mono_ms(r->core->ports.clock) - r->recorded.since_ms > AUDIT_WAIT_MS)
		return refuse(r, DENY_AUDIT_LATE, NULL);
	return STEP_WAIT;
}

/* the first byte may leave: our own answer whole, or the backend's head and what was held */
static void release(struct request *r)
{
	struct answer *a = &r->answer;
	bool full = false;

	if (r->refused || r->outbound == NULL) {
		drop_call(r);
		answer_own(r);
		return;
	}
	answer_backend_head(r);
	if (a->held.len > 0 && !request_is(r, "HEAD")) {
		r->sent.bytes += a->held.len;
		full = !r->core->ports.down.body(r->exchange, strbuf_slice(&a->held));
	}
	set_paused(r, full);
}

/* Before: nothing has left. After: the answer has, whole; or the connection was cut because it could not be whole. */
enum step stage_response(struct request *r)
{
	struct answer *a = &r->answer;

	if (!r->sent.head) {
		enum step s = wait_for_record(r);

		if (s == STEP_WAIT)
			return STEP_WAIT;
		if (a->failed && !r->refused)     /* between the backend's head and our first byte */
			refuse(r, fault_deny(a->fault), NULL);
		if (a->held.full && !r->refused)
			refuse(r, DENY_MEMORY, NULL);
		/* a backend that breaks off behind its head is a clean 502, so the head waits for what comes next */
		if (!r->refused && r->outbound != NULL && a->held.len == 0 && !a->done)
			return STEP_WAIT;
		release(r);
	}
	if (r->sent.ended)
		return STEP_NEXT;
	if (a->failed) {
		r->sent.aborted = r->sent.ended = true;
		r->core->ports.down.abort(r->exchange);
	} else if (a->done) {
		r->sent.ended = true;
		r->core->ports.down.end(r->exchange);
	} else {
		return STEP_WAIT;
	}
	r->exchange = NULL;
	return STEP_NEXT;
}

static const char *how_it_ended(const struct request *r)
{
	if (r->gone || r->sent.aborted)
		return "reset";
	if (r->refused)
		return r->verdict.why == DENY_UPSTREAM_TIMEOUT ? "timeout" : "refused";
	return "ok";
}

/* a request that was refused before it was counted still costs one token, so that refusals are no free flood */
static void charge_refusal(struct request *r)
{
	const struct rate_limit *l;

	if (!r->refused || r->charge.known || r->tenant == NULL)
		return;
	l = &r->tenant->limits.rate[LIMIT_REQUEST_RATE];
	if (l->per_second > 0)
		r->core->ports.limits.take(r->core->ports.limits.ctx, LIMIT_REQUEST_RATE, r->tenant->id, l, 1);
}

/* Before: the caller has its answer, or has left. After: the request is no more. */
enum step stage_finish(struct request *r)
{
	struct metrics_shard *m = r->core->ports.metrics;
	struct slice tenant = request_tenant_label(r), call = slice_cstr(r->route == NULL ? "" : r->route->call);
	struct slice backend = r->backend == NULL ? SLICE("") : r->backend->name, end = slice_cstr(how_it_ended(r));
	const char *tag = r->refused ? deny_tag(r->verdict.why) : "";
	int64_t us = clock_mono_us(r->core->ports.clock) - r->in->received_us;

	if (r->recorded.taken && !r->recorded.refused_too)
		ledger_outcome(r, end);
	charge_refusal(r);
	metric_add(m, METRIC_REQUESTS, METRIC_LABELS(tenant, backend, call, slice_cstr(request_dec(r))), 1);
	if (r->refused)
		metric_add(m, METRIC_REFUSALS, METRIC_LABELS(tenant, slice_cstr(tag)), 1);
	metric_observe_us(m, METRIC_REQUEST_SECONDS, METRIC_LABELS(call), us);
	log_event(LOG_INFO, "request", LOG_CSTR("rid", r->rid), LOG_CSTR("trace_id", r->trace.id), LOG_TEXT("tenant", tenant),
	          LOG_TEXT("call", call), LOG_CSTR("dec", request_dec(r)), LOG_CSTR("tag", tag), LOG_NUM("status", r->sent.status),
	          LOG_NUM("bytes", r->sent.bytes), LOG_NUM("us", us), LOG_TEXT("end", end));
	return STEP_NEXT;
}
