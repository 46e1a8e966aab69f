/* scan_sse42.h - the kernels of scan.h for x86-64 with SSE4.2. What they use is
 * SSE2; the set's bit counting and 16-byte shuffles help the compiler elsewhere. */
#ifndef FORMATS_SCAN_SSE42_H
#define FORMATS_SCAN_SSE42_H

#include <emmintrin.h>
#include <stdbool.h>
#include <stdint.h>

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

/* Bytes that end or complicate a CSV cell: delimiter, quote, '"', '\\', below 0x20,
 * above 0x7f. */
static inline uint32_t scan_csv_special(const char *p, char delimiter, char quote) {
  __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
  __m128i marks = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(delimiter)), _mm_cmpeq_epi8(v, _mm_set1_epi8(quote)));
  __m128i json = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
  __m128i signs = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));
  return (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(marks, json), signs));
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

#endif
