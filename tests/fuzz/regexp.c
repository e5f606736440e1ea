/* regexp.c - fuzz: any bytes as a regular expression. The facts must hold together. */
#include "fuzz.h"
#include "policy/lang/regexp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	struct regexp_facts facts;
	struct err err = { 0 };
	bool has_empty = false;

	arena_init(&a, FUZZ_MEMORY);
	enum err_code rc = regexp_check(&a, fuzz_input(data, size), &facts, &err);

	if (rc != ERR_OK) {
		fuzz_check_refusal(rc, &err, size);
		must(rc == ERR_INVALID || rc == ERR_LIMIT);
		arena_done(&a);
		return 0;
	}
	must(facts.depth <= REGEXP_DEPTH_MAX);
	must(facts.plain == (facts.texts_len > 0));
	for (size_t i = 0; i < facts.texts_len; i++) {
		must(facts.texts[i].len <= size);
		has_empty |= facts.texts[i].len == 0;
	}
	must(!facts.plain || has_empty == facts.nullable);
	arena_done(&a);
	return 0;
}
