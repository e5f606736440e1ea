/* scratch.h - a folder for one test, and what tests do to the files in it. All failures fail the test. */
#ifndef WEIR_TESTS_AUDIT_SCRATCH_H
#define WEIR_TESTS_AUDIT_SCRATCH_H

#include "base/slice.h"

#include <stdint.h>

#define SCRATCH_PATH_MAX 256

/* a new empty folder, in memory where that can be had: a test that opens a log a thousand times waits for no disk */
void scratch_new(char path[SCRATCH_PATH_MAX]);
/* the same in TMPDIR or /tmp */
void scratch_new_on_disk(char path[SCRATCH_PATH_MAX]);
void scratch_remove(const char *path);

/* "<directory>/<shard>/.state/wal-<number>" */
void scratch_segment(char path[SCRATCH_PATH_MAX], const char *directory, const char *shard, uint64_t number);
/* the whole file from malloc; *len its length */
char *scratch_read(const char *path, size_t *len);
void scratch_write(const char *path, struct slice bytes);
/* sets len bytes of a file */
void scratch_patch(const char *path, uint64_t offset, const void *bytes, size_t len);
/* files of a shard's .state whose names begin so */
size_t scratch_count(const char *directory, const char *shard, const char *prefix);

#endif
