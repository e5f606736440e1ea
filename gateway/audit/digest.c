/* digest.c - see digest.h. */
#include "audit/digest.h"

#include "base/err.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

void digest_sha256(struct slice in, uint8_t ret[DIGEST_LEN])
{
	must(EVP_Digest(in.ptr, in.len, ret, NULL, EVP_sha256(), NULL) == 1);
}

void digest_hmac(struct slice key, struct slice in, uint8_t ret[DIGEST_LEN])
{
	must(key.len > 0 && key.len <= INT32_MAX);
	must(HMAC(EVP_sha256(), key.ptr, (int)key.len, (const unsigned char *)in.ptr, in.len, ret, NULL) != NULL);
}
