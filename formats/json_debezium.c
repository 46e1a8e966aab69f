/* json_debezium.c - events of Debezium: where their rows are.
 *
 *     {"payload": {"op": "u", "before": {...}, "after": {...}, ...}, ...}
 *
 * Members come in any order, so an event is gone through once for its shape, and
 * its rows are then read where they were found. */
#include "formats/json_read.h"

#include <string.h>

static bool is_name(const json_span *name, const char *word) {
  return name->len == strlen(word) && !memcmp(name->data, word, name->len);
}

static const char *fault_event(json_reader *r, const char *reason) {
  (void)row_fault(&r->row, FAULT_VALUE, "update", "%s", reason);
  return NULL;
}

/* A key and its ':'; returns the start of the value. */
static const char *read_name(json_reader *r, const char *p, json_span *name) {
  if (!(p = json_read_span(r, p + 1, name))) return NULL;
  p = json_skip_blanks(p, r->end);
  if (p >= r->end || *p != ':') return json_fault(r, p, "':' after a key");
  return json_skip_blanks(p + 1, r->end);
}

/* A row that is there, or null. */
static const char *find_row(json_reader *r, const char *p, const char **row) {
  *row = p < r->end && (*p == '{' || *p == '[') ? p : NULL;
  bool null = p < r->end && *p == 'n';
  const char *after = json_skip_value(r, p);
  if (after && !*row && !null) return fault_event(r, "\"before\" and \"after\" are rows (objects or arrays) or null");
  return after;
}

static const char *read_op(json_reader *r, const char *p, char *op) {
  json_span text;
  if (p >= r->end || *p != '"') return p >= r->end ? json_fault(r, p, "a value") : fault_event(r, "\"op\" is a string");
  const char *after = json_read_span(r, p + 1, &text);
  if (after) *op = text.len == 1 ? text.data[0] : '?';
  return after;
}

static const char *read_payload(json_reader *r, const char *p, json_event *e) {
  if (p >= r->end) return json_fault(r, p, "a value");
  if (*p != '{') return json_skip_value(r, p) ? fault_event(r, "\"payload\" is an object") : NULL;
  for (bool first = true;; first = false) {
    bool closed = false;
    json_span name;
    if (!(p = json_read_separator(r, p, first, &closed)) || closed) return p;
    if (!(p = read_name(r, p, &name))) return NULL;
    if (is_name(&name, "op")) p = read_op(r, p, &e->op);
    else if (is_name(&name, "before")) p = find_row(r, p, &e->before);
    else if (is_name(&name, "after")) p = find_row(r, p, &e->after);
    else p = json_skip_value(r, p);
    if (!p) return NULL;
  }
}

/* Leaves the rows that count. */
static bool check(json_reader *r, json_event *e) {
  switch (e->op) {
  case 'c':
  case 'r': e->before = NULL; break;
  case 'd': e->after = NULL; break;
  case 'u': break;
  default:
    (void)fault_event(r, "an event is {\"payload\": {\"op\": \"c\", \"r\", \"u\" or \"d\", \"before\": row, "
                         "\"after\": row}}");
    return false;
  }
  if (e->op == 'd' ? e->before != NULL : e->after != NULL) return true;
  (void)fault_event(r, e->op == 'd' ? "a deletion needs the row in \"before\"" : "the row in \"after\" is missing");
  return false;
}

const char *json_read_event(json_reader *r, const char *p, json_event *e) {
  *e = (json_event){0};
  for (bool first = true;; first = false) {
    bool closed = false;
    json_span name;
    if (!(p = json_read_separator(r, p, first, &closed))) return NULL;
    if (closed) return check(r, e) ? p : NULL;
    if (!(p = read_name(r, p, &name))) return NULL;
    p = is_name(&name, "payload") ? read_payload(r, p, e) : json_skip_value(r, p);
    if (!p) return NULL;
  }
}
