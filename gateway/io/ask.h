/* ask.h - asks each backend of a snapshot who it is, and waits for the answers: for `weir check --probe`, not for the gateway.
 *
 * Errors:  ERR_IO and ERR_INVALID for the TLS files of a backend, ERR_NOMEM.
 * Threads: an event loop of its own, on the caller's thread; it blocks until every backend has answered or failed.
 */
#ifndef WEIR_IO_ASK_H
#define WEIR_IO_ASK_H

#include "core/snapshot.h"

/* text: what the backend says of itself, or why it could not be asked; valid during the call */
typedef void ask_answered(void *ctx, const struct backend *b, bool fine, const char *text);

MUST_USE enum err_code ask_backends(const struct snapshot *snap, int64_t timeout_ms, ask_answered *answered, void *ctx, struct err *reterr);

#endif
