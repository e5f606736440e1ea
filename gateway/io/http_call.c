/* http_call.c - one request and its answer: sent, read, given to the caller, ended. See http_inside.h.
 *
 * The caller may pause, resume or cancel from inside its own events: after each of them we look again. Once it has cancelled,
 * `out` is no longer there.
 */
#include "io/http_inside.h"

#include "backends/backend.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct upstream_call *http_call_new(struct http_client *c, const struct outbound *o, const struct upstream_events *ev,
                                    void *evctx)
{
	struct upstream_call *call = calloc(1, sizeof(*call));

	if (call == NULL)
		return NULL;
	call->client = c;
	call->out = o;
	call->ev = ev;
	call->evctx = evctx;
	call->started_ms = http_now_ms(c);
	arena_init(&call->arena, 4 * RESPONSE_HEAD_MAX);
	return call;
}

/* takes it from wherever it is; its line is closed */
static void free_call(struct upstream_call *call)
{
	if (call->line != NULL)
		http_pool_release(call->pool, call, false);
	else if (h2o_linklist_is_linked(&call->link))
		http_pool_unqueue(call->pool, call);
	if (h2o_linklist_is_linked(&call->later))
		h2o_linklist_unlink(&call->later);
	arena_done(&call->arena);
	free(call);
}

/* ---- ends ---- */

/* whole: the call is gone before the caller hears of it */
static void finish(struct upstream_call *call)
{
	const struct upstream_events *ev = call->ev;
	struct http_pool *pool = call->pool;
	void *ctx = call->evctx;

	http_pool_release(pool, call, response_reusable(&call->answer));
	free_call(call);
	http_pool_serve(pool);
	ev->done(ctx);
}

/* from the event loop; the call, its line and maybe text are gone before the caller hears of it */
static void fail(struct upstream_call *call, enum upstream_fault why, const char *text)
{
	const struct upstream_events *ev = call->ev;
	struct http_pool *pool = call->pool;
	void *ctx = call->evctx;
	char detail[sizeof(call->detail)];

	snprintf(detail, sizeof(detail), "%s", text);
	free_call(call);
	if (pool != NULL)
		http_pool_serve(pool);
	ev->failed(ctx, why, detail);
}

void http_call_fail_later(struct upstream_call *call, enum upstream_fault why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(call->detail, sizeof(call->detail), fmt, ap);
	va_end(ap);
	if (call->line != NULL)
		http_pool_release(call->pool, call, false);
	else if (h2o_linklist_is_linked(&call->link))
		http_pool_unqueue(call->pool, call);
	call->state = CALL_FAILED;
	call->why = why;
	http_client_later(call);
}

void http_call_cancel(struct upstream_call *call)
{
	struct http_pool *pool = call->pool;

	call->gone = true;
	if (call->inside)
		return;                      /* whoever runs that event comes back here */
	free_call(call);
	if (pool != NULL)
		http_pool_serve(pool);
}

/* ---- the answer ---- */

/* after an event of the caller: false when the call was cancelled inside it, and is gone now */
static bool still_wanted(struct upstream_call *call)
{
	call->inside = false;
	if (!call->gone)
		return true;
	http_call_cancel(call);
	return false;
}

/* 0 = no cap */
static bool too_large(const struct upstream_call *call)
{
	const struct response *r = &call->answer;
	size_t most = outbound_backend(call->out)->max_answer_bytes;
	uint64_t bytes = call->body_bytes;

	if (r->content_length > 0 && !outbound_is_head(call->out))
		bytes = (uint64_t)r->content_length;
	return most != 0 && bytes > most;
}

/* one step of the parser was a head or a piece of a body: false when the call is gone */
static bool give(struct upstream_call *call, enum response_event what)
{
	struct response *r = &call->answer;

	if (what == RESPONSE_BODY)
		call->body_bytes += r->body.len;
	if (too_large(call)) {
		fail(call, UPSTREAM_NONSENSE, "the answer is larger than this backend's answers may be");
		return false;
	}
	call->inside = true;
	if (what == RESPONSE_HEAD) {
		call->state = CALL_ANSWERED;
		call->ev->head(call->evctx, r->status, r->headers, r->headers_len, r->content_length);
	} else {
		call->ev->body(call->evctx, r->body);
	}
	return still_wanted(call);
}

