#include "config/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void addresses(void **state)
{
	static const struct {
		struct slice in;
		bool want;
	} rows[] = {
		{ SLICE_INIT("0.0.0.0:8443"), true },   { SLICE_INIT("127.0.0.1:1"), true },    { SLICE_INIT("[::]:65535"), true },
		{ SLICE_INIT("[2001:db8::1]:443"), true }, { SLICE_INIT("unix:/run/weir.sock"), true }, { SLICE_INIT("unix:weir.sock"), true },
		{ SLICE_INIT(""), false },              { SLICE_INIT(":8443"), false },         { SLICE_INIT("0.0.0.0"), false },
		{ SLICE_INIT("0.0.0.0:"), false },      { SLICE_INIT("0.0.0.0:0"), false },     { SLICE_INIT("0.0.0.0:65536"), false },
		{ SLICE_INIT("0.0.0.0:8443 "), false }, { SLICE_INIT("0.0.0.0:84\0" "3"), false }, { SLICE_INIT("1.2.3:80"), false },
		{ SLICE_INIT("1.2.3.4.5:80"), false },  { SLICE_INIT("01.2.3.4:80"), false },   { SLICE_INIT("localhost:80"), false },
		{ SLICE_INIT("::1:80"), false },        { SLICE_INIT("[::1]"), false },         { SLICE_INIT("[::1:80"), false },
		{ SLICE_INIT("[127.0.0.1]:80"), false }, { SLICE_INIT("[::1%lo]:80"), false },  { SLICE_INIT("unix:"), false },
		{ SLICE_INIT("unix:/a\0b"), false },    { SLICE_INIT("[]:80"), false },         { SLICE_INIT("0.0.0.0:+80"), false },
	};
	struct slice path;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((address_check(rows[i].in, &path, NULL) == ERR_OK) != rows[i].want)
			fail_msg("%.*s", SLICE_ARG(rows[i].in));
	assert_int_equal(address_check(SLICE("unix:/a"), &path, NULL), ERR_OK);
	assert_true(slice_eq(path, SLICE("/a")));
}

static void urls(void **state)
{
	static const struct {
		const char *in;
		bool tls;
		const char *host;                /* NULL: refused */
		uint16_t port;
		const char *unix_path, *base;
		bool local;
	} rows[] = {
		{ "http://prometheus", false, "prometheus", 80, "", "", false },
		{ "https://prometheus", true, "prometheus", 443, "", "", false },
		{ "https://prometheus:9090", true, "prometheus", 9090, "", "", false },
		{ "https://a-b.example.org:1/prometheus", true, "a-b.example.org", 1, "", "/prometheus", false },
		{ "https://h/a/b//", true, "h", 443, "", "/a/b", false },
		{ "http://127.0.0.1:9090/", false, "127.0.0.1", 9090, "", "", true },
		{ "http://127.0.0.1.example.org", false, "127.0.0.1.example.org", 80, "", "", false },
		{ "http://localhost:9090", false, "localhost", 9090, "", "", true },
		{ "http://[::1]:9090", false, "::1", 9090, "", "", true },
		{ "http://[2001:db8::1]", false, "2001:db8::1", 80, "", "", false },
		{ "unix:/run/p.sock", false, "localhost", 80, "/run/p.sock", "", true },
		{ "unix:p.sock", false, "localhost", 80, "p.sock", "", true },
		{ .in = "" }, { .in = "prometheus:9090" }, { .in = "ftp://x" }, { .in = "HTTP://x" }, { .in = "http://" }, { .in = "http:///a" },
		{ .in = "http://u@h" }, { .in = "http://u:p@h" }, { .in = "http://h:0" }, { .in = "http://h:" }, { .in = "http://h:99999" },
		{ .in = "http://h:1x" }, { .in = "http://[::1" }, { .in = "http://[::1]x" }, { .in = "http://::1" }, { .in = "http://h/?q" },
		{ .in = "http://h?q" }, { .in = "http://h#f" }, { .in = "http://h/a/../b" }, { .in = "http://h/./b" }, { .in = "http://h/a//b" },
		{ .in = "http://h/%61" }, { .in = "http://h/a b" }, { .in = "http://h/\r\nX: y" }, { .in = "http://h_h" }, { .in = "http://-h" },
		{ .in = "http://h..h" }, { .in = "unix:" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct url u;
		enum err_code rc = url_parse(slice_cstr(rows[i].in), &u, NULL);

		if ((rc == ERR_OK) != (rows[i].host != NULL))
			fail_msg("%s: %d", rows[i].in, (int)rc);
		if (rc != ERR_OK)
			continue;
		if (u.tls != rows[i].tls || u.port != rows[i].port || !slice_eq(u.host, slice_cstr(rows[i].host)) ||
		    !slice_eq(u.unix_path, slice_cstr(rows[i].unix_path)) || !slice_eq(u.base_path, slice_cstr(rows[i].base)) ||
		    url_is_local(&u) != rows[i].local)
			fail_msg("%s: host %.*s port %d base %.*s", rows[i].in, SLICE_ARG(u.host), u.port, SLICE_ARG(u.base_path));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(addresses), cmocka_unit_test(urls) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
