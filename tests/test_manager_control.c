/* test_manager_control.c - pipelines that run, over fake_deployment.c: control, views of them, deleting, listeners. */
#include "tests/manager_fixture.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- pause, resume, connectors ------------------------------------------- */

START_TEST(pause_and_resume) {
  hw_pipeline *p = mgr_make_running("demo");
  ck_assert_int_eq(hw_pipeline_pause(p, NULL, NULL, &mgr_err), HW_OK);
  ASSERT_STATUS(p, DEPLOYMENT_PAUSED);
  ASSERT_DESIRED(p, DEPLOYMENT_PAUSED);
  ck_assert_int_eq(hw_pipeline_pause(p, NULL, NULL, &mgr_err), HW_OK);
  ASSERT_STATUS(p, DEPLOYMENT_PAUSED);
  ck_assert_int_eq(hw_pipeline_resume(p, NULL, NULL, &mgr_err), HW_OK);
  ASSERT_STATUS(p, DEPLOYMENT_RUNNING);
  ck_assert_int_eq(hw_pipeline_resume(p, NULL, NULL, &mgr_err), HW_OK);
  pipeline_info info = mgr_get(p);
  ck_assert_str_eq(info.deployment_initial, "running");
  pipeline_info_fini(&info);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_pause_shows_when_it_is_true) {
  hw_pipeline *p = mgr_make_running("demo");
  answer pause = NO_ANSWER, resume = NO_ANSWER, last = NO_ANSWER;
  fake_shut(FAKE_CONTROL);
  ck_assert_int_eq(hw_pipeline_pause(p, mgr_on_answer, &pause, &mgr_err), HW_OK);
  ck_assert_int_eq(hw_pipeline_resume(p, mgr_on_answer, &resume, &mgr_err), HW_OK);
  ck_assert_int_eq(hw_pipeline_pause(p, mgr_on_answer, &last, &mgr_err), HW_OK);
  fake_wait_at(FAKE_CONTROL, 1);
  ASSERT_STATUS(p, DEPLOYMENT_RUNNING);
  ASSERT_DESIRED(p, DEPLOYMENT_PAUSED);
  ck_assert_uint_eq(mgr_answers(&pause), 0);
  fake_let(FAKE_CONTROL);
  ck_assert_int_eq(mgr_await(&pause), HW_OK);
  ck_assert_int_eq(mgr_await(&resume), HW_OK);
  ck_assert_int_eq(mgr_await(&last), HW_OK);
  ASSERT_STATUS(p, DEPLOYMENT_PAUSED);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_pause_that_takes_too_long_is_not_shown) {
  hw_pipeline *p = mgr_make_running("demo");
  fake_control_fails(HW_ETIMEOUT, "PauseTimeout");
  ASSERT_REFUSED(hw_pipeline_pause(p, NULL, NULL, &mgr_err), "PauseTimeout");
  ASSERT_STATUS(p, DEPLOYMENT_RUNNING);
  ASSERT_DESIRED(p, DEPLOYMENT_PAUSED);
  ASSERT_REFUSED(hw_connector_pause(p, "numbers", "c1", NULL, NULL, &mgr_err), "PauseTimeout");
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_stop_answers_pauses_that_wait) {
  hw_pipeline *p = mgr_make_running("demo");
  answer pause = NO_ANSWER;
  fake_shut(FAKE_CONTROL);
  ck_assert_int_eq(hw_pipeline_pause(p, mgr_on_answer, &pause, &mgr_err), HW_OK);
  fake_wait_at(FAKE_CONTROL, 1);
  ck_assert_int_eq(hw_pipeline_stop(p, false, NULL, NULL, &mgr_err), HW_OK);
  ck_assert_int_eq(mgr_await(&pause), HW_ESTATE);
  ck_assert_str_eq(pause.error.code, "PipelineInteractionNotDeployed");
  ASSERT_STATUS(p, DEPLOYMENT_STOPPED);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_stopped_pipeline_cannot_be_asked) {
  hw_pipeline *p = mgr_make("demo", "ok");
  pipeline_stats stats;
  connector_stats one;
  latency_summary latency;
  ASSERT_REFUSED(hw_pipeline_pause(p, NULL, NULL, &mgr_err), "PipelineInteractionNotDeployed");
  ASSERT_REFUSED(hw_pipeline_resume(p, NULL, NULL, &mgr_err), "PipelineInteractionNotDeployed");
  ASSERT_REFUSED(hw_connector_start(p, "x", "y", NULL, NULL, &mgr_err), "PipelineInteractionNotDeployed");
  ASSERT_REFUSED(pipeline_get_stats(p, true, &stats, &mgr_err), "PipelineInteractionNotDeployed");
  ASSERT_REFUSED(pipeline_get_connector_stats(p, true, "x", "y", &one, &mgr_err), "PipelineInteractionNotDeployed");
  ck_assert_int_eq(pipeline_get_latency(p, &latency), HW_ESTATE);
  ck_assert_ptr_null(hw_producer_open(p, "numbers", &mgr_err));
  hw_engine_reopen(mgr_engine);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(connectors_are_found_by_the_rules_of_sql) {
  hw_pipeline *p = mgr_make_running("demo");
  ck_assert_int_eq(hw_connector_pause(p, "NUMBERS", "c1", NULL, NULL, &mgr_err), HW_OK);
  ck_assert_int_eq(hw_connector_start(p, "\"Quoted\"", "c1", NULL, NULL, &mgr_err), HW_OK);
  ASSERT_REFUSED(hw_connector_start(p, "Quoted", "c1", NULL, NULL, &mgr_err), "UnknownInputEndpoint");
  ASSERT_REFUSED(hw_connector_start(p, "numbers", "C1", NULL, NULL, &mgr_err), "UnknownInputEndpoint");
  ck_assert_int_eq(hw_connector_start(p, "V", "out", NULL, NULL, &mgr_err), HW_OK); /* a view's is an output */
  ASSERT_REFUSED(hw_connector_start(p, "v", "c1", NULL, NULL, &mgr_err), "UnknownOutputEndpoint");
  ASSERT_REFUSED(hw_connector_pause(p, "NumberS", "c2", NULL, NULL, &mgr_err), "UnknownInputEndpoint");
  ck_assert_str_eq(mgr_err.message,
                   "unknown input endpoint name 'numbers.c2' (pipeline 'demo' has: numbers.c1, Quoted.c1)");
  ck_assert_int_eq(mgr_err.status, HW_ENOTFOUND);
  hw_pipeline_unref(p);
}
END_TEST

/* A minute of samples, of the present run only. */
START_TEST(samples_of_the_last_minute) {
  hw_pipeline *p = mgr_make_running("demo"), *stopped = mgr_make("stopped", "ok");
  pipeline_sample samples[PIPELINE_SAMPLES];
  uint32_t n;
  ck_assert_int_eq(pipeline_get_samples(p, samples, &n, &mgr_err), HW_OK);
  ck_assert_uint_eq(n, 0);
  for (unsigned i = 0; i < PIPELINE_SAMPLES + 5; i++) {
    bool moved;
    ck_assert_int_eq(manager_sample(mgr_engine, i, &moved), HW_OK);
    ck_assert_int_eq(moved, i == 0); /* the fake's rows do not come any further */
  }
  ck_assert_int_eq(pipeline_get_samples(p, samples, &n, &mgr_err), HW_OK);
  ck_assert_uint_eq(n, PIPELINE_SAMPLES);
  for (uint32_t i = 0; i < n; i++) {
    ck_assert_uint_eq(samples[i].resident_bytes, i + 5);
    ck_assert_uint_eq(samples[i].processed_records, 42);
  }
  ASSERT_REFUSED(pipeline_get_samples(stopped, samples, &n, &mgr_err), "PipelineInteractionNotDeployed");
  ck_assert_int_eq(hw_pipeline_stop(p, true, NULL, NULL, &mgr_err), HW_OK);
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &mgr_err), HW_OK);
  ck_assert_int_eq(pipeline_get_samples(p, samples, &n, &mgr_err), HW_OK);
  ck_assert_uint_eq(n, 0);
  hw_pipeline_unref(p);
  hw_pipeline_unref(stopped);
}
END_TEST

