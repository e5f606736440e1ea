/* regexp_part.h - the few facts of a piece of a regular expression, and how they join as sequences, alternatives and
 * repetitions close. Used by regexp.c; what an expression matches is never worked out.
 */
#ifndef WEIR_POLICY_LANG_REGEXP_PART_H
#define WEIR_POLICY_LANG_REGEXP_PART_H

#include "base/err.h"

#define REGEXP_REPEAT_MAX 1000

struct regexp_part {
	bool nullable;
	unsigned copies;             /* of its innermost piece, the counts of nested repetitions multiplied */
	size_t height;               /* of RE2's tree, at most */
	size_t size;                 /* instructions of RE2's program, at most */
};

struct regexp_counts {
	unsigned min, max;
	bool open;                   /* no maximum; max is then of no use */
};

/* an open group, or the whole expression */
struct regexp_group {
	struct regexp_part before;   /* the alternatives that are complete */
	struct regexp_part branch;   /* of the alternative being read, all but its last item */
	struct regexp_part item;     /* its last item, that a repetition may still apply to */
	bool has_item;
	size_t branches, longest;    /* complete alternatives; bytes of the longest */
	size_t branch_at;
};

void regexp_group_open(struct regexp_group *g, size_t at);
/* one more item of the alternative; the one before it can no longer be repeated */
void regexp_group_push(struct regexp_group *g, struct regexp_part item);
/* at: where the alternative ends */
void regexp_group_end_branch(struct regexp_group *g, size_t at);
/* all alternatives as one part; the last has ended */
struct regexp_part regexp_group_whole(const struct regexp_group *g);

/* one character, or what stands for one */
struct regexp_part regexp_part_rune(void);
/* what takes no character */
struct regexp_part regexp_part_assertion(bool holds_on_empty_text);
void regexp_part_repeat(struct regexp_part *item, struct regexp_counts c);
/* ERR_LIMIT where RE2 would refuse the tree or the program, or comes near it */
MUST_USE enum err_code regexp_part_check(const struct regexp_part *p, size_t at, struct err *reterr);

#endif
