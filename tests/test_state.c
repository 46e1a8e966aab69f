/* What relations hold, against a model: random changes, snapshots that stay what
 * they were, compaction, limits. The circuit and its stores alone, no threads. */
#include "runtime/state.h"
#include "tests/require.h"
#include "tests/store_model.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define KEPT 4 /* snapshots at a time */

static mem memory, state_memory;
static program *prog;
static circuit *circ;
static state *st;
static uint64_t step;
static unsigned seed;

static unsigned chance(unsigned n) {
  seed = seed * 1664525u + 1013904223u;
  return (seed >> 8) % n;
}

static void make(bool keyed, bool append_only, uint64_t limit) {
  hw_error err;
  seed = 12345;
  step = 0;
  ck_assert_int_eq(mem_init(&memory, UINT64_C(1) << 30), HW_OK);
  ck_assert_int_eq(mem_init(&state_memory, limit), HW_OK);
  prog = model_program(keyed, append_only);
  circ = circuit_new(prog);
  ck_assert_int_eq(state_new(prog, &state_memory, circ, &st, &err), HW_OK);
}

static void unmake(void) {
  state_free(st);
  circuit_free(circ);
  program_unref(prog);
  ck_assert_uint_eq(atomic_load(&state_memory.used), 0);
  ck_assert_uint_eq(atomic_load(&memory.used), 0);
  mem_fini(&state_memory);
  mem_fini(&memory);
}

static batch *new_batch(uint32_t rows) {
  batch *b = batch_new(&memory, &prog->relations[0].schema, rows);
  ck_assert_ptr_nonnull(b);
  return b;
}

static hw_status push(batch *b, eval_error *err) {
  b->step = step + 1;
  b->held = batch_bytes(b);
  hw_status status = state_push(st, 0, b, err);
  hw_batch_unref(&b->pub);
  return status;
}

static void push_well(batch *b) {
  eval_error err = {0};
  ck_assert_msg(push(b, &err) == HW_OK, "%s", err.error.message);
}

static void commit(void) {
  hw_error err;
  ck_assert_int_eq(state_commit(st, ++step, &err), HW_OK);
}

static relation_stats counted(uint32_t relation) {
  relation_stats out = {0};
  state_relation_stats(st, relation, &out);
  return out;
}

static store_snapshot *snapshot(void) {
  static const uint32_t both[] = {0, 1};
  store_snapshot *s;
  hw_error err;
  ck_assert_int_eq(state_snapshot(st, both, 2, &s, &err), HW_OK);
  return s;
}

static model read_relation(const store_snapshot *s, uint32_t i) {
  model m = {0};
  uint64_t rows = 0;
  for (uint32_t k = 0; k < store_snapshot_pieces(s, i); k++) {
    hw_batch *b;
    ck_assert_int_eq(store_snapshot_piece(s, i, k, &b), HW_OK);
    if (!b) continue;
    ck_assert_uint_le(hw_batch_count(b), 4096);
    rows += hw_batch_count(b);
    for (uint32_t r = 0; r < hw_batch_count(b); r++) {
      model_row row = model_get(b, hw_batch_row(b, r));
      model_add(&m, &row, hw_batch_weight(b, hw_batch_row(b, r)));
    }
    hw_batch_unref(b);
  }
  ck_assert_uint_eq(rows, store_snapshot_rows(s, i));
  return m;
}

static void check_snapshot(const store_snapshot *s, model *expected, const char *what) {
  for (uint32_t i = 0; i < 2; i++) {
    model m = read_relation(s, i);
    model_check_same(&m, expected, what);
    model_fini(&m);
  }
}

/* A sink: what comes out of the table, summed up. */
static hw_status sum_up(void *arg, batch *b) {
  for (uint32_t i = 0; i < hw_batch_count(&b->pub); i++) {
    uint32_t row = hw_batch_row(&b->pub, i);
    model_row r = model_get(&b->pub, row);
    model_add(arg, &r, hw_batch_weight(&b->pub, row));
  }
  return HW_OK;
}

static model_row random_row(unsigned keys, unsigned values) {
  model_row r = {0};
  r.v[0] = (int16_t)chance(keys);
  r.v[1] = (int16_t)(r.v[0] % 7);
  unsigned variant = chance(values);
  for (uint32_t c = MODEL_KEYS; c < MODEL_COLUMNS; c++) {
    r.v[c] = (int16_t)((variant + c) % MODEL_VALUES);
    if (c == MODEL_KEYS && r.v[c] > 2) r.v[c] = 2; /* BOOLEAN has two values */
  }
  return r;
}

/* ---- random changes ------------------------------------------------------ */

