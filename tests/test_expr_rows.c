/* What takes many rows at once: lists, guards, filters, rows of rubbish under
 * NULL, random trees against themselves row by row, and memory. */
#include "tests/expr_cases.h"

#include <headworks/value.h>

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const truths[] = {"false", "true", NULL};

/* ---- IN --------------------------------------------------------------------------------------------------------- */

/* x IN (list ...) with a literal list of n numbers 0, 3, 6, ..., as text of that type. */
static void check_long_list(const char *type, uint32_t n, bool with_null, const char *prefix) {
  static char texts[300][24];
  const char *types[] = {type};
  hw_batch *b = batch_of_types(types, 1, 400);
  for (uint32_t row = 0; row < 400; row++) {
    char *text = make(24);
    snprintf(text, 24, "%s%u", prefix, row % 100);
    set_cell(b, 0, row, row % 7 == 0 ? NULL : text);
  }
  expr *e = node_new(EXPR_IN, type_of("BOOLEAN"), n + 1 + with_null);
  e->args[0] = column(0, type);
  for (uint32_t i = 0; i < n; i++) {
    snprintf(texts[i], sizeof texts[i], "%s%u", prefix, 3 * i);
    e->args[i + 1] = literal(type, texts[i]);
  }
  if (with_null) e->args[n + 1] = literal(type, NULL);
  evaluator *ev = evaluator_new(e, NULL);
  hw_column out;
  eval_error err;
  ck_assert_int_eq(evaluator_run(ev, b, NULL, 400, NULL, &out, &err), HW_OK);
  for (uint32_t row = 0; row < 400; row++) {
    uint32_t v = row % 100;
    bool found = v % 3 == 0 && v < 3 * n, null = row % 7 == 0 || (!found && with_null);
    REQUIRE(hw_column_valid(&out, row) == !null);
    REQUIRE(null || ((uint8_t *)out.values)[row] == found);
  }
  evaluator_free(ev);
  hw_batch_unref(b);
}

START_TEST(in_lists) {
  static const char *const types[] = {"SMALLINT", "INT",    "BIGINT",       "BIGINT UNSIGNED",
                                      "REAL",     "DOUBLE", "DECIMAL(20,3)"};
  static const uint32_t lengths[] = {1, 2, 5, 8, 20, 33};
  for (size_t t = 0; t < sizeof types / sizeof *types; t++)
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++)
      for (int null = 0; null < 2; null++) check_long_list(types[t], lengths[k], null, "");
  for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
    check_long_list("VARCHAR", lengths[k], k & 1, "some longer text ");
    check_long_list("CHAR(24)", lengths[k], k & 1, "padded ");
  }
  static const op_case cases[] = {
      {EXPR_IN, "BOOLEAN", {{"INT", "1"}, {"INT", "2"}, {"INT", "1"}}, "true"},
      {EXPR_IN, "BOOLEAN", {{"INT", "1"}, {"INT", "2"}, {"INT", NULL}}, NULL},
      {EXPR_IN, "BOOLEAN", {{"INT", "2"}, {"INT", "2"}, {"INT", NULL}}, "true"},
      {EXPR_IN, "BOOLEAN", {{"INT", NULL}, {"INT", "2"}, {"INT", "3"}}, NULL},
      {EXPR_IN, "BOOLEAN", {{"INT", "7"}, {"INT", "2"}, {"INT", "3"}}, "false"},
      {EXPR_IN, "BOOLEAN", {{"VARCHAR", "x"}, {"VARCHAR", "y"}, {"VARCHAR", "z"}, {"VARCHAR", "x"}}, "true"},
      {EXPR_IN, "BOOLEAN", {{"VARCHAR", ""}, {"VARCHAR", "y"}, {"VARCHAR", "z"}, {"VARCHAR", ""}}, "true"},
      {EXPR_IN, "BOOLEAN", {{"DOUBLE", "NaN"}, {"DOUBLE", "1"}, {"DOUBLE", "NaN"}}, "true"},
      {EXPR_IN, "BOOLEAN", {{"DATE", "2026-01-02"}, {"DATE", "2026-01-01"}, {"DATE", "2026-01-02"}}, "true"},
      {EXPR_IN,
       "BOOLEAN",
       {{"UUID", "00000000-0000-0000-0000-000000000001"}, {"UUID", "00000000-0000-0000-0000-000000000001"}},
       "true"},
  };
  RUN_CASES(cases);
}
END_TEST

