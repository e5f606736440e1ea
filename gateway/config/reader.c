/* reader.c - see reader.h. */
#include "config/reader.h"

#include "base/err.h"
#include "base/map.h"
#include "base/strbuf.h"
#include "config/files.h"
#include "config/value.h"
#include "tenants/spiffe.h"

bool reader_has(struct reader *rd, const void *p)
{
	rd->no_memory |= p == NULL;
	return p != NULL;
}

/* ---- maps ---- */

static const char *type_words(enum yaml_type t)
{
	switch (t) {
	case YAML_TEXT: return "one value";
	case YAML_LIST: return "a list";
	case YAML_MAP: return "a map";
	case YAML_BROKEN: break;
	}
	return "something else";
}

/* true when the node is of this type; says so when it is not */
static bool is_of_type(struct reader *rd, const struct yaml_node *n, enum yaml_type type, const char *name)
{
	if (n->type == type && !yaml_is_nothing(n))
		return true;
	if (n->type == YAML_BROKEN)
		return false;                 /* reported when it was parsed */
	if (yaml_is_nothing(n))
		report_error(rd->report, n->at, "%s has no value: leave the line out, or give it one", name);
	else
		report_error(rd->report, n->at, "%s must be %s, not %s", name, type_words(type), type_words(n->type));
	return false;
}

bool reader_is_map(struct reader *rd, const struct yaml_node *node, const char *name)
{
	return is_of_type(rd, node, YAML_MAP, name);
}

bool reader_is_list(struct reader *rd, const struct yaml_node *node, const char *name)
{
	return is_of_type(rd, node, YAML_LIST, name);
}

bool reader_is_text(struct reader *rd, const struct yaml_node *node, const char *name)
{
	return is_of_type(rd, node, YAML_TEXT, name);
}

/* the keys that a shape knows, for who mistyped one */
static struct slice known_keys(struct reader *rd, enum shape shape)
{
	struct strbuf b;

	strbuf_init(&b, rd->report->arena, 240);
	for (enum key k = 0; k < KEY_COUNT && !b.full; k++)
		if (key_row(k)->shape == shape && key_row(k)->type != TYPE_LATER)
			strbuf_fmt(&b, "%s%s", b.len > 0 ? ", " : "", key_row(k)->name);
	return strbuf_slice(&b);
}

static void check_keys(struct reader *rd, const struct yaml_node *map, enum shape shape)
{
	for (size_t i = 0; i < map->len; i++) {
		const struct yaml_node *n = &map->items[i];
		enum key k = key_find(shape, n->key);

		if (k == KEY_COUNT)
			report_error(rd->report, n->key_at, "unknown key \"%.*s\"; known here: %.*s", SLICE_ARG(n->key),
			             SLICE_ARG(known_keys(rd, shape)));
		else if (key_row(k)->type == TYPE_LATER)
			report_error(rd->report, n->key_at, "%s is not served by this version%s%s", key_row(k)->name,
			             key_row(k)->doc[0] != '\0' ? ": " : "", key_row(k)->doc);
	}
	for (enum key k = 0; k < KEY_COUNT; k++)
		if (key_row(k)->shape == shape && key_required(k) && yaml_get(map, slice_cstr(key_row(k)->name)) == NULL)
			report_error(rd->report, map->at, "%s is missing: %s", key_row(k)->name, key_row(k)->doc);
}

struct section section_of(struct reader *rd, const struct yaml_node *node, enum shape shape)
{
	if (node != NULL)
		check_keys(rd, node, shape);
	return (struct section){ rd, node };
}

struct section section_under(const struct section *s, enum key k, enum shape shape)
{
	return section_of(s->rd, section_node(s, k, YAML_MAP), shape);
}

const struct yaml_node *section_node(const struct section *s, enum key k, enum yaml_type type)
{
	const char *name = key_row(k)->name;
	const struct yaml_node *n = s->map == NULL ? NULL : yaml_get(s->map, slice_cstr(name));

	return n != NULL && is_of_type(s->rd, n, type, name) ? n : NULL;
}

