/* decide.c - stages parse, policy, limit and rewrite: what is asked, what may be had of it, what it costs, what is sent.
 *
 * Before parse the parameters are the client's bytes. After rewrite `outbound` holds only what our printers made.
 */
#include "core/request.h"

#include "base/json.h"
#include "policy/lang/params.h"
#include "policy/policy.h"

#include <stdio.h>

#define READ_BODY_MAX ((size_t)1024 * 1024)
#define LIST_LIMIT_MAX 10000
#define LOOKBACK_MAX_MS ((int64_t)5 * 60 * 1000)
#define CLAMPED_MAX 1024
#define QUERY_TEXT_MAX ((size_t)256 * 1024)   /* printed: the longest text, its guards included */

static bool takes(const struct request *r, enum param p)
{
	return (r->route->params & PARAM_BIT(p)) != 0;
}

static bool given(const struct request *r, enum param p)
{
	return (r->asked.params.given & PARAM_BIT(p)) != 0;
}

/* "timeout=60" into X-Weir-Clamped */
static struct strbuf *clamped(struct request *r, enum param p)
{
	struct strbuf *b = &r->asked.clamped;

	if (b->len > 0)
		strbuf_lit(b, ", ");
	strbuf_fmt(b, "%s=", param_name(p));
	r->verdict.rewritten = true;
	return b;
}

static bool is_form(struct slice type)
{
	size_t semi = slice_find(type, ';');
	struct slice rest = slice_skip(type, semi + 1);

	while (rest.len > 0 && rest.ptr[0] == ' ')
		rest = slice_skip(rest, 1);
	while (semi > 0 && type.ptr[semi - 1] == ' ')
		semi--;
	return slice_ieq(slice_from(type.ptr, semi), SLICE("application/x-www-form-urlencoded")) &&
	       (rest.len == 0 || slice_ieq(rest, SLICE("charset=utf-8")) || slice_ieq(rest, SLICE("charset=\"utf-8\"")));
}

static enum step check_body(struct request *r)
{
	struct slice type = inbound_header(r->in, SLICE("content-type"));

	if (inbound_header(r->in, SLICE("content-encoding")).ptr != NULL)
		return refuse(r, DENY_PARAM_ENCODING, NULL);
	if (request_is(r, "POST") && (type.ptr != NULL || r->in->body.len > 0) && !is_form(type))
		return refuse(r, DENY_PARAM_TYPE, NULL);
	if (r->in->body.len > READ_BODY_MAX)
		return refuse(r, DENY_BODY_TOO_LARGE, "a form may have %zu bytes", READ_BODY_MAX);
	return STEP_NEXT;
}

static enum step bad_value(struct request *r, enum param p, const char *want)
{
	return refuse(r, DENY_PARAM_VALUE, "parameter \"%s\" must be %s", param_name(p), want);
}

static enum step read_time(struct request *r, enum param p, int64_t absent, int64_t *ret)
{
	*ret = absent;
	if (given(r, p) && !param_time_ms(r->asked.params.value[p], ret))
		return bad_value(r, p, "seconds since 1970 or an RFC 3339 time");
	return STEP_NEXT;
}

static enum step read_step(struct request *r, const struct static_limits *l)
{
	struct window *w = &r->asked.window;

	if (!param_duration_ms(r->asked.params.value[PARAM_STEP], &w->step_ms) || w->step_ms <= 0)
		return bad_value(r, PARAM_STEP, "a duration above 0");
	if (w->step_ms < l->min_step_ms)
		return refuse(r, DENY_QUERY_STEP, "step is below min_step, %lld ms", (long long)l->min_step_ms);
	if ((w->end_ms - w->start_ms) / w->step_ms + 1 > l->max_points)
		return refuse(r, DENY_QUERY_POINTS, "more than max_points, %lld points per series", (long long)l->max_points);
	return STEP_NEXT;
}

