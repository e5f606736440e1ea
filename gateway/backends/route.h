/* route.h - one API call of a backend dialect: a row of its table, printed by `weir routes`, tested one by one.
 *
 * The table is the allow-list: what no row names is refused.
 */
#ifndef WEIR_BACKENDS_ROUTE_H
#define WEIR_BACKENDS_ROUTE_H

#include "policy/stmt.h"
#include "tenants/grants.h"

enum method { METHOD_GET = 1, METHOD_POST = 2, METHOD_DELETE = 4, METHOD_ANY = 7 };   /* HEAD runs as GET */

/* how tenants are kept apart on a route */
enum how {
	HOW_INJ,        /* the guard is ANDed into every selector of the named parameter */
	HOW_INJ_PLUS,   /* as INJ; when the parameter is absent, one is added that holds only the guard */
	HOW_SYN,        /* Weir answers */
	HOW_DENY,       /* 404, no switch turns it on */
};

/* HINT: a new kind of parameter is a row here and a case in params.c */
enum param {
	PARAM_QUERY, PARAM_MATCH, PARAM_TIME, PARAM_START, PARAM_END, PARAM_STEP,
	PARAM_TIMEOUT, PARAM_LIMIT, PARAM_LOOKBACK, PARAM_STATS, PARAM_COUNT
};
#define PARAM_BIT(p) (1u << (p))

/* what a HOW_SYN row is answered with */
enum synthetic { SYN_NONE, SYN_FORMAT_QUERY, SYN_BUILDINFO, SYN_HEALTH };

struct route {
	const char *call;          /* "prom.query"; "" for rows that are never served */
	unsigned methods;          /* enum method, ORed */
	const char *path;          /* raw bytes; {name} is one segment; a last * is everything below */
	enum how how;
	const char *release;       /* "R1" .. "R4" */
	unsigned params;           /* PARAM_BIT of each that is taken */
	unsigned needs;            /* of these, the ones that must be there */
	enum stmt_kind_id kind;    /* of PARAM_QUERY or PARAM_MATCH */
	enum synthetic synthetic;
	int64_t default_span_ms;   /* absent start: end minus max_query_length when -1; 0 = start is not made up */
};

struct dialect {
	const char *name;          /* as in weir.yaml */
	enum signal signal;
	const struct route *routes;
	size_t routes_len;
};

#define DIALECTS_LEN 1
const struct dialect *dialect_at(size_t i);
/* NULL when there is none of that name */
const struct dialect *dialect_by_name(struct slice name);

#endif
