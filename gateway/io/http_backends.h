/* http_backends.h - the backends of one snapshot as the upstream client needs them: where they are, and how to be sure of it.
 *
 * Made once per snapshot, before it is used: what is wrong with a CA file, a certificate or a key is told then, and the old
 * snapshot stays. Workers share it.
 *
 * Ownership: counted; everything in it lives as long as the set.
 * Errors:    ERR_IO for a file that cannot be read, ERR_INVALID for what is in it.
 * Threads:   const once made; the count is atomic.
 */
#ifndef WEIR_IO_HTTP_BACKENDS_H
#define WEIR_IO_HTTP_BACKENDS_H

#include "backends/backend.h"
#include "base/err.h"

struct ssl_ctx_st;

struct http_backend {
	struct slice name;               /* as in weir.yaml */
	bool tls;
	struct slice host;               /* without the brackets of an IPv6 address */
	uint16_t port;
	struct slice unix_path;          /* empty = TCP */
	struct ssl_ctx_st *ssl;          /* when tls is set */
	const char *sni;                 /* host, or "": an address is no server name */
	uint8_t tls_digest[32];          /* over the CA bundle, certificate and key */
	int64_t idle_ms;                 /* how long an unused connection is kept */
	size_t connections, waiters;     /* at most, per worker */
};

struct http_backends;

MUST_USE enum err_code http_backends_new(const struct backend *backends, size_t len, struct http_backends **ret,
                                         struct err *reterr);
struct http_backends *http_backends_ref(struct http_backends *s);
/* takes NULL, returns NULL */
struct http_backends *http_backends_unref(struct http_backends *s);

size_t http_backends_len(const struct http_backends *s);
const struct http_backend *http_backends_at(const struct http_backends *s, size_t index);

/* b leads to the same place under the same name; its TLS files may have changed */
bool http_backend_leads_to(const struct http_backend *h, const struct backend *b);
/* a connection to x is as good as one to y: same name, same place, same TLS files */
bool http_backend_same(const struct http_backend *x, const struct http_backend *y);

#endif
