/* TLS to a backend: whom the client believes, what it shows, and what it makes of an end. */
#include "io/world.h"
#include "server/pki.h"

#include <openssl/err.h>

struct fixture {
	struct pki_folder folder;
	struct pki_cert ca, other_ca;
	struct slice ca_file;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	pki_folder_make(&f->folder);
	f->ca = pki_make(&(struct pki_spec){ .name = "backends", .ca = true }, NULL);
	f->other_ca = pki_make(&(struct pki_spec){ .name = "others", .ca = true }, NULL);
	f->ca_file = pki_write_certs(&f->folder, "ca.pem", f->ca.cert, NULL);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	pki_free(&f->ca);
	pki_free(&f->other_ca);
	pki_folder_remove(&f->folder);
	free(f);
	return 0;
}

/* ---- the backend's side ---- */

static SSL_CTX *backend_context(const struct pki_cert *cert, int version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	SSL_CTX_set_security_level(ctx, 0);
	assert_int_equal(SSL_CTX_set_min_proto_version(ctx, version == 0 ? TLS1_VERSION : version), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(ctx, version), 1);
	assert_int_equal(SSL_CTX_use_certificate(ctx, cert->cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, cert->key), 1);
	return ctx;
}

struct tls_peer {
	int fd;
	SSL *ssl;
};

/* Accepts, and shakes hands until both are content, or s is over. */
static struct tls_peer tls_accept(struct world *w, SSL_CTX *ctx, const struct seen *s)
{
	struct tls_peer p = { .fd = peer_accept(w), .ssl = SSL_new(ctx) };
	int done = 0;

	SSL_set_fd(p.ssl, p.fd);
	RUN_UNTIL(w, (done == 1 || (done = SSL_accept(p.ssl)) == 1) || OVER(*s));
	ERR_clear_error();
	return p;
}

static void tls_request(struct world *w, struct tls_peer *p)
{
	char buf[sizeof(REQUEST)] = "";
	int n = 0;

	h2o_evloop_run(w->loop, 0);
	RUN_UNTIL(w, (n = SSL_read(p->ssl, buf, sizeof(buf) - 1)) > 0);
	assert_int_equal(n, sizeof(REQUEST) - 1);
	assert_string_equal(buf, REQUEST);
}

static void tls_send(struct tls_peer *p, const char *text)
{
	assert_int_equal(SSL_write(p->ssl, text, (int)strlen(text)), strlen(text));
}

static void tls_close(struct tls_peer *p)
{
	SSL_free(p->ssl);
	close(p->fd);
}

static void open_tls_world(struct world *w, const struct fixture *f, const char *host)
{
	world_prepare(w);
	w->backend.tls = true;
	w->backend.host = slice_cstr(host);
	w->backend.ca_file = f->ca_file;
	world_open(w);
}

/* ---- whom the client believes ---- */

enum issuer { OURS, OTHERS, SELF };

static const struct {
	const char *name, *host, *common_name, *san;
	enum issuer issuer;
	long from_s, until_s;
	const char *usage;
	int version;           /* 0 = each of 1.2 and 1.3 */
	const char *detail;    /* NULL: it is believed */
} peers[] = {
	{ "its name", "localhost", "b", "DNS:other.example,DNS:localhost", OURS, 0, 0, NULL, 0, NULL },
	{ "its address", "127.0.0.1", "b", "IP:127.0.0.1", OURS, 0, 0, "serverAuth", 0, NULL },
	{ "another name", "localhost", "b", "DNS:other.example", OURS, 0, 0, NULL, 0, "ostname mismatch" },
	{ "another address", "127.0.0.1", "b", "IP:127.0.0.2", OURS, 0, 0, NULL, 0, "IP address mismatch" },
	{ "the address as a name", "127.0.0.1", "b", "DNS:127.0.0.1", OURS, 0, 0, NULL, 0, "IP address mismatch" },
	{ "the name only as its common name", "localhost", "localhost", NULL, OURS, 0, 0, NULL, 0, "ostname mismatch" },
	{ "expired", "localhost", "b", "DNS:localhost", OURS, -7200, -3600, NULL, 0, "expired" },
	{ "not yet valid", "localhost", "b", "DNS:localhost", OURS, 3600, 7200, NULL, 0, "not yet valid" },
	{ "an unknown CA", "localhost", "b", "DNS:localhost", OTHERS, 0, 0, NULL, 0, "unable to get local issuer" },
	{ "self-signed", "localhost", "b", "DNS:localhost", SELF, 0, 0, NULL, 0, "self" },
	{ "a client's certificate", "localhost", "b", "DNS:localhost", OURS, 0, 0, "clientAuth", 0, "purpose" },
	{ "TLS 1.1", "localhost", "b", "DNS:localhost", OURS, 0, 0, NULL, TLS1_1_VERSION, "handshake" },
};

