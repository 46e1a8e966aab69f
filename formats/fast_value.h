/* fast_value.h - the usual spellings of values, straight from the data.
 *
 * Each reader takes what nearly all values look like and declines the rest
 * (false or NULL), which the caller then gives to the strict readers of value.h;
 * what is taken here means the same there. A reader looks at no more than 33
 * bytes from p, so p may be up to the parse padding less 33 past the end of the
 * data; the caller checks that what was taken ends before the data does. */
#ifndef FORMATS_FAST_VALUE_H
#define FORMATS_FAST_VALUE_H

#include "formats/scan.h"
#include "formats/swar.h"

#include <headworks/types.h>

/* The hot loops are one function each, whatever the compiler thinks of its size. */
#define FAST_INLINE static inline __attribute__((always_inline))

#define FAST_MAX_DIGITS 15 /* every number of so many digits is exact in a double */

static const uint64_t fast_pow10[FAST_MAX_DIGITS + 1] = {
    1,         10,         100,         1000,         10000,         100000,         1000000,         10000000,
    100000000, 1000000000, 10000000000, 100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000};

static const double fast_pow10_double[FAST_MAX_DIGITS + 1] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                              1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

/* Up to FAST_MAX_DIGITS digits at p; *n is 0 when there are none or more. */
FAST_INLINE uint64_t fast_digits(const char *p, unsigned *n) {
  uint64_t x = swar_load8(p);
  *n = swar_count_digits(x);
  if (__builtin_expect(*n == 0, 0)) return 0;
  uint64_t value = swar_digits_value(x, *n);
  if (__builtin_expect(*n < 8, 1)) return value;
  x = swar_load8(p + 8);
  unsigned more = swar_count_digits(x);
  if (more == 0) return value;
  *n = more < 8 ? 8 + more : 0;
  return value * fast_pow10[more] + swar_digits_value(x, more);
}

/* A JSON integer without sign; NULL: declined. Returns the byte after it. */
FAST_INLINE const char *fast_unsigned(const char *p, uint64_t *value) {
  unsigned n;
  *value = fast_digits(p, &n);
  if (__builtin_expect(n == 0 || (*p == '0' && n > 1), 0)) return NULL;
  return p + n;
}

FAST_INLINE const char *fast_signed(const char *p, int64_t *value) {
  uint64_t magnitude;
  bool negative = *p == '-';
  p = fast_unsigned(p + negative, &magnitude);
  *value = negative ? -(int64_t)magnitude : (int64_t)magnitude;
  return p;
}

/* A JSON number without exponent as mantissa * 10^-*scale, both exact in a double. */
FAST_INLINE const char *fast_number(const char *p, int64_t *mantissa, unsigned *scale) {
  unsigned n, n_fraction = 0;
  bool negative = *p == '-';
  p += negative;
  uint64_t m = fast_digits(p, &n);
  if (__builtin_expect(n == 0 || (*p == '0' && n > 1), 0)) return NULL;
  p += n;
  if (*p == '.') {
    uint64_t fraction = fast_digits(p + 1, &n_fraction);
    if (__builtin_expect(n_fraction == 0 || n + n_fraction > FAST_MAX_DIGITS, 0)) return NULL;
    m = m * fast_pow10[n_fraction] + fraction;
    p += 1 + n_fraction;
  }
  *mantissa = negative ? -(int64_t)m : (int64_t)m;
  *scale = n_fraction;
  /* -0.0 is not the 0 that an integer mantissa would give */
  return __builtin_expect(negative && m == 0, 0) ? NULL : p;
}

/* The same for numbers whose end is known: those without sign and of up to eight characters in
 * one go, others as above. False: not all up to `end` is such a number. */
FAST_INLINE bool fast_signed_to(const char *p, const char *end, int64_t *value) {
  size_t n = (size_t)(end - p);
  if (__builtin_expect(n - 1 > 7 || *p == '-', 0)) return (p = fast_signed(p, value)) && p == end;
  uint64_t x = (swar_load8(p) ^ UINT64_C(0x3030303030303030)) << (64 - 8 * n);
  if (__builtin_expect(swar_above9(x) || (*p == '0' && n > 1), 0)) return false;
  *value = swar_value(x);
  return true;
}

