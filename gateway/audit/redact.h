/* redact.h - takes secrets out of what a record keeps, before its leaf exists.
 *
 * A secret is replaced by the mark `[r:RULE:LENGTH:HEX]`: the rule that found it, the length of the secret in bytes, and
 * the first 8 hex digits of its HMAC, so that equal secrets can be matched by who may read the log, and not guessed.
 * Ownership: what is returned is either the input itself (nothing was found) or lives in the arena.
 * Errors:    ERR_NOMEM only; the caller must not keep the text then.
 * Threads:   a redactor is const after it was made.
 */
#ifndef WEIR_AUDIT_REDACT_H
#define WEIR_AUDIT_REDACT_H

#include "base/arena.h"
#include "base/err.h"

/* the key of the marks */
struct redactor {
	uint8_t key[32];
};

/* true for the request headers that a record may keep; name in any case. Credentials never are among them. */
bool redact_header_kept(struct slice name);

/* Masks the values of pairs `name=value` whose name, decoded and in lower case, is token, password, key, secret or
 * access_token. For a query string or a form body. redactor NULL: the mark has no HEX. */
MUST_USE enum err_code redact_form(struct arena *a, const struct redactor *r, struct slice in, struct slice *ret,
                                   struct err *reterr);
/* the same behind the first `?` of a request target, and the user part of an absolute one (http://USER@host/) */
MUST_USE enum err_code redact_target(struct arena *a, const struct redactor *r, struct slice in, struct slice *ret,
                                     struct err *reterr);

#endif
