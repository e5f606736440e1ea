/* promql_functions.c - see promql_functions.h. */
#include "policy/lang/promql_functions.h"

#define ARGS(...) { __VA_ARGS__ }, .args_len = sizeof((enum value_type[]){ __VA_ARGS__ }) / sizeof(enum value_type)

static const struct promql_function functions[] = {
#define FUNCTION(n, r, v, e, ...) \
	{ .name = SLICE_INIT(#n), .returns = (r), .variadic = (v), .experimental = (e), .args = ARGS(__VA_ARGS__) },
#include "policy/lang/promql_functions.def"
#undef FUNCTION
};

#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

const struct promql_function *promql_function_find(struct slice name)
{
	size_t low = 0, high = FUNCTIONS;

	while (low < high) {
		size_t mid = (low + high) / 2;
		struct slice other = functions[mid].name;
		int c = name.len != other.len ? (name.len > other.len) - (name.len < other.len)
		                              : memcmp(name.ptr, other.ptr, name.len);

		if (c == 0)
			return &functions[mid];
		if (c > 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const struct promql_function *promql_function_at(size_t i)
{
	return i < FUNCTIONS ? &functions[i] : NULL;
}

const char *value_type_text(enum value_type t)
{
	switch (t) {
	case TYPE_SCALAR: return "scalar";
	case TYPE_VECTOR: return "instant vector";
	case TYPE_MATRIX: return "range vector";
	case TYPE_STRING: return "string";
	}
	return "nothing";
}
