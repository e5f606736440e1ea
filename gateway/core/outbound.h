/* outbound.h - the one way to make an upstream request, and the only thing the upstream client takes.
 *
 * Opaque: made from a printed statement and a route row, so that no path sends client bytes.
 * Ownership: lives in the request's arena.
 */
#ifndef WEIR_CORE_OUTBOUND_H
#define WEIR_CORE_OUTBOUND_H

#include "backends/params.h"
#include "core/trace.h"

#include <stdint.h>

struct backend;
struct outbound;
struct tenant;

/* What a request is printed from. Times and counts are -1 where they are not sent. */
struct outbound_parts {
	const struct backend *backend;
	const struct route *route;
	const struct tenant *tenant;
	struct slice part;              /* the {part} of the path, decoded */
	const struct slice *texts;      /* printed and checked: the query, or each match[] */
	size_t texts_len;
	struct window window;
	int64_t timeout_ms, limit, lookback_ms;
	bool stats, gzip;
	const struct trace *trace;
};

/* GET, or POST where the row takes it and the parameters are long. ERR_LIMIT when a row that only takes GET would pass 64 KiB. */
MUST_USE enum err_code outbound_print(struct arena *a, const struct outbound_parts *p, struct outbound **ret, struct err *reterr);
/* Weir's own question to a backend; path is a constant of ours */
MUST_USE enum err_code outbound_probe(struct arena *a, const struct backend *b, struct slice path, struct outbound **ret,
                                      struct err *reterr);

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
