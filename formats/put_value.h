/* put_value.h - values as text, written straight into the output.
 *
 * fast_value.h the other way round: what nearly all values look like is written
 * here, without a call, and the rest by the functions of value.h; the bytes are
 * the same either way. Digits are made eight at a time in a register, and stores
 * are whole: a writer may touch PUT_SLACK bytes beyond those that count. Text is
 * read exactly, since nothing says what lies behind it. */
#ifndef FORMATS_PUT_VALUE_H
#define FORMATS_PUT_VALUE_H

#include "formats/swar.h"

#include <headworks/value.h>

#define PUT_INLINE static inline __attribute__((always_inline))
#define PUT_SLACK 16

#define PUT_ASCII UINT64_C(0x3030303030303030)
#define PUT_DAY INT64_C(86400000000) /* microseconds */

/* ---- numbers ------------------------------------------------------------------- */

/* The eight digits of v < 10^8 as bytes 0 .. 9, the first in the lowest. Each step
 * splits all parts at once: by 10,000, by 100, by 10. */
PUT_INLINE uint64_t put_eight(uint32_t v) {
  uint64_t x = v / 10000 | (uint64_t)(v % 10000) << 32;
  uint64_t hundreds = (x * 10486 >> 20) & UINT64_C(0x0000007f0000007f);
  x = hundreds | (x - hundreds * 100) << 16;
  uint64_t tens = (x * 103 >> 10) & UINT64_C(0x000f000f000f000f);
  return tens | (x - tens * 10) << 8;
}

/* Writes digits without the zeros before them; the last always stands. */
PUT_INLINE char *put_significant(char *out, uint64_t digits) {
  unsigned zeros = (unsigned)__builtin_ctzll(digits | UINT64_C(1) << 56) >> 3;
  swar_store8(out, (digits | PUT_ASCII) >> 8 * zeros);
  return out + 8 - zeros;
}

PUT_INLINE char *put_unsigned(char *out, uint64_t v) {
  if (__builtin_expect(v < 100000000, 1)) return put_significant(out, put_eight((uint32_t)v));
  return out + hw_format_u64(v, out);
}

