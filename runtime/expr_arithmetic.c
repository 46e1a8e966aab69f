/* expr_arithmetic.c - + - * / %, unary minus and ABS.
 *
 * Integer kernels compute in unsigned arithmetic, which wraps, and gather in the
 * top bit of one word whether any row has overflowed: from sign bits for sums, by
 * widening for products. Loops stay free of branches, so that they become vector
 * code; which row failed, and whether it counts, is looked up afterwards.
 * Division has no vector form and tests each divisor. */
#include "runtime/expr_decimal.h"
#include "runtime/expr_eval.h"

#include <math.h>

/* Returns whether a row may have failed. */
typedef bool binary_kernel(void *out, const vec *a, const vec *b, const rows *r);
typedef bool unary_kernel(void *out, const vec *a, const rows *r);

#define INLINE static inline __attribute__((always_inline))

/* ---- one row ------------------------------------------------------------------------- */

/* S: the type; U: unsigned, of its width. */
#define SIGNED_STEPS(name, S, U, MIN)                                                                                  \
  INLINE S add_##name(S x, S y, U *failed) {                                                                           \
    U s = (U)((U)x + (U)y);                                                                                            \
    *failed |= (U)(((U)x ^ s) & ((U)y ^ s));                                                                           \
    return (S)s;                                                                                                       \
  }                                                                                                                    \
  INLINE S sub_##name(S x, S y, U *failed) {                                                                           \
    U s = (U)((U)x - (U)y);                                                                                            \
    *failed |= (U)(((U)x ^ (U)y) & ((U)x ^ s));                                                                        \
    return (S)s;                                                                                                       \
  }                                                                                                                    \
  INLINE S div_##name(S x, S y, U *failed) {                                                                           \
    bool wrong = y == 0 || (y == -1 && x == (MIN));                                                                    \
    *failed |= (U) - (U)wrong;                                                                                         \
    return (S)(wrong ? 0 : x / y);                                                                                     \
  }                                                                                                                    \
  INLINE S mod_##name(S x, S y, U *failed) {                                                                           \
    *failed |= (U) - (U)(y == 0);                                                                                      \
    return (S)(y == 0 || y == -1 ? 0 : x % y);                                                                         \
  }                                                                                                                    \
  INLINE S abs_##name(S x, U *failed) {                                                                                \
    U m = x < 0 ? (U)(0 - (U)x) : (U)x;                                                                                \
    *failed |= m; /* only -MIN still has the top bit */                                                                \
    return (S)m;                                                                                                       \
  }

#define UNSIGNED_STEPS(name, S, U)                                                                                     \
  INLINE S add_##name(S x, S y, U *failed) {                                                                           \
    U s = (U)(x + y);                                                                                                  \
    *failed |= (U)((x & y) | ((x | y) & (U)~s));                                                                       \
    return s;                                                                                                          \
  }                                                                                                                    \
  INLINE S sub_##name(S x, S y, U *failed) {                                                                           \
    U s = (U)(x - y);                                                                                                  \
    *failed |= (U)(((U)~x & y) | ((U) ~(x ^ y) & s));                                                                  \
    return s;                                                                                                          \
  }                                                                                                                    \
  INLINE S div_##name(S x, S y, U *failed) {                                                                           \
    *failed |= (U) - (U)(y == 0);                                                                                      \
    return (S)(y == 0 ? 0 : x / y);                                                                                    \
  }                                                                                                                    \
  INLINE S mod_##name(S x, S y, U *failed) {                                                                           \
    *failed |= (U) - (U)(y == 0);                                                                                      \
    return (S)(y == 0 ? 0 : x % y);                                                                                    \
  }                                                                                                                    \
  INLINE S abs_##name(S x, U *failed) {                                                                                \
    (void)failed;                                                                                                      \
    return x;                                                                                                          \
  }

/* W: twice as wide. */
#define WIDE_MUL(name, S, U, W)                                                                                        \
  INLINE S mul_##name(S x, S y, U *failed) {                                                                           \
    W p = (W)((W)x * (W)y);                                                                                            \
    *failed |= (U) - (U)(p != (W)(S)p);                                                                                \
    return (S)p;                                                                                                       \
  }

#define CHECKED_MUL(name, S, U)                                                                                        \
  INLINE S mul_##name(S x, S y, U *failed) {                                                                           \
    S p;                                                                                                               \
    *failed |= (U) - (U)__builtin_mul_overflow(x, y, &p);                                                              \
    return p;                                                                                                          \
  }

