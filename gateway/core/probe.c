/* probe.c - see probe.h. */
#include "core/probe.h"

#include "core/outbound.h"

#include <stdlib.h>

#define AGAIN_MS 60000
#define AGAIN_FAILED_MS 5000
#define BODY_MAX ((size_t)64 * 1024)

struct probe {
	struct probe_set *set;
	const struct backend *backend;
	struct arena arena;              /* of the question under way */
	struct upstream_call *call;
	unsigned status;
	struct strbuf body;
	int64_t next_ms;
	struct arena kept_arena;         /* of the last good answer */
	struct slice kept;
};

struct probe_set {
	struct core_ports ports;
	size_t len;
	struct probe probes[];
};

struct probe_set *probe_set_new(const struct core_ports *ports, const struct snapshot *snap)
{
	struct probe_set *p = calloc(1, sizeof(*p) + snap->backends_len * sizeof(p->probes[0]));

	if (p == NULL)
		return NULL;
	p->ports = *ports;
	p->len = snap->backends_len;
	for (size_t i = 0; i < p->len; i++) {
		p->probes[i] = (struct probe){ .set = p, .backend = &snap->backends[i] };
		arena_init(&p->probes[i].arena, BODY_MAX * 4);
		arena_init(&p->probes[i].kept_arena, BODY_MAX * 4);
	}
	return p;
}

struct probe_set *probe_set_free(struct probe_set *p)
{
	if (p == NULL)
		return NULL;
	for (size_t i = 0; i < p->len; i++) {
		if (p->probes[i].call != NULL)
			p->ports.up.cancel(p->probes[i].call);
		arena_done(&p->probes[i].arena);
		arena_done(&p->probes[i].kept_arena);
	}
	free(p);
	return NULL;
}

static void on_head(void *ctx, unsigned status, const struct header *headers, size_t len, int64_t content_length)
{
	struct probe *p = ctx;

	(void)headers, (void)len, (void)content_length;
	p->status = status;
}

static void on_body(void *ctx, struct slice bytes)
{
	strbuf_add(&((struct probe *)ctx)->body, bytes);
}

static void over(struct probe *p, int64_t again_ms)
{
	p->call = NULL;
	arena_done(&p->arena);
	p->next_ms = clock_mono_ms(p->set->ports.clock) + again_ms;
}

static void on_done(void *ctx)
{
	struct probe *p = ctx;
	bool good = p->status == 200 && !p->body.full && slice_starts(strbuf_slice(&p->body), SLICE("{"));

	if (good) {
		arena_done(&p->kept_arena);
		if (!arena_dup(&p->kept_arena, strbuf_slice(&p->body), &p->kept))
			p->kept = (struct slice){ NULL, 0 };
	}
	over(p, good ? AGAIN_MS : AGAIN_FAILED_MS);
}

static void on_failed(void *ctx, enum upstream_fault why, const char *detail)
{
	(void)why, (void)detail;
	over(ctx, AGAIN_FAILED_MS);
}

void probe_tick(struct probe_set *p)
{
	static const struct upstream_events events = { on_head, on_body, on_done, on_failed };
	int64_t now = clock_mono_ms(p->ports.clock);

	for (size_t i = 0; i < p->len; i++) {
		struct probe *one = &p->probes[i];
		struct outbound *o;

		if (one->call != NULL || now < one->next_ms)
			continue;
		one->status = 0;
		strbuf_init(&one->body, &one->arena, BODY_MAX);
		if (outbound_probe(&one->arena, one->backend, SLICE("/api/v1/status/buildinfo"), &o, NULL) == ERR_OK)
			one->call = p->ports.up.start(p->ports.up.ctx, o, &events, one);
		if (one->call == NULL)
			over(one, AGAIN_FAILED_MS);
	}
}

struct slice probe_buildinfo(const struct probe_set *p, size_t backend)
{
	return p != NULL && backend < p->len ? p->probes[backend].kept : (struct slice){ NULL, 0 };
}
