/* params.h - match[] parameters: a list of bare selectors, each in a text of its own, read as an OR.
 *
 * The grammar of one text is Prometheus' own entry for it: a selector without modifiers, not type-checked, that may name
 * the metric before its braces and inside; it needs a matcher that does not match the empty text.
 * stmt_parse and stmt_print take and give exactly one selector; the functions here take and give lists.
 */
#ifndef WEIR_POLICY_LANG_PARAMS_H
#define WEIR_POLICY_LANG_PARAMS_H

#include "policy/stmt.h"

extern const struct stmt_kind match_kind;

/* One statement of kind match from n texts; s->sets are the selectors, in order. From no text: one empty set, which means
 * everything and does not pass match_print_checked before it is narrowed. An error's offset counts within its text; the
 * limit on selectors counts over all. */
MUST_USE enum err_code match_new(struct arena *a, const struct stmt_options *o, const struct slice *texts, size_t n,
                                 struct stmt **ret, struct err *reterr);
/* Replaces every set by n copies, at least one, the i-th narrowed by clauses[i]: for grants that are an OR. */
MUST_USE enum err_code match_split(struct stmt *s, const struct matchers *clauses, size_t n, struct err *reterr);
/* the text of set i */
MUST_USE enum err_code match_text(const struct stmt *s, size_t i, struct strbuf *out);
/* stmt_print_checked for each set: *texts has *n of them */
MUST_USE enum err_code match_print_checked(struct arena *a, const struct stmt *s, const struct matchers *guard,
                                           struct slice **texts, size_t *n, struct err *reterr);

#endif
