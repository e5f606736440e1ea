/* audit.c - `weir audit`: reads the log. `cat` prints records in order, from the files alone: no lock, no index, no key. */
#include "cli/cli.h"

#include "audit/reader.h"
#include "audit/record.h"
#include "base/json.h"
#include "config/config.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define RECORD_MEMORY ((size_t)8 << 20)
#define TEXT_MAX ((size_t)2 << 20)
#define CONFIG_MEMORY ((size_t)8 << 20)
#define FOLLOW_WAIT_MS 1000

static const char usage[] =
	"usage: weir audit cat (-c weir.yaml | --directory DIR) [--json] [--follow] [FROM[-TO]]\n"
	"\n"
	"Prints the records of the audit log, oldest first; with numbers, those indexes of the newest shard.\n"
	"\n"
	"  -c, --config FILE   finds the log by the config\n"
	"  --directory DIR     the log's folder\n"
	"  --json              one JSON object a line: shard, index, public, private\n"
	"  --follow            goes on as records are written, until interrupted\n"
	"\n"
	"Exit status: 0 fine, 1 records are missing or broken, 2 it could not run.\n";

struct cat {
	const char *config, *directory;
	bool json;
	struct reader_options options;
};

/* HINT: names of the private tags, as --json prints them; a tag without a name prints as its number, its value as hex */
static const char *const tag_names[] = {
	[RECORD_TAG_SALT] = "salt", [RECORD_TAG_SUBJECT] = "subject", [RECORD_TAG_URI] = "uri",
	[RECORD_TAG_FINGERPRINT] = "fingerprint", [RECORD_TAG_PEER] = "peer", [RECORD_TAG_TARGET] = "target",
	[RECORD_TAG_HEADER] = "header", [RECORD_TAG_BODY] = "body", [RECORD_TAG_QUERY_SENT] = "query_sent",
	[RECORD_TAG_REASON] = "reason", [RECORD_TAG_TRACEPARENT] = "traceparent", [RECORD_TAG_CUT] = "cut",
	[RECORD_TAG_SHADOW] = "shadow", [RECORD_TAG_FACTS] = "facts",
};

static const char *tag_name(uint8_t tag)
{
	return tag < sizeof(tag_names) / sizeof(tag_names[0]) ? tag_names[tag] : NULL;
}

static bool is_binary(const struct record_item *i)
{
	return tag_name(i->tag) == NULL || i->tag == RECORD_TAG_FINGERPRINT || i->tag == RECORD_TAG_CUT || i->tag == RECORD_TAG_SALT ||
	       !utf8_valid(i->value);
}

/* what JSON leaves as it is and a terminal does not: DEL, C1 controls, marks that turn the direction of text */
static bool moves_terminal(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;

	for (size_t i = 0; i < s.len; i++) {
		size_t left = s.len - i;

		if (p[i] == 0x7f || (p[i] == 0xc2 && left > 1 && p[i + 1] < 0xa0))
			return true;
		if (p[i] == 0xe2 && left > 2 && p[i + 1] == 0x80 && (p[i + 2] == 0x8e || p[i + 2] == 0x8f))
			return true;
		if (p[i] == 0xe2 && left > 2 && p[i + 1] == 0x80 && p[i + 2] >= 0xaa && p[i + 2] <= 0xae)
			return true;
		if (p[i] == 0xe2 && left > 2 && p[i + 1] == 0x81 && p[i + 2] >= 0xa6 && p[i + 2] <= 0xa9)
			return true;
	}
	return false;
}

/* control bytes of a client never reach a terminal: text is printed as a JSON string, or as hex where that is not enough */
static void print_value(struct strbuf *b, const struct record_item *i)
{
	if (!is_binary(i) && !moves_terminal(i->value)) {
		json_text(b, i->value);
		return;
	}
	strbuf_lit(b, "\"hex:");
	strbuf_hex(b, i->value.ptr, i->value.len);
	strbuf_char(b, '"');
}

static void print_key(struct strbuf *b, const struct record_item *i)
{
	const char *name = tag_name(i->tag);

	if (name != NULL)
		strbuf_add(b, slice_cstr(name));
	else
		strbuf_fmt(b, "tag_%u", i->tag);
}

/* {"uri":["..",".."],"target":[".."]}: every name once, its values in order; items ascend by tag */
static void print_private(struct strbuf *b, const struct record_view *v)
{
	strbuf_char(b, '{');
	for (size_t i = 0; i < v->items_len; i++) {
		bool first = i == 0 || v->items[i].tag != v->items[i - 1].tag;
		bool last = i + 1 == v->items_len || v->items[i + 1].tag != v->items[i].tag;

		if (first) {
			strbuf_lit(b, "\"");
			print_key(b, &v->items[i]);
			strbuf_lit(b, "\":[");
		}
		print_value(b, &v->items[i]);
		strbuf_add(b, last ? i + 1 == v->items_len ? SLICE("]") : SLICE("],") : SLICE(","));
	}
	strbuf_char(b, '}');
}

static void print_json(struct strbuf *b, const struct reader_record *r, const struct record_view *v)
{
	strbuf_lit(b, "{\"shard\":");
	json_text(b, r->shard);
	strbuf_lit(b, ",\"index\":");
	strbuf_u64(b, r->index);
	strbuf_lit(b, ",\"public\":");
	strbuf_add(b, v->public_json);
	strbuf_lit(b, ",\"private\":");
	print_private(b, v);
	strbuf_lit(b, "}\n");
}

