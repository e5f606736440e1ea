/* address.c - see address.h. */
#include "config/address.h"

#include "config/value.h"

#include <arpa/inet.h>

static bool is_letter_or_digit(char c)
{
	char l = ascii_lower(c);

	return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9');
}

bool host_name_valid(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_letter_or_digit(s.ptr[i]) && (i == 0 || (s.ptr[i] != '-' && s.ptr[i] != '.') || (s.ptr[i] == '.' && s.ptr[i - 1] == '.')))
			return false;
	return s.len > 0 && s.len <= 253;
}

/* an address of this family, and nothing else */
static bool is_ip(int family, struct slice s)
{
	char text[INET6_ADDRSTRLEN + 1], bytes[16];

	if (s.len >= sizeof(text) || memchr(s.ptr, '\0', s.len) != NULL)
		return false;
	memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';
	return inet_pton(family, text, bytes) == 1;
}

static bool parse_port(struct slice s, uint16_t *ret)
{
	int64_t n;

	if (s.len > 5 || value_count(s, &n, NULL) != ERR_OK || n < 1 || n > 65535)
		return false;
	*ret = (uint16_t)n;
	return true;
}

/* "[address]" at the start of *s, or the part before the next colon; taken off it. *six: it stood in brackets. */
static bool take_host(struct slice *s, struct slice *host, bool *six)
{
	size_t end;

	*six = slice_starts(*s, SLICE("["));
	end = slice_find(*s, *six ? ']' : ':');
	if (*six && end == s->len)
		return false;
	*host = *six ? slice_from(s->ptr + 1, end - 1) : slice_from(s->ptr, end);
	*s = slice_skip(*s, *six ? end + 1 : end);
	return true;
}

static enum err_code check_unix(struct slice path, struct err *reterr)
{
	if (path.len == 0 || path.len > UNIX_PATH_MAX || memchr(path.ptr, '\0', path.len) != NULL)
		return err_set(reterr, ERR_INVALID, 0, "the path of a unix socket has 1 to %d bytes", UNIX_PATH_MAX);
	return ERR_OK;
}

enum err_code address_check(struct slice text, struct slice *unix_path, struct err *reterr)
{
	struct slice rest = text, host;
	uint16_t port;
	bool six;

	if (slice_starts(text, SLICE("unix:"))) {
		*unix_path = slice_skip(text, 5);
		return check_unix(*unix_path, reterr);
	}
	*unix_path = SLICE("");
	if (take_host(&rest, &host, &six) && is_ip(six ? AF_INET6 : AF_INET, host) && slice_starts(rest, SLICE(":")) &&
	    parse_port(slice_skip(rest, 1), &port))
		return ERR_OK;
	return err_set(reterr, ERR_INVALID, 0, "\"%.*s\" is not an address: 192.0.2.1:8443, [2001:db8::1]:8443 or unix:/path", SLICE_ARG(text));
}

/* segments of letters, digits and `-._~`, none of them `.` or `..`; a slash at the end is taken off */
static bool parse_base(struct slice s, struct slice *ret)
{
	while (s.len > 0 && s.ptr[s.len - 1] == '/')
		s.len--;
	*ret = s;
	while (s.len > 0) {
		struct slice part = slice_skip(s, 1);

		part.len = slice_find(part, '/');
		for (size_t i = 0; i < part.len; i++)
			if (!is_letter_or_digit(part.ptr[i]) && memchr("-._~", part.ptr[i], 4) == NULL)
				return false;
		if (part.len == 0 || slice_eq(part, SLICE(".")) || slice_eq(part, SLICE("..")))
			return false;
		s = slice_skip(s, 1 + part.len);
	}
	return true;
}

static bool parse_authority(struct slice s, struct url *u)
{
	bool six;

	if (!take_host(&s, &u->host, &six) || !(six ? is_ip(AF_INET6, u->host) : host_name_valid(u->host)))
		return false;
	u->port = u->tls ? 443 : 80;
	return s.len == 0 || (s.ptr[0] == ':' && parse_port(slice_skip(s, 1), &u->port));
}

enum err_code url_parse(struct slice text, struct url *ret, struct err *reterr)
{
	struct url u = { .tls = slice_starts(text, SLICE("https://")), .host = SLICE_INIT("localhost"), .port = 80, .unix_path = SLICE_INIT(""),
		             .base_path = SLICE_INIT("") };
	struct slice rest;
	size_t end;

	if (slice_starts(text, SLICE("unix:"))) {
		u.unix_path = slice_skip(text, 5);
		*ret = u;
		return check_unix(u.unix_path, reterr);
	}
	rest = slice_skip(text, u.tls ? 8 : 7);
	end = slice_find(rest, '/');
	if ((!u.tls && !slice_starts(text, SLICE("http://"))) || !parse_authority(slice_from(rest.ptr, end), &u) ||
	    !parse_base(slice_skip(rest, end), &u.base_path))
		return err_set(reterr, ERR_INVALID, 0, "\"%.*s\" is not the URL of a backend: https://host:port/base, http://.. or unix:/path; "
		               "no user, query, fragment or escape", SLICE_ARG(text));
	*ret = u;
	return ERR_OK;
}

bool url_is_local(const struct url *u)
{
	return u->unix_path.len > 0 || slice_ieq(u->host, SLICE("localhost")) || slice_eq(u->host, SLICE("::1")) ||
	       (slice_starts(u->host, SLICE("127.")) && is_ip(AF_INET, u->host));
}
