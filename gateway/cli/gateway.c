/* gateway.c - see gateway.h. One lane is one worker with what it owns: core, upstream client, counters. */
#include "cli/gateway.h"

#include "admin/admin.h"
#include "audit/pseudonym.h"
#include "audit/record.h"
#include "audit/tally.h"
#include "base/log.h"
#include "cli/cli.h"
#include "config/config.h"
#include "core/core.h"
#include "core/limiter.h"
#include "io/http_client.h"
#include "server/listener.h"
#include "server/worker.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LANES_MAX 64
#define LISTENERS_MAX 64

struct lane {
	struct gateway *g;
	size_t index;
	struct worker *worker;
	struct core *core;
	struct http_client *client;
	struct metrics_shard *metrics;
	_Atomic(struct http_backends *) next;    /* put here by main before it posts a swap, taken by the worker; acq_rel */
	/* The log wakes workers from its own thread; behind the lock it sees whether there still is one. */
	pthread_mutex_t lock;
	struct worker *awake;
};

struct gateway {
	struct slice config;
	struct snapshot *snap;
	struct tls_set *tls;
	struct http_backends *backends;
	struct metrics *metrics;
	struct metrics_shard *shard;         /* of main */
	struct committer *log;
	struct pseudonym *names;
	struct limiter *limiter;
	struct server *server;
	struct admin *admin;
	_Atomic bool draining;               /* written by main, read by the health listener; relaxed */
	struct lane lanes[LANES_MAX];
	size_t lanes_len;
};

/* ---- ports: the log ---- */

static enum err_code log_submit(void *ctx, struct slice leaf, int type, enum submit_class class, struct ticket *ret,
                                struct err *reterr)
{
	return committer_submit(((struct gateway *)ctx)->log, leaf, type, class, ret, reterr);
}

static enum ticket_state log_state(void *ctx, struct ticket t)
{
	return committer_state(((struct gateway *)ctx)->log, t);
}

static int64_t log_index(void *ctx, struct ticket t)
{
	return committer_index(((struct gateway *)ctx)->log, t);
}

static bool log_is_open(void *ctx)
{
	return committer_is_open(((struct gateway *)ctx)->log);
}

static void log_pseudonym(void *ctx, struct slice spki, char ret[24])
{
	pseudonym_print(((struct gateway *)ctx)->names, spki, ret);
}

/* ---- hooks of a worker ---- */

static void wake_lane(void *ctx)
{
	struct lane *l = ctx;

	pthread_mutex_lock(&l->lock);
	if (l->awake != NULL)
		worker_wake(l->awake);
	pthread_mutex_unlock(&l->lock);
}

static bool lane_setup(void *ctx, struct worker *w, void *loop)
{
	struct lane *l = ctx;
	struct gateway *g = l->g;
	struct core_ports ports = {
		.clock = clock_system(),
		.down = worker_downstream(),
		.audit = { g, log_submit, log_state, log_index, log_is_open, log_pseudonym, pseudonym_redactor(g->names) },
		.limits = limiter_port(g->limiter),
		.metrics = l->metrics,
	};

	l->client = http_client_new(loop, g->backends, clock_system(), l->metrics);
	if (l->client == NULL)
		return false;
	ports.up = http_client_port(l->client);
	l->core = core_new(&ports, g->snap);
	if (l->core == NULL) {
		l->client = http_client_free(l->client);
		return false;
	}
	pthread_mutex_lock(&l->lock);
	l->awake = w;
	pthread_mutex_unlock(&l->lock);
	return true;
}

static void lane_teardown(void *ctx)
{
	struct lane *l = ctx;

	pthread_mutex_lock(&l->lock);
	l->awake = NULL;
	pthread_mutex_unlock(&l->lock);
	l->core = core_free(l->core);
	l->client = http_client_free(l->client);
}

static void lane_tick(void *ctx)
{
	struct lane *l = ctx;

	core_tick(l->core);
	http_client_tick(l->client);
}

static void lane_wake(void *ctx)
{
	core_audit_moved(((struct lane *)ctx)->core);
}

