/* reader.h - takes typed values out of a YAML tree by the rows of keys.def, and reports what is wrong with each.
 *
 * A call never fails: what is missing or wrong is reported at its place, and the default, or nothing, is returned. Who loads looks at
 * the report at the end, so that an operator sees all mistakes at once.
 *
 * Ownership: values live in `arena`, names of files in the arena of the report.
 * Units:     milliseconds for durations, bytes for sizes.
 */
#ifndef WEIR_CONFIG_READER_H
#define WEIR_CONFIG_READER_H

#include "base/yaml.h"
#include "config/keys.h"

#include <stdint.h>

struct slices {
	const struct slice *v;
	size_t len;
};

struct reader {
	struct arena *arena;
	struct report *report;
	struct slice folder;              /* absolute, without a slash at its end: relative paths start here */
	struct slices domains;            /* trust domains; SPIFFE patterns of others are errors */
	bool no_memory;                   /* an allocation failed: what was read is not whole */
};

/* One map of the file. map is NULL for one that is not there: then every key has its default, and none is missing. */
struct section {
	struct reader *rd;
	const struct yaml_node *map;
};

/* Marks the reader and returns false when p is NULL. */
bool reader_has(struct reader *rd, const void *p);

/* true when the node is of that type and has a value; says so when it is not, as the value of `name` */
bool reader_is_map(struct reader *rd, const struct yaml_node *node, const char *name);
bool reader_is_list(struct reader *rd, const struct yaml_node *node, const char *name);
bool reader_is_text(struct reader *rd, const struct yaml_node *node, const char *name);
/* path from the folder of the file on; empty without memory */
struct slice reader_absolute(struct reader *rd, struct slice path);

/* node as a map of this shape: reports unknown keys, keys that come later, and keys that are missing. node may be NULL. */
struct section section_of(struct reader *rd, const struct yaml_node *node, enum shape shape);
/* the map of a key of type MAP or RATE, which has a shape of its own */
struct section section_under(const struct section *s, enum key k, enum shape shape);
/* The node of a key: NULL when it is not there, has no value (reported), or is not of this type (reported). */
const struct yaml_node *section_node(const struct section *s, enum key k, enum yaml_type type);
/* the same for a key of type NAMES: a map of at most READER_NAMES_MAX */
#define READER_NAMES_MAX 1000
const struct yaml_node *section_names(const struct section *s, enum key k);
/* true when the key is written down, whatever it says */
bool section_has(const struct section *s, enum key k);
/* true when it is written down and is a text, the empty one too */
bool section_has_text(const struct section *s, enum key k);

struct slice read_text(const struct section *s, enum key k);
/* TYPE_COUNT, TYPE_SIZE, TYPE_DURATION */
int64_t read_integer(const struct section *s, enum key k);
double read_number(const struct section *s, enum key k);
bool read_switch(const struct section *s, enum key k);
/* the place of the word among the bounds, from 0 */
unsigned read_choice(const struct section *s, enum key k);
/* one bit for each word of the bounds, the first is 1 */
unsigned read_choices(const struct section *s, enum key k);
/* at most READER_NAMES_MAX */
struct slices read_texts(const struct section *s, enum key k);
/* TYPE_PATTERNS; read_patterns_at is the same for a member of a map by names */
struct slices read_patterns(const struct section *s, enum key k);
struct slices read_patterns_at(struct reader *rd, const struct yaml_node *node, const char *name);
/* TYPE_PATH, TYPE_FILE, TYPE_KEY_FILE, TYPE_FOLDER: absolute; empty when nothing is named */
struct slice read_path(const struct section *s, enum key k);
struct slice read_file_at(struct reader *rd, const struct yaml_node *node, const char *name);

/* the item of a list that read_texts gave, for its place */
const struct yaml_node *text_node(const struct section *s, enum key k, struct slice text);

/* 1 to 64 letters, digits, `_`, `-` and `.`, for names that an operator chooses; reports another */
bool read_name(struct reader *rd, const struct yaml_node *member, const char *what);

/* where the value of a key stands, or else its map */
struct place place_of(const struct section *s, enum key k);

#endif