static void try_peer(const struct fixture *f, size_t row, int version)
{
	const struct pki_cert *issuer = peers[row].issuer == OURS ? &f->ca : peers[row].issuer == OTHERS ? &f->other_ca : NULL;
	struct pki_spec spec = { .name = peers[row].common_name, .san = peers[row].san, .usage = peers[row].usage,
	                         .from_s = peers[row].from_s, .until_s = peers[row].until_s };
	struct pki_cert cert = pki_make(&spec, issuer);
	SSL_CTX *ctx = backend_context(&cert, version);
	struct seen s = { 0 };
	struct tls_peer p;
	struct world w;

	print_message("%s, version %x\n", peers[row].name, (unsigned)version);
	open_tls_world(&w, f, peers[row].host);
	start_call(&w, &s);
	p = tls_accept(&w, ctx, &s);
	if (peers[row].detail == NULL) {
		const char *sni = SSL_get_servername(p.ssl, TLSEXT_NAMETYPE_host_name);

		if (strcmp(peers[row].host, "localhost") == 0)
			assert_string_equal(sni, "localhost");
		else
			assert_null(sni);
		tls_request(&w, &p);
		tls_send(&p, OK_2);
		RUN_UNTIL(&w, OVER(s));
		assert_true(s.done);
		assert_string_equal(s.body, "ok");
	} else {
		RUN_UNTIL(&w, OVER(s));
		assert_failed(&s, UPSTREAM_CONNECT, peers[row].detail);
		assert_false(peer_is_waiting(&w));           /* no second try, least of all without TLS */
	}
	tls_close(&p);
	world_done(&w);
	SSL_CTX_free(ctx);
	pki_free(&cert);
}

static void test_peers(void **state)
{
	for (size_t i = 0; i < sizeof(peers) / sizeof(peers[0]); i++) {
		if (peers[i].version != 0) {
			try_peer(*state, i, peers[i].version);
			continue;
		}
		try_peer(*state, i, TLS1_2_VERSION);
		try_peer(*state, i, TLS1_3_VERSION);
	}
}

