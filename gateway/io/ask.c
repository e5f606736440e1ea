/* ask.c - see ask.h. */
#include "io/ask.h"

#include "base/json.h"
#include "core/outbound.h"
#include "io/http_client.h"

#include <h2o/socket.h>
#include <stdio.h>

#define BODY_MAX ((size_t)64 * 1024)
#define TEXT_MAX 256

/* one backend that has been asked */
struct asked {
	struct asking *all;
	const struct backend *backend;
	struct upstream_call *call;      /* NULL when it is over */
	unsigned status;
	struct strbuf body;
};

struct asking {
	struct arena arena;
	ask_answered *answered;
	void *ctx;
	struct upstream_port up;
	struct asked *list;
	size_t len, open;
};

/* text may quote the backend: control bytes become blanks, for it goes to a terminal */
static void over(struct asked *a, bool fine, const char *text)
{
	char clean[TEXT_MAX];

	snprintf(clean, sizeof(clean), "%s", text);
	for (char *p = clean; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	a->call = NULL;
	a->all->open--;
	a->all->answered(a->all->ctx, a->backend, fine, clean);
}

static void on_head(void *ctx, unsigned status, const struct header *headers, size_t len, int64_t content_length)
{
	(void)headers, (void)len, (void)content_length;
	((struct asked *)ctx)->status = status;
}

static void on_body(void *ctx, struct slice bytes)
{
	strbuf_add(&((struct asked *)ctx)->body, bytes);
}

static void on_done(void *ctx)
{
	struct asked *a = ctx;
	const struct json_value *answer = NULL;
	char text[TEXT_MAX];
	bool fine = a->status == 200 && !a->body.full && json_parse(&a->all->arena, strbuf_slice(&a->body), &answer, NULL) == ERR_OK;
	struct slice version = json_get_text(json_get(answer, "data"), "version");

	fine = fine && version.len > 0;
	if (fine)
		snprintf(text, sizeof(text), "version %.*s", SLICE_ARG(version));
	else
		snprintf(text, sizeof(text), "answers with status %u and no build information", a->status);
	over(a, fine, text);
}

static void on_failed(void *ctx, enum upstream_fault why, const char *detail)
{
	char text[TEXT_MAX];
	const char *what = NULL;

	switch (why) {
	case UPSTREAM_CONNECT: what = "cannot be reached"; break;
	case UPSTREAM_BUSY: what = "cannot be asked"; break;
	case UPSTREAM_TIMEOUT: what = "does not answer in time"; break;
	case UPSTREAM_NONSENSE: what = "does not speak HTTP"; break;
	}
	snprintf(text, sizeof(text), "%s: %s", what, detail);
	over(ctx, false, text);
}

static void ask_one(struct asking *all, struct asked *a)
{
	static const struct upstream_events events = { on_head, on_body, on_done, on_failed };
	struct outbound *o;

	strbuf_init(&a->body, &all->arena, BODY_MAX);
	all->open++;
	if (outbound_probe(&all->arena, a->backend, SLICE("/api/v1/status/buildinfo"), &o, NULL) == ERR_OK)
		a->call = all->up.start(all->up.ctx, o, &events, a);
	if (a->call == NULL)
		over(a, false, "cannot be asked: not enough memory");
}

static void wait_for_all(struct asking *all, h2o_loop_t *loop, struct http_client *client, int64_t timeout_ms)
{
	int64_t until = clock_mono_ms(clock_system()) + timeout_ms;

	while (all->open > 0 && clock_mono_ms(clock_system()) < until) {
		h2o_evloop_run(loop, 50);
		http_client_tick(client);
	}
	for (size_t i = 0; i < all->len; i++) {
		if (all->list[i].call == NULL)
			continue;
		all->up.cancel(all->list[i].call);
		over(&all->list[i], false, "does not answer in time");
	}
}

static enum err_code ask_all(struct asking *all, const struct snapshot *snap, struct http_backends *set, int64_t timeout_ms,
                             struct err *reterr)
{
	h2o_loop_t *loop = h2o_evloop_create();
	struct http_client *client = http_client_new(loop, set, clock_system(), NULL);

	all->list = ARENA_ARRAY(&all->arena, snap->backends_len, struct asked);
	if (client != NULL && all->list != NULL) {
		all->up = http_client_port(client);
		all->len = snap->backends_len;
		for (size_t i = 0; i < all->len; i++) {
			all->list[i] = (struct asked){ .all = all, .backend = &snap->backends[i] };
			ask_one(all, &all->list[i]);
		}
		wait_for_all(all, loop, client, timeout_ms);
	}

	bool fine = client != NULL && all->list != NULL;

	http_client_free(client);
	h2o_evloop_run(loop, 0);              /* closes what was marked to be closed */
	h2o_evloop_destroy(loop);
	return fine ? ERR_OK : err_nomem(reterr);
}

enum err_code ask_backends(const struct snapshot *snap, int64_t timeout_ms, ask_answered *answered, void *ctx, struct err *reterr)
{
	struct asking all = { .answered = answered, .ctx = ctx };
	struct http_backends *set;
	enum err_code rc = http_backends_new(snap->backends, snap->backends_len, &set, reterr);

	if (rc != ERR_OK)
		return rc;
	arena_init(&all.arena, (snap->backends_len + 1) * 8 * BODY_MAX);
	rc = ask_all(&all, snap, set, timeout_ms, reterr);
	arena_done(&all.arena);
	http_backends_unref(set);
	return rc;
}