/* the window of the request; a start that a list call leaves out is made up, so that no call reads everything */
static enum step read_window(struct request *r, const struct static_limits *l)
{
	int64_t now = clock_wall_us(r->core->ports.clock) / 1000;
	struct window *w = &r->asked.window;

	if (takes(r, PARAM_TIME)) {
		if (read_time(r, PARAM_TIME, now, &w->end_ms) == STEP_REFUSED)
			return STEP_REFUSED;
		w->start_ms = w->end_ms;
		return STEP_NEXT;
	}
	if (!takes(r, PARAM_END)) {
		w->start_ms = w->end_ms = now;
		return STEP_NEXT;
	}
	if (read_time(r, PARAM_END, now, &w->end_ms) == STEP_REFUSED ||
	    read_time(r, PARAM_START, w->end_ms - l->max_query_length_ms, &w->start_ms) == STEP_REFUSED)
		return STEP_REFUSED;
	if (!given(r, PARAM_START))
		param_print_ms(clamped(r, PARAM_START), w->start_ms);
	if (w->end_ms < w->start_ms)
		return bad_value(r, PARAM_END, "at or after start");
	if (w->end_ms - w->start_ms > l->max_query_length_ms)
		return refuse(r, DENY_QUERY_RANGE, "start to end is longer than max_query_length, %lld s",
		              (long long)(l->max_query_length_ms / 1000));
	return takes(r, PARAM_STEP) ? read_step(r, l) : STEP_NEXT;
}

static enum step read_timeout(struct request *r, const struct static_limits *l)
{
	int64_t ms = l->query_timeout_ms;

	if (!takes(r, PARAM_TIMEOUT))
		return STEP_NEXT;
	if (given(r, PARAM_TIMEOUT)) {
		if (!param_duration_ms(r->asked.params.value[PARAM_TIMEOUT], &ms) || ms <= 0)
			return bad_value(r, PARAM_TIMEOUT, "a duration above 0");
		if (ms > l->query_timeout_ms) {
			ms = l->query_timeout_ms;
			param_print_ms(clamped(r, PARAM_TIMEOUT), ms);
		}
	}
	r->asked.timeout_ms = ms;
	return STEP_NEXT;
}

/* on lists always sent, at most 10,000; on queries as asked, or max_query_series */
static enum step read_limit(struct request *r, const struct static_limits *l)
{
	struct slice s = r->asked.params.value[PARAM_LIMIT];
	bool list = takes(r, PARAM_MATCH), negative = s.len > 1 && s.ptr[0] == '-';
	int64_t most = list ? LIST_LIMIT_MAX : l->max_query_series, n = 0;

	if (!takes(r, PARAM_LIMIT) || (!list && !given(r, PARAM_LIMIT) && most == 0))
		return STEP_NEXT;
	if (given(r, PARAM_LIMIT) && !param_count(negative ? slice_skip(s, 1) : s, &n))
		return bad_value(r, PARAM_LIMIT, "a whole number");
	if (negative)
		n = 0;
	if (most > 0 && (n == 0 || n > most)) {
		if (given(r, PARAM_LIMIT))
			strbuf_i64(clamped(r, PARAM_LIMIT), most);
		n = most;
	}
	r->asked.limit = n;
	return STEP_NEXT;
}

static enum step read_extras(struct request *r, const struct static_limits *l)
{
	if (given(r, PARAM_STATS)) {
		r->asked.stats = l->allow_stats;
		r->asked.params.dropped += !l->allow_stats;
	}
	if (!given(r, PARAM_LOOKBACK))
		return STEP_NEXT;
	if (!l->allow_lookback_delta) {
		r->asked.params.dropped++;
		return STEP_NEXT;
	}
	if (!param_duration_ms(r->asked.params.value[PARAM_LOOKBACK], &r->asked.lookback_ms) || r->asked.lookback_ms <= 0)
		return bad_value(r, PARAM_LOOKBACK, "a duration above 0");
	if (r->asked.lookback_ms > LOOKBACK_MAX_MS) {
		r->asked.lookback_ms = LOOKBACK_MAX_MS;
		param_print_ms(clamped(r, PARAM_LOOKBACK), LOOKBACK_MAX_MS);
	}
	return STEP_NEXT;
}

