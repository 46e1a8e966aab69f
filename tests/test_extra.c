/* Connectors that come while a deployment runs: pauses and stops reach them, what
 * they bring and take is counted and waited for, and they come and go under load.
 * Completion that is never told too early. Rows that enter as one unit. */
#include "runtime/deployment_extra.h"
#include "runtime/deployment_impl.h"
#include "tests/runtime_fixture.h"

#include <check.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct extra {
  extra_spec spec; /* first */
  char endpoint[16];
} extra;

static _Atomic int freed, attached;

static void extra_free(extra_spec *spec) {
  free(spec);
  pthread_mutex_lock(&fx_lock);
  atomic_fetch_add(&freed, 1);
  pthread_cond_broadcast(&fx_changed);
  pthread_mutex_unlock(&fx_lock);
}

static void extra_attached(extra_spec *spec, store_snapshot *s) {
  (void)spec;
  ck_assert_ptr_null(s);
  pthread_mutex_lock(&fx_lock);
  atomic_fetch_add(&attached, 1);
  pthread_cond_broadcast(&fx_changed);
  pthread_mutex_unlock(&fx_lock);
}

/* Like connector `like` of the program, under another number. */
static extra_spec *make_extra(uint32_t like, unsigned number) {
  extra *x = calloc(1, sizeof *x);
  ck_assert_ptr_nonnull(x);
  x->spec.spec = fx_connectors[like];
  snprintf(x->endpoint, sizeof x->endpoint, "%c.%u", fx_connectors[like].is_input ? 't' : 'o', number);
  x->spec.spec.endpoint = x->endpoint;
  x->spec.spec.name = x->endpoint + 2;
  x->spec.free = extra_free;
  x->spec.attached = extra_attached;
  return &x->spec;
}

static extra_spec *add_input(unsigned number, bool unpausable) {
  hw_error err = {0};
  extra_spec *x = deployment_add_input(fx_dep, make_extra(0, number), unpausable, &err);
  ck_assert_msg(x != NULL, "%s", err.message);
  return x;
}

static extra_spec *add_output(unsigned number) {
  hw_error err = {0};
  int before = atomic_load(&attached);
  extra_spec *x = deployment_add_output(fx_dep, make_extra(1, number), &err);
  ck_assert_msg(x != NULL, "%s", err.message);
  FX_WAIT(atomic_load(&attached) > before);
  return x;
}

static void setup(void) {
  fx_bytes = false;
  fx_limit = 0;
  atomic_store(&freed, 0);
  atomic_store(&attached, 0);
  fx_make(1, 1, 1);
}

static uint64_t number_of(unsigned connector) {
  char name[16];
  uint64_t number;
  snprintf(name, sizeof name, "%u", connector);
  ck_assert(deployment_find_extra(fx_dep, 0, name, &number));
  return number;
}

static uint64_t records_of(unsigned connector) {
  uint64_t records;
  ck_assert_int_eq(deployment_input_records(fx_dep, number_of(connector), &records), HW_OK);
  return records;
}

static bool is_complete(uint64_t number, uint64_t records) {
  bool complete;
  uint64_t step;
  ck_assert_int_eq(deployment_is_complete(fx_dep, number, records, &complete, &step), HW_OK);
  ck_assert(!complete || step > 0 || records == 0);
  return complete;
}

/* ---- inputs -------------------------------------------------------------------- */

START_TEST(an_input_brings_rows) {
  fx_run();
  fx_limit = 10000;
  add_input(9, false);
  FX_WAIT(atomic_load(&fx_sinks[0].rows) == 10000);
  ck_assert_uint_eq(records_of(9), 10000);
  connector_stats s;
  ck_assert_int_eq(deployment_extra_stats(fx_dep, 0, true, "9", &s), HW_OK);
  ck_assert_uint_eq(s.total_records, 10000);
  connector_stats_fini(&s);
  pipeline_stats all;
  ck_assert_int_eq(deployment_stats(fx_dep, false, &all), HW_OK);
  ck_assert_uint_eq(all.n_inputs, 2);
  ck_assert_uint_eq(all.total_input_records, 10000);
  pipeline_stats_fini(&all);
  fx_stop(false);
  ck_assert_int_eq(atomic_load(&freed), 1);
}
END_TEST

START_TEST(an_input_is_there_once) {
  fx_run();
  extra_spec *first = add_input(9, false);
  ck_assert_ptr_eq(add_input(9, false), first);
  ck_assert_int_eq(atomic_load(&freed), 1);
  fx_stop(false);
  ck_assert_int_eq(atomic_load(&freed), 2);
}
END_TEST

