/* faults.h - makes chosen system calls of this test's process fail, and notes in which order they came.
 *
 * faults.c defines the functions themselves, so the library under test calls it in place of libc and has no hook for it.
 * Threads: all.
 */
#ifndef WEIR_TESTS_AUDIT_FAULTS_H
#define WEIR_TESTS_AUDIT_FAULTS_H

#include <stdbool.h>

enum fault_call { FAULT_PWRITEV, FAULT_PWRITE, FAULT_FDATASYNC, FAULT_FSYNC, FAULT_FALLOCATE, FAULT_RENAMEAT, FAULT_CALLS };

/* the kth call from now (1 = the next) and the times - 1 after it fail with error; times 0: all after it */
void fault_arm(enum fault_call call, unsigned kth, unsigned times, int error);
/* a pwritev that fails writes the first half of its bytes before it does */
void fault_tear(bool tear);
/* each fdatasync takes this long at least; how a slow disk looks */
void fault_slow_sync(unsigned us);
void fault_clear(void);
/* calls since fault_clear, those that failed included */
unsigned fault_count(enum fault_call call);
/* one letter for each call since fault_clear: W pwritev, w pwrite, s fdatasync, S fsync, a posix_fallocate, r renameat */
const char *fault_trace(void);

#endif