/* The backends come from main, which has read their files: a worker's loop waits for no disk. */
static void lane_swap(void *ctx, struct snapshot *snap)
{
	struct lane *l = ctx;
	struct http_backends *set = atomic_exchange_explicit(&l->next, NULL, memory_order_acq_rel);

	/* NULL: of two swaps in a row the first has taken the newer ones */
	if (set == NULL || http_client_swap(l->client, set))
		core_swap(l->core, snap);
	else
		log_event(LOG_ERROR, "reload_backends", LOG_CSTR("why", "not enough memory"));
	http_backends_unref(set);
}

static void lane_tls_refused(void *ctx, const char *reason, struct slice peer)
{
	tally_add(committer_tally(((struct lane *)ctx)->g->log), reason, peer);
}

/* what libh2o refused by itself is counted like a bad handshake: there is no request to record */
static void lane_head_refused(void *ctx, enum deny why, const struct identity *identity, struct slice peer)
{
	struct lane *l = ctx;

	(void)identity;
	metric_add(l->metrics, METRIC_REFUSALS, METRIC_LABELS(SLICE(""), slice_cstr(deny_tag(why))), 1);
	tally_add(committer_tally(l->g->log), deny_tag(why), peer);
}

static void *traffic_begin(void *ctx, const struct inbound *in, struct exchange *x)
{
	return core_begin(((struct lane *)ctx)->core, in, x);
}

static void traffic_gone(void *ctx, void *request)
{
	(void)ctx;
	core_client_gone(request);
}

static void traffic_ready(void *ctx, void *request)
{
	(void)ctx;
	core_client_ready(request);
}

/* ---- opening ---- */

static void print_report(const struct report *r)
{
	for (size_t i = 0; i < r->len; i++)
		fprintf(stderr, "%.*s:%u:%u: %s: %.*s\n", SLICE_ARG(r->v[i].at.file), r->v[i].at.line, r->v[i].at.column,
		        r->v[i].is_error ? "error" : "warning", SLICE_ARG(r->v[i].text));
}

static void print_tls(void *ctx, enum tls_problem kind, const char *text)
{
	(void)ctx;
	fprintf(stderr, "%s: %s\n", kind == TLS_ERROR ? "error" : "warning", text);
}

/* a whole new generation, checked; false when anything is wrong, said on stderr */
static bool load(struct gateway *g, struct snapshot **snap, struct tls_set **tls, struct http_backends **backends)
{
	struct arena a;
	struct report report;
	struct err e;
	bool fine;

	arena_init(&a, (size_t)1 << 20);
	report_init(&report, &a);
	fine = config_load(g->config, &(struct config_options){ .generation = g->snap == NULL ? 1 : g->snap->generation + 1 }, snap,
	                   &report) == ERR_OK;
	if (fine && g->snap != NULL)
		config_restart_keys(g->snap, *snap, &report);
	report_sort(&report);
	print_report(&report);
	arena_done(&a);
	if (!fine)
		return false;
	*tls = tls_set_load(*snap, g->tls, worker_tls_hooks(), clock_system(), print_tls, NULL);
	if (*tls != NULL && http_backends_new((*snap)->backends, (*snap)->backends_len, backends, &e) == ERR_OK)
		return true;
	if (*tls != NULL)
		fprintf(stderr, "error: %s\n", e.text);
	*tls = tls_set_unref(*tls);
	*snap = snapshot_unref(*snap);
	return false;
}

static bool open_log(struct gateway *g, bool accept_damage)
{
	const struct audit_settings *s = &g->snap->audit;
	struct committer_options o = {
		.directory = s->directory, .instance = s->instance, .origin_host = s->origin, .build = slice_cstr(cli_version_text()),
		.batched = s->batched, .max_delay_ms = s->max_delay_ms, .accept_damage = accept_damage, .clock = clock_system(),
	};
	struct err e;

	if (committer_open(&o, &g->log, &e) != ERR_OK || pseudonym_open(s->directory, &g->names, &e) != ERR_OK) {
		fprintf(stderr, "error: audit log %.*s: %s\n", SLICE_ARG(s->directory), e.text);
		return false;
	}
	return true;
}

