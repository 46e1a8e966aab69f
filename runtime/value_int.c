/* value_int.c - integers to text and back. */
#include "runtime/value_text.h"

#include <headworks/value.h>

#define PAIR(tens, ones) '0' + (tens), '0' + (ones)
#define TEN_PAIRS(tens)                                                                                                \
  PAIR(tens, 0), PAIR(tens, 1), PAIR(tens, 2), PAIR(tens, 3), PAIR(tens, 4), PAIR(tens, 5), PAIR(tens, 6),             \
      PAIR(tens, 7), PAIR(tens, 8), PAIR(tens, 9)

const char text_pairs[200] = {
    TEN_PAIRS(0), TEN_PAIRS(1), TEN_PAIRS(2), TEN_PAIRS(3), TEN_PAIRS(4),
    TEN_PAIRS(5), TEN_PAIRS(6), TEN_PAIRS(7), TEN_PAIRS(8), TEN_PAIRS(9),
};

#define E18 ((hw_uint128)1000000000000000000)
#define E36 (E18 * E18)

const hw_uint128 text_pow10[HW_DECIMAL_MAX_PRECISION + 1] = {
    1,
    10,
    100,
    1000,
    10000,
    100000,
    1000000,
    10000000,
    100000000,
    1000000000,
    E18 / 100000000,
    E18 / 10000000,
    E18 / 1000000,
    E18 / 100000,
    E18 / 10000,
    E18 / 1000,
    E18 / 100,
    E18 / 10,
    E18,
    E18 * 10,
    E18 * 100,
    E18 * 1000,
    E18 * 10000,
    E18 * 100000,
    E18 * 1000000,
    E18 * 10000000,
    E18 * 100000000,
    E36 / 1000000000,
    E36 / 100000000,
    E36 / 10000000,
    E36 / 1000000,
    E36 / 100000,
    E36 / 10000,
    E36 / 1000,
    E36 / 100,
    E36 / 10,
    E36,
    E36 * 10,
    E36 * 100,
};

/* ---- parsing ------------------------------------------------------------- */

static hw_status parse_short_digits(const char *p, size_t len, uint64_t *out) {
  uint64_t v = 0;
  for (; len >= 8; len -= 8, p += 8) {
    uint64_t w = text_load8(p);
    if (!text_eight_digits(w)) return HW_EPARSE;
    v = v * 100000000 + text_eight_value(w);
  }
  unsigned wrong = 0;
  for (; len > 0; len--, p++) {
    unsigned d = text_digit(*p);
    wrong |= d > 9;
    v = v * 10 + d;
  }
  *out = v;
  return wrong ? HW_EPARSE : HW_OK;
}

/* 20 digits or more, of which many may be leading zeros. */
static hw_status parse_long_digits(const char *p, size_t len, uint64_t *out) {
  for (size_t i = 0; i < len; i++)
    if (!text_is_digit(p[i])) return HW_EPARSE;
  while (len > 1 && *p == '0') p++, len--;
  if (len < 20) return parse_short_digits(p, len, out);
  uint64_t head;
  hw_status st = parse_short_digits(p, 19, &head);
  if (st != HW_OK) return st;
  if (len > 20 || __builtin_mul_overflow(head, 10, &head) || __builtin_add_overflow(head, text_digit(p[19]), out))
    return HW_ERANGE;
  return HW_OK;
}

static inline hw_status parse_digits(const char *p, size_t len, uint64_t *out) {
  if (len - 1 < 19) return parse_short_digits(p, len, out);
  return len == 0 ? HW_EPARSE : parse_long_digits(p, len, out);
}

hw_status hw_parse_u64(const char *data, size_t len, uint64_t *out) {
  if (len > 0 && *data == '-') {
    /* A negative number is a number, though not one that fits; -0 does. */
    hw_status st = parse_digits(data + 1, len - 1, out);
    return st == HW_OK && *out != 0 ? HW_ERANGE : st;
  }
  return parse_digits(data, len, out);
}

hw_status hw_parse_i64(const char *data, size_t len, int64_t *out) {
  bool negative = len > 0 && *data == '-';
  uint64_t v;
  hw_status st = parse_digits(data + negative, len - negative, &v);
  if (st != HW_OK) return st;
  if (v > (uint64_t)INT64_MAX + negative) return HW_ERANGE;
  *out = (int64_t)(negative ? 0 - v : v);
  return HW_OK;
}

/* ---- formatting ---------------------------------------------------------- */

unsigned text_count_digits(uint64_t v) {
  /* log10 from log2: at most one too low, which the comparison tells. */
  unsigned guess = text_bits(v) * 1233 >> 12;
  return guess + (v >= (uint64_t)text_pow10[guess]) + (v == 0);
}

/* Eight digits with leading zeros. */
static inline void put8(char *out, uint32_t v) {
  uint32_t high = v / 10000, low = v % 10000;
  text_put2(out, high / 100);
  text_put2(out + 2, high % 100);
  text_put2(out + 4, low / 100);
  text_put2(out + 6, low % 100);
}

void text_put_digits(char *out, uint64_t v, unsigned n) {
  for (; n >= 8; n -= 8) {
    put8(out + n - 8, (uint32_t)(v % 100000000));
    v /= 100000000;
  }
  uint32_t rest = (uint32_t)v;
  for (; n >= 2; n -= 2) {
    text_put2(out + n - 2, rest % 100);
    rest /= 100;
  }
  if (n) *out = (char)('0' + rest % 10);
}

size_t hw_format_u64(uint64_t v, char *out) {
  unsigned n = text_count_digits(v);
  text_put_digits(out, v, n);
  return n;
}

size_t hw_format_i64(int64_t v, char *out) {
  bool negative = v < 0;
  *out = '-';
  return negative + hw_format_u64(negative ? 0 - (uint64_t)v : (uint64_t)v, out + negative);
}
