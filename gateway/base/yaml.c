/* yaml.c - see yaml.h. libyaml reads events; the tree is made here, so that nobody else sees its types. */
#include "base/yaml.h"

#include "base/err.h"
#include "base/map.h"

#include <yaml.h>

struct loader {
	struct arena *arena;
	struct report *report;
	struct slice file, bytes;
	yaml_parser_t parser;
	yaml_event_t event;               /* the one being looked at */
};

static struct place place_of(const struct loader *l, yaml_mark_t m)
{
	return (struct place){ l->file, (unsigned)m.line + 1, (unsigned)m.column + 1 };
}

/* the reader knows only the offset of the byte that it cannot take */
static struct place place_of_offset(const struct loader *l, size_t offset)
{
	struct place p = { l->file, 1, 1 };

	for (size_t i = 0; i < offset && i < l->bytes.len; i++) {
		if (l->bytes.ptr[i] == '\n') {
			p.line++;
			p.column = 1;
		} else if (((unsigned char)l->bytes.ptr[i] & 0xc0) != 0x80) {
			p.column++;
		}
	}
	return p;
}

static bool out_of_memory(struct loader *l)
{
	report_error(l->report, (struct place){ .file = l->file }, "the file needs too much memory");
	return false;
}

static bool say_syntax(struct loader *l)
{
	const yaml_parser_t *p = &l->parser;

	switch (p->error) {
	case YAML_MEMORY_ERROR:
		return out_of_memory(l);
	case YAML_READER_ERROR:
		report_error(l->report, place_of_offset(l, p->problem_offset), "not YAML in UTF-8: %s", p->problem);
		return false;
	default:
		break;
	}

	bool alias = p->context != NULL && strcmp(p->context, "while scanning an alias") == 0;

	report_error(l->report, place_of(l, p->problem_mark), "not YAML: %s%s%s%s", p->problem == NULL ? "cannot be read" : p->problem,
	             p->context == NULL ? "" : " ", p->context == NULL ? "" : p->context,
	             alias ? " (a text that begins with * must be in quotes)" : "");
	return false;
}

/* false when the text cannot be read further; reported */
static bool next(struct loader *l)
{
	yaml_event_delete(&l->event);
	return yaml_parser_parse(&l->parser, &l->event) ? true : say_syntax(l);
}

static void refuse_decoration(struct loader *l, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor != NULL)
		report_error(l->report, place_of(l, l->event.start_mark), "anchors (&%s) are not accepted: write the value out", anchor);
	if (tag != NULL)
		report_error(l->report, place_of(l, l->event.start_mark), "tags (%s) are not accepted", tag);
}

static bool read_node(struct loader *l, struct yaml_node *n, unsigned depth);

/* text: the event is a scalar */
static bool read_text(struct loader *l, struct yaml_node *n)
{
	struct slice s = slice_from((const char *)l->event.data.scalar.value, l->event.data.scalar.length);

	refuse_decoration(l, l->event.data.scalar.anchor, l->event.data.scalar.tag);
	n->type = YAML_TEXT;
	n->quoted = l->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	return arena_dup(l->arena, s, &n->text) ? true : out_of_memory(l);
}

/* one more item at the end of a growing array; NULL without memory, reported */
static struct yaml_node *add_item(struct loader *l, struct yaml_node **items, size_t *cap, size_t len)
{
	void *p = *items;

	if (!arena_grow(l->arena, &p, cap, len + 1, sizeof(**items))) {
		out_of_memory(l);
		return NULL;
	}
	*items = p;
	(*items)[len] = (struct yaml_node){ .type = YAML_BROKEN };
	return &(*items)[len];
}

/* list: node* */
static bool read_list(struct loader *l, struct yaml_node *n, unsigned depth)
{
	struct yaml_node *items = NULL;
	size_t cap = 0, len = 0;

	refuse_decoration(l, l->event.data.sequence_start.anchor, l->event.data.sequence_start.tag);
	for (;;) {
		if (!next(l))
			return false;
		if (l->event.type == YAML_SEQUENCE_END_EVENT)
			break;

		struct yaml_node *item = add_item(l, &items, &cap, len);

		if (item == NULL || !read_node(l, item, depth + 1))
			return false;
		len++;
	}
	n->type = YAML_LIST;
	n->items = items;
	n->len = len;
	return true;
}

/* The key of a member, which is the event. *fine is false when the member cannot be kept; false is returned as by next(). */
static bool read_key(struct loader *l, struct yaml_node *member, unsigned depth, bool *fine)
{
	struct place at = place_of(l, l->event.start_mark);
	struct yaml_node key = { .type = YAML_BROKEN };

	if (!read_node(l, &key, depth + 1))
		return false;
	*fine = key.type == YAML_TEXT;
	if (key.type == YAML_LIST || key.type == YAML_MAP)
		report_error(l->report, at, "a key must be a text");
	if (*fine && !key.quoted && slice_eq(key.text, SLICE("<<"))) {
		report_error(l->report, at, "merge keys (<<) are not accepted: write the members out");
		*fine = false;
	}
	member->key = key.text;
	member->key_at = at;
	return true;
}

