/* tls.h - the TLS side of every listener of one snapshot: contexts, the names of their certificates, and who is trusted.
 *
 * A set is loaded whole or not at all. Ticket keys are carried over from the set before, unless a CA, a revocation list or
 * a trust domain changed: then sessions begun under the old set do a full handshake.
 *
 * Ownership: counted; a connection holds a reference to the context it was accepted with.
 * Errors:    every problem of every tls block is reported, each with the file it is in.
 * Threads:   const once loaded; ticket keys are behind a lock of their own, the counts are atomic.
 */
#ifndef WEIR_SERVER_TLS_H
#define WEIR_SERVER_TLS_H

#include "base/clock.h"
#include "core/snapshot.h"

struct ssl_ctx_st;
struct ssl_st;
struct trust;

struct tls_set;
struct tls_context; /* of one listener */

enum tls_problem { TLS_WARNING, TLS_ERROR };
typedef void tls_report_fn(void *ctx, enum tls_problem kind, const char *text);

/* How a handshake ended; also the result labels of weir_tls_handshakes_total. */
enum tls_result {
	TLS_OK,
	TLS_NO_CERTIFICATE,
	TLS_EXPIRED,          /* or not yet valid */
	TLS_UNKNOWN_CA,
	TLS_BAD_CERTIFICATE,  /* purpose, signature, a CA as leaf, key too short, .. */
	TLS_REVOKED,          /* or the revocation list is missing or out of date */
	TLS_PROTOCOL,         /* version, cipher, ALPN; what is no TLS at all counts as TLS_OTHER */
	TLS_TIMEOUT,
	TLS_LIMIT,            /* too many connections with this certificate, or unfinished ones from this address */
	TLS_OTHER,
	TLS_RESULT_COUNT
};
const char *tls_result_name(enum tls_result r);

/* Called on the thread that runs the handshake: `done` when it has succeeded, `failed` with the reason when it is about to
 * fail. ssl tells which connection. Both may come again later on: the first word counts. */
struct tls_hooks {
	void (*done)(struct ssl_st *ssl);
	void (*failed)(struct ssl_st *ssl, enum tls_result why);
};

/* NULL when an error was reported. prev: the set in use, or NULL. hooks: worker_tls_hooks(), or NULL when nobody will connect.
 * A snapshot without TLS listeners gives an empty set. */
struct tls_set *tls_set_load(const struct snapshot *snap, const struct tls_set *prev, const struct tls_hooks *hooks,
                             const struct clock *clock, tls_report_fn *report, void *ctx);
struct tls_set *tls_set_ref(struct tls_set *s);
/* takes NULL, returns NULL */
struct tls_set *tls_set_unref(struct tls_set *s);

/* the context of the i-th listener of the snapshot, or NULL when that one is plain */
struct tls_context *tls_set_context(const struct tls_set *s, size_t listener);
struct tls_context *tls_context_ref(struct tls_context *c);
struct tls_context *tls_context_unref(struct tls_context *c);
struct ssl_ctx_st *tls_context_ssl(const struct tls_context *c);
/* DNS names (lower case, `*.` for one label) and addresses of its certificate, as head_scan compares them */
const struct slice *tls_context_hosts(const struct tls_context *c, size_t *len);
const struct trust *tls_context_trust(const struct tls_context *c);
/* both judge a client alike: nobody's CA, revocation list or trust domain differs */
bool tls_same_trust(const struct tls_context *a, const struct tls_context *b);
/* false when a revocation list is past its next update: nobody can be told from the revoked */
bool tls_crl_current(const struct tls_context *c, int64_t now_s);

/* what the TLS object of a connection reads from: the data of its read BIO, so libh2o's socket */
void *tls_transport(struct ssl_st *ssl);

#endif
