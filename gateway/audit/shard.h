/* shard.h - the folders of a log: one shard per instance and year, `<instance>-<yyyy>`, its `.state/`, and the lock in it.
 *
 * One process writes a shard. flock decides, so a lock file that a killed process left behind is no obstacle.
 * Ownership: shard_open takes two descriptors, shard_close gives them back.
 * Errors:    ERR_EXISTS when another process holds the lock; ERR_IO; ERR_INVALID for names that are none.
 * Threads:   any; a struct shard has one owner.
 */
#ifndef WEIR_AUDIT_SHARD_H
#define WEIR_AUDIT_SHARD_H

#include "base/arena.h"
#include "base/err.h"

#define INSTANCE_MAX 64
#define SHARD_NAME_MAX (INSTANCE_MAX + 1 + 4)

struct shard_name {
	struct slice text;
	struct slice instance;
	unsigned year;
};

struct shard {
	unsigned year;
	char name[SHARD_NAME_MAX + 1];
	char *state_path;                /* to tell whether the folder is still the one that was opened */
	int state_fd, lock_fd;
};

/* 1 to 64 of [A-Za-z0-9_.-], a letter or digit first */
bool instance_valid(struct slice instance);
/* the year (UTC) of a moment */
unsigned shard_year(int64_t wall_us);
/* text must outlive ret */
bool shard_name_parse(struct slice text, struct shard_name *ret);

/* Opens the shard and takes its lock; folders that are missing are made, 0700, and synced. */
MUST_USE enum err_code shard_open(struct slice directory, struct slice instance, unsigned year, struct shard *ret,
                                  struct err *reterr);
/* false: the lock file is no longer the one that is locked, so another process may have taken the shard */
bool shard_held(const struct shard *s);
/* fine on a zeroed struct, and twice */
void shard_close(struct shard *s);

/* The shards in a directory, by instance, then year. A directory that is missing has none. */
MUST_USE enum err_code shard_list(struct arena *a, struct slice directory, struct shard_name **ret, size_t *len,
                                  struct err *reterr);
/* a descriptor of `.state/` for reading, without the lock; -1 and errno when it cannot be had */
int shard_open_state(struct slice directory, struct slice name);

#endif
