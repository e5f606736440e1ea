/* TLS contexts: what loads and what is reported, whom a handshake lets in, and when a session may be resumed. */
#include "server/tls.h"

#include "server/pki.h"

struct fixture {
	struct pki_folder folder;
	struct pki_cert ca, other_ca, edge, acme;
	struct tls_settings tls[2];
	struct listener_settings listeners[2];
	struct trust_domain domains[1];
	struct snapshot snap;            /* never freed: only its lists are looked at */
	struct clock clock;
	char reports[8192];
	int warnings, errors;
};

struct outcome {
	int done;
	enum tls_result why;             /* the first that was told; TLS_OK = none */
};

static void on_done(SSL *ssl)
{
	struct outcome *o = SSL_get_app_data(ssl);

	o->done++;
}

static void on_failed(SSL *ssl, enum tls_result why)
{
	struct outcome *o = SSL_get_app_data(ssl);

	if (o->why == TLS_OK)
		o->why = why;
}

static const struct tls_hooks hooks = { on_done, on_failed };

static void on_report(void *ctx, enum tls_problem kind, const char *text)
{
	struct fixture *f = ctx;
	size_t len = strlen(f->reports);

	snprintf(f->reports + len, sizeof(f->reports) - len, "%s\n", text);
	if (kind == TLS_WARNING)
		f->warnings++;
	else
		f->errors++;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	pki_folder_make(&f->folder);
	f->ca = pki_make(&(struct pki_spec){ .name = "clients", .ca = true }, NULL);
	f->other_ca = pki_make(&(struct pki_spec){ .name = "others", .ca = true }, NULL);
	f->edge = pki_make(&(struct pki_spec){ .name = "edge", .san = "DNS:Weir.Example.org,DNS:*.edge.example.org,IP:192.0.2.1,IP:2001:db8::1,"
	                                       "URI:spiffe://example.org/weir" }, &f->other_ca);
	f->acme = pki_make(&(struct pki_spec){ .name = "acme", .san = "URI:spiffe://example.org/acme/svc/a" }, &f->ca);
	f->tls[0] = (struct tls_settings){
		.name = SLICE("edge"),
		.certificate = pki_write_certs(&f->folder, "edge.pem", f->edge.cert, f->other_ca.cert, NULL),
		.key = pki_write_key(&f->folder, "edge.key", f->edge.key),
		.client_ca = pki_write_certs(&f->folder, "clients.pem", f->ca.cert, NULL),
		.tickets = true,
	};
	f->tls[1] = f->tls[0];
	f->tls[1].name = SLICE("admin");
	f->domains[0] = (struct trust_domain){ SLICE("example.org"), f->tls[0].client_ca };
	for (int i = 0; i < 2; i++)
		f->listeners[i] = (struct listener_settings){
			.address = i == 0 ? SLICE("127.0.0.1:8443") : SLICE("127.0.0.1:9443"), .serve = SERVE_QUERY, .tls = &f->tls[i],
		};
	f->snap.tls = f->tls;
	f->snap.tls_len = 2;
	f->snap.listeners = f->listeners;
	f->snap.listeners_len = 2;
	f->snap.trust_domains = f->domains;
	f->snap.trust_domains_len = 1;
	f->clock = clock_fake(1900000000000000, 1000000);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	pki_folder_remove(&f->folder);
	pki_free(&f->ca);
	pki_free(&f->other_ca);
	pki_free(&f->edge);
	pki_free(&f->acme);
	free(f);
	return 0;
}

static struct tls_set *load(struct fixture *f, const struct tls_set *prev)
{
	f->reports[0] = '\0';
	f->warnings = f->errors = 0;
	return tls_set_load(&f->snap, prev, &hooks, &f->clock, on_report, f);
}

static struct tls_set *must_load(struct fixture *f, const struct tls_set *prev)
{
	struct tls_set *s = load(f, prev);

	if (s == NULL)
		fail_msg("does not load: %s", f->reports);
	return s;
}

