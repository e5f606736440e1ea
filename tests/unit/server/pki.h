/* pki.h - certificates made on the spot, written as files, and TLS handshakes in memory: for the tests of this folder.
 * Everything aborts the test when it fails.
 */
#ifndef WEIR_TESTS_SERVER_PKI_H
#define WEIR_TESTS_SERVER_PKI_H

#include "base/arena.h"
#include "core/snapshot.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct pki_cert {
	X509 *cert;
	EVP_PKEY *key;
};

struct pki_spec {
	const char *name;                /* common name */
	const char *san;                 /* as in openssl.cnf: "URI:spiffe://..,DNS:.."; NULL = none */
	const char *usage;               /* extended key usage; NULL = none */
	bool ca;
	const char *constraints;         /* in place of the basic constraints that ca gives */
	const char *name_constraints;
	int rsa_bits;                    /* 0 = EC P-256 */
	bool sha1;
	long from_s, until_s;            /* from now; 0, 0 = a minute ago, in an hour */
};

static inline void pki_extension(X509 *cert, X509 *issuer, int nid, const char *text)
{
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);

	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, text);

	assert_non_null(e);
	assert_int_equal(X509_add_ext(cert, e, -1), 1);
	X509_EXTENSION_free(e);
}

static inline struct pki_cert pki_make(const struct pki_spec *spec, const struct pki_cert *issuer)
{
	static long serial = 1000;
	struct pki_cert c = { .cert = X509_new() };
	X509_NAME *name = X509_get_subject_name(c.cert);
	bool times = spec->from_s != 0 || spec->until_s != 0;

	c.key = spec->rsa_bits > 0 ? EVP_RSA_gen((unsigned)spec->rsa_bits) : EVP_EC_gen("P-256");
	assert_non_null(c.key);
	X509_set_version(c.cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(c.cert), serial++);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)spec->name, -1, -1, 0);
	X509_gmtime_adj(X509_getm_notBefore(c.cert), times ? spec->from_s : -60);
	X509_gmtime_adj(X509_getm_notAfter(c.cert), times ? spec->until_s : 3600);
	X509_set_pubkey(c.cert, c.key);

	X509 *by = issuer == NULL ? c.cert : issuer->cert;

	X509_set_issuer_name(c.cert, X509_get_subject_name(by));
	pki_extension(c.cert, by, NID_subject_key_identifier, "hash");
	pki_extension(c.cert, by, NID_basic_constraints,
	              spec->constraints != NULL ? spec->constraints : spec->ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	pki_extension(c.cert, by, NID_key_usage, spec->ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
	if (spec->san != NULL)
		pki_extension(c.cert, by, NID_subject_alt_name, spec->san);
	if (spec->usage != NULL)
		pki_extension(c.cert, by, NID_ext_key_usage, spec->usage);
	if (spec->name_constraints != NULL)
		pki_extension(c.cert, by, NID_name_constraints, spec->name_constraints);
	assert_true(X509_sign(c.cert, issuer == NULL ? c.key : issuer->key, spec->sha1 ? EVP_sha1() : EVP_sha256()) > 0);
	return c;
}

static inline void pki_free(struct pki_cert *c)
{
	X509_free(c->cert);
	EVP_PKEY_free(c->key);
	*c = (struct pki_cert){ NULL, NULL };
}

/* revokes one certificate, or none; due in until_s seconds */
static inline X509_CRL *pki_crl(const struct pki_cert *ca, const X509 *revoked, long until_s)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *t = ASN1_TIME_new();

	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->cert));
	X509_gmtime_adj(t, -7200);
	X509_CRL_set1_lastUpdate(crl, t);
	if (revoked != NULL) {
		X509_REVOKED *r = X509_REVOKED_new();

		X509_REVOKED_set_serialNumber(r, (ASN1_INTEGER *)(uintptr_t)X509_get0_serialNumber(revoked));
		X509_REVOKED_set_revocationDate(r, t);
		X509_CRL_add0_revoked(crl, r);
	}
	X509_gmtime_adj(t, until_s);
	X509_CRL_set1_nextUpdate(crl, t);
	ASN1_TIME_free(t);
	assert_true(X509_CRL_sign(crl, ca->key, EVP_sha256()) > 0);
	return crl;
}

/* ---- files in a folder of their own ---- */

struct pki_folder {
	char path[64];
	struct arena arena;              /* of the names */
};

static inline void pki_folder_make(struct pki_folder *f)
{
	snprintf(f->path, sizeof(f->path), "/tmp/weir-pki-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	arena_init(&f->arena, 1 << 20);
}

static inline void pki_folder_remove(struct pki_folder *f)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -r '%s'", f->path);
	assert_int_equal(system(command), 0);
	arena_done(&f->arena);
}

