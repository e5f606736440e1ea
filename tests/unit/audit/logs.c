/* logs.c - see logs.h. */
#include "audit/logs.h"

#include "audit/reader.h"
#include "audit/wal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <unistd.h>
#include <cmocka.h>

static int64_t moved_wall(const struct clock *c)
{
	return ((const struct log_clock *)c)->wall_us;
}

static int64_t system_mono(const struct clock *c)
{
	(void)c;
	return clock_mono_us(clock_system());
}

void log_clock_init(struct log_clock *c, int64_t wall_us)
{
	*c = (struct log_clock){ .clock = { .wall_us = moved_wall, .mono_us = system_mono }, .wall_us = wall_us };
}

struct committer_options log_options(const char *directory, const struct log_clock *clock)
{
	return (struct committer_options){
		.directory = slice_cstr(directory), .instance = SLICE(LOG_INSTANCE), .origin_host = SLICE("weir.example.org"),
		.build = SLICE("test"), .max_delay_ms = 50, .clock = &clock->clock, .segment_bytes = WAL_SEGMENT_BYTES_MIN,
		.queue_bytes = 1 << 20,
	};
}

struct committer *log_open(const struct committer_options *o)
{
	struct committer *c = NULL;
	struct err e;

	if (committer_open(o, &c, &e) != ERR_OK)
		fail_msg("%s", e.text);
	return c;
}

struct slice log_leaf(struct arena *a, const char *text)
{
	const struct record r = { .type = RECORD_DECISION, .instance = SLICE(LOG_INSTANCE), .wall_us = LOG_NOON_2030,
	                          .dec = SLICE("allow"), .dur = SLICE("strict"), .ref = -1, .target = slice_cstr(text) };
	struct slice leaf;

	assert_int_equal(record_print(a, &r, &leaf, NULL), ERR_OK);
	return leaf;
}

struct ticket log_submit(struct committer *c, struct slice leaf, enum submit_class class)
{
	struct ticket t;
	struct err e;
	int type = class == SUBMIT_DECISION ? RECORD_DECISION : class == SUBMIT_OUTCOME ? RECORD_OUTCOME : RECORD_POLICY;

	if (committer_submit(c, leaf, type, class, &t, &e) != ERR_OK)
		fail_msg("%s", e.text);
	return t;
}

enum ticket_state log_wait(const struct committer *c, struct ticket t)
{
	enum ticket_state state;

	while ((state = committer_state(c, t)) == TICKET_PENDING)
		usleep(200);
	return state;
}

static void keep_record(struct arena *a, const struct reader_record *found, struct log_records *r)
{
	size_t views = r->cap, shards = r->cap;
	struct slice leaf;
	struct err e;

	assert_true(arena_grow(a, (void **)&r->views, &views, r->len + 1, sizeof(*r->views)));
	assert_true(arena_grow(a, (void **)&r->shards, &shards, r->len + 1, sizeof(*r->shards)));
	assert_true(arena_grow(a, (void **)&r->indexes, &r->cap, r->len + 1, sizeof(*r->indexes)));
	assert_true(arena_dup(a, found->leaf, &leaf));
	if (record_parse(a, leaf, &r->views[r->len], &e) != ERR_OK)
		fail_msg("record %d: %s", (int)found->index, e.text);
	assert_true(arena_dup(a, found->shard, &r->shards[r->len]));
	r->indexes[r->len++] = found->index;
}

void log_read(struct arena *a, const char *directory, struct log_records *ret)
{
	const struct reader_options o = { .directory = slice_cstr(directory) };
	struct reader *reader;
	struct reader_record found;
	enum err_code rc;
	struct err e;

	*ret = (struct log_records){ 0 };
	if (reader_open(&o, &reader, &e) != ERR_OK)
		fail_msg("%s", e.text);
	while ((rc = reader_next(reader, &found, &e)) == ERR_OK)
		keep_record(a, &found, ret);
	if (rc != ERR_NOT_FOUND)
		fail_msg("%s", e.text);
	ret->lost = reader_lost(reader);
	reader_free(reader);
}

size_t log_count(const struct log_records *r, const char *typ)
{
	size_t n = 0;

	for (size_t i = 0; i < r->len; i++)
		n += slice_eq(json_get_text(r->views[i].public, "typ"), slice_cstr(typ));
	return n;
}

const struct record_view *log_first(const struct log_records *r, const char *typ)
{
	for (size_t i = 0; i < r->len; i++)
		if (slice_eq(json_get_text(r->views[i].public, "typ"), slice_cstr(typ)))
			return &r->views[i];
	fail_msg("no %s record", typ);
	return NULL;
}

int64_t log_find(const struct log_records *r, const char *text)
{
	for (size_t i = 0; i < r->len; i++)
		for (size_t k = 0; k < r->views[i].items_len; k++)
			if (r->views[i].items[k].tag == RECORD_TAG_TARGET && slice_eq(r->views[i].items[k].value, slice_cstr(text)))
				return (int64_t)r->indexes[i];
	return -1;
}

int64_t log_number(const struct record_view *v, const char *key)
{
	const struct json_value *n = json_get(v->public, key);

	if (n == NULL || n->type != JSON_TYPE_INT)
		fail_msg("no number %s in %.*s", key, SLICE_ARG(v->public_json));
	return n->integer;
}