static void test_hosts(void **state)
{
	static const char *const want[] = { "weir.example.org", "*.edge.example.org", "192.0.2.1", "2001:db8::1" };
	struct fixture *f = *state;
	struct tls_set *s = must_load(f, NULL);
	size_t len;
	const struct slice *hosts = tls_context_hosts(tls_set_context(s, 0), &len);

	assert_int_equal(f->warnings, 0);
	assert_int_equal(len, 4);
	for (size_t i = 0; i < len; i++)
		assert_true(slice_eq(hosts[i], slice_cstr(want[i])));
	assert_null(tls_set_context(s, 2));
	tls_set_unref(s);
}

static void test_plain_listener(void **state)
{
	struct fixture *f = *state;

	f->listeners[1].tls = NULL;

	struct tls_set *s = must_load(f, NULL);

	assert_non_null(tls_set_context(s, 0));
	assert_null(tls_set_context(s, 1));
	tls_set_unref(s);
}

/* ---- what is reported ---- */

static void assert_reported(struct fixture *f, const char *block, const char *file, const char *what)
{
	char want[512];

	assert_null(load(f, NULL));
	snprintf(want, sizeof(want), "%s%s", file, what);
	if (strstr(f->reports, block) == NULL || strstr(f->reports, want) == NULL)
		fail_msg("want \"%s\" .. \"%s\", got:\n%s", block, want, f->reports);
}

static void test_broken_files(void **state)
{
	struct fixture *f = *state;
	const struct tls_settings good = f->tls[0];
	struct pki_cert nameless = pki_make(&(struct pki_spec){ .name = "edge" }, &f->other_ca);

	f->tls[0].certificate = pki_path(&f->folder, "missing.pem");
	assert_reported(f, "tls.edge: ", "missing.pem", ": cannot be opened: No such file");
	f->tls[0].certificate = slice_cstr(f->folder.path);
	assert_reported(f, "tls.edge: ", f->folder.path, ": is no regular file");
	f->tls[0].certificate = pki_write_text(&f->folder, "empty.pem", "");
	assert_reported(f, "tls.edge: ", "empty.pem", ": holds no certificate");
	f->tls[0].certificate = pki_write_text(&f->folder, "half.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n");
	assert_reported(f, "tls.edge: ", "half.pem", ": certificate 1 in it is broken");
	f->tls[0].certificate = pki_write_certs(&f->folder, "nameless.pem", nameless.cert, NULL);
	f->tls[0].key = pki_write_key(&f->folder, "nameless.key", nameless.key);
	assert_reported(f, "tls.edge: ", "nameless.pem", ": has no DNS name and no address");
	f->tls[0] = good;
	f->tls[0].key = pki_write_key(&f->folder, "other.key", f->acme.key);
	assert_reported(f, "tls.edge: ", "edge.pem", ": does not belong to the key ");
	f->tls[0].key = pki_write_text(&f->folder, "half.key", "-----BEGIN PRIVATE KEY-----\nMIIB\n");
	assert_reported(f, "tls.edge: ", "half.key", ": holds no private key");
	f->tls[0] = good;
	f->tls[0].client_ca = pki_write_certs(&f->folder, "leaf.pem", f->acme.cert, NULL);
	assert_reported(f, "tls.edge: ", "leaf.pem", ": certificate 1 in it is no CA");
	f->tls[0] = good;
	f->tls[0].crl = pki_write_crl(&f->folder, "other.crl", pki_crl(&f->other_ca, NULL, 3600));
	assert_reported(f, "tls.edge: ", "other.crl", ": revocation list 1 in it is signed by no CA of client_ca");
	f->tls[0].crl = pki_write_text(&f->folder, "empty.crl", "\n");
	assert_reported(f, "tls.edge: ", "empty.crl", ": holds no revocation list");
	f->tls[0] = good;
	f->domains[0].ca_file = pki_path(&f->folder, "gone.pem");
	assert_reported(f, "gone.pem", "gone.pem", ": cannot be opened");
	pki_free(&nameless);
}