static void change_multiset(batch *b, model *m) {
  model_row r = random_row(60, 3);
  uint32_t at = b->pub.n_rows++;
  static const int weights[] = {1, 1, 1, -1, -1, 2, -3, 0};
  int64_t weight = weights[chance(8)];
  model_put(&b->pub, at, &r, NULL);
  ck_assert(hw_batch_set_weight(&b->pub, at, weight));
  model_add(m, &r, weight);
}

static void update_keyed(batch *b, model *m, const model_row *r, uint32_t at) {
  bool given[MODEL_COLUMNS] = {true, true};
  model_entry *e = model_find_key(m, r);
  ck_assert(hw_batch_set_update(&b->pub, at));
  for (uint32_t c = 0; c < MODEL_COLUMNS; c++) {
    given[c] = given[c] || chance(4) == 0;
    if (given[c]) hw_batch_set_given(&b->pub, c, at);
    if (given[c] && e) e->row.v[c] = r->v[c];
  }
  model_put(&b->pub, at, r, given);
}

static void change_keyed(batch *b, model *m) {
  model_row r = random_row(60, 3);
  uint32_t at = b->pub.n_rows++;
  model_entry *e = model_find_key(m, &r);
  static const bool key_only[MODEL_COLUMNS] = {true, true};
  switch (chance(6)) {
  case 0:
  case 1:
    model_put(&b->pub, at, &r, key_only);
    ck_assert(hw_batch_set_weight(&b->pub, at, -1));
    if (e) model_add(m, &e->row, -1);
    break;
  case 2: update_keyed(b, m, &r, at); break;
  default:
    model_put(&b->pub, at, &r, NULL);
    if (e)
      e->row = r;
    else
      model_add(m, &r, 1);
  }
}

static void change_only_added(batch *b, model *m) {
  model_row r = random_row(60, 3);
  uint32_t at = b->pub.n_rows++;
  model_put(&b->pub, at, &r, NULL);
  model_add(m, &r, 1);
}

typedef struct kept {
  store_snapshot *s;
  model m;
} kept;

static void check_kept(kept *k) {
  if (!k->s) return;
  check_snapshot(k->s, &k->m, "a snapshot, later");
  store_snapshot_free(k->s);
  model_fini(&k->m);
  k->s = NULL;
}

static void keep(kept *k, const model *m) {
  check_kept(k);
  *k = (kept){snapshot(), model_copy(m)};
  ck_assert_uint_eq(store_snapshot_step(k->s), step);
}

static void run(void (*change)(batch *b, model *m), unsigned steps) {
  model now = {0}, sum = {0};
  kept kept_ones[KEPT] = {{0}};
  ck_assert_int_eq(circuit_attach(circ, 0, sum_up, &sum), HW_OK);
  for (unsigned i = 0; i < steps; i++) {
    for (unsigned batches = 1 + chance(3); batches > 0; batches--) {
      unsigned n = 1 + chance(i % 5 == 0 ? 300 : 20);
      batch *b = new_batch(n);
      for (unsigned k = 0; k < n; k++) change(b, &now);
      push_well(b);
    }
    commit();
    if (chance(3) == 0) keep(&kept_ones[chance(KEPT)], &now);
    if (i % 16 == 0) model_check_same(&sum, &now, "the changes that came out, summed up");
  }
  store_snapshot *s = snapshot();
  check_snapshot(s, &now, "the last snapshot");
  store_snapshot_free(s);
  for (unsigned k = 0; k < KEPT; k++) check_kept(&kept_ones[k]);
  model_fini(&now);
  model_fini(&sum);
}

START_TEST(multiset_is_the_models) {
  make(false, false, UINT64_C(1) << 30);
  run(change_multiset, 400);
  unmake();
}
END_TEST

START_TEST(keyed_is_the_models) {
  make(true, false, UINT64_C(1) << 30);
  run(change_keyed, 400);
  unmake();
}
END_TEST

START_TEST(only_added_is_the_models) {
  make(false, true, UINT64_C(1) << 30);
  run(change_only_added, 60);
  unmake();
}
END_TEST

/* ---- upserts, one by one ------------------------------------------------- */

typedef struct seen {
  uint64_t inserted, deleted, batches;
} seen;

static hw_status count(void *arg, batch *b) {
  seen *s = arg;
  s->batches++;
  for (uint32_t i = 0; i < hw_batch_count(&b->pub); i++) {
    int64_t w = hw_batch_weight(&b->pub, hw_batch_row(&b->pub, i));
    ck_assert(w == 1 || w == -1);
    *(w > 0 ? &s->inserted : &s->deleted) += 1;
  }
  return HW_OK;
}

static model_row row_of(int16_t key, int16_t value) {
  model_row r = {.v = {key, 1}};
  for (uint32_t c = MODEL_KEYS; c < MODEL_COLUMNS; c++) r.v[c] = value;
  return r;
}