/* ---- guards ---------------------------------------------------------------------- */

/* Rows where c0 is 0 would divide by zero: the guard keeps them out. */
static expr *reciprocal(void) {
  return tree2(EXPR_GT, "BOOLEAN", tree2(EXPR_DIV, "INT", literal("INT", "100"), column(0, "INT")),
               literal("INT", "20"));
}

static expr *is_zero(expr_op op) {
  return tree2(op, "BOOLEAN", column(0, "INT"), literal("INT", "0"));
}

START_TEST(guards) {
  static const char *const types[] = {"INT", "VARCHAR"};
  hw_batch *b = batch_of_types(types, 2, 500);
  for (uint32_t row = 0; row < 500; row++) {
    char text[16];
    snprintf(text, sizeof text, "%u", row % 10);
    set_cell(b, 0, row, row % 11 == 0 ? NULL : text);
    set_cell(b, 1, row, row % 10 == 0 || row % 11 == 0 ? "none" : "12");
  }
  expr *trees[] = {
      tree2(EXPR_AND, "BOOLEAN", is_zero(EXPR_NE), reciprocal()),
      tree2(EXPR_OR, "BOOLEAN", is_zero(EXPR_EQ), reciprocal()),
      tree3(EXPR_CASE, "BOOLEAN", is_zero(EXPR_EQ), literal("BOOLEAN", "true"), reciprocal()),
      tree3(EXPR_CASE, "BOOLEAN", is_zero(EXPR_NE), reciprocal(), literal("BOOLEAN", "false")),
      tree2(EXPR_COALESCE, "BOOLEAN",
            tree2(EXPR_GT, "BOOLEAN", tree2(EXPR_NULLIF, "INT", column(0, "INT"), literal("INT", "0")),
                  literal("INT", "-1")),
            tree2(EXPR_EQ, "BOOLEAN", column(1, "VARCHAR"), literal("VARCHAR", "none"))),
      tree3(EXPR_CASE, "BOOLEAN", tree2(EXPR_NE, "BOOLEAN", column(1, "VARCHAR"), literal("VARCHAR", "none")),
            tree2(EXPR_EQ, "BOOLEAN", tree1(EXPR_CAST, "INT", column(1, "VARCHAR")), literal("INT", "12")),
            literal("BOOLEAN", "false")),
  };
  for (size_t i = 0; i < sizeof trees / sizeof *trees; i++) {
    evaluator *ev = evaluator_new(trees[i], NULL);
    hw_column out;
    eval_error err;
    uint32_t sel[500], n;
    hw_status st = evaluator_run(ev, b, NULL, 500, NULL, &out, &err);
    REQUIRE_MSG(st == HW_OK, "tree %zu: %s", i, err.error.message);
    ck_assert_int_eq(evaluator_filter(ev, b, NULL, 500, sel, &n, &err), HW_OK);
    uint32_t expected = 0;
    evaluator_run(ev, b, NULL, 500, NULL, &out, &err);
    for (uint32_t row = 0; row < 500; row++) expected += hw_column_valid(&out, row) && ((uint8_t *)out.values)[row];
    ck_assert_uint_eq(n, expected);
    ck_assert_uint_gt(n, 0);
    evaluator_free(ev);
  }
  /* Without its guard it fails, on the first row that is zero. */
  evaluator *ev = evaluator_new(reciprocal(), NULL);
  hw_column out;
  eval_error err;
  ck_assert_int_eq(evaluator_run(ev, b, NULL, 500, NULL, &out, &err), HW_EEVAL);
  ck_assert_uint_eq(err.row, 10);
  ck_assert_int_eq(err.at->op, EXPR_DIV);
  ck_assert_str_eq(err.error.message, "division by zero");
  evaluator_free(ev);
  hw_batch_unref(b);
}
END_TEST

