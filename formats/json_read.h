/* json_read.h - reading JSON text: the parts of the json parser.
 *
 * DESIGN
 *   json_in.c      documents: NDJSON, arrays, update envelopes; where the next
 *                  record starts after a bad one
 *   json_row.c     one row, from an object or a positional array. The hot path:
 *                  keys by key_order.h, usual values by fast_value.h
 *   json_part.c    a part of a row: deletes by key, updates of some columns
 *   json_debezium.c, json_flavor.c   what other programs write
 *   json_value.c   one value of any spelling into a column, strictly
 *   json_string.c  strings: their end, UTF-8, escapes
 *   json_skip.c    values nobody wants, checked all the same
 *   json_wait.c    when a record that was cut is worth another look
 *
 * The functions below take the byte to start at and return the byte after what
 * they read, or NULL with the fault set in r->row. They look at no byte at or
 * past r->end but by peeking vectors of the parse padding, and give
 * FAULT_INCOMPLETE for whatever the end of the data leaves open, so that a record
 * cut by the end of a buffer is simply read again when there is more. The fast
 * readers decide nothing at the end of the data: what they read counts only if
 * the byte after it is inside, and what they decline is read again strictly. All
 * of RFC 8259's grammar is enforced either way.
 *
 * THREADS  As the parser that owns the reader. */
#ifndef FORMATS_JSON_READ_H
#define FORMATS_JSON_READ_H

#include "formats/key_order.h"
#include "formats/row.h"

#define JSON_MAX_DEPTH 64 /* of nesting in a value */

typedef enum json_flavor { JSON_DEFAULT, JSON_PANDAS } json_flavor;

typedef struct json_reader {
  row_writer row;
  json_flavor flavor;
  key_order keys;
  const char *start; /* of the record being read */
  const char *end;   /* of the data */
} json_reader;

/* A string's inside, as found between its quotes. */
typedef struct json_span {
  const char *data;
  size_t len;
  bool escapes; /* holds backslashes, all of them well-formed */
} json_span;

/* Open brackets, one bit a level. */
typedef struct json_nesting {
  uint64_t objects; /* bit 0: the innermost level is an object */
  unsigned depth;
} json_nesting;

/* False: too deep. */
static inline bool json_nesting_open(json_nesting *n, char bracket) {
  if (n->depth == JSON_MAX_DEPTH) return false;
  n->objects = n->objects << 1 | (bracket == '{');
  n->depth++;
  return true;
}

static inline void json_nesting_leave(json_nesting *n) {
  n->objects >>= 1;
  n->depth--;
}

/* Whether the closing bracket fits the innermost level, which it leaves. */
static inline bool json_nesting_close(json_nesting *n, char bracket) {
  if (n->depth == 0 || (n->objects & 1) != (bracket == '}')) return false;
  json_nesting_leave(n);
  return true;
}

/* ---- json_row.c ---- */
/* The object or array at p as the values of the current row, all columns set. */
const char *json_read_row(json_reader *r, const char *p);

/* What stands before a member's key: '{' (first) or ','. Returns the quote of the
 * key, or, with *closed, the byte after '}'. */
const char *json_read_separator(json_reader *r, const char *p, bool first, bool *closed);
/* An array has a value too many; returns NULL. */
const char *json_fault_too_many(json_reader *r);
/* The key whose opening quote is at p, and its ':'; returns the start of its value. */
const char *json_read_key(json_reader *r, const char *p, int32_t *column);

/* ---- json_part.c ---- */
/* The same as json_read_row, of which only a part is wanted. */
const char *json_read_part(json_reader *r, const char *p, row_part part);

/* ---- json_value.c ---- */
/* The value at p into a column. */
const char *json_read_value(json_reader *r, const char *p, uint32_t column);
/* The extent of the number at p; *integral: neither fraction nor exponent. */
const char *json_read_number(json_reader *r, const char *p, bool *integral);
/* "true", "false" or "null" at p, which `word` names. */
const char *json_read_word(json_reader *r, const char *p, const char *word);

/* ---- json_debezium.c ---- */
typedef struct json_event {
  char op;
  const char *before, *after; /* rows to take away and to put; NULL: none */
} json_event;

/* The event at p, an object: where its rows are. */
const char *json_read_event(json_reader *r, const char *p, json_event *e);

/* ---- json_flavor.c ---- */
/* Whether the flavor has a number of its own for columns of this type, and that
 * number into a column; false: the fault is set. */
bool json_flavor_takes(const json_reader *r, hw_type_id type);
bool json_put_flavored(json_reader *r, uint32_t column, const char *text, size_t len);

/* ---- json_string.c ---- */
/* The string whose opening quote is before p; valid UTF-8, valid escapes. */
const char *json_read_span(json_reader *r, const char *p, json_span *span);
/* The same; nearly all strings have nothing in them that is looked at twice. */
static inline const char *json_read_span_quick(json_reader *r, const char *p, json_span *span) {
  const char *q = p;
  uint32_t special;
  while (!(special = scan_json_special(q)))
    if ((q += SCAN_WIDTH) >= r->end) return json_read_span(r, p, span);
  q += __builtin_ctz(special);
  if (*q != '"' || q >= r->end) return json_read_span(r, p, span);
  *span = (json_span){.data = p, .len = (size_t)(q - p)};
  return q + 1;
}
/* Its steps. The next quote, backslash or control character from p on, or a place
 * past the end; *high is set where bytes above 0x7f came before it. The escape at
 * p, checked: the byte after it. */
const char *json_find_stop(const char *p, const char *end, bool *high);
const char *json_check_escape(json_reader *r, const char *p);
/* A span's text: the data itself, or unescaped into the batch's memory. NULL: FAULT_MEMORY. */
const char *json_unescape(json_reader *r, const json_span *span, size_t *len);

/* The string whose opening quote is before p, as json_read_span and json_unescape give it, if
 * it is short; NULL: it is not, or is broken, and no fault that counts is set. */
const char *json_read_short(json_reader *r, const char *p, hw_str *text);

/* ---- json_skip.c ---- */
const char *json_skip_value(json_reader *r, const char *p);

/* The array element at p by its brackets and quotes alone, for one that is known
 * to be faulty: the ',' or ']' that ends it, `end` when the data ends before
 * that, NULL when brackets or quotes do not match. Sets no fault. */
const char *json_skip_brackets(const char *p, const char *end);

/* ---- small things ---- */

static inline bool json_is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static inline const char *json_skip_blanks(const char *p, const char *end) {
  while (p < end && json_is_blank(*p)) p++;
  return p;
}

/* "expected WHAT, found ..." for the byte at `at`; FAULT_INCOMPLETE at the end. Returns NULL. */
const char *json_fault(json_reader *r, const char *at, const char *expected);

#endif
