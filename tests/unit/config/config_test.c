#include "config_folder.h"

#include "backends/route.h"
#include "base/clock.h"
#include "config/files.h"
#include "config/keys.h"

#define GOOD_WEIR                                                                                                      \
	"listen:\n"                                                                                                        \
	"  - { address: \"127.0.0.1:8443\", serve: [query], tls: edge }\n"                                                 \
	"  - { address: \"127.0.0.1:9443\", serve: [admin], tls: edge }\n"                                                 \
	"  - { address: \"[::1]:8080\", serve: [health] }\n"                                                               \
	"tls:\n"                                                                                                           \
	"  edge: { certificate: edge.pem, key: edge.key, client_ca: ca.pem }\n"                                            \
	"trust_domains: { example.org: ca.pem, ops.example.org: ca.pem }\n"                                                \
	"shared_identities: [ \"spiffe://example.org/grafana\" ]\n"                                                        \
	"operators: { admin: [ \"spiffe://ops.example.org/admin/*\" ] }\n"                                                 \
	"tenants: tenants/\n"                                                                                              \
	"audit: { directory: audit, origin: weir.example.org }\n"                                                          \
	"backends:\n"                                                                                                      \
	"  metrics: { dialect: prometheus, url: \"https://prometheus:9090\", isolation: [label] }\n"                       \
	"  more: { dialect: prometheus, url: \"unix:prom.sock\", isolation: [tenant_header, label], prefix: /more }\n"

#define GOOD_ACME                                                                                                      \
	"id: acme\n"                                                                                                       \
	"backends: [metrics]\n"                                                                                            \
	"groups:\n"                                                                                                        \
	"  dev: [ \"spiffe://example.org/acme/dev/*\" ]\n"                                                                 \
	"roles:\n"                                                                                                         \
	"  developer: { groups: [dev], may: [read], grants: { metrics: [ { ns: \"dev-*\" } ] } }\n"                        \
	"policy: none\n"                                                                                                   \
	"limits: { request_rate: { per_second: 20, burst: 40 } }\n"

#define GOOD_GLOBEX                                                                                                    \
	"id: globex\n"                                                                                                     \
	"backends: [metrics, more]\n"                                                                                      \
	"groups: { all: [ \"spiffe://example.org/globex/*\" ] }\n"                                                         \
	"roles: { everyone: { groups: [all], may: [read, write], grants: all } }\n"                                        \
	"policy: none\n"

static struct config_folder *good_folder(void)
{
	struct config_folder *f = folder_new();

	folder_mkdir(f, "tenants");
	folder_write(f, "edge.pem", SLICE("x"), 0600);
	folder_write(f, "edge.key", SLICE("x"), 0600);
	folder_write(f, "ca.pem", SLICE("x"), 0600);
	folder_write(f, "weir.yaml", SLICE(GOOD_WEIR), 0600);
	folder_write(f, "tenants/acme.yaml", SLICE(GOOD_ACME), 0600);
	folder_write(f, "tenants/globex.yaml", SLICE(GOOD_GLOBEX), 0600);
	return f;
}

/* text with the first `from` replaced, followed by a zero; an empty `from` is the end of the text */
static struct slice replaced(struct arena *a, const char *text, const char *from, const char *to)
{
	const char *p = from[0] == '\0' ? text + strlen(text) : strstr(text, from);
	struct strbuf b;

	if (p == NULL)
		fail_msg("no `%s` in\n%s", from, text);
	strbuf_init(&b, a, 4 << 20);
	strbuf_add(&b, slice_from(text, (size_t)(p - text)));
	strbuf_add(&b, slice_cstr(to));
	strbuf_add(&b, slice_from(p + strlen(from), strlen(p + strlen(from)) + 1));
	return slice_from(b.ptr, b.len - 1);
}

static void expect(struct config_folder *f, const char *name, const char *want)
{
	struct snapshot *s;
	enum err_code rc = folder_load(f, &s);
	const char *got = folder_findings(f);

	if (strcmp(got, want) != 0)
		fail_msg("%s: got\n%swant\n%s", name, got, want);
	assert_int_equal(rc == ERR_OK, strstr(want, ": error: ") == NULL);
	if (rc == ERR_OK)
		snapshot_unref(s);
}

