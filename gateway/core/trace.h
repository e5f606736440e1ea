/* trace.h - trace context in and out: W3C traceparent (level 1) first, B3 single and multiple headers else, a new one else.
 */
#ifndef WEIR_CORE_TRACE_H
#define WEIR_CORE_TRACE_H

#include "core/inbound.h"

struct trace {
	char id[33];                   /* lower-case hex */
	char parent[56];               /* what goes on to the backend: 00-id-newspan-flags */
	struct slice state;            /* tracestate as sent; only with a valid traceparent, else empty */
};

void trace_read(const struct inbound *in, struct trace *ret);

#endif
