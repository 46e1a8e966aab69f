/* Bytes, rows and memory on their way: nothing lost, repeated, counted wrongly or
 * told too early, whatever sources, formats and sinks do. */
#include "runtime/deployment_impl.h"
#include "tests/runtime_fixture.h"

#include <check.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* ---- outputs ------------------------------------------------------------------ */

/* More batches from one step than a queue has slots. */
START_TEST(what_found_no_slot_is_written_all_the_same) {
  fx_limit = 100;
  fx_make(1, 1, 300);
  fx_connectors[0].max_batch_size = 10;
  fx_run();
  FX_WAIT(atomic_load(&fx_complete));
  ck_assert_uint_eq(atomic_load(&fx_sinks[0].rows), 100 * 300);
  fx_stop(false);
}
END_TEST

/* Whenever an input says it is quiescent, the sink has all of its rows. */
START_TEST(quiescent_is_never_told_too_early) {
  uint32_t branches = _i ? 200 : 3;
  fx_limit = 2000;
  fx_make(1, 1, branches);
  fx_connectors[0].max_batch_size = _i ? 7 : 1;
  fx_run();
  while (!atomic_load(&fx_complete)) {
    connector_stats s = fx_stats(0);
    pipeline_stats p;
    ck_assert_int_eq(deployment_stats(fx_dep, false, &p), HW_OK);
    uint64_t rows = atomic_load(&fx_sinks[0].rows);
    ck_assert_uint_ge(rows, p.total_completed_records * branches);
    if (s.quiescent) ck_assert_uint_ge(rows, s.total_records * branches);
    connector_stats_fini(&s);
    pipeline_stats_fini(&p);
  }
  ck_assert_uint_eq(atomic_load(&fx_sinks[0].rows), 2000 * branches);
  fx_stop(false);
}
END_TEST

START_TEST(a_failed_sink_holds_up_no_stop) {
  fx_limit = _i < 2 ? 5000 : INT64_MAX / FX_MOST;
  atomic_store(&fx_sinks[0].fatal, _i < 2);
  fx_make(1, 2, _i % 2 ? 200 : 0);
  fx_run();
  if (_i < 2) {
    FX_WAIT(atomic_load(&fx_complete));
    ck_assert_int_eq(fx_complete_error.status, HW_EIO);
    connector_stats s = fx_stats(1);
    ck_assert_uint_eq(s.dropped_records + s.transmitted_records, 5000 * (_i % 2 ? 200 : 1));
    connector_stats_fini(&s);
    ck_assert_uint_eq(atomic_load(&fx_sinks[1].rows), 5000 * (_i % 2 ? 200 : 1));
  } else {
    FX_WAIT(atomic_load(&fx_sinks[0].rows) > 1000);
    atomic_store(&fx_sinks[0].fatal_flush, true);
  }
  deployment_stop(fx_dep, false, sched_now_us() + 30000000);
  FX_WAIT(atomic_load(&fx_stopped));
  ck_assert_int_eq(fx_stopped_error.status, HW_OK);
  fx_free();
}
END_TEST

START_TEST(an_encoder_that_fails_fails_its_output) {
  fx_encoder_fails = _i ? HW_EINVAL : HW_OK;
  fx_limit = 5000;
  fx_make(1, 1, 0);
  fx_run();
  FX_WAIT(atomic_load(&fx_complete));
  ck_assert_int_eq(fx_complete_error.status, _i ? HW_EIO : HW_OK);
  fx_stop(false);
}
END_TEST

START_TEST(a_reopen_waits_for_the_bytes_before_it_only) {
  fx_limit = 10;
  atomic_store(&fx_sinks[0].waits, true);
  fx_make(1, 1, 0);
  fx_run();
  while (!atomic_load(&fx_sinks[0].writes)) sched_yield();
  deployment_reopen_outputs(fx_dep);
  ck_assert_int_eq(atomic_load(&fx_sinks[0].reopens), 0);
  fx_resume_sink(&fx_sinks[0]);
  FX_WAIT(atomic_load(&fx_sinks[0].reopens));
  FX_WAIT(atomic_load(&fx_complete));
  ck_assert(fx_sink_counts_to(&fx_sinks[0], 10));
  fx_stop(false);
}
END_TEST

