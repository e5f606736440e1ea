/* regexp_part.c - see regexp_part.h. */
#include "policy/lang/regexp_part.h"

/* RE2's own limits on the tree's height, less what the anchors around it add, and on the size of the compiled program */
#define HEIGHT_MAX 990
#define PROGRAM_MAX 3355443

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

struct regexp_part regexp_part_assertion(bool holds_on_empty_text)
{
	return (struct regexp_part){ .nullable = holds_on_empty_text, .copies = 1, .height = 1, .size = 1 };
}

struct regexp_part regexp_part_rune(void)
{
	return regexp_part_assertion(false);
}

void regexp_group_open(struct regexp_group *g, size_t at)
{
	*g = (struct regexp_group){ .branch = regexp_part_assertion(true), .branch_at = at };
}

static void settle_item(struct regexp_group *g)
{
	if (!g->has_item)
		return;
	g->branch.nullable = g->branch.nullable && g->item.nullable;
	g->branch.copies = g->branch.copies > g->item.copies ? g->branch.copies : g->item.copies;
	g->branch.height = larger(g->branch.height, g->item.height);
	g->branch.size += g->item.size;
	g->has_item = false;
}

void regexp_group_push(struct regexp_group *g, struct regexp_part item)
{
	settle_item(g);
	g->item = item;
	g->has_item = true;
}

void regexp_group_end_branch(struct regexp_group *g, size_t at)
{
	settle_item(g);
	g->before.nullable = g->before.nullable || g->branch.nullable;
	g->before.copies = g->before.copies > g->branch.copies ? g->before.copies : g->branch.copies;
	g->before.height = larger(g->before.height, g->branch.height + 1);
	g->before.size += g->branch.size + 1;
	g->branches++;
	g->longest = larger(g->longest, at - g->branch_at);
	g->branch = regexp_part_assertion(true);
	g->branch_at = at + 1;
}

/* RE2 draws common beginnings of alternatives out of them, two levels of its tree for each: never more often than there are
 * alternatives, or bytes in the longest. */
struct regexp_part regexp_group_whole(const struct regexp_group *g)
{
	struct regexp_part whole = g->before;

	whole.height += 1;
	if (g->branches > 1)
		whole.height += 1 + 2 * (g->branches < g->longest ? g->branches : g->longest);
	whole.size += 1;
	return whole;
}

void regexp_part_repeat(struct regexp_part *item, struct regexp_counts c)
{
	unsigned times = c.open ? c.min : c.max;

	item->nullable = item->nullable || c.min == 0;
	item->height++;
	if (c.open)
		item->size = 2 + item->size * (times > 1 ? times : 1);
	else
		item->size = 1 + item->size * times + (c.max - c.min);
	if (times == 0 && !c.open)
		item->copies = 1;        /* nothing inside is ever copied */
	else if (times > 0)
		item->copies *= times;
}

enum err_code regexp_part_check(const struct regexp_part *p, size_t at, struct err *reterr)
{
	if (p->height > HEIGHT_MAX)
		return err_rule(reterr, ERR_LIMIT, "regexp_depth", at, "regular expression: nested too deeply");
	if (p->size > PROGRAM_MAX)
		return err_rule(reterr, ERR_LIMIT, "regexp_size", at,
		                "regular expression: too large once its repetitions are written out");
	return ERR_OK;
}