/* What happens to a pipeline is in its log, over all its runs, until it is deleted. */
START_TEST(a_pipeline_has_a_log) {
  static char text[65536];
  hw_pipeline *p = mgr_make_running("demo");
  ck_assert_int_eq(hw_pipeline_stop(p, true, NULL, NULL, &mgr_err), HW_OK);
  logbook_place at = {0};
  uint64_t lost;
  size_t n = logbook_read(pipeline_logbook(p), &at, text, sizeof text - 1, &lost);
  text[n] = '\0';
  ck_assert_ptr_nonnull(strstr(text, " INFO Initializing -> Running\n"));
  ck_assert_ptr_nonnull(strstr(text, " INFO Stopping -> Stopped\n"));
  ck_assert(!logbook_is_closed(pipeline_logbook(p)));
  ck_assert_int_eq(hw_pipeline_delete(p, &mgr_err), HW_OK);
  ck_assert(logbook_is_closed(pipeline_logbook(p)));
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(statistics_are_passed_on) {
  hw_pipeline *p = mgr_make_running("demo");
  pipeline_stats stats;
  ck_assert_int_eq(pipeline_get_stats(p, true, &stats, &mgr_err), HW_OK);
  ck_assert(stats.running);
  ck_assert_uint_eq(stats.total_input_records, 7);
  pipeline_stats_fini(&stats);
  connector_stats one;
  ck_assert_int_eq(pipeline_get_connector_stats(p, false, "V", "out", &one, &mgr_err), HW_OK);
  ck_assert_str_eq(one.endpoint, "v.out");
  connector_stats_fini(&one);
  ASSERT_REFUSED(pipeline_get_connector_stats(p, false, "numbers", "c1", &one, &mgr_err), "UnknownOutputEndpoint");
  ASSERT_REFUSED(pipeline_get_connector_stats(p, true, "numbers", "c9", &one, &mgr_err), "UnknownInputEndpoint");
  latency_summary latency;
  ck_assert_int_eq(pipeline_get_latency(p, &latency), HW_OK);
  ck_assert_uint_eq(latency.count, 5);
  ck_assert_ptr_null(hw_producer_open(p, "v", &mgr_err));
  ck_assert_int_eq(mgr_err.status, HW_ENOTFOUND);
  ck_assert_ptr_null(hw_producer_open(p, "Numbers", &mgr_err));
  ck_assert_int_eq(mgr_err.status, HW_EUNSUPPORTED);
  hw_engine_reopen(mgr_engine);
  hw_pipeline_unref(p);
}
END_TEST

/* ---- deleting, references, callbacks ------------------------------------- */

START_TEST(deleting) {
  hw_pipeline *p = mgr_make_running("demo");
  ASSERT_REFUSED(manager_delete(p, NULL, NULL, &mgr_err), "DeleteRestrictedToFullyStopped");
  ck_assert_int_eq(hw_pipeline_stop(p, false, NULL, NULL, &mgr_err), HW_OK);
  ASSERT_REFUSED(manager_delete(p, NULL, NULL, &mgr_err), "DeleteRestrictedToClearedStorage");
  ck_assert_ptr_nonnull(strstr(mgr_err.message, "POST /v0/pipelines/demo/clear"));
  uint64_t before = mgr_refresh_of(p);
  ck_assert_int_eq(manager_clear(p, NULL, NULL, &mgr_err), HW_OK);
  ck_assert_uint_eq(mgr_refresh_of(p), before + 1);
  ck_assert_int_eq(manager_clear(p, NULL, NULL, &mgr_err), HW_OK);
  ck_assert_uint_eq(mgr_refresh_of(p), before + 1);
  ck_assert_int_eq(manager_delete(p, NULL, NULL, &mgr_err), HW_OK);
  ck_assert_ptr_null(hw_pipeline_find(mgr_engine, "demo"));
  ASSERT_REFUSED(manager_delete(p, NULL, NULL, &mgr_err), "UnknownPipelineName");
  ASSERT_REFUSED(mgr_ask_start(p, HW_RUNNING), "UnknownPipelineName");
  ck_assert_int_eq(manager_stop(p, false, NULL, NULL, &mgr_err), HW_OK);
  hw_pipeline *q = mgr_make_running("demo"); /* the name is free */
  ck_assert_int_eq(hw_pipeline_stop(q, true, NULL, NULL, &mgr_err), HW_OK);
  ck_assert_int_eq(hw_pipeline_delete(q, &mgr_err), HW_OK); /* with its storage */
  ck_assert_str_eq(hw_pipeline_name(p), "demo");
  hw_pipeline_unref(p);
  hw_pipeline_unref(q);
}
END_TEST

typedef struct chain {
  hw_pipeline *pipeline;
  answer resumed, stopped;
} chain;

static void then_drop(void *arg, const hw_reply *reply) {
  chain *c = arg;
  hw_pipeline_unref(c->pipeline); /* the last one but the engine's */
  mgr_on_answer(&c->stopped, reply);
}

static void then_stop(void *arg, const hw_reply *reply) {
  chain *c = arg;
  hw_error e;
  ck_assert_int_eq(hw_pipeline_resume(c->pipeline, mgr_on_answer, &c->resumed, &e), HW_OK);
  ck_assert_int_eq(hw_pipeline_stop(c->pipeline, false, then_drop, c, &e), HW_OK);
  ck_assert_int_eq(reply->status, HW_OK);
}

START_TEST(callbacks_may_call_back) {
  chain c = {.pipeline = mgr_make_running("demo"), .resumed = NO_ANSWER, .stopped = NO_ANSWER};
  ck_assert_int_eq(hw_pipeline_pause(c.pipeline, then_stop, &c, &mgr_err), HW_OK);
  ck_assert_int_eq(mgr_await(&c.resumed), HW_OK);
  ck_assert_int_eq(mgr_await(&c.stopped), HW_OK);
  hw_pipeline *p = hw_pipeline_find(mgr_engine, "demo");
  ASSERT_STATUS(p, DEPLOYMENT_STOPPED);
  hw_pipeline_unref(p);
}
END_TEST

static void delete_and_drop(void *arg, const hw_reply *reply) {
  chain *c = arg;
  hw_error e;
  ck_assert_int_eq(hw_pipeline_delete(c->pipeline, &e), HW_OK);
  hw_pipeline_unref(c->pipeline); /* the very last one, inside its own callback */
  mgr_on_answer(&c->stopped, reply);
}

START_TEST(the_last_reference_may_go_in_a_callback) {
  chain c = {.pipeline = mgr_make_running("demo"), .stopped = NO_ANSWER};
  ck_assert_int_eq(hw_pipeline_stop(c.pipeline, false, delete_and_drop, &c, &mgr_err), HW_OK);
  ck_assert_int_eq(mgr_await(&c.stopped), HW_OK);
}
END_TEST

/* ---- listeners ----------------------------------------------------------- */

START_TEST(listeners_outlive_runs) {
  atomic_uint before = 0, during = 0;
  hw_pipeline *p = mgr_make("demo", "ok");
  ck_assert_ptr_null(hw_listener_open(p, "nothing", mgr_count_change, &before, &mgr_err));
  ck_assert_int_eq(mgr_err.status, HW_ENOTFOUND);
  hw_listener *first = hw_listener_open(p, "V", mgr_count_change, &before, &mgr_err);
  ck_assert_ptr_nonnull(first);
  for (unsigned run = 1; run <= 2; run++) {
    ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &mgr_err), HW_OK);
    hw_listener *second = hw_listener_open(p, "numbers", mgr_count_change, &during, &mgr_err);
    ck_assert_ptr_nonnull(second);
    fake_emit_change();
    ck_assert_uint_eq(atomic_load(&before), 2 * run - 1);
    ck_assert_uint_eq(atomic_load(&during), run);
    hw_listener_close(second);
    fake_emit_change();
    ck_assert_uint_eq(atomic_load(&before), 2 * run);
    ck_assert_uint_eq(atomic_load(&during), run);
    ck_assert_int_eq(hw_pipeline_stop(p, false, NULL, NULL, &mgr_err), HW_OK);
  }
  hw_pipeline_unref(p);
  hw_listener_close(first);
}
END_TEST

