/* verdict.c - see verdict.h. */
#include "policy/verdict.h"

#include <stdarg.h>
#include <stdio.h>

struct deny_row {
	const char *tag;
	unsigned status;
	const char *sentence;
};

static const struct deny_row rows[DENY_COUNT] = {
#define DENY(sym, tag, status, sentence) [sym] = { tag, status, sentence },
#include "policy/verdict.def"
#undef DENY
};

const char *deny_tag(enum deny d)
{
	return rows[d].tag;
}

unsigned deny_status(enum deny d)
{
	return rows[d].status;
}

const char *deny_sentence(enum deny d)
{
	return rows[d].sentence;
}

enum deny deny_by_tag(struct slice tag)
{
	for (enum deny d = 0; d < DENY_COUNT; d++)
		if (slice_eq(tag, slice_cstr(rows[d].tag)))
			return d;
	return DENY_COUNT;
}

/* HINT: a limit or strictness rule that has a refusal of its own; others go by their error code */
static const struct {
	const char *rule;
	enum deny why;
} by_rule[] = {
	{ "query_bytes", DENY_QUERY_BYTES },
	{ "query_tokens", DENY_QUERY_TOKENS },
	{ "query_depth", DENY_QUERY_DEPTH },
	{ "query_selectors", DENY_QUERY_SELECTORS },
	{ "selector_matchers", DENY_QUERY_MATCHERS },
	{ "string_bytes", DENY_QUERY_STRING },
	{ "regexp_bytes", DENY_QUERY_STRING },
	{ "regexp_depth", DENY_QUERY_STRING },
	{ "regexp_size", DENY_QUERY_STRING },
	{ "info_one_argument", DENY_QUERY_INFO },
	{ "max_query_length", DENY_QUERY_RANGE },
	{ "max_query_lookback", DENY_QUERY_LOOKBACK },
	{ "min_step", DENY_QUERY_STEP },
	{ "max_points", DENY_QUERY_POINTS },
	{ "grant_clauses", DENY_NOTHING_LEFT },
	{ "grant_text", DENY_NOTHING_LEFT },
};

enum deny deny_from_err(const struct err *e)
{
	if (e->rule != NULL)
		for (size_t i = 0; i < sizeof(by_rule) / sizeof(by_rule[0]); i++)
			if (strcmp(e->rule, by_rule[i].rule) == 0)
				return by_rule[i].why;
	switch (e->code) {
	case ERR_NOMEM: return DENY_MEMORY;
	case ERR_SYNTAX: return DENY_QUERY_SYNTAX;
	case ERR_INVALID: return DENY_QUERY_INVALID;
	case ERR_STRICT: return DENY_QUERY_STRICT;
	case ERR_LIMIT: return DENY_QUERY_STRICT;
	case ERR_DENIED: return DENY_GRANT_UNDECIDED;
	case ERR_OK:
	case ERR_NOT_FOUND:
	case ERR_EXISTS:
	case ERR_IO:
	case ERR_FULL:
	case ERR_BUG: break;
	}
	return DENY_BUG;
}

void verdict_refuse(struct verdict *v, enum deny why, const char *fmt, ...)
{
	v->allow = false;
	v->why = why;
	v->text[0] = '\0';
	if (fmt != NULL) {
		va_list ap;

		va_start(ap, fmt);
		vsnprintf(v->text, sizeof(v->text), fmt, ap);
		va_end(ap);
	}
}

const char *verdict_text(const struct verdict *v)
{
	return v->text[0] != '\0' ? v->text : deny_sentence(v->why);
}
