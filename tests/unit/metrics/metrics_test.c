/* The scrape: sums over threads, the text format, collectors. */
#include "metrics/metrics.h"

#include "base/arena.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct scrape {
	struct arena arena;
	struct strbuf text;
};

/* zero terminated, for strstr */
static const char *scrape(struct scrape *s, const struct metrics *m)
{
	arena_init(&s->arena, (size_t)64 << 20);
	strbuf_init(&s->text, &s->arena, (size_t)32 << 20);
	metrics_print(m, &s->text);
	assert_false(s->text.full);
	strbuf_char(&s->text, '\0');
	return s->text.ptr;
}

static void assert_has(const char *text, const char *want)
{
	if (strstr(text, want) == NULL)
		fail_msg("not in the scrape: %s\n---\n%s", want, text);
}

static void test_sum_over_shards(void **state)
{
	struct metrics *m = metrics_new();
	struct metrics_shard *a = metrics_shard_new(m), *b = metrics_shard_new(m);
	struct scrape s;

	(void)state;
	metric_add(a, METRIC_REFUSALS, METRIC_LABELS(SLICE("acme"), SLICE("P001")), 2);
	metric_add(b, METRIC_REFUSALS, METRIC_LABELS(SLICE("acme"), SLICE("P001")), 5);
	metric_add(b, METRIC_REFUSALS, METRIC_LABELS(SLICE("acme"), SLICE("L001")), 1);
	metric_move(a, METRIC_CONNECTIONS, METRIC_LABELS(SLICE("edge")), -1);    /* opened on b, closed on a */
	metric_move(b, METRIC_CONNECTIONS, METRIC_LABELS(SLICE("edge")), 3);
	metric_set(a, METRIC_CONFIG_GENERATION, NULL, 4);
	metric_set(a, METRIC_CONFIG_GENERATION, NULL, 7);

	const char *text = scrape(&s, m);

	assert_has(text, "# HELP weir_refusals_total Refusals by tag.\n# TYPE weir_refusals_total counter\n"
	                 "weir_refusals_total{tenant=\"acme\",tag=\"L001\"} 1\n"
	                 "weir_refusals_total{tenant=\"acme\",tag=\"P001\"} 7\n#");
	assert_has(text, "# TYPE weir_connections gauge\nweir_connections{listener=\"edge\"} 2\n");
	assert_has(text, "\nweir_config_generation 7\n");
	assert_has(text, "\nweir_metrics_lost_total 0\n");
	assert_int_equal(metrics_value(m, METRIC_REFUSALS, METRIC_LABELS(SLICE("acme"), SLICE("P001"))), 7);
	assert_int_equal(metrics_value(m, METRIC_REFUSALS, METRIC_LABELS(SLICE("globex"), SLICE("P001"))), 0);
	arena_done(&s.arena);
	metrics_free(m);
}

static void test_negative_gauge(void **state)
{
	struct metrics *m = metrics_new();
	struct scrape s;

	(void)state;
	metric_move(metrics_shard_new(m), METRIC_AUDIT_QUEUE, NULL, -3);
	assert_has(scrape(&s, m), "\nweir_audit_queue_records -3\n");
	arena_done(&s.arena);
	metrics_free(m);
}

