/* Snapshots of a running pipeline: readers and listeners come and go while
 * producers replace rows. Each batch takes a producer's rows of the batch before
 * away and brings as many others, so every whole step shows that many of each.
 * A few seconds; with HW_FULL in the environment, longer. */
#include "tests/require.h"
#include "tests/runtime_fixture.h"

#include <check.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define PRODUCERS 3
#define READERS 2
#define WINDOW 100
#define RANGE INT64_C(1000000000) /* of one producer's numbers */

static _Atomic bool over;
static _Atomic uint64_t snapshots;

/* ---- producers ----------------------------------------------------------- */

static void add(hw_batch *b, int64_t n, int64_t weight) {
  ((int64_t *)b->columns[0].values)[b->n_rows] = n;
  REQUIRE(hw_batch_set_weight(b, b->n_rows++, weight));
}

static int64_t batches(void) { return getenv("HW_FULL") ? 20000 : 800; }

static void *push_rows(void *arg) {
  int64_t base = (int64_t)(uintptr_t)arg * RANGE;
  hw_error err;
  hw_producer *p = deployment_producer(fx_dep, 0, &err);
  ck_assert_ptr_nonnull(p);
  for (int64_t i = 0, n = batches(); i < n; i++) {
    hw_batch *b = hw_producer_batch(p);
    ck_assert_ptr_nonnull(b);
    for (int64_t k = 0; i > 0 && k < WINDOW; k++) add(b, base + (i - 1) * WINDOW + k, -1);
    for (int64_t k = 0; k < WINDOW; k++) add(b, base + i * WINDOW + k, 1);
    ck_assert_int_eq(hw_producer_push(p, b, -1), HW_OK);
  }
  hw_producer_close(p);
  return NULL;
}

/* ---- readers ------------------------------------------------------------- */

typedef struct rows {
  uint32_t n;
  int64_t values[PRODUCERS * WINDOW];
} rows;

