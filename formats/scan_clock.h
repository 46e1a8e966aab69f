/* scan_clock.h - the kernel scan_clock with SSE4.2, which AVX2 has as well: a time of day is
 * shorter than a wide vector. */
#ifndef FORMATS_SCAN_CLOCK_H
#define FORMATS_SCAN_CLOCK_H

#include "formats/scan_utf8.h"

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

/* One shuffle puts the digits side by side, two sums of products make numbers of them. */
static inline const char *scan_clock(const char *p, int64_t *micros) {
  const __m128i form = _mm_setr_epi8(0, 0, ':', 0, 0, ':', 0, 0, '.', 0, 0, 0, 0, 0, 0, 0);
  const __m128i order = _mm_setr_epi8(0, 1, 3, 4, 6, 7, -1, -1, 9, 10, 11, 12, 13, 14, -1, -1);
  const __m128i most = _mm_setr_epi16(23, 59, 59, 0, 99, 99, 99, 0);
  const __m128i parts = _mm_setr_epi16(3600, 60, 1, 0, 10000, 100, 1, 0);
  __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p), digits = _mm_sub_epi8(v, _mm_set1_epi8('0'));
  uint32_t marks = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, form));
  uint32_t others = ~(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits));
  uint32_t fraction = marks >> 8 & 1, n = (uint32_t)__builtin_ctz(others >> 9), len = 8 + (n + 1) * fraction;
  if (__builtin_expect((others & 0xdb) | (~marks & 0x24) | (fraction & (n - 1 > 5)), 0)) return NULL;
  __m128i inside = _mm_loadu_si128((const __m128i *)(const void *)(utf8_places + 32 - len));
  digits = _mm_shuffle_epi8(_mm_and_si128(digits, inside), order);
  __m128i pairs = _mm_maddubs_epi16(digits, _mm_set1_epi16(10 | 1 << 8));
  if (__builtin_expect(_mm_movemask_epi8(_mm_cmpgt_epi16(pairs, most)), 0)) return NULL;
  __m128i sums = _mm_madd_epi16(pairs, parts);
  sums = _mm_add_epi32(sums, _mm_srli_epi64(sums, 32));
  *micros = (int64_t)(uint32_t)_mm_cvtsi128_si32(sums) * 1000000 + (uint32_t)_mm_extract_epi32(sums, 2);
  return p + len;
}

#endif
