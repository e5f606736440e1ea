/* err.c - see err.h. */
#include "base/err.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* written by any thread that meets a bug, read by metrics; relaxed, it is only a count */
static _Atomic uint64_t hopes_failed;

static void fill(struct err *e, enum err_code code, const char *rule, size_t at, const char *fmt, va_list ap)
{
	if (e == NULL)
		return;
	e->code = code;
	e->at = at;
	e->rule = rule;
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	for (char *p = e->text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
}

enum err_code err_set(struct err *reterr, enum err_code code, size_t at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(reterr, code, NULL, at, fmt, ap);
	va_end(ap);
	return code;
}

enum err_code err_rule(struct err *reterr, enum err_code code, const char *rule, size_t at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(reterr, code, rule, at, fmt, ap);
	va_end(ap);
	return code;
}

enum err_code err_nomem(struct err *reterr)
{
	return err_rule(reterr, ERR_NOMEM, "request_memory", ERR_NOWHERE, "not enough memory for this request");
}

void must_failed(const char *cond, const char *file, int line)
{
	fprintf(stderr, "{\"level\":\"fatal\",\"event\":\"must\",\"where\":\"%s:%d\",\"what\":\"%s\"}\n", file, line, cond);
	abort();
}

bool hope_failed(const char *cond, const char *file, int line)
{
	atomic_fetch_add_explicit(&hopes_failed, 1, memory_order_relaxed);
	fprintf(stderr, "{\"level\":\"error\",\"event\":\"hope\",\"where\":\"%s:%d\",\"what\":\"%s\"}\n", file, line, cond);
	return false;
}

uint64_t hope_count(void)
{
	return atomic_load_explicit(&hopes_failed, memory_order_relaxed);
}
