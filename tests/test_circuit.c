/* The circuit alone: unions, views over views, selections that are copied, weights,
 * and expressions that fail. */
#include "runtime/circuit.h"
#include "tests/require.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 4096

static mem memory;
static program *prog;
static circuit *c;

typedef struct seen {
  uint64_t batches, rows, copied;
  int64_t weighted_sum; /* of n times weight */
  bool right;           /* each string is its row's */
} seen;

static hw_status look(void *arg, batch *b) {
  seen *s = arg;
  s->batches++;
  if (!b->parent) s->copied++;
  for (uint32_t i = 0; i < hw_batch_count(&b->pub); i++) {
    uint32_t row = hw_batch_row(&b->pub, i);
    int64_t n = ((int64_t *)b->pub.columns[0].values)[row];
    const hw_str *text = &((hw_str *)b->pub.columns[1].values)[row];
    char want[32];
    int len = snprintf(want, sizeof want, "row %lld", (long long)n);
    bool null = !hw_column_valid(&b->pub.columns[1], row);
    bool right = n % 5 == 0 ? null : !null && text->len == (uint32_t)len && !memcmp(text->data, want, text->len);
    s->right = s->right && right;
    s->weighted_sum += n * hw_batch_weight(&b->pub, row);
    s->rows++;
  }
  return HW_OK;
}

static expr *make_expr(expr_op op, hw_type_id type, uint32_t n_args) {
  expr *e = program_alloc(prog, sizeof *e);
  *e = (expr){.op = op, .type = {.id = (uint8_t)type}, .n_args = n_args, .text = "e", .line = 1, .column = 1};
  e->args = program_alloc(prog, (n_args + 1) * sizeof *e->args);
  return e;
}

static expr *literal(int64_t v) {
  expr *e = make_expr(EXPR_LITERAL, HW_TYPE_BIGINT, 0);
  e->value.u.i64 = v;
  return e;
}

static expr *two(expr_op op, hw_type_id type, expr *a, expr *b) {
  expr *e = make_expr(op, type, 2);
  e->args[0] = a;
  e->args[1] = b;
  return e;
}

static expr *column(uint32_t index) {
  expr *e = make_expr(EXPR_COLUMN, index ? HW_TYPE_VARCHAR : HW_TYPE_BIGINT, 0);
  e->type.nullable = index == 1;
  e->index = index;
  return e;
}

/* 0: t(n, s).  1: a, those with n < `few`.  2: b, 1000 / (n - bad) > -2000 of a, which is all, or fails.
 * 3: u, t UNION ALL t UNION ALL b.  4: none, n < 0 of u. */
static void make(int64_t few, int64_t bad) {
  ck_assert_int_eq(mem_init(&memory, UINT64_C(1) << 30), HW_OK);
  prog = program_new();
  program_relation *r = program_alloc(prog, 5 * sizeof *r);
  hw_field *f = program_alloc(prog, 2 * sizeof *f);
  f[0] = (hw_field){.name = "n", .type = {.id = HW_TYPE_BIGINT}};
  f[1] = (hw_field){.name = "s", .type = {.id = HW_TYPE_VARCHAR, .nullable = true}};
  static const char *const names[] = {"t", "a", "b", "u", "none"};
  static const uint32_t n_branches[] = {0, 1, 1, 3, 1};
  static const uint32_t inputs[5][3] = {{0}, {0}, {1}, {0, 0, 2}, {3}};
  expr *divided = two(EXPR_DIV, HW_TYPE_BIGINT, literal(1000), two(EXPR_SUB, HW_TYPE_BIGINT, column(0), literal(bad)));
  expr *filters[] = {NULL, two(EXPR_LT, HW_TYPE_BOOLEAN, column(0), literal(few)),
                     two(EXPR_GT, HW_TYPE_BOOLEAN, divided, literal(-2000)), NULL,
                     two(EXPR_LT, HW_TYPE_BOOLEAN, column(0), literal(0))};
  const expr **project = program_alloc(prog, 2 * sizeof *project);
  project[0] = column(0);
  project[1] = column(1);
  for (uint32_t i = 0; i < 5; i++) {
    program_branch *b = program_alloc(prog, 3 * sizeof *b);
    for (uint32_t k = 0; k < n_branches[i]; k++)
      b[k] = (program_branch){.input = inputs[i][k], .filter = filters[i], .project = project};
    r[i] = (program_relation){.kind = i ? PROGRAM_VIEW : PROGRAM_TABLE, .n_branches = n_branches[i], .branches = b};
    r[i].schema = (hw_schema){.name = names[i], .n_fields = 2, .fields = f};
  }
  prog->relations = r;
  prog->n_relations = 5;
  c = circuit_new(prog);
  ck_assert_ptr_nonnull(c);
}

static void finish(void) {
  circuit_free(c);
  program_unref(prog);
  ck_assert_uint_eq(atomic_load(&memory.used), 0); /* no batch is left behind */
  mem_fini(&memory);
}

