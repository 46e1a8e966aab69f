/* operators.c - operators: the types they take, and what they give. */
#include "sql/analyze.h"

#include <string.h>

static const char *symbol(expr_op op) {
  switch (op) {
  case EXPR_ADD: return "+";
  case EXPR_SUB: return "-";
  case EXPR_MUL: return "*";
  case EXPR_DIV: return "/";
  case EXPR_MOD: return "%";
  case EXPR_EQ: return "=";
  case EXPR_NE: return "<>";
  case EXPR_LT: return "<";
  case EXPR_LE: return "<=";
  case EXPR_GT: return ">";
  case EXPR_GE: return ">=";
  case EXPR_IS_DISTINCT: return "IS DISTINCT FROM";
  case EXPR_IS_NOT_DISTINCT: return "IS NOT DISTINCT FROM";
  default: return "?";
  }
}

static hw_type boolean(void) { return typing_make(HW_TYPE_BOOLEAN); }

/* ---- comparisons ------------------------------------------------------------------ */

/* NULLs only: of the type that costs least. */
static bool type_nulls(scope *s, const ast *at, expr **args, uint32_t n, hw_type *type) {
  if (type->id != HW_TYPE_NULL) return true;
  *type = boolean();
  for (uint32_t i = 0; i < n; i++)
    if (!(args[i] = convert_implied(s, at, args[i], *type))) return false;
  return true;
}

expr *operator_compare(scope *s, const ast *at, expr_op op, expr *a, expr *b) {
  expr *args[] = {a, b};
  hw_type type;
  if (!convert_together(s, at, symbol(op), args, 2, CONVERT_COMPARE, &type)) return NULL;
  if (!type_nulls(s, at, args, 2, &type)) return NULL;
  bool distinct = op == EXPR_IS_DISTINCT || op == EXPR_IS_NOT_DISTINCT;
  expr *e = node_plain(s, &at->span, op, boolean(), args, 2);
  if (e && distinct) e->type.nullable = false;
  return node_fold(s, &at->span, e);
}

/* An operand that has to stand several times in the tree is kept small. */
#define REPEATED_MAX 10000

static bool repeatable(scope *s, const ast *at, const expr *e) {
  if (node_is_small(e, REPEATED_MAX)) return true;
  compiler_error(s->c, &at->span, "this expression is too large to be compared several times: compute it in a view of "
                                  "its own");
  return false;
}

expr *operator_between(scope *s, const ast *at, expr *a, expr *low, expr *high) {
  if (!a || !low || !high || !repeatable(s, at, a)) return NULL;
  expr *args[] = {operator_compare(s, at, EXPR_GE, a, low), operator_compare(s, at, EXPR_LE, a, high)};
  return node_make(s, at, EXPR_AND, boolean(), args, 2);
}

expr *operator_in(scope *s, const ast *at, expr **args, uint32_t n) {
  hw_type type;
  if (!convert_together(s, at, "IN", args, n, CONVERT_COMPARE, &type)) return NULL;
  if (!type_nulls(s, at, args, n, &type)) return NULL;
  return node_make(s, at, EXPR_IN, boolean(), args, n);
}

/* ---- chains -------------------------------------------------------------------------- */

/* Order of evaluation is from left to right in the balanced tree too. */
expr *operator_logic(scope *s, const ast *at, expr_op op, expr **args, uint32_t n) {
  if (n == 1) return args[0];
  expr *halves[] = {operator_logic(s, at, op, args, n / 2), operator_logic(s, at, op, args + n / 2, n - n / 2)};
  return node_make(s, at, op, boolean(), halves, 2);
}

expr *operator_concat(scope *s, const ast *at, expr **args, uint32_t n) {
  uint64_t length = 0;
  bool bounded = true;
  for (uint32_t i = 0; i < n; i++) {
    if (!args[i]) return NULL;
    bounded = bounded && args[i]->type.length;
    length += args[i]->type.length;
  }
  hw_type type = {.id = args[0]->type.id, .length = bounded && length <= INT32_MAX ? (uint32_t)length : 0};
  return n == 1 ? args[0] : node_make(s, at, EXPR_CONCAT, type, args, n);
}

/* ---- arithmetic ------------------------------------------------------------------------ */

