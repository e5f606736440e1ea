/* backend.h - one configured backend: where it is and how tenants are kept apart in it. Const once built.
 */
#ifndef WEIR_BACKENDS_BACKEND_H
#define WEIR_BACKENDS_BACKEND_H

#include "base/slice.h"

#include <stdint.h>

enum isolation { ISOLATE_LABEL = 1, ISOLATE_HEADER = 2 };

struct dialect;

struct backend {
	struct slice name;                /* as in weir.yaml */
	size_t index;                     /* place in the snapshot's list */
	const struct dialect *dialect;
	unsigned isolation;               /* enum isolation, ORed; never 0 */
	struct slice label;               /* of ISOLATE_LABEL; default tenant_id */
	struct slice tenant_header;       /* of ISOLATE_HEADER; default X-Scope-OrgID */
	struct slice prefix;              /* what callers put in front of the path; "" or "/name" */

	bool tls;                         /* https:// */
	struct slice host;                /* as in the URL: checked against the certificate, sent as Host */
	uint16_t port;
	struct slice unix_path;           /* unix:/path of the URL; host is then "localhost" */
	struct slice base_path;           /* of the URL; "" or "/prometheus" */
	struct slice ca_file, cert_file, key_file;   /* of the TLS client; may be empty */

	unsigned features;                /* enum stmt_feature, ORed */
	int64_t connect_ms, first_byte_ms, idle_ms, total_ms;
	size_t pool_connections, pool_waiters;       /* per worker */
	size_t max_answer_bytes;          /* 0 = no cap: answers stream */
};

#endif
