/* Views that make large strings: what they make is bounded, a push can be left and taken up, and a row that is too
 * much is named. The circuit and its state alone, no threads. */
#include "runtime/state.h"
#include "tests/require.h"
#include "tests/sql_fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 3000u
#define WHOLE (UINT64_C(4) << 20)
#define LIMIT (WHOLE / 4)

static mem memory, state_memory;
static program *prog;
static circuit *c;
static state *st; /* NULL: none */
static uint64_t step;

static void make(const char *text) {
  sql_register();
  ck_assert_int_eq(mem_init(&memory, UINT64_C(1) << 30), HW_OK);
  ck_assert_int_eq(mem_init(&state_memory, UINT64_C(1) << 30), HW_OK);
  prog = sql_compile_good(text);
  c = circuit_new(prog);
  ck_assert_ptr_nonnull(c);
  circuit_set_limit(c, WHOLE, 4);
}

static void make_state(void) {
  hw_error err;
  ck_assert_int_eq(state_new(prog, &state_memory, c, &st, &err), HW_OK);
}

static void finish(void) {
  state_free(st);
  st = NULL;
  circuit_free(c);
  program_unref(prog);
  ck_assert_uint_eq(atomic_load(&memory.used), 0); /* no batch is left behind */
  ck_assert_uint_eq(atomic_load(&state_memory.used), 0);
  mem_fini(&memory);
  mem_fini(&state_memory);
}

static uint32_t relation(const char *name) {
  for (uint32_t i = 0; i < prog->n_relations; i++)
    if (strcmp(prog->relations[i].schema.name, name) == 0) return i;
  ck_abort_msg("no relation %s", name);
}

/* id, s: rows 0 .. ROWS-1 with strings of `len` bytes, of `big` in row `at`. */
typedef struct shape {
  uint32_t len, at, big;
} shape;

static batch *rows_of(shape w) {
  batch *b = batch_new(&memory, &prog->relations[0].schema, ROWS);
  ck_assert_ptr_nonnull(b);
  for (uint32_t i = 0; i < ROWS; i++) {
    uint32_t len = i == w.at ? w.big : w.len;
    char *p = hw_batch_alloc(&b->pub, len);
    REQUIRE(p != NULL);
    memset(p, 'a' + (int)(i % 26), len);
    ((int64_t *)b->pub.columns[0].values)[i] = i;
    ((hw_str *)b->pub.columns[1].values)[i] = (hw_str){p, len, 0};
  }
  b->pub.n_rows = ROWS;
  return b;
}

static hw_status push(shape w, eval_error *err) {
  batch *b = rows_of(w);
  b->step = ++step;
  hw_status status = st ? state_push(st, 0, b, err) : circuit_push(c, 0, b, err);
  hw_batch_unref(&b->pub);
  return status;
}

/* What comes out of a view: every `every`-th id once, in order, each string `times` as long as it went in. */
typedef struct seen {
  uint32_t times, len, every;
  int64_t next;
  uint32_t batches, rows;
  uint64_t most; /* memory at a time */
  bool wrong;
} seen;

static hw_status look(void *arg, batch *b) {
  seen *s = arg;
  for (uint32_t i = 0; i < hw_batch_count(&b->pub); i++) {
    uint32_t row = hw_batch_row(&b->pub, i);
    int64_t id = ((int64_t *)b->pub.columns[0].values)[row];
    const hw_str *text = &((hw_str *)b->pub.columns[1].values)[row];
    char letter = (char)('a' + id % 26);
    s->wrong = s->wrong || id != s->next || text->len != s->len * s->times || text->data[0] != letter ||
               text->data[text->len - 1] != letter;
    s->next += s->every;
    s->rows++;
  }
  s->batches++;
  uint64_t used = atomic_load(&memory.used);
  if (used > s->most) s->most = used;
  return HW_OK;
}

#define DOUBLING                                                    \
  "CREATE TABLE t(id BIGINT NOT NULL, s VARCHAR NOT NULL);\n"       \
  "CREATE VIEW v1 AS SELECT id, s || s AS s FROM t;\n"              \
  "CREATE VIEW v2 AS SELECT id, s || s AS s FROM v1 WHERE id % 3 = 1;\n" \
  "CREATE VIEW v3 AS SELECT id, s || s || s || s AS s FROM v2;\n"   \
  "CREATE VIEW v4 AS SELECT id, s || s || s || s AS s FROM v3;\n"