static void test_escapes(void **state)
{
	static const struct {
		const char *name;
		struct slice value;
		const char *want;
	} rows[] = {
		{ "plain", SLICE_INIT("acme"), "call=\"acme\"" },
		{ "quote", SLICE_INIT("a\"b"), "call=\"a\\\"b\"" },
		{ "backslash", SLICE_INIT("a\\b"), "call=\"a\\\\b\"" },
		{ "line end", SLICE_INIT("a\nb"), "call=\"a\\nb\"" },
		{ "UTF-8", SLICE_INIT("caf\xc3\xa9"), "call=\"caf\xc3\xa9\"" },
		{ "not UTF-8", SLICE_INIT("a\xff" "b"), "call=\"a\xef\xbf\xbd" "b\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct metrics *m = metrics_new();
		struct scrape s;

		metric_add(metrics_shard_new(m), METRIC_PARAMS_DROPPED, &rows[i].value, 1);
		assert_has(scrape(&s, m), rows[i].want);
		arena_done(&s.arena);
		metrics_free(m);
	}
}

static void test_histogram(void **state)
{
	struct metrics *m = metrics_new();
	struct metrics_shard *a = metrics_shard_new(m), *b = metrics_shard_new(m);
	const struct slice *stage = METRIC_LABELS(SLICE("parse"));
	struct scrape s;

	(void)state;
	metric_observe_us(a, METRIC_STAGE_SECONDS, stage, 100);
	metric_observe_us(b, METRIC_STAGE_SECONDS, stage, 400);
	metric_observe_us(b, METRIC_STAGE_SECONDS, stage, 2000000);
	metric_observe_many(b, METRIC_STAGE_SECONDS, stage, INT64_MAX, 2, 150000000);

	const char *text = scrape(&s, m);

	assert_has(text, "# TYPE weir_stage_seconds histogram\n"
	                 "weir_stage_seconds_bucket{stage=\"parse\",le=\"0.00025\"} 1\n"
	                 "weir_stage_seconds_bucket{stage=\"parse\",le=\"0.0005\"} 2\n");
	assert_has(text, "weir_stage_seconds_bucket{stage=\"parse\",le=\"2.5\"} 3\n");
	assert_has(text, "weir_stage_seconds_bucket{stage=\"parse\",le=\"60\"} 3\n"
	                 "weir_stage_seconds_bucket{stage=\"parse\",le=\"+Inf\"} 5\n"
	                 "weir_stage_seconds_sum{stage=\"parse\"} 152.000500\n"
	                 "weir_stage_seconds_count{stage=\"parse\"} 5\n");
	assert_has(text, "weir_audit_commit_seconds_bucket{le=\"0.00025\"} 0\n");
	assert_has(text, "weir_audit_commit_seconds_count 0\n");
	assert_int_equal(metrics_value(m, METRIC_STAGE_SECONDS, stage), 5);
	arena_done(&s.arena);
	metrics_free(m);
}

static void collect_numbers(void *ctx, struct metrics_shard *s)
{
	metric_add(s, METRIC_AUDIT_RECORDS, METRIC_LABELS(SLICE("decision")), *(uint64_t *)ctx);
}

static void test_collectors(void **state)
{
	struct metrics *m = metrics_new();
	uint64_t records = 3;
	struct scrape s;

	(void)state;
	assert_true(metrics_collect(m, collect_numbers, &records));
	assert_has(scrape(&s, m), "weir_audit_records_total{type=\"decision\"} 3\n");
	arena_done(&s.arena);
	records = 4;                                     /* not added to what the scrape before has seen */
	assert_has(scrape(&s, m), "weir_audit_records_total{type=\"decision\"} 4\n");
	arena_done(&s.arena);
	for (int i = 0; i < METRICS_COLLECTORS_MAX; i++)
		if (!metrics_collect(m, collect_numbers, &records)) {
			metrics_free(m);
			return;
		}
	fail_msg("there is no end to the collectors");
}

static void test_out_of_room(void **state)
{
	struct metrics *m = metrics_new();
	struct arena a;
	struct strbuf out;

	(void)state;
	arena_init(&a, (size_t)1 << 20);
	strbuf_init(&out, &a, 100);
	metrics_print(m, &out);
	assert_true(out.full);
	arena_done(&a);
	metrics_free(m);
}

struct writer {
	struct metrics_shard *shard;
	_Atomic bool done;
};

static void *write_many(void *arg)
{
	struct writer *w = arg;
	char text[32];

	for (int i = 0; i < 20000; i++) {
		snprintf(text, sizeof(text), "call-%d", i % 2000);
		metric_add(w->shard, METRIC_PARAMS_DROPPED, METRIC_LABELS(slice_cstr(text)), 1);
		metric_observe_us(w->shard, METRIC_AUDIT_COMMIT, NULL, i);
	}
	atomic_store(&w->done, true);
	return NULL;
}

/* a scrape while another thread makes series: numbers only grow, and the last one holds all */
static void test_scrape_while_counting(void **state)
{
	struct metrics *m = metrics_new();
	struct writer w = { .shard = metrics_shard_new(m) };
	uint64_t before = 0, now;
	pthread_t thread;
	bool done;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, write_many, &w), 0);
	do {
		struct scrape s;

		done = atomic_load(&w.done);
		scrape(&s, m);
		arena_done(&s.arena);
		now = metrics_value(m, METRIC_AUDIT_COMMIT, NULL);
		assert_true(now >= before);
		before = now;
	} while (!done);
	pthread_join(thread, NULL);
	assert_int_equal(now, 20000);
	assert_int_equal(metrics_value(m, METRIC_PARAMS_DROPPED, METRIC_LABELS(SLICE("call-1999"))), 10);
	metrics_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sum_over_shards),
		cmocka_unit_test(test_negative_gauge),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_histogram),
		cmocka_unit_test(test_collectors),
		cmocka_unit_test(test_out_of_room),
		cmocka_unit_test(test_scrape_while_counting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
