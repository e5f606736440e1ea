/* report.c - see report.h. */
#include "base/report.h"

#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

void report_init(struct report *r, struct arena *a)
{
	r->arena = a;
	r->len = r->errors = r->warnings = 0;
}

static void add(struct report *r, bool is_error, struct place at, const char *fmt, va_list ap)
{
	char text[ERR_TEXT_MAX];
	struct slice kept;
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	size_t len = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;

	*(is_error ? &r->errors : &r->warnings) += 1;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			text[i] = ' ';
	if (r->len < REPORT_MAX && arena_dup(r->arena, slice_from(text, len), &kept))
		r->v[r->len++] = (struct finding){ is_error, at, kept };
}

void report_error(struct report *r, struct place at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(r, true, at, fmt, ap);
	va_end(ap);
}

void report_warning(struct report *r, struct place at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(r, false, at, fmt, ap);
	va_end(ap);
}

static bool is_before(const struct place *x, const struct place *y)
{
	return x->line != y->line ? x->line < y->line : x->column < y->column;
}

/* Insertion: a finding moves up past later places of its own file, so that files keep the order of their first finding. */
void report_sort(struct report *r)
{
	for (size_t i = 1; i < r->len; i++) {
		struct finding f = r->v[i];
		size_t to = i;

		for (size_t j = i; j-- > 0;) {
			if (!slice_eq(r->v[j].at.file, f.at.file))
				continue;
			if (!is_before(&f.at, &r->v[j].at)) {
				to = j + 1;
				break;
			}
			to = j;
		}
		memmove(&r->v[to + 1], &r->v[to], (i - to) * sizeof(f));
		r->v[to] = f;
	}
}

size_t report_left_out(const struct report *r)
{
	return r->errors + r->warnings - r->len;
}
