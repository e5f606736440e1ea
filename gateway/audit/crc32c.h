/* crc32c.h - CRC-32C (Castagnoli), by the processor's own instruction where there is one.
 *
 * Finds torn and decayed blocks; it is no protection against a person, the tree's hashes are.
 * Threads: all.
 */
#ifndef WEIR_AUDIT_CRC32C_H
#define WEIR_AUDIT_CRC32C_H

#include "base/slice.h"

#include <stdint.h>

/* goes on from the result of an earlier call; begin with 0 */
uint32_t crc32c(uint32_t crc, struct slice in);
/* the same without the instruction, for machines that lack it */
uint32_t crc32c_portable(uint32_t crc, struct slice in);

#endif
