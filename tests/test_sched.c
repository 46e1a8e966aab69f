/* The scheduler's promises: no run is lost, none overlaps, timers and fds wake. */
#include "runtime/sched.h"

#include <headworks/connector.h>

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct probe {
  task task;
  _Atomic int running, runs, closed, overlaps, helper_runs;
  _Atomic uint64_t seen, posted; /* work posted before a notify must be seen by a run after it */
  task_next next;
  pthread_mutex_t lock;
  pthread_cond_t changed;
} probe;

static sched *s;

static void setup(void) {
  hw_error err;
  s = sched_new(2, 0, &err);
  ck_assert_msg(s != NULL, "%s", err.message);
}
static void teardown(void) { sched_free(s); }

static void changed(probe *p) {
  pthread_mutex_lock(&p->lock);
  pthread_cond_broadcast(&p->changed);
  pthread_mutex_unlock(&p->lock);
}

#define WAIT_UNTIL(p, condition)                                                   \
  do {                                                                             \
    pthread_mutex_lock(&(p)->lock);                                                \
    while (!(condition)) pthread_cond_wait(&(p)->changed, &(p)->lock);             \
    pthread_mutex_unlock(&(p)->lock);                                              \
  } while (0)

static task_next probe_run(task *t, bool may_block) {
  probe *p = (probe *)t;
  if (atomic_fetch_add(&p->running, 1) != 0) atomic_fetch_add(&p->overlaps, 1);
  atomic_store(&p->seen, atomic_load(&p->posted));
  atomic_fetch_add(&p->runs, 1);
  if (may_block) atomic_fetch_add(&p->helper_runs, 1);
  task_next next = may_block ? TASK_IDLE : p->next;
  atomic_fetch_sub(&p->running, 1);
  changed(p);
  return next;
}

static void probe_init(probe *p, task_next next) {
  pthread_mutex_init(&p->lock, NULL);
  pthread_cond_init(&p->changed, NULL);
  p->next = next;
  task_init(&p->task, s, probe_run, false);
}

static void probe_closed(task *t) {
  probe *p = (probe *)t;
  pthread_mutex_lock(&p->lock);
  atomic_store(&p->closed, 1);
  pthread_cond_broadcast(&p->changed);
  pthread_mutex_unlock(&p->lock);
}

static void probe_end(probe *p) {
  task_close(&p->task, probe_closed);
  WAIT_UNTIL(p, atomic_load(&p->closed));
  ck_assert_int_eq(atomic_load(&p->overlaps), 0);
}

#define POSTS 50000

static void *post(void *arg) {
  probe *p = arg;
  for (int i = 0; i < POSTS; i++) {
    atomic_fetch_add(&p->posted, 1);
    task_notify(&p->task);
  }
  return NULL;
}

START_TEST(no_notify_is_lost_and_no_run_overlaps) {
  probe p = {0};
  pthread_t threads[3];
  probe_init(&p, TASK_IDLE);
  for (int i = 0; i < 3; i++) ck_assert_int_eq(pthread_create(&threads[i], NULL, post, &p), 0);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  WAIT_UNTIL(&p, atomic_load(&p.seen) == 3 * POSTS);
  probe_end(&p);
}
END_TEST

START_TEST(blocking_goes_to_a_helper_once) {
  probe p = {0};
  probe_init(&p, TASK_BLOCKING);
  task_notify(&p.task);
  WAIT_UNTIL(&p, atomic_load(&p.helper_runs) == 1);
  task_notify(&p.task); /* and starts on a worker again */
  WAIT_UNTIL(&p, atomic_load(&p.helper_runs) == 2);
  ck_assert_int_eq(atomic_load(&p.runs), 4);
  probe_end(&p);
}
END_TEST

START_TEST(again_runs_until_closed) {
  probe p = {0};
  probe_init(&p, TASK_AGAIN);
  task_notify(&p.task);
  WAIT_UNTIL(&p, atomic_load(&p.runs) >= 1000);
  probe_end(&p);
}
END_TEST

typedef struct wanderer {
  probe probe; /* first */
  pthread_t on;
  int moves;
} wanderer;

static task_next wander(task *t, bool may_block) {
  wanderer *w = (wanderer *)t;
  if (atomic_load(&w->probe.runs) > 0 && !pthread_equal(w->on, pthread_self())) w->moves++;
  w->on = pthread_self();
  return probe_run(t, may_block);
}

