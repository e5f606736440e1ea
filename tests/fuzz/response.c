/* response.c - fuzz: any bytes as a backend's answer, once whole and once in pieces: the same answer, or refused both times.
 * The first byte chooses HEAD and the size of the pieces. */
#include "fuzz.h"
#include "io/response.h"

struct outcome {
	enum response_event last;
	unsigned status;
	size_t headers_len;
	int64_t content_length;
	uint64_t body_len, body_sum;
	bool reusable;
};

static void add_body(struct outcome *o, struct slice piece)
{
	must(piece.len > 0);
	for (size_t i = 0; i < piece.len; i++)
		o->body_sum = o->body_sum * 31 + (unsigned char)piece.ptr[i];
	o->body_len += piece.len;
}

static void check_head(const struct response *r)
{
	must(r->status >= 200 && r->status <= 999);
	for (size_t i = 0; i < r->headers_len; i++) {
		struct slice name = r->headers[i].name;

		must(name.len > 0);
		for (size_t k = 0; k < name.len; k++)
			must(name.ptr[k] > ' ' && name.ptr[k] < 0x7f && name.ptr[k] == ascii_lower(name.ptr[k]));
		must(slice_find(r->headers[i].value, '\n') == r->headers[i].value.len);
		must(slice_find(r->headers[i].value, '\r') == r->headers[i].value.len);
		must(slice_find(r->headers[i].value, '\0') == r->headers[i].value.len);
	}
}

/* feeds one piece; true when the answer came to its end, good or bad */
static bool feed(struct response *r, struct slice piece, struct outcome *o)
{
	struct err err = { 0 };

	for (;;) {
		o->last = response_next(r, &piece, &err);
		switch (o->last) {
		case RESPONSE_MORE:
			must(piece.len == 0);
			return false;
		case RESPONSE_HEAD:
			check_head(r);
			o->status = r->status;
			o->headers_len = r->headers_len;
			o->content_length = r->content_length;
			break;
		case RESPONSE_BODY:
			add_body(o, r->body);
			break;
		case RESPONSE_END:
			o->reusable = response_reusable(r);
			return true;
		case RESPONSE_BAD:
			must(err.text[0] != '\0');
			return true;
		}
	}
}

static struct outcome read_answer(struct slice in, size_t piece_len, bool is_head)
{
	struct arena a;
	struct response r;
	struct outcome o = { 0 };
	bool over = false;

	arena_init(&a, FUZZ_MEMORY);
	response_init(&r, &a, is_head);
	while (!over && in.len > 0) {
		struct slice piece = slice_from(in.ptr, piece_len < in.len ? piece_len : in.len);

		in = slice_skip(in, piece.len);
		over = feed(&r, piece, &o);
	}
	if (!over) {
		struct err err = { 0 };

		o.last = response_closed(&r, &err);
		must(o.last == RESPONSE_END || o.last == RESPONSE_BAD);
		must(o.last != RESPONSE_END || !response_reusable(&r));
	}
	arena_done(&a);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;

	struct slice in = fuzz_input(data + 1, size - 1);
	bool is_head = (data[0] & 0x80) != 0;
	struct outcome whole = read_answer(in, in.len, is_head);
	struct outcome pieces = read_answer(in, 1 + (data[0] & 0x0f), is_head);

	/* bytes behind the end are seen only where they came with it */
	if (whole.last == RESPONSE_BAD || pieces.last == RESPONSE_BAD)
		return 0;
	must(whole.last == pieces.last && whole.status == pieces.status && whole.headers_len == pieces.headers_len);
	must(whole.content_length == pieces.content_length && whole.reusable == pieces.reusable);
	must(whole.body_len == pieces.body_len && whole.body_sum == pieces.body_sum);
	return 0;
}
