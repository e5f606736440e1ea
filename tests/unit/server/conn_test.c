/* One connection: its clocks, its certificate, and what a reload makes of both. */
#include "server/fixture.h"

#include <sys/resource.h>

/* ---- clocks of a connection ---- */

static void test_clocks(void **state)
{
	static const struct {
		const char *name, *sent;
		int alive_s, dead_s;
	} rows[] = {
		{ "idle from the start", "", 55, 10 },
		{ "idle after an answer", "GET /now HTTP/1.1\r\n" H "\r\n", 55, 10 },
		{ "half a head", "GET /now HT", 8, 4 },
		{ "half a body", "POST /echo HTTP/1.1\r\n" H "Content-Length: 10\r\n\r\nabc", 25, 8 },
		{ "half a chunk", "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n5\r\nab", 25, 8 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pollfd p = { .events = POLLIN };
		struct client c;

		client_plain(&c, f->port[1]);
		client_send(&c, rows[i].sent);
		if (strstr(rows[i].sent, "/now HTTP/1.1") != NULL)
			client_until(&c, "hello");
		p.fd = c.fd;
		usleep(600000);                  /* one check sees the first bytes */
		atomic_fetch_add(&ahead_us, (int64_t)rows[i].alive_s * 1000000);
		if (poll(&p, 1, 600) != 0)
			fail_msg("%s: closed too early", rows[i].name);
		atomic_fetch_add(&ahead_us, (int64_t)rows[i].dead_s * 1000000);
		client_until_closed(&c);
		client_done(&c);
	}
}

static void test_old_connection(void **state)
{
	struct fixture *f = *state;
	struct client c;

	client_tls(&c, f);
	client_send(&c, "GET /never HTTP/1.1\r\n" H "\r\n");
	WAIT_FOR(f, s, s.begun == 1);
	client_done(&c);
	WAIT_FOR(f, s, s.gone == 1);

	client_tls(&c, f);
	client_send(&c, "GET /now HTTP/1.1\r\n" H "\r\n");
	client_until(&c, "hello");
	assert_in(&c, "keep-alive");
	client_clear(&c);
	for (int minute = 0; minute < 59; minute++) {        /* never idle for long */
		atomic_fetch_add(&ahead_us, (int64_t)59 * 1000000);
		client_send(&c, "GET /now HTTP/1.1\r\n" H "\r\n");
		client_until(&c, "hello");
		assert_not_in(&c, "Connection: close");
		client_clear(&c);
	}
	for (int i = 0; i < 3 && !c.closed; i++) {
		atomic_fetch_add(&ahead_us, (int64_t)59 * 1000000);
		client_send(&c, "GET /now HTTP/1.1\r\n" H "\r\n");
		client_until(&c, "hello");
		if (strstr(c.in, "Connection: close") != NULL)
			client_until_closed(&c);
		client_clear(&c);
	}
	assert_true(c.closed);
	client_done(&c);
}

/* ---- TLS ---- */

static void test_identity(void **state)
{
	struct fixture *f = *state;
	struct client c;

	client_tls(&c, f);
	client_send(&c, "GET /now HTTP/1.1\r\n" H "\r\n");
	client_until(&c, "hello");
	assert_string_equal(seen(f).uri, ID);
	client_clear(&c);
	client_send(&c, "GET /now HTTP/1.1\r\nHost: evil.example\r\n\r\n");
	client_until(&c, "H015");
	assert_in(&c, "HTTP/1.1 421");
	client_clear(&c);
	client_send(&c, "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
	client_until_closed(&c);
	assert_in(&c, "HTTP/1.1 411");
	client_done(&c);
	assert_int_equal(metrics_value(f->metrics, METRIC_TLS_HANDSHAKES, METRIC_LABELS(SLICE("ok"))), 1);

	client_plain(&c, f->port[1]);
	client_send(&c, "GET /now HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n");
	client_until(&c, "hello");
	assert_false(seen(f).has_identity);
	client_done(&c);
}

static void test_refused_handshakes(void **state)
{
	struct fixture *f = *state;
	struct pki_cert self = pki_make(&(struct pki_spec){ .name = "a", .san = "URI:" ID }, NULL);
	struct client c;
	char byte;

	/* in TLS 1.3 the client's side is done before its certificate has been judged */
	if (client_handshake(&c, f->port[0], NULL))
		assert_true(SSL_read(c.ssl, &byte, 1) <= 0);
	client_done(&c);
	WAIT_FOR(f, s, s.refused_tls == 1);
	assert_string_equal(seen(f).reason, "no_certificate");
	if (client_handshake(&c, f->port[0], &self))
		assert_true(SSL_read(c.ssl, &byte, 1) <= 0);
	client_done(&c);
	WAIT_FOR(f, s, s.refused_tls == 2);
	assert_string_equal(seen(f).reason, "unknown_ca");
	client_plain(&c, f->port[0]);
	client_send(&c, "GET /now HTTP/1.1\r\n" H "\r\n");
	client_until_closed(&c);
	client_done(&c);
	WAIT_FOR(f, s, s.refused_tls == 3);
	client_plain(&c, f->port[0]);        /* says nothing */
	WAIT_FOR(f, s, server_connections(f->server) == 1);
	atomic_fetch_add(&ahead_us, (int64_t)6 * 1000000);
	client_until_closed(&c);
	WAIT_FOR(f, s, s.refused_tls == 4);
	assert_string_equal(seen(f).reason, "timeout");
	client_done(&c);
	assert_int_equal(metrics_value(f->metrics, METRIC_TLS_HANDSHAKES, METRIC_LABELS(SLICE("no_certificate"))), 1);
	assert_int_equal(seen(f).begun, 0);
	pki_free(&self);
}

/* an open connection is judged again with its next request; one request more, and it is closed */
static void test_reload_revokes(void **state)
{
	struct fixture *f = *state;
	struct client c, idle;

	client_tls(&c, f);
	client_send(&c, "GET /now HTTP/1.1\r\n" H "\r\n");
	client_until(&c, "hello");
	client_clear(&c);
	reload(f);                           /* of nothing; the context of the handshake is only kept by its connections */
	client_send(&c, "GET /now HTTP/1.1\r\n" H "\r\n");
	client_until(&c, "hello");
	client_clear(&c);
	client_tls(&idle, f);
	f->tls.crl = pki_write_crl(&f->folder, "a.crl", pki_crl(&f->ca, NULL, 600));
	reload(f);                           /* somebody else is revoked */
	client_send(&c, "GET /now HTTP/1.1\r\n" H "\r\n");
	client_until(&c, "hello");
	client_clear(&c);
	f->tls.crl = pki_write_crl(&f->folder, "b.crl", pki_crl(&f->ca, f->acme.cert, 600));
	reload(f);
	client_send(&c, "GET /now HTTP/1.1\r\n" H "\r\n");
	client_until_closed(&c);
	assert_in(&c, "HTTP/1.1 401");
	assert_in(&c, "I001");
	client_send(&idle, "GET /now HTTP/1.1\r\n" H "\r\n");
	client_until_closed(&idle);
	assert_in(&idle, "I001");
	client_done(&c);
	client_done(&idle);
}

/* OpenSSL tells of alerts as long as a connection lives, also when a reload has replaced the context it began with */
static void test_context_outlives_reload(void **state)
{
	struct fixture *f = *state;
	struct client c;
	char byte;

	client_tls(&c, f);
	for (int i = 0; i < 2; i++) {
		reload(f);
		client_send(&c, "GET /now HTTP/1.1\r\n" H "\r\n");
		client_until(&c, "hello");
		client_clear(&c);
	}
	/* a record that was never sealed makes the client send a fatal alert */
	SSL_set0_rbio(c.ssl, BIO_new_mem_buf("\x17\x03\x03\x00\x20 no record that was ever sealed", 37));
	assert_int_equal(SSL_read(c.ssl, &byte, 1), -1);
	client_done(&c);
	WAIT_FOR(f, s, server_connections(f->server) == 0);
}

static void test_stale_revocation_list(void **state)
{
	struct fixture *f = *state;
	struct client c;

	f->tls.crl = pki_write_crl(&f->folder, "a.crl", pki_crl(&f->ca, NULL, 40));
	reload(f);
	client_tls(&c, f);
	client_send(&c, "GET /now HTTP/1.1\r\n" H "\r\n");
	client_until(&c, "hello");
	client_clear(&c);
	atomic_fetch_add(&ahead_us, (int64_t)45 * 1000000);
	client_send(&c, "GET /now HTTP/1.1\r\n" H "\r\n");
	client_until_closed(&c);
	assert_in(&c, "I001");
	client_done(&c);
}

/* ---- limits ---- */

static void test_unfinished_handshakes(void **state)
{
	struct fixture *f = *state;
	static struct client c[256];
	struct client late;

	for (size_t i = 0; i < 256; i++)
		client_plain(&c[i], f->port[0]);
	WAIT_FOR(f, s, server_connections(f->server) == 256);
	client_plain(&late, f->port[0]);
	client_until_closed(&late);
	client_done(&late);
	WAIT_FOR(f, s, s.refused_tls == 1);
	assert_string_equal(seen(f).reason, "limit");
	client_done(&c[0]);
	WAIT_FOR(f, s, server_connections(f->server) == 255);
	client_tls(&late, f);                /* one place is free again */
	client_done(&late);
	for (size_t i = 1; i < 256; i++)
		client_done(&c[i]);
}

static void test_connections_of_a_certificate(void **state)
{
	struct fixture *f = *state;
	struct pki_cert other = pki_make(&(struct pki_spec){ .name = "b", .san = "URI:" ID }, &f->ca);
	static struct client c[512];
	struct client late;
	char byte;

	for (size_t i = 0; i < 512; i++)
		client_tls(&c[i], f);
	if (client_handshake(&late, f->port[0], &f->acme))
		assert_true(SSL_read(late.ssl, &byte, 1) <= 0);
	client_done(&late);
	WAIT_FOR(f, s, s.refused_tls == 1);
	assert_string_equal(seen(f).reason, "limit");
	assert_true(client_handshake(&late, f->port[0], &other));
	client_send(&late, "GET /now HTTP/1.1\r\n" H "\r\n");
	client_until(&late, "hello");
	client_done(&late);
	for (size_t i = 0; i < 512; i++)
		client_done(&c[i]);
	WAIT_FOR(f, s, server_connections(f->server) == 0);
	client_tls(&late, f);
	client_send(&late, "GET /now HTTP/1.1\r\n" H "\r\n");
	client_until(&late, "hello");
	client_done(&late);
	pki_free(&other);
}

/* without descriptors, a client is turned away at once; with some again, it is served */
static void test_out_of_descriptors(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(f->port[1]), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct client c = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	struct rlimit before, few = { 64, 64 };
	int fds[64];
	size_t n = 0;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	while (n < 64 && (fds[n] = dup(0)) != -1)
		n++;
	assert_true(n < 64);
	assert_int_equal(connect(c.fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	client_until_closed(&c);
	assert_int_equal(c.len, 0);
	client_done(&c);
	while (n > 0)
		close(fds[--n]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	client_plain(&c, f->port[1]);
	client_send(&c, "GET /now HTTP/1.1\r\n" H "\r\n");
	client_until(&c, "hello");
	client_done(&c);
}

/* A peer may ask for new keys. libh2o closes when OpenSSL answers that while it reads; the OpenSSL of today answers with the next
 * write, so that nothing is to be seen. Either way no other connection suffers. */
static void test_key_update(void **state)
{
	struct fixture *f = *state;
	struct client c;

	client_tls(&c, f);
	client_send(&c, "GET /now HTTP/1.1\r\n" H "\r\n");
	client_until(&c, "hello");
	client_clear(&c);
	assert_int_equal(SSL_key_update(c.ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
	client_send(&c, "GET /now HTTP/1.1\r\n" H "\r\n");
	client_until(&c, "hello");
	client_clear(&c);
	for (int i = 0; i < 3 && !c.closed; i++) {
		assert_int_equal(SSL_key_update(c.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
		client_send(&c, "GET /now HTTP/1.1\r\n" H "\r\n");
		while (client_read(&c) && strstr(c.in, "hello") == NULL)
			;
		client_clear(&c);
	}
	client_done(&c);
	client_tls(&c, f);
	client_send(&c, "GET /now HTTP/1.1\r\n" H "\r\n");
	client_until(&c, "hello");
	client_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_clocks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_old_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(test_identity, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_handshakes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reload_revokes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_context_outlives_reload, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stale_revocation_list, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unfinished_handshakes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_connections_of_a_certificate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_out_of_descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_key_update, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
