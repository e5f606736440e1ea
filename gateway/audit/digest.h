/* digest.h - SHA-256 and HMAC-SHA256, as the log uses them.
 *
 * Units:   a digest is 32 bytes.
 * Errors:  none; a failure of the library in these calls is no state to go on from, and aborts.
 * Threads: all.
 */
#ifndef WEIR_AUDIT_DIGEST_H
#define WEIR_AUDIT_DIGEST_H

#include "base/slice.h"

#include <stdint.h>

#define DIGEST_LEN 32

void digest_sha256(struct slice in, uint8_t ret[DIGEST_LEN]);
void digest_hmac(struct slice key, struct slice in, uint8_t ret[DIGEST_LEN]);

#endif