static void test_all_problems_at_once(void **state)
{
	struct fixture *f = *state;

	f->tls[0].certificate = pki_path(&f->folder, "a.pem");
	f->tls[0].key = pki_path(&f->folder, "b.key");
	f->tls[0].client_ca = pki_path(&f->folder, "c.pem");
	f->tls[0].crl = pki_path(&f->folder, "d.crl");
	f->tls[1].key = pki_path(&f->folder, "e.key");
	f->domains[0].ca_file = pki_path(&f->folder, "f.pem");
	assert_null(load(f, NULL));
	assert_int_equal(f->errors, 6);
	for (const char *name = "abcdef"; *name != '\0'; name++) {
		char want[] = "/?.";

		want[1] = *name;
		if (strstr(f->reports, want) == NULL)
			fail_msg("%s is missing in:\n%s", want, f->reports);
	}
}

static void test_key_for_everybody(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(chmod(f->tls[0].key.ptr, 0644), 0);

	struct tls_set *s = must_load(f, NULL);

	assert_int_equal(f->warnings, 2);    /* both blocks use it */
	assert_non_null(strstr(f->reports, "tls.edge: "));
	tls_set_unref(s);
}

/* ---- who gets in ---- */

static SSL_CTX *context(struct tls_set *s, size_t listener)
{
	return tls_context_ssl(tls_set_context(s, listener));
}

static void assert_outcome(const char *name, struct pki_client *c, SSL_CTX *server, enum tls_result want)
{
	struct outcome o = { 0, TLS_OK };
	struct pki_pair p = pki_handshake(c, server, &o);

	if (o.why != want || p.ok != (want == TLS_OK) || (o.done > 0) != (want == TLS_OK))
		fail_msg("%s: got %s, ok %d, done %d; want %s", name, tls_result_name(o.why), p.ok, o.done, tls_result_name(want));
	pki_pair_free(&p);
}

static void test_certificates(void **state)
{
	static const struct {
		const char *name;
		struct pki_spec spec;
		int issuer;                  /* 0 ours, 1 the other CA, 2 itself, 3 an intermediate that must not issue */
		enum tls_result want;
	} rows[] = {
		{ "good", { .name = "a" }, 0, TLS_OK },
		{ "good RSA", { .name = "a", .rsa_bits = 2048 }, 0, TLS_OK },
		{ "client usage", { .name = "a", .usage = "clientAuth" }, 0, TLS_OK },
		{ "wrong CA", { .name = "a" }, 1, TLS_UNKNOWN_CA },
		{ "self-signed", { .name = "a" }, 2, TLS_UNKNOWN_CA },
		{ "expired", { .name = "a", .from_s = -7200, .until_s = -60 }, 0, TLS_EXPIRED },
		{ "not yet valid", { .name = "a", .from_s = 3600, .until_s = 7200 }, 0, TLS_EXPIRED },
		{ "server usage", { .name = "a", .usage = "serverAuth" }, 0, TLS_BAD_CERTIFICATE },
		{ "CA as leaf", { .name = "a", .ca = true }, 0, TLS_BAD_CERTIFICATE },
		{ "RSA 1024", { .name = "a", .rsa_bits = 1024 }, 0, TLS_BAD_CERTIFICATE },
		{ "SHA-1", { .name = "a", .sha1 = true }, 0, TLS_BAD_CERTIFICATE },
		{ "path too long", { .name = "a" }, 3, TLS_BAD_CERTIFICATE },
	};
	struct fixture *f = *state;
	struct tls_set *s = must_load(f, NULL);
	struct pki_cert top = pki_make(&(struct pki_spec){ .name = "top", .ca = true, .constraints = "critical,CA:TRUE,pathlen:0" }, NULL);
	struct pki_cert low = pki_make(&(struct pki_spec){ .name = "low", .ca = true }, &top);

	f->tls[1].client_ca = pki_write_certs(&f->folder, "top.pem", top.cert, NULL);
	tls_set_unref(s);
	s = must_load(f, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct pki_cert *issuers[] = { &f->ca, &f->other_ca, NULL, &low };
		struct pki_cert who = pki_make(&rows[i].spec, issuers[rows[i].issuer]);

		for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
			struct pki_client c;

			f->tls[0].tls12 = f->tls[1].tls12 = version == TLS1_2_VERSION;

			struct tls_set *set = must_load(f, NULL);

			pki_client_init(&c, &who, rows[i].issuer == 3 ? low.cert : NULL);
			SSL_CTX_set_max_proto_version(c.ctx, version);
			assert_outcome(rows[i].name, &c, context(set, rows[i].issuer == 3), rows[i].want);
			pki_client_done(&c);
			tls_set_unref(set);
		}
		pki_free(&who);
	}
	tls_set_unref(s);
	pki_free(&top);
	pki_free(&low);
}

