/* duration.h - Prometheus' durations: 1h30m and the like, and what a number of seconds becomes as a duration.
 *
 * Units: seconds as a double (what the language computes with), nanoseconds as int64_t (what the backend stores).
 */
#ifndef WEIR_POLICY_LANG_DURATION_H
#define WEIR_POLICY_LANG_DURATION_H

#include "base/err.h"
#include "base/strbuf.h"

#include <stdint.h>

/* one or more of NUMBER UNIT, units falling: y w d h m s ms. ERR_SYNTAX, also when it is above 2^63-1 ns. */
MUST_USE enum err_code duration_parse(struct slice token, size_t at, double *ret_seconds, struct err *reterr);
/* prints seconds as a duration when that reads back as the very same number, else as a number */
void duration_print(struct strbuf *out, double seconds);

/* Seconds to nanoseconds as the backend rounds them. What an int64_t cannot hold, NaN too, becomes INT64_MIN, as there. */
int64_t duration_ns(double seconds);
/* true when a literal of so many seconds is refused as out of range; NaN is not */
bool duration_out_of_range(double seconds);

#endif
