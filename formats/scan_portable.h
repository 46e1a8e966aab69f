/* scan_portable.h - the kernels of scan.h in plain C: what all the others have to give. */
#ifndef FORMATS_SCAN_PORTABLE_H
#define FORMATS_SCAN_PORTABLE_H

#include "formats/swar.h"

#include <headworks/value.h>

#define SCAN_WIDTH 8

#define SCAN_ONES UINT64_C(0x0101010101010101)
#define SCAN_TOPS UINT64_C(0x8080808080808080)

/* The top bits of a word's bytes as a mask of eight. */
static inline uint32_t scan_gather(uint64_t tops) {
  return (uint32_t)(((tops >> 7) * UINT64_C(0x0102040810204080)) >> 56);
}

/* Exact, byte by byte, unlike the usual shorter forms: no borrow crosses bytes. */
static inline uint64_t scan_zero_bytes(uint64_t x) {
  return ~(((x & ~SCAN_TOPS) + ~SCAN_TOPS) | x) & SCAN_TOPS;
}

static inline uint64_t scan_equal_bytes(uint64_t x, char c) {
  return scan_zero_bytes(x ^ (SCAN_ONES * (uint8_t)c));
}

static inline uint64_t scan_control_bytes(uint64_t x) {
  return scan_zero_bytes(x & (SCAN_ONES * 0xe0));
}

/* Bytes that end or complicate a JSON string: '"', '\\', below 0x20, above 0x7f. */
static inline uint32_t scan_json_special(const char *p) {
  uint64_t x = swar_load8(p);
  return scan_gather(scan_equal_bytes(x, '"') | scan_equal_bytes(x, '\\') | scan_control_bytes(x) | (x & SCAN_TOPS));
}

/* The same without the bytes above 0x7f; *high says which those are. */
static inline uint32_t scan_json_stop(const char *p, uint32_t *high) {
  uint64_t x = swar_load8(p);
  *high = scan_gather(x & SCAN_TOPS);
  return scan_gather(scan_equal_bytes(x, '"') | scan_equal_bytes(x, '\\') | scan_control_bytes(x));
}

/* Which bytes equal one of four. */
static inline uint32_t scan_any_of4(const char *p, char a, char b, char c, char d) {
  uint64_t x = swar_load8(p);
  return scan_gather(scan_equal_bytes(x, a) | scan_equal_bytes(x, b) | scan_equal_bytes(x, c) | scan_equal_bytes(x, d));
}

/* Whether the bytes at p that `mask` names equal those of key (SCAN_KEY bytes). */
static inline bool scan_key_equal(const char *p, const char *key, uint32_t mask) {
  return !memcmp(p, key, 32 - (size_t)__builtin_clz(mask)); /* masks are runs of low bits */
}

/* Whether the text, which lies in parsed data, is UTF-8; may read SCAN_WIDTH bytes past its end. */
static inline bool scan_utf8(const char *p, size_t len) {
  return hw_utf8_valid(p, len);
}

/* "HH:MM:SS" at p, and up to six digits of a fraction, as microseconds since midnight. Returns
 * the byte after them, NULL where it is no such time. Reads 16 bytes, whatever SCAN_WIDTH is. */
static inline const char *scan_clock(const char *p, int64_t *micros) {
  static const int32_t scale[7] = {0, 100000, 10000, 1000, 100, 10, 1};
  uint64_t x;
  if (!swar_match(swar_load8(p), UINT64_C(0x30303a30303a3030), UINT64_C(0x76767f76767f7676), &x)) return NULL;
  x = x * 10 + (x >> 8);
  int32_t hour = (int32_t)(x & 0xff), minute = (int32_t)(x >> 24 & 0xff), second = (int32_t)(x >> 48 & 0xff);
  if (__builtin_expect(hour > 23 || minute > 59 || second > 59, 0)) return NULL;
  *micros = (int64_t)(hour * 3600 + minute * 60 + second) * 1000000;
  p += 8;
  if (*p != '.') return p;
  x = swar_load8(p + 1);
  unsigned n = swar_count_digits(x);
  if (__builtin_expect(n - 1 > 5, 0)) return NULL;
  *micros += swar_digits_value(x, n) * (uint32_t)scale[n];
  return p + 1 + n;
}

#endif
