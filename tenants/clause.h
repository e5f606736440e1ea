/* clause.h - one clause of a grant: an AND of terms, a term being a label and the values it may have.
 *
 * A value is a text (equal) or a text with `*` (glob; `\*` is a star). A term prints as one matcher and never matches a missing
 * label: the value `*` prints as `.+`, an empty value cannot be made.
 * Ownership: built in the arena given to the call, const afterwards.
 */
#ifndef WEIR_TENANTS_CLAUSE_H
#define WEIR_TENANTS_CLAUSE_H

#include "base/arena.h"
#include "base/err.h"
#include "tenants/matcher.h"

#define GRANT_TERMS_MAX 16              /* of one clause of a file */
#define GRANT_VALUES_MAX 256            /* of one term of a file */
#define GRANT_TEXT_MAX 4096             /* bytes of a term's values with a sign between; printed they stay within the 8 KiB that the
                                           query languages take for one regular expression */

struct grant_value {
	struct slice text;              /* glob: as written, with `*` and `\*`; else the very bytes */
	bool glob;
};

struct grant_term {
	struct slice label;
	const struct grant_value *values;   /* any of; at least one */
	size_t values_len;
};

struct grant_clause {
	const struct grant_term *terms;     /* all of, sorted by label; at least one */
	size_t terms_len;
};

/* A value as an operator or a policy writes it. A backslash not before a star is itself; the empty text and bytes that are not
 * UTF-8 are ERR_INVALID. */
MUST_USE enum err_code grant_value_parse(struct arena *a, struct slice text, struct grant_value *ret, struct err *reterr);
/* true when the label value v meets the grant's value; an empty v (a missing label) meets none */
bool grant_value_meets(const struct grant_value *g, struct slice v);
/* true when v meets one of the term's values */
bool grant_term_meets(const struct grant_term *t, struct slice v);

/* Everything that y lets through, x lets through too. False when in doubt: two different globs are never compared. */
bool grant_term_covers(const struct grant_term *x, const struct grant_term *y);
bool grant_clause_covers(const struct grant_clause *x, const struct grant_clause *y);
bool grant_term_eq(const struct grant_term *x, const struct grant_term *y);

/* x AND y: the terms of both, equal ones once, sorted by label; two different terms over one label stay two. False: no memory */
MUST_USE bool grant_clause_product(struct arena *a, const struct grant_clause *x, const struct grant_clause *y,
                                   struct grant_clause *ret);
/* x OR y for two terms over the same label, as one term. False: no memory */
MUST_USE bool grant_term_sum(struct arena *a, const struct grant_term *x, const struct grant_term *y, struct grant_term *ret);

/* bytes of the values, one more for each: held against GRANT_TEXT_MAX */
size_t grant_term_text_bytes(const struct grant_term *t);
/* The matcher that one term prints as: equality for one plain text, else an anchored regular expression in which all but our
 * own `.*`, `.+` and `|` is quoted. ERR_LIMIT above GRANT_TEXT_MAX. */
MUST_USE enum err_code grant_term_matcher(struct arena *a, const struct grant_term *t, struct matcher *ret, struct err *reterr);
/* every term as a matcher, in the order of the terms */
MUST_USE enum err_code grant_clause_matchers(struct arena *a, const struct grant_clause *c, struct matchers *ret, struct err *reterr);

#endif
