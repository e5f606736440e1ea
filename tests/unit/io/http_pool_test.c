/* Connections: kept, given out again, refused, waited for; and the one retry. */
#include "io/world.h"

#include <sys/un.h>

/* ---- connections that are kept ---- */

static void test_reuse(void **state)
{
	struct world w;
	int fd;

	(void)state;
	world_init(&w);
	fd = peer_serve_first(&w);
	for (int i = 0; i < 3; i++) {
		struct seen s = { 0 };

		start_call(&w, &s);
		peer_request(&w, fd);
		peer_send(fd, OK_2);
		RUN_UNTIL(&w, OVER(s));
		assert_true(s.done);
		assert_string_equal(s.body, "ok");
	}
	assert_false(peer_is_waiting(&w));
	close(fd);
	world_done(&w);
}

/* after these answers the connection is closed, though the answer was good */
static void test_no_reuse(void **state)
{
	static const char *const answers[] = {
		"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct seen s = { 0 };
		struct world w;
		int fd;

		world_init(&w);
		start_call(&w, &s);
		fd = peer_accept(&w);
		peer_request(&w, fd);
		peer_send(fd, answers[i]);
		RUN_UNTIL(&w, OVER(s));
		assert_true(s.done);
		peer_sees_close(&w, fd);
		world_done(&w);
	}
}

static void test_bytes_nobody_asked_for(void **state)
{
	struct world w;
	int fd;

	(void)state;
	world_init(&w);
	fd = peer_serve_first(&w);
	peer_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
	peer_sees_close(&w, fd);
	close(peer_serve_first(&w));
	world_done(&w);
}

static void test_idle_connection_is_closed_by_the_backend(void **state)
{
	struct world w;
	int fd;

	(void)state;
	world_init(&w);
	fd = peer_serve_first(&w);
	shutdown(fd, SHUT_WR);
	peer_sees_close(&w, fd);
	close(peer_serve_first(&w));
	world_done(&w);
}

static void test_idle_connection_grows_old(void **state)
{
	struct world w;
	int fd;

	(void)state;
	world_init(&w);
	fd = peer_serve_first(&w);
	pass_ms(&w, 2900);
	settle(&w);
	assert_int_equal(metrics_value(w.metrics, METRIC_UPSTREAM_CONNS, METRIC_LABELS(SLICE("metrics"), SLICE("idle"))), 1);
	pass_ms(&w, 200);
	peer_sees_close(&w, fd);
	assert_int_equal(metrics_value(w.metrics, METRIC_UPSTREAM_CONNS, METRIC_LABELS(SLICE("metrics"), SLICE("idle"))), 0);
	world_done(&w);
}