START_TEST(born_held_in_a_pause) {
  fx_run();
  ck_assert_int_eq(fx_call(DEPLOYMENT_ALL, true).status, HW_OK);
  fx_limit = 1000;
  add_input(9, false);
  add_input(8, true);
  FX_WAIT(atomic_load(&fx_sinks[0].rows) == 1000); /* of the one that no pause holds */
  ck_assert_int_eq(atomic_load(&fx_sources[9]->fetches), 0);
  ck_assert_int_eq(fx_call(DEPLOYMENT_ALL, false).status, HW_OK);
  FX_WAIT(atomic_load(&fx_sinks[0].rows) == 2000);
  fx_stop(false);
}
END_TEST

START_TEST(a_pause_holds_it) {
  fx_run();
  fx_limit = INT64_MAX;
  add_input(9, false);
  FX_WAIT(atomic_load(&fx_sinks[0].rows) > 10000);
  for (int i = 0; i < 50; i++) {
    ck_assert_int_eq(fx_call(DEPLOYMENT_ALL, true).status, HW_OK);
    uint64_t records = records_of(9);
    int fetches = atomic_load(&fx_sources[9]->fetches);
    if (i % 10 == 0) add_input(10 + (unsigned)i, false); /* the next pauses have to reach it, too */
    ck_assert_uint_eq(records_of(9), records);
    ck_assert_int_eq(atomic_load(&fx_sources[9]->fetches), fetches);
    ck_assert_int_eq(fx_call(DEPLOYMENT_ALL, false).status, HW_OK);
  }
  fx_stop(true);
  ck_assert_int_eq(atomic_load(&freed), 6);
}
END_TEST

START_TEST(a_stop_holds_also_what_no_pause_holds) {
  fx_run();
  fx_limit = INT64_MAX;
  add_input(9, true);
  FX_WAIT(atomic_load(&fx_sinks[0].rows) > 10000);
  deployment_stop(fx_dep, false, sched_now_us() + 20000000);
  FX_WAIT(atomic_load(&fx_stopped));
  ck_assert_int_eq(fx_stopped_error.status, HW_OK);
  hw_error err = {0};
  ck_assert_ptr_null(deployment_add_input(fx_dep, make_extra(0, 8), false, &err));
  ck_assert_str_eq(err.code, "PipelineInteractionNotDeployed");
  ck_assert_ptr_null(deployment_add_output(fx_dep, make_extra(1, 8), &err));
  fx_free();
  ck_assert_int_eq(atomic_load(&freed), 3);
}
END_TEST

START_TEST(completion_waits_for_who_asks) {
  fx_run();
  FX_WAIT(atomic_load(&fx_complete) == 1);
  pipeline_stats s;
  deployment_hold_completion(fx_dep);
  ck_assert_int_eq(deployment_stats(fx_dep, false, &s), HW_OK);
  ck_assert(!s.complete);
  pipeline_stats_fini(&s);
  deployment_release_completion(fx_dep);
  FX_WAIT(atomic_load(&fx_complete) == 2);
  fx_stop(false);
}
END_TEST

/* ---- outputs ------------------------------------------------------------------- */

START_TEST(an_output_sees_what_comes_after_it) {
  fx_run();
  extra_spec *x = add_output(9);
  fx_limit = 10000;
  add_input(9, false);
  FX_WAIT(atomic_load(&fx_sinks[9].rows) == 10000);
  deployment_remove_output(fx_dep, x);
  FX_WAIT(atomic_load(&freed) == 1);
  pipeline_stats all;
  ck_assert_int_eq(deployment_stats(fx_dep, false, &all), HW_OK);
  ck_assert_uint_eq(all.n_outputs, 1);
  pipeline_stats_fini(&all);
  fx_stop(false);
}
END_TEST

START_TEST(outputs_come_and_go) {
  fx_run();
  fx_limit = INT64_MAX;
  add_input(9, false);
  for (int i = 0; i < 40; i++) {
    extra_spec *x = add_output(20), *y = add_output(21);
    uint64_t rows = atomic_load(&fx_sinks[20].rows);
    FX_WAIT(atomic_load(&fx_sinks[20].rows) > rows);
    deployment_remove_output(fx_dep, x);
    deployment_remove_output(fx_dep, y);
    FX_WAIT(atomic_load(&freed) == 2 * (i + 1));
  }
  add_output(22);
  fx_stop(true);
  ck_assert_int_eq(atomic_load(&freed), 82);
}
END_TEST