/* map: (key node)* */
static bool read_map(struct loader *l, struct yaml_node *n, unsigned depth)
{
	struct yaml_node *items = NULL;
	struct map seen;
	size_t cap = 0, len = 0;

	refuse_decoration(l, l->event.data.mapping_start.anchor, l->event.data.mapping_start.tag);
	map_init(&seen, l->arena, YAML_BYTES_MAX);
	for (;;) {
		if (!next(l))
			return false;
		if (l->event.type == YAML_MAPPING_END_EVENT)
			break;

		struct yaml_node *member = add_item(l, &items, &cap, len);
		bool fine;

		if (member == NULL || !read_key(l, member, depth, &fine) || !next(l) || !read_node(l, member, depth + 1))
			return false;
		if (!fine)
			continue;

		const struct place *first = map_get(&seen, member->key);

		if (first != NULL) {
			report_error(l->report, member->key_at, "key \"%.*s\" stands twice; the first is in line %u", SLICE_ARG(member->key),
			             first->line);
			continue;
		}

		struct place *at = ARENA_NEW(l->arena, struct place);

		if (at == NULL || !map_put(&seen, member->key, at))
			return out_of_memory(l);
		*at = member->key_at;
		len++;
	}
	n->type = YAML_MAP;
	n->items = items;
	n->len = len;
	return true;
}

/* node: text | list | map; the event is its first. False when nothing further can be read; reported. */
static bool read_node(struct loader *l, struct yaml_node *n, unsigned depth)
{
	n->at = place_of(l, l->event.start_mark);
	if (depth > YAML_DEPTH_MAX) {
		report_error(l->report, n->at, "nested deeper than %d", YAML_DEPTH_MAX);
		return false;
	}
	switch (l->event.type) {
	case YAML_SCALAR_EVENT:
		return read_text(l, n);
	case YAML_SEQUENCE_START_EVENT:
		return read_list(l, n, depth);
	case YAML_MAPPING_START_EVENT:
		return read_map(l, n, depth);
	case YAML_ALIAS_EVENT:
		report_error(l->report, n->at, "aliases (*%s) are not accepted: write the value out, or put a text that begins with * in quotes",
		             l->event.data.alias.anchor);
		return true;
	default:
		report_error(l->report, n->at, "not YAML: a value was expected");
		return false;
	}
}

/* file: document?, and nothing behind it */
static bool read_file(struct loader *l, struct yaml_node *root)
{
	if (!next(l) || !next(l))             /* start of the stream, then of the document */
		return false;
	if (l->event.type == YAML_STREAM_END_EVENT) {
		report_error(l->report, (struct place){ l->file, 1, 1 }, "the file is empty");
		return false;
	}
	if (!next(l) || !read_node(l, root, 1) || !next(l) || !next(l))
		return false;
	if (l->event.type != YAML_STREAM_END_EVENT) {
		report_error(l->report, place_of(l, l->event.start_mark), "a second document is not accepted");
		return false;
	}
	return true;
}

const struct yaml_node *yaml_parse(struct arena *a, struct slice file, struct slice bytes, struct report *r)
{
	struct loader l = { .arena = a, .report = r, .file = file, .bytes = bytes };
	struct yaml_node *root = ARENA_NEW(a, struct yaml_node);
	bool fine;

	if (bytes.len > YAML_BYTES_MAX) {
		report_error(r, (struct place){ .file = file }, "the file is larger than %zu bytes", YAML_BYTES_MAX);
		return NULL;
	}
	if (root == NULL || !yaml_parser_initialize(&l.parser)) {
		out_of_memory(&l);
		return NULL;
	}
	root->type = YAML_BROKEN;
	yaml_parser_set_encoding(&l.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&l.parser, (const unsigned char *)(bytes.ptr == NULL ? "" : bytes.ptr), bytes.len);
	fine = read_file(&l, root);
	yaml_event_delete(&l.event);
	yaml_parser_delete(&l.parser);
	return fine ? root : NULL;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, struct slice key)
{
	for (size_t i = 0; i < map->len; i++)
		if (slice_eq(map->items[i].key, key))
			return &map->items[i];
	return NULL;
}

bool yaml_is_nothing(const struct yaml_node *n)
{
	return n->type == YAML_TEXT && !n->quoted &&
	       (n->text.len == 0 || slice_eq(n->text, SLICE("~")) || slice_eq(n->text, SLICE("null")));
}
