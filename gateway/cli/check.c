/* check.c - `weir check`: every mistake in the config and the tenant files at once, and what the files that they name hold. */
#include "cli/cli.h"

#include "base/json.h"
#include "config/config.h"
#include "io/ask.h"
#include "io/http_backends.h"
#include "server/tls.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>

#define REPORT_MEMORY ((size_t)8 << 20)
#define PROBE_TIMEOUT_MS 10000

static const char usage[] =
	"usage: weir check -c weir.yaml [--probe] [--json]\n"
	"\n"
	"Says all that is wrong with the config, the tenant files and the certificates, with file, line and column.\n"
	"\n"
	"  -c, --config FILE   the config\n"
	"  --probe             also ask each backend who it is\n"
	"  --json              the findings as one JSON object on stdout\n"
	"\n"
	"Exit status: 0 fine (there may be warnings), 1 there are errors, 2 it could not run.\n";

/* one run of the check */
struct check {
	struct arena arena;
	struct report report;
	struct slice config;
	bool json;
	struct snapshot *snap;           /* NULL when there are errors in the config itself */
};

/* what a finding that has no line is about: the config as a whole */
static struct place whole(const struct check *c)
{
	return (struct place){ .file = c->config };
}

/* ---- what stands behind the config ---- */

static void on_tls(void *ctx, enum tls_problem kind, const char *text)
{
	struct check *c = ctx;

	if (kind == TLS_ERROR)
		report_error(&c->report, whole(c), "%s", text);
	else
		report_warning(&c->report, whole(c), "%s", text);
}

static void check_tls_files(struct check *c)
{
	struct tls_set *tls = tls_set_load(c->snap, NULL, NULL, clock_system(), on_tls, c);
	struct http_backends *backends = NULL;
	struct err e;

	tls_set_unref(tls);
	if (http_backends_new(c->snap->backends, c->snap->backends_len, &backends, &e) != ERR_OK)
		report_error(&c->report, whole(c), "%s", e.text);
	http_backends_unref(backends);
}

static void on_answer(void *ctx, const struct backend *b, bool fine, const char *text)
{
	struct check *c = ctx;

	if (!fine)
		report_error(&c->report, whole(c), "backend %.*s %s", SLICE_ARG(b->name), text);
	else if (!c->json)
		printf("backend %.*s answers: %s\n", SLICE_ARG(b->name), text);
}

static void probe(struct check *c)
{
	struct err e;

	signal(SIGPIPE, SIG_IGN);
	if (ask_backends(c->snap, PROBE_TIMEOUT_MS, on_answer, c, &e) != ERR_OK)
		report_error(&c->report, whole(c), "%s", e.text);
}

/* ---- telling ---- */

static void print_text(const struct check *c)
{
	const struct report *r = &c->report;

	for (size_t i = 0; i < r->len; i++) {
		const struct finding *f = &r->v[i];

		fprintf(stderr, "%.*s:", SLICE_ARG(f->at.file));
		if (f->at.line > 0)
			fprintf(stderr, "%u:%u:", f->at.line, f->at.column);
		fprintf(stderr, " %s: %.*s\n", f->is_error ? "error" : "warning", SLICE_ARG(f->text));
	}
	if (report_left_out(r) > 0)
		fprintf(stderr, "and %zu more\n", report_left_out(r));
	if (r->errors > 0)
		fprintf(stderr, "errors: %zu, warnings: %zu\n", r->errors, r->warnings);
	else
		printf("%.*s is fine (tenants: %zu, backends: %zu, warnings: %zu; sha256 %s)\n", SLICE_ARG(c->config),
		       registry_len(c->snap->tenants), c->snap->backends_len, r->warnings, c->snap->hash_hex);
}

static void print_finding(struct strbuf *out, const struct finding *f)
{
	strbuf_lit(out, "{\"file\":");
	json_text(out, f->at.file);
	strbuf_fmt(out, ",\"line\":%u,\"column\":%u,\"severity\":\"%s\",\"text\":", f->at.line, f->at.column,
	           f->is_error ? "error" : "warning");
	json_text(out, f->text);
	strbuf_char(out, '}');
}

/* false when it could not be written */
static bool print_json(struct check *c)
{
	const struct report *r = &c->report;
	struct strbuf out;

	strbuf_init(&out, &c->arena, REPORT_MEMORY / 4);
	strbuf_fmt(&out, "{\"ok\":%s,\"errors\":%zu,\"warnings\":%zu,\"left_out\":%zu,", r->errors == 0 ? "true" : "false", r->errors,
	           r->warnings, report_left_out(r));
	if (c->snap != NULL)
		strbuf_fmt(&out, "\"sha256\":\"%s\",", c->snap->hash_hex);
	strbuf_lit(&out, "\"findings\":[");
	for (size_t i = 0; i < r->len; i++) {
		if (i > 0)
			strbuf_char(&out, ',');
		print_finding(&out, &r->v[i]);
	}
	strbuf_lit(&out, "]}\n");
	return !out.full && fwrite(out.ptr, 1, out.len, stdout) == out.len;
}

static int check(struct check *c, bool ask)
{
	struct config_options options = { .generation = 1 };
	enum err_code rc = config_load(c->config, &options, &c->snap, &c->report);
	bool told = true;

	if (rc == ERR_OK)
		check_tls_files(c);
	if (rc == ERR_OK && ask && c->report.errors == 0)
		probe(c);
	report_sort(&c->report);
	if (c->json)
		told = print_json(c);
	else
		print_text(c);
	snapshot_unref(c->snap);
	if (!told || fflush(stdout) != 0 || rc == ERR_NOT_FOUND || rc == ERR_IO || rc == ERR_NOMEM)
		return EXIT_USAGE;
	return c->report.errors > 0 ? EXIT_NO : EXIT_FINE;
}

int cli_check(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' }, { "probe", no_argument, NULL, 'p' }, { "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },         { 0 },
	};
	const char *config = NULL;
	bool ask = false, json = false;
	struct check c;
	int status;

	for (int o; (o = getopt_long(argc, argv, "c:", options, NULL)) != -1;)
		switch (o) {
		case 'c': config = optarg; break;
		case 'p': ask = true; break;
		case 'j': json = true; break;
		case 'h': fputs(usage, stdout); return EXIT_FINE;
		default: return EXIT_USAGE;
		}
	if (config == NULL || optind != argc) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	c = (struct check){ .config = slice_cstr(config), .json = json };
	arena_init(&c.arena, REPORT_MEMORY);
	report_init(&c.report, &c.arena);
	status = check(&c, ask);
	arena_done(&c.arena);
	return status;
}