struct row {
	const char *from, *to;           /* in the file of the table */
	const char *want;                /* findings of both files, in order */
};

static void check_rows(const struct row *rows, size_t len, const char *file, const char *text)
{
	for (size_t i = 0; i < len; i++) {
		struct config_folder *f = good_folder();

		folder_write(f, file, replaced(&f->arena, text, rows[i].from, rows[i].to), 0600);
		expect(f, rows[i].to, rows[i].want);
		folder_free(f);
	}
}

#define W "weir.yaml:"
#define A "tenants/acme.yaml:"
#define G "tenants/globex.yaml:"

#include "config_rows.h"

static void mistakes_in_weir_yaml(void **state)
{
	(void)state;
	check_rows(weir_rows, sizeof(weir_rows) / sizeof(weir_rows[0]), "weir.yaml", GOOD_WEIR);
}

static void mistakes_in_a_tenant_file(void **state)
{
	(void)state;
	check_rows(tenant_rows, sizeof(tenant_rows) / sizeof(tenant_rows[0]), "tenants/acme.yaml", GOOD_ACME);
}

/* ---- what a good config becomes ---- */

static struct snapshot *loaded(struct config_folder *f)
{
	struct snapshot *s;

	if (folder_load(f, &s) != ERR_OK)
		fail_msg("%s", folder_findings(f));
	return s;
}

static bool is_below(const struct config_folder *f, struct slice path, const char *name)
{
	return path.len == strlen(f->path) + 1 + strlen(name) && slice_starts(path, slice_cstr(f->path)) &&
	       slice_eq(slice_skip(path, strlen(f->path) + 1), slice_cstr(name));
}

static void edge_of_a_good_config(void **state)
{
	struct config_folder *f = good_folder();
	struct snapshot *s = loaded(f);

	(void)state;
	assert_int_equal(s->generation, 7);
	assert_int_equal(s->listeners_len, 3);
	assert_true(slice_eq(s->listeners[0].address, SLICE("127.0.0.1:8443")));
	assert_int_equal(s->listeners[0].serve, SERVE_QUERY);
	assert_int_equal(s->listeners[0].max_body, 1 << 20);
	assert_false(s->listeners[0].allow_chunked);
	assert_true(s->listeners[0].tls == &s->tls[0]);
	assert_int_equal(s->listeners[1].serve, SERVE_ADMIN);
	assert_int_equal(s->listeners[2].serve, SERVE_HEALTH);
	assert_null(s->listeners[2].tls);
	assert_int_equal(s->tls_len, 1);
	assert_true(is_below(f, s->tls[0].certificate, "edge.pem") && is_below(f, s->tls[0].key, "edge.key"));
	assert_true(is_below(f, s->tls[0].client_ca, "ca.pem") && s->tls[0].crl.len == 0);
	assert_true(s->tls[0].tickets);
	assert_false(s->tls[0].tls12);
	assert_int_equal(s->trust_domains_len, 2);
	assert_true(slice_eq(s->trust_domains[1].name, SLICE("ops.example.org")) && is_below(f, s->trust_domains[1].ca_file, "ca.pem"));
	assert_int_equal(s->shared_identities_len, 1);
	assert_int_equal(s->operators.admin_len, 1);
	assert_true(slice_eq(s->operators.admin[0], SLICE("spiffe://ops.example.org/admin/*")));
	assert_int_equal(s->operators.monitor_len + s->operators.auditor_len, 0);
	snapshot_unref(s);
	folder_free(f);
}

