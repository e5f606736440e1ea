/* trace.c - see trace.h. */
#include "core/trace.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>

#define STATE_MAX 512

static bool lower_hex(struct slice s, size_t len)
{
	bool zero = true;

	if (s.len != len)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = s.ptr[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		zero = zero && c == '0';
	}
	return !zero;
}

static void random_hex(char *ret, size_t digits)
{
	unsigned char bytes[16];

	if (getrandom(bytes, digits / 2, 0) != (ssize_t)(digits / 2))
		memset(bytes, 1, sizeof(bytes));   /* never an id of zeros */
	for (size_t i = 0; i < digits; i++)
		ret[i] = "0123456789abcdef"[bytes[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15];
	ret[digits] = '\0';
}

/* 00-<32>-<16>-<2>; a version above 00 may be longer and is read as far as 00 goes (W3C Trace Context 3.2.2) */
static bool read_traceparent(struct slice s, struct trace *t, unsigned *flags)
{
	char two[3] = { 0 };

	if (s.len < 55 || s.ptr[2] != '-' || s.ptr[35] != '-' || s.ptr[52] != '-')
		return false;
	if (slice_starts(s, SLICE("ff")) || (slice_starts(s, SLICE("00")) && s.len != 55) || (s.len > 55 && s.ptr[55] != '-'))
		return false;
	memcpy(two, s.ptr + 53, 2);
	if (!lower_hex(slice_from(s.ptr + 3, 32), 32) || !lower_hex(slice_from(s.ptr + 36, 16), 16) ||
	    sscanf(two, "%2x", flags) != 1)
		return false;
	memcpy(t->id, s.ptr + 3, 32);
	return true;
}

static bool set_b3_id(struct slice id, struct trace *t)
{
	memset(t->id, '0', 32);
	if (!lower_hex(id, 16) && !lower_hex(id, 32))
		return false;
	memcpy(t->id + 32 - id.len, id.ptr, id.len);
	return true;
}

/* b3: id-span-sampled, or X-B3-TraceId and X-B3-Sampled */
static bool read_b3(const struct inbound *in, struct trace *t, unsigned *flags)
{
	struct slice one = inbound_header(in, SLICE("b3")), sampled;

	if (one.ptr != NULL) {
		size_t dash = slice_find(one, '-');

		sampled = slice_skip(one, dash + 1);
		sampled = slice_skip(sampled, slice_find(sampled, '-') + 1);
		one.len = dash;
	} else {
		one = inbound_header(in, SLICE("x-b3-traceid"));
		sampled = inbound_header(in, SLICE("x-b3-sampled"));
	}
	*flags = sampled.len > 0 && (sampled.ptr[0] == '1' || sampled.ptr[0] == 'd');
	return set_b3_id(one, t);
}

static bool printable(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < 0x20 || s.ptr[i] > 0x7e)
			return false;
	return s.len <= STATE_MAX;
}

void trace_read(const struct inbound *in, struct trace *ret)
{
	char span[17];
	unsigned flags = 0;

	*ret = (struct trace){ .state = SLICE("") };
	if (read_traceparent(inbound_header(in, SLICE("traceparent")), ret, &flags)) {
		struct slice state = inbound_header(in, SLICE("tracestate"));

		if (printable(state))
			ret->state = state;
	} else if (!read_b3(in, ret, &flags)) {
		random_hex(ret->id, 32);
	}
	ret->id[32] = '\0';
	random_hex(span, 16);
	snprintf(ret->parent, sizeof(ret->parent), "00-%s-%s-%02x", ret->id, span, flags & 1);
}
