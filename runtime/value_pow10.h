/* value_pow10.h - the leading 128 bits of powers of ten. */
#ifndef RUNTIME_VALUE_POW10_H
#define RUNTIME_VALUE_POW10_H

#include <stdint.h>

#define POW10_MIN (-342)
#define POW10_MAX 324

/* 10^e = f * 2^x with 2^127 <= f < 2^128. */
typedef struct pow10_bits {
  uint64_t high, low;
} pow10_bits;

/* floor(f) for e = POW10_MIN .. POW10_MAX. */
extern const pow10_bits pow10_floor[POW10_MAX - POW10_MIN + 1];

/* Powers that the table holds exactly: 5^55 < 2^128. */
static inline int pow10_is_exact(int e) {
  return e >= 0 && e <= 55;
}

static inline pow10_bits pow10_down(int e) {
  return pow10_floor[e - POW10_MIN];
}

/* ceil(f). */
static inline pow10_bits pow10_up(int e) {
  pow10_bits p = pow10_down(e);
  uint64_t add = !pow10_is_exact(e);
  p.low += add;
  p.high += p.low < add;
  return p;
}

/* floor(e * log2(10)) and floor(e * log10(2)), exact for |e| <= 1,200. */
static inline int pow10_log2(int e) {
  return (e * 1741647) >> 19;
}
static inline int pow10_of_pow2(int e) {
  return (e * 1262611) >> 22;
}

#endif
