/* worker.h - one thread: event loop, listening sockets, client connections, and the services that answer requests.
 *
 * A worker knows nothing of pipelines, backends or the audit log: whoever starts it brings them as services and hooks.
 *
 * Ownership: a worker holds a reference to its snapshot and TLS set, and owns the listening sockets it was given.
 * Units:     milliseconds where the name says so.
 * Errors:    worker_start fails as a whole; a running worker never ends because of what a client sent.
 * Threads:   the hooks and services of struct worker_options run on the worker's thread; worker_start, worker_swap,
 *            worker_drain, worker_stop, worker_wake and worker_join may be called from others. Hooks must not call
 *            worker_join.
 */
#ifndef WEIR_SERVER_WORKER_H
#define WEIR_SERVER_WORKER_H

#include "core/ports.h"
#include "core/snapshot.h"
#include "metrics/metrics.h"
#include "server/tls.h"

struct worker;
struct server; /* what the workers of one process share: connection counts */

/* Who answers the requests of a listener. */
struct service {
	void *ctx;
	/* A request begins. It may be answered at once or later, through worker_downstream(); in->fault is set when the head
	 * was refused, and the request must then be refused too. Returns what gone and ready are to be called with, or NULL
	 * when the request is already over. */
	void *(*begin)(void *ctx, const struct inbound *in, struct exchange *x);
	/* The client has left, or its connection was cut: x is gone, nothing of it may be used. */
	void (*gone)(void *ctx, void *request);
	/* What body() refused to take more of has gone out. */
	void (*ready)(void *ctx, void *request);
};

struct worker_options {
	struct server *server;
	size_t index;                    /* 0, 1, .. */
	struct snapshot *snap;
	struct tls_set *tls;
	const int *listen_fds;           /* one for each of snap->listeners; -1 = this worker does not serve it */
	const struct clock *clock;
	struct metrics_shard *metrics;   /* may be NULL */

	/* By what a listener serves: SERVE_QUERY or SERVE_PUSH, else SERVE_ADMIN, else SERVE_HEALTH. A service without begin
	 * may not be needed by any listener. */
	struct service traffic, admin, health;

	void *ctx;                       /* of the hooks below */
	/* First on the new thread, before any connection: loop is the h2o_loop_t. False: the worker does not start. */
	bool (*setup)(void *ctx, struct worker *w, void *loop);
	/* Last on the thread: every request has ended. Runs only when setup returned true. */
	void (*teardown)(void *ctx);
	/* about every 100 ms */
	void (*tick)(void *ctx);
	/* somebody called worker_wake; calls in between may have been joined to one */
	void (*wake)(void *ctx);
	/* requests that begin from now on use this snapshot; take an own reference */
	void (*swap)(void *ctx, struct snapshot *snap);
	/* A TLS handshake failed; reason is a result label of weir_tls_handshakes_total. peer: address and port. Already counted. */
	void (*tls_refused)(void *ctx, const char *reason, struct slice peer);
	/* libh2o answered 400, 413 or 417 by itself, before there was a request to begin; why is what the status means. */
	void (*head_refused)(void *ctx, enum deny why, const struct identity *identity, struct slice peer);
};

/* Before the first worker: ignores SIGPIPE and bounds what libh2o may buffer of one request body. NULL without memory. */
struct server *server_new(const struct snapshot *snap);
/* every worker must have been joined; takes NULL */
struct server *server_free(struct server *s);
size_t server_connections(const struct server *s);

/* Starts the thread and waits until setup has returned. On failure the listening sockets are still the caller's. */
MUST_USE enum err_code worker_start(const struct worker_options *o, struct worker **ret, struct err *reterr);
/* waits for the end of the thread, then frees; takes NULL */
struct worker *worker_join(struct worker *w);

/* the client's side of the ports, for core_new */
struct downstream_port worker_downstream(void);

/* for tls_set_load */
const struct tls_hooks *worker_tls_hooks(void);

/* Requests that begin from now on, and new handshakes, use these; takes references of its own. The listeners must be the
 * same ones (worker_same_listeners). */
void worker_swap(struct worker *w, struct snapshot *snap, struct tls_set *tls);
/* true when a running process may take `next` for `now`: the same addresses, in the same order, served for the same things */
bool worker_same_listeners(const struct snapshot *now, const struct snapshot *next);
/* Has the wake hook called soon. May be called even after the thread has ended, until worker_join. */
void worker_wake(struct worker *w);
/* Stops accepting, closes idle connections, says `Connection: close` in every answer; the thread ends when the last
 * connection has, or when drain_timeout_ms of the snapshot has passed. Health listeners answer until the end. */
void worker_drain(struct worker *w);
/* like worker_drain with no time left: open connections are cut */
void worker_stop(struct worker *w);

#endif
