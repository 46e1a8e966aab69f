/* value_float.c - text to DOUBLE and REAL, correctly rounded.
 *
 * DESIGN
 * Three ways, each for what the one before cannot decide.
 *  1. Clinger: digits and power of ten are both exact floats: one operation
 *     rounds once, so its result is right.
 *  2. Eisel and Lemire: the digits times the leading 128 bits of the power of
 *     ten give more bits than the result has; unless what lies below those bits
 *     leaves the rounding open, the result is certain. With more than 19 digits
 *     the value lies between w and w + 1: when both round alike, that is it.
 *  3. strtod on the digits rewritten without a point ("123e-45"), which reads
 *     the same in every locale. Digits past the 780th only matter as "more than
 *     that": a sticky 1 stands for them (767 digits tell any double from any
 *     midpoint). Rare by construction: less than one in 10^9 of random inputs. */
#include "runtime/value_number.h"
#include "runtime/value_pow10.h"

#include <headworks/value.h>

#include <float.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct float_shape {
  int mantissa_bits;    /* stored ones */
  int exponent_bias;    /* of the stored exponent */
  int exponent_inf;     /* stored exponent of infinity */
  int ten_min, ten_max; /* powers of ten outside give 0 or infinity */
  int tie_min, tie_max; /* powers of ten for which a tie can occur */
} float_shape;

static const float_shape double_shape = {52, 1023, 0x7FF, -342, 308, -4, 23};
static const float_shape single_shape = {23, 127, 0xFF, -64, 38, -17, 10};

#define UNDECIDED UINT64_MAX

/* Bits of digits * 10^e without sign, or UNDECIDED. digits > 0. */
static inline uint64_t scale(uint64_t digits, int64_t e64, const float_shape *s) {
  uint64_t infinity = (uint64_t)s->exponent_inf << s->mantissa_bits;
  if (e64 < s->ten_min) return 0;
  if (e64 > s->ten_max) return infinity;
  int e = (int)e64, shift = __builtin_clzll(digits);
  pow10_bits ten = e < 0 && e >= -27 ? pow10_up(e) : pow10_down(e);
  digits <<= shift;
  hw_uint128 product = (hw_uint128)digits * ten.high;
  uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product;
  uint64_t below = UINT64_MAX >> (s->mantissa_bits + 3);
  if ((high & below) == below) {
    uint64_t more = (uint64_t)(((hw_uint128)digits * ten.low) >> 64);
    low += more;
    high += low < more;
    if (low == UINT64_MAX && (e < -27 || e > 55)) return UNDECIDED;
  }
  int top = (int)(high >> 63), drop = top + 64 - s->mantissa_bits - 3;
  uint64_t mantissa = high >> drop; /* one bit more than the result has */
  int exponent = pow10_log2(e) + 63 + top - shift + s->exponent_bias;
  if (exponent <= 0) {
    if (exponent <= -63) return 0;
    mantissa >>= 1 - exponent;
    return (mantissa + (mantissa & 1)) >> 1; /* a carry makes it the smallest normal number by itself */
  }
  if (low <= 1 && e >= s->tie_min && e <= s->tie_max && (mantissa & 3) == 1 && mantissa << drop == high) mantissa--;
  mantissa = (mantissa + (mantissa & 1)) >> 1;
  if (mantissa >> (s->mantissa_bits + 1)) {
    mantissa >>= 1;
    exponent++;
  }
  if (exponent >= s->exponent_inf) return infinity;
  return (uint64_t)exponent << s->mantissa_bits | (mantissa & ((UINT64_C(1) << s->mantissa_bits) - 1));
}

static inline uint64_t scale_number(const number *n, const float_shape *s) {
  if (n->digits == 0) return 0;
  uint64_t bits = scale(n->digits, n->exponent, s);
  if (n->cut && bits != UNDECIDED && bits != scale(n->digits + 1, n->exponent, s)) return UNDECIDED;
  return bits;
}

