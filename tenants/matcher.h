/* matcher.h - label, operator, value: the smallest piece of every selector and every grant.
 *
 * Ownership: slices are borrowed from the arena of the request or of the snapshot.
 */
#ifndef WEIR_TENANTS_MATCHER_H
#define WEIR_TENANTS_MATCHER_H

#include "base/slice.h"

enum matcher_op { MATCH_EQ, MATCH_NE, MATCH_RE, MATCH_NRE };

struct matcher {
	struct slice name;        /* decoded; the metric name is `__name__` */
	enum matcher_op op;
	struct slice value;       /* decoded; any bytes */
};

/* an AND of matchers */
struct matchers {
	struct matcher *v;
	size_t len;
};

bool matcher_eq(const struct matcher *a, const struct matcher *b);
/* "=", "!=", "=~" or "!~" */
const char *matcher_op_text(enum matcher_op op);
/* [A-Za-z_][A-Za-z0-9_]* */
bool label_name_plain(struct slice name);

#endif
