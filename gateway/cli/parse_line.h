/* parse_line.h - one line of `weir parse`: the query in it, and the answer to it.
 *
 * Ownership: everything lives in the arena of the call.
 */
#ifndef WEIR_CLI_PARSE_LINE_H
#define WEIR_CLI_PARSE_LINE_H

#include "policy/stmt.h"

struct parse_options {
	const struct stmt_kind *kind;
	struct slice tenant, label;   /* no tenant: nothing is narrowed */
	struct stmt_options stmt;
};

/* the query of a line: a JSON string, or an object with query or query_b64 */
MUST_USE enum err_code parse_line_query(struct arena *a, struct slice line, struct slice *ret, struct err *reterr);
/* the answer as one JSON object */
void parse_line_answer(struct arena *a, const struct parse_options *o, struct slice query, struct strbuf *out);
/* the answer to a line that holds no query */
void parse_line_error(const struct err *e, struct strbuf *out);
/* what the gateway does with a query: parse, narrow, print, parse again, compare; false when it is refused */
bool parse_line_run(struct arena *a, const struct parse_options *o, struct slice query);

#endif
