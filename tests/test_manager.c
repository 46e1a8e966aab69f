/* test_manager.c - the pipelines of an engine over fake_deployment.c. */
#include "engine/manager.h"
#include "tests/fake_deployment.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hw_engine *engine;
static hw_error err;

static void quiet(void *arg, hw_log_level level, const char *line) {
  (void)arg;
  (void)level;
  (void)line;
}

static void set_up(void) {
  fake_reset();
  hw_engine_options options = {.struct_size = sizeof options, .log_level = HW_LOG_DEBUG, .log = quiet};
  engine = hw_engine_new(&options, &err);
  ck_assert_ptr_nonnull(engine);
}

static void tear_down(void) {
  hw_engine_free(engine);
  ck_assert_uint_eq(fake_deployments(), 0);
}

/* ---- what tests ask ------------------------------------------------------ */

static hw_pipeline *make(const char *name, const char *code) {
  hw_pipeline *p;
  ck_assert_msg(hw_pipeline_create(engine, name, code, strlen(code), &p, &err) == HW_OK, "%s", err.message);
  return p;
}

static hw_pipeline *make_running(const char *name) {
  hw_pipeline *p = make(name, "ok");
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err), HW_OK);
  return p;
}

static pipeline_info get(hw_pipeline *p) {
  pipeline_info info;
  ck_assert_int_eq(pipeline_get_info(p, &info), HW_OK);
  return info;
}

static deployment_status status_of(hw_pipeline *p) {
  pipeline_info info = get(p);
  deployment_status s = info.status;
  pipeline_info_fini(&info);
  return s;
}

static deployment_status desired_of(hw_pipeline *p) {
  pipeline_info info = get(p);
  deployment_status s = info.desired;
  pipeline_info_fini(&info);
  return s;
}

static uint64_t refresh_of(hw_pipeline *p) {
  pipeline_info info = get(p);
  uint64_t v = info.refresh_version;
  pipeline_info_fini(&info);
  return v;
}

static hw_error error_of(hw_pipeline *p) {
  pipeline_info info = get(p);
  hw_error e = info.deployment_error;
  pipeline_info_fini(&info);
  return e;
}

#define ASSERT_STATUS(p, s) ck_assert_str_eq(deployment_status_name(status_of(p)), deployment_status_name(s))
#define ASSERT_DESIRED(p, s) ck_assert_str_eq(deployment_status_name(desired_of(p)), deployment_status_name(s))
#define ASSERT_REFUSED(call, word)       \
  do {                                   \
    err.code[0] = '\0';                  \
    ck_assert_int_ne((call), HW_OK);     \
    ck_assert_str_eq(err.code, (word));  \
  } while (0)

/* An answer to wait for. */
typedef struct answer {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  unsigned n;
  hw_error error;
} answer;
#define NO_ANSWER {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER}

static void on_answer(void *arg, const hw_reply *reply) {
  answer *a = arg;
  pthread_mutex_lock(&a->lock);
  a->n++;
  if (reply->error) a->error = *reply->error;
  ck_assert_int_eq(reply->status, reply->error ? reply->error->status : HW_OK);
  pthread_cond_broadcast(&a->changed);
  pthread_mutex_unlock(&a->lock);
}

static hw_status await(answer *a) {
  pthread_mutex_lock(&a->lock);
  while (a->n == 0) pthread_cond_wait(&a->changed, &a->lock);
  ck_assert_uint_eq(a->n, 1);
  pthread_mutex_unlock(&a->lock);
  return a->error.status;
}

static unsigned answers(answer *a) {
  pthread_mutex_lock(&a->lock);
  unsigned n = a->n;
  pthread_mutex_unlock(&a->lock);
  return n;
}

/* What the API asks, without waiting for an answer. */

static hw_status create(const char *name, const char *description, const char *code, hw_pipeline **out) {
  const pipeline_spec spec = {
      .members = {[MEMBER_NAME] = name, [MEMBER_DESCRIPTION] = description, [MEMBER_CODE] = code},
      .code_len = strlen(code)};
  return manager_create(engine, &spec, out, NULL, NULL, &err);
}

static hw_status ask_start(hw_pipeline *p, hw_run_state initial) {
  return manager_start(p, &(start_options){.initial = initial}, NULL, NULL, &err);
}

/* ---- names, table of pipelines ------------------------------------------- */

static hw_status try_name(const char *name, const char *description) {
  hw_pipeline *p = NULL;
  hw_status s = create(name, description, "ok", &p);
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
  ck_assert_int_eq(manager_list(engine, &list, &n), HW_OK);
  ck_assert_uint_eq(n, 5);
  char all[8] = "";
  for (size_t i = 0; i < n; i++) {
    all[i] = hw_pipeline_name(list[i])[0];
    hw_pipeline_unref(list[i]);
  }
  free(list);
  ck_assert_str_eq(all, "abmqz");
  hw_pipeline *p = hw_pipeline_find(engine, "q");
  ck_assert_str_eq(hw_pipeline_name(p), "q");
  hw_pipeline_unref(p);
  ck_assert_ptr_null(hw_pipeline_find(engine, "c"));
}
END_TEST

/* ---- compiling ----------------------------------------------------------- */

static hw_pipeline *make_held(const char *code) {
  hw_pipeline *p;
  fake_shut(FAKE_COMPILE);
  ck_assert_int_eq(create("demo", "a demo", code, &p), HW_OK);
  fake_wait_at(FAKE_COMPILE, 1);
  return p;
}

