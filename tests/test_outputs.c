/* Outputs that are paused, slow, full or gone: what on_full promises, and that a
 * pause of an output is as true as one of an input. */
#include "runtime/deployment_impl.h"
#include "tests/runtime_fixture.h"
#include "tests/sanitizers.h"

#include <check.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define FOREVER (INT64_MAX / FX_MOST)

static uint64_t transmitted(uint32_t connector) {
  connector_stats s = fx_stats(connector);
  uint64_t n = s.transmitted_records;
  connector_stats_fini(&s);
  return n;
}

static uint64_t queued(uint32_t connector) {
  connector_stats s = fx_stats(connector);
  uint64_t n = s.queued_records;
  connector_stats_fini(&s);
  return n;
}

static bool healthy(uint32_t connector) {
  connector_stats s = fx_stats(connector);
  bool is = s.healthy;
  connector_stats_fini(&s);
  return is;
}

static bool circuit_has_taken(uint64_t records) { return atomic_load(&fx_dep->mark) >= records; }

/* A source that brings what it is granted. */
static _Atomic int64_t granted;

static hw_fetch metered(fx_source *s, const hw_fetch_args *args, hw_error *err) {
  s->limit = atomic_load(&granted);
  return s->next < s->limit ? fx_count(s, args, err) : HW_FETCH_WAIT;
}

static void grant(int64_t rows) {
  atomic_fetch_add(&granted, rows);
  hw_connector_wake(fx_sources[0]->c);
}

static void begin_metered(void) {
  atomic_store(&granted, 0);
  fx_fetches[0] = metered;
}

static bool has_all(const fx_sink *s) { return (int64_t)atomic_load(&s->rows) == atomic_load(&granted); }

static bool is_stalled(void) { return atomic_load(&fx_dep->stalled); }

/* ---- pauses ------------------------------------------------------------------- */

START_TEST(a_pause_of_an_output_is_true) {
  begin_metered();
  fx_make(1, 2, 0);
  fx_run();
  for (int i = 0; i < SANITIZED_SHARE(200); i++) {
    grant(5000);
    fx_reply r = fx_call(1, true);
    ck_assert_int_eq(r.status, HW_OK);
    int writes = atomic_load(&fx_sinks[0].writes);
    grant(5000);
    FX_WAIT(has_all(&fx_sinks[1])); /* the other notices nothing */
    ck_assert_int_eq(atomic_load(&fx_sinks[0].writes), writes);
    ck_assert_uint_eq(transmitted(1), r.total);
    connector_stats s = fx_stats(1);
    ck_assert(s.paused && !s.active);
    ck_assert_str_eq(s.holds, "user");
    connector_stats_fini(&s);
    r = fx_call(1, false);
    ck_assert_int_eq(r.status, HW_OK);
    ck_assert_int_eq((int64_t)r.epoch, 2 * i + 2);
    if (i % 3 == 0) FX_WAIT(has_all(&fx_sinks[0])); /* or the next pause may come before it has caught up */
  }
  FX_WAIT(has_all(&fx_sinks[1])); /* all is taken in */
  deployment_stop(fx_dep, false, sched_now_us() + 50000000);
  FX_WAIT(atomic_load(&fx_stopped));
  ck_assert_int_eq(fx_stopped_error.status, HW_OK);
  ck_assert(fx_sink_counts_to(&fx_sinks[0], SANITIZED_SHARE(2000000)));
  ck_assert(fx_sink_counts_to(&fx_sinks[1], SANITIZED_SHARE(2000000)));
  fx_free();
}
END_TEST

/* More batches than a queue has slots, and no input that would wake the pipeline. */
START_TEST(a_started_output_gets_all_that_waits) {
  fx_limit = 10000;
  fx_make(1, 2, 0);
  fx_connectors[0].max_batch_size = 10;
  fx_connectors[1].paused = true;
  fx_connectors[1].on_full = _i ? ON_FULL_DROP : ON_FULL_HOLD;
  fx_run();
  while (queued(1) < 10000) sched_yield();
  ck_assert_int_eq(fx_call(1, false).status, HW_OK);
  while (atomic_load(&fx_sinks[0].rows) < 10000) sched_yield();
  ck_assert(fx_sink_counts_to(&fx_sinks[0], 10000));
  fx_stop(false);
}
END_TEST

