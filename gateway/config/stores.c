/* stores.c - see stores.h. */
#include "config/stores.h"

#include "backends/route.h"
#include "config/address.h"
#include "policy/stmt.h"
#include "tenants/matcher.h"

static bool is_letter_or_digit(char c)
{
	char l = ascii_lower(c);

	return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9');
}

/* A header that carries the tenant must be none that Weir, HTTP or the backend means something else by. */
static bool tenant_header_valid(struct slice s)
{
	static const char *const taken[] = { "host", "connection", "content-length", "content-type", "content-encoding", "transfer-encoding",
		                                 "accept", "accept-encoding", "te", "trailer", "upgrade", "expect", "traceparent", "tracestate",
		                                 "user-agent", "authorization", "cookie", "date" };

	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (slice_ieq(s, slice_cstr(taken[i])))
			return false;
	for (size_t i = 0; i < s.len; i++)
		if (!is_letter_or_digit(s.ptr[i]) && s.ptr[i] != '-')
			return false;
	return s.len > 0 && s.len <= 64;
}

/* "" or one segment: "/name" */
static bool prefix_valid(struct slice s)
{
	for (size_t i = 1; i < s.len; i++)
		if (!is_letter_or_digit(s.ptr[i]) && s.ptr[i] != '-' && s.ptr[i] != '_')
			return false;
	return s.len == 0 || (s.ptr[0] == '/' && s.len > 1 && s.len <= 64);
}

static void read_isolation(const struct section *s, struct backend *b)
{
	struct report *r = s->rd->report;

	/* the words of the bounds stand in the order of enum isolation */
	b->isolation = read_choices(s, KEY_BACKEND_ISOLATION);
	b->label = read_text(s, KEY_BACKEND_LABEL);
	b->tenant_header = read_text(s, KEY_BACKEND_TENANT_HEADER);
	if (!label_name_plain(b->label) || slice_starts(b->label, SLICE("__")))
		report_error(r, place_of(s, KEY_BACKEND_LABEL), "label: letters, digits and `_`, not a digit or `__` first, got \"%.*s\"",
		             SLICE_ARG(b->label));
	if (!tenant_header_valid(b->tenant_header))
		report_error(r, place_of(s, KEY_BACKEND_TENANT_HEADER), "\"%.*s\" cannot be the header that names the tenant",
		             SLICE_ARG(b->tenant_header));
	if (section_has(s, KEY_BACKEND_LABEL) && (b->isolation & ISOLATE_LABEL) == 0)
		report_warning(r, place_of(s, KEY_BACKEND_LABEL), "label has no effect: isolation does not say label");
	if (section_has(s, KEY_BACKEND_TENANT_HEADER) && (b->isolation & ISOLATE_HEADER) == 0)
		report_warning(r, place_of(s, KEY_BACKEND_TENANT_HEADER), "tenant_header has no effect: isolation does not say tenant_header");
}

static void read_url(const struct section *s, struct backend *b)
{
	struct reader *rd = s->rd;
	struct slice text = read_text(s, KEY_BACKEND_URL);
	struct url u;
	struct err e;

	if (!section_has_text(s, KEY_BACKEND_URL))
		return;
	if (url_parse(text, &u, &e) != ERR_OK) {
		report_error(rd->report, place_of(s, KEY_BACKEND_URL), "%s", e.text);
		return;
	}
	b->tls = u.tls;
	b->host = u.host;
	b->port = u.port;
	b->base_path = u.base_path;
	b->unix_path = u.unix_path.len == 0 ? u.unix_path : reader_absolute(rd, u.unix_path);
	if (b->unix_path.len > UNIX_PATH_MAX)
		report_error(rd->report, place_of(s, KEY_BACKEND_URL), "%.*s is longer than the %d bytes of a socket's path",
		             SLICE_ARG(b->unix_path), UNIX_PATH_MAX);
	if (!u.tls && !url_is_local(&u))
		report_warning(rd->report, place_of(s, KEY_BACKEND_URL), "plain http to %.*s: whoever is on the way reads all tenants' data, "
		               "and can ask without Weir", SLICE_ARG(u.host));
}

