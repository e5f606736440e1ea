/* head.h - the strict scan of an HTTP/1 request head; pure, and the first thing done with what a client sent.
 *
 * Runs over the raw bytes, never over another parser's view of them. What it lets through is plain: one way to read the
 * framing, one canonical path, names in lower case, values without blanks around them.
 *
 * Ownership: slices of the result point into the bytes given, but for header names that had upper-case letters (libh2o has
 *            lowered them already): those are copied into the arena.
 * Errors:    the refusal of the first row that does not hold; DENY_COUNT when all do.
 */
#ifndef WEIR_SERVER_HEAD_H
#define WEIR_SERVER_HEAD_H

#include "base/arena.h"
#include "core/inbound.h"

#include <stdint.h>

#define HEAD_BYTES_MAX ((size_t)32 * 1024)
#define HEAD_TARGET_MAX ((size_t)8 * 1024)
#define HEAD_HEADERS_MAX 64

struct head_rules {
	bool allow_chunked;              /* of the listener */
	size_t max_body;                 /* of the listener; 0 = no cap */
	bool any_host;                   /* a plain listener: Host need only be well formed */
	const struct slice *hosts;       /* names of the listener's certificate: lower case, `*.` for one label; addresses */
	size_t hosts_len;
};

struct head {
	struct slice method, target;
	struct slice path, query;        /* query without its `?` */
	bool has_query;
	unsigned minor;                  /* HTTP/1.minor: 0 or 1 */
	struct slice host;               /* the Host header without a port; ptr NULL when HTTP/1.0 sent none */
	struct header headers[HEAD_HEADERS_MAX];
	size_t headers_len;
	bool chunked;
	bool has_length;
	uint64_t content_length;
	size_t len;                      /* bytes of the head, blank line included; 0 when its end was not found */

	enum deny fault;                 /* also the return value */
	char fault_text[128];            /* what exactly; empty when there is no fault */
	bool close;                      /* nothing behind this head may be read as a request */
};

/* bytes: from the request line on; what follows the head (body, further requests) may be in it. Always fills *ret as far as
 * the scan came. */
enum deny head_scan(struct arena *a, struct slice bytes, const struct head_rules *rules, struct head *ret);

#endif
