/* test_manager.c - the pipelines of an engine over fake_deployment.c: made, started, stopped. */
#include "tests/manager_fixture.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- names, table of pipelines ------------------------------------------- */

static hw_status try_name(const char *name, const char *description) {
  hw_pipeline *p = NULL;
  hw_status s = mgr_create(name, description, "ok", &p);
  ck_assert_int_eq(s == HW_OK, p != NULL);
  hw_pipeline_unref(p);
  return s;
}

START_TEST(names_are_checked) {
  char name[70], description[400];
  memset(name, 'a', sizeof name);
  name[63] = '\0';
  ck_assert_int_eq(try_name(name, ""), HW_OK);
  name[63] = 'a';
  name[64] = '\0';
  ASSERT_REFUSED(try_name(name, ""), "TooLongName");
  ASSERT_REFUSED(try_name("", ""), "EmptyName");
  static const char *const bad[] = {"-a", "a-", "_a", "a_", "a b", "a.b", "\xc3\xa4", "a\n", "-"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) ASSERT_REFUSED(try_name(bad[i], ""), "NameDoesNotMatchPattern");
  static const char *const good[] = {"a", "7", "a-b_c", "A9"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) ck_assert_int_eq(try_name(good[i], NULL), HW_OK);
  memset(description, 'd', sizeof description);
  description[301] = '\0';
  ASSERT_REFUSED(try_name("long", description), "TooLongDescription");
  memcpy(description, "\xc3\xa4", 2); /* two bytes, one character */
  ck_assert_int_eq(try_name("long", description), HW_OK);
  ASSERT_REFUSED(try_name("a", ""), "DuplicateName");
}
END_TEST

START_TEST(pipelines_are_listed_by_name) {
  static const char *const names[] = {"m", "b", "z", "a", "q"};
  for (size_t i = 0; i < 5; i++) ck_assert_int_eq(try_name(names[i], ""), HW_OK);
  hw_pipeline **list;
  size_t n;
  ck_assert_int_eq(manager_list(mgr_engine, &list, &n), HW_OK);
  ck_assert_uint_eq(n, 5);
  char all[8] = "";
  for (size_t i = 0; i < n; i++) {
    all[i] = hw_pipeline_name(list[i])[0];
    hw_pipeline_unref(list[i]);
  }
  free(list);
  ck_assert_str_eq(all, "abmqz");
  hw_pipeline *p = hw_pipeline_find(mgr_engine, "q");
  ck_assert_str_eq(hw_pipeline_name(p), "q");
  hw_pipeline_unref(p);
  ck_assert_ptr_null(hw_pipeline_find(mgr_engine, "c"));
}
END_TEST

/* ---- compiling ----------------------------------------------------------- */

/* Only what waits for the program can tell when it is there. */
static void finish_compiling(hw_pipeline *p) {
  answer a = NO_ANSWER;
  ck_assert_int_eq(hw_pipeline_start(p, HW_PAUSED, mgr_on_answer, &a, &mgr_err), HW_OK);
  fake_let(FAKE_COMPILE);
  (void)mgr_await(&a);
}