static enum err_code parse_stmt(struct request *r, const struct static_limits *l, struct err *e)
{
	struct stmt_options o = {
		.features = r->backend->features,
		.window = r->asked.window,
		.lookback_ms = r->asked.lookback_ms > 0 ? r->asked.lookback_ms : 0,
		.max_bytes = (size_t)l->max_query_expression_size_bytes,
	};

	if (takes(r, PARAM_QUERY))
		return stmt_parse(&r->arena, stmt_kind_by_id(r->route->kind), &o, r->asked.params.value[PARAM_QUERY], &r->asked.stmt, e);
	return match_new(&r->arena, &o, r->asked.params.match, r->asked.params.match_len, &r->asked.stmt, e);
}

static enum step check_reach(struct request *r, const struct static_limits *l)
{
	const struct facts *f = &r->asked.facts;
	int64_t now = clock_wall_us(r->core->ports.clock) / 1000;

	if (f->selectors_len == 0)
		return STEP_NEXT;
	if (f->longest_ms > l->max_query_length_ms)
		return refuse(r, DENY_QUERY_RANGE, "a selector reads %lld s; max_query_length is %lld s",
		              (long long)(f->longest_ms / 1000), (long long)(l->max_query_length_ms / 1000));
	if (l->max_query_lookback_ms > 0 && f->from_ms < now - l->max_query_lookback_ms)
		return refuse(r, DENY_QUERY_LOOKBACK, NULL);
	return STEP_NEXT;
}

/* Before: parameters are raw bytes. After: each is read, clamped or refused; the query is a valid tree with facts. */
enum step stage_parse(struct request *r)
{
	struct static_limits l = static_limits_filled(r->tenant->limits.fixed);
	struct err e;

	r->asked.timeout_ms = r->asked.limit = r->asked.lookback_ms = -1;
	strbuf_init(&r->asked.clamped, &r->arena, CLAMPED_MAX);
	if (request_is(r, "OPTIONS"))
		return STEP_NEXT;
	if (check_body(r) == STEP_REFUSED)
		return STEP_REFUSED;

	enum deny bad = params_parse(&r->arena, r->route, r->in->query, r->in->body, &r->asked.params, e.text);

	if (bad != DENY_COUNT)
		return refuse(r, bad, "%s", e.text);
	if (read_window(r, &l) == STEP_REFUSED || read_timeout(r, &l) == STEP_REFUSED || read_limit(r, &l) == STEP_REFUSED ||
	    read_extras(r, &l) == STEP_REFUSED)
		return STEP_REFUSED;
	if (r->asked.params.dropped > 0)
		metric_add(r->core->ports.metrics, METRIC_PARAMS_DROPPED, METRIC_LABELS(slice_cstr(r->route->call)),
		           r->asked.params.dropped);
	if (!takes(r, PARAM_QUERY) && !takes(r, PARAM_MATCH))
		return STEP_NEXT;
	if (parse_stmt(r, &l, &e) != ERR_OK || stmt_facts(&r->arena, r->asked.stmt, &r->asked.facts, &e) != ERR_OK)
		return refuse_err(r, &e);
	return check_reach(r, &l);
}

static struct slice tenant_label(const struct request *r)
{
	return r->backend->isolation & ISOLATE_LABEL ? r->backend->label : SLICE("");
}

/* Before: the request is understood and allowed by nobody. After: what grants leave of it, or a refusal. */
enum step stage_policy(struct request *r)
{
	struct policy_ask ask = {
		.tenant = r->tenant, .who = r->identity, .signal = r->backend->dialect->signal, .label = tenant_label(r),
		.stmt = r->route->synthetic == SYN_NONE ? r->asked.stmt : NULL, .facts = &r->asked.facts,
	};
	bool clamps = r->verdict.rewritten;
	struct err e;

