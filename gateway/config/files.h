/* files.h - the files that an operator names: reading, looking, listing. The only part of config that touches the disk.
 *
 * Errors: ERR_NOT_FOUND, ERR_IO, ERR_LIMIT, ERR_NOMEM, with the path in the sentence.
 */
#ifndef WEIR_CONFIG_FILES_H
#define WEIR_CONFIG_FILES_H

#include "base/arena.h"
#include "base/err.h"

/* path as it is when absolute, else below folder; without slashes at its end, followed by a zero. False: no memory. */
MUST_USE bool files_absolute(struct arena *a, struct slice folder, struct slice path, struct slice *ret);
/* path without slashes at its end */
struct slice files_trim(struct slice path);
/* what stands behind the last slash of path */
struct slice files_name(struct slice path);
/* what stands before the last slash of path: "" for a name alone, "/" for a name in the root */
struct slice files_folder(struct slice path);
/* The folder of path as an absolute path without a slash at its end, from the working directory on. */
MUST_USE enum err_code files_absolute_folder(struct arena *a, struct slice path, struct slice *ret, struct err *reterr);

/* the whole of a regular file of at most max bytes; path is followed by a zero. *mode gets the permission bits. */
MUST_USE enum err_code files_read(struct arena *a, struct slice path, size_t max, struct slice *ret, unsigned *mode,
                                  struct err *reterr);
/* Is it there, is it a regular file (or a folder), may this process read it? path is followed by a zero. */
MUST_USE enum err_code files_check(struct slice path, bool folder, unsigned *mode, struct err *reterr);
/* Names in a folder that do not begin with a dot, sorted; at most max of them. */
MUST_USE enum err_code files_list(struct arena *a, struct slice folder, size_t max, const struct slice **ret, size_t *len,
                                  struct err *reterr);

#endif