START_TEST(compiling_is_told) {
  hw_pipeline *p = mgr_make_held("ok");
  pipeline_info info = mgr_get(p);
  ck_assert_str_eq(program_status_name(info.program_status), "CompilingSql");
  ck_assert_uint_eq(info.definition->version, 1);
  ck_assert_uint_eq(info.definition->program_version, 1);
  ck_assert_uint_eq(info.refresh_version, 1);
  ck_assert_str_eq(info.definition->members[MEMBER_NAME], "demo");
  ck_assert_str_eq(info.definition->members[MEMBER_DESCRIPTION], "a demo");
  ck_assert_str_eq(info.definition->members[MEMBER_CODE], "ok");
  ck_assert_uint_eq(strlen(info.id), 36);
  ck_assert_int_eq(info.id[14], '4');
  ck_assert_ptr_null(info.program);
  ck_assert_int_eq(info.created_at_us > INT64_C(1600000000000000), 1);
  pipeline_info_fini(&info);
  finish_compiling(p);
  info = mgr_get(p);
  ck_assert_str_eq(program_status_name(info.program_status), "Success");
  ck_assert_ptr_nonnull(info.program);
  pipeline_info_fini(&info);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_first_compilation_ends_at_refresh_version_3) {
  hw_pipeline *p = mgr_make("demo", "ok");
  ck_assert_uint_eq(mgr_refresh_of(p), 3);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(faults_come_back_as_text) {
  hw_pipeline *p = (hw_pipeline *)&mgr_err;
  ck_assert_int_eq(hw_pipeline_create(mgr_engine, "demo", "bad", 3, &p, &mgr_err), HW_ECOMPILE);
  ck_assert_ptr_null(p);
  ck_assert_ptr_nonnull(strstr(mgr_err.message, "line 1, column 2: this is bad"));
  ck_assert_ptr_nonnull(strstr(mgr_err.message, "and this"));
  ck_assert_ptr_null(hw_pipeline_find(mgr_engine, "demo"));
  ck_assert_int_eq(hw_pipeline_create(mgr_engine, "demo", "oom", 3, &p, &mgr_err), HW_ECOMPILE);
  ck_assert_ptr_nonnull(strstr(mgr_err.message, "memory"));
}
END_TEST

START_TEST(an_early_start_waits_for_the_program) {
  hw_pipeline *p = mgr_make_held("ok");
  answer a = NO_ANSWER;
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, mgr_on_answer, &a, &mgr_err), HW_OK);
  ASSERT_STATUS(p, DEPLOYMENT_STOPPED);
  ASSERT_DESIRED(p, DEPLOYMENT_RUNNING);
  ASSERT_REFUSED(manager_delete(p, NULL, NULL, &mgr_err), "DeleteRestrictedToFullyStopped");
  ASSERT_REFUSED(manager_clear(p, NULL, NULL, &mgr_err), "StorageStatusImmutableUnlessStopped");
  ASSERT_REFUSED(mgr_ask_start(p, HW_PAUSED), "InitialImmutableUnlessStopped");
  ck_assert_int_eq(mgr_ask_start(p, HW_RUNNING), HW_OK);
  ck_assert_uint_eq(mgr_answers(&a), 0);
  fake_let(FAKE_COMPILE);
  ck_assert_int_eq(mgr_await(&a), HW_OK);
  ASSERT_STATUS(p, DEPLOYMENT_RUNNING);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(an_early_start_fails_with_the_program) {
  hw_pipeline *p = mgr_make_held("bad");
  answer a = NO_ANSWER;
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, mgr_on_answer, &a, &mgr_err), HW_OK);
  fake_let(FAKE_COMPILE);
  ck_assert_int_eq(mgr_await(&a), HW_ECOMPILE);
  pipeline_info info = mgr_get(p);
  ck_assert_str_eq(program_status_name(info.program_status), "SqlError");
  ck_assert_int_eq(info.status, DEPLOYMENT_STOPPED);
  ck_assert_int_eq(info.desired, DEPLOYMENT_STOPPED);
  ck_assert_str_eq(info.deployment_error.code, "StartFailedDueToFailedCompilation");
  ck_assert_uint_eq(info.messages.n, 2);
  ck_assert_uint_eq(info.messages.n_errors, 2);
  ck_assert_str_eq(info.messages.items[0].message, "this is bad");
  ck_assert_str_eq(info.messages.items[1].snippet, "bad\n  ^");
  ck_assert(!info.storage_in_use);
  pipeline_info_fini(&info);
  ASSERT_REFUSED(mgr_ask_start(p, HW_RUNNING), "CannotStartWithUndismissedError");
  ck_assert_int_eq(manager_dismiss_error(p, NULL, NULL, &mgr_err), HW_OK);
  ASSERT_REFUSED(mgr_ask_start(p, HW_RUNNING), "CannotStartWithCompilationError");
  ck_assert_int_eq(manager_delete(p, NULL, NULL, &mgr_err), HW_OK);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(an_early_start_can_be_stopped) {
  hw_pipeline *p = mgr_make_held("ok");
  answer start = NO_ANSWER, stop = NO_ANSWER;
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, mgr_on_answer, &start, &mgr_err), HW_OK);
  ck_assert_int_eq(hw_pipeline_stop(p, false, mgr_on_answer, &stop, &mgr_err), HW_OK);
  ck_assert_int_eq(mgr_await(&start), HW_ECANCELED);
  ck_assert_int_eq(mgr_await(&stop), HW_OK);
  ASSERT_DESIRED(p, DEPLOYMENT_STOPPED);
  ck_assert_int_eq(manager_delete(p, NULL, NULL, &mgr_err), HW_OK); /* while it compiles */
  fake_let(FAKE_COMPILE);
  ASSERT_REFUSED(mgr_ask_start(p, HW_RUNNING), "UnknownPipelineName");
  hw_pipeline_unref(p);
}
END_TEST