static inline struct slice pki_path(struct pki_folder *f, const char *name)
{
	char text[128];
	struct slice path;

	snprintf(text, sizeof(text), "%s/%s", f->path, name);
	assert_true(arena_dup(&f->arena, slice_cstr(text), &path));
	return path;
}

static inline struct slice pki_write_text(struct pki_folder *f, const char *name, const char *text)
{
	struct slice path = pki_path(f, name);
	FILE *out = fopen(path.ptr, "w");

	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(fclose(out), 0);
	return path;
}

/* as many certificates as are given, up to a NULL */
static inline struct slice pki_write_certs(struct pki_folder *f, const char *name, X509 *first, ...)
{
	struct slice path = pki_path(f, name);
	FILE *out = fopen(path.ptr, "w");
	va_list ap;

	assert_non_null(out);
	va_start(ap, first);
	for (X509 *c = first; c != NULL; c = va_arg(ap, X509 *))
		assert_int_equal(PEM_write_X509(out, c), 1);
	va_end(ap);
	assert_int_equal(fclose(out), 0);
	return path;
}

static inline struct slice pki_write_key(struct pki_folder *f, const char *name, EVP_PKEY *key)
{
	struct slice path = pki_path(f, name);
	FILE *out = fopen(path.ptr, "w");

	assert_non_null(out);
	assert_int_equal(PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path.ptr, 0600), 0);
	return path;
}

/* takes the list */
static inline struct slice pki_write_crl(struct pki_folder *f, const char *name, X509_CRL *crl)
{
	struct slice path = pki_path(f, name);
	FILE *out = fopen(path.ptr, "w");

	assert_non_null(out);
	assert_int_equal(PEM_write_X509_CRL(out, crl), 1);
	assert_int_equal(fclose(out), 0);
	X509_CRL_free(crl);
	return path;
}

/* ---- handshakes in memory ---- */

struct pki_client {
	SSL_CTX *ctx;
	SSL_SESSION *session;            /* the newest ticket */
};

static inline int pki_on_session(SSL *ssl, SSL_SESSION *session)
{
	struct pki_client *c = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	SSL_SESSION_free(c->session);
	c->session = session;
	return 1;
}

/* who may be NULL: no client certificate. chain: sent along, may be NULL. */
static inline void pki_client_init(struct pki_client *c, const struct pki_cert *who, X509 *chain)
{
	*c = (struct pki_client){ .ctx = SSL_CTX_new(TLS_client_method()) };
	SSL_CTX_set_security_level(c->ctx, 0);
	SSL_CTX_set_app_data(c->ctx, c);
	SSL_CTX_set_session_cache_mode(c->ctx, SSL_SESS_CACHE_CLIENT);
	SSL_CTX_sess_set_new_cb(c->ctx, pki_on_session);
	if (who != NULL) {
		assert_int_equal(SSL_CTX_use_certificate(c->ctx, who->cert), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(c->ctx, who->key), 1);
	}
	if (chain != NULL)
		assert_int_equal(SSL_CTX_add1_chain_cert(c->ctx, chain), 1);
}

static inline void pki_client_done(struct pki_client *c)
{
	SSL_SESSION_free(c->session);
	SSL_CTX_free(c->ctx);
}

struct pki_pair {
	SSL *client, *server;
	bool ok;                         /* the handshake succeeded at both ends */
};

/* runs a handshake, with the client's newest ticket when it has one, and lets the tickets come over */
static inline struct pki_pair pki_handshake(struct pki_client *c, SSL_CTX *server, void *server_data)
{
	struct pki_pair p = { .client = SSL_new(c->ctx), .server = SSL_new(server) };
	BIO *up = BIO_new(BIO_s_mem()), *down = BIO_new(BIO_s_mem());
	char byte;

	BIO_up_ref(up);
	BIO_up_ref(down);
	SSL_set_bio(p.client, down, up);
	SSL_set_bio(p.server, up, down);
	SSL_set_app_data(p.server, server_data);
	if (c->session != NULL)
		SSL_set_session(p.client, c->session);
	for (int i = 0; i < 20 && !p.ok; i++) {
		int a = SSL_connect(p.client), b = SSL_accept(p.server);

		p.ok = a == 1 && b == 1;
	}
	SSL_read(p.client, &byte, 1);        /* takes in the tickets */
	if (p.ok && SSL_version(p.client) == TLS1_2_VERSION) {
		SSL_SESSION_free(c->session);    /* a ticket that is renewed on resumption does not come through the callback */
		c->session = SSL_get1_session(p.client);
	}
	return p;
}

static inline void pki_pair_free(struct pki_pair *p)
{
	/* as a connection that ends well, or else the client would throw its session away */
	SSL_set_shutdown(p->client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_set_shutdown(p->server, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(p->client);
	SSL_free(p->server);
}

#endif
