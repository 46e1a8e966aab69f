/* reply.h - the answer to a control call, handed from the engine's thread to the
 * main one, whose wait it ends (signals.h). */
#ifndef CLI_REPLY_H
#define CLI_REPLY_H

#include "cli/signals.h"

#include <headworks/headworks.h>

#include <stdatomic.h>

typedef struct reply {
  signals *signals;
  _Atomic bool done; /* set last, by whoever answers; then the rest may be read */
  hw_status status;
  hw_error error;    /* when status is not HW_OK; never without a message */
} reply;

void reply_init(reply *r, signals *s);

/* Answers it. Any thread, once. */
void reply_set(reply *r, hw_status status, const hw_error *error);

/* For hw_..._pause and the like: `done`, with the reply as its argument. */
void reply_done(void *arg, const hw_reply *from);

/* What that call returned: when it failed, done is never called. */
void reply_called(reply *r, hw_status status, const hw_error *error);

#endif
