/* promql_facts.c - see promql_facts.h, and facts.h for what each fact means. */
#include "policy/lang/promql_facts.h"

#include "policy/lang/duration.h"
#include "policy/lang/promql_tree.h"

#include <math.h>

#define NS_PER_MS 1000000
#define LOOKBACK_DEFAULT_MS 300000
#define SUBQUERY_STEP_DEFAULT_MS 60000

static struct selector_expr *selector_of(struct label_set *set)
{
	return (struct selector_expr *)((char *)set - offsetof(struct selector_expr, set));
}

static enum err_code regexps_of(struct arena *a, const struct selector_expr *s, struct selector_facts *ret,
                                struct err *reterr)
{
	if (s->regexps == NULL)
		return ERR_OK;
	ret->regexps = ARENA_ARRAY(a, s->set.len, const struct regexp_facts *);
	if (ret->regexps == NULL)
		return err_nomem(reterr);
	for (const struct selector_regexp *re = s->regexps; re != NULL; re = re->next)
		ret->regexps[re->matcher] = &re->facts;
	return ERR_OK;
}

/* the name that the matchers give; empty when there is none, or when two differ and nothing can be found */
static struct slice exact_name(const struct label_set *set)
{
	const struct matcher *found = NULL;

	for (size_t i = 0; i < set->len; i++) {
		const struct matcher *m = &set->v[i];

		if (m->op != MATCH_EQ || !slice_eq(m->name, SLICE("__name__")))
			continue;
		if (found != NULL && !slice_eq(found->value, m->value))
			return SLICE("");
		found = m;
	}
	return found != NULL ? found->value : SLICE("");
}

enum err_code promql_selector_facts(struct arena *a, const struct stmt *s, struct facts *ret, struct err *reterr)
{
	ret->selectors = ARENA_ARRAY(a, s->sets.len, struct selector_facts);
	if (ret->selectors == NULL)
		return err_nomem(reterr);
	ret->selectors_len = s->sets.len;
	ret->is_constant = s->sets.len == 0;
	for (size_t i = 0; i < s->sets.len; i++) {
		const struct label_set *set = s->sets.v[i];
		struct selector_facts *f = &ret->selectors[i];
		enum err_code rc = regexps_of(a, selector_of(s->sets.v[i]), f, reterr);

		if (rc != ERR_OK)
			return rc;
		f->matchers = set->v;
		f->matchers_len = set->len;
		f->metric = exact_name(set);
		for (size_t m = 0; m < set->len; m++) {
			if (set->v[m].op != MATCH_RE && set->v[m].op != MATCH_NRE)
				continue;
			ret->regexps++;
			if (set->v[m].value.len > ret->longest_regexp)
				ret->longest_regexp = set->v[m].value.len;
		}
	}
	return ERR_OK;
}

/* inserts a name into the sorted set */
static enum err_code add_name(struct arena *a, struct facts *f, size_t *cap, struct slice name, struct err *reterr)
{
	size_t at = f->names_len;

	while (at > 0 && slice_cmp(name, f->names[at - 1]) < 0)
		at--;
	if (at > 0 && slice_eq(name, f->names[at - 1]))
		return ERR_OK;
	if (!arena_grow(a, (void **)&f->names, cap, f->names_len + 1, sizeof(*f->names)))
		return err_nomem(reterr);
	memmove(&f->names[at + 1], &f->names[at], (f->names_len - at) * sizeof(*f->names));
	f->names[at] = name;
	f->names_len++;
	return ERR_OK;
}

static bool is_dynamic(const struct duration *d)
{
	return d != NULL && (d->op == DURATION_STEP || d->op == DURATION_RANGE || is_dynamic(d->left) ||
	                     is_dynamic(d->right));
}

static void note_range(struct facts *f, int64_t ms)
{
	if (ms > f->max_range_ms)
		f->max_range_ms = ms;
}

static void note_offset(struct facts *f, int64_t ms)
{
	if (ms > f->max_offset_ms)
		f->max_offset_ms = ms;
	if (ms < f->min_offset_ms)
		f->min_offset_ms = ms;
}

/* ranges and offsets that are plain numbers, and what else a node adds */
static enum err_code note_node(struct arena *a, struct facts *f, size_t *cap, struct expr *e, struct err *reterr)
{
	const struct modifiers *m = expr_modifiers(e);