static void stores_and_settings_of_a_good_config(void **state)
{
	struct config_folder *f = good_folder();
	struct snapshot *s = loaded(f);
	const struct backend *b = snapshot_backend(s, SLICE("metrics")), *more = snapshot_backend(s, SLICE("more"));

	(void)state;
	assert_true(b->dialect == dialect_by_name(SLICE("prometheus")) && b->index == 0 && more->index == 1);
	assert_true(b->tls && slice_eq(b->host, SLICE("prometheus")) && b->port == 9090 && b->base_path.len == 0 && b->prefix.len == 0);
	assert_int_equal(b->isolation, ISOLATE_LABEL);
	assert_true(slice_eq(b->label, SLICE("tenant_id")) && slice_eq(b->tenant_header, SLICE("X-Scope-OrgID")));
	assert_true(b->connect_ms == 2000 && b->first_byte_ms == 60000 && b->idle_ms == 60000 && b->total_ms == 120000);
	assert_true(b->pool_connections == 64 && b->pool_waiters == 256 && b->max_answer_bytes == 0 && b->features == 0);
	assert_true(!more->tls && is_below(f, more->unix_path, "prom.sock") && slice_eq(more->host, SLICE("localhost")));
	assert_int_equal(more->isolation, ISOLATE_LABEL | ISOLATE_HEADER);
	assert_true(slice_eq(more->prefix, SLICE("/more")));
	assert_true(is_below(f, s->audit.directory, "audit") && slice_eq(s->audit.origin, SLICE("weir.example.org")));
	assert_true(slice_eq(s->audit.instance, SLICE("main")) && !s->audit.batched && s->audit.max_delay_ms == 50);
	assert_int_equal(s->audit.body_max, 1 << 20);
	assert_true(s->process.workers == 0 && s->process.request_memory == 4 << 20 && s->process.metrics_tenants == 1000);
	assert_true(s->process.drain_timeout_ms == 30000 && s->process.drain_delay_ms == 0);
	assert_false(s->limit_headers_always);
	snapshot_unref(s);
	folder_free(f);
}

static void tenants_of_a_good_config(void **state)
{
	struct config_folder *f = good_folder();
	struct snapshot *s = loaded(f);
	const struct tenant *acme = registry_by_id(s->tenants, SLICE("acme")), *globex = registry_by_id(s->tenants, SLICE("globex")), *t;
	const struct tenant_role *r = &acme->roles[0];

	(void)state;
	assert_int_equal(registry_len(s->tenants), 2);
	assert_true(registry_find(s->tenants, SLICE("spiffe://example.org/acme/dev/ann"), &t) == 1 && t == acme);
	assert_true(acme->index == 0 && globex->index == 1 && slice_eq(acme->time_zone, SLICE("UTC")));
	assert_true(acme->backends_len == 1 && slice_eq(acme->backends[0], SLICE("metrics")));
	assert_true(acme->groups_len == 1 && slice_eq(acme->groups[0].name, SLICE("dev")) && acme->groups[0].patterns_len == 1);
	assert_true(acme->roles_len == 1 && slice_eq(r->name, SLICE("developer")) && slice_eq(r->groups[0], SLICE("dev")));
	assert_int_equal(r->may, MAY_READ);
	assert_true(r->signal_named[SIGNAL_METRICS] && !r->signal_named[SIGNAL_LOGS] && !r->signal_named[SIGNAL_TRACES]);
	assert_true(!r->grants[SIGNAL_METRICS].all && r->grants[SIGNAL_METRICS].len == 1);
	assert_true(slice_eq(r->grants[SIGNAL_METRICS].clauses[0].terms[0].values[0].text, SLICE("dev-*")));
	assert_int_equal(globex->roles[0].may, MAY_READ | MAY_WRITE);
	for (enum signal g = 0; g < SIGNAL_COUNT; g++)
		assert_true(globex->roles[0].signal_named[g] && globex->roles[0].grants[g].all);
	assert_true(acme->limits.rate[LIMIT_REQUEST_RATE].per_second == 20 && acme->limits.rate[LIMIT_REQUEST_RATE].burst == 40);
	assert_true(globex->limits.rate[LIMIT_REQUEST_RATE].per_second == 0);
	assert_false(acme->refuse_foreign_matcher || acme->limits.fixed.allow_stats);
	snapshot_unref(s);
	folder_free(f);
}

/* the rows of keys.def and the defaults that limits.c fills in are the same */
static void defaults_of_static_limits_agree(void **state)
{
	struct config_folder *f = good_folder();
	struct snapshot *s = loaded(f);
	struct static_limits got = registry_at(s->tenants, 0)->limits.fixed, want = static_limits_filled((struct static_limits){ 0 });

	(void)state;
	assert_memory_equal(&got, &want, sizeof(got));
	snapshot_unref(s);
	folder_free(f);
}