/* What stands under a NULL is rubbish, and must raise nothing. */
START_TEST(rubbish_under_null) {
  static const char *const types[] = {"INT", "INT", "DECIMAL(5,2)", "VARCHAR", "DOUBLE", "TIMESTAMP", "BOOLEAN"};
  hw_batch *b = batch_of_types(types, 7, 200);
  fill_with_rubbish(b);
  for (uint32_t c = 0; c < 7; c++)
    for (uint32_t row = 0; row < 200; row++) hw_column_set_null(&b->columns[c], row);
  expr *i = column(0, "INT"), *d = column(2, "DECIMAL(5,2)"), *s = column(3, "VARCHAR"), *f = column(4, "DOUBLE");
  expr *t = column(5, "TIMESTAMP"), *bool_column = column(6, "BOOLEAN");
  expr *trees[] = {
      tree2(EXPR_ADD, "INT", i, column(1, "INT")),
      tree2(EXPR_MUL, "INT", i, column(1, "INT")),
      tree2(EXPR_DIV, "INT", literal("INT", "1"), i),
      tree2(EXPR_MUL, "DECIMAL(5,2)", d, d),
      tree1(EXPR_NEG, "INT", i),
      tree1(EXPR_CAST, "TINYINT", i),
      tree1(EXPR_CAST, "INT", s),
      tree1(EXPR_CAST, "INT", f),
      tree1(EXPR_CAST, "DATE", t),
      tree1(EXPR_CAST, "VARCHAR", d),
      tree2(EXPR_EQ, "BOOLEAN", s, s),
      tree2(EXPR_LIKE, "BOOLEAN", s, literal("VARCHAR", "a%")),
      tree1(EXPR_UPPER, "VARCHAR", s),
      tree2(EXPR_CONCAT, "VARCHAR", s, s),
      tree1(EXPR_CHAR_LENGTH, "INT", s),
      tree2(EXPR_IN, "BOOLEAN", s, literal("VARCHAR", "a")),
      tree1(EXPR_NOT, "BOOLEAN", bool_column),
      tree2(EXPR_AND, "BOOLEAN", bool_column, bool_column),
      tree2(EXPR_OR, "BOOLEAN", bool_column, bool_column),
      tree2(EXPR_SUBSTRING, "VARCHAR", s, literal("BIGINT", "2")),
      tree1(EXPR_ROUND, "DECIMAL(5,1)", d),
      tree1(EXPR_EXTRACT, "BIGINT", t),
      tree1(EXPR_CAST, "DECIMAL(5,2)", f),
      tree1(EXPR_ABS, "DECIMAL(5,2)", d),
      tree2(EXPR_NULLIF, "VARCHAR", s, s),
      tree2(EXPR_COALESCE, "VARCHAR", s, s),
      tree1(EXPR_CAST, "CHAR(3)", s),
  };
  for (size_t k = 0; k < sizeof trees / sizeof *trees; k++) {
    evaluator *ev = evaluator_new(trees[k], NULL);
    hw_column out;
    eval_error err;
    hw_status st = evaluator_run(ev, b, NULL, 200, NULL, &out, &err);
    REQUIRE_MSG(st == HW_OK, "tree %zu: %s", k, err.error.message);
    for (uint32_t row = 0; row < 200; row++) REQUIRE(!hw_column_valid(&out, row));
    evaluator_free(ev);
  }
  hw_batch_unref(b);
}
END_TEST

/* ---- filters
 * ------------------------------------------------------------------------------------------------------------------ */

