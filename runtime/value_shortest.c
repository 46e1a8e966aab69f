/* value_shortest.c - DOUBLE and REAL to the shortest text that reads back the same.
 *
 * DESIGN
 * Numbers that people write have few digits: if the value times 100, rounded to
 * a whole number below 10^15 and divided by 100 again, is the value, then those
 * digits are it: below 15 digits every decimal has a double of its own, so no
 * other text of that length can mean the same one.
 * All others go through Raffaello Giulietti's Schubfach ("The Schubfach way to
 * render doubles", 2021): the interval of reals that round to v is scaled by a
 * power of ten so that it holds at least one and at most some ten integers;
 * whether a multiple of ten lies inside decides the length. Products are kept
 * with one sticky bit ("round to odd"), which is enough for every comparison.
 * One table of powers serves this file and the way back (value_pow10.h).
 *
 * Form: plain digits for 1e-6 <= |v| < 1e21, as ECMAScript does, otherwise
 * d.ddde[-]n; a whole number keeps ".0" in plain form, so that it stays a float. */
#include "runtime/value_pow10.h"
#include "runtime/value_text.h"

#include <headworks/value.h>

/* v = digits * 10^exponent. */
typedef struct decimal_float {
  uint64_t digits;
  int exponent;
} decimal_float;

/* ---- Schubfach ----------------------------------------------------------- */

/* Bits 64 and up of g * m >> 64, the lowest of them set if anything was lost. */
static inline uint64_t odd_product_double(pow10_bits g, uint64_t m) {
  uint64_t carried = (uint64_t)(((hw_uint128)g.low * m) >> 64);
  hw_uint128 sum = (hw_uint128)g.high * m + carried;
  return (uint64_t)(sum >> 64) | ((uint64_t)sum > 1);
}

static inline uint64_t odd_product_single(uint64_t g, uint64_t m) {
  hw_uint128 product = (hw_uint128)g * m;
  return (uint64_t)(product >> 64) | ((uint32_t)((uint64_t)product >> 32) > 1);
}

/* The interval's ends and v itself, in quarters of 10^k. */
typedef struct scaled {
  uint64_t low, mid, high;
} scaled;

/* Picks the shortest, among those the closest, in the interval. An end belongs
 * to it when the mantissa is even. */
static inline decimal_float pick(scaled v, bool even, int k) {
  uint64_t low = v.low + !even, high = v.high - !even, s = v.mid / 4;
  if (s >= 10) {
    uint64_t tens = s / 10;
    bool down = low <= 40 * tens, up = 40 * tens + 40 <= high;
    if (down != up) return (decimal_float){tens + up, k + 1};
  }
  bool down = low <= 4 * s, up = 4 * s + 4 <= high;
  if (down != up) return (decimal_float){s + up, k};
  uint64_t middle = 4 * s + 2;
  bool nearer_up = v.mid > middle || (v.mid == middle && (s & 1));
  return (decimal_float){s + nearer_up, k};
}

/* v = m * 2^q; `lopsided`: m is a power of two, the float below is only half as far away. */
static inline int decimal_exponent(int q, bool lopsided) {
  return (q * 1262611 - (lopsided ? 524031 : 0)) >> 22; /* floor(log10(2^q)), or of 3/4 * 2^q */
}

static decimal_float shortest_double(uint64_t m, int q, bool lopsided) {
  int k = decimal_exponent(q, lopsided), h = q + pow10_log2(-k) + 1;
  pow10_bits g = pow10_up(-k);
  uint64_t quarters = 4 * m;
  scaled v = {odd_product_double(g, (quarters - 2 + lopsided) << h), odd_product_double(g, quarters << h),
              odd_product_double(g, (quarters + 2) << h)};
  return pick(v, m % 2 == 0, k);
}

static decimal_float shortest_single(uint64_t m, int q, bool lopsided) {
  int k = decimal_exponent(q, lopsided), h = q + pow10_log2(-k) + 1;
  pow10_bits wide = pow10_down(-k);
  uint64_t g = wide.high + (wide.low != 0 || !pow10_is_exact(-k));
  uint64_t quarters = 4 * m;
  scaled v = {odd_product_single(g, (quarters - 2 + lopsided) << h), odd_product_single(g, quarters << h),
              odd_product_single(g, (quarters + 2) << h)};
  return pick(v, m % 2 == 0, k);
}

/* ---- text ---------------------------------------------------------------- */

