/* value_utf8.h - characters of UTF-8 text that may or may not be well-formed. */
#ifndef RUNTIME_VALUE_UTF8_H
#define RUNTIME_VALUE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool utf8_continues(char c) {
  return ((unsigned char)c & 0xC0) == 0x80;
}

/* Behind the character at p < end: a byte and the continuation bytes after it. */
static inline const char *utf8_next(const char *p, const char *end) {
  p++;
  while (p < end && utf8_continues(*p)) p++;
  return p;
}

/* The code point at p < end, its length to *len; a byte that starts no character
 * is one of its own: UTF8_BAD. */
#define UTF8_BAD UINT32_MAX
uint32_t utf8_decode(const char *p, const char *end, size_t *len);
/* Writes up to 4 bytes, returns how many. */
size_t utf8_encode(uint32_t code, char *out);

/* Behind the first n characters, or end if there are not as many. */
const char *utf8_skip(const char *p, const char *end, uint64_t n);

bool utf8_is_ascii(const char *data, size_t len);

#endif
