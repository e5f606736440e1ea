/* sink.h - the audit log as the pipeline uses it: submit, ask, name an operator. The committer and the pseudonym key in one.
 *
 * The functions that take void *ctx are the ones the pipeline's audit port asks for; ctx is a struct sink.
 * Errors:  of committer_open and pseudonym_open.
 * Threads: open and free from main, the rest from any.
 */
#ifndef WEIR_AUDIT_SINK_H
#define WEIR_AUDIT_SINK_H

#include "audit/committer.h"
#include "audit/pseudonym.h"

struct sink {
	struct committer *committer;
	struct pseudonym *pseudonym;
};

MUST_USE enum err_code sink_open(const struct committer_options *o, struct sink *ret, struct err *reterr);
/* commits what is queued; fine on a zeroed struct, and twice */
void sink_close(struct sink *s);

enum err_code sink_submit(void *ctx, struct slice leaf, int type, enum submit_class class, struct ticket *ret,
                          struct err *reterr);
enum ticket_state sink_state(void *ctx, struct ticket t);
int64_t sink_index(void *ctx, struct ticket t);
bool sink_is_open(void *ctx);
void sink_pseudonym(void *ctx, struct slice spki, char ret[24]);

#endif