static void test_no_certificate(void **state)
{
	struct fixture *f = *state;

	f->tls[0].tls12 = true;

	struct tls_set *s = must_load(f, NULL);

	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct pki_client c;

		pki_client_init(&c, NULL, NULL);
		SSL_CTX_set_max_proto_version(c.ctx, version);
		assert_outcome("no certificate", &c, context(s, 0), TLS_NO_CERTIFICATE);
		pki_client_done(&c);
	}
	tls_set_unref(s);
}

static void test_twin_of_the_ca(void **state)
{
	struct fixture *f = *state;
	struct tls_set *s = must_load(f, NULL);
	struct pki_cert twin = pki_make(&(struct pki_spec){ .name = "clients", .ca = true }, NULL);
	struct pki_cert who = pki_make(&(struct pki_spec){ .name = "a" }, &twin);
	struct outcome o = { 0, TLS_OK };
	struct pki_client c;

	pki_client_init(&c, &who, twin.cert);

	struct pki_pair p = pki_handshake(&c, context(s, 0), &o);

	assert_false(p.ok);
	assert_int_equal(o.done, 0);
	pki_pair_free(&p);
	pki_client_done(&c);
	tls_set_unref(s);
	pki_free(&twin);
	pki_free(&who);
}

static void test_revoked(void **state)
{
	struct fixture *f = *state;
	struct pki_cert other = pki_make(&(struct pki_spec){ .name = "b" }, &f->ca);
	struct pki_client good, bad;
	struct tls_set *s;

	pki_client_init(&good, &other, NULL);
	pki_client_init(&bad, &f->acme, NULL);
	f->tls[0].crl = pki_write_crl(&f->folder, "a.crl", pki_crl(&f->ca, f->acme.cert, 3600));
	s = must_load(f, NULL);
	assert_outcome("revoked", &bad, context(s, 0), TLS_REVOKED);
	assert_outcome("not revoked", &good, context(s, 0), TLS_OK);
	tls_set_unref(s);

	f->tls[0].crl = pki_write_crl(&f->folder, "old.crl", pki_crl(&f->ca, NULL, -60));
	s = must_load(f, NULL);
	assert_outcome("list out of date", &good, context(s, 0), TLS_REVOKED);
	tls_set_unref(s);

	/* a CA without a list of its own: nobody of it gets in */
	f->tls[0].client_ca = pki_write_certs(&f->folder, "both.pem", f->ca.cert, f->other_ca.cert, NULL);
	f->tls[0].crl = pki_write_crl(&f->folder, "one.crl", pki_crl(&f->other_ca, NULL, 3600));
	s = must_load(f, NULL);
	pki_client_done(&good);
	pki_client_init(&good, &other, NULL);
	assert_outcome("no list", &good, context(s, 0), TLS_REVOKED);
	tls_set_unref(s);
	pki_client_done(&good);
	pki_client_done(&bad);
	pki_free(&other);
}