/* Rows 0 .. ROWS-1 with weights 1 and, every third, -2; every fifth string is null. */
static hw_status push(eval_error *err) {
  batch *b = batch_new(&memory, &prog->relations[0].schema, ROWS);
  ck_assert_ptr_nonnull(b);
  for (uint32_t i = 0; i < ROWS; i++) {
    char text[32];
    int len = snprintf(text, sizeof text, "row %u", i);
    ((int64_t *)b->pub.columns[0].values)[i] = i;
    if (i % 5) {
      REQUIRE(hw_batch_copy_str(&b->pub, text, (size_t)len, &((hw_str *)b->pub.columns[1].values)[i]));
      hw_column_set_valid(&b->pub.columns[1], i);
    }
    REQUIRE(hw_batch_set_weight(&b->pub, i, i % 3 ? 1 : -2));
  }
  b->pub.n_rows = ROWS;
  hw_status st = circuit_push(c, 0, b, err);
  hw_batch_unref(&b->pub);
  return st;
}

static int64_t sum_below(int64_t n) {
  int64_t sum = 0;
  for (int64_t i = 0; i < n; i++) sum += i * (i % 3 ? 1 : -2);
  return sum;
}

static const int64_t shares[] = {0, 1, 100, 256, 257, 3000, ROWS};

START_TEST(unions_and_selections_give_every_row_and_weight) {
  int64_t few = shares[_i];
  eval_error err = {0};
  seen u = {.right = true}, none = {.right = true};
  make(few, -1);
  ck_assert_int_eq(circuit_attach(c, 3, look, &u), HW_OK);
  ck_assert_int_eq(circuit_attach(c, 4, look, &none), HW_OK);
  ck_assert_int_eq(push(&err), HW_OK);
  ck_assert_uint_eq(u.rows, 2 * ROWS + (uint64_t)few);
  ck_assert_uint_eq(u.batches, few ? 3 : 2);
  ck_assert_uint_eq(u.copied, 0); /* a copy is made in view a, and u looks at it */
  ck_assert_int_eq(u.weighted_sum, 2 * sum_below(ROWS) + sum_below(few));
  ck_assert(u.right);
  ck_assert_uint_eq(none.batches, 0);
  ck_assert_uint_eq(circuit_relation_stats(c, 1).records, (uint64_t)few);
  ck_assert_uint_eq(circuit_relation_stats(c, 1).filtered, ROWS - (uint64_t)few);
  ck_assert_uint_eq(circuit_relation_stats(c, 4).filtered, 2 * ROWS + (uint64_t)few);
  ck_assert_uint_eq(circuit_relation_stats(c, 0).batches, 1);
  ck_assert_uint_eq(circuit_relation_stats(c, 1).batches, 1);
  ck_assert_uint_eq(circuit_relation_stats(c, 4).batches, u.batches);
  ck_assert_uint_gt(circuit_relation_stats(c, 1).ns, 0);
  ck_assert_uint_eq(circuit_relation_stats(c, 0).ns, 0);
  finish();
}
END_TEST

START_TEST(few_rows_are_copied_and_many_are_not) {
  int64_t few = shares[_i];
  eval_error err = {0};
  seen a = {.right = true};
  make(few, -1);
  ck_assert_int_eq(circuit_attach(c, 1, look, &a), HW_OK);
  ck_assert_int_eq(push(&err), HW_OK);
  ck_assert_uint_eq(a.copied, few > 0 && few <= ROWS / 16);
  ck_assert_uint_eq(a.rows, (uint64_t)few);
  ck_assert_int_eq(a.weighted_sum, sum_below(few));
  ck_assert(a.right);
  circuit_detach(c, 1, look, &a);
  ck_assert_int_eq(push(&err), HW_OK);
  ck_assert_uint_eq(a.rows, (uint64_t)few);
  finish();
}
END_TEST

START_TEST(an_error_names_its_row_and_leaves_nothing_behind) {
  eval_error err = {0};
  seen u = {.right = true};
  make(1000, 700);
  ck_assert_int_eq(circuit_attach(c, 3, look, &u), HW_OK);
  for (int i = 0; i < 3; i++) {
    ck_assert_int_eq(push(&err), HW_EEVAL);
    ck_assert_uint_eq(err.row, 700);
    ck_assert_ptr_nonnull(strstr(err.error.message, "zero"));
  }
  ck_assert(u.right);
  finish();
}
END_TEST

int main(void) {
  Suite *s = suite_create("circuit");
  TCase *t = tcase_create("circuit");
  int n = sizeof shares / sizeof *shares;
  tcase_add_loop_test(t, unions_and_selections_give_every_row_and_weight, 0, n);
  tcase_add_loop_test(t, few_rows_are_copied_and_many_are_not, 0, n);
  tcase_add_test(t, an_error_names_its_row_and_leaves_nothing_behind);
  suite_add_tcase(s, t);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failures = srunner_ntests_failed(r);
  srunner_free(r);
  return failures != 0;
}