/* The other sink goes on only as far as the slow one's queue. */
START_TEST(one_slow_sink_of_two_loses_nothing) {
  fx_limit = 50000;
  atomic_store(&fx_sinks[0].waits, true);
  fx_make(1, 2, 0);
  fx_connectors[1].max_queued_records = 100;
  fx_connectors[0].max_batch_size = 10;
  fx_run();
  FX_WAIT(atomic_load(&fx_sinks[1].rows) >= 100);
  connector_stats s = fx_stats(1);
  ck_assert_uint_le(s.queued_records, 109);
  ck_assert_uint_le(atomic_load(&fx_sinks[1].rows), 109);
  connector_stats_fini(&s);
  fx_resume_sink(&fx_sinks[0]);
  FX_WAIT(atomic_load(&fx_complete));
  ck_assert(fx_sink_counts_to(&fx_sinks[0], 50000) && fx_sink_counts_to(&fx_sinks[1], 50000));
  fx_stop(false);
}
END_TEST

static uint64_t cpu_us(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return (uint64_t)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000 +
         (uint64_t)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

/* Held by a sink or for want of memory, a pipeline costs next to nothing. */
START_TEST(waiting_costs_no_time) {
  fx_limit = INT64_MAX / FX_MOST;
  atomic_store(&fx_sinks[0].waits, true);
  fx_options.memory_limit = _i ? 20000 : 0;
  fx_make(50, 1, 0);
  fx_connectors[50].max_queued_records = 1;
  fx_run();
  while (!atomic_load(&fx_sinks[0].writes)) sched_yield();
  uint64_t used = UINT64_MAX;
  pthread_mutex_lock(&fx_lock);
  for (int i = 0; i < 20 && used > 30000; i++) { /* queues are filled first */
    uint64_t before = cpu_us();
    for (uint64_t until = sched_now_us() + 200000; sched_now_us() < until;) fx_listen(50);
    used = cpu_us() - before;
  }
  pthread_mutex_unlock(&fx_lock);
  ck_assert_uint_le(used, 30000);
  fx_stop(true);
}
END_TEST

/* ---- memory ---------------------------------------------------------------------- */

/* With no budget at all everybody still gets on. */
START_TEST(inputs_do_not_wait_for_each_others_memory) {
  static char text[20000];
  size_t at = 0;
  for (int i = 0; i < 3000; i++) at += (size_t)snprintf(text + at, sizeof text - at, "%d\n", i);
  fx_bytes = _i;
  fx_text = text;
  fx_limit = 3000;
  fx_options.memory_limit = 4096;
  fx_make(20, 1, 2);
  fx_run();
  FX_WAIT(atomic_load(&fx_complete));
  ck_assert_uint_eq(atomic_load(&fx_sinks[0].rows), 20 * 2 * 3000);
  fx_stop(false);
}
END_TEST

/* Starved and in need of a retry at once: neither wait may replace the other for good. */
static hw_fetch starve_and_retry(fx_source *s, const hw_fetch_args *args, hw_error *err) {
  (void)args, (void)err;
  int n = atomic_load(&s->fetches);
  if (n > 20) return HW_FETCH_END;
  hw_batch *b = hw_input_batch(s->c);
  if (b) {
    ((int64_t *)b->columns[0].values)[b->n_rows++] = FX_MOST * s->next++;
    hw_input_commit(s->c, b, 1);
    b = hw_input_batch(s->c); /* refused, since the first is under way */
    if (b) hw_input_commit(s->c, b, 0);
  }
  if (n == 3) {
    hw_error_set(err, HW_EIO, "lost");
    return HW_FETCH_RETRY;
  }
  return HW_FETCH_MORE;
}

START_TEST(a_retry_is_not_forgotten_for_want_of_memory) {
  fx_fetches[0] = starve_and_retry;
  fx_options.memory_limit = 4096;
  fx_make(1, 1, 0);
  fx_run();
  FX_WAIT(atomic_load(&fx_complete));
  ck_assert_uint_ge(atomic_load(&fx_sinks[0].rows), 3);
  fx_stop(false);
}
END_TEST

/* A fault stands until the source is back: lost, tried, lost, tried, lost, and back. */
static _Atomic bool source_is_back, seen_back;
static _Atomic unsigned retries_in_a_row;

static hw_fetch lose_and_try(fx_source *s, const hw_fetch_args *args, hw_error *err) {
  (void)args;
  atomic_store(&retries_in_a_row, s->c->retries);
  bool back = atomic_load(&source_is_back);
  atomic_store(&seen_back, back);
  fx_tell();
  if (back) return HW_FETCH_WAIT;
  if (atomic_load(&s->fetches) % 2 == 0) {
    hw_connector_wait_us(s->c, 1000);
    return HW_FETCH_TRYING;
  }
  hw_error_set(err, HW_EIO, "not there");
  return HW_FETCH_RETRY;
}

static bool is_healthy(void) {
  connector_stats s = fx_stats(0);
  bool healthy = s.healthy;
  connector_stats_fini(&s);
  return healthy;
}

START_TEST(a_source_that_is_tried_is_not_back) {
  atomic_store(&source_is_back, false);
  fx_fetches[0] = lose_and_try;
  fx_make(1, 1, 0);
  fx_run();
  for (int n = 2; n <= 5; n++) {
    FX_WAIT(atomic_load(&fx_sources[0]->fetches) >= n);
    ck_assert(!is_healthy());
  }
  ck_assert_uint_ge(atomic_load(&retries_in_a_row), 2); /* the delays grow */
  atomic_store(&source_is_back, true);
  FX_WAIT(atomic_load(&seen_back));
  ck_assert_int_eq(fx_call(0, true).status, HW_OK); /* that fetch has returned */
  ck_assert(is_healthy());
  fx_stop(false);
}
END_TEST

/* ---- streams --------------------------------------------------------------------- */

static void check_accounts(uint64_t bytes, uint64_t rows, uint64_t errors) {
  connector_stats s = fx_stats(0);
  pipeline_stats p;
  ck_assert_int_eq(deployment_stats(fx_dep, false, &p), HW_OK);
  ck_assert_uint_eq(s.total_bytes, bytes);
  ck_assert_uint_eq(s.total_records, rows);
  ck_assert_uint_eq(s.num_parse_errors, errors);
  ck_assert_uint_eq(p.total_input_bytes, bytes);
  ck_assert_uint_eq(p.total_processed_bytes, bytes);
  ck_assert_uint_eq(p.buffered_input_bytes, 0);
  ck_assert_uint_eq(atomic_load(&fx_sinks[0].rows), rows);
  connector_stats_fini(&s);
  pipeline_stats_fini(&p);
}

#define LONG "777777777777777777777777777777777777777777777777777777777777777777777777777777777777777777777\n"
static const struct {
  const char *text;
  bool no_skip;
  uint64_t rows, errors;
} scripts[] = {
    {"1\n2\n3", false, 3, 0},
    {"x\n\nx\n", false, 0, 3},
    {"1\n" LONG "2\nx\n3", false, 3, 2},
    {"1\n2\n" LONG "3\n" LONG, true, 2, 1},   /* cannot be followed past the long one */
    {"1\n!\n" LONG LONG "2\n", false, 1, 1},   /* nor past the lost one, which is one error */
    {"#\n1\n2|#\n3\n4|#\n5\n|", false, 5, 0},
    {"#\n1\n!\n2\n|#\n3\n|#\n4\n|", false, 3, 1}, /* a lost message is its own loss only */
    {"#\n1\n" LONG "|#\n2\n|", false, 2, 1},
    {"#\n1\n" LONG "3\n|#\n2\n|", false, 3, 1},
    {"#\n1\n" LONG "3\n|#\n2\n|", true, 2, 1},
};

/* Pieces small enough that a long record is never whole; queues of one row, so that
 * every row meets backpressure; and a parser that often lacks memory. */
static void play(unsigned script, size_t piece, unsigned starves, int64_t most) {
  fx_bytes = true;
  fx_text = scripts[script].text;
  fx_piece = piece;
  fx_parser_skips = !scripts[script].no_skip;
  atomic_store(&fx_parser_starves, starves);
  fx_make(1, 1, 0);
  fx_connectors[0].max_queued_records = most;
  fx_connectors[0].max_batch_size = most < 3 ? most : 0;
  fx_run();
  FX_WAIT(atomic_load(&fx_complete));
  uint64_t bars = 0;
  for (const char *c = fx_text; *c; c++) bars += *c == '|';
  connector_stats s = fx_stats(0);
  uint64_t bytes = strlen(fx_text) - bars;
  if (s.total_bytes < bytes && !bars && scripts[script].rows + scripts[script].errors < 4)
    bytes = s.total_bytes; /* a stream that was given up is not read to its end */
  connector_stats_fini(&s);
  check_accounts(bytes, scripts[script].rows, scripts[script].errors);
  fx_stop(false);
}

START_TEST(streams_are_read_and_counted_exactly) {
  unsigned script = (unsigned)_i;
  for (size_t piece = 1; piece < 20; piece += 3) {
    play(script, piece, 0, 1000000);
    play(script, piece, 0, 1);
    play(script, piece, 2, 2);
    play(script, piece, 3, 1000000);
  }
}
END_TEST

/* What it costs grows with its length, not with the square of it. */
START_TEST(a_long_record_in_small_pieces_is_parsed_once) {
  static char text[100000];
  memset(text, '0', sizeof text - 3);
  memcpy(text + sizeof text - 4, "\n7\n", 4);
  fx_bytes = true;
  fx_text = text;
  fx_piece = 10;
  atomic_store(&fx_parsed, 0);
  fx_make(1, 1, 0);
  fx_connectors[0].max_record_bytes = sizeof text;
  fx_run();
  FX_WAIT(atomic_load(&fx_complete));
  check_accounts(sizeof text - 1, 2, 0);
  ck_assert_uint_le(atomic_load(&fx_parsed), 3 * sizeof text);
  fx_stop(false);
}
END_TEST

/* ---- a source that fails for good -------------------------------------------------- */

static hw_fetch play_then_fail(fx_source *s, const hw_fetch_args *args, hw_error *err) {
  (void)args;
  size_t room;
  s->stream = hw_stream_open(s->c, "s", 0);
  char *to = hw_stream_reserve(s->stream, 4000, &room);
  ck_assert_ptr_nonnull(to);
  for (s->at = 0; s->at + 8 <= room; s->at += 2) memcpy(to + s->at, "0\n", 2);
  hw_status st = hw_stream_commit(s->stream, s->at, 0);
  ck_assert(st == HW_OK || st == HW_EAGAIN);
  hw_stream_close(s->stream, true);
  hw_error_set(err, HW_EIO, "the source is gone");
  return HW_FETCH_FATAL;
}

START_TEST(what_a_failing_source_brought_is_written_before_the_end) {
  fx_bytes = true;
  fx_fetches[0] = play_then_fail;
  fx_make(1, 1, 0);
  fx_connectors[0].max_queued_records = _i ? 3 : 1000000;
  fx_run();
  FX_WAIT(atomic_load(&fx_complete));
  ck_assert_int_eq(fx_complete_error.status, HW_EIO);
  connector_stats s = fx_stats(0);
  ck_assert(!s.end_of_input);
  ck_assert_str_eq(s.fatal_error, "the source is gone");
  ck_assert_uint_ge(s.total_records, 1000);
  ck_assert_uint_eq(atomic_load(&fx_sinks[0].rows), s.total_records);
  connector_stats_fini(&s);
  fx_stop(false);
}
END_TEST

int main(void) {
  Suite *s = suite_create("runtime_data");
  TCase *t = tcase_create("runtime_data");
  tcase_set_timeout(t, 60);
  tcase_add_test(t, what_found_no_slot_is_written_all_the_same);
  tcase_add_loop_test(t, quiescent_is_never_told_too_early, 0, 2);
  tcase_add_loop_test(t, a_failed_sink_holds_up_no_stop, 0, 4);
  tcase_add_loop_test(t, an_encoder_that_fails_fails_its_output, 0, 2);
  tcase_add_test(t, a_reopen_waits_for_the_bytes_before_it_only);
  tcase_add_test(t, one_slow_sink_of_two_loses_nothing);
  tcase_add_loop_test(t, waiting_costs_no_time, 0, 2);
  tcase_add_loop_test(t, inputs_do_not_wait_for_each_others_memory, 0, 2);
  tcase_add_test(t, a_retry_is_not_forgotten_for_want_of_memory);
  tcase_add_test(t, a_source_that_is_tried_is_not_back);
  tcase_add_loop_test(t, streams_are_read_and_counted_exactly, 0, sizeof scripts / sizeof *scripts);
  tcase_add_test(t, a_long_record_in_small_pieces_is_parsed_once);
  tcase_add_loop_test(t, what_a_failing_source_brought_is_written_before_the_end, 0, 2);
  suite_add_tcase(s, t);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failures = srunner_ntests_failed(r);
  srunner_free(r);
  return failures != 0;
}
