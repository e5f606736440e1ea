/* record_test.c - the published vector, the keys of each type, what happens to records that are too big, and what a reader refuses. */
#include "audit/record.h"

#include "audit/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define RID "01890a5d-ac96-774b-bcce-b302099a8057"
#define WALL_US 1893553445000006 /* 2030-01-02T03:04:05.000006Z */

static struct json_value text(const char *key, const char *value)
{
	return (struct json_value){ .type = JSON_TYPE_TEXT, .key = slice_cstr(key), .text = slice_cstr(value) };
}

static struct json_value number(const char *key, int64_t value)
{
	return (struct json_value){ .type = JSON_TYPE_INT, .key = slice_cstr(key), .integer = value };
}

/* SHA-256(0x00, leaf), as RFC 6962 has it */
static void leaf_hash(struct arena *a, struct slice leaf, uint8_t ret[DIGEST_LEN])
{
	struct strbuf b;

	strbuf_init(&b, a, leaf.len + 1);
	strbuf_char(&b, '\0');
	strbuf_add(&b, leaf);
	digest_sha256(strbuf_slice(&b), ret);
}

/* section 13 of the design note: encoding only, a real record has more keys */
static void test_published_vector(void **state)
{
	const struct json_value members[] = {
		text("dec", "allow"), text("enc", "none"), text("iid", "gw-a"), number("mono", 1), text("rid", RID),
		text("route", "prom.query"), text("tenant", "acme"), text("ts", "2030-01-02T03:04:05.000006Z"),
		text("typ", "decision"), number("v", 1),
	};
	const struct json_value public = { .type = JSON_TYPE_OBJECT, .items = members,
	                                   .len = sizeof(members) / sizeof(members[0]) };
	const struct record_item items[] = { { 9, SLICE("up") }, { 10, SLICE("up{tenant_id=\"acme\"}") } };
	struct arena a;
	struct slice leaf;
	struct strbuf hex;
	uint8_t hash[DIGEST_LEN];

	(void)state;
	arena_init(&a, 1 << 20);
	assert_int_equal(record_encode(&a, &public, items, 2, &leaf, NULL), ERR_OK);
	assert_int_equal(leaf.len, 229);
	leaf_hash(&a, leaf, hash);
	strbuf_init(&hex, &a, 64);
	strbuf_hex(&hex, hash, sizeof(hash));
	assert_true(slice_eq(strbuf_slice(&hex),
	                     SLICE("a07d842200b68902cf9fcdb1cedd806194924ff0025cb0f00e55a0e8d95b7405")));
	arena_done(&a);
}

static const struct slice uris[] = { SLICE_INIT("spiffe://example.org/acme/dev/ann") };
static const uint8_t fingerprint[DIGEST_LEN] = "0123456789abcdef0123456789abcde";
static const struct record_header headers[] = {
	{ SLICE_INIT("user-agent"), SLICE_INIT("grafana") },
	{ SLICE_INIT("authorization"), SLICE_INIT("Bearer SECRET") },
	{ SLICE_INIT("x-tenant-id"), SLICE_INIT("acme") },
};

static struct record decision(void)
{
	return (struct record){
		.type = RECORD_DECISION, .instance = SLICE("gw-a"), .wall_us = WALL_US, .mono_us = 7, .rid = SLICE(RID),
		.tenant = SLICE("acme"), .op = SLICE("op_aaaaaaaaaaaaaaaa"), .backend = SLICE("metrics"), .method = SLICE("GET"),
		.route = SLICE("prom.query"), .dec = SLICE("allow"), .stage = SLICE("rewrite"), .pol = SLICE("00"),
		.cfg = SLICE("11"), .dur = SLICE("strict"), .cost = 3, .body_len = 4, .ref = -1, .subject = SLICE("CN=ann"),
		.uris = uris, .uris_len = 1, .fingerprint = fingerprint, .peer = SLICE("192.0.2.1:5"),
		.target = SLICE("/api/v1/query?query=up&token=SECRET"), .headers = headers, .headers_len = 3,
		.body = SLICE("password=SECRET"), .query_sent = SLICE("up{tenant_id=\"acme\"}"), .reason_text = SLICE("fine"),
		.traceparent = SLICE("00-01-02-03"),
	};
}

