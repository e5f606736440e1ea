/* regexp.c - see regexp.h.
 *
 * One pass over the text, with a stack of open groups in place of recursion. Of each piece only a few facts are kept; see
 * regexp_part.h.
 */
#include "policy/lang/regexp.h"

#include "base/json.h"
#include "policy/lang/regexp_part.h"
#include "policy/lang/regexp_rune.h"

#define TEXTS_MAX 64

struct reader {
	struct slice in;
	size_t at;
	struct regexp_group *groups; /* REGEXP_DEPTH_MAX + 1 */
	size_t depth, deepest;
	bool repeated;               /* the token before this one was a repetition */
	/* the list of plain texts, for as long as nothing else was met */
	struct arena *arena;
	bool plain;
	char *bytes;                 /* unescaped texts, one behind the other; never longer than the expression */
	size_t bytes_len, text_from;
	struct slice *texts;
	size_t texts_len, texts_cap;
};

static enum err_code invalid(const struct reader *r, struct err *reterr, const char *what)
{
	return err_set(reterr, ERR_INVALID, r->at, "regular expression: %s", what);
}

static struct regexp_group *top(struct reader *r)
{
	return &r->groups[r->depth];
}

/* an item that is no text */
static void push_opaque(struct reader *r, struct regexp_part item)
{
	r->plain = false;
	regexp_group_push(top(r), item);
}

/* RE2 lets U+FFFD stand for any byte that is no text, and a surrogate for none: not what a list of texts would say */
static void push_rune(struct reader *r, uint32_t rune)
{
	char utf8[4];

	regexp_group_push(top(r), regexp_part_rune());
	if (rune == 0xfffd || (rune >= 0xd800 && rune <= 0xdfff))
		r->plain = false;
	if (!r->plain)
		return;

	size_t n = utf8_encode(rune, utf8);

	memcpy(r->bytes + r->bytes_len, utf8, n);
	r->bytes_len += n;
}

/* an alternative ends; in a plain list, a text ends with it */
static enum err_code end_branch(struct reader *r, struct err *reterr)
{
	regexp_group_end_branch(top(r), r->at);
	if (r->plain && r->texts_len == TEXTS_MAX)
		r->plain = false;
	if (!r->plain)
		return ERR_OK;
	if (!arena_grow(r->arena, (void **)&r->texts, &r->texts_cap, r->texts_len + 1, sizeof(*r->texts)))
		return err_nomem(reterr);
	r->texts[r->texts_len++] = slice_from(r->bytes + r->text_from, r->bytes_len - r->text_from);
	r->text_from = r->bytes_len;
	return ERR_OK;
}

/* name: [A-Za-z0-9_]+ '>' ; a name may be used twice */
static bool read_name(struct reader *r)
{
	size_t from = r->at;

	for (; r->at < r->in.len; r->at++) {
		char c = ascii_lower(r->in.ptr[r->at]);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
			break;
	}
	if (r->at == from || r->at == r->in.len || r->in.ptr[r->at] != '>')
		return false;
	r->at++;
	return true;
}

/* flags: [imsU]* ('-' [imsU]+)? (':' | ')') ; only whether a group opens is of interest */
static bool read_flags(struct reader *r, bool *opens)
{
	bool negated = false, seen = false;

	while (r->at < r->in.len) {
		switch (r->in.ptr[r->at++]) {
		case 'i': case 'm': case 's': case 'U':
			seen = true;
			break;
		case '-':
			if (negated)
				return false;
			negated = true;
			seen = false;
			break;
		case ':':
			*opens = true;
			return !negated || seen;
		case ')':
			*opens = false;
			return !negated || seen;
		default:
			return false;
		}
	}
	return false;
}

/* open: '(' | '(?' flags | '(?<' name | '(?P<' name */
static enum err_code read_open(struct reader *r, struct err *reterr)
{
	struct slice rest = slice_skip(r->in, r->at);
	size_t opened_at = r->at;
	bool opens = true, good = true;

	r->plain = false;
	if (slice_starts(rest, SLICE("(?P<"))) {
		r->at += 4;
		good = read_name(r);
	} else if (slice_starts(rest, SLICE("(?<"))) {
		r->at += 3;
		good = read_name(r);
	} else if (slice_starts(rest, SLICE("(?"))) {
		r->at += 2;
		good = read_flags(r, &opens);
	} else {
		r->at += 1;
	}
	if (!good)
		return err_set(reterr, ERR_INVALID, opened_at, "regular expression: unknown kind of group or flag");
	if (!opens)
		return ERR_OK;
	if (r->depth == REGEXP_DEPTH_MAX)
		return err_rule(reterr, ERR_LIMIT, "regexp_depth", opened_at,
		                "regular expression: at most %d nested groups", REGEXP_DEPTH_MAX);
	r->depth++;
	if (r->depth > r->deepest)
		r->deepest = r->depth;
	regexp_group_open(top(r), r->at);
	return ERR_OK;
}

