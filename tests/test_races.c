/* test_races.c - many threads at the pipelines of one engine, over
 * fake_deployment.c. Meant for ThreadSanitizer as much as for its asserts. */
#include "engine/manager.h"
#include "tests/fake_deployment.h"

#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RACERS 6
#define STEPS 1000
#define PIPELINES 3

static hw_engine *engine;

static void quiet(void *arg, hw_log_level level, const char *line) {
  (void)arg;
  (void)level;
  (void)line;
}

static void set_up(void) {
  hw_error err;
  fake_reset();
  hw_engine_options options = {.struct_size = sizeof options, .log_level = HW_LOG_DEBUG, .log = quiet};
  engine = hw_engine_new(&options, &err);
  ck_assert_ptr_nonnull(engine);
}

typedef struct racer {
  unsigned seed;
  unsigned accepted;    /* calls with a callback that were */
  atomic_uint answered;
  atomic_uint changes;  /* listeners' */
} racer;

static void count_answer(void *arg, const hw_reply *reply) {
  ck_assert_int_eq(reply->status, reply->error ? reply->error->status : HW_OK);
  atomic_fetch_add(&((racer *)arg)->answered, 1);
}

static void count_change(void *arg, const hw_batch *batch) {
  atomic_fetch_add(&((racer *)arg)->changes, batch->n_rows);
}

static hw_status control_then(racer *r, hw_pipeline *p, unsigned what, hw_error *err) {
  switch (what) {
  case 0: return hw_pipeline_start(p, HW_RUNNING, count_answer, r, err);
  case 1: return hw_pipeline_start(p, HW_PAUSED, count_answer, r, err);
  case 2: return hw_pipeline_pause(p, count_answer, r, err);
  case 3: return hw_pipeline_resume(p, count_answer, r, err);
  case 4: return hw_pipeline_stop(p, false, count_answer, r, err);
  case 5: return hw_pipeline_stop(p, true, count_answer, r, err);
  case 6: return hw_connector_pause(p, "numbers", "c1", count_answer, r, err);
  default: return hw_connector_start(p, "numbers", "c1", count_answer, r, err);
  }
}

/* Waiting calls let the others get further than being refused. */
static hw_status control_and_wait(hw_pipeline *p, unsigned what, hw_error *err) {
  switch (what) {
  case 0:
  case 1:
  case 2:
  case 3: return hw_pipeline_start(p, what & 1 ? HW_PAUSED : HW_RUNNING, NULL, NULL, err);
  case 4:
  case 5: return hw_pipeline_pause(p, NULL, NULL, err);
  case 6: return hw_pipeline_resume(p, NULL, NULL, err);
  case 7:
  case 8: return hw_pipeline_stop(p, false, NULL, NULL, err);
  case 9: return hw_pipeline_stop(p, true, NULL, NULL, err);
  default: return hw_connector_pause(p, "numbers", "c1", NULL, NULL, err);
  }
}

static const char *const names[PIPELINES] = {"a", "b", "c"};

/* Another name, program or description. */
static hw_status edit(racer *r, hw_pipeline *p, hw_error *err) {
  unsigned choice = (unsigned)rand_r(&r->seed);
  const char *code = choice & 8 ? "ok, too" : "ok";
  pipeline_spec spec = {.members = {[MEMBER_DESCRIPTION] = choice & 16 ? "one" : "other"}};
  if (choice & 1) spec.members[MEMBER_NAME] = names[choice / 32 % PIPELINES];
  if (choice & 2) spec.members[MEMBER_CODE] = code;
  spec.code_len = strlen(code);
  hw_status status = manager_edit(p, &spec, choice & 4, NULL, count_answer, r, err);
  r->accepted += status == HW_OK;
  return status;
}

static hw_status look(racer *r, hw_pipeline *p, unsigned what, hw_error *err) {
  pipeline_info info;
  pipeline_stats stats;
  switch (what) {
  case 0: return hw_pipeline_delete(p, err);
  case 1: return manager_dismiss_error(p, NULL, NULL, err);
  case 6: return edit(r, p, err);
  case 7: return manager_clear(p, NULL, NULL, err);
  case 2: return hw_pipeline_wait(p, 0, err);
  case 3:
    if (pipeline_get_stats(p, true, &stats, err) == HW_OK) pipeline_stats_fini(&stats);
    return HW_OK;
  default:
    ck_assert_int_eq(pipeline_get_info(p, &info), HW_OK);
    pipeline_info_fini(&info);
    return HW_OK;
  }
}

