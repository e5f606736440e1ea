/* items.c - see items.h. */
#include "audit/items.h"

#include "audit/digest.h"

#define CUT_VALUE (1 + 4 + DIGEST_LEN)       /* of an item that says what was cut */
#define CUT_ITEM (ITEM_HEAD + CUT_VALUE)
#define CUT_KEEP 1024                        /* a cut item keeps at least this much */
#define CUTS_MAX 16                          /* in one go; more would fill the leaf with digests */

bool items_init(struct items *p, struct arena *a, size_t max)
{
	*p = (struct items){ .max = max + CUTS_MAX + 2 + CUTS_MAX };     /* the three steps of items_fit */
	p->list = ARENA_ARRAY(a, p->max, struct record_item);
	return p->list != NULL;
}

void items_add(struct items *p, uint8_t tag, struct slice value)
{
	if (value.len == 0)
		return;
	must(p->len < p->max);
	p->list[p->len++] = (struct record_item){ tag, value };
	p->bytes += ITEM_HEAD + value.len;
}

static void put_u32(char *to, size_t n)
{
	for (int i = 0; i < 4; i++)
		to[i] = (char)(uint8_t)(n >> (24 - 8 * i));
}

void item_print(const struct record_item *item, struct strbuf *out)
{
	char head[ITEM_HEAD] = { (char)item->tag };

	put_u32(head + 1, item->value.len);
	strbuf_add(out, slice_from(head, sizeof(head)));
	strbuf_add(out, item->value);
}

/* adds the item that says what was cut: the tag, the whole length and a digest of the whole */
static enum err_code add_cut(struct arena *a, struct items *p, struct slice rid, uint8_t tag, struct slice whole,
                             struct err *reterr)
{
	char *value = arena_alloc(a, CUT_VALUE);

	if (value == NULL)
		return err_nomem(reterr);
	value[0] = (char)tag;
	put_u32(value + 1, whole.len);
	digest_hmac(rid, whole, (uint8_t *)value + 5);
	items_add(p, RECORD_TAG_CUT, slice_from(value, CUT_VALUE));
	return ERR_OK;
}

static struct record_item *largest_item(const struct items *p)
{
	struct record_item *best = &p->list[0];

	for (size_t i = 1; i < p->len; i++)
		if (p->list[i].value.len > best->value.len)
			best = &p->list[i];
	return best;
}

/* largest first; the beginnings stay */
static enum err_code cut_items(struct arena *a, struct items *p, struct slice rid, size_t budget, struct err *reterr)
{
	for (int cuts = 0; p->bytes > budget && cuts < CUTS_MAX; cuts++) {
		struct record_item *item = largest_item(p);
		struct slice whole = item->value;

		if (whole.len <= CUT_KEEP + CUT_ITEM)
			return ERR_OK;

		enum err_code rc = add_cut(a, p, rid, item->tag, whole, reterr);

		if (rc != ERR_OK)
			return rc;

		size_t over = p->bytes - budget;

		item->value.len = whole.len > over + CUT_KEEP ? whole.len - over : CUT_KEEP;
		p->bytes -= whole.len - item->value.len;
	}
	return ERR_OK;
}

/* leaves out the last items of a tag that repeats, as many as must go */
static enum err_code drop_items(struct arena *a, struct items *p, uint8_t tag, struct slice rid, size_t budget,
                                struct err *reterr)
{
	size_t end = 0, bytes = 0;
	struct strbuf whole;

	for (size_t i = 0; i < p->len; i++)
		if (p->list[i].tag == tag)
			end = i + 1;

	size_t from = end;

	while (from > 0 && p->list[from - 1].tag == tag && p->bytes + CUT_ITEM - bytes > budget)
		bytes += ITEM_HEAD + p->list[--from].value.len;
	if (from == end)
		return ERR_OK;

	strbuf_init(&whole, a, bytes);
	strbuf_reserve(&whole, bytes);
	for (size_t i = from; i < end; i++)
		item_print(&p->list[i], &whole);
	if (whole.full)
		return err_nomem(reterr);
	memmove(&p->list[from], &p->list[end], (p->len - end) * sizeof(p->list[0]));
	p->len -= end - from;
	p->bytes -= bytes;
	return add_cut(a, p, rid, tag, strbuf_slice(&whole), reterr);
}

enum err_code items_fit(struct arena *a, struct items *p, struct slice rid, size_t budget, struct err *reterr)
{
	static const uint8_t repeated[] = { RECORD_TAG_HEADER, RECORD_TAG_URI };
	enum err_code rc = cut_items(a, p, rid, budget, reterr);

	for (size_t i = 0; rc == ERR_OK && p->bytes > budget && i < sizeof(repeated); i++)
		rc = drop_items(a, p, repeated[i], rid, budget, reterr);
	/* what is left over the budget now has seven tags, each once */
	return rc == ERR_OK ? cut_items(a, p, rid, budget, reterr) : rc;
}
