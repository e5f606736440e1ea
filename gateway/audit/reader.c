/* reader.c - see reader.h. */
#include "audit/reader.h"

#include "audit/scan.h"
#include "audit/shard.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#define NAMES_MEMORY ((size_t)8 << 20)

struct reader {
	struct arena texts;              /* of the directory and the names */
	struct slice directory;
	struct shard_name *shards;
	size_t shards_len, at;           /* shards[at] comes next */
	bool ranged, follow;
	uint64_t from, to;

	struct shard_name open;
	struct shard_name newer;         /* follow: where the log goes on, once the open shard has been read to its end */

	int state_fd;                    /* of the open shard, or -1 */
	struct scan *scan;
	struct slice payload;            /* what is left of the group at hand */
	uint64_t next_index;
	uint64_t lost, lost_total;

	int inotify_fd;                  /* follow only, or -1 */
};

/* ---- shards ---- */

/* keeps the shards that are asked for */
static enum err_code choose_shards(struct reader *r, struct slice wanted, struct err *reterr)
{
	bool one_instance = true;
	size_t kept = 0;

	for (size_t i = 0; i < r->shards_len; i++)
		if (wanted.len == 0 || slice_eq(wanted, r->shards[i].text))
			r->shards[kept++] = r->shards[i];
	r->shards_len = kept;
	if (kept == 0)
		return err_set(reterr, ERR_NOT_FOUND, ERR_NOWHERE, "audit log: no %.*s in %.*s",
		               SLICE_ARG(wanted.len > 0 ? wanted : SLICE("log")), SLICE_ARG(r->directory));
	for (size_t i = 1; i < kept; i++)
		one_instance = one_instance && slice_eq(r->shards[i].instance, r->shards[0].instance);
	if (!one_instance && (r->ranged || r->follow))
		return err_set(reterr, ERR_INVALID, ERR_NOWHERE, "audit log: several instances write here, a shard must be named");
	if (r->ranged)
		r->at = kept - 1;            /* indexes begin anew in each shard: those of the newest are meant */
	return ERR_OK;
}

static void close_shard(struct reader *r)
{
	r->scan = scan_free(r->scan);
	if (r->state_fd != -1)
		close(r->state_fd);
	r->state_fd = -1;
}

/* closes the shard that was open and opens another one */
static enum err_code open_shard(struct reader *r, const struct shard_name *name, struct err *reterr)
{
	close_shard(r);
	r->open = *name;
	r->state_fd = shard_open_state(r->directory, name->text);
	if (r->state_fd == -1)
		return err_set(reterr, ERR_IO, ERR_NOWHERE, "audit log: cannot open shard %.*s: %s", SLICE_ARG(name->text),
		               strerror(errno));
	if (r->inotify_fd != -1) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/self/fd/%d", r->state_fd);
		(void)inotify_add_watch(r->inotify_fd, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO);
	}
	return scan_open(r->state_fd, r->follow ? SCAN_FOLLOW : SCAN_READ, r->ranged ? r->from : 0, &r->scan, reterr);
}

/* Looks for the shard of a later year of the same instance; the oldest such becomes r->newer. */
static bool find_newer(struct reader *r)
{
	struct arena a;
	struct shard_name *names = NULL;
	struct slice text = { 0 };
	size_t len = 0, i = 0;

	arena_init(&a, NAMES_MEMORY);
	if (shard_list(&a, r->directory, &names, &len, NULL) == ERR_OK)
		while (i < len && (!slice_eq(names[i].instance, r->open.instance) || names[i].year <= r->open.year))
			i++;

	bool found = i < len && arena_dup(&r->texts, names[i].text, &text) && shard_name_parse(text, &r->newer);

	arena_done(&a);
	return found;
}

/* The open shard has no more groups. ERR_OK: there may be some now, here or in the shard that was entered. */
static enum err_code end_shard(struct reader *r, struct err *reterr)
{
	if (r->at < r->shards_len) {
		r->lost_total += scan_end(r->scan)->lost;
		return open_shard(r, &r->shards[r->at++], reterr);
	}
	if (!r->follow)
		return ERR_NOT_FOUND;
	if (r->newer.year == 0)              /* a newer one is begun when nothing more goes to this one: one last look, then on */
		return find_newer(r) ? ERR_OK : ERR_NOT_FOUND;

	struct shard_name newer = r->newer;

	r->newer = (struct shard_name){ 0 };
	r->ranged = r->ranged && r->to != UINT64_MAX;      /* "from here on" includes all of the new year */
	return open_shard(r, &newer, reterr);
}

/* ---- records ---- */

enum err_code reader_next(struct reader *r, struct reader_record *ret, struct err *reterr)
{
	struct slice leaf;

	for (;;) {
		while (payload_next(&r->payload, &leaf)) {
			uint64_t index = r->next_index++;

			if (r->ranged && index < r->from)
				continue;
			if (r->ranged && index > r->to) {
				r->payload = SLICE("");
				return ERR_NOT_FOUND;
			}
			*ret = (struct reader_record){ .shard = r->open.text, .index = index, .leaf = leaf, .lost = r->lost };
			r->lost = 0;
			return ERR_OK;
		}

		struct scan_group g;
		enum err_code rc = scan_next(r->scan, &g, reterr);

		if (rc == ERR_OK) {
			r->payload = g.payload;
			r->next_index = g.head.first_index;
			r->lost = g.lost;
			r->lost_total += g.lost;
			continue;
		}
		if (rc == ERR_NOT_FOUND)
			rc = end_shard(r, reterr);
		if (rc != ERR_OK)
			return rc;
	}
}

uint64_t reader_lost(const struct reader *r)
{
	return r->lost_total + (r->scan == NULL ? 0 : scan_end(r->scan)->lost);
}

bool reader_wait(struct reader *r, int wake_fd, int timeout_ms)
{
	struct pollfd fds[2] = { { .fd = wake_fd, .events = POLLIN }, { .fd = r->inotify_fd, .events = POLLIN } };
	char events[4096];

	if (poll(fds, 2, timeout_ms) <= 0)
		return false;
	if ((fds[1].revents & POLLIN) != 0 && read(r->inotify_fd, events, sizeof(events)) < 0)
		return false;
	return (fds[0].revents & POLLIN) != 0;
}

/* ---- life ---- */

enum err_code reader_open(const struct reader_options *o, struct reader **ret, struct err *reterr)
{
	struct reader *r = calloc(1, sizeof(*r));
	enum err_code rc = ERR_OK;

	if (r == NULL)
		return err_nomem(reterr);
	*r = (struct reader){ .ranged = o->ranged, .follow = o->follow, .from = o->from, .to = o->to, .state_fd = -1,
	                      .inotify_fd = -1 };
	arena_init(&r->texts, NAMES_MEMORY);
	if (o->follow)
		r->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (!arena_dup(&r->texts, o->directory, &r->directory))
		rc = err_nomem(reterr);
	if (rc == ERR_OK)
		rc = shard_list(&r->texts, r->directory, &r->shards, &r->shards_len, reterr);
	if (rc == ERR_OK)
		rc = choose_shards(r, o->shard, reterr);
	if (rc == ERR_OK)
		rc = open_shard(r, &r->shards[r->at++], reterr);
	if (rc == ERR_OK)
		*ret = r;
	else
		reader_free(r);
	return rc;
}

struct reader *reader_free(struct reader *r)
{
	if (r == NULL)
		return NULL;
	close_shard(r);
	if (r->inotify_fd != -1)
		close(r->inotify_fd);
	arena_done(&r->texts);
	free(r);
	return NULL;
}
