#include "runtime/control.h"
#include "runtime/connector.h"

#include <string.h>

#define HURRY_EVERY_US 20000 /* a blocking fetch that a pause waits for is interrupted this often */

static task_next watch_run(task *t, bool may_block);

hw_status control_init(control *ctl, hw_connector *c, sched *s) {
  if (pthread_mutex_init(&ctl->lock, NULL) != 0) return HW_ENOMEM;
  ctl->c = c;
  ctl->last = &ctl->first;
  task_init(&ctl->watch, s, watch_run, false);
  return HW_OK;
}

void control_fini(control *ctl) { pthread_mutex_destroy(&ctl->lock); }

/* Lock held. Moves the head to the list of those to answer. */
static void take_head(control *ctl, transition ***answered) {
  transition *t = ctl->first;
  ctl->first = t->next;
  if (!ctl->first) ctl->last = &ctl->first;
  t->next = NULL;
  **answered = t;
  *answered = &t->next;
}

/* Lock held. What is true now, for the reply. */
static void describe(control *ctl, transition *t) {
  hw_connector *c = ctl->c;
  t->epoch = ++ctl->epoch;
  t->total_records = atomic_load(c->counted);
  if (!t->position) return;
  pthread_mutex_lock(&c->lock);
  memcpy(t->position, c->position, strlen(c->position) + 1);
  pthread_mutex_unlock(&c->lock);
}

/* Lock held. True: the head has become true, and its reply is filled in. A start
 * tells what was so before it, for afterwards it is no longer still. */
static bool head_is_true(control *ctl, transition *t) {
  hw_connector *c = ctl->c;
  if (!t->hold) {
    describe(ctl, t);
    c->release(c, t->reason);
    return true;
  }
  if (!gate_hold(&c->gate, t->reason) && !gate_wait(&c->gate)) return false;
  gate_unwait(&c->gate);
  describe(ctl, t);
  if (c->held) c->held(c);
  return true;
}

static void answer(control *ctl, transition *list, hw_status status) {
  for (transition *next; list; list = next) {
    next = list->next;
    list->done(list, ctl->c, status);
  }
}

/* Lock held. Has the watch look at the head, soon and not later than its limit. */
static void watch(control *ctl) {
  const transition *t = ctl->first;
  if (!t || ctl->watched || ctl->closed) return;
  uint64_t now = sched_now_us(), late = t->since_us + ctl->c->rt->pause_timeout_us;
  uint64_t left = t->patient ? HURRY_EVERY_US : late > now ? late - now : 1;
  ctl->watched = true;
  task_wait_us(&ctl->watch, left < HURRY_EVERY_US ? left : HURRY_EVERY_US);
}

void control_run(control *ctl) {
  transition *answered = NULL, **end = &answered;
  pthread_mutex_lock(&ctl->lock);
  bool closed = ctl->closed;
  while (ctl->first && (closed || head_is_true(ctl, ctl->first))) take_head(ctl, &end);
  watch(ctl);
  pthread_mutex_unlock(&ctl->lock);
  answer(ctl, answered, closed ? HW_ECANCELED : HW_OK);
}

void control_add(control *ctl, transition *t) {
  t->next = NULL;
  t->since_us = sched_now_us();
  pthread_mutex_lock(&ctl->lock);
  *ctl->last = t;
  ctl->last = &t->next;
  pthread_mutex_unlock(&ctl->lock);
}

/* Looks at a head that is not true yet: hurries its fetch, again and again since
 * an interrupt may come just before the call it is meant for, and at last gives up. */
static task_next watch_run(task *task_, bool may_block) {
  (void)may_block;
  control *ctl = (control *)((char *)task_ - offsetof(control, watch));
  uint64_t limit = ctl->c->rt->pause_timeout_us;
  transition *late = NULL, **end = &late;
  pthread_mutex_lock(&ctl->lock);
  uint64_t now = sched_now_us(); /* not before the lock: no since_us in the list is later */
  const transition *t = ctl->first;
  ctl->watched = false;
  if (t && !t->patient && now - t->since_us >= limit) {
    take_head(ctl, &end);
    gate_unwait(&ctl->c->gate); /* the next head asks again */
  }
  watch(ctl);
  pthread_mutex_unlock(&ctl->lock);
  if (t) connector_interrupt(ctl->c);
  answer(ctl, late, HW_ETIMEOUT);
  if (late) control_run(ctl); /* the next one may be due now */
  return TASK_IDLE;
}

void control_close(control *ctl) {
  pthread_mutex_lock(&ctl->lock);
  ctl->closed = true;
  pthread_mutex_unlock(&ctl->lock);
  control_run(ctl);
}

uint64_t control_epoch(control *ctl) {
  pthread_mutex_lock(&ctl->lock);
  uint64_t epoch = ctl->epoch;
  pthread_mutex_unlock(&ctl->lock);
  return epoch;
}
