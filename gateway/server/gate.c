/* gate.c - accepting connections, and the libh2o context they run under; see inner.h. */
#include "server/inner.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define ACCEPTS_PER_EVENT 16
#define ACCEPTS_AT_CLOSE 1024
#define PAUSE_MS 100

/* Backstop of libh2o: one timer over head, body and keep-alive together. Ours tell these apart, and are all shorter. */
#define LIBRARY_TIMEOUT_MS (IDLE_MS + UPLOAD_MS + 5000)

static const struct service *service_for(const struct worker_options *o, unsigned serve)
{
	if ((serve & (SERVE_QUERY | SERVE_PUSH)) != 0)
		return &o->traffic;
	return (serve & SERVE_ADMIN) != 0 ? &o->admin : &o->health;
}

void gate_init(struct gate *g, struct worker *w, size_t index, int fd)
{
	*g = (struct gate){ .worker = w, .index = index, .fd = fd };
	h2o_config_init(&g->conf);
	g->conf.server_name = h2o_iovec_init(NULL, 0);
	g->conf.handshake_timeout = HANDSHAKE_MS;
	g->conf.http1.req_timeout = LIBRARY_TIMEOUT_MS;
	g->conf.http1.upgrade_to_http2 = 0;  /* or the preface alone would start a session */
	http1_register(h2o_config_register_host(&g->conf, h2o_iovec_init(H2O_STRLIT("default")), 65535));
	h2o_context_init(&g->context, w->loop, &g->conf);
	g->accept = (h2o_accept_ctx_t){ .ctx = &g->context, .hosts = g->conf.hosts };
	gate_refresh(g);
}

void gate_refresh(struct gate *g)
{
	struct tls_context *tls = tls_set_context(g->worker->tls, g->index), *old = g->tls;

	g->settings = &g->worker->snap->listeners[g->index];
	g->service = service_for(&g->worker->o, g->settings->serve);
	/* one more than ours: libh2o counts a chunked body one byte early */
	g->conf.max_request_entity_size = g->settings->max_body + 1;
	g->tls = tls == NULL ? NULL : tls_context_ref(tls);
	g->accept.ssl_ctx = tls == NULL ? NULL : tls_context_ssl(tls);
	tls_context_unref(old);
}

static void pause_accepting(struct gate *g)
{
	g->paused_until_ms = worker_now_ms(g->worker) + PAUSE_MS;
	h2o_socket_read_stop(g->sock);
}

/* No descriptor is left: the spare one takes a connection out of the queue, so that its client does not hang, and for a
 * while no more are asked for. */
static void out_of_descriptors(struct gate *g)
{
	struct worker *w = g->worker;

	if (w->spare_fd != -1) {
		close(w->spare_fd);
		w->spare_fd = accept(g->fd, NULL, NULL);
		if (w->spare_fd != -1)
			close(w->spare_fd);
		w->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	pause_accepting(g);
}

static void accept_some(struct gate *g, int max)
{
	for (int i = 0; i < max && g->paused_until_ms == 0; i++) {
		h2o_socket_t *sock = h2o_evloop_socket_accept(g->sock);

		if (sock != NULL) {
			conn_accept(g, sock);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			out_of_descriptors(g);
		else if (errno == ECONNABORTED || errno == EINTR)
			continue;
		return;
	}
}

static void on_acceptable(h2o_socket_t *sock, const char *err)
{
	if (err == NULL)
		accept_some(sock->data, ACCEPTS_PER_EVENT);
}

void gate_listen(struct gate *g)
{
	if (g->fd == -1)
		return;
	g->sock = h2o_evloop_socket_create(g->worker->loop, g->fd, H2O_SOCKET_FLAG_DONT_READ);
	g->sock->data = g;
	h2o_socket_read_start(g->sock, on_acceptable);
}

void gate_tick(struct gate *g, int64_t now_ms)
{
	if (g->sock == NULL || g->paused_until_ms == 0 || now_ms < g->paused_until_ms)
		return;
	g->paused_until_ms = 0;
	if (g->worker->spare_fd == -1)
		g->worker->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	h2o_socket_read_start(g->sock, on_acceptable);
}

void gate_close(struct gate *g)
{
	if (g->sock == NULL)
		return;
	accept_some(g, ACCEPTS_AT_CLOSE);
	h2o_socket_read_stop(g->sock);
	h2o_socket_close(g->sock);
	g->sock = NULL;
	g->fd = -1;
}

void gate_done(struct gate *g)
{
	h2o_multithread_queue_t *queue = g->context.queue;

	gate_close(g);
	h2o_context_dispose(&g->context);
	free(queue);                         /* which libh2o forgets on this kind of loop */
	h2o_config_dispose(&g->conf);
	g->tls = tls_context_unref(g->tls);
}
