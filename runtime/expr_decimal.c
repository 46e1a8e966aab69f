/* expr_decimal.c - arithmetic on DECIMAL values.
 *
 * A value is a 128-bit whole number; scales come from the types. A product or a
 * dividend brought to the result's scale may need 256 bits: those are made only
 * when 128 do not do. Every result is checked against the declared precision. */
#include "runtime/expr_decimal.h"
#include "runtime/value_text.h"

#include <headworks/value.h>

#include <math.h>

bool decimal_fits(hw_int128 v, unsigned precision) {
  hw_int128 limit = (hw_int128)text_pow10[precision];
  return v > -limit && v < limit;
}

static hw_uint128 magnitude(hw_int128 v) {
  return v < 0 ? 0 - (hw_uint128)v : (hw_uint128)v;
}

static bool with_sign(hw_uint128 v, bool negative, hw_int128 *out) {
  if (v >= text_pow10[HW_DECIMAL_MAX_PRECISION]) return false;
  *out = negative ? -(hw_int128)v : (hw_int128)v;
  return true;
}

/* n / d with its remainder, mostly of numbers that 64 bits hold. */
static hw_uint128 divide_u128(hw_uint128 n, hw_uint128 d, hw_uint128 *remainder) {
  if (n <= UINT64_MAX && d <= UINT64_MAX) {
    *remainder = (uint64_t)n % (uint64_t)d;
    return (uint64_t)n / (uint64_t)d;
  }
  hw_uint128 q = n / d;
  *remainder = n - q * d;
  return q;
}

/* ---- 256 bits ------------------------------------------------------------------------ */

typedef struct wide {
  hw_uint128 high, low;
} wide;

static wide wide_product(hw_uint128 a, hw_uint128 b) {
  uint64_t a0 = (uint64_t)a, a1 = (uint64_t)(a >> 64), b0 = (uint64_t)b, b1 = (uint64_t)(b >> 64);
  hw_uint128 low = (hw_uint128)a0 * b0, mid = (hw_uint128)a1 * b0, mid2 = (hw_uint128)a0 * b1;
  hw_uint128 carry = (low >> 64) + (uint64_t)mid + (uint64_t)mid2;
  return (wide){(hw_uint128)a1 * b1 + (mid >> 64) + (mid2 >> 64) + (carry >> 64), carry << 64 | (uint64_t)low};
}

/* n / d with its remainder; false: the quotient needs more than 128 bits. d < 2^127. */
static bool wide_divide(wide n, hw_uint128 d, hw_uint128 *quotient, hw_uint128 *remainder) {
  if (n.high == 0) {
    *quotient = divide_u128(n.low, d, remainder);
    return true;
  }
  if (n.high >= d) return false;
  hw_uint128 rest = n.high, q = 0;
  for (int i = 127; i >= 0; i--) {
    rest = rest << 1 | (n.low >> i & 1);
    q <<= 1;
    if (rest >= d) {
      rest -= d;
      q |= 1;
    }
  }
  *quotient = q;
  *remainder = rest;
  return true;
}

/* n / d, half away from zero. */
static bool wide_divide_rounded(wide n, hw_uint128 d, bool negative, hw_int128 *out) {
  hw_uint128 q, rest;
  if (!wide_divide(n, d, &q, &rest)) return false;
  if (rest >= d - rest && q == ~(hw_uint128)0) return false;
  return with_sign(q + (rest >= d - rest), negative, out);
}

/* ---- scales ---------------------------------------------------------------------------- */

/* |v| / 10^by, half away from zero. */
static hw_uint128 drop_digits(hw_uint128 v, unsigned by) {
  if (by > HW_DECIMAL_MAX_PRECISION) return 0;
  hw_uint128 unit = text_pow10[by], rest, q = divide_u128(v, unit, &rest);
  return q + (rest >= unit - rest);
}

bool decimal_rescale(hw_int128 v, unsigned from, unsigned to, hw_int128 *out) {
  if (to < from) return with_sign(drop_digits(magnitude(v), from - to), v < 0, out);
  hw_uint128 m;
  if (__builtin_mul_overflow(magnitude(v), text_pow10[to - from], &m)) return false;
  return with_sign(m, v < 0, out);
}

hw_int128 decimal_truncate(hw_int128 v, unsigned from) {
  return v / (hw_int128)text_pow10[from];
}

bool decimal_round(hw_int128 v, unsigned from, int64_t digits, decimal_rounding how, hw_int128 *out) {
  int64_t drop = (int64_t)from - digits;
  *out = v;
  if (drop <= 0) return true;
  if (drop > HW_DECIMAL_MAX_PRECISION) {
    *out = 0; /* less than half of such a unit; FLOOR and CEIL have no digits argument */
    return true;
  }
  hw_int128 unit = (hw_int128)text_pow10[drop], rest = v % unit, down = v - rest;
  bool away = how == DECIMAL_HALF_AWAY ? (rest < 0 ? -rest : rest) >= unit - (rest < 0 ? -rest : rest)
              : how == DECIMAL_FLOOR   ? rest < 0
                                       : rest > 0;
  if (away && __builtin_add_overflow(down, v < 0 ? -unit : unit, &down)) return false;
  *out = down;
  return decimal_fits(down, HW_DECIMAL_MAX_PRECISION);
}

/* ---- floats ------------------------------------------------------------------------------ */