/* Batches of few rows too, which are more than a queue has slots. */
START_TEST(a_paused_output_holds_up_to_its_bounds) {
  fx_limit = 100000;
  fx_make(1, 2, 0);
  fx_connectors[0].max_batch_size = _i ? 10 : 0;
  fx_connectors[1].max_queued_records = 20000;
  fx_connectors[1].paused = true;
  fx_run();
  while (queued(1) < 20000) sched_yield();
  while (!is_stalled()) sched_yield();
  uint64_t held = queued(1);
  ck_assert_uint_lt(held, 20000 + BATCH_ROWS_MAX);
  ck_assert_uint_eq(atomic_load(&fx_dep->mark), held);
  while (atomic_load(&fx_sinks[1].rows) < held) sched_yield();
  ck_assert_int_eq(atomic_load(&fx_sinks[0].writes), 0);
  ck_assert_int_eq(fx_call(1, false).status, HW_OK);
  FX_WAIT(atomic_load(&fx_complete));
  ck_assert(fx_sink_counts_to(&fx_sinks[0], 100000));
  ck_assert(fx_sink_counts_to(&fx_sinks[1], 100000));
  fx_stop(false);
}
END_TEST

/* What it holds when it is started is no reason for the pipeline to wait. */
START_TEST(a_started_output_catches_up_while_others_go_on) {
  begin_metered();
  fx_make(1, 2, 0);
  fx_connectors[1].max_queued_records = 100000000;
  fx_run();
  atomic_store(&fx_sinks[0].waits, true); /* it will not write, so that its queue stays long */
  ck_assert_int_eq(fx_call(1, true).status, HW_OK);
  grant(1000000);
  FX_WAIT(has_all(&fx_sinks[1]));
  uint64_t held = queue_held(&fx_dep->outputs[1]->queue);
  ck_assert_uint_gt(held, 2 * QUEUE_NORMAL_BYTES);
  ck_assert_int_eq(fx_call(1, false).status, HW_OK);
  grant(20000);
  FX_WAIT(has_all(&fx_sinks[1])); /* not stalled */
  grant(1000000);
  while (!is_stalled()) sched_yield(); /* but it does not grow on and on */
  ck_assert_uint_lt(queue_held(&fx_dep->outputs[1]->queue), held + 2 * QUEUE_NORMAL_BYTES);
  fx_resume_sink(&fx_sinks[0]);
  FX_WAIT(has_all(&fx_sinks[0]));
  grant(1);
  while (atomic_load(&fx_dep->outputs[1]->catches_up)) sched_yield();
  FX_WAIT(has_all(&fx_sinks[0]));
  FX_WAIT(has_all(&fx_sinks[1]));
  ck_assert(fx_sink_counts_to(&fx_sinks[0], 2020001));
  ck_assert(fx_sink_counts_to(&fx_sinks[1], 2020001));
  fx_stop(false);
}
END_TEST

/* A slow sink stalls the pipeline; paused, it does so only at its bounds. */
START_TEST(a_pause_lets_a_stalled_pipeline_go_on) {
  fx_limit = FOREVER;
  fx_make(1, 2, 0);
  fx_run();
  atomic_store(&fx_sinks[0].waits, true);
  while (!is_stalled()) sched_yield();
  uint64_t held = queued(1);
  ck_assert_int_eq(fx_call(1, true).status, HW_OK);
  while (queued(1) < held + 100000) sched_yield();
  fx_stop(true);
}
END_TEST

START_TEST(a_stop_tells_what_a_paused_output_still_holds) {
  fx_limit = 5000;
  fx_make(1, 2, 0);
  fx_connectors[1].paused = _i == 0;
  fx_run();
  if (_i == 0) {
    while (!circuit_has_taken(5000)) sched_yield();
  } else { /* with nothing in hand the pause is no obstacle */
    FX_WAIT(atomic_load(&fx_complete));
    ck_assert_int_eq(fx_call(1, true).status, HW_OK);
  }
  deployment_stop(fx_dep, false, sched_now_us() + (_i == 0 ? 50000 : 20000000));
  FX_WAIT(atomic_load(&fx_stopped));
  if (_i == 0) {
    ck_assert_int_eq(fx_stopped_error.status, HW_ETIMEOUT);
    ck_assert_ptr_nonnull(strstr(fx_stopped_error.message, "output o.0 is paused and holds 5000 rows to write"));
    ck_assert_int_eq(atomic_load(&fx_sinks[0].writes), 0);
  } else {
    ck_assert_int_eq(fx_stopped_error.status, HW_OK);
    ck_assert_int_ge(atomic_load(&fx_sinks[0].flushes), 1);
  }
  ck_assert(fx_sink_counts_to(&fx_sinks[1], 5000));
  fx_free();
}
END_TEST

