/* fake_ports.h - the outside world of one core, under the hand of a test: it says when the disk is done and what the backend
 * answers, and sees every byte that leaves. */
#ifndef WEIR_TESTS_FAKE_PORTS_H
#define WEIR_TESTS_FAKE_PORTS_H

#include "audit/record.h"
#include "core/core.h"
#include "core/outbound.h"

struct fake_world {
	struct core_ports ports;
	struct clock clock;
	struct core *core;
	struct snapshot *snap;

	/* the client */
	char head[4096], body[16384];
	size_t head_len, body_len, body_calls;
	unsigned status;
	bool closed, ended, aborted, full;   /* full: body() says enough */

	/* the backend */
	const struct outbound *asked;
	char wire[16384];
	const struct upstream_events *events;
	void *events_ctx;
	size_t started, cancelled, paused, resumed;

	/* the log */
	char leaves[16][8192];
	size_t leaf_len[16];
	int types[16];
	size_t records;
	bool refuse_records;
	enum ticket_state ticket;

	/* limits */
	struct gcra_given given;
	size_t taken;
};

struct fake_ask {
	const char *method, *target, *body;
	struct header headers[4];
	const char *uri;
	enum identity_fault identity_fault;
	enum deny fault;
	int64_t not_after;
};

void fake_open(struct fake_world *w);
void fake_close(struct fake_world *w);
/* begins one request; forgets what the last one left */
struct request *fake_begin(struct fake_world *w, const struct fake_ask *ask);
void fake_answer_head(struct fake_world *w, unsigned status, const char *type);
void fake_answer_body(struct fake_world *w, const char *bytes);
void fake_answer_done(struct fake_world *w);
void fake_answer_fails(struct fake_world *w, enum upstream_fault why);
/* everything of the n-th record is on the disk */
void fake_durable(struct fake_world *w);
/* the public part of the n-th record, zero terminated */
const char *fake_public(struct fake_world *w, size_t n);

#endif