/* Only what waits for the program can tell when it is there. */
static void finish_compiling(hw_pipeline *p) {
  answer a = NO_ANSWER;
  ck_assert_int_eq(hw_pipeline_start(p, HW_PAUSED, on_answer, &a, &err), HW_OK);
  fake_let(FAKE_COMPILE);
  (void)await(&a);
}

START_TEST(compiling_is_told) {
  hw_pipeline *p = make_held("ok");
  pipeline_info info = get(p);
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
  info = get(p);
  ck_assert_str_eq(program_status_name(info.program_status), "Success");
  ck_assert_ptr_nonnull(info.program);
  pipeline_info_fini(&info);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_first_compilation_ends_at_refresh_version_3) {
  hw_pipeline *p = make("demo", "ok");
  ck_assert_uint_eq(refresh_of(p), 3);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(faults_come_back_as_text) {
  hw_pipeline *p = (hw_pipeline *)&err;
  ck_assert_int_eq(hw_pipeline_create(engine, "demo", "bad", 3, &p, &err), HW_ECOMPILE);
  ck_assert_ptr_null(p);
  ck_assert_ptr_nonnull(strstr(err.message, "line 1, column 2: this is bad"));
  ck_assert_ptr_nonnull(strstr(err.message, "and this"));
  ck_assert_ptr_null(hw_pipeline_find(engine, "demo"));
  ck_assert_int_eq(hw_pipeline_create(engine, "demo", "oom", 3, &p, &err), HW_ECOMPILE);
  ck_assert_ptr_nonnull(strstr(err.message, "memory"));
}
END_TEST

START_TEST(an_early_start_waits_for_the_program) {
  hw_pipeline *p = make_held("ok");
  answer a = NO_ANSWER;
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, on_answer, &a, &err), HW_OK);
  ASSERT_STATUS(p, DEPLOYMENT_STOPPED);
  ASSERT_DESIRED(p, DEPLOYMENT_RUNNING);
  ASSERT_REFUSED(manager_delete(p, NULL, NULL, &err), "DeleteRestrictedToFullyStopped");
  ASSERT_REFUSED(manager_clear(p, NULL, NULL, &err), "StorageStatusImmutableUnlessStopped");
  ASSERT_REFUSED(ask_start(p, HW_PAUSED), "InitialImmutableUnlessStopped");
  ck_assert_int_eq(ask_start(p, HW_RUNNING), HW_OK);
  ck_assert_uint_eq(answers(&a), 0);
  fake_let(FAKE_COMPILE);
  ck_assert_int_eq(await(&a), HW_OK);
  ASSERT_STATUS(p, DEPLOYMENT_RUNNING);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(an_early_start_fails_with_the_program) {
  hw_pipeline *p = make_held("bad");
  answer a = NO_ANSWER;
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, on_answer, &a, &err), HW_OK);
  fake_let(FAKE_COMPILE);
  ck_assert_int_eq(await(&a), HW_ECOMPILE);
  pipeline_info info = get(p);
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
  ASSERT_REFUSED(ask_start(p, HW_RUNNING), "CannotStartWithUndismissedError");
  ck_assert_int_eq(manager_dismiss_error(p, NULL, NULL, &err), HW_OK);
  ASSERT_REFUSED(ask_start(p, HW_RUNNING), "CannotStartWithCompilationError");
  ck_assert_int_eq(manager_delete(p, NULL, NULL, &err), HW_OK);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(an_early_start_can_be_stopped) {
  hw_pipeline *p = make_held("ok");
  answer start = NO_ANSWER, stop = NO_ANSWER;
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, on_answer, &start, &err), HW_OK);
  ck_assert_int_eq(hw_pipeline_stop(p, false, on_answer, &stop, &err), HW_OK);
  ck_assert_int_eq(await(&start), HW_ECANCELED);
  ck_assert_int_eq(await(&stop), HW_OK);
  ASSERT_DESIRED(p, DEPLOYMENT_STOPPED);
  ck_assert_int_eq(manager_delete(p, NULL, NULL, &err), HW_OK); /* while it compiles */
  fake_let(FAKE_COMPILE);
  ASSERT_REFUSED(ask_start(p, HW_RUNNING), "UnknownPipelineName");
  hw_pipeline_unref(p);
}
END_TEST

/* ---- starting ------------------------------------------------------------ */

