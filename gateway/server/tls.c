/* tls.c - see tls.h. */
#include "server/tls.h"

#include "server/tls_pem.h"
#include "server/tls_ticket.h"
#include "server/tls_trust.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdlib.h>

#define CERT_LIST_BYTES_MAX (64 * 1024) /* of a client's whole chain */
#define HOST_NAMES_MAX 256

struct tls_context {
	SSL_CTX *ssl;
	struct ticket_keys *tickets;
	struct trust *trust;
	const struct tls_hooks *hooks;   /* NULL = nobody listens */
	struct arena arena;              /* of the names below */
	struct slice address;            /* of its listener */
	struct slice *hosts;
	size_t hosts_len;
	_Atomic size_t refs;             /* relaxed add; acquire and release on drop */
};

struct tls_set {
	struct tls_context **contexts;   /* by listener; NULL = plain */
	size_t len;
	_Atomic size_t refs;             /* as above */
};

const char *tls_result_name(enum tls_result r)
{
	static const char *const name[TLS_RESULT_COUNT] = {
		[TLS_OK] = "ok", [TLS_NO_CERTIFICATE] = "no_certificate", [TLS_EXPIRED] = "expired",
		[TLS_UNKNOWN_CA] = "unknown_ca", [TLS_BAD_CERTIFICATE] = "bad_certificate", [TLS_REVOKED] = "revoked",
		[TLS_PROTOCOL] = "protocol", [TLS_TIMEOUT] = "timeout", [TLS_LIMIT] = "limit", [TLS_OTHER] = "other",
	};

	return name[r];
}

/* ---- during a handshake ---- */

static struct tls_context *context_of(const SSL *ssl)
{
	return SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
}

static void tell_failed(SSL *ssl, enum tls_result why)
{
	const struct tls_context *c = context_of(ssl);

	if (c->hooks != NULL)
		c->hooks->failed(ssl, why);
}

static int on_verify(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	X509 *cert = X509_STORE_CTX_get_current_cert(store);

	if (ok == 1 && X509_STORE_CTX_get_error_depth(store) == 0 && cert != NULL) {
		int error = trust_check_leaf(cert);

		if (error != X509_V_OK) {
			X509_STORE_CTX_set_error(store, error);
			ok = 0;
		}
	}
	if (ok != 1)
		tell_failed(ssl, trust_result(X509_STORE_CTX_get_error(store)));
	return ok;
}

static enum tls_result alert_result(int alert)
{
	switch (alert) {
	case SSL_AD_BAD_CERTIFICATE:
	case SSL_AD_UNSUPPORTED_CERTIFICATE:
	case SSL_AD_CERTIFICATE_UNKNOWN: return TLS_BAD_CERTIFICATE;
	case SSL_AD_CERTIFICATE_REVOKED: return TLS_REVOKED;
	case SSL_AD_CERTIFICATE_EXPIRED: return TLS_EXPIRED;
	case SSL_AD_UNKNOWN_CA: return TLS_UNKNOWN_CA;
	case SSL_AD_CERTIFICATE_REQUIRED: return TLS_NO_CERTIFICATE;
	case SSL_AD_INTERNAL_ERROR: return TLS_OTHER;
	default: break;
	}
	/* TLS 1.2 has no alert of its own for it */
	return ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE ? TLS_NO_CERTIFICATE
	                                                                                       : TLS_PROTOCOL;
}

static void on_info(const SSL *ssl, int where, int ret)
{
	const struct tls_context *c = context_of(ssl);
	SSL *s = (SSL *)(uintptr_t)ssl;  /* the callback's type is older than its uses */

	if (where == SSL_CB_HANDSHAKE_DONE && c->hooks != NULL)
		c->hooks->done(s);
	else if (where == SSL_CB_WRITE_ALERT && ret >> 8 == SSL3_AL_FATAL)
		tell_failed(s, alert_result(ret & 0xff));
	else if (where == SSL_CB_READ_ALERT && ret >> 8 == SSL3_AL_FATAL)
		tell_failed(s, TLS_OTHER);       /* the client did not like us */
}

/* Nothing but HTTP/1.1 is spoken. A client that offers ALPN without it is told so; one that offers no ALPN never comes here. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in, unsigned int in_len,
                   void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, in, in_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static int on_ticket_key(SSL *ssl, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
                         int seal)
{
	return ticket_keys_apply(context_of(ssl)->tickets, name, iv, cipher, mac, seal == 1);
}

/* A resumed session has no verified chain any more; what it proved travels in the ticket, sealed by our own key. */
static int on_new_ticket(SSL *ssl, void *arg)
{
	STACK_OF(X509) *verified = SSL_get0_verified_chain(ssl);
	struct trust_chain chain;

	(void)arg;
	if (verified == NULL)                /* resumed itself: the session carries it on */
		return 1;
	trust_chain_from(verified, &chain);
	return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), chain.ca, chain.len * TRUST_HASH_BYTES);
}

