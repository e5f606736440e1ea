/* journal.c - see journal.h. */
#include "audit/journal.h"

#include "audit/record.h"
#include "audit/shard.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HOST_MAX 253
#define ORIGIN_MAX (HOST_MAX + INSTANCE_MAX + 16)
#define BOOT_MEMORY ((size_t)1 << 20)    /* a boot record and HOLES_MAX gap records */
#define BOOT_GROUP ((size_t)100 << 10)

/* the end of a shard, as the next boot record names it */
struct past {
	bool any;
	char origin[ORIGIN_MAX];
	uint64_t size;
	uint8_t root[DIGEST_LEN];
};

struct journal {
	struct arena arena;              /* the texts of options */
	struct journal_options options;
	unsigned year;
	struct wal *wal;
	bool owed;                       /* a group failed, and may be on the disk all the same: it must go to this shard */
	bool turned;                     /* the shard is new, and holds its boot record only */

	/* next year's shard, from the moment it is opened until its boot record is durable */
	struct wal *next;
	struct arena next_arena;
	struct wal_batch next_boot;
};

/* ---- boot ---- */

static void print_origin(const struct journal_options *o, unsigned year, char ret[ORIGIN_MAX])
{
	snprintf(ret, ORIGIN_MAX, "%.*s/audit/%.*s/%04u", SLICE_ARG(o->origin_host), SLICE_ARG(o->instance), year);
}

static struct record system_record(const struct journal_options *o, enum record_type type)
{
	return (struct record){ .type = type, .instance = o->instance, .wall_us = clock_wall_us(o->clock),
	                        .mono_us = clock_mono_us(o->clock), .ref = -1 };
}

/* adds a record to a group that is built in memory */
static enum err_code add_record(struct arena *a, struct strbuf *group, const struct record *r, uint32_t *count,
                                struct err *reterr)
{
	struct slice leaf;
	enum err_code rc = record_print(a, r, &leaf, reterr);

	if (rc != ERR_OK)
		return rc;
	strbuf_char(group, (char)(uint8_t)(leaf.len >> 8));
	strbuf_char(group, (char)(uint8_t)leaf.len);
	strbuf_add(group, leaf);
	++*count;
	return group->full ? err_nomem(reterr) : ERR_OK;
}

/* the first group after a start: boot, then a gap for each place where records are missing */
static enum err_code build_boot(struct arena *a, const struct journal_options *o, const struct past *past,
                                const struct recovery *found, struct wal_batch *ret, struct err *reterr)
{
	struct record boot = system_record(o, RECORD_BOOT);
	struct wal_batch b = { 0 };
	struct strbuf group, root;
	enum err_code rc;

	strbuf_init(&group, a, BOOT_GROUP);
	strbuf_init(&root, a, 2 * DIGEST_LEN);
	boot.build = o->build;
	boot.replayed = found->records;
	boot.cut = found->end.cut;
	boot.has_prev = past->any;
	if (past->any) {
		strbuf_hex(&root, past->root, DIGEST_LEN);
		boot.prev_origin = slice_cstr(past->origin);
		boot.prev_size = past->size;
		boot.prev_root_hex = strbuf_slice(&root);
	}
	rc = root.full ? err_nomem(reterr) : add_record(a, &group, &boot, &b.count, reterr);
	for (size_t i = 0; rc == ERR_OK && i < found->holes_len; i++) {
		struct record gap = system_record(o, RECORD_GAP);

		gap.from = found->holes[i].from;
		gap.to = found->holes[i].to;
		gap.count = gap.to - gap.from;
		gap.reason = GAP_DAMAGE;
		rc = add_record(a, &group, &gap, &b.count, reterr);
	}
	b.pieces[0] = strbuf_slice(&group);
	if (rc == ERR_OK)
		*ret = b;
	return rc;
}

