/* queue.c - see queue.h. */
#include "audit/queue.h"

#include <stdlib.h>

bool queue_init(struct queue *q, size_t ring_size, size_t entries_size)
{
	*q = (struct queue){ .ring_size = ring_size, .entries_size = entries_size };
	q->ring = malloc(ring_size);
	q->entries = calloc(entries_size, sizeof(*q->entries));
	return q->ring != NULL && q->entries != NULL;
}

void queue_done(struct queue *q)
{
	free(q->ring);
	free(q->entries);
	*q = (struct queue){ 0 };
}

/* bytes that a record of len would take: its own, and the rest of the ring when it does not fit before the end */
static size_t bytes_taken(const struct queue *q, size_t len)
{
	return q->at + len <= q->ring_size ? len : q->ring_size - q->at + len;
}

static bool has_room(const struct queue *q, size_t taken, bool decision)
{
	size_t ring = decision ? q->ring_size / 4 * 3 : q->ring_size;
	size_t entries = decision ? q->entries_size / 4 * 3 : q->entries_size;

	return q->len < entries && q->used <= ring && taken <= ring - q->used;
}

bool queue_push(struct queue *q, struct slice leaf, uint8_t type, bool decision, bool urgent)
{
	size_t len = FRAME_LEAF_HEAD + leaf.len;
	size_t taken = bytes_taken(q, len);

	if (!has_room(q, taken, decision))
		return false;
	if (taken > len)
		q->at = 0;

	char *to = q->ring + q->at;

	to[0] = (char)(uint8_t)(leaf.len >> 8);
	to[1] = (char)(uint8_t)leaf.len;
	memcpy(to + FRAME_LEAF_HEAD, leaf.ptr, leaf.len);
	q->entries[(q->head + q->len) % q->entries_size] = (struct queue_entry){
		.at = (uint32_t)q->at, .len = (uint32_t)len, .type = type, .decision = decision, .urgent = urgent };
	q->at = (q->at + len) % q->ring_size;
	q->used += taken;
	q->bytes += len;
	q->len++;
	q->decisions += decision;
	q->urgent += urgent;
	return true;
}

const struct queue_entry *queue_entry(const struct queue *q, size_t i)
{
	return &q->entries[(q->head + i) % q->entries_size];
}

void queue_group(const struct queue *q, size_t max_records, size_t max_bytes, struct wal_batch *ret)
{
	struct wal_batch b = { 0 };
	size_t bytes = 0, piece = 0;

	for (; b.count < q->len && b.count < max_records; b.count++) {
		const struct queue_entry *e = queue_entry(q, b.count);

		bytes += e->len;
		if (bytes > max_bytes)
			break;
		if (b.count > 0 && e->at == 0)
			piece = 1;
		if (b.pieces[piece].len == 0)
			b.pieces[piece].ptr = q->ring + e->at;
		b.pieces[piece].len += e->len;
	}
	*ret = b;
}

void queue_drop(struct queue *q, size_t n)
{
	for (; n > 0; n--) {
		const struct queue_entry *e = queue_entry(q, 0);
		size_t next = q->len > 1 ? queue_entry(q, 1)->at : q->at;

		/* a record that is followed by one at the ring's beginning took the rest of the ring too */
		q->used -= next > e->at || q->len == 1 ? e->len : q->ring_size - e->at;
		q->bytes -= e->len;
		q->decisions -= e->decision;
		q->urgent -= e->urgent;
		q->head = (q->head + 1) % q->entries_size;
		q->len--;
	}
	if (q->len == 0)
		q->used = q->at = 0;         /* nothing in flight: begin at the front again */
}