static SSL_TICKET_RETURN on_open_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t name_len,
                                        SSL_TICKET_STATUS status, void *arg)
{
	(void)session;
	(void)name;
	(void)name_len;
	(void)arg;
	switch (status) {
	case SSL_TICKET_SUCCESS:
		/* clients of TLS 1.3 use a ticket once: each use needs a new one */
		return SSL_version(ssl) == TLS1_3_VERSION ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_USE;
	case SSL_TICKET_SUCCESS_RENEW: return SSL_TICKET_RETURN_USE_RENEW;
	default: return SSL_TICKET_RETURN_IGNORE_RENEW;
	}
}

/* ---- a tls block: its files, read once for all listeners that name it ---- */

struct block {
	const struct tls_settings *settings;
	STACK_OF(X509) *chain;           /* ours, leaf first */
	EVP_PKEY *key;
	struct trust *trust;
};

static void load_key(struct tls_log *log, struct block *b)
{
	struct pem_file f;

	if (!pem_file_load(log, b->settings->key, &f))
		return;
	if ((f.mode & 07) != 0)
		tls_say(log, TLS_WARNING, f.path, "everybody may read this private key; chmod 600 it");
	b->key = pem_key(log, &f);
	pem_file_done(&f);
}

static void load_certificate(struct tls_log *log, struct block *b)
{
	struct pem_file f;

	if (!pem_file_load(log, b->settings->certificate, &f))
		return;
	b->chain = pem_certificates(log, &f);
	if (b->chain != NULL) {
		X509 *leaf = sk_X509_value(b->chain, 0);

		if (X509_cmp_current_time(X509_get0_notAfter(leaf)) < 0)
			tls_say(log, TLS_WARNING, f.path, "this certificate has expired");
		if (b->key != NULL && X509_check_private_key(leaf, b->key) != 1)
			tls_say(log, TLS_ERROR, f.path, "does not belong to the key %.*s", SLICE_ARG(b->settings->key));
	}
	pem_file_done(&f);
}

static void block_load(struct tls_log *log, const struct tls_settings *settings, struct trust_domains *domains,
                       struct block *b)
{
	log->block = settings->name;
	*b = (struct block){ .settings = settings };
	load_key(log, b);
	load_certificate(log, b);
	b->trust = trust_load(log, settings, domains);
	log->block = SLICE("");
}

static void block_done(struct block *b)
{
	sk_X509_pop_free(b->chain, X509_free);
	EVP_PKEY_free(b->key);
	trust_unref(b->trust);
}

/* ---- one context ---- */

/* a DNS name in lower case, or an address as inet_ntop prints it; false: nothing that a Host header could say */
static bool host_text(struct arena *a, const GENERAL_NAME *name, struct slice *ret)
{
	const ASN1_STRING *s = name->type == GEN_DNS ? name->d.dNSName : name->d.iPAddress;
	const unsigned char *bytes = ASN1_STRING_get0_data(s);
	size_t len = (size_t)ASN1_STRING_length(s);
	char text[INET6_ADDRSTRLEN];

	if (name->type == GEN_IPADD) {
		if (inet_ntop(len == 4 ? AF_INET : AF_INET6, bytes, text, sizeof(text)) == NULL)
			return false;
		return arena_dup(a, slice_cstr(text), ret);
	}
	if (len == 0 || !arena_dup(a, slice_from((const char *)bytes, len), ret))
		return false;

	char *low = (char *)(uintptr_t)ret->ptr;

	for (size_t i = 0; i < len; i++)
		low[i] = ascii_lower(low[i]);
	return true;
}

static void collect_hosts(struct tls_context *c, X509 *leaf)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);

	c->hosts = ARENA_ARRAY(&c->arena, HOST_NAMES_MAX, struct slice);
	for (int i = 0; c->hosts != NULL && i < sk_GENERAL_NAME_num(names) && c->hosts_len < HOST_NAMES_MAX; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_DNS ||
		    (name->type == GEN_IPADD && (name->d.iPAddress->length == 4 || name->d.iPAddress->length == 16)))
			c->hosts_len += host_text(&c->arena, name, &c->hosts[c->hosts_len]);
	}
	GENERAL_NAMES_free(names);
}

static bool set_versions(SSL_CTX *ssl, const struct tls_settings *t)
{
	SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
	                             (t->tickets ? 0 : SSL_OP_NO_TICKET));
	SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_security_level(ssl, TRUST_SECURITY_LEVEL);
	return SSL_CTX_set_min_proto_version(ssl, t->tls12 ? TLS1_2_VERSION : TLS1_3_VERSION) == 1 &&
	       SSL_CTX_set_max_proto_version(ssl, TLS1_3_VERSION) == 1 &&
	       SSL_CTX_set_cipher_list(ssl, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1;
}

