/* merkle.h - the hash of a growing list of leaves, as RFC 6962 has it.
 *
 * Keeps one hash per one-bit of the size, so adding a leaf costs two hashes on average and the root at most 64.
 * Ownership: merkle_init takes objects of the hash library, merkle_done gives them back; fine on a zeroed struct.
 * Errors:    a failure inside a hash is no state to go on from, and aborts.
 * Threads:   one owner.
 */
#ifndef WEIR_AUDIT_MERKLE_H
#define WEIR_AUDIT_MERKLE_H

#include "audit/digest.h"

struct evp_md_ctx_st;
struct evp_md_st;

struct merkle {
	uint64_t size;
	uint8_t node[64][DIGEST_LEN];    /* [i]: root of a full subtree of 2^i leaves, where bit i of size is set */
	struct evp_md_ctx_st *ctx;
	struct evp_md_st *sha256;
};

/* false without memory */
MUST_USE bool merkle_init(struct merkle *m);
void merkle_done(struct merkle *m);

/* SHA-256(0x00, leaf) */
void merkle_leaf_hash(struct merkle *m, struct slice leaf, uint8_t ret[DIGEST_LEN]);
void merkle_add(struct merkle *m, struct slice leaf);
/* root over all leaves added; of none: SHA-256 of nothing */
void merkle_root(struct merkle *m, uint8_t ret[DIGEST_LEN]);

#endif
