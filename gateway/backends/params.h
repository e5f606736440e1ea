/* params.h - URL query and form body to the parameters a row names; everything else is dropped and counted.
 *
 * Source:    the design note on endpoints, sections 2 and 4; application/x-www-form-urlencoded as the URL standard writes it,
 *            with `&` as the only separator.
 * Ownership: decoded values live in the arena.
 */
#ifndef WEIR_BACKENDS_PARAMS_H
#define WEIR_BACKENDS_PARAMS_H

#include "backends/route.h"
#include "policy/verdict.h"

#define PARAMS_PAIRS_MAX 64
#define PARAMS_MATCH_MAX 32

struct params {
	unsigned given;                    /* PARAM_BIT of each that was there */
	struct slice value[PARAM_COUNT];   /* decoded; of PARAM_MATCH nothing */
	struct slice match[PARAMS_MATCH_MAX];
	size_t match_len;
	size_t dropped;                    /* pairs whose name the row does not list */
};

/* query: of the URL, raw; body: of a form, raw, or empty. Refuses with a text that names the parameter. */
enum deny params_parse(struct arena *a, const struct route *r, struct slice query, struct slice body, struct params *ret,
                       char text[ERR_TEXT_MAX]);

/* percent-decodes; `+` is a space when plus is set. False: a broken escape or no memory. */
MUST_USE bool form_decode(struct arena *a, struct slice in, bool plus, struct slice *ret);
/* percent-encodes all but unreserved characters (RFC 3986 section 2.3) */
void form_encode(struct strbuf *out, struct slice s);

/* Times, steps and durations as the Prometheus API takes them. False: not one, or out of range. */
MUST_USE bool param_time_ms(struct slice s, int64_t *ret);       /* seconds with a fraction, or RFC 3339 */
MUST_USE bool param_duration_ms(struct slice s, int64_t *ret);   /* seconds with a fraction, or 1h30m */
MUST_USE bool param_count(struct slice s, int64_t *ret);         /* digits; 0 or more */
/* 1700000000.5; never an exponent */
void param_print_ms(struct strbuf *out, int64_t ms);

#endif