/* Early data can be played again by anybody who saw it: it stays off, explicitly. */
static bool set_sessions(SSL_CTX *ssl, const struct tls_settings *t)
{
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_timeout(ssl, TICKET_LIFE_S);
	return SSL_CTX_set_max_early_data(ssl, 0) == 1 && SSL_CTX_set_recv_max_early_data(ssl, 0) == 1 &&
	       (t->tickets || SSL_CTX_set_num_tickets(ssl, 0) == 1) &&
	       SSL_CTX_set_tlsext_ticket_key_evp_cb(ssl, on_ticket_key) == 1 &&
	       SSL_CTX_set_session_ticket_cb(ssl, on_new_ticket, on_open_ticket, NULL) == 1;
}

/* A session is good for one listener under one trust and one policy: with another context, OpenSSL will not resume it. */
static bool set_session_context(SSL_CTX *ssl, const struct listener_settings *l, const struct trust *trust)
{
	unsigned char id[SSL_MAX_SID_CTX_LENGTH], policy[] = { l->tls->tls12, l->tls->tickets, (unsigned char)l->serve };
	uint64_t len = l->address.len;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool ok = md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
	          EVP_DigestUpdate(md, &len, sizeof(len)) == 1 && EVP_DigestUpdate(md, l->address.ptr, l->address.len) == 1 &&
	          EVP_DigestUpdate(md, trust_hash(trust), TRUST_HASH_BYTES) == 1 &&
	          EVP_DigestUpdate(md, policy, sizeof(policy)) == 1 && EVP_DigestFinal_ex(md, id, NULL) == 1;

	EVP_MD_CTX_free(md);
	return ok && SSL_CTX_set_session_id_context(ssl, id, sizeof(id)) == 1;
}

static bool set_certificates(SSL_CTX *ssl, const struct block *b)
{
	const STACK_OF(X509) *cas = trust_cas(b->trust);

	if (SSL_CTX_use_certificate(ssl, sk_X509_value(b->chain, 0)) != 1 || SSL_CTX_use_PrivateKey(ssl, b->key) != 1)
		return false;
	for (int i = 1; i < sk_X509_num(b->chain); i++)
		if (SSL_CTX_add1_chain_cert(ssl, sk_X509_value(b->chain, i)) != 1)
			return false;
	for (int i = 0; i < sk_X509_num(cas); i++)
		if (SSL_CTX_add_client_CA(ssl, sk_X509_value(cas, i)) != 1)
			return false;
	SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, on_verify);
	SSL_CTX_set_verify_depth(ssl, TRUST_DEPTH_MAX);
	SSL_CTX_set_max_cert_list(ssl, CERT_LIST_BYTES_MAX);
	return SSL_CTX_set1_verify_cert_store(ssl, trust_store(b->trust)) == 1;
}

/* the keys go on when sessions begun under them would still be judged in the same way */
static struct ticket_keys *tickets_for(const struct tls_context *prev, const struct trust *trust, const struct clock *clock)
{
	if (prev != NULL && memcmp(trust_hash(prev->trust), trust_hash(trust), TRUST_HASH_BYTES) == 0)
		return ticket_keys_ref(prev->tickets);
	return ticket_keys_new(clock);
}

static struct tls_context *context_new(struct tls_log *log, const struct listener_settings *l, const struct block *b,
                                       const struct tls_context *prev, const struct tls_hooks *hooks,
                                       const struct clock *clock)
{
	struct tls_context *c = calloc(1, sizeof(*c));

	log->block = l->tls->name;
	if (c != NULL) {
		c->refs = 1;
		c->hooks = hooks;
		arena_init(&c->arena, (size_t)1024 * 1024);
		c->trust = trust_ref(b->trust);
		c->tickets = tickets_for(prev, b->trust, clock);
		c->ssl = SSL_CTX_new(TLS_server_method());
		collect_hosts(c, sk_X509_value(b->chain, 0));
	}
	if (c == NULL || c->tickets == NULL || c->ssl == NULL || !arena_dup(&c->arena, l->address, &c->address)) {
		tls_say(log, TLS_ERROR, SLICE(""), "not enough memory");
	} else if (c->hosts_len == 0) {
		tls_say(log, TLS_ERROR, b->settings->certificate, "has no DNS name and no address; no Host would be accepted");
	} else if (!set_versions(c->ssl, l->tls) || !set_sessions(c->ssl, l->tls) ||
	           !set_session_context(c->ssl, l, b->trust) || !set_certificates(c->ssl, b)) {
		tls_say(log, TLS_ERROR, b->settings->certificate, "cannot be used: %s", ERR_reason_error_string(ERR_peek_last_error()));
	} else {
		SSL_CTX_set_app_data(c->ssl, c);
		SSL_CTX_set_info_callback(c->ssl, on_info);
		SSL_CTX_set_alpn_select_cb(c->ssl, on_alpn, NULL);
		log->block = SLICE("");
		return c;
	}
	ERR_clear_error();
	log->block = SLICE("");
	return tls_context_unref(c);
}

