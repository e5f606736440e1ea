/* settings.c - see settings.h. */
#include "config/settings.h"

#include "config/address.h"

#include <stddef.h>
#include <unistd.h>

/* ---- audit, process ---- */

static bool instance_valid(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = ascii_lower(s.ptr[i]);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || (c == '-' && i > 0)))
			return false;
	}
	return s.len > 0 && s.len <= 64;
}

/* what the file says, else the name of this host */
static struct slice read_origin(const struct section *s)
{
	struct slice origin = read_text(s, KEY_AUDIT_ORIGIN);
	char host[256] = "";

	if (origin.len == 0 && gethostname(host, sizeof(host) - 1) == 0)
		s->rd->no_memory |= !arena_dup(s->rd->arena, slice_cstr(host), &origin);
	if (!host_name_valid(origin))
		report_error(s->rd->report, place_of(s, KEY_AUDIT_ORIGIN), "origin: a host name, as weir.example.org, got \"%.*s\"",
		             SLICE_ARG(origin));
	return origin;
}

static void read_audit(const struct section *root, struct snapshot *snap)
{
	struct section s = section_under(root, KEY_WEIR_AUDIT, SHAPE_AUDIT);
	struct audit_settings *a = &snap->audit;

	if (s.map == NULL)
		return;
	a->directory = read_path(&s, KEY_AUDIT_DIRECTORY);
	a->origin = read_origin(&s);
	a->instance = read_text(&s, KEY_AUDIT_INSTANCE);
	if (!instance_valid(a->instance))
		report_error(s.rd->report, place_of(&s, KEY_AUDIT_INSTANCE), "instance: 1 to 64 letters, digits, `_` and `-`, got \"%.*s\"",
		             SLICE_ARG(a->instance));
	a->batched = read_choice(&s, KEY_AUDIT_DURABILITY) == 1;
	read_choice(&s, KEY_AUDIT_ON_FAILURE);           /* closed is all there is */
	a->body_max = (size_t)read_integer(&s, KEY_AUDIT_BODY_MAX);
	a->max_delay_ms = read_integer(&s, KEY_AUDIT_MAX_DELAY);
}

static void read_process(const struct section *root, struct snapshot *snap)
{
	struct section s = section_under(root, KEY_WEIR_PROCESS, SHAPE_PROCESS);

	snap->process = (struct process_settings){
		.workers = (size_t)read_integer(&s, KEY_PROCESS_WORKERS),
		.request_memory = (size_t)read_integer(&s, KEY_PROCESS_REQUEST_MEMORY),
		.metrics_tenants = (size_t)read_integer(&s, KEY_PROCESS_METRICS_TENANTS),
		.drain_timeout_ms = read_integer(&s, KEY_PROCESS_DRAIN_TIMEOUT),
		.drain_delay_ms = read_integer(&s, KEY_PROCESS_DRAIN_DELAY),
	};
}

/* ---- limits ---- */

/* static limits: where each key goes. smaller_is_more: a lower value allows more; zero_is_all: 0 means no limit. */
static const struct fixed_row {
	enum key key;
	size_t at;
	bool smaller_is_more, zero_is_all;
} fixed[] = {
	{ KEY_LIMITS_MAX_QUERY_LENGTH, offsetof(struct static_limits, max_query_length_ms), false, false },
	{ KEY_LIMITS_MAX_QUERY_LOOKBACK, offsetof(struct static_limits, max_query_lookback_ms), false, true },
	{ KEY_LIMITS_MIN_STEP, offsetof(struct static_limits, min_step_ms), true, false },
	{ KEY_LIMITS_MAX_POINTS, offsetof(struct static_limits, max_points), false, false },
	{ KEY_LIMITS_MAX_QUERY_SERIES, offsetof(struct static_limits, max_query_series), false, true },
	{ KEY_LIMITS_QUERY_TIMEOUT, offsetof(struct static_limits, query_timeout_ms), false, false },
	{ KEY_LIMITS_MAX_QUERY_EXPRESSION_SIZE_BYTES, offsetof(struct static_limits, max_query_expression_size_bytes), false, true },
};
#define FIXED_LEN (sizeof(fixed) / sizeof(fixed[0]))

