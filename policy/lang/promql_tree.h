/* promql_tree.h - the tree of a PromQL query. Only the promql_*.c files and params.c look inside.
 *
 * Nodes mirror the original's: parentheses are nodes, a sign before a number is part of the number, a range selector is
 * two nodes. Each node is linked with its parent, its first child and its next sibling in source order, and with the node
 * made before it. A node is made when its children are complete, so walking `prev` from the root meets every node after
 * its parent: most passes over the tree are such a loop, need no recursion, and cannot miss a node.
 *
 * Ownership: everything lives in the statement's arena.
 */
#ifndef WEIR_POLICY_LANG_PROMQL_TREE_H
#define WEIR_POLICY_LANG_PROMQL_TREE_H

#include "policy/lang/promql_functions.h"
#include "policy/lang/promql_lexer.h"
#include "policy/lang/regexp.h"
#include "policy/stmt.h"

enum expr_kind {
	EXPR_NUMBER,
	EXPR_STRING,
	EXPR_SELECTOR,
	EXPR_RANGE,           /* SELECTOR [range] */
	EXPR_SUBQUERY,        /* child [range:step] */
	EXPR_PAREN,
	EXPR_UNARY,
	EXPR_BINARY,
	EXPR_AGGREGATE,       /* children: the parameter, if any, and the vector */
	EXPR_CALL,            /* children: the arguments */
};

struct expr {
	enum expr_kind kind;
	enum value_type type;
	uint32_t at;                  /* byte offset of its first token */
	uint32_t depth;               /* of the tree below, this node included */
	uint32_t index;               /* how many nodes were made before it */
	struct expr *parent, *child, *last_child, *sibling;
	struct expr *prev;
};

/* What stands in [ ] or after offset: a number of seconds, or an expression over such numbers. */
enum duration_op {
	DURATION_NUMBER,
	DURATION_STEP,
	DURATION_RANGE,
	DURATION_PAREN,
	DURATION_NEGATE,
	DURATION_PLUS,        /* offset +step(): the original keeps this one plus of all */
	DURATION_MIN_OF,
	DURATION_MAX_OF,
	/* binary operators */
	DURATION_ADD,
	DURATION_SUB,
	DURATION_MUL,
	DURATION_DIV,
	DURATION_MOD,
	DURATION_POW,
};

struct duration {
	enum duration_op op;
	uint32_t at, depth;
	bool has_unit;                /* of a NUMBER: 5m, not 300 */
	double seconds;               /* of a NUMBER */
	struct duration *left, *right;/* one child: right */
};

enum at_modifier { AT_NONE, AT_TIME, AT_START, AT_END };

/* what may follow a selector, a range or a subquery; of a range it is kept at the EXPR_RANGE */
struct modifiers {
	enum at_modifier at;
	double at_seconds;            /* as written */
	int64_t at_ms;
	struct duration *offset;      /* NULL = none or zero */
	bool anchored, smoothed;
};

struct number_expr {
	struct expr expr;
	double value;
	bool is_duration;             /* written with units */
};

struct string_expr {
	struct expr expr;
	struct slice value;
};

/* what is known of one regular expression in a selector */
struct selector_regexp {
	size_t matcher;               /* its place in set.v */
	struct regexp_facts facts;
	struct selector_regexp *next;
};

#define SELECTOR_FEW 3

struct selector_expr {
	struct expr expr;
	struct label_set set;         /* the name written before the braces comes first */
	struct selector_regexp *regexps;
	struct modifiers modifiers;
	bool outer_name;              /* set.v[0] is the name written before the braces */
	bool excludes_empty;          /* some matcher does not match the empty text */
	bool may_be_empty;            /* second argument of info(): need not exclude it */
	uint64_t plain;               /* bit i: name and value of set.v[i] are padded text that prints as it is */
	struct matcher few[SELECTOR_FEW];     /* where set.v begins */
};

struct range_expr {
	struct expr expr;
	struct duration *range;
	struct modifiers modifiers;
};

struct subquery_expr {
	struct expr expr;
	struct duration *range, *step;/* step NULL = the backend's default */
	struct modifiers modifiers;
};

struct unary_expr {
	struct expr expr;
	enum token_type op;           /* TOKEN_ADD or TOKEN_SUB */
};

struct label_names {
	struct slice *v;
	size_t len;
};

enum vector_group { GROUP_NONE, GROUP_LEFT, GROUP_RIGHT };

struct matching {
	bool on;                      /* else ignoring */
	struct label_names labels;
	enum vector_group group;
	struct label_names include;
	bool has_fill_left, has_fill_right;
	double fill_left, fill_right;
};

struct binary_expr {
	struct expr expr;
	enum token_type op;
	bool is_bool;
	struct matching *matching;    /* NULL = match on all labels, one to one; always with a scalar on a side */
};

struct aggregate_expr {
	struct expr expr;
	enum token_type op;
	bool without;
	struct label_names labels;
};

struct call_expr {
	struct expr expr;
	const struct promql_function *function;
};

struct promql_tree {
	struct expr *root;
	size_t tokens, bytes;
};

/* the very same number; NaN is itself, 0 is not -0 */
static inline bool same_number(double x, double y)
{
	return memcmp(&x, &y, sizeof(x)) == 0 || (x != x && y != y);
}

static inline struct modifiers *expr_modifiers(struct expr *e)
{
	switch (e->kind) {
	case EXPR_SELECTOR: return &((struct selector_expr *)e)->modifiers;
	case EXPR_RANGE: return &((struct range_expr *)e)->modifiers;
	case EXPR_SUBQUERY: return &((struct subquery_expr *)e)->modifiers;
	case EXPR_NUMBER:
	case EXPR_STRING:
	case EXPR_PAREN:
	case EXPR_UNARY:
	case EXPR_BINARY:
	case EXPR_AGGREGATE:
	case EXPR_CALL: break;
	}
	return NULL;
}

/* promql_duration.c */
/* seconds with the request's step and range; ERR_INVALID when it has no value there (division by zero, NaN, infinite) */
MUST_USE enum err_code promql_duration_eval(const struct duration *d, const struct window *w, double *ret,
                                            struct err *reterr);
bool promql_duration_equal(const struct duration *x, const struct duration *y);
void promql_duration_print(struct strbuf *out, const struct duration *d);
/* nanoseconds of a plain number, 0 for an expression; d may be NULL */
int64_t promql_duration_literal_ns(const struct duration *d);

/* promql_print.c */
void promql_print_selector(struct strbuf *out, const struct selector_expr *s);
enum err_code promql_print(const struct stmt *s, struct strbuf *out);

/* promql_equal.c */
bool promql_selector_equal(const struct selector_expr *x, const struct selector_expr *y);
bool promql_equal(const struct stmt *x, const struct stmt *y);

#endif
