#include "formats/json_read.h"

#include <string.h>

const char *json_fault(json_reader *r, const char *at, const char *expected) {
  char found[ROW_TEXT_MAX];
  if (at >= r->end) {
    (void)row_fault(&r->row, FAULT_INCOMPLETE, "truncated", "the data ends inside a record");
    return NULL;
  }
  r->row.fault.at = at;
  (void)row_fault(&r->row, FAULT_SYNTAX, "syntax", "expected %s, found '%s' at byte %zu of the record", expected,
                  row_printable(found, at, 1), (size_t)(at - r->start));
  return NULL;
}

const char *json_read_word(json_reader *r, const char *p, const char *word) {
  for (size_t i = 0; word[i]; i++)
    if (p + i >= r->end || p[i] != word[i]) return json_fault(r, p + i, "a value");
  return p + strlen(word);
}

/* ---- numbers --------------------------------------------------------------- */

static const char *read_digits(json_reader *r, const char *p) {
  if (p >= r->end || *p < '0' || *p > '9') return json_fault(r, p, "a digit");
  while (p < r->end && *p >= '0' && *p <= '9') p++;
  return p;
}

static const char *read_exponent(json_reader *r, const char *p) {
  if (p < r->end && (*p == '+' || *p == '-')) p++;
  return read_digits(r, p);
}

const char *json_read_number(json_reader *r, const char *p, bool *integral) {
  *integral = true;
  if (*p == '-') p++;
  const char *whole = p;
  if (!(p = read_digits(r, p))) return NULL;
  if (*whole == '0' && p > whole + 1) return json_fault(r, whole + 1, "no digit after a leading zero");
  if (p < r->end && *p == '.') {
    *integral = false;
    if (!(p = read_digits(r, p + 1))) return NULL;
  }
  if (p < r->end && (*p == 'e' || *p == 'E')) {
    *integral = false;
    if (!(p = read_exponent(r, p + 1))) return NULL;
  }
  return p < r->end ? p : json_fault(r, p, "the end of the number"); /* at the end, there may be more of it */
}

static const char *put_number(json_reader *r, const char *p, uint32_t column) {
  bool integral;
  const char *after = json_read_number(r, p, &integral);
  if (!after) return NULL;
  size_t len = (size_t)(after - p);
  hw_type_id type = (hw_type_id)r->row.info[column].type;
  if (json_flavor_takes(r, type)) return json_put_flavored(r, column, p, len) ? after : NULL;
  bool fits = hw_type_is_integer(type) ? integral : hw_type_is_numeric(type);
  if (fits && hw_type_is_integer(type) && len == 2 && !memcmp(p, "-0", 2)) p++, len--; /* 0, also unsigned */
  bool done =
      fits ? row_put_spelled(&r->row, column, p, len, false) : row_fault_found(&r->row, column, "type", p, len, false);
  return done ? after : NULL;
}

/* ---- other values ----------------------------------------------------------- */

static const char *put_string(json_reader *r, const char *p, uint32_t column) {
  json_span span;
  const char *after = json_read_span(r, p + 1, &span);
  if (!after) return NULL;
  hw_type_id type = (hw_type_id)r->row.info[column].type;
  if (type == HW_TYPE_BOOLEAN || (hw_type_is_string(type) && !hw_type_is_text(type))) {
    (void)row_fault_found(&r->row, column, "type", span.data, span.len, true);
    return NULL;
  }
  size_t len;
  const char *text = json_unescape(r, &span, &len);
  if (!text) return NULL;
  if (hw_type_is_text(type))
    return row_put_text(&r->row, column, text, len, span.escapes ? 0 : HW_STR_PLAIN) ? after : NULL;
  bool done = row_put_spelled(&r->row, column, text, len, true);
  if (span.escapes) hw_batch_trim(r->row.batch, len); /* the text has served */
  return done ? after : NULL;
}

