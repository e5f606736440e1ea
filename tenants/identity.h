/* identity.h - who stands at the other end of a connection: what one client certificate says.
 *
 * Made once per connection by server/peer (nobody else reads a certificate), const afterwards.
 * Ownership: slices live as long as the connection. Units: not_before and not_after in seconds since 1970.
 */
#ifndef WEIR_TENANTS_IDENTITY_H
#define WEIR_TENANTS_IDENTITY_H

#include "base/slice.h"

#include <stdint.h>

enum identity_fault {
	IDENTITY_FINE = 0,
	IDENTITY_NO_NAME,          /* no URI SAN */
	IDENTITY_TWO_NAMES,        /* more than one URI SAN */
	IDENTITY_BAD_NAME,         /* not a SPIFFE id as the standard writes it */
	IDENTITY_FOREIGN_DOMAIN,   /* a trust domain that is not configured, or not believed under this CA */
};

struct identity {
	enum identity_fault fault;
	struct slice uri;              /* spiffe://domain/path; set when fault is IDENTITY_FINE */
	struct slice subject;          /* RFC 2253 text of the subject DN; may be empty */
	const struct slice *uris;      /* every URI SAN, for the audit record */
	size_t uris_len;
	uint8_t fingerprint[32];       /* SHA-256 of the certificate, DER */
	struct slice spki;             /* SubjectPublicKeyInfo, DER; for the audit pseudonym */
	int64_t not_before, not_after;
	struct slice peer;             /* address and port, as text */
};

#endif
