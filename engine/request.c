/* request.c - control calls and their answers: each gets exactly one. */
#include "engine/pipeline.h"

#include <assert.h>
#include <stdlib.h>

request *request_new(hw_done *done, void *arg, bool flag, hw_error *err) {
  request *q = calloc(1, sizeof *q);
  if (!q) {
    (void)hw_error_set(err, HW_ENOMEM, "no memory for a control call");
    return NULL;
  }
  q->done = done;
  q->arg = arg;
  q->flag = flag;
  q->connector = DEPLOYMENT_ALL;
  q->parts = 1;
  return q;
}

void request_free(request *q) {
  if (q) free(q->position);
  free(q);
}

static void deliver_answer(effect *e) {
  request *q = (request *)e;
  hw_reply reply = {.struct_size = sizeof reply, .status = q->error.status,
                    .error = q->error.status == HW_OK ? NULL : &q->error, .epoch = q->epoch,
                    .total_records = q->total_records, .position = q->position ? q->position : "",
                    .kept_us = q->kept_us};
  q->done(q->arg, &reply);
  request_free(q);
}

void request_part(hw_pipeline *p, request *q, const hw_error *error) {
  if (error && q->error.status == HW_OK) q->error = *error;
  if (--q->parts > 0) return;
  q->effect.deliver = deliver_answer;
  pipeline_post(p, &q->effect);
}

void request_answer(hw_pipeline *p, request *q, const hw_error *error) {
  if (q) request_part(p, q, error);
}

/* ---- waiting ------------------------------------------------------------- */

void waiter_init(waiter *w) { *w = (waiter){.lock = PTHREAD_MUTEX_INITIALIZER, .answered = PTHREAD_COND_INITIALIZER}; }

void waiter_done(void *arg, const hw_reply *reply) {
  waiter *w = arg;
  pthread_mutex_lock(&w->lock);
  assert(!w->done);
  if (reply->error) w->error = *reply->error;
  w->done = true;
  pthread_cond_signal(&w->answered);
  pthread_mutex_unlock(&w->lock);
}

hw_status waiter_finish(waiter *w, hw_status accepted, hw_error *err) {
  pthread_mutex_lock(&w->lock);
  while (accepted == HW_OK && !w->done) pthread_cond_wait(&w->answered, &w->lock);
  pthread_mutex_unlock(&w->lock);
  if (accepted == HW_OK && w->error.status != HW_OK) {
    accepted = w->error.status;
    if (err) *err = w->error;
  }
  pthread_cond_destroy(&w->answered);
  pthread_mutex_destroy(&w->lock);
  return accepted;
}