#define COMMON .instance = SLICE_INIT("gw-a"), .wall_us = WALL_US, .rid = SLICE_INIT(RID)
#define DECIDED                                                                                                        \
	.type = RECORD_DECISION, COMMON, .mono_us = 7, .tenant = SLICE_INIT("acme"), .op = SLICE_INIT("op_aaaaaaaaaaaaaaaa"), \
	.backend = SLICE_INIT("metrics"), .route = SLICE_INIT("prom.query"), .stage = SLICE_INIT("rewrite"),                \
	.pol = SLICE_INIT("00"), .cfg = SLICE_INIT("11"), .dur = SLICE_INIT("strict"), .body_len = 4
#define COMMON_TAIL "\"tenant\":\"acme\",\"ts\":\"2030-01-02T03:04:05.000006Z\""

static const struct {
	const char *name;
	struct record record;
	const char *want;
} public_rows[] = {
	{ "decision", { DECIDED, .method = SLICE_INIT("GET"), .dec = SLICE_INIT("allow"), .cost = 3 },
	  "{\"be\":\"metrics\",\"blen\":4,\"bt\":0,\"cfg\":\"11\",\"cost\":3,\"dec\":\"allow\",\"dur\":\"strict\","
	  "\"enc\":\"none\",\"iid\":\"gw-a\",\"m\":\"GET\",\"mono\":7,\"op\":\"op_aaaaaaaaaaaaaaaa\",\"pol\":\"00\","
	  "\"rid\":\"" RID "\",\"route\":\"prom.query\",\"stage\":\"rewrite\"," COMMON_TAIL ",\"typ\":\"decision\","
	  "\"v\":1,\"why\":\"\"}" },
	{ "refused decision",
	  { DECIDED, .method = SLICE_INIT("GET"), .dec = SLICE_INIT("deny"), .cost = 3, .ended = true, .status = 403,
	    .us = 9, .end = SLICE_INIT("refused") },
	  "{\"be\":\"metrics\",\"blen\":4,\"bt\":0,\"cfg\":\"11\",\"cost\":3,\"dec\":\"deny\",\"dur\":\"strict\","
	  "\"enc\":\"none\",\"end\":\"refused\",\"iid\":\"gw-a\",\"m\":\"GET\",\"mono\":7,"
	  "\"op\":\"op_aaaaaaaaaaaaaaaa\",\"pol\":\"00\",\"rid\":\"" RID "\",\"route\":\"prom.query\",\"st\":403,"
	  "\"stage\":\"rewrite\"," COMMON_TAIL ",\"typ\":\"decision\",\"us\":9,\"v\":1,\"why\":\"\"}" },
	{ "hostile method, cost beyond 2^53",
	  { DECIDED, .method = SLICE_INIT("G\n\"\xff"), .dec = SLICE_INIT("allow"), .cost = UINT64_MAX },
	  "{\"be\":\"metrics\",\"blen\":4,\"bt\":0,\"cfg\":\"11\",\"cost\":9007199254740991,\"dec\":\"allow\","
	  "\"dur\":\"strict\",\"enc\":\"none\",\"iid\":\"gw-a\",\"m\":\"G\\n\\\"\xef\xbf\xbd\",\"mono\":7,"
	  "\"op\":\"op_aaaaaaaaaaaaaaaa\",\"pol\":\"00\",\"rid\":\"" RID "\",\"route\":\"prom.query\","
	  "\"stage\":\"rewrite\"," COMMON_TAIL ",\"typ\":\"decision\",\"v\":1,\"why\":\"\"}" },
	{ "outcome",
	  { .type = RECORD_OUTCOME, COMMON, .mono_us = 7, .tenant = SLICE_INIT("acme"),
	    .ref = 41, .status = 200, .bytes_up = 1, .bytes_down = 2, .us_up = 3, .us = 4,
	    .end = SLICE_INIT("ok") },
	  "{\"db\":2,\"enc\":\"none\",\"end\":\"ok\",\"iid\":\"gw-a\",\"mono\":7,\"ref\":41,\"rid\":\"" RID "\","
	  "\"st\":200," COMMON_TAIL ",\"typ\":\"outcome\",\"ub\":1,\"us\":4,\"us_up\":3,\"v\":1}" },
	{ "outcome whose decision has no known index",
	  { .type = RECORD_OUTCOME, COMMON, .mono_us = 7, .tenant = SLICE_INIT("acme"),
	    .ref = -1, .status = 502, .end = SLICE_INIT("reset") },
	  "{\"db\":0,\"enc\":\"none\",\"end\":\"reset\",\"iid\":\"gw-a\",\"mono\":7,\"rid\":\"" RID "\",\"st\":502,"
	  COMMON_TAIL ",\"typ\":\"outcome\",\"ub\":0,\"us\":0,\"us_up\":0,\"v\":1}" },
	{ "first boot",
	  { .type = RECORD_BOOT, COMMON, .build = SLICE_INIT("0.1") },
	  "{\"build\":\"0.1\",\"cut\":0,\"enc\":\"none\",\"iid\":\"gw-a\",\"mono\":0,\"replayed\":0,\"rid\":\"" RID "\","
	  "\"tenant\":\"\",\"ts\":\"2030-01-02T03:04:05.000006Z\",\"typ\":\"boot\",\"v\":1}" },
	{ "later boot",
	  { .type = RECORD_BOOT, COMMON, .build = SLICE_INIT("0.1"),
	    .replayed = 5, .cut = 6, .has_prev = true, .prev_origin = SLICE_INIT("h/audit/gw-a/2030"),
	    .prev_root_hex = SLICE_INIT("ab"), .prev_size = 5 },
	  "{\"build\":\"0.1\",\"cut\":6,\"enc\":\"none\",\"iid\":\"gw-a\",\"mono\":0,"
	  "\"prev\":{\"origin\":\"h/audit/gw-a/2030\",\"root\":\"ab\",\"size\":5},\"replayed\":5,\"rid\":\"" RID "\","
	  "\"tenant\":\"\",\"ts\":\"2030-01-02T03:04:05.000006Z\",\"typ\":\"boot\",\"v\":1}" },
	{ "tls",
	  { .type = RECORD_TLS, COMMON, .from = 1, .to = 2,
	    .count = 3, .reason = SLICE_INIT("no certificate") },
	  "{\"count\":3,\"enc\":\"none\",\"from\":1,\"iid\":\"gw-a\",\"mono\":0,\"reason\":\"no certificate\","
	  "\"rid\":\"" RID "\",\"tenant\":\"\",\"to\":2,\"ts\":\"2030-01-02T03:04:05.000006Z\",\"typ\":\"tls\",\"v\":1}" },
	{ "policy",
	  { .type = RECORD_POLICY, COMMON, .cfg = SLICE_INIT("22"),
	    .old_cfg = SLICE_INIT("11"), .pol = SLICE_INIT("33"), .reason = SLICE_INIT("reload") },
	  "{\"cfg\":\"22\",\"enc\":\"none\",\"iid\":\"gw-a\",\"mono\":0,\"old\":\"11\",\"pol\":\"33\","
	  "\"reason\":\"reload\",\"rid\":\"" RID "\",\"tenant\":\"\",\"ts\":\"2030-01-02T03:04:05.000006Z\","
	  "\"typ\":\"policy\",\"v\":1}" },
	{ "admin",
	  { .type = RECORD_ADMIN, COMMON, .method = SLICE_INIT("POST"),
	    .route = SLICE_INIT("admin.reload"), .status = 200 },
	  "{\"enc\":\"none\",\"iid\":\"gw-a\",\"m\":\"POST\",\"mono\":0,\"op\":\"\",\"reason\":\"\",\"rid\":\"" RID "\","
	  "\"route\":\"admin.reload\",\"st\":200,\"tenant\":\"\",\"ts\":\"2030-01-02T03:04:05.000006Z\","
	  "\"typ\":\"admin\",\"v\":1}" },
	{ "gap",
	  { .type = RECORD_GAP, COMMON, .from = 5, .to = 7,
	    .count = 2, .reason = SLICE_INIT("damage") },
	  "{\"count\":2,\"enc\":\"none\",\"from\":5,\"iid\":\"gw-a\",\"mono\":0,\"reason\":\"damage\",\"rid\":\"" RID "\","
	  "\"tenant\":\"\",\"to\":7,\"ts\":\"2030-01-02T03:04:05.000006Z\",\"typ\":\"gap\",\"v\":1}" },
};

