/* yaml.h - YAML of config files as a tree in an arena. The only home of libyaml (in yaml.c).
 *
 * Only the plain part of YAML is read: one document of maps with text keys, lists and texts. Anchors, aliases, merge keys, tags,
 * doubled keys and further documents are errors, for each makes a file mean something other than what a reader sees.
 * A text keeps its characters; what they mean (number, duration, nothing at all) is decided by who reads the key.
 *
 * Ownership: the tree lives in the arena; the file's name is borrowed.
 * Units:     places as in report.h. At most YAML_BYTES_MAX and YAML_DEPTH_MAX.
 */
#ifndef WEIR_BASE_YAML_H
#define WEIR_BASE_YAML_H

#include "base/report.h"

#define YAML_BYTES_MAX ((size_t)1 << 20)
#define YAML_DEPTH_MAX 32

enum yaml_type {
	YAML_TEXT,
	YAML_LIST,
	YAML_MAP,
	YAML_BROKEN,                     /* an alias; already reported, so readers say nothing more */
};

struct yaml_node {
	enum yaml_type type;
	bool quoted;                     /* of a text: it stood in quotes or was a block */
	struct place at;
	struct slice text;
	struct slice key;                /* in a map: the name of this member */
	struct place key_at;
	const struct yaml_node *items;   /* of a list or a map, in order */
	size_t len;
};

/* NULL when there is no tree to go on with: syntax, size, depth, memory, nothing in the file. Otherwise the tree; the report may
 * hold errors all the same, of doubled keys (the first one stays) and of what is not plain YAML. */
const struct yaml_node *yaml_parse(struct arena *a, struct slice file, struct slice bytes, struct report *r);
/* the member of a map, or NULL */
const struct yaml_node *yaml_get(const struct yaml_node *map, struct slice key);
/* true for a plain text that YAML means as no value: nothing, `~` or `null` */
bool yaml_is_nothing(const struct yaml_node *n);

#endif
