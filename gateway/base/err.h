/* err.h - what went wrong: a code, a byte offset, a sentence; and the two kinds of assertion.
 *
 * Errors: a function returns enum err_code and fills *reterr only when it fails. reterr may be NULL.
 *         The sentence says what was wrong and what is right, in one line, without a full stop.
 */
#ifndef WEIR_BASE_ERR_H
#define WEIR_BASE_ERR_H

#include "base/slice.h"

#include <stdint.h>

enum err_code {
	ERR_OK = 0,
	ERR_NOMEM,        /* the machine's memory or an arena's cap */
	ERR_LIMIT,        /* well formed, but over a limit; `rule` names it */
	ERR_SYNTAX,       /* cannot be parsed */
	ERR_INVALID,      /* parses, but has no meaning: types, values, names */
	ERR_STRICT,       /* a backend would take it, we do not; `rule` names why */
	ERR_DENIED,       /* understood and not allowed */
	ERR_NOT_FOUND,
	ERR_EXISTS,
	ERR_IO,           /* file or socket */
	ERR_FULL,         /* a bounded container or device */
	ERR_BUG,          /* our own mistake; the request is refused */
};

#define ERR_NOWHERE SIZE_MAX
#define ERR_TEXT_MAX 320

struct err {
	enum err_code code;
	size_t at;                 /* byte offset in the input; ERR_NOWHERE when there is none */
	const char *rule;          /* static name of the limit or strictness rule, or NULL */
	char text[ERR_TEXT_MAX];   /* zero terminated, cut when too long, no control bytes */
};

/* fills reterr (may be NULL) and returns code, so that a failure is one line */
enum err_code err_set(struct err *reterr, enum err_code code, size_t at, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* the same with the name of a rule: a static string such as "query_bytes" */
enum err_code err_rule(struct err *reterr, enum err_code code, const char *rule, size_t at, const char *fmt, ...)
	PRINTF_LIKE(5, 6);
enum err_code err_nomem(struct err *reterr);

/* aborts: going on would be unsafe. Never for input. */
#define must(cond) ((cond) ? (void)0 : must_failed(#cond, __FILE__, __LINE__))
/* false, logged and counted: take the error path. Never for input. */
#define hope(cond) ((cond) ? true : hope_failed(#cond, __FILE__, __LINE__))

_Noreturn void must_failed(const char *cond, const char *file, int line);
bool hope_failed(const char *cond, const char *file, int line);
/* how often hope() failed in this process */
uint64_t hope_count(void);

#endif
