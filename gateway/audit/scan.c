/* scan.c - see scan.h. */
#include "audit/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW ((size_t)2 << 20) /* read at once; more than a group takes */
#define UNUSED_MAX 16

struct segment {
	int fd;                          /* -1 = none */
	struct segment_head head;
	uint64_t size;
};

struct scan {
	int state_fd;
	enum scan_use use;
	uint64_t *numbers;               /* of segments not looked at yet, ascending */
	size_t numbers_len, numbers_cap, at;
	struct segment current;
	struct segment next;             /* found already, while the rest of current is looked at */
	uint64_t offset;                 /* in current */
	uint64_t passed;                 /* number of the last segment that was opened */
	bool based;                      /* false until the first group, when the walk did not begin at group 1 */
	uint64_t returned;               /* index behind the last record returned */
	char *window;                    /* bytes of current */
	uint64_t window_from;
	size_t window_len;
	uint64_t unused[UNUSED_MAX];
	size_t unused_len;
	struct scan_end end;
};

void segment_name(uint64_t number, char ret[SEGMENT_NAME_MAX])
{
	snprintf(ret, SEGMENT_NAME_MAX, "wal-%" PRIu64, number);
}

static enum err_code io_error(struct err *reterr, const char *doing, uint64_t number)
{
	return err_set(reterr, ERR_IO, ERR_NOWHERE, "audit log: cannot %s wal-%" PRIu64 ": %s", doing, number,
	               strerror(errno));
}

/* ---- segments ---- */

/* 0 = not the name of a segment */
static uint64_t parse_segment_name(const char *name)
{
	char again[SEGMENT_NAME_MAX];
	uint64_t number = 0;

	if (sscanf(name, "wal-%" SCNu64, &number) != 1)
		return 0;
	segment_name(number, again);
	return strcmp(name, again) == 0 ? number : 0;
}

static bool add_number(struct scan *s, uint64_t number)
{
	if (s->numbers_len == s->numbers_cap) {
		size_t cap = s->numbers_cap == 0 ? 64 : s->numbers_cap * 2;
		uint64_t *more = reallocarray(s->numbers, cap, sizeof(*more));

		if (more == NULL)
			return false;
		s->numbers = more;
		s->numbers_cap = cap;
	}
	s->numbers[s->numbers_len++] = number;
	return true;
}

