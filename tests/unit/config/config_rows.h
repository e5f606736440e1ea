/* config_rows.h - mistakes, one row each, and what is said of them. Included by config_test.c alone. */

static const struct row weir_rows[] = {
	{ "listen:",
	  "listne:",
	  W "1:1: error: unknown key \"listne\"; known here: listen, tls, trust_domains, shared_identities, "
	    "operators, tenants, policies, audit, limits, backends, process\n"
	  W "1:1: error: listen is missing: where callers connect\n" },
	{ "audit: { directory: audit, origin: weir.example.org }\n",
	  "",
	  W "1:1: error: audit is missing: the audit log\n" },
	{ "tenants: tenants/",
	  "tenants:",
	  W "10:9: error: tenants has no value: leave the line out, or give it one\n" },
	{ "tenants: tenants/",
	  "tenants: [tenants/]",
	  W "10:10: error: tenants must be one value, not a list\n" },
	{ "tenants: tenants/",
	  "tenants: nowhere",
	  W "10:10: error: tenants: nowhere: No such file or directory\n" },
	{ "tenants: tenants/",
	  "tenants: edge.pem",
	  W "10:10: error: tenants: edge.pem is not a folder\n" },
	{ "",
	  "process: { workers: two, request_memory: 4MB, drain_timeout: 30, metrics_tenants: 1000000 }\n",
	  W "15:21: error: workers: \"two\" is not a whole number\n"
	  W "15:42: error: request_memory: \"4MB\" is not a size: digits and B, KiB, MiB or GiB, as 4MiB\n"
	  W "15:62: error: drain_timeout: \"30\" is not a duration: digits and ms, s, m, h, d or w, as 5ms, "
	    "31d or 1h30m\n"
	  W "15:83: error: metrics_tenants: 1000000 is not within 0..100000\n" },
	{ "",
	  "process: { body_memory: 1GiB, threads: 3 }\n",
	  W "15:12: error: body_memory is not served by this version: bodies are bounded one by one\n"
	  W "15:31: error: unknown key \"threads\"; known here: workers, request_memory, metrics_tenants, "
	    "drain_timeout, drain_delay\n" },
	{ "",
	  "process: none\n",
	  W "15:10: error: process must be a map, not one value\n" },
	{ "",
	  "policies: lua/\n",
	  W "15:11: error: policies: lua: No such file or directory\n" },
	{ "",
	  "audit: {}\n",
	  W "15:1: error: key \"audit\" stands twice; the first is in line 11\n" },
	{ "",
	  "x: &a 1\ny: *a\n",
	  W "15:1: error: unknown key \"x\"; known here: listen, tls, trust_domains, shared_identities, "
	    "operators, tenants, policies, audit, limits, backends, process\n"
	  W "15:4: error: anchors (&a) are not accepted: write the value out\n"
	  W "16:1: error: unknown key \"y\"; known here: listen, tls, trust_domains, shared_identities, "
	    "operators, tenants, policies, audit, limits, backends, process\n"
	  W "16:4: error: aliases (*a) are not accepted: write the value out, or put a text that begins with "
	    "* in quotes\n" },
	{ "serve: [query], tls: edge",
	  "serve: [query]",
	  W "2:5: error: tls is missing: only a listener that serves [health] may be plain\n" },
	{ "serve: [query], tls: edge",
	  "serve: [query], tls: egde",
	  W "2:55: error: there is no block \"egde\" under tls\n" },
	{ "serve: [query], tls: edge",
	  "serve: [query, admin], tls: edge",
	  W "2:41: error: admin and health each need a listener of their own\n" },
	{ "serve: [query], tls: edge",
	  "serve: [otlp_grpc], tls: edge",
	  W "2:42: error: serve: \"otlp_grpc\" is not served by this version\n" },
	{ "serve: [query], tls: edge",
	  "serve: [everything], tls: edge",
	  W "2:42: error: serve: \"everything\" is not one of: query, push, admin, health\n" },
	{ "serve: [query], tls: edge",
	  "serve: [], tls: edge",
	  W "2:41: error: serve must name at least one of: query, push, admin, health\n" },
	{ "serve: [query], tls: edge",
	  "serve: [query, [push]], tls: edge, allow_chunked: maybe",
	  W "2:49: error: serve must be one value, not a list\n"
	  W "2:84: error: allow_chunked is on or off, not \"maybe\"\n" },
	{ "127.0.0.1:8443",
	  "localhost:8443",
	  W "2:16: error: \"localhost:8443\" is not an address: 192.0.2.1:8443, [2001:db8::1]:8443 or "
	    "unix:/path\n" },
	{ "127.0.0.1:8443",
	  "127.0.0.1:0",
	  W "2:16: error: \"127.0.0.1:0\" is not an address: 192.0.2.1:8443, [2001:db8::1]:8443 or "
	    "unix:/path\n" },
	{ "127.0.0.1:8443",
	  "127.0.0.1:9443",
	  W "3:5: error: a listener of 127.0.0.1:9443 stands above already\n" },
	{ "127.0.0.1:8443",
	  "::1:8443",
	  W "2:16: error: \"::1:8443\" is not an address: 192.0.2.1:8443, [2001:db8::1]:8443 or unix:/path\n" },
	{ "127.0.0.1:8443",
	  "unix:",
	  W "2:16: error: the path of a unix socket has 1 to 107 bytes\n" },
	{ "127.0.0.1:8443",
	  "unix:sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"
	    "sssssssssssssssssssssss",
	  W "2:16: error: the path of a unix socket has 1 to 107 bytes\n" },
	{ "  - { address: \"[::1]:8080\", serve: [health] }",
	  "  - health",
	  W "4:5: error: listen must be a map, not one value\n" },
	{ "certificate: edge.pem, key: edge.key",
	  "certificate: no.pem, key: tenants",
	  W "6:24: error: certificate: no.pem: No such file or directory\n"
	  W "6:37: error: key: tenants is not a regular file\n" },
	{ "client_ca: ca.pem }",
	  "client_ca: ca.pem, crl: no.crl, tickets: 1, min_version: 1.1 }",
	  W "6:73: error: crl: no.crl: No such file or directory\n"
	  W "6:90: error: tickets is on or off, not \"1\"\n"
	  W "6:106: error: min_version: \"1.1\" is not one of: 1.2, 1.3\n" },
	{ "client_ca: ca.pem }",
	  "client_ca: ca.pem, pin: x }",
	  W "6:68: error: unknown key \"pin\"; known here: certificate, key, client_ca, crl, tickets, "
	    "min_version\n" },
	{ "edge: {",
	  "\"ed ge\": {",
	  W "2:55: error: there is no block \"edge\" under tls\n"
	  W "3:55: error: there is no block \"edge\" under tls\n"
	  W "6:3: error: the name of a TLS block has 1 to 64 letters, digits, `_`, `-` and `.`\n" },
	{ "example.org: ca.pem, ops",
	  "Example.org: ca.pem, ops",
	  W "7:18: error: \"Example.org\" is not a trust domain: small letters, digits, `.`, `-` and `_`\n"
	  W "8:22: error: trust domain \"example.org\" is not in trust_domains: no certificate can have this "
	    "name\n"
	  A "4:10: error: trust domain \"example.org\" is not in trust_domains: no certificate can have this "
	    "name\n"
	  G "3:18: error: trust domain \"example.org\" is not in trust_domains: no certificate can have this "
	    "name\n" },
	{ "{ example.org: ca.pem, ops.example.org: ca.pem }",
	  "{}",
	  W "3:5: warning: nobody may use this listener: operators names no one\n"
	  W "7:16: error: trust_domains must name at least one domain\n"
	  W "8:22: error: trust domain \"example.org\" is not in trust_domains: no certificate can have this "
	    "name\n"
	  W "9:23: error: trust domain \"ops.example.org\" is not in trust_domains: no certificate can have "
	    "this name\n"
	  A "4:10: error: trust domain \"example.org\" is not in trust_domains: no certificate can have this "
	    "name\n"
	  G "3:18: error: trust domain \"example.org\" is not in trust_domains: no certificate can have this "
	    "name\n" },
	{ "ops.example.org: ca.pem }",
	  "ops.example.net: ca.pem }",
	  W "3:5: warning: nobody may use this listener: operators names no one\n"
	  W "9:23: error: trust domain \"ops.example.org\" is not in trust_domains: no certificate can have "
	    "this name\n" },
	{ "spiffe://example.org/grafana",
	  "spiffe://example.org/grafana/",
	  W "8:22: error: \"spiffe://example.org/grafana/\" is not a SPIFFE id: spiffe://domain/path, in "
	    "which `*` may be one whole path segment; no port, query, escape, empty or dot segment\n" },
	{ "spiffe://ops.example.org/admin/*",
	  "spiffe://ops.example.org/admin*",
	  W "3:5: warning: nobody may use this listener: operators names no one\n"
	  W "9:23: error: \"spiffe://ops.example.org/admin*\" is not a SPIFFE id: spiffe://domain/path, in "
	    "which `*` may be one whole path segment; no port, query, escape, empty or dot segment\n" },
	{ "operators: { admin: [ \"spiffe://ops.example.org/admin/*\" ] }\n",
	  "",
	  W "3:5: warning: nobody may use this listener: operators names no one\n" },
	{ "operators: { admin:",
	  "operators: { root: x, admin:",
	  W "9:14: error: unknown key \"root\"; known here: admin, monitor, auditor\n" },
	{ "origin: weir.example.org",
	  "origin: \"weir/example\", instance: a/b, durability: fast, on_failure: open",
	  W "11:36: error: origin: a host name, as weir.example.org, got \"weir/example\"\n"
	  W "11:62: error: instance: 1 to 64 letters, digits, `_` and `-`, got \"a/b\"\n"
	  W "11:79: error: durability: \"fast\" is not one of: strict, batched\n"
	  W "11:97: error: on_failure: \"open\" is not one of: closed\n" },
	{ "origin: weir.example.org",
	  "origin: weir.example.org, body_max: 1GiB, max_delay: 1m",
	  W "11:64: error: body_max: 1GiB is not within 0..8MiB\n"
	  W "11:81: error: max_delay: 1m is not within 1ms..10s\n" },
	{ "",
	  "limits: { redis: { address: \"127.0.0.1:6379\" }, on_redis_down: local }\n",
	  W "15:11: error: redis is not served by this version: limits are kept in process, for one machine\n"
	  W "15:49: error: on_redis_down is not served by this version: limits are kept in process\n" },
	{ "",
	  "limits: { headers: never, defaults: { max_points: 0, min_step: 1 }, maximum: { query_cost_rate: "
	    "{}, max_pints: 3 } }\n",
	  W "15:20: error: headers: \"never\" is not one of: refused, always\n"
	  W "15:51: error: max_points: 0 is not within 1..1000000\n"
	  W "15:64: error: min_step: \"1\" is not a duration: digits and ms, s, m, h, d or w, as 5ms, 31d or "
	    "1h30m\n"
	  W "15:80: error: query_cost_rate is not served by this version\n"
	  W "15:101: error: unknown key \"max_pints\"; known here: request_rate, max_query_length, "
	    "max_query_lookback, min_step, max_points, max_query_series, query_timeout, "
	    "max_query_expression_size_bytes\n" },
	{ "",
	  "limits: { defaults: { request_rate: { per_second: 50 } }, maximum: { request_rate: { "
	    "per_second: 10, burst: 100 } } }\n",
	  W "15:37: warning: request_rate is above limits.maximum of weir.yaml\n"
	  A "8:25: warning: request_rate is above limits.maximum of weir.yaml\n" },
	{ "",
	  "limits: { maximum: { request_rate: { per_second: 10, burst: 10 }, max_query_length: 7d } }\n",
	  A "8:25: warning: request_rate is above limits.maximum of weir.yaml\n"
	  G "1:1: warning: no request_rate, although limits.maximum of weir.yaml has one\n" },
	{ "dialect: prometheus, url: \"https://prometheus:9090\"",
	  "dialect: loki, url: \"https://loki:3100\"",
	  W "13:23: error: dialect: \"loki\" is not served by this version\n" },
	{ "dialect: prometheus, url: \"https://prometheus:9090\"",
	  "dialect: influx, url: \"ftp://x\"",
	  W "13:23: error: dialect: \"influx\" is not one of: prometheus\n"
	  W "13:36: error: \"ftp://x\" is not the URL of a backend: https://host:port/base, http://.. or "
	    "unix:/path; no user, query, fragment or escape\n" },
	{ "https://prometheus:9090",
	  "http://prometheus:9090",
	  W "13:40: warning: plain http to prometheus: whoever is on the way reads all tenants' data, and "
	    "can ask without Weir\n" },
	{ "https://prometheus:9090",
	  "https://user@prometheus",
	  W "13:40: error: \"https://user@prometheus\" is not the URL of a backend: https://host:port/base, "
	    "http://.. or unix:/path; no user, query, fragment or escape\n" },
	{ "https://prometheus:9090",
	  "https://prometheus:9090/a/../b",
	  W "13:40: error: \"https://prometheus:9090/a/../b\" is not the URL of a backend: "
	    "https://host:port/base, http://.. or unix:/path; no user, query, fragment or escape\n" },
	{ "https://prometheus:9090",
	  "https://prometheus:9090/?x=1",
	  W "13:40: error: \"https://prometheus:9090/?x=1\" is not the URL of a backend: "
	    "https://host:port/base, http://.. or unix:/path; no user, query, fragment or escape\n" },
	{ "isolation: [label] }",
	  "isolation: [] }",
	  W "13:78: error: isolation must name at least one of: label, tenant_header\n" },
	{ "isolation: [label] }",
	  "isolation: [label], label: __x, tenant_header: X-Org }",
	  W "13:94: error: label: letters, digits and `_`, not a digit or `__` first, got \"__x\"\n"
	  W "13:114: warning: tenant_header has no effect: isolation does not say tenant_header\n" },
	{ "isolation: [label] }",
	  "isolation: [tenant_header], label: x, tenant_header: Host }",
	  W "13:102: warning: label has no effect: isolation does not say label\n"
	  W "13:120: error: \"Host\" cannot be the header that names the tenant\n" },
	{ "isolation: [label] }",
	  "isolation: [label], features: [exp, turbo], prefix: more/ }",
	  W "13:103: error: features: \"turbo\" is not one of: exp, fill, utf8\n"
	  W "13:119: error: prefix: `/` and a name of letters, digits, `-` and `_`, got \"more/\"\n" },
	{ "isolation: [label] }",
	  "isolation: [label], timeouts: { connect: 0s, idle: 1h30m }, pool: { connections: 0 } }",
	  W "13:108: error: connect: 0s is not within 1ms..1m\n"
	  W "13:118: error: idle: 1h30m is not within 1ms..1h\n"
	  W "13:148: error: connections: 0 is not within 1..10000\n" },
	{ "isolation: [label] }",
	  "isolation: [label], tls: { ca: ca.pem, certificate: edge.pem } }",
	  W "13:92: error: certificate and key go together\n" },
	{ "prefix: /more }",
	  "tls: { ca: ca.pem } }",
	  W "14:95: error: tls has no effect: the url does not begin with https://\n"
	  G "2:21: error: backends metrics and more have the same paths: give each a `prefix: /name` in "
	    "weir.yaml\n" },
	{ "\"https://prometheus:9090\"",
	  "\"\"",
	  W "13:40: error: \"\" is not the URL of a backend: https://host:port/base, http://.. or "
	    "unix:/path; no user, query, fragment or escape\n" },
	{ "\"https://prometheus:9090\"",
	  "[]",
	  W "13:40: error: url must be one value, not a list\n" },
	{ "\"127.0.0.1:8443\"",
	  "\"\"",
	  W "2:16: error: \"\" is not an address: 192.0.2.1:8443, [2001:db8::1]:8443 or unix:/path\n" },
	{ "directory: audit",
	  "directory: \"\"",
	  W "11:21: error: directory is empty or holds a zero byte: leave the line out, or name a path\n" },
	{ "directory: audit",
	  "directory: \"a\\0b\"",
	  W "11:21: error: directory is empty or holds a zero byte: leave the line out, or name a path\n" },
	{ "serve: [query], tls: edge",
	  "serve: [query], tls: \"\"",
	  W "2:55: error: there is no block \"\" under tls\n" },
	{ "serve: [query], tls: edge",
	  "serve: [query], tls: [edge]",
	  W "2:55: error: tls must be one value, not a list\n" },
	{ "serve: [query], tls: edge",
	  "serve: [query, push], tls: edge",
	  W "2:41: warning: push has no routes in this version: pushes get 404\n" },
	{ "client_ca: ca.pem }",
	  "client_ca: ca.pem, crl: \"\" }",
	  W "6:73: error: crl is empty or holds a zero byte: leave the line out, or name a path\n" },
	{ "prefix: /more }",
	  "otlp: \"https://x\" }",
	  W "14:90: error: otlp is not served by this version\n"
	  G "2:21: error: backends metrics and more have the same paths: give each a `prefix: /name` in "
	    "weir.yaml\n" },
};