static void test_public_keys(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < sizeof(public_rows) / sizeof(public_rows[0]); i++) {
		struct record_view view;
		struct slice leaf;
		struct err e;

		if (record_print(&a, &public_rows[i].record, &leaf, &e) != ERR_OK || record_parse(&a, leaf, &view, &e) != ERR_OK)
			fail_msg("%s: %s", public_rows[i].name, e.text);
		if (!slice_eq(view.public_json, slice_cstr(public_rows[i].want)))
			fail_msg("%s: got %.*s", public_rows[i].name, SLICE_ARG(view.public_json));
	}
	arena_done(&a);
}

static void test_private_items(void **state)
{
	static const struct record_item want[] = {
		{ RECORD_TAG_SUBJECT, SLICE_INIT("CN=ann") },
		{ RECORD_TAG_URI, SLICE_INIT("spiffe://example.org/acme/dev/ann") },
		{ RECORD_TAG_FINGERPRINT, { (const char *)fingerprint, sizeof(fingerprint) } },
		{ RECORD_TAG_PEER, SLICE_INIT("192.0.2.1:5") },
		{ RECORD_TAG_TARGET, SLICE_INIT("/api/v1/query?query=up&token=[r:token:6]") },
		{ RECORD_TAG_HEADER, SLICE_INIT("user-agent: grafana") },
		{ RECORD_TAG_HEADER, SLICE_INIT("x-tenant-id: acme") },
		{ RECORD_TAG_BODY, SLICE_INIT("password=[r:password:6]") },
		{ RECORD_TAG_QUERY_SENT, SLICE_INIT("up{tenant_id=\"acme\"}") },
		{ RECORD_TAG_REASON, SLICE_INIT("fine") },
		{ RECORD_TAG_TRACEPARENT, SLICE_INIT("00-01-02-03") },
	};
	struct record r = decision();
	struct record_view view;
	struct slice leaf;
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	assert_int_equal(record_print(&a, &r, &leaf, NULL), ERR_OK);
	assert_null(memmem(leaf.ptr, leaf.len, "SECRET", 6));
	assert_int_equal(record_parse(&a, leaf, &view, NULL), ERR_OK);
	assert_int_equal(view.items_len, sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < view.items_len; i++)
		if (view.items[i].tag != want[i].tag || !slice_eq(view.items[i].value, want[i].value))
			fail_msg("item %zu: tag %u, %.*s", i, view.items[i].tag, SLICE_ARG(view.items[i].value));
	arena_done(&a);
}

