/* tally.h - how many of something each key has: connections of a certificate, unfinished handshakes of an address.
 *
 * Ownership: keys are copied.
 * Errors:    a tally that is full takes nothing; make it as large as there can be holders.
 * Threads:   all; behind one lock.
 */
#ifndef WEIR_SERVER_TALLY_H
#define WEIR_SERVER_TALLY_H

#include "base/slice.h"

#define TALLY_KEY_MAX 32

struct tally;

/* room for this many different keys; NULL without memory */
struct tally *tally_new(size_t keys);
/* takes NULL, returns NULL */
struct tally *tally_free(struct tally *t);
/* one more for key, of at most TALLY_KEY_MAX bytes; false when it has max already */
bool tally_take(struct tally *t, struct slice key, size_t max);
/* one less; the key was taken before */
void tally_give(struct tally *t, struct slice key);
size_t tally_count(struct tally *t, struct slice key);

#endif