/* Floats never fail; `failed` is there for the kernels' sake. */
#define FLOAT_STEPS(name, S, modulo, absolute)                                                                         \
  INLINE S add_##name(S x, S y, uint32_t *failed) {                                                                    \
    return (void)failed, x + y;                                                                                        \
  }                                                                                                                    \
  INLINE S sub_##name(S x, S y, uint32_t *failed) {                                                                    \
    return (void)failed, x - y;                                                                                        \
  }                                                                                                                    \
  INLINE S mul_##name(S x, S y, uint32_t *failed) {                                                                    \
    return (void)failed, x * y;                                                                                        \
  }                                                                                                                    \
  INLINE S div_##name(S x, S y, uint32_t *failed) {                                                                    \
    return (void)failed, x / y;                                                                                        \
  }                                                                                                                    \
  INLINE S mod_##name(S x, S y, uint32_t *failed) {                                                                    \
    return (void)failed, modulo(x, y);                                                                                 \
  }                                                                                                                    \
  INLINE S abs_##name(S x, uint32_t *failed) {                                                                         \
    return (void)failed, absolute(x);                                                                                  \
  }

SIGNED_STEPS(i8, int8_t, uint8_t, INT8_MIN)
SIGNED_STEPS(i16, int16_t, uint16_t, INT16_MIN)
SIGNED_STEPS(i32, int32_t, uint32_t, INT32_MIN)
SIGNED_STEPS(i64, int64_t, uint64_t, INT64_MIN)
UNSIGNED_STEPS(u8, uint8_t, uint8_t)
UNSIGNED_STEPS(u16, uint16_t, uint16_t)
UNSIGNED_STEPS(u32, uint32_t, uint32_t)
UNSIGNED_STEPS(u64, uint64_t, uint64_t)
WIDE_MUL(i8, int8_t, uint8_t, int32_t)
WIDE_MUL(i16, int16_t, uint16_t, int32_t)
WIDE_MUL(i32, int32_t, uint32_t, int64_t)
CHECKED_MUL(i64, int64_t, uint64_t)
WIDE_MUL(u8, uint8_t, uint8_t, uint32_t)
WIDE_MUL(u16, uint16_t, uint16_t, uint32_t)
WIDE_MUL(u32, uint32_t, uint32_t, uint64_t)
CHECKED_MUL(u64, uint64_t, uint64_t)
FLOAT_STEPS(f32, float, fmodf, fabsf)
FLOAT_STEPS(f64, double, fmod, fabs)

/* ---- kernels --------------------------------------------------------------------------- */

/* The masks are constants after inlining: `row & 0` is a constant argument. */
#define BINARY_KERNEL(step, S, U)                                                                                      \
  INLINE bool step##_rows(S *restrict to, const S *restrict x, const S *restrict y, const rows *r, uint32_t x_mask,    \
                          uint32_t y_mask) {                                                                           \
    U failed = 0;                                                                                                      \
    if (!r->sel)                                                                                                       \
      for (uint32_t row = 0; row < r->n; row++) to[row] = step(x[row & x_mask], y[row & y_mask], &failed);             \
    else                                                                                                               \
      for (uint32_t i = 0; i < r->n; i++) {                                                                            \
        uint32_t row = r->sel[i];                                                                                      \
        to[row] = step(x[row & x_mask], y[row & y_mask], &failed);                                                     \
      }                                                                                                                \
    return failed >> (sizeof(U) * 8 - 1);                                                                              \
  }                                                                                                                    \
  static bool step##_kernel(void *out, const vec *a, const vec *b, const rows *r) {                                    \
    if (b->constant) return step##_rows(out, a->values, b->values, r, UINT32_MAX, 0);                                  \
    if (a->constant) return step##_rows(out, a->values, b->values, r, 0, UINT32_MAX);                                  \
    return step##_rows(out, a->values, b->values, r, UINT32_MAX, UINT32_MAX);                                          \
  }

#define UNARY_KERNEL(step, S, U)                                                                                       \
  static bool step##_kernel(void *out, const vec *a, const rows *r) {                                                  \
    S *restrict to = out;                                                                                              \
    const S *restrict x = a->values;                                                                                   \
    U failed = 0;                                                                                                      \
    if (!r->sel)                                                                                                       \
      for (uint32_t row = 0; row < r->n; row++) to[row] = step(x[row], &failed);                                       \
    else                                                                                                               \
      for (uint32_t i = 0; i < r->n; i++) to[r->sel[i]] = step(x[r->sel[i]], &failed);                                 \
    return failed >> (sizeof(U) * 8 - 1);                                                                              \
  }