static bool start_lane(struct gateway *g, size_t i)
{
	struct lane *l = &g->lanes[i];
	int fds[LISTENERS_MAX];
	struct worker_options o = {
		.server = g->server, .index = i, .snap = g->snap, .tls = g->tls, .listen_fds = fds, .clock = clock_system(),
		.traffic = { l, traffic_begin, traffic_gone, traffic_ready },
		.admin = { g->admin, admin_begin, NULL, NULL },
		.health = { g->admin, admin_begin_health, NULL, NULL },
		.ctx = l, .setup = lane_setup, .teardown = lane_teardown, .tick = lane_tick, .wake = lane_wake, .swap = lane_swap,
		.tls_refused = lane_tls_refused, .head_refused = lane_head_refused,
	};
	struct err e;

	*l = (struct lane){ .g = g, .index = i, .metrics = metrics_shard_new(g->metrics) };
	pthread_mutex_init(&l->lock, NULL);
	o.metrics = l->metrics;
	for (size_t k = 0; k < g->snap->listeners_len; k++) {
		struct slice address = g->snap->listeners[k].address;

		fds[k] = -1;
		if (i > 0 && listener_is_unix(address))
			continue;
		if (listener_open(address, &fds[k], &e) != ERR_OK) {
			fprintf(stderr, "error: listen %.*s: %s\n", SLICE_ARG(address), e.text);
			while (k-- > 0)
				if (fds[k] >= 0)
					close(fds[k]);
			return false;
		}
	}
	if (committer_subscribe(g->log, wake_lane, l) != ERR_OK) {
		err_set(&e, ERR_FULL, ERR_NOWHERE, "the audit log wakes no more workers");
	} else if (worker_start(&o, &l->worker, &e) == ERR_OK) {
		g->lanes_len++;
		return true;
	}
	fprintf(stderr, "error: worker %zu: %s\n", i, e.text);
	for (size_t k = 0; k < g->snap->listeners_len; k++)
		if (fds[k] >= 0)
			close(fds[k]);
	return false;
}

static struct admin_state state_of(void *ctx)
{
	struct gateway *g = ctx;

	return (struct admin_state){ .audit_open = committer_is_open(g->log), .draining = g->draining };
}

static bool open_parts(struct gateway *g, bool accept_damage)
{
	g->metrics = metrics_new();
	g->limiter = limiter_new(clock_system());
	if (g->metrics == NULL || g->limiter == NULL || (g->shard = metrics_shard_new(g->metrics)) == NULL)
		return false;
	if (!load(g, &g->snap, &g->tls, &g->backends))
		return false;
	if (g->snap->listeners_len > LISTENERS_MAX) {
		fprintf(stderr, "error: at most %d listeners\n", LISTENERS_MAX);
		return false;
	}
	if (!open_log(g, accept_damage))
		return false;
	g->server = server_new(g->snap);
	g->admin = admin_new(&(struct admin_options){ .metrics = g->metrics, .log = g->log, .down = worker_downstream(),
	                                              .snap = g->snap, .state = state_of, .state_ctx = g });
	return g->server != NULL && g->admin != NULL;
}

bool gateway_open(const char *config, bool accept_damage, struct gateway **ret)
{
	struct gateway *g = calloc(1, sizeof(*g));
	size_t workers;

	if (g == NULL)
		return false;
	g->config = slice_cstr(config);
	if (!open_parts(g, accept_damage)) {
		gateway_free(g);
		return false;
	}
	workers = g->snap->process.workers > 0 ? g->snap->process.workers : (size_t)sysconf(_SC_NPROCESSORS_ONLN);
	for (size_t i = 0; i < workers && i < LANES_MAX; i++)
		if (!start_lane(g, i)) {
			gateway_free(g);
			return false;
		}
	metric_set(g->shard, METRIC_CONFIG_GENERATION, NULL, 1);
	metric_set(g->shard, METRIC_BUILD_INFO, METRIC_LABELS(slice_cstr(cli_version_text())), 1);
	log_event(LOG_INFO, "started", LOG_CSTR("version", cli_version_text()), LOG_NUM("workers", g->lanes_len),
	          LOG_CSTR("config", g->snap->hash_hex));
	*ret = g;
	return true;
}

/* ---- reload ---- */

