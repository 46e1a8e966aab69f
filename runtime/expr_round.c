/* expr_round.c - ROUND, FLOOR, CEIL. */
#include "runtime/expr_decimal.h"

#include <math.h>

/* ---- floats ------------------------------------------------------------------------------- */

static double power_of_ten(int64_t digits) {
  return digits > 400 ? HUGE_VAL : pow(10, (double)digits);
}

/* To `digits` places, or tens where negative. */
static double round_double(double v, int64_t digits) {
  if (digits == 0) return round(v);
  if (digits > 0) {
    double scaled = v * power_of_ten(digits);
    /* From 2^52 on there is no fraction left to round. */
    return fabs(scaled) < 4503599627370496.0 ? round(scaled) / power_of_ten(digits) : v;
  }
  double unit = power_of_ten(-digits);
  if (!isfinite(v)) return v;
  return isinf(unit) ? copysign(0, v) : round(v / unit) * unit;
}

static double round_as(expr_op op, double v, int64_t digits) {
  return op == EXPR_FLOOR ? floor(v) : op == EXPR_CEIL ? ceil(v) : round_double(v, digits);
}

/* ---- any number ------------------------------------------------------------------------------ */

static const decimal_rounding roundings[] = {
    [EXPR_ROUND] = DECIMAL_HALF_AWAY, [EXPR_FLOOR] = DECIMAL_FLOOR, [EXPR_CEIL] = DECIMAL_CEIL};

static bool round_decimal(const node *nd, hw_int128 v, int64_t digits, hw_int128 *out) {
  unsigned scale = nd->args[0]->type.scale;
  return decimal_round(v, scale, digits, roundings[nd->e->op], &v) && decimal_rescale(v, scale, nd->type.scale, out) &&
         decimal_fits(*out, nd->type.precision);
}

static bool round_integer(const node *nd, const void *in, int64_t digits, void *out) {
  hw_type_id id = (hw_type_id)nd->type.id;
  hw_int128 v = integer_at(id, in);
  if (!decimal_round(v, 0, digits, DECIMAL_HALF_AWAY, &v) || !integer_fits(id, v)) return false;
  integer_put(id, out, v);
  return true;
}

/* False: the result is out of range. */
static bool round_value(const node *nd, const void *in, int64_t digits, void *out) {
  switch (nd->type.id) {
  case HW_TYPE_REAL:
    *(float *)out = (float)round_as(nd->e->op, (double)*(const float *)in, digits);
    return true;
  case HW_TYPE_DOUBLE:
    *(double *)out = round_as(nd->e->op, *(const double *)in, digits);
    return true;
  case HW_TYPE_DECIMAL:
    return round_decimal(nd, *(const hw_int128 *)in, digits, out);
  default:
    return round_integer(nd, in, digits, out);
  }
}

static hw_status fill_round(evaluator *ev, const node *nd, const rows *r, const vec *args, vec *out) {
  size_t width = hw_type_width((hw_type_id)nd->type.id);
  char *to = vec_array(out);
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    if (!vec_filled(out, row)) continue;
    int64_t digits = nd->n_args > 1 ? ((const int32_t *)args[1].values)[vec_at(&args[1], row)] : 0;
    const char *in = (const char *)args[0].values + vec_at(&args[0], row) * width;
    if (round_value(nd, in, digits, to + row * width)) continue;
    char shown[EVAL_SHOWN];
    return eval_fail(ev, nd, row, "overflow in %s rounding: %s", hw_type_name((hw_type_id)nd->type.id),
                     eval_show(&nd->args[0]->type, in, shown));
  }
  return HW_OK;
}

static bool is_identity(const node *nd) {
  return hw_type_is_integer((hw_type_id)nd->type.id) && nd->n_args < 2;
}

static hw_status plan_round(evaluator *ev, node *nd) {
  (void)ev;
  bool is_float = nd->type.id == HW_TYPE_REAL || nd->type.id == HW_TYPE_DOUBLE;
  nd->fallible = !is_float && !is_identity(nd);
  return HW_OK;
}

static hw_status eval_round(evaluator *ev, const node *nd, const rows *r, vec *out) {
  if (is_identity(nd)) return node_eval(ev, nd->args[0], r, out);
  return node_eval_fill(ev, nd, r, out, fill_round);
}

const op_info op_round = {.eval = eval_round, .plan = plan_round, .fallible = true};