double decimal_to_double(hw_int128 v, unsigned scale) {
  static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  /* Both exact: one division rounds once. */
  if (scale <= 22 && magnitude(v) <= (hw_uint128)1 << 53) return (double)v / tens[scale];
  char text[HW_VALUE_TEXT_MAX];
  double out = 0;
  hw_status st = hw_parse_f64(text, hw_format_decimal(v, scale, text), &out);
  return st == HW_OK ? out : 0;
}

static bool of_text(const char *text, size_t len, const hw_type *type, hw_int128 *out) {
  return hw_parse_decimal(text, len, type->precision, type->scale, out) == HW_OK;
}

bool decimal_of_double(double v, const hw_type *type, hw_int128 *out) {
  char text[HW_VALUE_TEXT_MAX];
  return of_text(text, hw_format_f64(v, text), type, out);
}

bool decimal_of_float(float v, const hw_type *type, hw_int128 *out) {
  char text[HW_VALUE_TEXT_MAX];
  return of_text(text, hw_format_f32(v, text), type, out);
}

/* ---- arithmetic ---------------------------------------------------------------------------- */

/* Scales of the arguments and of the result. */
typedef struct scales {
  unsigned x, y, out;
} scales;

static bool add(hw_int128 x, hw_int128 y, scales s, hw_int128 *out) {
  hw_int128 sum;
  if (__builtin_add_overflow(x, y, &sum)) return false;
  return s.x == s.out ? (*out = sum, true) : decimal_rescale(sum, s.x, s.out, out);
}

static bool subtract(hw_int128 x, hw_int128 y, scales s, hw_int128 *out) {
  return add(x, -y, s, out);
}

static bool multiply(hw_int128 x, hw_int128 y, scales s, hw_int128 *out) {
  hw_int128 p;
  unsigned scale = s.x + s.y;
  if (!__builtin_mul_overflow(x, y, &p))
    return scale == s.out ? (*out = p, true) : decimal_rescale(p, scale, s.out, out);
  if (scale <= s.out) return false;
  wide product = wide_product(magnitude(x), magnitude(y));
  unsigned drop = scale - s.out;
  bool negative = (x < 0) != (y < 0);
  if (drop <= HW_DECIMAL_MAX_PRECISION) return wide_divide_rounded(product, text_pow10[drop], negative, out);
  /* More digits than one power of ten holds: those that cannot reach the rounding go first. */
  hw_uint128 q, rest;
  if (!wide_divide(product, text_pow10[HW_DECIMAL_MAX_PRECISION], &q, &rest)) return false;
  return with_sign(drop_digits(q, drop - HW_DECIMAL_MAX_PRECISION), negative, out);
}

static bool divide(hw_int128 x, hw_int128 y, scales s, hw_int128 *out) {
  int up = (int)s.out + (int)s.y - (int)s.x; /* x * 10^up / y has the result's scale */
  if (y == 0 || up > HW_DECIMAL_MAX_PRECISION) return false;
  bool negative = (x < 0) != (y < 0);
  hw_uint128 d = magnitude(y);
  if (up >= 0) return wide_divide_rounded(wide_product(magnitude(x), text_pow10[up]), d, negative, out);
  /* A divisor that does not fit makes a quotient below half. */
  if (__builtin_mul_overflow(d, text_pow10[-up], &d) || d >> 127) return *out = 0, true;
  return wide_divide_rounded((wide){0, magnitude(x)}, d, negative, out);
}

static bool modulo(hw_int128 x, hw_int128 y, scales s, hw_int128 *out) {
  if (y == 0) return false;
  return decimal_rescale(x % y, s.x, s.out, out);
}

typedef bool decimal_step(hw_int128 x, hw_int128 y, scales s, hw_int128 *out);

static const struct {
  decimal_step *step;
  char sign;
  const char *name;
} steps[] = {
    [EXPR_ADD] = {add, '+', "addition"},
    [EXPR_SUB] = {subtract, '-', "subtraction"},
    [EXPR_MUL] = {multiply, '*', "multiplication"},
    [EXPR_DIV] = {divide, '/', "division"},
    [EXPR_MOD] = {modulo, '%', "modulo"},
};

static hw_status fail(evaluator *ev, const node *nd, uint32_t row, hw_int128 x, hw_int128 y) {
  expr_op op = nd->e->op;
  if (y == 0 && (op == EXPR_DIV || op == EXPR_MOD)) return eval_fail(ev, nd, row, "division by zero");
  char a[EVAL_SHOWN], b[EVAL_SHOWN];
  return eval_fail(ev, nd, row, "overflow in DECIMAL(%u, %u) %s: %s %c %s", nd->type.precision, nd->type.scale,
                   steps[op].name, eval_show(&nd->args[0]->type, &x, a), steps[op].sign,
                   eval_show(&nd->args[1]->type, &y, b));
}

hw_status decimal_arithmetic(evaluator *ev, const node *nd, const rows *r, const vec *args, const uint64_t *validity,
                             hw_int128 *to) {
  const hw_int128 *x = args[0].values, *y = args[1].values;
  decimal_step *step = steps[nd->e->op].step;
  scales s = {nd->args[0]->type.scale, nd->args[1]->type.scale, nd->type.scale};
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    if (validity && !bit_get(validity, row)) continue;
    hw_int128 p = x[vec_at(&args[0], row)], q = y[vec_at(&args[1], row)];
    if (!step(p, q, s, &to[row]) || !decimal_fits(to[row], nd->type.precision)) return fail(ev, nd, row, p, q);
  }
  return HW_OK;
}
