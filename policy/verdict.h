/* verdict.h - allow, or one refusal, with what was taken away. A verdict is born a refusal.
 */
#ifndef WEIR_POLICY_VERDICT_H
#define WEIR_POLICY_VERDICT_H

#include "base/err.h"

enum deny {
#define DENY(sym, tag, status, sentence) sym,
#include "policy/verdict.def"
#undef DENY
	DENY_COUNT
};

struct verdict {
	bool allow;                  /* one line in core/decide.c sets it */
	enum deny why;               /* looked at when allow is false */
	char text[ERR_TEXT_MAX];     /* what to tell the caller; empty = the row's own sentence */
	bool rewritten;              /* grants, policy or a clamp changed the request beyond the tenant's own guard */
};

#define VERDICT_INIT { .allow = false, .why = DENY_UNDECIDED }

const char *deny_tag(enum deny d);
unsigned deny_status(enum deny d);
const char *deny_sentence(enum deny d);
/* the row of a tag, or DENY_COUNT */
enum deny deny_by_tag(struct slice tag);
/* The refusal that a failed stmt_*, policy_* or grants_* call means: by e->rule where it names a limit, else by e->code. */
enum deny deny_from_err(const struct err *e);

/* refuses: allow = false, why and text are set; fmt may be NULL for the row's own sentence */
void verdict_refuse(struct verdict *v, enum deny why, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* the sentence the caller sees */
const char *verdict_text(const struct verdict *v);

#endif
