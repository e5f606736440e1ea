/* prometheus.c - the routes of Prometheus 3 and of stores with its API.
 *
 * HINT: to add a call, add a row, a case in tests/cases and an attack test. First match wins, so exact rows stand before `*`.
 */
#include "backends/route.h"

extern const struct dialect prometheus_dialect;

#define BIT PARAM_BIT
#define READ (METHOD_GET | METHOD_POST)

#define QUERY_PARAMS (BIT(PARAM_QUERY) | BIT(PARAM_TIMEOUT) | BIT(PARAM_LIMIT) | BIT(PARAM_LOOKBACK) | BIT(PARAM_STATS))
#define LIST_PARAMS (BIT(PARAM_MATCH) | BIT(PARAM_START) | BIT(PARAM_END) | BIT(PARAM_LIMIT))

#define CLOSED(p) { .call = "", .methods = METHOD_ANY, .path = (p), .how = HOW_DENY, .release = "R1" }

static const struct route routes[] = {
	{ .call = "prom.query", .methods = READ, .path = "/api/v1/query", .how = HOW_INJ, .release = "R1",
	  .params = QUERY_PARAMS | BIT(PARAM_TIME), .needs = BIT(PARAM_QUERY), .kind = STMT_PROMQL },
	{ .call = "prom.query_range", .methods = READ, .path = "/api/v1/query_range", .how = HOW_INJ, .release = "R1",
	  .params = QUERY_PARAMS | BIT(PARAM_START) | BIT(PARAM_END) | BIT(PARAM_STEP),
	  .needs = BIT(PARAM_QUERY) | BIT(PARAM_START) | BIT(PARAM_END) | BIT(PARAM_STEP), .kind = STMT_PROMQL },
	{ .call = "prom.query_exemplars", .methods = READ, .path = "/api/v1/query_exemplars", .how = HOW_INJ, .release = "R1",
	  .params = BIT(PARAM_QUERY) | BIT(PARAM_START) | BIT(PARAM_END), .needs = BIT(PARAM_QUERY), .kind = STMT_PROMQL,
	  .default_span_ms = -1 },
	{ .call = "prom.format_query", .methods = READ, .path = "/api/v1/format_query", .how = HOW_SYN, .release = "R1",
	  .params = BIT(PARAM_QUERY), .needs = BIT(PARAM_QUERY), .kind = STMT_PROMQL, .synthetic = SYN_FORMAT_QUERY },
	{ .call = "prom.series", .methods = READ, .path = "/api/v1/series", .how = HOW_INJ, .release = "R1",
	  .params = LIST_PARAMS, .needs = BIT(PARAM_MATCH), .kind = STMT_MATCH, .default_span_ms = -1 },
	{ .call = "prom.labels", .methods = READ, .path = "/api/v1/labels", .how = HOW_INJ_PLUS, .release = "R1",
	  .params = LIST_PARAMS, .kind = STMT_MATCH, .default_span_ms = -1 },
	{ .call = "prom.label_values", .methods = METHOD_GET, .path = "/api/v1/label/{name}/values", .how = HOW_INJ_PLUS,
	  .release = "R1", .params = LIST_PARAMS, .kind = STMT_MATCH, .default_span_ms = -1 },
	{ .call = "prom.buildinfo", .methods = METHOD_GET, .path = "/api/v1/status/buildinfo", .how = HOW_SYN, .release = "R1",
	  .synthetic = SYN_BUILDINFO },
	{ .call = "prom.healthy", .methods = METHOD_GET, .path = "/-/healthy", .how = HOW_SYN, .release = "R1",
	  .synthetic = SYN_HEALTH },
	{ .call = "prom.ready", .methods = METHOD_GET, .path = "/-/ready", .how = HOW_SYN, .release = "R1",
	  .synthetic = SYN_HEALTH },
	{ .call = "prom.version", .methods = METHOD_GET, .path = "/version", .how = HOW_SYN, .release = "R1",
	  .synthetic = SYN_HEALTH },
	CLOSED("/api/v1/status/config"),
	CLOSED("/api/v1/scrape_pools/config"),
	CLOSED("/api/v1/targets/relabel_steps"),
	CLOSED("/api/v1/parse_query"),
	CLOSED("/api/v1/notifications/live"),
	CLOSED("/api/v1/admin/*"),
	CLOSED("/-/reload"),
	CLOSED("/-/quit"),
	CLOSED("/debug/*"),
	CLOSED("/metrics"),
	CLOSED("/consoles/*"),
	CLOSED("/"),
	CLOSED("/graph"),
	CLOSED("/classic/*"),
	CLOSED("/static/*"),
	CLOSED("/query"),
	CLOSED("/alerts"),
	CLOSED("/targets"),
	CLOSED("/rules"),
	CLOSED("/config"),
	CLOSED("/flags"),
	CLOSED("/status"),
	CLOSED("/tsdb-status"),
	CLOSED("/service-discovery"),
};

const struct dialect prometheus_dialect = {
	.name = "prometheus",
	.signal = SIGNAL_METRICS,
	.routes = routes,
	.routes_len = sizeof(routes) / sizeof(routes[0]),
};
