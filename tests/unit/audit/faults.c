/* faults.c - see faults.h. */
#include "audit/faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define TRACE_MAX 4096

static struct {
	_Atomic unsigned count, from, times;
	_Atomic int error;
} plan[FAULT_CALLS];

static _Atomic bool torn;
static _Atomic unsigned slow_us;
static _Atomic char trace[TRACE_MAX + 1];
static char trace_text[TRACE_MAX + 1];   /* a copy for the test */
static _Atomic unsigned trace_len;

void fault_arm(enum fault_call call, unsigned kth, unsigned times, int error)
{
	plan[call].error = error;
	plan[call].times = times;
	plan[call].from = plan[call].count + kth;
}

void fault_tear(bool tear)
{
	torn = tear;
}

void fault_slow_sync(unsigned us)
{
	slow_us = us;
}

void fault_clear(void)
{
	for (int i = 0; i < FAULT_CALLS; i++)
		plan[i].from = plan[i].times = plan[i].count = 0;
	torn = false;
	slow_us = 0;
	trace_len = 0;
	for (size_t i = 0; i < TRACE_MAX; i++)
		trace[i] = '\0';
}

unsigned fault_count(enum fault_call call)
{
	return plan[call].count;
}

const char *fault_trace(void)
{
	for (size_t i = 0; i < TRACE_MAX; i++)
		trace_text[i] = trace[i];
	return trace_text;
}

/* counts a call; its errno when it must fail, else 0 */
static int next_fault(enum fault_call call)
{
	unsigned n = ++plan[call].count, from = plan[call].from, times = plan[call].times;
	unsigned at = trace_len++;

	if (at < TRACE_MAX)
		trace[at] = "WwsSar"[call];
	return from != 0 && n >= from && (times == 0 || n < from + times) ? plan[call].error : 0;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwritev(int fd, const struct iovec *iov, int len, off_t offset)
{
	int error = next_fault(FAULT_PWRITEV);

	if (error == 0)
		return REAL(pwritev)(fd, iov, len, offset);
	if (torn) {
		struct iovec half = { iov[len - 1].iov_base, iov[len - 1].iov_len };
		size_t bytes = 0;

		for (int i = 0; i < len; i++)
			bytes += iov[i].iov_len;
		bytes /= 2;
		for (int i = 0; i < len && bytes > 0; i++) {
			half = iov[i];
			if (half.iov_len > bytes)
				half.iov_len = bytes;
			if (REAL(pwrite)(fd, half.iov_base, half.iov_len, offset) < 0)
				break;
			offset += (off_t)half.iov_len;
			bytes -= half.iov_len;
		}
	}
	errno = error;
	return -1;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	errno = next_fault(FAULT_PWRITE);
	return errno != 0 ? -1 : REAL(pwrite)(fd, bytes, len, offset);
}

int fdatasync(int fd)
{
	if (slow_us > 0)
		usleep(slow_us);
	errno = next_fault(FAULT_FDATASYNC);
	return errno != 0 ? -1 : REAL(fdatasync)(fd);
}

int fsync(int fd)
{
	errno = next_fault(FAULT_FSYNC);
	return errno != 0 ? -1 : REAL(fsync)(fd);
}

int posix_fallocate(int fd, off_t from, off_t len)
{
	int error = next_fault(FAULT_FALLOCATE);

	return error != 0 ? error : REAL(posix_fallocate)(fd, from, len);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	errno = next_fault(FAULT_RENAMEAT);
	return errno != 0 ? -1 : REAL(renameat)(from_fd, from, to_fd, to);
}
