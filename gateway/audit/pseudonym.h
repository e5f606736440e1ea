/* pseudonym.h - names for operators in the public part of records: steady, and not to be traced back without the key.
 *
 * op_ and the lower-case base32 of the first 10 bytes of HMAC-SHA256(key, SPKI of the client certificate).
 * The key is made at the first start: keys/pseudonym.key below the log's directory, 32 bytes, 0400. Whoever loses it gets
 * new names from then on; whoever shreds it, nobody can link the old ones to a person again.
 * Ownership: the key is kept out of swap and core dumps where the system allows it, and wiped by pseudonym_free.
 * Errors:    ERR_IO; ERR_INVALID when the file is no such key or others may read it.
 * Threads:   all, once opened.
 */
#ifndef WEIR_AUDIT_PSEUDONYM_H
#define WEIR_AUDIT_PSEUDONYM_H

#include "audit/redact.h"

#define PSEUDONYM_LEN 19                 /* and a zero */

struct pseudonym;

/* directory: of the log; its keys/ is made when it is missing */
MUST_USE enum err_code pseudonym_open(struct slice directory, struct pseudonym **ret, struct err *reterr);
/* takes NULL */
struct pseudonym *pseudonym_free(struct pseudonym *p);

/* "" when spki is empty: nobody has shown a certificate */
void pseudonym_print(const struct pseudonym *p, struct slice spki, char ret[24]);
/* of a key that is derived from the same one */
const struct redactor *pseudonym_redactor(const struct pseudonym *p);

#endif
