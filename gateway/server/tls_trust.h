/* tls_trust.h - who is believed on a listener: the CAs and revocation lists that verify a client certificate, and for each
 * trust domain the CAs under which its names are believed.
 *
 * A name is believed when a CA of the chain that verified the certificate stands in the bundle of the name's own domain; so
 * the CA of one domain cannot issue names of another.
 *
 * Ownership: counted.
 * Threads:   const once loaded.
 */
#ifndef WEIR_SERVER_TLS_TRUST_H
#define WEIR_SERVER_TLS_TRUST_H

#include "server/tls_pem.h"

#define TRUST_SECURITY_LEVEL 2        /* OpenSSL's: RSA of 2,048 bits, no SHA-1 */
#define TRUST_DEPTH_MAX 3            /* intermediate CAs in a chain */
#define TRUST_CHAIN_MAX (TRUST_DEPTH_MAX + 1)
#define TRUST_HASH_BYTES 32          /* SHA-256 */

/* the CAs that verified a certificate, nearest first */
struct trust_chain {
	uint8_t ca[TRUST_CHAIN_MAX][TRUST_HASH_BYTES];
	size_t len;
};

struct trust_domains; /* every domain of a snapshot with its CAs */

/* Also returned when some could not be loaded, so that the problems of the blocks are found too; NULL without memory. */
struct trust_domains *trust_domains_load(struct tls_log *log, const struct trust_domain *domains, size_t len);
struct trust_domains *trust_domains_ref(struct trust_domains *d);
/* takes NULL, returns NULL */
struct trust_domains *trust_domains_unref(struct trust_domains *d);

/* NULL after a report; takes a reference to domains */
struct trust *trust_load(struct tls_log *log, const struct tls_settings *block, struct trust_domains *domains);
struct trust *trust_ref(struct trust *t);
/* takes NULL, returns NULL */
struct trust *trust_unref(struct trust *t);

X509_STORE *trust_store(const struct trust *t);
/* every CA of the block's bundle */
const STACK_OF(X509) *trust_cas(const struct trust *t);
/* over CA bundle, revocation lists and trust domains: equal hashes judge alike */
const uint8_t *trust_hash(const struct trust *t);
/* false when a revocation list is needed and one of those loaded is past its next update */
bool trust_crl_current(const struct trust *t, int64_t now_s);

/* The rules that OpenSSL does not know, for a certificate it has verified; X509_V_OK or an X509_V_ERR number. */
int trust_check_leaf(X509 *leaf);
/* a certificate that was verified before, once more and from the start; untrusted may be NULL. Also fills *chain. */
int trust_verify(const struct trust *t, X509 *leaf, STACK_OF(X509) *untrusted, struct trust_chain *chain);
/* chain: as OpenSSL returns it, leaf first */
void trust_chain_from(const STACK_OF(X509) *chain, struct trust_chain *ret);
/* *known: the domain is configured at all */
bool trust_believes(const struct trust *t, struct slice domain, const struct trust_chain *chain, bool *known);
/* what a verification error means to the operator */
enum tls_result trust_result(int x509_error);

#endif
