/* tls_ticket.c - AES-256-CBC and HMAC-SHA-256, as RFC 5077 section 4 recommends; see tls_ticket.h. */
#include "server/tls_ticket.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct ticket_key {
	unsigned char name[16], cipher[32], mac[32];
	int64_t made_us;                 /* monotonic; 0 = there is none */
};

struct ticket_keys {
	const struct clock *clock;
	pthread_mutex_t lock;
	struct ticket_key now, before;
	_Atomic size_t refs;             /* relaxed add; acquire and release on drop */
};

static bool make_key(struct ticket_key *k, int64_t at_us)
{
	k->made_us = at_us;
	return RAND_bytes(k->name, sizeof(k->name)) == 1 && RAND_bytes(k->cipher, sizeof(k->cipher)) == 1 &&
	       RAND_bytes(k->mac, sizeof(k->mac)) == 1;
}

struct ticket_keys *ticket_keys_new(const struct clock *clock)
{
	struct ticket_keys *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	k->clock = clock;
	k->refs = 1;
	if (pthread_mutex_init(&k->lock, NULL) != 0 || !make_key(&k->now, clock_mono_us(clock))) {
		free(k);
		return NULL;
	}
	return k;
}

struct ticket_keys *ticket_keys_ref(struct ticket_keys *k)
{
	atomic_fetch_add_explicit(&k->refs, 1, memory_order_relaxed);
	return k;
}

struct ticket_keys *ticket_keys_unref(struct ticket_keys *k)
{
	if (k == NULL || atomic_fetch_sub_explicit(&k->refs, 1, memory_order_acq_rel) != 1)
		return NULL;
	pthread_mutex_destroy(&k->lock);
	OPENSSL_cleanse(&k->now, sizeof(k->now));
	OPENSSL_cleanse(&k->before, sizeof(k->before));
	free(k);
	return NULL;
}

/* with the lock held; false: the new key could not be made, and none older than an hour may seal */
static bool rotate(struct ticket_keys *k)
{
	int64_t at_us = clock_mono_us(k->clock);
	struct ticket_key fresh;

	if (at_us - k->now.made_us < (int64_t)TICKET_LIFE_S * 1000000)
		return true;
	if (!make_key(&fresh, at_us))
		return false;
	k->before = k->now;
	k->now = fresh;
	OPENSSL_cleanse(&fresh, sizeof(fresh));
	return true;
}

static bool setup(const struct ticket_key *key, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, bool seal)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){ "SHA256" }, 0),
		OSSL_PARAM_construct_end(),
	};

	return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv, seal) == 1 &&
	       EVP_MAC_init(mac, key->mac, sizeof(key->mac), params) == 1;
}

static int seal_ticket(struct ticket_keys *k, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher,
                       EVP_MAC_CTX *mac)
{
	if (!rotate(k) || RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
		return -1;
	memcpy(name, k->now.name, sizeof(k->now.name));
	return setup(&k->now, iv, cipher, mac, true) ? 1 : -1;
}

static int open_ticket(struct ticket_keys *k, const unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher,
                       EVP_MAC_CTX *mac)
{
	const struct ticket_key *key;

	if (!rotate(k))
		return 0;
	if (memcmp(name, k->now.name, sizeof(k->now.name)) == 0)
		key = &k->now;
	else if (k->before.made_us != 0 && memcmp(name, k->before.name, sizeof(k->before.name)) == 0)
		key = &k->before;
	else
		return 0;
	if (!setup(key, iv, cipher, mac, false))
		return -1;
	return key == &k->now ? 1 : 2;
}

int ticket_keys_apply(struct ticket_keys *k, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher,
                      EVP_MAC_CTX *mac, bool seal)
{
	pthread_mutex_lock(&k->lock);

	int rc = seal ? seal_ticket(k, name, iv, cipher, mac) : open_ticket(k, name, iv, cipher, mac);

	pthread_mutex_unlock(&k->lock);
	return rc;
}