/* One that is just being made or deleted is not found, and its name is not free. */
static hw_pipeline *any_pipeline(racer *r) {
  const char *name = names[(unsigned)rand_r(&r->seed) % PIPELINES];
  const pipeline_spec spec = {.members = {[MEMBER_NAME] = name, [MEMBER_CODE] = "ok"}, .code_len = 2};
  for (;;) {
    hw_error err;
    hw_pipeline *p = hw_pipeline_find(engine, name);
    if (p || manager_create(engine, &spec, &p, NULL, NULL, &err) == HW_OK) return p;
    ck_assert_str_eq(err.code, "DuplicateName");
    sched_yield();
  }
}

static void *race(void *arg) {
  racer *r = arg;
  hw_error err;
  for (unsigned i = 0; i < STEPS; i++) {
    hw_pipeline *p = any_pipeline(r);
    hw_listener *l = i % 7 == 0 ? hw_listener_open(p, "v", count_change, r, NULL) : NULL;
    unsigned choice = (unsigned)rand_r(&r->seed), what = choice / 8;
    if (choice % 8 < 3)
      r->accepted += control_then(r, p, what % 8, &err) == HW_OK;
    else
      err.status = choice % 8 < 6 ? control_and_wait(p, what % 11, &err) : look(r, p, what % 8, &err);
    hw_listener_close(l);
    hw_pipeline_unref(p);
  }
  return NULL;
}

/* Every other time with a catalog. */
static void use_catalog(char directory[32]) {
  hw_error err;
  snprintf(directory, 32, "/tmp/test_races.XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(directory));
  ck_assert_msg(manager_open_catalog(engine, directory, &err) == HW_OK, "%s", err.message);
}

static void remove_catalog(const char *directory) {
  char command[64];
  snprintf(command, sizeof command, "rm -rf '%s'", directory);
  ck_assert_int_eq(system(command), 0);
}

START_TEST(every_racing_call_is_answered_once) {
  char directory[32] = "";
  if (_i % 2 == 0) use_catalog(directory);
  racer racers[RACERS] = {0};
  pthread_t threads[RACERS];
  for (unsigned i = 0; i < RACERS; i++) {
    racers[i].seed = 17 * i + (unsigned)_i;
    ck_assert_int_eq(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
  }
  for (unsigned i = 0; i < RACERS; i++) pthread_join(threads[i], NULL);
  hw_engine_free(engine);
  for (unsigned i = 0; i < RACERS; i++) ck_assert_uint_eq(racers[i].accepted, atomic_load(&racers[i].answered));
  ck_assert_uint_eq(fake_deployments(), 0);
  ck_assert_uint_ge(fake_opens(), 20);
  if (*directory) remove_catalog(directory);
}
END_TEST

/* ---- pause and resume ---------------------------------------------------- */

static void *flip(void *arg) {
  hw_error err;
  unsigned seed = (unsigned)(uintptr_t)pthread_self();
  for (unsigned i = 0; i < STEPS; i++)
    ck_assert_int_eq((rand_r(&seed) & 1 ? hw_pipeline_pause : hw_pipeline_resume)(arg, NULL, NULL, &err), HW_OK);
  return NULL;
}

START_TEST(status_ends_as_desired) {
  hw_error err;
  hw_pipeline *p;
  pthread_t threads[4];
  ck_assert_int_eq(hw_pipeline_create(engine, "demo", "ok", 2, &p, &err), HW_OK);
  ck_assert_int_eq(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err), HW_OK);
  for (unsigned i = 0; i < 4; i++) ck_assert_int_eq(pthread_create(&threads[i], NULL, flip, p), 0);
  for (unsigned i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  pipeline_info info;
  ck_assert_int_eq(pipeline_get_info(p, &info), HW_OK);
  ck_assert_int_eq(info.status, info.desired);
  pipeline_info_fini(&info);
  hw_pipeline_unref(p);
  hw_engine_free(engine);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("races");
  TCase *tc = tcase_create("races");
  tcase_add_checked_fixture(tc, set_up, NULL);
  tcase_set_timeout(tc, 60);
  tcase_add_loop_test(tc, every_racing_call_is_answered_once, 1, 6);
  tcase_add_loop_test(tc, status_ends_as_desired, 0, 3);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
