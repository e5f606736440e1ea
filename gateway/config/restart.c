/* restart.c - which keys a running process did not take up; see config.h. */
#include "config/config.h"
#include "config/keys.h"

static bool same_tls(const struct tls_settings *x, const struct tls_settings *y)
{
	return x == NULL || y == NULL ? x == y : slice_eq(x->name, y->name);
}

/* true when some listener differs in this key, or in their number */
static bool listeners_differ(const struct snapshot *x, const struct snapshot *y, enum key k)
{
	for (size_t i = 0; i < x->listeners_len && i < y->listeners_len; i++) {
		const struct listener_settings *a = &x->listeners[i], *b = &y->listeners[i];

		if ((k == KEY_LISTENER_ADDRESS && !slice_eq(a->address, b->address)) || (k == KEY_LISTENER_SERVE && a->serve != b->serve) ||
		    (k == KEY_LISTENER_TLS && !same_tls(a->tls, b->tls)))
			return true;
	}
	return k == KEY_WEIR_LISTEN && x->listeners_len != y->listeners_len;
}

/* true when the two snapshots differ in a key that needs a restart */
static bool differ(const struct snapshot *x, const struct snapshot *y, enum key k)
{
	switch (k) {
	case KEY_AUDIT_DIRECTORY: return !slice_eq(x->audit.directory, y->audit.directory);
	case KEY_AUDIT_ORIGIN: return !slice_eq(x->audit.origin, y->audit.origin);
	case KEY_AUDIT_INSTANCE: return !slice_eq(x->audit.instance, y->audit.instance);
	case KEY_AUDIT_DURABILITY: return x->audit.batched != y->audit.batched;
	case KEY_AUDIT_MAX_DELAY: return x->audit.max_delay_ms != y->audit.max_delay_ms;
	case KEY_PROCESS_WORKERS: return x->process.workers != y->process.workers;
	default: return listeners_differ(x, y, k);
	}
}

void config_restart_keys(const struct snapshot *now, const struct snapshot *next, struct report *r)
{
	for (enum key k = 0; k < KEY_COUNT; k++)
		if (key_row(k)->reload == RELOAD_RESTART && differ(now, next, k))
			report_warning(r, (struct place){ .file = SLICE("weir.yaml") }, "%s%s has changed: it is taken up by a restart",
			               shape_path(key_row(k)->shape), key_row(k)->name);
}
