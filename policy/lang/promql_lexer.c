/* promql_lexer.c - see promql_lexer.h. */
#include "policy/lang/promql_lexer.h"

#include "policy/lang/lexer.h"
#include "policy/lang/unicode_letters.h"

static const char *const texts[] = {
#define TOKEN(sym, text, precedence) [sym] = text,
#include "policy/lang/promql_tokens.def"
#undef TOKEN
};

static const unsigned char precedences[] = {
#define TOKEN(sym, text, precedence) [sym] = precedence,
#include "policy/lang/promql_tokens.def"
#undef TOKEN
};

const char *token_text(enum token_type t)
{
	return texts[t];
}

unsigned token_precedence(enum token_type t)
{
	return precedences[t];
}

void promql_lexer_init(struct promql_lexer *lx, struct arena *a, const char *text, struct err *err)
{
	*lx = (struct promql_lexer){ .arena = a, .text = text, .err = err };
}

static void emit(const struct promql_lexer *lx, struct token *t, enum token_type type, size_t start)
{
	t->type = type;
	t->at = (uint32_t)start;
	t->text = slice_from(lx->text + start, lx->at - start);
}

/* the error is in lx->err already */
static void fail(struct promql_lexer *lx, struct token *t)
{
	*t = (struct token){ .type = TOKEN_ERROR, .at = (uint32_t)lx->at };
	lx->in_braces = lx->in_brackets = false;
}

static void unexpected_char(struct promql_lexer *lx, struct token *t, const char *where, const char *right)
{
	unsigned char c = (unsigned char)lx->text[lx->at];

	if (c >= 0x21 && c < 0x7f)
		err_set(lx->err, ERR_SYNTAX, lx->at, "unexpected '%c' %s; %s", c, where, right);
	else if (c == '\0')
		err_set(lx->err, ERR_SYNTAX, lx->at, "the query ends %s; %s", where, right);
	else
		err_set(lx->err, ERR_SYNTAX, lx->at, "unexpected byte 0x%02x %s; %s", c, where, right);
	fail(lx, t);
}

/* length of the character at p when it may continue a name: an ASCII letter, digit or _; with the feature on also a dot
 * and any letter. 0 when it may not. */
static size_t name_char(const struct promql_lexer *lx, const char *p)
{
	if (char_is(*p, CHAR_ALPHA | CHAR_DIGIT))
		return 1;
	if (!lx->utf8_names)
		return 0;
	return *p == '.' ? 1 : unicode_letter(p);
}

static size_t name_start(const struct promql_lexer *lx, const char *p)
{
	return char_is(*p, CHAR_ALPHA) ? 1 : lx->utf8_names ? unicode_letter(p) : 0;
}

#define WORD(literal, type)                                                                     \
	if (memcmp(lower, literal, sizeof(literal) - 1) == 0)                                       \
		return type;

/* the keyword that a word is, in any case of letters, or TOKEN_IDENTIFIER */
static enum token_type keyword(const char *word, size_t len)
{
	char lower[12];

