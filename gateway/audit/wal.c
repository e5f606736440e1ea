/* wal.c - see wal.h. */
#include "audit/wal.h"

#include "audit/reserve.h"
#include "audit/shard.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define TRIES 3                          /* segments that one append may spoil: one in use, two ready */

struct wal {
	struct shard shard;
	struct reserve *reserve;
	struct recovery recovery;
	uint64_t segment_bytes;
	uint64_t next_group;

	int fd;                          /* of the segment in use, or -1 */
	struct segment_head head;
	uint64_t offset;
	bool holds_groups;               /* the segment in use has at least one durable group */
};

/* ---- the segment in use ---- */

static void close_segment(struct wal *w)
{
	if (w->fd != -1)
		close(w->fd);
	w->fd = -1;
}

/* A write or a sync of the segment failed: it is never touched again. One without a durable group is removed, so that a
 * device that fails each second does not fill the disk. */
static void spoil_segment(struct wal *w)
{
	char name[SEGMENT_NAME_MAX];

	close_segment(w);
	segment_name(w->head.number, name);
	if (!w->holds_groups)
		(void)unlinkat(w->shard.state_fd, name, 0);
}

/* all of iov at offset; short writes go on. iov is used up. */
static bool write_all(int fd, struct iovec *iov, int len, uint64_t offset)
{
	while (len > 0) {
		ssize_t n = pwritev(fd, iov, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		offset += (uint64_t)n;
		while (len > 0 && (size_t)n >= iov->iov_len) {
			n -= (ssize_t)iov->iov_len;
			iov++;
			len--;
		}
		if (len > 0) {
			iov->iov_base = (char *)iov->iov_base + n;
			iov->iov_len -= (size_t)n;
		}
	}
	return true;
}

static bool random_id(uint8_t id[FRAME_ID])
{
	return getrandom(id, FRAME_ID, 0) == FRAME_ID;
}

/* Begins a new segment. Its head is durable before any group is written, so a segment without a head holds nothing. */
static bool begin_segment(struct wal *w)
{
	uint8_t block[FRAME_BLOCK];

	close_segment(w);
	for (int tries = 0; tries < TRIES && reserve_take(w->reserve, &w->fd, &w->head.number); tries++) {
		struct iovec iov = { block, sizeof(block) };

		w->holds_groups = false;
		w->head.first_index = w->recovery.merkle.size;
		w->offset = FRAME_BLOCK;
		if (random_id(w->head.id)) {
			segment_head_print(&w->head, block);
			if (write_all(w->fd, &iov, 1, 0) && fdatasync(w->fd) == 0)
				return true;
		}
		spoil_segment(w);
	}
	w->fd = -1;
	return false;
}

/* ---- groups ---- */

static size_t batch_bytes(const struct wal_batch *b)
{
	return b->pieces[0].len + b->pieces[1].len;
}

/* whole blocks, zeros behind the payload included: what a torn group left there is covered, and no block is read first */
static bool write_group(struct wal *w, const struct wal_batch *b, uint64_t extent, uint64_t *sync_us)
{
	static const char zeros[FRAME_BLOCK];
	uint8_t head[FRAME_GROUP_HEAD];
	struct group_head h = { .number = w->next_group, .first_index = w->recovery.merkle.size, .count = b->count,
	                        .bytes = (uint32_t)batch_bytes(b) };

	group_head_print(&h, w->head.id, b->pieces, head);

	struct iovec iov[] = {
		{ head, sizeof(head) },
		{ (void *)b->pieces[0].ptr, b->pieces[0].len },
		{ (void *)b->pieces[1].ptr, b->pieces[1].len },
		{ (void *)zeros, extent - FRAME_GROUP_HEAD - batch_bytes(b) },
	};

	if (!write_all(w->fd, iov, 4, w->offset))
		return false;

	int64_t began = clock_mono_us(clock_system());
	bool durable = fdatasync(w->fd) == 0;

	*sync_us = (uint64_t)(clock_mono_us(clock_system()) - began);
	return durable;
}

/* what is durable is counted: the tree grows by the group's leaves */
static void take_over(struct wal *w, const struct wal_batch *b, uint64_t extent)
{
	for (int i = 0; i < 2; i++) {
		struct slice rest = b->pieces[i], leaf;

		while (payload_next(&rest, &leaf))
			merkle_add(&w->recovery.merkle, leaf);
	}
	w->next_group++;
	w->offset += extent;
	w->holds_groups = true;
}

enum err_code wal_append(struct wal *w, const struct wal_batch *b, uint64_t *sync_us, struct err *reterr)
{
	uint64_t extent = group_extent((uint32_t)batch_bytes(b));

	must(b->count > 0 && b->count <= GROUP_RECORDS_MAX && batch_bytes(b) <= wal_group_bytes(w));
	for (int tries = 0; tries < TRIES; tries++) {
		if ((w->fd == -1 || w->offset + extent > w->segment_bytes) && !begin_segment(w))
			break;
		if (write_group(w, b, extent, sync_us)) {
			take_over(w, b, extent);
			return ERR_OK;
		}
		spoil_segment(w);
	}
	return err_set(reterr, ERR_IO, ERR_NOWHERE, "audit log: no segment in %s takes the group: %s", w->shard.state_path,
	               strerror(reserve_errno(w->reserve) != 0 ? reserve_errno(w->reserve) : errno));
}

size_t wal_group_bytes(const struct wal *w)
{
	size_t room = w->segment_bytes - FRAME_BLOCK - FRAME_GROUP_HEAD;

	return room < GROUP_BYTES_MAX ? room : GROUP_BYTES_MAX;
}

/* ---- state ---- */

bool wal_has_reserve(const struct wal *w)
{
	return reserve_errno(w->reserve) == 0;
}

bool wal_present(const struct wal *w)
{
	char name[SEGMENT_NAME_MAX];
	char *path = NULL;
	struct stat named, held;

	if (!shard_held(&w->shard))
		return false;
	segment_name(w->head.number, name);
	if (w->fd == -1 || asprintf(&path, "%s/%s", w->shard.state_path, name) < 0)
		return true;                 /* nothing to compare; looked at again in a second */

	bool present = fstat(w->fd, &held) == 0 && held.st_nlink > 0 && stat(path, &named) == 0 &&
	               named.st_ino == held.st_ino && named.st_dev == held.st_dev;

	free(path);
	return present;
}

uint64_t wal_next_index(const struct wal *w)
{
	return w->recovery.merkle.size;
}

struct merkle *wal_merkle(struct wal *w)
{
	return &w->recovery.merkle;
}

const struct recovery *wal_recovery(const struct wal *w)
{
	return &w->recovery;
}

/* ---- life ---- */

/* Goes on in the last segment where that is possible. Not behind records that are lost at the very end: a segment with a
 * higher number holds what is left of them. */
static enum err_code open_tail(struct wal *w, struct err *reterr)
{
	const struct scan_end *end = &w->recovery.end;
	bool empty = end->tail_offset == FRAME_BLOCK;
	char name[SEGMENT_NAME_MAX];

	if (!end->has_tail || end->lost > 0 || end->tail_size != w->segment_bytes ||
	    (empty && end->tail.first_index != end->next_index))
		return ERR_OK;
	segment_name(end->tail.number, name);
	w->fd = openat(w->shard.state_fd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (w->fd == -1)
		return err_set(reterr, ERR_IO, ERR_NOWHERE, "audit log: cannot open %s: %s", name, strerror(errno));
	w->head = end->tail;
	w->offset = end->tail_offset;
	w->holds_groups = !empty;
	return ERR_OK;
}

/* Segments that were prepared and not used are the reserve again; those that do not fit are removed. */
static enum err_code open_reserve(struct wal *w, struct err *reterr)
{
	const struct recovery *r = &w->recovery;
	uint64_t ready[RESERVE_SEGMENTS];
	size_t ready_len = 0;

	for (size_t i = 0; i < r->unused_len; i++) {
		char name[SEGMENT_NAME_MAX];
		struct stat st;
		bool later = !r->end.has_tail || r->unused[i] > r->end.tail.number;

		segment_name(r->unused[i], name);
		if (later && ready_len < RESERVE_SEGMENTS && fstatat(w->shard.state_fd, name, &st, 0) == 0 &&
		    (uint64_t)st.st_size == w->segment_bytes)
			ready[ready_len++] = r->unused[i];
		else
			(void)unlinkat(w->shard.state_fd, name, 0);
	}
	w->reserve = reserve_new(w->shard.state_fd, w->segment_bytes, ready, ready_len, r->end.last_number + 1);
	return w->reserve == NULL ? err_nomem(reterr) : ERR_OK;
}

enum err_code wal_open(const struct wal_options *o, struct wal **ret, struct err *reterr)
{
	struct wal *w;
	enum err_code rc;

	if (o->segment_bytes < WAL_SEGMENT_BYTES_MIN || o->segment_bytes % FRAME_BLOCK != 0)
		return err_set(reterr, ERR_INVALID, ERR_NOWHERE, "audit log: a segment has %d KiB at least, in whole blocks",
		               (int)(WAL_SEGMENT_BYTES_MIN >> 10));
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		return err_nomem(reterr);
	w->fd = -1;
	w->segment_bytes = o->segment_bytes;
	rc = shard_open(o->directory, o->instance, o->year, &w->shard, reterr);
	if (rc == ERR_OK)
		rc = recover(w->shard.state_fd, o->accept_damage, &w->recovery, reterr);
	if (rc == ERR_OK)
		rc = open_tail(w, reterr);
	if (rc == ERR_OK)
		rc = open_reserve(w, reterr);
	if (rc != ERR_OK) {
		wal_free(w, false);
		return rc;
	}
	w->next_group = w->recovery.end.next_group;
	*ret = w;
	return ERR_OK;
}

struct wal *wal_free(struct wal *w, bool retire)
{
	if (w == NULL)
		return NULL;
	close_segment(w);
	reserve_free(w->reserve, retire);
	recovery_done(&w->recovery);
	shard_close(&w->shard);
	free(w);
	return NULL;
}
