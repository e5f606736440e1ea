/* spiffe.h - SPIFFE ids as the standard writes them, and patterns over them in which `*` is one whole path segment.
 *
 * Source: SPIFFE-ID, section 2; stricter in that letters of scheme and trust domain must already be small, and that a path is
 *         asked for, as X509-SVID asks it of a leaf certificate.
 * Units:  bytes; everything is compared as bytes, nothing is decoded.
 */
#ifndef WEIR_TENANTS_SPIFFE_H
#define WEIR_TENANTS_SPIFFE_H

#include "base/slice.h"

#define SPIFFE_ID_MAX 2048
#define SPIFFE_DOMAIN_MAX 255
#define SPIFFE_PATTERN_SEGMENTS_MAX 32   /* of a pattern; an id with more matches none */

/* No port, user, query, fragment, escape, empty or dot segment, trailing slash; 2,048 bytes at most. *domain is set when it
 * returns true. */
bool spiffe_valid(struct slice uri, struct slice *domain);
/* The same check for a pattern of a config file, where a whole path segment may be `*`. */
bool spiffe_pattern_valid(struct slice pattern);
/* [a-z0-9._-], 1 to 255 */
bool spiffe_domain_valid(struct slice domain);
/* the trust domain of a valid id or pattern */
struct slice spiffe_domain(struct slice uri);
/* an id against a pattern; false when either is not valid */
bool spiffe_match(struct slice pattern, struct slice uri);
/* the same for who knows that both are valid */
bool spiffe_match_valid(struct slice pattern, struct slice uri);

/* Trust domain and path segments of a valid id or pattern, one after the other. Returns how many there are, which may be more
 * than max; only max are written. */
size_t spiffe_split(struct slice uri, struct slice *ret, size_t max);

#endif
