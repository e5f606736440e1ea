/* tally.c - see tally.h. */
#include "audit/tally.h"

#include <arpa/inet.h>
#include <stdio.h>

#define ADDRESS_MAX 64

void tally_init(struct tally *t, const struct clock *clock)
{
	*t = (struct tally){ .clock = clock };
	pthread_mutex_init(&t->lock, NULL);
}

void tally_done(struct tally *t)
{
	pthread_mutex_destroy(&t->lock);
}

/* the address without port and brackets, as text that ends in a zero */
static bool bare_address(struct slice s, char ret[ADDRESS_MAX])
{
	size_t colon = slice_find(s, ':');
	struct slice behind = slice_skip(s, colon + 1);

	if (slice_starts(s, SLICE("["))) {
		s = slice_skip(s, 1);
		s.len = slice_find(s, ']');
	} else if (slice_find(behind, ':') == behind.len) {
		s.len = colon;               /* one colon at most: what is behind it is a port */
	}
	s.len = slice_find(s, '%');      /* zone of a link-local address */
	if (s.len >= ADDRESS_MAX)
		return false;
	memcpy(ret, s.ptr, s.len);
	ret[s.len] = '\0';
	return true;
}

void tally_network(struct slice peer_address, char ret[NETWORK_MAX])
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	char address[ADDRESS_MAX];
	unsigned char b[16];

	ret[0] = '\0';
	if (peer_address.len == 0 || !bare_address(peer_address, address))
		return;
	if (inet_pton(AF_INET, address, b) == 1) {
		snprintf(ret, NETWORK_MAX, "%u.%u.%u.0/24", b[0], b[1], b[2]);
	} else if (inet_pton(AF_INET6, address, b) == 1) {
		if (memcmp(b, mapped, sizeof(mapped)) == 0) {
			snprintf(ret, NETWORK_MAX, "%u.%u.%u.0/24", b[12], b[13], b[14]);
		} else {
			memset(b + 6, 0, 10);
			inet_ntop(AF_INET6, b, ret, NETWORK_MAX - 3);
			memcpy(ret + strlen(ret), "/48", 4);
		}
	}
}

static struct tally_row *find_row(struct tally *t, const char *reason, const char *network)
{
	for (size_t i = 0; i < t->len; i++)
		if (strcmp(t->rows[i].reason, reason) == 0 && strcmp(t->rows[i].network, network) == 0)
			return &t->rows[i];
	return NULL;
}

static struct tally_row *new_row(struct tally *t, const char *reason, const char *network)
{
	size_t room = network[0] != '\0' ? TALLY_ROWS - TALLY_SPARE : TALLY_ROWS;

	if (t->len >= room)
		return NULL;

	struct tally_row *row = &t->rows[t->len++];

	*row = (struct tally_row){ .reason = reason };
	snprintf(row->network, sizeof(row->network), "%s", network);
	row->from_us = clock_wall_us(t->clock);
	return row;
}

/* the row to count in; with more reasons than there can be, the last row stands for all */
static struct tally_row *row_for(struct tally *t, const char *reason, const char *network)
{
	struct tally_row *row = find_row(t, reason, network);

	if (row == NULL)
		row = new_row(t, reason, network);
	if (row == NULL && (row = find_row(t, reason, "")) == NULL)
		row = new_row(t, reason, "");
	return row != NULL ? row : &t->rows[TALLY_ROWS - 1];
}

void tally_add(struct tally *t, const char *reason, struct slice peer_address)
{
	char network[NETWORK_MAX];

	tally_network(peer_address, network);
	pthread_mutex_lock(&t->lock);

	struct tally_row *row = row_for(t, reason, network);

	row->count++;
	row->to_us = clock_wall_us(t->clock);
	pthread_mutex_unlock(&t->lock);
}

size_t tally_drain(struct tally *t, struct tally_row *rows)
{
	pthread_mutex_lock(&t->lock);

	size_t len = t->len;

	memcpy(rows, t->rows, len * sizeof(*rows));
	t->len = 0;
	pthread_mutex_unlock(&t->lock);
	return len;
}
