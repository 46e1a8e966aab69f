/* Transactions: what is taken between start and commit is seen by nobody before the
 * commit, then by snapshots at once and by every sink whole; what a start and a commit
 * divide, by the time at which they are answered; units; bounds of memory; stops. */
#include "runtime/deployment_extra.h"
#include "runtime/deployment_impl.h"
#include "tests/require.h"
#include "tests/runtime_fixture.h"

#include <check.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUTPUT_TAKES 100000

static hw_producer *producer;

static void run_pipeline(uint32_t n_outputs) {
  fx_bytes = false;
  fx_limit = 0; /* the input of the program brings nothing */
  fx_materialized = true;
  fx_make(1, n_outputs, 1);
  for (uint32_t i = 1; i <= n_outputs; i++) fx_connectors[i].max_queued_records = OUTPUT_TAKES;
  fx_run();
  hw_error err;
  producer = deployment_producer(fx_dep, 0, &err);
  ck_assert_ptr_nonnull(producer);
}

static void end(bool force) {
  hw_producer_close(producer);
  fx_stop(force);
}

static void push(int64_t first, uint32_t n) {
  hw_batch *b = hw_producer_batch(producer);
  ck_assert_ptr_nonnull(b);
  for (uint32_t i = 0; i < n; i++) ((int64_t *)b->columns[0].values)[b->n_rows++] = first + i;
  for (uint32_t i = 0; i < n; i++) hw_column_set_valid(&b->columns[0], i);
  ck_assert_int_eq(hw_producer_push(producer, b, -1), HW_OK);
}

static pipeline_stats stats(void) {
  pipeline_stats s;
  REQUIRE(deployment_stats(fx_dep, false, &s) == HW_OK);
  return s;
}

#define STAT(member)                       \
  __extension__({                          \
    pipeline_stats s_ = stats();           \
    typeof(s_.member) value_ = s_.member;  \
    pipeline_stats_fini(&s_);              \
    value_;                                \
  })

/* Until it is so; the pipeline's task tells nobody. */
#define AWAIT(condition) \
  while (!(condition)) sched_yield()

static uint64_t begin(void) {
  hw_error err = {0};
  uint64_t id = 0;
  ck_assert_msg(deployment_start_transaction(fx_dep, &id, &err) == HW_OK, "%s", err.message);
  return id;
}

static void commit(void) {
  hw_error err = {0};
  ck_assert_msg(deployment_commit_transaction(fx_dep, &err) == HW_OK, "%s", err.message);
}

static void commit_and_wait(void) {
  commit();
  AWAIT(STAT(transaction.id) == 0);
}

/* So many rows, all different, into the transaction. */
static uint64_t push_until(uint64_t records) {
  uint64_t pushed = 0;
  for (; pushed < records; pushed += 4096) push((int64_t)pushed, 4096);
  AWAIT(STAT(transaction.records) == pushed);
  return pushed;
}

static uint64_t rows_seen(uint32_t relation, uint64_t *step) {
  hw_error err;
  store_snapshot *s;
  REQUIRE(deployment_snapshot(fx_dep, &relation, 1, &s, &err) == HW_OK);
  uint64_t n = store_snapshot_rows(s, 0);
  if (step) *step = store_snapshot_step(s);
  store_snapshot_free(s);
  return n;
}

/* ---- what is seen when ---------------------------------------------------- */

