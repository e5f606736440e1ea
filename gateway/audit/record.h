/* record.h - a request as leaf bytes: public canonical JSON and a private TLV list, in the log's final format.
 *
 * leaf := "WEIR1" 0x0A || public || 0x0A || private. Secrets are taken out here (redact.h), so that no record skips it.
 * What is too big for a leaf is cut, never refused: see record_print.
 * Source:    the design note on the audit log, section 2; RFC 8785 for the JSON.
 * Ownership: a record borrows all its slices; a printed leaf lives in the arena given.
 * Units:     microseconds, bytes.
 * Errors:    ERR_NOMEM; ERR_LIMIT from record_encode when a leaf would pass LEAF_MAX.
 */
#ifndef WEIR_AUDIT_RECORD_H
#define WEIR_AUDIT_RECORD_H

#include "base/err.h"
#include "base/json.h"
#include "base/strbuf.h"

#define LEAF_MAX 65535

enum record_type { RECORD_DECISION, RECORD_OUTCOME, RECORD_ADMIN, RECORD_BOOT, RECORD_POLICY, RECORD_TLS, RECORD_GAP };
#define RECORD_TYPES (RECORD_GAP + 1)

struct redactor;

struct record_header {
	struct slice name, value;      /* as received; those that redact.h does not keep are left out */
};

struct record {
	enum record_type type;
	struct slice instance;         /* iid */
	int64_t wall_us, mono_us;      /* ts, mono */
	struct slice rid;              /* UUIDv7 text of the request; when it is empty, the record gets one of its own */
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

	/* tls: what was counted from when to when (unix microseconds). gap: the indexes [from, to) that are lost, or the time
	 * of the loss where records got no index. policy, admin: only the reason */
	uint64_t from, to, count;
	struct slice reason;
	struct slice old_cfg;          /* policy: the hash that cfg replaces */

	/* boot */
	bool has_prev;                 /* left out at the very first boot */
	struct slice prev_origin, prev_root_hex;
	uint64_t prev_size, replayed, cut;
	struct slice build;

	/* private */
	const struct redactor *redactor; /* key of the marks in place of secrets; NULL: marks without HMAC */
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

/* A leaf over LEAF_MAX is made to fit: its largest private items are cut, largest first, and a decision says bt:1; then
 * repeated items (headers, URIs) are left out, the last ones first. Each cut adds an item of tag RECORD_TAG_CUT:
 * tag of what was cut u8 || its whole length u32 || HMAC-SHA256(rid, the whole of it); for items left out the whole is
 * the TLV list of all of them. So a request is never unrecorded because it is big. */
MUST_USE enum err_code record_print(struct arena *a, const struct record *r, struct slice *leaf, struct err *reterr);

enum record_tag {
	RECORD_TAG_SALT = 0, RECORD_TAG_SUBJECT = 1, RECORD_TAG_URI = 2, RECORD_TAG_FINGERPRINT = 3, RECORD_TAG_PEER = 4,
	RECORD_TAG_TARGET = 5, RECORD_TAG_HEADER = 6, RECORD_TAG_BODY = 7, RECORD_TAG_BODY_ZSTD = 8, RECORD_TAG_QUERY_SENT = 10,
	RECORD_TAG_REASON = 11, RECORD_TAG_TRACEPARENT = 12, RECORD_TAG_CUT = 13, RECORD_TAG_SHADOW = 14, RECORD_TAG_FACTS = 15,
};

struct record_item {
	uint8_t tag;
	struct slice value;
};

/* A leaf from its parts: public is an object with ascending keys, items ascend by tag. What record_print ends in. */
MUST_USE enum err_code record_encode(struct arena *a, const struct json_value *public, const struct record_item *items,
                                     size_t items_len, struct slice *leaf, struct err *reterr);

/* a leaf taken apart */
struct record_view {
	struct slice public_json;
	const struct json_value *public;
	const struct record_item *items;
	size_t items_len;
};

/* Borrows from leaf. ERR_INVALID for a public part that does not print again to the same bytes, ERR_SYNTAX for anything
 * else that is no leaf; ERR_STRICT for a sealed one, which only its key can open. */
MUST_USE enum err_code record_parse(struct arena *a, struct slice leaf, struct record_view *ret, struct err *reterr);

/* UUIDv7 (RFC 9562): 48 bits of unix milliseconds, 74 random bits from the system. 36 characters. */
#define RID_LEN 36
void record_rid(int64_t wall_us, char ret[RID_LEN]);

#endif
