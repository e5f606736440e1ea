/* tls_trust.c - see tls_trust.h. */
#include "server/tls_trust.h"

#include <openssl/evp.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <stdatomic.h>
#include <stdlib.h>

struct domain {
	char *name;
	size_t name_len;
	uint8_t (*ca)[TRUST_HASH_BYTES];
	size_t ca_len;
};

struct trust_domains {
	struct domain *list;
	size_t len;
	uint8_t hash[TRUST_HASH_BYTES];  /* over names and bundles */
	_Atomic size_t refs;             /* relaxed add; acquire and release on drop */
};

struct trust {
	struct trust_domains *domains;
	X509_STORE *store;
	STACK_OF(X509) *cas;
	uint8_t hash[TRUST_HASH_BYTES];
	bool has_crl;
	int64_t crl_until_s;             /* earliest next update */
	_Atomic size_t refs;             /* as above */
};

static bool fingerprint(const X509 *cert, uint8_t ret[TRUST_HASH_BYTES])
{
	return X509_digest(cert, EVP_sha256(), ret, NULL) == 1;
}

/* every part with its length in front, so that no two lists of parts hash alike */
static bool hash_part(EVP_MD_CTX *md, struct slice part)
{
	uint64_t len = part.len;

	return EVP_DigestUpdate(md, &len, sizeof(len)) == 1 && EVP_DigestUpdate(md, part.ptr, part.len) == 1;
}

/* a digest with its name in front, or NULL */
static EVP_MD_CTX *hash_begin(struct slice name)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	if (md != NULL && (EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1 || !hash_part(md, name))) {
		EVP_MD_CTX_free(md);
		md = NULL;
	}
	return md;
}

/* ---- trust domains ---- */

static bool fill_domain(struct domain *d, struct slice name, const STACK_OF(X509) *cas)
{
	int n = sk_X509_num(cas);

	d->name = malloc(name.len + 1);
	d->ca = calloc((size_t)n, sizeof(*d->ca));
	if (d->name == NULL || d->ca == NULL)
		return false;
	for (int i = 0; i < n; i++)
		if (!fingerprint(sk_X509_value(cas, i), d->ca[i]))
			return false;
	memcpy(d->name, name.ptr, name.len);
	d->name_len = name.len;
	d->ca_len = (size_t)n;
	return true;
}

static void load_domain(struct tls_log *log, const struct trust_domain *from, struct domain *d, EVP_MD_CTX *md)
{
	struct pem_file f;

	if (!pem_file_load(log, from->ca_file, &f))
		return;

	STACK_OF(X509) *cas = pem_certificates(log, &f);

	if (cas != NULL && (!fill_domain(d, from->name, cas) || !hash_part(md, from->name) ||
	                    !hash_part(md, slice_from(f.bytes, f.len))))
		tls_say(log, TLS_ERROR, f.path, "not enough memory for its certificates");
	sk_X509_pop_free(cas, X509_free);
	pem_file_done(&f);
}

struct trust_domains *trust_domains_load(struct tls_log *log, const struct trust_domain *domains, size_t len)
{
	struct trust_domains *d = calloc(1, sizeof(*d));
	EVP_MD_CTX *md = hash_begin(SLICE("trust domains"));

	if (d != NULL) {
		d->refs = 1;
		d->list = calloc(len + 1, sizeof(*d->list));
	}
	if (d == NULL || d->list == NULL || md == NULL) {
		tls_say(log, TLS_ERROR, SLICE(""), "not enough memory for the trust domains");
		d = trust_domains_unref(d);
	} else {
		for (d->len = 0; d->len < len; d->len++)
			load_domain(log, &domains[d->len], &d->list[d->len], md);
		if (EVP_DigestFinal_ex(md, d->hash, NULL) != 1)
			tls_say(log, TLS_ERROR, SLICE(""), "the trust domains cannot be hashed");
	}
	EVP_MD_CTX_free(md);
	return d;
}

struct trust_domains *trust_domains_ref(struct trust_domains *d)
{
	atomic_fetch_add_explicit(&d->refs, 1, memory_order_relaxed);
	return d;
}