	if (len < 2 || len > sizeof(lower))
		return TOKEN_IDENTIFIER;
	for (size_t i = 0; i < len; i++)
		lower[i] = ascii_lower(word[i]);
	switch (len) {
	case 2:
		WORD("or", TOKEN_OR) WORD("by", TOKEN_BY) WORD("on", TOKEN_ON)
		break;
	case 3:
		WORD("sum", TOKEN_SUM) WORD("avg", TOKEN_AVG) WORD("min", TOKEN_MIN) WORD("max", TOKEN_MAX)
		WORD("and", TOKEN_AND) WORD("end", TOKEN_END) WORD("inf", TOKEN_NUMBER) WORD("nan", TOKEN_NUMBER)
		break;
	case 4:
		WORD("bool", TOKEN_BOOL) WORD("topk", TOKEN_TOPK) WORD("step", TOKEN_STEP) WORD("fill", TOKEN_FILL)
		break;
	case 5:
		WORD("count", TOKEN_COUNT) WORD("group", TOKEN_GROUP) WORD("start", TOKEN_START)
		WORD("range", TOKEN_RANGE) WORD("atan2", TOKEN_ATAN2)
		break;
	case 6:
		WORD("offset", TOKEN_OFFSET) WORD("unless", TOKEN_UNLESS) WORD("stddev", TOKEN_STDDEV)
		WORD("stdvar", TOKEN_STDVAR) WORD("limitk", TOKEN_LIMITK) WORD("max_of", TOKEN_MAX_OF)
		WORD("min_of", TOKEN_MIN_OF)
		break;
	case 7:
		WORD("without", TOKEN_WITHOUT) WORD("bottomk", TOKEN_BOTTOMK)
		break;
	case 8:
		WORD("ignoring", TOKEN_IGNORING) WORD("quantile", TOKEN_QUANTILE) WORD("anchored", TOKEN_ANCHORED)
		WORD("smoothed", TOKEN_SMOOTHED)
		break;
	case 9:
		WORD("fill_left", TOKEN_FILL_LEFT)
		break;
	case 10:
		WORD("group_left", TOKEN_GROUP_LEFT) WORD("fill_right", TOKEN_FILL_RIGHT)
		break;
	case 11:
		WORD("group_right", TOKEN_GROUP_RIGHT) WORD("limit_ratio", TOKEN_LIMIT_RATIO)
		break;
	case 12:
		WORD("count_values", TOKEN_COUNT_VALUES)
		break;
	default:
		break;
	}
	return TOKEN_IDENTIFIER;
}

#undef WORD

/* word: a name, or a keyword, or with a colon in it a metric name. fill and its sisters are keywords only right before
 * a parenthesis, so that metrics of these names keep working. */
static void word(struct promql_lexer *lx, struct token *t)
{
	size_t start = lx->at;
	bool colon = false;

	for (;;) {
		size_t n = lx->text[lx->at] == ':' ? 1 : name_char(lx, lx->text + lx->at);

		if (n == 0)
			break;
		colon = colon || lx->text[lx->at] == ':';
		lx->at += n;
	}

	enum token_type type = colon ? TOKEN_METRIC_NAME : keyword(lx->text + start, lx->at - start);

	if (type >= TOKEN_FILL && type <= TOKEN_FILL_RIGHT) {
		const char *p = lx->text + lx->at;

		while (char_is(*p, CHAR_SPACE))
			p++;
		if (*p != '(')
			type = TOKEN_IDENTIFIER;
	}
	emit(lx, t, type, start);
}

static bool accept(const char **p, const char *set)
{
	if (**p == '\0' || strchr(set, **p) == NULL)
		return false;
	(*p)++;
	return true;
}

/* Moves *p over a number the way the original does, oddities included (0x1e+5 is one bad number, not a sum): false when
 * no number ends there. What it takes for a number may still be none: lexer_number decides. */
static bool scan_number(const char **p)
{
	static const char decimal[] = "0123456789", hexadecimal[] = "0123456789abcdefABCDEF";
	const char *digits = decimal;
	bool dot = false, exponent = false;

	if (accept(p, "0") && accept(p, "xX")) {
		accept(p, "_");
		digits = hexadecimal;
	}
	accept(p, ".");
	accept(p, digits);
	while (char_is(**p, digits == decimal ? CHAR_DIGIT : CHAR_HEX) || (**p != '\0' && strchr("._eE", **p) != NULL)) {
		if ((**p == '.' && dot) || (ascii_lower(**p) == 'e' && exponent)) {
			(*p)++;
			return false;
		}
		if (accept(p, ".")) {
			dot = true;
			if (accept(p, "_.") || digits == hexadecimal)
				return false;
		} else if (accept(p, "eE")) {
			exponent = true;
			accept(p, "+-");
			if (accept(p, "._eE") || **p == '\0')
				return false;
		} else if (accept(p, "_")) {
			if (accept(p, "._eE") || **p == '\0')
				return false;
		} else {
			while (accept(p, digits))
				;
		}
	}
	return !char_is(**p, CHAR_ALPHA | CHAR_DIGIT);
}

