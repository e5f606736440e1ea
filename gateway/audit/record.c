/* record.c - see record.h. The public part is one table of keys in order; the private part one list of items. */
#include "audit/record.h"

#include "audit/canon.h"
#include "audit/digest.h"
#include "audit/items.h"
#include "audit/redact.h"
#include "base/clock.h"

#include <errno.h>
#include <sys/random.h>

#define LEAF_MAGIC SLICE("WEIR1\n")
#define PUBLIC_TEXT_MAX 512      /* only a method that is none can be longer; the rest comes from config */
#define PUBLIC_USUAL 1024        /* room for it, taken at once */

/* ---- public ---- */

/* when a key is written: the bits of a record are its type and these */
enum {
	IN_DECISION = 1 << RECORD_DECISION,
	IN_OUTCOME = 1 << RECORD_OUTCOME,
	IN_ADMIN = 1 << RECORD_ADMIN,
	IN_BOOT = 1 << RECORD_BOOT,
	IN_POLICY = 1 << RECORD_POLICY,
	IN_TLS = 1 << RECORD_TLS,
	IN_GAP = 1 << RECORD_GAP,
	IN_ALL = (1 << RECORD_TYPES) - 1,
	WITH_END = 1 << 16,                      /* outcomes, and decisions that are the only record of a refusal */
	WITH_REF = 1 << 17,
	WITH_PREV = 1 << 18,
};

enum key_kind {
	KEY_TEXT, KEY_U64, KEY_I64, KEY_UNSIGNED, KEY_BOOL, /* a field of struct record */
	KEY_VERSION, KEY_ENC, KEY_TIME, KEY_TYPE, KEY_PREV, /* made from it */
};

struct key_row {
	struct slice name;
	enum key_kind kind;
	size_t field;
	unsigned when;
};

#define FIELD(f) offsetof(struct record, f)