PUT_INLINE char *put_signed(char *out, int64_t v) {
  *out = '-';
  return put_unsigned(out + (v < 0), v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

/* Numbers of at most two decimal places below a million; see value_shortest.c for why that is the shortest text. */
PUT_INLINE char *put_double(char *out, double v) {
  double magnitude = __builtin_fabs(v);
  if (__builtin_expect(!(magnitude < 1e6), 0)) return out + hw_format_f64(v, out);
  uint32_t hundredths = (uint32_t)(int64_t)(magnitude * 100.0 + 0.5);
  if (__builtin_expect((double)hundredths / 100.0 != magnitude, 0)) return out + hw_format_f64(v, out);
  *out = '-';
  out += __builtin_signbit(v) != 0;
  uint64_t digits = put_eight(hundredths);
  out = put_significant(out, digits << 16);
  uint64_t last = digits >> 56;
  swar_store8(out, (digits >> 40 & UINT64_C(0xffff00)) | UINT64_C(0x30302e));
  return out + 3 - (last == 0);
}

PUT_INLINE char *put_boolean(char *out, bool value) {
  memcpy(out, value ? "true" : "false", 5);
  return out + 5 - value;
}

/* ---- timestamps ------------------------------------------------------------------ */

/* The day written last. */
typedef struct put_day {
  int64_t start; /* its first microsecond */
  char text[16]; /* "YYYY-MM-DD " */
} put_day;

static inline void put_day_init(put_day *day) {
  *day = (put_day){.start = 0, .text = "1970-01-01 "};
}

/* False: not a day that is written with ten characters. */
static inline bool put_other_day(put_day *day, int64_t v) {
  int64_t days = v / PUT_DAY - (v % PUT_DAY < 0);
  char text[HW_VALUE_TEXT_MAX];
  if (hw_format_date((int32_t)days, text) != 10) return false;
  memcpy(day->text, text, 10);
  day->start = days * PUT_DAY;
  return true;
}

/* "YYYY-MM-DD HH:MM:SS", and a fraction without its trailing zeros. */
PUT_INLINE char *put_timestamp(char *out, int64_t v, put_day *day) {
  uint64_t us = (uint64_t)v - (uint64_t)day->start;
  if (__builtin_expect(us >= (uint64_t)PUT_DAY, 0)) {
    if (!put_other_day(day, v)) return out + hw_format_timestamp(v, out);
    us = (uint64_t)v - (uint64_t)day->start;
  }
  memcpy(out, day->text, sizeof day->text);
  out += 11;
  uint32_t seconds = (uint32_t)(us / 1000000), fraction = (uint32_t)(us - (uint64_t)seconds * 1000000);
  uint32_t minutes = seconds / 60, hours = seconds / 3600;
  uint64_t x = hours | (uint64_t)(minutes - hours * 60) << 24 | (uint64_t)(seconds - minutes * 60) << 48;
  uint64_t tens = (x * 103 >> 10) & UINT64_C(0x000f00000f00000f);
  swar_store8(out, (tens | (x - tens * 10) << 8) + UINT64_C(0x30303a30303a3030));
  out += 8;
  uint64_t digits = put_eight(fraction); /* 00 and the six */
  unsigned zeros = (unsigned)__builtin_clzll(digits | 1) >> 3;
  *out = '.';
  swar_store8(out + 1, (digits | PUT_ASCII) >> 16);
  return fraction ? out + 7 - zeros : out;
}

/* ---- all but strings ---------------------------------------------------------------- */

/* The value of a row of a column of any other type than a string's. */
PUT_INLINE char *put_plain(char *out, const hw_type *type, const void *values, uint32_t row, put_day *day) {
  switch (type->id) {
  case HW_TYPE_BOOLEAN: return put_boolean(out, ((const uint8_t *)values)[row]);
  case HW_TYPE_TINYINT: return put_signed(out, ((const int8_t *)values)[row]);
  case HW_TYPE_SMALLINT: return put_signed(out, ((const int16_t *)values)[row]);
  case HW_TYPE_INT: return put_signed(out, ((const int32_t *)values)[row]);
  case HW_TYPE_BIGINT: return put_signed(out, ((const int64_t *)values)[row]);
  case HW_TYPE_UTINYINT: return put_unsigned(out, ((const uint8_t *)values)[row]);
  case HW_TYPE_USMALLINT: return put_unsigned(out, ((const uint16_t *)values)[row]);
  case HW_TYPE_UINT: return put_unsigned(out, ((const uint32_t *)values)[row]);
  case HW_TYPE_UBIGINT: return put_unsigned(out, ((const uint64_t *)values)[row]);
  case HW_TYPE_DOUBLE: return put_double(out, ((const double *)values)[row]);
  case HW_TYPE_TIMESTAMP: return put_timestamp(out, ((const int64_t *)values)[row], day);
  default:
    return out + hw_value_format(type, (const char *)values + (size_t)row * hw_type_width((hw_type_id)type->id), out);
  }
}

/* ---- bytes --------------------------------------------------------------------------- */

/* Copies bytes by overlapping loads from both ends, which spares most a call. */
PUT_INLINE char *put_bytes(char *out, const char *p, size_t len) {
  char *after = out + len;
  if (len > 64) {
    memcpy(out, p, len);
  } else if (len > 32) {
    char head[32], tail[32];
    memcpy(head, p, 32);
    memcpy(tail, p + len - 32, 32);
    memcpy(out, head, 32);
    memcpy(after - 32, tail, 32);
  } else if (len >= 16) {
    memcpy(out, p, 16);
    memcpy(after - 16, p + len - 16, 16);
  } else if (len >= 8) {
    memcpy(out, p, 8);
    memcpy(after - 8, p + len - 8, 8);
  } else if (len >= 4) {
    memcpy(out, p, 4);
    memcpy(after - 4, p + len - 4, 4);
  } else if (len > 0) {
    out[0] = p[0];
    out[len / 2] = p[len / 2];
    out[len - 1] = p[len - 1];
  }
  return after;
}

/* Copies bytes behind which PUT_SLACK more can be read. */
PUT_INLINE char *put_padded(char *out, const char *p, size_t len) {
  for (size_t i = 0; i < len; i += PUT_SLACK) memcpy(out + i, p + i, PUT_SLACK);
  return out + len;
}

#endif