START_TEST(a_start_shows_what_the_contract_shows) {
  hw_pipeline *p = make_running("demo");
  pipeline_info info = get(p);
  ck_assert_int_eq(info.status, DEPLOYMENT_RUNNING);
  ck_assert_int_eq(info.desired, DEPLOYMENT_RUNNING);
  ck_assert_str_eq(info.deployment_initial, "running");
  ck_assert_uint_eq(strlen(info.deployment_id), 36);
  ck_assert(info.storage_in_use);
  ck_assert_uint_eq(info.num_errors, 11);
  ck_assert_uint_eq(info.refresh_version, 3 + 1 + 3); /* desired; Provisioning, Initializing, Running */
  pipeline_info_fini(&info);
  ck_assert_int_eq(hw_pipeline_stop(p, false, NULL, NULL, &err), HW_OK);
  info = get(p);
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
  hw_pipeline *p = make("demo", "ok");
  ck_assert_int_eq(hw_pipeline_start(p, HW_PAUSED, NULL, NULL, &err), HW_OK);
  ASSERT_STATUS(p, DEPLOYMENT_PAUSED);
  ck_assert_int_eq(hw_pipeline_start(p, HW_PAUSED, NULL, NULL, &err), HW_OK);
  ASSERT_REFUSED(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err), "InitialImmutableUnlessStopped");
  ck_assert_uint_eq(fake_opens(), 1);
  ASSERT_STATUS(p, DEPLOYMENT_PAUSED);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(states_in_between_are_seen) {
  hw_pipeline *p = make("demo", "ok");
  answer a = NO_ANSWER;
  fake_shut(FAKE_NEW);
  fake_shut(FAKE_OPEN);
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, on_answer, &a, &err), HW_OK);
  fake_wait_at(FAKE_NEW, 1);
  ASSERT_STATUS(p, DEPLOYMENT_PROVISIONING);
  ASSERT_REFUSED(hw_pipeline_pause(p, NULL, NULL, &err), "PipelineInteractionNotDeployed");
  fake_let(FAKE_NEW);
  fake_wait_at(FAKE_OPEN, 1);
  ASSERT_STATUS(p, DEPLOYMENT_INITIALIZING);
  ASSERT_REFUSED(hw_pipeline_pause(p, NULL, NULL, &err), "Initializing");
  ASSERT_REFUSED(hw_connector_pause(p, "numbers", "c1", NULL, NULL, &err), "Initializing");
  pipeline_stats stats;
  ASSERT_REFUSED(pipeline_get_stats(p, false, &stats, &err), "Initializing");
  ck_assert_uint_eq(answers(&a), 0);
  fake_let(FAKE_OPEN);
  ck_assert_int_eq(await(&a), HW_OK);
  ASSERT_STATUS(p, DEPLOYMENT_RUNNING);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_connector_that_does_not_open_fails_the_start) {
  hw_pipeline *p = make("demo", "ok");
  fake_open_fails("connector numbers.c1: no such file");
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err), HW_EIO);
  ck_assert_ptr_nonnull(strstr(err.message, "numbers.c1"));
  ASSERT_STATUS(p, DEPLOYMENT_STOPPED);
  ASSERT_DESIRED(p, DEPLOYMENT_STOPPED);
  ck_assert_str_eq(error_of(p).code, "InitializationError");
  ck_assert_uint_eq(fake_stops(true), 1);
  ASSERT_REFUSED(ask_start(p, HW_RUNNING), "CannotStartWithUndismissedError");
  fake_reset();
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err), HW_OK); /* dismisses */
  ck_assert_int_eq(error_of(p).status, HW_OK);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_failing_pipeline_shows_its_error_while_stopping) {
  hw_pipeline *p = make("demo", "ok");
  answer a = NO_ANSWER;
  fake_open_fails("no");
  fake_shut(FAKE_CLOSE);
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, on_answer, &a, &err), HW_OK);
  fake_wait_at(FAKE_CLOSE, 1);
  ASSERT_STATUS(p, DEPLOYMENT_STOPPING);
  ASSERT_DESIRED(p, DEPLOYMENT_STOPPED);
  ck_assert_str_eq(error_of(p).message, "no");
  ck_assert_uint_eq(answers(&a), 0);
  ASSERT_REFUSED(manager_dismiss_error(p, NULL, NULL, &err), "DismissErrorRestrictedToFullyStopped");
  ASSERT_REFUSED(ask_start(p, HW_RUNNING), "IllegalPipelineAction");
  fake_let(FAKE_CLOSE);
  ck_assert_int_eq(await(&a), HW_EIO);
  ck_assert_int_eq(manager_dismiss_error(p, NULL, NULL, &err), HW_OK);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_deployment_that_cannot_be_made_fails_the_start) {
  hw_pipeline *p = make("demo", "ok");
  fake_new_fails("none");
  ck_assert_int_eq(hw_pipeline_start(p, HW_PAUSED, NULL, NULL, &err), HW_ENOMEM);
  ASSERT_STATUS(p, DEPLOYMENT_STOPPED);
  ck_assert_uint_eq(fake_opens() + fake_stops(true), 0);
  fake_reset();
  fake_threads_fail(true);
  ck_assert_int_eq(hw_pipeline_start(p, HW_PAUSED, NULL, NULL, &err), HW_ENOMEM);
  ASSERT_STATUS(p, DEPLOYMENT_STOPPED);
  hw_pipeline *q;
  ck_assert_int_eq(create("other", "", "ok", &q), HW_ENOMEM);
  ck_assert_ptr_null(q);
  ck_assert_ptr_null(hw_pipeline_find(engine, "other"));
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(connectors_that_cannot_be_let_run_fail_the_start) {
  hw_pipeline *p = make("demo", "ok");
  fake_control_fails(HW_ENOMEM, "");
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err), HW_ENOMEM);
  ASSERT_STATUS(p, DEPLOYMENT_STOPPED);
  hw_pipeline_unref(p);
}
END_TEST

/* ---- stopping ------------------------------------------------------------ */

