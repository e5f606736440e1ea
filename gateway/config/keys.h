/* keys.h - the keys of weir.yaml and of tenant files as data; see keys.def. */
#ifndef WEIR_CONFIG_KEYS_H
#define WEIR_CONFIG_KEYS_H

#include "base/slice.h"

/* one kind of map */
enum shape {
#define SHAPE(sym, path) SHAPE_##sym,
#define KEY(shape, sym, name, type, def, bounds, reload, doc)
#include "config/keys.def"
#undef KEY
#undef SHAPE
	SHAPE_COUNT
};

enum key {
#define SHAPE(sym, path)
#define KEY(shape, sym, name, type, def, bounds, reload, doc) KEY_##shape##_##sym,
#include "config/keys.def"
#undef KEY
#undef SHAPE
	KEY_COUNT
};

enum key_type {
	TYPE_MAP,       /* with the keys of a shape */
	TYPE_NAMES,     /* a map whose keys are names that the operator chose */
	TYPE_LIST,
	TYPE_TEXT,
	TYPE_TEXTS,     /* a list of texts, or one text */
	TYPE_CHOICE,    /* one of the words of `bounds` */
	TYPE_CHOICES,   /* a list of them, or one */
	TYPE_SWITCH,    /* on, off, true or false */
	TYPE_COUNT,     /* digits */
	TYPE_NUMBER,    /* digits, perhaps with a fraction */
	TYPE_SIZE,      /* bytes: 1MiB */
	TYPE_DURATION,  /* milliseconds: 5ms, 1h30m */
	TYPE_PATH,      /* need not exist */
	TYPE_FILE,      /* must be there and readable */
	TYPE_KEY_FILE,  /* the same, and better not readable by others */
	TYPE_FOLDER,    /* must be there */
	TYPE_PATTERNS,  /* a list of SPIFFE patterns, or one */
	TYPE_GRANTS,
	TYPE_RATE,      /* a map of shape RATE */
	TYPE_LATER,     /* known, and not served by this version */
};

enum key_reload { RELOAD_HOT, RELOAD_RESTART };

struct key_row {
	enum shape shape;
	const char *name;
	enum key_type type;
	const char *def;         /* as it would be written; "" = nothing; "required" */
	const char *bounds;
	enum key_reload reload;
	const char *doc;
};

const struct key_row *key_row(enum key k);
bool key_required(enum key k);
/* the path in front of a shape's keys, for people: "listen[]." */
const char *shape_path(enum shape s);
/* "text", "duration", .. */
const char *key_type_name(enum key_type t);
/* the row of a key of this shape, or KEY_COUNT */
enum key key_find(enum shape s, struct slice name);

/* The next word of a choice's bounds, taken off *rest; false when there is none left. *later: known and not served yet. */
bool choice_next(struct slice *rest, struct slice *word, bool *later);

#endif
