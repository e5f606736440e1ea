/* pseudonym.c - see pseudonym.h. */
#include "audit/pseudonym.h"

#include "audit/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_LEN 32
#define KEY_NAME "pseudonym.key"
#define PRINTED_BYTES 10                 /* 16 letters of base32 */

/* a page of its own, so that it can be locked and left out of dumps */
struct pseudonym {
	uint8_t key[KEY_LEN];
	struct redactor redactor;
};

static enum err_code io_error(struct err *reterr, const char *doing)
{
	return err_set(reterr, ERR_IO, ERR_NOWHERE, "audit key %s: cannot %s it: %s", KEY_NAME, doing, strerror(errno));
}

/* ---- the file ---- */

/* both 0700 when they are made; the descriptor of keys/, or -1 and errno */
static int open_folder(struct slice directory)
{
	char *path = NULL;

	if (asprintf(&path, "%.*s/keys", SLICE_ARG(directory)) < 0)
		return -1;

	char *keys = path + directory.len;
	int fd = -1;

	*keys = '\0';
	if (mkdir(path, 0700) == 0 || errno == EEXIST) {
		*keys = '/';
		if (mkdir(path, 0700) == 0 || errno == EEXIST)
			fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}

	int saved = errno;

	free(path);
	errno = saved;
	return fd;
}

static bool random_key(uint8_t key[KEY_LEN])
{
	return getrandom(key, KEY_LEN, 0) == KEY_LEN;
}

/* A link, not a rename: it never takes the place of a key that somebody else made meanwhile. */
static enum err_code make_key(int folder, struct err *reterr)
{
	char name[64];
	uint8_t key[KEY_LEN];
	enum err_code rc = ERR_OK;

	snprintf(name, sizeof(name), KEY_NAME ".%ld", (long)getpid());

	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);

	if (fd == -1 || !random_key(key) || write(fd, key, sizeof(key)) != (ssize_t)sizeof(key) || fsync(fd) != 0 ||
	    (linkat(folder, name, folder, KEY_NAME, 0) != 0 && errno != EEXIST) || fsync(folder) != 0)
		rc = io_error(reterr, "make");
	OPENSSL_cleanse(key, sizeof(key));
	if (fd != -1) {
		close(fd);
		(void)unlinkat(folder, name, 0);
	}
	return rc;
}

static enum err_code read_key(int fd, uint8_t key[KEY_LEN], struct err *reterr)
{
	uint8_t more[KEY_LEN + 1];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) != 0 || (n = read(fd, more, sizeof(more))) < 0)
		return io_error(reterr, "read");
	memcpy(key, more, KEY_LEN);
	OPENSSL_cleanse(more, sizeof(more));
	if (n != KEY_LEN)
		return err_set(reterr, ERR_INVALID, ERR_NOWHERE, "audit key %s: %d bytes, not one more or less", KEY_NAME,
		               KEY_LEN);
	if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0)
		return err_set(reterr, ERR_INVALID, ERR_NOWHERE, "audit key %s: only its owner may read it (chmod 0400)",
		               KEY_NAME);
	return ERR_OK;
}

static enum err_code load_key(struct slice directory, uint8_t key[KEY_LEN], struct err *reterr)
{
	int folder = open_folder(directory);
	int fd = -1;
	enum err_code rc = ERR_OK;

	if (folder == -1)
		return io_error(reterr, "open the folder of");
	fd = openat(folder, KEY_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1 && errno == ENOENT) {
		rc = make_key(folder, reterr);
		if (rc == ERR_OK)
			fd = openat(folder, KEY_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	}
	if (rc == ERR_OK)
		rc = fd == -1 ? io_error(reterr, "open") : read_key(fd, key, reterr);
	if (fd != -1)
		close(fd);
	close(folder);
	return rc;
}

/* ---- use ---- */

enum err_code pseudonym_open(struct slice directory, struct pseudonym **ret, struct err *reterr)
{
	struct pseudonym *p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	enum err_code rc;

	if (p == MAP_FAILED)
		return err_nomem(reterr);
	(void)mlock(p, sizeof(*p));
	(void)madvise(p, sizeof(*p), MADV_DONTDUMP);
	rc = load_key(directory, p->key, reterr);
	if (rc != ERR_OK) {
		pseudonym_free(p);
		return rc;
	}
	digest_hmac(slice_from((const char *)p->key, KEY_LEN), SLICE("weir/redact/v1"), p->redactor.key);
	*ret = p;
	return ERR_OK;
}

struct pseudonym *pseudonym_free(struct pseudonym *p)
{
	if (p == NULL)
		return NULL;
	OPENSSL_cleanse(p, sizeof(*p));
	munmap(p, sizeof(*p));
	return NULL;
}

void pseudonym_print(const struct pseudonym *p, struct slice spki, char ret[24])
{
	static const char letter[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint8_t mac[DIGEST_LEN];
	size_t len = 3;

	ret[0] = '\0';
	if (spki.len == 0)
		return;
	digest_hmac(slice_from((const char *)p->key, KEY_LEN), spki, mac);
	memcpy(ret, "op_", 3);
	for (size_t bit = 0; bit < PRINTED_BYTES * 8; bit += 5) {
		unsigned two = (unsigned)mac[bit / 8] << 8 | mac[bit / 8 + 1];

		ret[len++] = letter[two >> (11 - bit % 8) & 31];
	}
	ret[len] = '\0';
}

const struct redactor *pseudonym_redactor(const struct pseudonym *p)
{
	return &p->redactor;
}