START_TEST(a_stop_overtakes_provisioning) {
  hw_pipeline *p = make("demo", "ok");
  answer start = NO_ANSWER, stop = NO_ANSWER;
  fake_shut(FAKE_NEW);
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, on_answer, &start, &err), HW_OK);
  fake_wait_at(FAKE_NEW, 1);
  ck_assert_int_eq(hw_pipeline_stop(p, false, on_answer, &stop, &err), HW_OK);
  ASSERT_STATUS(p, DEPLOYMENT_STOPPING);
  ASSERT_REFUSED(ask_start(p, HW_RUNNING), "IllegalPipelineAction");
  ASSERT_REFUSED(hw_pipeline_delete(p, &err), "DeleteRestrictedToFullyStopped");
  fake_let(FAKE_NEW);
  ck_assert_int_eq(await(&start), HW_ECANCELED);
  ck_assert_int_eq(await(&stop), HW_OK);
  ASSERT_STATUS(p, DEPLOYMENT_STOPPED);
  ck_assert_uint_eq(fake_opens(), 0);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_stop_overtakes_opening) {
  hw_pipeline *p = make("demo", "ok");
  answer start = NO_ANSWER;
  fake_shut(FAKE_OPEN);
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, on_answer, &start, &err), HW_OK);
  fake_wait_at(FAKE_OPEN, 1);
  ck_assert_int_eq(hw_pipeline_stop(p, false, NULL, NULL, &err), HW_OK); /* nothing to drain: by force */
  ck_assert_uint_eq(fake_stops(true), 1);
  ck_assert_uint_eq(fake_stops(false), 0);
  ck_assert_int_eq(await(&start), HW_ECANCELED);
  ck_assert_int_eq(error_of(p).status, HW_OK);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(force_overtakes_a_graceful_stop) {
  hw_pipeline *p = make_running("demo");
  answer graceful = NO_ANSWER, again = NO_ANSWER, forced = NO_ANSWER;
  fake_shut(FAKE_DRAIN);
  ck_assert_int_eq(hw_pipeline_stop(p, false, on_answer, &graceful, &err), HW_OK);
  fake_wait_at(FAKE_DRAIN, 1);
  ASSERT_STATUS(p, DEPLOYMENT_STOPPING);
  ck_assert_int_eq(hw_pipeline_stop(p, false, on_answer, &again, &err), HW_OK);
  ck_assert_uint_eq(fake_stops(false), 1);
  ck_assert_int_eq(hw_pipeline_stop(p, true, on_answer, &forced, &err), HW_OK);
  ck_assert_int_eq(await(&forced), HW_OK);
  ck_assert_int_eq(await(&graceful), HW_ECANCELED);
  ck_assert_int_eq(await(&again), HW_ECANCELED);
  ASSERT_STATUS(p, DEPLOYMENT_STOPPED);
  ck_assert_int_eq(error_of(p).status, HW_OK);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(what_a_stop_leaves_is_told) {
  hw_pipeline *p = make_running("demo");
  fake_drain_leaves("v.out: 17 rows not written");
  ck_assert_int_eq(hw_pipeline_stop(p, false, NULL, NULL, &err), HW_ETIMEOUT);
  ck_assert_ptr_nonnull(strstr(err.message, "17 rows"));
  ASSERT_STATUS(p, DEPLOYMENT_STOPPED);
  ck_assert_str_eq(error_of(p).code, "StopIncomplete");
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_forced_stop_does_not_complain) {
  hw_pipeline *p = make_running("demo");
  fake_drain_leaves("17 rows not written");
  ck_assert_int_eq(hw_pipeline_stop(p, true, NULL, NULL, &err), HW_OK);
  ck_assert_int_eq(error_of(p).status, HW_OK);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_stop_is_accepted_in_every_state) {
  hw_pipeline *p = make("demo", "ok");
  uint64_t before = refresh_of(p);
  ck_assert_int_eq(hw_pipeline_stop(p, false, NULL, NULL, &err), HW_OK);
  ck_assert_int_eq(manager_stop(p, true, NULL, NULL, &err), HW_OK);
  ck_assert_uint_eq(refresh_of(p), before);
  ck_assert_int_eq(hw_pipeline_start(p, HW_PAUSED, NULL, NULL, &err), HW_OK);
  ck_assert_int_eq(hw_pipeline_stop(p, false, NULL, NULL, &err), HW_OK);
  ck_assert_uint_eq(fake_stops(false), 1);
  hw_pipeline_unref(p);
}
END_TEST

/* ---- failing and completing ---------------------------------------------- */

START_TEST(a_failure_stops_the_pipeline) {
  hw_pipeline *p = make_running("demo");
  answer graceful = NO_ANSWER;
  fake_shut(FAKE_CLOSE);
  fake_emit_failed("division by zero in a / b");
  fake_wait_at(FAKE_CLOSE, 1);
  ASSERT_STATUS(p, DEPLOYMENT_STOPPING);
  ck_assert_int_eq(hw_pipeline_stop(p, false, on_answer, &graceful, &err), HW_OK);
  fake_let(FAKE_CLOSE);
  ck_assert_int_eq(await(&graceful), HW_EEVAL); /* it could not drain */
  ck_assert_int_eq(hw_pipeline_wait(p, -1, &err), HW_EEVAL);
  ck_assert_str_eq(err.message, "division by zero in a / b");
  ck_assert_str_eq(error_of(p).code, "RuntimeError.WorkerPanic");
  ASSERT_DESIRED(p, DEPLOYMENT_STOPPED);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_failure_during_a_graceful_stop_forces_it) {
  hw_pipeline *p = make_running("demo");
  answer graceful = NO_ANSWER;
  fake_shut(FAKE_DRAIN);
  ck_assert_int_eq(hw_pipeline_stop(p, false, on_answer, &graceful, &err), HW_OK);
  fake_wait_at(FAKE_DRAIN, 1);
  fake_emit_failed("overflow");
  ck_assert_int_eq(await(&graceful), HW_EEVAL);
  ck_assert_uint_eq(fake_stops(true), 1);
  ck_assert_str_eq(error_of(p).message, "overflow");
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(waiting_ends_when_it_is_complete) {
  hw_pipeline *p = make("demo", "ok");
  ck_assert_int_eq(hw_pipeline_wait(p, -1, &err), HW_ESTATE);
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err), HW_OK);
  ck_assert_int_eq(hw_pipeline_wait(p, 0, &err), HW_ETIMEOUT);
  fake_emit_complete(NULL);
  ck_assert_int_eq(hw_pipeline_wait(p, -1, &err), HW_OK);
  ck_assert_int_eq(hw_pipeline_stop(p, false, NULL, NULL, &err), HW_OK);
  ck_assert_int_eq(hw_pipeline_wait(p, 1000, &err), HW_OK);
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err), HW_OK);
  ck_assert_int_eq(hw_pipeline_wait(p, 1, &err), HW_ETIMEOUT); /* a new run */
  fake_emit_complete("numbers.c1 failed");
  ck_assert_int_eq(hw_pipeline_wait(p, -1, &err), HW_EIO);
  ck_assert_str_eq(err.message, "numbers.c1 failed");
  hw_pipeline_unref(p);
}
END_TEST

