/* value_number.h - reading the grammar of numbers: what floats and decimals share.
 *
 * [+-] (0 | [1-9][0-9]*) [. [0-9]+] [(e|E) [+-] [0-9]+], the whole of the text. */
#ifndef RUNTIME_VALUE_NUMBER_H
#define RUNTIME_VALUE_NUMBER_H

#include "runtime/value_text.h"

#define NUMBER_DIGITS 19 /* as many always fit 64 bits */

typedef struct number {
  bool negative;
  bool cut;               /* digits beyond the first NUMBER_DIGITS significant ones were dropped */
  uint64_t digits;        /* value = digits * 10^exponent, if not cut */
  int64_t exponent;       /* limited to +-NUMBER_EXPONENT_MAX and some */
  const char *first;      /* first significant digit, or the end of all digits when they are zeros */
  const char *last;       /* behind the last digit before the exponent; a '.' may lie between */
  uint64_t n_significant; /* digits in [first, last) */
} number;

#define NUMBER_EXPONENT_MAX INT64_C(1000000000000)

/* Appends the digits at p to *v (which wraps when there are many); returns their end. */
static inline const char *number_run(const char *p, const char *end, uint64_t *v) {
  uint64_t sum = *v;
  while (end - p >= 8) {
    uint64_t w = text_load8(p);
    if (!text_eight_digits(w)) break;
    sum = sum * 100000000 + text_eight_value(w);
    p += 8;
  }
  for (; p < end && text_is_digit(*p); p++) sum = sum * 10 + text_digit(*p);
  *v = sum;
  return p;
}

/* The exponent behind its letter; false: no digits. */
static inline bool number_exponent(const char **text, const char *end, int64_t *out) {
  const char *p = *text;
  bool negative = p < end && *p == '-';
  if (p < end && (*p == '-' || *p == '+')) p++;
  if (p == end || !text_is_digit(*p)) return false;
  int64_t v = 0;
  for (; p < end && text_is_digit(*p); p++)
    if (v < NUMBER_EXPONENT_MAX) v = v * 10 + (int64_t)text_digit(*p);
  if (v > NUMBER_EXPONENT_MAX) v = NUMBER_EXPONENT_MAX;
  *out = negative ? -v : v;
  *text = p;
  return true;
}

/* Finds the first significant digit and recounts when there are more than fit. */
void number_recount(number *n, const char *start, const char *last, int64_t fraction);

/* False: not of this form. *n is filled in but for `first`, `last` and
 * n_significant, which are only set when there are more than NUMBER_DIGITS digits. */
static inline bool number_scan(const char *data, size_t len, number *n) {
  const char *p = data, *end = data + len;
  n->negative = len > 0 && *p == '-';
  if (len > 0 && (*p == '-' || *p == '+')) p++;
  const char *start = p;
  uint64_t v = 0;
  p = number_run(p, end, &v);
  size_t digits = (size_t)(p - start), fraction = 0;
  if (digits == 0 || (*start == '0' && digits > 1)) return false;
  if (p < end && *p == '.') {
    const char *point = ++p;
    p = number_run(p, end, &v);
    fraction = (size_t)(p - point);
    if (fraction == 0) return false;
  }
  const char *last = p;
  n->exponent = 0;
  if (p < end && (*p | 0x20) == 'e') {
    p++;
    if (!number_exponent(&p, end, &n->exponent)) return false;
  }
  if (p != end) return false;
  n->cut = false;
  n->digits = v;
  n->exponent -= (int64_t)fraction;
  if (digits + fraction > NUMBER_DIGITS) number_recount(n, start, last, (int64_t)fraction);
  return true;
}

#endif