const struct yaml_node *section_names(const struct section *s, enum key k)
{
	const struct yaml_node *n = section_node(s, k, YAML_MAP);

	if (n == NULL || n->len <= READER_NAMES_MAX)
		return n;
	report_error(s->rd->report, n->at, "%s names more than %d", key_row(k)->name, READER_NAMES_MAX);
	return NULL;
}

bool section_has(const struct section *s, enum key k)
{
	return s->map != NULL && yaml_get(s->map, slice_cstr(key_row(k)->name)) != NULL;
}

bool section_has_text(const struct section *s, enum key k)
{
	const struct yaml_node *n = s->map == NULL ? NULL : yaml_get(s->map, slice_cstr(key_row(k)->name));

	return n != NULL && n->type == YAML_TEXT && !yaml_is_nothing(n);
}

struct place place_of(const struct section *s, enum key k)
{
	const struct yaml_node *n = s->map == NULL ? NULL : yaml_get(s->map, slice_cstr(key_row(k)->name));

	return n != NULL ? n->at : s->map != NULL ? s->map->at : (struct place){ .line = 0 };
}

/* ---- single values ---- */

static struct slice dup(struct reader *rd, struct slice s)
{
	struct slice copy = { "", 0 };

	rd->no_memory |= !arena_dup(rd->arena, s, &copy);
	return copy;
}

/* the text of a key, or its default; *node is NULL for the default */
static struct slice text_of(const struct section *s, enum key k, const struct yaml_node **node)
{
	*node = section_node(s, k, YAML_TEXT);
	return *node != NULL ? (*node)->text : key_required(k) ? SLICE("") : slice_cstr(key_row(k)->def);
}

struct slice read_text(const struct section *s, enum key k)
{
	const struct yaml_node *n;

	return dup(s->rd, text_of(s, k, &n));
}

/* numbers of all types as a double: no bound reaches 2^53 */
static enum err_code parse_quantity(enum key_type type, struct slice text, double *ret, struct err *reterr)
{
	int64_t n = 0;
	enum err_code rc;

	if (type == TYPE_NUMBER)
		return value_number(text, ret, reterr);
	rc = type == TYPE_DURATION ? value_duration(text, &n, reterr) : type == TYPE_SIZE ? value_size(text, &n, reterr)
	                                                                                   : value_count(text, &n, reterr);
	if (rc == ERR_OK)
		*ret = (double)n;
	return rc;
}

/* the bounds of a row, `least..most`; they are ours, so they can be read */
static void read_bounds(const struct key_row *row, double *least, double *most)
{
	const char *dots = strstr(row->bounds, "..");

	must(dots != NULL);
	must(parse_quantity(row->type, slice_from(row->bounds, (size_t)(dots - row->bounds)), least, NULL) == ERR_OK);
	must(parse_quantity(row->type, slice_cstr(dots + 2), most, NULL) == ERR_OK);
}

double read_number(const struct section *s, enum key k)
{
	const struct key_row *row = key_row(k);
	const struct yaml_node *n;
	struct slice text = text_of(s, k, &n);
	double value, least, most;
	struct err e;

	if (text.len == 0 && n == NULL)
		return 0;
	read_bounds(row, &least, &most);
	if (parse_quantity(row->type, text, &value, &e) != ERR_OK) {
		report_error(s->rd->report, place_of(s, k), "%s: %s", row->name, e.text);
		return least;
	}
	if (value < least || value > most) {
		report_error(s->rd->report, place_of(s, k), "%s: %.*s is not within %s", row->name, SLICE_ARG(text), row->bounds);
		return least;
	}
	return value;
}

int64_t read_integer(const struct section *s, enum key k)
{
	return (int64_t)read_number(s, k);
}

bool read_switch(const struct section *s, enum key k)
{
	const struct yaml_node *n;
	struct slice text = text_of(s, k, &n);

	if (slice_eq(text, SLICE("on")) || slice_eq(text, SLICE("true")))
		return true;
	if (n != NULL && !slice_eq(text, SLICE("off")) && !slice_eq(text, SLICE("false")))
		report_error(s->rd->report, n->at, "%s is on or off, not \"%.*s\"", key_row(k)->name, SLICE_ARG(text));
	return false;
}

/* the words of a choice that are served, for who wrote another */
static struct slice served_choices(struct reader *rd, enum key k)
{
	struct slice rest = slice_cstr(key_row(k)->bounds), word;
	struct strbuf b;
	bool later;

