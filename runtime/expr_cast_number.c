/* expr_cast_number.c - CAST between numbers, truth values, dates and times. */
#include "runtime/expr_cast.h"
#include "runtime/expr_decimal.h"
#include "runtime/value_time.h"

#include <headworks/value.h>

/* ---- kernels: integers and floats ----------------------------------------------------- */

#define INLINE static inline __attribute__((always_inline))

/* low and high are constants: for a wider type nothing is left of the tests. */
INLINE bool signed_outside(int64_t v, int64_t low, uint64_t high) {
  return v < low || (v > 0 && (uint64_t)v > high);
}
INLINE bool unsigned_outside(uint64_t v, int64_t low, uint64_t high) {
  return (void)low, v > high;
}

#define ROWS_KERNEL(name, S, D, STEP)                                                                                  \
  static bool name(void *out, const vec *arg, const rows *r) {                                                         \
    D *restrict to = out;                                                                                              \
    const S *restrict from = arg->values;                                                                              \
    unsigned failed = 0;                                                                                               \
    if (!r->sel)                                                                                                       \
      for (uint32_t row = 0; row < r->n; row++) STEP(D, to[row], from[row]);                                           \
    else                                                                                                               \
      for (uint32_t i = 0; i < r->n; i++) STEP(D, to[r->sel[i]], from[r->sel[i]]);                                     \
    return failed;                                                                                                     \
  }

#define LOW_int8_t INT8_MIN
#define HIGH_int8_t INT8_MAX
#define LOW_int16_t INT16_MIN
#define HIGH_int16_t INT16_MAX
#define LOW_int32_t INT32_MIN
#define HIGH_int32_t INT32_MAX
#define LOW_int64_t INT64_MIN
#define HIGH_int64_t INT64_MAX
#define LOW_uint8_t 0
#define HIGH_uint8_t UINT8_MAX
#define LOW_uint16_t 0
#define HIGH_uint16_t UINT16_MAX
#define LOW_uint32_t 0
#define HIGH_uint32_t UINT32_MAX
#define LOW_uint64_t 0
#define HIGH_uint64_t UINT64_MAX

/* The floats next outside of what truncates into range. */
#define BELOW_int8_t (-129.0)
#define ABOVE_int8_t 128.0
#define BELOW_int16_t (-32769.0)
#define ABOVE_int16_t 32768.0
#define BELOW_int32_t (-2147483649.0)
#define ABOVE_int32_t 2147483648.0
#define BELOW_int64_t (-9223372036854777856.0)
#define ABOVE_int64_t 9223372036854775808.0
#define BELOW_uint8_t (-1.0)
#define ABOVE_uint8_t 256.0
#define BELOW_uint16_t (-1.0)
#define ABOVE_uint16_t 65536.0
#define BELOW_uint32_t (-1.0)
#define ABOVE_uint32_t 4294967296.0
#define BELOW_uint64_t (-1.0)
#define ABOVE_uint64_t 18446744073709551616.0

