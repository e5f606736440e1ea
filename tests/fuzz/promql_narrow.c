/* promql_narrow.c - fuzz: any bytes as PromQL, narrowed; see query_narrow in query.h. */
#include "query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return query_narrow(STMT_PROMQL, data, size);
}