/* ---- starting ------------------------------------------------------------ */

START_TEST(a_start_shows_what_the_contract_shows) {
  hw_pipeline *p = mgr_make_running("demo");
  pipeline_info info = mgr_get(p);
  ck_assert_int_eq(info.status, DEPLOYMENT_RUNNING);
  ck_assert_int_eq(info.desired, DEPLOYMENT_RUNNING);
  ck_assert_str_eq(info.deployment_initial, "running");
  ck_assert_uint_eq(strlen(info.deployment_id), 36);
  ck_assert(info.storage_in_use);
  ck_assert_uint_eq(info.num_errors, 11);
  ck_assert_uint_eq(info.refresh_version, 3 + 1 + 3); /* desired; Provisioning, Initializing, Running */
  pipeline_info_fini(&info);
  ck_assert_int_eq(hw_pipeline_stop(p, false, NULL, NULL, &mgr_err), HW_OK);
  info = mgr_get(p);
  ck_assert_str_eq(info.deployment_initial, "");
  ck_assert_str_eq(info.deployment_id, "");
  ck_assert(info.storage_in_use);
  ck_assert_uint_eq(info.num_errors, 0);
  ck_assert_uint_eq(info.refresh_version, 7 + 1 + 2);
  ck_assert_int_eq(info.deployment_error.status, HW_OK);
  pipeline_info_fini(&info);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(starting_again_is_no_change) {
  hw_pipeline *p = mgr_make("demo", "ok");
  ck_assert_int_eq(hw_pipeline_start(p, HW_PAUSED, NULL, NULL, &mgr_err), HW_OK);
  ASSERT_STATUS(p, DEPLOYMENT_PAUSED);
  ck_assert_int_eq(hw_pipeline_start(p, HW_PAUSED, NULL, NULL, &mgr_err), HW_OK);
  ASSERT_REFUSED(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &mgr_err), "InitialImmutableUnlessStopped");
  ck_assert_uint_eq(fake_opens(), 1);
  ASSERT_STATUS(p, DEPLOYMENT_PAUSED);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(states_in_between_are_seen) {
  hw_pipeline *p = mgr_make("demo", "ok");
  answer a = NO_ANSWER;
  fake_shut(FAKE_NEW);
  fake_shut(FAKE_OPEN);
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, mgr_on_answer, &a, &mgr_err), HW_OK);
  fake_wait_at(FAKE_NEW, 1);
  ASSERT_STATUS(p, DEPLOYMENT_PROVISIONING);
  ASSERT_REFUSED(hw_pipeline_pause(p, NULL, NULL, &mgr_err), "PipelineInteractionNotDeployed");
  fake_let(FAKE_NEW);
  fake_wait_at(FAKE_OPEN, 1);
  ASSERT_STATUS(p, DEPLOYMENT_INITIALIZING);
  ASSERT_REFUSED(hw_pipeline_pause(p, NULL, NULL, &mgr_err), "Initializing");
  ASSERT_REFUSED(hw_connector_pause(p, "numbers", "c1", NULL, NULL, &mgr_err), "Initializing");
  pipeline_stats stats;
  ASSERT_REFUSED(pipeline_get_stats(p, false, &stats, &mgr_err), "Initializing");
  ck_assert_uint_eq(mgr_answers(&a), 0);
  fake_let(FAKE_OPEN);
  ck_assert_int_eq(mgr_await(&a), HW_OK);
  ASSERT_STATUS(p, DEPLOYMENT_RUNNING);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_connector_that_does_not_open_fails_the_start) {
  hw_pipeline *p = mgr_make("demo", "ok");
  fake_open_fails("connector numbers.c1: no such file");
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &mgr_err), HW_EIO);
  ck_assert_ptr_nonnull(strstr(mgr_err.message, "numbers.c1"));
  ASSERT_STATUS(p, DEPLOYMENT_STOPPED);
  ASSERT_DESIRED(p, DEPLOYMENT_STOPPED);
  ck_assert_str_eq(mgr_error_of(p).code, "InitializationError");
  ck_assert_uint_eq(fake_stops(true), 1);
  ASSERT_REFUSED(mgr_ask_start(p, HW_RUNNING), "CannotStartWithUndismissedError");
  fake_reset();
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &mgr_err), HW_OK); /* dismisses */
  ck_assert_int_eq(mgr_error_of(p).status, HW_OK);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_failing_pipeline_shows_its_error_while_stopping) {
  hw_pipeline *p = mgr_make("demo", "ok");
  answer a = NO_ANSWER;
  fake_open_fails("no");
  fake_shut(FAKE_CLOSE);
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, mgr_on_answer, &a, &mgr_err), HW_OK);
  fake_wait_at(FAKE_CLOSE, 1);
  ASSERT_STATUS(p, DEPLOYMENT_STOPPING);
  ASSERT_DESIRED(p, DEPLOYMENT_STOPPED);
  ck_assert_str_eq(mgr_error_of(p).message, "no");
  ck_assert_uint_eq(mgr_answers(&a), 0);
  ASSERT_REFUSED(manager_dismiss_error(p, NULL, NULL, &mgr_err), "DismissErrorRestrictedToFullyStopped");
  ASSERT_REFUSED(mgr_ask_start(p, HW_RUNNING), "IllegalPipelineAction");
  fake_let(FAKE_CLOSE);
  ck_assert_int_eq(mgr_await(&a), HW_EIO);
  ck_assert_int_eq(manager_dismiss_error(p, NULL, NULL, &mgr_err), HW_OK);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_deployment_that_cannot_be_made_fails_the_start) {
  hw_pipeline *p = mgr_make("demo", "ok");
  fake_new_fails("none");
  ck_assert_int_eq(hw_pipeline_start(p, HW_PAUSED, NULL, NULL, &mgr_err), HW_ENOMEM);
  ASSERT_STATUS(p, DEPLOYMENT_STOPPED);
  ck_assert_uint_eq(fake_opens() + fake_stops(true), 0);
  fake_reset();
  fake_threads_fail(true);
  ck_assert_int_eq(hw_pipeline_start(p, HW_PAUSED, NULL, NULL, &mgr_err), HW_ENOMEM);
  ASSERT_STATUS(p, DEPLOYMENT_STOPPED);
  hw_pipeline *q;
  ck_assert_int_eq(mgr_create("other", "", "ok", &q), HW_ENOMEM);
  ck_assert_ptr_null(q);
  ck_assert_ptr_null(hw_pipeline_find(mgr_engine, "other"));
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(connectors_that_cannot_be_let_run_fail_the_start) {
  hw_pipeline *p = mgr_make("demo", "ok");
  fake_control_fails(HW_ENOMEM, "");
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &mgr_err), HW_ENOMEM);
  ASSERT_STATUS(p, DEPLOYMENT_STOPPED);
  hw_pipeline_unref(p);
}
END_TEST