static const struct row tenant_rows[] = {
	{ "id: acme",
	  "id: ../etc",
	  A "1:5: error: \"../etc\" cannot be a tenant's id: 1 to 64 of `[A-Za-z0-9_.-]`, begins with a "
	    "letter or digit, holds no `..`, is not `weir-*`\n" },
	{ "id: acme",
	  "id: weir-admin",
	  A "1:5: error: \"weir-admin\" cannot be a tenant's id: 1 to 64 of `[A-Za-z0-9_.-]`, begins with a "
	    "letter or digit, holds no `..`, is not `weir-*`\n" },
	{ "id: acme",
	  "id: globex",
	  G "1:5: error: tenant id \"globex\" stands in tenants/acme.yaml already\n" },
	{ "id: acme",
	  "id: Globex",
	  G "1:5: error: tenant id \"globex\" stands in tenants/acme.yaml already, but for the case of its "
	    "letters\n" },
	{ "id: acme\n",
	  "",
	  A "1:1: error: id is missing: 1 to 64 of `[A-Za-z0-9_.-]`, begins with a letter or digit, holds no "
	    "`..`, is not `weir-*`\n" },
	{ "policy: none\n",
	  "",
	  A "1:1: error: policy is missing: `none`; Lua policies are not served by this version\n" },
	{ "policy: none",
	  "policy: { file: acme.lua, shadow: next.lua }",
	  A "7:9: error: Lua policies are not served by this version: write `policy: none`; groups, roles, "
	    "grants and limits hold without one\n" },
	{ "policy: none",
	  "policy: acme.lua",
	  A "7:9: error: Lua policies are not served by this version: write `policy: none`; groups, roles, "
	    "grants and limits hold without one\n" },
	{ "",
	  "time_zone: Europe/Berlim\n",
	  A "9:12: error: \"Europe/Berlim\" is not a time zone: an IANA name, as Europe/Berlin\n" },
	{ "",
	  "time_zone: ../../etc/passwd\n",
	  A "9:12: error: \"../../etc/passwd\" is not a time zone: an IANA name, as Europe/Berlin\n" },
	{ "",
	  "foreign_matcher: deny\nallow_parameters: [stats, limit]\n",
	  A "9:18: error: foreign_matcher: \"deny\" is not one of: keep, refuse\n"
	  A "10:27: error: allow_parameters: \"limit\" is not one of: stats, lookback_delta\n" },
	{ "",
	  "labels: { team: x }\ncolour: red\n",
	  A "9:1: error: labels is not served by this version: for Lua policies\n"
	  A "10:1: error: unknown key \"colour\"; known here: id, time_zone, backends, groups, roles, "
	    "policy, limits, foreign_matcher, allow_parameters\n" },
	{ "backends: [metrics]",
	  "backends: [metrics, metrics]",
	  A "2:21: error: backends: \"metrics\" stands twice\n" },
	{ "backends: [metrics]",
	  "backends: [metrics, logs]",
	  A "2:21: error: there is no backend \"logs\" in weir.yaml\n" },
	{ "backends: [metrics]",
	  "backends: []",
	  A "2:11: error: backends must name at least one backend\n" },
	{ "backends: [metrics]",
	  "backends: metrics",
	  "" },
	{ "spiffe://example.org/acme/dev/*",
	  "spiffe://example.org/globex/*",
	  G "3:18: error: \"spiffe://example.org/globex/*\" and \"spiffe://example.org/globex/*\" of tenant "
	    "acme (tenants/acme.yaml) match the same identities; put what is shared under shared_identities "
	    "of weir.yaml\n" },
	{ "spiffe://example.org/acme/dev/*",
	  "spiffe://example.org/*/svc",
	  G "3:18: error: \"spiffe://example.org/globex/*\" and \"spiffe://example.org/*/svc\" of tenant "
	    "acme (tenants/acme.yaml) match the same identities; put what is shared under shared_identities "
	    "of weir.yaml\n" },
	{ "spiffe://example.org/acme/dev/*",
	  "spiffe://example.org/grafana",
	  "" },
	{ "spiffe://example.org/acme/dev/*",
	  "spiffe://elsewhere.org/acme/dev",
	  A "4:10: error: trust domain \"elsewhere.org\" is not in trust_domains: no certificate can have "
	    "this name\n" },
	{ "spiffe://example.org/acme/dev/*",
	  "https://example.org/acme",
	  A "4:10: error: \"https://example.org/acme\" is not a SPIFFE id: spiffe://domain/path, in which "
	    "`*` may be one whole path segment; no port, query, escape, empty or dot segment\n" },
	{ "dev: [ \"spiffe://example.org/acme/dev/*\" ]",
	  "dev: []",
	  A "6:3: warning: no group reaches role \"developer\"\n" },
	{ "dev: [ \"spiffe://example.org/acme/dev/*\" ]",
	  "dev: { a: b }\n  idle: \"spiffe://example.org/acme/idle\"",
	  A "4:8: error: groups must be a list, not a map\n"
	  A "5:3: warning: group \"idle\" has no role: who is in no other group is refused\n" },
	{ "groups: [dev]",
	  "groups: [dve]",
	  A "4:3: warning: group \"dev\" has no role: who is in no other group is refused\n"
	  A "6:25: error: there is no group \"dve\"\n" },
	{ "groups: [dev]",
	  "groups: []",
	  A "4:3: warning: group \"dev\" has no role: who is in no other group is refused\n"
	  A "6:3: warning: no group reaches role \"developer\"\n" },
	{ "may: [read]",
	  "may: [raed]",
	  A "6:37: error: may: \"raed\" is not one of: read, write, rules, audit\n" },
	{ "may: [read]",
	  "may: []",
	  A "6:36: error: may must name at least one of: read, write, rules, audit\n" },
	{ "may: [read], grants: { metrics: [ { ns: \"dev-*\" } ] } }",
	  "may: [read] }",
	  A "6:14: error: grants is missing: a role that reads must say what, or `grants: all`\n" },
	{ "may: [read], grants: { metrics: [ { ns: \"dev-*\" } ] } }",
	  "may: [write] }",
	  "" },
	{ "{ metrics: [ { ns: \"dev-*\" } ] }",
	  "none",
	  A "6:52: error: grants must be a map, not one value\n" },
	{ "{ metrics: [ { ns: \"dev-*\" } ] }",
	  "{}",
	  A "6:52: error: grants names no signal: metrics, logs or traces\n" },
	{ "{ metrics: [ { ns: \"dev-*\" } ] }",
	  "{ metrics: all, profiles: all }",
	  A "6:68: error: \"profiles\" is no signal: metrics, logs or traces\n" },
	{ "{ metrics: [ { ns: \"dev-*\" } ] }",
	  "{ metrics: [] }",
	  A "6:63: error: a signal has 1 to 32 clauses; leave the signal out to give no access\n" },
	{ "{ metrics: [ { ns: \"dev-*\" } ] }",
	  "{ metrics: [ {} ] }",
	  A "6:65: error: a clause names 1 to 16 labels; `all` is everything of the tenant\n" },
	{ "{ metrics: [ { ns: \"dev-*\" } ] }",
	  "{ metrics: { ns: dev } }",
	  A "6:63: error: a signal that is not `all` must be a list, not a map\n" },
	{ "ns: \"dev-*\"",
	  "ns: \"\"",
	  A "6:71: error: a grant never matches a missing label: the value must not be empty (\"*\" is any "
	    "value)\n" },
	{ "ns: \"dev-*\"",
	  "ns:",
	  A "6:71: error: a label has no value: leave the line out, or give it one\n" },
	{ "ns: \"dev-*\"",
	  "ns: []",
	  A "6:71: error: a label has 1 to 256 values; leave the label out to ask nothing of it\n" },
	{ "ns: \"dev-*\"",
	  "ns: { a: b }",
	  A "6:71: error: a label must be one value, not a map\n" },
	{ "ns: \"dev-*\"",
	  "ns: [a, \"\", [b]]",
	  A "6:75: error: a grant never matches a missing label: the value must not be empty (\"*\" is any "
	    "value)\n"
	  A "6:79: error: a label must be one value, not a list\n" },
	{ "ns: \"dev-*\"",
	  "ns: *",
	  A "6:72: error: not YAML: did not find expected alphabetic or numeric character while scanning an "
	    "alias (a text that begins with * must be in quotes)\n" },
	{ "ns: \"dev-*\"",
	  "\"n s\": a, __x: b, tenant_id: globex",
	  A "6:67: error: \"n s\" is not the name of a label: letters, digits and `_`, not a digit or `__` "
	    "first\n"
	  A "6:77: error: \"__x\" is not the name of a label: letters, digits and `_`, not a digit or `__` "
	    "first\n"
	  A "6:85: error: \"tenant_id\" names the tenant: every selector gets it anyway, and no grant is "
	    "about it\n" },
	{ "{ metrics: [ { ns: \"dev-*\" } ] }",
	  "{ traces: [ { service.name: x, \"a b\": y } ], logs: [ { a.b: c } ] }",
	  A "6:83: error: \"a b\" is not the name of a resource attribute\n"
	  A "6:107: error: \"a.b\" is not the name of a label: letters, digits and `_`, not a digit or `__` "
	    "first\n" },
	{ "{ request_rate: { per_second: 20, burst: 40 } }",
	  "{ request_rate: { per_second: 0, burst: 0.5 } }",
	  A "8:39: error: per_second: 0 is not within 0.001..1000000000\n"
	  A "8:49: error: burst: 0.5 is not within 1..1000000000\n" },
	{ "{ request_rate: { per_second: 20, burst: 40 } }",
	  "{ request_rate: { burst: 1e3, per: user } }",
	  A "8:25: error: per_second is missing: long-run rate\n"
	  A "8:34: error: burst: \"1e3\" is not a number: digits, perhaps a fraction, as 200 or 0.5\n"
	  A "8:39: error: per is not served by this version: limits are per tenant\n" },
	{ "{ request_rate: { per_second: 20, burst: 40 } }",
	  "{ request_rate: 20, max_query_length: 31 }",
	  A "8:25: error: request_rate must be a map, not one value\n"
	  A "8:47: error: max_query_length: \"31\" is not a duration: digits and ms, s, m, h, d or w, as "
	    "5ms, 31d or 1h30m\n" },
	{ "{ request_rate: { per_second: 20, burst: 40 } }",
	  "{ query_cost_rate: { per_second: 1 }, max_series: 3 }",
	  A "8:11: error: query_cost_rate is not served by this version\n"
	  A "8:47: error: unknown key \"max_series\"; known here: request_rate, max_query_length, "
	    "max_query_lookback, min_step, max_points, max_query_series, query_timeout, "
	    "max_query_expression_size_bytes\n" },
	{ "{ request_rate: { per_second: 20, burst: 40 } }",
	  "{ max_query_length: 1s1h, min_step: 0s, max_points: -1, max_query_expression_size_bytes: 2MiB }",
	  A "8:29: error: max_query_length: \"1s1h\" is not a duration: digits and ms, s, m, h, d or w, as "
	    "5ms, 31d or 1h30m\n"
	  A "8:45: error: min_step: 0s is not within 1ms..1d\n"
	  A "8:61: error: max_points: \"-1\" is not a whole number\n"
	  A "8:98: error: max_query_expression_size_bytes: 2MiB is not within 0..1MiB\n" },
	{ "groups: [dev], may: [read]",
	  "groups: [dvv], may: [reed], more: 1",
	  A "4:3: warning: group \"dev\" has no role: who is in no other group is refused\n"
	  A "6:25: error: there is no group \"dvv\"\n"
	  A "6:37: error: may: \"reed\" is not one of: read, write, rules, audit\n"
	  A "6:44: error: unknown key \"more\"; known here: groups, may, grants\n" },
};
