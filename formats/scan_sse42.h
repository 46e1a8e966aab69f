/* scan_sse42.h - the kernels of scan.h for x86-64 with SSE4.2. */
#ifndef FORMATS_SCAN_SSE42_H
#define FORMATS_SCAN_SSE42_H

#include <nmmintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/scan_clock.h"
#include "formats/scan_utf8.h"

#define SCAN_WIDTH 16

/* Bytes that end or complicate a JSON string: '"', '\\', below 0x20, above 0x7f.
 * Seen as signed, the last two are all that is less than 0x20. */
static inline uint32_t scan_json_special(const char *p) {
  __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
  __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
  __m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
  __m128i signs = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));
  return (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), signs));
}

/* The same without the bytes above 0x7f; *high says which those are. */
static inline uint32_t scan_json_stop(const char *p, uint32_t *high) {
  __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
  __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
  __m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
  __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
  *high = (uint32_t)_mm_movemask_epi8(v);
  return (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), control));
}

/* Which bytes equal one of four. */
static inline uint32_t scan_any_of4(const char *p, char a, char b, char c, char d) {
  __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
  __m128i ab = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(a)), _mm_cmpeq_epi8(v, _mm_set1_epi8(b)));
  __m128i cd = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(c)), _mm_cmpeq_epi8(v, _mm_set1_epi8(d)));
  return (uint32_t)_mm_movemask_epi8(_mm_or_si128(ab, cd));
}

/* Whether the bytes at p that `mask` names equal those of key (SCAN_KEY bytes). */
static inline bool scan_key_equal(const char *p, const char *key, uint32_t mask) {
  __m128i a = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)p),
                             _mm_loadu_si128((const __m128i *)(const void *)key));
  __m128i b = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + 16)),
                             _mm_loadu_si128((const __m128i *)(const void *)(key + 16)));
  uint32_t equal = (uint32_t)_mm_movemask_epi8(a) | (uint32_t)_mm_movemask_epi8(b) << 16;
  return !(~equal & mask);
}

static inline __m128i scan_load(const char *p) {
  return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* What a table has for each half byte. */
static inline __m128i scan_table(const uint8_t *table, __m128i halves) {
  return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)table), halves);
}
static inline __m128i scan_upper(__m128i v) {
  return _mm_and_si128(_mm_srli_epi16(v, 4), _mm_set1_epi8(15));
}

/* What is not 0 breaks a rule; `before` are the bytes before v. */
static inline __m128i scan_utf8_errors(__m128i v, __m128i before) {
  __m128i one = _mm_alignr_epi8(v, before, 15), two = _mm_alignr_epi8(v, before, 14);
  __m128i three = _mm_alignr_epi8(v, before, 13);
  __m128i pairs = _mm_and_si128(_mm_and_si128(scan_table(utf8_first_upper, scan_upper(one)),
                                              scan_table(utf8_first_lower, _mm_and_si128(one, _mm_set1_epi8(15)))),
                                scan_table(utf8_second_upper, scan_upper(v)));
  __m128i third = _mm_subs_epu8(two, _mm_set1_epi8((char)(0xe0 - 0x80)));
  __m128i fourth = _mm_subs_epu8(three, _mm_set1_epi8((char)(0xf0 - 0x80)));
  __m128i due = _mm_and_si128(_mm_or_si128(third, fourth), _mm_set1_epi8((char)UTF8_TWICE));
  return _mm_xor_si128(due, pairs);
}

/* A last vector that is not full is filled with zeros, which show what is cut there. */
static inline bool scan_utf8(const char *p, size_t len) {
  __m128i before = _mm_setzero_si128(), errors = before;
  for (size_t i = 0; i <= len; i += SCAN_WIDTH) {
    __m128i v = scan_load(p + i);
    if (len - i < SCAN_WIDTH) v = _mm_and_si128(v, scan_load((const char *)utf8_places + 32 - (len - i)));
    errors = _mm_or_si128(errors, scan_utf8_errors(v, before));
    before = v;
  }
  return _mm_testz_si128(errors, errors);
}

#endif
