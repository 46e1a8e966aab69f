/* script.c - places in a program's text, and messages with snippets. */
#include "sql/script.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- places -------------------------------------------------------------- */

static bool starts_character(char c) { return ((unsigned char)c & 0xC0) != 0x80; }

/* Moves line and column from byte `from` to byte `to`. */
static void advance(const char *text, uint32_t from, uint32_t to, int *line, int *column) {
  for (uint32_t i = from; i < to; i++) {
    if (text[i] == '\n') {
      ++*line;
      *column = 1;
    } else if (starts_character(text[i])) {
      ++*column;
    }
  }
}

script_span script_locate(const script *src, const script_span *from, uint32_t start, uint32_t end) {
  if (end > src->len) end = src->len;
  if (start > end) start = end;
  script_span span = {.start = start, .end = end, .line = from->line, .column = from->column};
  advance(src->text, from->start, start, &span.line, &span.column);
  span.end_line = span.line;
  span.end_column = span.column;
  uint32_t last = end; /* the first byte of the last character */
  while (last > start && !starts_character(src->text[--last])) {}
  advance(src->text, start, last, &span.end_line, &span.end_column);
  return span;
}

script_span script_find(const script *src, const script_span *around, int line, int column, const char *text) {
  int l = around->line, c = around->column;
  size_t len = strlen(text);
  for (uint32_t i = around->start; i < around->end && l <= line; i++) {
    bool here = l == line && c == column && starts_character(src->text[i]);
    if (here && len <= around->end - i && memcmp(src->text + i, text, len) == 0)
      return script_locate(src, around, i, i + (uint32_t)len);
    if (here) break;
    advance(src->text, i, i + 1, &l, &c);
  }
  return *around;
}

script_span script_literal_start(const script *src, const script_span *literal) {
  return script_locate(src, literal, literal->start + 1, literal->start + 2);
}

script_span script_in_literal(const script *src, const script_span *from, size_t start, size_t end) {
  uint32_t at = from->start, first = at;
  size_t value = 0;
  for (; value < end && at < src->len; value++) {
    if (value == start) first = at;
    at += src->text[at] == '\'' ? 2 : 1;
  }
  if (value <= start) first = at;
  return script_locate(src, from, first, at > first ? at : first + 1);
}

/* ---- snippets ------------------------------------------------------------ */

#define WINDOW 160 /* characters of a line shown, at most */

/* Grows by whole characters; cut when full. */
typedef struct text_buffer {
  char data[WINDOW * 10 + 128];
  size_t len;
} text_buffer;

static void put(text_buffer *b, const char *s, size_t len) {
  if (len > sizeof b->data - 1 - b->len) return;
  memcpy(b->data + b->len, s, len);
  b->len += len;
  b->data[b->len] = '\0';
}

static size_t character_length(const char *s, const char *end) {
  const char *p = s + 1;
  while (p < end && !starts_character(*p)) p++;
  return (size_t)(p - s);
}

/* Up to n characters further, within the line. */
static const char *forward(const char *s, const char *end, int n) {
  for (; n > 0 && s < end && *s != '\n'; n--) s += character_length(s, end);
  return s;
}

/* Up to n characters back, within the line; how many is in *n. */
static const char *back(const char *s, const char *start, int *n) {
  int most = *n;
  for (*n = 0; *n < most && s > start && s[-1] != '\n'; ++*n)
    do s--;
    while (s > start && !starts_character(*s));
  return s;
}

static int count_characters(const char *s, const char *end) {
  int n = 0;
  for (; s < end; s++) n += starts_character(*s);
  return n;
}

/* Below each character before the place a blank (or tab), then carets. */
static void put_carets(text_buffer *b, const char *line, const char *place, int marked) {
  for (; line < place; line += character_length(line, place)) put(b, *line == '\t' ? "\t" : " ", 1);
  for (; marked > 0; marked--) put(b, "^", 1);
}

/* Of a long line only the part around the place is looked at and shown. */
static void make_snippet(const script *src, const script_span *where, text_buffer *b) {
  const char *place = src->text + where->start, *end = src->text + src->len;
  int before = WINDOW / 2;
  const char *line = back(place, src->text, &before);
  const char *dots = before < where->column - 1 ? "..." : "";
  const char *cut = forward(place, end, WINDOW - before);
  bool more = cut < end && *cut != '\n';
  if (cut > place && cut[-1] == '\r') cut--;
  int marked = where->end_line > where->line ? WINDOW : where->end_column - where->column + 1;
  int room = count_characters(place, cut);
  if (marked > room) marked = room;

  char gutter[16];
  int width = snprintf(gutter, sizeof gutter, "%5d|", where->line);
  put(b, gutter, (size_t)width);
  put(b, dots, strlen(dots));
  put(b, line, (size_t)(cut - line));
  put(b, more ? "...\n" : "\n", more ? 4 : 1);
  for (size_t i = 0; i < (size_t)width + strlen(dots); i++) put(b, " ", 1);
  put_carets(b, line, place, marked > 0 ? marked : 1);
}

/* ---- UTF-8 ------------------------------------------------------------------- */