static bool check_numeric(scope *s, const ast *at, expr_op op, const expr *e) {
  hw_type_id id = (hw_type_id)e->type.id;
  if (hw_type_is_numeric(id) || id == HW_TYPE_NULL) return true;
  char text[TYPING_TEXT];
  bool moment = id == HW_TYPE_DATE || id == HW_TYPE_TIME || id == HW_TYPE_TIMESTAMP;
  bool joins = hw_type_is_text(id) && op == EXPR_ADD;
  compiler_error(s->c, &at->span, "%s needs numbers, found %s%s", symbol(op), typing_text(&e->type, text),
                 moment ? "; not supported yet: arithmetic on dates and times, intervals"
                 : joins ? "; strings are joined with ||" : "");
  return false;
}

/* A string literal beside a number is meant as one. */
static bool numbers_of_strings(scope *s, const ast *at, expr **args) {
  for (int i = 0; i < 2; i++) {
    const hw_type *other = &args[1 - i]->type;
    if (!node_is_text(args[i]) || !hw_type_is_numeric((hw_type_id)other->id)) continue;
    if (!(args[i] = convert_implied(s, at, args[i], *other))) return false;
  }
  return true;
}

static expr *decimal_arithmetic(scope *s, const ast *at, expr_op op, expr **args, hw_type common) {
  hw_type types[] = {typing_as_decimal(&args[0]->type), typing_as_decimal(&args[1]->type)};
  hw_type result = typing_decimal_result(op, &types[0], &types[1]);
  bool one_scale = op == EXPR_ADD || op == EXPR_SUB || op == EXPR_MOD;
  for (int i = 0; i < 2; i++) {
    if (one_scale) types[i] = types[i].scale == common.scale ? types[i] : common;
    if (!(args[i] = convert_implied(s, at, args[i], types[i]))) return NULL;
  }
  return node_make(s, at, op, result, args, 2);
}

expr *operator_arithmetic(scope *s, const ast *at, expr_op op, expr *a, expr *b) {
  if (!a || !b) return NULL;
  expr *args[] = {a, b};
  if (!numbers_of_strings(s, at, args)) return NULL;
  if (!check_numeric(s, at, op, args[0]) || !check_numeric(s, at, op, args[1])) return NULL;
  hw_type common;
  if (!convert_common(s, at, symbol(op), args, 2, CONVERT_VALUE, &common)) return NULL;
  if (common.id == HW_TYPE_NULL) common = typing_make(HW_TYPE_INT);
  if (node_is_null(args[0]) || node_is_null(args[1])) return node_null(s, at, common);
  if (common.id == HW_TYPE_DECIMAL) return decimal_arithmetic(s, at, op, args, common);
  for (int i = 0; i < 2; i++)
    if (!(args[i] = convert_implied(s, at, args[i], common))) return NULL;
  return node_make(s, at, op, common, args, 2);
}

expr *operator_negate(scope *s, const ast *at, expr *a) {
  if (!a || !check_numeric(s, at, EXPR_SUB, a)) return NULL;
  if (a->type.id == HW_TYPE_NULL) return node_null(s, at, typing_make(HW_TYPE_INT));
  hw_type type = typing_negated(&a->type);
  expr *arg = convert_implied(s, at, a, type);
  return node_make(s, at, EXPR_NEG, type, &arg, 1);
}

/* ---- CASE --------------------------------------------------------------------------------- */

/* args: condition, value, ..., else; the values become one type. */
expr *operator_case(scope *s, const ast *at, expr **args, uint32_t n) {
  uint32_t n_values = n / 2 + 1;
  expr **values = arena_alloc(s->c->memory, n_values * sizeof *values);
  if (!values) return NULL;
  for (uint32_t i = 0; i < n_values; i++) values[i] = args[i + 1 < n_values ? 2 * i + 1 : n - 1];
  hw_type type;
  if (!convert_together(s, at, "CASE", values, n_values, CONVERT_VALUE, &type)) return NULL;
  if (type.id == HW_TYPE_NULL) return node_null(s, at, type);
  bool nullable = false;
  for (uint32_t i = 0; i < n_values; i++) {
    args[i + 1 < n_values ? 2 * i + 1 : n - 1] = values[i];
    nullable |= values[i]->type.nullable;
  }
  expr *e = node_plain(s, &at->span, EXPR_CASE, type, args, n);
  if (e) e->type.nullable = nullable;
  return node_fold(s, &at->span, e);
}
