#include "formats/json_read.h"

#include <string.h>

/* ---- finding the end ------------------------------------------------------ */

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/* The code unit of "\uXXXX" at p, or -1. */
static int32_t code_unit(const char *p) {
  if (p[0] != '\\' || p[1] != 'u') return -1;
  int32_t unit = 0;
  for (int i = 2; i < 6; i++) {
    int digit = hex_digit(p[i]);
    if (digit < 0) return -1;
    unit = unit << 4 | digit;
  }
  return unit;
}

static bool is_high_surrogate(int32_t unit) {
  return unit >= 0xd800 && unit <= 0xdbff;
}
static bool is_low_surrogate(int32_t unit) {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

static const char *fault_escape(json_reader *r, const char *at, const char *what) {
  r->row.fault.at = at;
  (void)row_fault(&r->row, FAULT_SYNTAX, "escape", "%s in a string at byte %zu of the record", what,
                  (size_t)(at - r->start));
  return NULL;
}

static const char *incomplete(json_reader *r) {
  (void)row_fault(&r->row, FAULT_INCOMPLETE, "truncated", "the data ends inside a record");
  return NULL;
}

/* Whether what there is at p, if anything, begins a "\uXXXX". */
static bool begins_unit(const char *p, const char *end) {
  for (int i = 0; i < 6 && p + i < end; i++)
    if (i == 0 ? p[i] != '\\' : i == 1 ? p[i] != 'u' : hex_digit(p[i]) < 0) return false;
  return true;
}

/* An escape of the "\u" kind at p: one code unit, or a pair of surrogates. */
static const char *check_unicode(json_reader *r, const char *p) {
  if (r->end - p < 6 && begins_unit(p, r->end)) return incomplete(r);
  int32_t unit = r->end - p < 6 ? -1 : code_unit(p);
  if (unit < 0) return fault_escape(r, p, "\"\\u\" without four hexadecimal digits");
  if (is_low_surrogate(unit)) return fault_escape(r, p, "a low surrogate without a high one before it");
  if (!is_high_surrogate(unit)) return p + 6;
  if (r->end - p < 12 && begins_unit(p + 6, r->end)) return incomplete(r);
  if (r->end - p < 12 || !is_low_surrogate(code_unit(p + 6)))
    return fault_escape(r, p, "a high surrogate without a low one after it");
  return p + 12;
}

const char *json_check_escape(json_reader *r, const char *p) {
  if (r->end - p < 2) return incomplete(r);
  switch (p[1]) {
  case '"':
  case '\\':
  case '/':
  case 'b':
  case 'f':
  case 'n':
  case 'r':
  case 't': return p + 2;
  case 'u': return check_unicode(r, p);
  default: return fault_escape(r, p, "an unknown escape");
  }
}

const char *json_find_stop(const char *p, const char *end, bool *high) {
  for (; p < end; p += SCAN_WIDTH) {
    uint32_t high_mask, stop = scan_json_stop(p, &high_mask);
    uint32_t before = stop ? (stop & -stop) - 1 : UINT32_MAX;
    *high |= (high_mask & before) != 0;
    if (stop) return p + __builtin_ctz(stop);
  }
  return end;
}

const char *json_read_span(json_reader *r, const char *p, json_span *span) {
  bool high = false;
  *span = (json_span){.data = p};
  for (;;) {
    p = json_find_stop(p, r->end, &high);
    if (p >= r->end) return incomplete(r);
    if (*p == '"') break;
    if (*p != '\\') return fault_escape(r, p, "an unescaped control character");
    span->escapes = true;
    if (!(p = json_check_escape(r, p))) return NULL;
  }
  span->len = (size_t)(p - span->data);
  if (high && !scan_utf8(span->data, span->len)) return fault_escape(r, span->data, "invalid UTF-8");
  return p + 1;
}

/* ---- unescaping ----------------------------------------------------------- */

static char *put_utf8(char *out, uint32_t c) {
  if (c < 0x80) {
    *out++ = (char)c;
  } else if (c < 0x800) {
    *out++ = (char)(0xc0 | c >> 6);
    *out++ = (char)(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    *out++ = (char)(0xe0 | c >> 12);
    *out++ = (char)(0x80 | (c >> 6 & 0x3f));
    *out++ = (char)(0x80 | (c & 0x3f));
  } else {
    *out++ = (char)(0xf0 | c >> 18);
    *out++ = (char)(0x80 | (c >> 12 & 0x3f));
    *out++ = (char)(0x80 | (c >> 6 & 0x3f));
    *out++ = (char)(0x80 | (c & 0x3f));
  }
  return out;
}

static const char *unescape_unicode(const char *p, char **out) {
  int32_t unit = code_unit(p);
  if (!is_high_surrogate(unit)) {
    *out = put_utf8(*out, (uint32_t)unit);
    return p + 6;
  }
  int32_t low = code_unit(p + 6);
  *out = put_utf8(*out, 0x10000 + (((uint32_t)unit & 0x3ff) << 10 | ((uint32_t)low & 0x3ff)));
  return p + 12;
}

static char escaped_byte(char c) {
  switch (c) {
  case 'b': return '\b';
  case 'f': return '\f';
  case 'n': return '\n';
  case 'r': return '\r';
  case 't': return '\t';
  default: return c; /* quote, backslash, slash */
  }
}

/* Resolves the escapes of data[0 .. len), which are well-formed; returns the length written. */
static size_t resolve(const char *p, size_t len, char *out) {
  const char *end = p + len, *slash;
  char *start = out;
  while ((slash = memchr(p, '\\', (size_t)(end - p)))) {
    memcpy(out, p, (size_t)(slash - p));
    out += slash - p;
    if (slash[1] == 'u') {
      p = unescape_unicode(slash, &out);
    } else {
      *out++ = escaped_byte(slash[1]);
      p = slash + 2;
    }
  }
  memcpy(out, p, (size_t)(end - p));
  return (size_t)(out - start) + (size_t)(end - p);
}

const char *json_unescape(json_reader *r, const json_span *span, size_t *len) {
  *len = span->len;
  if (!span->escapes) return span->data;
  char *out = hw_batch_alloc(r->row.batch, span->len);
  if (!out) {
    (void)row_fault(&r->row, FAULT_MEMORY, NULL, "no memory for a string");
    return NULL;
  }
  *len = resolve(span->data, span->len, out);
  hw_batch_trim(r->row.batch, span->len - *len);
  return out;
}