static const char *put_boolean(json_reader *r, const char *p, uint32_t column) {
  const char *word = *p == 't' ? "true" : "false";
  const char *after = json_read_word(r, p, word);
  if (!after) return NULL;
  if (r->row.info[column].type != HW_TYPE_BOOLEAN) {
    (void)row_fault_found(&r->row, column, "type", word, strlen(word), false);
    return NULL;
  }
  *(uint8_t *)row_slot(&r->row, column, 1) = *word == 't';
  row_set_valid(&r->row, column);
  return after;
}

static const char *fault_container(json_reader *r, const char *p, uint32_t column) {
  char type[ROW_TEXT_MAX];
  (void)row_fault_column(&r->row, column, "type", "expected %s, found %s",
                         row_type_text(type, &r->row.schema->fields[column].type),
                         *p == '{' ? "an object" : "an array");
  return NULL;
}

/* One byte of a binary value: an integer 0 .. 255. */
static const char *read_byte(json_reader *r, const char *p, uint32_t column, char *byte) {
  bool integral;
  int64_t value = -1;
  if (p >= r->end || *p < '0' || *p > '9') return json_fault(r, p, "an integer from 0 to 255 or ']'");
  const char *after = json_read_number(r, p, &integral);
  if (!after) return NULL;
  if (!integral || hw_parse_i64(p, (size_t)(after - p), &value) != HW_OK || value > 255) {
    (void)row_fault_column(&r->row, column, "range", "expected bytes from 0 to 255, found %.*s",
                           (int)(after - p < 20 ? after - p : 20), p);
    return NULL;
  }
  *byte = (char)value;
  return after;
}

/* Reads the elements after the '[' into out, which has room for one per two bytes of text. */
static const char *read_bytes(json_reader *r, const char *p, uint32_t column, char *out, size_t *len) {
  *len = 0;
  p = json_skip_blanks(p, r->end);
  if (p < r->end && *p == ']') return p + 1;
  for (;;) {
    if (!(p = read_byte(r, json_skip_blanks(p, r->end), column, out + *len))) return NULL;
    ++*len;
    p = json_skip_blanks(p, r->end);
    if (p < r->end && *p == ']') return p + 1;
    if (p >= r->end || *p != ',') return json_fault(r, p, "',' or ']'");
    p++;
  }
}

/* Binary values are arrays of their bytes. */
static const char *put_binary(json_reader *r, const char *p, uint32_t column) {
  const char *close = memchr(p, ']', (size_t)(r->end - p));
  if (!close) return json_fault(r, r->end, "']'");
  size_t room = (size_t)(close - p) / 2 + 1, len;
  char *bytes = hw_batch_alloc(r->row.batch, room);
  if (!bytes) {
    (void)row_fault(&r->row, FAULT_MEMORY, NULL, "no memory for a string");
    return NULL;
  }
  const char *after = read_bytes(r, p + 1, column, bytes, &len);
  hw_batch_trim(r->row.batch, room - (after ? len : 0));
  return after && row_put_bytes(&r->row, column, bytes, len) ? after : NULL;
}

static const char *put_null(json_reader *r, const char *p, uint32_t column) {
  const char *after = json_read_word(r, p, "null");
  return after && row_put_null(&r->row, column) ? after : NULL;
}

const char *json_read_value(json_reader *r, const char *p, uint32_t column) {
  if (p >= r->end) return json_fault(r, p, "a value");
  switch (*p) {
  case '"': return put_string(r, p, column);
  case 't':
  case 'f': return put_boolean(r, p, column);
  case 'n': return put_null(r, p, column);
  case '[':
    if (hw_type_is_string((hw_type_id)r->row.info[column].type) &&
        !hw_type_is_text((hw_type_id)r->row.info[column].type))
      return put_binary(r, p, column);
    return fault_container(r, p, column);
  case '{': return fault_container(r, p, column);
  case '-':
  case '0':
  case '1':
  case '2':
  case '3':
  case '4':
  case '5':
  case '6':
  case '7':
  case '8':
  case '9': return put_number(r, p, column);
  default: return json_fault(r, p, "a value");
  }
}
