/* manager_fixture.h - an engine over fake_deployment.c, and what its tests ask of it. */
#ifndef TESTS_MANAGER_FIXTURE_H
#define TESTS_MANAGER_FIXTURE_H

#include "engine/manager.h"
#include "tests/fake_deployment.h"

#include <check.h>
#include <pthread.h>

extern hw_engine *mgr_engine; /* of the test that runs */
extern hw_error mgr_err;      /* of the last call that failed */

hw_log_function mgr_quiet;

/* A case whose tests get an engine each; and all of a suite, as a program's exit status. */
TCase *mgr_cases(Suite *suite, const char *name);
int mgr_run(Suite *suite);

/* ---- pipelines ----------------------------------------------------------- */

hw_pipeline *mgr_make(const char *name, const char *code); /* with a program, which must compile */
hw_pipeline *mgr_make_running(const char *name);
hw_pipeline *mgr_make_held(const char *code); /* whose compilation is held at FAKE_COMPILE */

/* What the API asks, without waiting for an answer. */
hw_status mgr_create(const char *name, const char *description, const char *code, hw_pipeline **out);
hw_status mgr_ask_start(hw_pipeline *p, hw_run_state initial);

/* ---- what is seen of one ------------------------------------------------- */

pipeline_info mgr_get(hw_pipeline *p); /* for pipeline_info_fini */
deployment_status mgr_status_of(hw_pipeline *p);
deployment_status mgr_desired_of(hw_pipeline *p);
uint64_t mgr_refresh_of(hw_pipeline *p);
hw_error mgr_error_of(hw_pipeline *p);

#define ASSERT_STATUS(p, s) ck_assert_str_eq(deployment_status_name(mgr_status_of(p)), deployment_status_name(s))
#define ASSERT_DESIRED(p, s) ck_assert_str_eq(deployment_status_name(mgr_desired_of(p)), deployment_status_name(s))
#define ASSERT_REFUSED(call, word)          \
  do {                                      \
    mgr_err.code[0] = '\0';                 \
    ck_assert_int_ne((call), HW_OK);        \
    ck_assert_str_eq(mgr_err.code, (word)); \
  } while (0)

hw_listener_function mgr_count_change; /* arg: an atomic_uint, to which rows are added */

/* ---- an answer to wait for ----------------------------------------------- */

typedef struct answer {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  unsigned n;
  hw_error error;
} answer;
#define NO_ANSWER {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER}

void mgr_on_answer(void *arg, const hw_reply *reply); /* a hw_done; arg: an answer */
hw_status mgr_await(answer *a);                       /* there must be one, and one only */
unsigned mgr_answers(answer *a);

#endif
