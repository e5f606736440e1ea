/* keys.c - see keys.h. */
#include "config/keys.h"

#define REQUIRED "required"
static const struct key_row rows[KEY_COUNT] = {
#define SHAPE(sym, path)
#define KEY(shape, sym, name, type, def, bounds, reload, doc) \
	[KEY_##shape##_##sym] = { SHAPE_##shape, name, TYPE_##type, def, bounds, RELOAD_##reload, doc },
#include "config/keys.def"
#undef KEY
#undef SHAPE
};

static const char *const paths[SHAPE_COUNT] = {
#define SHAPE(sym, path) [SHAPE_##sym] = path,
#define KEY(shape, sym, name, type, def, bounds, reload, doc)
#include "config/keys.def"
#undef KEY
#undef SHAPE
};

const struct key_row *key_row(enum key k)
{
	return &rows[k];
}

bool key_required(enum key k)
{
	return strcmp(rows[k].def, REQUIRED) == 0;
}

const char *shape_path(enum shape s)
{
	return paths[s];
}

const char *key_type_name(enum key_type t)
{
	switch (t) {
	case TYPE_MAP: return "map";
	case TYPE_NAMES: return "map by name";
	case TYPE_LIST: return "list";
	case TYPE_TEXT: return "text";
	case TYPE_TEXTS: return "list of texts";
	case TYPE_CHOICE: return "choice";
	case TYPE_CHOICES: return "list of choices";
	case TYPE_SWITCH: return "switch";
	case TYPE_COUNT: return "count";
	case TYPE_NUMBER: return "number";
	case TYPE_SIZE: return "size";
	case TYPE_DURATION: return "duration";
	case TYPE_PATH: return "path";
	case TYPE_FILE: return "file";
	case TYPE_KEY_FILE: return "key file";
	case TYPE_FOLDER: return "folder";
	case TYPE_PATTERNS: return "list of patterns";
	case TYPE_GRANTS: return "grants";
	case TYPE_RATE: return "rate";
	case TYPE_LATER: return "not served yet";
	}
	return "";
}

enum key key_find(enum shape s, struct slice name)
{
	for (enum key k = 0; k < KEY_COUNT; k++)
		if (rows[k].shape == s && slice_eq(name, slice_cstr(rows[k].name)))
			return k;
	return KEY_COUNT;
}

bool choice_next(struct slice *rest, struct slice *word, bool *later)
{
	size_t n = slice_find(*rest, '|');

	if (rest->len == 0)
		return false;
	*word = slice_from(rest->ptr, n);
	*rest = slice_skip(*rest, n + 1);
	*later = n > 0 && word->ptr[n - 1] == '*';
	word->len -= *later;
	return true;
}