static void test_versions_and_ciphers(void **state)
{
	struct fixture *f = *state;
	struct pki_client c;
	struct tls_set *s = must_load(f, NULL);

	pki_client_init(&c, &f->acme, NULL);
	SSL_CTX_set_max_proto_version(c.ctx, TLS1_2_VERSION);
	assert_outcome("1.2 where it is not allowed", &c, context(s, 0), TLS_PROTOCOL);
	f->tls[1].tls12 = true;
	tls_set_unref(s);
	s = must_load(f, NULL);
	assert_outcome("1.2 where it is allowed", &c, context(s, 1), TLS_OK);
	pki_client_done(&c);

	pki_client_init(&c, &f->acme, NULL);
	SSL_CTX_set_max_proto_version(c.ctx, TLS1_2_VERSION);
	assert_int_equal(SSL_CTX_set_cipher_list(c.ctx, "ECDHE+AES+SHA256:ECDHE+AES+SHA1:AES128-GCM-SHA256"), 1);
	assert_outcome("no AEAD with ECDHE", &c, context(s, 1), TLS_PROTOCOL);
	pki_client_done(&c);

	pki_client_init(&c, &f->acme, NULL);
	SSL_CTX_set_min_proto_version(c.ctx, TLS1_1_VERSION);
	SSL_CTX_set_max_proto_version(c.ctx, TLS1_1_VERSION);
	SSL_CTX_set_cipher_list(c.ctx, "ALL:@SECLEVEL=0");
	assert_outcome("1.1", &c, context(s, 1), TLS_PROTOCOL);
	pki_client_done(&c);
	tls_set_unref(s);
}

static void test_alpn(void **state)
{
	static const struct {
		const char *offer;
		enum tls_result want;
		const char *chosen;
	} rows[] = {
		{ "", TLS_OK, "" },
		{ "\x08http/1.1", TLS_OK, "http/1.1" },
		{ "\x02h2\x08http/1.1", TLS_OK, "http/1.1" },
		{ "\x02h2", TLS_PROTOCOL, "" },
		{ "\x08http/1.0", TLS_PROTOCOL, "" },
	};
	struct fixture *f = *state;
	struct tls_set *s = must_load(f, NULL);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct outcome o = { 0, TLS_OK };
		struct pki_client c;
		const unsigned char *got;
		unsigned len;

		pki_client_init(&c, &f->acme, NULL);
		SSL_CTX_set_alpn_protos(c.ctx, (const unsigned char *)rows[i].offer, (unsigned)strlen(rows[i].offer));

		struct pki_pair p = pki_handshake(&c, context(s, 0), &o);

		SSL_get0_alpn_selected(p.client, &got, &len);
		assert_int_equal(o.why, rows[i].want);
		assert_int_equal(p.ok, rows[i].want == TLS_OK);
		assert_true(slice_eq(slice_from((const char *)got, len), slice_cstr(rows[i].chosen)));
		pki_pair_free(&p);
		pki_client_done(&c);
	}
	tls_set_unref(s);
}

static void test_early_data_and_renegotiation(void **state)
{
	struct fixture *f = *state;
	struct outcome o = { 0, TLS_OK };
	struct pki_client c;
	char byte;

	f->tls[0].tls12 = true;

	struct tls_set *s = must_load(f, NULL);

	assert_int_equal(SSL_CTX_get_max_early_data(context(s, 0)), 0);
	assert_int_equal(SSL_CTX_get_recv_max_early_data(context(s, 0)), 0);
	pki_client_init(&c, &f->acme, NULL);
	assert_outcome("1.3", &c, context(s, 0), TLS_OK);
	assert_non_null(c.session);
	assert_int_equal(SSL_SESSION_get_max_early_data(c.session), 0);
	pki_client_done(&c);

	pki_client_init(&c, &f->acme, NULL);
	SSL_CTX_set_max_proto_version(c.ctx, TLS1_2_VERSION);

	struct pki_pair p = pki_handshake(&c, context(s, 0), &o);

	assert_true(p.ok);
	SSL_renegotiate(p.client);
	SSL_do_handshake(p.client);
	assert_true(SSL_read(p.server, &byte, 1) <= 0);
	assert_true(SSL_do_handshake(p.client) <= 0);
	assert_int_equal(SSL_num_renegotiations(p.server), 0);
	pki_pair_free(&p);
	pki_client_done(&c);
	tls_set_unref(s);
}

/* ---- resumption ---- */