static void *wait_for_end(void *arg) {
  hw_error e;
  return (void *)(uintptr_t)hw_pipeline_wait(arg, -1, &e);
}

START_TEST(waiting_ends_when_it_is_stopped) {
  hw_pipeline *p = make_running("demo");
  pthread_t thread;
  void *result;
  ck_assert_int_eq(pthread_create(&thread, NULL, wait_for_end, p), 0);
  ck_assert_int_eq(hw_pipeline_stop(p, true, NULL, NULL, &err), HW_OK);
  pthread_join(thread, &result);
  ck_assert_int_eq((int)(uintptr_t)result, HW_ESTATE);
  hw_pipeline_unref(p);
}
END_TEST

/* ---- pause, resume, connectors ------------------------------------------- */

START_TEST(pause_and_resume) {
  hw_pipeline *p = make_running("demo");
  ck_assert_int_eq(hw_pipeline_pause(p, NULL, NULL, &err), HW_OK);
  ASSERT_STATUS(p, DEPLOYMENT_PAUSED);
  ASSERT_DESIRED(p, DEPLOYMENT_PAUSED);
  ck_assert_int_eq(hw_pipeline_pause(p, NULL, NULL, &err), HW_OK);
  ASSERT_STATUS(p, DEPLOYMENT_PAUSED);
  ck_assert_int_eq(hw_pipeline_resume(p, NULL, NULL, &err), HW_OK);
  ASSERT_STATUS(p, DEPLOYMENT_RUNNING);
  ck_assert_int_eq(hw_pipeline_resume(p, NULL, NULL, &err), HW_OK);
  pipeline_info info = get(p);
  ck_assert_str_eq(info.deployment_initial, "running");
  pipeline_info_fini(&info);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_pause_shows_when_it_is_true) {
  hw_pipeline *p = make_running("demo");
  answer pause = NO_ANSWER, resume = NO_ANSWER, last = NO_ANSWER;
  fake_shut(FAKE_CONTROL);
  ck_assert_int_eq(hw_pipeline_pause(p, on_answer, &pause, &err), HW_OK);
  ck_assert_int_eq(hw_pipeline_resume(p, on_answer, &resume, &err), HW_OK);
  ck_assert_int_eq(hw_pipeline_pause(p, on_answer, &last, &err), HW_OK);
  fake_wait_at(FAKE_CONTROL, 1);
  ASSERT_STATUS(p, DEPLOYMENT_RUNNING);
  ASSERT_DESIRED(p, DEPLOYMENT_PAUSED);
  ck_assert_uint_eq(answers(&pause), 0);
  fake_let(FAKE_CONTROL);
  ck_assert_int_eq(await(&pause), HW_OK);
  ck_assert_int_eq(await(&resume), HW_OK);
  ck_assert_int_eq(await(&last), HW_OK);
  ASSERT_STATUS(p, DEPLOYMENT_PAUSED);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_pause_that_takes_too_long_is_not_shown) {
  hw_pipeline *p = make_running("demo");
  fake_control_fails(HW_ETIMEOUT, "PauseTimeout");
  ASSERT_REFUSED(hw_pipeline_pause(p, NULL, NULL, &err), "PauseTimeout");
  ASSERT_STATUS(p, DEPLOYMENT_RUNNING);
  ASSERT_DESIRED(p, DEPLOYMENT_PAUSED);
  ASSERT_REFUSED(hw_connector_pause(p, "numbers", "c1", NULL, NULL, &err), "PauseTimeout");
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_stop_answers_pauses_that_wait) {
  hw_pipeline *p = make_running("demo");
  answer pause = NO_ANSWER;
  fake_shut(FAKE_CONTROL);
  ck_assert_int_eq(hw_pipeline_pause(p, on_answer, &pause, &err), HW_OK);
  fake_wait_at(FAKE_CONTROL, 1);
  ck_assert_int_eq(hw_pipeline_stop(p, false, NULL, NULL, &err), HW_OK);
  ck_assert_int_eq(await(&pause), HW_ESTATE);
  ck_assert_str_eq(pause.error.code, "PipelineInteractionNotDeployed");
  ASSERT_STATUS(p, DEPLOYMENT_STOPPED);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_stopped_pipeline_cannot_be_asked) {
  hw_pipeline *p = make("demo", "ok");
  pipeline_stats stats;
  connector_stats one;
  latency_summary latency;
  ASSERT_REFUSED(hw_pipeline_pause(p, NULL, NULL, &err), "PipelineInteractionNotDeployed");
  ASSERT_REFUSED(hw_pipeline_resume(p, NULL, NULL, &err), "PipelineInteractionNotDeployed");
  ASSERT_REFUSED(hw_connector_start(p, "x", "y", NULL, NULL, &err), "PipelineInteractionNotDeployed");
  ASSERT_REFUSED(pipeline_get_stats(p, true, &stats, &err), "PipelineInteractionNotDeployed");
  ASSERT_REFUSED(pipeline_get_connector_stats(p, true, "x", "y", &one, &err), "PipelineInteractionNotDeployed");
  ck_assert_int_eq(pipeline_get_latency(p, &latency), HW_ESTATE);
  ck_assert_ptr_null(hw_producer_open(p, "numbers", &err));
  hw_engine_reopen(engine);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(connectors_are_found_by_the_rules_of_sql) {
  hw_pipeline *p = make_running("demo");
  ck_assert_int_eq(hw_connector_pause(p, "NUMBERS", "c1", NULL, NULL, &err), HW_OK);
  ck_assert_int_eq(hw_connector_start(p, "\"Quoted\"", "c1", NULL, NULL, &err), HW_OK);
  ASSERT_REFUSED(hw_connector_start(p, "Quoted", "c1", NULL, NULL, &err), "UnknownInputEndpoint");
  ASSERT_REFUSED(hw_connector_start(p, "numbers", "C1", NULL, NULL, &err), "UnknownInputEndpoint");
  ck_assert_int_eq(hw_connector_start(p, "V", "out", NULL, NULL, &err), HW_OK); /* a view's is an output */
  ASSERT_REFUSED(hw_connector_start(p, "v", "c1", NULL, NULL, &err), "UnknownOutputEndpoint");
  ASSERT_REFUSED(hw_connector_pause(p, "NumberS", "c2", NULL, NULL, &err), "UnknownInputEndpoint");
  ck_assert_str_eq(err.message,
                   "unknown input endpoint name 'numbers.c2' (pipeline 'demo' has: numbers.c1, Quoted.c1)");
  ck_assert_int_eq(err.status, HW_ENOTFOUND);
  hw_pipeline_unref(p);
}
END_TEST

/* A minute of samples, of the present run only. */
START_TEST(samples_of_the_last_minute) {
  hw_pipeline *p = make_running("demo"), *stopped = make("stopped", "ok");
  pipeline_sample samples[PIPELINE_SAMPLES];
  uint32_t n;
  ck_assert_int_eq(pipeline_get_samples(p, samples, &n, &err), HW_OK);
  ck_assert_uint_eq(n, 0);
  for (unsigned i = 0; i < PIPELINE_SAMPLES + 5; i++) {
    bool moved;
    ck_assert_int_eq(manager_sample(engine, i, &moved), HW_OK);
    ck_assert_int_eq(moved, i == 0); /* the fake's rows do not come any further */
  }
  ck_assert_int_eq(pipeline_get_samples(p, samples, &n, &err), HW_OK);
  ck_assert_uint_eq(n, PIPELINE_SAMPLES);
  for (uint32_t i = 0; i < n; i++) {
    ck_assert_uint_eq(samples[i].resident_bytes, i + 5);
    ck_assert_uint_eq(samples[i].processed_records, 42);
  }
  ASSERT_REFUSED(pipeline_get_samples(stopped, samples, &n, &err), "PipelineInteractionNotDeployed");
  ck_assert_int_eq(hw_pipeline_stop(p, true, NULL, NULL, &err), HW_OK);
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err), HW_OK);
  ck_assert_int_eq(pipeline_get_samples(p, samples, &n, &err), HW_OK);
  ck_assert_uint_eq(n, 0);
  hw_pipeline_unref(p);
  hw_pipeline_unref(stopped);
}
END_TEST