static void test_plain_backend(void **state)
{
	struct seen s = { 0 };
	struct world w;
	char hello[8];
	int fd;

	open_tls_world(&w, *state, "localhost");
	start_call(&w, &s);
	fd = peer_accept(&w);
	RUN_UNTIL(&w, recv(fd, hello, sizeof(hello), MSG_PEEK) > 0);
	assert_int_equal(hello[0], 0x16);                /* a handshake, not a request */
	peer_send(fd, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
	RUN_UNTIL(&w, OVER(s));
	assert_failed(&s, UPSTREAM_CONNECT, "handshake");
	peer_sees_close(&w, fd);
	settle(&w);
	assert_false(peer_is_waiting(&w));
	world_done(&w);
}

/* ---- connections ---- */

static void test_reuse_and_retry(void **state)
{
	const struct fixture *f = *state;
	struct pki_cert cert = pki_make(&(struct pki_spec){ .name = "b", .san = "DNS:localhost" }, &f->ca);
	SSL_CTX *ctx = backend_context(&cert, TLS1_3_VERSION);
	struct seen s[3] = { 0 };
	struct tls_peer p, q;
	struct world w;
	char byte;

	open_tls_world(&w, f, "localhost");
	start_call(&w, &s[0]);
	p = tls_accept(&w, ctx, &s[0]);
	tls_request(&w, &p);
	tls_send(&p, OK_2);
	RUN_UNTIL(&w, OVER(s[0]));
	start_call(&w, &s[1]);
	tls_request(&w, &p);
	tls_send(&p, OK_2);
	RUN_UNTIL(&w, OVER(s[1]));
	start_call(&w, &s[2]);
	tls_request(&w, &p);
	tls_close(&p);
	q = tls_accept(&w, ctx, &s[2]);
	tls_request(&w, &q);
	tls_send(&q, OK_2);
	RUN_UNTIL(&w, OVER(s[2]));
	assert_true(s[0].done && s[1].done && s[2].done);
	http_client_free(w.client);                      /* closes at once: no last words that a peer could hold up */
	w.client = NULL;
	assert_int_equal(recv(q.fd, &byte, 1, 0), 0);
	tls_close(&q);
	world_done(&w);
	SSL_CTX_free(ctx);
	pki_free(&cert);
}

/* an answer without a length ends with the connection: only when TLS says so is that its end, and no cut */
static void test_until_close(void **state)
{
	const struct fixture *f = *state;
	struct pki_cert cert = pki_make(&(struct pki_spec){ .name = "b", .san = "DNS:localhost" }, &f->ca);

	for (int said = 0; said < 2; said++) {
		SSL_CTX *ctx = backend_context(&cert, said == 0 ? TLS1_2_VERSION : TLS1_3_VERSION);
		struct seen s = { 0 };
		struct tls_peer p;
		struct world w;

		open_tls_world(&w, f, "localhost");
		start_call(&w, &s);
		p = tls_accept(&w, ctx, &s);
		tls_request(&w, &p);
		tls_send(&p, "HTTP/1.1 200 OK\r\n\r\nok");
		RUN_UNTIL(&w, s.body_len == 2);
		if (said)
			SSL_shutdown(p.ssl);
		shutdown(p.fd, SHUT_WR);
		RUN_UNTIL(&w, OVER(s));
		if (said)
			assert_true(s.done);
		else
			assert_failed(&s, UPSTREAM_NONSENSE, "closed by peer");
		tls_close(&p);
		world_done(&w);
		SSL_CTX_free(ctx);
	}
	pki_free(&cert);
}

/* closing while the other end does not read, and in the middle of a handshake, waits for nothing */
static void test_cancel(void **state)
{
	const struct fixture *f = *state;
	struct pki_cert cert = pki_make(&(struct pki_spec){ .name = "b", .san = "DNS:localhost" }, &f->ca);
	SSL_CTX *ctx = backend_context(&cert, TLS1_3_VERSION);
	size_t len = (size_t)16 << 20;
	char *wire = calloc(1, len);
	struct seen shaking = { 0 }, sending = { .out = { .wire = { wire, len } } };
	struct tls_peer p;
	struct world w;
	int fd;

	open_tls_world(&w, f, "localhost");
	start_call(&w, &shaking);
	fd = peer_accept(&w);
	settle(&w);
	w.up.cancel(shaking.call);
	peer_sees_close(&w, fd);

	start_call(&w, &sending);
	p = tls_accept(&w, ctx, &sending);
	settle(&w);
	w.up.cancel(sending.call);
	free(wire);
	SSL_free(p.ssl);
	peer_sees_close(&w, p.fd);
	world_done(&w);
	SSL_CTX_free(ctx);
	pki_free(&cert);
}

/* ---- what the client shows, and its files ---- */

static void test_client_certificate(void **state)
{
	struct fixture *f = *state;
	struct pki_cert cert = pki_make(&(struct pki_spec){ .name = "b", .san = "DNS:localhost" }, &f->ca);
	struct pki_cert own = pki_make(&(struct pki_spec){ .name = "weir", .san = "URI:spiffe://example.org/weir" }, &f->ca);

	for (int shown = 0; shown < 2; shown++) {
		SSL_CTX *ctx = backend_context(&cert, TLS1_3_VERSION);
		struct seen s = { 0 };
		struct tls_peer p;
		struct world w;

		X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), f->ca.cert);
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
		world_prepare(&w);
		w.backend.tls = true;
		w.backend.host = SLICE("localhost");
		w.backend.ca_file = f->ca_file;
		if (shown) {
			w.backend.cert_file = pki_write_certs(&f->folder, "own.pem", own.cert, NULL);
			w.backend.key_file = pki_write_key(&f->folder, "own.key", own.key);
		}
		world_open(&w);
		start_call(&w, &s);
		p = tls_accept(&w, ctx, &s);
		if (shown) {
			X509 *seen = SSL_get1_peer_certificate(p.ssl);

			assert_non_null(seen);
			assert_int_equal(X509_cmp(seen, own.cert), 0);
			X509_free(seen);
			tls_request(&w, &p);
			tls_send(&p, OK_2);
		}
		RUN_UNTIL(&w, OVER(s));
		if (shown)
			assert_true(s.done);
		else
			assert_failed(&s, UPSTREAM_NONSENSE, "TLS alert 116");
		tls_close(&p);
		world_done(&w);
		SSL_CTX_free(ctx);
	}
	pki_free(&own);
	pki_free(&cert);
}

