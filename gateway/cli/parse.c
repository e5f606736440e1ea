/* parse.c - `weir parse`: the parsers and printers of the gateway as a filter; see parse_line.h for one line of it. */
#include "cli/cli.h"

#include "base/clock.h"
#include "cli/parse_line.h"

#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define LINE_MEMORY ((size_t)256 * 1024 * 1024)
#define ANSWER_MAX ((size_t)64 * 1024 * 1024)
#define KEPT_MEMORY ((size_t)4 * 1024 * 1024 * 1024)

static const char usage[] =
	"usage: weir parse --lang promql|match [--tenant ID] [--label NAME] [--features LIST] [--bench N]\n"
	"\n"
	"Reads one query a line: a JSON string, or an object with query or query_b64. Writes one JSON object a line:\n"
	"ok, err, offset, refused, canonical, enforced, selectors, functions and the other facts.\n"
	"\n"
	"  --tenant ID      narrow to this tenant\n"
	"  --label NAME     the tenant's label; default tenant_id\n"
	"  --features LIST  of exp, fill, utf8: what the backend has switched on\n"
	"  --bench N        do what the gateway does with each query, N rounds, and print the time of the best\n";

static bool read_features(struct slice list, unsigned *ret)
{
	static const struct {
		struct slice name;
		enum stmt_feature feature;
	} features[] = {
		{ SLICE_INIT("exp"), FEATURE_EXPERIMENTAL }, { SLICE_INIT("fill"), FEATURE_FILL },
		{ SLICE_INIT("utf8"), FEATURE_UTF8 },
	};

	while (list.len > 0) {
		struct slice one = slice_from(list.ptr, slice_find(list, ','));
		size_t i = 0;

		while (i < 3 && !slice_eq(one, features[i].name))
			i++;
		if (i == 3)
			return false;
		*ret |= features[i].feature;
		list = slice_skip(list, one.len + 1);
	}
	return true;
}

/* one line without its end, or false at the end of the input */
static bool read_line(char **line, size_t *cap, struct slice *ret)
{
	ssize_t n = getline(line, cap, stdin);

	if (n < 0)
		return false;
	if (n > 0 && (*line)[n - 1] == '\n')
		n--;
	*ret = slice_from(*line, (size_t)n);
	return true;
}

static int filter(const struct parse_options *o)
{
	struct arena arena;
	struct slice in;
	char *line = NULL;
	size_t cap = 0;
	int status = EXIT_FINE;

	arena_init(&arena, LINE_MEMORY);
	while (status == EXIT_FINE && read_line(&line, &cap, &in)) {
		struct strbuf out;
		struct slice query;
		struct err e;

		arena_reset(&arena);
		strbuf_init(&out, &arena, ANSWER_MAX);
		if (parse_line_query(&arena, in, &query, &e) == ERR_OK)
			parse_line_answer(&arena, o, query, &out);
		else
			parse_line_error(&e, &out);
		strbuf_char(&out, '\n');
		if (out.full || fwrite(out.ptr, 1, out.len, stdout) != out.len)
			status = EXIT_USAGE;
	}
	if (fflush(stdout) != 0)
		status = EXIT_USAGE;
	if (status != EXIT_FINE)
		fputs("weir parse: an answer could not be written\n", stderr);
	free(line);
	arena_done(&arena);
	return status;
}

struct queries {
	const char *name;
	bool pass;                    /* they are accepted */
	struct slice *v;
	size_t len, cap, bytes;
};

/* Whole rounds over all of a kind; the best one counts, since all that disturbs a round makes it slower. */
static void measure(const struct parse_options *o, const struct queries *q, long rounds)
{
	struct arena arena;
	int64_t best_us = INT64_MAX;

	arena_init(&arena, LINE_MEMORY);
	for (long r = 0; r < rounds; r++) {
		int64_t start = clock_mono_us(clock_system());

		for (size_t i = 0; i < q->len; i++) {
			arena_reset(&arena);
			if (parse_line_run(&arena, o, q->v[i]) != q->pass)
				fprintf(stderr, "weir parse: query %zu changed its mind\n", i);
		}

		int64_t us = clock_mono_us(clock_system()) - start;

		best_us = us < best_us ? us : best_us;
	}
	arena_done(&arena);
	printf("{\"%s\":%zu,\"bytes\":%zu,\"ns_per_query\":%.1f,\"ns_per_byte\":%.2f}\n", q->name, q->len, q->bytes,
	       (double)best_us * 1000 / (double)q->len, (double)best_us * 1000 / (double)(q->bytes > 0 ? q->bytes : 1));
}

static bool keep(struct arena *a, struct queries *q, struct slice query)
{
	if (!arena_grow(a, (void **)&q->v, &q->cap, q->len + 1, sizeof(*q->v)) || !arena_dup(a, query, &q->v[q->len]))
		return false;
	q->bytes += query.len;
	q->len++;
	return true;
}

/* Queries that pass and queries that are refused are measured apart. Lines without a query are left out. */
static int bench(const struct parse_options *o, long rounds)
{
	struct queries kinds[2] = { { .name = "rejected", .pass = false }, { .name = "accepted", .pass = true } };
	struct arena kept, one;
	struct slice in;
	char *line = NULL;
	size_t cap = 0;
	int status = EXIT_FINE;

	arena_init(&kept, KEPT_MEMORY);
	arena_init(&one, LINE_MEMORY);
	while (status == EXIT_FINE && read_line(&line, &cap, &in)) {
		struct slice query;
		struct err e;

		arena_reset(&one);
		if (parse_line_query(&one, in, &query, &e) == ERR_OK &&
		    !keep(&kept, &kinds[parse_line_run(&one, o, query)], query))
			status = EXIT_USAGE;
	}
	for (size_t k = 0; status == EXIT_FINE && k < 2; k++)
		if (kinds[1 - k].len > 0)
			measure(o, &kinds[1 - k], rounds);
	if (status != EXIT_FINE)
		fputs("weir parse: too many queries to keep\n", stderr);
	free(line);
	arena_done(&kept);
	arena_done(&one);
	return status;
}

static int misused(const char *why)
{
	fprintf(stderr, "weir parse: %s\n\n%s", why, usage);
	return EXIT_USAGE;
}

int cli_parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "lang", required_argument, NULL, 'l' },  { "tenant", required_argument, NULL, 't' },
		{ "label", required_argument, NULL, 'n' }, { "features", required_argument, NULL, 'f' },
		{ "bench", required_argument, NULL, 'b' }, { "help", no_argument, NULL, 'h' }, { 0 },
	};
	struct parse_options o = { .label = SLICE_INIT("tenant_id") };
	long rounds = 0;

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'l': o.kind = stmt_kind_by_name(slice_cstr(optarg)); break;
		case 't': o.tenant = slice_cstr(optarg); break;
		case 'n': o.label = slice_cstr(optarg); break;
		case 'f':
			if (!read_features(slice_cstr(optarg), &o.stmt.features))
				return misused("--features is a list of exp, fill, utf8");
			break;
		case 'b':
			errno = 0;
			rounds = strtol(optarg, NULL, 10);
			if (errno != 0 || rounds < 1)
				return misused("--bench needs a number above 0");
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_FINE;
		default: return misused("unknown option");
		}
	}
	if (o.kind == NULL || optind < argc)
		return misused("--lang promql or --lang match is needed");
	return rounds > 0 ? bench(&o, rounds) : filter(&o);
}