/* What it holds is not complete; when it goes, the pipeline goes on. */
START_TEST(a_slow_output_holds_until_it_goes) {
  fx_run();
  extra_spec *x = add_output(9);
  atomic_store(&fx_sinks[9].waits, true);
  fx_limit = INT64_MAX;
  add_input(9, false);
  FX_WAIT(atomic_load(&fx_sinks[9].writes) > 0);
  uint64_t number = number_of(9), records = records_of(9);
  ck_assert_uint_gt(records, 0);
  ck_assert(!is_complete(number, records));
  deployment_remove_output(fx_dep, x);
  FX_WAIT(atomic_load(&freed) == 1);
  uint64_t rows = atomic_load(&fx_sinks[0].rows);
  FX_WAIT(atomic_load(&fx_sinks[0].rows) > rows + 100000);
  fx_stop(true);
}
END_TEST

/* The pipeline stands still, and the other sink has all that it could have: for a while, since a stall of
 * that one would look so, too, until the pipeline has noticed. */
static void wait_for_a_lasting_stall(void) {
  for (unsigned calm = 0; calm < 10000; calm++) {
    if (!atomic_load(&fx_dep->stalled) || atomic_load(&fx_sinks[0].rows) != atomic_load(&fx_dep->mark)) calm = 0;
    sched_yield();
  }
}

/* A stop that waits for one in vain says so. */
START_TEST(a_stop_tells_of_a_slow_output) {
  fx_run();
  add_output(9);
  atomic_store(&fx_sinks[9].waits, true);
  fx_limit = INT64_MAX;
  add_input(9, false);
  wait_for_a_lasting_stall();
  deployment_stop(fx_dep, false, sched_now_us() + 1000000);
  FX_WAIT(atomic_load(&fx_stopped));
  ck_assert_int_eq(fx_stopped_error.status, HW_ETIMEOUT);
  ck_assert_msg(strstr(fx_stopped_error.message, "a listener") != NULL, "%s", fx_stopped_error.message);
  fx_free();
}
END_TEST

/* ---- completion ------------------------------------------------------------------ */

START_TEST(nothing_is_complete_at_once) {
  fx_run();
  ck_assert(is_complete(0, 0));
  ck_assert(!is_complete(0, 1));
  bool complete;
  uint64_t step;
  ck_assert_int_eq(deployment_is_complete(fx_dep, 1, 0, &complete, &step), HW_ENOTFOUND); /* an output */
  ck_assert_int_eq(deployment_is_complete(fx_dep, 77, 0, &complete, &step), HW_ENOTFOUND);
  fx_stop(false);
}
END_TEST

/* Under load: what is complete has been written, and everything becomes so. */
START_TEST(never_too_early_and_at_last) {
  fx_limit = INT64_MAX;
  fx_run();
  for (int i = 0; i < 50; i++) {
    uint64_t records = fx_total(0);
    while (!is_complete(0, records)) {
      pthread_mutex_lock(&fx_lock);
      fx_listen(1); /* the sink tells when it has taken something */
      pthread_mutex_unlock(&fx_lock);
    }
    ck_assert_uint_ge(atomic_load(&fx_sinks[0].rows), records);
  }
  fx_stop(true);
}
END_TEST

static progress_note note_of(uint64_t n) { return (progress_note){.records = n * 10, .mark = n * 100, .step = n}; }

/* Far more notes than there is room for, nobody asking; then exact again. */
START_TEST(progress_that_nobody_asked_for) {
  progress *p = progress_new();
  uint64_t step;
  progress_begin(p, note_of(5));
  ck_assert(!progress_is_complete(p, 50, 499, &step));
  ck_assert_uint_eq(step, 5);
  ck_assert(progress_is_complete(p, 50, 500, &step));
  ck_assert(!progress_is_complete(p, 51, 500, &step));
  ck_assert_uint_eq(step, 0);
  for (uint64_t n = 6; n < 2000; n++) progress_add(p, note_of(n));
  ck_assert(progress_is_complete(p, 60, 600, &step));
  ck_assert(!progress_is_complete(p, 61, 600, &step));
  ck_assert_uint_eq(step, 7);
  ck_assert(!progress_is_complete(p, 19990, 199900, &step)); /* it went unnoted: the next one will say so */
  progress_add(p, note_of(2000));
  ck_assert(!progress_is_complete(p, 19990, 199900, &step));
  ck_assert(progress_is_complete(p, 19990, 200000, &step));
  ck_assert_uint_eq(step, 2000);
  progress_free(p);
}
END_TEST

/* ---- units --------------------------------------------------------------------------- */