	strbuf_init(&b, rd->report->arena, 240);
	while (choice_next(&rest, &word, &later))
		if (!later)
			strbuf_fmt(&b, "%s%.*s", b.len > 0 ? ", " : "", SLICE_ARG(word));
	return strbuf_slice(&b);
}

/* the place of a word among the bounds of a choice; reports one that is none, or comes later, and returns 0 for the first */
static unsigned find_choice(struct reader *rd, enum key k, struct slice text, struct place at)
{
	struct slice rest = slice_cstr(key_row(k)->bounds), word;
	bool later;

	for (unsigned i = 0; choice_next(&rest, &word, &later); i++) {
		if (!slice_eq(word, text))
			continue;
		if (later)
			report_error(rd->report, at, "%s: \"%.*s\" is not served by this version", key_row(k)->name, SLICE_ARG(text));
		return i;
	}
	report_error(rd->report, at, "%s: \"%.*s\" is not one of: %.*s", key_row(k)->name, SLICE_ARG(text), SLICE_ARG(served_choices(rd, k)));
	return 0;
}

unsigned read_choice(const struct section *s, enum key k)
{
	const struct yaml_node *n;
	struct slice text = text_of(s, k, &n);

	return text.len == 0 && n == NULL ? 0 : find_choice(s->rd, k, text, place_of(s, k));
}

bool read_name(struct reader *rd, const struct yaml_node *member, const char *what)
{
	struct slice name = member->key;
	bool fine = name.len > 0 && name.len <= 64;

	for (size_t i = 0; i < name.len && fine; i++) {
		char c = ascii_lower(name.ptr[i]);

		fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
	}
	if (!fine)
		report_error(rd->report, member->key_at, "the name of a %s has 1 to 64 letters, digits, `_`, `-` and `.`", what);
	return fine;
}

/* ---- lists ---- */

/* The items of a list, or one text as a list of its own. False when the key is not there, or is neither (reported). */
static bool items_of(struct reader *rd, const struct yaml_node *n, const char *name, const struct yaml_node **items, size_t *len)
{
	*items = NULL;
	*len = 0;
	if (n == NULL)
		return false;
	if (n->type == YAML_TEXT && !yaml_is_nothing(n)) {
		*items = n;
		*len = 1;
		return true;
	}
	if (!is_of_type(rd, n, YAML_LIST, name))
		return false;
	*items = n->items;
	*len = n->len;
	return true;
}

static bool items_of_key(const struct section *s, enum key k, const struct yaml_node **items, size_t *len)
{
	const char *name = key_row(k)->name;

	return items_of(s->rd, s->map == NULL ? NULL : yaml_get(s->map, slice_cstr(name)), name, items, len);
}

unsigned read_choices(const struct section *s, enum key k)
{
	const struct yaml_node *items;
	size_t len;
	unsigned bits = 0;

	if (!items_of_key(s, k, &items, &len))
		return 0;
	for (size_t i = 0; i < len; i++)
		if (is_of_type(s->rd, &items[i], YAML_TEXT, key_row(k)->name))
			bits |= 1u << find_choice(s->rd, k, items[i].text, items[i].at);
	if (len == 0 && key_required(k))
		report_error(s->rd->report, place_of(s, k), "%s must name at least one of: %.*s", key_row(k)->name,
		             SLICE_ARG(served_choices(s->rd, k)));
	return bits;
}

/* Every text of a list; a doubled one is reported. fine() may refuse one, and says why itself. */
static struct slices texts_of(struct reader *rd, const struct yaml_node *items, size_t len, const char *name,
                              bool (*fine)(struct reader *rd, const struct yaml_node *n))
{
	struct slice *list = ARENA_ARRAY(rd->arena, len, struct slice);
	struct slices ret = { list, 0 };
	struct map seen;

	if (!reader_has(rd, list))
		return ret;
	map_init(&seen, rd->arena, len);
	for (size_t i = 0; i < len; i++) {
		if (!is_of_type(rd, &items[i], YAML_TEXT, name) || (fine != NULL && !fine(rd, &items[i])))
			continue;
		if (map_get(&seen, items[i].text) != NULL)
			report_error(rd->report, items[i].at, "%s: \"%.*s\" stands twice", name, SLICE_ARG(items[i].text));
		else
			list[ret.len++] = dup(rd, items[i].text);
		rd->no_memory |= !map_put(&seen, items[i].text, list);
	}
	return ret;
}

