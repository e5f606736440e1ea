/* record.h - a request as leaf bytes: public canonical JSON and a private TLV list, in the log's final format.
 *
 * Source:    the design note on the audit log, section 2; RFC 8785 for the JSON.
 * Ownership: a record borrows all its slices; a printed leaf lives in the arena given.
 * Units:     microseconds, bytes.
 * Errors:    ERR_LIMIT when a leaf would pass 65,535 bytes even after its largest private items were cut to digests.
 */
#ifndef WEIR_AUDIT_RECORD_H
#define WEIR_AUDIT_RECORD_H

#include "base/err.h"
#include "base/strbuf.h"

#define LEAF_MAX 65535

enum record_type { RECORD_DECISION, RECORD_OUTCOME, RECORD_ADMIN, RECORD_BOOT, RECORD_POLICY, RECORD_TLS };

struct record_header {
	struct slice name, value;      /* as they may be kept: redaction is done */
};

struct record {
	enum record_type type;
	struct slice instance;         /* iid */
	int64_t wall_us, mono_us;      /* ts, mono */
	struct slice rid;              /* UUIDv7 text of the request; boot, policy and tls make one of their own */
	struct slice tenant;           /* "" when none was resolved */

	/* decision */
	struct slice op;               /* pseudonym of the operator, or "" */
	struct slice backend, method, route;
	struct slice dec, why, stage;
	struct slice pol, cfg;         /* SHA-256 in hex */
	struct slice dur;              /* "strict", "batched", "relaxed" */
	uint64_t cost, body_len;
	bool body_cut;

	/* outcome; a refusal's decision carries status, us and end too (ended = true) */
	bool ended;
	int64_t ref;                   /* index of the decision, -1 when not known */
	unsigned status;
	uint64_t bytes_up, bytes_down, us_up, us;
	struct slice end;              /* "ok", "reset", "timeout", "refused", "revoked", "open" */

	/* tls, policy: what was counted, and why */
	uint64_t from, to, count;
	struct slice reason;

	/* boot */
	bool has_prev;                 /* left out at the very first boot */
	struct slice prev_origin, prev_root_hex;
	uint64_t prev_size, replayed, cut;
	struct slice build;

	/* private */
	struct slice subject;
	const struct slice *uris;
	size_t uris_len;
	const uint8_t *fingerprint;    /* 32 bytes, or NULL */
	struct slice peer;             /* address and port; for tls the network */
	struct slice target;           /* raw request target */
	const struct record_header *headers;
	size_t headers_len;
	struct slice body;
	struct slice query_sent;
	struct slice reason_text;
	struct slice traceparent;
};

MUST_USE enum err_code record_print(struct arena *a, const struct record *r, struct slice *leaf, struct err *reterr);

struct record_item {
	uint8_t tag;
	struct slice value;
};

/* a leaf taken apart; refuses a public part that does not print again to the same bytes */
struct record_view {
	struct slice public_json;
	const struct record_item *items;
	size_t items_len;
};

MUST_USE enum err_code record_parse(struct arena *a, struct slice leaf, struct record_view *ret, struct err *reterr);

/* UUIDv7 (RFC 9562): 48 bits of unix milliseconds, 74 random bits from the system. 36 characters. */
#define RID_LEN 36
void record_rid(int64_t wall_us, char ret[RID_LEN]);

#endif
