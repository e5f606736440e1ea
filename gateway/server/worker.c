/* worker.c - the thread: its start, its messages, its tick, its end; see worker.h and inner.h. */
#include "server/inner.h"

#include "base/log.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define BUFFER_LIMIT_MIN ((size_t)64 * 1024 * 1024) /* over anything the kernel keeps for one socket */
#define LAST_WAIT_MS 5000            /* for libh2o to free connections that were cut */

enum ask { ASK_WAKE = 1, ASK_SWAP = 2, ASK_DRAIN = 4, ASK_STOP = 8 };

/* ---- what all workers share ---- */

/* libh2o reads into one buffer per connection, doubles it as needed, and moves a large one into a file under /tmp. Here it
 * has no file name that could work: a buffer that would reach the limit makes it drop the connection. */
static void bound_buffers(const struct snapshot *snap)
{
	size_t limit = BUFFER_LIMIT_MIN;

	for (size_t i = 0; i < snap->listeners_len; i++)
		while (limit / 4 < snap->listeners[i].max_body)
			limit *= 2;
	h2o_socket_buffer_mmap_settings = (h2o_buffer_mmap_settings_t){ .threshold = limit };
}

struct server *server_new(const struct snapshot *snap)
{
	struct server *s = calloc(1, sizeof(*s));
	struct rlimit files;

	if (s == NULL)
		return NULL;
	s->certificates = headcount_new(CONNECTIONS_MAX);
	s->handshakes = headcount_new(CONNECTIONS_MAX);
	if (s->certificates == NULL || s->handshakes == NULL)
		return server_free(s);
	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	bound_buffers(snap);
	return s;
}

struct server *server_free(struct server *s)
{
	if (s == NULL)
		return NULL;
	headcount_free(s->certificates);
	headcount_free(s->handshakes);
	free(s);
	return NULL;
}

size_t server_connections(const struct server *s)
{
	return atomic_load_explicit(&s->connections, memory_order_relaxed);
}

/* ---- messages ---- */

/* With the lock held. The queue goes with the thread, so that nothing may be sent to it afterwards. */
static void ask(struct worker *w, enum ask what)
{
	if (w->state != WORKER_RUNNING)
		return;
	w->asked |= what;
	if (!w->rung) {
		w->rung = true;
		h2o_multithread_send_message(&w->receiver, &w->bell);
	}
}

static void ask_locked(struct worker *w, enum ask what)
{
	pthread_mutex_lock(&w->lock);
	ask(w, what);
	pthread_mutex_unlock(&w->lock);
}

void worker_wake(struct worker *w)
{
	ask_locked(w, ASK_WAKE);
}

void worker_drain(struct worker *w)
{
	ask_locked(w, ASK_DRAIN);
}

void worker_stop(struct worker *w)
{
	ask_locked(w, ASK_STOP);
}

void worker_swap(struct worker *w, struct snapshot *snap, struct tls_set *tls)
{
	snapshot_ref(snap);
	tls_set_ref(tls);
	pthread_mutex_lock(&w->lock);

	struct snapshot *old_snap = w->next_snap;
	struct tls_set *old_tls = w->next_tls;

	w->next_snap = snap;
	w->next_tls = tls;
	ask(w, ASK_SWAP);
	pthread_mutex_unlock(&w->lock);
	if (old_snap != NULL)                /* it came and went unseen */
		snapshot_unref(old_snap);
	tls_set_unref(old_tls);
}

bool worker_same_listeners(const struct snapshot *now, const struct snapshot *next)
{
	if (now->listeners_len != next->listeners_len)
		return false;
	for (size_t i = 0; i < now->listeners_len; i++) {
		const struct listener_settings *a = &now->listeners[i], *b = &next->listeners[i];

		if (!slice_eq(a->address, b->address) || a->serve != b->serve || (a->tls == NULL) != (b->tls == NULL))
			return false;
	}
	return true;
}

/* ---- drain and end ---- */

static void start_draining(struct worker *w, int64_t until_ms)
{
	if (!w->draining || until_ms < w->drain_until_ms)
		w->drain_until_ms = until_ms;
	if (w->draining)
		return;
	w->draining = true;
	for (size_t i = 0; i < w->gates_len; i++) {
		w->gates[i].context.shutdown_requested = 1;      /* no keep-alive from here on */
		if (!gate_is_health(&w->gates[i]))
			gate_close(&w->gates[i]);
	}
}

