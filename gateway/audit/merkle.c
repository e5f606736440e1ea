/* merkle.c - see merkle.h. */
#include "audit/merkle.h"

#include "base/err.h"

#include <openssl/evp.h>

bool merkle_init(struct merkle *m)
{
	*m = (struct merkle){ 0 };
	m->ctx = EVP_MD_CTX_new();
	m->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (m->ctx != NULL && m->sha256 != NULL)
		return true;
	merkle_done(m);
	return false;
}

void merkle_done(struct merkle *m)
{
	EVP_MD_CTX_free(m->ctx);
	EVP_MD_free(m->sha256);
	*m = (struct merkle){ 0 };
}

/* prefix separates leaves from nodes, so that neither can be passed off as the other */
static void hash(struct merkle *m, char prefix, struct slice a, struct slice b, uint8_t ret[DIGEST_LEN])
{
	must(EVP_DigestInit_ex2(m->ctx, m->sha256, NULL) == 1);
	must(EVP_DigestUpdate(m->ctx, &prefix, 1) == 1);
	must(EVP_DigestUpdate(m->ctx, a.ptr, a.len) == 1);
	must(EVP_DigestUpdate(m->ctx, b.ptr, b.len) == 1);
	must(EVP_DigestFinal_ex(m->ctx, ret, NULL) == 1);
}

static void hash_node(struct merkle *m, const uint8_t left[DIGEST_LEN], uint8_t right_and_ret[DIGEST_LEN])
{
	hash(m, 1, slice_from((const char *)left, DIGEST_LEN), slice_from((const char *)right_and_ret, DIGEST_LEN),
	     right_and_ret);
}

void merkle_leaf_hash(struct merkle *m, struct slice leaf, uint8_t ret[DIGEST_LEN])
{
	hash(m, 0, leaf, SLICE(""), ret);
}

void merkle_add(struct merkle *m, struct slice leaf)
{
	uint8_t h[DIGEST_LEN];
	unsigned level = 0;

	merkle_leaf_hash(m, leaf, h);
	for (; (m->size >> level & 1) != 0; level++)     /* like a carry in binary addition */
		hash_node(m, m->node[level], h);
	memcpy(m->node[level], h, DIGEST_LEN);
	m->size++;
}

void merkle_root(struct merkle *m, uint8_t ret[DIGEST_LEN])
{
	bool begun = false;

	if (m->size == 0) {
		digest_sha256(SLICE(""), ret);
		return;
	}
	for (unsigned level = 0; level < 64; level++) {
		if ((m->size >> level & 1) == 0)
			continue;
		if (begun)
			hash_node(m, m->node[level], ret);
		else
			memcpy(ret, m->node[level], DIGEST_LEN);
		begun = true;
	}
}
