/* shard.c - see shard.h. */
#include "audit/shard.h"

#include "base/clock.h"
#include "base/strbuf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHARDS_MAX 4096

bool instance_valid(struct slice s)
{
	if (s.len == 0 || s.len > INSTANCE_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		bool alnum = (c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');

		if (!alnum && (i == 0 || (c != '_' && c != '.' && c != '-')))
			return false;
	}
	return true;
}

/* four digits; 0 when they are none */
static unsigned parse_year(struct slice s)
{
	unsigned year = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return 0;
		year = year * 10 + (unsigned)(s.ptr[i] - '0');
	}
	return s.len == 4 ? year : 0;
}

unsigned shard_year(int64_t wall_us)
{
	char text[CLOCK_TEXT_MAX];

	clock_print(wall_us, text);
	return parse_year(slice_from(text, 4));
}

bool shard_name_parse(struct slice text, struct shard_name *ret)
{
	if (text.len < 6 || text.len > SHARD_NAME_MAX || text.ptr[text.len - 5] != '-')
		return false;
	*ret = (struct shard_name){ .text = text, .instance = slice_from(text.ptr, text.len - 5),
	                            .year = parse_year(slice_skip(text, text.len - 4)) };
	return instance_valid(ret->instance) && ret->year > 0;
}

static enum err_code io_error(struct err *reterr, const char *doing, const char *path)
{
	return err_set(reterr, ERR_IO, ERR_NOWHERE, "audit log: cannot %s %s: %s", doing, path, strerror(errno));
}

/* makes a folder durable: itself, and its name in its parent */
static enum err_code make_folder(const char *path, struct err *reterr)
{
	char *parent = NULL;
	int fd = -1;
	enum err_code rc = ERR_OK;

	if (mkdir(path, 0700) != 0)
		return errno == EEXIST ? ERR_OK : io_error(reterr, "make", path);
	if (asprintf(&parent, "%s/..", path) < 0)
		return err_nomem(reterr);
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || fsync(fd) != 0)
		rc = io_error(reterr, "sync the folder above", path);
	if (fd != -1)
		close(fd);
	free(parent);
	return rc;
}

/* directory, shard and .state in turn; ret is the last one's path, from malloc */
static enum err_code make_folders(struct slice directory, const char *name, char **ret, struct err *reterr)
{
	char *path = NULL;
	enum err_code rc = ERR_OK;

	if (asprintf(&path, "%.*s/%s/.state", SLICE_ARG(directory), name) < 0)
		return err_nomem(reterr);

	const size_t ends[] = { directory.len, directory.len + 1 + strlen(name), strlen(path) };

	for (size_t i = 0; i < 3 && rc == ERR_OK; i++) {
		char next = path[ends[i]];

		path[ends[i]] = '\0';
		rc = make_folder(path, reterr);
		path[ends[i]] = next;
	}
	if (rc == ERR_OK)
		*ret = path;
	else
		free(path);
	return rc;
}

/* for people who ask who holds the lock; nothing depends on it */
static void note_pid(int fd)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n)
		return;
}

bool shard_held(const struct shard *s)
{
	struct stat named, held;

	return fstatat(s->state_fd, "lock", &named, AT_SYMLINK_NOFOLLOW) == 0 && fstat(s->lock_fd, &held) == 0 &&
	       named.st_ino == held.st_ino && named.st_dev == held.st_dev;
}

static enum err_code take_lock(struct shard *s, struct err *reterr)
{
	char pid[24] = "";

	for (;;) {
		s->lock_fd = openat(s->state_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (s->lock_fd == -1)
			return io_error(reterr, "open the lock in", s->state_path);
		if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0)
			break;
		if (shard_held(s)) {
			note_pid(s->lock_fd);
			return ERR_OK;
		}
		close(s->lock_fd);           /* somebody replaced the file between open and flock */
	}
	if (errno != EWOULDBLOCK)
		return io_error(reterr, "lock", s->state_path);
	if (pread(s->lock_fd, pid, sizeof(pid) - 1, 0) > 0)
		pid[strcspn(pid, "\n")] = '\0';
	return err_set(reterr, ERR_EXISTS, ERR_NOWHERE, "audit log: %s is being written by another process (%s)",
	               s->state_path, pid);
}

