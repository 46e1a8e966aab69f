/* Pauses, starts and stops against fetches that block, producers and each other. */
#include "runtime/deployment_impl.h"
#include "tests/runtime_fixture.h"

#include <check.h>
#include <sched.h>

/* ---- fetches that block ----------------------------------------------------- */

static _Atomic bool heeds, let_go, inside;

/* Goes to a helper thread and stays there until it is interrupted, or let go. */
static hw_fetch block_fetch(fx_source *s, const hw_fetch_args *args, hw_error *err) {
  if (!args->may_block) return HW_FETCH_BLOCK;
  int before = atomic_load(&s->interrupts);
  atomic_store(&inside, true);
  fx_tell();
  FX_WAIT(atomic_load(&let_go) || (atomic_load(&heeds) && atomic_load(&s->interrupts) != before));
  atomic_store(&inside, false);
  return fx_count(s, args, err);
}

static void run_blocking(bool heeding, uint64_t timeout_us) {
  atomic_store(&heeds, heeding);
  fx_fetches[0] = block_fetch;
  fx_limit = 1000000;
  fx_options.pause_timeout_us = timeout_us;
  fx_make(1, 1, 0);
  fx_run();
  FX_WAIT(atomic_load(&inside));
}

START_TEST(a_pause_interrupts_a_fetch_that_blocks) {
  run_blocking(true, 20000000);
  for (int i = 0; i < 3; i++) {
    fx_reply r = fx_call(0, true);
    ck_assert_int_eq(r.status, HW_OK);
    ck_assert(!atomic_load(&inside));
    ck_assert_uint_eq(fx_total(0), r.total);
    ck_assert_int_eq(fx_call(0, false).status, HW_OK);
    FX_WAIT(atomic_load(&inside)); /* a start begins the next */
  }
  fx_stop(true); /* and so does a stop by force */
}
END_TEST

START_TEST(a_pause_that_times_out_holds_all_the_same) {
  run_blocking(false, 30000);
  fx_reply r = fx_call(0, true);
  ck_assert_int_eq(r.status, HW_ETIMEOUT);
  ck_assert_str_eq(r.code, "PauseTimeout");
  connector_stats s = fx_stats(0);
  ck_assert_str_eq(s.holds, "user");
  connector_stats_fini(&s);
  ck_assert_int_eq(fx_call(0, true).status, HW_ETIMEOUT); /* still not true */
  int fetches = atomic_load(&fx_sources[0]->fetches);
  atomic_store(&let_go, true);
  fx_tell();
  r = fx_call(0, true); /* true as soon as that fetch has ended */
  ck_assert_int_eq(r.status, HW_OK);
  ck_assert_uint_eq(r.total, fx_total(0));
  ck_assert_int_eq(atomic_load(&fx_sources[0]->fetches), fetches);
  ck_assert_int_eq(fx_call(0, false).status, HW_OK);
  while (fx_total(0) == r.total) sched_yield();
  fx_stop(false);
}
END_TEST

START_TEST(a_start_follows_a_pause_that_timed_out) {
  run_blocking(false, 30000);
  ck_assert_int_eq(fx_call(0, true).status, HW_ETIMEOUT);
  ck_assert_int_eq(fx_call(0, false).status, HW_OK);
  connector_stats s = fx_stats(0);
  ck_assert_str_eq(s.holds, "");
  connector_stats_fini(&s);
  atomic_store(&let_go, true);
  fx_tell();
  while (fx_total(0) < 1000) sched_yield();
  ck_assert_int_eq(fx_call(0, true).status, HW_OK);
  fx_stop(false);
}
END_TEST

START_TEST(a_pipelines_pause_that_times_out_holds_all_the_same) {
  run_blocking(false, 30000);
  fx_reply r = fx_call(DEPLOYMENT_ALL, true);
  ck_assert_int_eq(r.status, HW_ETIMEOUT);
  ck_assert_str_eq(r.code, "PauseTimeout");
  connector_stats s = fx_stats(0);
  ck_assert_str_eq(s.holds, "pipeline");
  connector_stats_fini(&s);
  atomic_store(&let_go, true);
  fx_tell();
  ck_assert_int_eq(fx_call(DEPLOYMENT_ALL, false).status, HW_OK);
  while (fx_total(0) < 1000) sched_yield();
  fx_stop(false);
}
END_TEST

