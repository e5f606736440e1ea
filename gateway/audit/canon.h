/* canon.h - canonical JSON (RFC 8785) for the public part of a leaf: keys sorted, no blanks, integers only.
 *
 * One value has one text, so that what was signed can be checked from what was parsed.
 * Errors:  ERR_INVALID for keys that are not ascending ASCII, for real numbers, for integers beyond +-(2^53-1) and for
 *          depth over 8. A text that does not fit sets `full` of the buffer.
 */
#ifndef WEIR_AUDIT_CANON_H
#define WEIR_AUDIT_CANON_H

#include "base/json.h"

#define CANON_INT_MAX (((int64_t)1 << 53) - 1)

MUST_USE enum err_code canon_print(const struct json_value *v, struct strbuf *out, struct err *reterr);

#endif
