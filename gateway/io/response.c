/* response.c - see response.h. */
#include "io/response.h"

#define CHUNK_DIGITS_MAX 15      /* so that no size overflows */
#define LENGTH_DIGITS_MAX 18

void response_init(struct response *r, struct arena *a, bool is_head)
{
	memset(r, 0, sizeof(*r));
	r->is_head = is_head;
	r->content_length = -1;
	r->head_left = RESPONSE_HEAD_MAX;
	strbuf_init(&r->text, a, RESPONSE_HEAD_MAX);
}

static enum response_event bad(struct response *r, enum err_code code, const char *text)
{
	err_set(&r->err, code, ERR_NOWHERE, "%s", text);
	r->state = RESPONSE_FAILED;
	return RESPONSE_BAD;
}

/* ---- lines ---- */

/* token characters of RFC 9110 section 5.6.2 */
static bool is_token_char(unsigned char c)
{
	if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return true;
	return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

/* no controls but the tab: so no CR, LF or NUL inside a line */
static bool is_text(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static struct slice trim(struct slice s)
{
	while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
		s = slice_skip(s, 1);
	while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

/* Moves bytes up to the end of a line from *in to r->text. MORE: the line is not whole yet. HEAD: *line is one, without its
 * CR LF, valid until the next call. */
static enum response_event take_line(struct response *r, struct slice *in, size_t *left, struct slice *line)
{
	size_t at = slice_find(*in, '\n');
	size_t n = at == in->len ? at : at + 1;

	if (n > *left)
		return bad(r, ERR_LIMIT, "the answer's head, trailers or chunk line is too long");
	strbuf_add(&r->text, slice_from(in->ptr, n));
	if (r->text.full)
		return bad(r, ERR_NOMEM, "not enough memory for the answer's head");
	*left -= n;
	*in = slice_skip(*in, n);
	if (n == at)
		return RESPONSE_MORE;

	size_t len = r->text.len - r->line_at;

	if (len < 2 || r->text.ptr[r->text.len - 2] != '\r')
		return bad(r, ERR_SYNTAX, "a line of the answer ends without CR");
	*line = slice_from(r->text.ptr + r->line_at, len - 2);
	r->line_at = r->text.len;
	if (!is_text(*line))
		return bad(r, ERR_SYNTAX, "a line of the answer holds a control byte");
	return RESPONSE_HEAD;
}

static void drop_lines(struct response *r)
{
	r->text.len = 0;
	r->line_at = 0;
}

/* ---- the head ---- */

/* status-line: "HTTP/1." ("0" | "1") SP 3DIGIT [ SP reason ] */
static bool parse_status_line(struct response *r, struct slice line)
{
	static const struct slice name = SLICE_INIT("HTTP/1.");

	if (line.len < 12 || !slice_starts(line, name) || (line.ptr[7] != '0' && line.ptr[7] != '1') || line.ptr[8] != ' ' ||
	    (line.len > 12 && line.ptr[12] != ' '))
		return false;
	r->http10 = line.ptr[7] == '0';
	r->status = 0;
	for (size_t i = 9; i < 12; i++) {
		if (line.ptr[i] < '0' || line.ptr[i] > '9')
			return false;
		r->status = r->status * 10 + (unsigned)(line.ptr[i] - '0');
	}
	return r->status >= 100 && r->status <= 599;
}

/* field-line: token ":" OWS value OWS */
static bool parse_header(struct slice line, struct header *ret)
{
	size_t colon = 0;

	while (colon < line.len && is_token_char((unsigned char)line.ptr[colon]))
		colon++;
	if (colon == 0 || colon == line.len || line.ptr[colon] != ':')
		return false;
	ret->name = slice_from(line.ptr, colon);
	ret->value = trim(slice_skip(line, colon + 1));
	return true;
}

static bool parse_length(struct slice s, int64_t *ret)
{
	int64_t n = 0;

	if (s.len == 0 || s.len > LENGTH_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
		n = n * 10 + (s.ptr[i] - '0');
	}
	*ret = n;
	return true;
}

/* Connection is a list; only `close` matters here */
static bool has_close(struct slice list)
{
	while (list.len > 0) {
		size_t n = slice_find(list, ',');

		if (slice_ieq(trim(slice_from(list.ptr, n)), SLICE("close")))
			return true;
		list = slice_skip(list, n + 1);
	}
	return false;
}

/* what a header says about the framing */
static enum response_event note_header(struct response *r, const struct header *h)
{
	if (slice_eq(h->name, SLICE("content-length"))) {
		if (r->content_length != -1)
			return bad(r, ERR_SYNTAX, "the answer has two lengths");
		if (!parse_length(h->value, &r->content_length))
			return bad(r, ERR_SYNTAX, "the answer's Content-Length is no plain number");
	} else if (slice_eq(h->name, SLICE("transfer-encoding"))) {
		if (r->chunked || r->http10 || !slice_ieq(h->value, SLICE("chunked")))
			return bad(r, ERR_SYNTAX, "the answer's Transfer-Encoding is not just `chunked`");
		r->chunked = true;
	} else if (slice_eq(h->name, SLICE("connection"))) {
		r->close = r->close || has_close(h->value);
	}
	return RESPONSE_MORE;
}

/* r->text holds a whole head: a status line that has been parsed, then headers, then an empty line */
static enum response_event parse_headers(struct response *r)
{
	struct slice rest = slice_from(r->text.ptr, r->text.len);

	rest = slice_skip(rest, slice_find(rest, '\n') + 1);
	while (rest.len > 2) {
		size_t len = slice_find(rest, '\n') - 1;
		struct header *h = &r->headers[r->headers_len];

		if (r->headers_len == RESPONSE_HEADERS_MAX)
			return bad(r, ERR_LIMIT, "the answer has too many headers");
		if (!parse_header(slice_from(rest.ptr, len), h))
			return bad(r, ERR_SYNTAX, "a header of the answer is malformed or folded");
		for (char *c = r->text.ptr + (h->name.ptr - r->text.ptr); c < h->name.ptr + h->name.len; c++)
			*c = ascii_lower(*c);
		r->headers_len++;
		if (note_header(r, h) == RESPONSE_BAD)
			return RESPONSE_BAD;
		rest = slice_skip(rest, len + 2);
	}
	if (r->chunked && r->content_length != -1)
		return bad(r, ERR_SYNTAX, "the answer has a length and is chunked, too");
	return RESPONSE_HEAD;
}

/* a whole 1xx head: forget it, the real one follows */
static enum response_event skip_interim(struct response *r)
{
	if (r->status == 101)
		return bad(r, ERR_SYNTAX, "the backend changes protocols, which nobody asked for");
	if (r->chunked || r->content_length != -1)
		return bad(r, ERR_SYNTAX, "a 1xx answer has a body");
	if (++r->interim > RESPONSE_INTERIM_MAX)
		return bad(r, ERR_LIMIT, "the backend sends 1xx answers without end");
	r->headers_len = 0;
	drop_lines(r);
	return RESPONSE_MORE;
}

/* Which body follows the head. Bytes that already lie behind an answer of known length spoil it here, before anybody has seen
 * its head. */
static enum response_event begin_body(struct response *r, struct slice rest)
{
	bool none = r->is_head || r->status == 204 || r->status == 304;

	if (r->status == 204 && (r->chunked || r->content_length > 0))
		return bad(r, ERR_SYNTAX, "a 204 answer has a body");
	if (r->chunked && !none) {
		r->state = RESPONSE_IN_CHUNK_LINE;
		r->line_left = RESPONSE_CHUNK_LINE_MAX;
	} else if (r->content_length == -1 && !none) {
		r->state = RESPONSE_UNTIL_CLOSE;
		r->close = true;
	} else {
		r->left = none ? 0 : (uint64_t)r->content_length;
		r->state = r->left == 0 ? RESPONSE_AT_END : RESPONSE_IN_LENGTH;
		if (rest.len > r->left)
			return bad(r, ERR_SYNTAX, "bytes lie behind the end of the answer");
	}
	return RESPONSE_HEAD;
}

static enum response_event take_head(struct response *r, struct slice *in)
{
	static const struct slice name = SLICE_INIT("HTTP/1.");
	bool first = r->line_at == 0;
	struct slice line;
	enum response_event e = take_line(r, in, &r->head_left, &line);
	size_t n = r->text.len < name.len ? r->text.len : name.len;

	/* what is not HTTP at all may never send a line end: do not wait for it */
	if (e != RESPONSE_BAD && memcmp(r->text.ptr, name.ptr, n) != 0)
		return bad(r, ERR_SYNTAX, "the backend does not answer in HTTP/1");
	if (e != RESPONSE_HEAD)
		return e;
	if (first)
		return parse_status_line(r, line) ? RESPONSE_MORE : bad(r, ERR_SYNTAX, "the answer's status line is malformed");
	if (line.len > 0)
		return RESPONSE_MORE;
	e = parse_headers(r);
	if (e != RESPONSE_HEAD)
		return e;
	return r->status < 200 ? skip_interim(r) : begin_body(r, *in);
}

/* ---- the body ---- */

static enum response_event take_body(struct response *r, struct slice *in, uint64_t most)
{
	size_t n = in->len > most ? (size_t)most : in->len;

	r->body = slice_from(in->ptr, n);
	*in = slice_skip(*in, n);
	return RESPONSE_BODY;
}

/* the rest of a body or chunk; *next follows behind its last byte */
static enum response_event take_left(struct response *r, struct slice *in, enum response_state next)
{
	enum response_event e = take_body(r, in, r->left);

	r->left -= r->body.len;
	if (r->left == 0)
		r->state = next;
	return e;
}

/* chunk-line: 1*HEXDIG [ ";" anything ] */
static enum response_event take_chunk_line(struct response *r, struct slice *in)
{
	uint64_t size = 0;
	struct slice line;
	size_t digits = 0;
	enum response_event e = take_line(r, in, &r->line_left, &line);

	if (e != RESPONSE_HEAD)
		return e;
	for (; digits < line.len && digits <= CHUNK_DIGITS_MAX; digits++) {
		char c = ascii_lower(line.ptr[digits]);

		if (c >= '0' && c <= '9')
			size = size * 16 + (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			size = size * 16 + (uint64_t)(c - 'a') + 10;
		else
			break;
	}
	if (digits == 0 || digits > CHUNK_DIGITS_MAX || (digits < line.len && line.ptr[digits] != ';'))
		return bad(r, ERR_SYNTAX, "a chunk size of the answer is malformed");
	drop_lines(r);
	r->left = size;
	r->state = size == 0 ? RESPONSE_IN_TRAILERS : RESPONSE_IN_CHUNK;
	return RESPONSE_MORE;
}

/* CR LF behind a chunk's bytes */
static enum response_event take_chunk_end(struct response *r, struct slice *in)
{
	struct slice line;
	enum response_event e;

	r->line_left = 2 - r->text.len;
	e = take_line(r, in, &r->line_left, &line);
	if (e == RESPONSE_BAD)
		return bad(r, ERR_SYNTAX, "a chunk of the answer is longer than its size says");
	if (e == RESPONSE_HEAD) {
		drop_lines(r);
		r->state = RESPONSE_IN_CHUNK_LINE;
		r->line_left = RESPONSE_CHUNK_LINE_MAX;
	}
	return RESPONSE_MORE;
}

/* Trailers are checked like headers and dropped. */
static enum response_event take_trailer(struct response *r, struct slice *in)
{
	struct slice line;
	struct header h;
	enum response_event e = take_line(r, in, &r->head_left, &line);

	if (e != RESPONSE_HEAD)
		return e;
	if (line.len > 0 && !parse_header(line, &h))
		return bad(r, ERR_SYNTAX, "a trailer of the answer is malformed");
	if (line.len == 0)
		r->state = RESPONSE_AT_END;
	drop_lines(r);
	return RESPONSE_MORE;
}

/* ---- the whole ---- */

static enum response_event step(struct response *r, struct slice *in)
{
	switch (r->state) {
	case RESPONSE_IN_HEAD: return take_head(r, in);
	case RESPONSE_IN_LENGTH: return take_left(r, in, RESPONSE_AT_END);
	case RESPONSE_IN_CHUNK_LINE: return take_chunk_line(r, in);
	case RESPONSE_IN_CHUNK: return take_left(r, in, RESPONSE_IN_CHUNK_END);
	case RESPONSE_IN_CHUNK_END: return take_chunk_end(r, in);
	case RESPONSE_IN_TRAILERS: return take_trailer(r, in);
	case RESPONSE_UNTIL_CLOSE: return take_body(r, in, UINT64_MAX);
	case RESPONSE_AT_END: return bad(r, ERR_SYNTAX, "bytes lie behind the end of the answer");
	case RESPONSE_FAILED: break;
	}
	return RESPONSE_BAD;
}

enum response_event response_next(struct response *r, struct slice *in, struct err *reterr)
{
	enum response_event e = r->state == RESPONSE_FAILED ? RESPONSE_BAD : RESPONSE_MORE;

	r->begun = r->begun || in->len > 0;
	while (e == RESPONSE_MORE && in->len > 0)
		e = step(r, in);
	if (e == RESPONSE_MORE && r->state == RESPONSE_AT_END)
		e = RESPONSE_END;
	if (e == RESPONSE_BAD && reterr != NULL)
		*reterr = r->err;
	return e;
}

enum response_event response_closed(struct response *r, struct err *reterr)
{
	enum response_event e = RESPONSE_END;

	if (r->state == RESPONSE_UNTIL_CLOSE)
		r->state = RESPONSE_AT_END;
	else if (r->state == RESPONSE_FAILED)
		e = RESPONSE_BAD;
	else if (r->state != RESPONSE_AT_END)
		e = bad(r, ERR_SYNTAX, r->begun ? "the answer ended early" : "the connection ended before the answer");
	if (e == RESPONSE_BAD && reterr != NULL)
		*reterr = r->err;
	return e;
}

bool response_reusable(const struct response *r)
{
	return r->state == RESPONSE_AT_END && !r->close && !r->http10;
}
