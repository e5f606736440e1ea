/* regexp.h - reads RE2 syntax, and answers the three questions that confinement asks of a regular expression: is it valid,
 * can it match the empty text, is it only a list of plain texts. It never runs one.
 *
 * Source:    RE2 syntax as Go's regexp/syntax takes it with the flags of Prometheus' matchers (Perl flags, `.` meets newline);
 *            repeat counts to 1,000, also multiplied when nested, and nesting to 1,000 are RE2's own limits; ours are in
 *            regexp_check.
 * Errors:    ERR_INVALID with the offset: the backend would refuse it too. ERR_LIMIT with rule "regexp_bytes" (over 8 KiB),
 *            "regexp_depth" (over 100 groups, or a tree near RE2's own limit) or "regexp_size" (program over RE2's own
 *            limit): only we refuse. Never more lenient than the backend.
 */
#ifndef WEIR_POLICY_LANG_REGEXP_H
#define WEIR_POLICY_LANG_REGEXP_H

#include "base/err.h"
#include "base/arena.h"

#define REGEXP_BYTES_MAX 8192
#define REGEXP_DEPTH_MAX 100

struct regexp_facts {
	bool nullable;                 /* anchored at both ends, it matches the empty text; true when a construct is not understood */
	bool plain;                    /* matches exactly the texts below and nothing else */
	const struct slice *texts;     /* when plain: at most 64, unescaped, in order of appearance */
	size_t texts_len;
	size_t depth;
};

MUST_USE enum err_code regexp_check(struct arena *a, struct slice re, struct regexp_facts *ret, struct err *reterr);

#endif