struct trust_domains *trust_domains_unref(struct trust_domains *d)
{
	if (d == NULL || atomic_fetch_sub_explicit(&d->refs, 1, memory_order_acq_rel) != 1)
		return NULL;
	for (size_t i = 0; i < d->len; i++) {
		free(d->list[i].name);
		free(d->list[i].ca);
	}
	free(d->list);
	free(d);
	return NULL;
}

/* ---- CAs and revocation lists of a block ---- */

static void add_cas(struct tls_log *log, const struct pem_file *f, struct trust *t)
{
	t->cas = pem_certificates(log, f);
	for (int i = 0; i < sk_X509_num(t->cas); i++) {
		X509 *ca = sk_X509_value(t->cas, i);

		if (X509_check_ca(ca) == 0)
			tls_say(log, TLS_ERROR, f->path, "certificate %d in it is no CA", i + 1);
		else if (X509_STORE_add_cert(t->store, ca) != 1)
			tls_say(log, TLS_ERROR, f->path, "certificate %d in it cannot be used", i + 1);
	}
}

static bool signed_by_any(X509_CRL *crl, const STACK_OF(X509) *cas)
{
	for (int i = 0; i < sk_X509_num(cas); i++) {
		X509 *ca = sk_X509_value(cas, i);

		if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(ca)) == 0 &&
		    X509_CRL_verify(crl, X509_get0_pubkey(ca)) == 1)
			return true;
	}
	return false;
}

static void add_crl(struct tls_log *log, const struct pem_file *f, struct trust *t, X509_CRL *crl, int number)
{
	int64_t until;

	if (!signed_by_any(crl, t->cas)) {
		tls_say(log, TLS_ERROR, f->path, "revocation list %d in it is signed by no CA of client_ca", number);
	} else if (!pem_time(X509_CRL_get0_nextUpdate(crl), &until)) {
		tls_say(log, TLS_ERROR, f->path, "revocation list %d in it does not say when the next one is due", number);
	} else if (X509_STORE_add_crl(t->store, crl) != 1) {
		tls_say(log, TLS_ERROR, f->path, "revocation list %d in it cannot be used", number);
	} else if (until < t->crl_until_s) {
		t->crl_until_s = until;
	}
}

static void add_crls(struct tls_log *log, const struct pem_file *f, struct trust *t)
{
	STACK_OF(X509_CRL) *crls = pem_crls(log, f);

	for (int i = 0; i < sk_X509_CRL_num(crls); i++)
		add_crl(log, f, t, sk_X509_CRL_value(crls, i), i + 1);
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	t->has_crl = true;
	if (X509_STORE_set_flags(t->store, X509_V_FLAG_CRL_CHECK) != 1)
		tls_say(log, TLS_ERROR, f->path, "revocation cannot be checked");
}

static void load_file(struct tls_log *log, struct slice path, struct trust *t, EVP_MD_CTX *md,
                      void (*use)(struct tls_log *, const struct pem_file *, struct trust *))
{
	struct pem_file f;

	if (!pem_file_load(log, path, &f))
		return;
	use(log, &f, t);
	if (!hash_part(md, slice_from(f.bytes, f.len)))
		tls_say(log, TLS_ERROR, path, "cannot be hashed");
	pem_file_done(&f);
}

struct trust *trust_load(struct tls_log *log, const struct tls_settings *block, struct trust_domains *domains)
{
	struct trust *t = calloc(1, sizeof(*t));
	EVP_MD_CTX *md = hash_begin(SLICE("trust"));
	size_t before = log->errors;

	if (t != NULL) {
		t->refs = 1;
		t->domains = trust_domains_ref(domains);
		t->crl_until_s = INT64_MAX;
		t->store = X509_STORE_new();
	}
	if (t == NULL || t->store == NULL || md == NULL ||
	    !hash_part(md, slice_from((const char *)domains->hash, sizeof(domains->hash)))) {
		tls_say(log, TLS_ERROR, SLICE(""), "not enough memory");
	} else {
		load_file(log, block->client_ca, t, md, add_cas);
		if (block->crl.len > 0)
			load_file(log, block->crl, t, md, add_crls);
		if (EVP_DigestFinal_ex(md, t->hash, NULL) != 1)
			tls_say(log, TLS_ERROR, SLICE(""), "its files cannot be hashed");
	}
	EVP_MD_CTX_free(md);
	return log->errors == before ? t : trust_unref(t);
}

