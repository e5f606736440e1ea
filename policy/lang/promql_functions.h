/* promql_functions.h - the functions of PromQL with their types; one row each in promql_functions.def.
 */
#ifndef WEIR_POLICY_LANG_PROMQL_FUNCTIONS_H
#define WEIR_POLICY_LANG_PROMQL_FUNCTIONS_H

#include "base/slice.h"

enum value_type { TYPE_SCALAR, TYPE_VECTOR, TYPE_MATRIX, TYPE_STRING };

#define FUNCTION_ARGS_MAX 5

struct promql_function {
	struct slice name;
	char padded_name[32];         /* for strbuf_add_padded */
	enum value_type returns;
	unsigned args_len;
	enum value_type args[FUNCTION_ARGS_MAX];
	int variadic;                 /* the last argument: 0 once; n: up to n times, or not at all; -1: any number of times */
	bool experimental;
};

/* NULL when there is none; case matters */
const struct promql_function *promql_function_find(struct slice name);
/* the i-th row, NULL behind the last */
const struct promql_function *promql_function_at(size_t i);
/* "scalar", "instant vector", "range vector", "string" */
const char *value_type_text(enum value_type t);

#endif
