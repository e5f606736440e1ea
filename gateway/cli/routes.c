/* routes.c - `weir routes`: the route table as it is compiled in. */
#include "cli/cli.h"

#include "backends/router.h"
#include "base/json.h"

#include <getopt.h>
#include <stdio.h>

static const char *const how_names[] = { [HOW_INJ] = "INJ", [HOW_INJ_PLUS] = "INJ+", [HOW_SYN] = "SYN", [HOW_DENY] = "DENY" };

static void print_methods(struct strbuf *b, const struct route *r, const char *sep)
{
	static const struct {
		enum method bit;
		const char *name;
	} all[] = { { METHOD_GET, "GET" }, { METHOD_POST, "POST" }, { METHOD_DELETE, "DELETE" } };
	size_t start = b->len;

	if (r->methods == METHOD_ANY) {
		strbuf_lit(b, "any");
		return;
	}
	for (size_t i = 0; i < 3; i++)
		if (r->methods & all[i].bit)
			strbuf_fmt(b, "%s%s", b->len > start ? sep : "", all[i].name);
}

static void print_params(struct strbuf *b, const struct route *r, const char *sep)
{
	size_t start = b->len;

	for (enum param p = 0; p < PARAM_COUNT; p++)
		if (r->params & PARAM_BIT(p))
			strbuf_fmt(b, "%s%s", b->len > start ? sep : "", param_name(p));
}

static void print_text(struct strbuf *b, const struct dialect *d, const struct route *r)
{
	struct strbuf methods, params;

	strbuf_init(&methods, b->arena, 256);
	strbuf_init(&params, b->arena, 1024);
	print_methods(&methods, r, " ");
	print_params(&params, r, " ");
	strbuf_fmt(b, "%-21s %-9.*s %-34s %-4s %-6s %-5s %-11s %.*s\n", r->call[0] == '\0' ? "-" : r->call,
	           SLICE_ARG(strbuf_slice(&methods)), r->path, r->release, r->how == HOW_DENY ? "-" : "on", how_names[r->how], d->name,
	           SLICE_ARG(strbuf_slice(&params)));
}

static void print_json(struct strbuf *b, const struct dialect *d, const struct route *r)
{
	strbuf_fmt(b, "{\"dialect\":\"%s\",\"call\":\"%s\",\"methods\":[\"", d->name, r->call);
	print_methods(b, r, "\",\"");
	strbuf_lit(b, "\"],\"path\":");
	json_text(b, slice_cstr(r->path));
	strbuf_fmt(b, ",\"release\":\"%s\",\"switch\":\"%s\",\"how\":\"%s\",\"parameters\":[", r->release, r->how == HOW_DENY ? "-" : "on",
	           how_names[r->how]);
	if (r->params != 0) {
		strbuf_char(b, '"');
		print_params(b, r, "\",\"");
		strbuf_char(b, '"');
	}
	strbuf_lit(b, "]}\n");
}

int cli_routes(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { "help", no_argument, NULL, 'h' }, { 0 } };
	bool json = false;
	struct arena a;
	struct strbuf b;

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
		switch (c) {
		case 'j': json = true; break;
		case 'h':
			puts("usage: weir routes [--json]\n\nPrints the route table as it is compiled in: what no row names is refused.");
			return EXIT_FINE;
		default: return EXIT_USAGE;
		}
	arena_init(&a, 1 << 20);
	strbuf_init(&b, &a, 1 << 18);
	if (!json)
		strbuf_fmt(&b, "%-21s %-9s %-34s %-4s %-6s %-5s %-11s %s\n", "call", "methods", "path", "rel", "switch", "how", "dialect",
		           "parameters");
	for (size_t i = 0; i < DIALECTS_LEN; i++)
		for (size_t k = 0; k < dialect_at(i)->routes_len; k++)
			(json ? print_json : print_text)(&b, dialect_at(i), &dialect_at(i)->routes[k]);
	fwrite(b.ptr, 1, b.len, stdout);
	arena_done(&a);
	return EXIT_FINE;
}