struct trust *trust_ref(struct trust *t)
{
	atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
	return t;
}

struct trust *trust_unref(struct trust *t)
{
	if (t == NULL || atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) != 1)
		return NULL;
	trust_domains_unref(t->domains);
	sk_X509_pop_free(t->cas, X509_free);
	X509_STORE_free(t->store);
	free(t);
	return NULL;
}

X509_STORE *trust_store(const struct trust *t)
{
	return t->store;
}

const STACK_OF(X509) *trust_cas(const struct trust *t)
{
	return t->cas;
}

const uint8_t *trust_hash(const struct trust *t)
{
	return t->hash;
}

/* ---- judging ---- */

bool trust_crl_current(const struct trust *t, int64_t now_s)
{
	return !t->has_crl || now_s < t->crl_until_s;
}

int trust_check_leaf(X509 *leaf)
{
	uint32_t flags = X509_get_extension_flags(leaf);

	if ((flags & EXFLAG_INVALID) != 0)
		return X509_V_ERR_INVALID_EXTENSION;
	/* a CA could make itself any name it likes */
	return (flags & EXFLAG_CA) != 0 ? X509_V_ERR_INVALID_CA : X509_V_OK;
}

void trust_chain_from(const STACK_OF(X509) *chain, struct trust_chain *ret)
{
	ret->len = 0;
	for (int i = 1; i < sk_X509_num(chain) && ret->len < TRUST_CHAIN_MAX; i++)
		if (fingerprint(sk_X509_value(chain, i), ret->ca[ret->len]))
			ret->len++;
}

int trust_verify(const struct trust *t, X509 *leaf, STACK_OF(X509) *untrusted, struct trust_chain *chain)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int rc = X509_V_ERR_OUT_OF_MEM;

	chain->len = 0;
	if (ctx == NULL || X509_STORE_CTX_init(ctx, t->store, leaf, untrusted) != 1 ||
	    X509_STORE_CTX_set_default(ctx, "ssl_client") != 1)
		goto done;
	X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(ctx), TRUST_SECURITY_LEVEL);
	X509_VERIFY_PARAM_set_depth(X509_STORE_CTX_get0_param(ctx), TRUST_DEPTH_MAX);
	if (X509_verify_cert(ctx) == 1) {
		rc = trust_check_leaf(leaf);
		trust_chain_from(X509_STORE_CTX_get0_chain(ctx), chain);
	} else {
		rc = X509_STORE_CTX_get_error(ctx);
		if (rc == X509_V_OK)             /* it failed before it could judge */
			rc = X509_V_ERR_UNSPECIFIED;
	}
done:
	X509_STORE_CTX_free(ctx);
	return rc;
}

bool trust_believes(const struct trust *t, struct slice domain, const struct trust_chain *chain, bool *known)
{
	*known = false;
	for (size_t i = 0; i < t->domains->len; i++) {
		const struct domain *d = &t->domains->list[i];

		if (!slice_eq(slice_from(d->name, d->name_len), domain))
			continue;
		*known = true;
		for (size_t c = 0; c < chain->len; c++)
			for (size_t k = 0; k < d->ca_len; k++)
				if (memcmp(chain->ca[c], d->ca[k], TRUST_HASH_BYTES) == 0)
					return true;
	}
	return false;
}

enum tls_result trust_result(int x509_error)
{
	switch (x509_error) {
	case X509_V_OK: return TLS_OK;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID: return TLS_EXPIRED;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_UNTRUSTED: return TLS_UNKNOWN_CA;
	case X509_V_ERR_CERT_REVOKED:
	case X509_V_ERR_UNABLE_TO_GET_CRL:
	case X509_V_ERR_CRL_HAS_EXPIRED:
	case X509_V_ERR_CRL_NOT_YET_VALID:
	case X509_V_ERR_CRL_SIGNATURE_FAILURE:
	case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE: return TLS_REVOKED;
	default: return TLS_BAD_CERTIFICATE;
	}
}
