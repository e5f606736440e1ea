/* router.h - from method and path to a row; nothing matches = refused.
 *
 * Fixed parts of a row match raw bytes; only a {part} is percent-decoded, once. Source: the design note on endpoints, section 2.
 */
#ifndef WEIR_BACKENDS_ROUTER_H
#define WEIR_BACKENDS_ROUTER_H

#include "backends/backend.h"
#include "backends/route.h"
#include "policy/verdict.h"

struct routed {
	const struct route *route;     /* the row; set too when its method is wrong or it is closed */
	struct slice part;             /* decoded {part}, or empty; in the arena */
};

/* DENY_COUNT: found and open for `method`. Else the refusal: unknown, closed, wrong method, bad part. */
enum deny route_find(struct arena *a, const struct dialect *d, struct slice method, struct slice path, struct routed *ret);
/* "GET, HEAD, POST, OPTIONS" of a row, for Allow */
void route_allow(const struct route *r, struct strbuf *out);
/* one line of parameter names, as callers write them */
const char *param_name(enum param p);

#endif
