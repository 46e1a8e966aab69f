/* text_class.h - what a text holds, found in one pass. */
#ifndef FORMATS_TEXT_CLASS_H
#define FORMATS_TEXT_CLASS_H

#include "formats/scan.h"

#include <headworks/value.h>

#define TEXT_BLOCK 64 /* bytes looked at in one go: few texts are longer */

/* Apart, for the registers of the loops that few texts come here from. */
static __attribute__((noinline)) bool text_is_utf8(const char *p, size_t len) {
  return scan_utf8(p, len);
}

/* Whether text inside parsed data is UTF-8; *flags: HW_STR_PLAIN where it holds.
 * Reads up to TEXT_BLOCK bytes past its end. */
static inline bool text_classify(const char *p, size_t len, uint32_t *flags) {
  uint64_t stops, highs, mask = len < SCAN_WIDTH ? (UINT64_C(1) << len) - 1 : UINT64_MAX;
  uint32_t high;
  stops = scan_json_stop(p, &high) & mask;
  highs = high & mask;
  for (size_t i = SCAN_WIDTH; i < len; i += TEXT_BLOCK) {
    mask = len - i < TEXT_BLOCK ? (UINT64_C(1) << (len - i)) - 1 : UINT64_MAX;
#pragma GCC unroll 8
    for (unsigned at = 0; at < TEXT_BLOCK; at += SCAN_WIDTH) {
      stops |= (uint64_t)scan_json_stop(p + i + at, &high) << at & mask;
      highs |= (uint64_t)high << at & mask;
    }
  }
  *flags = stops ? 0 : HW_STR_PLAIN;
  return __builtin_expect(!highs, 1) || text_is_utf8(p, len);
}

#endif
