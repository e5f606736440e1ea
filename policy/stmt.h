/* stmt.h - one shape for all that arrives: a list of label sets in a time window, that can be looked at, narrowed,
 * and printed whole again. Policy, cost, rewriting and audit are written once, against this.
 *
 * Ownership: a statement and all it points to live in the arena given to stmt_parse.
 * Errors:    ERR_SYNTAX, ERR_INVALID (the backend would refuse it too), ERR_STRICT (only we refuse; `rule` says why),
 *            ERR_LIMIT (`rule` names the limit), ERR_NOMEM. A refusal leaves nothing to release.
 */
#ifndef WEIR_POLICY_STMT_H
#define WEIR_POLICY_STMT_H

#include "base/err.h"
#include "base/strbuf.h"
#include "tenants/matcher.h"

#define STMT_TEXT_MAX ((size_t)1024 * 1024)   /* of what we print */
#define STMT_SETS_MAX 256

struct facts;

/* milliseconds since 1970; an instant query has start == end and step 0 */
struct window {
	int64_t start_ms, end_ms, step_ms;
};

/* the matchers of one selector; its owner in the tree prints from here, so an AND here is an AND there */
struct label_set {
	struct matcher *v;
	size_t len, cap;
	size_t at;                    /* byte offset of the selector in the text */
};

struct label_sets {
	struct label_set **v;         /* in source order */
	size_t len, cap;
};

enum stmt_effect { EFFECT_READ, EFFECT_WRITE, EFFECT_RULES };

/* what the backend is set to accept beyond a stock one */
enum stmt_feature { FEATURE_EXPERIMENTAL = 1, FEATURE_FILL = 2, FEATURE_UTF8 = 4 };

struct stmt_options {
	unsigned features;            /* enum stmt_feature, ORed */
	struct window window;
	int64_t lookback_ms;          /* 0 = 5 minutes */
	size_t max_bytes;             /* 0 = the language's own limit */
};

struct stmt {
	const struct stmt_kind *kind;
	struct arena *arena;
	struct stmt_options options;
	struct label_sets sets;
	struct label_set *few_sets[4];/* where sets.v begins */
	/* The text is our own print: limits on size and counts do not apply again, and it is padded (lang/lexer.h). */
	bool is_second_reading;
	void *tree;                   /* only the kind's own file looks inside */
};

/* One row of stmt.def. A kind that cannot do an operation leaves it NULL and is refused there. */
struct stmt_kind {
	const char *name;             /* "promql", "match" */
	enum stmt_effect effect;
	enum err_code (*parse)(struct stmt *s, struct slice in, struct err *reterr);
	enum err_code (*print)(const struct stmt *s, struct strbuf *out);
	enum err_code (*facts)(struct arena *a, const struct stmt *s, struct facts *ret, struct err *reterr);
	/* the facts that need the window: adds them to what facts() found */
	enum err_code (*times)(struct arena *a, const struct stmt *s, struct facts *ret, struct err *reterr);
	/* same tree, matchers of a selector as sets; both of this kind */
	bool (*equal)(const struct stmt *x, const struct stmt *y);
};

enum stmt_kind_id {
#define STMT(sym, kind) sym,
#include "policy/stmt.def"
#undef STMT
	STMT_KIND_COUNT
};

const struct stmt_kind *stmt_kind_by_id(enum stmt_kind_id id);
/* NULL when there is none of that name */
const struct stmt_kind *stmt_kind_by_name(struct slice name);

MUST_USE enum err_code stmt_parse(struct arena *a, const struct stmt_kind *k, const struct stmt_options *options,
                                  struct slice in, struct stmt **ret, struct err *reterr);
/* AND into every set; the very same matcher is not written twice */
MUST_USE enum err_code stmt_narrow(struct stmt *s, const struct matchers *m, struct err *reterr);
/* AND into one set; `set` is one of s->sets */
MUST_USE enum err_code stmt_narrow_set(struct stmt *s, struct label_set *set, const struct matchers *m, struct err *reterr);
MUST_USE enum err_code stmt_facts(struct arena *a, const struct stmt *s, struct facts *ret, struct err *reterr);
/* The facts that need no window: all but the effective times, evaluations, and ranges or offsets that are expressions.
 * For tools; a request is judged by stmt_facts. */
MUST_USE enum err_code stmt_shape(struct arena *a, const struct stmt *s, struct facts *ret, struct err *reterr);
/* canonical text; the same statement always prints the same bytes. ERR_LIMIT when out is full. */
MUST_USE enum err_code stmt_print(const struct stmt *s, struct strbuf *out);
bool stmt_equal(const struct stmt *x, const struct stmt *y);

/* The last wall before a backend: prints s, parses the text again under the same options, compares the trees and checks
 * that every selector of the second tree holds every matcher of `guard` (may be empty). *text is what may be sent. Any
 * difference is ERR_BUG: nothing may be sent. */
MUST_USE enum err_code stmt_print_checked(struct arena *a, const struct stmt *s, const struct matchers *guard,
                                          struct slice *text, struct err *reterr);

/* used by the kinds: appends a set, enforcing the limit on their number; at = byte offset of the selector */
MUST_USE enum err_code stmt_add_set(struct stmt *s, struct label_set *set, struct err *reterr);
MUST_USE enum err_code label_set_add(struct arena *a, struct label_set *set, const struct matcher *m, struct err *reterr);

#endif
