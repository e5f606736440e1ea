/* Addresses: what is one already, and what a look-up on another thread finds. */
#include "io/http_resolve.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static void test_literals(void **state)
{
	static const struct {
		const char *host;
		int family;            /* 0 = no address */
	} rows[] = {
		{ "127.0.0.1", AF_INET }, { "192.0.2.255", AF_INET }, { "::1", AF_INET6 }, { "2001:db8::1", AF_INET6 },
		{ "", 0 }, { "localhost", 0 }, { "127.0.0.1.", 0 }, { "127.1", 0 }, { "[::1]", 0 }, { "0x7f000001", 0 }, { "::1%lo", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_addresses a = { .len = 0 };

		assert_int_equal(http_address_literal(slice_cstr(rows[i].host), 9090, &a), rows[i].family != 0);
		assert_int_equal(a.len, rows[i].family != 0);
		if (rows[i].family == 0)
			continue;
		assert_int_equal(a.items[0].at.any.sa_family, rows[i].family);
		/* the port lies at the same place in both */
		assert_int_equal(ntohs(((struct sockaddr_in *)&a.items[0].at.any)->sin_port), 9090);
	}
}

static void test_unix(void **state)
{
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	struct http_addresses a = { .len = 0 };

	(void)state;
	memset(path, 'a', sizeof(path));
	assert_false(http_address_unix(SLICE(""), &a));
	assert_false(http_address_unix(slice_from(path, sizeof(path)), &a));
	assert_true(http_address_unix(slice_from(path, sizeof(path) - 1), &a));
	assert_int_equal(a.len, 1);
	assert_int_equal(a.items[0].at.any.sa_family, AF_UNIX);
}

static void wait_for_bell(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t n;

	assert_int_equal(poll(&p, 1, 20000), 1);
	assert_int_equal(read(fd, &n, sizeof(n)), sizeof(n));
}

static void test_lookup(void **state)
{
	static const struct {
		const char *host;
		bool found;
	} rows[] = { { "localhost", true }, { "no..such..name", false } };
	int bell = eventfd(0, EFD_CLOEXEC);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_lookup *l = http_lookup_start(slice_cstr(rows[i].host), 9090, bell);
		struct http_addresses a;
		const char *why;

		assert_non_null(l);
		wait_for_bell(bell);
		assert_true(http_lookup_ended(l, &a, &why));
		assert_int_equal(a.len > 0, rows[i].found);
		assert_non_null(why);
		http_lookup_drop(l);
	}
	close(bell);
}

/* the asker goes first, and closes its bell: the thread still has one of its own */
static void test_dropped(void **state)
{
	int bell = eventfd(0, EFD_CLOEXEC), kept = dup(bell);

	(void)state;
	for (int i = 0; i < 20; i++) {
		http_lookup_drop(http_lookup_start(SLICE("localhost"), 1, bell));
		wait_for_bell(kept);
	}
	http_lookup_drop(http_lookup_start(SLICE("localhost"), 1, bell));
	close(bell);
	wait_for_bell(kept);
	close(kept);
}

static void test_no_name(void **state)
{
	char host[300];

	(void)state;
	memset(host, 'a', sizeof(host));
	assert_null(http_lookup_start(slice_from(host, sizeof(host)), 1, 0));
	assert_null(http_lookup_start(SLICE(""), 1, 0));
	assert_null(http_lookup_start(SLICE("localhost\0.evil"), 1, 0));
	assert_null(http_lookup_start(SLICE("localhost"), 1, -1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_literals), cmocka_unit_test(test_unix),    cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_dropped),  cmocka_unit_test(test_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