static struct slice filled(struct arena *a, char c, size_t len)
{
	char *p = arena_alloc(a, len);

	assert_non_null(p);
	memset(p, c, len);
	return slice_from(p, len);
}

static const struct record_item *item_of(const struct record_view *v, uint8_t tag)
{
	for (size_t i = 0; i < v->items_len; i++)
		if (v->items[i].tag == tag)
			return &v->items[i];
	return NULL;
}

/* the cut item says what was cut, how long it was and its digest */
static void assert_cut(const struct record_item *cut, uint8_t tag, struct slice whole)
{
	uint8_t mac[DIGEST_LEN];
	const uint8_t *p = (const uint8_t *)cut->value.ptr;

	assert_int_equal(cut->tag, RECORD_TAG_CUT);
	assert_int_equal(cut->value.len, 5 + DIGEST_LEN);
	assert_int_equal(p[0], tag);
	assert_int_equal((size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4], whole.len);
	digest_hmac(SLICE(RID), whole, mac);
	assert_memory_equal(p + 5, mac, sizeof(mac));
}

static void test_big_body_is_cut(void **state)
{
	struct record r = decision();
	struct record_view view;
	struct slice leaf;
	struct arena a;

	(void)state;
	arena_init(&a, 16 << 20);
	r.body = filled(&a, 'b', 1 << 20);
	assert_int_equal(record_print(&a, &r, &leaf, NULL), ERR_OK);
	assert_int_equal(leaf.len, LEAF_MAX);
	assert_int_equal(record_parse(&a, leaf, &view, NULL), ERR_OK);
	assert_int_equal(json_get(view.public, "bt")->integer, 1);
	assert_cut(&view.items[view.items_len - 1], RECORD_TAG_BODY, r.body);
	assert_int_equal(item_of(&view, RECORD_TAG_TARGET)->value.len, strlen("/api/v1/query?query=up&token=[r:token:6]"));
	arena_done(&a);
}