static enum err_code read_close(struct reader *r, struct err *reterr)
{
	if (r->depth == 0)
		return invalid(r, reterr, "unexpected )");

	enum err_code rc = end_branch(r, reterr);
	struct regexp_part whole = regexp_group_whole(top(r));

	if (rc == ERR_OK)
		rc = regexp_part_check(&whole, r->at, reterr);
	if (rc != ERR_OK)
		return rc;
	r->depth--;
	regexp_group_push(top(r), whole);
	r->at++;
	return ERR_OK;
}

/* count: '0' | [1-9][0-9]* ; what is too large becomes REGEXP_REPEAT_MAX + 1 */
static bool read_count(const struct reader *r, size_t *at, unsigned *ret)
{
	size_t from = *at;
	unsigned n = 0;

	for (; *at < r->in.len && r->in.ptr[*at] >= '0' && r->in.ptr[*at] <= '9'; ++*at)
		n = n > REGEXP_REPEAT_MAX ? n : n * 10 + (unsigned)(r->in.ptr[*at] - '0');
	*ret = n;
	return *at > from && (r->in.ptr[from] != '0' || *at == from + 1);
}

/* counts: '{' count '}' | '{' count ',' '}' | '{' count ',' count '}' ; anything else is a brace like other characters */
static bool read_counts(const struct reader *r, size_t *at, struct regexp_counts *ret)
{
	size_t p = *at + 1;
	struct regexp_counts c = { 0 };

	if (!read_count(r, &p, &c.min))
		return false;
	c.max = c.min;
	if (p < r->in.len && r->in.ptr[p] == ',') {
		p++;
		c.open = p < r->in.len && r->in.ptr[p] == '}';
		if (!c.open && !read_count(r, &p, &c.max))
			return false;
	}
	if (p >= r->in.len || r->in.ptr[p] != '}')
		return false;
	*at = p + 1;
	*ret = c;
	return true;
}

/* repeat: ('*' | '+' | '?' | counts) '?'? ; at stands behind all but the '?' */
static enum err_code read_repeat(struct reader *r, size_t at, struct regexp_counts c, bool repeated, struct err *reterr)
{
	struct regexp_group *g = top(r);

	if (c.min > REGEXP_REPEAT_MAX || (!c.open && (c.max > REGEXP_REPEAT_MAX || c.max < c.min)))
		return invalid(r, reterr, "bad repeat count, at most 1000");
	if (repeated)
		return invalid(r, reterr, "a repetition of a repetition needs a group");
	if (!g->has_item)
		return invalid(r, reterr, "nothing to repeat");
	r->plain = false;
	regexp_part_repeat(&g->item, c);
	if (g->item.copies > REGEXP_REPEAT_MAX)
		return invalid(r, reterr, "nested repeat counts, at most 1000 copies");
	r->repeated = true;
	r->at = at < r->in.len && r->in.ptr[at] == '?' ? at + 1 : at;
	return regexp_part_check(&g->item, r->at, reterr);
}

/* quote: '\Q' any text ('\E' | end) */
static void read_quote(struct reader *r)
{
	r->at += 2;
	while (r->at < r->in.len) {
		struct slice rest = slice_skip(r->in, r->at);
		uint32_t rune;

		if (slice_starts(rest, SLICE("\\E"))) {
			r->at += 2;
			return;
		}
		r->at += utf8_decode(rest, &rune);
		push_rune(r, rune);
	}
}

static enum err_code read_backslash(struct reader *r, struct err *reterr)
{
	char c = r->at + 1 < r->in.len ? r->in.ptr[r->at + 1] : '\0';
	bool found;
	uint32_t rune;

	switch (c) {
	case 'A': case 'z': case 'B': case 'b':
		push_opaque(r, regexp_part_assertion(c != 'b'));        /* the empty text has no border of a word */
		r->at += 2;
		return ERR_OK;
	case 'Q':
		read_quote(r);
		return ERR_OK;
	default:
		break;
	}

	enum err_code rc = regexp_class_escape(r->in, &r->at, &found, reterr);

	if (rc == ERR_OK && found) {
		push_opaque(r, regexp_part_rune());
	} else if (rc == ERR_OK) {
		rc = regexp_escape(r->in, &r->at, &rune, reterr);
		if (rc == ERR_OK)
			push_rune(r, rune);
	}
	return rc;
}

static enum err_code read_class(struct reader *r, struct err *reterr)
{
	enum err_code rc = regexp_class(r->in, &r->at, reterr);

	if (rc == ERR_OK)
		push_opaque(r, regexp_part_rune());
	return rc;
}

