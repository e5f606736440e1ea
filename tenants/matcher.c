/* matcher.c - see matcher.h. */
#include "tenants/matcher.h"

bool matcher_eq(const struct matcher *a, const struct matcher *b)
{
	return a->op == b->op && slice_eq(a->name, b->name) && slice_eq(a->value, b->value);
}

const char *matcher_op_text(enum matcher_op op)
{
	switch (op) {
	case MATCH_EQ: return "=";
	case MATCH_NE: return "!=";
	case MATCH_RE: return "=~";
	case MATCH_NRE: return "!~";
	}
	return "=";
}

bool label_name_plain(struct slice name)
{
	static const bool letter[256] = { ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['_'] = true };
	static const bool digit[256] = { ['0' ... '9'] = true };

	if (name.len == 0 || digit[(unsigned char)name.ptr[0]])
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!letter[(unsigned char)name.ptr[i]] && !digit[(unsigned char)name.ptr[i]])
			return false;
	return true;
}