/* an answer that comes before the request is out leaves the rest of the request on the wire */
static void test_early_answer(void **state)
{
	size_t len = (size_t)16 << 20;
	char *wire = calloc(1, len);
	struct seen s = { .out = { .wire = { wire, len } } };
	struct world w;
	int fd;

	(void)state;
	world_init(&w);
	start_call(&w, &s);
	fd = peer_accept(&w);
	settle(&w);
	peer_send(fd, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
	RUN_UNTIL(&w, OVER(s));
	assert_true(s.done);
	assert_int_equal(s.status, 413);
	free(wire);
	peer_sees_close(&w, fd);
	world_done(&w);
}

/* ---- one retry ---- */

static void test_retry(void **state)
{
	(void)state;
	for (int resets = 0; resets < 2; resets++) {
		struct seen s = { 0 };
		struct world w;
		int fd;

		world_init(&w);
		fd = peer_serve_first(&w);
		start_call(&w, &s);
		peer_request(&w, fd);
		if (resets)
			peer_reset(fd);
		else
			close(fd);
		fd = peer_accept(&w);
		peer_request(&w, fd);
		peer_send(fd, OK_2);
		RUN_UNTIL(&w, OVER(s));
		assert_true(s.done);
		close(fd);
		world_done(&w);
	}
}

/* the second connection dies as well: that was it, though another used one is at hand */
static void test_retry_once(void **state)
{
	struct seen s = { 0 }, other = { 0 };
	struct world w;
	int one, two, three;

	(void)state;
	world_init(&w);
	one = peer_serve_first(&w);
	start_call(&w, &s);
	peer_request(&w, one);
	start_call(&w, &other);
	two = peer_accept(&w);
	peer_request(&w, two);
	peer_send(two, OK_2);
	RUN_UNTIL(&w, OVER(other));
	close(one);
	three = peer_accept(&w);
	peer_request(&w, three);
	close(three);
	RUN_UNTIL(&w, OVER(s));
	assert_failed(&s, UPSTREAM_NONSENSE, "ended before the answer");
	close(two);
	world_done(&w);
}

static void test_no_retry(void **state)
{
	static const struct {
		const char *name;
		bool repeatable;
		const char *begun;
	} no[] = {
		{ "not repeatable", false, "" },
		{ "an answer had begun", true, "H" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		struct seen s = { .out = { .wire = SLICE(REQUEST), .repeatable = no[i].repeatable } };
		struct world w;
		int fd;

		print_message("%s\n", no[i].name);
		world_init(&w);
		fd = peer_serve_first(&w);
		start_call(&w, &s);
		peer_request(&w, fd);
		peer_send(fd, no[i].begun);
		close(fd);
		RUN_UNTIL(&w, OVER(s));
		assert_failed(&s, UPSTREAM_NONSENSE, "ended");
		settle(&w);
		assert_false(peer_is_waiting(&w));
		world_done(&w);
	}
}

/* a full pool of used connections makes room for the new one that a retry wants */
static void test_retry_in_a_full_pool(void **state)
{
	struct seen a = { 0 }, b = { 0 };
	struct world w;
	int one, two, three;

	(void)state;
	world_prepare(&w);
	w.backend.pool_connections = 2;
	world_open(&w);
	start_call(&w, &a);
	start_call(&w, &b);
	one = peer_accept(&w);
	two = peer_accept(&w);
	peer_send(one, OK_2);
	peer_send(two, OK_2);
	RUN_UNTIL(&w, a.done && b.done);
	peer_request(&w, one);
	peer_request(&w, two);

	struct seen s = { 0 };
	char byte;
	int used;

	start_call(&w, &s);
	settle(&w);
	used = recv(one, &byte, 1, MSG_PEEK) == 1 ? one : two;
	close(used);
	three = peer_accept(&w);
	peer_request(&w, three);
	peer_send(three, OK_2);
	RUN_UNTIL(&w, OVER(s));
	assert_true(s.done);
	close(three);
	close(used == one ? two : one);
	world_done(&w);
}

/* ---- no connection ---- */

static void test_refused(void **state)
{
	struct seen s = { 0 };
	struct world w;

	(void)state;
	world_init(&w);
	close(w.listener);
	w.listener = -1;
	start_call(&w, &s);
	RUN_UNTIL(&w, OVER(s));
	assert_failed(&s, UPSTREAM_CONNECT, "connection failure");
	world_done(&w);
}

static void test_unix_socket(void **state)
{
	char dir[] = "/tmp/weir-test-XXXXXX";
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct seen s = { 0 }, missing = { 0 };
	struct world w;
	int fd;

	(void)state;
	world_prepare(&w);
	assert_non_null(mkdtemp(dir));
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/backend", dir);
	close(w.listener);
	w.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(w.listener, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(w.listener, 8), 0);
	w.backend.unix_path = slice_cstr(un.sun_path);
	w.backend.host = SLICE("localhost");
	world_open(&w);

	start_call(&w, &s);
	fd = peer_accept(&w);
	peer_request(&w, fd);
	peer_send(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
	RUN_UNTIL(&w, OVER(s));
	assert_true(s.done);
	close(fd);

	/* connect(2) fails at once: the caller hears of it all the same, but not inside start */
	unlink(un.sun_path);
	start_call(&w, &missing);
	RUN_UNTIL(&w, OVER(missing));
	assert_failed(&missing, UPSTREAM_CONNECT, "No such file");
	rmdir(dir);
	world_done(&w);
}

/* ---- names ---- */

static void test_name(void **state)
{
	struct seen s[2] = { 0 };
	struct world w;
	int fd;

	(void)state;
	world_prepare(&w);
	w.backend.host = SLICE("localhost");
	world_open(&w);
	for (int i = 0; i < 2; i++) {                    /* the second one finds the address at hand */
		start_call(&w, &s[i]);
		fd = peer_accept(&w);
		peer_request(&w, fd);
		peer_send(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
		RUN_UNTIL(&w, OVER(s[i]));
		assert_true(s[i].done);
		close(fd);
	}
	world_done(&w);
}

static void test_no_such_name(void **state)
{
	struct seen s[2] = { 0 };
	struct world w;

	(void)state;
	world_prepare(&w);
	w.backend.host = SLICE("no..such..name");        /* no name server is needed to know that */
	world_open(&w);
	for (int i = 0; i < 2; i++) {
		start_call(&w, &s[i]);
		RUN_UNTIL(&w, OVER(s[i]));
		assert_failed(&s[i], UPSTREAM_CONNECT, "cannot be resolved");
	}
	world_done(&w);
}

/* the client goes while a look-up is under way */
static void test_name_forgotten(void **state)
{
	struct seen s = { 0 };
	struct world w;

	(void)state;
	world_prepare(&w);
	w.backend.host = SLICE("localhost");
	world_open(&w);
	start_call(&w, &s);
	w.up.cancel(s.call);
	world_done(&w);
}

/* ---- the pool's bounds ---- */

static void test_pool_is_bounded(void **state)
{
	struct seen s[6] = { 0 };
	struct world w;
	int one, two;

	(void)state;
	world_prepare(&w);
	w.backend.pool_connections = 2;
	w.backend.pool_waiters = 3;
	world_open(&w);
	for (int i = 0; i < 6; i++)
		start_call(&w, &s[i]);
	RUN_UNTIL(&w, OVER(s[5]));
	assert_failed(&s[5], UPSTREAM_BUSY, "3 requests wait");
	one = peer_accept(&w);
	two = peer_accept(&w);
	settle(&w);
	assert_false(peer_is_waiting(&w));
	pass_ms(&w, 0);
	assert_int_equal(metrics_value(w.metrics, METRIC_UPSTREAM_CONNS, METRIC_LABELS(SLICE("metrics"), SLICE("busy"))), 2);

	/* first come, first served, on the connections that there are */
	peer_request(&w, two);
	peer_request(&w, one);
	peer_send(one, OK_2);
	RUN_UNTIL(&w, s[0].done || s[1].done);
	peer_request(&w, one);
	assert_false(s[2].done);
	peer_send(one, OK_2);
	RUN_UNTIL(&w, s[2].done);
	peer_request(&w, one);
	peer_send(one, OK_2);
	RUN_UNTIL(&w, s[3].done);
	assert_false(s[4].done);
	peer_request(&w, one);
	peer_send(one, OK_2);
	RUN_UNTIL(&w, s[4].done);
	peer_send(two, OK_2);
	RUN_UNTIL(&w, s[0].done && s[1].done);
	close(one);
	close(two);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reuse),
		cmocka_unit_test(test_no_reuse),
		cmocka_unit_test(test_bytes_nobody_asked_for),
		cmocka_unit_test(test_idle_connection_is_closed_by_the_backend),
		cmocka_unit_test(test_idle_connection_grows_old),
		cmocka_unit_test(test_early_answer),
		cmocka_unit_test(test_retry),
		cmocka_unit_test(test_retry_once),
		cmocka_unit_test(test_no_retry),
		cmocka_unit_test(test_retry_in_a_full_pool),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_unix_socket),
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_no_such_name),
		cmocka_unit_test(test_name_forgotten),
		cmocka_unit_test(test_pool_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