enum err_code shard_open(struct slice directory, struct slice instance, unsigned year, struct shard *ret,
                         struct err *reterr)
{
	struct shard s = { .year = year, .state_fd = -1, .lock_fd = -1 };
	enum err_code rc;

	if (!instance_valid(instance) || year < 1000 || year > 9999)
		return err_set(reterr, ERR_INVALID, ERR_NOWHERE,
		               "audit log: an instance is 1 to %d of [A-Za-z0-9_.-], a letter or digit first", INSTANCE_MAX);
	snprintf(s.name, sizeof(s.name), "%.*s-%04u", SLICE_ARG(instance), year);
	rc = make_folders(directory, s.name, &s.state_path, reterr);
	if (rc != ERR_OK)
		goto done;
	s.state_fd = open(s.state_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s.state_fd == -1) {
		rc = io_error(reterr, "open", s.state_path);
		goto done;
	}
	rc = take_lock(&s, reterr);
done:
	if (rc == ERR_OK)
		*ret = s;
	else
		shard_close(&s);
	return rc;
}

void shard_close(struct shard *s)
{
	if (s->state_path == NULL)
		return;
	if (s->lock_fd != -1)
		close(s->lock_fd);           /* and with it the lock; the file stays, it means nothing by itself */
	if (s->state_fd != -1)
		close(s->state_fd);
	free(s->state_path);
	*s = (struct shard){ .state_fd = -1, .lock_fd = -1 };
}

static int compare_names(const void *a, const void *b)
{
	const struct shard_name *x = a, *y = b;
	int c = slice_cmp(x->instance, y->instance);

	return c != 0 ? c : (x->year > y->year) - (x->year < y->year);
}

static enum err_code collect_names(struct arena *a, DIR *dir, struct shard_name **ret, size_t *len, struct err *reterr)
{
	struct shard_name *names = NULL;
	size_t n = 0, cap = 0;
	struct dirent *entry;

	while ((entry = readdir(dir)) != NULL) {
		struct shard_name name;
		struct slice text;

		if (!shard_name_parse(slice_cstr(entry->d_name), &name))
			continue;
		if (n == SHARDS_MAX)
			return err_set(reterr, ERR_LIMIT, ERR_NOWHERE, "audit log: more than %d shards", SHARDS_MAX);
		if (!arena_dup(a, name.text, &text) || !arena_grow(a, (void **)&names, &cap, n + 1, sizeof(*names)))
			return err_nomem(reterr);
		if (shard_name_parse(text, &names[n]))
			n++;
	}
	if (n > 0)
		qsort(names, n, sizeof(*names), compare_names);
	*ret = names;
	*len = n;
	return ERR_OK;
}

/* s as text that ends in a zero, for system calls; NULL without memory */
static const char *zero_ended(struct arena *a, struct slice s)
{
	struct slice copy;

	return arena_dup(a, s, &copy) ? copy.ptr : NULL;
}

enum err_code shard_list(struct arena *a, struct slice directory, struct shard_name **ret, size_t *len,
                         struct err *reterr)
{
	const char *path = zero_ended(a, directory);
	DIR *dir = path == NULL ? NULL : opendir(path);

	if (path == NULL)
		return err_nomem(reterr);
	if (dir == NULL && errno == ENOENT) {
		*ret = NULL;
		*len = 0;
		return ERR_OK;
	}
	if (dir == NULL)
		return io_error(reterr, "open", path);

	enum err_code rc = collect_names(a, dir, ret, len, reterr);

	closedir(dir);
	return rc;
}

int shard_open_state(struct slice directory, struct slice name)
{
	char *path = NULL;

	if (asprintf(&path, "%.*s/%.*s/.state", SLICE_ARG(directory), SLICE_ARG(name)) < 0) {
		errno = ENOMEM;
		return -1;
	}

	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int saved = errno;

	free(path);
	errno = saved;
	return fd;
}
