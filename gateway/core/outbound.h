/* outbound.h - the one way to make an upstream request, and the only thing the upstream client takes.
 *
 * Opaque: made from a printed statement and a route row, so that no path sends client bytes.
 * Ownership: lives in the request's arena.
 */
#ifndef WEIR_CORE_OUTBOUND_H
#define WEIR_CORE_OUTBOUND_H

#include "base/err.h"

#include <stdint.h>

struct backend;
struct outbound;

const struct backend *outbound_backend(const struct outbound *o);
/* the whole HTTP/1.1 request: request line, headers with Host and Content-Length, body */
struct slice outbound_wire(const struct outbound *o);
/* first-byte timeout: the `timeout` that was sent plus 5 s */
int64_t outbound_first_byte_ms(const struct outbound *o);
/* true: may be sent once more when a kept connection died before the first byte of an answer */
bool outbound_repeatable(const struct outbound *o);
/* true: the method is HEAD, so that no body follows the head */
bool outbound_is_head(const struct outbound *o);

#endif
