/* scratch.c - see scratch.h. */
#include "audit/scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static void make(char path[SCRATCH_PATH_MAX], const char *base)
{
	snprintf(path, SCRATCH_PATH_MAX, "%.200s/weir-audit-XXXXXX", base);
	assert_non_null(mkdtemp(path));
}

void scratch_new(char path[SCRATCH_PATH_MAX])
{
	make(path, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

void scratch_new_on_disk(char path[SCRATCH_PATH_MAX])
{
	const char *base = getenv("TMPDIR");

	make(path, base != NULL ? base : "/tmp");
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void scratch_remove(const char *path)
{
	assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void scratch_segment(char path[SCRATCH_PATH_MAX], const char *directory, const char *shard, uint64_t number)
{
	int n = snprintf(path, SCRATCH_PATH_MAX, "%s/%s/.state/wal-%" PRIu64, directory, shard, number);

	assert_in_range(n, 1, SCRATCH_PATH_MAX - 1);
}

char *scratch_read(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	char *bytes;

	assert_int_not_equal(fd, -1);
	assert_int_equal(fstat(fd, &st), 0);
	*len = (size_t)st.st_size;
	bytes = malloc(*len + 1);
	assert_non_null(bytes);
	assert_int_equal(pread(fd, bytes, *len, 0), *len);
	close(fd);
	return bytes;
}

void scratch_write(const char *path, struct slice bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, bytes.ptr, bytes.len), bytes.len);
	close(fd);
}

void scratch_patch(const char *path, uint64_t offset, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY);

	assert_int_not_equal(fd, -1);
	assert_int_equal(lseek(fd, (off_t)offset, SEEK_SET), offset);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

size_t scratch_count(const char *directory, const char *shard, const char *prefix)
{
	char path[2 * SCRATCH_PATH_MAX];
	struct dirent *entry;
	DIR *dir;
	size_t n = 0;

	snprintf(path, sizeof(path), "%s/%s/.state", directory, shard);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		n += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
	closedir(dir);
	return n;
}
