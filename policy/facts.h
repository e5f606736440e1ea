/* facts.h - what a policy, the cost and the audit may know of a request. Computed once from the checked tree, before
 * anything is injected; plain data.
 *
 * Ownership: slices are borrowed from the statement. Units: milliseconds; offsets as PromQL means them (positive = back).
 */
#ifndef WEIR_POLICY_FACTS_H
#define WEIR_POLICY_FACTS_H

#include "policy/stmt.h"

struct regexp_facts;

struct selector_facts {
	struct slice metric;              /* exact name, or empty */
	const struct matcher *matchers;   /* as written, the name among them as __name__ */
	size_t matchers_len;
	const struct regexp_facts **regexps;  /* one for each matcher, NULL for = and !=; NULL when there are none */
	int64_t range_ms, offset_ms;      /* of the selector itself; 0 when it has none */
	int64_t from_ms, to_ms;           /* effective time range: what this selector makes the backend read */
	double evaluations;               /* how often it is evaluated: steps, times range/step of each subquery around it */
};

struct facts {
	const char *language;             /* "promql", "match" */
	struct selector_facts *selectors; /* in source order */
	size_t selectors_len;
	struct slice *names;              /* sorted set: functions and aggregations, in lower case */
	size_t names_len;
	int64_t max_range_ms, max_offset_ms, min_offset_ms;
	size_t subqueries, at_modifiers, regexps, longest_regexp;
	size_t depth, nodes, tokens, bytes;
	bool range_dynamic;               /* a range or offset needs the request's step or range */
	int64_t from_ms, to_ms;           /* union of the selectors' effective ranges; the window's own when there is none */
	int64_t longest_ms;               /* longest effective range of one selector */
	bool is_constant;                 /* reads no series */
};

/* true when some selector excludes label=value for sure: an equality with another value, or an inequality with this one.
 * Regular expressions that are lists of plain texts count; others are taken as not excluding. */
bool facts_conflict(const struct facts *f, struct slice label, struct slice value);

#endif