	if (m != NULL) {
		f->at_modifiers += m->at != AT_NONE;
		f->range_dynamic = f->range_dynamic || is_dynamic(m->offset);
		note_offset(f, promql_duration_literal_ns(m->offset) / NS_PER_MS);
	}
	switch (e->kind) {
	case EXPR_RANGE:
		f->range_dynamic = f->range_dynamic || is_dynamic(((struct range_expr *)e)->range);
		note_range(f, promql_duration_literal_ns(((struct range_expr *)e)->range) / NS_PER_MS);
		break;
	case EXPR_SUBQUERY:
		f->subqueries++;
		f->range_dynamic = f->range_dynamic || is_dynamic(((struct subquery_expr *)e)->range) ||
		                   is_dynamic(((struct subquery_expr *)e)->step);
		note_range(f, promql_duration_literal_ns(((struct subquery_expr *)e)->range) / NS_PER_MS);
		break;
	case EXPR_AGGREGATE:
		return add_name(a, f, cap, slice_cstr(token_text(((struct aggregate_expr *)e)->op)), reterr);
	case EXPR_CALL: return add_name(a, f, cap, ((struct call_expr *)e)->function->name, reterr);
	case EXPR_NUMBER:
	case EXPR_STRING:
	case EXPR_SELECTOR:
	case EXPR_PAREN:
	case EXPR_UNARY:
	case EXPR_BINARY: break;
	}
	return ERR_OK;
}

enum err_code promql_facts(struct arena *a, const struct stmt *s, struct facts *ret, struct err *reterr)
{
	const struct promql_tree *tree = s->tree;
	struct facts f = { .language = s->kind->name, .tokens = tree->tokens, .bytes = tree->bytes };
	size_t cap = 0;
	enum err_code rc = promql_selector_facts(a, s, &f, reterr);

	f.depth = tree->root->depth;
	for (struct expr *e = tree->root; rc == ERR_OK && e != NULL; e = e->prev) {
		f.nodes++;
		rc = note_node(a, &f, &cap, e, reterr);
	}
	if (rc == ERR_OK)
		*ret = f;
	return rc;
}

/* A time span that part of a query is evaluated over, and how many times. */
struct span {
	int64_t from_ms, to_ms;
	double evaluations;
};

static enum err_code time_overflow(size_t at, struct err *reterr)
{
	return err_rule(reterr, ERR_LIMIT, "max_query_length", at, "this reaches further in time than can be counted");
}

/* milliseconds of an offset, or of a range or step, which must be above 0 */
static enum err_code duration_ms(const struct stmt *s, const struct duration *d, bool is_range, int64_t *ret,
                                 struct err *reterr)
{
	double seconds = d->seconds;

	if (d->op == DURATION_NUMBER) {
		*ret = duration_ns(seconds) / NS_PER_MS;
		if (duration_ns(seconds) <= 0)
			seconds = -1;                 /* NaN and what rounds to nothing, too */
	} else {
		enum err_code rc = promql_duration_eval(d, &s->options.window, &seconds, reterr);

		if (rc != ERR_OK)
			return rc;
		*ret = (int64_t)(seconds * 1000);
	}
	if (is_range && seconds <= 0)
		return err_set(reterr, ERR_INVALID, d->at, "this range comes out at 0 or less; it must be longer than 0");
	return ERR_OK;
}

/* moves a span by what modifiers say: first @, then offset */
static enum err_code apply_modifiers(const struct stmt *s, const struct expr *e, const struct modifiers *m,
                                     struct span *span, int64_t *offset_ms, struct err *reterr)
{
	const struct window *w = &s->options.window;

	*offset_ms = 0;
	switch (m->at) {
	case AT_NONE: break;
	case AT_TIME: span->from_ms = span->to_ms = m->at_ms; break;
	case AT_START: span->from_ms = span->to_ms = w->start_ms; break;
	case AT_END: span->from_ms = span->to_ms = w->end_ms; break;
	}
	if (m->offset != NULL) {
		enum err_code rc = duration_ms(s, m->offset, false, offset_ms, reterr);

		if (rc != ERR_OK)
			return rc;
	}
	if (__builtin_sub_overflow(span->from_ms, *offset_ms, &span->from_ms) ||
	    __builtin_sub_overflow(span->to_ms, *offset_ms, &span->to_ms))
		return time_overflow(e->at, reterr);
	return ERR_OK;
}

static enum err_code subquery_span(const struct stmt *s, const struct subquery_expr *q, const struct span *around,
                                   struct facts *f, struct span *ret, struct err *reterr)
{
	int64_t range_ms, offset_ms, step_ms = SUBQUERY_STEP_DEFAULT_MS;

	*ret = *around;

	enum err_code rc = apply_modifiers(s, &q->expr, &q->modifiers, ret, &offset_ms, reterr);

