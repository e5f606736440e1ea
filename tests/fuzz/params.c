/* params.c - fuzz: any bytes as a URL query and a form body. What is taken prints as one canonical form that reads back the
 * same; times and durations read back from their print. The first byte chooses the route and where the body begins. */
#include "backends/params.h"
#include "backends/router.h"
#include "base/json.h"
#include "fuzz.h"

static const struct route *route_of(struct arena *a, uint8_t choice)
{
	static const struct slice paths[] = {
		SLICE_INIT("/api/v1/query"), SLICE_INIT("/api/v1/query_range"), SLICE_INIT("/api/v1/series"), SLICE_INIT("/api/v1/labels"),
	};
	struct routed found;

	must(route_find(a, dialect_at(0), SLICE("GET"), paths[choice & 3], &found) == DENY_COUNT);
	return found.route;
}

static void add_pair(struct strbuf *out, const char *name, struct slice value)
{
	if (out->len > 0)
		strbuf_char(out, '&');
	form_encode(out, slice_cstr(name));
	strbuf_char(out, '=');
	form_encode(out, value);
}

static struct slice printed(struct arena *a, const struct params *p)
{
	struct strbuf out;

	strbuf_init(&out, a, FUZZ_MEMORY);
	for (enum param id = 0; id < PARAM_COUNT; id++)
		if (id != PARAM_MATCH && (p->given & PARAM_BIT(id)) != 0)
			add_pair(&out, param_name(id), p->value[id]);
	for (size_t i = 0; i < p->match_len; i++)
		add_pair(&out, param_name(PARAM_MATCH), p->match[i]);
	must(!out.full);
	return strbuf_slice(&out);
}

static void check_time(struct arena *a, struct slice value)
{
	struct strbuf out;
	int64_t ms, again;

	strbuf_init(&out, a, 64);
	if (param_time_ms(value, &ms)) {
		param_print_ms(&out, ms);
		must(!out.full && param_time_ms(strbuf_slice(&out), &again) && again == ms);
	}
	if (param_duration_ms(value, &ms))
		must(param_duration_ms(value, &again) && again == ms);
	if (param_count(value, &ms))
		must(ms >= 0);
}

static void check_same(const struct params *x, const struct params *y)
{
	must(x->given == y->given && x->match_len == y->match_len && y->dropped == 0);
	for (enum param id = 0; id < PARAM_COUNT; id++)
		must(slice_eq(x->value[id], y->value[id]));
	for (size_t i = 0; i < x->match_len; i++)
		must(slice_eq(x->match[i], y->match[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	struct params p, again;
	char text[ERR_TEXT_MAX] = "";

	if (size == 0)
		return 0;
	arena_init(&a, FUZZ_MEMORY * 8);

	const struct route *r = route_of(&a, data[0]);
	struct slice in = fuzz_input(data + 1, size - 1);
	size_t split = (data[0] & 4) != 0 ? slice_find(in, '\n') : in.len;
	enum deny why = params_parse(&a, r, slice_from(in.ptr, split), slice_skip(in, split + 1), &p, text);

	if (why != DENY_COUNT) {
		must(text[0] != '\0' && why != DENY_UNDECIDED && why != DENY_BUG);
	} else {
		must((p.given & ~r->params) == 0 && (p.given & r->needs) == r->needs);
		for (enum param id = 0; id < PARAM_COUNT; id++) {
			must(id == PARAM_QUERY || id == PARAM_MATCH || utf8_valid(p.value[id]));
			check_time(&a, p.value[id]);
		}
		must(params_parse(&a, r, printed(&a, &p), SLICE(""), &again, text) == DENY_COUNT);
		check_same(&p, &again);
	}
	arena_done(&a);
	return 0;
}
