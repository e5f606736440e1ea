/* http_client_tls.c - see http_client_tls.h. Each file is read once: the bytes that are used are those of the digest. */
#include "io/http_client_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <h2o/socket.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_MAX ((size_t)4 << 20)

struct file {
	struct slice path;
	char *bytes;
	size_t len;
};

static void file_done(struct file *f)
{
	if (f->bytes != NULL)
		OPENSSL_cleanse(f->bytes, FILE_MAX);
	free(f->bytes);
	f->bytes = NULL;
}

/* an empty path gives an empty file */
static enum err_code file_read(struct file *f, struct slice path, struct err *reterr)
{
	char name[4096];
	int fd;
	ssize_t n = 1;

	f->path = path;
	if (path.len == 0)
		return ERR_OK;
	if (path.len >= sizeof(name))
		return err_set(reterr, ERR_IO, ERR_NOWHERE, "a path is longer than %zu bytes", sizeof(name) - 1);
	memcpy(name, path.ptr, path.len);
	name[path.len] = '\0';
	f->bytes = malloc(FILE_MAX);
	if (f->bytes == NULL)
		return err_nomem(reterr);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return err_set(reterr, ERR_IO, ERR_NOWHERE, "%s: %s", name, strerror(errno));
	while (n > 0 && f->len < FILE_MAX) {
		n = read(fd, f->bytes + f->len, FILE_MAX - f->len);
		f->len += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	if (n != 0)
		return err_set(reterr, ERR_IO, ERR_NOWHERE, "%s: cannot be read, or is larger than %zu bytes", name, FILE_MAX);
	return ERR_OK;
}

static enum err_code invalid(const struct file *f, const char *what, struct err *reterr)
{
	ERR_clear_error();
	return err_set(reterr, ERR_INVALID, ERR_NOWHERE, "%.*s: %s", SLICE_ARG(f->path), what);
}

/* a key with a pass phrase is refused: nobody is there to type it */
static int no_pass_phrase(char *buf, int size, int rwflag, void *ctx)
{
	(void)buf, (void)size, (void)rwflag, (void)ctx;
	return -1;
}

static enum err_code use_ca(SSL_CTX *ctx, const struct file *f, struct err *reterr)
{
	BIO *bio;
	X509 *cert;
	size_t n = 0;

	if (f->path.len == 0)
		return SSL_CTX_set_default_verify_paths(ctx) == 1 ? ERR_OK : err_nomem(reterr);
	bio = BIO_new_mem_buf(f->bytes, (int)f->len);
	if (bio == NULL)
		return err_nomem(reterr);
	while ((cert = PEM_read_bio_X509(bio, NULL, no_pass_phrase, NULL)) != NULL) {
		n += X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), cert) == 1;
		X509_free(cert);
	}
	BIO_free(bio);
	ERR_clear_error();                   /* the end of the file is an error to this reader */
	return n > 0 ? ERR_OK : invalid(f, "holds no certificate in PEM form", reterr);
}

/* the leaf first, then what leads to its CA */
static enum err_code use_chain(SSL_CTX *ctx, const struct file *f, struct err *reterr)
{
	BIO *bio = BIO_new_mem_buf(f->bytes, (int)f->len);
	X509 *cert;
	bool fine;

	if (bio == NULL)
		return err_nomem(reterr);
	cert = PEM_read_bio_X509(bio, NULL, no_pass_phrase, NULL);
	fine = cert != NULL && SSL_CTX_use_certificate(ctx, cert) == 1;
	X509_free(cert);
	while (fine && (cert = PEM_read_bio_X509(bio, NULL, no_pass_phrase, NULL)) != NULL)
		if (SSL_CTX_add0_chain_cert(ctx, cert) != 1) {
			X509_free(cert);
			fine = false;
		}
	BIO_free(bio);
	ERR_clear_error();
	return fine ? ERR_OK : invalid(f, "holds no usable certificate in PEM form", reterr);
}

static enum err_code use_key(SSL_CTX *ctx, const struct file *f, struct err *reterr)
{
	BIO *bio = BIO_new_mem_buf(f->bytes, (int)f->len);
	EVP_PKEY *key;
	bool fine;

	if (bio == NULL)
		return err_nomem(reterr);
	key = PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, NULL);
	fine = key != NULL && SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;
	EVP_PKEY_free(key);
	BIO_free(bio);
	return fine ? ERR_OK : invalid(f, "holds no private key in PEM form, without a pass phrase, for the certificate", reterr);
}

/* chain, dates, purpose and this name, all inside the handshake */
static enum err_code check_peer(SSL_CTX *ctx, struct slice host, struct err *reterr)
{
	X509_VERIFY_PARAM *p = SSL_CTX_get0_param(ctx);
	unsigned char address[16];
	char name[256];

