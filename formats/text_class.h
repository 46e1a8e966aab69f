/* text_class.h - what a text holds, found in one pass. */
#ifndef FORMATS_TEXT_CLASS_H
#define FORMATS_TEXT_CLASS_H

#include "formats/scan.h"

#include <headworks/value.h>

/* Whether text inside parsed data is UTF-8; *flags: HW_STR_PLAIN where it holds.
 * Reads up to SCAN_WIDTH bytes past its end. */
static inline bool text_classify(const char *p, size_t len, uint32_t *flags) {
  uint32_t stops = 0, highs = 0;
  for (size_t i = 0; i < len; i += SCAN_WIDTH) {
    uint32_t high, stop = scan_json_stop(p + i, &high);
    uint32_t mask = len - i < SCAN_WIDTH ? (1u << (len - i)) - 1 : UINT32_MAX;
    stops |= stop & mask;
    highs |= high & mask;
  }
  *flags = stops ? 0 : HW_STR_PLAIN;
  return !highs || hw_utf8_valid(p, len);
}

#endif
