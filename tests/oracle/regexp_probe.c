/* What Weir makes of regular expressions, for the comparison with the real parser. A line of hex in; a line out:
 * `invalid`, `limit RULE`, or `valid nullable|full [texts]`, the plain texts in hex, each behind a comma. */
#include "policy/lang/regexp.h"

#include <stdio.h>
#include <stdlib.h>

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* in place: the bytes take half the room */
static size_t unhex(char *line)
{
	size_t n = 0;

	for (; digit(line[2 * n]) >= 0; n++)
		line[n] = (char)(digit(line[2 * n]) * 16 + digit(line[2 * n + 1]));
	return n;
}

static void print_texts(const struct regexp_facts *f)
{
	for (size_t i = 0; i < f->texts_len; i++) {
		putchar(',');
		for (size_t k = 0; k < f->texts[i].len; k++)
			printf("%02x", (unsigned char)f->texts[i].ptr[k]);
	}
}

int main(void)
{
	char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, stdin) > 0) {
		struct arena a;
		struct regexp_facts facts;
		struct err err = { 0 };

		arena_init(&a, 4 << 20);
		enum err_code rc = regexp_check(&a, slice_from(line, unhex(line)), &facts, &err);

		if (rc == ERR_INVALID) {
			printf("invalid\n");
		} else if (rc != ERR_OK) {
			printf("limit %s\n", err.rule);
		} else {
			printf("valid %s ", facts.nullable ? "nullable" : "full");
			print_texts(&facts);
			printf("\n");
		}
		arena_done(&a);
	}
	free(line);
	return 0;
}
