/* scan_avx2.h - the kernels of scan.h for x86-64 with AVX2. */
#ifndef FORMATS_SCAN_AVX2_H
#define FORMATS_SCAN_AVX2_H

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

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

static inline uint32_t scan_csv_special(const char *p, char delimiter, char quote) {
  __m256i v = scan_load(p);
  __m256i marks = _mm256_or_si256(scan_equal(v, delimiter), scan_equal(v, quote));
  __m256i json = _mm256_or_si256(scan_equal(v, '"'), scan_equal(v, '\\'));
  __m256i signs = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), v);
  return scan_mask(_mm256_or_si256(_mm256_or_si256(marks, json), signs));
}

static inline uint32_t scan_any_of4(const char *p, char a, char b, char c, char d) {
  __m256i v = scan_load(p);
  __m256i ab = _mm256_or_si256(scan_equal(v, a), scan_equal(v, b));
  return scan_mask(_mm256_or_si256(ab, _mm256_or_si256(scan_equal(v, c), scan_equal(v, d))));
}

static inline bool scan_key_equal(const char *p, const char *key, uint32_t mask) {
  return !(~scan_mask(_mm256_cmpeq_epi8(scan_load(p), scan_load(key))) & mask);
}

#endif
