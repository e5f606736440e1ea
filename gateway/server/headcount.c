/* headcount.c - chained hashing over nodes that are all there from the start; see headcount.h. */
#include "server/headcount.h"

#include "base/err.h"
#include "base/map.h"

#include <pthread.h>
#include <stdlib.h>

struct node {
	struct node *next;               /* in its bucket, or among the free ones */
	size_t count, len;
	char key[HEADCOUNT_KEY_MAX];
};

struct headcount {
	pthread_mutex_t lock;
	struct node *nodes, *spare;
	struct node **buckets;
	size_t mask;
};

struct headcount *headcount_new(size_t keys)
{
	struct headcount *t = calloc(1, sizeof(*t));
	size_t buckets = 16;

	while (buckets < keys)
		buckets *= 2;
	if (t == NULL)
		return NULL;
	t->mask = buckets - 1;
	t->nodes = calloc(keys, sizeof(*t->nodes));
	t->buckets = calloc(buckets, sizeof(struct node *));
	if (t->nodes == NULL || t->buckets == NULL || pthread_mutex_init(&t->lock, NULL) != 0) {
		free(t->nodes);
		free(t->buckets);
		free(t);
		return NULL;
	}
	for (size_t i = keys; i > 0; i--) {
		t->nodes[i - 1].next = t->spare;
		t->spare = &t->nodes[i - 1];
	}
	return t;
}

struct headcount *headcount_free(struct headcount *t)
{
	if (t == NULL)
		return NULL;
	pthread_mutex_destroy(&t->lock);
	free(t->nodes);
	free(t->buckets);
	free(t);
	return NULL;
}

/* where the pointer to key's node is, or would be */
static struct node **find(struct headcount *t, struct slice key)
{
	struct node **at = &t->buckets[map_hash(key) & t->mask];

	while (*at != NULL && !slice_eq(slice_from((*at)->key, (*at)->len), key))
		at = &(*at)->next;
	return at;
}

bool headcount_take(struct headcount *t, struct slice key, size_t max)
{
	bool taken = false;

	if (key.len > HEADCOUNT_KEY_MAX)
		return false;
	pthread_mutex_lock(&t->lock);

	struct node **at = find(t, key);

	if (*at == NULL && t->spare != NULL) {
		struct node *n = t->spare;

		t->spare = n->next;
		*n = (struct node){ .len = key.len };
		memcpy(n->key, key.ptr, key.len);
		*at = n;
	}
	if (*at != NULL && (*at)->count < max) {
		(*at)->count++;
		taken = true;
	}
	pthread_mutex_unlock(&t->lock);
	return taken;
}

void headcount_give(struct headcount *t, struct slice key)
{
	pthread_mutex_lock(&t->lock);

	struct node **at = find(t, key), *n = *at;

	if (hope(n != NULL) && --n->count == 0) {
		*at = n->next;
		n->next = t->spare;
		t->spare = n;
	}
	pthread_mutex_unlock(&t->lock);
}

size_t headcount_count(struct headcount *t, struct slice key)
{
	pthread_mutex_lock(&t->lock);

	const struct node *n = *find(t, key);
	size_t count = n == NULL ? 0 : n->count;

	pthread_mutex_unlock(&t->lock);
	return count;
}