/* Bytes of the well-formed UTF-8 sequence at s, or 0. */
static uint32_t sequence_length(const unsigned char *s, size_t room) {
  static const struct {
    unsigned char first, last, low, high; /* lead byte; range of the byte after it */
    uint32_t length;
  } forms[] = {{0x01, 0x7F, 0, 0, 1},       {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
               {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
               {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4}};
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    if (s[0] < forms[i].first || s[0] > forms[i].last) continue;
    uint32_t n = forms[i].length;
    if (n > room || (n > 1 && (s[1] < forms[i].low || s[1] > forms[i].high))) return 0;
    for (uint32_t k = 2; k < n; k++)
      if ((s[k] & 0xC0) != 0x80) return 0;
    return n;
  }
  return 0;
}

/* ---- messages ------------------------------------------------------------ */

/* A name that was cut to fit may have lost the end of its last character. */
static void mend(char *message) {
  size_t len = strlen(message);
  for (size_t i = 0; i < len;) {
    uint32_t n = sequence_length((const unsigned char *)message + i, len - i);
    if (n == 0) message[i] = '?';
    i += n ? n : 1;
  }
}

static void add(script *src, const script_span *where, bool warning, const char *type, const char *fmt, va_list args) {
  if (src->messages->n > SCRIPT_MAX_ERRORS) {
    if (!warning) src->messages->n_errors++;
    return;
  }
  char message[2048];
  vsnprintf(message, sizeof message, fmt, args);
  mend(message);
  program_message at = {.line = where->line, .column = where->column, .end_line = where->end_line,
                        .end_column = where->end_column};
  text_buffer snippet = {.len = 0};
  make_snippet(src, where, &snippet);
  if (src->messages->n == SCRIPT_MAX_ERRORS) {
    program_messages_add(src->messages, &at, warning, type, snippet.data, "too many errors; the rest is not shown");
    return;
  }
  program_messages_add(src->messages, &at, warning, type, snippet.data, "%s", message);
}

void script_error(script *src, const script_span *where, const char *type, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  add(src, where, false, type, fmt, args);
  va_end(args);
}

void script_warning(script *src, const script_span *where, const char *type, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  add(src, where, true, type, fmt, args);
  va_end(args);
}

#define EXCERPT_MAX 120

char *script_excerpt(const script *src, const script_span *where, program *owner) {
  char text[EXCERPT_MAX + 4];
  size_t len = 0;
  uint32_t at = where->start;
  for (; at < where->end && len < EXCERPT_MAX; at++) {
    char c = src->text[at];
    bool blank = c == ' ' || (c >= '\t' && c <= '\r');
    if (blank && len > 0 && text[len - 1] == ' ') continue;
    text[len++] = blank ? ' ' : c;
  }
  if (at < where->end) {
    while (len > 0 && !starts_character(src->text[at])) at--, len--;
    memcpy(text + len, "...", 3);
    len += 3;
  }
  return program_strdup(owner, text, len);
}

/* ---- taking the text in --------------------------------------------------- */

/* Where the next run of bytes that are no text begins, from `at`; len: nowhere. */
static uint32_t find_bad(const char *text, uint32_t at, uint32_t len) {
  while (at < len) {
    uint32_t n = sequence_length((const unsigned char *)text + at, len - at);
    if (n == 0) return at;
    at += n;
  }
  return len;
}

static uint32_t bad_run_end(const char *text, uint32_t at, uint32_t len) {
  while (at < len && sequence_length((const unsigned char *)text + at, len - at) == 0) at++;
  return at;
}

/* Blanks come first, so that places and snippets are made from clean text. */
static void clean(script *src, const char *original, char *copy) {
  for (uint32_t at = find_bad(original, 0, src->len); at < src->len;) {
    uint32_t end = bad_run_end(original, at, src->len);
    memset(copy + at, ' ', end - at);
    at = find_bad(original, end, src->len);
  }
  script_span place = {.line = 1, .column = 1};
  for (uint32_t at = find_bad(original, 0, src->len); at < src->len;) {
    uint32_t end = bad_run_end(original, at, src->len);
    place = script_locate(src, &place, at, end);
    unsigned char byte = (unsigned char)original[at];
    if (byte == 0)
      script_error(src, &place, SCRIPT_SYNTAX, "NUL byte in the program: it must be text in UTF-8");
    else
      script_error(src, &place, SCRIPT_SYNTAX, "invalid UTF-8 (byte 0x%02X): the program must be text in UTF-8", byte);
    at = find_bad(original, end, src->len);
  }
}

bool script_init(script *src, arena *memory, const char *text, size_t len, program_messages *messages) {
  *src = (script){.text = "", .messages = messages};
  script_span start = {.line = 1, .column = 1, .end_line = 1, .end_column = 1};
  if (len > SCRIPT_MAX_BYTES) {
    script_error(src, &start, SCRIPT_SYNTAX, "the program has %zu bytes; at most %u are taken", len, SCRIPT_MAX_BYTES);
    return false;
  }
  bool has_bom = len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0;
  if (has_bom) text += 3, len -= 3;
  char *copy = arena_strdup(memory, text, len);
  if (!copy) return false;
  src->text = copy;
  src->len = (uint32_t)len;
  clean(src, text, copy);
  return true;
}
