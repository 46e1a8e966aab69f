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

/* Bytes that end or complicate a CSV cell: delimiter, quote, '"', '\\', below 0x20,
 * above 0x7f. */
static inline uint32_t scan_csv_special(const char *p, char delimiter, char quote) {
  uint64_t x = swar_load8(p);
  uint64_t marks = scan_equal_bytes(x, delimiter) | scan_equal_bytes(x, quote);
  return scan_gather(marks | scan_equal_bytes(x, '"') | scan_equal_bytes(x, '\\') | scan_control_bytes(x) |
                     (x & SCAN_TOPS));
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

#endif
