/* edge.c - see edge.h. */
#include "config/edge.h"

#include "base/strbuf.h"
#include "config/address.h"
#include "tenants/spiffe.h"

#define QUERY_BODY_MAX ((size_t)1 << 20)
#define LISTENERS_MAX 64
#define PUSH_BODY_MAX ((size_t)8 << 20)

/* ---- trust ---- */

static void read_trust_domains(const struct section *root, struct snapshot *snap)
{
	struct reader *rd = root->rd;
	const struct yaml_node *map = section_names(root, KEY_WEIR_TRUST_DOMAINS);
	size_t len = map == NULL ? 0 : map->len;
	struct trust_domain *list = ARENA_ARRAY(rd->arena, len, struct trust_domain);
	struct slice *names = ARENA_ARRAY(rd->arena, len, struct slice);

	if (!reader_has(rd, list) || !reader_has(rd, names))
		return;
	for (size_t i = 0; i < len; i++) {
		const struct yaml_node *n = &map->items[i];

		if (!spiffe_domain_valid(n->key))
			report_error(rd->report, n->key_at, "\"%.*s\" is not a trust domain: small letters, digits, `.`, `-` and `_`",
			             SLICE_ARG(n->key));
		rd->no_memory |= !arena_dup(rd->arena, n->key, &list[i].name);
		list[i].ca_file = read_file_at(rd, n, "trust_domains");
		names[i] = list[i].name;
	}
	if (map != NULL && len == 0)
		report_error(rd->report, map->at, "trust_domains must name at least one domain");
	snap->trust_domains = list;
	snap->trust_domains_len = len;
	rd->domains = (struct slices){ names, len };
}

static void read_operators(const struct section *root, struct snapshot *snap)
{
	struct section s = section_under(root, KEY_WEIR_OPERATORS, SHAPE_OPERATORS);
	struct slices admin = read_patterns(&s, KEY_OPERATORS_ADMIN), monitor = read_patterns(&s, KEY_OPERATORS_MONITOR),
				  auditor = read_patterns(&s, KEY_OPERATORS_AUDITOR);

	snap->operators = (struct operators){ admin.v, monitor.v, auditor.v, admin.len, monitor.len, auditor.len };
}

/* ---- TLS blocks ---- */

static struct tls_settings read_tls_block(struct reader *rd, const struct yaml_node *n)
{
	struct section s = section_of(rd, n, SHAPE_TLS);
	struct tls_settings t = {
		.certificate = read_path(&s, KEY_TLS_CERTIFICATE),
		.key = read_path(&s, KEY_TLS_KEY),
		.client_ca = read_path(&s, KEY_TLS_CLIENT_CA),
		.crl = read_path(&s, KEY_TLS_CRL),
		.tickets = read_switch(&s, KEY_TLS_TICKETS),
		.tls12 = read_choice(&s, KEY_TLS_MIN_VERSION) == 0,     /* the first word of the bounds is 1.2 */
	};

	read_name(rd, n, "TLS block");
	rd->no_memory |= !arena_dup(rd->arena, n->key, &t.name);
	return t;
}

static void read_tls(const struct section *root, struct snapshot *snap)
{
	struct reader *rd = root->rd;
	const struct yaml_node *map = section_names(root, KEY_WEIR_TLS);
	size_t len = map == NULL ? 0 : map->len;
	struct tls_settings *list = ARENA_ARRAY(rd->arena, len, struct tls_settings);

	if (!reader_has(rd, list))
		return;
	for (size_t i = 0; i < len; i++)
		if (reader_is_map(rd, &map->items[i], "tls"))
			list[snap->tls_len++] = read_tls_block(rd, &map->items[i]);
	snap->tls = list;
}

/* ---- listeners ---- */

static const struct tls_settings *find_tls(const struct snapshot *snap, struct slice name)
{
	for (size_t i = 0; i < snap->tls_len; i++)
		if (slice_eq(snap->tls[i].name, name))
			return &snap->tls[i];
	return NULL;
}

/* only health may be plain: everything else needs to know who calls */
static const struct tls_settings *read_listener_tls(const struct section *s, const struct snapshot *snap, unsigned serve)
{
	struct report *r = s->rd->report;
	struct slice name = read_text(s, KEY_LISTENER_TLS);
	const struct tls_settings *tls = find_tls(snap, name);

	if (section_has_text(s, KEY_LISTENER_TLS) && tls == NULL)
		report_error(r, place_of(s, KEY_LISTENER_TLS), "there is no block \"%.*s\" under tls", SLICE_ARG(name));
	else if (!section_has(s, KEY_LISTENER_TLS) && serve != SERVE_HEALTH)
		report_error(r, s->map->at, "tls is missing: only a listener that serves [health] may be plain");
	return tls;
}