static batch *batch_of_rows(mem *m, const hw_schema *schema, uint32_t n) {
  batch *b = batch_new_essential(m, schema, 64);
  ck_assert_ptr_nonnull(b);
  b->pub.n_rows = n;
  b->held = 100;
  b->source_bytes = 10;
  return b;
}

/* However little they hold: what waits longer comes in larger batches. A producer's may be many and small. */
START_TEST(few_batches_fill_a_queue) {
  static const hw_field field = {.name = "n", .type = {.id = HW_TYPE_BIGINT}};
  static const hw_schema schema = {.name = "t", .n_fields = 1, .fields = &field};
  static mem m;
  static queue q, of_producer; /* all zero */
  ck_assert_int_eq(mem_init(&m, 1 << 30), HW_OK);
  ck_assert(queue_init(&q, &QUEUE_OF_INPUT, 1000000, 1 << 30));
  ck_assert(queue_init(&of_producer, &QUEUE_OF_PRODUCER, 1000000, 1 << 30));
  for (uint32_t i = 0; i < QUEUE_NORMAL_BATCHES; i++) {
    ck_assert(!queue_is_full(&q));
    ck_assert(queue_push(&q, batch_of_rows(&m, &schema, 1)));
  }
  ck_assert(queue_is_full(&q));
  batch *b = queue_pop(&q);
  queue_done(&q, b);
  hw_batch_unref(&b->pub);
  ck_assert(!queue_is_full(&q));
  for (uint32_t i = 0; i < QUEUE_SLOTS; i++) {
    ck_assert(!queue_is_full(&of_producer));
    ck_assert(queue_push(&of_producer, batch_of_rows(&m, &schema, 1)));
  }
  ck_assert(queue_is_full(&of_producer));
  queue_fini(&q);
  queue_fini(&of_producer);
  ck_assert_uint_eq(atomic_load(&m.used), 0);
  mem_fini(&m);
}
END_TEST

START_TEST(a_unit_is_one_entry) {
  static const hw_field field = {.name = "n", .type = {.id = HW_TYPE_BIGINT}};
  static const hw_schema schema = {.name = "t", .n_fields = 1, .fields = &field};
  static mem m;
  static queue q; /* all zero */
  ck_assert_int_eq(mem_init(&m, 1 << 30), HW_OK);
  ck_assert(queue_init(&q, &QUEUE_OF_INPUT, 1000, 1 << 20));
  batch *first = NULL, **last = &first;
  for (uint32_t i = 0; i < 500; i++) { /* more than the queue has slots */
    *last = batch_of_rows(&m, &schema, 4);
    last = &(*last)->unit_next;
  }
  ck_assert(queue_push(&q, first));
  ck_assert(queue_push(&q, batch_of_rows(&m, &schema, 1)));
  ck_assert_uint_eq(queue_records(&q), 2001);
  ck_assert_uint_eq(queue_batches(&q), 501);
  ck_assert_uint_eq(ring_count(&q.ring), 2);
  ck_assert(queue_is_full(&q));
  batch *b = queue_pop(&q);
  ck_assert_ptr_eq(b, first);
  queue_drop(b);
  queue_fini(&q);
  ck_assert_uint_eq(atomic_load(&m.used), 0);
  mem_fini(&m);
}
END_TEST

int main(void) {
  Suite *s = suite_create("extra");
  TCase *t = tcase_create("extra");
  tcase_add_checked_fixture(t, setup, NULL);
  tcase_set_timeout(t, 60);
  tcase_add_test(t, an_input_brings_rows);
  tcase_add_test(t, an_input_is_there_once);
  tcase_add_test(t, born_held_in_a_pause);
  tcase_add_test(t, a_pause_holds_it);
  tcase_add_test(t, a_stop_holds_also_what_no_pause_holds);
  tcase_add_test(t, completion_waits_for_who_asks);
  tcase_add_test(t, an_output_sees_what_comes_after_it);
  tcase_add_test(t, outputs_come_and_go);
  tcase_add_test(t, a_slow_output_holds_until_it_goes);
  tcase_add_test(t, a_stop_tells_of_a_slow_output);
  tcase_add_test(t, nothing_is_complete_at_once);
  tcase_add_test(t, never_too_early_and_at_last);
  suite_add_tcase(s, t);
  TCase *p = tcase_create("parts");
  tcase_add_test(p, progress_that_nobody_asked_for);
  tcase_add_test(p, few_batches_fill_a_queue);
  tcase_add_test(p, a_unit_is_one_entry);
  suite_add_tcase(s, p);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failed = srunner_ntests_failed(r);
  srunner_free(r);
  return failed != 0;
}
