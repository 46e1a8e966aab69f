/* value_number.c - numbers of more digits than 64 bits hold. */
#include "runtime/value_number.h"

void number_recount(number *n, const char *start, const char *last, int64_t fraction) {
  const char *p = start;
  while (p < last && (*p == '0' || *p == '.')) p++;
  n->first = p;
  n->last = last;
  bool point_inside = fraction > 0 && last - p > fraction;
  n->n_significant = (uint64_t)(last - p - point_inside);
  if (n->n_significant <= NUMBER_DIGITS) return; /* leading zeros did not count: digits is right */
  n->digits = 0;
  unsigned taken = 0;
  for (; taken < NUMBER_DIGITS; p++) {
    if (*p == '.') continue;
    n->digits = n->digits * 10 + text_digit(*p);
    taken++;
  }
  n->cut = true;
  n->exponent += (int64_t)(n->n_significant - NUMBER_DIGITS);
}
