/* The strict response parser: one table, and each row cut at every point. */
#include "io/response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"
#define SEEN "200 -1 transfer-encoding=chunked | "
#define HUGE_LENGTH "Content-Length: 9999999999999999999\r\n"

/* what is left of an answer when the parser is done: enough to compare two readings of the same bytes */
struct seen {
	char text[4096];
	size_t len;
};

static void note(struct seen *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void note(struct seen *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	s->len += (size_t)vsnprintf(s->text + s->len, sizeof(s->text) - s->len, fmt, ap);
	va_end(ap);
	assert_true(s->len < sizeof(s->text));
}

/* Runs the parser over one more piece; false when it has come to its end. A body is noted byte by byte, so that the cuts do
 * not show. */
static bool feed(struct response *r, struct slice in, struct seen *s)
{
	for (;;) {
		struct err err = { 0 };

		switch (response_next(r, &in, &err)) {
		case RESPONSE_MORE:
			assert_int_equal(in.len, 0);
			return true;
		case RESPONSE_HEAD:
			note(s, "%u %lld", r->status, (long long)r->content_length);
			for (size_t i = 0; i < r->headers_len; i++)
				note(s, " %.*s=%.*s", SLICE_ARG(r->headers[i].name), SLICE_ARG(r->headers[i].value));
			note(s, " | ");
			break;
		case RESPONSE_BODY:
			assert_true(r->body.len > 0);
			note(s, "%.*s", SLICE_ARG(r->body));
			break;
		case RESPONSE_END:
			note(s, " end%s", response_reusable(r) ? " keep" : "");
			return false;
		case RESPONSE_BAD:
			assert_int_not_equal(err.code, ERR_OK);
			assert_true(err.text[0] != '\0');
			note(s, " bad");
			return false;
		}
	}
}

static void finish(struct response *r, struct seen *s)
{
	struct err err = { 0 };

	if (response_closed(r, &err) == RESPONSE_END) {
		note(s, " end%s", response_reusable(r) ? " keep" : "");
	} else {
		assert_int_not_equal(err.code, ERR_OK);
		note(s, " early");
	}
}

static const struct {
	const char *name, *in, *want;
	bool is_head;
} rows[] = {
	/* whole answers */
	{ "a length", OK "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello",
	  "200 5 content-type=text/plain content-length=5 | hello end keep", false },
	{ "no body", OK "content-length: 0\r\n\r\n", "200 0 content-length=0 |  end keep", false },
	{ "no reason", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "200 0 content-length=0 |  end keep", false },
	{ "an empty reason", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", "200 0 content-length=0 |  end keep", false },
	{ "blanks around a value", OK "A: \t b c \t\r\nContent-Length: 0\r\n\r\n", "200 0 a=b c content-length=0 |  end keep", false },
	{ "an empty value", OK "A:\r\nContent-Length: 0\r\n\r\n", "200 0 a= content-length=0 |  end keep", false },
	{ "chunks", OK "Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n00A\r\n, world 23\r\n0\r\n\r\n",
	  "200 -1 transfer-encoding=Chunked | hello, world 23 end keep", false },
	{ "chunk extensions", CHUNKED "1;a=\"b\"\r\nx\r\n0;z\r\n\r\n",
	  SEEN "x end keep", false },
	{ "trailers are dropped", CHUNKED "1\r\nx\r\n0\r\nX-Scope-OrgID: b\r\nT: 2\r\n\r\n",
	  SEEN "x end keep", false },
	{ "until close", OK "A: b\r\n\r\nhello", "200 -1 a=b | hello end", false },
	{ "close", OK "Connection: close\r\nContent-Length: 1\r\n\r\nx", "200 1 connection=close content-length=1 | x end", false },
	{ "close in a list", OK "Connection: a , CLOSE\r\nContent-Length: 1\r\n\r\nx",
	  "200 1 connection=a , CLOSE content-length=1 | x end", false },
	{ "HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", "200 1 content-length=1 | x end", false },
	{ "HEAD", OK "Content-Length: 5\r\n\r\n", "200 5 content-length=5 |  end keep", true },
	{ "HEAD of chunks", CHUNKED, SEEN " end keep", true },
	{ "HEAD without a length", OK "\r\n", "200 -1 |  end keep", true },
	{ "204", "HTTP/1.1 204 No Content\r\n\r\n", "204 -1 |  end keep", false },
	{ "304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n", "304 10 content-length=10 |  end keep", false },
	{ "1xx before it", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK "Content-Length: 1\r\n\r\nx",
	  "200 1 content-length=1 | x end keep", false },
	{ "an error", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno", "503 2 content-length=2 | no end keep", false },
	{ "bytes above 0x7f in a value", OK "A: \xff\r\nContent-Length: 0\r\n\r\n", "200 0 a=\xff content-length=0 |  end keep", false },

	/* framing that can be read in two ways */
	{ "two lengths", OK "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", " bad", false },
	{ "two equal lengths", OK "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", " bad", false },
	{ "a list of lengths", OK "Content-Length: 1, 1\r\n\r\nx", " bad", false },
	{ "no number", OK "Content-Length: abc\r\n\r\nx", " bad", false },
	{ "an empty length", OK "Content-Length:\r\n\r\n", " bad", false },
	{ "a sign", OK "Content-Length: +1\r\n\r\nx", " bad", false },
	{ "a negative length", OK "Content-Length: -1\r\n\r\nx", " bad", false },
	{ "hex", OK "Content-Length: 0x1\r\n\r\nx", " bad", false },
	{ "a length beyond 64 bits", OK HUGE_LENGTH "\r\nx", " bad", false },
	{ "length and chunks", OK "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", " bad", false },
	{ "length and chunks to HEAD", OK "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", " bad", true },
	{ "chunked twice", OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", " bad", false },
	{ "gzip, chunked", OK "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", " bad", false },
	{ "identity", OK "Transfer-Encoding: identity\r\n\r\nx", " bad", false },
	{ "chunks in 1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", " bad", false },
	{ "204 with a body", "HTTP/1.1 204 No Content\r\nContent-Length: 1\r\n\r\nx", " bad", false },
	{ "204 in chunks", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", " bad", false },
	{ "1xx with a body", "HTTP/1.1 100 Continue\r\nContent-Length: 1\r\n\r\nx" OK "\r\n", " bad", false },
	{ "101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", " bad", false },

	/* heads */
	{ "not HTTP", "SSH-2.0-OpenSSH_9.2\r\n", " bad", false },
	{ "not HTTP, no line end", "220 mail", " bad", false },
	{ "HTTP/2", "HTTP/2 200\r\n\r\n", " bad", false },
	{ "HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", " bad", false },
	{ "HTTP/0.9", "<html>", " bad", false },
	{ "two blanks", "HTTP/1.1  200 OK\r\n\r\n", " bad", false },
	{ "a short status", "HTTP/1.1 20 OK\r\n\r\n", " bad", false },
	{ "a long status", "HTTP/1.1 2000 OK\r\n\r\n", " bad", false },
	{ "status 099", "HTTP/1.1 099 No\r\n\r\n", " bad", false },
	{ "status 600", "HTTP/1.1 600 No\r\n\r\n", " bad", false },
	{ "a blank line before it", "\r\n" OK "Content-Length: 0\r\n\r\n", " bad", false },
	{ "no CR in the status line", "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n", " bad", false },
	{ "no CR in a header", OK "Content-Length: 0\n\r\n", " bad", false },
	{ "no CR in the last line", OK "Content-Length: 0\r\n\n", " bad", false },
	{ "CR in a value", OK "A: b\rC: d\r\nContent-Length: 0\r\n\r\n", " bad", false },
	{ "CR before CR LF", OK "A: b\r\r\nContent-Length: 0\r\n\r\n", " bad", false },
	{ "a control in a value", OK "A: b\x01\r\nContent-Length: 0\r\n\r\n", " bad", false },
	{ "a control in the reason", "HTTP/1.1 200 O\x1bK\r\n\r\n", " bad", false },
	{ "a folded line", OK "A: b\r\n c\r\nContent-Length: 0\r\n\r\n", " bad", false },
	{ "a folded line first", OK " A: b\r\nContent-Length: 0\r\n\r\n", " bad", false },
	{ "a blank before the colon", OK "Content-Length : 0\r\n\r\n", " bad", false },
	{ "an empty name", OK ": b\r\n\r\n", " bad", false },
	{ "no colon", OK "hello\r\n\r\n", " bad", false },
	{ "a name that is no token", OK "A(: b\r\n\r\n", " bad", false },

	/* chunks */
	{ "no size", CHUNKED "\r\n", SEEN " bad", false },
	{ "no hex", CHUNKED "xyz\r\n", SEEN " bad", false },
	{ "0x", CHUNKED "0x1\r\nx\r\n0\r\n\r\n", SEEN " bad", false },
	{ "a sign before the size", CHUNKED "-1\r\n", SEEN " bad", false },
	{ "a blank behind the size", CHUNKED "1 \r\nx\r\n", SEEN " bad", false },
	{ "16 digits", CHUNKED "ffffffffffffffff\r\nx", SEEN " bad", false },
	{ "size without CR", CHUNKED "1\nx\r\n0\r\n\r\n", SEEN " bad", false },
	{ "a chunk too long", CHUNKED "1\r\nxy\r\n0\r\n\r\n", SEEN "x bad", false },
	{ "a chunk end without CR", CHUNKED "1\r\nx\n0\r\n\r\n", SEEN "x bad", false },
	{ "a bad trailer", CHUNKED "0\r\nno colon\r\n\r\n", SEEN " bad", false },

	/* the end comes early */
	{ "nothing", "", " early", false },
	{ "half a status line", "HTTP/1.1 2", " early", false },
	{ "half a head", OK "Content-Length: 5\r\n", " early", false },
	{ "only 1xx", "HTTP/1.1 100 Continue\r\n\r\n", " early", false },
	{ "half a body", OK "Content-Length: 5\r\n\r\nhel", "200 5 content-length=5 | hel early", false },
	{ "half a chunk", CHUNKED "5\r\nhel", SEEN "hel early", false },
	{ "no last chunk", CHUNKED "1\r\nx\r\n", SEEN "x early", false },
	{ "no end of trailers", CHUNKED "0\r\n", SEEN " early", false },
};

static void run_row(size_t row, size_t cut, struct seen *s)
{
	struct slice in = slice_cstr(rows[row].in);
	struct response r;
	struct arena a;

	arena_init(&a, 4 * RESPONSE_HEAD_MAX);
	response_init(&r, &a, rows[row].is_head);
	*s = (struct seen){ 0 };
	if (feed(&r, slice_from(in.ptr, cut), s) && feed(&r, slice_skip(in, cut), s))
		finish(&r, s);
	arena_done(&a);
}

static void test_rows(void **state)
{
	struct seen s;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		run_row(i, strlen(rows[i].in), &s);
		if (strcmp(s.text, rows[i].want) != 0)
			fail_msg("%s:\n got  %s\n want %s", rows[i].name, s.text, rows[i].want);
	}
}

static void test_every_cut(void **state)
{
	struct seen s;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t cut = 0; cut < strlen(rows[i].in); cut++) {
			run_row(i, cut, &s);
			if (strcmp(s.text, rows[i].want) != 0)
				fail_msg("%s, cut at %zu:\n got  %s\n want %s", rows[i].name, cut, s.text, rows[i].want);
		}
}

static void test_byte_by_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice in = slice_cstr(rows[i].in);
		struct seen s = { 0 };
		struct response r;
		struct arena a;
		bool more = true;

		arena_init(&a, 4 * RESPONSE_HEAD_MAX);
		response_init(&r, &a, rows[i].is_head);
		for (; more && in.len > 0; in = slice_skip(in, 1))
			more = feed(&r, slice_from(in.ptr, 1), &s);
		if (more)
			finish(&r, &s);
		arena_done(&a);
		if (strcmp(s.text, rows[i].want) != 0)
			fail_msg("%s, byte by byte:\n got  %s\n want %s", rows[i].name, s.text, rows[i].want);
	}
}

/* Bytes behind an answer spoil it before its head is shown, when they came with it; else they come too late to matter here. */
static void test_leftover(void **state)
{
	static const struct {
		const char *name, *in, *want;
		bool is_head;
	} left[] = {
		{ "behind a length", OK "Content-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n", " bad", false },
		{ "behind no body", OK "Content-Length: 0\r\n\r\nx", " bad", false },
		{ "behind 204", "HTTP/1.1 204 No Content\r\n\r\nx", " bad", false },
		{ "a body to HEAD", OK "Content-Length: 1\r\n\r\nx", " bad", true },
		{ "behind chunks", CHUNKED "0\r\n\r\nx", SEEN " bad", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		struct seen s = { 0 };
		struct response r;
		struct arena a;

		arena_init(&a, 4 * RESPONSE_HEAD_MAX);
		response_init(&r, &a, left[i].is_head);
		assert_false(feed(&r, slice_cstr(left[i].in), &s));
		assert_false(response_reusable(&r));
		arena_done(&a);
		if (strcmp(s.text, left[i].want) != 0)
			fail_msg("%s:\n got  %s\n want %s", left[i].name, s.text, left[i].want);
	}
}

static void test_zero_bytes(void **state)
{
	static const struct slice in[] = {
		SLICE_INIT(OK "A: b\0c\r\nContent-Length: 0\r\n\r\n"),
		SLICE_INIT(OK "A\0: b\r\nContent-Length: 0\r\n\r\n"),
		SLICE_INIT("HTTP/1.1 200 O\0K\r\n\r\n"),
		SLICE_INIT("\0"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++) {
		struct seen s = { 0 };
		struct response r;
		struct arena a;

		arena_init(&a, 4 * RESPONSE_HEAD_MAX);
		response_init(&r, &a, false);
		assert_false(feed(&r, in[i], &s));
		assert_string_equal(s.text, " bad");
		arena_done(&a);
	}
}

/* the same line again and again, until the parser has had enough or `most` bytes have gone */
static enum err_code pour(const char *begin, const char *line, size_t most)
{
	struct slice in = slice_cstr(begin);
	enum response_event e;
	struct response r;
	struct err err = { 0 };
	struct arena a;
	size_t sent = 0;

	arena_init(&a, 4 * RESPONSE_HEAD_MAX);
	response_init(&r, &a, false);
	do {
		e = response_next(&r, &in, &err);
		if (in.len == 0 && sent < most) {
			in = slice_cstr(line);
			sent += in.len;
		}
	} while (in.len > 0 && e != RESPONSE_BAD);
	/* final: nothing mends it */
	in = SLICE(OK "\r\n");
	assert_true(e != RESPONSE_BAD || response_next(&r, &in, NULL) == RESPONSE_BAD);
	arena_done(&a);
	return err.code;
}

static void test_bounds(void **state)
{
	char name[64 * 1024 + 2];

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(pour(OK, name, 70000), ERR_LIMIT);
	assert_int_equal(pour(OK, "A: b\r\n", 600), ERR_OK);
	assert_int_equal(pour(OK, "A: b\r\n", 66000), ERR_LIMIT);
	assert_int_equal(pour("HTTP/1.1 200 ", "OK", 70000), ERR_LIMIT);
	assert_int_equal(pour("HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n", 1000), ERR_LIMIT);
	assert_int_equal(pour(CHUNKED "1;", "a", 300), ERR_LIMIT);
	assert_int_equal(pour(CHUNKED "0\r\n", "A: b\r\n", 70000), ERR_LIMIT);
	/* many chunks are no reason */
	assert_int_equal(pour(CHUNKED, "1;a=b\r\nx\r\n", 200000), ERR_OK);
}

static void test_headers_at_the_limit(void **state)
{
	(void)state;
	for (size_t n = RESPONSE_HEADERS_MAX; n <= RESPONSE_HEADERS_MAX + 1; n++) {
		char text[4096] = OK;
		struct slice in;
		struct response r;
		struct arena a;

		for (size_t i = 0; i < n; i++)
			strncat(text, "A: b\r\n", sizeof(text) - strlen(text) - 1);
		strncat(text, "\r\n", sizeof(text) - strlen(text) - 1);
		arena_init(&a, 4 * RESPONSE_HEAD_MAX);
		response_init(&r, &a, true);
		in = slice_cstr(text);
		assert_int_equal(response_next(&r, &in, NULL), n == RESPONSE_HEADERS_MAX ? RESPONSE_HEAD : RESPONSE_BAD);
		arena_done(&a);
	}
}

static void test_without_memory(void **state)
{
	(void)state;
	for (long n = 1;; n++) {
		struct slice in = slice_cstr(rows[0].in);
		struct err err = { 0 };
		enum response_event e;
		struct response r;
		struct arena a;

		arena_init(&a, 4 * RESPONSE_HEAD_MAX);
		a.fail_in = n;
		response_init(&r, &a, false);
		e = response_next(&r, &in, &err);
		arena_done(&a);
		if (e == RESPONSE_HEAD) {
			assert_true(n > 1);
			break;
		}
		assert_int_equal(e, RESPONSE_BAD);
		assert_int_equal(err.code, ERR_NOMEM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_byte_by_byte),
		cmocka_unit_test(test_leftover),
		cmocka_unit_test(test_zero_bytes),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_headers_at_the_limit),
		cmocka_unit_test(test_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
