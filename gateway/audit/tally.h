/* tally.h - events that are counted instead of recorded one by one: failed handshakes by reason and network.
 *
 * A flood of bad handshakes then costs one record a second for each pair, not one each. The table is bounded: what comes
 * beyond it counts for the network "", so no event is forgotten.
 * Units:   unix microseconds.
 * Threads: tally_add from any; one takes.
 */
#ifndef WEIR_AUDIT_TALLY_H
#define WEIR_AUDIT_TALLY_H

#include "base/clock.h"

#include <pthread.h>

#define TALLY_ROWS 256                   /* pairs in one second */
#define TALLY_SPARE 32                   /* the last of them, for the network "" alone */
#define NETWORK_MAX 48

struct tally_row {
	const char *reason;
	char network[NETWORK_MAX];       /* "192.0.2.0/24", "2001:db8:1::/48", or "" */
	uint64_t count;
	int64_t from_us, to_us;          /* first and last event */
};

struct tally {
	const struct clock *clock;
	pthread_mutex_t lock;            /* over what follows */
	struct tally_row rows[TALLY_ROWS];
	size_t len;
};

void tally_init(struct tally *t, const struct clock *clock);
void tally_done(struct tally *t);

/* reason: a static string, of a handful. peer_address: with or without port; text that is no IP address, as a socket's
 * path, has the network "". */
void tally_add(struct tally *t, const char *reason, struct slice peer_address);
/* moves what was counted to rows, TALLY_ROWS of them, and begins anew; returns how many */
size_t tally_drain(struct tally *t, struct tally_row *rows);

/* /24 of an IPv4 address, also of one mapped into IPv6, /48 of an IPv6 one */
void tally_network(struct slice peer_address, char ret[NETWORK_MAX]);

#endif