/* What happens to a pipeline is in its log, over all its runs, until it is deleted. */
START_TEST(a_pipeline_has_a_log) {
  static char text[65536];
  hw_pipeline *p = make_running("demo");
  ck_assert_int_eq(hw_pipeline_stop(p, true, NULL, NULL, &err), HW_OK);
  logbook_place at = {0};
  uint64_t lost;
  size_t n = logbook_read(pipeline_logbook(p), &at, text, sizeof text - 1, &lost);
  text[n] = '\0';
  ck_assert_ptr_nonnull(strstr(text, " INFO Initializing -> Running\n"));
  ck_assert_ptr_nonnull(strstr(text, " INFO Stopping -> Stopped\n"));
  ck_assert(!logbook_is_closed(pipeline_logbook(p)));
  ck_assert_int_eq(hw_pipeline_delete(p, &err), HW_OK);
  ck_assert(logbook_is_closed(pipeline_logbook(p)));
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(statistics_are_passed_on) {
  hw_pipeline *p = make_running("demo");
  pipeline_stats stats;
  ck_assert_int_eq(pipeline_get_stats(p, true, &stats, &err), HW_OK);
  ck_assert(stats.running);
  ck_assert_uint_eq(stats.total_input_records, 7);
  pipeline_stats_fini(&stats);
  connector_stats one;
  ck_assert_int_eq(pipeline_get_connector_stats(p, false, "V", "out", &one, &err), HW_OK);
  ck_assert_str_eq(one.endpoint, "v.out");
  connector_stats_fini(&one);
  ASSERT_REFUSED(pipeline_get_connector_stats(p, false, "numbers", "c1", &one, &err), "UnknownOutputEndpoint");
  ASSERT_REFUSED(pipeline_get_connector_stats(p, true, "numbers", "c9", &one, &err), "UnknownInputEndpoint");
  latency_summary latency;
  ck_assert_int_eq(pipeline_get_latency(p, &latency), HW_OK);
  ck_assert_uint_eq(latency.count, 5);
  ck_assert_ptr_null(hw_producer_open(p, "v", &err));
  ck_assert_int_eq(err.status, HW_ENOTFOUND);
  ck_assert_ptr_null(hw_producer_open(p, "Numbers", &err));
  ck_assert_int_eq(err.status, HW_EUNSUPPORTED);
  hw_engine_reopen(engine);
  hw_pipeline_unref(p);
}
END_TEST

/* ---- deleting, references, callbacks ------------------------------------- */

START_TEST(deleting) {
  hw_pipeline *p = make_running("demo");
  ASSERT_REFUSED(manager_delete(p, NULL, NULL, &err), "DeleteRestrictedToFullyStopped");
  ck_assert_int_eq(hw_pipeline_stop(p, false, NULL, NULL, &err), HW_OK);
  ASSERT_REFUSED(manager_delete(p, NULL, NULL, &err), "DeleteRestrictedToClearedStorage");
  uint64_t before = refresh_of(p);
  ck_assert_int_eq(manager_clear(p, NULL, NULL, &err), HW_OK);
  ck_assert_uint_eq(refresh_of(p), before + 1);
  ck_assert_int_eq(manager_clear(p, NULL, NULL, &err), HW_OK);
  ck_assert_uint_eq(refresh_of(p), before + 1);
  ck_assert_int_eq(manager_delete(p, NULL, NULL, &err), HW_OK);
  ck_assert_ptr_null(hw_pipeline_find(engine, "demo"));
  ASSERT_REFUSED(manager_delete(p, NULL, NULL, &err), "UnknownPipelineName");
  ASSERT_REFUSED(ask_start(p, HW_RUNNING), "UnknownPipelineName");
  ck_assert_int_eq(manager_stop(p, false, NULL, NULL, &err), HW_OK);
  hw_pipeline *q = make_running("demo"); /* the name is free */
  ck_assert_int_eq(hw_pipeline_stop(q, true, NULL, NULL, &err), HW_OK);
  ck_assert_int_eq(hw_pipeline_delete(q, &err), HW_OK); /* with its storage */
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
  on_answer(&c->stopped, reply);
}

static void then_stop(void *arg, const hw_reply *reply) {
  chain *c = arg;
  hw_error e;
  ck_assert_int_eq(hw_pipeline_resume(c->pipeline, on_answer, &c->resumed, &e), HW_OK);
  ck_assert_int_eq(hw_pipeline_stop(c->pipeline, false, then_drop, c, &e), HW_OK);
  ck_assert_int_eq(reply->status, HW_OK);
}

START_TEST(callbacks_may_call_back) {
  chain c = {.pipeline = make_running("demo"), .resumed = NO_ANSWER, .stopped = NO_ANSWER};
  ck_assert_int_eq(hw_pipeline_pause(c.pipeline, then_stop, &c, &err), HW_OK);
  ck_assert_int_eq(await(&c.resumed), HW_OK);
  ck_assert_int_eq(await(&c.stopped), HW_OK);
  hw_pipeline *p = hw_pipeline_find(engine, "demo");
  ASSERT_STATUS(p, DEPLOYMENT_STOPPED);
  hw_pipeline_unref(p);
}
END_TEST

static void delete_and_drop(void *arg, const hw_reply *reply) {
  chain *c = arg;
  hw_error e;
  ck_assert_int_eq(hw_pipeline_delete(c->pipeline, &e), HW_OK);
  hw_pipeline_unref(c->pipeline); /* the very last one, inside its own callback */
  on_answer(&c->stopped, reply);
}

START_TEST(the_last_reference_may_go_in_a_callback) {
  chain c = {.pipeline = make_running("demo"), .stopped = NO_ANSWER};
  ck_assert_int_eq(hw_pipeline_stop(c.pipeline, false, delete_and_drop, &c, &err), HW_OK);
  ck_assert_int_eq(await(&c.stopped), HW_OK);
}
END_TEST

/* ---- listeners ----------------------------------------------------------- */

static void count_change(void *arg, const hw_batch *batch) { atomic_fetch_add((atomic_uint *)arg, batch->n_rows); }

START_TEST(listeners_outlive_runs) {
  atomic_uint before = 0, during = 0;
  hw_pipeline *p = make("demo", "ok");
  ck_assert_ptr_null(hw_listener_open(p, "nothing", count_change, &before, &err));
  ck_assert_int_eq(err.status, HW_ENOTFOUND);
  hw_listener *first = hw_listener_open(p, "V", count_change, &before, &err);
  ck_assert_ptr_nonnull(first);
  for (unsigned run = 1; run <= 2; run++) {
    ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err), HW_OK);
    hw_listener *second = hw_listener_open(p, "numbers", count_change, &during, &err);
    ck_assert_ptr_nonnull(second);
    fake_emit_change();
    ck_assert_uint_eq(atomic_load(&before), 2 * run - 1);
    ck_assert_uint_eq(atomic_load(&during), run);
    hw_listener_close(second);
    fake_emit_change();
    ck_assert_uint_eq(atomic_load(&before), 2 * run);
    ck_assert_uint_eq(atomic_load(&during), run);
    ck_assert_int_eq(hw_pipeline_stop(p, false, NULL, NULL, &err), HW_OK);
  }
  hw_pipeline_unref(p);
  hw_listener_close(first);
}
END_TEST