START_TEST(filters) {
  static const char *const types[] = {"INT", "VARCHAR", "DOUBLE"};
  hw_batch *b = batch_of_types(types, 3, 1000);
  uint32_t sel[1000], out[1000], n = 0, n_out;
  for (uint32_t row = 0; row < 1000; row++) {
    char text[16];
    snprintf(text, sizeof text, "%d", (int)(next_random() % 100));
    set_cell(b, 0, row, row % 13 == 0 ? NULL : text);
    set_cell(b, 1, row, row % 4 == 0 ? "x" : "other");
    set_cell(b, 2, row, row % 17 == 0 ? NULL : "1.5");
    if (next_random() % 3) sel[n++] = row;
  }
  expr *over = tree2(EXPR_GT, "BOOLEAN", column(0, "INT"), literal("INT", "30"));
  expr *not_x = tree2(EXPR_NE, "BOOLEAN", column(1, "VARCHAR"), literal("VARCHAR", "x"));
  expr *small = tree2(EXPR_LT, "BOOLEAN", column(2, "DOUBLE"), literal("DOUBLE", "2"));
  expr *trees[] = {
      over,
      not_x,
      tree2(EXPR_AND, "BOOLEAN", over, not_x),
      tree3(EXPR_AND, "BOOLEAN", over, not_x, small),
      tree2(EXPR_AND, "BOOLEAN", tree2(EXPR_AND, "BOOLEAN", over, small), tree2(EXPR_AND, "BOOLEAN", not_x, small)),
      tree2(EXPR_OR, "BOOLEAN", over, not_x),
      literal("BOOLEAN", "true"),
      literal("BOOLEAN", "false"),
      literal("BOOLEAN", NULL),
      tree2(EXPR_AND, "BOOLEAN", literal("BOOLEAN", "true"), not_x)};
  for (size_t i = 0; i < sizeof trees / sizeof *trees; i++)
    for (int sparse = 0; sparse < 2; sparse++) {
      evaluator *ev = evaluator_new(trees[i], NULL);
      eval_error err;
      hw_column c;
      uint32_t count = sparse ? n : 1000, expected[1000], n_expected = 0;
      ck_assert_int_eq(evaluator_run(ev, b, sparse ? sel : NULL, count, NULL, &c, &err), HW_OK);
      for (uint32_t k = 0; k < count; k++) {
        uint32_t row = sparse ? sel[k] : k;
        if (hw_column_valid(&c, row) && ((uint8_t *)c.values)[row]) expected[n_expected++] = row;
      }
      ck_assert_int_eq(evaluator_filter(ev, b, sparse ? sel : NULL, count, out, &n_out, &err), HW_OK);
      ck_assert_uint_eq(n_out, n_expected);
      ck_assert_int_eq(memcmp(out, expected, n_out * sizeof *out), 0);
      ck_assert_int_eq(evaluator_filter(ev, b, sparse ? sel : NULL, 0, out, &n_out, &err), HW_OK);
      ck_assert_uint_eq(n_out, 0);
      evaluator_free(ev);
    }
  hw_batch_unref(b);
}
END_TEST

/* ---- random trees: a batch at once against a row at a time
 * ------------------------------------------------------------------------ */

static const char *const random_types[] = {"SMALLINT", "BIGINT", "DOUBLE", "VARCHAR", "BOOLEAN", "DECIMAL(9,2)"};

static expr *random_tree(int type, int depth);

static expr *random_leaf(int type) {
  static const char *const numbers[] = {"0", "1", "7", "-3", "100"};
  static const char *const words[] = {"", "a", "abc", ("Zz" EURO), "12"};
  if (next_random() % 3) return column((uint32_t)type, random_types[type]);
  if (next_random() % 12 == 0) return literal(random_types[type], NULL);
  if (type == 4) return literal("BOOLEAN", truths[next_random() % 2]);
  return literal(random_types[type], type == 3 ? words[next_random() % 5] : numbers[next_random() % 5]);
}

static expr *random_boolean(int depth) {
  int type = (int)(next_random() % 6);
  switch (next_random() % 8) {
  case 0:
    return tree2(EXPR_AND, "BOOLEAN", random_tree(4, depth), random_tree(4, depth));
  case 1:
    return tree2(EXPR_OR, "BOOLEAN", random_tree(4, depth), random_tree(4, depth));
  case 2:
    return tree1(EXPR_NOT, "BOOLEAN", random_tree(4, depth));
  case 3:
    return tree1(EXPR_IS_NULL, "BOOLEAN", random_tree(type, depth));
  case 4:
    return tree2(EXPR_LIKE, "BOOLEAN", random_tree(3, depth), literal("VARCHAR", next_random() % 2 ? "%a%" : "_%"));
  case 5:
    return tree3(EXPR_IN, "BOOLEAN", random_tree(type, depth), random_leaf(type), random_leaf(type));
  case 6:
    return tree2(EXPR_IS_DISTINCT, "BOOLEAN", random_tree(type, depth), random_tree(type, depth));
  default:
    return tree2(EXPR_EQ + (expr_op)(next_random() % 6), "BOOLEAN", random_tree(type, depth), random_tree(type, depth));
  }
}

static expr *random_string(int depth) {
  switch (next_random() % 6) {
  case 0:
    return tree2(EXPR_CONCAT, "VARCHAR", random_tree(3, depth), random_tree(3, depth));
  case 1:
    return tree1(EXPR_UPPER, "VARCHAR", random_tree(3, depth));
  case 2:
    return tree2(EXPR_SUBSTRING, "VARCHAR", random_tree(3, depth), random_tree(1, depth));
  case 3:
    return tree2(EXPR_TRIM_BOTH, "VARCHAR", random_tree(3, depth), literal("VARCHAR", "az"));
  case 4:
    return tree1(EXPR_CAST, "VARCHAR", random_tree((int)(next_random() % 6), depth));
  default:
    return tree3(EXPR_SPLIT_PART, "VARCHAR", random_tree(3, depth), literal("VARCHAR", "b"), random_tree(1, depth));
  }
}

