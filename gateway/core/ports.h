/* ports.h - what core needs from outside: the client's connection, backends, the audit log, the limit store, time.
 * Tests bring fakes; io, server and audit bring the real ones. All calls and callbacks happen on the worker's thread.
 */
#ifndef WEIR_CORE_PORTS_H
#define WEIR_CORE_PORTS_H

#include "audit/committer.h"
#include "base/clock.h"
#include "core/inbound.h"
#include "tenants/limits.h"

struct outbound;
struct backend;
struct request;
struct redactor;

/* ---- the client's side ---- */

struct exchange; /* one request and its answer on a client connection; the server's */

struct answer_head {
	unsigned status;
	const struct header *headers;    /* complete: the server adds Date, Content-Length or chunking, and Connection */
	size_t headers_len;
	int64_t content_length;          /* -1 = not known, so chunked (HTTP/1.0: until close) */
	bool close;                      /* end the connection behind this answer */
	bool no_body;                    /* HEAD, 204: headers only */
};

struct downstream_port {
	/* once, before any body; bytes are copied */
	void (*head)(struct exchange *x, const struct answer_head *h);
	/* copies bytes; false = enough is buffered, call core_client_ready() when it has gone out */
	bool (*body)(struct exchange *x, struct slice bytes);
	/* the answer is complete; x must not be used afterwards */
	void (*end)(struct exchange *x);
	/* cut the connection so that the client cannot take this for a whole answer; x must not be used afterwards */
	void (*abort)(struct exchange *x);
};

/* ---- the backend's side ---- */

enum upstream_fault {
	UPSTREAM_CONNECT,                /* no connection: refused, name, TLS, timeout of the connect */
	UPSTREAM_BUSY,                   /* pool and waiters full */
	UPSTREAM_TIMEOUT,                /* first byte, idle or total */
	UPSTREAM_NONSENSE,               /* not HTTP, bad framing, half an answer, over the size cap */
};

struct upstream_call;

struct upstream_events {
	/* final status only; headers with lower-case names, valid during the call */
	void (*head)(void *ctx, unsigned status, const struct header *headers, size_t len, int64_t content_length);
	void (*body)(void *ctx, struct slice bytes);
	void (*done)(void *ctx);         /* whole answer received; the call is gone */
	void (*failed)(void *ctx, enum upstream_fault why, const char *detail);   /* the call is gone; detail is for the log */
};

struct upstream_port {
	void *ctx;
	/* never calls back before it has returned. NULL: out of memory */
	struct upstream_call *(*start)(void *ctx, const struct outbound *o, const struct upstream_events *ev, void *evctx);
	void (*pause)(struct upstream_call *c);
	void (*resume)(struct upstream_call *c);
	void (*cancel)(struct upstream_call *c);   /* no callback follows; the connection is closed */
};

/* ---- the audit log ---- */

struct audit_port {
	void *ctx;
	enum err_code (*submit)(void *ctx, struct slice leaf, int type, enum submit_class class, struct ticket *ret, struct err *reterr);
	enum ticket_state (*state)(void *ctx, struct ticket t);
	int64_t (*index)(void *ctx, struct ticket t);
	bool (*is_open)(void *ctx);
	/* op_ and lower-case base32, 19 characters and a zero; "" when spki is empty */
	void (*pseudonym)(void *ctx, struct slice spki, char ret[24]);
	const struct redactor *redactor;   /* takes secrets out of what a record keeps; NULL: the marks hold no digest */
};

/* ---- limits ---- */

struct limit_port {
	void *ctx;
	/* key: tenant id, or tenant id and a narrowing key */
	struct gcra_given (*take)(void *ctx, enum limit_kind kind, struct slice key, const struct rate_limit *limit, double tokens);
};

#endif
