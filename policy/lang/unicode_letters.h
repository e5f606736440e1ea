/* unicode_letters.h - which characters beyond ASCII are letters; only names in PromQL with the feature `utf8` ask.
 */
#ifndef WEIR_POLICY_LANG_UNICODE_LETTERS_H
#define WEIR_POLICY_LANG_UNICODE_LETTERS_H

#include <stddef.h>

/* length in bytes of the letter beyond ASCII that starts at p (zero terminated text), 0 when there is none */
size_t unicode_letter(const char *p);

#endif
