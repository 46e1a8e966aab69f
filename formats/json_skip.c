/* json_skip.c - values that no column wants.
 *
 * The nesting is held in a word (json_nesting), so that depth is bounded and
 * nothing recurses. */
#include "formats/json_read.h"

static const char *enter(json_reader *r, const char *p, json_nesting *n) {
  if (!json_nesting_open(n, *p)) {
    r->row.fault.at = p;
    (void)row_fault(&r->row, FAULT_SYNTAX, "depth", "nested deeper than %d levels at byte %zu of the record",
                    JSON_MAX_DEPTH, (size_t)(p - r->start));
    return NULL;
  }
  return json_skip_blanks(p + 1, r->end);
}

/* "key" and ':' of a member; returns the start of its value. */
static const char *skip_key(json_reader *r, const char *p) {
  json_span span;
  if (p >= r->end || *p != '"') return json_fault(r, p, "'\"' of a key");
  if (!(p = json_read_span_quick(r, p + 1, &span))) return NULL;
  p = json_skip_blanks(p, r->end);
  if (p >= r->end || *p != ':') return json_fault(r, p, "':' after a key");
  return json_skip_blanks(p + 1, r->end);
}

static const char *skip_scalar(json_reader *r, const char *p) {
  json_span span;
  bool integral;
  switch (*p) {
  case '"': return json_read_span_quick(r, p + 1, &span);
  case 't': return json_read_word(r, p, "true");
  case 'f': return json_read_word(r, p, "false");
  case 'n': return json_read_word(r, p, "null");
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
  case '9': return json_read_number(r, p, &integral);
  default: return json_fault(r, p, "a value");
  }
}

/* After a value: closes what ends there, up to a comma, which is taken; returns
 * the start of what follows it, or the end of the outermost value (depth 0). */
static const char *skip_closers(json_reader *r, const char *p, json_nesting *n) {
  while (n->depth) {
    bool object = n->objects & 1;
    p = json_skip_blanks(p, r->end);
    if (p >= r->end) return json_fault(r, p, "more");
    if (*p == ',') {
      p = json_skip_blanks(p + 1, r->end);
      return object ? skip_key(r, p) : p;
    }
    if (*p != (object ? '}' : ']')) return json_fault(r, p, object ? "',' or '}'" : "',' or ']'");
    json_nesting_leave(n);
    p++;
  }
  return p;
}

const char *json_skip_value(json_reader *r, const char *p) {
  json_nesting n = {0};
  do {
    if (p >= r->end) return json_fault(r, p, "a value");
    if (*p == '{' || *p == '[') {
      char close = *p == '{' ? '}' : ']';
      if (!(p = enter(r, p, &n))) return NULL;
      if (p >= r->end || *p != close) { /* not empty: on to the first value in it */
        if (close == '}' && !(p = skip_key(r, p))) return NULL;
        continue;
      }
    } else if (!(p = skip_scalar(r, p))) {
      return NULL;
    }
    p = skip_closers(r, p, &n);
  } while (p && n.depth);
  return p;
}

/* ---- by brackets alone ------------------------------------------------------ */

/* The byte after a string's closing quote, NULL when a line ends inside it, or end. */
static const char *string_end(const char *p, const char *end) {
  for (; p < end; p++) {
    if (*p == '"') return p + 1;
    if (*p == '\n') return NULL;
    if (*p == '\\') p++;
  }
  return end;
}

const char *json_skip_brackets(const char *p, const char *end) {
  json_nesting n = {0};
  while (p && p < end) {
    char c = *p;
    if (n.depth == 0 && (c == ',' || c == ']')) return p;
    if (c == '"') {
      p = string_end(p + 1, end);
      continue;
    }
    if ((c == '{' || c == '[') && !json_nesting_open(&n, c)) return NULL;
    if ((c == '}' || c == ']') && !json_nesting_close(&n, c)) return NULL;
    p++;
  }
  return p;
}
