/* request.h - one request on its way through the pipeline: one field per stage, written by that stage's file only.
 *
 * Private to core. Ownership: everything hangs on the arena and dies in stage finish. Threads: its worker's.
 */
#ifndef WEIR_CORE_REQUEST_H
#define WEIR_CORE_REQUEST_H

#include "audit/record.h"
#include "backends/params.h"
#include "backends/router.h"
#include "core/core.h"
#include "core/outbound.h"
#include "core/probe.h"
#include "core/trace.h"
#include "policy/facts.h"

enum stage {
#define STAGE(name, decides, waits, writes, runs) STAGE_##name,
#include "core/stages.def"
#undef STAGE
	STAGE_COUNT
};

/* what a stage answers: go on; call me again when what I wait for has happened; refused, verdict says why */
enum step { STEP_NEXT, STEP_WAIT, STEP_REFUSED };

/* stage parse: what the caller asked, clamped */
struct asked {
	struct params params;
	struct window window;
	int64_t timeout_ms, limit, lookback_ms;   /* -1 = not sent */
	bool stats;
	struct stmt *stmt;              /* NULL on calls without a query */
	struct facts facts;
	struct strbuf clamped;          /* X-Weir-Clamped */
};

/* stage limit: what the tenant's bucket said; known = it was asked */
struct charge {
	bool known;
	struct gcra_given given;
};

/* stage record */
struct recorded {
	struct ticket ticket;
	bool taken, refused_too;        /* refused_too: the decision record is the whole story, no outcome follows */
	int64_t since_ms;
};

/* stage upstream: what the backend has said so far */
struct answer {
	struct upstream_call *call;     /* NULL when nothing is under way */
	bool started, has_head, done, failed, paused;
	enum upstream_fault fault;
	unsigned status;
	struct slice type, encoding, retry_after;
	int64_t content_length;
	struct strbuf held;             /* body bytes that came before the first byte may leave */
	int64_t sent_us, first_us, end_us;
	uint64_t bytes;
};

/* stage response */
struct sent {
	bool head, ended, aborted;
	unsigned status;
	uint64_t bytes;
};

struct request {
	struct arena arena;
	struct request *prev, *next;    /* all that are under way on this worker */
	struct core *core;
	struct snapshot *snap;          /* a reference of its own */
	struct exchange *exchange;      /* NULL when the client has left, or has its whole answer */
	const struct inbound *in;       /* copied into the arena */
	enum stage stage;
	bool refused, gone;
	enum stage refused_at;          /* when refused */
	int64_t stage_began_us;
	char rid[RID_LEN + 1];
	struct trace trace;

	const struct identity *identity;
	char op[24];
	const struct tenant *tenant;
	const struct route *route;
	const struct backend *backend;
	struct slice part;
	struct asked asked;
	struct verdict verdict;
	struct charge charge;
	struct outbound *outbound;
	struct slice own_body;          /* stage rewrite: the answer of a call that Weir answers itself */
	struct slice own_type;
	struct slice sent_query;        /* for the audit record */
	struct recorded recorded;
	struct answer answer;
	struct sent sent;
};

struct core {
	struct core_ports ports;
	struct snapshot *snap;
	struct request *live;
	size_t live_len;
	struct probe_set *probes;
};

/* the stages, in their files */
#define STAGE(name, decides, waits, writes, runs) enum step stage_##name(struct request *r);
#include "core/stages.def"
#undef STAGE

const char *stage_name(enum stage s);
/* refuses and says so; fmt may be NULL */
enum step refuse(struct request *r, enum deny why, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* refuses by what a stmt_*, policy_* or grants_* call reported */
enum step refuse_err(struct request *r, const struct err *e);
/* something it waits for has happened; r may be gone afterwards */
void pipeline_resume(struct request *r);
/* "allow", "rewrite", "deny" or "error" */
const char *request_dec(const struct request *r);
/* the tenant's label value in metrics: its id, or "other" above metrics_tenants, or "" */
struct slice request_tenant_label(const struct request *r);
bool request_is(const struct request *r, const char *method);

/* answer.c: an answer of our own, in the backend's shape: head, body, end */
void answer_own(struct request *r);
/* answer.c: the head of the backend's answer */
void answer_backend_head(struct request *r);

/* ledger.c: the two records of a request */
void ledger_decision(struct request *r);
void ledger_outcome(struct request *r, struct slice end);

#endif