/* HINT: to add a public key, add a row in byte order of the names; readers of old logs must do without it. */
static const struct key_row keys[] = {
	{ SLICE_INIT("be"), KEY_TEXT, FIELD(backend), IN_DECISION },
	{ SLICE_INIT("blen"), KEY_U64, FIELD(body_len), IN_DECISION },
	{ SLICE_INIT("bt"), KEY_BOOL, FIELD(body_cut), IN_DECISION },
	{ SLICE_INIT("build"), KEY_TEXT, FIELD(build), IN_BOOT },
	{ SLICE_INIT("cfg"), KEY_TEXT, FIELD(cfg), IN_DECISION | IN_POLICY },
	{ SLICE_INIT("cost"), KEY_U64, FIELD(cost), IN_DECISION },
	{ SLICE_INIT("count"), KEY_U64, FIELD(count), IN_TLS | IN_GAP },
	{ SLICE_INIT("cut"), KEY_U64, FIELD(cut), IN_BOOT },
	{ SLICE_INIT("db"), KEY_U64, FIELD(bytes_down), IN_OUTCOME },
	{ SLICE_INIT("dec"), KEY_TEXT, FIELD(dec), IN_DECISION },
	{ SLICE_INIT("dur"), KEY_TEXT, FIELD(dur), IN_DECISION },
	{ SLICE_INIT("enc"), KEY_ENC, 0, IN_ALL },
	{ SLICE_INIT("end"), KEY_TEXT, FIELD(end), WITH_END },
	{ SLICE_INIT("from"), KEY_U64, FIELD(from), IN_TLS | IN_GAP },
	{ SLICE_INIT("iid"), KEY_TEXT, FIELD(instance), IN_ALL },
	{ SLICE_INIT("m"), KEY_TEXT, FIELD(method), IN_DECISION | IN_ADMIN },
	{ SLICE_INIT("mono"), KEY_I64, FIELD(mono_us), IN_ALL },
	{ SLICE_INIT("old"), KEY_TEXT, FIELD(old_cfg), IN_POLICY },
	{ SLICE_INIT("op"), KEY_TEXT, FIELD(op), IN_DECISION | IN_ADMIN },
	{ SLICE_INIT("pol"), KEY_TEXT, FIELD(pol), IN_DECISION | IN_POLICY },
	{ SLICE_INIT("prev"), KEY_PREV, 0, WITH_PREV },
	{ SLICE_INIT("reason"), KEY_TEXT, FIELD(reason), IN_TLS | IN_GAP | IN_POLICY | IN_ADMIN },
	{ SLICE_INIT("ref"), KEY_I64, FIELD(ref), WITH_REF },
	{ SLICE_INIT("replayed"), KEY_U64, FIELD(replayed), IN_BOOT },
	{ SLICE_INIT("rid"), KEY_TEXT, FIELD(rid), IN_ALL },
	{ SLICE_INIT("route"), KEY_TEXT, FIELD(route), IN_DECISION | IN_ADMIN },
	{ SLICE_INIT("st"), KEY_UNSIGNED, FIELD(status), WITH_END | IN_ADMIN },
	{ SLICE_INIT("stage"), KEY_TEXT, FIELD(stage), IN_DECISION },
	{ SLICE_INIT("tenant"), KEY_TEXT, FIELD(tenant), IN_ALL },
	{ SLICE_INIT("to"), KEY_U64, FIELD(to), IN_TLS | IN_GAP },
	{ SLICE_INIT("ts"), KEY_TIME, 0, IN_ALL },
	{ SLICE_INIT("typ"), KEY_TYPE, 0, IN_ALL },
	{ SLICE_INIT("ub"), KEY_U64, FIELD(bytes_up), IN_OUTCOME },
	{ SLICE_INIT("us"), KEY_U64, FIELD(us), WITH_END },
	{ SLICE_INIT("us_up"), KEY_U64, FIELD(us_up), IN_OUTCOME },
	{ SLICE_INIT("v"), KEY_VERSION, 0, IN_ALL },
	{ SLICE_INIT("why"), KEY_TEXT, FIELD(why), IN_DECISION },
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

static const struct slice type_names[RECORD_TYPES] = {
	[RECORD_DECISION] = SLICE_INIT("decision"), [RECORD_OUTCOME] = SLICE_INIT("outcome"),
	[RECORD_ADMIN] = SLICE_INIT("admin"),       [RECORD_BOOT] = SLICE_INIT("boot"),
	[RECORD_POLICY] = SLICE_INIT("policy"),     [RECORD_TLS] = SLICE_INIT("tls"),
	[RECORD_GAP] = SLICE_INIT("gap"),
};

/* an object of keys while it is built, with room for the values that are made for it */
struct public_part {
	struct json_value root;
	struct json_value members[KEYS];
	struct json_value prev[3];
	char time[CLOCK_TEXT_MAX];
};

static unsigned record_bits(const struct record *r)
{
	unsigned bits = 1u << r->type;

	if (r->type == RECORD_OUTCOME || (r->type == RECORD_DECISION && r->ended))
		bits |= WITH_END;
	if (r->type == RECORD_OUTCOME && r->ref >= 0)
		bits |= WITH_REF;
	if (r->type == RECORD_BOOT && r->has_prev)
		bits |= WITH_PREV;
	return bits;
}

static struct json_value json_from_u64(struct slice key, uint64_t n)
{
	int64_t fits = n > (uint64_t)CANON_INT_MAX ? CANON_INT_MAX : (int64_t)n;

	return (struct json_value){ .type = JSON_TYPE_INT, .key = key, .integer = fits };
}

static struct json_value json_from_text(struct slice key, struct slice text)
{
	if (text.len > PUBLIC_TEXT_MAX)
		text.len = PUBLIC_TEXT_MAX;
	return (struct json_value){ .type = JSON_TYPE_TEXT, .key = key, .text = text };
}

static struct json_value json_from_prev(struct public_part *p, struct slice key, const struct record *r)
{
	p->prev[0] = json_from_text(SLICE("origin"), r->prev_origin);
	p->prev[1] = json_from_text(SLICE("root"), r->prev_root_hex);
	p->prev[2] = json_from_u64(SLICE("size"), r->prev_size);
	return (struct json_value){ .type = JSON_TYPE_OBJECT, .key = key, .items = p->prev, .len = 3 };
}

static struct json_value key_value(struct public_part *p, const struct key_row *k, const struct record *r)
{
	const void *field = (const char *)r + k->field;

	switch (k->kind) {
	case KEY_TEXT: return json_from_text(k->name, *(const struct slice *)field);
	case KEY_U64: return json_from_u64(k->name, *(const uint64_t *)field);
	case KEY_I64: return json_from_u64(k->name, (uint64_t)*(const int64_t *)field);
	case KEY_UNSIGNED: return json_from_u64(k->name, *(const unsigned *)field);
	case KEY_BOOL: return json_from_u64(k->name, *(const bool *)field);
	case KEY_VERSION: return json_from_u64(k->name, 1);
	case KEY_ENC: return json_from_text(k->name, SLICE("none"));
	case KEY_TIME: return json_from_text(k->name, slice_from(p->time, clock_print(r->wall_us, p->time)));
	case KEY_TYPE: return json_from_text(k->name, type_names[r->type]);
	case KEY_PREV: return json_from_prev(p, k->name, r);
	}
	return (struct json_value){ .type = JSON_TYPE_NULL, .key = k->name };
}

static void build_public(struct public_part *p, const struct record *r)
{
	unsigned bits = record_bits(r);
	size_t n = 0;

	for (size_t i = 0; i < KEYS; i++)
		if ((keys[i].when & bits) != 0)
			p->members[n++] = key_value(p, &keys[i], r);
	p->root = (struct json_value){ .type = JSON_TYPE_OBJECT, .items = p->members, .len = n };
}

/* ---- private ---- */

static enum err_code add_headers(struct arena *a, struct items *p, const struct record *r, struct err *reterr)
{
	size_t room = 0;

	for (size_t i = 0; i < r->headers_len; i++)
		if (redact_header_kept(r->headers[i].name))
			room += r->headers[i].name.len + 2 + r->headers[i].value.len;
	if (room == 0)
		return ERR_OK;

	struct strbuf text;

	strbuf_init(&text, a, room);
	strbuf_reserve(&text, room);     /* so that the slices below stay where they are */
	for (size_t i = 0; i < r->headers_len; i++) {
		size_t from = text.len;

		if (!redact_header_kept(r->headers[i].name))
			continue;
		strbuf_add(&text, r->headers[i].name);
		strbuf_lit(&text, ": ");
		strbuf_add(&text, r->headers[i].value);
		if (text.full)
			return err_nomem(reterr);
		items_add(p, RECORD_TAG_HEADER, slice_from(text.ptr + from, text.len - from));
	}
	return ERR_OK;
}

static enum err_code build_private(struct arena *a, struct items *p, const struct record *r, struct err *reterr)
{
	struct slice target, body;
	enum err_code rc;

	if (!items_init(p, a, 8 + r->uris_len + r->headers_len))
		return err_nomem(reterr);
	if ((rc = redact_target(a, r->redactor, r->target, &target, reterr)) != ERR_OK ||
	    (rc = redact_form(a, r->redactor, r->body, &body, reterr)) != ERR_OK)
		return rc;

	items_add(p, RECORD_TAG_SUBJECT, r->subject);
	for (size_t i = 0; i < r->uris_len; i++)
		items_add(p, RECORD_TAG_URI, r->uris[i]);
	if (r->fingerprint != NULL)
		items_add(p, RECORD_TAG_FINGERPRINT, slice_from((const char *)r->fingerprint, DIGEST_LEN));
	items_add(p, RECORD_TAG_PEER, r->peer);
	items_add(p, RECORD_TAG_TARGET, target);
	if ((rc = add_headers(a, p, r, reterr)) != ERR_OK)
		return rc;
	items_add(p, RECORD_TAG_BODY, body);
	items_add(p, RECORD_TAG_QUERY_SENT, r->query_sent);
	items_add(p, RECORD_TAG_REASON, r->reason_text);
	items_add(p, RECORD_TAG_TRACEPARENT, r->traceparent);
	return ERR_OK;
}

/* ---- leaf ---- */

static enum err_code print_public(struct arena *a, const struct json_value *public, struct slice *ret,
                                  struct err *reterr)
{
	struct strbuf text;

	strbuf_init(&text, a, LEAF_MAX);
	strbuf_reserve(&text, PUBLIC_USUAL);

	enum err_code rc = canon_print(public, &text, reterr);

	if (rc != ERR_OK)
		return rc;
	if (text.full)
		return err_nomem(reterr);
	*ret = strbuf_slice(&text);
	return ERR_OK;
}

static enum err_code join(struct arena *a, struct slice public, const struct record_item *items, size_t items_len,
                          struct slice *leaf, struct err *reterr)
{
	size_t len = LEAF_MAGIC.len + public.len + 1;
	struct strbuf out;

	for (size_t i = 0; i < items_len; i++) {
		if (i > 0 && items[i - 1].tag > items[i].tag)
			return err_set(reterr, ERR_INVALID, ERR_NOWHERE, "leaf: items must ascend by tag");
		if (items[i].value.len > LEAF_MAX || (len += ITEM_HEAD + items[i].value.len) > LEAF_MAX)
			return err_set(reterr, ERR_LIMIT, ERR_NOWHERE, "leaf: at most %d bytes", LEAF_MAX);
	}
	strbuf_init(&out, a, len);
	strbuf_reserve(&out, len);
	strbuf_add(&out, LEAF_MAGIC);
	strbuf_add(&out, public);
	strbuf_char(&out, '\n');
	for (size_t i = 0; i < items_len; i++)
		item_print(&items[i], &out);
	if (out.full)
		return err_nomem(reterr);
	*leaf = strbuf_slice(&out);
	return ERR_OK;
}

enum err_code record_encode(struct arena *a, const struct json_value *public, const struct record_item *items,
                            size_t items_len, struct slice *leaf, struct err *reterr)
{
	struct slice text;
	enum err_code rc = print_public(a, public, &text, reterr);

	return rc == ERR_OK ? join(a, text, items, items_len, leaf, reterr) : rc;
}

enum err_code record_print(struct arena *a, const struct record *record, struct slice *leaf, struct err *reterr)
{
	struct record r = *record;
	struct public_part public;
	struct items private;
	struct slice text;
	char rid[RID_LEN];
	enum err_code rc = build_private(a, &private, &r, reterr);

	if (rc != ERR_OK)
		return rc;
	if (r.rid.len == 0) {
		record_rid(r.wall_us, rid);
		r.rid = slice_from(rid, sizeof(rid));
	}
	build_public(&public, &r);
	rc = print_public(a, &public.root, &text, reterr);
	if (rc != ERR_OK)
		return rc;

	size_t budget = LEAF_MAX - LEAF_MAGIC.len - text.len - 1;

	if (private.bytes > budget) {
		r.body_cut = true;           /* one digit for another: the length of the text stays */
		build_public(&public, &r);
		if ((rc = items_fit(a, &private, r.rid, budget, reterr)) != ERR_OK ||
		    (rc = print_public(a, &public.root, &text, reterr)) != ERR_OK)
			return rc;
	}
	return join(a, text, private.list, private.len, leaf, reterr);
}

/* ---- reading ---- */

static enum err_code parse_items(struct arena *a, struct slice in, struct record_view *ret, struct err *reterr)
{
	struct record_item *items = NULL;
	size_t len = 0, cap = 0;

	while (in.len > 0) {
		const uint8_t *p = (const uint8_t *)in.ptr;

		if (in.len < ITEM_HEAD)
			return err_set(reterr, ERR_SYNTAX, ERR_NOWHERE, "leaf: an item is cut off");

		size_t value = (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];

		if (value > in.len - ITEM_HEAD)
			return err_set(reterr, ERR_SYNTAX, ERR_NOWHERE, "leaf: an item is longer than the leaf");
		if (len > 0 && items[len - 1].tag > p[0])
			return err_set(reterr, ERR_SYNTAX, ERR_NOWHERE, "leaf: items must ascend by tag");
		if (!arena_grow(a, (void **)&items, &cap, len + 1, sizeof(*items)))
			return err_nomem(reterr);
		items[len++] = (struct record_item){ p[0], slice_from(in.ptr + ITEM_HEAD, value) };
		in = slice_skip(in, ITEM_HEAD + value);
	}
	ret->items = items;
	ret->items_len = len;
	return ERR_OK;
}

/* the one text of a value: what does not print again to the same bytes was not written by us */
static enum err_code parse_public(struct arena *a, struct slice in, const struct json_value **ret, struct err *reterr)
{
	struct strbuf again;
	enum err_code rc = json_parse(a, in, ret, reterr);

	if (rc != ERR_OK)
		return rc;
	strbuf_init(&again, a, in.len);
	strbuf_reserve(&again, in.len);
	if (again.full)
		return err_nomem(reterr);
	rc = canon_print(*ret, &again, reterr);
	if (rc != ERR_OK)
		return rc;
	if (again.full || !slice_eq(strbuf_slice(&again), in) || (*ret)->type != JSON_TYPE_OBJECT)
		return err_set(reterr, ERR_INVALID, LEAF_MAGIC.len, "leaf: the public part is not canonical JSON");
	return ERR_OK;
}

enum err_code record_parse(struct arena *a, struct slice leaf, struct record_view *ret, struct err *reterr)
{
	struct record_view view = { 0 };

	if (leaf.len > LEAF_MAX || !slice_starts(leaf, LEAF_MAGIC))
		return err_set(reterr, ERR_SYNTAX, 0, "leaf: begins with WEIR1 and a newline, %d bytes at most", LEAF_MAX);

	struct slice rest = slice_skip(leaf, LEAF_MAGIC.len);
	size_t end = slice_find(rest, '\n');

	if (end == rest.len)
		return err_set(reterr, ERR_SYNTAX, leaf.len, "leaf: the public part has no end");
	view.public_json = slice_from(rest.ptr, end);

	enum err_code rc = parse_public(a, view.public_json, &view.public, reterr);

	if (rc == ERR_OK && !slice_eq(json_get_text(view.public, "enc"), SLICE("none")))
		rc = err_set(reterr, ERR_STRICT, ERR_NOWHERE, "leaf: enc is not \"none\", its key is needed to read it");
	if (rc == ERR_OK)
		rc = parse_items(a, slice_skip(rest, end + 1), &view, reterr);
	if (rc == ERR_OK)
		*ret = view;
	return rc;
}

/* ---- request ids ---- */

/* one random byte; from a block, because a system call for each id would cost more than the rest of a record */
static uint8_t random_byte(void)
{
	static _Thread_local uint8_t block[256];
	static _Thread_local size_t left;

	while (left == 0) {
		ssize_t n = getrandom(block, sizeof(block), 0);

		must(n == (ssize_t)sizeof(block) || (n < 0 && errno == EINTR));
		left = n > 0 ? (size_t)n : 0;
	}

	uint8_t b = block[--left];

	block[left] = 0;                 /* an id that was given out cannot be found in memory again */
	return b;
}

void record_rid(int64_t wall_us, char ret[RID_LEN])
{
	static const char digit[] = "0123456789abcdef";
	uint64_t ms = (uint64_t)(wall_us / 1000);
	uint8_t b[16];
	size_t at = 0;

	for (int i = 0; i < 6; i++)
		b[i] = (uint8_t)(ms >> (40 - 8 * i));
	for (int i = 6; i < 16; i++)
		b[i] = random_byte();
	b[6] = 0x70 | (b[6] & 0x0f);     /* version 7 */
	b[8] = 0x80 | (b[8] & 0x3f);     /* variant of RFC 9562 */
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			ret[at++] = '-';
		ret[at++] = digit[b[i] >> 4];
		ret[at++] = digit[b[i] & 15];
	}
}