/* A thread that has just begun may take it once; nobody is woken to do so. */
START_TEST(what_goes_on_stays_on_its_thread) {
  wanderer w = {0};
  probe_init(&w.probe, TASK_AGAIN);
  w.probe.task.run = wander;
  task_notify(&w.probe.task);
  WAIT_UNTIL(&w.probe, atomic_load(&w.probe.runs) >= 20000);
  probe_end(&w.probe);
  ck_assert_int_le(w.moves, 2);
}
END_TEST

START_TEST(timers_fire_in_order_and_can_be_replaced) {
  probe p[3] = {0};
  for (int i = 0; i < 3; i++) probe_init(&p[i], TASK_IDLE);
  task_wait_us(&p[0].task, 3600u * 1000000u);
  task_wait_us(&p[1].task, 2000);
  task_wait_us(&p[2].task, 1000);
  WAIT_UNTIL(&p[1], atomic_load(&p[1].runs) == 1);
  WAIT_UNTIL(&p[2], atomic_load(&p[2].runs) == 1);
  ck_assert_int_eq(atomic_load(&p[0].runs), 0);
  task_wait_us(&p[0].task, 1);
  WAIT_UNTIL(&p[0], atomic_load(&p[0].runs) == 1);
  task_wait_us(&p[0].task, 3600u * 1000000u); /* a close takes it out */
  for (int i = 0; i < 3; i++) probe_end(&p[i]);
}
END_TEST

START_TEST(many_timers) {
  enum { N = 500 };
  probe *p = calloc(N, sizeof *p);
  ck_assert_ptr_nonnull(p);
  for (unsigned i = 0; i < N; i++) {
    probe_init(&p[i], TASK_IDLE);
    task_wait_us(&p[i].task, 1 + i * 7919u % 20000u);
  }
  for (unsigned i = 0; i < N; i += 3) task_wait_us(&p[i].task, 1 + i * 31u % 3000u);
  /* Some fire before they are replaced, and fire again. */
  for (unsigned i = 0; i < N; i++) WAIT_UNTIL(&p[i], atomic_load(&p[i].runs) >= 1);
  for (unsigned i = 0; i < N; i++) probe_end(&p[i]);
  free(p);
}
END_TEST

START_TEST(an_fd_wakes_once_per_arming) {
  probe p = {0};
  int fds[2];
  probe_init(&p, TASK_IDLE);
  ck_assert_int_eq(pipe(fds), 0);
  ck_assert_int_eq(task_wait_fd(&p.task, fds[0], HW_READABLE), HW_OK);
  ck_assert_int_eq(write(fds[1], "x", 1), 1);
  WAIT_UNTIL(&p, atomic_load(&p.runs) == 1);
  ck_assert_int_eq(write(fds[1], "x", 1), 1); /* not armed: nothing */
  ck_assert_int_eq(task_wait_fd(&p.task, fds[0], HW_READABLE), HW_OK);
  WAIT_UNTIL(&p, atomic_load(&p.runs) == 2);
  task_forget_fd(&p.task, fds[0]);
  close(fds[0]);
  close(fds[1]);
  ck_assert_int_ne(task_wait_fd(&p.task, fds[0], HW_READABLE), HW_OK);
  ck_assert_int_ne(task_wait_fd(&p.task, -1, HW_READABLE), HW_OK);
  probe_end(&p);
}
END_TEST


static void count_call(void *arg) {
  probe *p = arg;
  atomic_fetch_add(&p->runs, 1);
  changed(p);
}

START_TEST(calls_run_once_each) {
  probe p = {0};
  probe_init(&p, TASK_IDLE);
  for (int i = 0; i < 200; i++) ck_assert_int_eq(sched_call(s, count_call, &p), HW_OK);
  WAIT_UNTIL(&p, atomic_load(&p.runs) == 200);
  probe_end(&p);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("sched");
  TCase *t = tcase_create("sched");
  tcase_set_timeout(t, 60);
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, no_notify_is_lost_and_no_run_overlaps);
  tcase_add_test(t, blocking_goes_to_a_helper_once);
  tcase_add_test(t, again_runs_until_closed);
  tcase_add_test(t, what_goes_on_stays_on_its_thread);
  tcase_add_test(t, timers_fire_in_order_and_can_be_replaced);
  tcase_add_test(t, many_timers);
  tcase_add_test(t, an_fd_wakes_once_per_arming);
  tcase_add_test(t, calls_run_once_each);
  suite_add_tcase(suite, t);
  SRunner *r = srunner_create(suite);
  srunner_run_all(r, CK_NORMAL);
  int failed = srunner_ntests_failed(r);
  srunner_free(r);
  return failed != 0;
}