static int compare(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static void read_rows(const store_snapshot *s, uint32_t i, rows *out) {
  out->n = 0;
  for (uint32_t k = 0; k < store_snapshot_pieces(s, i); k++) {
    hw_batch *b;
    REQUIRE(store_snapshot_piece(s, i, k, &b) == HW_OK);
    for (uint32_t r = 0; b && r < hw_batch_count(b); r++) {
      REQUIRE(out->n < PRODUCERS * WINDOW);
      REQUIRE(hw_batch_weight(b, hw_batch_row(b, r)) == 1);
      out->values[out->n++] = ((const int64_t *)b->columns[0].values)[hw_batch_row(b, r)];
    }
    hw_batch_unref(b);
  }
  REQUIRE(out->n == store_snapshot_rows(s, i));
  qsort(out->values, out->n, sizeof *out->values, compare);
}

/* One batch of each producer, whole. */
static void check_rows(const rows *r) {
  ck_assert_uint_eq(r->n % WINDOW, 0);
  for (uint32_t i = 0; i < r->n; i++) {
    REQUIRE(r->values[i] == r->values[i - i % WINDOW] + i % WINDOW);
    if (i % WINDOW == 0) ck_assert_int_eq(r->values[i] % WINDOW, 0);
    if (i >= WINDOW) REQUIRE(r->values[i] / RANGE > r->values[i - WINDOW] / RANGE);
  }
}

static void *read_snapshots(void *arg) {
  static const uint32_t both[] = {1, 0};
  uint64_t last = 0;
  rows t, v;
  hw_error err;
  (void)arg;
  while (!atomic_load(&over)) {
    store_snapshot *s;
    ck_assert_int_eq(deployment_snapshot(fx_dep, both, 2, &s, &err), HW_OK);
    ck_assert_uint_ge(store_snapshot_step(s), last);
    last = store_snapshot_step(s);
    read_rows(s, 0, &v);
    check_rows(&v);
    read_rows(s, 1, &t);
    ck_assert_mem_eq(t.values, v.values, t.n * sizeof *t.values);
    read_rows(s, 1, &v); /* the same again, whatever has happened since */
    ck_assert_uint_eq(t.n, v.n);
    ck_assert_mem_eq(t.values, v.values, t.n * sizeof *t.values);
    store_snapshot_free(s);
    atomic_fetch_add(&snapshots, 1);
  }
  return NULL;
}

/* ---- listeners ----------------------------------------------------------- */

/* Sums over rows, times weights: equal for equal contents. */
typedef struct sketch {
  uint64_t count, sum, squares;
} sketch;

typedef struct follower {
  store_snapshot *_Atomic snapshot;
  uint64_t least_step;
  sketch changes;
} follower;

static void sketch_add(sketch *k, const hw_batch *b) {
  for (uint32_t i = 0; i < hw_batch_count(b); i++) {
    uint32_t row = hw_batch_row(b, i);
    uint64_t w = (uint64_t)hw_batch_weight(b, row), n = (uint64_t)((const int64_t *)b->columns[0].values)[row];
    k->count += w;
    k->sum += w * n;
    k->squares += w * n * n;
  }
}

static sketch sketch_of(const store_snapshot *s) {
  sketch k = {0};
  for (uint32_t i = 0; i < store_snapshot_pieces(s, 0); i++) {
    hw_batch *b;
    ck_assert_int_eq(store_snapshot_piece(s, 0, i, &b), HW_OK);
    if (b) sketch_add(&k, b);
    hw_batch_unref(b);
  }
  return k;
}

static void begin(void *arg, store_snapshot *s) {
  follower *f = arg;
  ck_assert_ptr_null(atomic_load(&f->snapshot));
  atomic_store(&f->snapshot, s);
  fx_tell();
}

static void change(void *arg, const hw_batch *b) {
  follower *f = arg;
  ck_assert_ptr_nonnull(atomic_load(&f->snapshot));
  sketch_add(&f->changes, b);
}

#define FOLLOWERS 8

static void sketch_row(sketch *k, uint64_t n) {
  k->count++;
  k->sum += n;
  k->squares += n * n;
}

/* What is there when all that was pushed has gone through. */
static sketch last_rows(void) {
  sketch k = {0};
  for (int64_t p = 1; p <= PRODUCERS; p++)
    for (int64_t i = 0; i < WINDOW; i++) sketch_row(&k, (uint64_t)(p * RANGE + (batches() - 1) * WINDOW + i));
  return k;
}

static void wait_for_last_rows(void) {
  static const uint32_t table[] = {0};
  sketch want = last_rows(), got = {0};
  hw_error err;
  while (got.sum != want.sum || got.squares != want.squares) {
    store_snapshot *s;
    sched_yield();
    ck_assert_int_eq(deployment_snapshot(fx_dep, table, 1, &s, &err), HW_OK);
    got = sketch_of(s);
    store_snapshot_free(s);
  }
}

/* Those that joined at different times all arrive at what is there at the end. */
static void check_followers(follower *followers, uint32_t relation) {
  store_snapshot *s;
  hw_error err;
  ck_assert_int_eq(deployment_snapshot(fx_dep, &relation, 1, &s, &err), HW_OK);
  sketch end = sketch_of(s);
  ck_assert_uint_eq(end.count, PRODUCERS * WINDOW);
  for (int i = 0; i < FOLLOWERS; i++) {
    sketch from = sketch_of(atomic_load(&followers[i].snapshot));
    ck_assert_uint_eq(from.count + followers[i].changes.count, end.count);
    ck_assert_uint_eq(from.sum + followers[i].changes.sum, end.sum);
    ck_assert_uint_eq(from.squares + followers[i].changes.squares, end.squares);
    store_snapshot_free(atomic_load(&followers[i].snapshot));
  }
  store_snapshot_free(s);
}

START_TEST(snapshots_are_of_whole_steps) {
  pthread_t producers[PRODUCERS], readers[READERS];
  follower followers[FOLLOWERS] = {{.least_step = 0}};
  deployment_listener *listeners[FOLLOWERS];
  hw_error err;
  fx_materialized = true;
  fx_keyed = _i;
  fx_make(0, 0, 1);
  fx_deploy();
  FX_WAIT(atomic_load(&fx_opened));
  for (uintptr_t i = 0; i < READERS; i++) ck_assert_int_eq(pthread_create(&readers[i], NULL, read_snapshots, NULL), 0);
  for (uintptr_t i = 0; i < PRODUCERS; i++)
    ck_assert_int_eq(pthread_create(&producers[i], NULL, push_rows, (void *)(i + 1)), 0);
  for (int i = 0; i < FOLLOWERS; i++) {
    uint64_t seen = atomic_load(&snapshots);
    while (atomic_load(&snapshots) < seen + 10) sched_yield();
    listeners[i] = deployment_listen_from(fx_dep, (uint32_t)i % 2, begin, change, &followers[i], &err);
    ck_assert_ptr_nonnull(listeners[i]);
    FX_WAIT(atomic_load(&followers[i].snapshot));
  }
  for (int i = 0; i < PRODUCERS; i++) pthread_join(producers[i], NULL);
  wait_for_last_rows();
  atomic_store(&over, true);
  for (int i = 0; i < READERS; i++) pthread_join(readers[i], NULL);
  for (int i = 0; i < FOLLOWERS; i++) deployment_unlisten(listeners[i]);
  check_followers(followers, 0);
  fx_stop(true);
}
END_TEST

START_TEST(a_listener_gets_what_is_there_while_paused) {
  follower f = {.least_step = 0};
  hw_error err;
  fx_materialized = true;
  fx_make(0, 0, 1);
  fx_deploy(); /* stays paused */
  FX_WAIT(atomic_load(&fx_opened));
  deployment_listener *l = deployment_listen_from(fx_dep, 1, begin, change, &f, &err);
  FX_WAIT(atomic_load(&f.snapshot));
  ck_assert_uint_eq(store_snapshot_rows(atomic_load(&f.snapshot), 0), 0);
  store_snapshot_free(atomic_load(&f.snapshot));
  deployment_unlisten(l);
  fx_stop(true);
}
END_TEST

START_TEST(what_is_not_materialized_is_said) {
  hw_error err;
  store_snapshot *s;
  fx_materialized = false;
  fx_keyed = true;
  fx_make(0, 0, 1);
  fx_deploy();
  FX_WAIT(atomic_load(&fx_opened));
  ck_assert_int_eq(deployment_snapshot(fx_dep, (uint32_t[]){0, 1}, 2, &s, &err), HW_EINVAL);
  ck_assert_ptr_nonnull(strstr(err.message, "view \"v\" is not materialized"));
  ck_assert_ptr_null(deployment_listen_from(fx_dep, 1, begin, change, NULL, &err));
  ck_assert_int_eq(deployment_snapshot(fx_dep, (uint32_t[]){0}, 1, &s, &err), HW_OK); /* for its key */
  store_snapshot_free(s);
  deployment_stop(fx_dep, true, 0);
  FX_WAIT(atomic_load(&fx_stopped));
  ck_assert_int_eq(deployment_snapshot(fx_dep, (uint32_t[]){0}, 1, &s, &err), HW_ESTATE);
  fx_free();
}
END_TEST

START_TEST(a_limit_stops_the_pipeline) {
  hw_error err;
  fx_materialized = true;
  fx_keyed = false;
  fx_options.state_limit = 1u << 20;
  fx_make(0, 0, 0);
  fx_run();
  hw_producer *p = deployment_producer(fx_dep, 0, &err);
  for (int64_t n = 0; !atomic_load(&fx_failed); n += WINDOW) {
    hw_batch *b = hw_producer_batch(p);
    for (int64_t k = 0; b && k < WINDOW; k++) add(b, n + k, 1);
    if (!b || hw_producer_push(p, b, 100) != HW_OK) continue; /* what has failed takes no more */
  }
  ck_assert_str_eq(fx_failed_error.code, "StateLimit");
  ck_assert_ptr_nonnull(strstr(fx_failed_error.message, "\"t\""));
  hw_producer_close(p);
  fx_stop(true);
  fx_options.state_limit = 0;
}
END_TEST

/* 100 rows, of which every tenth is a delete. */
static hw_fetch bring_deletes(fx_source *s, const hw_fetch_args *args, hw_error *err) {
  (void)args, (void)err;
  hw_batch *b = hw_input_batch(s->c);
  ck_assert_ptr_nonnull(b);
  while (b->n_rows < b->capacity && s->next < 100) {
    add(b, s->next, s->next % 10 ? 1 : -1);
    s->next++;
  }
  hw_input_commit(s->c, b, 1);
  return s->next < 100 ? HW_FETCH_MORE : HW_FETCH_END;
}

START_TEST(append_only_tables_refuse_deletes) {
  hw_error err;
  store_snapshot *s;
  fx_materialized = fx_append_only = true;
  fx_keyed = false;
  fx_fetches[0] = bring_deletes;
  fx_make(1, 0, 0);
  fx_run();
  FX_WAIT(atomic_load(&fx_complete));
  connector_stats stats = fx_stats(0);
  ck_assert_uint_eq(stats.total_records, 90);
  ck_assert_uint_eq(stats.num_parse_errors, 10);
  ck_assert_str_eq(stats.parse_errors.items[0].tag, "append_only");
  connector_stats_fini(&stats);
  hw_producer *p = deployment_producer(fx_dep, 0, &err);
  hw_batch *b = hw_producer_batch(p);
  add(b, 1, 1);
  add(b, 2, -1);
  ck_assert_int_eq(hw_producer_push(p, b, -1), HW_EINVAL);
  b = hw_producer_batch(p);
  add(b, 3, 1);
  ck_assert(hw_batch_set_update(b, 0));
  ck_assert_int_eq(hw_producer_push(p, b, -1), HW_EINVAL);
  hw_producer_close(p);
  ck_assert_int_eq(deployment_snapshot(fx_dep, (uint32_t[]){0}, 1, &s, &err), HW_OK);
  ck_assert_uint_eq(store_snapshot_rows(s, 0), 90);
  store_snapshot_free(s);
  fx_stop(true);
  fx_append_only = false;
}
END_TEST

int main(void) {
  Suite *s = suite_create("state_load");
  TCase *t = tcase_create("state_load");
  tcase_set_timeout(t, getenv("HW_FULL") ? 1200 : 120);
  tcase_add_loop_test(t, snapshots_are_of_whole_steps, 0, 2);
  tcase_add_test(t, a_listener_gets_what_is_there_while_paused);
  tcase_add_test(t, what_is_not_materialized_is_said);
  tcase_add_test(t, append_only_tables_refuse_deletes);
  tcase_add_test(t, a_limit_stops_the_pipeline);
  suite_add_tcase(s, t);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failures = srunner_ntests_failed(r);
  srunner_free(r);
  return failures != 0;
}
