/* tls_pem.c - see tls_pem.h. */
#include "server/tls_pem.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void tls_say(struct tls_log *log, enum tls_problem kind, struct slice file, const char *fmt, ...)
{
	char what[512], text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(text, sizeof(text), "%s%.*s%s%.*s%s%s", log->block.len > 0 ? "tls." : "", SLICE_ARG(log->block),
	         log->block.len > 0 ? ": " : "", SLICE_ARG(file), file.len > 0 ? ": " : "", what);
	if (kind == TLS_ERROR)
		log->errors++;
	log->report(log->ctx, kind, text);
}

static bool read_all(struct tls_log *log, int fd, struct pem_file *f)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		tls_say(log, TLS_ERROR, f->path, "is no regular file");
		return false;
	}
	if (st.st_size < 0 || (size_t)st.st_size > PEM_BYTES_MAX) {
		tls_say(log, TLS_ERROR, f->path, "is larger than 4 MiB");
		return false;
	}
	f->mode = st.st_mode;
	f->bytes = malloc((size_t)st.st_size + 1);
	if (f->bytes == NULL) {
		tls_say(log, TLS_ERROR, f->path, "not enough memory to read it");
		return false;
	}
	while (f->len < (size_t)st.st_size) {
		ssize_t n = read(fd, f->bytes + f->len, (size_t)st.st_size - f->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			tls_say(log, TLS_ERROR, f->path, "cannot be read: %s", n < 0 ? strerror(errno) : "it became shorter");
			return false;
		}
		f->len += (size_t)n;
	}
	return true;
}

bool pem_file_load(struct tls_log *log, struct slice path, struct pem_file *ret)
{
	char name[PATH_MAX];
	int fd = -1;

	*ret = (struct pem_file){ .path = path };
	if (path.len < sizeof(name)) {
		memcpy(name, path.ptr, path.len);
		name[path.len] = '\0';
		fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	} else {
		errno = ENAMETOOLONG;
	}
	if (fd == -1) {
		tls_say(log, TLS_ERROR, path, "cannot be opened: %s", strerror(errno));
		return false;
	}

	bool ok = read_all(log, fd, ret);

	close(fd);
	if (!ok)
		pem_file_done(ret);
	return ok;
}

void pem_file_done(struct pem_file *f)
{
	if (f->bytes != NULL)
		OPENSSL_cleanse(f->bytes, f->len);
	free(f->bytes);
	f->bytes = NULL;
	f->len = 0;
}

/* true when a PEM reader stopped because there was nothing more, and not because something was broken */
static bool ended_well(void)
{
	unsigned long e = ERR_peek_last_error();
	bool ok = e == 0 || (ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE);

	ERR_clear_error();
	return ok;
}

STACK_OF(X509) *pem_certificates(struct tls_log *log, const struct pem_file *f)
{
	BIO *in = BIO_new_mem_buf(f->bytes, (int)f->len);
	STACK_OF(X509) *all = sk_X509_new_null();
	X509 *one = NULL;

	ERR_clear_error();
	while (in != NULL && all != NULL && (one = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL) {
		if (sk_X509_push(all, one) == 0) {
			X509_free(one);
			break;
		}
	}
	BIO_free(in);
	if (!ended_well())
		tls_say(log, TLS_ERROR, f->path, "certificate %d in it is broken", sk_X509_num(all) + 1);
	else if (in == NULL || all == NULL || one != NULL)
		tls_say(log, TLS_ERROR, f->path, "not enough memory for its certificates");
	else if (sk_X509_num(all) == 0)
		tls_say(log, TLS_ERROR, f->path, "holds no certificate");
	else
		return all;
	sk_X509_pop_free(all, X509_free);
	return NULL;
}

STACK_OF(X509_CRL) *pem_crls(struct tls_log *log, const struct pem_file *f)
{
	BIO *in = BIO_new_mem_buf(f->bytes, (int)f->len);
	STACK_OF(X509_CRL) *all = sk_X509_CRL_new_null();
	X509_CRL *one = NULL;

	ERR_clear_error();
	while (in != NULL && all != NULL && (one = PEM_read_bio_X509_CRL(in, NULL, NULL, NULL)) != NULL) {
		if (sk_X509_CRL_push(all, one) == 0) {
			X509_CRL_free(one);
			break;
		}
	}
	BIO_free(in);
	if (!ended_well())
		tls_say(log, TLS_ERROR, f->path, "revocation list %d in it is broken", sk_X509_CRL_num(all) + 1);
	else if (in == NULL || all == NULL || one != NULL)
		tls_say(log, TLS_ERROR, f->path, "not enough memory for its revocation lists");
	else if (sk_X509_CRL_num(all) == 0)
		tls_say(log, TLS_ERROR, f->path, "holds no revocation list");
	else
		return all;
	sk_X509_CRL_pop_free(all, X509_CRL_free);
	return NULL;
}

/* OpenSSL would ask on the terminal otherwise */
static int no_password(char *buf, int size, int rwflag, void *ctx)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)ctx;
	return -1;
}

EVP_PKEY *pem_key(struct tls_log *log, const struct pem_file *f)
{
	BIO *in = BIO_new_mem_buf(f->bytes, (int)f->len);
	EVP_PKEY *key = in == NULL ? NULL : PEM_read_bio_PrivateKey(in, NULL, no_password, NULL);

	BIO_free(in);
	ERR_clear_error();
	if (key == NULL)
		tls_say(log, TLS_ERROR, f->path, "holds no private key that can be read without a password");
	return key;
}

bool pem_time(const ASN1_TIME *t, int64_t *ret)
{
	struct tm tm;

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*ret = timegm(&tm);
	return true;
}