/* what follows the first number of a duration: unit (number unit)*; duration_parse looks at the units */
static bool scan_units(const char **p)
{
	if (!accept(p, "smhdwy"))
		return false;
	accept(p, "s");
	while (char_is(**p, CHAR_DIGIT)) {
		while (char_is(**p, CHAR_DIGIT))
			(*p)++;
		if (!accept(p, "smhdw"))
			return false;
		accept(p, "s");
	}
	return !char_is(**p, CHAR_ALPHA | CHAR_DIGIT);
}

static void number(struct promql_lexer *lx, struct token *t)
{
	size_t start = lx->at;
	const char *p = lx->text + start;
	enum token_type type = TOKEN_NUMBER;

	if (!scan_number(&p)) {
		type = TOKEN_DURATION;
		if (!scan_units(&p)) {
			err_set(lx->err, ERR_SYNTAX, start, "bad number or duration; right are 1, 0.5, 1e3, 0x1f, 5m, 1h30m");
			fail(lx, t);
			return;
		}
	}
	lx->at = (size_t)(p - lx->text);
	lx->duration_start = false;
	emit(lx, t, type, start);
}

static void string(struct promql_lexer *lx, struct token *t)
{
	size_t start = lx->at;

	t->type = TOKEN_STRING;
	t->at = (uint32_t)start;
	if (lexer_string(lx->arena, lx->text, start, &lx->at, &t->text, lx->err) != ERR_OK)
		fail(lx, t);
}

/* one sign of n bytes */
static void sign(struct promql_lexer *lx, struct token *t, enum token_type type, size_t n)
{
	lx->at += n;
	emit(lx, t, type, lx->at - n);
}

/* in braces: names, strings, = != =~ !~ and the comma */
static void next_in_braces(struct promql_lexer *lx, struct token *t)
{
	const char *p = lx->text + lx->at;
	size_t start = lx->at, n = name_start(lx, p);

	if (n > 0) {
		for (; n > 0; n = name_char(lx, lx->text + lx->at))
			lx->at += n;
		emit(lx, t, TOKEN_IDENTIFIER, start);
		return;
	}
	switch (*p) {
	case ',': sign(lx, t, TOKEN_COMMA, 1); return;
	case '"': case '\'': case '`': string(lx, t); return;
	case '=': sign(lx, t, p[1] == '~' ? TOKEN_RE : TOKEN_EQ, p[1] == '~' ? 2 : 1); return;
	case '!':
		if (p[1] == '=' || p[1] == '~') {
			sign(lx, t, p[1] == '~' ? TOKEN_NRE : TOKEN_NE, 2);
			return;
		}
		break;
	case '}':
		lx->in_braces = false;
		sign(lx, t, TOKEN_RIGHT_BRACE, 1);
		return;
	default: break;
	}
	unexpected_char(lx, t, "inside braces", "right are label=\"value\", != =~ !~, and commas between");
}

/* in brackets words are step range min_of max_of, in letters and _ only */
static void duration_word(struct promql_lexer *lx, struct token *t)
{
	size_t start = lx->at;

	while (char_is(lx->text[lx->at], CHAR_ALPHA))
		lx->at++;

	enum token_type type = keyword(lx->text + start, lx->at - start);

	if (type >= TOKEN_STEP && type <= TOKEN_MAX_OF) {
		emit(lx, t, type, start);
		return;
	}
	lx->at = start;
	unexpected_char(lx, t, "in a range", "right are durations, step(), range(), min_of() and max_of()");
}

static void colon_in_brackets(struct promql_lexer *lx, struct token *t)
{
	if (lx->got_colon) {
		unexpected_char(lx, t, "in a range", "a subquery has one colon");
		return;
	}
	lx->got_colon = true;
	sign(lx, t, TOKEN_COLON, 1);
}

