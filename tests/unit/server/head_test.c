/* The head scan: one case or more for each row of the table of what is refused, and what must pass. */
#include "server/head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct slice hosts[] = {
	SLICE_INIT("weir.example.org"), SLICE_INIT("*.edge.example.org"), SLICE_INIT("192.0.2.1"), SLICE_INIT("2001:db8::1"),
};

static const struct head_rules strict = { .max_body = 1000, .hosts = hosts, .hosts_len = 4 };
static const struct head_rules chunked = { .allow_chunked = true, .max_body = 1000, .hosts = hosts, .hosts_len = 4 };
static const struct head_rules plain = { .any_host = true };

#define H "Host: weir.example.org\r\n"
#define GET "GET /api/v1/query?query=up HTTP/1.1\r\n"
#define POST "POST /api/v1/query HTTP/1.1\r\n"

struct row {
	const char *name;
	struct slice in;
	const char *tag;                 /* NULL = passes */
	bool open;                       /* refused, but the connection may go on */
};

static void run(const struct row *rows, size_t n, const struct head_rules *rules)
{
	for (size_t i = 0; i < n; i++) {
		struct arena a;
		struct head h;

		arena_init(&a, 65536);

		enum deny why = head_scan(&a, rows[i].in, rules, &h);
		const char *tag = why == DENY_COUNT ? NULL : deny_tag(why);

		if ((tag == NULL) != (rows[i].tag == NULL) || (tag != NULL && strcmp(tag, rows[i].tag) != 0))
			fail_msg("%s: got %s (%s), want %s", rows[i].name, tag, h.fault_text, rows[i].tag);
		if (h.fault != why || h.close != (tag != NULL && !rows[i].open))
			fail_msg("%s: close is %d", rows[i].name, h.close);
		if (tag != NULL && h.fault_text[0] == '\0')
			fail_msg("%s: refused without a sentence", rows[i].name);
		arena_done(&a);
	}
}

#define RUN(rows, rules) run(rows, sizeof(rows) / sizeof((rows)[0]), rules)

static void test_passes(void **state)
{
	static const struct row rows[] = {
		{ "plain GET", SLICE_INIT(GET H "\r\n"), NULL, false },
		{ "root", SLICE_INIT("GET / HTTP/1.1\r\n" H "\r\n"), NULL, false },
		{ "trailing slash", SLICE_INIT("GET /api/v1/query/ HTTP/1.1\r\n" H "\r\n"), NULL, false },
		{ "POST with a length", SLICE_INIT(POST H "Content-Length: 8\r\n\r\nquery=up"), NULL, false },
		{ "longest body", SLICE_INIT(POST H "Content-Length: 1000\r\n\r\n"), NULL, false },
		{ "leading zeros in a length", SLICE_INIT(POST H "Content-Length: 0008\r\n\r\n"), NULL, false },
		{ "GET with length 0", SLICE_INIT(GET H "Content-Length: 0\r\n\r\n"), NULL, false },
		{ "HEAD", SLICE_INIT("HEAD / HTTP/1.1\r\n" H "\r\n"), NULL, false },
		{ "OPTIONS", SLICE_INIT("OPTIONS / HTTP/1.1\r\n" H "\r\n"), NULL, false },
		{ "DELETE", SLICE_INIT("DELETE / HTTP/1.1\r\n" H "\r\n"), NULL, false },
		{ "HTTP/1.0 without Host", SLICE_INIT("GET / HTTP/1.0\r\n\r\n"), NULL, false },
		{ "escaped UTF-8 in the path", SLICE_INIT("GET /api/v1/label/%c3%a4/values HTTP/1.1\r\n" H "\r\n"), NULL, false },
		{ "raw UTF-8 in the path", SLICE_INIT("GET /\xc3\xa4 HTTP/1.1\r\n" H "\r\n"), NULL, false },
		{ "dots inside a segment", SLICE_INIT("GET /a..b/.c/d. HTTP/1.1\r\n" H "\r\n"), NULL, false },
		{ "anything goes in a query", SLICE_INIT("GET /?a=%2f..//;%00&b=\\ HTTP/1.1\r\n" H "\r\n"), NULL, false },
		{ "100-continue", SLICE_INIT(POST H "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n"), NULL, false },
		{ "h2c is only an offer", SLICE_INIT(GET H "Upgrade: h2c\r\nConnection: upgrade\r\n\r\n"), NULL, false },
		{ "tenant headers of backends may repeat",
		  SLICE_INIT(GET H "X-Scope-OrgID: b\r\nX-Scope-OrgID: b|a\r\n\r\n"), NULL, false },
		{ "bytes above 127 in a value", SLICE_INIT(GET H "User-Agent: \xe4\xff\r\n\r\n"), NULL, false },
		{ "tab in a value", SLICE_INIT(GET H "User-Agent: a\tb\r\n\r\n"), NULL, false },
		{ "empty value", SLICE_INIT(GET H "Accept:\r\n\r\n"), NULL, false },
		{ "more behind the head", SLICE_INIT(GET H "\r\nGET /\n\n\n"), NULL, false },
	};

	(void)state;
	RUN(rows, &strict);
}