static void every_key_is_read(void **state)
{
	struct config_folder *f = good_folder();
	const struct tenant *t;
	struct snapshot *s;
	const struct backend *b;
	struct slice text;

	(void)state;
	text = replaced(&f->arena, GOOD_WEIR, "isolation: [label] }",
	                "isolation: [tenant_header], tenant_header: X-Org, features: [utf8, exp],\n"
	                "    timeouts: { connect: 5ms, first_byte: 1s, idle: 2s, total: 1h30m }, pool: { connections: 1, waiters: 0 },\n"
	                "    tls: { ca: ca.pem, certificate: edge.pem, key: edge.key } }\n");
	text = replaced(&f->arena, text.ptr, "",
	                "limits: { headers: always, defaults: { request_rate: { per_second: 0.5 }, max_query_length: 1d, min_step: 5s } }\n"
	                "process: { workers: 3, request_memory: 1MiB, metrics_tenants: 5, drain_timeout: 0, drain_delay: 1s }\n");
	folder_write(f, "weir.yaml", text, 0600);
	folder_write(f, "tenants/acme.yaml", replaced(&f->arena, GOOD_ACME, "limits: { request_rate: { per_second: 20, burst: 40 } }",
	             "limits: { max_query_length: 7d, max_query_lookback: 30d, max_points: 9, max_query_series: 8, query_timeout: 7s,\n"
	             "  max_query_expression_size_bytes: 1KiB }\n"
	             "time_zone: Europe/Berlin\nforeign_matcher: refuse\nallow_parameters: [lookback_delta, stats]"), 0600);
	s = loaded(f);
	b = &s->backends[0];
	assert_true(b->isolation == ISOLATE_HEADER && slice_eq(b->tenant_header, SLICE("X-Org")) && b->features == 5);
	assert_true(b->connect_ms == 5 && b->first_byte_ms == 1000 && b->idle_ms == 2000 && b->total_ms == 5400000);
	assert_true(b->pool_connections == 1 && b->pool_waiters == 0);
	assert_true(is_below(f, b->ca_file, "ca.pem") && is_below(f, b->cert_file, "edge.pem") && is_below(f, b->key_file, "edge.key"));
	assert_true(s->limit_headers_always && s->process.workers == 3 && s->process.request_memory == 1 << 20);
	assert_true(s->process.metrics_tenants == 5 && s->process.drain_timeout_ms == 0 && s->process.drain_delay_ms == 1000);
	t = registry_at(s->tenants, 0);
	assert_true(t->refuse_foreign_matcher && t->limits.fixed.allow_stats && t->limits.fixed.allow_lookback_delta);
	assert_true(slice_eq(t->time_zone, SLICE("Europe/Berlin")));
	assert_true(t->limits.rate[LIMIT_REQUEST_RATE].per_second == 0.5 && t->limits.rate[LIMIT_REQUEST_RATE].burst == 1);
	assert_int_equal(t->limits.fixed.max_query_length_ms, 7 * 86400000LL);
	assert_int_equal(t->limits.fixed.max_query_lookback_ms, 30 * 86400000LL);
	assert_true(t->limits.fixed.min_step_ms == 5000 && t->limits.fixed.max_points == 9 && t->limits.fixed.max_query_series == 8);
	assert_true(t->limits.fixed.query_timeout_ms == 7000 && t->limits.fixed.max_query_expression_size_bytes == 1024);
	assert_int_equal(registry_at(s->tenants, 1)->limits.fixed.max_query_length_ms, 86400000);
	snapshot_unref(s);
	folder_free(f);
}

/* ---- files around them ---- */

