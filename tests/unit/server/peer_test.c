/* Certificates as identities: names, trust domains, resumption, and judging again after a reload. */
#include "server/peer.h"

#include "server/pki.h"
#include "server/tls.h"

struct fixture {
	struct pki_folder folder;
	struct pki_cert ca, ops_ca, middle, edge;
	struct tls_settings tls;
	struct listener_settings listener;
	struct trust_domain domains[2];
	struct snapshot snap;            /* never freed: only its lists are looked at */
	struct clock clock;
	struct tls_set *set;
};

static void on_report(void *ctx, enum tls_problem kind, const char *text)
{
	(void)ctx;
	if (kind == TLS_ERROR)
		fail_msg("%s", text);
}

static void reload(struct fixture *f)
{
	struct tls_set *next = tls_set_load(&f->snap, f->set, NULL, &f->clock, on_report, NULL);

	tls_set_unref(f->set);
	f->set = next;
}

/* The listener takes clients of both CAs; example.org is believed under the first alone, ops.example.org under the second. */
static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	pki_folder_make(&f->folder);
	f->ca = pki_make(&(struct pki_spec){ .name = "clients", .ca = true }, NULL);
	f->middle = pki_make(&(struct pki_spec){ .name = "middle", .ca = true }, &f->ca);
	f->ops_ca = pki_make(&(struct pki_spec){ .name = "operators", .ca = true }, NULL);
	f->edge = pki_make(&(struct pki_spec){ .name = "edge", .san = "DNS:weir.example.org" }, &f->ca);
	f->tls = (struct tls_settings){
		.name = SLICE("edge"),
		.certificate = pki_write_certs(&f->folder, "edge.pem", f->edge.cert, NULL),
		.key = pki_write_key(&f->folder, "edge.key", f->edge.key),
		.client_ca = pki_write_certs(&f->folder, "all.pem", f->ca.cert, f->ops_ca.cert, NULL),
		.tickets = true,
		.tls12 = true,
	};
	f->listener = (struct listener_settings){ .address = SLICE("127.0.0.1:8443"), .serve = SERVE_QUERY, .tls = &f->tls };
	f->domains[0] = (struct trust_domain){ SLICE("example.org"), pki_write_certs(&f->folder, "a.pem", f->ca.cert, NULL) };
	f->domains[1] = (struct trust_domain){ SLICE("ops.example.org"), pki_write_certs(&f->folder, "b.pem", f->ops_ca.cert, NULL) };
	f->snap.tls = &f->tls;
	f->snap.listeners = &f->listener;
	f->snap.trust_domains = f->domains;
	f->snap.tls_len = f->snap.listeners_len = 1;
	f->snap.trust_domains_len = 2;
	f->clock = clock_fake(1900000000000000, 1000000);
	reload(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	tls_set_unref(f->set);
	pki_folder_remove(&f->folder);
	pki_free(&f->ca);
	pki_free(&f->middle);
	pki_free(&f->ops_ca);
	pki_free(&f->edge);
	free(f);
	return 0;
}

static const struct trust *trust(const struct fixture *f)
{
	return tls_context_trust(tls_set_context(f->set, 0));
}

static struct peer *meet(struct fixture *f, struct pki_client *c, bool *resumed)
{
	struct pki_pair p = pki_handshake(c, tls_context_ssl(tls_set_context(f->set, 0)), NULL);
	struct peer *peer;

	assert_true(p.ok);
	*resumed = SSL_session_reused(p.server) == 1;
	peer = peer_new(p.server, trust(f), SLICE("192.0.2.7:4711"));
	assert_non_null(peer);
	pki_pair_free(&p);                   /* the peer outlives the connection's TLS object */
	return peer;
}

static struct peer *meet_spec(struct fixture *f, const struct pki_spec *spec, const struct pki_cert *issuer)
{
	struct pki_cert who = pki_make(spec, issuer);
	struct pki_client c;
	bool resumed;

	pki_client_init(&c, &who, NULL);

	struct peer *peer = meet(f, &c, &resumed);

	pki_client_done(&c);
	pki_free(&who);
	return peer;
}

#define ID "spiffe://example.org/acme/svc/a"
#define TEN(x) x x x x x x x x x x

