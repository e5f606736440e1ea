/* Which backends the client knows: those of its snapshot, and those of the one before for a while. */
#include "io/world.h"

static void test_unknown_backend(void **state)
{
	struct seen s = { 0 };
	struct backend other;
	struct world w;

	(void)state;
	world_init(&w);
	other = w.backend;
	other.port++;
	s.out.backend = &other;
	start_call(&w, &s);
	RUN_UNTIL(&w, OVER(s));
	assert_failed(&s, UPSTREAM_CONNECT, "no longer configured");
	world_done(&w);
}

static void test_swap(void **state)
{
	struct seen kept = { 0 }, old = { 0 }, moved = { 0 }, late = { 0 };
	struct backend before, after;
	struct world w;
	uint16_t port;
	int fd, second;

	(void)state;
	world_init(&w);
	fd = peer_serve_first(&w);

	/* the same place: its connections stay */
	before = w.backend;
	before.pool_connections = 2;
	swap_backends(&w, &before, 1);
	start_call(&w, &kept);
	peer_request(&w, fd);
	peer_send(fd, OK_2);
	RUN_UNTIL(&w, OVER(kept));
	assert_true(kept.done);

	/* another place: a call that runs goes on, unused connections are closed */
	start_call(&w, &old);
	peer_request(&w, fd);
	after = before;
	second = w.listener;
	w.listener = listen_on_loopback(&port);
	after.port = port;
	swap_backends(&w, &after, 1);
	moved.out.backend = &after;
	start_call(&w, &moved);
	peer_send(fd, OK_2);
	RUN_UNTIL(&w, OVER(old));
	assert_true(old.done);
	peer_sees_close(&w, fd);
	fd = peer_accept(&w);
	peer_request(&w, fd);
	peer_send(fd, OK_2);
	RUN_UNTIL(&w, OVER(moved));
	assert_true(moved.done);
	close(fd);

	/* a request of the old snapshot still finds its backend for a while */
	close(w.listener);
	w.listener = second;
	late.out.backend = &before;
	start_call(&w, &late);
	fd = peer_accept(&w);
	peer_request(&w, fd);
	peer_send(fd, OK_2);
	RUN_UNTIL(&w, OVER(late));
	assert_true(late.done);
	peer_sees_close(&w, fd);
	pass_ms(&w, 61000);
	late = (struct seen){ .out.backend = &before };
	start_call(&w, &late);
	RUN_UNTIL(&w, OVER(late));
	assert_failed(&late, UPSTREAM_CONNECT, "no longer configured");
	world_done(&w);
}

static void test_bad_backends(void **state)
{
	char path[200];
	struct backend b = loopback_backend(1);
	struct http_backends *set;
	struct err err;

	(void)state;
	memset(path, 'a', sizeof(path));
	b.unix_path = slice_from(path, sizeof(path));
	assert_int_equal(http_backends_new(&b, 1, &set, &err), ERR_INVALID);
	assert_non_null(strstr(err.text, "too long"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown_backend),
		cmocka_unit_test(test_swap),
		cmocka_unit_test(test_bad_backends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