START_TEST(strings_beyond_the_limit_come_out_in_slices) {
  eval_error err = {0};
  seen s = {.times = 64, .len = 100, .every = 3, .next = 1};
  make(DOUBLING);
  ck_assert_int_eq(circuit_attach(c, relation("v4"), look, &s), HW_OK);
  ck_assert_int_eq(push((shape){100, 0, 100}, &err), HW_OK);
  ck_assert(!circuit_is_busy(c));
  ck_assert(!s.wrong);
  ck_assert_uint_eq(s.rows, ROWS / 3);
  ck_assert_uint_ge(s.batches, (64 + 16) * 100 * (ROWS / 3) / LIMIT);
  ck_assert_uint_lt(s.batches, ROWS / 3); /* nor row by row */
  ck_assert_uint_le(s.most, 4 * LIMIT);
  ck_assert_uint_eq(circuit_relation_stats(c, relation("v1")).records, ROWS);
  ck_assert_uint_eq(circuit_relation_stats(c, relation("v2")).records, ROWS / 3);
  ck_assert_uint_eq(circuit_relation_stats(c, relation("v2")).filtered, ROWS - ROWS / 3);
  ck_assert_uint_eq(circuit_relation_stats(c, relation("v4")).records, ROWS / 3);
  ck_assert_uint_eq(circuit_relation_stats(c, relation("v4")).batches, s.batches);
  ck_assert_uint_eq(circuit_relation_stats(c, 0).batches, 1);
  finish();
}
END_TEST

START_TEST(small_strings_go_through_at_once) {
  eval_error err = {0};
  make(DOUBLING);
  seen s = {.times = 64, .len = 2, .every = 3, .next = 1};
  ck_assert_int_eq(circuit_attach(c, relation("v4"), look, &s), HW_OK);
  for (int i = 0; i < 3; i++, s.next = 1) ck_assert_int_eq(push((shape){2, 0, 2}, &err), HW_OK);
  ck_assert(!s.wrong);
  ck_assert_uint_eq(s.batches, 3);
  finish();
}
END_TEST

START_TEST(what_no_result_keeps_is_bounded_too) {
  eval_error err = {0};
  seen s = {.times = 1, .len = 1000, .every = 1};
  make("CREATE TABLE t(id BIGINT NOT NULL, s VARCHAR NOT NULL);\n"
       "CREATE VIEW v AS SELECT id, s FROM t WHERE CHAR_LENGTH(UPPER(s || s || s || s)) = 4000;\n");
  ck_assert_int_eq(circuit_attach(c, relation("v"), look, &s), HW_OK);
  ck_assert_int_eq(push((shape){1000, 0, 1000}, &err), HW_OK);
  ck_assert(!s.wrong);
  ck_assert_uint_eq(s.rows, ROWS);
  ck_assert_uint_ge(s.batches, 8000 * ROWS / LIMIT);
  finish();
}
END_TEST

START_TEST(a_row_that_needs_too_much_is_named) {
  eval_error err = {0};
  uint32_t at = 1501 + 3 * (uint32_t)_i, fits = LIMIT / (64 + 16 + 4 + 2), many = fits + 1;
  seen s = {.times = 64, .len = 8, .every = 3, .next = 1};
  make(DOUBLING);
  ck_assert_int_eq(circuit_attach(c, relation("v4"), look, &s), HW_OK);
  ck_assert_int_eq(push((shape){8, at, fits}, &err), HW_OK);
  ck_assert_int_eq(push((shape){8, at, many}, &err), HW_ELIMIT);
  ck_assert_str_eq(err.error.code, "MemoryLimit");
  char wanted[100];
  snprintf(wanted, sizeof wanted, "%u bytes are needed for strings, besides %u", 64 * many, (16 + 4 + 2) * many);
  ck_assert_msg(strstr(err.error.message, wanted) != NULL, "%s", err.error.message);
  ck_assert_ptr_nonnull(strstr(err.error.message, "may take 1048576, which is 1/4"));
  ck_assert_ptr_nonnull(strstr(err.error.message, "--memory"));
  ck_assert_str_eq(err.at->text, "s || s || s || s");
  ck_assert_int_eq(err.at->line, 5);
  ck_assert_uint_eq(err.row, at);
  ck_assert_uint_eq(err.n_rows, ROWS);
  snprintf(wanted, sizeof wanted, "s = '%.5s", (char[]){(char)('a' + at % 26), (char)('a' + at % 26), '\0'});
  ck_assert_msg(strncmp(err.row_text, wanted, strlen(wanted)) == 0, "%s", err.row_text);
  ck_assert(!circuit_is_busy(c));
  finish();
}
END_TEST

