/* tls_ticket.h - the keys that seal session tickets of one listener.
 *
 * Made at start, replaced hourly, the one before kept to open older tickets; never written to a disk, wiped when freed.
 * Ownership: counted; a reload that changes nobody's trust hands the keys on.
 * Threads:   all; behind one lock, taken once per handshake.
 */
#ifndef WEIR_SERVER_TLS_TICKET_H
#define WEIR_SERVER_TLS_TICKET_H

#include "base/clock.h"

#include <openssl/evp.h>

#define TICKET_LIFE_S 3600

struct ticket_keys;

/* NULL without memory or random bytes */
struct ticket_keys *ticket_keys_new(const struct clock *clock);
struct ticket_keys *ticket_keys_ref(struct ticket_keys *k);
/* takes NULL, returns NULL */
struct ticket_keys *ticket_keys_unref(struct ticket_keys *k);

/* The work of an SSL_CTX_set_tlsext_ticket_key_evp_cb callback: sets up cipher and MAC. Returns what the callback must: 1 go
 * on, 2 go on and issue a new ticket, 0 no such key (a full handshake follows), -1 failure. */
int ticket_keys_apply(struct ticket_keys *k, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher,
                      EVP_MAC_CTX *mac, bool seal);

#endif