START_TEST(a_paused_output_that_fails_holds_nobody) {
  fx_limit = 50000;
  fx_make(1, 2, 0);
  fx_connectors[1].max_queued_records = 1000;
  atomic_store(&fx_sinks[0].fatal, true);
  fx_connectors[1].paused = true;
  fx_run();
  while (!is_stalled()) sched_yield();
  ck_assert_int_eq(fx_call(1, false).status, HW_OK); /* its first write fails */
  FX_WAIT(atomic_load(&fx_complete));
  connector_stats s = fx_stats(1);
  ck_assert_uint_eq(s.dropped_records, 50000);
  connector_stats_fini(&s);
  fx_stop(false);
}
END_TEST

/* ---- drop --------------------------------------------------------------------- */

/* The numbers of a sink, one a line, go up; a stop may have cut the last one short. */
static bool in_order(const fx_sink *s) {
  int64_t last = -1, n = 0;
  for (size_t i = 0; i < s->len; i++) {
    if (s->data[i] != '\n') {
      n = n * 10 + (s->data[i] - '0');
      continue;
    }
    if (n <= last) return false;
    last = n;
    n = 0;
  }
  return true;
}

START_TEST(what_is_dropped_is_counted) {
  fx_limit = 300000;
  fx_make(1, 2, 0);
  fx_connectors[1].max_queued_records = 10000;
  fx_connectors[1].on_full = ON_FULL_DROP;
  fx_connectors[1].paused = _i == 1;
  atomic_store(&fx_sinks[0].waits, _i == 0);
  fx_run();
  while (!circuit_has_taken(300000)) sched_yield(); /* the sink that does nothing holds up nobody */
  connector_stats s = fx_stats(1);
  ck_assert_uint_le(s.queued_records, 10000);
  ck_assert_uint_eq(s.queued_records + s.dropped_records, 300000);
  ck_assert_uint_gt(s.dropped_records, 0);
  connector_stats_fini(&s);
  if (_i == 1) ck_assert_int_eq(fx_call(1, false).status, HW_OK);
  if (_i == 0) fx_resume_sink(&fx_sinks[0]);
  FX_WAIT(atomic_load(&fx_complete));
  s = fx_stats(1);
  ck_assert_uint_eq(s.transmitted_records + s.dropped_records, 300000);
  ck_assert_uint_eq(s.transmitted_records, atomic_load(&fx_sinks[0].rows));
  ck_assert_str_eq(s.on_full, "drop");
  connector_stats_fini(&s);
  ck_assert(in_order(&fx_sinks[0]));
  ck_assert(fx_sink_counts_to(&fx_sinks[1], 300000));
  fx_stop(false);
}
END_TEST

/* ---- spill -------------------------------------------------------------------- */

static void make_spilling(int64_t limit, int64_t max_spill_bytes) {
  fx_limit = limit;
  fx_options.spill_dir = "/var/tmp";
  fx_make(1, 2, 0);
  fx_connectors[1].max_queued_records = 20000;
  fx_connectors[1].on_full = ON_FULL_SPILL;
  fx_connectors[1].max_spill_bytes = max_spill_bytes;
}

/* What a sink does not take goes to disk and comes back in order; memory stays within bounds. */
START_TEST(what_is_spilled_comes_back_in_order) {
  const int64_t rows = SANITIZED_SHARE(1000000);
  make_spilling(rows, 1 << 30);
  fx_connectors[0].max_batch_size = _i == 2 ? 50 : 0;
  fx_connectors[1].paused = _i == 1;
  atomic_store(&fx_sinks[0].waits, _i != 1);
  fx_run();
  uint64_t most = 0;
  while (!circuit_has_taken(rows)) {
    const output *out = fx_dep->outputs[1];
    uint64_t records = queue_records(&out->queue) + atomic_load(&out->spill->list_records);
    if (records > most) most = records;
  }
  connector_stats s = fx_stats(1);
  ck_assert_uint_eq(s.queued_records, rows);
  ck_assert_uint_gt(s.spill_bytes, 0);
  ck_assert_uint_gt(s.spilled_records, rows - 100000);
  ck_assert_uint_le(most, 20000 + BATCH_ROWS_MAX);
  connector_stats_fini(&s);
  if (_i == 1) ck_assert_int_eq(fx_call(1, false).status, HW_OK);
  if (_i != 1) fx_resume_sink(&fx_sinks[0]);
  FX_WAIT(atomic_load(&fx_complete));
  s = fx_stats(1);
  ck_assert_uint_eq(s.transmitted_records, rows);
  ck_assert_uint_eq(s.dropped_records + s.spill_bytes + s.queued_records, 0);
  connector_stats_fini(&s);
  ck_assert(fx_sink_counts_to(&fx_sinks[0], rows));
  ck_assert(fx_sink_counts_to(&fx_sinks[1], rows));
  fx_stop(false);
}
END_TEST