/* the largest request head there can be fits as it is, next to its query */
static void test_largest_head_fits(void **state)
{
	struct record r = decision();
	struct record_header h[4];
	struct record_view view;
	struct slice leaf;
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < 4; i++)
		h[i] = (struct record_header){ SLICE("user-agent"), filled(&a, 'h', 8192) };
	r.headers = h;
	r.headers_len = 4;
	r.target = filled(&a, 't', 8192);
	r.query_sent = filled(&a, 'q', 16384);
	assert_int_equal(record_print(&a, &r, &leaf, NULL), ERR_OK);
	assert_int_equal(record_parse(&a, leaf, &view, NULL), ERR_OK);
	assert_int_equal(json_get(view.public, "bt")->integer, 0);
	assert_null(item_of(&view, RECORD_TAG_CUT));
	arena_done(&a);
}

static void test_flood_of_headers_is_left_out(void **state)
{
	enum { FLOOD = 4000 };
	struct record r = decision();
	struct record_header *h;
	struct record_view view;
	struct slice leaf;
	struct arena a;
	size_t kept = 0;

	(void)state;
	arena_init(&a, 16 << 20);
	h = ARENA_ARRAY(&a, FLOOD, struct record_header);
	assert_non_null(h);
	for (size_t i = 0; i < FLOOD; i++)
		h[i] = (struct record_header){ SLICE("user-agent"), SLICE("x") };
	r.headers = h;
	r.headers_len = FLOOD;
	assert_int_equal(record_print(&a, &r, &leaf, NULL), ERR_OK);
	assert_int_equal(record_parse(&a, leaf, &view, NULL), ERR_OK);
	for (size_t i = 0; i < view.items_len; i++)
		kept += view.items[i].tag == RECORD_TAG_HEADER;
	assert_in_range(kept, 3500, FLOOD - 1);

	/* the digest is over the items left out, so that they can be checked against a copy */
	struct strbuf whole;

	strbuf_init(&whole, &a, 1 << 20);
	for (size_t i = kept; i < FLOOD; i++)
		strbuf_add(&whole, slice_from("\x06\0\0\0\x0duser-agent: x", 5 + 13));
	assert_cut(&view.items[view.items_len - 1], RECORD_TAG_HEADER, strbuf_slice(&whole));
	arena_done(&a);
}