struct slices read_texts(const struct section *s, enum key k)
{
	const struct yaml_node *items;
	size_t len;

	items_of_key(s, k, &items, &len);
	if (len > READER_NAMES_MAX) {
		report_error(s->rd->report, place_of(s, k), "%s names more than %d", key_row(k)->name, READER_NAMES_MAX);
		len = 0;
	}
	return texts_of(s->rd, items, len, key_row(k)->name, NULL);
}

const struct yaml_node *text_node(const struct section *s, enum key k, struct slice text)
{
	const struct yaml_node *items;
	size_t len;

	items_of_key(s, k, &items, &len);
	for (size_t i = 0; i < len; i++)
		if (items[i].type == YAML_TEXT && slice_eq(items[i].text, text))
			return &items[i];
	return s->map;
}

static bool pattern_fine(struct reader *rd, const struct yaml_node *n)
{
	struct slice domain;

	if (!spiffe_pattern_valid(n->text)) {
		report_error(rd->report, n->at,
		             "\"%.*s\" is not a SPIFFE id: spiffe://domain/path, in which `*` may be one whole path segment; no port, "
		             "query, escape, empty or dot segment",
		             SLICE_ARG(n->text));
		return false;
	}
	domain = spiffe_domain(n->text);
	for (size_t i = 0; i < rd->domains.len; i++)
		if (slice_eq(rd->domains.v[i], domain))
			return true;
	report_error(rd->report, n->at, "trust domain \"%.*s\" is not in trust_domains: no certificate can have this name", SLICE_ARG(domain));
	return false;
}

struct slices read_patterns(const struct section *s, enum key k)
{
	const struct yaml_node *items;
	size_t len;

	items_of_key(s, k, &items, &len);
	return texts_of(s->rd, items, len, key_row(k)->name, pattern_fine);
}

struct slices read_patterns_at(struct reader *rd, const struct yaml_node *node, const char *name)
{
	const struct yaml_node *items;
	size_t len;

	items_of(rd, node, name, &items, &len);
	return texts_of(rd, items, len, name, pattern_fine);
}

/* ---- paths ---- */

struct slice reader_absolute(struct reader *rd, struct slice path)
{
	struct slice ret = SLICE("");

	rd->no_memory |= !files_absolute(rd->arena, rd->folder, path, &ret);
	return ret;
}

static void check_file(struct reader *rd, const struct yaml_node *n, const char *name, enum key_type type, struct slice path)
{
	struct err e;
	unsigned mode = 0;

	if (files_check(path, type == TYPE_FOLDER, &mode, &e) != ERR_OK)
		report_error(rd->report, n->at, "%s: %s", name, e.text);
	else if (type == TYPE_KEY_FILE && (mode & 07) != 0)
		report_warning(rd->report, n->at, "%s: everybody on this machine can use %.*s (mode %03o): take the rights of others away",
		               name, SLICE_ARG(path), mode);
}

struct slice read_path(const struct section *s, enum key k)
{
	const struct yaml_node *n = section_node(s, k, YAML_TEXT);
	struct slice path;

	if (n == NULL)
		return SLICE("");
	if (n->text.len == 0 || memchr(n->text.ptr, '\0', n->text.len) != NULL) {
		report_error(s->rd->report, n->at, "%s is empty or holds a zero byte: leave the line out, or name a path", key_row(k)->name);
		return SLICE("");
	}
	path = reader_absolute(s->rd, n->text);
	if (key_row(k)->type != TYPE_PATH)
		check_file(s->rd, n, key_row(k)->name, key_row(k)->type, path);
	return path;
}

struct slice read_file_at(struct reader *rd, const struct yaml_node *node, const char *name)
{
	struct slice path;

	if (!is_of_type(rd, node, YAML_TEXT, name))
		return SLICE("");
	path = reader_absolute(rd, node->text);
	check_file(rd, node, name, TYPE_FILE, path);
	return path;
}