static void test_names(void **state)
{
	static const struct {
		const char *name, *san;
		bool ops;                    /* issued by the operators' CA */
		enum identity_fault want;
		size_t uris;
	} rows[] = {
		{ "one URI", "URI:" ID, false, IDENTITY_FINE, 1 },
		{ "other kinds do not count", "email:b@example.org,DNS:globex.example.org,URI:" ID ",IP:192.0.2.1", false, IDENTITY_FINE, 1 },
		{ "other domain under its CA", "URI:spiffe://ops.example.org/admin/eve", true, IDENTITY_FINE, 1 },
		{ "no name at all", NULL, false, IDENTITY_NO_NAME, 0 },
		{ "DNS only", "DNS:acme.example.org", false, IDENTITY_NO_NAME, 0 },
		{ "two URIs", "URI:" ID ",URI:spiffe://example.org/globex/svc/b", false, IDENTITY_TWO_NAMES, 2 },
		{ "the same URI twice", "URI:" ID ",URI:" ID, false, IDENTITY_TWO_NAMES, 2 },
		{ "a URI that is no SPIFFE id beside one", "URI:https://example.org/,URI:" ID, false, IDENTITY_TWO_NAMES, 2 },
		{ "twelve URIs", TEN("URI:" ID ",") "URI:" ID ",URI:" ID, false, IDENTITY_TWO_NAMES, PEER_URIS_MAX },
		{ "https", "URI:https://example.org/acme/svc/a", false, IDENTITY_BAD_NAME, 1 },
		{ "upper-case domain", "URI:spiffe://Example.org/acme/svc/a", false, IDENTITY_BAD_NAME, 1 },
		{ "upper-case scheme", "URI:SPIFFE://example.org/acme/svc/a", false, IDENTITY_BAD_NAME, 1 },
		{ "port", "URI:spiffe://example.org:443/acme/svc/a", false, IDENTITY_BAD_NAME, 1 },
		{ "user", "URI:spiffe://a@example.org/acme/svc/a", false, IDENTITY_BAD_NAME, 1 },
		{ "query", "URI:spiffe://example.org/acme/svc/a?b", false, IDENTITY_BAD_NAME, 1 },
		{ "dot dot", "URI:spiffe://example.org/acme/../globex", false, IDENTITY_BAD_NAME, 1 },
		{ "double slash", "URI:spiffe://example.org/acme//a", false, IDENTITY_BAD_NAME, 1 },
		{ "trailing slash", "URI:spiffe://example.org/acme/", false, IDENTITY_BAD_NAME, 1 },
		{ "escape", "URI:spiffe://example.org/acme/%61", false, IDENTITY_BAD_NAME, 1 },
		{ "domain that is not configured", "URI:spiffe://evil.example/acme/svc/a", false, IDENTITY_FOREIGN_DOMAIN, 1 },
		{ "domain that only begins like ours", "URI:spiffe://example.org.evil.example/a", false, IDENTITY_FOREIGN_DOMAIN, 1 },
		{ "our domain under another's CA", "URI:" ID, true, IDENTITY_FOREIGN_DOMAIN, 1 },
		{ "another's domain under our CA", "URI:spiffe://ops.example.org/admin/eve", false, IDENTITY_FOREIGN_DOMAIN, 1 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct peer *p = meet_spec(f, &(struct pki_spec){ .name = "who", .san = rows[i].san }, rows[i].ops ? &f->ops_ca : &f->ca);
		const struct identity *id = peer_identity(p);

		if (id->fault != rows[i].want || id->uris_len != rows[i].uris)
			fail_msg("%s: fault %d, %zu names", rows[i].name, id->fault, id->uris_len);
		if ((id->uri.len > 0) != (rows[i].want == IDENTITY_FINE))
			fail_msg("%s: uri is \"%.*s\"", rows[i].name, SLICE_ARG(id->uri));
		peer_free(p);
	}
}

/* what OpenSSL's own text form cannot say: raw bytes as a URI name */
static void test_raw_names(void **state)
{
	static const struct {
		const char *name;
		struct slice uri;
	} rows[] = {
		{ "NUL inside", SLICE_INIT(ID "\0.evil.example") },
		{ "NUL at the end", SLICE_INIT(ID "\0") },
		{ "newline", SLICE_INIT(ID "\n") },
		{ "byte above 127", SLICE_INIT(ID "\xc3\xa4") },
		{ "empty", SLICE_INIT("") },
		{ "longer than any id", SLICE_INIT("spiffe://example.org/" TEN(TEN("0123456789")) TEN(TEN("0123456789")) TEN(TEN("0123456789"))) },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pki_cert who = pki_make(&(struct pki_spec){ .name = "who" }, &f->ca);
		GENERAL_NAMES *names = GENERAL_NAMES_new();
		GENERAL_NAME *name = GENERAL_NAME_new();
		ASN1_IA5STRING *text = ASN1_IA5STRING_new();
		struct pki_client c;
		bool resumed;

		ASN1_STRING_set(text, rows[i].uri.ptr, (int)rows[i].uri.len);
		GENERAL_NAME_set0_value(name, GEN_URI, text);
		sk_GENERAL_NAME_push(names, name);
		assert_int_equal(X509_add1_ext_i2d(who.cert, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT), 1);
		assert_true(X509_sign(who.cert, f->ca.key, EVP_sha256()) > 0);
		GENERAL_NAMES_free(names);
		pki_client_init(&c, &who, NULL);

		struct peer *p = meet(f, &c, &resumed);

		if (peer_identity(p)->fault != IDENTITY_BAD_NAME || peer_identity(p)->uri.len != 0)
			fail_msg("%s: fault %d", rows[i].name, peer_identity(p)->fault);
		peer_free(p);
		pki_client_done(&c);
		pki_free(&who);
	}
}

static void test_fields(void **state)
{
	struct fixture *f = *state;
	struct pki_cert who = pki_make(&(struct pki_spec){ .name = "a, b=c", .san = "URI:" ID }, &f->ca);
	unsigned char digest[32], *der = NULL;
	struct pki_client c;
	bool resumed;

	pki_client_init(&c, &who, NULL);

	struct peer *p = meet(f, &c, &resumed);
	const struct identity *id = peer_identity(p);
	int len = i2d_PUBKEY(who.key, &der);

	assert_true(slice_eq(id->uri, SLICE(ID)));
	assert_true(slice_eq(id->subject, SLICE("CN=a\\, b=c")));
	assert_true(slice_eq(id->peer, SLICE("192.0.2.7:4711")));
	assert_int_equal(X509_digest(who.cert, EVP_sha256(), digest, NULL), 1);
	assert_memory_equal(id->fingerprint, digest, 32);
	assert_true(slice_eq(id->spki, slice_from((const char *)der, (size_t)len)));
	assert_int_equal(id->not_after - id->not_before, 3660);
	OPENSSL_free(der);
	peer_free(p);
	pki_client_done(&c);
	pki_free(&who);
}

/* The chain that verified a client is not there any more when its session is resumed; the ticket has carried it. */
static void test_resumed(void **state)
{
	struct fixture *f = *state;

	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct pki_cert good = pki_make(&(struct pki_spec){ .name = "a", .san = "URI:" ID }, &f->middle);
		struct pki_cert foreign = pki_make(&(struct pki_spec){ .name = "b", .san = "URI:" ID }, &f->ops_ca);

		for (int i = 0; i < 2; i++) {
			struct pki_client c;

			pki_client_init(&c, i == 0 ? &good : &foreign, i == 0 ? f->middle.cert : NULL);
			SSL_CTX_set_max_proto_version(c.ctx, version);
			for (int round = 0; round < 3; round++) {
				bool resumed;
				struct peer *p = meet(f, &c, &resumed);

				assert_int_equal(resumed, round > 0);
				assert_int_equal(peer_identity(p)->fault, i == 0 ? IDENTITY_FINE : IDENTITY_FOREIGN_DOMAIN);
				peer_free(p);
			}
			pki_client_done(&c);
		}
		pki_free(&good);
		pki_free(&foreign);
	}
}