static void past_of(const struct journal_options *o, unsigned year, struct merkle *m, struct past *ret)
{
	*ret = (struct past){ .any = m->size > 0, .size = m->size };
	print_origin(o, year, ret->origin);
	merkle_root(m, ret->root);
}

/* ---- opening ---- */

static enum err_code newest_shard(const struct journal_options *o, unsigned before, unsigned *ret, struct err *reterr)
{
	struct arena a;
	struct shard_name *names = NULL;
	size_t len = 0;
	enum err_code rc;

	arena_init(&a, (size_t)8 << 20);
	rc = shard_list(&a, o->directory, &names, &len, reterr);
	*ret = 0;
	for (size_t i = 0; i < len; i++)
		if (slice_eq(names[i].instance, o->instance) && names[i].year < before && names[i].year > *ret)
			*ret = names[i].year;
	arena_done(&a);
	return rc;
}

/* Reads the last year's shard to its end, for the boot record of the one that follows it. It is never written again. */
static enum err_code close_year(const struct journal_options *o, unsigned year, struct past *ret, struct err *reterr)
{
	struct shard shard = { .state_fd = -1, .lock_fd = -1 };
	struct recovery r = { 0 };
	enum err_code rc = shard_open(o->directory, o->instance, year, &shard, reterr);

	if (rc == ERR_OK)
		rc = recover(shard.state_fd, o->accept_damage, &r, reterr);
	if (rc == ERR_OK)
		past_of(o, year, &r.merkle, ret);
	for (size_t i = 0; i < r.unused_len; i++) {
		char name[SEGMENT_NAME_MAX];

		segment_name(r.unused[i], name);
		(void)unlinkat(shard.state_fd, name, 0);
	}
	recovery_done(&r);
	shard_close(&shard);
	return rc;
}

static struct wal_options wal_options_of(const struct journal_options *o, unsigned year)
{
	return (struct wal_options){ .directory = o->directory, .instance = o->instance, .year = year,
	                             .segment_bytes = o->segment_bytes, .accept_damage = o->accept_damage };
}

/* Opens the shard of j->year and makes its boot record durable. */
static enum err_code open_shard(struct journal *j, struct err *reterr)
{
	const struct wal_options o = wal_options_of(&j->options, j->year);
	struct past past = { 0 };
	struct wal_batch boot;
	struct arena a;
	uint64_t sync_us;
	unsigned before = 0;
	enum err_code rc = wal_open(&o, &j->wal, reterr);

	if (rc != ERR_OK)
		return rc;
	past_of(&j->options, j->year, wal_merkle(j->wal), &past);
	if (!past.any)
		rc = newest_shard(&j->options, j->year, &before, reterr);
	if (before > 0)
		rc = close_year(&j->options, before, &past, reterr);
	if (rc != ERR_OK)
		return rc;
	arena_init(&a, BOOT_MEMORY);
	rc = build_boot(&a, &j->options, &past, wal_recovery(j->wal), &boot, reterr);
	if (rc == ERR_OK)
		rc = wal_append(j->wal, &boot, &sync_us, reterr);
	arena_done(&a);
	return rc;
}

/* a host as it may stand in an origin: no blanks, no control bytes, no slash */
static bool host_valid(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] <= ' ' || s.ptr[i] >= 0x7f || s.ptr[i] == '/')
			return false;
	return s.len > 0 && s.len <= HOST_MAX;
}

static bool dup_options(struct journal *j, const struct journal_options *o)
{
	j->options = *o;
	return arena_dup(&j->arena, o->directory, &j->options.directory) &&
	       arena_dup(&j->arena, o->instance, &j->options.instance) &&
	       arena_dup(&j->arena, o->origin_host, &j->options.origin_host) &&
	       arena_dup(&j->arena, o->build, &j->options.build);
}

enum err_code journal_open(const struct journal_options *o, struct journal **ret, struct err *reterr)
{
	struct journal *j;
	enum err_code rc = ERR_OK;

