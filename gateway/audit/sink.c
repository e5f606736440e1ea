/* sink.c - see sink.h. */
#include "audit/sink.h"

enum err_code sink_open(const struct committer_options *o, struct sink *ret, struct err *reterr)
{
	struct sink s = { 0 };
	enum err_code rc = committer_open(o, &s.committer, reterr);

	if (rc == ERR_OK)
		rc = pseudonym_open(o->directory, &s.pseudonym, reterr);
	if (rc == ERR_OK)
		*ret = s;
	else
		sink_close(&s);
	return rc;
}

void sink_close(struct sink *s)
{
	s->committer = committer_free(s->committer);
	s->pseudonym = pseudonym_free(s->pseudonym);
}

enum err_code sink_submit(void *ctx, struct slice leaf, int type, enum submit_class class, struct ticket *ret,
                          struct err *reterr)
{
	struct sink *s = ctx;

	return committer_submit(s->committer, leaf, type, class, ret, reterr);
}

enum ticket_state sink_state(void *ctx, struct ticket t)
{
	const struct sink *s = ctx;

	return committer_state(s->committer, t);
}

int64_t sink_index(void *ctx, struct ticket t)
{
	const struct sink *s = ctx;

	return committer_index(s->committer, t);
}

bool sink_is_open(void *ctx)
{
	const struct sink *s = ctx;

	return committer_is_open(s->committer);
}

void sink_pseudonym(void *ctx, struct slice spki, char ret[24])
{
	const struct sink *s = ctx;

	pseudonym_print(s->pseudonym, spki, ret);
}
