/* tls_pem.h - certificates, keys and revocation lists out of PEM files, with problems told to the operator.
 *
 * Ownership: the caller frees what is returned with the function of its library.
 * Errors:    every problem goes to the log given; the functions then return NULL or false.
 */
#ifndef WEIR_SERVER_TLS_PEM_H
#define WEIR_SERVER_TLS_PEM_H

#include "server/tls.h"

#include <openssl/x509.h>

#define PEM_BYTES_MAX ((size_t)4 * 1024 * 1024)

/* where problems of one tls block go; errors counts them */
struct tls_log {
	tls_report_fn *report;
	void *ctx;
	struct slice block;              /* its key in the config file; empty outside of one */
	size_t errors;
};

/* "tls.BLOCK: FILE: what is wrong"; file may be empty */
void tls_say(struct tls_log *log, enum tls_problem kind, struct slice file, const char *fmt, ...) PRINTF_LIKE(4, 5);

struct pem_file {
	struct slice path;
	char *bytes;
	size_t len;
	unsigned mode;                   /* st_mode */
};

bool pem_file_load(struct tls_log *log, struct slice path, struct pem_file *ret);
/* wipes the bytes; fine on a zeroed struct */
void pem_file_done(struct pem_file *f);

/* one or more */
STACK_OF(X509) *pem_certificates(struct tls_log *log, const struct pem_file *f);
STACK_OF(X509_CRL) *pem_crls(struct tls_log *log, const struct pem_file *f);
EVP_PKEY *pem_key(struct tls_log *log, const struct pem_file *f);

/* seconds since 1970; false when the time is malformed */
bool pem_time(const ASN1_TIME *t, int64_t *ret);

#endif
