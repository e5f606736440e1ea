/* process.h - the usual process_* metrics of Prometheus clients, read from /proc/self.
 *
 * Errors:  a value that cannot be read is left out; the rest is printed.
 * Threads: any.
 */
#ifndef WEIR_METRICS_PROCESS_H
#define WEIR_METRICS_PROCESS_H

#include "base/strbuf.h"

/* Prometheus text format 0.0.4, HELP and TYPE included */
void process_print(struct strbuf *out, int64_t started_wall_us);

#endif