static void put(batch *b, int16_t key, int16_t value, int64_t weight) {
  model_row r = row_of(key, value);
  model_put(&b->pub, b->pub.n_rows, &r, NULL);
  REQUIRE(hw_batch_set_weight(&b->pub, b->pub.n_rows++, weight));
}

START_TEST(upsert_says_only_what_changed) {
  seen s = {0};
  make(true, false, UINT64_C(1) << 30);
  ck_assert_int_eq(circuit_attach(circ, 0, count, &s), HW_OK);
  batch *b = new_batch(64);
  put(b, 1, 1, 1);
  put(b, 1, 2, 1); /* the last counts: one insert */
  put(b, 2, 1, 5); /* once, whatever the weight */
  push_well(b);
  ck_assert_uint_eq(s.inserted, 2);
  ck_assert_uint_eq(s.deleted, 0);
  b = new_batch(64);
  put(b, 1, 2, 1); /* the same: nothing */
  put(b, 2, 2, 1);
  put(b, 2, 1, 1); /* as it was: nothing */
  put(b, 3, 1, 1);
  put(b, 3, 1, -1); /* came and went: nothing */
  put(b, 9, 1, -1); /* not there: nothing */
  push_well(b);
  ck_assert_uint_eq(s.inserted, 2);
  ck_assert_uint_eq(s.deleted, 0);
  b = new_batch(64);
  put(b, 1, 1, 1);
  put(b, 2, 1, -1);
  push_well(b);
  ck_assert_uint_eq(s.inserted, 3);
  ck_assert_uint_eq(s.deleted, 2);
  commit();
  ck_assert_uint_eq(counted(0).stored_rows, 1);
  ck_assert_uint_eq(counted(0).ignored, 2);
  ck_assert_uint_eq(counted(0).brought, 11);
  ck_assert_uint_eq(counted(1).stored_rows, 1);
  unmake();
}
END_TEST

START_TEST(plain_inserts_pass_without_a_copy) {
  seen s = {0};
  make(true, false, UINT64_C(1) << 30);
  ck_assert_int_eq(circuit_attach(circ, 0, count, &s), HW_OK);
  batch *b = new_batch(4096);
  for (int16_t i = 0; i < 4096; i++) put(b, i, 1, 1);
  uint64_t before = atomic_load(&memory.used);
  eval_error err = {0};
  b->step = 1;
  ck_assert_int_eq(state_push(st, 0, b, &err), HW_OK);
  ck_assert_uint_eq(atomic_load(&memory.used), before);
  ck_assert_uint_eq(s.batches, 1);
  ck_assert_uint_eq(s.inserted, 4096);
  hw_batch_unref(&b->pub);
  unmake();
}
END_TEST

/* ---- what is not seen, and what it costs --------------------------------- */

START_TEST(half_a_step_is_not_seen) {
  make(_i, false, UINT64_C(1) << 30);
  model expected = {0};
  batch *b = new_batch(64);
  for (int16_t i = 0; i < 10; i++) {
    model_row r = row_of(i, 1);
    put(b, i, 1, 1);
    model_add(&expected, &r, 1);
  }
  push_well(b);
  store_snapshot *s = snapshot();
  ck_assert_uint_eq(store_snapshot_rows(s, 0), 0);
  ck_assert_uint_eq(store_snapshot_step(s), 0);
  store_snapshot_free(s);
  commit();
  for (unsigned i = 0; i < 200; i++) { /* segments fill up, and rows that are seen end; never committed */
    b = new_batch(64);
    for (int k = 0; k < 64; k++)
      put(b, (int16_t)(i % 2 ? k : 64 + (int)i * 64 + k), (int16_t)(i % 2), i % 3 ? 1 : -1);
    push_well(b);
  }
  s = snapshot();
  ck_assert_uint_eq(store_snapshot_step(s), 1);
  check_snapshot(s, &expected, "the last whole step");
  store_snapshot_free(s);
  model_fini(&expected);
  unmake();
}
END_TEST

static void replace_all(int16_t keys, int16_t value) {
  for (int16_t from = 0; from < keys; from = (int16_t)(from + 1000)) {
    batch *b = new_batch(1000);
    for (int16_t k = 0; k < 1000 && from + k < keys; k++) put(b, (int16_t)(from + k), value, 1);
    push_well(b);
  }
  commit();
}