static void test_bad_files(void **state)
{
	struct fixture *f = *state;
	struct pki_cert own = pki_make(&(struct pki_spec){ .name = "weir" }, &f->ca);
	struct pki_cert other = pki_make(&(struct pki_spec){ .name = "other" }, &f->ca);
	struct slice good = pki_write_certs(&f->folder, "good.pem", own.cert, NULL);
	struct slice good_key = pki_write_key(&f->folder, "good.key", own.key);
	struct slice wrong_key = pki_write_key(&f->folder, "wrong.key", other.key);
	struct slice text = pki_write_text(&f->folder, "text", "no certificate\n");
	struct slice locked = pki_path(&f->folder, "locked.key");
	FILE *out = fopen(locked.ptr, "w");
	const struct {
		const char *name;
		struct slice ca, cert, key;
		enum err_code code;
		const char *file;
	} rows[] = {
		{ "all good", f->ca_file, good, good_key, ERR_OK, "" },
		{ "no CA file", pki_path(&f->folder, "missing"), good, good_key, ERR_IO, "/missing" },
		{ "a folder", slice_cstr(f->folder.path), good, good_key, ERR_IO, f->folder.path },
		{ "a CA file of text", text, good, good_key, ERR_INVALID, "/text" },
		{ "a certificate of text", f->ca_file, text, good_key, ERR_INVALID, "/text" },
		{ "no key", f->ca_file, good, (struct slice){ NULL, 0 }, ERR_INVALID, "private key" },
		{ "another's key", f->ca_file, good, wrong_key, ERR_INVALID, "/wrong.key" },
		{ "a key with a pass phrase", f->ca_file, good, locked, ERR_INVALID, "/locked.key" },
	};

	assert_int_equal(PEM_write_PrivateKey(out, own.key, EVP_aes_128_cbc(), (const unsigned char *)"secret", 6, NULL, NULL), 1);
	fclose(out);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct backend b = loopback_backend(1);
		struct http_backends *set = NULL;
		struct err err = { 0 };
		enum err_code rc;

		print_message("%s\n", rows[i].name);
		b.tls = true;
		b.ca_file = rows[i].ca;
		b.cert_file = rows[i].cert;
		b.key_file = rows[i].key;
		rc = http_backends_new(&b, 1, &set, &err);
		assert_int_equal(rc, rows[i].code);
		assert_non_null(strstr(err.text, rows[i].file));
		http_backends_unref(set);
	}
	pki_free(&own);
	pki_free(&other);
}

/* a new snapshot with other CAs is not served over connections that the old ones vouched for */
static void test_swap(void **state)
{
	struct fixture *f = *state;
	struct pki_cert cert = pki_make(&(struct pki_spec){ .name = "b", .san = "DNS:localhost" }, &f->ca);
	SSL_CTX *ctx = backend_context(&cert, TLS1_3_VERSION);
	struct seen s = { 0 }, again = { 0 }, refused = { 0 };
	struct tls_peer p, q;
	struct slice file;
	struct world w;

	file = pki_write_certs(&f->folder, "changing.pem", f->ca.cert, NULL);
	world_prepare(&w);
	w.backend.tls = true;
	w.backend.host = SLICE("localhost");
	w.backend.ca_file = file;
	world_open(&w);
	start_call(&w, &s);
	p = tls_accept(&w, ctx, &s);
	tls_request(&w, &p);
	tls_send(&p, OK_2);
	RUN_UNTIL(&w, OVER(s));
	swap_backends(&w, &w.backend, 1);
	start_call(&w, &again);
	tls_request(&w, &p);
	tls_send(&p, OK_2);
	RUN_UNTIL(&w, OVER(again));
	assert_true(s.done && again.done);

	pki_write_certs(&f->folder, "changing.pem", f->other_ca.cert, NULL);
	swap_backends(&w, &w.backend, 1);
	start_call(&w, &refused);
	q = tls_accept(&w, ctx, &refused);
	RUN_UNTIL(&w, OVER(refused));
	assert_failed(&refused, UPSTREAM_CONNECT, "unable to get local issuer");
	tls_close(&p);
	tls_close(&q);
	world_done(&w);
	SSL_CTX_free(ctx);
	pki_free(&cert);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_peers),
		cmocka_unit_test(test_plain_backend),
		cmocka_unit_test(test_reuse_and_retry),
		cmocka_unit_test(test_until_close),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_client_certificate),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_swap),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
