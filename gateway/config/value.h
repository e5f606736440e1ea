/* value.h - numbers, sizes and durations as an operator writes them.
 *
 * Errors: ERR_INVALID with a sentence that says how it is written.
 */
#ifndef WEIR_CONFIG_VALUE_H
#define WEIR_CONFIG_VALUE_H

#include "base/err.h"

/* digits; at most 2^63 - 1 */
MUST_USE enum err_code value_count(struct slice s, int64_t *ret, struct err *reterr);
/* digits, perhaps a fraction: 200, 0.5 */
MUST_USE enum err_code value_number(struct slice s, double *ret, struct err *reterr);
/* bytes: digits and B, KiB, MiB or GiB; digits alone are bytes */
MUST_USE enum err_code value_size(struct slice s, int64_t *ret, struct err *reterr);
/* milliseconds: parts of w, d, h, m, s, ms, the larger first: 1h30m; or 0 */
MUST_USE enum err_code value_duration(struct slice s, int64_t *ret_ms, struct err *reterr);

#endif