/* An expression fails in a slice that was copied, and in one that was not. */
START_TEST(an_error_in_a_slice_names_its_row) {
  static const uint32_t rows[] = {0, 1499, 2999};
  eval_error err = {0};
  char text[400];
  snprintf(text, sizeof text,
           "CREATE TABLE t(id BIGINT NOT NULL, s VARCHAR NOT NULL);\n"
           "CREATE VIEW v AS SELECT id / (id - %u) AS id, REPLACED AS s FROM t;\n", rows[_i % 3]);
  memcpy(strstr(text, "REPLACED"), "s || s  ", 8);
  make(text);
  seen s = {0};
  ck_assert_int_eq(circuit_attach(c, relation("v"), look, &s), HW_OK);
  uint32_t len = _i < 3 ? 300 : 60000;
  ck_assert_int_eq(push((shape){len, 0, len}, &err), HW_EEVAL);
  ck_assert_uint_eq(err.row, rows[_i % 3]);
  ck_assert_uint_eq(err.n_rows, ROWS);
  finish();
}
END_TEST

/* ---- leaving ------------------------------------------------------------- */

typedef struct patience {
  unsigned asked_between, asked_within;
  unsigned stop_within; /* at the n-th time; 0: never */
} patience;

static bool always_between(void *arg, bool between) {
  patience *p = arg;
  if (between) p->asked_between++;
  else p->asked_within++;
  return between || (p->stop_within && p->asked_within >= p->stop_within);
}

START_TEST(a_push_is_left_and_taken_up_again) {
  eval_error err = {0};
  seen s = {.times = 64, .len = 100, .every = 3, .next = 1};
  patience p = {0};
  make(DOUBLING);
  circuit_set_pause(c, always_between, &p);
  ck_assert_int_eq(circuit_attach(c, relation("v4"), look, &s), HW_OK);
  ck_assert_int_eq(push((shape){100, 0, 100}, &err), HW_OK);
  unsigned turns = 1;
  for (; circuit_is_busy(c); turns++) {
    uint32_t before = s.batches;
    ck_assert_int_eq(circuit_go_on(c, &err), HW_OK);
    ck_assert_uint_le(s.batches, before + 1);
    ck_assert_ptr_null(circuit_left_at(c));
  }
  ck_assert(!s.wrong);
  ck_assert_uint_eq(s.rows, ROWS / 3);
  ck_assert_uint_ge(turns, s.batches);
  ck_assert_uint_eq(p.asked_between, turns - 1);
  ck_assert_int_eq(circuit_go_on(c, &err), HW_OK); /* nothing is left to do */
  finish();
}
END_TEST

/* At each view in turn, nothing of the slice at hand is given out, and what was given out stays the only time. */
START_TEST(a_push_is_left_within_a_slice) {
  static const char *const views[] = {"v1", "v2", "v3", "v4"};
  eval_error err = {0};
  seen s = {.times = 64, .len = 2, .every = 3, .next = 1};
  patience p = {.stop_within = 1 + (unsigned)_i};
  make(DOUBLING);
  circuit_set_pause(c, always_between, &p);
  ck_assert_int_eq(circuit_attach(c, relation("v4"), look, &s), HW_OK);
  ck_assert_int_eq(push((shape){2, 0, 2}, &err), HW_OK);
  ck_assert(circuit_is_busy(c));
  ck_assert_str_eq(circuit_left_at(c), views[_i]);
  ck_assert_uint_eq(s.batches, 0);
  ck_assert_uint_eq(circuit_relation_stats(c, relation("v1")).records, 0);
  p.stop_within = 0;
  ck_assert_int_eq(circuit_go_on(c, &err), HW_OK);
  ck_assert(!circuit_is_busy(c));
  ck_assert(!s.wrong);
  ck_assert_uint_eq(s.rows, ROWS / 3);
  ck_assert_uint_eq(circuit_relation_stats(c, relation("v1")).records, ROWS);
  p = (patience){.stop_within = 1 + (unsigned)_i};
  ck_assert_int_eq(push((shape){2, 0, 2}, &err), HW_OK);
  ck_assert(circuit_is_busy(c));
  circuit_abandon(c);
  ck_assert(!circuit_is_busy(c));
  finish();
}
END_TEST

