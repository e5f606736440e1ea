/* cli.h - the subcommands of `weir`: one file each, one row each in main.c.
 *
 * Data go to stdout, errors to stderr. A subcommand returns the exit status.
 */
#ifndef WEIR_CLI_CLI_H
#define WEIR_CLI_CLI_H

enum exit_status {
	EXIT_FINE = 0,
	EXIT_NO = 1,              /* it ran, and the answer is no */
	EXIT_USAGE = 2,           /* it could not run: wrong options, a file that is not there */
};

/* argv[0] is the name of the subcommand */
int cli_check(int argc, char **argv);
int cli_audit(int argc, char **argv);
int cli_parse(int argc, char **argv);
int cli_routes(int argc, char **argv);
int cli_run(int argc, char **argv);
int cli_version(int argc, char **argv);

/* "0.1.0" */
const char *cli_version_text(void);

#endif