	if (host.len == 0 || host.len >= sizeof(name) || memchr(host.ptr, '\0', host.len) != NULL)
		return err_set(reterr, ERR_INVALID, ERR_NOWHERE, "`%.*s` is no host name", SLICE_ARG(host));
	memcpy(name, host.ptr, host.len);
	name[host.len] = '\0';
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	X509_VERIFY_PARAM_set_hostflags(p, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);

	bool is_address = inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
	int set = is_address ? X509_VERIFY_PARAM_set1_ip_asc(p, name) : X509_VERIFY_PARAM_set1_host(p, name, host.len);

	return set == 1 ? ERR_OK : err_nomem(reterr);
}

/* under every TLS object of libh2o lies a BIO whose data is the socket */
static void on_info(const SSL *ssl, int where, int ret)
{
	const h2o_socket_t *sock = BIO_get_data(SSL_get_rbio(ssl));
	struct http_client_tls_peer *peer = sock->data;

	if ((where & SSL_CB_HANDSHAKE_DONE) != 0)
		peer->ssl = (SSL *)ssl;
	if ((where & SSL_CB_READ_ALERT) != SSL_CB_READ_ALERT)
		return;
	if ((ret & 0xff) == SSL_AD_CLOSE_NOTIFY)
		peer->ended = true;
	else if (ret >> 8 == SSL3_AL_FATAL)
		snprintf(peer->alert, sizeof(peer->alert), "the server gave up: TLS alert %d, %s", ret & 0xff,
		         SSL_alert_desc_string_long(ret));
}

static enum err_code set_protocol(SSL_CTX *ctx, struct err *reterr)
{
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_info_callback(ctx, on_info);
	SSL_CTX_set_quiet_shutdown(ctx, 1);  /* so that closing never waits for a peer */
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1)
		return err_nomem(reterr);
	return ERR_OK;
}

static enum err_code digest_files(const struct file *files, size_t len, uint8_t digest[32], struct err *reterr)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool fine = md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1;

	for (size_t i = 0; fine && i < len; i++) {
		uint64_t n = files[i].len;

		fine = EVP_DigestUpdate(md, &n, sizeof(n)) == 1 && EVP_DigestUpdate(md, files[i].bytes, files[i].len) == 1;
	}
	fine = fine && EVP_DigestFinal_ex(md, digest, NULL) == 1;
	EVP_MD_CTX_free(md);
	return fine ? ERR_OK : err_nomem(reterr);
}

enum err_code http_client_tls_new(const struct backend *b, struct slice host, struct ssl_ctx_st **ret, uint8_t digest[32],
                                  struct err *reterr)
{
	struct file files[3] = { 0 };    /* CA, certificate, key */
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	enum err_code rc = ctx == NULL ? err_nomem(reterr) : set_protocol(ctx, reterr);

	if (rc == ERR_OK && (b->cert_file.len > 0) != (b->key_file.len > 0))
		rc = err_set(reterr, ERR_INVALID, ERR_NOWHERE, "backend %.*s: a certificate and a private key need each other",
		             SLICE_ARG(b->name));
	if (rc == ERR_OK)
		rc = file_read(&files[0], b->ca_file, reterr);
	if (rc == ERR_OK)
		rc = file_read(&files[1], b->cert_file, reterr);
	if (rc == ERR_OK)
		rc = file_read(&files[2], b->key_file, reterr);
	if (rc == ERR_OK)
		rc = use_ca(ctx, &files[0], reterr);
	if (rc == ERR_OK && b->cert_file.len > 0)
		rc = use_chain(ctx, &files[1], reterr);
	if (rc == ERR_OK && b->cert_file.len > 0)
		rc = use_key(ctx, &files[2], reterr);
	if (rc == ERR_OK)
		rc = check_peer(ctx, host, reterr);
	if (rc == ERR_OK)
		rc = digest_files(files, 3, digest, reterr);
	for (size_t i = 0; i < 3; i++)
		file_done(&files[i]);
	if (rc == ERR_OK)
		*ret = ctx;
	else
		SSL_CTX_free(ctx);
	return rc;
}

void http_client_tls_free(void *ctx)
{
	SSL_CTX_free(ctx);
}

bool http_client_tls_verified(const struct http_client_tls_peer *peer)
{
	return peer->ssl != NULL && SSL_get_verify_mode(peer->ssl) == SSL_VERIFY_PEER &&
	       SSL_get0_peer_certificate(peer->ssl) != NULL && SSL_get_verify_result(peer->ssl) == X509_V_OK;
}
