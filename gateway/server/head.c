/* head.c - see head.h. Two passes: first the bytes are cut into lines, names and values and the framing is judged; only then
 * what the request asks for. A fault of the first pass wins, because behind it nothing can be trusted. */
#include "server/head.h"

#include "base/json.h"

#include <arpa/inet.h>
#include <stdio.h>

#define HOST_NAME_MAX_BYTES 253

struct scan {
	struct arena *arena;
	struct slice left;               /* not yet cut into lines */
	bool cut;                        /* left ends at HEAD_BYTES_MAX, not at the end of the input */
	const struct head_rules *rules;
	struct head *h;
};

/* after these two the framing is clear and the connection may go on */
static bool stays_open(enum deny why)
{
	return why == DENY_HEAD_METHOD || why == DENY_HEAD_MISDIRECTED;
}

static enum deny refuse(struct scan *s, enum deny why, const char *text)
{
	s->h->fault = why;
	s->h->close = !stays_open(why);
	snprintf(s->h->fault_text, sizeof(s->h->fault_text), "%s", text);
	return why;
}

/* tchar of RFC 9110 section 5.6.2 */
static bool is_token_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_token(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_token_char(s.ptr[i]))
			return false;
	return s.len > 0;
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ---- first pass: lines, names, values, framing ---- */

/* line = token SP target SP version CRLF; the line comes without its CRLF */
static enum deny next_line(struct scan *s, struct slice *line)
{
	size_t lf = slice_find(s->left, '\n');

	if (lf == s->left.len)
		return s->cut ? refuse(s, DENY_HEAD_TOO_LARGE, "the request head is larger than 32 KiB")
		              : refuse(s, DENY_HEAD_SYNTAX, "the request head has no end");
	if (lf == 0 || s->left.ptr[lf - 1] != '\r')
		return refuse(s, DENY_HEAD_SYNTAX, "a line of the request head does not end with CR LF");
	*line = slice_from(s->left.ptr, lf - 1);
	s->left = slice_skip(s->left, lf + 1);
	return DENY_COUNT;
}

static enum deny scan_version(struct scan *s, struct slice v)
{
	if (slice_eq(v, SLICE("HTTP/1.1")) || slice_eq(v, SLICE("HTTP/1.0"))) {
		s->h->minor = v.ptr[7] == '1';
		return DENY_COUNT;
	}
	if (v.len == 8 && slice_starts(v, SLICE("HTTP/")) && is_digit(v.ptr[5]) && v.ptr[6] == '.' && is_digit(v.ptr[7]))
		return refuse(s, DENY_HEAD_VERSION, "only HTTP/1.0 and HTTP/1.1 are spoken here");
	return refuse(s, DENY_HEAD_SYNTAX, "the request line does not end with an HTTP version");
}

static enum deny scan_request_line(struct scan *s)
{
	struct slice line;
	enum deny why = next_line(s, &line);

	if (why == DENY_HEAD_TOO_LARGE)
		return refuse(s, DENY_HEAD_TARGET_LONG, "the request target is longer than 8 KiB");
	if (why != DENY_COUNT)
		return why;
	if (line.len == 0)
		return refuse(s, DENY_HEAD_SYNTAX, "an empty line stands before the request line");

	size_t sp = slice_find(line, ' ');
	struct slice method = slice_from(line.ptr, sp), rest = slice_skip(line, sp + 1);

	if (sp == line.len || !is_token(method))
		return refuse(s, DENY_HEAD_SYNTAX, "the request line does not begin with a method and one space");
	sp = slice_find(rest, ' ');
	if (sp == 0 || sp == rest.len)
		return refuse(s, DENY_HEAD_SYNTAX, "the request line is not: method, target and version, with one space between");
	if (sp > HEAD_TARGET_MAX)
		return refuse(s, DENY_HEAD_TARGET_LONG, "the request target is longer than 8 KiB");
	s->h->method = method;
	s->h->target = slice_from(rest.ptr, sp);
	return scan_version(s, slice_skip(rest, sp + 1));
}

/* names with `_` are refused: some backends take `x_tenant` for `x-tenant` */
static enum deny scan_name(struct scan *s, struct slice name, struct slice *ret)
{
	bool upper = false;

	for (size_t i = 0; i < name.len; i++) {
		if (!is_token_char(name.ptr[i]) || name.ptr[i] == '_')
			return refuse(s, DENY_HEAD_HEADER, "a header name holds a byte that is not allowed there, such as a blank or `_`");
		upper |= name.ptr[i] >= 'A' && name.ptr[i] <= 'Z';
	}
	if (name.len == 0)
		return refuse(s, DENY_HEAD_HEADER, "a header has no name");
	*ret = name;
	if (!upper)
		return DENY_COUNT;