	if (rc == ERR_OK)
		rc = duration_ms(s, q->range, true, &range_ms, reterr);
	if (rc == ERR_OK && q->step != NULL)
		rc = duration_ms(s, q->step, true, &step_ms, reterr);
	if (rc != ERR_OK)
		return rc;
	note_range(f, range_ms);
	note_offset(f, offset_ms);
	if (__builtin_sub_overflow(ret->from_ms, range_ms, &ret->from_ms))
		return time_overflow(q->expr.at, reterr);
	if (range_ms > step_ms)
		ret->evaluations *= (double)range_ms / (double)(step_ms > 0 ? step_ms : 1);
	return ERR_OK;
}

/* what one selector makes the backend read: the span around it, moved by modifiers, longer by range or look-back */
static enum err_code selector_span(const struct stmt *s, const struct expr *e, const struct span *around,
                                   struct facts *f, struct selector_facts *ret, struct err *reterr)
{
	const struct range_expr *r = e->parent != NULL && e->parent->kind == EXPR_RANGE ? (struct range_expr *)e->parent : NULL;
	const struct modifiers *m = r != NULL ? &r->modifiers : &((const struct selector_expr *)e)->modifiers;
	int64_t lookback_ms = s->options.lookback_ms > 0 ? s->options.lookback_ms : LOOKBACK_DEFAULT_MS;
	int64_t back_ms = lookback_ms;
	struct span span = *around;
	enum err_code rc = apply_modifiers(s, e, m, &span, &ret->offset_ms, reterr);

	if (rc == ERR_OK && r != NULL) {
		rc = duration_ms(s, r->range, true, &ret->range_ms, reterr);
		back_ms = ret->range_ms;
	}
	if (rc != ERR_OK)
		return rc;
	note_range(f, ret->range_ms);
	note_offset(f, ret->offset_ms);
	if (__builtin_sub_overflow(span.from_ms, back_ms, &span.from_ms) ||
	    ((m->anchored || m->smoothed) && __builtin_sub_overflow(span.from_ms, lookback_ms, &span.from_ms)) ||
	    (m->smoothed && __builtin_add_overflow(span.to_ms, lookback_ms, &span.to_ms)))
		return time_overflow(e->at, reterr);
	ret->from_ms = span.from_ms;
	ret->to_ms = span.to_ms;
	ret->evaluations = span.evaluations;
	return ERR_OK;
}

/* the union over the selectors; the window's own times when there is none */
static enum err_code unite(struct facts *f, const struct window *w, struct err *reterr)
{
	f->from_ms = w->start_ms;
	f->to_ms = w->end_ms;
	for (size_t i = 0; i < f->selectors_len; i++) {
		const struct selector_facts *s = &f->selectors[i];
		int64_t length_ms;

		if (__builtin_sub_overflow(s->to_ms, s->from_ms, &length_ms))
			return time_overflow(ERR_NOWHERE, reterr);
		if (length_ms > f->longest_ms)
			f->longest_ms = length_ms;
		if (i == 0 || s->from_ms < f->from_ms)
			f->from_ms = s->from_ms;
		if (i == 0 || s->to_ms > f->to_ms)
			f->to_ms = s->to_ms;
	}
	return ERR_OK;
}

/* Walks from the root to the leaves (see promql_tree.h), so the span around a node is known when the node is met. */
enum err_code promql_times(struct arena *a, const struct stmt *s, struct facts *ret, struct err *reterr)
{
	const struct promql_tree *tree = s->tree;
	const struct window *w = &s->options.window;
	struct span request = { w->start_ms, w->end_ms, 1 };
	const struct span **around = ARENA_ARRAY(a, tree->root->index + 1, const struct span *);
	size_t selector = ret->selectors_len;
	enum err_code rc = ERR_OK;

	if (around == NULL)
		return err_nomem(reterr);
	if (w->step_ms > 0)
		request.evaluations = floor(((double)w->end_ms - (double)w->start_ms) / (double)w->step_ms) + 1;
	for (struct expr *e = tree->root; rc == ERR_OK && e != NULL; e = e->prev) {
		const struct span *outer = e->parent != NULL ? around[e->parent->index] : &request;

		around[e->index] = outer;
		if (e->kind == EXPR_SELECTOR) {
			rc = selector_span(s, e, outer, ret, &ret->selectors[--selector], reterr);
		} else if (e->kind == EXPR_SUBQUERY) {
			struct span *inner = ARENA_NEW(a, struct span);

			if (inner == NULL)
				return err_nomem(reterr);
			around[e->index] = inner;
			rc = subquery_span(s, (struct subquery_expr *)e, outer, ret, inner, reterr);
		}
	}
	return rc != ERR_OK ? rc : unite(ret, w, reterr);
}
