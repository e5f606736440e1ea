/* digest_test.c - published vectors of SHA-256 (FIPS 180-2) and HMAC-SHA256 (RFC 4231). */
#include "audit/digest.h"

#include "base/strbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void assert_hex(const char *name, const uint8_t digest[DIGEST_LEN], const char *want)
{
	struct arena a;
	struct strbuf hex;

	arena_init(&a, 4096 * 4);
	strbuf_init(&hex, &a, 64);
	strbuf_hex(&hex, digest, DIGEST_LEN);
	if (!slice_eq(strbuf_slice(&hex), slice_cstr(want)))
		fail_msg("%s: got %.*s", name, SLICE_ARG(strbuf_slice(&hex)));
	arena_done(&a);
}

static void test_sha256(void **state)
{
	static const struct {
		const char *name, *input, *want;
	} rows[] = {
		{ "empty", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t digest[DIGEST_LEN];

		digest_sha256(slice_cstr(rows[i].input), digest);
		assert_hex(rows[i].name, digest, rows[i].want);
	}
}

static void test_hmac(void **state)
{
	static const struct {
		const char *name, *key, *input, *want;
	} rows[] = {
		{ "RFC 4231 case 2", "Jefe", "what do ya want for nothing?",
		  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
		{ "RFC 4231 case 1", "\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b",
		  "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t digest[DIGEST_LEN];

		digest_hmac(slice_cstr(rows[i].key), slice_cstr(rows[i].input), digest);
		assert_hex(rows[i].name, digest, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_sha256), cmocka_unit_test(test_hmac) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
