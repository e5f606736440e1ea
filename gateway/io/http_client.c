/* http_client.c - see http_client.h: the pools of one worker, the port, and the bell. */
#include "io/http_client.h"

#include "base/err.h"
#include "io/http_inside.h"

#include <h2o/socket.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define RETIRED_KEPT_MS 60000    /* a request may reach its upstream stage that long after its snapshot was replaced */

/* ---- the bell ---- */

void http_client_later(struct upstream_call *call)
{
	struct http_client *c = call->client;
	uint64_t one = 1;

	if (!h2o_linklist_is_linked(&call->later))
		h2o_linklist_insert(&c->later, &call->later);
	if (!c->rung)
		c->rung = write(c->bell_fd, &one, sizeof(one)) == sizeof(one);   /* else the next tick comes by */
}

static void run_later(struct http_client *c)
{
	while (!h2o_linklist_is_empty(&c->later)) {
		struct upstream_call *call = H2O_STRUCT_FROM_MEMBER(struct upstream_call, later, c->later.next);

		h2o_linklist_unlink(&call->later);
		http_call_later(call);
	}
}

static void on_bell(h2o_socket_t *sock, const char *err)
{
	struct http_client *c = sock->data;

	(void)err;                       /* an eventfd has none */
	h2o_buffer_consume(&sock->input, sock->input->size);
	c->rung = false;
	for (struct http_pool *p = c->pools; p != NULL; p = p->next)
		http_pool_look(p);
	run_later(c);
}

static bool hang_bell(struct http_client *c)
{
	c->bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->bell_fd == -1)
		return false;
	c->bell = h2o_evloop_socket_create(c->loop, c->bell_fd, 0);
	c->bell->data = c;
	h2o_socket_read_start(c->bell, on_bell);
	return true;
}

/* ---- the port ---- */

static struct http_pool *find_pool(const struct http_client *c, const struct backend *b)
{
	for (struct http_pool *p = c->pools; p != NULL; p = p->next)
		if (http_backend_leads_to(p->to, b))
			return p;
	return NULL;
}

static struct upstream_call *start(void *ctx, const struct outbound *o, const struct upstream_events *ev, void *evctx)
{
	struct http_client *c = ctx;
	struct upstream_call *call = http_call_new(c, o, ev, evctx);

	if (call == NULL)
		return NULL;
	call->pool = find_pool(c, outbound_backend(o));
	if (call->pool == NULL)
		http_call_fail_later(call, UPSTREAM_CONNECT, "this backend is no longer configured");
	else
		http_pool_wait(call->pool, call, false);
	return call;
}

static void pause_call(struct upstream_call *call)
{
	call->paused = true;
	if (call->line != NULL && call->line->open)
		http_conn_read(call->line->conn, false);
}

static void resume_call(struct upstream_call *call)
{
	call->paused = false;
	http_client_later(call);
}

struct upstream_port http_client_port(struct http_client *c)
{
	return (struct upstream_port){
		.ctx = c, .start = start, .pause = pause_call, .resume = resume_call, .cancel = http_call_cancel,
	};
}

/* ---- making, swapping, tidying ---- */

static struct http_pool *find_same(struct http_pool *list, const struct http_backend *to)
{
	while (list != NULL && !http_backend_same(list->to, to))
		list = list->next;
	return list;
}

static void unlink_pool(struct http_pool **list, struct http_pool *p)
{
	while (*list != p)
		list = &(*list)->next;
	*list = p->next;
}

/* pools for those backends of set that have none yet; false: out of memory, *ret is empty */
static bool make_pools(struct http_client *c, struct http_backends *set, struct http_pool **ret)
{
	for (size_t i = 0; i < http_backends_len(set); i++) {
		const struct http_backend *to = http_backends_at(set, i);
		struct http_pool *p;

		if (find_same(c->pools, to) != NULL)
			continue;
		p = http_pool_new(c, set, to);
		if (p == NULL) {
			while (*ret != NULL) {
				p = (*ret)->next;
				http_pool_free(*ret);
				*ret = p;
			}
			return false;
		}
		p->next = *ret;
		*ret = p;
	}
	return true;
}

bool http_client_swap(struct http_client *c, struct http_backends *set)
{
	struct http_pool *fresh = NULL, *old;

	if (!make_pools(c, set, &fresh))
		return false;
	for (size_t i = 0; i < http_backends_len(set); i++) {
		struct http_pool *p = find_same(c->pools, http_backends_at(set, i));

		if (p == NULL)
			continue;
		unlink_pool(&c->pools, p);
		http_pool_update(p, http_backends_at(set, i));
		p->next = fresh;
		fresh = p;
	}
	for (old = c->pools; old != NULL; old = old->next)
		http_pool_retire(old);
	old = c->pools;
	c->pools = fresh;
	while (fresh != NULL && fresh->next != NULL)
		fresh = fresh->next;
	if (fresh == NULL)
		c->pools = old;
	else
		fresh->next = old;
	return true;
}

static void free_retired(struct http_client *c, int64_t now_ms)
{
	struct http_pool **at = &c->pools;

	while (*at != NULL) {
		struct http_pool *p = *at;

		if (p->retired && http_pool_empty(p) && now_ms - p->retired_ms > RETIRED_KEPT_MS) {
			*at = p->next;
			http_pool_free(p);
		} else {
			at = &p->next;
		}
	}
}

void http_client_tick(struct http_client *c)
{
	int64_t now_ms = http_now_ms(c);

	for (struct http_pool *p = c->pools; p != NULL; p = p->next)
		http_pool_tick(p, now_ms);
	free_retired(c, now_ms);
	run_later(c);
}

struct http_client *http_client_new(void *h2o_loop, struct http_backends *set, const struct clock *clock,
                                    struct metrics_shard *metrics)
{
	struct http_client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->loop = h2o_loop;
	c->clock = clock;
	c->metrics = metrics;
	h2o_linklist_init_anchor(&c->later);
	if (hang_bell(c) && http_client_swap(c, set))
		return c;
	return http_client_free(c);
}

struct http_client *http_client_free(struct http_client *c)
{
	if (c == NULL)
		return NULL;
	must(h2o_linklist_is_empty(&c->later));
	while (c->pools != NULL) {
		struct http_pool *next = c->pools->next;

		http_pool_free(c->pools);
		c->pools = next;
	}
	if (c->bell != NULL)
		h2o_socket_close(c->bell);
	free(c);
	return NULL;
}
