/* log.c - see log.h. */
#include "base/log.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/strbuf.h"

#include <stdatomic.h>
#include <unistd.h>

#define LINE_MAX_BYTES 8192

/* written by main before threads start and by tests; relaxed, a late line does no harm */
static _Atomic int least_level = LOG_INFO;

void log_set_level(enum log_level least)
{
	atomic_store_explicit(&least_level, (int)least, memory_order_relaxed);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n)
{
	static const char *const name[] = { "debug", "info", "warn", "error" };
	char ts[CLOCK_TEXT_MAX];
	struct arena a;
	struct strbuf b;

	if ((int)level < atomic_load_explicit(&least_level, memory_order_relaxed))
		return;
	arena_init(&a, (size_t)256 * 1024);
	strbuf_init(&b, &a, LINE_MAX_BYTES);
	strbuf_lit(&b, "{\"ts\":\"");
	strbuf_add(&b, slice_from(ts, clock_print(clock_wall_us(clock_system()), ts)));
	strbuf_fmt(&b, "\",\"level\":\"%s\",\"event\":", name[level]);
	json_text(&b, slice_cstr(event));

	size_t whole = b.len;      /* a field that does not fit is left out, the line stays JSON */

	for (size_t i = 0; i < n; i++) {
		strbuf_char(&b, ',');
		json_text(&b, slice_cstr(fields[i].key));
		strbuf_char(&b, ':');
		if (fields[i].is_text)
			json_text(&b, fields[i].text);
		else
			strbuf_i64(&b, fields[i].number);
		if (b.full || b.len + 2 > LINE_MAX_BYTES) {
			b.full = false;
			b.len = whole;
			continue;
		}
		whole = b.len;
	}
	strbuf_lit(&b, "}\n");
	if (write(STDERR_FILENO, b.ptr, b.len) < 0) {
		/* nobody is left to tell */
	}
	arena_done(&a);
}
