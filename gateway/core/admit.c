/* admit.c - stages identity, tenant and route: who calls, for whom, and what.
 *
 * Before identity nothing may be trusted but the head scan. After route: tenant and backend are of one snapshot, the row is
 * open for the method, and the {part} of the path is decoded and plain.
 */
#include "core/request.h"

#include "base/log.h"

/* Before: nothing is known. After: the certificate was good when this request came, and names one identity. */
enum step stage_identity(struct request *r)
{
	const struct identity *id = r->in->identity;
	int64_t now = clock_wall_us(r->core->ports.clock) / 1000000;

	r->identity = id;
	if (id != NULL)
		r->core->ports.audit.pseudonym(r->core->ports.audit.ctx, id->spki, r->op);
	if (r->in->fault != DENY_COUNT)
		return refuse(r, r->in->fault, "%s", r->in->fault_text[0] != '\0' ? r->in->fault_text : deny_sentence(r->in->fault));
	if (id == NULL)
		return refuse(r, DENY_IDENTITY_NAME, NULL);
	if (now < id->not_before || now > id->not_after)
		return refuse(r, DENY_CERT_NOT_GOOD, NULL);
	switch (id->fault) {
	case IDENTITY_FINE: return STEP_NEXT;
	case IDENTITY_NO_NAME:
	case IDENTITY_TWO_NAMES:
	case IDENTITY_BAD_NAME: return refuse(r, DENY_IDENTITY_NAME, NULL);
	case IDENTITY_FOREIGN_DOMAIN: return refuse(r, DENY_TRUST_DOMAIN, NULL);
	}
	return refuse(r, DENY_BUG, NULL);
}

/* HINT: headers that only a forger or a mistaken proxy sends; counted, never read (endpoints note, section 3) */
static const struct slice forged[] = {
	SLICE_INIT("x-scope-orgid"), SLICE_INIT("x-tenant"), SLICE_INIT("thanos-tenant"),
	SLICE_INIT("x-prom-label-policy"), SLICE_INIT("x-loki-disable-pipeline-wrappers"),
	SLICE_INIT("x-loki-query-limits"), SLICE_INIT("x-loki-query-limits-context"),
};

static bool is_forged(const struct request *r, struct slice name)
{
	static const struct slice bin = SLICE_INIT("-bin");

	if (name.len > bin.len && slice_eq(slice_skip(name, name.len - bin.len), bin))
		name.len -= bin.len;
	for (size_t i = 0; i < sizeof(forged) / sizeof(forged[0]); i++)
		if (slice_eq(name, forged[i]))
			return true;
	for (size_t i = 0; i < r->snap->backends_len; i++)
		if (slice_ieq(name, r->snap->backends[i].tenant_header))
			return true;
	return false;
}

static void count_forged(struct request *r)
{
	uint64_t n = 0;

	for (size_t i = 0; i < r->in->headers_len; i++)
		n += is_forged(r, r->in->headers[i].name);
	if (n > 0)
		metric_add(r->core->ports.metrics, METRIC_FORGED_HEADERS, METRIC_LABELS(request_tenant_label(r)), n);
}

/* Before: one good identity. After: it stands in exactly this tenant, and X-Tenant-ID does not say otherwise. */
enum step stage_tenant(struct request *r)
{
	struct slice asked = inbound_header(r->in, SLICE("x-tenant-id"));
	const struct tenant *first = NULL;
	size_t claims = registry_find(r->snap->tenants, r->identity->uri, &first);

	if (claims == 0)
		return refuse(r, DENY_NO_TENANT, NULL);
	if (asked.ptr != NULL) {
		const struct tenant *t = registry_by_id(r->snap->tenants, asked);

		if (t == NULL || !registry_claims(r->snap->tenants, t, r->identity->uri)) {
			if (claims == 1)
				r->tenant = first;       /* whose caller it was is known: the record says so */
			return refuse(r, DENY_TENANT_HEADER, NULL);
		}
		first = t;
	} else if (claims > 1) {
		return refuse(r, DENY_TENANT_AMBIGUOUS, NULL);
	}
	r->tenant = first;
	count_forged(r);
	return STEP_NEXT;
}

/* the backend of this tenant whose prefix stands in front of the path, and the rest of the path */
static enum deny find_route(struct request *r, const struct backend *b, struct slice path)
{
	struct routed found;
	enum deny bad = route_find(&r->arena, b->dialect, r->in->method, path, &found);

	if (found.route != NULL) {
		r->route = found.route;
		r->part = found.part;
		r->backend = b;
	}
	return bad;
}

/* Before: the tenant is known. After: route is a row that is open for this method on one of the tenant's backends. */
enum step stage_route(struct request *r)
{
	enum deny bad = DENY_ROUTE_UNKNOWN;

	for (size_t i = 0; i < r->tenant->backends_len; i++) {
		const struct backend *b = snapshot_backend(r->snap, r->tenant->backends[i]);

		if (b == NULL || !slice_starts(r->in->path, b->prefix))
			continue;

		struct slice path = slice_skip(r->in->path, b->prefix.len);

		if (path.len == 0 || path.ptr[0] != '/')
			continue;
		bad = find_route(r, b, path);
		if (r->route != NULL)
			break;
	}
	if (r->tenant->backends_len == 0)
		return refuse(r, DENY_ROUTE_BACKEND, NULL);
	return bad == DENY_COUNT ? STEP_NEXT : refuse(r, bad, NULL);
}