/* ---- stopping ------------------------------------------------------------ */

START_TEST(a_stop_overtakes_provisioning) {
  hw_pipeline *p = mgr_make("demo", "ok");
  answer start = NO_ANSWER, stop = NO_ANSWER;
  fake_shut(FAKE_NEW);
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, mgr_on_answer, &start, &mgr_err), HW_OK);
  fake_wait_at(FAKE_NEW, 1);
  ck_assert_int_eq(hw_pipeline_stop(p, false, mgr_on_answer, &stop, &mgr_err), HW_OK);
  ASSERT_STATUS(p, DEPLOYMENT_STOPPING);
  ASSERT_REFUSED(mgr_ask_start(p, HW_RUNNING), "IllegalPipelineAction");
  ASSERT_REFUSED(hw_pipeline_delete(p, &mgr_err), "DeleteRestrictedToFullyStopped");
  fake_let(FAKE_NEW);
  ck_assert_int_eq(mgr_await(&start), HW_ECANCELED);
  ck_assert_int_eq(mgr_await(&stop), HW_OK);
  ASSERT_STATUS(p, DEPLOYMENT_STOPPED);
  ck_assert_uint_eq(fake_opens(), 0);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_stop_overtakes_opening) {
  hw_pipeline *p = mgr_make("demo", "ok");
  answer start = NO_ANSWER;
  fake_shut(FAKE_OPEN);
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, mgr_on_answer, &start, &mgr_err), HW_OK);
  fake_wait_at(FAKE_OPEN, 1);
  ck_assert_int_eq(hw_pipeline_stop(p, false, NULL, NULL, &mgr_err), HW_OK); /* nothing to drain: by force */
  ck_assert_uint_eq(fake_stops(true), 1);
  ck_assert_uint_eq(fake_stops(false), 0);
  ck_assert_int_eq(mgr_await(&start), HW_ECANCELED);
  ck_assert_int_eq(mgr_error_of(p).status, HW_OK);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(force_overtakes_a_graceful_stop) {
  hw_pipeline *p = mgr_make_running("demo");
  answer graceful = NO_ANSWER, again = NO_ANSWER, forced = NO_ANSWER;
  fake_shut(FAKE_DRAIN);
  ck_assert_int_eq(hw_pipeline_stop(p, false, mgr_on_answer, &graceful, &mgr_err), HW_OK);
  fake_wait_at(FAKE_DRAIN, 1);
  ASSERT_STATUS(p, DEPLOYMENT_STOPPING);
  ck_assert_int_eq(hw_pipeline_stop(p, false, mgr_on_answer, &again, &mgr_err), HW_OK);
  ck_assert_uint_eq(fake_stops(false), 1);
  ck_assert_int_eq(hw_pipeline_stop(p, true, mgr_on_answer, &forced, &mgr_err), HW_OK);
  ck_assert_int_eq(mgr_await(&forced), HW_OK);
  ck_assert_int_eq(mgr_await(&graceful), HW_ECANCELED);
  ck_assert_int_eq(mgr_await(&again), HW_ECANCELED);
  ASSERT_STATUS(p, DEPLOYMENT_STOPPED);
  ck_assert_int_eq(mgr_error_of(p).status, HW_OK);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(what_a_stop_leaves_is_told) {
  hw_pipeline *p = mgr_make_running("demo");
  fake_drain_leaves("v.out: 17 rows not written");
  ck_assert_int_eq(hw_pipeline_stop(p, false, NULL, NULL, &mgr_err), HW_ETIMEOUT);
  ck_assert_ptr_nonnull(strstr(mgr_err.message, "17 rows"));
  ASSERT_STATUS(p, DEPLOYMENT_STOPPED);
  ck_assert_str_eq(mgr_error_of(p).code, "StopIncomplete");
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_forced_stop_does_not_complain) {
  hw_pipeline *p = mgr_make_running("demo");
  fake_drain_leaves("17 rows not written");
  ck_assert_int_eq(hw_pipeline_stop(p, true, NULL, NULL, &mgr_err), HW_OK);
  ck_assert_int_eq(mgr_error_of(p).status, HW_OK);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_stop_is_accepted_in_every_state) {
  hw_pipeline *p = mgr_make("demo", "ok");
  uint64_t before = mgr_refresh_of(p);
  ck_assert_int_eq(hw_pipeline_stop(p, false, NULL, NULL, &mgr_err), HW_OK);
  ck_assert_int_eq(manager_stop(p, true, NULL, NULL, &mgr_err), HW_OK);
  ck_assert_uint_eq(mgr_refresh_of(p), before);
  ck_assert_int_eq(hw_pipeline_start(p, HW_PAUSED, NULL, NULL, &mgr_err), HW_OK);
  ck_assert_int_eq(hw_pipeline_stop(p, false, NULL, NULL, &mgr_err), HW_OK);
  ck_assert_uint_eq(fake_stops(false), 1);
  hw_pipeline_unref(p);
}
END_TEST

/* ---- failing and completing ---------------------------------------------- */

START_TEST(a_failure_stops_the_pipeline) {
  hw_pipeline *p = mgr_make_running("demo");
  answer graceful = NO_ANSWER;
  fake_shut(FAKE_CLOSE);
  fake_emit_failed("division by zero in a / b");
  fake_wait_at(FAKE_CLOSE, 1);
  ASSERT_STATUS(p, DEPLOYMENT_STOPPING);
  ck_assert_int_eq(hw_pipeline_stop(p, false, mgr_on_answer, &graceful, &mgr_err), HW_OK);
  fake_let(FAKE_CLOSE);
  ck_assert_int_eq(mgr_await(&graceful), HW_EEVAL); /* it could not drain */
  ck_assert_int_eq(hw_pipeline_wait(p, -1, &mgr_err), HW_EEVAL);
  ck_assert_str_eq(mgr_err.message, "division by zero in a / b");
  ck_assert_str_eq(mgr_error_of(p).code, "RuntimeError.WorkerPanic");
  ASSERT_DESIRED(p, DEPLOYMENT_STOPPED);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_failure_during_a_graceful_stop_forces_it) {
  hw_pipeline *p = mgr_make_running("demo");
  answer graceful = NO_ANSWER;
  fake_shut(FAKE_DRAIN);
  ck_assert_int_eq(hw_pipeline_stop(p, false, mgr_on_answer, &graceful, &mgr_err), HW_OK);
  fake_wait_at(FAKE_DRAIN, 1);
  fake_emit_failed("overflow");
  ck_assert_int_eq(mgr_await(&graceful), HW_EEVAL);
  ck_assert_uint_eq(fake_stops(true), 1);
  ck_assert_str_eq(mgr_error_of(p).message, "overflow");
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(waiting_ends_when_it_is_complete) {
  hw_pipeline *p = mgr_make("demo", "ok");
  ck_assert_int_eq(hw_pipeline_wait(p, -1, &mgr_err), HW_ESTATE);
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &mgr_err), HW_OK);
  ck_assert_int_eq(hw_pipeline_wait(p, 0, &mgr_err), HW_ETIMEOUT);
  fake_emit_complete(NULL);
  ck_assert_int_eq(hw_pipeline_wait(p, -1, &mgr_err), HW_OK);
  ck_assert_int_eq(hw_pipeline_stop(p, false, NULL, NULL, &mgr_err), HW_OK);
  ck_assert_int_eq(hw_pipeline_wait(p, 1000, &mgr_err), HW_OK);
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &mgr_err), HW_OK);
  ck_assert_int_eq(hw_pipeline_wait(p, 1, &mgr_err), HW_ETIMEOUT); /* a new run */
  fake_emit_complete("numbers.c1 failed");
  ck_assert_int_eq(hw_pipeline_wait(p, -1, &mgr_err), HW_EIO);
  ck_assert_str_eq(mgr_err.message, "numbers.c1 failed");
  hw_pipeline_unref(p);
}
END_TEST

