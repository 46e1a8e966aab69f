/* scan_neon.h - the kernels of scan.h for aarch64, which always has NEON.
 *
 * There is no instruction that gathers the signs of bytes. Bytes that are all ones
 * or all zeros keep one bit each, of weight 1 to 128, and pairwise additions put
 * eight of these into one byte. */
#ifndef FORMATS_SCAN_NEON_H
#define FORMATS_SCAN_NEON_H

#include <arm_neon.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/scan_utf8.h"

#define SCAN_WIDTH 16

static inline uint8x16_t scan_load(const char *p) {
  return vld1q_u8((const uint8_t *)p);
}
static inline uint8x16_t scan_equal(uint8x16_t v, char c) {
  return vceqq_u8(v, vdupq_n_u8((uint8_t)c));
}

/* One bit of each of two vectors' bytes, which are 0 or 255. */
static inline uint32_t scan_masks(uint8x16_t a, uint8x16_t b) {
  static const uint8_t weights[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  uint8x16_t w = vld1q_u8(weights);
  uint8x16_t sums = vpaddq_u8(vandq_u8(a, w), vandq_u8(b, w));
  sums = vpaddq_u8(sums, sums);
  sums = vpaddq_u8(sums, sums);
  return vgetq_lane_u32(vreinterpretq_u32_u8(sums), 0);
}

static inline uint32_t scan_mask(uint8x16_t v) {
  return scan_masks(v, v) & 0xffff;
}

static inline uint8x16_t scan_marks(uint8x16_t v) {
  return vorrq_u8(scan_equal(v, '"'), scan_equal(v, '\\'));
}

/* Control characters and bytes above 0x7f: seen as signed, all that is less than 0x20. */
static inline uint8x16_t scan_signs(uint8x16_t v) {
  return vcltq_s8(vreinterpretq_s8_u8(v), vdupq_n_s8(0x20));
}

static inline uint32_t scan_json_special(const char *p) {
  uint8x16_t v = scan_load(p);
  return scan_mask(vorrq_u8(scan_marks(v), scan_signs(v)));
}

static inline uint32_t scan_json_stop(const char *p, uint32_t *high) {
  uint8x16_t v = scan_load(p);
  uint8x16_t stops = vorrq_u8(scan_marks(v), vcltq_u8(v, vdupq_n_u8(0x20)));
  uint32_t both = scan_masks(stops, vcgeq_u8(v, vdupq_n_u8(0x80)));
  *high = both >> 16;
  return both & 0xffff;
}

static inline uint32_t scan_any_of4(const char *p, char a, char b, char c, char d) {
  uint8x16_t v = scan_load(p);
  uint8x16_t ab = vorrq_u8(scan_equal(v, a), scan_equal(v, b));
  return scan_mask(vorrq_u8(ab, vorrq_u8(scan_equal(v, c), scan_equal(v, d))));
}

static inline bool scan_key_equal(const char *p, const char *key, uint32_t mask) {
  uint8x16_t a = vceqq_u8(scan_load(p), scan_load(key));
  uint8x16_t b = vceqq_u8(scan_load(p + 16), scan_load(key + 16));
  return !(~scan_masks(a, b) & mask);
}

/* What is not 0 breaks a rule; `before` are the bytes before v. */
static inline uint8x16_t scan_utf8_errors(uint8x16_t v, uint8x16_t before) {
  uint8x16_t one = vextq_u8(before, v, 15), two = vextq_u8(before, v, 14), three = vextq_u8(before, v, 13);
  uint8x16_t pairs = vandq_u8(vandq_u8(vqtbl1q_u8(vld1q_u8(utf8_first_upper), vshrq_n_u8(one, 4)),
                                       vqtbl1q_u8(vld1q_u8(utf8_first_lower), vandq_u8(one, vdupq_n_u8(15)))),
                              vqtbl1q_u8(vld1q_u8(utf8_second_upper), vshrq_n_u8(v, 4)));
  uint8x16_t third = vqsubq_u8(two, vdupq_n_u8(0xe0 - 0x80)), fourth = vqsubq_u8(three, vdupq_n_u8(0xf0 - 0x80));
  return veorq_u8(vandq_u8(vorrq_u8(third, fourth), vdupq_n_u8(UTF8_TWICE)), pairs);
}

/* A last vector that is not full is filled with zeros, which show what is cut there. */
static inline bool scan_utf8(const char *p, size_t len) {
  uint8x16_t before = vdupq_n_u8(0), errors = before;
  for (size_t i = 0; i <= len; i += SCAN_WIDTH) {
    uint8x16_t v = scan_load(p + i);
    if (len - i < SCAN_WIDTH) v = vandq_u8(v, scan_load((const char *)utf8_places + 32 - (len - i)));
    errors = vorrq_u8(errors, scan_utf8_errors(v, before));
    before = v;
  }
  return vmaxvq_u8(errors) == 0;
}

/* One shuffle puts the digits side by side, sums of products make numbers of them. */
static inline const char *scan_clock(const char *p, int64_t *micros) {
  static const uint8_t order[16] = {0, 3, 6, 9, 11, 13, 255, 255, 1, 4, 7, 10, 12, 14, 255, 255};
  static const uint16_t most[8] = {23, 59, 59, 99, 99, 99, 0, 0};
  uint8x16_t v = scan_load(p), digits = vsubq_u8(v, vdupq_n_u8('0'));
  uint32_t others = scan_mask(vcgtq_u8(digits, vdupq_n_u8(9))) | 1u << 16;
  uint32_t fraction = p[8] == '.', n = (uint32_t)__builtin_ctz(others >> 9), len = 8 + (n + 1) * fraction;
  if (__builtin_expect((others & 0xdb) != 0 || p[2] != ':' || p[5] != ':' || (fraction && n - 1 > 5), 0)) return NULL;
  digits = vandq_u8(digits, scan_load((const char *)utf8_places + 32 - len));
  uint8x16_t pairs = vqtbl1q_u8(digits, vld1q_u8(order)); /* tens, then ones */
  uint16x8_t numbers = vmlal_u8(vmovl_u8(vget_high_u8(pairs)), vget_low_u8(pairs), vdup_n_u8(10));
  if (__builtin_expect(vmaxvq_u16(vcgtq_u16(numbers, vld1q_u16(most))) != 0, 0)) return NULL;
  uint32_t seconds = vgetq_lane_u16(numbers, 0) * 3600u + vgetq_lane_u16(numbers, 1) * 60u + vgetq_lane_u16(numbers, 2);
  uint32_t rest = vgetq_lane_u16(numbers, 3) * 10000u + vgetq_lane_u16(numbers, 4) * 100u + vgetq_lane_u16(numbers, 5);
  *micros = (int64_t)seconds * 1000000 + rest;
  return p + len;
}

#endif