static void read_tls(const struct section *s, struct backend *b)
{
	struct report *r = s->rd->report;
	struct section tls = section_under(s, KEY_BACKEND_TLS, SHAPE_CLIENT_TLS);

	b->ca_file = read_path(&tls, KEY_CLIENT_TLS_CA);
	b->cert_file = read_path(&tls, KEY_CLIENT_TLS_CERTIFICATE);
	b->key_file = read_path(&tls, KEY_CLIENT_TLS_KEY);
	if (section_has(&tls, KEY_CLIENT_TLS_CERTIFICATE) != section_has(&tls, KEY_CLIENT_TLS_KEY))
		report_error(r, tls.map->at, "certificate and key go together");
	if (section_has(s, KEY_BACKEND_TLS) && b->host.len > 0 && !b->tls)
		report_error(r, place_of(s, KEY_BACKEND_TLS), "tls has no effect: the url does not begin with https://");
}

static void read_times_and_pool(const struct section *s, struct backend *b)
{
	struct section times = section_under(s, KEY_BACKEND_TIMEOUTS, SHAPE_TIMEOUTS), pool = section_under(s, KEY_BACKEND_POOL, SHAPE_POOL);

	b->connect_ms = read_integer(&times, KEY_TIMEOUTS_CONNECT);
	b->first_byte_ms = read_integer(&times, KEY_TIMEOUTS_FIRST_BYTE);
	b->idle_ms = read_integer(&times, KEY_TIMEOUTS_IDLE);
	b->total_ms = read_integer(&times, KEY_TIMEOUTS_TOTAL);
	b->pool_connections = (size_t)read_integer(&pool, KEY_POOL_CONNECTIONS);
	b->pool_waiters = (size_t)read_integer(&pool, KEY_POOL_WAITERS);
}

/* one of the words of the bounds, so there is a dialect of that name, or else it has been reported */
static const struct dialect *read_dialect(const struct section *s)
{
	struct slice name = read_text(s, KEY_BACKEND_DIALECT);

	read_choice(s, KEY_BACKEND_DIALECT);
	return dialect_by_name(name);
}

static void read_backend(struct reader *rd, const struct yaml_node *n, struct backend *b)
{
	struct section s = section_of(rd, n, SHAPE_BACKEND);

	read_name(rd, n, "backend");
	rd->no_memory |= !arena_dup(rd->arena, n->key, &b->name);
	b->dialect = read_dialect(&s);
	read_url(&s, b);
	read_isolation(&s, b);
	b->prefix = read_text(&s, KEY_BACKEND_PREFIX);
	if (!prefix_valid(b->prefix))
		report_error(rd->report, place_of(&s, KEY_BACKEND_PREFIX), "prefix: `/` and a name of letters, digits, `-` and `_`, got \"%.*s\"",
		             SLICE_ARG(b->prefix));
	/* the words of the bounds stand in the order of enum stmt_feature */
	b->features = read_choices(&s, KEY_BACKEND_FEATURES);
	read_tls(&s, b);
	read_times_and_pool(&s, b);
}

void stores_read(const struct section *root, struct snapshot *snap)
{
	struct reader *rd = root->rd;
	const struct yaml_node *map = section_names(root, KEY_WEIR_BACKENDS);
	struct backend *list;

	if (map == NULL)
		return;
	if (map->len == 0)
		report_error(rd->report, map->at, "backends must name at least one backend");
	list = ARENA_ARRAY(rd->arena, map->len, struct backend);
	if (!reader_has(rd, list))
		return;
	for (size_t i = 0; i < map->len; i++) {
		list[i].index = i;
		if (reader_is_map(rd, &map->items[i], "backends"))
			read_backend(rd, &map->items[i], &list[i]);
	}
	snap->backends = list;
	snap->backends_len = map->len;
}