static void read_literal(struct reader *r)
{
	uint32_t rune;

	r->at += utf8_decode(slice_skip(r->in, r->at), &rune);
	push_rune(r, rune);
}

/* token: open | ')' | '|' | '^' | '$' | '.' | class | repeat | '\' .. | RUNE */
static enum err_code read_token(struct reader *r, struct err *reterr)
{
	bool repeated = r->repeated;
	size_t at = r->at;
	struct regexp_counts counts;
	enum err_code rc;

	r->repeated = false;
	switch (r->in.ptr[at]) {
	case '(': return read_open(r, reterr);
	case ')': return read_close(r, reterr);
	case '[': return read_class(r, reterr);
	case '\\': return read_backslash(r, reterr);
	case '*': return read_repeat(r, at + 1, (struct regexp_counts){ .open = true }, repeated, reterr);
	case '+': return read_repeat(r, at + 1, (struct regexp_counts){ .min = 1, .open = true }, repeated, reterr);
	case '?': return read_repeat(r, at + 1, (struct regexp_counts){ .max = 1 }, repeated, reterr);
	case '{':
		if (read_counts(r, &at, &counts))
			return read_repeat(r, at, counts, repeated, reterr);
		read_literal(r);
		return ERR_OK;
	case '|':
		rc = end_branch(r, reterr);
		r->at++;
		return rc;
	case '^': case '$':
		push_opaque(r, regexp_part_assertion(true));
		r->at++;
		return ERR_OK;
	case '.':
		push_opaque(r, regexp_part_rune());
		r->at++;
		return ERR_OK;
	default:
		read_literal(r);
		return ERR_OK;
	}
}

static enum err_code read_all(struct reader *r, struct err *reterr)
{
	regexp_group_open(top(r), 0);
	while (r->at < r->in.len) {
		enum err_code rc = read_token(r, reterr);

		if (rc != ERR_OK)
			return rc;
	}
	if (r->depth > 0)
		return invalid(r, reterr, "missing closing )");
	return end_branch(r, reterr);
}

/* Prometheus takes an expression without special characters, but for '|', as the list of texts it looks like, whatever
 * their bytes. False where it holds a special character. */
static bool is_bare_list(struct slice re)
{
	for (size_t i = 0; i < re.len; i++)
		if (re.ptr[i] != '\0' && strchr("\\.+*?()[]{}^$", re.ptr[i]) != NULL)
			return false;
	return true;
}

static enum err_code split_bare_list(struct arena *a, struct slice re, struct regexp_facts *ret, struct err *reterr)
{
	struct regexp_facts facts = { .texts_len = 1 };

	for (size_t i = 0; i < re.len; i++)
		facts.texts_len += re.ptr[i] == '|';
	facts.plain = facts.texts_len <= TEXTS_MAX;
	if (!facts.plain)
		facts.texts_len = 0;

	struct slice *texts = ARENA_ARRAY(a, facts.texts_len, struct slice);

	if (texts == NULL)
		return err_nomem(reterr);
	for (size_t i = 0;; i++) {
		struct slice text = slice_from(re.ptr, slice_find(re, '|'));

		facts.nullable = facts.nullable || text.len == 0;
		if (facts.plain)
			texts[i] = text;
		if (text.len == re.len)
			break;
		re = slice_skip(re, text.len + 1);
	}
	facts.texts = facts.plain ? texts : NULL;
	*ret = facts;
	return ERR_OK;
}

enum err_code regexp_check(struct arena *a, struct slice re, struct regexp_facts *ret, struct err *reterr)
{
	if (re.len > REGEXP_BYTES_MAX)
		return err_rule(reterr, ERR_LIMIT, "regexp_bytes", 0, "regular expression: at most %d bytes, got %zu",
		                REGEXP_BYTES_MAX, re.len);
	if (is_bare_list(re))
		return split_bare_list(a, re, ret, reterr);
	if (!utf8_valid(re))
		return err_set(reterr, ERR_INVALID, 0, "regular expression: invalid UTF-8");

	struct regexp_group groups[REGEXP_DEPTH_MAX + 1];
	struct reader r = { .in = re, .groups = groups, .arena = a, .plain = true, .bytes = arena_alloc(a, re.len) };

	if (r.bytes == NULL)
		return err_nomem(reterr);

	enum err_code rc = read_all(&r, reterr);

	if (rc != ERR_OK)
		return rc;

	struct regexp_part whole = regexp_group_whole(top(&r));

	rc = regexp_part_check(&whole, r.at, reterr);
	if (rc != ERR_OK)
		return rc;
	*ret = (struct regexp_facts){
		.nullable = whole.nullable,
		.plain = r.plain,
		.texts = r.plain ? r.texts : NULL,
		.texts_len = r.plain ? r.texts_len : 0,
		.depth = r.deepest,
	};
	return ERR_OK;
}
