/* merkle_test.c - roots that certificate transparency publishes, and the definition of RFC 6962 section 2.1 itself. */
#include "audit/merkle.h"

#include "base/strbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void assert_root(struct merkle *m, const char *want)
{
	uint8_t root[DIGEST_LEN];
	struct strbuf hex;
	struct arena a;

	merkle_root(m, root);
	arena_init(&a, 1 << 16);
	strbuf_init(&hex, &a, 64);
	strbuf_hex(&hex, root, sizeof(root));
	if (!slice_eq(strbuf_slice(&hex), slice_cstr(want)))
		fail_msg("size %d: %.*s", (int)m->size, SLICE_ARG(strbuf_slice(&hex)));
	arena_done(&a);
}

static void test_published_roots(void **state)
{
	static const struct {
		struct slice leaf;
		const char *root;
	} rows[] = {
		{ SLICE_INIT(""), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" },
		{ SLICE_INIT("\x00"), "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125" },
		{ SLICE_INIT("\x10"), "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77" },
		{ SLICE_INIT("\x20\x21"), "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7" },
		{ SLICE_INIT("\x30\x31"), "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4" },
		{ SLICE_INIT("\x40\x41\x42\x43"), "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef" },
		{ SLICE_INIT("\x50\x51\x52\x53\x54\x55\x56\x57"),
		  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c" },
		{ SLICE_INIT("\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"),
		  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328" },
	};
	struct merkle m;

	(void)state;
	assert_true(merkle_init(&m));
	assert_root(&m, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		merkle_add(&m, rows[i].leaf);
		assert_root(&m, rows[i].root);
	}
	merkle_done(&m);
}

/* MTH(D[n]) as the RFC writes it */
static void defined_root(const uint8_t (*leaf)[DIGEST_LEN], size_t n, uint8_t ret[DIGEST_LEN])
{
	char node[1 + 2 * DIGEST_LEN] = { 1 };
	size_t k = 1;

	if (n == 1) {
		memcpy(ret, leaf[0], DIGEST_LEN);
		return;
	}
	while (k * 2 < n)
		k *= 2;
	defined_root(leaf, k, (uint8_t *)node + 1);
	defined_root(leaf + k, n - k, (uint8_t *)node + 1 + DIGEST_LEN);
	digest_sha256(slice_from(node, sizeof(node)), ret);
}

static void test_definition(void **state)
{
	enum { LEAVES = 140 };
	static uint8_t leaf[LEAVES][DIGEST_LEN];
	struct merkle m;

	(void)state;
	assert_true(merkle_init(&m));
	for (size_t i = 0; i < LEAVES; i++) {
		char bytes[2] = { (char)i, 'x' };
		uint8_t want[DIGEST_LEN], got[DIGEST_LEN];

		merkle_leaf_hash(&m, slice_from(bytes, sizeof(bytes)), leaf[i]);
		merkle_add(&m, slice_from(bytes, sizeof(bytes)));
		defined_root((const uint8_t(*)[DIGEST_LEN])leaf, i + 1, want);
		merkle_root(&m, got);
		assert_memory_equal(got, want, DIGEST_LEN);
	}
	merkle_done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_published_roots), cmocka_unit_test(test_definition) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