/* Calls that keep coming must not put off the time limit. */
START_TEST(a_flood_of_pauses_times_out_too) {
  run_blocking(false, 40000);
  static fx_reply replies[100000];
  fx_ask(0, true, &replies[0]);
  for (int i = 1;; i++) {
    pthread_mutex_lock(&fx_lock);
    bool done = replies[0].done;
    if (!done) fx_listen(1);
    pthread_mutex_unlock(&fx_lock);
    if (done) break;
    ck_assert_int_lt(i, 100000);
    fx_ask(0, true, &replies[i]);
  }
  ck_assert_int_eq(replies[0].status, HW_ETIMEOUT);
  atomic_store(&let_go, true);
  fx_stop(true);
}
END_TEST

/* A fetch may outlast a pause's time limit; what it brings is still written. */
START_TEST(a_graceful_stop_waits_for_a_fetch_up_to_its_own_deadline) {
  run_blocking(false, 10000);
  fx_sources[0]->limit = 10;
  ck_assert_int_eq(fx_call(0, true).status, HW_ETIMEOUT);
  deployment_stop(fx_dep, false, sched_now_us() + 20000000);
  pthread_mutex_lock(&fx_lock);
  for (uint64_t until = sched_now_us() + 100000; sched_now_us() < until && !atomic_load(&fx_stopped);) fx_listen(10);
  ck_assert(!atomic_load(&fx_stopped));
  atomic_store(&let_go, true);
  pthread_cond_broadcast(&fx_changed);
  pthread_mutex_unlock(&fx_lock);
  FX_WAIT(atomic_load(&fx_stopped));
  ck_assert_int_eq(fx_stopped_error.status, HW_OK);
  ck_assert(fx_sink_counts_to(&fx_sinks[0], 10));
  fx_free();
}
END_TEST

START_TEST(a_stop_at_its_deadline_interrupts) {
  run_blocking(true, 20000000);
  atomic_store(&heeds, false);
  deployment_stop(fx_dep, false, sched_now_us() + 30000);
  while (deployment_phase(fx_dep) < PHASE_CLOSING) sched_yield();
  atomic_store(&heeds, true); /* however late it begins to listen */
  FX_WAIT(atomic_load(&fx_stopped));
  ck_assert_int_eq(fx_stopped_error.status, HW_ETIMEOUT);
  fx_free();
}
END_TEST

/* ---- every call is answered --------------------------------------------------- */

static _Atomic unsigned asked, answered;
static _Atomic bool enough;

static void count_answer(void *arg, const hw_reply *r) {
  (void)arg, (void)r;
  atomic_fetch_add(&answered, 1);
}

static void *ask_on(void *arg) {
  unsigned seed = (unsigned)(uintptr_t)arg;
  while (!atomic_load(&enough)) {
    seed = seed * 1664525u + 1013904223u;
    atomic_fetch_add(&asked, 1);
    deployment_control(fx_dep, seed >> 31 ? (seed >> 30) & 1 : DEPLOYMENT_ALL, (seed >> 29) & 1, count_answer, NULL);
  }
  return NULL;
}

START_TEST(calls_that_race_with_a_stop_are_answered_once) {
  fx_limit = INT64_MAX / FX_MOST;
  fx_make(2, 1, 0);
  atomic_store(&asked, 0);
  atomic_store(&answered, 0);
  atomic_store(&enough, false);
  fx_deploy();
  pthread_t threads[3];
  for (uintptr_t i = 0; i < 3; i++) pthread_create(&threads[i], NULL, ask_on, (void *)(i + 1 + (uintptr_t)_i * 7));
  while (_i % 4 && atomic_load(&asked) < 10u * (unsigned)_i) sched_yield();
  deployment_stop(fx_dep, _i % 3 == 0, sched_now_us() + 20000000);
  if (_i % 3 == 1) deployment_stop(fx_dep, true, 0);
  FX_WAIT(atomic_load(&fx_stopped));
  atomic_store(&enough, true);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  ck_assert_uint_eq(atomic_load(&asked), atomic_load(&answered));
  fx_free();
}
END_TEST

/* ---- producers ------------------------------------------------------------------ */

static _Atomic int64_t pushed;

static void *push_on(void *arg) {
  (void)arg;
  hw_error err;
  for (int64_t n = 0;;) {
    hw_producer *p = deployment_producer(fx_dep, 0, &err);
    hw_status st = HW_OK;
    for (int i = 0; i < 10 && st == HW_OK; i++) {
      hw_batch *b = hw_producer_batch(p);
      ck_assert_ptr_nonnull(b);
      for (int k = 0; k < 3; k++) ((int64_t *)b->columns[0].values)[b->n_rows++] = FX_MOST * n++;
      st = hw_producer_push(p, b, -1);
      if (st == HW_OK) atomic_fetch_add(&pushed, 3);
    }
    hw_producer_close(p);
    if (st == HW_OK) continue;
    ck_assert_int_eq(st, HW_ESTATE);
    return NULL;
  }
}

