/* value_utf8.c - checking and counting UTF-8. */
#include "runtime/value_utf8.h"
#include "runtime/value_text.h"

#include <headworks/value.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)

bool utf8_is_ascii(const char *data, size_t len) {
  uint64_t seen = 0;
  for (; len >= 8; len -= 8, data += 8) seen |= text_load8(data);
  for (; len > 0; len--, data++) seen |= (uint64_t)(unsigned char)*data;
  return (seen & HIGH_BITS) == 0;
}

/* Length of the well-formed character at p that is not ASCII; 0: there is none.
 * The second byte's range tells overlong forms, surrogates and what is above
 * U+10FFFF; it depends on the first only. */
static size_t sequence(const unsigned char *p, size_t len) {
  unsigned lead = p[0];
  if (lead < 0xC2 || lead > 0xF4 || len < 2) return 0;
  if (lead < 0xE0) return (p[1] & 0xC0) == 0x80 ? 2 : 0;
  unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (p[1] < low || p[1] > high) return 0;
  size_t need = lead < 0xF0 ? 3 : 4;
  if (len < need || (p[2] & 0xC0) != 0x80) return 0;
  return need == 3 || (p[3] & 0xC0) == 0x80 ? need : 0;
}

/* The first byte at or after p that is not ASCII, or end. What lies between start and p may be read again. */
static inline const char *skip_ascii(const char *start, const char *p, const char *end) {
  for (; end - p >= 8; p += 8) {
    uint64_t high = text_load8(p) & HIGH_BITS;
    if (high) return p + (__builtin_ctzll(high) >> 3);
  }
  if (p == end) return end;
  if (end - start < 8) {
    while (p < end && (signed char)*p >= 0) p++;
    return p;
  }
  uint64_t high = (text_load8(end - 8) & HIGH_BITS) >> (64 - 8 * (end - p));
  return high ? p + (__builtin_ctzll(high) >> 3) : end;
}

bool hw_utf8_valid(const char *data, size_t len) {
  const char *end = data + len;
  for (const char *p = data; (p = skip_ascii(data, p, end)) < end;) {
    do {
      size_t n = sequence((const unsigned char *)p, (size_t)(end - p));
      if (n == 0) return false;
      p += n;
    } while (p < end && (signed char)*p < 0);
  }
  return true;
}

size_t hw_utf8_length(const char *data, size_t len) {
  size_t characters = 0;
  for (; len >= 8; len -= 8, data += 8) {
    uint64_t w = text_load8(data), continuations = (w & ~(w << 1) & HIGH_BITS) >> 7;
    characters += 8 - (continuations * UINT64_C(0x0101010101010101) >> 56);
  }
  for (; len > 0; len--, data++) characters += !utf8_continues(*data);
  return characters;
}

const char *utf8_skip(const char *p, const char *end, uint64_t n) {
  while (n >= 8 && end - p >= 8 && (text_load8(p) & HIGH_BITS) == 0) p += 8, n -= 8;
  for (; n > 0 && p < end; n--) p = utf8_next(p, end);
  return p;
}

uint32_t utf8_decode(const char *p, const char *end, size_t *len) {
  const unsigned char *u = (const unsigned char *)p;
  *len = 1;
  if (u[0] < 0x80) return u[0];
  size_t n = sequence(u, (size_t)(end - p));
  if (n == 0) return UTF8_BAD;
  *len = n;
  uint32_t code = u[0] & (0xFFU >> (n + 1));
  for (size_t i = 1; i < n; i++) code = code << 6 | (u[i] & 0x3F);
  return code;
}

size_t utf8_encode(uint32_t code, char *out) {
  if (code < 0x80) {
    out[0] = (char)code;
    return 1;
  }
  size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (size_t i = n; i-- > 1; code >>= 6) out[i] = (char)(0x80 | (code & 0x3F));
  out[0] = (char)((0xF00U >> n & 0xFF) | code);
  return n;
}
