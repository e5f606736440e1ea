/* files.c - see files.h. */
#include "config/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool join(struct arena *a, struct slice folder, struct slice path, struct slice *ret)
{
	char *p = arena_alloc(a, folder.len + path.len + 2);

	if (p == NULL)
		return false;
	memcpy(p, folder.ptr, folder.len);
	p[folder.len] = '/';
	memcpy(p + folder.len + 1, path.ptr, path.len);
	*ret = slice_from(p, folder.len + 1 + path.len);
	return true;
}

struct slice files_trim(struct slice path)
{
	while (path.len > 1 && path.ptr[path.len - 1] == '/')
		path.len--;
	return path;
}

bool files_absolute(struct arena *a, struct slice folder, struct slice path, struct slice *ret)
{
	path = files_trim(path);
	return slice_starts(path, SLICE("/")) ? arena_dup(a, path, ret) : join(a, folder, path, ret);
}

/* offset of what stands behind the last slash */
static size_t name_at(struct slice path)
{
	size_t n = path.len;

	while (n > 0 && path.ptr[n - 1] != '/')
		n--;
	return n;
}

struct slice files_name(struct slice path)
{
	return slice_skip(path, name_at(path));
}

struct slice files_folder(struct slice path)
{
	size_t n = name_at(path);

	return n > 1 ? slice_from(path.ptr, n - 1) : slice_from(path.ptr, n);
}

enum err_code files_absolute_folder(struct arena *a, struct slice path, struct slice *ret, struct err *reterr)
{
	struct slice folder = files_folder(path), absolute;
	char here[PATH_MAX];

	if (slice_starts(folder, SLICE("/"))) {
		absolute = folder.len == 1 ? SLICE("") : folder;
		return arena_dup(a, absolute, ret) ? ERR_OK : err_nomem(reterr);
	}
	if (getcwd(here, sizeof(here)) == NULL)
		return err_set(reterr, ERR_IO, ERR_NOWHERE, "the working directory cannot be found: %s", strerror(errno));
	if (folder.len == 0)
		return arena_dup(a, slice_cstr(here), ret) ? ERR_OK : err_nomem(reterr);
	return join(a, slice_cstr(here), folder, ret) ? ERR_OK : err_nomem(reterr);
}

static enum err_code say_errno(struct slice path, struct err *reterr)
{
	int why = errno;

	return err_set(reterr, why == ENOENT || why == ENOTDIR ? ERR_NOT_FOUND : ERR_IO, ERR_NOWHERE, "%.*s: %s", SLICE_ARG(path),
	               strerror(why));
}

/* a zero inside would end the name early: another file than the one that was written down */
static bool has_zero(struct slice path)
{
	return path.len == 0 || memchr(path.ptr, '\0', path.len) != NULL;
}

enum err_code files_check(struct slice path, bool folder, unsigned *mode, struct err *reterr)
{
	struct stat st;

	if (has_zero(path))
		return err_set(reterr, ERR_INVALID, ERR_NOWHERE, "the path is empty or holds a zero byte");
	if (stat(path.ptr, &st) != 0)
		return say_errno(path, reterr);
	if (folder ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode))
		return err_set(reterr, ERR_IO, ERR_NOWHERE, "%.*s is not a %s", SLICE_ARG(path), folder ? "folder" : "regular file");
	if (faccessat(AT_FDCWD, path.ptr, folder ? R_OK | X_OK : R_OK, AT_EACCESS) != 0)
		return say_errno(path, reterr);
	*mode = st.st_mode & 0777;
	return ERR_OK;
}

/* all of fd, which is said to be size bytes long: less or more than that is an error of its own */
static enum err_code read_all(int fd, struct slice path, char *to, size_t size, struct err *reterr)
{
	size_t got = 0;
	char more;

	while (got < size) {
		ssize_t n = read(fd, to + got, size - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return say_errno(path, reterr);
		if (n == 0)
			break;
		got += (size_t)n;
	}
	if (got < size || read(fd, &more, 1) > 0)
		return err_set(reterr, ERR_IO, ERR_NOWHERE, "%.*s changed while it was read", SLICE_ARG(path));
	return ERR_OK;
}

enum err_code files_read(struct arena *a, struct slice path, size_t max, struct slice *ret, unsigned *mode, struct err *reterr)
{
	struct stat st;
	enum err_code rc = ERR_IO;
	char *bytes = NULL;
	int fd = -1;

	if (has_zero(path))
		return err_set(reterr, ERR_INVALID, ERR_NOWHERE, "the path is empty or holds a zero byte");
	fd = open(path.ptr, O_RDONLY | O_CLOEXEC | O_NONBLOCK);     /* a pipe must not make us wait */
	if (fd == -1)
		return say_errno(path, reterr);
	if (fstat(fd, &st) != 0) {
		rc = say_errno(path, reterr);
		goto done;
	}
	if (!S_ISREG(st.st_mode)) {
		rc = err_set(reterr, ERR_IO, ERR_NOWHERE, "%.*s is not a regular file", SLICE_ARG(path));
		goto done;
	}
	if ((uint64_t)st.st_size > max) {
		rc = err_set(reterr, ERR_LIMIT, ERR_NOWHERE, "%.*s is larger than %zu bytes", SLICE_ARG(path), max);
		goto done;
	}
	bytes = arena_alloc(a, (size_t)st.st_size);
	rc = bytes == NULL ? err_nomem(reterr) : read_all(fd, path, bytes, (size_t)st.st_size, reterr);
	if (rc == ERR_OK) {
		*ret = slice_from(bytes, (size_t)st.st_size);
		*mode = st.st_mode & 0777;
	}
done:
	close(fd);
	return rc;
}

static int by_text(const void *x, const void *y)
{
	return slice_cmp(*(const struct slice *)x, *(const struct slice *)y);
}

enum err_code files_list(struct arena *a, struct slice folder, size_t max, const struct slice **ret, size_t *len, struct err *reterr)
{
	enum err_code rc = ERR_OK;
	void *names = NULL;
	size_t cap = 0, n = 0;
	DIR *dir;

	if (has_zero(folder))
		return err_set(reterr, ERR_INVALID, ERR_NOWHERE, "the path is empty or holds a zero byte");
	dir = opendir(folder.ptr);
	if (dir == NULL)
		return say_errno(folder, reterr);
	for (struct dirent *e = readdir(dir); rc == ERR_OK && e != NULL; e = readdir(dir)) {
		if (e->d_name[0] == '.')
			continue;
		if (n == max)
			rc = err_set(reterr, ERR_LIMIT, ERR_NOWHERE, "%.*s holds more than %zu files", SLICE_ARG(folder), max);
		else if (!arena_grow(a, &names, &cap, n + 1, sizeof(struct slice)) ||
		         !arena_dup(a, slice_cstr(e->d_name), &((struct slice *)names)[n++]))
			rc = err_nomem(reterr);
	}
	closedir(dir);
	if (rc != ERR_OK)
		return rc;
	if (n > 0)
		qsort(names, n, sizeof(struct slice), by_text);
	*ret = names;
	*len = n;
	return ERR_OK;
}