static expr *random_number(int type, int depth) {
  static const int sources[] = {0, 1, 2, 4, 5};
  switch (next_random() % 7) {
  case 0:
    return tree1(EXPR_NEG, random_types[type], random_tree(type, depth));
  case 1:
    return tree1(EXPR_CAST, random_types[type], random_tree(sources[next_random() % 5], depth));
  case 2:
    return tree1(EXPR_ABS, random_types[type], random_tree(type, depth));
  default:
    return tree2(EXPR_ADD + (expr_op)(next_random() % 5), random_types[type], random_tree(type, depth),
                 random_tree(type, depth));
  }
}

static expr *random_tree(int type, int depth) {
  if (depth <= 0 || next_random() % 5 == 0) return random_leaf(type);
  depth--;
  switch (next_random() % 8) {
  case 0:
    return tree3(EXPR_CASE, random_types[type], random_tree(4, depth), random_tree(type, depth),
                 random_tree(type, depth));
  case 1:
    return tree2(EXPR_COALESCE, random_types[type], random_tree(type, depth), random_tree(type, depth));
  case 2:
    return tree2(EXPR_NULLIF, random_types[type], random_tree(type, depth), random_tree(type, depth));
  default:
    break;
  }
  return type == 4 ? random_boolean(depth) : type == 3 ? random_string(depth) : random_number(type, depth);
}

static const char *random_cell(int type, char *text) {
  if (next_random() % 5 == 0) return NULL;
  if (type == 4) return truths[next_random() % 2];
  if (type == 3)
    snprintf(text, 32, "%.*s", (int)(next_random() % 6), "aBc zb");
  else if (type == 2)
    snprintf(text, 32, "%d.25", (int)(next_random() % 2000) - 1000);
  else
    snprintf(text, 32, "%d", (int)(next_random() % 400) - 100);
  return text;
}

#define RANDOM_ROWS 150

/* Each row by itself: its text, or "!" where it fails. */
static void run_row(evaluator *ev, const hw_type *t, hw_batch *b, uint32_t row, const char **out) {
  hw_column c;
  eval_error err;
  hw_status st = evaluator_run(ev, b, &row, 1, NULL, &c, &err);
  REQUIRE(st == HW_OK || st == HW_EEVAL);
  *out = st == HW_OK ? text_at(t, &c, row) : "!";
}

static void compare_rows(evaluator *ev, const hw_type *t, hw_batch *b, const uint32_t *sel, uint32_t n,
                         const char *const *alone) {
  hw_column c;
  eval_error err;
  batch *into = batch_new_view((batch *)b, b->schema);
  hw_status st = evaluator_run(ev, b, sel, n, &into->pub, &c, &err);
  bool fails = false;
  for (uint32_t i = 0; i < n; i++) fails = fails || (alone[sel ? sel[i] : i] && alone[sel ? sel[i] : i][0] == '!');
  ck_assert_int_eq(st, fails ? HW_EEVAL : HW_OK);
  if (fails) ck_assert_str_eq(alone[err.row], "!");
  for (uint32_t i = 0; i < n && !fails; i++) {
    uint32_t row = sel ? sel[i] : i;
    const char *text = text_at(t, &c, row);
    REQUIRE(text ? alone[row] && strcmp(text, alone[row]) == 0 : !alone[row]);
  }
  hw_batch_unref(&into->pub);
}

START_TEST(random_trees) {
  uint32_t n_failing = 0, n_running = 0;
  for (int round = 0; round < 400; round++) {
    hw_batch *b = batch_of_types(random_types, 6, RANDOM_ROWS);
    fill_with_rubbish(b);
    for (uint32_t row = 0; row < RANDOM_ROWS; row++)
      for (int c = 0; c < 6; c++) set_cell(b, (uint32_t)c, row, random_cell(c, make(32)));
    int type = (int)(next_random() % 6);
    hw_type t = type_of(random_types[type]);
    evaluator *ev = evaluator_new(random_tree(type, 4), NULL);
    ck_assert_ptr_nonnull(ev);
    const char *alone[RANDOM_ROWS];
    uint32_t sel[RANDOM_ROWS], n = 0, failing = 0;
    for (uint32_t row = 0; row < RANDOM_ROWS; row++) {
      run_row(ev, &t, b, row, &alone[row]);
      bool fails = alone[row] && alone[row][0] == '!';
      failing += fails;
      if (!fails && row % 3) sel[n++] = row;
    }
    compare_rows(ev, &t, b, NULL, RANDOM_ROWS, alone);
    compare_rows(ev, &t, b, sel, n, alone);
    if (failing)
      n_failing++;
    else
      n_running++;
    evaluator_free(ev);
    hw_batch_unref(b);
    free_owned();
  }
  ck_assert_uint_gt(n_failing, 20);
  ck_assert_uint_gt(n_running, 100);
}
END_TEST

