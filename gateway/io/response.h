/* response.h - a backend's HTTP/1.1 answer, taken apart as it arrives. Strict, pure: no sockets, no time.
 *
 * Source:    RFC 9112. What can be read in two ways is refused: two lengths, a length beside chunks, folded lines, bare line
 *            ends, blanks before a colon, bytes behind the end. 1xx heads are skipped, trailers are checked and dropped.
 * Ownership: a head lives in the arena of response_init; body bytes are those of the input.
 * Errors:    RESPONSE_BAD with a sentence for the log: ERR_SYNTAX, ERR_LIMIT or ERR_NOMEM. It is final.
 */
#ifndef WEIR_IO_RESPONSE_H
#define WEIR_IO_RESPONSE_H

#include "base/err.h"
#include "base/strbuf.h"
#include "core/inbound.h"

#define RESPONSE_HEAD_MAX ((size_t)64 * 1024)    /* all heads of one answer and its trailers together */
#define RESPONSE_HEADERS_MAX 100
#define RESPONSE_INTERIM_MAX 8                   /* 1xx heads before the real one */
#define RESPONSE_CHUNK_LINE_MAX 256              /* a chunk's size with its extensions */

enum response_event {
	RESPONSE_MORE,       /* all of the input is taken; give more */
	RESPONSE_HEAD,       /* status, headers and content_length are set; not for 1xx */
	RESPONSE_BODY,       /* body is the next piece, never empty */
	RESPONSE_END,        /* the answer is whole */
	RESPONSE_BAD,        /* not HTTP as we accept it; the connection is of no use any more */
};

enum response_state {
	RESPONSE_IN_HEAD,
	RESPONSE_IN_LENGTH,        /* body of a known length */
	RESPONSE_IN_CHUNK_LINE,
	RESPONSE_IN_CHUNK,
	RESPONSE_IN_CHUNK_END,
	RESPONSE_IN_TRAILERS,
	RESPONSE_UNTIL_CLOSE,
	RESPONSE_AT_END,
	RESPONSE_FAILED,
};

struct response {
	/* results */
	unsigned status;
	struct header headers[RESPONSE_HEADERS_MAX];     /* names in lower case */
	size_t headers_len;
	int64_t content_length;          /* of the body that follows; for HEAD and 304 as the header says; -1 = not known */
	struct slice body;
	bool begun;                      /* at least one byte has come */

	/* private */
	enum response_state state;
	bool is_head, http10, chunked, close;
	struct strbuf text;              /* a head until it is whole; else one line */
	size_t line_at;                  /* where its last line begins */
	size_t head_left, line_left;     /* bytes that heads and trailers, and a chunk line, may still have */
	unsigned interim;
	uint64_t left;                   /* of the body or of a chunk */
	struct err err;                  /* of RESPONSE_FAILED */
};

/* is_head: the request was a HEAD, so that no body follows. The arena needs room for 4 * RESPONSE_HEAD_MAX. */
void response_init(struct response *r, struct arena *a, bool is_head);
/* Moves *in past what it took and says what that was; call it again until it says MORE, END or BAD. */
MUST_USE enum response_event response_next(struct response *r, struct slice *in, struct err *reterr);
/* The backend has closed the connection in order: END when that is how this answer ends, else BAD. */
MUST_USE enum response_event response_closed(struct response *r, struct err *reterr);
/* after END: the connection may carry another request */
bool response_reusable(const struct response *r);

#endif
