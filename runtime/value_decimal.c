/* value_decimal.c - DECIMAL to text and back. */
#include "runtime/value_number.h"

#include <headworks/value.h>

/* The result, if it has no more digits than precision allows. */
static hw_status fit(hw_uint128 magnitude, bool negative, unsigned precision, hw_int128 *out) {
  if (magnitude >= text_pow10[precision]) return HW_ERANGE;
  *out = negative ? -(hw_int128)magnitude : (hw_int128)magnitude;
  return HW_OK;
}

/* digits * 10^shift, rounded. */
static hw_status scale_short(const number *n, int64_t shift, unsigned precision, hw_int128 *out) {
  hw_uint128 v = n->digits;
  if (shift > 0) {
    if (v != 0 && shift > HW_DECIMAL_MAX_PRECISION) return HW_ERANGE;
    if (v != 0 && __builtin_mul_overflow(v, text_pow10[shift], &v)) return HW_ERANGE;
  } else if (shift < -(int64_t)NUMBER_DIGITS) {
    v = 0; /* fewer than 20 digits: less than half */
  } else if (shift < 0) {
    uint64_t by = (uint64_t)text_pow10[-shift], whole = n->digits / by, rest = n->digits % by;
    v = whole + (rest >= by - rest);
  }
  return fit(v, n->negative, precision, out);
}

/* Collects the digits that stay, and rounds by the first that does not. */
static hw_status scale_long(const number *n, int64_t shift, unsigned precision, hw_int128 *out) {
  int64_t exponent = n->exponent - (int64_t)(n->n_significant - NUMBER_DIGITS); /* of the last digit */
  int64_t keep = (int64_t)n->n_significant + exponent + (shift - n->exponent);
  if (keep > HW_DECIMAL_MAX_PRECISION) return HW_ERANGE;
  if (keep < 0) return fit(0, false, precision, out);
  hw_uint128 v = 0;
  int64_t taken = 0;
  const char *p = n->first;
  for (; p < n->last && taken < keep; p++) {
    if (*p == '.') continue;
    v = v * 10 + text_digit(*p);
    taken++;
  }
  if (p < n->last && *p == '.') p++;
  if (taken == keep)
    v += p < n->last && text_digit(*p) >= 5;
  else
    v *= text_pow10[keep - taken];
  return fit(v, n->negative, precision, out);
}

hw_status hw_parse_decimal(const char *data, size_t len, unsigned precision, unsigned scale, hw_int128 *out) {
  number n;
  if (!number_scan(data, len, &n)) return HW_EPARSE;
  int64_t shift = n.exponent + (int64_t)scale;
  return n.cut ? scale_long(&n, shift, precision, out) : scale_short(&n, shift, precision, out);
}

/* Digits of v, which is below 2^127, in pieces that fit 64 bits. */
static size_t put_magnitude(hw_uint128 v, char *out) {
  if (v <= UINT64_MAX) return hw_format_u64((uint64_t)v, out);
  hw_uint128 high = v / text_pow10[19];
  size_t len = put_magnitude(high, out);
  text_put_digits(out + len, (uint64_t)(v - high * text_pow10[19]), 19);
  return len + 19;
}

size_t hw_format_decimal(hw_int128 v, unsigned scale, char *out) {
  bool negative = v < 0;
  hw_uint128 magnitude = negative ? 0 - (hw_uint128)v : (hw_uint128)v;
  *out = '-';
  out += negative;
  if (scale == 0) return negative + put_magnitude(magnitude, out);
  hw_uint128 one = text_pow10[scale], whole = 0;
  if (magnitude <= UINT64_MAX && one <= UINT64_MAX)
    whole = (uint64_t)magnitude / (uint64_t)one;
  else
    whole = magnitude / one;
  hw_uint128 part = magnitude - whole * one;
  size_t len = put_magnitude(whole, out);
  out[len++] = '.';
  if (scale > 19) {
    hw_uint128 high = part / text_pow10[19];
    text_put_digits(out + len, (uint64_t)high, scale - 19);
    text_put_digits(out + len + scale - 19, (uint64_t)(part - high * text_pow10[19]), 19);
  } else {
    text_put_digits(out + len, (uint64_t)part, scale);
  }
  return negative + len + scale;
}
