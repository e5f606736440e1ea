/* config.c - see config.h. */
#include "config/config.h"

#include "audit/digest.h"
#include "config/edge.h"
#include "config/files.h"
#include "config/load.h"
#include "config/settings.h"
#include "config/stores.h"
#include "config/tenants_folder.h"

#define SNAPSHOT_MAX ((size_t)512 << 20)
#define SCRATCH_MAX ((size_t)1 << 30)
#define MANIFEST_MAX ((size_t)8 << 20)

/* ---- one file ---- */

/* length, name, SHA-256 of the bytes: no two lists of files print alike */
static void add_to_manifest(struct load *l, struct slice name, struct slice bytes)
{
	uint8_t digest[DIGEST_LEN];
	uint8_t len[4] = { (uint8_t)(name.len >> 24), (uint8_t)(name.len >> 16), (uint8_t)(name.len >> 8), (uint8_t)name.len };

	digest_sha256(bytes, digest);
	strbuf_add(&l->manifest, slice_from((const char *)len, sizeof(len)));
	strbuf_add(&l->manifest, name);
	strbuf_add(&l->manifest, slice_from((const char *)digest, sizeof(digest)));
	l->no_memory |= l->manifest.full;
}

/* the file's bytes, in the manifest, or why not */
static enum err_code read_bytes(struct load *l, struct slice path, struct slice shown, struct slice name, struct slice *bytes)
{
	struct err e;
	unsigned mode = 0;
	enum err_code rc = files_read(&l->scratch, path, YAML_BYTES_MAX, bytes, &mode, &e);

	l->no_memory |= rc == ERR_NOMEM;
	if (rc != ERR_OK) {
		report_error(l->report, (struct place){ .file = shown }, "%s", e.text);
		return rc;
	}
	if ((mode & 02) != 0)
		report_warning(l->report, (struct place){ .file = shown }, "everybody on this machine may change this file (mode %03o)", mode);
	add_to_manifest(l, name, *bytes);
	return ERR_OK;
}

const struct yaml_node *load_yaml(struct load *l, struct slice path, struct slice shown, struct slice name)
{
	struct slice bytes;

	return read_bytes(l, path, shown, name, &bytes) == ERR_OK ? yaml_parse(&l->scratch, shown, bytes, l->report) : NULL;
}

/* ---- weir.yaml ---- */

/* the folder of tenants as findings name it: beside the path that weir.yaml was given by */
static bool shown_folder(struct load *l, struct slice config_path, struct slice text, struct slice *ret)
{
	struct slice folder = files_folder(config_path);

	if (folder.len == 0)
		return arena_dup(l->report->arena, files_trim(text), ret);
	return files_absolute(l->report->arena, folder, text, ret);
}

static void read_tenants(struct load *l, const struct section *root, struct slice config_path, const struct limits_frame *frame)
{
	size_t before = l->report->errors;
	struct slice folder = read_path(root, KEY_WEIR_TENANTS), shown;

	if (folder.len == 0 || l->report->errors > before)
		return;
	if (shown_folder(l, config_path, yaml_get(root->map, SLICE("tenants"))->text, &shown))
		tenants_read(l, root->rd, folder, shown, place_of(root, KEY_WEIR_TENANTS), frame);
	else
		l->no_memory = true;
}

static void read_weir(struct load *l, struct slice config_path, struct slice folder, const struct yaml_node *node)
{
	struct reader rd = { .arena = &l->snap->arena, .report = l->report, .folder = folder };
	struct limits_frame frame;
	struct section root;

	if (!reader_is_map(&rd, node, "weir.yaml"))
		return;
	root = section_of(&rd, node, SHAPE_WEIR);
	edge_read(&root, l->snap);
	settings_read(&root, l->snap, &frame);
	stores_read(&root, l->snap);
	read_path(&root, KEY_WEIR_POLICIES);             /* must be there when it is named; nothing reads it yet */
	read_tenants(l, &root, config_path, &frame);
	l->no_memory |= rd.no_memory;
}

static void finish(struct load *l)
{
	struct strbuf hex;
	struct arena a;

	digest_sha256(strbuf_slice(&l->manifest), l->snap->hash);
	arena_init(&a, 4096);
	strbuf_init(&hex, &a, 64);
	strbuf_hex(&hex, l->snap->hash, sizeof(l->snap->hash));
	if (hex.full)
		l->no_memory = true;
	else
		memcpy(l->snap->hash_hex, hex.ptr, 64);
	arena_done(&a);
}

/* reads everything into l; the code is that of weir.yaml itself */
static enum err_code load_all(struct load *l, struct slice path)
{
	struct slice folder, absolute, shown, bytes;
	struct err e;
	enum err_code rc = files_absolute_folder(&l->scratch, path, &folder, &e);
	const struct yaml_node *root;

	if (rc == ERR_IO)
		report_error(l->report, (struct place){ .file = path }, "%s", e.text);
	if (rc != ERR_OK)
		return rc;
	if (!arena_dup(l->report->arena, path, &shown) || !files_absolute(&l->scratch, folder, files_name(path), &absolute))
		return ERR_NOMEM;
	rc = read_bytes(l, absolute, shown, SLICE("weir.yaml"), &bytes);
	if (rc != ERR_OK)
		return rc;
	root = yaml_parse(&l->scratch, shown, bytes, l->report);
	if (root != NULL)
		read_weir(l, shown, folder, root);
	if (!l->no_memory && l->report->errors == 0)
		finish(l);
	return l->no_memory ? ERR_NOMEM : l->report->errors > 0 ? ERR_INVALID : ERR_OK;
}

enum err_code config_load(struct slice path, const struct config_options *o, struct snapshot **ret, struct report *r)
{
	struct load l = { .report = r, .snap = snapshot_new(SNAPSHOT_MAX) };
	enum err_code rc = ERR_NOMEM;

	arena_init(&l.scratch, SCRATCH_MAX);
	l.scratch.fail_in = o->fail_in;
	strbuf_init(&l.manifest, &l.scratch, MANIFEST_MAX);
	if (l.snap != NULL) {
		l.snap->arena.fail_in = o->fail_in;
		l.snap->generation = o->generation;
		rc = load_all(&l, path);
		l.snap->arena.fail_in = 0;
	}
	arena_done(&l.scratch);
	if (rc == ERR_NOMEM)
		report_error(r, (struct place){ .file = path }, "not enough memory to load the configuration");
	if (rc == ERR_OK)
		*ret = l.snap;
	else
		snapshot_unref(l.snap);
	return rc;
}
