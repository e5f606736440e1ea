/* json.h - JSON text: a strict reader and a string printer. The only home of jansson (in json.c).
 *
 * Ownership: a parsed tree lives in the arena it was parsed into.
 * Errors:    doubled keys, bad UTF-8, trailing bytes, depth over 64 and numbers that are no int64 or double are
 *            ERR_SYNTAX with the byte offset. Strings may hold zero bytes.
 */
#ifndef WEIR_BASE_JSON_H
#define WEIR_BASE_JSON_H

#include "base/err.h"
#include "base/strbuf.h"

enum json_type { JSON_TYPE_NULL, JSON_TYPE_BOOL, JSON_TYPE_INT, JSON_TYPE_REAL, JSON_TYPE_TEXT, JSON_TYPE_LIST, JSON_TYPE_OBJECT };

struct json_value {
	enum json_type type;
	bool boolean;
	int64_t integer;
	double real;
	struct slice text;
	struct slice key;                /* its name, when it stands in an object */
	const struct json_value *items;  /* of a list or an object, in order */
	size_t len;
};

MUST_USE enum err_code json_parse(struct arena *a, struct slice in, const struct json_value **ret, struct err *reterr);
/* the member of an object, or NULL; NULL too when v is NULL or no object */
const struct json_value *json_get(const struct json_value *v, const char *key);
/* the text of a member, or an empty slice */
struct slice json_get_text(const struct json_value *v, const char *key);

/* "..." with the escapes of RFC 8785 section 3.2.2.2; bytes that are not UTF-8 become U+FFFD */
void json_text(struct strbuf *out, struct slice s);
/* true when s is valid UTF-8 (no surrogates, nothing above U+10FFFF, no overlong forms) */
bool utf8_valid(struct slice s);
/* length 1..4 of the valid sequence at the start of s, 0 when there is none */
size_t utf8_sequence(struct slice s);
/* the same, and the code point; *ret is untouched when there is none */
size_t utf8_decode(struct slice s, uint32_t *ret);
/* writes rune, at most U+10FFFF, and returns the length 1..4; a surrogate becomes U+FFFD */
size_t utf8_encode(uint32_t rune, char ret[4]);

#endif
