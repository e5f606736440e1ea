/* http_resolve.c - see http_resolve.h. */
#include "io/http_resolve.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#define HOST_MAX 256

struct http_lookup {
	_Atomic int refs;                /* relaxed add, release on drop, acquire by the last */
	_Atomic bool ended;              /* released by the thread when what follows is written, acquired by the asker */
	char host[HOST_MAX], port[8];
	int bell_fd;                     /* a duplicate: the asker may close its own */
	struct http_addresses found;
	const char *why;
};

bool http_address_literal(struct slice host, uint16_t port, struct http_addresses *ret)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	char text[HOST_MAX];
	struct http_address *a = &ret->items[0];

	if (host.len >= sizeof(text) || host.len == 0)
		return false;
	memcpy(text, host.ptr, host.len);
	text[host.len] = '\0';
	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
		memcpy(&a->at, &v4, sizeof(v4));
		a->len = sizeof(v4);
	} else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
		memcpy(&a->at, &v6, sizeof(v6));
		a->len = sizeof(v6);
	} else {
		return false;
	}
	ret->len = 1;
	return true;
}

bool http_address_unix(struct slice path, struct http_addresses *ret)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	if (path.len == 0 || path.len >= sizeof(un.sun_path))
		return false;
	memcpy(un.sun_path, path.ptr, path.len);
	memcpy(&ret->items[0].at, &un, sizeof(un));
	ret->items[0].len = sizeof(un);
	ret->len = 1;
	return true;
}

struct http_lookup *http_lookup_drop(struct http_lookup *l)
{
	if (l == NULL || atomic_fetch_sub_explicit(&l->refs, 1, memory_order_acq_rel) != 1)
		return NULL;
	if (l->bell_fd != -1)
		close(l->bell_fd);
	free(l);
	return NULL;
}

static void *look_up(void *arg)
{
	struct http_lookup *l = arg;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV }, *list = NULL;
	int rc = getaddrinfo(l->host, l->port, &hints, &list);
	uint64_t one = 1;

	if (rc != 0)
		l->why = gai_strerror(rc);
	for (const struct addrinfo *ai = list; ai != NULL && l->found.len < HTTP_ADDRESSES_MAX; ai = ai->ai_next) {
		struct http_address *a = &l->found.items[l->found.len];

		if (ai->ai_addrlen > sizeof(a->at))
			continue;
		memcpy(&a->at, ai->ai_addr, ai->ai_addrlen);
		a->len = ai->ai_addrlen;
		l->found.len++;
	}
	if (list != NULL)
		freeaddrinfo(list);
	atomic_store_explicit(&l->ended, true, memory_order_release);
	if (write(l->bell_fd, &one, sizeof(one)) < 0) {
		/* the asker looks at its next tick, too */
	}
	http_lookup_drop(l);
	return NULL;
}

/* detached, and deaf to signals: those are the main thread's */
static bool start_thread(struct http_lookup *l)
{
	sigset_t all, before;
	pthread_t thread;
	bool started;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	started = pthread_create(&thread, NULL, look_up, l) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (started)
		pthread_detach(thread);
	return started;
}

struct http_lookup *http_lookup_start(struct slice host, uint16_t port, int bell_fd)
{
	struct http_lookup *l;

	if (host.len == 0 || host.len >= HOST_MAX || slice_find(host, '\0') < host.len)
		return NULL;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return NULL;
	memcpy(l->host, host.ptr, host.len);
	snprintf(l->port, sizeof(l->port), "%u", port);
	l->why = "the name has no address";
	l->bell_fd = fcntl(bell_fd, F_DUPFD_CLOEXEC, 0);
	atomic_init(&l->refs, 2);
	if (l->bell_fd == -1 || !start_thread(l)) {
		atomic_store(&l->refs, 1);
		return http_lookup_drop(l);
	}
	return l;
}

bool http_lookup_ended(const struct http_lookup *l, struct http_addresses *ret, const char **why)
{
	if (!atomic_load_explicit(&l->ended, memory_order_acquire))
		return false;
	*ret = l->found;
	*why = l->why;
	return true;
}
