/* snapshot.h - one generation of configuration: immutable, counted, swapped by pointer.
 *
 * Ownership: config builds it in its own arena; workers hold one reference each, requests borrow their worker's.
 * Threads:   const after snapshot_seal; the count is atomic.
 */
#ifndef WEIR_CORE_SNAPSHOT_H
#define WEIR_CORE_SNAPSHOT_H

#include "backends/backend.h"
#include "base/arena.h"
#include "tenants/registry.h"

#include <stdatomic.h>

enum serve { SERVE_QUERY = 1, SERVE_PUSH = 2, SERVE_ADMIN = 4, SERVE_HEALTH = 8 };

struct tls_settings {
	struct slice name;               /* key under tls: */
	struct slice certificate, key, client_ca, crl;   /* absolute paths; crl may be empty */
	bool tickets;                    /* default on */
	bool tls12;                      /* min_version: "1.2" allows it (floor: AEAD and ECDHE only); default 1.3 */
};

struct listener_settings {
	struct slice address;            /* as written: "0.0.0.0:8443", "[::]:8443", "unix:/path" */
	unsigned serve;                  /* enum serve, ORed */
	const struct tls_settings *tls;  /* NULL = plain; only for health */
	bool allow_chunked;
	size_t max_body;                 /* largest body of its routes */
};

struct trust_domain {
	struct slice name;               /* example.org */
	struct slice ca_file;            /* absolute path of the only bundle under which it is believed */
};

struct operators {
	const struct slice *admin, *monitor, *auditor;   /* SPIFFE patterns */
	size_t admin_len, monitor_len, auditor_len;
};

struct audit_settings {
	struct slice directory, origin, instance;
	bool batched;
	int64_t max_delay_ms;
	size_t body_max;
};

struct process_settings {
	size_t workers;                  /* 0 = one per core */
	size_t request_memory;           /* bytes; default 4 MiB */
	size_t metrics_tenants;          /* default 1,000 */
	int64_t drain_timeout_ms, drain_delay_ms;
};

struct snapshot {
	struct arena arena;
	uint64_t generation;
	uint8_t hash[32];                /* SHA-256 over every file it was built from, names and bytes */
	char hash_hex[65];
	const struct registry *tenants;
	const struct backend *backends;
	size_t backends_len;
	const struct listener_settings *listeners;
	size_t listeners_len;
	const struct tls_settings *tls;
	size_t tls_len;
	const struct trust_domain *trust_domains;
	size_t trust_domains_len;
	const struct slice *shared_identities;
	size_t shared_identities_len;
	struct operators operators;
	struct audit_settings audit;
	struct process_settings process;
	bool limit_headers_always;
	_Atomic size_t refs;             /* relaxed add, release on drop, acquire by the last */
};

/* an empty one with one reference; NULL without memory. cap bounds its arena. */
struct snapshot *snapshot_new(size_t cap);
struct snapshot *snapshot_ref(struct snapshot *s);
/* frees it with the last reference; takes NULL, returns NULL */
struct snapshot *snapshot_unref(struct snapshot *s);
const struct backend *snapshot_backend(const struct snapshot *s, struct slice name);

#endif