static void the_hash_is_of_names_and_bytes(void **state)
{
	struct config_folder *f = good_folder(), *other = good_folder();
	struct snapshot *s = loaded(f), *same = loaded(other), *next;
	char first[65];

	(void)state;
	assert_string_equal(s->hash_hex, same->hash_hex);      /* wherever the folder lies */
	assert_int_equal(strlen(s->hash_hex), 64);
	memcpy(first, s->hash_hex, sizeof(first));
	folder_write(f, "tenants/globex.yaml", SLICE(GOOD_GLOBEX "# a comment\n"), 0600);
	next = loaded(f);
	assert_string_not_equal(next->hash_hex, first);
	snapshot_unref(next);
	folder_write(f, "tenants/globex.yaml", SLICE(GOOD_GLOBEX), 0600);
	folder_write(f, "tenants/zz.yaml", SLICE(GOOD_GLOBEX), 0600);
	{
		char path[128];

		snprintf(path, sizeof(path), "%s/tenants/globex.yaml", f->path);
		assert_int_equal(unlink(path), 0);
	}
	next = loaded(f);
	assert_string_not_equal(next->hash_hex, first);        /* the same bytes under another name */
	snapshot_unref(next);
	snapshot_unref(s);
	snapshot_unref(same);
	folder_free(f);
	folder_free(other);
}

static void files_that_others_can_use(void **state)
{
	struct config_folder *f = good_folder();

	(void)state;
	folder_write(f, "edge.key", SLICE("x"), 0604);
	folder_write(f, "tenants/acme.yaml", SLICE(GOOD_ACME), 0602);
	folder_write(f, "tenants/old.yml", SLICE("x"), 0600);
	folder_write(f, "tenants/.hidden.yaml", SLICE("x"), 0600);
	folder_write(f, "tenants/README.md", SLICE("x"), 0600);
	expect(f, "modes",
	       W "6:39: warning: key: everybody on this machine can use edge.key (mode 604): take the rights of others away\n"
	       W "10:10: warning: old.yml in the folder is not read: tenant files end in .yaml\n"
	       A "0:0: warning: everybody on this machine may change this file (mode 602)\n");
	folder_free(f);
}

static void a_folder_without_tenants(void **state)
{
	struct config_folder *f = good_folder();
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/tenants/acme.yaml", f->path);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/tenants/globex.yaml", f->path);
	assert_int_equal(unlink(path), 0);
	expect(f, "none", W "10:10: warning: there is no tenant: nobody can do anything\n");
	folder_mkdir(f, "tenants/folder.yaml");
	expect(f, "a folder", "tenants/folder.yaml:0:0: error: tenants/folder.yaml is not a regular file\n");
	folder_free(f);
}

static void copy_in(struct config_folder *f, const char *from, const char *to)
{
	struct slice text;
	unsigned mode;
	struct err e;

	if (files_read(&f->arena, slice_cstr(from), 1 << 20, &text, &mode, &e) != ERR_OK)
		fail_msg("%s", e.text);
	folder_write(f, to, text, 0600);
}

static void the_shipped_examples(void **state)
{
	static const char *const named[] = { "certs/edge.pem", "certs/edge.key", "certs/clients.pem", "certs/operators.pem" };
	struct config_folder *f = folder_new();

	(void)state;
	folder_mkdir(f, "tenants");
	folder_mkdir(f, "certs");
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		folder_write(f, named[i], SLICE("x"), 0600);
	copy_in(f, WEIR_SOURCE_DIR "/deploy/weir.yaml", "weir.yaml");
	copy_in(f, WEIR_SOURCE_DIR "/tenants/examples/acme.yaml", "tenants/acme.yaml");
	copy_in(f, WEIR_SOURCE_DIR "/tenants/examples/globex.yaml", "tenants/globex.yaml");
	expect(f, "examples", "");
	folder_free(f);
}

static void errors_of_all_files_at_once(void **state)
{
	struct config_folder *f = good_folder();

	(void)state;
	folder_write(f, "weir.yaml", replaced(&f->arena, GOOD_WEIR, "audit: {", "audit: { colour: red,"), 0600);
	folder_write(f, "tenants/acme.yaml", SLICE("id: [\n"), 0600);
	folder_write(f, "tenants/globex.yaml", SLICE("- a\n"), 0600);
	folder_write(f, "tenants/third.yaml", SLICE(""), 0600);
	expect(f, "all",
	       W "11:10: error: unknown key \"colour\"; known here: directory, origin, instance, durability, on_failure, body_max, max_delay\n"
	       A "2:1: error: not YAML: did not find expected node content while parsing a flow node\n"
	       G "1:1: error: a tenant file must be a map, not a list\n"
	       "tenants/third.yaml:1:1: error: the file is empty\n");
	folder_free(f);
}