static void *wait_for_end(void *arg) {
  hw_error e;
  return (void *)(uintptr_t)hw_pipeline_wait(arg, -1, &e);
}

START_TEST(waiting_ends_when_it_is_stopped) {
  hw_pipeline *p = mgr_make_running("demo");
  pthread_t thread;
  void *result;
  ck_assert_int_eq(pthread_create(&thread, NULL, wait_for_end, p), 0);
  ck_assert_int_eq(hw_pipeline_stop(p, true, NULL, NULL, &mgr_err), HW_OK);
  pthread_join(thread, &result);
  ck_assert_int_eq((int)(uintptr_t)result, HW_ESTATE);
  hw_pipeline_unref(p);
}
END_TEST

/* ---- the engine ---------------------------------------------------------- */

START_TEST(options_have_a_size) {
  hw_engine_options options = {.struct_size = 8};
  ck_assert_ptr_null(hw_engine_new(&options, &mgr_err));
  ck_assert_int_eq(mgr_err.status, HW_EINVAL);
  options = (hw_engine_options){.struct_size = offsetof(hw_engine_options, drain_timeout_ms), .log = mgr_quiet};
  hw_engine *other = hw_engine_new(&options, &mgr_err);
  ck_assert_ptr_nonnull(other);
  hw_engine_free(other);
  hw_engine_free(NULL);
  ck_assert_str_eq(hw_version(), PACKAGE_VERSION);
}
END_TEST

