/* answer.c - answers of our own in the backend's shape, and the head of a backend's answer with our headers.
 *
 * Source: the design notes on endpoints (sections 2 and 3) and limits (section 9); RateLimit headers as in
 *         draft-ietf-httpapi-ratelimit-headers.
 */
#include "core/request.h"

#include "base/json.h"

#include <math.h>
#include <stdio.h>

#define HEADERS_MAX 12

struct head {
	struct arena *arena;
	struct header v[HEADERS_MAX];
	size_t len;
};

static void put(struct head *h, const char *name, struct slice value)
{
	if (h->len < HEADERS_MAX && value.len > 0)
		h->v[h->len++] = (struct header){ slice_cstr(name), value };
}

static void put_number(struct head *h, const char *name, int64_t n)
{
	struct strbuf b;

	strbuf_init(&b, h->arena, 32);
	strbuf_i64(&b, n);
	put(h, name, strbuf_slice(&b));
}

/* error type of the Prometheus API by status */
static const char *error_type(unsigned status)
{
	switch (status) {
	case 404: return "not_found";
	case 401:
	case 403: return "forbidden";
	case 422: return "execution";
	case 429: return "too_many_requests";
	case 500: return "internal";
	case 502:
	case 503: return "unavailable";
	case 504: return "timeout";
	default: return "bad_data";
	}
}

static struct slice error_body(struct request *r)
{
	struct strbuf text, b;

	strbuf_init(&text, &r->arena, 1024);
	strbuf_init(&b, &r->arena, 4096);
	strbuf_fmt(&text, "%s (%s, request %s)", verdict_text(&r->verdict), deny_tag(r->verdict.why), r->rid);
	strbuf_fmt(&b, "{\"status\":\"error\",\"errorType\":\"%s\",\"error\":", error_type(deny_status(r->verdict.why)));
	json_text(&b, strbuf_slice(&text));
	strbuf_char(&b, '}');
	return strbuf_slice(&b);
}

static int64_t ceil_seconds(int64_t us)
{
	return (us + 999999) / 1000000;
}

/* whole seconds, never before the bucket can give one, and up to a fifth later so that callers do not come back together */
static int64_t retry_seconds(const struct request *r)
{
	int64_t t = r->verdict.why == DENY_RATE && r->charge.given.retry_us > 0 ? ceil_seconds(r->charge.given.retry_us) : 1;
	unsigned spread = (unsigned char)r->rid[RID_LEN - 1] + (unsigned char)r->rid[RID_LEN - 2] * 7u;

	return t + (int64_t)((double)t * 0.2 * (double)(spread % 100) / 100.0 + 0.5);
}

static void put_rate(struct head *h, const struct request *r)
{
	const struct rate_limit *l;
	struct strbuf policy, now;
	bool denied = r->refused && r->verdict.why == DENY_RATE;

	if (!r->charge.known || !(denied || r->snap->limit_headers_always))
		return;
	l = &r->tenant->limits.rate[LIMIT_REQUEST_RATE];
	strbuf_init(&policy, h->arena, 128);
	strbuf_init(&now, h->arena, 128);
	strbuf_fmt(&policy, "\"requests\";q=%.0f;w=%.0f", floor(l->burst), fmax(1, ceil(l->burst / l->per_second)));
	strbuf_fmt(&now, "\"requests\";r=%.0f;t=%lld", floor(fmax(0, r->charge.given.left)),
	           (long long)ceil_seconds(denied ? r->charge.given.retry_us : r->charge.given.reset_us));
	put(h, "ratelimit-policy", strbuf_slice(&policy));
	put(h, "ratelimit", strbuf_slice(&now));
}

static void send_head(struct request *r, struct head *h, unsigned status, int64_t length, bool no_body)
{
	struct answer_head head;

	put(h, "x-request-id", slice_cstr(r->rid));
	put(h, "x-weir-clamped", strbuf_slice(&r->asked.clamped));
	put_rate(h, r);
	r->sent.head = true;
	r->sent.status = status;
	head = (struct answer_head){ .status = status, .headers = h->v, .headers_len = h->len, .content_length = length,
	                             .close = r->in->close || (r->refused && r->verdict.why == DENY_CERT_NOT_GOOD),
	                             .no_body = no_body };
	r->core->ports.down.head(r->exchange, &head);
}

static void put_allow(struct request *r, struct head *h)
{
	struct strbuf b;

	strbuf_init(&b, &r->arena, 64);
	if (r->route != NULL)
		route_allow(r->route, &b);
	else
		strbuf_lit(&b, "GET, HEAD, POST, OPTIONS");
	put(h, "allow", strbuf_slice(&b));
}

void answer_own(struct request *r)
{
	struct head h = { .arena = &r->arena };
	bool options = request_is(r, "OPTIONS") && !r->refused, head_only = request_is(r, "HEAD");
	unsigned status = r->refused ? deny_status(r->verdict.why) : options ? 204 : 200;
	struct slice body = r->refused ? error_body(r) : options ? SLICE("") : r->own_body;

	if (r->refused) {
		put(&h, "content-type", SLICE("application/json"));
		put(&h, "x-weir-refusal", slice_cstr(deny_tag(r->verdict.why)));
		if (status == 429 || status == 503)
			put_number(&h, "retry-after", retry_seconds(r));
	} else if (!options) {
		put(&h, "content-type", r->own_type);
	}
	if (options || status == 405)
		put_allow(r, &h);
	send_head(r, &h, status, options ? -1 : (int64_t)body.len, options || head_only);
	if (!options && !head_only) {
		r->sent.bytes += body.len;
		r->core->ports.down.body(r->exchange, body);
	}
	r->sent.ended = true;
	r->core->ports.down.end(r->exchange);
	r->exchange = NULL;
}

void answer_backend_head(struct request *r)
{
	struct head h = { .arena = &r->arena };

	put(&h, "content-type", r->answer.type);
	put(&h, "content-encoding", r->answer.encoding);
	put(&h, "retry-after", r->answer.retry_after);
	send_head(r, &h, r->answer.status, r->answer.content_length, request_is(r, "HEAD"));
}