/* as written; the path of a unix socket is made absolute */
static struct slice read_address(const struct section *s)
{
	struct reader *rd = s->rd;
	struct slice text = read_text(s, KEY_LISTENER_ADDRESS), path;
	struct strbuf absolute;
	struct err e;

	if (!section_has_text(s, KEY_LISTENER_ADDRESS))
		return text;
	if (address_check(text, &path, &e) != ERR_OK) {
		report_error(rd->report, place_of(s, KEY_LISTENER_ADDRESS), "%s", e.text);
		return text;
	}
	if (path.len == 0)
		return text;
	path = reader_absolute(rd, path);
	if (path.len > UNIX_PATH_MAX)
		report_error(rd->report, place_of(s, KEY_LISTENER_ADDRESS), "%.*s is longer than the %d bytes of a socket's path",
		             SLICE_ARG(path), UNIX_PATH_MAX);
	strbuf_init(&absolute, rd->arena, path.len + 5);
	strbuf_lit(&absolute, "unix:");
	strbuf_add(&absolute, path);
	rd->no_memory |= absolute.full;
	return strbuf_slice(&absolute);
}

static struct listener_settings read_listener(struct reader *rd, const struct yaml_node *n, const struct snapshot *snap)
{
	struct section s = section_of(rd, n, SHAPE_LISTENER);
	unsigned served = SERVE_QUERY | SERVE_PUSH | SERVE_ADMIN | SERVE_HEALTH;
	/* the words of the bounds stand in the order of enum serve; what comes later has been reported */
	unsigned serve = read_choices(&s, KEY_LISTENER_SERVE) & served;
	struct listener_settings l = { .address = read_address(&s), .serve = serve, .tls = read_listener_tls(&s, snap, serve) };

	if ((serve & SERVE_PUSH) != 0)
		report_warning(rd->report, place_of(&s, KEY_LISTENER_SERVE), "push has no routes in this version: pushes get 404");
	if ((serve & (SERVE_ADMIN | SERVE_HEALTH)) != 0 && (serve & (serve - 1)) != 0)
		report_error(rd->report, place_of(&s, KEY_LISTENER_SERVE), "admin and health each need a listener of their own");
	l.allow_chunked = section_has(&s, KEY_LISTENER_ALLOW_CHUNKED) ? read_switch(&s, KEY_LISTENER_ALLOW_CHUNKED)
	                                                              : (serve & SERVE_PUSH) != 0;
	l.max_body = (serve & SERVE_PUSH) != 0 ? PUSH_BODY_MAX : QUERY_BODY_MAX;
	return l;
}

/* an address that stands twice would fail only when it is opened */
static void check_listeners(struct reader *rd, const struct yaml_node *list, const struct snapshot *snap)
{
	const struct operators *o = &snap->operators;

	for (size_t i = 0; i < snap->listeners_len; i++) {
		for (size_t j = 0; j < i; j++)
			if (slice_eq(snap->listeners[i].address, snap->listeners[j].address) && snap->listeners[i].address.len > 0)
				report_error(rd->report, list->items[i].at, "a listener of %.*s stands above already",
				             SLICE_ARG(snap->listeners[i].address));
		if (snap->listeners[i].serve == SERVE_ADMIN && o->admin_len + o->monitor_len + o->auditor_len == 0)
			report_warning(rd->report, list->items[i].at, "nobody may use this listener: operators names no one");
	}
}

static void read_listeners(const struct section *root, struct snapshot *snap)
{
	struct reader *rd = root->rd;
	const struct yaml_node *node = section_node(root, KEY_WEIR_LISTEN, YAML_LIST);
	struct listener_settings *list;

	if (node == NULL)
		return;
	if (node->len < 1 || node->len > LISTENERS_MAX) {
		report_error(rd->report, node->at, "listen needs 1 to %d listeners", LISTENERS_MAX);
		return;
	}
	list = ARENA_ARRAY(rd->arena, node->len, struct listener_settings);
	if (!reader_has(rd, list))
		return;
	for (size_t i = 0; i < node->len; i++)
		if (reader_is_map(rd, &node->items[i], "listen"))
			list[i] = read_listener(rd, &node->items[i], snap);
	snap->listeners = list;
	snap->listeners_len = node->len;
	check_listeners(rd, node, snap);
}

void edge_read(const struct section *root, struct snapshot *snap)
{
	struct slices shared;

	read_trust_domains(root, snap);
	shared = read_patterns(root, KEY_WEIR_SHARED_IDENTITIES);
	snap->shared_identities = shared.v;
	snap->shared_identities_len = shared.len;
	read_operators(root, snap);
	read_tls(root, snap);
	read_listeners(root, snap);
}
