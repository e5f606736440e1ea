/* reserve.c - see reserve.h. */
#include "audit/reserve.h"

#include "audit/frame.h"
#include "audit/scan.h"
#include "base/clock.h"
#include "base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNK ((size_t)1 << 20)
#define CHUNKS_PER_SYNC 4                /* small portions, so that commits of the log do not wait behind a large one */
#define UNFINISHED "wal.tmp"

struct reserve {
	int state_fd;
	uint64_t segment_bytes;
	pthread_t thread;
	pthread_mutex_t lock;            /* over what follows */
	pthread_cond_t changed;          /* monotonic */
	uint64_t ready[RESERVE_SEGMENTS];
	size_t ready_len;
	uint64_t next_number;
	bool stop;
	_Atomic int failed;              /* errno of the last try; written by the thread, read by all: a hint, no order needed */
};

static bool stopping(struct reserve *r)
{
	pthread_mutex_lock(&r->lock);

	bool stop = r->stop;

	pthread_mutex_unlock(&r->lock);
	return stop;
}

/* true when all of the file is zeros on the disk; else errno. ECANCELED when the thread must stop. */
static bool write_zeros(struct reserve *r, int fd)
{
	static const char zeros[CHUNK];
	uint64_t at = 0;

	for (unsigned chunk = 1; at < r->segment_bytes; chunk++) {
		size_t len = r->segment_bytes - at < CHUNK ? r->segment_bytes - at : CHUNK;
		ssize_t n = pwrite(fd, zeros, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += (uint64_t)n;
		if (chunk % CHUNKS_PER_SYNC == 0 && fdatasync(fd) != 0)
			return false;
		if (stopping(r)) {
			errno = ECANCELED;
			return false;
		}
	}
	return fsync(fd) == 0;
}

/* New file: temporary name, write, fsync, rename, fsync of the folder. 0, or errno. */
static int prepare(struct reserve *r, uint64_t number)
{
	char name[SEGMENT_NAME_MAX];
	int fd, error;

	segment_name(number, name);
	(void)unlinkat(r->state_fd, UNFINISHED, 0);
	fd = openat(r->state_fd, UNFINISHED, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		return errno;
	error = posix_fallocate(fd, 0, (off_t)r->segment_bytes);
	if (error == 0 && !write_zeros(r, fd))
		error = errno;
	close(fd);
	if (error == 0 && renameat(r->state_fd, UNFINISHED, r->state_fd, name) != 0)
		error = errno;
	if (error == 0 && fsync(r->state_fd) != 0)
		error = errno;
	if (error != 0)
		(void)unlinkat(r->state_fd, UNFINISHED, 0);
	return error;
}

static void wait_a_second(struct reserve *r)
{
	int64_t until = clock_mono_us(clock_system()) + 1000000;

	while (!r->stop && thread_wait_until(&r->changed, &r->lock, until))
		;
}

static void *run(void *arg)
{
	struct reserve *r = arg;

	pthread_mutex_lock(&r->lock);
	while (!r->stop) {
		if (r->ready_len == RESERVE_SEGMENTS) {
			pthread_cond_wait(&r->changed, &r->lock);
			continue;
		}

		uint64_t number = r->next_number;

		pthread_mutex_unlock(&r->lock);

		int error = prepare(r, number);

		pthread_mutex_lock(&r->lock);
		r->failed = error;
		if (error == 0) {
			r->ready[r->ready_len++] = number;
			r->next_number++;
		}
		pthread_cond_broadcast(&r->changed);
		if (error != 0)
			wait_a_second(r);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

struct reserve *reserve_new(int state_fd, uint64_t segment_bytes, const uint64_t *ready, size_t ready_len,
                            uint64_t next_number)
{
	struct reserve *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->state_fd = state_fd;
	r->segment_bytes = segment_bytes;
	for (; r->ready_len < ready_len && r->ready_len < RESERVE_SEGMENTS; r->ready_len++)
		r->ready[r->ready_len] = ready[r->ready_len];
	r->next_number = next_number;
	pthread_mutex_init(&r->lock, NULL);
	thread_cond_init(&r->changed);
	if (thread_start(&r->thread, "audit-reserve", run, r))
		return r;
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r);
	return NULL;
}

struct reserve *reserve_free(struct reserve *r, bool discard)
{
	char name[SEGMENT_NAME_MAX];

	if (r == NULL)
		return NULL;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	for (size_t i = 0; discard && i < r->ready_len; i++) {
		segment_name(r->ready[i], name);
		(void)unlinkat(r->state_fd, name, 0);
	}
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r);
	return NULL;
}

/* the number of the oldest ready segment; 0 when none can be had */
static uint64_t take_number(struct reserve *r)
{
	uint64_t number = 0;

	pthread_mutex_lock(&r->lock);
	while (r->ready_len == 0 && r->failed == 0)
		pthread_cond_wait(&r->changed, &r->lock);
	if (r->ready_len > 0) {
		number = r->ready[0];
		r->ready_len--;
		memmove(r->ready, r->ready + 1, r->ready_len * sizeof(r->ready[0]));
		pthread_cond_broadcast(&r->changed);
	}
	pthread_mutex_unlock(&r->lock);
	return number;
}

bool reserve_take(struct reserve *r, int *fd, uint64_t *number)
{
	char name[SEGMENT_NAME_MAX];

	while ((*number = take_number(r)) != 0) {
		segment_name(*number, name);
		*fd = openat(r->state_fd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
		if (*fd != -1)
			return true;
	}
	return false;
}

int reserve_errno(const struct reserve *r)
{
	return r->failed;
}
