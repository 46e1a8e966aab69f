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

/* ---- both at once --------------------------------------------------------------- */

/* Marks in the first bytes of a string's inside; bit i of word w is byte 64 * w + i. */
#define SHORT_WORDS 2
#define COPY_WIDTH 32

typedef struct string_marks {
  uint64_t escapes[SHORT_WORDS]; /* backslashes that begin one */
  uint32_t len;                  /* up to the quote that closes it */
  bool high;                     /* bytes above 0x7f */
} string_marks;

typedef struct raw_marks {
  uint64_t slashes, quotes, controls, highs;
} raw_marks;

static raw_marks marks_at(const char *p) {
  raw_marks m = {0};
#pragma GCC unroll 8
  for (unsigned i = 0; i < 64; i += SCAN_WIDTH) {
    uint32_t high, stop = scan_json_stop(p + i, &high), slash = scan_any_of4(p + i, '\\', '\\', '\\', '\\');
    uint32_t quote = scan_any_of4(p + i, '"', '"', '"', '"');
    m.slashes |= (uint64_t)slash << i;
    m.quotes |= (uint64_t)quote << i;
    m.controls |= (uint64_t)(stop & ~(slash | quote)) << i;
    m.highs |= (uint64_t)high << i;
  }
  return m;
}

/* Which bytes a backslash before them escapes; *carry: the first one is, and what follows the last one. A run of
 * backslashes escapes every second byte from its second on: where it begins at an odd place, adding its first bit
 * to it carries on to what comes behind it. */
static uint64_t escaped_by(uint64_t slashes, uint64_t *carry) {
  static const uint64_t even = UINT64_C(0x5555555555555555);
  slashes &= ~*carry;
  uint64_t behind = slashes << 1 | *carry, runs;
  *carry = __builtin_add_overflow(slashes & ~even & ~behind, slashes, &runs);
  return (even ^ runs << 1) & behind;
}

/* False: the string is longer than that, broken, or not all there. */
static bool find_marks(string_marks *m, const char *p, const char *end) {
  uint64_t carry = 0;
  *m = (string_marks){.len = 0};
  for (unsigned w = 0; w < SHORT_WORDS && end - p > 64 * w; w++) {
    raw_marks raw = marks_at(p + 64 * w);
    uint64_t escaped = escaped_by(raw.slashes, &carry), close = raw.quotes & ~escaped;
    uint64_t inside = close ? (close & -close) - 1 : UINT64_MAX;
    if (raw.controls & inside) return false;
    m->escapes[w] = raw.slashes & ~escaped & inside;
    m->high |= (raw.highs & inside) != 0;
    m->len = 64 * w + (close ? (uint32_t)__builtin_ctzll(close) : 0);
    if (close) return end - p > m->len;
  }
  return false;
}

/* What a letter behind a backslash stands for; 0: nothing, or more than a byte. */
static const char escape_of[256] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};

static char *copy_wide(char *out, const char *p, size_t len) {
  for (size_t i = 0; i < len; i += COPY_WIDTH) memcpy(out + i, p + i, COPY_WIDTH);
  return out + len;
}

/* Writes the text, and up to COPY_WIDTH bytes behind it; NULL: an escape is broken. */
static char *resolve_marked(json_reader *r, const string_marks *m, const char *p, char *out) {
  const char *done = p;
  for (unsigned w = 0; w < SHORT_WORDS; w++) {
    for (uint64_t left = m->escapes[w]; left; left &= left - 1) {
      const char *slash = p + 64 * w + __builtin_ctzll(left);
      if (slash < done) continue; /* of the second surrogate of a pair */
      out = copy_wide(out, done, (size_t)(slash - done));
      char c = escape_of[(unsigned char)slash[1]];
      *out = c;
      out++;
      done = slash + 2;
      if (__builtin_expect(c, 1)) continue;
      if (!json_check_escape(r, slash)) return NULL;
      out--;
      done = unescape_unicode(slash, &out);
    }
  }
  return copy_wide(out, done, (size_t)(p + m->len - done));
}

const char *json_read_short(json_reader *r, const char *p, hw_str *text) {
  string_marks m;
  if (!find_marks(&m, p, r->end) || (m.high && !scan_utf8(p, m.len))) return NULL;
  if (!(m.escapes[0] | m.escapes[1])) {
    *text = (hw_str){.data = p, .len = m.len, .flags = HW_STR_PLAIN};
    return p + m.len + 1;
  }
  size_t room = m.len + COPY_WIDTH;
  char *out = hw_batch_alloc(r->row.batch, room);
  if (!out) return NULL;
  char *after = resolve_marked(r, &m, p, out);
  size_t len = after ? (size_t)(after - out) : 0;
  hw_batch_trim(r->row.batch, room - len);
  *text = (hw_str){.data = out, .len = (uint32_t)len};
  return after ? p + m.len + 1 : NULL;
}
