/* json_write.c - numbers, times and escaped text. */
#include "api/json_write.h"

#include <headworks/value.h>

void jw_u64(json_writer *w, uint64_t v) {
  char text[HW_VALUE_TEXT_MAX];
  jw_raw(w, text, hw_format_u64(v, text));
}

void jw_i64(json_writer *w, int64_t v) {
  char text[HW_VALUE_TEXT_MAX];
  jw_raw(w, text, hw_format_i64(v, text));
}

void jw_time(json_writer *w, int64_t us) {
  char text[HW_VALUE_TEXT_MAX + 3];
  text[0] = '"';
  size_t len = 1 + hw_format_timestamp(us, text + 1);
  char *blank = memchr(text, ' ', len);
  if (blank) *blank = 'T';
  memcpy(text + len, "Z\"", 2);
  jw_raw(w, text, len + 2);
}

/* Bytes that stand for themselves between quotes. */
static const bool plain[256] = {[0x20 ... '"' - 1] = true, ['"' + 1 ... '\\' - 1] = true, ['\\' + 1 ... 0x7F] = true};

static void escape(outbuf *out, unsigned char c) {
  static const char hex[] = "0123456789abcdef";
  static const char names[] = "btn_fr"; /* 8, 9, 10, -, 12, 13 */
  if (c == '"' || c == '\\') {
    outbuf_add(out, (char[]){'\\', (char)c}, 2);
  } else if (c >= 8 && c <= 13 && c != 11) {
    outbuf_add(out, (char[]){'\\', names[c - 8]}, 2);
  } else {
    outbuf_add(out, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
  }
}

/* Length of the well-formed UTF-8 sequence at s, 0 if it is none. */
static size_t sequence(const unsigned char *s, size_t len) {
  size_t n = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
  return n <= len && hw_utf8_valid((const char *)s, n) ? n : 0;
}

/* Adds what is at s and is not plain; returns the bytes it took. */
static size_t add_special(outbuf *out, const unsigned char *s, size_t len) {
  if (*s < 0x80) {
    escape(out, *s);
    return 1;
  }
  size_t n = sequence(s, len);
  if (n == 0) {
    outbuf_add(out, "\xEF\xBF\xBD", 3);
    return 1;
  }
  outbuf_add(out, s, n);
  return n;
}

static void quoted(outbuf *out, const char *s, size_t len) {
  const unsigned char *p = (const unsigned char *)s, *end = p + len;
  outbuf_add_char(out, '"');
  while (p < end) {
    const unsigned char *start = p;
    while (p < end && plain[*p]) p++;
    outbuf_add(out, start, (size_t)(p - start));
    if (p < end) p += add_special(out, p, (size_t)(end - p));
  }
  outbuf_add_char(out, '"');
}

void jw_text(json_writer *w, const char *s, size_t len) {
  jw_separate(w);
  quoted(w->out, s, len);
}

void jw_string(json_writer *w, const char *s) {
  if (s) {
    jw_text(w, s, strlen(s));
  } else {
    jw_null(w);
  }
}

void jw_key_text(json_writer *w, const char *key) {
  jw_string(w, key);
  outbuf_add_char(w->out, ':');
  w->comma = false;
}
