#include "tests/manager_fixture.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

hw_engine *mgr_engine;
hw_error mgr_err;

void mgr_quiet(void *arg, hw_log_level level, const char *line) {
  (void)arg;
  (void)level;
  (void)line;
}

static void set_up(void) {
  fake_reset();
  hw_engine_options options = {.struct_size = sizeof options, .log_level = HW_LOG_DEBUG, .log = mgr_quiet};
  mgr_engine = hw_engine_new(&options, &mgr_err);
  ck_assert_ptr_nonnull(mgr_engine);
}

static void tear_down(void) {
  hw_engine_free(mgr_engine);
  ck_assert_uint_eq(fake_deployments(), 0);
}

/* ---- what tests ask ------------------------------------------------------ */

hw_pipeline *mgr_make(const char *name, const char *code) {
  hw_pipeline *p;
  ck_assert_msg(hw_pipeline_create(mgr_engine, name, code, strlen(code), &p, &mgr_err) == HW_OK, "%s", mgr_err.message);
  return p;
}

hw_pipeline *mgr_make_running(const char *name) {
  hw_pipeline *p = mgr_make(name, "ok");
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &mgr_err), HW_OK);
  return p;
}

pipeline_info mgr_get(hw_pipeline *p) {
  pipeline_info info;
  ck_assert_int_eq(pipeline_get_info(p, &info), HW_OK);
  return info;
}

deployment_status mgr_status_of(hw_pipeline *p) {
  pipeline_info info = mgr_get(p);
  deployment_status s = info.status;
  pipeline_info_fini(&info);
  return s;
}

deployment_status mgr_desired_of(hw_pipeline *p) {
  pipeline_info info = mgr_get(p);
  deployment_status s = info.desired;
  pipeline_info_fini(&info);
  return s;
}

uint64_t mgr_refresh_of(hw_pipeline *p) {
  pipeline_info info = mgr_get(p);
  uint64_t v = info.refresh_version;
  pipeline_info_fini(&info);
  return v;
}

hw_error mgr_error_of(hw_pipeline *p) {
  pipeline_info info = mgr_get(p);
  hw_error e = info.deployment_error;
  pipeline_info_fini(&info);
  return e;
}

void mgr_on_answer(void *arg, const hw_reply *reply) {
  answer *a = arg;
  pthread_mutex_lock(&a->lock);
  a->n++;
  if (reply->error) a->error = *reply->error;
  ck_assert_int_eq(reply->status, reply->error ? reply->error->status : HW_OK);
  pthread_cond_broadcast(&a->changed);
  pthread_mutex_unlock(&a->lock);
}

hw_status mgr_await(answer *a) {
  pthread_mutex_lock(&a->lock);
  while (a->n == 0) pthread_cond_wait(&a->changed, &a->lock);
  ck_assert_uint_eq(a->n, 1);
  pthread_mutex_unlock(&a->lock);
  return a->error.status;
}

unsigned mgr_answers(answer *a) {
  pthread_mutex_lock(&a->lock);
  unsigned n = a->n;
  pthread_mutex_unlock(&a->lock);
  return n;
}

void mgr_count_change(void *arg, const hw_batch *batch) { atomic_fetch_add((atomic_uint *)arg, batch->n_rows); }

hw_status mgr_create(const char *name, const char *description, const char *code, hw_pipeline **out) {
  const pipeline_spec spec = {
      .members = {[MEMBER_NAME] = name, [MEMBER_DESCRIPTION] = description, [MEMBER_CODE] = code},
      .code_len = strlen(code)};
  return manager_create(mgr_engine, &spec, out, NULL, NULL, &mgr_err);
}

hw_status mgr_ask_start(hw_pipeline *p, hw_run_state initial) {
  return manager_start(p, &(start_options){.initial = initial}, NULL, NULL, &mgr_err);
}

hw_pipeline *mgr_make_held(const char *code) {
  hw_pipeline *p;
  fake_shut(FAKE_COMPILE);
  ck_assert_int_eq(mgr_create("demo", "a demo", code, &p), HW_OK);
  fake_wait_at(FAKE_COMPILE, 1);
  return p;
}

TCase *mgr_cases(Suite *suite, const char *name) {
  TCase *tc = tcase_create(name);
  tcase_add_checked_fixture(tc, set_up, tear_down);
  tcase_set_timeout(tc, 60);
  suite_add_tcase(suite, tc);
  return tc;
}

int mgr_run(Suite *suite) {
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
