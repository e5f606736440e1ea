/* version.c - `weir version`: what this binary is. The build passes the facts in; see CMakeLists.txt. */
#include "cli/cli.h"

#include "base/json.h"

#include <getopt.h>
#include <stdio.h>

static const struct {
	const char *key, *value;
} facts[] = {
	{ "version", WEIR_VERSION },
	{ "commit", WEIR_COMMIT },
	{ "build", WEIR_BUILD },
	{ "compiler", __VERSION__ },
	{ "libraries", WEIR_LIBRARIES },
};

#define FACTS (sizeof(facts) / sizeof(facts[0]))

const char *cli_version_text(void)
{
	return WEIR_VERSION;
}

static int print_json(void)
{
	struct arena arena;
	struct strbuf out;

	arena_init(&arena, 65536);
	strbuf_init(&out, &arena, 16384);
	strbuf_char(&out, '{');
	for (size_t i = 0; i < FACTS; i++) {
		if (i > 0)
			strbuf_char(&out, ',');
		json_text(&out, slice_cstr(facts[i].key));
		strbuf_char(&out, ':');
		json_text(&out, slice_cstr(facts[i].value));
	}
	strbuf_lit(&out, "}\n");

	bool written = !out.full && fwrite(out.ptr, 1, out.len, stdout) == out.len;

	arena_done(&arena);
	return written ? EXIT_FINE : EXIT_USAGE;
}

int cli_version(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' }, { "help", no_argument, NULL, 'h' }, { 0 },
	};

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c == 'j')
			return print_json();
		fputs("usage: weir version [--json]\n", c == 'h' ? stdout : stderr);
		return c == 'h' ? EXIT_FINE : EXIT_USAGE;
	}
	for (size_t i = 0; i < FACTS; i++)
		printf("%-10s %s\n", facts[i].key, facts[i].value);
	return EXIT_FINE;
}