/* ---- memory ------------------------------------------------------------------------------- */

/* A result lives with its batch, whatever becomes of tree and evaluator. */
START_TEST(results_outlive_the_tree) {
  static const char *const types[] = {"VARCHAR"};
  char *word = strdup("literal"), *none = strdup("none");
  ck_assert(word && none);
  hw_batch *b = batch_of_types(types, 1, 300);
  for (uint32_t row = 0; row < 300; row++) set_cell(b, 0, row, row % 3 ? "Column" : NULL);
  expr *l = literal("VARCHAR", word), *m = literal("VARCHAR", none);
  l->value.u.str.data = word;
  m->value.u.str.data = none;
  expr *trees[] = {l, tree2(EXPR_COALESCE, "VARCHAR", column(0, "VARCHAR"), l),
                   tree3(EXPR_CASE, "VARCHAR", tree1(EXPR_IS_NULL, "BOOLEAN!", column(0, "VARCHAR")), m, l),
                   tree2(EXPR_CONCAT, "VARCHAR", tree1(EXPR_UPPER, "VARCHAR", l), m),
                   tree2(EXPR_SUBSTRING, "VARCHAR", tree2(EXPR_CONCAT, "VARCHAR", l, m), literal("BIGINT", "3"))};
  static const char *const expected[][2] = {{"literal", "literal"},
                                            {"literal", "Column"},
                                            {"none", "literal"},
                                            {"LITERALnone", "LITERALnone"},
                                            {"teralnone", "teralnone"}};
  hw_column out[5];
  batch *into = batch_new_view((batch *)b, b->schema);
  for (int i = 0; i < 5; i++) {
    evaluator *ev = evaluator_new(trees[i], NULL);
    eval_error err;
    ck_assert_int_eq(evaluator_run(ev, b, NULL, 300, &into->pub, &out[i], &err), HW_OK);
    evaluator_free(ev);
  }
  memset(word, 'X', strlen(word));
  memset(none, 'X', strlen(none));
  free(word);
  free(none);
  hw_batch_unref(b);
  hw_type t = type_of("VARCHAR");
  for (int i = 0; i < 5; i++)
    for (uint32_t row = 0; row < 300; row++) ck_assert_str_eq(text_at(&t, &out[i], row), expected[i][row % 3 != 0]);
  hw_batch_unref(&into->pub);
}
END_TEST

START_TEST(steady_state_allocates_nothing) {
  static const char *const types[] = {"INT", "VARCHAR"};
  hw_batch *b = batch_of_types(types, 2, 4000);
  for (uint32_t row = 0; row < 4000; row++) {
    set_cell(b, 0, row, row % 5 ? "12" : NULL);
    set_cell(b, 1, row, "Some Text");
  }
  expr *e = tree3(EXPR_CASE, "VARCHAR",
                  tree2(EXPR_AND, "BOOLEAN", tree2(EXPR_GT, "BOOLEAN", column(0, "INT"), literal("INT", "3")),
                        tree2(EXPR_LIKE, "BOOLEAN", tree1(EXPR_LOWER, "VARCHAR", column(1, "VARCHAR")),
                              literal("VARCHAR", "%text"))),
                  tree2(EXPR_CONCAT, "VARCHAR", column(1, "VARCHAR"), tree1(EXPR_CAST, "VARCHAR", column(0, "INT"))),
                  column(1, "VARCHAR"));
  evaluator *ev = evaluator_new(e, NULL);
  hw_column out;
  eval_error err;
  struct mallinfo2 before = {0}, after;
  for (int i = 0; i < 20; i++) {
    if (i == 3) before = mallinfo2();
    ck_assert_int_eq(evaluator_run(ev, b, NULL, 4000, NULL, &out, &err), HW_OK);
  }
  after = mallinfo2();
  ck_assert_uint_eq(before.uordblks, after.uordblks);
  evaluator_free(ev);
  hw_batch_unref(b);
}
END_TEST

