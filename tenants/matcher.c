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
	if (name.len == 0 || (name.ptr[0] >= '0' && name.ptr[0] <= '9'))
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = ascii_lower(name.ptr[i]);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return true;
}