static bool resumes(struct pki_client *c, SSL_CTX *server)
{
	struct outcome o = { 0, TLS_OK };
	struct pki_pair p = pki_handshake(c, server, &o);

	assert_true(p.ok);                   /* at worst a full handshake */
	assert_true(o.done > 0);

	bool reused = SSL_session_reused(p.server) == 1;

	pki_pair_free(&p);
	return reused;
}

static void for_both_versions(struct fixture *f, void (*test)(struct fixture *f, struct pki_client *c))
{
	f->tls[0].tls12 = f->tls[1].tls12 = true;
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct pki_client c;

		pki_client_init(&c, &f->acme, NULL);
		SSL_CTX_set_max_proto_version(c.ctx, version);
		test(f, &c);
		pki_client_done(&c);
	}
}

static void resume_here_not_there(struct fixture *f, struct pki_client *c)
{
	struct tls_set *s = must_load(f, NULL);

	assert_false(resumes(c, context(s, 0)));
	assert_true(resumes(c, context(s, 0)));
	assert_true(resumes(c, context(s, 0)));
	assert_false(resumes(c, context(s, 1)));
	tls_set_unref(s);
}

static void resume_after_reload(struct fixture *f, struct pki_client *c)
{
	struct tls_set *a = must_load(f, NULL), *b, *d, *e;

	assert_false(resumes(c, context(a, 0)));
	b = must_load(f, a);                 /* nothing changed */
	assert_true(resumes(c, context(b, 0)));
	f->tls[0].crl = pki_write_crl(&f->folder, "new.crl", pki_crl(&f->ca, NULL, 3600));
	d = must_load(f, b);                 /* a revocation list came */
	assert_false(resumes(c, context(d, 0)));
	f->domains[0].ca_file = pki_write_certs(&f->folder, "domain.pem", f->ca.cert, f->other_ca.cert, NULL);
	e = must_load(f, d);                 /* a trust domain changed */
	assert_false(resumes(c, context(e, 0)));
	assert_true(resumes(c, context(e, 0)));
	tls_set_unref(a);
	tls_set_unref(b);
	tls_set_unref(d);
	tls_set_unref(e);
	f->tls[0].crl = SLICE("");
	f->domains[0].ca_file = f->tls[0].client_ca;
}

static void resume_over_time(struct fixture *f, struct pki_client *c)
{
	struct tls_set *s = must_load(f, NULL);
	SSL_SESSION *old;

	assert_false(resumes(c, context(s, 0)));
	old = SSL_SESSION_dup(c->session);
	f->clock.fake_mono_us += (int64_t)3601 * 1000000;
	assert_true(resumes(c, context(s, 0)));      /* opened with the key before, sealed with the new one */
	f->clock.fake_mono_us += (int64_t)3601 * 1000000;
	assert_true(resumes(c, context(s, 0)));
	SSL_SESSION_free(c->session);
	c->session = old;
	assert_false(resumes(c, context(s, 0)));     /* its key is gone */
	tls_set_unref(s);
}

static void resume_never(struct fixture *f, struct pki_client *c)
{
	f->tls[0].tickets = false;

	struct tls_set *s = must_load(f, NULL);

	assert_false(resumes(c, context(s, 0)));
	assert_false(resumes(c, context(s, 0)));
	tls_set_unref(s);
	f->tls[0].tickets = true;
}

static void test_resumption(void **state)
{
	for_both_versions(*state, resume_here_not_there);
	for_both_versions(*state, resume_after_reload);
	for_both_versions(*state, resume_over_time);
	for_both_versions(*state, resume_never);
}

static void test_names(void **state)
{
	(void)state;
	for (enum tls_result r = 0; r < TLS_RESULT_COUNT; r++)
		assert_true(tls_result_name(r) != NULL && tls_result_name(r)[0] != '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hosts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_plain_listener, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_problems_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_key_for_everybody, setup, teardown),
		cmocka_unit_test_setup_teardown(test_certificates, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_certificate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_twin_of_the_ca, setup, teardown),
		cmocka_unit_test_setup_teardown(test_revoked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_versions_and_ciphers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alpn, setup, teardown),
		cmocka_unit_test_setup_teardown(test_early_data_and_renegotiation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resumption, setup, teardown),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
