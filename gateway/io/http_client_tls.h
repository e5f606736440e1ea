/* http_client_tls.h - the TLS side of a backend: TLS 1.2 or newer, a certificate that a known CA signed for this very name.
 *
 * libh2o compares names itself, but not in TLS 1.3 and not for addresses; so OpenSSL does it, as a part of the handshake.
 * Errors: ERR_IO for a file that cannot be read, ERR_INVALID for what is in it.
 */
#ifndef WEIR_IO_HTTP_CLIENT_TLS_H
#define WEIR_IO_HTTP_CLIENT_TLS_H

#include "backends/backend.h"
#include "base/err.h"

struct ssl_ctx_st;
struct ssl_st;

/* A context for connections to b alone; host is its name, or its address without brackets. digest: SHA-256 over the files. */
MUST_USE enum err_code http_client_tls_new(const struct backend *b, struct slice host, struct ssl_ctx_st **ret,
                                           uint8_t digest[32], struct err *reterr);
/* of a struct ssl_ctx_st; for arena_defer */
void http_client_tls_free(void *ctx);

/* libh2o gives no way to its TLS objects, and takes a fatal alert for an orderly end. So what the `data` of such a socket
 * points to must begin with this, zeroed; it is kept up to date until the socket is closed. */
struct http_client_tls_peer {
	struct ssl_st *ssl;              /* NULL until the handshake is over */
	bool ended;                      /* the peer has said that nothing more comes: without it, an end may be a cut */
	char alert[64];                  /* the peer has given up, and why; empty: it has not */
};

/* the peer has shown a certificate, and chain, dates and name were found good */
bool http_client_tls_verified(const struct http_client_tls_peer *peer);

#endif