START_TEST(nobody_sees_it_before_the_commit) {
  run_pipeline(2);
  push(0, 5);
  AWAIT(atomic_load(&fx_sinks[0].rows) == 5 && rows_seen(0, NULL) == 5);
  uint64_t step, id = begin();
  ck_assert_uint_eq(id, 1);
  for (int64_t i = 0; i < 20; i++) push(100 + 10 * i, 10);
  AWAIT(STAT(transaction.records) == 200);
  pipeline_stats s = stats();
  ck_assert(s.transaction.open && !s.transaction.committing);
  ck_assert_uint_eq(s.transaction.id, 1);
  ck_assert_uint_gt(s.transaction.held_bytes, 0);
  ck_assert_uint_eq(s.total_input_records, 205);
  ck_assert_uint_eq(s.total_processed_records, 5);
  ck_assert_uint_eq(s.total_completed_records, 5);
  ck_assert_uint_eq(s.buffered_input_records, 200);
  uint64_t steps = s.completed_steps;
  pipeline_stats_fini(&s);
  ck_assert_uint_eq(rows_seen(0, &step), 5);
  ck_assert_uint_eq(rows_seen(1, NULL), 5);
  ck_assert_uint_eq(atomic_load(&fx_sinks[0].rows), 5);
  commit_and_wait();
  ck_assert_uint_eq(rows_seen(0, &step), 205);
  ck_assert_uint_eq(rows_seen(1, NULL), 205);
  ck_assert_uint_eq(step, steps + 1);
  FX_WAIT(atomic_load(&fx_sinks[0].rows) == 205 && atomic_load(&fx_sinks[1].rows) == 205);
  AWAIT(STAT(total_completed_records) == 205);
  ck_assert_uint_eq(STAT(transaction.held_bytes), 0);
  ck_assert_uint_eq(STAT(buffered_input_records), 0);
  ck_assert_uint_eq(STAT(transaction_commit.count), 1);
  ck_assert_uint_eq(begin(), 2);
  commit_and_wait();
  ck_assert_uint_eq(STAT(completed_steps), steps + 1); /* an empty one makes no step */
  end(false);
}
END_TEST

START_TEST(a_snapshot_shows_all_or_none) {
  run_pipeline(1);
  for (int64_t round = 1; round <= 50; round++) {
    begin();
    for (int64_t i = 0; i < 8; i++) push(1000 * round + 100 * i, 100);
    commit();
    for (uint64_t n = 0; n < (uint64_t)(800 * round);) {
      n = rows_seen(1, NULL);
      REQUIRE(n % 800 == 0);
    }
    AWAIT(STAT(transaction.id) == 0);
  }
  end(false);
}
END_TEST

/* What is in the queue when a start is answered does not belong to it; what is there when
 * a commit is answered does, whatever the pipeline's task has done by then. */
START_TEST(calls_divide_what_is_queued) {
  run_pipeline(1);
  atomic_store(&fx_sinks[0].waits, true);
  uint64_t pushed = 0;
  while (!STAT(output_stalls)) { /* until the pipeline stands still */
    push((int64_t)(pushed++ * 4096), 4096);
    AWAIT(STAT(buffered_input_records) == 0 || STAT(output_stalls));
  }
  push((int64_t)(pushed++ * 4096), 1000);
  uint64_t before = STAT(total_input_records);
  begin();
  push((int64_t)(pushed++ * 4096), 7);
  commit();
  push((int64_t)(pushed++ * 4096), 1);
  ck_assert_uint_lt(STAT(total_processed_records), before);
  fx_resume_sink(&fx_sinks[0]);
  uint64_t seen = 0;
  while (seen != before + 8) {
    uint64_t n = rows_seen(1, NULL);
    ck_assert_uint_ge(n, seen);
    ck_assert(n <= before || n == before + 7 || n == before + 8);
    seen = n;
  }
  FX_WAIT(atomic_load(&fx_sinks[0].rows) == before + 8);
  end(false);
}
END_TEST

START_TEST(one_at_a_time) {
  hw_error err;
  uint64_t id;
  run_pipeline(1);
  ck_assert_int_eq(deployment_commit_transaction(fx_dep, &err), HW_ESTATE);
  ck_assert_str_eq(err.code, "NoTransactionInProgress");
  begin();
  ck_assert_int_eq(deployment_start_transaction(fx_dep, &id, &err), HW_ESTATE);
  ck_assert_str_eq(err.code, "TransactionInProgress");
  atomic_store(&fx_sinks[0].waits, true);
  (void)push_until(2 * OUTPUT_TAKES);
  commit();
  AWAIT(STAT(output_stalls));
  pipeline_stats s = stats();
  ck_assert(s.transaction.committing);
  ck_assert_uint_gt(s.transaction.committed, 0);
  ck_assert_uint_lt(s.transaction.committed, s.transaction.records);
  ck_assert_uint_eq(s.total_completed_records, 0);
  pipeline_stats_fini(&s);
  ck_assert_int_eq(deployment_start_transaction(fx_dep, &id, &err), HW_ESTATE);
  ck_assert_str_eq(err.code, "TransactionInProgress");
  ck_assert_int_eq(deployment_commit_transaction(fx_dep, &err), HW_ESTATE);
  ck_assert_str_eq(err.code, "NoTransactionInProgress");
  ck_assert_uint_eq(rows_seen(0, NULL), 0);
  uint64_t records = STAT(total_input_records);
  fx_resume_sink(&fx_sinks[0]);
  AWAIT(STAT(transaction.id) == 0);
  FX_WAIT(atomic_load(&fx_sinks[0].rows) == records);
  end(false);
}
END_TEST

