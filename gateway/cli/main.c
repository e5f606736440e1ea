/* main.c - the `weir` command: finds the subcommand and runs it. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

/* HINT: to add a subcommand, add a file, its function in cli.h, and a row here. */
static const struct {
	const char *name;
	const char *help;
	int (*run)(int argc, char **argv);
} subcommands[] = {
	{ "run", "the gateway", cli_run },
	{ "check", "every mistake in the config and the tenant files at once", cli_check },
	{ "audit", "reads the audit log", cli_audit },
	{ "parse", "what Weir makes of queries, one JSON object a line", cli_parse },
	{ "routes", "the route table as it is compiled in", cli_routes },
	{ "version", "version, commit, build and libraries", cli_version },
};

#define SUBCOMMANDS (sizeof(subcommands) / sizeof(subcommands[0]))

static void usage(FILE *to)
{
	fputs("usage: weir SUBCOMMAND [OPTIONS]\n\n", to);
	for (size_t i = 0; i < SUBCOMMANDS; i++)
		fprintf(to, "  weir %-10s %s\n", subcommands[i].name, subcommands[i].help);
	fputs("\nweir SUBCOMMAND --help says more.\n", to);
}

int main(int argc, char **argv)
{
	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
		usage(stdout);
		return EXIT_FINE;
	}
	if (argc >= 2 && strcmp(argv[1], "--version") == 0)
		return cli_version(1, argv + 1);
	for (size_t i = 0; argc >= 2 && i < SUBCOMMANDS; i++)
		if (strcmp(argv[1], subcommands[i].name) == 0)
			return subcommands[i].run(argc - 1, argv + 1);
	if (argc >= 2)
		fprintf(stderr, "weir: there is no subcommand %s\n\n", argv[1]);
	usage(stderr);
	return EXIT_USAGE;
}