	if (!instance_valid(o->instance) || !host_valid(o->origin_host))
		return err_set(reterr, ERR_INVALID, ERR_NOWHERE,
		               "audit log: an instance is 1 to %d of [A-Za-z0-9_.-], a host 1 to %d printable characters",
		               INSTANCE_MAX, HOST_MAX);
	j = calloc(1, sizeof(*j));
	if (j == NULL)
		return err_nomem(reterr);
	arena_init(&j->arena, (size_t)64 << 10);
	arena_init(&j->next_arena, BOOT_MEMORY);
	if (!dup_options(j, o))
		rc = err_nomem(reterr);
	if (rc == ERR_OK)
		rc = newest_shard(o, 10000, &j->year, reterr);
	if (j->year < shard_year(clock_wall_us(o->clock)))       /* a clock that went back starts no older shard */
		j->year = shard_year(clock_wall_us(o->clock));
	if (rc == ERR_OK)
		rc = open_shard(j, reterr);
	if (rc == ERR_OK)
		*ret = j;
	else
		journal_free(j);
	return rc;
}

struct journal *journal_free(struct journal *j)
{
	if (j == NULL)
		return NULL;
	wal_free(j->next, false);
	wal_free(j->wal, false);
	arena_done(&j->next_arena);
	arena_done(&j->arena);
	free(j);
	return NULL;
}

/* ---- writing ---- */

/* opens the shard of year and builds its boot group, which stays the same however often it must be written */
static enum err_code prepare_year(struct journal *j, unsigned year, struct err *reterr)
{
	struct wal_options o = wal_options_of(&j->options, year);
	struct past past;
	enum err_code rc = wal_open(&o, &j->next, reterr);

	if (rc != ERR_OK)
		return rc;
	past_of(&j->options, j->year, wal_merkle(j->wal), &past);
	arena_reset(&j->next_arena);
	rc = build_boot(&j->next_arena, &j->options, &past, wal_recovery(j->next), &j->next_boot, reterr);
	if (rc != ERR_OK)
		j->next = wal_free(j->next, false);
	return rc;
}

/* The first group of a new year goes to a new shard, behind its boot record. */
static enum err_code turn_year(struct journal *j, unsigned year, struct err *reterr)
{
	uint64_t sync_us;
	enum err_code rc = j->next != NULL ? ERR_OK : prepare_year(j, year, reterr);

	if (rc == ERR_OK)
		rc = wal_append(j->next, &j->next_boot, &sync_us, reterr);
	if (rc != ERR_OK)
		return rc;
	wal_free(j->wal, true);
	j->wal = j->next;
	j->next = NULL;
	j->year = year;
	j->turned = true;
	arena_reset(&j->next_arena);
	return ERR_OK;
}

enum err_code journal_append(struct journal *j, const struct wal_batch *b, struct journal_place *ret,
                             struct err *reterr)
{
	struct journal_place place;
	unsigned year = shard_year(clock_wall_us(j->options.clock));
	enum err_code rc = year > j->year && !j->owed ? turn_year(j, year, reterr) : ERR_OK;

	if (rc != ERR_OK)
		return rc;
	place = (struct journal_place){ .first_index = wal_next_index(j->wal), .new_shard = j->turned };
	rc = wal_append(j->wal, b, &place.sync_us, reterr);
	j->owed = rc != ERR_OK;
	if (rc != ERR_OK)
		return rc;
	j->turned = false;
	*ret = place;
	return ERR_OK;
}

size_t journal_group_bytes(const struct journal *j)
{
	return wal_group_bytes(j->wal);
}

bool journal_has_reserve(const struct journal *j)
{
	return wal_has_reserve(j->wal);
}

bool journal_present(const struct journal *j)
{
	return wal_present(j->wal);
}

uint64_t journal_next_index(const struct journal *j)
{
	return wal_next_index(j->wal);
}

struct slice journal_instance(const struct journal *j)
{
	return j->options.instance;
}
