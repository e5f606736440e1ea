/* inner.h - the private part: what worker, gate, conn and http1 know of each other. Nobody else includes it.
 *
 *     worker    one thread: loop, messages, tick, drain
 *       gate    one listening socket on it: accepts, and owns the libh2o context its connections run under
 *         conn  one client connection: certificate, clocks, limits; found from a libh2o socket by its on_close data
 *           exchange   one request and its answer (http1.c)
 *
 * libh2o owns its sockets and its HTTP/1 connections, and frees them when it sees fit. So nothing here keeps a pointer to its
 * connection; a conn ends in the on_close callback of its socket, an exchange in the dispose hook of its request's pool, and
 * a connection is ended from outside only by shutdown(2) on its descriptor.
 *
 * Threads: all of it belongs to the worker's thread, but for struct server.
 */
#ifndef WEIR_SERVER_INNER_H
#define WEIR_SERVER_INNER_H

#include "server/listener.h"
#include "server/peer.h"
#include "server/headcount.h"
#include "server/worker.h"

#include <h2o.h>

#include <pthread.h>
#include <stdatomic.h>

#define CONNECTIONS_MAX 10000
#define CONNECTIONS_PER_CERTIFICATE 512
#define HANDSHAKES_PER_ADDRESS 256
#define REQUESTS_PER_CONNECTION 10000
#define CONNECTION_AGE_MS ((int64_t)3600 * 1000)
#define HANDSHAKE_MS 5000
#define HEAD_MS 10000                /* from its first byte to its blank line */
#define UPLOAD_MS 30000              /* from the first byte of the head to the last of the body */
#define IDLE_MS 60000                /* between requests */
#define STALLED_WRITE_MS 30000       /* without any progress */
#define TICK_MS 100
#define CHECK_MS 500                 /* between two looks at every connection */

struct server {
	_Atomic size_t connections;      /* of all workers; relaxed, it is only a count */
	struct headcount *certificates, *handshakes;
};

/* ---- gate ---- */

struct gate {
	struct worker *worker;
	size_t index;                    /* of its listener in the snapshot */
	const struct listener_settings *settings;
	const struct service *service;
	struct tls_context *tls;         /* held; NULL = plain */
	int fd;                          /* -1 = not served by this worker */
	h2o_socket_t *sock;              /* NULL = not listening */
	int64_t paused_until_ms;         /* 0 = accepting */
	size_t conns;
	h2o_globalconf_t conf;
	h2o_context_t context;
	h2o_accept_ctx_t accept;
};

void gate_init(struct gate *g, struct worker *w, size_t index, int fd);
void gate_listen(struct gate *g);
/* settings and contexts of the worker's newest snapshot */
void gate_refresh(struct gate *g);
/* takes what is in the accept queue, then closes the socket */
void gate_close(struct gate *g);
/* accepts again after a pause */
void gate_tick(struct gate *g, int64_t now_ms);
/* no connection is left */
void gate_done(struct gate *g);
static inline bool gate_is_health(const struct gate *g)
{
	return g->settings->serve == SERVE_HEALTH;
}

/* ---- conn ---- */

struct conn {
	struct conn *next, *prev;        /* of the worker's list */
	struct gate *gate;
	h2o_socket_t *sock;
	struct tls_context *tls;         /* held: of its handshake; OpenSSL calls back into it until the socket is closed */
	struct tls_context *judged;      /* held: the one under which its certificate was last judged */
	struct peer *peer;               /* NULL = plain, or no handshake yet */
	bool counted;                    /* its certificate holds a place in server.certificates */
	char address[LISTENER_PEER_MAX];
	size_t address_len;
	char network[16];                /* key in server.handshakes: an IPv4 address, or the first half of an IPv6 one */
	size_t network_len;

	bool handshaking;
	enum tls_result why;             /* the first reason a handshake failed for; TLS_OK = none was told */

	struct exchange *exchange;       /* NULL = between requests */
	size_t requests;
	size_t answered;                 /* bytes that exchanges, or a counted refusal of libh2o, account for */

	int64_t opened_ms, idle_ms, input_ms, write_ms;   /* since when; input_ms 0 = no byte of a request is here */
	bool has_head;                   /* the blank line is here, the body is not */
	size_t write_mark;               /* changes when a write makes progress */
};

/* counts it, and hands the socket to libh2o; the socket is closed when a limit is reached */
void conn_accept(struct gate *g, h2o_socket_t *sock);
struct conn *conn_of(h2o_req_t *req);

/* False: the client's certificate is no longer good under what the listener trusts now. */
bool conn_judge(struct conn *c);
/* libh2o sees the end at its next look, and frees it; what it has not sent is lost */
void conn_cut(struct conn *c);
/* the same by a reset, so that a half answer cannot be taken for a whole one */
void conn_reset(struct conn *c);
/* between requests: libh2o says goodbye and closes */
void conn_close_idle(struct conn *c);
/* libh2o refused a request before there was an exchange */
void conn_library_refused(struct conn *c, unsigned status);
/* timers, clients that left; every CHECK_MS */
void conns_check(struct worker *w, int64_t now_ms);

/* ---- http1 ---- */

/* the handler that begins exchanges, on every path */
void http1_register(h2o_hostconf_t *host);
/* tells the service that the client is gone, and ends the connection */
void exchange_abandon(struct exchange *x);
/* true while nothing is being written: what is waited for is the service */
bool exchange_is_waiting(const struct exchange *x);

/* ---- worker ---- */

struct worker {
	struct worker_options o;
	struct snapshot *snap;
	struct tls_set *tls;
	h2o_loop_t *loop;
	h2o_multithread_queue_t *queue;
	h2o_multithread_receiver_t receiver;
	int64_t ticked_ms, checked_ms;   /* when last */
	int spare_fd;                    /* given up to accept and close one connection when there are no more */
	struct gate *gates;
	size_t gates_len;
	struct conn *conns;
	size_t conns_len;
	bool draining;
	int64_t drain_until_ms;
	bool over;                       /* the last request has ended; no hook is called any more */

	pthread_t thread;
	pthread_mutex_t lock;            /* of all below */
	pthread_cond_t changed;
	enum { WORKER_STARTING, WORKER_RUNNING, WORKER_FAILED, WORKER_ENDED } state;
	unsigned asked;                  /* enum ask, ORed */
	bool rung;                       /* bell is under way to the thread */
	h2o_multithread_message_t bell;
	struct snapshot *next_snap;      /* of ASK_SWAP, held */
	struct tls_set *next_tls;
};

static inline int64_t worker_now_ms(const struct worker *w)
{
	return clock_mono_ms(w->o.clock);
}

#endif
