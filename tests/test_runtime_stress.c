/* Everything at once: clients that pause, start and reopen, producers and
 * listeners that come and go, sources and sinks that fail for a time, little
 * memory. At the end every row is in every sink, as often as the view has it.
 * A few seconds; with HW_FULL in the environment, minutes. */
#include "tests/require.h"
#include "tests/runtime_fixture.h"
#include "tests/sanitizers.h"

#include <check.h>
#include <sched.h>
#include <stdlib.h>

#define INPUTS 6
#define OUTPUTS 2
#define BRANCHES 2
#define ROWS SANITIZED_SHARE(10000)

static _Atomic bool over;
static _Atomic uint64_t pushed, heard;

/* Now and then lost, now and then on a helper thread. */
static hw_fetch unsteady(fx_source *s, const hw_fetch_args *args, hw_error *err) {
  unsigned n = (unsigned)atomic_load(&s->fetches);
  if (s->index % 3 == 0 && n % 64 == 17 && n < 200) {
    hw_error_set(err, HW_EIO, "lost for a time");
    return HW_FETCH_RETRY;
  }
  if (s->index % 3 == 1 && n % 5 == 0 && !args->may_block) return HW_FETCH_BLOCK;
  return fx_count(s, args, err);
}

static unsigned next_random(unsigned *seed) { return (*seed = *seed * 1664525u + 1013904223u) >> 8; }

static void *control(void *arg) {
  unsigned seed = (unsigned)(uintptr_t)arg;
  while (!atomic_load(&over)) {
    unsigned r = next_random(&seed);
    uint32_t who = r % 5 == 0 ? DEPLOYMENT_ALL : r % INPUTS;
    uint64_t before = fx_call(who, true).total;
    if (r % 7 == 0 && who != DEPLOYMENT_ALL) { /* another client may have started it since */
      connector_stats s = fx_stats(who);
      ck_assert_uint_ge(s.total_records, before);
      connector_stats_fini(&s);
    }
    if (r % 11 == 0) deployment_reopen_outputs(fx_dep);
    hw_status st = fx_call(who, false).status;
    ck_assert(st == HW_OK || st == HW_ESTATE); /* stopping */
    for (int i = 0; i < 50; i++) sched_yield();
  }
  return NULL;
}

static void *push_rows(void *arg) {
  hw_error err;
  unsigned seed = (unsigned)(uintptr_t)arg;
  while (!atomic_load(&over)) {
    hw_producer *p = deployment_producer(fx_dep, 0, &err);
    REQUIRE(p != NULL);
    for (unsigned i = next_random(&seed) % 5; i > 0; i--) {
      hw_batch *b = hw_producer_batch(p);
      if (!b) break;
      uint32_t n = next_random(&seed) % b->capacity;
      while (b->n_rows < n) ((int64_t *)b->columns[0].values)[b->n_rows++] = 0;
      if (hw_producer_push(p, b, 1000) == HW_OK) atomic_fetch_add(&pushed, n);
    }
    hw_producer_close(p);
    sched_yield();
  }
  return NULL;
}

static void hear(void *arg, const hw_batch *b) { atomic_fetch_add((_Atomic uint64_t *)arg, hw_batch_count(b)); }

static void *listen_on(void *arg) {
  (void)arg;
  hw_error err;
  while (!atomic_load(&over)) {
    deployment_listener *l = deployment_listen(fx_dep, 1, hear, &heard, &err);
    for (int i = 0; i < 20; i++) sched_yield();
    deployment_unlisten(l);
    pipeline_stats s;
    ck_assert_int_eq(deployment_stats(fx_dep, true, &s), HW_OK);
    for (uint32_t i = 0; i < s.n_inputs; i++) REQUIRE(s.inputs[i].buffered_records <= 5000);
    pipeline_stats_fini(&s);
  }
  return NULL;
}

static void prepare(void) {
  fx_limit = ROWS;
  fx_options.memory_limit = 1 << 20;
  for (int i = 0; i < INPUTS; i++) fx_fetches[i] = unsteady;
  fx_make(INPUTS, OUTPUTS, BRANCHES);
  for (int i = 0; i < INPUTS; i++) fx_connectors[i].max_queued_records = 5000;
  fx_connectors[0].max_batch_size = 3;
  fx_connectors[INPUTS].max_queued_records = 300;
  atomic_store(&fx_sinks[0].retries, 2);
  atomic_store(&over, false);
  atomic_store(&pushed, 0);
}

static void *(*const roles[])(void *) = {control, control, push_rows, listen_on};
#define ROLES (sizeof roles / sizeof *roles)

static void start_roles(pthread_t *threads, unsigned round) {
  for (unsigned i = 0; i < ROLES; i++)
    ck_assert_int_eq(pthread_create(&threads[i], NULL, roles[i], (void *)(uintptr_t)(i + 1 + 100 * round)), 0);
}

static bool inputs_ended(void) {
  for (uint32_t i = 0; i < INPUTS; i++)
    if (fx_total(i) < ROWS) return false;
  return true;
}

static void check_sinks(void) {
  for (int i = 0; i < OUTPUTS; i++)
    ck_assert_uint_eq(atomic_load(&fx_sinks[i].rows), BRANCHES * (INPUTS * ROWS + atomic_load(&pushed)));
}

START_TEST(no_row_is_lost_or_repeated) {
  unsigned rounds = getenv("HW_FULL") ? 20 : 1;
  for (unsigned round = 0; round < rounds; round++) {
    pthread_t threads[ROLES];
    prepare();
    fx_run();
    start_roles(threads, round);
    while (!inputs_ended()) sched_yield();
    atomic_store(&over, true);
    for (unsigned i = 0; i < ROLES; i++) pthread_join(threads[i], NULL);
    deployment_stop(fx_dep, false, sched_now_us() + 60000000);
    FX_WAIT(atomic_load(&fx_stopped));
    ck_assert_int_eq(fx_stopped_error.status, HW_OK);
    check_sinks();
    fx_free();
  }
}
END_TEST

/* A stop of either kind at any moment, while all of that goes on. */
START_TEST(a_stop_comes_at_any_moment) {
  unsigned rounds = getenv("HW_FULL") ? 400 : 20, seed = 7;
  for (unsigned round = 0; round < rounds; round++) {
    pthread_t threads[ROLES];
    prepare();
    if (round % 2) {
      fx_run();
      start_roles(threads, round);
      uint64_t rows = next_random(&seed) % 40000;
      while (fx_total(1) < rows % ROWS) sched_yield();
    } else {
      fx_deploy();
    }
    deployment_stop(fx_dep, round % 3 == 0, sched_now_us() + (round % 4 ? 60000000 : 1000));
    if (round % 5 == 0) deployment_stop(fx_dep, true, 0);
    FX_WAIT(atomic_load(&fx_stopped));
    atomic_store(&over, true);
    for (unsigned i = 0; i < ROLES && round % 2; i++) pthread_join(threads[i], NULL);
    fx_free();
  }
}
END_TEST

int main(void) {
  Suite *s = suite_create("runtime_stress");
  TCase *t = tcase_create("runtime_stress");
  tcase_set_timeout(t, getenv("HW_FULL") ? 1200 : 120);
  tcase_add_test(t, no_row_is_lost_or_repeated);
  tcase_add_test(t, a_stop_comes_at_any_moment);
  suite_add_tcase(s, t);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failures = srunner_ntests_failed(r);
  srunner_free(r);
  return failures != 0;
}