static int compare_numbers(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* lists the segments behind the last one that was opened */
static enum err_code list_segments(struct scan *s, struct err *reterr)
{
	int fd = openat(s->state_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	struct dirent *entry;
	enum err_code rc = ERR_OK;

	if (dir == NULL) {
		rc = err_set(reterr, ERR_IO, ERR_NOWHERE, "audit log: cannot list its segments: %s", strerror(errno));
		if (fd != -1)
			close(fd);
		return rc;
	}
	s->at = s->numbers_len = 0;
	while (rc == ERR_OK && (entry = readdir(dir)) != NULL) {
		uint64_t number = parse_segment_name(entry->d_name);

		if (number > s->end.last_number)
			s->end.last_number = number;
		if (number > s->passed && !add_number(s, number))
			rc = err_nomem(reterr);
	}
	closedir(dir);
	if (s->numbers_len > 0)
		qsort(s->numbers, s->numbers_len, sizeof(*s->numbers), compare_numbers);
	return rc;
}

/* Forgets what the page cache holds: after a failed sync it may hold what the disk does not. */
static enum err_code drop_cache(const struct segment *g, uint64_t number, struct err *reterr)
{
	if (fdatasync(g->fd) != 0)
		return io_error(reterr, "sync", number);
	(void)posix_fadvise(g->fd, 0, 0, POSIX_FADV_DONTNEED);
	return ERR_OK;
}

static bool read_head(struct segment *g, uint64_t number)
{
	uint8_t block[FRAME_BLOCK];

	return pread(g->fd, block, sizeof(block), 0) == (ssize_t)sizeof(block) && segment_head_parse(block, &g->head) &&
	       g->head.number == number;
}

/* A head is made durable before the first group is written, so a segment without one, and without a first group, was
 * never used. */
static bool has_groups(const struct segment *g)
{
	char block[FRAME_BLOCK];
	ssize_t n = pread(g->fd, block, sizeof(block), FRAME_BLOCK);

	for (ssize_t i = 0; i < n; i++)
		if (block[i] != '\0')
			return true;
	return false;
}

/* A segment whose head is damaged: without its id no group can be checked. The group heads still tell how many records
 * there were; they are lost, and their indexes are not given out again. */
static void count_headless(struct scan *s, const struct segment *g)
{
	uint64_t offset = FRAME_BLOCK, group = s->end.next_group;
	char head[FRAME_GROUP_HEAD];
	struct group_head h;

	while (pread(g->fd, head, sizeof(head), (off_t)offset) == (ssize_t)sizeof(head) &&
	       group_head_parse(slice_from(head, sizeof(head)), &h) && h.number == s->end.next_group &&
	       h.first_index == s->end.next_index) {
		offset += group_extent(h.bytes);
		s->end.next_group++;
		s->end.next_index += h.count;
	}
	if (s->end.next_group == group) {      /* not even that: at least one there was */
		s->end.next_group++;
		s->end.next_index++;
	}
}

static enum err_code open_segment(struct scan *s, uint64_t number, struct segment *ret, struct err *reterr)
{
	char name[SEGMENT_NAME_MAX];
	struct segment g = { .fd = -1 };
	struct stat st;
	enum err_code rc = ERR_OK;

	segment_name(number, name);
	g.fd = openat(s->state_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (g.fd == -1 && errno == ENOENT)
		return ERR_NOT_FOUND;
	if (g.fd == -1 || fstat(g.fd, &st) != 0) {
		rc = io_error(reterr, "open", number);
	} else {
		g.size = (uint64_t)st.st_size;
		if (s->use == SCAN_RECOVER)
			rc = drop_cache(&g, number, reterr);
	}
	if (rc == ERR_OK)
		*ret = g;
	else if (g.fd != -1)
		close(g.fd);
	return rc;
}

/* finds the next segment with a head and opens it as s->next; ERR_NOT_FOUND when there is none */
static enum err_code find_next(struct scan *s, struct err *reterr)
{
	while (s->at < s->numbers_len) {
		uint64_t number = s->numbers[s->at++];
		struct segment g;
		enum err_code rc = open_segment(s, number, &g, reterr);

		if (rc == ERR_NOT_FOUND)
			continue;
		if (rc != ERR_OK)
			return rc;

		bool headed = read_head(&g, number);
		bool used = headed || has_groups(&g);

		if (used && !headed)             /* a writer at work may have begun it between the two looks */
			headed = read_head(&g, number);
		if (used)
			s->passed = number;
		else if (s->unused_len < UNUSED_MAX)
			s->unused[s->unused_len++] = number;
		if (headed) {
			s->next = g;
			return ERR_OK;
		}
		if (used)
			count_headless(s, &g);
		close(g.fd);
	}
	return ERR_NOT_FOUND;
}

static void enter_next(struct scan *s)
{
	if (s->current.fd != -1)
		close(s->current.fd);
	s->current = s->next;
	s->next.fd = -1;
	s->offset = FRAME_BLOCK;
	s->window_len = 0;
}

/* ---- groups ---- */

/* up to len bytes of the current segment at offset; fewer at its end */
static enum err_code look(struct scan *s, uint64_t offset, size_t len, struct slice *ret, struct err *reterr)
{
	if (offset < s->window_from || offset + len > s->window_from + s->window_len) {
		ssize_t n = pread(s->current.fd, s->window, WINDOW, (off_t)offset);

		if (n < 0)
			return io_error(reterr, "read", s->current.head.number);
		s->window_from = offset;
		s->window_len = (size_t)n;
	}

	size_t skip = offset - s->window_from;

	*ret = slice_from(s->window + skip, s->window_len - skip < len ? s->window_len - skip : len);
	return ERR_OK;
}

/* ERR_NOT_FOUND when no valid group begins there */
static enum err_code group_at(struct scan *s, uint64_t offset, struct scan_group *ret, struct err *reterr)
{
	struct slice in;
	enum err_code rc = look(s, offset, FRAME_GROUP_HEAD, &in, reterr);

	if (rc != ERR_OK)
		return rc;
	if (!group_head_parse(in, &ret->head))
		return ERR_NOT_FOUND;

	size_t len = FRAME_GROUP_HEAD + ret->head.bytes;

	rc = look(s, offset, len, &in, reterr);
	if (rc != ERR_OK)
		return rc;
	if (in.len < len || !group_valid(in, &ret->head, s->current.head.id))
		return ERR_NOT_FOUND;
	ret->payload = slice_skip(in, FRAME_GROUP_HEAD);
	return ERR_OK;
}

/* the same with bytes that are read now, not with the window's: a writer may be at work */
static enum err_code group_now(struct scan *s, struct scan_group *ret, struct err *reterr)
{
	enum err_code rc = group_at(s, s->offset, ret, reterr);

	if (rc != ERR_NOT_FOUND)
		return rc;
	s->window_len = 0;
	return group_at(s, s->offset, ret, reterr);
}

/* Looks behind a place where no group is, up to the end of the segment: for a group that should come later, and for torn
 * bytes. ERR_NOT_FOUND when there is none, else *found is its offset. */
static enum err_code search_behind(struct scan *s, uint64_t *found, struct err *reterr)
{
	uint64_t torn = s->offset;

	for (uint64_t offset = s->offset; offset < s->current.size; offset += FRAME_BLOCK) {
		struct scan_group g;
		struct slice block;
		enum err_code rc = look(s, offset, FRAME_BLOCK, &block, reterr);
		size_t end = block.len;

		if (rc != ERR_OK)
			return rc;
		while (end > 0 && block.ptr[end - 1] == '\0')
			end--;
		if (end == 0)
			continue;
		torn = offset + end;
		rc = group_at(s, offset, &g, reterr);
		if (rc == ERR_OK && g.head.number >= s->end.next_group)
			*found = offset;
		if (rc != ERR_NOT_FOUND && (rc != ERR_OK || *found == offset))
			return rc;
	}
	s->end.cut += torn - s->offset;
	return ERR_NOT_FOUND;
}

/* moves past damage to the next valid group of the current segment; ERR_NOT_FOUND when there is none */
static enum err_code pass_damage(struct scan *s, struct err *reterr)
{
	struct scan_group g;
	uint64_t found = 0;
	enum err_code rc = search_behind(s, &found, reterr);

	if (rc != ERR_OK)
		return rc;
	/* A writer may have written the missing group, and the one just found, while we looked: then nothing is missing. */
	s->window_len = 0;
	rc = group_at(s, s->offset, &g, reterr);
	if (rc == ERR_NOT_FOUND) {
		s->offset = found;
		rc = ERR_OK;
	}
	return rc;
}

/* no group at s->offset: moves behind it, in this segment or to the next. ERR_NOT_FOUND: that was the end. */
static enum err_code move_on(struct scan *s, struct err *reterr)
{
	enum err_code rc;

	if (s->use == SCAN_FOLLOW && s->next.fd == -1) {
		/* most often nothing is new, and the rest of this segment need not be searched */
		if ((rc = list_segments(s, reterr)) != ERR_OK || (rc = find_next(s, reterr)) != ERR_OK)
			return rc;
	}
	if (s->current.fd != -1 && (rc = pass_damage(s, reterr)) != ERR_NOT_FOUND)
		return rc;
	if (s->next.fd == -1 && (rc = find_next(s, reterr)) != ERR_OK)
		return rc;
	enter_next(s);
	return ERR_OK;
}

static enum err_code take_group(struct scan *s, struct scan_group *g, struct err *reterr)
{
	const struct group_head *h = &g->head;

	if (s->based && h->first_index < s->end.next_index)
		return err_set(reterr, ERR_INVALID, ERR_NOWHERE,
		               "audit log: group %" PRIu64 " of wal-%" PRIu64 " begins with index %" PRIu64 ", but %" PRIu64
		               " comes next",
		               h->number, s->current.head.number, h->first_index, s->end.next_index);
	g->lost = s->based ? h->first_index - s->returned : 0;
	s->based = true;
	s->end.next_group = h->number + 1;
	s->end.next_index = s->returned = h->first_index + h->count;
	s->end.cut = 0;
	s->offset += group_extent(h->bytes);
	return ERR_OK;
}

static void note_end(struct scan *s)
{
	s->end.has_tail = s->current.fd != -1;
	s->end.tail = s->current.head;
	s->end.tail_offset = s->offset;
	s->end.tail_size = s->current.size;
	s->end.lost = s->end.next_index - s->returned;
}

enum err_code scan_next(struct scan *s, struct scan_group *ret, struct err *reterr)
{
	for (;;) {
		struct scan_group g;
		enum err_code rc = s->current.fd == -1 ? ERR_NOT_FOUND : group_now(s, &g, reterr);

		if (rc == ERR_NOT_FOUND) {
			rc = move_on(s, reterr);
			if (rc == ERR_NOT_FOUND)
				note_end(s);
			if (rc != ERR_OK)
				return rc;
		} else if (rc == ERR_OK && s->based && g.head.number < s->end.next_group) {
			s->offset += group_extent(g.head.bytes);      /* a second copy */
		} else {
			if (rc == ERR_OK)
				rc = take_group(s, &g, reterr);
			if (rc == ERR_OK)
				*ret = g;
			return rc;
		}
	}
}

const struct scan_end *scan_end(const struct scan *s)
{
	return &s->end;
}

size_t scan_unused(const struct scan *s, uint64_t *numbers, size_t max)
{
	size_t n = s->unused_len < max ? s->unused_len : max;

	memcpy(numbers, s->unused, n * sizeof(*numbers));
	return n;
}

/* ---- life ---- */

/* lets the walk begin with the last segment whose first record is not behind from_index */
static enum err_code seek_segment(struct scan *s, uint64_t from_index, struct err *reterr)
{
	for (size_t i = s->numbers_len; i > 1; i--) {
		struct segment g;
		enum err_code rc = open_segment(s, s->numbers[i - 1], &g, reterr);

		if (rc == ERR_NOT_FOUND)
			continue;
		if (rc != ERR_OK)
			return rc;

		bool here = read_head(&g, s->numbers[i - 1]) && g.head.first_index <= from_index;

		close(g.fd);
		if (here) {
			s->at = i - 1;
			s->based = g.head.first_index == 0;
			return ERR_OK;
		}
	}
	return ERR_OK;
}

enum err_code scan_open(int state_fd, enum scan_use use, uint64_t from_index, struct scan **ret, struct err *reterr)
{
	struct scan *s = calloc(1, sizeof(*s));
	enum err_code rc;

	if (s == NULL)
		return err_nomem(reterr);
	*s = (struct scan){ .state_fd = state_fd, .use = use, .current.fd = -1, .next.fd = -1, .based = true,
	                    .end.next_group = 1 };
	s->window = malloc(WINDOW);
	rc = s->window == NULL ? err_nomem(reterr) : list_segments(s, reterr);
	if (rc == ERR_OK && from_index > 0)
		rc = seek_segment(s, from_index, reterr);
	if (rc == ERR_OK)
		*ret = s;
	else
		scan_free(s);
	return rc;
}

struct scan *scan_free(struct scan *s)
{
	if (s == NULL)
		return NULL;
	if (s->current.fd != -1)
		close(s->current.fd);
	if (s->next.fd != -1)
		close(s->next.fd);
	free(s->numbers);
	free(s->window);
	free(s);
	return NULL;
}