static void test_judged_again(void **state)
{
	struct fixture *f = *state;
	struct pki_cert who = pki_make(&(struct pki_spec){ .name = "a", .san = "URI:" ID }, &f->ca);
	struct pki_client c;
	bool resumed;

	pki_client_init(&c, &who, NULL);

	struct peer *p = meet(f, &c, &resumed);

	assert_true(peer_judge(p, trust(f)));
	assert_int_equal(peer_identity(p)->fault, IDENTITY_FINE);

	/* its domain is taken from its CA, and given back */
	f->domains[0].ca_file = f->domains[1].ca_file;
	reload(f);
	assert_true(peer_judge(p, trust(f)));
	assert_int_equal(peer_identity(p)->fault, IDENTITY_FOREIGN_DOMAIN);
	assert_int_equal(peer_identity(p)->uri.len, 0);
	f->domains[0].ca_file = pki_path(&f->folder, "a.pem");
	reload(f);
	assert_true(peer_judge(p, trust(f)));
	assert_int_equal(peer_identity(p)->fault, IDENTITY_FINE);

	/* it is revoked */
	f->tls.client_ca = f->domains[0].ca_file;
	f->tls.crl = pki_write_crl(&f->folder, "a.crl", pki_crl(&f->ca, who.cert, 3600));
	reload(f);
	assert_false(peer_judge(p, trust(f)));

	/* its CA goes */
	f->tls.crl = SLICE("");
	f->tls.client_ca = f->domains[1].ca_file;
	reload(f);
	assert_false(peer_judge(p, trust(f)));
	peer_free(p);
	pki_client_done(&c);
	pki_free(&who);
}

/* With the chain that was sent, an intermediate is no obstacle; resumed, it must fail and not be guessed. */
static void test_judged_again_with_a_chain(void **state)
{
	struct fixture *f = *state;
	struct pki_cert who = pki_make(&(struct pki_spec){ .name = "a", .san = "URI:" ID }, &f->middle);
	struct pki_client c;
	bool resumed;

	pki_client_init(&c, &who, f->middle.cert);
	for (int round = 0; round < 2; round++) {
		struct peer *p = meet(f, &c, &resumed);

		assert_int_equal(resumed, round == 1);
		assert_int_equal(peer_judge(p, trust(f)), round == 0);
		peer_free(p);
	}
	pki_client_done(&c);
	pki_free(&who);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_raw_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fields, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resumed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_judged_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_judged_again_with_a_chain, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
