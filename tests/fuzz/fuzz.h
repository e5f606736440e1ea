/* fuzz.h - what the libFuzzer targets share. A target asserts with must(), which aborts.
 */
#ifndef WEIR_TESTS_FUZZ_H
#define WEIR_TESTS_FUZZ_H

#include "base/arena.h"
#include "base/err.h"

#include <stdint.h>

#define FUZZ_MEMORY ((size_t)4 << 20)    /* request_memory by default */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline struct slice fuzz_input(const uint8_t *data, size_t size)
{
	return slice_from((const char *)data, size);
}

/* a failure that input may cause: it names its code and says something; out of memory and bugs of ours are none */
static inline void fuzz_check_refusal(enum err_code rc, const struct err *e, size_t size)
{
	must(rc != ERR_OK && rc == e->code && e->text[0] != '\0');
	must(rc != ERR_BUG && (e->at == ERR_NOWHERE || e->at <= size));
	must((rc != ERR_LIMIT && rc != ERR_STRICT) || e->rule != NULL);
}

#endif