	char *low = arena_alloc(s->arena, name.len);

	if (low == NULL)
		return refuse(s, DENY_MEMORY, "not enough memory for the request head");
	for (size_t i = 0; i < name.len; i++)
		low[i] = ascii_lower(name.ptr[i]);
	*ret = slice_from(low, name.len);
	return DENY_COUNT;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static enum deny scan_value(struct scan *s, struct slice v, struct slice *ret)
{
	for (size_t i = 0; i < v.len; i++)
		if (is_control(v.ptr[i]) && v.ptr[i] != '\t')
			return refuse(s, DENY_HEAD_HEADER, "a header value holds a control byte");
	while (v.len > 0 && is_blank(v.ptr[0]))
		v = slice_skip(v, 1);
	while (v.len > 0 && is_blank(v.ptr[v.len - 1]))
		v.len--;
	*ret = v;
	return DENY_COUNT;
}

static enum deny scan_header(struct scan *s, struct slice line)
{
	struct head *h = s->h;
	size_t colon = slice_find(line, ':');
	struct header *to = &h->headers[h->headers_len];

	if (is_blank(line.ptr[0]))
		return refuse(s, DENY_HEAD_HEADER, "a header is folded over two lines");
	if (colon == line.len)
		return refuse(s, DENY_HEAD_HEADER, "a header has no colon");
	if (h->headers_len == HEAD_HEADERS_MAX)
		return refuse(s, DENY_HEAD_TOO_LARGE, "the request has more than 64 headers");

	enum deny why = scan_name(s, slice_from(line.ptr, colon), &to->name);

	if (why == DENY_COUNT)
		why = scan_value(s, slice_skip(line, colon + 1), &to->value);
	if (why == DENY_COUNT)
		h->headers_len++;
	return why;
}

static enum deny scan_headers(struct scan *s)
{
	struct slice line;
	enum deny why;

	while ((why = next_line(s, &line)) == DENY_COUNT && line.len > 0)
		if ((why = scan_header(s, line)) != DENY_COUNT)
			return why;
	return why;
}

/* how often a header stands in the head; *value is the last one's, or has ptr NULL */
static size_t find_header(const struct head *h, struct slice name, struct slice *value)
{
	size_t n = 0;

	*value = (struct slice){ NULL, 0 };
	for (size_t i = 0; i < h->headers_len; i++)
		if (slice_eq(h->headers[i].name, name)) {
			*value = h->headers[i].value;
			n++;
		}
	return n;
}

/* 1*DIGIT; 18 digits are more than any cap */
static bool parse_length(struct slice s, uint64_t *ret)
{
	uint64_t n = 0;

	if (s.len == 0 || s.len > 18)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (!is_digit(s.ptr[i]))
			return false;
		n = n * 10 + (uint64_t)(s.ptr[i] - '0');
	}
	*ret = n;
	return true;
}

static enum deny scan_framing(struct scan *s)
{
	struct head *h = s->h;
	struct slice length, coding;
	size_t lengths = find_header(h, SLICE("content-length"), &length);
	size_t codings = find_header(h, SLICE("transfer-encoding"), &coding);

	if (lengths > 0 && codings > 0)
		return refuse(s, DENY_HEAD_FRAMING, "Content-Length and Transfer-Encoding stand together");
	if (lengths > 1)
		return refuse(s, DENY_HEAD_FRAMING, "Content-Length stands twice");
	if (codings > 1)
		return refuse(s, DENY_HEAD_FRAMING, "Transfer-Encoding stands twice");
	if (codings > 0 && h->minor == 0)
		return refuse(s, DENY_HEAD_FRAMING, "HTTP/1.0 has no Transfer-Encoding");
	if (codings > 0 && !s->rules->allow_chunked)
		return refuse(s, DENY_HEAD_CHUNKED, "a chunked request body is not accepted here; send Content-Length");
	if (codings > 0 && !slice_ieq(coding, SLICE("chunked")))
		return refuse(s, DENY_HEAD_FRAMING, "the only Transfer-Encoding is chunked");
	if (lengths > 0 && !parse_length(length, &h->content_length))
		return refuse(s, DENY_HEAD_FRAMING, "Content-Length is not a plain number");
	if (s->rules->max_body > 0 && h->content_length > s->rules->max_body)
		return refuse(s, DENY_BODY_TOO_LARGE, "the request body is larger than this listener takes");
	h->chunked = codings > 0;
	h->has_length = lengths > 0;
	return DENY_COUNT;
}

/* ---- second pass: what is asked for ---- */