struct tls_context *tls_context_ref(struct tls_context *c)
{
	atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

struct tls_context *tls_context_unref(struct tls_context *c)
{
	if (c == NULL || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
		return NULL;
	SSL_CTX_free(c->ssl);
	ticket_keys_unref(c->tickets);
	trust_unref(c->trust);
	arena_done(&c->arena);
	free(c);
	return NULL;
}

struct ssl_ctx_st *tls_context_ssl(const struct tls_context *c)
{
	return c->ssl;
}

const struct slice *tls_context_hosts(const struct tls_context *c, size_t *len)
{
	*len = c->hosts_len;
	return c->hosts;
}

const struct trust *tls_context_trust(const struct tls_context *c)
{
	return c->trust;
}

bool tls_same_trust(const struct tls_context *a, const struct tls_context *b)
{
	return memcmp(trust_hash(a->trust), trust_hash(b->trust), TRUST_HASH_BYTES) == 0;
}

bool tls_crl_current(const struct tls_context *c, int64_t now_s)
{
	return trust_crl_current(c->trust, now_s);
}

void *tls_transport(struct ssl_st *ssl)
{
	return BIO_get_data(SSL_get_rbio(ssl));
}

/* ---- the set ---- */

static const struct tls_context *context_at(const struct tls_set *s, struct slice address)
{
	for (size_t i = 0; s != NULL && i < s->len; i++)
		if (s->contexts[i] != NULL && slice_eq(s->contexts[i]->address, address))
			return s->contexts[i];
	return NULL;
}

static void load_contexts(struct tls_log *log, struct tls_set *s, const struct snapshot *snap, const struct block *blocks,
                          const struct tls_set *prev, const struct tls_hooks *hooks, const struct clock *clock)
{
	for (size_t i = 0; i < snap->listeners_len; i++) {
		const struct listener_settings *l = &snap->listeners[i];

		for (size_t b = 0; l->tls != NULL && b < snap->tls_len; b++)
			if (slice_eq(snap->tls[b].name, l->tls->name))
				s->contexts[i] = context_new(log, l, &blocks[b], context_at(prev, l->address), hooks, clock);
		if (l->tls != NULL && s->contexts[i] == NULL && log->errors == 0)
			tls_say(log, TLS_ERROR, SLICE(""), "listener %.*s names no tls block", SLICE_ARG(l->address));
	}
}

struct tls_set *tls_set_load(const struct snapshot *snap, const struct tls_set *prev, const struct tls_hooks *hooks,
                             const struct clock *clock, tls_report_fn *report, void *ctx)
{
	struct tls_log log = { .report = report, .ctx = ctx };
	struct tls_set *s = calloc(1, sizeof(*s));
	struct block *blocks = calloc(snap->tls_len + 1, sizeof(*blocks));
	struct trust_domains *domains = NULL;

	if (s != NULL) {
		s->refs = 1;
		s->contexts = calloc(snap->listeners_len + 1, sizeof(struct tls_context *));
	}
	if (s == NULL || s->contexts == NULL || blocks == NULL) {
		tls_say(&log, TLS_ERROR, SLICE(""), "not enough memory for the TLS settings");
		goto done;
	}
	s->len = snap->listeners_len;
	domains = trust_domains_load(&log, snap->trust_domains, snap->trust_domains_len);
	for (size_t i = 0; domains != NULL && i < snap->tls_len; i++)
		block_load(&log, &snap->tls[i], domains, &blocks[i]);
	if (log.errors == 0)
		load_contexts(&log, s, snap, blocks, prev, hooks, clock);
done:
	for (size_t i = 0; blocks != NULL && i < snap->tls_len; i++)
		block_done(&blocks[i]);
	free(blocks);
	trust_domains_unref(domains);
	return log.errors == 0 ? s : tls_set_unref(s);
}

struct tls_set *tls_set_ref(struct tls_set *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

struct tls_set *tls_set_unref(struct tls_set *s)
{
	if (s == NULL || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return NULL;
	for (size_t i = 0; i < s->len; i++)
		tls_context_unref(s->contexts[i]);
	free(s->contexts);
	free(s);
	return NULL;
}

struct tls_context *tls_set_context(const struct tls_set *s, size_t listener)
{
	return listener < s->len ? s->contexts[listener] : NULL;
}
