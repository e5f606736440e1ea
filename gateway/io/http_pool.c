/* http_pool.c - the connections to one backend, who waits for one, and where it is. See http_inside.h. */
#include "io/http_inside.h"

#include "base/err.h"

#include <stdlib.h>

#define ADDRESSES_KEPT_MS 10000      /* how long the answer of a name server is used */
#define NO_ADDRESS_KEPT_MS 1000      /* and how long it is believed that there is none */

#define OF_LINK(type, node) H2O_STRUCT_FROM_MEMBER(type, link, node)

/* ---- lines ---- */

static void on_open(void *ctx);
static void on_input(void *ctx);
static void on_over(void *ctx, bool clean, const char *why);

static const struct http_conn_events conn_events = { .open = on_open, .input = on_input, .over = on_over };

static void close_line(struct http_line *l)
{
	must(l->call == NULL);
	if (h2o_linklist_is_linked(&l->link))
		h2o_linklist_unlink(&l->link);
	l->pool->lines--;
	http_conn_close(l->conn);
	free(l);
}

static void close_idle(struct http_line *l)
{
	l->pool->idle_lines--;
	close_line(l);
}

static void on_open(void *ctx)
{
	struct http_line *l = ctx;

	l->open = true;
	http_call_send(l->call);
}

static void on_input(void *ctx)
{
	struct http_line *l = ctx;
	struct http_pool *p = l->pool;

	if (l->call != NULL) {
		http_call_input(l->call);
	} else if (http_conn_input(l->conn).len > 0) {      /* nobody asked: this line cannot be trusted */
		close_idle(l);
		http_pool_serve(p);
	}
}

static void on_over(void *ctx, bool clean, const char *why)
{
	struct http_line *l = ctx;
	struct http_pool *p = l->pool;

	if (l->call != NULL) {
		http_call_over(l->call, clean, why);
	} else {
		close_idle(l);
		http_pool_serve(p);
	}
}

/* ---- who gets a line ---- */

static void attach(struct http_line *l, struct upstream_call *call)
{
	if (h2o_linklist_is_linked(&l->link))
		h2o_linklist_unlink(&l->link);
	h2o_linklist_insert(&l->pool->busy, &l->link);
	l->call = call;
	http_pool_unqueue(l->pool, call);
	call->line = l;
	h2o_linklist_insert(&l->pool->running, &call->link);
}

void http_pool_release(struct http_pool *p, struct upstream_call *call, bool keep)
{
	struct http_line *l = call->line;

	h2o_linklist_unlink(&call->link);
	call->line = NULL;
	l->call = NULL;
	if (!keep || p->retired || !http_conn_quiet(l->conn)) {
		close_line(l);
		return;
	}
	h2o_linklist_unlink(&l->link);
	h2o_linklist_insert(p->idle.next, &l->link);
	p->idle_lines++;
	l->used = true;
	l->since_ms = http_now_ms(p->client);
}

void http_pool_unqueue(struct http_pool *p, struct upstream_call *call)
{
	h2o_linklist_unlink(&call->link);
	p->waiting_len--;
}

/* a new line for a call that waits; it is sent when the line is open */
static void connect_for(struct http_pool *p, struct upstream_call *call)
{
	const char *why = "out of memory";
	struct http_line *l = calloc(1, sizeof(*l));

	if (l != NULL)
		l->conn = http_conn_new(p->client->loop, p->to, &p->addresses, &conn_events, l, &why);
	if (l == NULL || l->conn == NULL) {
		free(l);
		http_call_fail_later(call, UPSTREAM_CONNECT, "%s", why);
		return;
	}
	l->pool = p;
	l->since_ms = call->connect_ms = http_now_ms(p->client);
	p->lines++;
	attach(l, call);
	call->state = CALL_CONNECTS;
}

/* True when it is known where the backend is. Else a look-up is on its way, or has found nothing a moment ago. */
static bool know_addresses(struct http_pool *p)
{
	int64_t now = http_now_ms(p->client);

	if (now >= p->addresses_until_ms && p->lookup == NULL) {
		p->lookup = http_lookup_start(p->to->host, p->to->port, p->client->bell_fd);
		if (p->lookup == NULL) {
			p->lookup_why = "a look-up cannot be started";
			p->addresses_until_ms = now + NO_ADDRESS_KEPT_MS;
		}
	}
	return p->addresses.len > 0;
}

/* makes room for one that takes no used line; false when there is none */
static bool make_room(struct http_pool *p, const struct upstream_call *call)
{
	if (p->lines < p->connections)
		return true;
	if (!call->retried || h2o_linklist_is_empty(&p->idle))
		return false;
	close_idle(OF_LINK(struct http_line, p->idle.prev));
	return true;
}

void http_pool_serve(struct http_pool *p)
{
	while (!h2o_linklist_is_empty(&p->waiting)) {
		struct upstream_call *call = OF_LINK(struct upstream_call, p->waiting.next);

		if (!call->retried && !h2o_linklist_is_empty(&p->idle)) {
			struct http_line *l = OF_LINK(struct http_line, p->idle.next);

			p->idle_lines--;
			attach(l, call);
			http_call_send(call);
		} else if (!make_room(p, call)) {
			return;
		} else if (know_addresses(p)) {
			connect_for(p, call);
		} else if (p->lookup == NULL) {
			http_call_fail_later(call, UPSTREAM_CONNECT, "the host's name cannot be resolved: %s", p->lookup_why);
		} else {
			return;
		}
	}
}