static bool is_served(const struct worker *w)
{
	for (size_t i = 0; i < w->gates_len; i++)
		if (!gate_is_health(&w->gates[i]) && w->gates[i].conns > 0)
			return true;
	return false;
}

static void drain_tick(struct worker *w, int64_t now_ms)
{
	bool late = now_ms >= w->drain_until_ms;

	if (!late && is_served(w)) {
		for (struct conn *c = w->conns; c != NULL; c = c->next)
			if (c->exchange == NULL && !c->handshaking && c->sock->input->size == 0 && !gate_is_health(c->gate))
				conn_close_idle(c);
		return;
	}
	for (size_t i = 0; i < w->gates_len; i++)
		gate_close(&w->gates[i]);        /* those for health too */
	for (struct conn *c = w->conns; c != NULL; c = c->next) {
		if (c->exchange != NULL)
			exchange_abandon(c->exchange);
		else
			conn_cut(c);
	}
}

/* ---- the tick ---- */

/* Not a timer of libh2o: those go by the wall clock, and would stand still after it is set back. */
static void tick(struct worker *w, int64_t now_ms)
{
	for (size_t i = 0; i < w->gates_len; i++)
		gate_tick(&w->gates[i], now_ms);
	if (now_ms - w->checked_ms >= CHECK_MS) {
		w->checked_ms = now_ms;
		conns_check(w, now_ms);
	}
	if (w->o.tick != NULL)
		w->o.tick(w->o.ctx);
	if (w->draining)
		drain_tick(w, now_ms);
}

/* ---- messages, on the thread ---- */

static void swap(struct worker *w, struct snapshot *snap, struct tls_set *tls)
{
	struct snapshot *old_snap = w->snap;
	struct tls_set *old_tls = w->tls;

	if (!hope(worker_same_listeners(old_snap, snap))) {
		snapshot_unref(snap);
		tls_set_unref(tls);
		return;
	}
	w->snap = snap;
	w->tls = tls;
	for (size_t i = 0; i < w->gates_len; i++)
		gate_refresh(&w->gates[i]);
	if (w->o.swap != NULL)
		w->o.swap(w->o.ctx, snap);
	snapshot_unref(old_snap);
	tls_set_unref(old_tls);
}

static void on_messages(h2o_multithread_receiver_t *receiver, h2o_linklist_t *messages)
{
	struct worker *w = H2O_STRUCT_FROM_MEMBER(struct worker, receiver, receiver);

	while (!h2o_linklist_is_empty(messages))
		h2o_linklist_unlink(messages->next);
	pthread_mutex_lock(&w->lock);

	unsigned asked = w->asked;
	struct snapshot *snap = w->next_snap;
	struct tls_set *tls = w->next_tls;

	w->asked = 0;
	w->rung = false;
	if (!w->over) {
		w->next_snap = NULL;
		w->next_tls = NULL;
	}
	pthread_mutex_unlock(&w->lock);
	if (w->over)
		asked = 0;                       /* nobody is left to tell; worker_free drops what came */
	if ((asked & ASK_SWAP) != 0)
		swap(w, snap, tls);
	if ((asked & ASK_WAKE) != 0 && w->o.wake != NULL)
		w->o.wake(w->o.ctx);
	if ((asked & ASK_STOP) != 0)
		start_draining(w, worker_now_ms(w));
	if ((asked & ASK_DRAIN) != 0)
		start_draining(w, worker_now_ms(w) + w->snap->process.drain_timeout_ms);
}

/* ---- the thread ---- */