#define SIGNED_STEP(D, to, from)                                                                                       \
  do {                                                                                                                 \
    failed |= signed_outside((from), LOW_##D, (uint64_t)HIGH_##D);                                                     \
    (to) = (D)(from);                                                                                                  \
  } while (0)

#define UNSIGNED_STEP(D, to, from)                                                                                     \
  do {                                                                                                                 \
    failed |= unsigned_outside((from), LOW_##D, (uint64_t)HIGH_##D);                                                   \
    (to) = (D)(from);                                                                                                  \
  } while (0)

#define TRUNCATE_STEP(D, to, from)                                                                                     \
  do {                                                                                                                 \
    double v_ = (double)(from);                                                                                        \
    bool inside = v_ > BELOW_##D && v_ < ABOVE_##D;                                                                    \
    failed |= !inside;                                                                                                 \
    (to) = (D)(inside ? v_ : 0.0);                                                                                     \
  } while (0)

#define PLAIN_STEP(D, to, from) (to) = (D)(from)
#define TRUTH_STEP(D, to, from) (to) = (from) != 0

#define NARROW_STEP(D, to, from)                                                                                       \
  do {                                                                                                                 \
    (to) = (D)(from);                                                                                                  \
    failed |= __builtin_isinf(to) && !__builtin_isinf(from);                                                           \
  } while (0)

#define FROM_INTEGER(s, S, STEP)                                                                                       \
  ROWS_KERNEL(s##_to_i8, S, int8_t, STEP)                                                                              \
  ROWS_KERNEL(s##_to_i16, S, int16_t, STEP)                                                                            \
  ROWS_KERNEL(s##_to_i32, S, int32_t, STEP)                                                                            \
  ROWS_KERNEL(s##_to_i64, S, int64_t, STEP)                                                                            \
  ROWS_KERNEL(s##_to_u8, S, uint8_t, STEP)                                                                             \
  ROWS_KERNEL(s##_to_u16, S, uint16_t, STEP)                                                                           \
  ROWS_KERNEL(s##_to_u32, S, uint32_t, STEP)                                                                           \
  ROWS_KERNEL(s##_to_u64, S, uint64_t, STEP)                                                                           \
  ROWS_KERNEL(s##_to_truth, S, uint8_t, TRUTH_STEP)

FROM_INTEGER(i8, int8_t, SIGNED_STEP)
FROM_INTEGER(i16, int16_t, SIGNED_STEP)
FROM_INTEGER(i32, int32_t, SIGNED_STEP)
FROM_INTEGER(i64, int64_t, SIGNED_STEP)
FROM_INTEGER(u8, uint8_t, UNSIGNED_STEP)
FROM_INTEGER(u16, uint16_t, UNSIGNED_STEP)
FROM_INTEGER(u32, uint32_t, UNSIGNED_STEP)
FROM_INTEGER(u64, uint64_t, UNSIGNED_STEP)
FROM_INTEGER(f32, float, TRUNCATE_STEP)
FROM_INTEGER(f64, double, TRUNCATE_STEP)

#define TO_FLOATS(s, S)                                                                                                \
  ROWS_KERNEL(s##_to_f32, S, float, PLAIN_STEP)                                                                        \
  ROWS_KERNEL(s##_to_f64, S, double, PLAIN_STEP)

TO_FLOATS(i8, int8_t)
TO_FLOATS(i16, int16_t)
TO_FLOATS(i32, int32_t)
TO_FLOATS(i64, int64_t)
TO_FLOATS(u8, uint8_t)
TO_FLOATS(u16, uint16_t)
TO_FLOATS(u32, uint32_t)
TO_FLOATS(u64, uint64_t)
TO_FLOATS(f32, float)
ROWS_KERNEL(f64_to_f32, double, float, NARROW_STEP)
ROWS_KERNEL(f64_to_f64, double, double, PLAIN_STEP)

#define ROW(s)                                                                                                         \
  {                                                                                                                    \
    [HW_TYPE_BOOLEAN] = s##_to_truth, [HW_TYPE_TINYINT] = s##_to_i8, [HW_TYPE_SMALLINT] = s##_to_i16,                  \
    [HW_TYPE_INT] = s##_to_i32, [HW_TYPE_BIGINT] = s##_to_i64, [HW_TYPE_UTINYINT] = s##_to_u8,                         \
    [HW_TYPE_USMALLINT] = s##_to_u16, [HW_TYPE_UINT] = s##_to_u32, [HW_TYPE_UBIGINT] = s##_to_u64,                     \
    [HW_TYPE_REAL] = s##_to_f32, [HW_TYPE_DOUBLE] = s##_to_f64,                                                        \
  }

/* [from][to] */
static cast_kernel *const kernels[HW_TYPE_DOUBLE + 1][HW_TYPE_DOUBLE + 1] = {
    [HW_TYPE_BOOLEAN] = ROW(u8),    [HW_TYPE_TINYINT] = ROW(i8), [HW_TYPE_SMALLINT] = ROW(i16),
    [HW_TYPE_INT] = ROW(i32),       [HW_TYPE_BIGINT] = ROW(i64), [HW_TYPE_UTINYINT] = ROW(u8),
    [HW_TYPE_USMALLINT] = ROW(u16), [HW_TYPE_UINT] = ROW(u32),   [HW_TYPE_UBIGINT] = ROW(u64),
    [HW_TYPE_REAL] = ROW(f32),      [HW_TYPE_DOUBLE] = ROW(f64),
};

cast_kernel *cast_number_kernel(hw_type_id from, hw_type_id to) {
  return from <= HW_TYPE_DOUBLE && to <= HW_TYPE_DOUBLE ? kernels[from][to] : NULL;
}

/* ---- one value at a time ---------------------------------------------------------------- */

static bool is_integer_like(const hw_type *t) {
  return t->id == HW_TYPE_BOOLEAN || hw_type_is_integer((hw_type_id)t->id);
}

static bool cast_integer(hw_int128 v, const hw_type *to, void *out) {
  if (to->id == HW_TYPE_DECIMAL)
    return decimal_rescale(v, 0, to->scale, out) && decimal_fits(*(hw_int128 *)out, to->precision);
  if (to->id == HW_TYPE_REAL) return *(float *)out = (float)v, true;
  if (to->id == HW_TYPE_DOUBLE) return *(double *)out = (double)v, true;
  if (to->id != HW_TYPE_BOOLEAN && !integer_fits((hw_type_id)to->id, v)) return false;
  integer_put((hw_type_id)to->id, out, v);
  return true;
}

static bool cast_double(double v, const hw_type *to, void *out) {
  if (to->id == HW_TYPE_DECIMAL) return decimal_of_double(v, to, out);
  if (to->id == HW_TYPE_DOUBLE) return *(double *)out = v, true;
  if (to->id == HW_TYPE_REAL) {
    *(float *)out = (float)v;
    return !__builtin_isinf((float)v) || __builtin_isinf(v);
  }
  if (to->id == HW_TYPE_BOOLEAN) return *(uint8_t *)out = v != 0, true;
  if (!(v > -1e20 && v < 1e20)) return false;
  hw_int128 whole = (hw_int128)v;
  if (!integer_fits((hw_type_id)to->id, whole)) return false;
  integer_put((hw_type_id)to->id, out, whole);
  return true;
}

static bool cast_decimal(hw_int128 v, const hw_type *from, const hw_type *to, void *out) {
  if (to->id == HW_TYPE_DECIMAL)
    return decimal_rescale(v, from->scale, to->scale, out) && decimal_fits(*(hw_int128 *)out, to->precision);
  if (to->id == HW_TYPE_DOUBLE) return *(double *)out = decimal_to_double(v, from->scale), true;
  if (to->id == HW_TYPE_REAL) {
    char text[HW_VALUE_TEXT_MAX];
    return hw_parse_f32(text, hw_format_decimal(v, from->scale, text), out) == HW_OK;
  }
  if (to->id == HW_TYPE_BOOLEAN) return *(uint8_t *)out = v != 0, true;
  return cast_integer(decimal_truncate(v, from->scale), to, out);
}

static bool cast_time(hw_type_id from, const void *in, hw_type_id to, void *out) {
  if (from == HW_TYPE_DATE && to == HW_TYPE_TIMESTAMP)
    return !__builtin_mul_overflow((int64_t) * (const int32_t *)in, US_PER_DAY, (int64_t *)out);
  int64_t us = *(const int64_t *)in;
  if (to == HW_TYPE_DATE)
    *(int32_t *)out = (int32_t)floor_div(us, US_PER_DAY);
  else
    *(int64_t *)out = floor_mod(us, US_PER_DAY) * (NS_PER_SECOND / US_PER_SECOND);
  return true;
}

bool cast_value(const hw_type *from, const void *in, const hw_type *to, void *out) {
  if (is_integer_like(from)) return cast_integer(integer_at((hw_type_id)from->id, in), to, out);
  if (from->id == HW_TYPE_DOUBLE) return cast_double(*(const double *)in, to, out);
  if (from->id == HW_TYPE_REAL)
    return to->id == HW_TYPE_DECIMAL ? decimal_of_float(*(const float *)in, to, out)
                                     : cast_double((double)*(const float *)in, to, out);
  if (from->id == HW_TYPE_DECIMAL) return cast_decimal(*(const hw_int128 *)in, from, to, out);
  return cast_time((hw_type_id)from->id, in, (hw_type_id)to->id, out);
}

bool cast_never_fails(const hw_type *from, const hw_type *to) {
  hw_type_id f = (hw_type_id)from->id, t = (hw_type_id)to->id;
  if (hw_type_is_text(f)) return hw_type_is_string(t);
  if (hw_type_is_string(f)) return !hw_type_is_text(t) && hw_type_is_string(t);
  if (hw_type_is_string(t) || t == HW_TYPE_BOOLEAN || f == HW_TYPE_TIMESTAMP) return true;
  if (!is_integer_like(from)) return f == t && t != HW_TYPE_DECIMAL ? true : t == HW_TYPE_DOUBLE;
  if (t == HW_TYPE_REAL || t == HW_TYPE_DOUBLE) return true;
  if (f == HW_TYPE_BOOLEAN) return t != HW_TYPE_DECIMAL;
  return hw_type_is_integer(t) && integer_least(f) >= integer_least(t) && integer_most(f) <= integer_most(t);
}