/* On and off the detour again and again. */
START_TEST(spilling_begins_and_ends_many_times) {
  begin_metered();
  make_spilling(0, 1 << 30);
  fx_connectors[1].max_queued_records = 5000;
  fx_run();
  for (int i = 0; i < SANITIZED_SHARE(100); i++) {
    ck_assert_int_eq(fx_call(1, true).status, HW_OK);
    grant(20000);
    FX_WAIT(has_all(&fx_sinks[1]));
    ck_assert_int_eq(fx_call(1, false).status, HW_OK);
    grant(1000);
    if (i % 4 == 0) FX_WAIT(has_all(&fx_sinks[0])); /* or the next pause may come before it has caught up */
  }
  FX_WAIT(has_all(&fx_sinks[1])); /* all is taken in */
  deployment_stop(fx_dep, false, sched_now_us() + 50000000);
  FX_WAIT(atomic_load(&fx_stopped));
  ck_assert_int_eq(fx_stopped_error.status, HW_OK);
  ck_assert(fx_sink_counts_to(&fx_sinks[0], SANITIZED_SHARE(2100000)));
  ck_assert(fx_sink_counts_to(&fx_sinks[1], SANITIZED_SHARE(2100000)));
  fx_free();
}
END_TEST

START_TEST(at_the_bound_of_its_files_it_holds_and_says_so) {
  const int64_t rows = SANITIZED_SHARE(2000000);
  make_spilling(rows, 1 << 20);
  atomic_store(&fx_sinks[0].waits, true);
  fx_run();
  while (healthy(1)) sched_yield();
  while (!is_stalled()) sched_yield();
  connector_stats s = fx_stats(1);
  ck_assert_ptr_nonnull(strstr(s.health_reason, "max_spill_bytes"));
  ck_assert_uint_le(s.spill_bytes, 1 << 20);
  ck_assert_uint_eq(s.transport_errors.n, 1);
  connector_stats_fini(&s);
  ck_assert(!circuit_has_taken(rows));
  fx_resume_sink(&fx_sinks[0]);
  FX_WAIT(atomic_load(&fx_complete));
  ck_assert(fx_sink_counts_to(&fx_sinks[0], rows));
  while (!healthy(1)) sched_yield();
  fx_stop(false);
}
END_TEST

START_TEST(a_directory_that_is_not_there_fails_the_start) {
  fx_limit = 10;
  fx_options.spill_dir = "/nowhere";
  fx_make(1, 1, 0);
  fx_connectors[1].on_full = ON_FULL_SPILL;
  fx_connectors[1].max_spill_bytes = 1 << 20;
  fx_deploy();
  FX_WAIT(atomic_load(&fx_opened));
  ck_assert_str_eq(fx_opened_error.message,
                   "connector o.0: no spill file can be made in /nowhere: No such file or directory");
  fx_stop(true);
}
END_TEST

START_TEST(what_is_spilled_when_the_sink_fails_is_counted_as_dropped) {
  make_spilling(500000, 1 << 30);
  fx_connectors[1].paused = true;
  atomic_store(&fx_sinks[0].fatal, true);
  fx_run();
  while (!circuit_has_taken(300000)) sched_yield();
  ck_assert_int_eq(fx_call(1, false).status, HW_OK);
  FX_WAIT(atomic_load(&fx_complete));
  connector_stats s = fx_stats(1);
  ck_assert_uint_eq(s.dropped_records, 500000);
  ck_assert_uint_eq(s.spill_bytes + s.queued_records + s.queued_batches, 0);
  connector_stats_fini(&s);
  fx_stop(false);
}
END_TEST

