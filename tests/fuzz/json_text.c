/* json_text.c - fuzz: any bytes printed as a JSON string, read back: the same text where it was UTF-8, else one that is. */
#include "base/json.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	struct strbuf printed, again;
	const struct json_value *value;
	struct slice in = fuzz_input(data, size);

	arena_init(&a, FUZZ_MEMORY * 16);
	strbuf_init(&printed, &a, 6 * size + 2);
	json_text(&printed, in);
	must(!printed.full);
	must(json_parse(&a, strbuf_slice(&printed), &value, NULL) == ERR_OK && value->type == JSON_TYPE_TEXT);
	must(utf8_valid(value->text));
	must(!utf8_valid(in) || slice_eq(value->text, in));
	strbuf_init(&again, &a, 6 * size * 3 + 2);
	json_text(&again, value->text);
	must(slice_eq(strbuf_slice(&printed), strbuf_slice(&again)));
	arena_done(&a);
	return 0;
}
