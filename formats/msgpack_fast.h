/* msgpack_fast.h - items of MessagePack as they usually are, straight into the columns.
 *
 * As fast_column.h does for text: what a reader takes, the strict way (msgpack_in.c)
 * would have read the same, and what it declines (NULL) goes there. p may lie up to
 * SCAN_KEY bytes past the end of the data; the caller checks that what was taken
 * ends before that. Text alone is looked at further, so its end is checked here. */
#ifndef FORMATS_MSGPACK_FAST_H
#define FORMATS_MSGPACK_FAST_H

#include "formats/fast_column.h"
#include "formats/text_class.h"

/* Eight bytes as the big-endian number they are. */
FAST_INLINE uint64_t mp_big8(const char *p) {
  return __builtin_bswap64(swar_load8(p));
}

FAST_INLINE const char *mp_fast_boolean(const fast_row *h, const char *p, const row_column *column) {
  unsigned value = (unsigned char)*p - 0xc2u;
  if (__builtin_expect(value > 1, 0)) return NULL;
  *(uint8_t *)fast_slot(h, column, 1) = (uint8_t)value;
  return p + 1;
}

FAST_INLINE const char *mp_fast_integer(const fast_row *h, const char *p, const row_column *column, int64_t min,
                                        int64_t max) {
  unsigned first = (unsigned char)*p, size = 0;
  int64_t value = (signed char)*p;
  if (first - 0x80 < 0xe0 - 0x80) { /* not its own number */
    unsigned form = first - 0xcc;   /* of 8, 16, 32, 64 bits, first unsigned, then signed */
    if (__builtin_expect(form > 7, 0)) return NULL;
    size = 1u << (form & 3);
    uint64_t bits = mp_big8(p + 1);
    value = form > 3 ? (int64_t)bits >> (64 - 8 * size) : (int64_t)(bits >> (64 - 8 * size));
    if (__builtin_expect(form == 3 && value < 0, 0)) return NULL;
  }
  if (__builtin_expect(value < min || value > max, 0)) return NULL;
  fast_store_integer(h, column, max, value);
  return p + 1 + size;
}

FAST_INLINE const char *mp_fast_double(const fast_row *h, const char *p, const row_column *column) {
  uint64_t bits = mp_big8(p + 1);
  if (__builtin_expect((unsigned char)*p != 0xcb, 0)) return NULL;
  memcpy(fast_slot(h, column, sizeof bits), &bits, sizeof bits);
  return p + 9;
}

/* A timestamp extension of 32 or 64 bits: years 1970 to 2514. */
FAST_INLINE const char *mp_fast_instant(const fast_row *h, const char *p, const row_column *column) {
  bool wide = (unsigned char)*p == 0xd7;
  if (__builtin_expect((!wide && (unsigned char)*p != 0xd6) || (unsigned char)p[1] != 0xff, 0)) return NULL;
  uint64_t bits = mp_big8(p + 2);
  uint64_t seconds = wide ? bits & ((UINT64_C(1) << 34) - 1) : bits >> 32, nanos = wide ? bits >> 34 : 0;
  if (__builtin_expect(nanos > 999999999, 0)) return NULL;
  *(int64_t *)fast_slot(h, column, sizeof(int64_t)) = (int64_t)(seconds * 1000000 + nanos / 1000);
  return p + (wide ? 10 : 6);
}

/* Text that surely fits. */
FAST_INLINE const char *mp_fast_text(const fast_row *h, const char *p, const row_column *column) {
  unsigned first = (unsigned char)*p++, len = first & 31, flags;
  if (first >> 5 != 5) {
    if (__builtin_expect(first != 0xd9, 0)) return NULL;
    len = (unsigned char)*p++;
  }
  if (__builtin_expect(h->end - p < (ptrdiff_t)len || len > column->max_length, 0)) return NULL;
  if (__builtin_expect(!text_classify(p, len, &flags), 0)) return NULL;
  *(hw_str *)fast_slot(h, column, sizeof(hw_str)) = (hw_str){.data = p, .len = len, .flags = flags};
  return p + len;
}

FAST_INLINE const char *mp_number(const fast_row *h, const char *p, int64_t *mantissa, unsigned *scale) {
  (void)h;
  return fast_number(p, mantissa, scale);
}

/* A number in a string. */
FAST_INLINE const char *mp_fast_decimal(const fast_row *h, const char *p, const row_column *column) {
  unsigned len = (unsigned char)*p - 0xa0u;
  return len < 32 && fast_fixed(h, p + 1, column, mp_number) == p + 1 + len ? p + 1 + len : NULL;
}

FAST_INLINE const char *mp_fast_day(const fast_row *h, const char *p, const row_column *column) {
  return (unsigned char)*p == 0xaa ? fast_day(h, p + 1, column) : NULL;
}

/* The item at p by its column's type, as fast_column. */
FAST_INLINE const char *mp_fast_column(const fast_row *h, const char *p, const row_column *column) {
  const char *after = NULL;
  switch (column->type) {
  case HW_TYPE_BOOLEAN: after = mp_fast_boolean(h, p, column); break;
  case HW_TYPE_TINYINT: after = mp_fast_integer(h, p, column, INT8_MIN, INT8_MAX); break;
  case HW_TYPE_SMALLINT: after = mp_fast_integer(h, p, column, INT16_MIN, INT16_MAX); break;
  case HW_TYPE_INT: after = mp_fast_integer(h, p, column, INT32_MIN, INT32_MAX); break;
  case HW_TYPE_BIGINT: after = mp_fast_integer(h, p, column, INT64_MIN, INT64_MAX); break;
  case HW_TYPE_UTINYINT: after = mp_fast_integer(h, p, column, 0, UINT8_MAX); break;
  case HW_TYPE_USMALLINT: after = mp_fast_integer(h, p, column, 0, UINT16_MAX); break;
  case HW_TYPE_UINT: after = mp_fast_integer(h, p, column, 0, UINT32_MAX); break;
  case HW_TYPE_UBIGINT: after = mp_fast_integer(h, p, column, 0, INT64_MAX); break;
  case HW_TYPE_DOUBLE: after = mp_fast_double(h, p, column); break;
  case HW_TYPE_DECIMAL: after = mp_fast_decimal(h, p, column); break;
  case HW_TYPE_VARCHAR: after = mp_fast_text(h, p, column); break;
  case HW_TYPE_DATE: after = mp_fast_day(h, p, column); break;
  case HW_TYPE_TIMESTAMP: after = mp_fast_instant(h, p, column); break;
  default: break;
  }
  return after;
}

#endif
