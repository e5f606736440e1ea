/* Listening sockets: addresses as written, one socket for each worker, unix sockets that a dead process left. */
#include "server/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static void test_addresses(void **state)
{
	static const struct {
		const char *address;
		enum err_code want;
	} rows[] = {
		{ "127.0.0.1:0", ERR_OK },
		{ "0.0.0.0:0", ERR_OK },
		{ "", ERR_INVALID },
		{ "127.0.0.1", ERR_INVALID },
		{ "127.0.0.1:", ERR_INVALID },
		{ "127.0.0.1:x", ERR_INVALID },
		{ "127.0.0.1:65536", ERR_INVALID },
		{ "127.0.0.1:000080", ERR_INVALID },
		{ "127.0.0.1:-1", ERR_INVALID },
		{ ":8443", ERR_INVALID },
		{ "localhost:8443", ERR_INVALID },
		{ "127.1:8443", ERR_INVALID },
		{ "::1:8443", ERR_INVALID },
		{ "[::1]8443", ERR_INVALID },
		{ "[::1]", ERR_INVALID },
		{ "[:8443", ERR_INVALID },
		{ "[]:8443", ERR_INVALID },
		{ "[127.0.0.1]:8443", ERR_INVALID },
		{ "unix:", ERR_INVALID },
		{ "unix:/no/such/folder/socket", ERR_IO },
		{ "192.0.2.1:8443", ERR_IO },          /* nobody's address */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = { .text = "" };
		int fd = -1;
		enum err_code got = listener_open(slice_cstr(rows[i].address), &fd, &e);

		if (got != rows[i].want)
			fail_msg("%s: got %d: %s", rows[i].address, got, e.text);
		if (got != ERR_OK && strstr(e.text, rows[i].address) == NULL)
			fail_msg("%s: not named in: %s", rows[i].address, e.text);
		if (fd != -1)
			close(fd);
	}
}

static int connect_to(const struct sockaddr *sa, socklen_t len)
{
	int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(connect(fd, sa, len), 0);
	return fd;
}

static void test_one_socket_each(void **state)
{
	struct sockaddr_in sa;
	socklen_t len = sizeof(sa);
	char address[32], peer[LISTENER_PEER_MAX], want[LISTENER_PEER_MAX];
	int a, b, client, server;

	(void)state;
	assert_int_equal(listener_open(SLICE("127.0.0.1:0"), &a, NULL), ERR_OK);
	assert_int_equal(getsockname(a, (struct sockaddr *)&sa, &len), 0);
	snprintf(address, sizeof(address), "127.0.0.1:%u", ntohs(sa.sin_port));
	assert_int_equal(listener_open(slice_cstr(address), &b, NULL), ERR_OK);
	close(b);
	client = connect_to((struct sockaddr *)&sa, sizeof(sa));
	server = accept(a, NULL, NULL);
	assert_int_not_equal(server, -1);
	assert_int_equal(getsockname(client, (struct sockaddr *)&sa, &len), 0);
	snprintf(want, sizeof(want), "127.0.0.1:%u", ntohs(sa.sin_port));
	assert_true(slice_eq(slice_from(peer, listener_peer(server, peer)), slice_cstr(want)));
	assert_int_equal(listener_peer(a, peer), 0);       /* connected to nobody */
	close(client);
	close(server);
	close(a);
}

static void test_unix(void **state)
{
	char folder[] = "/tmp/weir-listener-XXXXXX", address[128], peer[LISTENER_PEER_MAX];
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd, other, client, server;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/socket", folder);
	snprintf(address, sizeof(address), "unix:%s", sa.sun_path);
	assert_true(listener_is_unix(slice_cstr(address)));
	assert_false(listener_is_unix(SLICE("127.0.0.1:80")));
	assert_int_equal(listener_open(slice_cstr(address), &fd, NULL), ERR_OK);
	assert_int_equal(listener_open(slice_cstr(address), &other, NULL), ERR_IO);      /* somebody lives there */
	client = connect_to((struct sockaddr *)&sa, sizeof(sa));
	server = accept(fd, NULL, NULL);
	assert_true(slice_eq(slice_from(peer, listener_peer(server, peer)), SLICE("unix")));
	close(client);
	close(server);
	close(fd);
	assert_int_equal(listener_open(slice_cstr(address), &fd, NULL), ERR_OK);         /* nobody does any more */
	close(fd);
	assert_int_equal(unlink(sa.sun_path), 0);

	file = fopen(sa.sun_path, "w");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(listener_open(slice_cstr(address), &fd, NULL), ERR_IO);         /* a file that is not ours stays */
	assert_int_equal(access(sa.sun_path, F_OK), 0);
	assert_int_equal(unlink(sa.sun_path), 0);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_one_socket_each),
		cmocka_unit_test(test_unix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