static void names_are_bounded(void **state)
{
	struct config_folder *f = good_folder();
	struct strbuf b;

	(void)state;
	strbuf_init(&b, &f->arena, 1 << 20);
	strbuf_lit(&b, "backends: [ metrics");
	for (int i = 0; i < 1000; i++)
		strbuf_fmt(&b, ", b%d", i);
	strbuf_lit(&b, " ]");
	strbuf_char(&b, '\0');
	folder_write(f, "tenants/acme.yaml", replaced(&f->arena, GOOD_ACME, "backends: [metrics]", b.ptr), 0600);
	strbuf_init(&b, &f->arena, 1 << 20);
	strbuf_lit(&b, "groups:\n");
	for (int i = 0; i < 1001; i++)
		strbuf_fmt(&b, "  g%d: []\n", i);
	strbuf_char(&b, '\0');
	folder_write(f, "tenants/globex.yaml",
	             replaced(&f->arena, GOOD_GLOBEX, "groups: { all: [ \"spiffe://example.org/globex/*\" ] }\n", b.ptr), 0600);
	expect(f, "many names",
	       A "2:11: error: backends names more than 1000\n"
	       G "4:3: error: groups names more than 1000\n"
	       G "1005:31: error: there is no group \"all\"\n");
	folder_free(f);
}

static void a_config_that_cannot_be_read(void **state)
{
	struct config_folder *f = folder_new();
	struct config_options o = { .generation = 1 };
	struct snapshot *s;
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/weir.yaml", f->path);
	assert_int_equal(config_load(slice_cstr(path), &o, &s, &f->report), ERR_NOT_FOUND);
	assert_int_equal(f->report.errors, 1);
	assert_int_equal(config_load(slice_cstr(f->path), &o, &s, &f->report), ERR_IO);
	assert_int_equal(config_load(SLICE(""), &o, &s, &f->report), ERR_IO);
	folder_free(f);
}

/* relative to the working directory; findings name files as the command line did */
static void relative_paths(void **state)
{
	struct config_folder *f = good_folder();
	struct config_options o = { .generation = 1 };
	struct snapshot *s;
	char here[512];
	const char *base = strrchr(f->path, '/') + 1;
	struct strbuf path;

	(void)state;
	assert_non_null(getcwd(here, sizeof(here)));
	folder_write(f, "tenants/acme.yaml", SLICE(GOOD_ACME "x: y\n"), 0600);
	assert_int_equal(chdir(f->path), 0);
	assert_int_equal(config_load(SLICE("weir.yaml"), &o, &s, &f->report), ERR_INVALID);
	assert_true(slice_eq(f->report.v[0].at.file, SLICE("tenants/acme.yaml")));
	assert_int_equal(chdir(".."), 0);
	strbuf_init(&path, &f->arena, 256);
	strbuf_fmt(&path, "%s/weir.yaml", base);
	report_init(&f->report, &f->arena);
	assert_int_equal(config_load(strbuf_slice(&path), &o, &s, &f->report), ERR_INVALID);
	assert_true(slice_starts(f->report.v[0].at.file, slice_cstr(base)));
	folder_write(f, "tenants/acme.yaml", SLICE(GOOD_ACME), 0600);
	report_init(&f->report, &f->arena);
	assert_int_equal(config_load(strbuf_slice(&path), &o, &s, &f->report), ERR_OK);
	assert_true(is_below(f, s->tls[0].key, "edge.key"));
	assert_int_equal(chdir(here), 0);
	snapshot_unref(s);
	folder_free(f);
}

/* ---- reload, size, memory ---- */