START_TEST(constants) {
  hw_value v;
  void *keep;
  hw_error err;
  expr *sum = tree2(EXPR_ADD, "INT", literal("INT", "2"), literal("INT", "3"));
  ck_assert_int_eq(expr_constant(sum, &v, &keep, &err), HW_OK);
  ck_assert(!v.is_null && v.u.i64 == 5 && keep == NULL);
  expr *text = tree2(EXPR_CONCAT, "VARCHAR", literal("VARCHAR", "ab"), literal("VARCHAR", "c"));
  ck_assert_int_eq(expr_constant(text, &v, &keep, &err), HW_OK);
  ck_assert(v.u.str.len == 3 && memcmp(v.u.str.data, "abc", 3) == 0 && keep != NULL);
  free(keep);
  expr *null = tree2(EXPR_ADD, "INT", literal("INT", "2"), literal("INT", NULL));
  ck_assert_int_eq(expr_constant(null, &v, &keep, &err), HW_OK);
  ck_assert(v.is_null);
  expr *wrong = tree2(EXPR_DIV, "INT", literal("INT", "2"), literal("INT", "0"));
  ck_assert_int_eq(expr_constant(wrong, &v, &keep, &err), HW_EEVAL);
  ck_assert_str_eq(err.message, "division by zero");
  expr *guarded = tree3(EXPR_CASE, "INT", literal("BOOLEAN", "false"), wrong, literal("INT", "7"));
  ck_assert_int_eq(expr_constant(guarded, &v, &keep, &err), HW_OK);
  ck_assert_int_eq(v.u.i64, 7);
  expr *negative = tree1(EXPR_CAST, "TINYINT", literal("VARCHAR", "-5"));
  ck_assert_int_eq(expr_constant(negative, &v, &keep, &err), HW_OK);
  ck_assert_int_eq(v.u.i64, -5);
  expr *padded = tree1(EXPR_CAST, "CHAR(3)", literal("VARCHAR", "x"));
  ck_assert_int_eq(expr_constant(padded, &v, &keep, &err), HW_OK);
  ck_assert(v.u.str.len == 3 && memcmp(v.u.str.data, "x  ", 3) == 0);
  free(keep);
}
END_TEST

/* A budget that is used up fails the run, and nothing else. */
START_TEST(no_memory_is_an_error) {
  static const char *const types[] = {"INT"};
  mem small;
  ck_assert_int_eq(mem_init(&small, 64 << 10), HW_OK);
  batch *b = batch_new(&small, schema_of(types, 1), 64), *into = batch_new(&small, schema_of(types, 1), 64);
  ck_assert(b && into);
  b->pub.n_rows = 64;
  for (uint32_t row = 0; row < 64; row++) set_cell(&b->pub, 0, row, "7");
  expr *e = tree1(EXPR_CAST, "CHAR(2000)", column(0, "INT"));
  evaluator *ev = evaluator_new(e, NULL);
  hw_column out;
  eval_error err;
  ck_assert_int_eq(evaluator_run(ev, &b->pub, NULL, 64, &into->pub, &out, &err), HW_ENOMEM);
  ck_assert_int_eq(err.error.status, HW_ENOMEM);
  ck_assert_int_eq(evaluator_run(ev, &b->pub, NULL, 64, NULL, &out, &err), HW_OK);
  evaluator_free(ev);
  hw_batch_unref(&b->pub);
  hw_batch_unref(&into->pub);
  mem_fini(&small);
}
END_TEST

static Suite *expr_rows_suite(void) {
  Suite *s = suite_create("expr_rows");
  TCase *t = tcase_create("all");
  tcase_set_timeout(t, 60);
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, in_lists);
  tcase_add_test(t, guards);
  tcase_add_test(t, rubbish_under_null);
  tcase_add_test(t, filters);
  tcase_add_test(t, random_trees);
  tcase_add_test(t, results_outlive_the_tree);
  tcase_add_test(t, steady_state_allocates_nothing);
  tcase_add_test(t, constants);
  tcase_add_test(t, no_memory_is_an_error);
  suite_add_tcase(s, t);
  return s;
}

int main(void) {
  SRunner *runner = srunner_create(expr_rows_suite());
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