START_TEST(a_stop_tells_what_is_spilled) {
  make_spilling(500000, 1 << 30);
  fx_connectors[1].paused = true;
  fx_run();
  while (!circuit_has_taken(500000)) sched_yield();
  deployment_stop(fx_dep, _i, sched_now_us() + 50000);
  FX_WAIT(atomic_load(&fx_stopped));
  ck_assert_int_eq(fx_stopped_error.status, _i ? HW_OK : HW_ETIMEOUT);
  if (!_i) ck_assert_ptr_nonnull(strstr(fx_stopped_error.message, "holds 500000 rows"));
  fx_free();
}
END_TEST

/* ---- races -------------------------------------------------------------------- */

static _Atomic unsigned asked, answered;
static _Atomic bool enough;

static void count_answer(void *arg, const hw_reply *r) {
  (void)arg, (void)r;
  atomic_fetch_add(&answered, 1);
}

/* Pauses and starts of the outputs, the input and the pipeline, at random. */
static void *ask_on(void *arg) {
  unsigned seed = (unsigned)(uintptr_t)arg;
  while (!atomic_load(&enough)) {
    seed = seed * 1664525u + 1013904223u;
    uint32_t who = seed >> 30;
    atomic_fetch_add(&asked, 1);
    deployment_control(fx_dep, who == 3 ? DEPLOYMENT_ALL : who, (seed >> 29) & 1, count_answer, NULL);
  }
  return NULL;
}

START_TEST(outputs_race_with_a_stop) {
  make_spilling(FOREVER, 1 << 30);
  fx_connectors[2].on_full = _i % 2 ? ON_FULL_DROP : ON_FULL_HOLD;
  fx_connectors[2].max_queued_records = 5000;
  atomic_store(&asked, 0);
  atomic_store(&answered, 0);
  atomic_store(&enough, false);
  fx_run();
  pthread_t threads[3];
  for (uintptr_t i = 0; i < 3; i++) pthread_create(&threads[i], NULL, ask_on, (void *)(i + 1 + (uintptr_t)_i * 7));
  while (atomic_load(&asked) < 60u * (unsigned)(_i + 1)) sched_yield();
  bool force = _i % 3 == 0;
  deployment_stop(fx_dep, force, sched_now_us() + 300000);
  FX_WAIT(atomic_load(&fx_stopped));
  atomic_store(&enough, true);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  ck_assert_uint_eq(atomic_load(&asked), atomic_load(&answered));
  ck_assert(in_order(&fx_sinks[0]));
  if (_i % 2 == 0 && !force && fx_stopped_error.status == HW_OK) {
    ck_assert(fx_sink_counts_to(&fx_sinks[0], (int64_t)atomic_load(&fx_sinks[1].rows)));
  }
  fx_free();
}
END_TEST

int main(void) {
  Suite *s = suite_create("outputs");
  TCase *t = tcase_create("outputs");
  tcase_set_timeout(t, 120);
  tcase_add_test(t, a_pause_of_an_output_is_true);
  tcase_add_loop_test(t, a_started_output_gets_all_that_waits, 0, 2);
  tcase_add_loop_test(t, a_paused_output_holds_up_to_its_bounds, 0, 2);
  tcase_add_test(t, a_started_output_catches_up_while_others_go_on);
  tcase_add_test(t, a_pause_lets_a_stalled_pipeline_go_on);
  tcase_add_loop_test(t, a_stop_tells_what_a_paused_output_still_holds, 0, 2);
  tcase_add_test(t, a_paused_output_that_fails_holds_nobody);
  tcase_add_loop_test(t, what_is_dropped_is_counted, 0, 2);
  tcase_add_loop_test(t, what_is_spilled_comes_back_in_order, 0, 3);
  tcase_add_test(t, spilling_begins_and_ends_many_times);
  tcase_add_test(t, at_the_bound_of_its_files_it_holds_and_says_so);
  tcase_add_test(t, a_directory_that_is_not_there_fails_the_start);
  tcase_add_test(t, what_is_spilled_when_the_sink_fails_is_counted_as_dropped);
  tcase_add_loop_test(t, a_stop_tells_what_is_spilled, 0, 2);
  tcase_add_loop_test(t, outputs_race_with_a_stop, 0, 12);
  suite_add_tcase(s, t);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failures = srunner_ntests_failed(r);
  srunner_free(r);
  return failures != 0;
}