static const enum key rate_keys[LIMIT_COUNT] = {
#define LIMIT(sym, name, unit, doc) [sym] = KEY_LIMITS_##sym,
#include "tenants/limits.def"
#undef LIMIT
};

static int64_t *fixed_field(struct static_limits *f, const struct fixed_row *row)
{
	return (int64_t *)((char *)f + row->at);
}

static struct rate_limit read_rate(const struct section *s, enum key k)
{
	struct section rate = section_under(s, k, SHAPE_RATE);
	struct rate_limit r = { 0, 0 };

	if (rate.map == NULL)
		return r;
	r.per_second = read_number(&rate, KEY_RATE_PER_SECOND);
	r.burst = section_has(&rate, KEY_RATE_BURST) ? read_number(&rate, KEY_RATE_BURST) : r.per_second < 1 ? 1 : r.per_second;
	return r;
}

/* What the section says goes over what is there; with all, the defaults of the rows too. */
static void read_over(const struct section *s, bool all, struct tenant_limits *io)
{
	for (size_t i = 0; i < FIXED_LEN; i++)
		if (all || section_has(s, fixed[i].key))
			*fixed_field(&io->fixed, &fixed[i]) = read_integer(s, fixed[i].key);
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		if (section_has(s, rate_keys[i]))
			io->rate[i] = read_rate(s, rate_keys[i]);
}

static void warn_above(const struct section *s, enum key k)
{
	report_warning(s->rd->report, place_of(s, k), "%s is above limits.maximum of weir.yaml", key_row(k)->name);
}

static bool is_above(const struct fixed_row *row, int64_t value, int64_t most)
{
	if (row->zero_is_all && (value == 0 || most == 0))
		return value == 0 && most != 0;
	return row->smaller_is_more ? value < most : value > most;
}

/* warns of each key of s that has a maximum and is above it */
static void compare(const struct section *s, const struct tenant_limits *given, const struct limits_frame *frame)
{
	struct tenant_limits g = *given, most = frame->most;

	for (size_t i = 0; i < FIXED_LEN; i++)
		if (section_has(s, fixed[i].key) && section_has(&frame->maximum, fixed[i].key) &&
		    is_above(&fixed[i], *fixed_field(&g.fixed, &fixed[i]), *fixed_field(&most.fixed, &fixed[i])))
			warn_above(s, fixed[i].key);
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		if (section_has(s, rate_keys[i]) && section_has(&frame->maximum, rate_keys[i]) &&
		    (g.rate[i].per_second > most.rate[i].per_second || g.rate[i].burst > most.rate[i].burst))
			warn_above(s, rate_keys[i]);
}

struct tenant_limits limits_read(const struct section *tenant, const struct limits_frame *frame)
{
	struct section s = section_under(tenant, KEY_TENANT_LIMITS, SHAPE_LIMITS);
	struct tenant_limits l = frame->defaults;

	read_over(&s, false, &l);
	compare(&s, &l, frame);
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		if (l.rate[i].per_second == 0 && section_has(&frame->maximum, rate_keys[i]))
			report_warning(s.rd->report, tenant->map->at, "no %s, although limits.maximum of weir.yaml has one", limit_name(i));
	return l;
}

static void read_frame(const struct section *root, struct snapshot *snap, struct limits_frame *ret)
{
	struct section s = section_under(root, KEY_WEIR_LIMITS, SHAPE_GLOBAL_LIMITS);
	struct section defaults = section_under(&s, KEY_GLOBAL_LIMITS_DEFAULTS, SHAPE_LIMITS);

	snap->limit_headers_always = read_choice(&s, KEY_GLOBAL_LIMITS_HEADERS) == 1;
	*ret = (struct limits_frame){ .maximum = section_under(&s, KEY_GLOBAL_LIMITS_MAXIMUM, SHAPE_LIMITS) };
	read_over(&ret->maximum, false, &ret->most);
	read_over(&defaults, true, &ret->defaults);
	compare(&defaults, &ret->defaults, ret);
}

void settings_read(const struct section *root, struct snapshot *snap, struct limits_frame *ret)
{
	read_audit(root, snap);
	read_process(root, snap);
	read_frame(root, snap, ret);
}