START_TEST(a_listener_needs_a_program) {
  hw_pipeline *p = make_held("ok");
  ck_assert_ptr_null(hw_listener_open(p, "v", count_change, NULL, &err));
  ck_assert_int_eq(err.status, HW_ESTATE);
  fake_let(FAKE_COMPILE);
  hw_pipeline_unref(p);
}
END_TEST

/* ---- the engine ---------------------------------------------------------- */

START_TEST(options_have_a_size) {
  hw_engine_options options = {.struct_size = 8};
  ck_assert_ptr_null(hw_engine_new(&options, &err));
  ck_assert_int_eq(err.status, HW_EINVAL);
  options = (hw_engine_options){.struct_size = offsetof(hw_engine_options, drain_timeout_ms), .log = quiet};
  hw_engine *other = hw_engine_new(&options, &err);
  ck_assert_ptr_nonnull(other);
  hw_engine_free(other);
  hw_engine_free(NULL);
  ck_assert_str_eq(hw_version(), PACKAGE_VERSION);
}
END_TEST

START_TEST(an_engine_ends_what_runs) {
  hw_pipeline *running = make_running("running"), *opening = make("opening", "ok"), *held = make("held", "ok");
  hw_listener *listener = hw_listener_open(running, "v", count_change, NULL, &err);
  answer start = NO_ANSWER, stop = NO_ANSWER;
  fake_shut(FAKE_OPEN);
  ck_assert_int_eq(hw_pipeline_start(opening, HW_RUNNING, on_answer, &start, &err), HW_OK);
  fake_wait_at(FAKE_OPEN, 1);
  fake_let(FAKE_OPEN);
  (void)await(&start);
  fake_shut(FAKE_DRAIN);
  ck_assert_int_eq(hw_pipeline_start(held, HW_PAUSED, NULL, NULL, &err), HW_OK);
  ck_assert_int_eq(hw_pipeline_stop(held, false, on_answer, &stop, &err), HW_OK);
  fake_wait_at(FAKE_DRAIN, 1);
  hw_engine_free(engine);
  ck_assert_uint_eq(fake_deployments(), 0);
  ck_assert_int_eq(await(&stop), HW_ECANCELED);
  hw_pipeline_unref(running);
  hw_pipeline_unref(opening);
  hw_pipeline_unref(held);
  hw_listener_close(listener);
  engine = NULL; /* for tear_down */
}
END_TEST

