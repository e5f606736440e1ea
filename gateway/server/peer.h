/* peer.h - the client at the other end of a TLS connection: its certificate as struct identity. Nobody else reads one.
 *
 * Made once per connection when its handshake ends, resumed sessions too; judged again when a reload changed whom the
 * listener trusts.
 *
 * Ownership: one owner, the connection; the identity and all its slices live as long as the peer. Judging again changes
 *            the identity in place, so it is done between requests.
 * Threads:   one owner.
 */
#ifndef WEIR_SERVER_PEER_H
#define WEIR_SERVER_PEER_H

#include "tenants/identity.h"

struct ssl_st;
struct trust;
struct peer;

#define PEER_URIS_MAX 8              /* kept for the audit record */
#define PEER_TEXT_MAX 2048           /* of each, and of the subject */

/* address: of the client, as text. NULL without memory, or without a certificate. */
struct peer *peer_new(struct ssl_st *ssl, const struct trust *trust, struct slice address);
/* takes NULL, returns NULL */
struct peer *peer_free(struct peer *p);
const struct identity *peer_identity(const struct peer *p);
/* Verifies the certificate under another trust, from the start. False: it is good no more. True: the identity says whether
 * the name is still believed. A chain that was not sent again on resumption cannot be rebuilt: also false. */
bool peer_judge(struct peer *p, const struct trust *trust);

#endif