static void test_lines(void **state)
{
	static const struct row rows[] = {
		{ "nothing", SLICE_INIT(""), "H001", false },
		{ "no end", SLICE_INIT(GET H), "H001", false },
		{ "half a line", SLICE_INIT("GET / HTT"), "H001", false },
		{ "blank line in front", SLICE_INIT("\r\n" GET H "\r\n"), "H001", false },
		{ "bare LF in front", SLICE_INIT("\n" GET H "\r\n"), "H001", false },
		{ "request line ends with LF", SLICE_INIT("GET / HTTP/1.1\n" H "\r\n"), "H001", false },
		{ "header ends with LF", SLICE_INIT(GET "Host: weir.example.org\n\r\n"), "H001", false },
		{ "head ends with LF", SLICE_INIT(GET H "\n"), "H001", false },
		{ "CR inside a line", SLICE_INIT(GET H "A: b\rc\r\n\r\n"), "H008", false },
		{ "folded", SLICE_INIT(GET H "A: b\r\n c\r\n\r\n"), "H008", false },
		{ "folded with a tab", SLICE_INIT(GET H "A: b\r\n\tc: d\r\n\r\n"), "H008", false },
		{ "folded at the start", SLICE_INIT(GET " " H "\r\n"), "H008", false },
		{ "no colon", SLICE_INIT(GET H "A\r\n\r\n"), "H008", false },
		{ "empty name", SLICE_INIT(GET H ": b\r\n\r\n"), "H008", false },
		{ "blank before the colon", SLICE_INIT(GET "Host : weir.example.org\r\n\r\n"), "H008", false },
		{ "underscore in a name", SLICE_INIT(GET H "X_Scope_OrgID: b\r\n\r\n"), "H008", false },
		{ "no token", SLICE_INIT(GET H "A(b): c\r\n\r\n"), "H008", false },
		{ "byte above 127 in a name", SLICE_INIT(GET H "\xc3\xa4: c\r\n\r\n"), "H008", false },
		{ "NUL in a name", SLICE_INIT(GET H "A\0b: c\r\n\r\n"), "H008", false },
		{ "NUL in a value", SLICE_INIT(GET H "A: b\0c\r\n\r\n"), "H008", false },
		{ "DEL in a value", SLICE_INIT(GET H "A: b\x7f\r\n\r\n"), "H008", false },
		{ "escape in a value", SLICE_INIT(GET H "A: \x1b[0m\r\n\r\n"), "H008", false },
		{ "no method", SLICE_INIT(" / HTTP/1.1\r\n" H "\r\n"), "H001", false },
		{ "method is no token", SLICE_INIT("GE(T / HTTP/1.1\r\n" H "\r\n"), "H001", false },
		{ "no target", SLICE_INIT("GET  HTTP/1.1\r\n" H "\r\n"), "H001", false },
		{ "no version", SLICE_INIT("GET /\r\n" H "\r\n"), "H001", false },
		{ "two spaces", SLICE_INIT("GET /  HTTP/1.1\r\n" H "\r\n"), "H001", false },
		{ "blank at the end", SLICE_INIT("GET / HTTP/1.1 \r\n" H "\r\n"), "H001", false },
		{ "lower-case version", SLICE_INIT("GET / http/1.1\r\n" H "\r\n"), "H001", false },
		{ "HTTP/1.9", SLICE_INIT("GET / HTTP/1.9\r\n" H "\r\n"), "H005", false },
		{ "HTTP/2.0", SLICE_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "H005", false },
		{ "HTTP/0.9", SLICE_INIT("GET / HTTP/0.9\r\n" H "\r\n"), "H005", false },
	};

	(void)state;
	RUN(rows, &strict);
}

