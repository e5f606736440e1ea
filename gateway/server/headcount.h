/* headcount.h - how many of something each key has: connections of a certificate, unfinished handshakes of an address.
 *
 * Ownership: keys are copied.
 * Errors:    a headcount that is full takes nothing; make it as large as there can be holders.
 * Threads:   all; behind one lock.
 */
#ifndef WEIR_SERVER_HEADCOUNT_H
#define WEIR_SERVER_HEADCOUNT_H

#include "base/slice.h"

#define HEADCOUNT_KEY_MAX 32

struct headcount;

/* room for this many different keys; NULL without memory */
struct headcount *headcount_new(size_t keys);
/* takes NULL, returns NULL */
struct headcount *headcount_free(struct headcount *t);
/* one more for key, of at most HEADCOUNT_KEY_MAX bytes; false when it has max already */
bool headcount_take(struct headcount *t, struct slice key, size_t max);
/* one less; the key was taken before */
void headcount_give(struct headcount *t, struct slice key);
size_t headcount_count(struct headcount *t, struct slice key);

#endif
