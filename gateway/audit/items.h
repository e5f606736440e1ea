/* items.h - the private list of a record while it is built, and how it is cut when it is too big for a leaf.
 *
 * Item: tag u8 || length u32 big-endian || value, ascending by tag.
 * Ownership: the list lives in the arena; values are borrowed.
 */
#ifndef WEIR_AUDIT_ITEMS_H
#define WEIR_AUDIT_ITEMS_H

#include "audit/record.h"

#define ITEM_HEAD 5

struct items {
	struct record_item *list;
	size_t len, max;
	size_t bytes;                    /* of the list as it would be printed */
};

/* room for max items and for those that cutting adds; false without memory */
MUST_USE bool items_init(struct items *p, struct arena *a, size_t max);
/* Callers add in order of the tags. An empty value is no item. */
void items_add(struct items *p, uint8_t tag, struct slice value);
/* Cuts the largest items, then leaves out repeated ones, until the list takes at most budget bytes; see record_print.
 * A list whose items do not repeat fits in 16 KiB afterwards, whatever was in it. */
MUST_USE enum err_code items_fit(struct arena *a, struct items *p, struct slice rid, size_t budget, struct err *reterr);

void item_print(const struct record_item *item, struct strbuf *out);

#endif