static void test_framing(void **state)
{
	static const struct row closed[] = {
		{ "chunked", SLICE_INIT(POST H "Transfer-Encoding: chunked\r\n\r\n"), "H003", false },
		{ "any coding", SLICE_INIT(POST H "Transfer-Encoding: gzip\r\n\r\n"), "H003", false },
	};
	static const struct row both[] = {
		{ "length and coding", SLICE_INIT(POST H "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"), "H002", false },
		{ "coding and length", SLICE_INIT(POST H "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n"), "H002", false },
		{ "coding twice", SLICE_INIT(POST H "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n"), "H002", false },
		{ "coding in HTTP/1.0", SLICE_INIT("POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n"), "H002", false },
		{ "two equal lengths", SLICE_INIT(POST H "Content-Length: 4\r\nContent-Length: 4\r\n\r\n"), "H002", false },
		{ "two lengths", SLICE_INIT(POST H "Content-Length: 4\r\ncontent-length: 5\r\n\r\n"), "H002", false },
		{ "list of lengths", SLICE_INIT(POST H "Content-Length: 4, 4\r\n\r\n"), "H002", false },
		{ "signed length", SLICE_INIT(POST H "Content-Length: +4\r\n\r\n"), "H002", false },
		{ "negative length", SLICE_INIT(POST H "Content-Length: -4\r\n\r\n"), "H002", false },
		{ "hex length", SLICE_INIT(POST H "Content-Length: 0x4\r\n\r\n"), "H002", false },
		{ "empty length", SLICE_INIT(POST H "Content-Length:\r\n\r\n"), "H002", false },
		{ "length past 64 bits", SLICE_INIT(POST H "Content-Length: 18446744073709551620\r\n\r\n"), "H002", false },
		{ "length over the cap", SLICE_INIT(POST H "Content-Length: 1001\r\n\r\n"), "H016", false },
		{ "framing before the method", SLICE_INIT("TRACE / HTTP/1.1\r\n" H "Content-Length: a\r\n\r\n"), "H002", false },
	};
	static const struct row allowed[] = {
		{ "chunked", SLICE_INIT(POST H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), NULL, false },
		{ "letter case", SLICE_INIT(POST H "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n"), NULL, false },
		{ "list", SLICE_INIT(POST H "Transfer-Encoding: gzip, chunked\r\n\r\n"), "H002", false },
		{ "vertical tab", SLICE_INIT(POST H "Transfer-Encoding: \x0b" "chunked\r\n\r\n"), "H008", false },
		{ "blank in the name", SLICE_INIT(POST H "Transfer-Encoding : chunked\r\n\r\n"), "H008", false },
		{ "body on GET", SLICE_INIT(GET H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "H011", false },
	};

	(void)state;
	RUN(closed, &strict);
	RUN(both, &strict);
	RUN(both, &chunked);
	RUN(allowed, &chunked);
}

static void test_method_and_target(void **state)
{
	static const struct row rows[] = {
		{ "PUT", SLICE_INIT("PUT / HTTP/1.1\r\n" H "\r\n"), "H010", true },
		{ "PATCH", SLICE_INIT("PATCH / HTTP/1.1\r\n" H "\r\n"), "H010", true },
		{ "TRACE", SLICE_INIT("TRACE / HTTP/1.1\r\n" H "\r\n"), "H010", true },
		{ "CONNECT before its form", SLICE_INIT("CONNECT weir.example.org:443 HTTP/1.1\r\n" H "\r\n"), "H010", true },
		{ "unknown", SLICE_INIT("MKCOL / HTTP/1.1\r\n" H "\r\n"), "H010", true },
		{ "letter case", SLICE_INIT("get / HTTP/1.1\r\n" H "\r\n"), "H010", true },
		{ "body on GET", SLICE_INIT(GET H "Content-Length: 1\r\n\r\nx"), "H011", false },
		{ "body on HEAD", SLICE_INIT("HEAD / HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx"), "H011", false },
		{ "body on DELETE", SLICE_INIT("DELETE / HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx"), "H011", false },
		{ "absolute form", SLICE_INIT("GET http://weir.example.org/ HTTP/1.1\r\n" H "\r\n"), "H006", false },
		{ "authority form", SLICE_INIT("GET weir.example.org:443 HTTP/1.1\r\n" H "\r\n"), "H006", false },
		{ "asterisk", SLICE_INIT("OPTIONS * HTTP/1.1\r\n" H "\r\n"), "H006", false },
		{ "query alone", SLICE_INIT("GET ?query=up HTTP/1.1\r\n" H "\r\n"), "H006", false },
		{ "double slash", SLICE_INIT("GET //api HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "double slash inside", SLICE_INIT("GET /api//v1 HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "double slash at the end", SLICE_INIT("GET /api// HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "dot", SLICE_INIT("GET /./api HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "dot dot", SLICE_INIT("GET /api/../b HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "dot dot at the end", SLICE_INIT("GET /api/.. HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "escaped dot dot", SLICE_INIT("GET /api/%2e%2E/b HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "half escaped dot dot", SLICE_INIT("GET /api/.%2e HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "escaped slash", SLICE_INIT("GET /api%2fv1 HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "escaped slash, upper case", SLICE_INIT("GET /api%2Fv1 HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "backslash", SLICE_INIT("GET /api\\v1 HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "escaped backslash", SLICE_INIT("GET /api%5cv1 HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "escaped NUL", SLICE_INIT("GET /api%00 HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "NUL", SLICE_INIT("GET /api\0 HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "escaped line end", SLICE_INIT("GET /api%0d%0a HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "DEL", SLICE_INIT("GET /api\x7f HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "tab in the query", SLICE_INIT("GET /api?a\tb HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "semicolon", SLICE_INIT("GET /api;x=y HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "escaped semicolon", SLICE_INIT("GET /api%3bx=y HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "fragment", SLICE_INIT("GET /api#x HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "fragment in the query", SLICE_INIT("GET /api?a#x HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "broken escape", SLICE_INIT("GET /api%zz HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "cut escape", SLICE_INIT("GET /api%4 HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "percent at the end", SLICE_INIT("GET /api% HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "escape cut by the query", SLICE_INIT("GET /api%4?1 HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "double encoding", SLICE_INIT("GET /api/%252e%252e HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "bad UTF-8", SLICE_INIT("GET /\xc3 HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "escaped bad UTF-8", SLICE_INIT("GET /%ff HTTP/1.1\r\n" H "\r\n"), "H007", false },
		{ "overlong slash", SLICE_INIT("GET /%c0%af HTTP/1.1\r\n" H "\r\n"), "H007", false },
	};

	(void)state;
	RUN(rows, &strict);
}

#define WITH_HOST(h) SLICE_INIT("GET / HTTP/1.1\r\nHost: " h "\r\n\r\n")

static void test_host(void **state)
{
	static const struct row rows[] = {
		{ "missing", SLICE_INIT(GET "\r\n"), "H004", false },
		{ "twice", SLICE_INIT(GET H H "\r\n"), "H004", false },
		{ "twice, other case", SLICE_INIT(GET H "hOST: evil.example\r\n\r\n"), "H004", false },
		{ "twice in HTTP/1.0", SLICE_INIT("GET / HTTP/1.0\r\n" H H "\r\n"), "H004", false },
		{ "empty", WITH_HOST(""), "H004", false },
		{ "list", WITH_HOST("weir.example.org, evil.example"), "H004", false },
		{ "user", WITH_HOST("a@weir.example.org"), "H004", false },
		{ "path", WITH_HOST("weir.example.org/"), "H004", false },
		{ "escape", WITH_HOST("weir%2eexample.org"), "H004", false },
		{ "empty label", WITH_HOST("weir..example.org"), "H004", false },
		{ "leading dot", WITH_HOST(".example.org"), "H004", false },
		{ "trailing dot", WITH_HOST("weir.example.org."), "H004", false },
		{ "empty port", WITH_HOST("weir.example.org:"), "H004", false },
		{ "port 0", WITH_HOST("weir.example.org:0"), "H004", false },
		{ "port too large", WITH_HOST("weir.example.org:65536"), "H004", false },
		{ "port no number", WITH_HOST("weir.example.org:x"), "H004", false },
		{ "two ports", WITH_HOST("weir.example.org:1:2"), "H004", false },
		{ "bare IPv6", WITH_HOST("2001:db8::1"), "H004", false },
		{ "open bracket", WITH_HOST("[2001:db8::1"), "H004", false },
		{ "no address in brackets", WITH_HOST("[weir]"), "H004", false },
		{ "zone", WITH_HOST("[fe80::1%eth0]"), "H004", false },
		{ "junk behind the bracket", WITH_HOST("[2001:db8::1]x"), "H004", false },
		{ "name", WITH_HOST("weir.example.org"), NULL, false },
		{ "name and port", WITH_HOST("weir.example.org:8443"), NULL, false },
		{ "letter case", WITH_HOST("WEIR.Example.ORG"), NULL, false },
		{ "wildcard", WITH_HOST("a.edge.example.org"), NULL, false },
		{ "IPv4", WITH_HOST("192.0.2.1:443"), NULL, false },
		{ "IPv6", WITH_HOST("[2001:db8::1]:443"), NULL, false },
		{ "IPv6, written out", WITH_HOST("[2001:0DB8:0:0::1]"), NULL, false },
		{ "another name", WITH_HOST("evil.example"), "H015", true },
		{ "wildcard is one label", WITH_HOST("a.b.edge.example.org"), "H015", true },
		{ "wildcard needs a label", WITH_HOST("edge.example.org"), "H015", true },
		{ "the wildcard itself is no name", WITH_HOST("*.edge.example.org"), "H004", false },
		{ "suffix of a name", WITH_HOST("example.org"), "H015", true },
		{ "another address", WITH_HOST("192.0.2.2"), "H015", true },
		{ "another IPv6 address", WITH_HOST("[2001:db8::2]"), "H015", true },
	};
	static const struct row any[] = {
		{ "any name", WITH_HOST("10.0.0.7:8080"), NULL, false },
		{ "still well formed", WITH_HOST("a b"), "H004", false },
		{ "still there", SLICE_INIT(GET "\r\n"), "H004", false },
	};

	(void)state;
	RUN(rows, &strict);
	RUN(any, &plain);
}

static void test_other_headers(void **state)
{
	static const struct row rows[] = {
		{ "content type", SLICE_INIT(POST H "Content-Type: a/b\r\nContent-Type: a/b\r\n\r\n"), "H009", false },
		{ "encoding", SLICE_INIT(POST H "Content-Encoding: gzip\r\ncontent-encoding: br\r\n\r\n"), "H009", false },
		{ "authorization", SLICE_INIT(GET H "Authorization: a\r\nAuthorization: b\r\n\r\n"), "H009", false },
		{ "tenant", SLICE_INIT(GET H "X-Tenant-ID: a\r\nx-tenant-id: b\r\n\r\n"), "H009", false },
		{ "expectation twice", SLICE_INIT(POST H "Expect: 100-continue\r\nExpect: 100-continue\r\n\r\n"), "H009", false },
		{ "other expectation", SLICE_INIT(POST H "Expect: 200-ok\r\n\r\n"), "H012", false },
		{ "websocket", SLICE_INIT(GET H "Upgrade: websocket\r\nConnection: upgrade\r\n\r\n"), "H012", false },
		{ "h2c and another", SLICE_INIT(GET H "Upgrade: h2c, websocket\r\n\r\n"), "H012", false },
		{ "two upgrades", SLICE_INIT(GET H "Upgrade: websocket\r\nUpgrade: h2c\r\n\r\n"), "H012", false },
	};

	(void)state;
	RUN(rows, &strict);
}

/* head with `n` bytes of the letter a in place of the `@` */
static struct slice stretch(struct arena *a, const char *text, size_t n)
{
	size_t at = strcspn(text, "@"), len = strlen(text) - 1 + n;
	char *p = arena_alloc(a, len + 1);

	assert_non_null(p);
	memcpy(p, text, at);
	memset(p + at, 'a', n);
	memcpy(p + at + n, text + at + 1, strlen(text + at + 1));
	return slice_from(p, len);
}

static void test_sizes(void **state)
{
	static const struct {
		const char *name, *text;
		size_t n;
		const char *tag;
	} rows[] = {
		{ "longest target", "GET /@ HTTP/1.1\r\n" H "\r\n", HEAD_TARGET_MAX - 1, NULL },
		{ "target too long", "GET /@ HTTP/1.1\r\n" H "\r\n", HEAD_TARGET_MAX, "H014" },
		{ "target longer than the head", "GET /@ HTTP/1.1\r\n" H "\r\n", HEAD_BYTES_MAX, "H014" },
		{ "query counts", "GET /?@ HTTP/1.1\r\n" H "\r\n", HEAD_TARGET_MAX - 1, "H014" },
		{ "largest head", "GET / HTTP/1.1\r\n" H "A: @\r\n\r\n", HEAD_BYTES_MAX - 16 - 24 - 7, NULL },
		{ "head too large", "GET / HTTP/1.1\r\n" H "A: @\r\n\r\n", HEAD_BYTES_MAX - 16 - 24 - 6, "H013" },
		{ "name too large", "GET / HTTP/1.1\r\n" H "@: b\r\n\r\n", HEAD_BYTES_MAX, "H013" },
		{ "longest host", "GET / HTTP/1.1\r\nHost: @\r\n\r\n", 253, "H015" },
		{ "host too long", "GET / HTTP/1.1\r\nHost: @\r\n\r\n", 254, "H004" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a;
		struct head h;

		arena_init(&a, 1 << 20);

		enum deny why = head_scan(&a, stretch(&a, rows[i].text, rows[i].n), &strict, &h);
		const char *tag = why == DENY_COUNT ? "-" : deny_tag(why);

		if (strcmp(tag, rows[i].tag == NULL ? "-" : rows[i].tag) != 0)
			fail_msg("%s: got %s (%s)", rows[i].name, tag, h.fault_text);
		arena_done(&a);
	}
}

static void test_header_count(void **state)
{
	(void)state;
	for (size_t n = HEAD_HEADERS_MAX - 1; n <= HEAD_HEADERS_MAX; n++) {
		struct arena a;
		struct head h;
		char text[4096];
		size_t len = (size_t)snprintf(text, sizeof(text), GET H);

		for (size_t i = 0; i < n; i++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "A%zu: b\r\n", i);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "\r\n");
		arena_init(&a, 65536);
		assert_int_equal(head_scan(&a, slice_from(text, len), &strict, &h), n < HEAD_HEADERS_MAX ? DENY_COUNT : DENY_HEAD_TOO_LARGE);
		assert_int_equal(h.headers_len, HEAD_HEADERS_MAX);
		arena_done(&a);
	}
}

static void assert_slice(struct slice got, const char *want)
{
	if (!slice_eq(got, slice_cstr(want)))
		fail_msg("got \"%.*s\", want \"%s\"", SLICE_ARG(got), want);
}

static void test_what_comes_out(void **state)
{
	static const char text[] = "POST /api/v1/query?a=b?c HTTP/1.1\r\nHOST: weir.example.org:8443\r\nX-Long-Name:\t a  b \t\r\n"
	                           "content-length: 12\r\n\r\nbody";
	struct arena a;
	struct head h;

	(void)state;
	arena_init(&a, 65536);
	assert_int_equal(head_scan(&a, SLICE(text), &strict, &h), DENY_COUNT);
	assert_slice(h.method, "POST");
	assert_slice(h.target, "/api/v1/query?a=b?c");
	assert_slice(h.path, "/api/v1/query");
	assert_slice(h.query, "a=b?c");
	assert_true(h.has_query);
	assert_int_equal(h.minor, 1);
	assert_slice(h.host, "weir.example.org");
	assert_int_equal(h.headers_len, 3);
	assert_slice(h.headers[0].name, "host");
	assert_slice(h.headers[1].name, "x-long-name");
	assert_slice(h.headers[1].value, "a  b");
	assert_slice(h.headers[2].name, "content-length");
	assert_true(h.has_length);
	assert_false(h.chunked);
	assert_int_equal(h.content_length, 12);
	assert_int_equal(h.len, sizeof(text) - 1 - 4);
	/* what was lower case already is not copied */
	assert_true(h.headers[2].name.ptr > text && h.headers[2].name.ptr < text + sizeof(text));
	arena_done(&a);

	arena_init(&a, 65536);
	assert_int_equal(head_scan(&a, SLICE("GET /? HTTP/1.0\r\nHost: [2001:db8::1]\r\n\r\n"), &strict, &h), DENY_COUNT);
	assert_true(h.has_query);
	assert_int_equal(h.query.len, 0);
	assert_int_equal(h.minor, 0);
	assert_slice(h.host, "2001:db8::1");
	arena_done(&a);
}

/* each prefix of a good head is refused, none of them is read past its end (the sanitizers watch) */
static void test_prefixes(void **state)
{
	static const char text[] = GET H "Content-Length: 0\r\nA: b\r\n\r\n";

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		struct arena a;
		struct head h;
		char *copy = malloc(n + 1);

		assert_non_null(copy);
		memcpy(copy, text, n);
		arena_init(&a, 65536);
		assert_int_not_equal(head_scan(&a, slice_from(copy, n), &strict, &h), DENY_COUNT);
		arena_done(&a);
		free(copy);
	}
}

static void test_without_memory(void **state)
{
	(void)state;
	for (long n = 1;; n++) {
		struct arena a;
		struct head h;

		arena_init(&a, 65536);
		a.fail_in = n;

		enum deny why = head_scan(&a, SLICE(GET H "Accept: b\r\nACCEPT-ENCODING: c\r\n\r\n"), &strict, &h);
		bool failed = a.fail_in == 0;

		arena_done(&a);
		if (!failed) {
			assert_int_equal(why, DENY_COUNT);
			assert_true(n > 1);
			return;
		}
		assert_int_equal(why, DENY_MEMORY);
		assert_true(h.close);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passes),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_framing),
		cmocka_unit_test(test_method_and_target),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_other_headers),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_header_count),
		cmocka_unit_test(test_what_comes_out),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