static void read_answer(struct upstream_call *call)
{
	while (!call->paused) {
		struct slice in = http_conn_input(call->line->conn), rest = in;
		struct err err;
		enum response_event e = response_next(&call->answer, &rest, &err);

		if (e == RESPONSE_BAD) {
			fail(call, UPSTREAM_NONSENSE, err.text);
			return;
		}
		if ((e == RESPONSE_HEAD || e == RESPONSE_BODY) && !give(call, e))
			return;
		http_conn_take(call->line->conn, in.len - rest.len);   /* only now: body bytes lie in there */
		if (e == RESPONSE_END) {
			finish(call);
			return;
		}
		if (e == RESPONSE_MORE)
			return;
	}
}

void http_call_send(struct upstream_call *call)
{
	arena_reset(&call->arena);
	response_init(&call->answer, &call->arena, outbound_is_head(call->out));
	call->state = CALL_ASKED;
	call->sent_ms = call->active_ms = http_now_ms(call->client);
	http_conn_read(call->line->conn, !call->paused);
	http_conn_send(call->line->conn, outbound_wire(call->out));
}

void http_call_input(struct upstream_call *call)
{
	if (http_conn_input(call->line->conn).len > 0)
		call->active_ms = http_now_ms(call->client);
	read_answer(call);
}

/* A kept connection may have been closed by the other end while our request was on its way. Nothing of an answer has come, so
 * a request that changes nothing is sent once more, on a new connection, whose end is then final. */
static bool send_again(struct upstream_call *call)
{
	struct http_pool *pool = call->pool;

	if (call->answer.begun || !call->line->used || !outbound_repeatable(call->out))
		return false;
	http_pool_release(pool, call, false);
	call->retried = true;
	http_pool_wait(pool, call, true);
	return true;
}

void http_call_over(struct upstream_call *call, bool clean, const char *why)
{
	struct err err;

	if (call->state == CALL_CONNECTS) {
		fail(call, UPSTREAM_CONNECT, why);
		return;
	}
	if (send_again(call))
		return;
	if (!clean)
		fail(call, UPSTREAM_NONSENSE, why);
	else if (response_closed(&call->answer, &err) == RESPONSE_END)
		finish(call);
	else
		fail(call, UPSTREAM_NONSENSE, err.text);
}

/* ---- later ---- */

void http_call_later(struct upstream_call *call)
{
	if (call->state == CALL_FAILED) {
		fail(call, call->why, call->detail);
		return;
	}
	/* resumed: first what lies here, then what is on its way */
	if (call->paused || call->line == NULL || !call->line->open)
		return;
	call->active_ms = http_now_ms(call->client);
	http_conn_read(call->line->conn, true);
	read_answer(call);
}

void http_call_tick(struct upstream_call *call, int64_t now_ms)
{
	const struct backend *b = outbound_backend(call->out);
	int64_t first_byte_ms = outbound_first_byte_ms(call->out);

	if (now_ms - call->started_ms > b->total_ms) {
		http_call_fail_later(call, UPSTREAM_TIMEOUT, "the answer was not whole within %" PRId64 " ms", b->total_ms);
		return;
	}
	switch (call->state) {
	case CALL_WAITS:
		if (call->pool->addresses.len == 0 && now_ms - call->started_ms > b->connect_ms)
			http_call_fail_later(call, UPSTREAM_CONNECT, "the host's name was not resolved within %" PRId64 " ms", b->connect_ms);
		else if (now_ms - call->started_ms > first_byte_ms)
			http_call_fail_later(call, UPSTREAM_BUSY, "no connection became free within %" PRId64 " ms", first_byte_ms);
		break;
	case CALL_CONNECTS:
		if (now_ms - call->connect_ms > b->connect_ms)
			http_call_fail_later(call, UPSTREAM_CONNECT, "no connection within %" PRId64 " ms", b->connect_ms);
		break;
	case CALL_ASKED:
		if (now_ms - call->sent_ms > first_byte_ms)
			http_call_fail_later(call, UPSTREAM_TIMEOUT, "no answer within %" PRId64 " ms", first_byte_ms);
		break;
	case CALL_ANSWERED:
		if (!call->paused && now_ms - call->active_ms > b->idle_ms)
			http_call_fail_later(call, UPSTREAM_TIMEOUT, "the answer stood still for %" PRId64 " ms", b->idle_ms);
		break;
	case CALL_FAILED:
		break;
	}
}
