/* listener.c - see listener.h. */
#include "server/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct address {
	struct sockaddr_storage sa;
	socklen_t len;
};

bool listener_is_unix(struct slice address)
{
	return slice_starts(address, SLICE("unix:"));
}

static bool parse_port(struct slice s, in_port_t *ret)
{
	unsigned n = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9' || i > 4)
			return false;
		n = n * 10 + (unsigned)(s.ptr[i] - '0');
	}
	*ret = htons((uint16_t)n);
	return s.len > 0 && n <= 65535;
}

static bool parse_unix(struct slice path, struct address *ret)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&ret->sa;

	if (path.len == 0 || path.len >= sizeof(un->sun_path) || slice_find(path, '\0') < path.len)
		return false;
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path.ptr, path.len);
	ret->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.len + 1);
	return true;
}

/* host ":" port; an IPv6 host stands in brackets */
static bool parse_inet(struct slice s, struct address *ret)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)&ret->sa;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ret->sa;
	size_t colon = s.len;
	char host[INET6_ADDRSTRLEN];

	while (colon > 0 && s.ptr[colon - 1] != ':')
		colon--;
	if (colon == 0)
		return false;

	bool brackets = s.ptr[0] == '[' && colon >= 3 && s.ptr[colon - 2] == ']';
	struct slice name = brackets ? slice_from(s.ptr + 1, colon - 3) : slice_from(s.ptr, colon - 1);

	if (name.len >= sizeof(host))
		return false;
	memcpy(host, name.ptr, name.len);
	host[name.len] = '\0';
	if (brackets) {
		in6->sin6_family = AF_INET6;
		ret->len = sizeof(*in6);
		return inet_pton(AF_INET6, host, &in6->sin6_addr) == 1 && parse_port(slice_skip(s, colon), &in6->sin6_port);
	}
	in4->sin_family = AF_INET;
	ret->len = sizeof(*in4);
	return inet_pton(AF_INET, host, &in4->sin_addr) == 1 && parse_port(slice_skip(s, colon), &in4->sin_port);
}

/* A socket file that nobody listens on any more is in the way; one that answers, or another kind of file, is not ours. */
static void remove_dead_socket(const struct address *a)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&a->sa;
	struct stat st;
	int fd;

	if (lstat(un->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return;
	if (connect(fd, (const struct sockaddr *)&a->sa, a->len) != 0 && errno == ECONNREFUSED)
		unlink(un->sun_path);
	close(fd);
}

static bool open_socket(const struct address *a, int fd)
{
	static const int on = 1;

	if (a->sa.ss_family != AF_UNIX && (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	                                   setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0))
		return false;
	return bind(fd, (const struct sockaddr *)&a->sa, a->len) == 0 && listen(fd, SOMAXCONN) == 0;
}

enum err_code listener_open(struct slice address, int *ret, struct err *reterr)
{
	struct address a = { .len = 0 };
	bool is_unix = listener_is_unix(address);
	int fd;

	if (!(is_unix ? parse_unix(slice_skip(address, 5), &a) : parse_inet(address, &a)))
		return err_set(reterr, ERR_INVALID, ERR_NOWHERE,
		               "listen address %.*s: want 192.0.2.1:8443, [2001:db8::1]:8443 or unix:/path", SLICE_ARG(address));
	if (is_unix)
		remove_dead_socket(&a);
	fd = socket(a.sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd != -1 && open_socket(&a, fd)) {
		*ret = fd;
		return ERR_OK;
	}

	int error = errno;

	if (fd != -1)
		close(fd);
	return err_set(reterr, ERR_IO, ERR_NOWHERE, "cannot listen on %.*s: %s", SLICE_ARG(address), strerror(error));
}

size_t listener_peer(int fd, char ret[LISTENER_PEER_MAX])
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	char host[INET6_ADDRSTRLEN];
	int n = -1;

	if (getpeername(fd, (struct sockaddr *)&sa, &len) == 0) {
		const struct sockaddr_in *in4 = (const struct sockaddr_in *)&sa;
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&sa;

		if (sa.ss_family == AF_INET && inet_ntop(AF_INET, &in4->sin_addr, host, sizeof(host)) != NULL)
			n = snprintf(ret, LISTENER_PEER_MAX, "%s:%u", host, ntohs(in4->sin_port));
		else if (sa.ss_family == AF_INET6 && inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host)) != NULL)
			n = snprintf(ret, LISTENER_PEER_MAX, "[%s]:%u", host, ntohs(in6->sin6_port));
		else if (sa.ss_family == AF_UNIX)
			n = snprintf(ret, LISTENER_PEER_MAX, "unix");
	}
	return n < 0 ? 0 : (size_t)n;
}