void http_pool_wait(struct http_pool *p, struct upstream_call *call, bool first)
{
	h2o_linklist_insert(first ? p->waiting.next : &p->waiting, &call->link);
	p->waiting_len++;
	call->state = CALL_WAITS;
	http_pool_serve(p);

	/* whoever waits for an address may be served as soon as it comes */
	size_t most = p->waiters + (p->addresses.len == 0 ? p->connections : 0);

	if (call->state == CALL_WAITS && p->waiting_len > most)
		http_call_fail_later(call, UPSTREAM_BUSY, "%zu requests wait already", p->waiting_len - 1);
}

void http_pool_look(struct http_pool *p)
{
	struct http_addresses found;

	if (p->lookup == NULL || !http_lookup_ended(p->lookup, &found, &p->lookup_why))
		return;
	p->lookup = http_lookup_drop(p->lookup);
	p->addresses_until_ms = http_now_ms(p->client) + (found.len > 0 ? ADDRESSES_KEPT_MS : NO_ADDRESS_KEPT_MS);
	if (found.len > 0)
		p->addresses = found;        /* else the old ones may still be right */
	http_pool_serve(p);
}

/* ---- making, changing, tidying ---- */

struct http_pool *http_pool_new(struct http_client *c, struct http_backends *set, const struct http_backend *to)
{
	struct http_pool *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->client = c;
	p->set = http_backends_ref(set);
	p->to = to;
	h2o_linklist_init_anchor(&p->idle);
	h2o_linklist_init_anchor(&p->busy);
	h2o_linklist_init_anchor(&p->waiting);
	h2o_linklist_init_anchor(&p->running);
	http_pool_update(p, to);
	if (to->unix_path.len > 0 ? http_address_unix(to->unix_path, &p->addresses)
	                          : http_address_literal(to->host, to->port, &p->addresses))
		p->addresses_until_ms = INT64_MAX;
	return p;
}

void http_pool_update(struct http_pool *p, const struct http_backend *to)
{
	p->connections = to->connections;
	p->waiters = to->waiters;
	p->idle_ms = to->idle_ms;
	p->retired = false;
}

static void close_all_idle(struct http_pool *p, int64_t before_ms)
{
	h2o_linklist_t *node = p->idle.next;

	while (node != &p->idle) {
		struct http_line *l = OF_LINK(struct http_line, node);

		node = node->next;
		if (l->since_ms < before_ms)
			close_idle(l);
	}
}

void http_pool_retire(struct http_pool *p)
{
	if (p->retired)
		return;
	p->retired = true;
	p->retired_ms = http_now_ms(p->client);
	close_all_idle(p, INT64_MAX);
}

static void show(struct http_pool *p, int64_t idle, int64_t busy)
{
	struct metrics_shard *m = p->client->metrics;

	if (idle != p->shown_idle)
		metric_move(m, METRIC_UPSTREAM_CONNS, METRIC_LABELS(p->to->name, SLICE("idle")), idle - p->shown_idle);
	if (busy != p->shown_busy)
		metric_move(m, METRIC_UPSTREAM_CONNS, METRIC_LABELS(p->to->name, SLICE("busy")), busy - p->shown_busy);
	p->shown_idle = idle;
	p->shown_busy = busy;
}

/* an address that does not answer gets its share of the time to connect, then the next one is tried */
static void tick_connecting(struct http_pool *p, int64_t now_ms)
{
	for (h2o_linklist_t *node = p->busy.next; node != &p->busy; node = node->next) {
		struct http_line *l = OF_LINK(struct http_line, node);
		int64_t share_ms = outbound_backend(l->call->out)->connect_ms / (int64_t)p->addresses.len;

		if (l->open || now_ms - l->since_ms <= share_ms)
			continue;
		l->since_ms = now_ms;
		(void)http_conn_next_address(l->conn);   /* without a next one, the call's own deadline ends it */
	}
}

static void tick_calls(h2o_linklist_t *list, int64_t now_ms)
{
	h2o_linklist_t *node = list->next;

	while (node != list) {
		struct upstream_call *call = OF_LINK(struct upstream_call, node);

		node = node->next;
		http_call_tick(call, now_ms);
	}
}

void http_pool_tick(struct http_pool *p, int64_t now_ms)
{
	http_pool_look(p);
	tick_connecting(p, now_ms);
	tick_calls(&p->waiting, now_ms);
	tick_calls(&p->running, now_ms);
	close_all_idle(p, now_ms - p->idle_ms);
	http_pool_serve(p);
	show(p, (int64_t)p->idle_lines, (int64_t)(p->lines - p->idle_lines));
}

bool http_pool_empty(const struct http_pool *p)
{
	return p->lines == 0 && p->waiting_len == 0;
}

struct http_pool *http_pool_free(struct http_pool *p)
{
	close_all_idle(p, INT64_MAX);
	must(http_pool_empty(p));
	show(p, 0, 0);
	http_lookup_drop(p->lookup);
	http_backends_unref(p->set);
	free(p);
	return NULL;
}