#define KERNELS(name, S, U)                                                                                            \
  BINARY_KERNEL(add_##name, S, U)                                                                                      \
  BINARY_KERNEL(sub_##name, S, U)                                                                                      \
  BINARY_KERNEL(mul_##name, S, U)                                                                                      \
  BINARY_KERNEL(div_##name, S, U)                                                                                      \
  BINARY_KERNEL(mod_##name, S, U)                                                                                      \
  UNARY_KERNEL(abs_##name, S, U)

KERNELS(i8, int8_t, uint8_t)
KERNELS(i16, int16_t, uint16_t)
KERNELS(i32, int32_t, uint32_t)
KERNELS(i64, int64_t, uint64_t)
KERNELS(u8, uint8_t, uint8_t)
KERNELS(u16, uint16_t, uint16_t)
KERNELS(u32, uint32_t, uint32_t)
KERNELS(u64, uint64_t, uint64_t)
KERNELS(f32, float, uint32_t)
KERNELS(f64, double, uint32_t)

#define TABLE(name)                                                                                                    \
  {                                                                                                                    \
    {add_##name##_kernel, sub_##name##_kernel, mul_##name##_kernel, div_##name##_kernel, mod_##name##_kernel},         \
        abs_##name##_kernel                                                                                            \
  }

static const struct {
  binary_kernel *binary[EXPR_MOD - EXPR_ADD + 1];
  unary_kernel *abs;
} kernels[] = {
    [HW_TYPE_TINYINT] = TABLE(i8), [HW_TYPE_SMALLINT] = TABLE(i16), [HW_TYPE_INT] = TABLE(i32),
    [HW_TYPE_BIGINT] = TABLE(i64), [HW_TYPE_UTINYINT] = TABLE(u8),  [HW_TYPE_USMALLINT] = TABLE(u16),
    [HW_TYPE_UINT] = TABLE(u32),   [HW_TYPE_UBIGINT] = TABLE(u64),  [HW_TYPE_REAL] = TABLE(f32),
    [HW_TYPE_DOUBLE] = TABLE(f64),
};

_Static_assert(EXPR_SUB == EXPR_ADD + 1 && EXPR_MUL == EXPR_ADD + 2 && EXPR_DIV == EXPR_ADD + 3 &&
                   EXPR_MOD == EXPR_ADD + 4,
               "the kernel table follows expr_op");

/* ---- failures --------------------------------------------------------------------------- */

static const struct {
  const char *name;
  char sign;
} operations[] = {
    [EXPR_ADD] = {"addition", '+'}, [EXPR_SUB] = {"subtraction", '-'}, [EXPR_MUL] = {"multiplication", '*'},
    [EXPR_DIV] = {"division", '/'}, [EXPR_MOD] = {"modulo", '%'},
};

/* The exact result, if 128 bits hold it. */
static bool exact(expr_op op, hw_int128 x, hw_int128 y, hw_int128 *out) {
  switch (op) {
  case EXPR_ADD:
    return !__builtin_add_overflow(x, y, out);
  case EXPR_SUB:
    return !__builtin_sub_overflow(x, y, out);
  case EXPR_MUL:
    return !__builtin_mul_overflow(x, y, out);
  case EXPR_DIV:
    return y != 0 && (*out = x / y, true);
  default:
    return y != 0 && (*out = x % y, true);
  }
}

static hw_status integer_failure(evaluator *ev, const node *nd, uint32_t row, hw_int128 x, hw_int128 y) {
  expr_op op = nd->e->op;
  if (y == 0 && (op == EXPR_DIV || op == EXPR_MOD)) return eval_fail(ev, nd, row, "division by zero");
  hw_type shown = {.id = HW_TYPE_DECIMAL, .precision = HW_DECIMAL_MAX_PRECISION};
  char a[EVAL_SHOWN], b[EVAL_SHOWN];
  return eval_fail(ev, nd, row, "integer overflow in %s %s: %s %c %s", hw_type_name((hw_type_id)nd->type.id),
                   operations[op].name, eval_show(&shown, &x, a), operations[op].sign, eval_show(&shown, &y, b));
}

/* A kernel says that some row may have failed: finds the first that counts. */
static hw_status find_failure(evaluator *ev, const node *nd, const rows *r, const vec *args, const uint64_t *validity) {
  hw_type_id id = (hw_type_id)nd->type.id;
  size_t width = hw_type_width(id);
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    if (validity && !bit_get(validity, row)) continue;
    hw_int128 x = integer_at(id, (const char *)args[0].values + vec_at(&args[0], row) * width), z = 0;
    hw_int128 y = integer_at(id, (const char *)args[1].values + vec_at(&args[1], row) * width);
    if (!exact(nd->e->op, x, y, &z) || !integer_fits(id, z)) return integer_failure(ev, nd, row, x, y);
  }
  return HW_OK;
}

/* As above for -x and ABS(x), which only fail on what has no counterpart of the other sign. */
static hw_status find_unary_failure(evaluator *ev, const node *nd, const rows *r, const vec *arg,
                                    const uint64_t *validity) {
  hw_type_id id = (hw_type_id)nd->type.id;
  bool is_abs = nd->e->op == EXPR_ABS;
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    if (validity && !bit_get(validity, row)) continue;
    const char *slot = (const char *)arg->values + vec_at(arg, row) * hw_type_width(id);
    hw_int128 x = integer_at(id, slot);
    if (integer_fits(id, is_abs && x > 0 ? x : -x)) continue;
    char a[EVAL_SHOWN];
    return eval_fail(ev, nd, row, "integer overflow in %s %s: %s%s%s", hw_type_name(id),
                     is_abs ? "absolute value" : "negation", is_abs ? "ABS(" : "-(", eval_show(&nd->type, slot, a),
                     ")");
  }
  return HW_OK;
}

/* ---- evaluation ---------------------------------------------------------------------------- */

static bool is_decimal(const node *nd) {
  return nd->type.id == HW_TYPE_DECIMAL;
}
static bool is_float(const node *nd) {
  return nd->type.id == HW_TYPE_REAL || nd->type.id == HW_TYPE_DOUBLE;
}

/* Floats cannot fail. */
static hw_status plan_arithmetic(evaluator *ev, node *nd) {
  (void)ev;
  nd->fallible = !is_float(nd);
  return HW_OK;
}

static hw_status run_binary(evaluator *ev, const node *nd, const rows *r, vec *args, vec *out) {
  void *to = vec_make(ev, nd, r, out);
  if (!to) return eval_no_memory(ev, nd);
  hw_status st = vec_join_validity(ev, nd, r, args, 2, out);
  if (st != HW_OK) return st;
  if (is_decimal(nd)) return decimal_arithmetic(ev, nd, r, args, out->validity, to);
  bool failed = kernels[nd->type.id].binary[nd->e->op - EXPR_ADD](to, &args[0], &args[1], r);
  return failed && !is_float(nd) ? find_failure(ev, nd, r, args, out->validity) : HW_OK;
}

static hw_status eval_arithmetic(evaluator *ev, const node *nd, const rows *r, vec *out) {
  vec args[NODE_ARGS];
  bool done;
  hw_status st = node_eval_strict(ev, nd, r, args, out, &done);
  if (st != HW_OK || done) return st;
  st = run_binary(ev, nd, r, args, out);
  if (st != HW_OK) vec_drop(ev, out);
  vec_drop_all(ev, args, 2);
  return st;
}

const op_info op_arithmetic = {.eval = eval_arithmetic, .plan = plan_arithmetic, .fallible = true, .cheap = true};

static void negate_decimals(const hw_int128 *from, const rows *r, bool only_negative, hw_int128 *to) {
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    /* Unsigned, for what a NULL row may hold. */
    to[row] = only_negative && from[row] >= 0 ? from[row] : (hw_int128)(0 - (hw_uint128)from[row]);
  }
}

/* -x is 0 - x, but for floats, where that would lose the sign of zero. */
static bool negate(const node *nd, void *to, const vec *arg, const rows *r) {
  static const hw_int128 zero = 0;
  static const float minus_one_f = -1;
  static const double minus_one = -1;
  hw_type_id id = (hw_type_id)nd->type.id;
  vec other = {.values = &zero, .constant = true};
  if (!is_float(nd)) return kernels[id].binary[EXPR_SUB - EXPR_ADD](to, &other, arg, r);
  other.values = id == HW_TYPE_REAL ? (const void *)&minus_one_f : (const void *)&minus_one;
  return kernels[id].binary[EXPR_MUL - EXPR_ADD](to, arg, &other, r);
}

static hw_status run_unary(evaluator *ev, const node *nd, const rows *r, vec *arg, vec *out) {
  void *to = vec_make(ev, nd, r, out);
  if (!to) return eval_no_memory(ev, nd);
  hw_status st = vec_join_validity(ev, nd, r, arg, 1, out);
  if (st != HW_OK) return st;
  bool is_abs = nd->e->op == EXPR_ABS, failed = false;
  if (is_decimal(nd))
    negate_decimals(arg->values, r, is_abs, to);
  else
    failed = is_abs ? kernels[nd->type.id].abs(to, arg, r) : negate(nd, to, arg, r);
  return failed && !is_float(nd) ? find_unary_failure(ev, nd, r, arg, out->validity) : HW_OK;
}

static hw_status eval_unary(evaluator *ev, const node *nd, const rows *r, vec *out) {
  vec arg;
  bool done;
  hw_status st = node_eval_strict(ev, nd, r, &arg, out, &done);
  if (st != HW_OK || done) return st;
  st = run_unary(ev, nd, r, &arg, out);
  if (st != HW_OK) vec_drop(ev, out);
  vec_drop(ev, &arg);
  return st;
}

const op_info op_negate = {.eval = eval_unary, .plan = plan_arithmetic, .fallible = true, .cheap = true};
const op_info op_abs = {.eval = eval_unary, .plan = plan_arithmetic, .fallible = true, .cheap = true};