static void keys_that_need_a_restart(void **state)
{
	struct config_folder *f = good_folder();
	struct snapshot *now = loaded(f), *next;
	struct slice text;
	size_t rows = 0;

	(void)state;
	for (enum key k = 0; k < KEY_COUNT; k++)
		rows += key_row(k)->reload == RELOAD_RESTART;
	assert_int_equal(rows, 10);              /* a new one needs a line in restart.c, and one here */
	text = replaced(&f->arena, GOOD_WEIR, "127.0.0.1:8443", "127.0.0.1:8444");
	text = replaced(&f->arena, text.ptr, "directory: audit", "directory: log, durability: batched");
	text = replaced(&f->arena, text.ptr, "", "process: { workers: 2, drain_delay: 1s }\n");
	folder_write(f, "weir.yaml", text, 0600);
	next = loaded(f);
	config_restart_keys(now, now, &f->report);
	assert_int_equal(f->report.len, 0);
	config_restart_keys(now, next, &f->report);
	assert_string_equal(folder_findings(f), "weir.yaml:0:0: warning: listen[].address has changed: it is taken up by a restart\n"
	                                        "weir.yaml:0:0: warning: audit.directory has changed: it is taken up by a restart\n"
	                                        "weir.yaml:0:0: warning: audit.durability has changed: it is taken up by a restart\n"
	                                        "weir.yaml:0:0: warning: process.workers has changed: it is taken up by a restart\n");
	snapshot_unref(now);
	snapshot_unref(next);
	folder_free(f);
}

static void a_thousand_tenants_in_a_second(void **state)
{
	struct config_folder *f = good_folder();
	struct snapshot *s;
	int64_t began;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		char name[64], text[1024];

		snprintf(name, sizeof(name), "tenants/t%d.yaml", i);
		snprintf(text, sizeof(text),
		         "id: t%d\nbackends: [metrics]\ngroups:\n  svc: [ \"spiffe://example.org/t%d/svc/*\" ]\n"
		         "  dev: [ \"spiffe://example.org/t%d/dev/*\", \"spiffe://example.org/grafana\" ]\n"
		         "roles:\n  writer: { groups: [svc], may: [write] }\n"
		         "  developer: { groups: [dev], may: [read], grants: { metrics: [ { ns: \"dev-*\" }, { ns: shared, team: x } ] } }\n"
		         "policy: none\nlimits: { request_rate: { per_second: 20, burst: 40 } }\n", i, i, i);
		folder_write(f, name, slice_cstr(text), 0600);
	}
	began = clock_mono_us(clock_system());
	s = loaded(f);
	print_message("1,000 tenants in %lld ms\n", (long long)(clock_mono_us(clock_system()) - began) / 1000);
	assert_int_equal(registry_len(s->tenants), 1002);
	assert_true(clock_mono_us(clock_system()) - began < 5000000);   /* with sanitizers, on a busy machine; the goal is 1 s without */
	snapshot_unref(s);
	folder_free(f);
}

static void memory_may_end_anywhere(void **state)
{
	struct config_folder *f = good_folder();
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/weir.yaml", f->path);
	for (long n = 1;; n++) {
		struct config_options o = { .generation = 1, .fail_in = n };
		struct snapshot *s;
		enum err_code rc;

		report_init(&f->report, &f->arena);
		rc = config_load(slice_cstr(path), &o, &s, &f->report);
		if (rc == ERR_OK) {
			snapshot_unref(s);
			break;
		}
		assert_true(f->report.errors > 0);
		assert_true(n < 5000);
	}
	folder_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_in_weir_yaml),
		cmocka_unit_test(mistakes_in_a_tenant_file),
		cmocka_unit_test(edge_of_a_good_config),
		cmocka_unit_test(stores_and_settings_of_a_good_config),
		cmocka_unit_test(tenants_of_a_good_config),
		cmocka_unit_test(defaults_of_static_limits_agree),
		cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(the_hash_is_of_names_and_bytes),
		cmocka_unit_test(files_that_others_can_use),
		cmocka_unit_test(a_folder_without_tenants),
		cmocka_unit_test(the_shipped_examples),
		cmocka_unit_test(errors_of_all_files_at_once),
		cmocka_unit_test(names_are_bounded),
		cmocka_unit_test(a_config_that_cannot_be_read),
		cmocka_unit_test(relative_paths),
		cmocka_unit_test(keys_that_need_a_restart),
		cmocka_unit_test(a_thousand_tenants_in_a_second),
		cmocka_unit_test(memory_may_end_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
