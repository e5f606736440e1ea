/* promql_functions.c - see promql_functions.h. */
#include "policy/lang/promql_functions.h"

#define ARGS(...) { __VA_ARGS__ }, .args_len = sizeof((enum value_type[]){ __VA_ARGS__ }) / sizeof(enum value_type)

static const struct promql_function functions[] = {
#define FUNCTION(n, r, v, e, ...) \
	{ .name = SLICE_INIT(#n), .padded_name = #n, .returns = (r), .variadic = (v), .experimental = (e), .args = ARGS(__VA_ARGS__) },
#define LENGTH(n)
#include "policy/lang/promql_functions.def"
#undef LENGTH
#undef FUNCTION
};

#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

/* LENGTH_n is the number of the first function whose name has n bytes: a name for the next row, which takes the same. */
enum {
#define FUNCTION(n, r, v, e, ...) ROW_##n,
#define LENGTH(n) LENGTH_##n, BEFORE_##n = LENGTH_##n - 1,
#include "policy/lang/promql_functions.def"
#undef LENGTH
#undef FUNCTION
	ROWS,
};

static const unsigned char first_of_length[] = {
#define FUNCTION(n, r, v, e, ...)
#define LENGTH(n) [n] = LENGTH_##n,
#include "policy/lang/promql_functions.def"
#undef LENGTH
#undef FUNCTION
};

const struct promql_function *promql_function_find(struct slice name)
{
	if (name.len + 1 >= sizeof(first_of_length))
		return NULL;
	for (size_t i = first_of_length[name.len]; i < first_of_length[name.len + 1]; i++)
		if (slice_eq(functions[i].name, name))
			return &functions[i];
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
