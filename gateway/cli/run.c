/* run.c - `weir run`: the gateway. Signals are main's alone: SIGHUP reloads, SIGTERM and SIGINT drain. */
#include "cli/cli.h"
#include "cli/gateway.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

/* sysexits.h EX_CONFIG: the config or the audit log cannot be used */
#define EXIT_CONFIG 78

static const char usage[] =
	"usage: weir run -c weir.yaml [--accept-damage]\n"
	"\n"
	"Runs the gateway. SIGHUP reloads config, tenants and certificates; SIGTERM drains and ends.\n"
	"\n"
	"  -c, --config FILE   the config\n"
	"  --accept-damage     start although the audit log is damaged; the damage is recorded\n";

static void raise_descriptors(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &r) != 0)
			perror("weir run: setrlimit");
	}
}

static int serve(const char *config, bool accept_damage)
{
	struct gateway *g = NULL;
	sigset_t set;
	int sig = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);      /* before any thread: all inherit it */
	raise_descriptors();
	if (!gateway_open(config, accept_damage, &g))
		return EXIT_CONFIG;
	while (sig != SIGTERM && sig != SIGINT)
		if (sigwait(&set, &sig) == 0 && sig == SIGHUP)
			gateway_reload(g);
	gateway_drain(g);
	gateway_free(g);
	return 0;
}

int cli_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "accept-damage", no_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char *config = NULL;
	bool accept_damage = false;

	for (int c; (c = getopt_long(argc, argv, "c:", options, NULL)) != -1;)
		switch (c) {
		case 'c': config = optarg; break;
		case 'd': accept_damage = true; break;
		case 'h': fputs(usage, stdout); return 0;
		default: return 2;
		}
	if (config == NULL || optind != argc) {
		fputs(usage, stderr);
		return 2;
	}
	return serve(config, accept_damage);
}