/* ---- listeners ------------------------------------------------------------ */

static _Atomic uint64_t heard, shown, beginnings;

static void hear(void *arg, const hw_batch *b) {
  (void)arg;
  atomic_fetch_add(&heard, hw_batch_count(b));
}

static void show(void *arg, store_snapshot *s) {
  (void)arg;
  atomic_store(&shown, store_snapshot_rows(s, 0));
  atomic_fetch_add(&beginnings, 1);
  store_snapshot_free(s);
}

static deployment_listener *listen_from(void) {
  hw_error err;
  deployment_listener *l = deployment_listen_from(fx_dep, 1, show, hear, NULL, &err);
  ck_assert_ptr_nonnull(l);
  return l;
}

/* One who comes during a transaction is shown what was there before, and hears all of it. */
START_TEST(who_comes_in_between_hears_all) {
  run_pipeline(1);
  push(0, 3);
  AWAIT(rows_seen(1, NULL) == 3);
  begin();
  push(10, 4);
  AWAIT(STAT(transaction.records) == 4);
  deployment_listener *l = listen_from();
  AWAIT(atomic_load(&beginnings) == 1);
  ck_assert_uint_eq(atomic_load(&shown), 3);
  push(20, 2);
  commit_and_wait();
  AWAIT(atomic_load(&heard) == 6);
  deployment_unlisten(l);
  end(false);
}
END_TEST

/* One who comes while the commit stands still is shown all of it, when it has ended. */
START_TEST(who_comes_within_a_commit_waits) {
  run_pipeline(1);
  deployment_listener *leaves = listen_from();
  AWAIT(atomic_load(&beginnings) == 1);
  begin();
  atomic_store(&fx_sinks[0].waits, true);
  uint64_t pushed = push_until(2 * OUTPUT_TAKES);
  commit();
  AWAIT(STAT(output_stalls));
  deployment_listener *l = listen_from();
  deployment_unlisten(leaves); /* who leaves does not wait for the end */
  uint64_t before = atomic_load(&heard);
  ck_assert_uint_gt(before, 0);
  ck_assert_uint_eq(atomic_load(&beginnings), 1);
  fx_resume_sink(&fx_sinks[0]);
  AWAIT(atomic_load(&beginnings) == 2);
  ck_assert_uint_eq(atomic_load(&shown), pushed);
  ck_assert_uint_eq(atomic_load(&heard), before);
  deployment_unlisten(l);
  end(false);
}
END_TEST

/* ---- bounds --------------------------------------------------------------- */

static void *push_much(void *arg) {
  for (uint64_t i = 0; i < *(const uint64_t *)arg; i++) push(0, 4096);
  return NULL;
}

START_TEST(memory_bounds_it) {
  fx_options.memory_limit = 32u << 20;
  run_pipeline(1);
  begin();
  pthread_t thread;
  uint64_t n = 900; /* 29.5 MB: more than half of 32 MiB, and what a queue takes */
  ck_assert_int_eq(pthread_create(&thread, NULL, push_much, &n), 0);
  AWAIT(STAT(transaction.full));
  ck_assert_uint_le(STAT(transaction.held_bytes), (16u << 20) + (1u << 20));
  AWAIT(queue_is_full(&producer_source(producer)->queue));
  ck_assert_uint_lt(STAT(memory_in_use), 32u << 20);
  ck_assert_uint_eq(rows_seen(0, NULL), 0);
  commit_and_wait(); /* which is possible all the same; what follows is not held back */
  pthread_join(thread, NULL);
  FX_WAIT(atomic_load(&fx_sinks[0].rows) == n * 4096);
  ck_assert_uint_eq(STAT(transaction.full), false);
  end(false);
  fx_options.memory_limit = 0;
}
END_TEST

