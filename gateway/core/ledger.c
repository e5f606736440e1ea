/* ledger.c - the two records of a request, filled from its fields; see audit/record.h for their form. */
#include "core/request.h"

#include "base/log.h"

static void fill_common(const struct request *r, enum record_type type, struct record *ret)
{
	*ret = (struct record){
		.type = type,
		.instance = r->snap->audit.instance,
		.wall_us = clock_wall_us(r->core->ports.clock),
		.mono_us = clock_mono_us(r->core->ports.clock),
		.rid = slice_cstr(r->rid),
		.tenant = r->tenant == NULL ? SLICE("") : r->tenant->id,
		.ref = -1,
	};
}

static void fill_end(const struct request *r, struct slice end, unsigned status, struct record *ret)
{
	ret->ended = true;
	ret->status = status;
	ret->bytes_up = r->in->body.len;
	ret->bytes_down = r->sent.bytes;
	ret->us_up = r->answer.end_us > 0 ? (uint64_t)(r->answer.end_us - r->answer.sent_us) : 0;
	ret->us = (uint64_t)(clock_mono_us(r->core->ports.clock) - r->in->received_us);
	ret->end = end;
}

/* record_print keeps those that may be kept, and takes secrets out of target and body */
static void fill_headers(struct request *r, struct record *rec)
{
	struct record_header *v = ARENA_ARRAY(&r->arena, r->in->headers_len, struct record_header);

	if (v == NULL)
		return;
	for (size_t i = 0; i < r->in->headers_len; i++)
		v[i] = (struct record_header){ r->in->headers[i].name, r->in->headers[i].value };
	rec->headers = v;
	rec->headers_len = r->in->headers_len;
}

static void fill_private(struct request *r, struct record *rec)
{
	const struct identity *id = r->identity;

	if (id != NULL) {
		rec->subject = id->subject;
		rec->uris = id->uris;
		rec->uris_len = id->uris_len;
		rec->fingerprint = id->fingerprint;
	}
	rec->redactor = r->core->ports.audit.redactor;
	rec->peer = r->in->peer;
	rec->target = r->in->target;
	rec->body = r->in->body;
	rec->query_sent = r->sent_query;
	rec->reason_text = r->refused ? slice_cstr(verdict_text(&r->verdict)) : inbound_header(r->in, SLICE("x-weir-reason"));
	rec->traceparent = slice_cstr(r->trace.parent);
	fill_headers(r, rec);
}

static void fill_decision(struct request *r, struct record *rec)
{
	rec->op = slice_cstr(r->op);
	rec->backend = r->backend == NULL ? SLICE("") : r->backend->name;
	rec->method = r->in->method;
	rec->route = slice_cstr(r->route == NULL ? "" : r->route->call);
	rec->dec = slice_cstr(request_dec(r));
	rec->why = r->refused ? slice_cstr(deny_tag(r->verdict.why)) : SLICE("");
	rec->stage = slice_cstr(r->refused ? stage_name(r->refused_at) : "policy");
	rec->pol = SLICE("");
	rec->cfg = slice_cstr(r->snap->hash_hex);
	rec->dur = r->snap->audit.batched ? SLICE("batched") : SLICE("strict");
	rec->body_len = r->in->body.len;
}

static enum err_code submit(struct request *r, const struct record *rec, enum submit_class class, struct ticket *ret)
{
	struct slice leaf;
	struct err e;
	enum err_code rc = record_print(&r->arena, rec, &leaf, &e);

	if (rc == ERR_OK)
		rc = r->core->ports.audit.submit(r->core->ports.audit.ctx, leaf, (int)rec->type, class, ret, &e);
	if (rc != ERR_OK)
		log_event(LOG_ERROR, "audit_refused", LOG_CSTR("rid", r->rid), LOG_CSTR("why", e.text));
	return rc;
}

void ledger_decision(struct request *r)
{
	struct record rec;

	fill_common(r, RECORD_DECISION, &rec);
	fill_decision(r, &rec);
	fill_private(r, &rec);
	if (r->refused)
		fill_end(r, SLICE("refused"), deny_status(r->verdict.why), &rec);
	r->recorded.taken = submit(r, &rec, SUBMIT_DECISION, &r->recorded.ticket) == ERR_OK;
}

void ledger_outcome(struct request *r, struct slice end)
{
	struct record rec;
	struct ticket unused;

	fill_common(r, RECORD_OUTCOME, &rec);
	rec.ref = r->core->ports.audit.index(r->core->ports.audit.ctx, r->recorded.ticket);
	fill_end(r, end, r->sent.status, &rec);
	if (submit(r, &rec, SUBMIT_OUTCOME, &unused) != ERR_OK)
		return;                              /* said in the log; verify counts decisions without an outcome */
}
