/* regexp.c - see regexp.h.
 *
 * One pass over the text, with a stack of open groups in place of recursion. Of each part only four facts are kept; they are
 * joined as alternatives, sequences and repetitions close. What the expression matches is never worked out.
 */
#include "policy/lang/regexp.h"

#include "base/json.h"
#include "policy/lang/regexp_rune.h"

#define TEXTS_MAX 64
#define REPEAT_MAX 1000
/* RE2's own limits on the tree's height, less what the anchors around it add, and on the size of the compiled program */
#define HEIGHT_MAX 990
#define PROGRAM_MAX 3355443

struct part {
	bool nullable;
	unsigned copies;             /* of its innermost piece, the counts of nested repetitions multiplied */
	size_t height;               /* of the tree, at most */
	size_t size;                 /* instructions, at most */
};

/* an open group, or the whole expression */
struct group {
	struct part before;          /* the alternatives that are complete */
	struct part branch;          /* of the alternative being read, all but its last item */
	struct part item;            /* its last item, that a repetition may still apply to */
	bool has_item;
	size_t branches, longest;    /* complete alternatives; bytes of the longest */
	size_t branch_at;
};

struct reader {
	struct slice in;
	size_t at;
	struct group *groups;        /* REGEXP_DEPTH_MAX + 1 */
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

static const struct part empty_part = { .nullable = true, .copies = 1, .height = 1, .size = 1 };

static size_t max_size(size_t a, size_t b)
{
	return a > b ? a : b;
}

static enum err_code invalid(const struct reader *r, struct err *reterr, const char *what)
{
	return err_set(reterr, ERR_INVALID, r->at, "regular expression: %s", what);
}

static enum err_code check_part(const struct reader *r, const struct part *p, struct err *reterr)
{
	if (p->height > HEIGHT_MAX)
		return err_rule(reterr, ERR_LIMIT, "regexp_depth", r->at, "regular expression: nested too deeply");
	if (p->size > PROGRAM_MAX)
		return err_rule(reterr, ERR_LIMIT, "regexp_size", r->at, "regular expression: too large once its repetitions are written out");
	return ERR_OK;
}

static struct group *top(struct reader *r)
{
	return &r->groups[r->depth];
}

static void open_group(struct group *g, size_t at)
{
	*g = (struct group){ .branch = empty_part, .branch_at = at };
}

/* the last item can no longer be repeated: it joins the sequence */
static void settle_item(struct group *g)
{
	if (!g->has_item)
		return;
	g->branch.nullable = g->branch.nullable && g->item.nullable;
	g->branch.copies = g->branch.copies > g->item.copies ? g->branch.copies : g->item.copies;
	g->branch.height = max_size(g->branch.height, g->item.height);
	g->branch.size += g->item.size;
	g->has_item = false;
}

static void push(struct reader *r, struct part item)
{
	struct group *g = top(r);

	settle_item(g);
	g->item = item;
	g->has_item = true;
}

/* an item that is no text */
static void push_opaque(struct reader *r, bool nullable)
{
	struct part item = empty_part;

	item.nullable = nullable;
	r->plain = false;
	push(r, item);
}

/* RE2 lets U+FFFD stand for any byte that is no text, and a surrogate for none: not what a list of texts would say */
static void push_rune(struct reader *r, uint32_t rune)
{
	char utf8[4];

	push(r, (struct part){ .copies = 1, .height = 1, .size = 1 });
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
	struct group *g = top(r);

	settle_item(g);
	g->before.nullable = g->before.nullable || g->branch.nullable;
	g->before.copies = g->before.copies > g->branch.copies ? g->before.copies : g->branch.copies;
	g->before.height = max_size(g->before.height, g->branch.height + 1);
	g->before.size += g->branch.size + 1;
	g->branches++;
	g->longest = max_size(g->longest, r->at - g->branch_at);
	g->branch = empty_part;
	g->branch_at = r->at + 1;
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

/* all alternatives of the top group as one part. RE2 draws common beginnings of alternatives out of them, two levels of
 * its tree for each: never more often than there are alternatives, or bytes in the longest. */
static struct part whole_group(struct reader *r)
{
	const struct group *g = top(r);
	struct part whole = g->before;

	whole.height += 1;
	if (g->branches > 1)
		whole.height += 1 + 2 * (g->branches < g->longest ? g->branches : g->longest);
	whole.size += 1;
	return whole;
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
		return err_rule(reterr, ERR_LIMIT, "regexp_depth", opened_at, "regular expression: at most %d nested groups", REGEXP_DEPTH_MAX);
	r->depth++;
	r->deepest = max_size(r->deepest, r->depth);
	open_group(top(r), r->at);
	return ERR_OK;
}

static enum err_code read_close(struct reader *r, struct err *reterr)
{
	if (r->depth == 0)
		return invalid(r, reterr, "unexpected )");

	enum err_code rc = end_branch(r, reterr);
	struct part whole = whole_group(r);

	if (rc == ERR_OK)
		rc = check_part(r, &whole, reterr);
	if (rc != ERR_OK)
		return rc;
	r->depth--;
	push(r, whole);
	r->at++;
	return ERR_OK;
}

/* count: '0' | [1-9][0-9]* ; what is too large becomes REPEAT_MAX + 1 */
static bool read_count(const struct reader *r, size_t *at, unsigned *ret)
{
	size_t from = *at;
	unsigned n = 0;

	for (; *at < r->in.len && r->in.ptr[*at] >= '0' && r->in.ptr[*at] <= '9'; ++*at)
		n = n > REPEAT_MAX ? n : n * 10 + (unsigned)(r->in.ptr[*at] - '0');
	*ret = n;
	return *at > from && (r->in.ptr[from] != '0' || *at == from + 1);
}

struct counts {
	unsigned min, max;
	bool open;                   /* no maximum; max is then of no use */
};

/* counts: '{' count '}' | '{' count ',' '}' | '{' count ',' count '}' ; anything else is a brace like other characters */
static bool read_counts(const struct reader *r, size_t *at, struct counts *ret)
{
	size_t p = *at + 1;
	struct counts c = { 0 };

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

static void repeat_item(struct part *item, struct counts c)
{
	unsigned times = c.open ? c.min : c.max;

	item->nullable = item->nullable || c.min == 0;
	item->height++;
	if (c.open)
		item->size = 2 + item->size * (times > 1 ? times : 1);
	else
		item->size = 1 + item->size * times + (c.max - c.min);
	if (times == 0 && !c.open)
		item->copies = 1;        /* nothing inside is ever copied */
	else if (times > 0)
		item->copies *= times;
}

/* repeat: ('*' | '+' | '?' | counts) '?'? ; at stands behind all but the '?' */
static enum err_code read_repeat(struct reader *r, size_t at, struct counts c, bool repeated, struct err *reterr)
{
	struct group *g = top(r);

	if (c.min > REPEAT_MAX || (!c.open && (c.max > REPEAT_MAX || c.max < c.min)))
		return invalid(r, reterr, "bad repeat count, at most 1000");
	if (repeated)
		return invalid(r, reterr, "a repetition of a repetition needs a group");
	if (!g->has_item)
		return invalid(r, reterr, "nothing to repeat");
	r->plain = false;
	repeat_item(&g->item, c);
	if (g->item.copies > REPEAT_MAX)
		return invalid(r, reterr, "nested repeat counts, at most 1000 copies");
	r->repeated = true;
	r->at = at < r->in.len && r->in.ptr[at] == '?' ? at + 1 : at;
	return check_part(r, &g->item, reterr);
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
		push_opaque(r, c != 'b');        /* the empty text has no border of a word */
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
		push_opaque(r, false);
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
		push_opaque(r, false);
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
	struct counts counts;
	enum err_code rc;

	r->repeated = false;
	switch (r->in.ptr[at]) {
	case '(': return read_open(r, reterr);
	case ')': return read_close(r, reterr);
	case '[': return read_class(r, reterr);
	case '\\': return read_backslash(r, reterr);
	case '*': return read_repeat(r, at + 1, (struct counts){ .open = true }, repeated, reterr);
	case '+': return read_repeat(r, at + 1, (struct counts){ .min = 1, .open = true }, repeated, reterr);
	case '?': return read_repeat(r, at + 1, (struct counts){ .max = 1 }, repeated, reterr);
	case '{':
		if (read_counts(r, &at, &counts))
			return read_repeat(r, at, counts, repeated, reterr);
		read_literal(r);
		return ERR_OK;
	case '|':
		rc = end_branch(r, reterr);
		r->at++;
		return rc;
	case '^': case '$': case '.':
		push_opaque(r, r->in.ptr[at] != '.');
		r->at++;
		return ERR_OK;
	default:
		read_literal(r);
		return ERR_OK;
	}
}

static enum err_code read_all(struct reader *r, struct err *reterr)
{
	open_group(top(r), 0);
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
		return err_rule(reterr, ERR_LIMIT, "regexp_bytes", 0, "regular expression: at most %d bytes, got %zu", REGEXP_BYTES_MAX, re.len);
	if (is_bare_list(re))
		return split_bare_list(a, re, ret, reterr);
	if (!utf8_valid(re))
		return err_set(reterr, ERR_INVALID, 0, "regular expression: invalid UTF-8");

	struct group groups[REGEXP_DEPTH_MAX + 1];
	struct reader r = { .in = re, .groups = groups, .arena = a, .plain = true, .bytes = arena_alloc(a, re.len) };

	if (r.bytes == NULL)
		return err_nomem(reterr);

	enum err_code rc = read_all(&r, reterr);

	if (rc != ERR_OK)
		return rc;

	struct part whole = whole_group(&r);

	rc = check_part(&r, &whole, reterr);
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
