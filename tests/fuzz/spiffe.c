/* spiffe.c - fuzz: any bytes as a SPIFFE id. A valid one is plain ASCII, is put together again from its parts, and is matched by
 * itself and by the pattern that leaves its last segment open. */
#include "fuzz.h"
#include "base/strbuf.h"
#include "tenants/spiffe.h"

#define SEGMENTS 64

static void check_parts(struct arena *a, struct slice uri, const struct slice *parts, size_t n)
{
	struct strbuf whole, open;

	strbuf_init(&whole, a, SPIFFE_ID_MAX + 1);
	strbuf_init(&open, a, SPIFFE_ID_MAX + 1);
	strbuf_lit(&whole, "spiffe:/");
	strbuf_lit(&open, "spiffe:/");
	for (size_t i = 0; i < n; i++) {
		strbuf_char(&whole, '/');
		strbuf_add(&whole, parts[i]);
		strbuf_char(&open, '/');
		strbuf_add(&open, i + 1 == n ? SLICE("*") : parts[i]);
	}
	must(slice_eq(strbuf_slice(&whole), uri));
	if (n > SPIFFE_PATTERN_SEGMENTS_MAX)
		return;
	must(spiffe_pattern_valid(uri) && spiffe_pattern_valid(strbuf_slice(&open)));
	must(spiffe_match(uri, uri) && spiffe_match(strbuf_slice(&open), uri));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	struct slice uri = fuzz_input(data, size), domain = { NULL, 0 }, parts[SEGMENTS];

	if (!spiffe_valid(uri, &domain)) {
		must(!spiffe_match(uri, uri));
		return 0;
	}
	must(uri.len <= SPIFFE_ID_MAX && spiffe_domain_valid(domain) && slice_eq(spiffe_domain(uri), domain));
	for (size_t i = 0; i < uri.len; i++)
		must(uri.ptr[i] > ' ' && uri.ptr[i] < 0x7f && strchr("%?#@*\\", uri.ptr[i]) == NULL);

	size_t n = spiffe_split(uri, parts, SEGMENTS);

	must(n >= 2 && slice_eq(parts[0], domain));
	arena_init(&a, FUZZ_MEMORY);
	if (n <= SEGMENTS)
		check_parts(&a, uri, parts, n);
	arena_done(&a);
	return 0;
}