static enum deny check_method(struct scan *s)
{
	/* HINT: a method that a route takes must stand here too */
	static const struct slice served[] = {
		SLICE_INIT("GET"), SLICE_INIT("POST"), SLICE_INIT("HEAD"), SLICE_INIT("OPTIONS"), SLICE_INIT("DELETE"),
	};

	for (size_t i = 0; i < sizeof(served) / sizeof(served[0]); i++)
		if (slice_eq(s->h->method, served[i]))
			return DENY_COUNT;
	return refuse(s, DENY_HEAD_METHOD, "this method is not served");
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* undoes percent escapes; false on a broken one, and on an escaped slash, which would move the borders of the segments */
static bool decode_path(struct slice path, char out[HEAD_TARGET_MAX], size_t *len)
{
	size_t n = 0;

	for (size_t i = 0; i < path.len; i++) {
		char c = path.ptr[i];

		if (c == '%') {
			int hi = i + 2 < path.len ? hex_value(path.ptr[i + 1]) : -1;
			int lo = i + 2 < path.len ? hex_value(path.ptr[i + 2]) : -1;

			if (hi < 0 || lo < 0)
				return false;
			c = (char)(hi << 4 | lo);
			if (c == '/')
				return false;
			i += 2;
		}
		out[n++] = c;
	}
	*len = n;
	return true;
}

/* path = 1*( "/" segment ); no segment is `.` or `..`, only the last one may be empty */
static bool segments_plain(struct slice path)
{
	while (path.len > 0) {
		struct slice rest = slice_skip(path, 1);
		size_t n = slice_find(rest, '/');
		struct slice segment = slice_from(rest.ptr, n);

		if (n == 0 && rest.len > 0)
			return false;
		if (slice_eq(segment, SLICE(".")) || slice_eq(segment, SLICE("..")))
			return false;
		path = slice_skip(rest, n);
	}
	return true;
}

static enum deny check_path(struct scan *s)
{
	char bytes[HEAD_TARGET_MAX];
	size_t len;

	if (!decode_path(s->h->path, bytes, &len))
		return refuse(s, DENY_HEAD_PATH, "the path holds a broken escape or an escaped slash");

	struct slice path = slice_from(bytes, len);

	for (size_t i = 0; i < len; i++)
		if (is_control(bytes[i]) || strchr("%\\;#", bytes[i]) != NULL)
			return refuse(s, DENY_HEAD_PATH, "the path holds a control byte, `\\`, `;`, `#` or an escaped `%`");
	if (!utf8_valid(path))
		return refuse(s, DENY_HEAD_PATH, "the path is not valid UTF-8");
	if (!segments_plain(path))
		return refuse(s, DENY_HEAD_PATH, "the path holds an empty, a `.` or a `..` segment");
	return DENY_COUNT;
}

static enum deny check_target(struct scan *s)
{
	struct head *h = s->h;

	if (h->target.ptr[0] != '/')
		return refuse(s, DENY_HEAD_TARGET, "the request target must be a path");
	for (size_t i = 0; i < h->target.len; i++)
		if (is_control(h->target.ptr[i]) || h->target.ptr[i] == '#')
			return refuse(s, DENY_HEAD_PATH, "the request target holds a control byte or `#`");

	size_t mark = slice_find(h->target, '?');