static decimal_float without_trailing_zeros(decimal_float d) {
  while (d.digits % 100 == 0) {
    d.digits /= 100;
    d.exponent += 2;
  }
  if (d.digits % 10 == 0) {
    d.digits /= 10;
    d.exponent++;
  }
  return d;
}

/* digits, zeros up to the point, ".0". */
static size_t put_whole(decimal_float d, unsigned n, char *out) {
  text_put_digits(out, d.digits, n);
  memset(out + n, '0', (size_t)d.exponent);
  memcpy(out + n + d.exponent, ".0", 2);
  return n + (size_t)d.exponent + 2;
}

/* point: digits before the decimal point, of n. */
static size_t put_pointed(uint64_t digits, unsigned n, unsigned point, char *out) {
  text_put_digits(out + 1, digits, n);
  memmove(out, out + 1, point);
  out[point] = '.';
  return n + 1;
}

static size_t put_small(uint64_t digits, unsigned n, unsigned zeros, char *out) {
  memcpy(out, "0.00000000", 10);
  text_put_digits(out + 2 + zeros, digits, n);
  return 2 + zeros + n;
}

static size_t put_scientific(uint64_t digits, unsigned n, int exponent, char *out) {
  size_t len = 1;
  if (n == 1)
    *out = (char)('0' + digits);
  else
    len = put_pointed(digits, n, 1, out);
  out[len++] = 'e';
  return len + hw_format_i64(exponent, out + len);
}

static size_t put_decimal_float(decimal_float d, char *out) {
  d = without_trailing_zeros(d);
  unsigned n = text_count_digits(d.digits);
  int point = (int)n + d.exponent; /* v = 0.ddd * 10^point */
  if (point > 21 || point < -5) return put_scientific(d.digits, n, point - 1, out);
  if (point <= 0) return put_small(d.digits, n, (unsigned)-point, out);
  return d.exponent >= 0 ? put_whole(d, n, out) : put_pointed(d.digits, n, (unsigned)point, out);
}

/* hundredths / 100, of at most 15 digits. */
static size_t put_hundredths(uint64_t hundredths, char *out) {
  uint64_t whole = hundredths / 100;
  unsigned part = (unsigned)(hundredths - whole * 100);
  size_t len = hw_format_u64(whole, out);
  out[len] = '.';
  text_put2(out + len + 1, part);
  return len + 3 - (part % 10 == 0);
}

static size_t put_special(bool nan, bool negative, char *out) {
  const char *text = nan ? "NaN" : negative ? "-Infinity" : "Infinity";
  size_t len = strlen(text);
  memcpy(out, text, len);
  return len;
}

/* v >= 0. Whether a short decimal it is. */
static bool find_hundredths(double v, uint64_t *out) {
  if (!(v < 1e13)) return false;
  double scaled_up = v * 100.0;
  int64_t nearest = (int64_t)(scaled_up + 0.5);
  *out = (uint64_t)nearest;
  return (double)nearest / 100.0 == v;
}

size_t hw_format_f64(double v, char *out) {
  uint64_t bits;
  memcpy(&bits, &v, sizeof bits);
  bool negative = bits >> 63;
  unsigned biased = (unsigned)(bits >> 52) & 0x7FF;
  uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
  if (biased == 0x7FF) return put_special(fraction != 0, negative, out);
  *out = '-';
  out += negative;
  uint64_t hundredths;
  if (find_hundredths(negative ? -v : v, &hundredths)) return negative + put_hundredths(hundredths, out);
  uint64_t m = biased ? fraction | UINT64_C(1) << 52 : fraction;
  int q = (biased ? (int)biased : 1) - 1075;
  return negative + put_decimal_float(shortest_double(m, q, fraction == 0 && biased > 1), out);
}

size_t hw_format_f32(float v, char *out) {
  uint32_t bits;
  memcpy(&bits, &v, sizeof bits);
  bool negative = bits >> 31;
  unsigned biased = (bits >> 23) & 0xFF;
  uint32_t fraction = bits & ((1U << 23) - 1);
  if (biased == 0xFF) return put_special(fraction != 0, negative, out);
  *out = '-';
  out += negative;
  if (biased == 0 && fraction == 0) {
    memcpy(out, "0.0", 3);
    return negative + 3;
  }
  uint64_t m = biased ? fraction | 1U << 23 : fraction;
  int q = (biased ? (int)biased : 1) - 150;
  return negative + put_decimal_float(shortest_single(m, q, fraction == 0 && biased > 1), out);
}