START_TEST(an_engine_ends_what_runs) {
  hw_pipeline *running = mgr_make_running("running"), *opening = mgr_make("opening", "ok");
  hw_pipeline *held = mgr_make("held", "ok");
  hw_listener *listener = hw_listener_open(running, "v", mgr_count_change, NULL, &mgr_err);
  answer start = NO_ANSWER, stop = NO_ANSWER;
  fake_shut(FAKE_OPEN);
  ck_assert_int_eq(hw_pipeline_start(opening, HW_RUNNING, mgr_on_answer, &start, &mgr_err), HW_OK);
  fake_wait_at(FAKE_OPEN, 1);
  fake_let(FAKE_OPEN);
  (void)mgr_await(&start);
  fake_shut(FAKE_DRAIN);
  ck_assert_int_eq(hw_pipeline_start(held, HW_PAUSED, NULL, NULL, &mgr_err), HW_OK);
  ck_assert_int_eq(hw_pipeline_stop(held, false, mgr_on_answer, &stop, &mgr_err), HW_OK);
  fake_wait_at(FAKE_DRAIN, 1);
  hw_engine_free(mgr_engine);
  ck_assert_uint_eq(fake_deployments(), 0);
  ck_assert_int_eq(mgr_await(&stop), HW_ECANCELED);
  hw_pipeline_unref(running);
  hw_pipeline_unref(opening);
  hw_pipeline_unref(held);
  hw_listener_close(listener);
  mgr_engine = NULL; /* for tear_down */
}
END_TEST