FAST_INLINE bool fast_number_to(const char *p, const char *end, int64_t *mantissa, unsigned *scale) {
  size_t n = (size_t)(end - p);
  if (__builtin_expect(n - 1 > 7 || *p <= '0', 0)) return (p = fast_number(p, mantissa, scale)) && p == end;
  uint64_t x = (swar_load8(p) ^ UINT64_C(0x3030303030303030)) << (64 - 8 * n), other = swar_above9(x);
  *scale = 0;
  if (__builtin_expect(other != 0, 1)) { /* the digits before the point move up to those behind it */
    unsigned at = (unsigned)__builtin_ctzll(other) - 7;
    uint64_t whole = x & ((UINT64_C(1) << at) - 1), point = x >> at & 0xff;
    *scale = 7 - at / 8;
    x = (x - whole - (point << at)) | whole << 8;
    if (__builtin_expect(*scale == 0 || point != ('.' ^ '0') || (other & (other - 1)), 0)) return false;
  }
  *mantissa = swar_value(x);
  return true;
}

/* A number as the double next to it: one division of two exact doubles. */
FAST_INLINE double fast_as_double(int64_t mantissa, unsigned scale) {
  return (double)mantissa / fast_pow10_double[scale];
}

/* The same for a column DECIMAL(.., scale) whose values are less than limit; false: declined. */
FAST_INLINE bool fast_as_decimal(int64_t mantissa, unsigned n_fraction, unsigned scale, hw_int128 limit,
                                 hw_int128 *value) {
  if (__builtin_expect(n_fraction > scale || scale - n_fraction > FAST_MAX_DIGITS, 0)) return false;
  *value = (hw_int128)mantissa * (hw_int128)fast_pow10[scale - n_fraction];
  return __builtin_expect(*value < limit && *value > -limit, 1);
}

/* "YYYY-MM-DD" at p, years 1600 to 9999, as days since 1970-01-01. */
FAST_INLINE bool fast_date(const char *p, int32_t *days) {
  static const uint16_t before[2][14] = {{0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365},
                                         {0, 0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366}};
  uint64_t x; /* "YYYY-MM-" */
  if (!swar_match(swar_load8(p), UINT64_C(0x2d30302d30303030), UINT64_C(0x7f76767f76767676), &x)) return false;
  unsigned d1 = (uint8_t)(p[8] - '0'), d2 = (uint8_t)(p[9] - '0');
  if (d1 > 9 || d2 > 9) return false;
  x = x * 10 + (x >> 8);
  int32_t year = (int32_t)((x & 0xff) * 100 + (x >> 16 & 0xff));
  unsigned month = x >> 40 & 0xff, day = d1 * 10 + d2;
  if (__builtin_expect(year < 1600 || month - 1 > 11 || day == 0, 0)) return false;
  bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (__builtin_expect(day > (unsigned)(before[leap][month + 1] - before[leap][month]), 0)) return false;
  int32_t y = year - 1;
  *days = y * 365 + y / 4 - y / 100 + y / 400 - 719162 + before[leap][month] + (int32_t)day - 1;
  return true;
}

/* A date of ten characters, which is `days`, 'T' or a blank, "HH:MM:SS", up to six
 * digits of fraction, 'Z' or nothing, as microseconds since 1970. Returns the byte
 * after it, which the caller must find to be the end of the text. */
FAST_INLINE const char *fast_timestamp(const char *p, int32_t days, int64_t *value) {
  int64_t micros;
  if (__builtin_expect(p[10] != 'T' && p[10] != ' ', 0)) return NULL;
  p = scan_clock(p + 11, &micros);
  if (__builtin_expect(!p, 0)) return NULL;
  *value = (int64_t)days * 86400000000 + micros;
  return p + (*p == 'Z');
}

#endif
