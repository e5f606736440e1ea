/* spiffe.c - see spiffe.h. */
#include "tenants/spiffe.h"

static const struct slice scheme = SLICE_INIT("spiffe://");

static bool is_small_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool spiffe_domain_valid(struct slice domain)
{
	for (size_t i = 0; i < domain.len; i++) {
		char c = domain.ptr[i];

		if (!is_small_or_digit(c) && c != '.' && c != '-' && c != '_')
			return false;
	}
	return domain.len > 0 && domain.len <= SPIFFE_DOMAIN_MAX;
}

static bool segment_valid(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (!is_small_or_digit(ascii_lower(c)) && c != '.' && c != '-' && c != '_')
			return false;
	}
	return s.len > 0 && !slice_eq(s, SLICE(".")) && !slice_eq(s, SLICE(".."));
}

/* the part before the next slash; *rest is what follows it, with ptr NULL when there is no slash */
static struct slice next_part(struct slice s, struct slice *rest)
{
	size_t n = slice_find(s, '/');

	*rest = n == s.len ? (struct slice){ NULL, 0 } : slice_skip(s, n + 1);
	return slice_from(s.ptr, n);
}

static bool valid(struct slice uri, bool pattern, struct slice *domain)
{
	struct slice rest;

	if (uri.len > SPIFFE_ID_MAX || !slice_starts(uri, scheme))
		return false;
	*domain = next_part(slice_skip(uri, scheme.len), &rest);
	if (!spiffe_domain_valid(*domain) || rest.ptr == NULL)
		return false;
	while (rest.ptr != NULL) {
		struct slice part = next_part(rest, &rest);

		if (!segment_valid(part) && !(pattern && slice_eq(part, SLICE("*"))))
			return false;
	}
	return true;
}

bool spiffe_valid(struct slice uri, struct slice *domain)
{
	struct slice d;

	if (!valid(uri, false, &d))
		return false;
	*domain = d;
	return true;
}

bool spiffe_pattern_valid(struct slice pattern)
{
	struct slice domain;

	return valid(pattern, true, &domain) && spiffe_split(pattern, NULL, 0) <= SPIFFE_PATTERN_SEGMENTS_MAX;
}

struct slice spiffe_domain(struct slice uri)
{
	struct slice rest;

	return next_part(slice_skip(uri, scheme.len), &rest);
}

bool spiffe_match(struct slice pattern, struct slice uri)
{
	struct slice domain;

	return spiffe_pattern_valid(pattern) && spiffe_valid(uri, &domain) && spiffe_match_valid(pattern, uri);
}

bool spiffe_match_valid(struct slice pattern, struct slice uri)
{
	pattern = slice_skip(pattern, scheme.len);
	uri = slice_skip(uri, scheme.len);
	while (pattern.ptr != NULL && uri.ptr != NULL) {
		struct slice p = next_part(pattern, &pattern), u = next_part(uri, &uri);

		if (!slice_eq(p, u) && !slice_eq(p, SLICE("*")))
			return false;
	}
	return pattern.ptr == NULL && uri.ptr == NULL;
}

size_t spiffe_split(struct slice uri, struct slice *ret, size_t max)
{
	struct slice rest = slice_skip(uri, scheme.len);
	size_t n = 0;

	while (rest.ptr != NULL) {
		struct slice part = next_part(rest, &rest);

		if (n < max)
			ret[n] = part;
		n++;
	}
	return n;
}