START_TEST(memory_stays_within_what_rows_need) {
  enum { REWRITTEN = 8000 };
  make(true, false, UINT64_C(1) << 30);
  replace_all(REWRITTEN, 1);
  uint64_t first = atomic_load(&state_memory.used);
  store_snapshot *old = snapshot();
  for (int16_t i = 0; i < 12; i++) replace_all(REWRITTEN, (int16_t)(2 + i % 3));
  uint64_t with_snapshot = atomic_load(&state_memory.used);
  ck_assert_uint_eq(counted(0).stored_rows, REWRITTEN);
  ck_assert_uint_eq(store_snapshot_rows(old, 0), REWRITTEN);
  hw_batch *b;
  for (uint32_t k = 0; k < store_snapshot_pieces(old, 0); k++) {
    ck_assert_int_eq(store_snapshot_piece(old, 0, k, &b), HW_OK);
    for (uint32_t i = 0; i < hw_batch_count(b); i++) ck_assert_int_eq(model_get(b, hw_batch_row(b, i)).v[5], 1);
    hw_batch_unref(b);
  }
  store_snapshot_free(old);
  uint64_t last = atomic_load(&state_memory.used);
  ck_assert_uint_lt(last, with_snapshot);
  /* Values 3 and 4 have longer strings than 1; half of what a segment holds may have ended. */
  ck_assert_msg(last < 8 * first, "12 rewrites: from %llu to %llu bytes", (unsigned long long)first,
                (unsigned long long)last);
  for (int16_t i = 0; i < 24; i++) replace_all(REWRITTEN, (int16_t)(2 + i % 3));
  uint64_t later = atomic_load(&state_memory.used);
  ck_assert_msg(later < last + last / 4, "24 more: from %llu to %llu bytes", (unsigned long long)last,
                (unsigned long long)later);
  unmake();
}
END_TEST

START_TEST(what_is_deleted_is_given_back) {
  make(true, false, UINT64_C(1) << 30);
  replace_all(20000, 5);
  uint64_t full = atomic_load(&state_memory.used);
  for (int16_t from = 0; from < 20000; from = (int16_t)(from + 1000)) {
    batch *b = new_batch(1000);
    for (int16_t k = 0; k < 1000; k++) put(b, (int16_t)(from + k), 1, -1);
    push_well(b);
    commit();
  }
  ck_assert_uint_eq(counted(0).stored_rows, 0);
  /* What stays: the index, and the segments that are being filled. */
  ck_assert_msg(atomic_load(&state_memory.used) < full / 8, "%llu of %llu bytes",
                (unsigned long long)atomic_load(&state_memory.used), (unsigned long long)full);
  unmake();
}
END_TEST

START_TEST(limit_stops_with_names) {
  make(_i, false, 4u << 20);
  eval_error err = {0};
  hw_status status = HW_OK;
  uint64_t rows = 0;
  for (int16_t i = 0; status == HW_OK && i < 30000; i = (int16_t)(i + 100)) {
    batch *b = new_batch(128);
    for (int16_t k = 0; k < 100; k++) put(b, (int16_t)(i + k), 4, 1);
    status = push(b, &err);
    if (status == HW_OK) commit();
    if (status == HW_OK) rows += 100;
  }
  ck_assert_uint_ge(rows, 1000);
  ck_assert_int_eq(status, err.error.status);
  ck_assert_int_eq(status, HW_ELIMIT);
  ck_assert_str_eq(err.error.code, "StateLimit");
  ck_assert(strstr(err.error.message, "table \"t\"") || strstr(err.error.message, "view \"v\""));
  ck_assert_ptr_nonnull(strstr(err.error.message, "of the 4194304 bytes"));
  ck_assert_ptr_nonnull(strstr(err.error.message, "state_limit"));
  store_snapshot *s = snapshot(); /* what was whole is still there */
  ck_assert_uint_eq(store_snapshot_rows(s, 0), rows);
  model m = read_relation(s, 0);
  ck_assert_uint_eq(m.n, rows);
  model_fini(&m);
  store_snapshot_free(s);
  unmake();
}
END_TEST

START_TEST(closed_state_is_gone) {
  make(true, false, UINT64_C(1) << 30);
  replace_all(2000, 1);
  store_snapshot *s = snapshot();
  state_close(st);
  hw_error err;
  store_snapshot *none;
  ck_assert_int_eq(state_snapshot(st, (uint32_t[]){0}, 1, &none, &err), HW_ESTATE);
  model m = read_relation(s, 0);
  ck_assert_uint_eq(m.n, 2000);
  model_fini(&m);
  store_snapshot_free(s);
  unmake();
}
END_TEST

int main(void) {
  Suite *suite = suite_create("state");
  TCase *tc = tcase_create("state");
  tcase_set_timeout(tc, 120);
  tcase_add_test(tc, multiset_is_the_models);
  tcase_add_test(tc, keyed_is_the_models);
  tcase_add_test(tc, only_added_is_the_models);
  tcase_add_test(tc, upsert_says_only_what_changed);
  tcase_add_test(tc, plain_inserts_pass_without_a_copy);
  tcase_add_loop_test(tc, half_a_step_is_not_seen, 0, 1);
  tcase_add_test(tc, memory_stays_within_what_rows_need);
  tcase_add_test(tc, what_is_deleted_is_given_back);
  tcase_add_loop_test(tc, limit_stops_with_names, 0, 2);
  tcase_add_test(tc, closed_state_is_gone);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