/* a `policy` record ties later decisions to the new texts; cfg is the new hash, the reason names the old one */
static void record_reload(struct gateway *g, const struct snapshot *next)
{
	char rid[RID_LEN];
	struct arena a;
	struct strbuf why;
	struct slice leaf;
	struct ticket t;
	struct err e;
	struct record rec = { .type = RECORD_POLICY, .instance = next->audit.instance, .wall_us = clock_wall_us(clock_system()),
		                  .mono_us = clock_mono_us(clock_system()), .cfg = slice_cstr(next->hash_hex), .ref = -1, .count = 1 };

	arena_init(&a, (size_t)256 * 1024);
	strbuf_init(&why, &a, 256);
	record_rid(rec.wall_us, rid);
	rec.rid = slice_from(rid, RID_LEN);
	strbuf_fmt(&why, "reload from %s", g->snap->hash_hex);
	rec.reason = strbuf_slice(&why);
	if (record_print(&a, &rec, &leaf, &e) != ERR_OK ||
	    committer_submit(g->log, leaf, RECORD_POLICY, SUBMIT_SYSTEM, &t, &e) != ERR_OK)
		log_event(LOG_ERROR, "audit_refused", LOG_CSTR("why", e.text));
	arena_done(&a);
}

static void reload_failed(struct gateway *g, const char *why)
{
	metric_add(g->shard, METRIC_CONFIG_RELOADS, METRIC_LABELS(SLICE("failed")), 1);
	log_event(LOG_ERROR, "reload_failed", LOG_CSTR("why", why));
}

/* what the worker of l finds at its next swap */
static void offer(struct lane *l, struct http_backends *set)
{
	http_backends_unref(atomic_exchange_explicit(&l->next, set == NULL ? NULL : http_backends_ref(set), memory_order_acq_rel));
}

static void swap_in(struct gateway *g, struct snapshot *snap, struct tls_set *tls, struct http_backends *backends)
{
	record_reload(g, snap);
	for (size_t i = 0; i < g->lanes_len; i++) {
		offer(&g->lanes[i], backends);
		worker_swap(g->lanes[i].worker, snap, tls);
	}
	admin_swap(g->admin, snap);
	snapshot_unref(g->snap);
	tls_set_unref(g->tls);
	http_backends_unref(g->backends);
	g->snap = snap;
	g->tls = tls;
	g->backends = backends;
	metric_set(g->shard, METRIC_CONFIG_GENERATION, NULL, (int64_t)snap->generation);
	metric_add(g->shard, METRIC_CONFIG_RELOADS, METRIC_LABELS(SLICE("ok")), 1);
	log_event(LOG_INFO, "reloaded", LOG_CSTR("config", snap->hash_hex));
}

void gateway_reload(struct gateway *g)
{
	struct snapshot *snap = NULL;
	struct tls_set *tls = NULL;
	struct http_backends *backends = NULL;

	if (!load(g, &snap, &tls, &backends)) {
		reload_failed(g, "the new config has errors; the old one stays");
		return;
	}
	if (!worker_same_listeners(g->snap, snap)) {
		reload_failed(g, "listeners changed: that needs a restart");
		tls_set_unref(tls);
		http_backends_unref(backends);
		snapshot_unref(snap);
		return;
	}
	swap_in(g, snap, tls, backends);
}

/* ---- the end ---- */

void gateway_drain(struct gateway *g)
{
	const struct timespec delay = { g->snap->process.drain_delay_ms / 1000, g->snap->process.drain_delay_ms % 1000 * 1000000 };

	g->draining = true;                  /* readiness falls first, so that balancers turn away */
	log_event(LOG_INFO, "draining", LOG_NUM("workers", g->lanes_len));
	nanosleep(&delay, NULL);
	for (size_t i = 0; i < g->lanes_len; i++)
		worker_drain(g->lanes[i].worker);
}

struct gateway *gateway_free(struct gateway *g)
{
	if (g == NULL)
		return NULL;
	if (!g->draining)
		for (size_t i = 0; i < g->lanes_len; i++)
			worker_stop(g->lanes[i].worker);
	for (size_t i = 0; i < g->lanes_len; i++) {
		worker_join(g->lanes[i].worker);
		offer(&g->lanes[i], NULL);
	}
	committer_free(g->log);              /* after the last outcome record */
	pseudonym_free(g->names);
	admin_free(g->admin);
	server_free(g->server);
	limiter_free(g->limiter);
	http_backends_unref(g->backends);
	tls_set_unref(g->tls);
	snapshot_unref(g->snap);
	metrics_free(g->metrics);
	free(g);
	return NULL;
}
