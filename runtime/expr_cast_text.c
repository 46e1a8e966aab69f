/* expr_cast_text.c - CAST to and from strings. */
#include "runtime/expr_cast.h"
#include "runtime/value_utf8.h"

#include <headworks/value.h>

#include <string.h>

/* ---- from text ------------------------------------------------------------------------ */

static bool is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

static hw_str without_blanks(hw_str s) {
  while (s.len > 0 && is_blank(s.data[s.len - 1])) s.len--;
  while (s.len > 0 && is_blank(s.data[0])) s.data++, s.len--;
  return s;
}

/* What the text should have been. */
static const char *wanted(hw_type_id id) {
  switch (id) {
  case HW_TYPE_BOOLEAN:
    return "not true or false";
  case HW_TYPE_REAL:
  case HW_TYPE_DOUBLE:
  case HW_TYPE_DECIMAL:
    return "not a number";
  case HW_TYPE_DATE:
    return "not of the form YYYY-MM-DD";
  case HW_TYPE_TIME:
    return "not of the form HH:MM:SS";
  case HW_TYPE_TIMESTAMP:
    return "not of the form YYYY-MM-DD HH:MM:SS";
  case HW_TYPE_UUID:
    return "not 32 hexadecimal digits";
  default:
    return "not an integer";
  }
}

hw_status cast_from_text(evaluator *ev, const node *nd, const rows *r, const vec *arg, vec *out) {
  size_t width = hw_type_width((hw_type_id)nd->type.id);
  char *to = vec_array(out);
  bool integer = hw_type_is_integer((hw_type_id)nd->type.id);
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    if (!vec_filled(out, row)) continue;
    hw_str s = without_blanks(*vec_str(arg, row));
    if (integer && s.len > 1 && s.data[0] == '+' && s.data[1] != '-') s.data++, s.len--;
    hw_status st = hw_value_parse(&nd->type, s.len ? s.data : "", s.len, to + row * width);
    if (st != HW_OK)
      return cast_fail(ev, nd, row, vec_str(arg, row),
                       st == HW_ERANGE ? "out of range" : wanted((hw_type_id)nd->type.id));
  }
  return HW_OK;
}

/* ---- to strings -------------------------------------------------------------------------- */

/* Bytes a value of that type needs at most as text. */
static size_t text_room(hw_type_id id) {
  switch (id) {
  case HW_TYPE_BOOLEAN:
    return 5;
  case HW_TYPE_DATE:
    return 16;
  case HW_TYPE_REAL:
  case HW_TYPE_DOUBLE:
    return 32;
  case HW_TYPE_TIME:
    return 18;
  default:
    return hw_type_is_integer(id) ? 20 : 42;
  }
}

/* The first `length` characters (0: all) of text. */
static uint32_t bounded(const char *p, uint32_t len, uint32_t length) {
  if (length == 0 || len <= length) return len;
  return (uint32_t)(utf8_skip(p, p + len, length) - p);
}

static size_t put_value(const hw_type *from, const void *slot, const hw_type *to, char *out) {
  if (!hw_type_is_text((hw_type_id)to->id)) { /* only a UUID has bytes to be cast to */
    memcpy(out, slot, sizeof(hw_uuid));
    return to->length && to->length < sizeof(hw_uuid) ? to->length : sizeof(hw_uuid);
  }
  size_t len = hw_value_format(from, slot, out);
  if (to->length && len > to->length) len = to->length; /* ASCII */
  if (to->id != HW_TYPE_CHAR || len >= to->length) return len;
  memset(out + len, ' ', to->length - len);
  return to->length;
}

hw_status cast_to_string(evaluator *ev, const node *nd, const rows *r, const vec *arg, vec *out) {
  const hw_type *from = &nd->args[0]->type;
  size_t width = hw_type_width((hw_type_id)from->id), each = text_room((hw_type_id)from->id);
  if (nd->type.id == HW_TYPE_CHAR && nd->type.length > each) each = nd->type.length;
  size_t room = each * r->n + HW_VALUE_TEXT_MAX;
  char *p = text_alloc(ev, nd, room);
  if (!p) return eval_no_memory(ev, nd);
  const char *end = p + room;
  hw_str *to = vec_array(out);
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    if (!vec_filled(out, row)) continue;
    size_t len = put_value(from, (const char *)arg->values + vec_at(arg, row) * width, &nd->type, p);
    to[row] = (hw_str){p, (uint32_t)len, 0};
    p += len;
  }
  text_trim(ev, nd, (size_t)(end - p));
  return HW_OK;
}

/* ---- between strings ------------------------------------------------------------------------ */

/* Cuts by characters or bytes; nothing is copied. */
static hw_status cut_strings(evaluator *ev, const node *nd, const rows *r, const vec *arg, vec *out) {
  bool to_text = hw_type_is_text((hw_type_id)nd->type.id);
  bool check = to_text && !hw_type_is_text((hw_type_id)nd->args[0]->type.id);
  uint32_t length = nd->type.length;
  hw_str *to = vec_array(out);
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    if (!vec_filled(out, row)) continue;
    hw_str s = *vec_str(arg, row);
    if (check && s.len && !hw_utf8_valid(s.data, s.len))
      return cast_fail(ev, nd, row, vec_str(arg, row), "not valid UTF-8");
    if (to_text)
      s.len = bounded(s.data, s.len, length);
    else if (length && s.len > length)
      s.len = length;
    to[row] = s;
  }
  return HW_OK;
}

static size_t missing_blanks(hw_str s, uint32_t length) {
  if (s.len >= 4 * (uint64_t)length) return 0;
  size_t characters = hw_utf8_length(s.data, s.len);
  return characters < length ? length - characters : 0;
}

/* Pads what cut_strings left in out, in one piece of memory. */
static hw_status pad_strings(evaluator *ev, const node *nd, const rows *r, vec *out) {
  hw_str *to = vec_array(out);
  size_t room = 0;
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    if (!vec_filled(out, row)) continue;
    size_t blanks = missing_blanks(to[row], nd->type.length);
    if (blanks) room += to[row].len + blanks;
  }
  char *p = room ? text_alloc(ev, nd, room) : NULL;
  if (!p) return room ? eval_no_memory(ev, nd) : HW_OK;
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    if (!vec_filled(out, row)) continue;
    hw_str s = to[row];
    size_t blanks = missing_blanks(s, nd->type.length);
    if (!blanks) continue;
    if (s.len) memcpy(p, s.data, s.len);
    memset(p + s.len, ' ', blanks);
    to[row] = (hw_str){p, (uint32_t)(s.len + blanks), s.flags};
    p += s.len + blanks;
  }
  return HW_OK;
}

hw_status cast_between_strings(evaluator *ev, const node *nd, const rows *r, const vec *arg, vec *out) {
  hw_status st = cut_strings(ev, nd, r, arg, out);
  if (st == HW_OK && nd->type.id == HW_TYPE_CHAR && nd->type.length) st = pad_strings(ev, nd, r, out);
  return st;
}
