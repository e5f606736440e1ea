/* recover.c - see recover.h. */
#include "audit/recover.h"

#include "audit/record.h"

#include <inttypes.h>

#define LOST_MAX ((uint64_t)1 << 32)     /* more than any number of segments on one disk can hold */
#define LEAF_MEMORY ((size_t)1 << 20)    /* for one gap record, which is small */

static enum err_code add_hole(struct recovery *r, uint64_t from, uint64_t to, struct err *reterr)
{
	if (from == to)
		return ERR_OK;
	if (to - from > LOST_MAX)
		return err_set(reterr, ERR_INVALID, ERR_NOWHERE, "audit log: %" PRIu64 " records are missing", to - from);
	if (r->holes_len == HOLES_MAX)
		return err_set(reterr, ERR_INVALID, ERR_NOWHERE, "audit log: damaged in more than %d places", HOLES_MAX);
	r->holes[r->holes_len++] = (struct hole){ from, to };
	for (uint64_t i = from; i < to; i++)
		merkle_add(&r->merkle, SLICE(""));
	return ERR_OK;
}

/* takes out the holes that a gap record covers */
static void cover(struct recovery *r, struct hole gap)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->holes_len; i++)
		if (r->holes[i].from < gap.from || r->holes[i].to > gap.to)
			r->holes[kept++] = r->holes[i];
	r->holes_len = kept;
}

static enum err_code read_gap(struct arena *a, struct slice leaf, struct recovery *r, struct err *reterr)
{
	struct record_view view;
	enum err_code rc = record_parse(a, leaf, &view, reterr);

	if (rc != ERR_OK)
		return rc;

	const struct json_value *from = json_get(view.public, "from"), *to = json_get(view.public, "to");

	if (slice_eq(json_get_text(view.public, "reason"), GAP_DAMAGE) && from != NULL && to != NULL)
		cover(r, (struct hole){ (uint64_t)from->integer, (uint64_t)to->integer });
	return ERR_OK;
}

/* a quote inside a text is escaped, so these bytes can only be the key and its value */
static bool is_gap(struct slice leaf)
{
	static const char key[] = "\"typ\":\"gap\"";
	struct slice rest = slice_skip(leaf, slice_find(leaf, '\n') + 1);

	return memmem(rest.ptr, slice_find(rest, '\n'), key, sizeof(key) - 1) != NULL;
}

static enum err_code replay(struct recovery *r, const struct scan_group *g, struct err *reterr)
{
	struct slice payload = g->payload, leaf;
	enum err_code rc = add_hole(r, g->head.first_index - g->lost, g->head.first_index, reterr);

	while (rc == ERR_OK && payload_next(&payload, &leaf)) {
		struct arena a;

		merkle_add(&r->merkle, leaf);
		r->records++;
		if (!is_gap(leaf))
			continue;
		arena_init(&a, LEAF_MEMORY);
		rc = read_gap(&a, leaf, r, reterr);
		arena_done(&a);
	}
	return rc;
}

static enum err_code replay_all(struct scan *s, struct recovery *r, struct err *reterr)
{
	struct scan_group g;
	enum err_code rc;

	while ((rc = scan_next(s, &g, reterr)) == ERR_OK)
		if ((rc = replay(r, &g, reterr)) != ERR_OK)
			return rc;
	if (rc != ERR_NOT_FOUND)
		return rc;
	r->end = *scan_end(s);
	r->unused_len = scan_unused(s, r->unused, UNUSED_SEGMENTS_MAX);
	return add_hole(r, r->end.next_index - r->end.lost, r->end.next_index, reterr);
}

enum err_code recover(int state_fd, bool accept_damage, struct recovery *ret, struct err *reterr)
{
	struct recovery r = { 0 };
	struct scan *s = NULL;
	enum err_code rc = merkle_init(&r.merkle) ? scan_open(state_fd, SCAN_RECOVER, 0, &s, reterr) : err_nomem(reterr);

	if (rc == ERR_OK)
		rc = replay_all(s, &r, reterr);
	scan_free(s);
	if (rc == ERR_OK && r.holes_len > 0 && !accept_damage)
		rc = err_set(reterr, ERR_INVALID, ERR_NOWHERE,
		             "audit log: damaged, records %" PRIu64 " to %" PRIu64
		             " are missing although later ones are there; --accept-damage goes on without them",
		             r.holes[0].from, r.holes[0].to - 1);
	if (rc == ERR_OK)
		*ret = r;
	else
		recovery_done(&r);
	return rc;
}

void recovery_done(struct recovery *r)
{
	merkle_done(&r->merkle);
}