/* What a push was told is taken reaches the sink, and nothing comes after the end. */
START_TEST(a_stop_takes_pushed_rows_whole_or_refuses_them) {
  fx_limit = 0;
  fx_make(1, 1, 0);
  fx_run();
  atomic_store(&pushed, 0);
  pthread_t thread;
  pthread_create(&thread, NULL, push_on, NULL);
  while (atomic_load(&pushed) < 1000 * (_i + 1)) sched_yield();
  deployment_stop(fx_dep, false, sched_now_us() + 20000000);
  FX_WAIT(atomic_load(&fx_stopped));
  pthread_join(thread, NULL);
  ck_assert_int_eq(fx_stopped_error.status, HW_OK);
  ck_assert_int_eq((int64_t)atomic_load(&fx_sinks[0].rows), atomic_load(&pushed));
  fx_free();
}
END_TEST

START_TEST(closed_producers_go_while_inputs_go_on) {
  hw_error err;
  fx_limit = INT64_MAX / FX_MOST;
  fx_make(1, 1, 0);
  fx_run();
  for (int i = 0; i < 20; i++) hw_producer_close(deployment_producer(fx_dep, 0, &err));
  while (atomic_load(&fx_dep->producers_closing)) sched_yield();
  pthread_mutex_lock(&fx_dep->lock);
  ck_assert_ptr_null(fx_dep->producers);
  pthread_mutex_unlock(&fx_dep->lock);
  fx_stop(true);
}
END_TEST

static void hear(void *arg, const hw_batch *b) {
  (void)b;
  atomic_fetch_add((_Atomic unsigned *)arg, 1);
}

START_TEST(listeners_come_and_go_at_any_moment) {
  hw_error err;
  fx_limit = INT64_MAX / FX_MOST;
  fx_make(1, 1, 2);
  fx_deploy();
  deployment_unlisten(deployment_listen(fx_dep, 1, hear, &asked, &err));
  FX_WAIT(atomic_load(&fx_opened));
  deployment_control(fx_dep, DEPLOYMENT_ALL, false, NULL, NULL);
  for (int i = 0; i < 200; i++) {
    _Atomic unsigned heard = 0; /* nobody may write it after its listener is gone */
    deployment_listener *l = deployment_listen(fx_dep, (uint32_t)i % 2, hear, &heard, &err);
    if (i % 5 == 0)
      while (!atomic_load(&heard)) sched_yield();
    deployment_unlisten(l);
  }
  deployment_listener *last = deployment_listen(fx_dep, 1, hear, &asked, &err);
  deployment_stop(fx_dep, true, 0);
  deployment_unlisten(last);
  FX_WAIT(atomic_load(&fx_stopped));
  deployment_unlisten(deployment_listen(fx_dep, 1, hear, &asked, &err));
  fx_free();
}
END_TEST

int main(void) {
  Suite *s = suite_create("runtime_control");
  TCase *t = tcase_create("runtime_control");
  tcase_set_timeout(t, 60);
  tcase_add_test(t, a_pause_interrupts_a_fetch_that_blocks);
  tcase_add_test(t, a_pause_that_times_out_holds_all_the_same);
  tcase_add_test(t, a_start_follows_a_pause_that_timed_out);
  tcase_add_test(t, a_pipelines_pause_that_times_out_holds_all_the_same);
  tcase_add_test(t, a_flood_of_pauses_times_out_too);
  tcase_add_test(t, a_graceful_stop_waits_for_a_fetch_up_to_its_own_deadline);
  tcase_add_test(t, a_stop_at_its_deadline_interrupts);
  tcase_add_loop_test(t, calls_that_race_with_a_stop_are_answered_once, 0, 24);
  tcase_add_loop_test(t, a_stop_takes_pushed_rows_whole_or_refuses_them, 0, 8);
  tcase_add_test(t, closed_producers_go_while_inputs_go_on);
  tcase_add_test(t, listeners_come_and_go_at_any_moment);
  suite_add_tcase(s, t);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failures = srunner_ntests_failed(r);
  srunner_free(r);
  return failures != 0;
}