#define KEYED                                                                               \
  "CREATE TABLE t(id BIGINT NOT NULL PRIMARY KEY, s VARCHAR NOT NULL);\n"                   \
  "CREATE MATERIALIZED VIEW v AS SELECT id, s || s || s || s AS s FROM t WHERE id % 2 = 0;\n"

static void go_on(unsigned *turns) {
  eval_error err = {0};
  for (*turns = 1; state_is_busy(st); ++*turns) ck_assert_int_eq(state_go_on(st, &err), HW_OK);
}

static uint64_t stored(const char *name) {
  relation_stats r = {0};
  state_relation_stats(st, relation(name), &r);
  return r.stored_rows;
}

START_TEST(rows_with_a_key_are_left_and_taken_up_again) {
  eval_error err = {0};
  hw_error why;
  unsigned turns;
  patience p = {0};
  make(KEYED);
  make_state();
  circuit_set_pause(c, always_between, &p);
  ck_assert_int_eq(push((shape){500, 0, 500}, &err), HW_OK);
  ck_assert(state_is_busy(st));
  ck_assert_uint_eq(stored("v"), 0);
  go_on(&turns);
  ck_assert_uint_gt(turns, 2);
  ck_assert_int_eq(state_commit(st, step, &why), HW_OK);
  ck_assert_uint_eq(stored("t"), ROWS);
  ck_assert_uint_eq(stored("v"), ROWS / 2);
  ck_assert_int_eq(push((shape){600, 0, 600}, &err), HW_OK); /* every row goes, and another comes */
  go_on(&turns);
  ck_assert_int_eq(state_commit(st, step, &why), HW_OK);
  ck_assert_uint_eq(stored("t"), ROWS);
  ck_assert_uint_eq(stored("v"), ROWS / 2);
  ck_assert_int_eq(push((shape){700, 0, 700}, &err), HW_OK);
  ck_assert(state_is_busy(st));
  state_abandon(st);
  ck_assert(!state_is_busy(st));
  finish();
}
END_TEST

/* The error is the store's, not that of an expression that was evaluated before. */
START_TEST(a_limit_of_state_is_not_an_expressions) {
  eval_error err = {0};
  make(KEYED);
  mem_fini(&state_memory);
  ck_assert_int_eq(mem_init(&state_memory, UINT64_C(3) << 20), HW_OK);
  make_state();
  for (uint32_t len = 100; st && push((shape){len, 0, len}, &err) == HW_OK; len += 100) {}
  ck_assert_str_eq(err.error.code, "StateLimit");
  ck_assert_ptr_null(err.at);
  ck_assert(!state_is_busy(st));
  finish();
}
END_TEST

int main(void) {
  Suite *suite = suite_create("slices");
  TCase *t = tcase_create("circuit");
  tcase_set_timeout(t, 60);
  tcase_add_test(t, strings_beyond_the_limit_come_out_in_slices);
  tcase_add_test(t, small_strings_go_through_at_once);
  tcase_add_test(t, what_no_result_keeps_is_bounded_too);
  tcase_add_loop_test(t, a_row_that_needs_too_much_is_named, 0, 3);
  tcase_add_loop_test(t, an_error_in_a_slice_names_its_row, 0, 6);
  tcase_add_test(t, a_push_is_left_and_taken_up_again);
  tcase_add_loop_test(t, a_push_is_left_within_a_slice, 0, 4);
  tcase_add_test(t, rows_with_a_key_are_left_and_taken_up_again);
  tcase_add_test(t, a_limit_of_state_is_not_an_expressions);
  suite_add_tcase(suite, t);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