START_TEST(a_listener_needs_a_program) {
  hw_pipeline *p = mgr_make_held("ok");
  ck_assert_ptr_null(hw_listener_open(p, "v", mgr_count_change, NULL, &mgr_err));
  ck_assert_int_eq(mgr_err.status, HW_ESTATE);
  fake_let(FAKE_COMPILE);
  hw_pipeline_unref(p);
}
END_TEST

/* ---- all ----------------------------------------------------------------- */

static Suite *control_suite(void) {
  Suite *suite = suite_create("manager control");
  TCase *tc = mgr_cases(suite, "control");
  tcase_add_test(tc, pause_and_resume);
  tcase_add_test(tc, a_pause_shows_when_it_is_true);
  tcase_add_test(tc, a_pause_that_takes_too_long_is_not_shown);
  tcase_add_test(tc, a_stop_answers_pauses_that_wait);
  tcase_add_test(tc, a_stopped_pipeline_cannot_be_asked);
  tcase_add_test(tc, connectors_are_found_by_the_rules_of_sql);
  tcase_add_test(tc, statistics_are_passed_on);
  tcase_add_test(tc, samples_of_the_last_minute);
  tcase_add_test(tc, a_pipeline_has_a_log);
  tcase_add_test(tc, deleting);
  tcase_add_test(tc, callbacks_may_call_back);
  tcase_add_test(tc, the_last_reference_may_go_in_a_callback);
  tcase_add_test(tc, listeners_outlive_runs);
  tcase_add_test(tc, a_listener_needs_a_program);
  return suite;
}

int main(void) { return mgr_run(control_suite()); }