static void print_text(struct strbuf *b, const struct reader_record *r, const struct record_view *v)
{
	strbuf_add(b, r->shard);
	strbuf_char(b, ' ');
	strbuf_u64(b, r->index);
	strbuf_char(b, ' ');
	strbuf_add(b, v->public_json);
	strbuf_char(b, '\n');
	for (size_t i = 0; i < v->items_len; i++) {
		strbuf_lit(b, "    ");
		print_key(b, &v->items[i]);
		strbuf_lit(b, ": ");
		print_value(b, &v->items[i]);
		strbuf_char(b, '\n');
	}
}

/* one record to stdout; false when it is no leaf, said on stderr */
static bool print_record(const struct cat *c, const struct reader_record *r)
{
	struct arena a;
	struct strbuf b;
	struct record_view v;
	struct err e;
	bool fine;

	if (r->lost > 0)
		fprintf(stderr, "weir audit: %llu records are missing before %llu\n", (unsigned long long)r->lost, (unsigned long long)r->index);
	arena_init(&a, RECORD_MEMORY);
	strbuf_init(&b, &a, TEXT_MAX);
	fine = record_parse(&a, r->leaf, &v, &e) == ERR_OK;
	if (fine)
		(c->json ? print_json : print_text)(&b, r, &v);
	else
		fprintf(stderr, "weir audit: record %llu: %s\n", (unsigned long long)r->index, e.text);
	fine = fine && !b.full && fwrite(b.ptr, 1, b.len, stdout) == b.len && r->lost == 0;
	arena_done(&a);
	return fine;
}

/* a descriptor that can be read once SIGINT or SIGTERM has come */
static int interrupts(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int print_all(const struct cat *c, struct reader *r)
{
	int wake = c->options.follow ? interrupts() : -1;
	bool fine = true;
	struct reader_record rec;
	struct err e;
	enum err_code rc;

	for (;;) {
		while ((rc = reader_next(r, &rec, &e)) == ERR_OK)
			fine = print_record(c, &rec) && fine;
		if (rc != ERR_NOT_FOUND || !c->options.follow)
			break;
		fflush(stdout);
		if (reader_wait(r, wake, FOLLOW_WAIT_MS))
			break;
	}
	if (wake != -1)
		close(wake);
	if (rc != ERR_NOT_FOUND)
		fprintf(stderr, "weir audit: %s\n", e.text);
	return rc == ERR_NOT_FOUND && fine ? EXIT_FINE : EXIT_NO;
}

static int cat_directory(struct cat *c, struct slice directory)
{
	struct reader *r = NULL;
	struct err e;
	int rc;

	c->options.directory = directory;
	if (reader_open(&c->options, &r, &e) != ERR_OK) {
		fprintf(stderr, "weir audit: %s\n", e.text);
		return EXIT_USAGE;
	}
	rc = print_all(c, r);
	reader_free(r);
	return rc;
}

static int cat_config(struct cat *c)
{
	struct arena a;
	struct report report;
	struct snapshot *snap = NULL;
	int rc = EXIT_USAGE;

	arena_init(&a, CONFIG_MEMORY);
	report_init(&report, &a);
	if (config_load(slice_cstr(c->config), &(struct config_options){ .generation = 1 }, &snap, &report) == ERR_OK)
		rc = cat_directory(c, snap->audit.directory);
	else
		fprintf(stderr, "weir audit: %s cannot be used; weir check says why, --directory needs no config\n", c->config);
	snapshot_unref(snap);
	arena_done(&a);
	return rc;
}

/* FROM or FROM-TO */
static bool read_range(const char *text, struct reader_options *o)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	o->ranged = true;
	o->from = o->to = strtoull(text, &end, 10);
	if (*end == '-' && end[1] >= '0' && end[1] <= '9')
		o->to = strtoull(end + 1, &end, 10);
	return *end == '\0' && o->from <= o->to;
}

static int run_cat(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' }, { "directory", required_argument, NULL, 'd' },
		{ "json", no_argument, NULL, 'j' },         { "follow", no_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },         { 0 },
	};
	struct cat c = { .options = { .shard = SLICE("") } };

	for (int o; (o = getopt_long(argc, argv, "c:", options, NULL)) != -1;)
		switch (o) {
		case 'c': c.config = optarg; break;
		case 'd': c.directory = optarg; break;
		case 'j': c.json = true; break;
		case 'f': c.options.follow = true; break;
		case 'h': fputs(usage, stdout); return EXIT_FINE;
		default: return EXIT_USAGE;
		}
	if ((c.config == NULL) == (c.directory == NULL) || argc - optind > 1 ||
	    (argc - optind == 1 && !read_range(argv[optind], &c.options))) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	return c.directory != NULL ? cat_directory(&c, slice_cstr(c.directory)) : cat_config(&c);
}

int cli_audit(int argc, char **argv)
{
	if (argc >= 2 && slice_eq(slice_cstr(argv[1]), SLICE("cat")))
		return run_cat(argc - 1, argv + 1);
	if (argc >= 2 && slice_eq(slice_cstr(argv[1]), SLICE("--help"))) {
		fputs(usage, stdout);
		return EXIT_FINE;
	}
	fputs(usage, stderr);
	return EXIT_USAGE;
}
