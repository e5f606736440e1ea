/* http_backends.c - see http_backends.h. */
#include "io/http_backends.h"

#include "base/arena.h"
#include "io/http_client_tls.h"
#include "io/http_resolve.h"

#include <stdatomic.h>
#include <stdlib.h>

#define SET_BYTES ((size_t)16 << 20)

struct http_backends {
	struct arena arena;
	struct http_backend *items;
	size_t len;
	_Atomic size_t refs;             /* relaxed add, release on drop, acquire by the last */
};

static struct slice without_brackets(struct slice host)
{
	bool in_brackets = host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';

	return in_brackets ? slice_from(host.ptr + 1, host.len - 2) : host;
}

static enum err_code fill(struct arena *a, const struct backend *b, struct http_backend *h, struct err *reterr)
{
	h->tls = b->tls;
	h->port = b->port;
	h->idle_ms = b->idle_ms;
	h->connections = b->pool_connections == 0 ? 1 : b->pool_connections;
	h->waiters = b->pool_waiters;
	if (!arena_dup(a, b->name, &h->name) || !arena_dup(a, without_brackets(b->host), &h->host) ||
	    !arena_dup(a, b->unix_path, &h->unix_path))
		return err_nomem(reterr);
	if (b->unix_path.len > 0 && !http_address_unix(b->unix_path, &(struct http_addresses){ .len = 0 }))
		return err_set(reterr, ERR_INVALID, ERR_NOWHERE, "%.*s: too long for the path of a socket", SLICE_ARG(b->unix_path));
	h->sni = http_address_literal(h->host, h->port, &(struct http_addresses){ .len = 0 }) ? "" : h->host.ptr;
	if (!b->tls)
		return ERR_OK;

	enum err_code rc = http_client_tls_new(b, h->host, &h->ssl, h->tls_digest, reterr);

	if (rc != ERR_OK)
		return rc;
	return arena_defer(a, http_client_tls_free, h->ssl) ? ERR_OK : err_nomem(reterr);
}

enum err_code http_backends_new(const struct backend *backends, size_t len, struct http_backends **ret, struct err *reterr)
{
	struct http_backends *s = calloc(1, sizeof(*s));
	enum err_code rc = ERR_OK;

	if (s == NULL)
		return err_nomem(reterr);
	atomic_init(&s->refs, 1);
	arena_init(&s->arena, SET_BYTES);
	s->items = ARENA_ARRAY(&s->arena, len, struct http_backend);
	s->len = len;
	if (s->items == NULL)
		rc = err_nomem(reterr);
	for (size_t i = 0; rc == ERR_OK && i < len; i++)
		rc = fill(&s->arena, &backends[i], &s->items[i], reterr);
	if (rc != ERR_OK)
		http_backends_unref(s);
	else
		*ret = s;
	return rc;
}

struct http_backends *http_backends_ref(struct http_backends *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

struct http_backends *http_backends_unref(struct http_backends *s)
{
	if (s == NULL || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return NULL;
	arena_done(&s->arena);
	free(s);
	return NULL;
}

size_t http_backends_len(const struct http_backends *s)
{
	return s->len;
}

const struct http_backend *http_backends_at(const struct http_backends *s, size_t index)
{
	return &s->items[index];
}

bool http_backend_leads_to(const struct http_backend *h, const struct backend *b)
{
	return h->tls == b->tls && h->port == b->port && slice_eq(h->name, b->name) &&
	       slice_eq(h->host, without_brackets(b->host)) && slice_eq(h->unix_path, b->unix_path);
}

bool http_backend_same(const struct http_backend *x, const struct http_backend *y)
{
	return x->tls == y->tls && x->port == y->port && slice_eq(x->name, y->name) && slice_eq(x->host, y->host) &&
	       slice_eq(x->unix_path, y->unix_path) && memcmp(x->tls_digest, y->tls_digest, sizeof(x->tls_digest)) == 0;
}
