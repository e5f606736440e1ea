/* http_inside.h - what http_client.c, http_pool.c and http_call.c share. Nobody else includes this.
 *
 * client   one per worker: pools, and the calls that have something to say but may not say it now
 * pool     one per backend: lines, and the calls that wait for one
 * line     one connection and the call it carries, if any
 * call     one request and its answer
 *
 * A call is in exactly one place: it waits in its pool, or runs on a line, or has failed and waits on the `later` list.
 * The caller's events come from the event loop only: what goes wrong while the caller is inside one of our functions is put on
 * the `later` list, and a bell (an eventfd) makes the loop come back for it.
 */
#ifndef WEIR_IO_HTTP_INSIDE_H
#define WEIR_IO_HTTP_INSIDE_H

#include "core/outbound.h"
#include "io/http_client.h"
#include "io/http_conn.h"
#include "io/http_resolve.h"
#include "io/response.h"

#include <h2o/linklist.h>
#include <h2o/memory.h>

struct st_h2o_socket_t;
struct http_pool;

struct http_client {
	void *loop;
	const struct clock *clock;
	struct metrics_shard *metrics;
	struct http_pool *pools;         /* those in use first, retired ones behind them */
	h2o_linklist_t later;            /* of upstream_call.later */
	struct st_h2o_socket_t *bell;
	int bell_fd;                     /* owned by bell */
	bool rung;
};

struct http_line {
	h2o_linklist_t link;             /* in the pool's idle or busy */
	struct http_pool *pool;
	struct http_conn *conn;
	struct upstream_call *call;      /* NULL while idle */
	bool open, used;                 /* used: it has carried an answer before */
	int64_t since_ms;                /* idle: since when; not open: when this address was tried */
};

struct http_pool {
	struct http_pool *next;
	struct http_client *client;
	struct http_backends *set;       /* keeps `to` alive */
	const struct http_backend *to;
	size_t connections, waiters;     /* of the newest snapshot, like idle_ms */
	int64_t idle_ms;
	h2o_linklist_t idle, busy;       /* of http_line; idle: the last used first */
	size_t lines, idle_lines;
	h2o_linklist_t waiting, running; /* of upstream_call.link; waiting: first come first */
	size_t waiting_len;

	struct http_addresses addresses;
	int64_t addresses_until_ms;      /* then the name is looked up again */
	struct http_lookup *lookup;      /* NULL: none is on its way */
	const char *lookup_why;          /* why the last one found nothing */

	bool retired;                    /* no snapshot in use names this backend */
	int64_t retired_ms;
	int64_t shown_idle, shown_busy;  /* what the metric says */
};

enum call_state { CALL_WAITS, CALL_CONNECTS, CALL_ASKED, CALL_ANSWERED, CALL_FAILED };

struct upstream_call {
	h2o_linklist_t link;             /* in the pool's waiting or running; not linked once failed */
	h2o_linklist_t later;            /* in the client's later, or not linked */
	struct http_client *client;
	struct http_pool *pool;          /* NULL: no such backend */
	struct http_line *line;          /* while it connects or runs */
	const struct outbound *out;
	const struct upstream_events *ev;
	void *evctx;

	enum call_state state;
	bool paused;
	bool inside;                     /* one of the caller's events is running */
	bool gone;                       /* cancelled meanwhile */
	bool retried;                    /* its first line died unanswered: only a new connection will do */
	int64_t started_ms, connect_ms, sent_ms, active_ms;

	struct arena arena;              /* of the answer's head */
	struct response answer;
	uint64_t body_bytes;
	enum upstream_fault why;         /* of CALL_FAILED */
	char detail[160];
};

static inline int64_t http_now_ms(const struct http_client *c)
{
	return clock_mono_ms(c->clock);
}

/* ---- http_client.c ---- */

/* has http_call_later run for this call soon, from the event loop */
void http_client_later(struct upstream_call *call);

/* ---- http_pool.c ---- */

/* NULL without memory */
struct http_pool *http_pool_new(struct http_client *c, struct http_backends *set, const struct http_backend *to);
/* no call may be left; returns NULL */
struct http_pool *http_pool_free(struct http_pool *p);
/* takes the limits of a newer snapshot's backend */
void http_pool_update(struct http_pool *p, const struct http_backend *to);
/* no line will be kept from now on */
void http_pool_retire(struct http_pool *p);
/* puts the call at the end of the queue, or at its head, and serves the queue */
void http_pool_wait(struct http_pool *p, struct upstream_call *call, bool first);
/* gives lines to those who wait, opening new ones where there is room. Calls nobody back. */
void http_pool_serve(struct http_pool *p);
/* takes the call off its line; keep: for the next one */
void http_pool_release(struct http_pool *p, struct upstream_call *call, bool keep);
void http_pool_unqueue(struct http_pool *p, struct upstream_call *call);
/* a look-up may have ended */
void http_pool_look(struct http_pool *p);
void http_pool_tick(struct http_pool *p, int64_t now_ms);
/* true when nothing of it is in use */
bool http_pool_empty(const struct http_pool *p);

/* ---- http_call.c ---- */

/* NULL without memory */
struct upstream_call *http_call_new(struct http_client *c, const struct outbound *o, const struct upstream_events *ev,
                                    void *evctx);
/* the caller has lost interest: no event follows, its line is closed */
void http_call_cancel(struct upstream_call *call);
/* its line is ready: sends the request */
void http_call_send(struct upstream_call *call);
/* its line has input */
void http_call_input(struct upstream_call *call);
/* its line is over */
void http_call_over(struct upstream_call *call, bool clean, const char *why);
/* fails it, from inside whatever: the caller hears of it later */
void http_call_fail_later(struct upstream_call *call, enum upstream_fault why, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* the bell has rung for it */
void http_call_later(struct upstream_call *call);
/* fails it later when a deadline has passed */
void http_call_tick(struct upstream_call *call, int64_t now_ms);

#endif
