/* gateway.h - the running process: what main holds, and what ties workers, log, limits and config together.
 *
 * Threads: everything here belongs to main; workers get what they need when they start.
 */
#ifndef WEIR_CLI_GATEWAY_H
#define WEIR_CLI_GATEWAY_H

#include "base/err.h"

struct gateway;

/* Loads the config, opens the log, the listeners and the workers. Problems are told on stderr, all at once. False: nothing is
 * left open; the process should end with 78. */
bool gateway_open(const char *config, bool accept_damage, struct gateway **ret);
/* Everything is read anew and swapped in, or the old generation stays and the log says why. */
void gateway_reload(struct gateway *g);
/* stops accepting after drain_delay; the workers end when their requests have */
void gateway_drain(struct gateway *g);
/* waits for the workers, closes the log, frees all; takes NULL */
struct gateway *gateway_free(struct gateway *g);

#endif
