/* inbound.c - see inbound.h. */
#include "core/inbound.h"

struct slice inbound_header(const struct inbound *in, struct slice lower_name)
{
	for (size_t i = 0; i < in->headers_len; i++)
		if (slice_eq(in->headers[i].name, lower_name))
			return in->headers[i].value;
	return (struct slice){ NULL, 0 };
}