static void comparison(struct promql_lexer *lx, struct token *t)
{
	char c = lx->text[lx->at], d = lx->text[lx->at + 1];

	if (c == '=' && d == '=')
		sign(lx, t, TOKEN_EQLC, 2);
	else if (c == '=' && d != '~')
		sign(lx, t, TOKEN_EQ, 1);
	else if (c == '!' && d == '=')
		sign(lx, t, TOKEN_NE, 2);
	else if (c == '<' || c == '>')
		sign(lx, t, d == '=' ? c == '<' ? TOKEN_LTE : TOKEN_GTE : d == '/' ? c == '<' ? TOKEN_TRIM_UPPER
		     : TOKEN_TRIM_LOWER : c == '<' ? TOKEN_LSS : TOKEN_GTR, d == '=' || d == '/' ? 2 : 1);
	else
		unexpected_char(lx, t, "here", "=~ and !~ stand inside braces; outside are == and !=");
}

static void next_outside(struct promql_lexer *lx, struct token *t)
{
	const char *p = lx->text + lx->at;

	switch (*p) {
	case '\0': sign(lx, t, TOKEN_EOF, 0); return;
	case '(': sign(lx, t, TOKEN_LEFT_PAREN, 1); return;
	case ')': sign(lx, t, TOKEN_RIGHT_PAREN, 1); return;
	case ',': sign(lx, t, TOKEN_COMMA, 1); return;
	case '+': sign(lx, t, TOKEN_ADD, 1); return;
	case '-': sign(lx, t, TOKEN_SUB, 1); return;
	case '*': sign(lx, t, TOKEN_MUL, 1); return;
	case '/': sign(lx, t, TOKEN_DIV, 1); return;
	case '%': sign(lx, t, TOKEN_MOD, 1); return;
	case '^': sign(lx, t, TOKEN_POW, 1); return;
	case '@': sign(lx, t, TOKEN_AT, 1); return;
	case '=': case '!': case '<': case '>': comparison(lx, t); return;
	case '"': case '\'': case '`': string(lx, t); return;
	case '{':
		lx->in_braces = true;
		sign(lx, t, TOKEN_LEFT_BRACE, 1);
		return;
	case '[':
		if (lx->in_brackets)
			break;
		lx->in_brackets = lx->duration_start = true;
		lx->got_colon = false;
		sign(lx, t, TOKEN_LEFT_BRACKET, 1);
		return;
	case ']':
		if (!lx->in_brackets)
			break;
		lx->in_brackets = lx->duration_start = false;
		sign(lx, t, TOKEN_RIGHT_BRACKET, 1);
		return;
	default:
		if (char_is(*p, CHAR_DIGIT) || (*p == '.' && char_is(p[1], CHAR_DIGIT)))
			number(lx, t);
		else if (*p == ':' && lx->in_brackets)
			colon_in_brackets(lx, t);
		else if (lx->in_brackets)
			duration_word(lx, t);
		else if (*p == ':' || name_start(lx, p) > 0)
			word(lx, t);
		else
			break;
		return;
	}
	unexpected_char(lx, t, "here", "names beyond ASCII letters, digits, _ and : are quoted: {\"name\"}");
}

/* Spaces and comments. At the start of a duration the original knows no comments, so neither do we. */
static void skip_blank(struct promql_lexer *lx)
{
	const char *p = lx->text + lx->at;

	for (;;) {
		while (char_is(*p, CHAR_SPACE))
			p++;
		if (*p != '#' || lx->duration_start)
			break;
		while (*p != '\0' && *p != '\n' && *p != '\r')
			p++;
	}
	lx->at = (size_t)(p - lx->text);
}

void promql_lexer_next(struct promql_lexer *lx, struct token *ret)
{
	skip_blank(lx);
	if (++lx->tokens > lx->tokens_max) {
		err_rule(lx->err, ERR_LIMIT, "query_tokens", lx->at, "a query may hold %zu tokens", lx->tokens_max);
		fail(lx, ret);
	} else if (lx->in_braces) {
		next_in_braces(lx, ret);
	} else {
		next_outside(lx, ret);
	}
}
