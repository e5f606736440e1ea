/* log.h - structured lines to stderr: one JSON object a line, written with one write(2).
 *
 * Used by programs and stages only; library code returns errors instead.
 * Threads: all; a line is never split.
 */
#ifndef WEIR_BASE_LOG_H
#define WEIR_BASE_LOG_H

#include "base/slice.h"

#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
	const char *key;
	bool is_text;
	struct slice text;
	int64_t number;
};

#define LOG_TEXT(k, s) ((struct log_field){ .key = (k), .is_text = true, .text = (s) })
#define LOG_CSTR(k, s) LOG_TEXT(k, slice_cstr(s))
#define LOG_NUM(k, n) ((struct log_field){ .key = (k), .number = (int64_t)(n) })

/* {"ts":..,"level":..,"event":..,fields}; cut at 8 KiB; text is escaped, bad UTF-8 becomes U+FFFD */
void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n);
void log_set_level(enum log_level least);

#define log_event(level, event, ...)                                                            \
	log_write((level), (event), (const struct log_field[]){ __VA_ARGS__ },                      \
	          sizeof((const struct log_field[]){ __VA_ARGS__ }) / sizeof(struct log_field))

#endif
