/* regexp_rune.h - the parts of a regular expression that stand for one character: escapes and classes. Used by regexp.c.
 *
 * `in` is the whole expression, valid UTF-8; *at stands on the first byte of the part and is moved behind it.
 * Errors: ERR_INVALID with the offset, and *at is then of no use.
 */
#ifndef WEIR_POLICY_LANG_REGEXP_RUNE_H
#define WEIR_POLICY_LANG_REGEXP_RUNE_H

#include "base/err.h"

#include <stdint.h>

/* '\' and what follows, where it means one character: \n, \., \101, \x41, \x{1F600} */
MUST_USE enum err_code regexp_escape(struct slice in, size_t *at, uint32_t *ret, struct err *reterr);
/* \d \D \s \S \w \W \pN \PN \p{Name} \p{^Name}; *found is false, and nothing is read, where none stands here */
MUST_USE enum err_code regexp_class_escape(struct slice in, size_t *at, bool *found, struct err *reterr);
/* '[' ... ']' */
MUST_USE enum err_code regexp_class(struct slice in, size_t *at, struct err *reterr);

#endif