/* ---- the end -------------------------------------------------------------- */

START_TEST(a_stop_waits_for_the_commit) {
  run_pipeline(1);
  begin();
  push(0, 9);
  AWAIT(STAT(transaction.records) == 9);
  hw_producer_close(producer);
  deployment_stop(fx_dep, false, sched_now_us() + 60u * 1000000u);
  uint64_t id;
  hw_error err;
  ck_assert_int_eq(deployment_start_transaction(fx_dep, &id, &err), HW_ESTATE);
  ck_assert_int_eq(atomic_load(&fx_stopped), 0);
  commit();
  FX_WAIT(atomic_load(&fx_stopped));
  ck_assert_int_eq(fx_stopped_error.status, HW_OK);
  ck_assert_uint_eq(atomic_load(&fx_sinks[0].rows), 9);
  fx_free();
}
END_TEST

START_TEST(a_stop_that_nobody_commits_says_so) {
  run_pipeline(1);
  begin();
  push(0, 9);
  AWAIT(STAT(transaction.records) == 9);
  hw_producer_close(producer);
  deployment_stop(fx_dep, false, sched_now_us() + 50000);
  FX_WAIT(atomic_load(&fx_stopped));
  ck_assert_int_eq(fx_stopped_error.status, HW_ETIMEOUT);
  ck_assert_ptr_nonnull(strstr(fx_stopped_error.message, "the 9 input records that it held"));
  ck_assert_uint_eq(atomic_load(&fx_sinks[0].rows), 0);
  fx_free();
}
END_TEST

START_TEST(force_waits_for_nothing) {
  run_pipeline(1);
  begin();
  push(0, 9);
  AWAIT(STAT(transaction.records) == 9);
  end(true);
  ck_assert_uint_eq(atomic_load(&fx_sinks[0].rows), 0);
}
END_TEST

/* Nor within a commit that stands still, with nothing of it on its way through the circuit. */
START_TEST(force_ends_a_commit) {
  run_pipeline(1);
  begin();
  atomic_store(&fx_sinks[0].waits, true);
  uint64_t pushed = push_until(2 * OUTPUT_TAKES);
  commit();
  AWAIT(STAT(output_stalls));
  ck_assert_uint_lt(STAT(transaction.committed), pushed);
  end(true);
  ck_assert_int_eq(fx_stopped_error.status, HW_OK);
}
END_TEST

/* Nor does it come to its end when the stop's time is over. */
START_TEST(a_stop_ends_a_commit) {
  run_pipeline(1);
  begin();
  atomic_store(&fx_sinks[0].waits, true);
  uint64_t pushed = push_until(2 * OUTPUT_TAKES);
  commit();
  AWAIT(STAT(output_stalls));
  hw_producer_close(producer);
  deployment_stop(fx_dep, false, sched_now_us() + 50000);
  FX_WAIT(atomic_load(&fx_stopped));
  ck_assert_int_eq(fx_stopped_error.status, HW_ETIMEOUT);
  char left[60];
  snprintf(left, sizeof left, " %" PRIu64 " input records", pushed);
  ck_assert_msg(strstr(fx_stopped_error.message, left) != NULL, "%s", fx_stopped_error.message);
  fx_free();
}
END_TEST

int main(void) {
  Suite *suite = suite_create("transaction");
  TCase *tc = tcase_create("all");
  tcase_set_timeout(tc, 120);
  tcase_add_test(tc, nobody_sees_it_before_the_commit);
  tcase_add_test(tc, a_snapshot_shows_all_or_none);
  tcase_add_test(tc, calls_divide_what_is_queued);
  tcase_add_test(tc, one_at_a_time);
  tcase_add_test(tc, who_comes_in_between_hears_all);
  tcase_add_test(tc, who_comes_within_a_commit_waits);
  tcase_add_test(tc, memory_bounds_it);
  tcase_add_test(tc, a_stop_waits_for_the_commit);
  tcase_add_test(tc, a_stop_that_nobody_commits_says_so);
  tcase_add_test(tc, force_waits_for_nothing);
  tcase_add_test(tc, force_ends_a_commit);
  tcase_add_test(tc, a_stop_ends_a_commit);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
