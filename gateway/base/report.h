/* report.h - what is wrong with files that an operator wrote: every error and warning with its place, so that all are told at once.
 *
 * Ownership: texts live in the arena given at birth; names of files are borrowed and must live as long.
 * Units:     line and column from 1, the column in characters; line 0 = the file as a whole.
 * Errors:    adding never fails: past REPORT_MAX, or without memory, a finding is only counted.
 * Threads:   one owner.
 */
#ifndef WEIR_BASE_REPORT_H
#define WEIR_BASE_REPORT_H

#include "base/arena.h"

#define REPORT_MAX 200

struct place {
	struct slice file;
	unsigned line, column;
};

struct finding {
	bool is_error;                   /* else a warning */
	struct place at;
	struct slice text;               /* one line, without a full stop */
};

struct report {
	struct arena *arena;
	struct finding v[REPORT_MAX];
	size_t len;
	size_t errors, warnings;         /* all of them, also those that are only counted */
};

void report_init(struct report *r, struct arena *a);
void report_error(struct report *r, struct place at, const char *fmt, ...) PRINTF_LIKE(3, 4);
void report_warning(struct report *r, struct place at, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* files in the order of their first finding, lines and columns rising in each */
void report_sort(struct report *r);
/* findings that are counted but not kept */
size_t report_left_out(const struct report *r);

#endif