/* all that a client or a config can make long at once: there is no record that cannot be printed */
static void test_worst_record_is_printed(void **state)
{
	struct record r = decision();
	struct slice *many;
	struct record_header *h;
	struct record_view view;
	struct slice leaf;
	struct arena a;

	(void)state;
	arena_init(&a, 64 << 20);
	many = ARENA_ARRAY(&a, 1000, struct slice);
	h = ARENA_ARRAY(&a, 1000, struct record_header);
	assert_true(many != NULL && h != NULL);
	for (size_t i = 0; i < 1000; i++) {
		many[i] = filled(&a, 'u', 900 + i);
		h[i] = (struct record_header){ SLICE("user-agent"), filled(&a, 'h', 4000 - i) };
	}
	r.uris = many;
	r.headers = h;
	r.uris_len = r.headers_len = 1000;
	r.ended = true;
	r.tenant = r.op = r.backend = r.method = r.route = r.dec = r.why = r.stage = r.pol = r.cfg = r.dur = r.end =
		r.instance = filled(&a, '\1', 8192);
	r.subject = r.peer = r.target = r.body = r.query_sent = r.reason_text = r.traceparent = filled(&a, 'x', 70000);
	assert_int_equal(record_print(&a, &r, &leaf, NULL), ERR_OK);
	assert_int_equal(record_parse(&a, leaf, &view, NULL), ERR_OK);
	assert_int_equal(json_get(view.public, "bt")->integer, 1);
	arena_done(&a);
}

static void test_memory_fails_at_each_step(void **state)
{
	struct record r = decision();
	enum err_code rc;
	long fail_in = 0;
	static char big[200000];

	(void)state;
	memset(big, 'b', sizeof(big));
	r.body = slice_from(big, sizeof(big));
	do {
		struct record_view view;
		struct slice leaf;
		struct arena a;

		arena_init(&a, 16 << 20);
		a.fail_in = ++fail_in;
		rc = record_print(&a, &r, &leaf, NULL);
		if (rc == ERR_OK)
			rc = record_parse(&a, leaf, &view, NULL);
		assert_true(rc == ERR_OK || rc == ERR_NOMEM);
		arena_done(&a);
	} while (rc != ERR_OK);
	assert_true(fail_in > 8);
}

static void test_parse_refuses(void **state)
{
#define HEAD "WEIR1\n"
	static const struct {
		const char *name;
		struct slice leaf;
		enum err_code want;
	} rows[] = {
		{ "smallest", SLICE_INIT(HEAD "{\"enc\":\"none\"}\n"), ERR_OK },
		{ "unknown tag is kept", SLICE_INIT(HEAD "{\"enc\":\"none\"}\n\xff\0\0\0\0"), ERR_OK },
		{ "empty", SLICE_INIT(""), ERR_SYNTAX },
		{ "other magic", SLICE_INIT("WEIR2\n{\"enc\":\"none\"}\n"), ERR_SYNTAX },
		{ "no end of the public part", SLICE_INIT(HEAD "{\"enc\":\"none\"}"), ERR_SYNTAX },
		{ "blank in the public part", SLICE_INIT(HEAD "{\"enc\": \"none\"}\n"), ERR_INVALID },
		{ "needless escape", SLICE_INIT(HEAD "{\"enc\":\"\\u006eone\"}\n"), ERR_INVALID },
		{ "keys out of order", SLICE_INIT(HEAD "{\"enc\":\"none\",\"a\":1}\n"), ERR_INVALID },
		{ "real number", SLICE_INIT(HEAD "{\"a\":1.5,\"enc\":\"none\"}\n"), ERR_INVALID },
		{ "doubled key", SLICE_INIT(HEAD "{\"enc\":\"none\",\"enc\":\"none\"}\n"), ERR_SYNTAX },
		{ "not JSON", SLICE_INIT(HEAD "{\n"), ERR_SYNTAX },
		{ "a list", SLICE_INIT(HEAD "[]\n"), ERR_INVALID },
		{ "sealed", SLICE_INIT(HEAD "{\"enc\":\"a256gcm\"}\n"), ERR_STRICT },
		{ "no enc", SLICE_INIT(HEAD "{}\n"), ERR_STRICT },
		{ "half an item head", SLICE_INIT(HEAD "{\"enc\":\"none\"}\n\1\0\0\0"), ERR_SYNTAX },
		{ "item longer than the leaf", SLICE_INIT(HEAD "{\"enc\":\"none\"}\n\1\0\0\0\2x"), ERR_SYNTAX },
		{ "item of 4 GiB", SLICE_INIT(HEAD "{\"enc\":\"none\"}\n\1\xff\xff\xff\xffx"), ERR_SYNTAX },
		{ "tags out of order", SLICE_INIT(HEAD "{\"enc\":\"none\"}\n\2\0\0\0\0\1\0\0\0\0"), ERR_SYNTAX },
	};
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct record_view view;
		enum err_code rc = record_parse(&a, rows[i].leaf, &view, NULL);

		if (rc != rows[i].want)
			fail_msg("%s: code %d", rows[i].name, rc);
	}
	arena_done(&a);
}

