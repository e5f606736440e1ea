/* A worker as a whole: messages, reload, drain, end. */
#include "server/fixture.h"

/* ---- messages and the end ---- */

static void test_wakes(void **state)
{
	struct fixture *f = *state;

	for (int i = 1; i <= 5; i++) {
		worker_wake(f->worker);
		WAIT_FOR(f, s, s.wakes >= i);
	}
	for (int i = 0; i < 10000; i++)
		worker_wake(f->worker);
	for (int i = 0; i < 100; i++)
		reload(f);
}

static void test_other_listeners(void **state)
{
	struct fixture *f = *state;
	struct listener_settings other[2] = { f->listeners[0], f->listeners[1] };
	struct snapshot next = { .listeners = other, .listeners_len = 2 };

	assert_true(worker_same_listeners(f->snap, &next));
	other[1].address = SLICE("elsewhere");
	assert_false(worker_same_listeners(f->snap, &next));
	other[1] = f->listeners[1];
	other[1].serve = SERVE_QUERY;
	assert_false(worker_same_listeners(f->snap, &next));
	other[1] = f->listeners[1];
	other[1].tls = &f->tls;
	assert_false(worker_same_listeners(f->snap, &next));
	next.listeners_len = 1;
	assert_false(worker_same_listeners(f->snap, &next));
}

static void test_drain(void **state)
{
	struct fixture *f = *state;
	struct client busy, idle, fresh;

	atomic_store(&f->hold, true);
	client_tls(&busy, f);
	client_tls(&idle, f);
	client_send(&busy, "GET /later HTTP/1.1\r\n" H "\r\n");
	WAIT_FOR(f, s, s.begun == 1);
	worker_drain(f->worker);
	client_until_closed(&idle);
	assert_false(idle.reset);            /* with a goodbye */
	assert_int_equal(idle.len, 0);

	/* health answers until the end */
	client_plain(&fresh, f->port[1]);
	client_send(&fresh, "GET /now HTTP/1.1\r\n" H "\r\n");
	client_until_closed(&fresh);
	assert_in(&fresh, "hello");
	assert_in(&fresh, "Connection: close");
	client_done(&fresh);

	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(f->port[0]), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), -1);
	close(fd);
	atomic_store(&f->hold, false);
	client_until_closed(&busy);
	assert_in(&busy, "late");
	assert_in(&busy, "Connection: close");
	assert_false(busy.reset);
	f->worker = worker_join(f->worker);
	client_done(&busy);
	client_done(&idle);
	assert_int_equal(seen(f).gone, 0);
}

static void test_drain_ends(void **state)
{
	struct fixture *f = *state;
	struct client waiting, half, silent;

	client_tls(&waiting, f);
	client_tls(&half, f);
	client_plain(&silent, f->port[0]);   /* in its handshake */
	client_send(&waiting, "GET /never HTTP/1.1\r\n" H "\r\n");
	client_send(&half, "GET /never HT");
	WAIT_FOR(f, s, s.begun == 1 && server_connections(f->server) == 3);
	worker_drain(f->worker);
	f->worker = worker_join(f->worker);  /* after two seconds at most */
	client_until_closed(&waiting);
	assert_true(waiting.reset);
	assert_int_equal(seen(f).gone, 1);
	client_done(&waiting);
	client_done(&half);
	client_done(&silent);
}

static void test_setup_fails(void **state)
{
	struct fixture *f = *state;
	struct err e;

	f->setup_fails = true;
	assert_int_equal(start_worker(f, &e), ERR_IO);
	assert_non_null(strstr(e.text, "worker 0"));
	assert_null(f->worker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_wakes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_listeners, setup, teardown),
		cmocka_unit_test_setup_teardown(test_drain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_drain_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_setup_fails, setup_files, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