static void tell_state(struct worker *w, int state)
{
	pthread_mutex_lock(&w->lock);
	w->state = state;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static bool thread_setup(struct worker *w)
{
	w->loop = h2o_evloop_create();
	w->queue = h2o_multithread_create_queue(w->loop);
	h2o_multithread_register_receiver(w->queue, &w->receiver, on_messages);
	w->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return w->o.setup == NULL || w->o.setup(w->o.ctx, w, w->loop);
}

static void thread_listen(struct worker *w)
{
	for (size_t i = 0; i < w->gates_len; i++) {
		gate_init(&w->gates[i], w, i, w->o.listen_fds[i]);
		gate_listen(&w->gates[i]);
	}
}

static bool is_over(const struct worker *w)
{
	return w->draining && w->conns_len == 0 && !is_served(w);
}

/* Until drained. Connections that were cut at the end of the drain need a turn of the loop or two to be freed. */
static void thread_run(struct worker *w)
{
	while (!is_over(w)) {
		h2o_evloop_run(w->loop, TICK_MS);

		int64_t now_ms = worker_now_ms(w);

		if (now_ms - w->ticked_ms >= TICK_MS) {
			w->ticked_ms = now_ms;
			tick(w, now_ms);
		}
		if (w->draining && !hope(now_ms < w->drain_until_ms + LAST_WAIT_MS))
			break;
	}
}

/* libh2o keeps some freed blocks per thread, and forgets them with it */
static void free_recycled(void)
{
	h2o_mem_recycle_t *sockets = &h2o_socket_buffer_prototype.allocator;
	h2o_mem_pool_t pool;

	while (sockets->cnt > 0)
		free(h2o_mem_alloc_recycle(sockets, 0));
	/* the pools' own list is hidden: its blocks come out as the blocks of a pool, each linked to the one before */
	h2o_mem_init_pool(&pool);
	for (int i = 0; i < 16; i++)
		for (size_t part = 0; part < 4; part++)
			(void)h2o_mem_alloc_pool(&pool, 960);
	for (void *block = pool.chunks, *next; block != NULL; block = next) {
		next = *(void **)block;
		free(block);
	}
}

static bool is_rung(struct worker *w)
{
	pthread_mutex_lock(&w->lock);

	bool rung = w->rung;

	pthread_mutex_unlock(&w->lock);
	return rung;
}

static void thread_teardown(struct worker *w)
{
	if (w->conns_len > 0)                /* libh2o still knows them: leave everything as it is */
		return;
	for (size_t i = 0; i < w->gates_len; i++)
		if (w->gates[i].worker != NULL)
			gate_done(&w->gates[i]);
	do
		h2o_evloop_run(w->loop, 0);      /* frees closed sockets */
	while (is_rung(w));                  /* and takes in the last message */
	h2o_multithread_unregister_receiver(w->queue, &w->receiver);
	h2o_multithread_destroy_queue(w->queue);
	free(w->queue);                      /* which libh2o forgets on this kind of loop */
	h2o_evloop_run(w->loop, 0);
	h2o_evloop_destroy(w->loop);
	if (w->spare_fd != -1)
		close(w->spare_fd);
	free_recycled();
}

static void *thread_main(void *worker)
{
	struct worker *w = worker;
	bool ok = thread_setup(w);

	if (ok)
		thread_listen(w);
	tell_state(w, ok ? WORKER_RUNNING : WORKER_FAILED);
	if (ok) {
		thread_run(w);
		w->over = true;
		if (w->o.teardown != NULL)
			w->o.teardown(w->o.ctx);
		tell_state(w, WORKER_ENDED);     /* from here on nobody rings the bell */
	}
	thread_teardown(w);
	return NULL;
}

/* ---- start and join ---- */

static struct worker *worker_free(struct worker *w)
{
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	if (w->next_snap != NULL)
		snapshot_unref(w->next_snap);
	tls_set_unref(w->next_tls);
	snapshot_unref(w->snap);
	tls_set_unref(w->tls);
	free(w->gates);
	free(w);
	return NULL;
}

/* signals are the main thread's business */
static int create_thread(struct worker *w)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&w->thread, NULL, thread_main, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

enum err_code worker_start(const struct worker_options *o, struct worker **ret, struct err *reterr)
{
	struct worker *w = calloc(1, sizeof(*w));
	int rc;

	if (w == NULL)
		return err_nomem(reterr);
	w->o = *o;
	w->snap = snapshot_ref(o->snap);
	w->tls = tls_set_ref(o->tls);
	w->gates_len = o->snap->listeners_len;
	w->gates = calloc(w->gates_len + 1, sizeof(*w->gates));
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	if (w->gates == NULL) {
		worker_free(w);
		return err_nomem(reterr);
	}
	rc = create_thread(w);
	if (rc != 0) {
		worker_free(w);
		return err_set(reterr, ERR_IO, ERR_NOWHERE, "worker %zu: no thread: %s", o->index, strerror(rc));
	}
	pthread_mutex_lock(&w->lock);
	while (w->state == WORKER_STARTING)
		pthread_cond_wait(&w->changed, &w->lock);
	rc = w->state;
	pthread_mutex_unlock(&w->lock);
	if (rc == WORKER_FAILED) {
		worker_join(w);
		return err_set(reterr, ERR_IO, ERR_NOWHERE, "worker %zu could not be set up", o->index);
	}
	*ret = w;
	return ERR_OK;
}

struct worker *worker_join(struct worker *w)
{
	if (w == NULL)
		return NULL;
	pthread_join(w->thread, NULL);
	return worker_free(w);
}
