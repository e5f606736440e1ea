/* config_folder.h - a folder with a config in it, for one test: files are written into it, and it goes away at the end. */
#ifndef WEIR_TESTS_CONFIG_FOLDER_H
#define WEIR_TESTS_CONFIG_FOLDER_H

#include "base/strbuf.h"
#include "config/config.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct config_folder {
	char path[64];
	struct arena arena;              /* of findings and texts */
	struct report report;
};

static inline void folder_write(struct config_folder *f, const char *name, struct slice text, unsigned mode)
{
	char path[160];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", f->path, name);
	out = fopen(path, "wb");
	assert_non_null(out);
	assert_int_equal(fwrite(text.ptr, 1, text.len, out), text.len);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static inline void folder_mkdir(struct config_folder *f, const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", f->path, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static inline struct config_folder *folder_new(void)
{
	struct config_folder *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->path, sizeof(f->path), "/tmp/weir-config-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	arena_init(&f->arena, 16 << 20);
	report_init(&f->report, &f->arena);
	return f;
}

static inline int folder_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static inline void folder_free(struct config_folder *f)
{
	nftw(f->path, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	arena_done(&f->arena);
	free(f);
}

/* loads weir.yaml of the folder, by its absolute path */
static inline enum err_code folder_load(struct config_folder *f, struct snapshot **ret)
{
	char path[128];
	struct config_options o = { .generation = 7 };

	snprintf(path, sizeof(path), "%s/weir.yaml", f->path);
	report_init(&f->report, &f->arena);

	enum err_code rc = config_load(slice_cstr(path), &o, ret, &f->report);

	report_sort(&f->report);
	return rc;
}

/* findings as `FILE:LINE:COLUMN: error: TEXT`, one a line, with the folder's own path left out everywhere */
static inline const char *folder_findings(struct config_folder *f)
{
	struct slice own = slice_cstr(f->path), text;
	struct strbuf b, out;

	strbuf_init(&b, &f->arena, 1 << 20);
	for (size_t i = 0; i < f->report.len; i++) {
		const struct finding *x = &f->report.v[i];

		strbuf_fmt(&b, "%.*s:%u:%u: %s: %.*s\n", SLICE_ARG(x->at.file), x->at.line, x->at.column, x->is_error ? "error" : "warning",
		           SLICE_ARG(x->text));
	}
	strbuf_init(&out, &f->arena, 1 << 20);
	for (text = strbuf_slice(&b); text.len > 0; text = slice_skip(text, 1)) {
		if (slice_starts(text, own))
			text = slice_skip(text, own.len);
		else
			strbuf_char(&out, text.ptr[0]);
	}
	strbuf_char(&out, '\0');
	return out.ptr;
}

#endif
