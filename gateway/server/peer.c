/* peer.c - see peer.h. */
#include "server/peer.h"

#include "base/arena.h"
#include "server/tls_trust.h"
#include "tenants/tenant.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <stdlib.h>

#define PEER_MEMORY ((size_t)256 * 1024)

struct peer {
	struct arena arena;              /* of the identity */
	struct identity identity;
	X509 *leaf;
	STACK_OF(X509) *sent;            /* CAs that the client sent along; NULL on a resumed session */
	struct trust_chain chain;        /* CAs that verified it */
};

/* ---- what does not depend on who is trusted ---- */

static bool copy_text(struct arena *a, const void *bytes, size_t len, struct slice *ret)
{
	return arena_dup(a, slice_from(bytes, len < PEER_TEXT_MAX ? len : PEER_TEXT_MAX), ret);
}

/* Every URI name of the certificate, the first few of them kept. Other kinds of names do not count. */
static bool read_uris(struct peer *p)
{
	struct identity *id = &p->identity;
	struct slice *uris = ARENA_ARRAY(&p->arena, PEER_URIS_MAX, struct slice);
	int critical;
	GENERAL_NAMES *names = X509_get_ext_d2i(p->leaf, NID_subject_alt_name, &critical, NULL);
	size_t found = 0;
	bool ok = uris != NULL;

	for (int i = 0; ok && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type != GEN_URI)
			continue;

		const ASN1_STRING *s = name->d.uniformResourceIdentifier;

		if (found < PEER_URIS_MAX)
			ok = copy_text(&p->arena, ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s), &uris[found]);
		/* longer than any SPIFFE id may be: it was cut, and must not be taken for what it begins with */
		if ((size_t)ASN1_STRING_length(s) > PEER_TEXT_MAX)
			id->fault = IDENTITY_BAD_NAME;
		found++;
	}
	GENERAL_NAMES_free(names);
	id->uris = uris;
	id->uris_len = found < PEER_URIS_MAX ? found : PEER_URIS_MAX;
	if (critical == -2 || (names == NULL && critical != -1))    /* the extension stands twice, or is broken */
		id->fault = IDENTITY_BAD_NAME;
	else if (found == 0)
		id->fault = IDENTITY_NO_NAME;
	else if (found > 1)
		id->fault = IDENTITY_TWO_NAMES;
	return ok;
}

static bool read_subject(struct peer *p)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *text = NULL;
	long len;
	bool ok = false;

	if (out != NULL && X509_NAME_print_ex(out, X509_get_subject_name(p->leaf), 0, XN_FLAG_RFC2253) >= 0) {
		len = BIO_get_mem_data(out, &text);
		ok = copy_text(&p->arena, text, len < 0 ? 0 : (size_t)len, &p->identity.subject);
	}
	BIO_free(out);
	return ok;
}

static bool read_key(struct peer *p)
{
	X509_PUBKEY *key = X509_get_X509_PUBKEY(p->leaf);
	int len = i2d_X509_PUBKEY(key, NULL);
	unsigned char *der = len <= 0 ? NULL : arena_alloc(&p->arena, (size_t)len), *end = der;

	if (der == NULL || i2d_X509_PUBKEY(key, &end) != len)
		return false;
	p->identity.spki = slice_from((const char *)der, (size_t)len);
	return true;
}

static bool read_certificate(struct peer *p, struct slice address)
{
	struct identity *id = &p->identity;

	/* a time that cannot be read stays 0: long past */
	if (!pem_time(X509_get0_notBefore(p->leaf), &id->not_before) || !pem_time(X509_get0_notAfter(p->leaf), &id->not_after))
		id->not_after = 0;
	return X509_digest(p->leaf, EVP_sha256(), id->fingerprint, NULL) == 1 && read_uris(p) && read_subject(p) &&
	       read_key(p) && arena_dup(&p->arena, address, &id->peer);
}

/* ---- what does ---- */

static void believe(struct peer *p, const struct trust *trust)
{
	struct identity *id = &p->identity;
	struct slice domain;
	bool known;

	if (id->fault != IDENTITY_FINE && id->fault != IDENTITY_FOREIGN_DOMAIN)
		return;                          /* no trust mends a bad name */
	id->uri = SLICE("");
	id->fault = IDENTITY_BAD_NAME;
	if (!spiffe_valid(id->uris[0], &domain))
		return;
	id->fault = IDENTITY_FOREIGN_DOMAIN;
	if (!trust_believes(trust, domain, &p->chain, &known))
		return;
	id->uri = id->uris[0];
	id->fault = IDENTITY_FINE;
}

/* from the verification just done, or from the ticket, where a full handshake left it */
static void read_chain(struct peer *p, SSL *ssl)
{
	void *data = NULL;
	size_t len = 0;

	if (!SSL_session_reused(ssl)) {
		trust_chain_from(SSL_get0_verified_chain(ssl), &p->chain);
	} else if (SSL_SESSION_get0_ticket_appdata(SSL_get_session(ssl), &data, &len) == 1 && len <= sizeof(p->chain.ca)) {
		memcpy(p->chain.ca, data, len);
		p->chain.len = len / TRUST_HASH_BYTES;
	}
}

struct peer *peer_new(struct ssl_st *ssl, const struct trust *trust, struct slice address)
{
	struct peer *p = calloc(1, sizeof(*p));
	STACK_OF(X509) *sent = SSL_get_peer_cert_chain(ssl);

	if (p == NULL)
		return NULL;
	arena_init(&p->arena, PEER_MEMORY);
	p->leaf = SSL_get1_peer_certificate(ssl);
	if (sk_X509_num(sent) > 0)
		p->sent = X509_chain_up_ref(sent);
	if (p->leaf == NULL || !read_certificate(p, address))
		return peer_free(p);
	read_chain(p, ssl);
	believe(p, trust);
	return p;
}

struct peer *peer_free(struct peer *p)
{
	if (p == NULL)
		return NULL;
	X509_free(p->leaf);
	sk_X509_pop_free(p->sent, X509_free);
	arena_done(&p->arena);
	free(p);
	return NULL;
}

const struct identity *peer_identity(const struct peer *p)
{
	return &p->identity;
}

bool peer_judge(struct peer *p, const struct trust *trust)
{
	if (trust_verify(trust, p->leaf, p->sent, &p->chain) != X509_V_OK)
		return false;
	believe(p, trust);
	return true;
}