	if (policy_decide(&r->arena, &ask, &r->verdict, &e) != ERR_OK) {
		if (e.code == ERR_DENIED && r->verdict.why != DENY_UNDECIDED)
			return refuse(r, r->verdict.why, NULL);
		return refuse_err(r, &e);
	}
	r->verdict.rewritten = r->verdict.rewritten || clamps;
	r->verdict.allow = true;             /* the one line */
	return STEP_NEXT;
}

/* Before: allowed. After: paid for. */
enum step stage_limit(struct request *r)
{
	const struct rate_limit *l = &r->tenant->limits.rate[LIMIT_REQUEST_RATE];

	if (l->per_second <= 0)
		return STEP_NEXT;
	r->charge.given = r->core->ports.limits.take(r->core->ports.limits.ctx, LIMIT_REQUEST_RATE, r->tenant->id, l, 1);
	r->charge.known = true;
	if (r->charge.given.granted < 1)
		return refuse(r, DENY_RATE, "%s of %g a second, burst %g, is used up", limit_name(LIMIT_REQUEST_RATE), l->per_second, l->burst);
	return STEP_NEXT;
}

static enum step own_answer(struct request *r, struct strbuf *b, const char *type)
{
	if (b->full)
		return refuse(r, DENY_MEMORY, NULL);
	r->own_body = strbuf_slice(b);
	r->own_type = slice_cstr(type);
	return STEP_NEXT;
}

/* U__ names as Prometheus unescapes them: __ is _, _HEX_ is a code point; so far as it takes to know the tenant label */
static bool names_label(struct slice part, struct slice label)
{
	size_t at = 0;

	if (slice_eq(part, label))
		return true;
	if (!slice_starts(part, SLICE("U__")))
		return false;
	part = slice_skip(part, 3);
	for (size_t i = 0; i < part.len;) {
		struct slice rest = slice_skip(part, i);
		unsigned c = (unsigned char)rest.ptr[0];
		size_t used = 1;

		if (slice_starts(rest, SLICE("__"))) {
			used = 2;
		} else if (c == '_') {
			size_t end = 1;
			char hex[9] = { 0 };

			while (end < rest.len && end < 8 && rest.ptr[end] != '_')
				end++;
			memcpy(hex, rest.ptr + 1, end - 1);
			if (end >= rest.len || rest.ptr[end] != '_' || sscanf(hex, "%x", &c) != 1)
				return false;
			used = end + 1;
		}
		if (at >= label.len || c != (unsigned char)label.ptr[at++])
			return false;
		i += used;
	}
	return at == label.len;
}

static enum step answer_label_values(struct request *r)
{
	struct strbuf b;

	strbuf_init(&b, &r->arena, 4096);
	strbuf_lit(&b, "{\"status\":\"success\",\"data\":[\"");
	strbuf_add(&b, r->tenant->id);       /* letters, digits, _ . - only */
	strbuf_lit(&b, "\"]}");
	return own_answer(r, &b, "application/json");
}

static enum step answer_format(struct request *r)
{
	struct strbuf text, b;

	strbuf_init(&text, &r->arena, QUERY_TEXT_MAX);
	strbuf_init(&b, &r->arena, QUERY_TEXT_MAX);
	if (stmt_print(r->asked.stmt, &text) != ERR_OK)
		return refuse(r, DENY_MEMORY, NULL);
	strbuf_lit(&b, "{\"status\":\"success\",\"data\":");
	json_text(&b, strbuf_slice(&text));
	strbuf_char(&b, '}');
	return own_answer(r, &b, "application/json");
}

static enum step answer_synthetic(struct request *r)
{
	struct strbuf b;
	struct slice info;

