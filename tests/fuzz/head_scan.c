/* head_scan.c - fuzz: any bytes as a request head. What passes has one reading: its framing, its path and its names are
 * plain, and nothing behind the head changes them. The first byte chooses the listener's rules. */
#include "fuzz.h"
#include "server/head.h"

static struct head_rules rules_of(uint8_t choice)
{
	static const struct slice hosts[] = {
		SLICE_INIT("weir.example.org"), SLICE_INIT("*.weir.test"), SLICE_INIT("127.0.0.1"), SLICE_INIT("::1"),
	};

	return (struct head_rules){
		.allow_chunked = (choice & 1) != 0,
		.any_host = (choice & 2) != 0,
		.max_body = (choice & 4) != 0 ? 1024 : 0,
		.hosts = hosts,
		.hosts_len = sizeof(hosts) / sizeof(hosts[0]),
	};
}

static bool contains(struct slice s, const char *what)
{
	return memmem(s.ptr, s.len, what, strlen(what)) != NULL;
}

static bool has_control(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (((unsigned char)s.ptr[i] < 0x20 && s.ptr[i] != '\t') || s.ptr[i] == 0x7f)
			return true;
	return false;
}

static size_t count_header(const struct head *h, struct slice name)
{
	size_t n = 0;

	for (size_t i = 0; i < h->headers_len; i++)
		n += slice_eq(h->headers[i].name, name);
	return n;
}

static void check_headers(const struct head *h)
{
	must(h->headers_len <= HEAD_HEADERS_MAX);
	for (size_t i = 0; i < h->headers_len; i++) {
		struct slice name = h->headers[i].name;

		must(name.len > 0 && !has_control(h->headers[i].value));
		for (size_t k = 0; k < name.len; k++)
			must(name.ptr[k] > ' ' && name.ptr[k] < 0x7f && name.ptr[k] == ascii_lower(name.ptr[k]) &&
			     strchr("_:\"(),/;<=>?@[\\]{}", name.ptr[k]) == NULL);
	}
}

static void check_framing(const struct head *h, const struct head_rules *rules)
{
	size_t lengths = count_header(h, SLICE("content-length")), codings = count_header(h, SLICE("transfer-encoding"));

	must(lengths + codings <= 1 && h->has_length == (lengths == 1) && h->chunked == (codings == 1));
	must(!h->chunked || (rules->allow_chunked && h->minor == 1));
	must(rules->max_body == 0 || h->content_length <= rules->max_body);
	must(count_header(h, SLICE("host")) == 1 || (h->minor == 0 && count_header(h, SLICE("host")) == 0));
}

static void check_path(const struct head *h)
{
	static const char *never[] = { "//", "/./", "/../", "%2f", "%2F", "%5c", "%5C", "%00", ";", "#", "\\", "?" };

	must(h->path.len > 0 && h->path.ptr[0] == '/' && h->target.len <= HEAD_TARGET_MAX && !has_control(h->target));
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		must(!contains(h->path, never[i]));
	must(h->has_query == contains(h->target, "?"));
	must(h->path.len + h->query.len + h->has_query == h->target.len);
}

static bool same(const struct head *x, const struct head *y)
{
	if (x->headers_len != y->headers_len || x->len != y->len || x->content_length != y->content_length ||
	    x->chunked != y->chunked || x->minor != y->minor)
		return false;
	for (size_t i = 0; i < x->headers_len; i++)
		if (!slice_eq(x->headers[i].name, y->headers[i].name) || !slice_eq(x->headers[i].value, y->headers[i].value))
			return false;
	return slice_eq(x->method, y->method) && slice_eq(x->path, y->path) && slice_eq(x->query, y->query) && slice_eq(x->host, y->host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	static struct head h, again;             /* large, and filled whole by each scan */

	if (size == 0)
		return 0;
	arena_init(&a, FUZZ_MEMORY);

	struct head_rules rules = rules_of(data[0]);
	struct slice bytes = fuzz_input(data + 1, size - 1);
	enum deny why = head_scan(&a, bytes, &rules, &h);

	must(why == h.fault);
	if (why != DENY_COUNT) {
		must(h.fault_text[0] != '\0' && why != DENY_UNDECIDED && why != DENY_BUG);
	} else {
		must(h.len <= HEAD_BYTES_MAX && h.len <= bytes.len && h.fault_text[0] == '\0');
		must(memmem(bytes.ptr, bytes.len, "\r\n\r\n", 4) == bytes.ptr + h.len - 4);
		check_headers(&h);
		check_framing(&h, &rules);
		check_path(&h);
		must(head_scan(&a, slice_from(bytes.ptr, h.len), &rules, &again) == DENY_COUNT && same(&h, &again));
	}
	arena_done(&a);
	return 0;
}
