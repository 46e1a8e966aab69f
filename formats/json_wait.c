#include "formats/json_wait.h"
#include "formats/scan.h"

#include <string.h>

void json_wait_for(json_wait *w, json_awaited what, const char *marks, bool indented) {
  *w = (json_wait){.what = what, .marks = marks, .indented = indented};
}

/* ---- a value ------------------------------------------------------------------ */

typedef enum outcome { GOES_ON, CUT, OVER } outcome; /* OVER: it is whole, or faulty */

/* The string's bytes from p on; p is never inside an escape. */
static outcome pass_string(json_wait *w, json_reader *r, const char *data, const char **at) {
  const char *p = *at;
  for (;;) {
    p = json_find_stop(p, r->end, &w->high);
    *at = p < r->end ? p : r->end;
    if (p >= r->end) return CUT;
    if (*p == '"') break;
    if (*p != '\\') return OVER; /* a control character: broken */
    if (!(p = json_check_escape(r, p))) return r->row.fault.kind == FAULT_INCOMPLETE ? CUT : OVER;
  }
  const char *inside = data + w->token;
  w->in_string = false;
  w->token = 0;
  *at = p + 1;
  return w->high && !scan_utf8(inside, (size_t)(p - inside)) ? OVER : GOES_ON;
}

static bool ends_plain(char c) {
  return json_is_blank(c) || c == ',' || c == ']' || c == '}' || c == '"' || c == ':' || c == '{' || c == '[';
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* Whether a number or word may begin so; up to `from` it was seen to. A long number has
 * hardly other bytes than digits, of which each is looked at once. */
static bool begins_plain(json_reader *r, const char *start, const char *from) {
  bool digits = from - start >= 2 && is_digit(from[-1]) && is_digit(from[-2]);
  while (digits && from < r->end) digits = is_digit(*from++);
  if (digits) return true;
  const char *after = json_skip_value(r, start);
  return after ? after == r->end : r->row.fault.kind == FAULT_INCOMPLETE;
}

/* A number or word, looked at as a whole when all of it is there. */
static outcome pass_plain(json_wait *w, json_reader *r, const char *data, const char **at) {
  const char *p = *at, *from = p;
  while (p < r->end && !ends_plain(*p)) p++;
  *at = p;
  if (p == r->end) return begins_plain(r, data + w->token, from) ? CUT : OVER;
  const char *start = data + w->token;
  w->token = 0;
  w->place = JSON_AFTER_VALUE;
  return start < p && json_skip_value(r, start) == p ? GOES_ON : OVER;
}

static outcome enter(json_wait *w, char bracket) {
  w->place = bracket == '{' ? JSON_AT_FIRST_KEY : JSON_AT_FIRST_VALUE;
  return json_nesting_open(&w->nesting, bracket) ? GOES_ON : OVER;
}

static outcome leave(json_wait *w, char bracket) {
  w->place = JSON_AFTER_VALUE;
  return json_nesting_close(&w->nesting, bracket) && w->nesting.depth ? GOES_ON : OVER;
}

static void open_string(json_wait *w, size_t inside, json_place next) {
  w->in_string = true;
  w->high = false;
  w->token = inside;
  w->place = next;
}

static outcome pass_key(json_wait *w, size_t at, char c) {
  if (c == '}' && w->place == JSON_AT_FIRST_KEY) return leave(w, c);
  if (c != '"') return OVER;
  open_string(w, at + 1, JSON_AT_COLON);
  return GOES_ON;
}

static outcome pass_after(json_wait *w, char c) {
  if (c == '}' || c == ']') return leave(w, c);
  if (c != ',') return OVER;
  w->place = w->nesting.objects & 1 ? JSON_AT_KEY : JSON_AT_VALUE;
  return GOES_ON;
}

/* The start of a value; a number or word is left where it is. */
static outcome pass_value(json_wait *w, size_t at, char c, bool *plain) {
  if (c == ']' && w->place == JSON_AT_FIRST_VALUE) return leave(w, c);
  if (c == '{' || c == '[') return enter(w, c);
  if (w->nesting.depth == 0) return OVER;
  if (c == '"') {
    open_string(w, at + 1, JSON_AFTER_VALUE);
    return GOES_ON;
  }
  w->token = at;
  *plain = true;
  return GOES_ON;
}

/* One token, or what there is of it. */
static outcome pass_token(json_wait *w, json_reader *r, const char *data, const char **p) {
  if (w->in_string) return pass_string(w, r, data, p);
  if (w->token) return pass_plain(w, r, data, p);
  *p = json_skip_blanks(*p, r->end);
  if (*p == r->end) return CUT;
  size_t at = (size_t)(*p - data);
  char c = **p;
  bool plain = false;
  outcome o;
  switch (w->place) {
  case JSON_AT_VALUE:
  case JSON_AT_FIRST_VALUE: o = pass_value(w, at, c, &plain); break;
  case JSON_AT_KEY:
  case JSON_AT_FIRST_KEY: o = pass_key(w, at, c); break;
  case JSON_AT_COLON:
    w->place = JSON_AT_VALUE;
    o = c == ':' ? GOES_ON : OVER;
    break;
  default: o = pass_after(w, c);
  }
  *p += !plain;
  return o;
}

static bool value_is_over(json_wait *w, json_reader *r, const char *data) {
  const char *p = data + w->at;
  outcome o;
  do o = pass_token(w, r, data, &p);
  while (o == GOES_ON);
  w->at = (size_t)(p - data);
  return o == OVER;
}

/* ---- what a broken record waits for ------------------------------------------- */

/* A byte inside a string; false: the string, and with it the brackets, are broken. */
static bool pass_inside(json_wait *w, char c) {
  if (w->token) w->token = 0; /* escaped, whatever it is */
  else if (c == '\\') w->token = 1;
  else if (c == '"') w->in_string = false;
  else return c != '\n';
  return true;
}

static bool brackets_are_over(json_wait *w, const char *data, size_t len) {
  for (; w->at < len; w->at++) {
    char c = data[w->at];
    bool ok = true;
    if (w->in_string) ok = pass_inside(w, c);
    else if (c == '"') w->in_string = true;
    else if (c == '{' || c == '[') ok = json_nesting_open(&w->nesting, c);
    else if (c == '}' || c == ']') ok = w->nesting.depth && json_nesting_close(&w->nesting, c);
    else if (c == ',') ok = w->nesting.depth;
    if (!ok) return true;
  }
  return false;
}

/* token: at the start of a line, behind blanks at most. */
static bool line_starts(json_wait *w, const char *data, size_t len) {
  for (; w->at < len; w->at++) {
    char c = data[w->at];
    if (c == '\n') w->token = 1;
    else if (w->token && c && strchr(w->marks, c)) return true;
    else if (!w->indented || (c != ' ' && c != '\t' && c != '\r')) w->token = 0;
  }
  return false;
}

static bool line_ends(json_wait *w, const char *data, size_t len) {
  if (memchr(data + w->at, '\n', len - w->at)) return true;
  w->at = len;
  return false;
}

bool json_wait_over(json_wait *w, json_reader *r, const char *data, size_t len) {
  r->end = data + len;
  r->start = data;
  r->row.fault.kind = FAULT_NONE;
  switch (w->what) {
  case JSON_VALUE_END: return value_is_over(w, r, data);
  case JSON_LINE_END: return line_ends(w, data, len);
  case JSON_BRACKETS_END: return brackets_are_over(w, data, len);
  case JSON_LINE_START: return line_starts(w, data, len);
  case JSON_ANYTHING: break;
  }
  return true;
}