static void *free_engine(void *arg) {
  hw_engine_free(arg);
  return NULL;
}

START_TEST(an_engine_that_ends_starts_nothing) {
  hw_pipeline *running = mgr_make_running("running"), *stopped = mgr_make("stopped", "ok"), *made;
  pthread_t thread;
  fake_shut(FAKE_CLOSE);
  ck_assert_int_eq(pthread_create(&thread, NULL, free_engine, mgr_engine), 0);
  fake_wait_at(FAKE_CLOSE, 1); /* it waits for `running` */
  ASSERT_REFUSED(hw_pipeline_start(stopped, HW_RUNNING, NULL, NULL, &mgr_err), "Terminating");
  ASSERT_REFUSED(mgr_create("another", "", "ok", &made), "Terminating");
  fake_let(FAKE_CLOSE);
  pthread_join(thread, NULL);
  hw_pipeline_unref(running);
  hw_pipeline_unref(stopped);
  mgr_engine = NULL;
}
END_TEST

/* ---- all ----------------------------------------------------------------- */

static void add_start_and_stop(Suite *suite) {
  TCase *tc = mgr_cases(suite, "start and stop");
  tcase_add_test(tc, a_start_shows_what_the_contract_shows);
  tcase_add_test(tc, starting_again_is_no_change);
  tcase_add_test(tc, states_in_between_are_seen);
  tcase_add_test(tc, a_connector_that_does_not_open_fails_the_start);
  tcase_add_test(tc, a_failing_pipeline_shows_its_error_while_stopping);
  tcase_add_test(tc, a_deployment_that_cannot_be_made_fails_the_start);
  tcase_add_test(tc, connectors_that_cannot_be_let_run_fail_the_start);
  tcase_add_test(tc, a_stop_overtakes_provisioning);
  tcase_add_test(tc, a_stop_overtakes_opening);
  tcase_add_test(tc, force_overtakes_a_graceful_stop);
  tcase_add_test(tc, what_a_stop_leaves_is_told);
  tcase_add_test(tc, a_forced_stop_does_not_complain);
  tcase_add_test(tc, a_stop_is_accepted_in_every_state);
  tcase_add_test(tc, a_failure_stops_the_pipeline);
  tcase_add_test(tc, a_failure_during_a_graceful_stop_forces_it);
  tcase_add_test(tc, waiting_ends_when_it_is_complete);
  tcase_add_test(tc, waiting_ends_when_it_is_stopped);
}

static Suite *manager_suite(void) {
  Suite *suite = suite_create("manager");
  TCase *tc = mgr_cases(suite, "pipelines");
  tcase_add_test(tc, names_are_checked);
  tcase_add_test(tc, pipelines_are_listed_by_name);
  tcase_add_test(tc, compiling_is_told);
  tcase_add_test(tc, a_first_compilation_ends_at_refresh_version_3);
  tcase_add_test(tc, faults_come_back_as_text);
  tcase_add_test(tc, an_early_start_waits_for_the_program);
  tcase_add_test(tc, an_early_start_fails_with_the_program);
  tcase_add_test(tc, an_early_start_can_be_stopped);
  add_start_and_stop(suite);
  tc = mgr_cases(suite, "engine");
  tcase_add_test(tc, options_have_a_size);
  tcase_add_test(tc, an_engine_ends_what_runs);
  tcase_add_test(tc, an_engine_that_ends_starts_nothing);
  return suite;
}

int main(void) { return mgr_run(manager_suite()); }