#define SLOW_DIGITS 780

/* Rewrites n as digits and exponent for strtod. */
static void rewrite(const number *n, char *out, size_t room) {
  if (!n->cut) {
    snprintf(out, room, "%llue%lld", (unsigned long long)n->digits, (long long)n->exponent);
    return;
  }
  size_t len = 0;
  const char *p = n->first;
  for (; p < n->last && len < SLOW_DIGITS; p++)
    if (*p != '.') out[len++] = *p;
  int64_t exponent = n->exponent - (int64_t)(len - NUMBER_DIGITS);
  while (p < n->last && (*p == '0' || *p == '.')) p++;
  if (p < n->last) {
    out[len++] = '1';
    exponent--;
  }
  snprintf(out + len, room - len, "e%lld", (long long)exponent);
}

static double slow_double(const number *n) {
  char text[SLOW_DIGITS + 32];
  rewrite(n, text, sizeof text);
  return strtod(text, NULL);
}

static float slow_float(const number *n) {
  char text[SLOW_DIGITS + 32];
  rewrite(n, text, sizeof text);
  return strtof(text, NULL);
}

static double double_of_bits(uint64_t bits) {
  double v;
  memcpy(&v, &bits, sizeof v);
  return v;
}

static float float_of_bits(uint64_t wide) {
  uint32_t bits = (uint32_t)wide;
  float v;
  memcpy(&v, &bits, sizeof v);
  return v;
}

/* What JSON has no number for. */
static bool parse_special(const char *data, size_t len, double *out) {
  if (len == 3 && memcmp(data, "NaN", 3) == 0) {
    *out = (double)__builtin_nanf("");
    return true;
  }
  bool negative = len > 0 && *data == '-';
  size_t sign = len > 0 && (*data == '-' || *data == '+');
  if (len - sign != 8 || memcmp(data + sign, "Infinity", 8) != 0) return false;
  *out = negative ? -__builtin_inf() : __builtin_inf();
  return true;
}

static const double exact_tens[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
static const float exact_tens_f[11] = {1e0F, 1e1F, 1e2F, 1e3F, 1e4F, 1e5F, 1e6F, 1e7F, 1e8F, 1e9F, 1e10F};

hw_status hw_parse_f64(const char *data, size_t len, double *out) {
  number n;
  if (!number_scan(data, len, &n)) return parse_special(data, len, out) ? HW_OK : HW_EPARSE;
  double v;
  if (FLT_EVAL_METHOD == 0 && !n.cut && n.digits <= UINT64_C(1) << 53 && n.exponent >= -22 && n.exponent <= 22) {
    v = (double)n.digits;
    v = n.exponent < 0 ? v / exact_tens[-n.exponent] : v * exact_tens[n.exponent];
  } else {
    uint64_t bits = scale_number(&n, &double_shape);
    v = bits == UNDECIDED ? slow_double(&n) : double_of_bits(bits);
    if (__builtin_isinf(v)) return HW_ERANGE;
  }
  *out = n.negative ? -v : v;
  return HW_OK;
}

hw_status hw_parse_f32(const char *data, size_t len, float *out) {
  number n;
  if (!number_scan(data, len, &n)) {
    double special;
    if (!parse_special(data, len, &special)) return HW_EPARSE;
    *out = (float)special;
    return HW_OK;
  }
  float v;
  if (FLT_EVAL_METHOD == 0 && !n.cut && n.digits <= UINT64_C(1) << 24 && n.exponent >= -10 && n.exponent <= 10) {
    v = (float)n.digits;
    v = n.exponent < 0 ? v / exact_tens_f[-n.exponent] : v * exact_tens_f[n.exponent];
  } else {
    uint64_t bits = scale_number(&n, &single_shape);
    v = bits == UNDECIDED ? slow_float(&n) : float_of_bits(bits);
    if (__builtin_isinf(v)) return HW_ERANGE;
  }
  *out = n.negative ? -v : v;
  return HW_OK;
}
