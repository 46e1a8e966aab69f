/* scan_avx2.h - the kernels of scan.h for x86-64 with AVX2. */
#ifndef FORMATS_SCAN_AVX2_H
#define FORMATS_SCAN_AVX2_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/scan_clock.h"
#include "formats/scan_utf8.h"

#define SCAN_WIDTH 32

static inline __m256i scan_load(const char *p) {
  return _mm256_loadu_si256((const __m256i *)(const void *)p);
}
static inline __m256i scan_equal(__m256i v, char c) {
  return _mm256_cmpeq_epi8(v, _mm256_set1_epi8(c));
}
static inline uint32_t scan_mask(__m256i v) {
  return (uint32_t)_mm256_movemask_epi8(v);
}

/* Seen as signed, control characters and bytes above 0x7f are all that is less than 0x20. */
static inline uint32_t scan_json_special(const char *p) {
  __m256i v = scan_load(p);
  __m256i signs = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), v);
  return scan_mask(_mm256_or_si256(_mm256_or_si256(scan_equal(v, '"'), scan_equal(v, '\\')), signs));
}

static inline uint32_t scan_json_stop(const char *p, uint32_t *high) {
  __m256i v = scan_load(p);
  __m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(0x1f)), v);
  *high = scan_mask(v);
  return scan_mask(_mm256_or_si256(_mm256_or_si256(scan_equal(v, '"'), scan_equal(v, '\\')), control));
}

static inline uint32_t scan_any_of4(const char *p, char a, char b, char c, char d) {
  __m256i v = scan_load(p);
  __m256i ab = _mm256_or_si256(scan_equal(v, a), scan_equal(v, b));
  return scan_mask(_mm256_or_si256(ab, _mm256_or_si256(scan_equal(v, c), scan_equal(v, d))));
}

static inline bool scan_key_equal(const char *p, const char *key, uint32_t mask) {
  return !(~scan_mask(_mm256_cmpeq_epi8(scan_load(p), scan_load(key))) & mask);
}

/* What a table of 16, which stands twice, has for each half byte. */
static inline __m256i scan_table(const uint8_t *table, __m256i halves) {
  return _mm256_shuffle_epi8(_mm256_loadu_si256((const __m256i *)(const void *)table), halves);
}
static inline __m256i scan_upper(__m256i v) {
  return _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(15));
}

/* What is not 0 breaks a rule; `before` are the bytes before v. */
static inline __m256i scan_utf8_errors(__m256i v, __m256i before) {
  __m256i joint = _mm256_permute2x128_si256(before, v, 0x21);
  __m256i one = _mm256_alignr_epi8(v, joint, 15), two = _mm256_alignr_epi8(v, joint, 14);
  __m256i three = _mm256_alignr_epi8(v, joint, 13);
  __m256i pairs = _mm256_and_si256(
      _mm256_and_si256(scan_table(utf8_first_upper, scan_upper(one)),
                       scan_table(utf8_first_lower, _mm256_and_si256(one, _mm256_set1_epi8(15)))),
      scan_table(utf8_second_upper, scan_upper(v)));
  __m256i third = _mm256_subs_epu8(two, _mm256_set1_epi8((char)(0xe0 - 0x80)));
  __m256i fourth = _mm256_subs_epu8(three, _mm256_set1_epi8((char)(0xf0 - 0x80)));
  __m256i due = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8((char)UTF8_TWICE));
  return _mm256_xor_si256(due, pairs);
}

/* A last vector that is not full is filled with zeros, which show what is cut there. */
static inline bool scan_utf8(const char *p, size_t len) {
  __m256i before = _mm256_setzero_si256(), errors = before;
  for (size_t i = 0; i <= len; i += SCAN_WIDTH) {
    __m256i v = scan_load(p + i);
    if (len - i < SCAN_WIDTH) v = _mm256_and_si256(v, scan_load((const char *)utf8_places + 32 - (len - i)));
    errors = _mm256_or_si256(errors, scan_utf8_errors(v, before));
    before = v;
  }
  return _mm256_testz_si256(errors, errors);
}

#endif