	strbuf_init(&b, &r->arena, (size_t)128 * 1024);
	switch (r->route->synthetic) {
	case SYN_NONE: return refuse(r, DENY_BUG, NULL);
	case SYN_FORMAT_QUERY: return answer_format(r);
	case SYN_HEALTH:
		strbuf_lit(&b, "Weir is up.\n");
		return own_answer(r, &b, "text/plain; charset=utf-8");
	case SYN_BUILDINFO:
		info = probe_buildinfo(r->core->probes, r->backend->index);
		if (info.ptr == NULL)
			return refuse(r, DENY_UPSTREAM_NEVER, NULL);
		strbuf_add(&b, info);
		return own_answer(r, &b, "application/json");
	}
	return refuse(r, DENY_BUG, NULL);
}

static bool accepts_gzip(const struct request *r)
{
	struct slice s = inbound_header(r->in, SLICE("accept-encoding"));

	while (s.len > 0) {
		size_t comma = slice_find(s, ',');
		struct slice one = slice_from(s.ptr, comma);

		s = slice_skip(s, comma + 1);
		while (one.len > 0 && one.ptr[0] == ' ')
			one = slice_skip(one, 1);
		if (slice_starts(one, SLICE("gzip")))
			return memchr(one.ptr, '=', one.len) == NULL || memchr(one.ptr, '1', one.len) != NULL ||
			       memchr(one.ptr, '.', one.len) != NULL;
	}
	return false;
}

/* every text that leaves has been printed by us, read again, compared and searched for the guard */
static enum err_code print_texts(struct request *r, const struct matchers *guard, struct slice **texts, size_t *n, struct err *e)
{
	enum err_code rc = stmt_narrow(r->asked.stmt, guard, e);

	if (rc != ERR_OK)
		return rc;
	if (takes(r, PARAM_MATCH))
		return match_print_checked(&r->arena, r->asked.stmt, guard, texts, n, e);
	*texts = ARENA_NEW(&r->arena, struct slice);
	*n = 1;
	return *texts == NULL ? err_nomem(e) : stmt_print_checked(&r->arena, r->asked.stmt, guard, &(*texts)[0], e);
}

/* what the audit record keeps of it: the texts, one a line */
static void keep_sent(struct request *r, const struct slice *texts, size_t n)
{
	struct strbuf b;

	strbuf_init(&b, &r->arena, QUERY_TEXT_MAX);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			strbuf_char(&b, '\n');
		strbuf_add(&b, texts[i]);
	}
	r->sent_query = strbuf_slice(&b);
}

/* Before: allowed and paid. After: outbound holds the whole request, or own_body the answer. */
enum step stage_rewrite(struct request *r)
{
	struct slice label = tenant_label(r), *texts = NULL;
	struct matcher own = { label, MATCH_EQ, r->tenant->id };
	struct matchers guard = { &own, label.len > 0 ? 1 : 0 };
	size_t n = 0;
	struct err e;

	if (!r->verdict.allow)
		return refuse(r, DENY_UNDECIDED, NULL);
	if (request_is(r, "OPTIONS"))
		return STEP_NEXT;
	if (r->route->how == HOW_SYN)
		return answer_synthetic(r);
	if (r->part.len > 0 && label.len > 0 && names_label(r->part, label))
		return answer_label_values(r);
	if (print_texts(r, &guard, &texts, &n, &e) != ERR_OK)
		return e.code == ERR_NOMEM || e.code == ERR_LIMIT ? refuse_err(r, &e) : refuse(r, DENY_BUG, NULL);
	keep_sent(r, texts, n);

	struct outbound_parts parts = {
		.backend = r->backend, .route = r->route, .tenant = r->tenant, .part = r->part, .texts = texts, .texts_len = n,
		.window = r->asked.window, .timeout_ms = r->asked.timeout_ms, .limit = r->asked.limit,
		.lookback_ms = r->asked.lookback_ms, .stats = r->asked.stats, .gzip = accepts_gzip(r), .trace = &r->trace,
	};

	return outbound_print(&r->arena, &parts, &r->outbound, &e) == ERR_OK ? STEP_NEXT : refuse_err(r, &e);
}