	h->path = slice_from(h->target.ptr, mark);
	h->has_query = mark < h->target.len;
	h->query = slice_skip(h->target, mark + 1);
	return check_path(s);
}

/* port = 1*5DIGIT, 1 to 65535 */
static bool port_valid(struct slice port)
{
	uint64_t n;

	return port.len <= 5 && parse_length(port, &n) && n >= 1 && n <= 65535;
}

static bool name_valid(struct slice name)
{
	if (name.len == 0 || name.len > HOST_NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = ascii_lower(name.ptr[i]);
		bool label_ends = i + 1 == name.len || name.ptr[i + 1] == '.';

		if (c == '.' ? (i == 0 || label_ends) : !((c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_'))
			return false;
	}
	return true;
}

/* the address between the brackets, printed the one way in which the certificate's addresses are */
static bool address_valid(struct slice text, char ret[INET6_ADDRSTRLEN])
{
	char buf[INET6_ADDRSTRLEN];
	struct in6_addr addr;

	if (text.len >= sizeof(buf))
		return false;
	memcpy(buf, text.ptr, text.len);
	buf[text.len] = '\0';
	return strlen(buf) == text.len && inet_pton(AF_INET6, buf, &addr) == 1 &&
	       inet_ntop(AF_INET6, &addr, ret, INET6_ADDRSTRLEN) != NULL;
}

/* `*.example.org` stands for one label in its place */
static bool host_matches(struct slice known, struct slice host)
{
	if (!slice_starts(known, SLICE("*.")))
		return slice_ieq(known, host);

	size_t dot = slice_find(host, '.');

	return dot > 0 && slice_ieq(slice_skip(known, 1), slice_skip(host, dot));
}

static bool host_known(const struct head_rules *rules, struct slice host)
{
	if (rules->any_host)
		return true;
	for (size_t i = 0; i < rules->hosts_len; i++)
		if (host_matches(rules->hosts[i], host))
			return true;
	return false;
}

/* Host = ( name | "[" address "]" ) [ ":" port ] */
static enum deny check_host(struct scan *s)
{
	struct slice value, host, port;
	size_t n = find_header(s->h, SLICE("host"), &value);
	char address[INET6_ADDRSTRLEN];
	bool valid;

	if (n == 0 && s->h->minor == 0)
		return DENY_COUNT;
	if (n != 1)
		return refuse(s, DENY_HEAD_HOST, n == 0 ? "HTTP/1.1 needs a Host header" : "Host stands twice");
	if (slice_starts(value, SLICE("["))) {
		size_t end = slice_find(value, ']');

		host = slice_skip(slice_from(value.ptr, end), 1);
		port = slice_skip(value, end + 1);
		valid = end < value.len && address_valid(host, address);
		s->h->host = host;
		host = slice_from(address, valid ? strlen(address) : 0);
	} else {
		size_t colon = slice_find(value, ':');

		host = slice_from(value.ptr, colon);
		port = slice_skip(value, colon);
		valid = name_valid(host);
		s->h->host = host;
	}
	if (!valid || (port.len > 0 && (port.ptr[0] != ':' || !port_valid(slice_skip(port, 1)))))
		return refuse(s, DENY_HEAD_HOST, "Host is not a name or address with an optional port");
	if (!host_known(s->rules, host))
		return refuse(s, DENY_HEAD_MISDIRECTED, "this host name does not belong to this listener");
	return DENY_COUNT;
}

static enum deny check_singletons(struct scan *s)
{
	/* Tenant headers of backends (X-Scope-OrgID and the like) are not here: repeated or not, they are dropped and counted. */
	static const struct slice once[] = {
		SLICE_INIT("content-type"), SLICE_INIT("content-encoding"), SLICE_INIT("authorization"), SLICE_INIT("expect"),
		SLICE_INIT("x-tenant-id"), SLICE_INIT("x-weir-reason"), SLICE_INIT("traceparent"),
	};
	struct slice value;

	for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++)
		if (find_header(s->h, once[i], &value) > 1)
			return refuse(s, DENY_HEAD_DOUBLED, "a header that may stand once stands twice");
	return DENY_COUNT;
}

static enum deny check_body(struct scan *s)
{
	const struct head *h = s->h;
	bool has_body = h->chunked || h->content_length > 0;

	if (has_body && (slice_eq(h->method, SLICE("GET")) || slice_eq(h->method, SLICE("HEAD")) ||
	                 slice_eq(h->method, SLICE("DELETE"))))
		return refuse(s, DENY_HEAD_BODY, "this method takes no request body");
	return DENY_COUNT;
}

static enum deny check_expectations(struct scan *s)
{
	struct slice value;

	if (find_header(s->h, SLICE("expect"), &value) > 0 && !slice_ieq(value, SLICE("100-continue")))
		return refuse(s, DENY_HEAD_EXPECT, "the only Expect is 100-continue");
	/* an offer of h2c is not taken up and does no harm: many clients make it with every request */
	size_t upgrades = find_header(s->h, SLICE("upgrade"), &value);

	if (upgrades > 1 || (upgrades == 1 && !slice_ieq(value, SLICE("h2c"))))
		return refuse(s, DENY_HEAD_EXPECT, "Upgrade is not served on this path");
	return DENY_COUNT;
}

enum deny head_scan(struct arena *a, struct slice bytes, const struct head_rules *rules, struct head *ret)
{
	static enum deny (*const steps[])(struct scan *) = {
		scan_request_line, scan_headers, scan_framing,
		check_method, check_target, check_host, check_singletons, check_body, check_expectations,
	};
	struct scan s = { .arena = a, .left = bytes, .rules = rules, .h = ret };

	memset(ret, 0, sizeof(*ret));
	ret->fault = DENY_COUNT;
	if (bytes.len > HEAD_BYTES_MAX) {
		s.left.len = HEAD_BYTES_MAX;
		s.cut = true;
	}
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (steps[i](&s) != DENY_COUNT)
			return ret->fault;
		if (steps[i] == scan_headers)
			ret->len = (size_t)(s.left.ptr - bytes.ptr);
	}
	return DENY_COUNT;
}
