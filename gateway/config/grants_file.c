/* grants_file.c - see grants_file.h. */
#include "config/grants_file.h"

#include <stdlib.h>

static const struct slice signals[SIGNAL_COUNT] = {
	[SIGNAL_METRICS] = SLICE_INIT("metrics"),
	[SIGNAL_LOGS] = SLICE_INIT("logs"),
	[SIGNAL_TRACES] = SLICE_INIT("traces"),
};

static bool is_all(const struct yaml_node *n)
{
	return n->type == YAML_TEXT && slice_eq(n->text, SLICE("all"));
}

/* ---- values of one label ---- */

static bool read_value(struct reader *rd, const struct yaml_node *n, struct grant_value *ret)
{
	struct err e;
	enum err_code rc;

	if (!reader_is_text(rd, n, "a label"))
		return false;
	rc = grant_value_parse(rd->arena, n->text, ret, &e);
	if (rc == ERR_NOMEM)
		rd->no_memory = true;
	else if (rc != ERR_OK)
		report_error(rd->report, n->at, "%s", e.text);
	return rc == ERR_OK;
}

/* term: label: value | label: [value, ..] */
static void read_term(struct reader *rd, const struct yaml_node *n, struct grant_term *ret)
{
	const struct yaml_node *items = n->type == YAML_LIST ? n->items : n;
	size_t len = n->type == YAML_LIST ? n->len : 1;
	struct grant_value *values;

	rd->no_memory |= !arena_dup(rd->arena, n->key, &ret->label);
	if (len < 1 || len > GRANT_VALUES_MAX) {
		report_error(rd->report, n->at, "a label has 1 to %d values; leave the label out to ask nothing of it", GRANT_VALUES_MAX);
		return;
	}
	values = ARENA_ARRAY(rd->arena, len, struct grant_value);
	if (!reader_has(rd, values))
		return;
	for (size_t i = 0; i < len; i++)
		ret->values_len += read_value(rd, &items[i], &values[ret->values_len]);
	ret->values = values;
	if (grant_term_text_bytes(ret) > GRANT_TEXT_MAX)
		report_error(rd->report, n->at, "the values of one label have at most %d bytes together", GRANT_TEXT_MAX);
}

/* metrics and logs have labels; traces have resource attributes, as `service.name` */
static bool label_fine(struct slice label, enum signal signal)
{
	if (signal != SIGNAL_TRACES)
		return label_name_plain(label) && (!slice_starts(label, SLICE("__")) || slice_eq(label, SLICE("__name__")));
	for (size_t i = 0; i < label.len; i++) {
		char c = ascii_lower(label.ptr[i]);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || memchr("._-/", c, 4) != NULL))
			return false;
	}
	return label.len > 0 && label.len <= 256;
}

static void check_label(struct reader *rd, const struct yaml_node *n, enum signal signal, struct slices tenant_labels)
{
	if (!label_fine(n->key, signal))
		report_error(rd->report, n->key_at, "\"%.*s\" is not the name of a %s", SLICE_ARG(n->key),
		             signal == SIGNAL_TRACES ? "resource attribute" : "label: letters, digits and `_`, not a digit or `__` first");
	for (size_t i = 0; i < tenant_labels.len; i++)
		if (slice_eq(n->key, tenant_labels.v[i]))
			report_error(rd->report, n->key_at, "\"%.*s\" names the tenant: every selector gets it anyway, and no grant is about it",
			             SLICE_ARG(n->key));
}

static int by_label(const void *x, const void *y)
{
	return slice_cmp(((const struct grant_term *)x)->label, ((const struct grant_term *)y)->label);
}

/* clause: { term, .. } */
static void read_clause(struct reader *rd, const struct yaml_node *n, enum signal signal, struct slices tenant_labels,
                        struct grant_clause *ret)
{
	struct grant_term *terms;

	if (!reader_is_map(rd, n, "a clause"))
		return;
	if (n->len < 1 || n->len > GRANT_TERMS_MAX) {
		report_error(rd->report, n->at, "a clause names 1 to %d labels; `all` is everything of the tenant", GRANT_TERMS_MAX);
		return;
	}
	terms = ARENA_ARRAY(rd->arena, n->len, struct grant_term);
	if (!reader_has(rd, terms))
		return;
	for (size_t i = 0; i < n->len; i++) {
		check_label(rd, &n->items[i], signal, tenant_labels);
		read_term(rd, &n->items[i], &terms[i]);
	}
	qsort(terms, n->len, sizeof(*terms), by_label);
	*ret = (struct grant_clause){ terms, n->len };
}

/* signal: all | [ clause, .. ] */
static void read_signal(struct reader *rd, const struct yaml_node *n, enum signal signal, struct slices tenant_labels,
                        struct grants *ret)
{
	struct grant_clause *clauses;

	ret->all = is_all(n);
	if (ret->all || !reader_is_list(rd, n, "a signal that is not `all`"))
		return;
	if (n->len < 1 || n->len > GRANTS_CLAUSES_MAX) {
		report_error(rd->report, n->at, "a signal has 1 to %d clauses; leave the signal out to give no access", GRANTS_CLAUSES_MAX);
		return;
	}
	clauses = ARENA_ARRAY(rd->arena, n->len, struct grant_clause);
	if (!reader_has(rd, clauses))
		return;
	for (size_t i = 0; i < n->len; i++)
		read_clause(rd, &n->items[i], signal, tenant_labels, &clauses[i]);
	ret->clauses = clauses;
	ret->len = n->len;
}

static enum signal find_signal(struct slice name)
{
	enum signal s = 0;

	while (s < SIGNAL_COUNT && !slice_eq(signals[s], name))
		s++;
	return s;
}

void grants_read(struct reader *rd, const struct yaml_node *node, struct slices tenant_labels, struct tenant_role *role)
{
	if (is_all(node)) {
		for (enum signal s = 0; s < SIGNAL_COUNT; s++) {
			role->signal_named[s] = true;
			role->grants[s] = (struct grants){ .all = true };
		}
		return;
	}
	if (!reader_is_map(rd, node, "grants"))
		return;
	if (node->len == 0)
		report_error(rd->report, node->at, "grants names no signal: metrics, logs or traces");
	for (size_t i = 0; i < node->len; i++) {
		const struct yaml_node *n = &node->items[i];
		enum signal s = find_signal(n->key);

		if (s == SIGNAL_COUNT) {
			report_error(rd->report, n->key_at, "\"%.*s\" is no signal: metrics, logs or traces", SLICE_ARG(n->key));
			continue;
		}
		role->signal_named[s] = true;
		read_signal(rd, n, s, tenant_labels, &role->grants[s]);
	}
}