static void *free_engine(void *arg) {
  hw_engine_free(arg);
  return NULL;
}

START_TEST(an_engine_that_ends_starts_nothing) {
  hw_pipeline *running = make_running("running"), *stopped = make("stopped", "ok"), *made;
  pthread_t thread;
  fake_shut(FAKE_CLOSE);
  ck_assert_int_eq(pthread_create(&thread, NULL, free_engine, engine), 0);
  fake_wait_at(FAKE_CLOSE, 1); /* it waits for `running` */
  ASSERT_REFUSED(hw_pipeline_start(stopped, HW_RUNNING, NULL, NULL, &err), "Terminating");
  ASSERT_REFUSED(create("another", "", "ok", &made), "Terminating");
  fake_let(FAKE_CLOSE);
  pthread_join(thread, NULL);
  hw_pipeline_unref(running);
  hw_pipeline_unref(stopped);
  engine = NULL;
}
END_TEST

/* ---- all ----------------------------------------------------------------- */

static TCase *cases(Suite *suite, const char *name) {
  TCase *tc = tcase_create(name);
  tcase_add_checked_fixture(tc, set_up, tear_down);
  tcase_set_timeout(tc, 60);
  suite_add_tcase(suite, tc);
  return tc;
}

static void add_start_and_stop(Suite *suite) {
  TCase *tc = cases(suite, "start and stop");
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

static void add_control(Suite *suite) {
  TCase *tc = cases(suite, "control");
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
}

static Suite *manager_suite(void) {
  Suite *suite = suite_create("manager");
  TCase *tc = cases(suite, "pipelines");
  tcase_add_test(tc, names_are_checked);
  tcase_add_test(tc, pipelines_are_listed_by_name);
  tcase_add_test(tc, compiling_is_told);
  tcase_add_test(tc, a_first_compilation_ends_at_refresh_version_3);
  tcase_add_test(tc, faults_come_back_as_text);
  tcase_add_test(tc, an_early_start_waits_for_the_program);
  tcase_add_test(tc, an_early_start_fails_with_the_program);
  tcase_add_test(tc, an_early_start_can_be_stopped);
  add_start_and_stop(suite);
  add_control(suite);
  tc = cases(suite, "engine");
  tcase_add_test(tc, options_have_a_size);
  tcase_add_test(tc, an_engine_ends_what_runs);
  tcase_add_test(tc, an_engine_that_ends_starts_nothing);
  return suite;
}

int main(void) {
  SRunner *runner = srunner_create(manager_suite());
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
