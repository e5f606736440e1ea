/* redact.c - see redact.h. */
#include "audit/redact.h"

#include "audit/digest.h"
#include "base/strbuf.h"

#define MARK_MAX 64

/* HINT: to keep one more request header in the records, add it here. Anything that can carry a credential stays out. */
static const struct slice kept_headers[] = {
	SLICE_INIT("accept"), SLICE_INIT("accept-encoding"), SLICE_INIT("connection"), SLICE_INIT("content-encoding"),
	SLICE_INIT("content-length"), SLICE_INIT("content-type"), SLICE_INIT("expect"), SLICE_INIT("host"),
	SLICE_INIT("origin"), SLICE_INIT("transfer-encoding"), SLICE_INIT("upgrade"), SLICE_INIT("user-agent"),
	SLICE_INIT("x-forwarded-for"), SLICE_INIT("x-prometheus-remote-write-version"), SLICE_INIT("x-request-id"),
	SLICE_INIT("x-scope-orgid"), SLICE_INIT("x-tenant"), SLICE_INIT("x-tenant-id"),
};

/* HINT: to mask one more parameter, add its name here, in lower case. */
static const struct slice secret_names[] = {
	SLICE_INIT("token"), SLICE_INIT("password"), SLICE_INIT("key"), SLICE_INIT("secret"), SLICE_INIT("access_token"),
};

#define SECRET_NAME_MAX 12 /* access_token */

bool redact_header_kept(struct slice name)
{
	for (size_t i = 0; i < sizeof(kept_headers) / sizeof(kept_headers[0]); i++)
		if (slice_ieq(name, kept_headers[i]))
			return true;
	return false;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* one byte of a form, decoded; *at moves behind it. A broken escape stands for itself. */
static char form_byte(struct slice s, size_t *at)
{
	char c = s.ptr[(*at)++];

	if (c == '+')
		return ' ';
	if (c != '%' || s.len - *at < 2)
		return c;

	int high = hex_value(s.ptr[*at]);
	int low = hex_value(s.ptr[*at + 1]);

	if (high < 0 || low < 0)
		return c;
	*at += 2;
	return (char)(high << 4 | low);
}

/* the listed name that s spells, or an empty slice */
static struct slice secret_name(struct slice s)
{
	char name[SECRET_NAME_MAX];
	size_t len = 0;

	for (size_t at = 0; at < s.len; len++) {
		if (len == sizeof(name))
			return SLICE("");
		name[len] = ascii_lower(form_byte(s, &at));
	}
	for (size_t i = 0; i < sizeof(secret_names) / sizeof(secret_names[0]); i++)
		if (slice_eq(slice_from(name, len), secret_names[i]))
			return secret_names[i];
	return SLICE("");
}

static void add_mark(struct strbuf *out, const struct redactor *r, struct slice rule, struct slice secret)
{
	uint8_t mac[DIGEST_LEN];

	strbuf_fmt(out, "[r:%.*s:%zu", SLICE_ARG(rule), secret.len);
	if (r != NULL) {
		digest_hmac(slice_from((const char *)r->key, sizeof(r->key)), secret, mac);
		strbuf_char(out, ':');
		strbuf_hex(out, mac, 4);
	}
	strbuf_char(out, ']');
}

/* The mark is over the decoded secret: one secret has one mark, however it was escaped. */
static enum err_code add_decoded_mark(struct arena *a, struct strbuf *out, const struct redactor *r, struct slice rule,
                                      struct slice value, struct err *reterr)
{
	char *plain = arena_alloc(a, value.len);
	size_t len = 0;

	if (plain == NULL)
		return err_nomem(reterr);
	for (size_t at = 0; at < value.len; len++)
		plain[len] = form_byte(value, &at);
	add_mark(out, r, rule, slice_from(plain, len));
	return ERR_OK;
}

/* length of the pair at the start of s; some parsers split at `;` too, so a name behind it is looked at */
static size_t pair_len(struct slice s)
{
	size_t n = 0;

	while (n < s.len && s.ptr[n] != '&' && s.ptr[n] != ';')
		n++;
	return n;
}

static size_t count_secrets(struct slice in)
{
	size_t n = 0;

	for (; in.len > 0; in = slice_skip(in, pair_len(in) + 1)) {
		struct slice pair = slice_from(in.ptr, pair_len(in));
		size_t eq = slice_find(pair, '=');

		if (eq < pair.len && secret_name(slice_from(pair.ptr, eq)).len > 0)
			n++;
	}
	return n;
}

enum err_code redact_form(struct arena *a, const struct redactor *r, struct slice in, struct slice *ret,
                          struct err *reterr)
{
	size_t secrets = count_secrets(in);
	struct strbuf out;
	enum err_code rc = ERR_OK;

	if (secrets == 0) {
		*ret = in;
		return ERR_OK;
	}
	strbuf_init(&out, a, in.len + secrets * MARK_MAX);
	while (in.len > 0 && rc == ERR_OK) {
		struct slice pair = slice_from(in.ptr, pair_len(in));
		size_t eq = slice_find(pair, '=');
		struct slice rule = eq < pair.len ? secret_name(slice_from(pair.ptr, eq)) : SLICE("");

		if (rule.len == 0) {
			strbuf_add(&out, pair);
		} else {
			strbuf_add(&out, slice_from(pair.ptr, eq + 1));
			rc = add_decoded_mark(a, &out, r, rule, slice_skip(pair, eq + 1), reterr);
		}
		in = slice_skip(in, pair.len);
		strbuf_add(&out, slice_from(in.ptr, in.len > 0 ? 1 : 0));
		in = slice_skip(in, 1);
	}
	if (rc != ERR_OK)
		return rc;
	if (out.full)
		return err_nomem(reterr);
	*ret = strbuf_slice(&out);
	return ERR_OK;
}

/* Where the user part of an absolute target (http://USER@host/) or of an authority (USER@host:443) begins and ends;
 * false when there is none. */
static bool find_user(struct slice target, size_t *from, size_t *to)
{
	if (slice_starts(target, SLICE("/")))
		return false;

	struct slice rest = slice_skip(target, slice_find(target, ':'));

	*from = slice_starts(rest, SLICE("://")) ? target.len - rest.len + 3 : 0;
	rest = slice_skip(target, *from);
	for (size_t i = slice_find(rest, '/'); i > 0; i--)
		if (rest.ptr[i - 1] == '@') {
			*to = *from + i - 1;
			return true;
		}
	return false;
}

enum err_code redact_target(struct arena *a, const struct redactor *r, struct slice in, struct slice *ret,
                            struct err *reterr)
{
	size_t question = slice_find(in, '?');
	struct slice head = slice_from(in.ptr, question);
	struct slice query = slice_skip(in, question + 1);
	struct slice masked;
	size_t from, to;
	bool user = find_user(head, &from, &to);
	enum err_code rc = redact_form(a, r, query, &masked, reterr);

	if (rc != ERR_OK)
		return rc;
	if (!user && masked.ptr == query.ptr) {
		*ret = in;
		return ERR_OK;
	}

	struct strbuf out;

	strbuf_init(&out, a, head.len + 1 + masked.len + MARK_MAX);
	if (user) {
		strbuf_add(&out, slice_from(head.ptr, from));
		add_mark(&out, r, SLICE("user"), slice_from(head.ptr + from, to - from));
		head = slice_skip(head, to);
	}
	strbuf_add(&out, head);
	if (question < in.len)
		strbuf_char(&out, '?');
	strbuf_add(&out, masked);
	if (out.full)
		return err_nomem(reterr);
	*ret = strbuf_slice(&out);
	return ERR_OK;
}
