/* One connection: its clocks, its certificate, and what a reload makes of both. */
#include "server/fixture.h"

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
		usleep(700000);                  /* one check sees the first bytes */
		atomic_fetch_add(&ahead_us, (int64_t)rows[i].alive_s * 1000000);
		if (poll(&p, 1, 1200) != 0)
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
	client_tls(&idle, f);
	client_send(&c, "GET /now HTTP/1.1\r\n" H "\r\n");
	client_until(&c, "hello");
	client_clear(&c);
	reload(f);                           /* of nothing */
	client_send(&c, "GET /now HTTP/1.1\r\n" H "\r\n");
	client_until(&c, "hello");
	client_clear(&c);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_clocks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_old_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(test_identity, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_handshakes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reload_revokes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stale_revocation_list, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