/* each leaf that is one byte short, or has one byte changed in its head, parses to the same text or is refused */
static void test_parse_survives_cut_leaves(void **state)
{
	struct record r = decision();
	struct slice leaf;
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	assert_int_equal(record_print(&a, &r, &leaf, NULL), ERR_OK);
	for (size_t n = 0; n < leaf.len; n++) {
		struct record_view view;
		struct arena b;
		char *exact = malloc(n + 1);     /* so that a byte read behind the end is seen */

		assert_non_null(exact);
		memcpy(exact, leaf.ptr, n);
		exact = realloc(exact, n > 0 ? n : 1);
		arena_init(&b, 1 << 20);
		(void)!record_parse(&b, slice_from(exact, n), &view, NULL);
		arena_done(&b);
		free(exact);
	}
	arena_done(&a);
}

static void test_request_ids(void **state)
{
	enum { IDS = 2000 };
	static char ids[IDS][RID_LEN];

	(void)state;
	for (size_t i = 0; i < IDS; i++) {
		record_rid(WALL_US, ids[i]);
		assert_memory_equal(ids[i], "01b8", 4);
		assert_memory_equal(ids[i], ids[0], 13);     /* the milliseconds */
		assert_int_equal(ids[i][14], '7');
		assert_non_null(strchr("89ab", ids[i][19]));
		for (size_t k = 0; k < RID_LEN; k++)
			assert_non_null(strchr(k == 8 || k == 13 || k == 18 || k == 23 ? "-" : "0123456789abcdef", ids[i][k]));
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(ids[i], ids[k], RID_LEN);
	}
}

static void test_record_without_rid_gets_one(void **state)
{
	struct record r = decision();
	struct record_view view;
	struct slice leaf;
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	r.rid = SLICE("");
	assert_int_equal(record_print(&a, &r, &leaf, NULL), ERR_OK);
	assert_int_equal(record_parse(&a, leaf, &view, NULL), ERR_OK);
	assert_int_equal(json_get_text(view.public, "rid").len, RID_LEN);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published_vector),
		cmocka_unit_test(test_public_keys),
		cmocka_unit_test(test_private_items),
		cmocka_unit_test(test_big_body_is_cut),
		cmocka_unit_test(test_largest_head_fits),
		cmocka_unit_test(test_flood_of_headers_is_left_out),
		cmocka_unit_test(test_worst_record_is_printed),
		cmocka_unit_test(test_memory_fails_at_each_step),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_parse_survives_cut_leaves),
		cmocka_unit_test(test_request_ids),
		cmocka_unit_test(test_record_without_rid_gets_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
