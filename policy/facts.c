/* facts.c - what can be said from facts alone; the facts themselves come from the languages. */
#include "policy/facts.h"

#include "policy/lang/regexp.h"

static bool lists(const struct regexp_facts *re, struct slice value)
{
	for (size_t i = 0; i < re->texts_len; i++)
		if (slice_eq(re->texts[i], value))
			return true;
	return false;
}

/* true when no series with label=value passes this matcher, for sure */
static bool excludes(const struct selector_facts *s, size_t i, struct slice value)
{
	const struct matcher *m = &s->matchers[i];
	const struct regexp_facts *re = s->regexps != NULL ? s->regexps[i] : NULL;

	switch (m->op) {
	case MATCH_EQ: return !slice_eq(m->value, value);
	case MATCH_NE: return slice_eq(m->value, value);
	case MATCH_RE: return re != NULL && re->plain && !lists(re, value);
	case MATCH_NRE: return re != NULL && re->plain && lists(re, value);
	}
	return false;
}

bool facts_conflict(const struct facts *f, struct slice label, struct slice value)
{
	for (size_t s = 0; s < f->selectors_len; s++)
		for (size_t i = 0; i < f->selectors[s].matchers_len; i++)
			if (slice_eq(f->selectors[s].matchers[i].name, label) && excludes(&f->selectors[s], i, value))
				return true;
	return false;
}
