/* literal.c - literals to typed values. */
#include "sql/analyze.h"

#include <headworks/value.h>

#include <string.h>

/* ---- numbers ------------------------------------------------------------------- */

/* Digits without the point, and how many stand behind it; false: more than 38 count. */
static bool read_digits(const char *text, hw_int128 *value, unsigned *digits, unsigned *scale) {
  bool behind = false;
  *value = 0;
  *digits = *scale = 0;
  for (; *text; text++) {
    if (*text == '.') {
      behind = true;
      continue;
    }
    if (*digits > 0 || *text != '0') ++*digits;
    if (behind) ++*scale;
    if (*digits > HW_DECIMAL_MAX_PRECISION || *scale > HW_DECIMAL_MAX_PRECISION) return false;
    *value = *value * 10 + (*text - '0');
  }
  return true;
}

static expr *new_integer(scope *s, const ast *at, hw_int128 v) {
  hw_type_id id = typing_holds(HW_TYPE_INT, v) ? HW_TYPE_INT : HW_TYPE_BIGINT;
  return node_literal(s, at, typing_make(id), &(hw_value){.u.i64 = (int64_t)v});
}

static expr *new_decimal(scope *s, const ast *at, hw_int128 v, unsigned digits, unsigned scale) {
  unsigned precision = digits > scale ? digits : scale;
  hw_type type = {.id = HW_TYPE_DECIMAL, .precision = (uint8_t)(precision ? precision : 1), .scale = (uint8_t)scale};
  return node_literal(s, at, type, &(hw_value){.u.dec = v});
}

/* hw_parse_f64 wants a digit on both sides of the point. */
static expr *new_double(scope *s, const ast *at, const ast_text *text, bool negative) {
  char *number = arena_alloc(s->c->memory, (size_t)text->len + 4);
  if (!number) return NULL;
  size_t n = 0;
  if (negative) number[n++] = '-';
  const char *digits = text->data + strspn(text->data, "0");
  if (*digits == '.' || *digits == 'e' || *digits == 'E') number[n++] = '0';
  for (; *digits; digits++) {
    bool bare_point = *digits == '.' && (digits[1] == 'e' || digits[1] == 'E');
    if (!bare_point) number[n++] = *digits;
  }
  double v;
  if (hw_parse_f64(number, n, &v) == HW_OK)
    return node_literal(s, at, typing_make(HW_TYPE_DOUBLE), &(hw_value){.u.f64 = v});
  compiler_error(s->c, &at->span, "%.60s is out of the range of DOUBLE", text->data);
  return NULL;
}

expr *literal_number(scope *s, const ast *at, const ast_text *text, bool negative) {
  if (strpbrk(text->data, "eE")) return new_double(s, at, text, negative);
  hw_int128 v;
  unsigned digits, scale;
  if (!read_digits(text->data, &v, &digits, &scale)) {
    compiler_error(s->c, &at->span, "this number has more than %d digits: write it with an exponent for a DOUBLE",
                   HW_DECIMAL_MAX_PRECISION);
    return NULL;
  }
  if (negative) v = -v;
  bool whole = !strchr(text->data, '.');
  return whole && typing_holds(HW_TYPE_BIGINT, v) ? new_integer(s, at, v) : new_decimal(s, at, v, digits, scale);
}

/* ---- strings --------------------------------------------------------------------- */

static expr *new_string(scope *s, const ast *at, hw_type_id id, const char *data, uint32_t len) {
  if (!data) return NULL;
  return node_literal(s, at, typing_make(id), &(hw_value){.u.str = {.data = data, .len = len}});
}

expr *literal_string(scope *s, const ast *at, const ast_text *text) {
  return new_string(s, at, HW_TYPE_VARCHAR, compiler_strdup(s->c, text->data, text->len), text->len);
}

static unsigned hex_digit(char c) {
  return (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

expr *literal_bytes(scope *s, const ast *at, const ast_text *digits) {
  uint32_t len = digits->len / 2;
  char *bytes = compiler_alloc(s->c, (size_t)len + 1);
  for (uint32_t i = 0; bytes && i < len; i++)
    bytes[i] = (char)(hex_digit(digits->data[2 * i]) << 4 | hex_digit(digits->data[2 * i + 1]));
  return new_string(s, at, HW_TYPE_VARBINARY, bytes, len);
}

expr *literal_typed(scope *s, const ast *at, const ast_type *type, const ast_text *text) {
  hw_type resolved;
  if (!typing_resolve(s->c, type, &resolved)) return NULL;
  ast string = {.kind = AST_STRING, .span = text->span, .text = text};
  return convert_implied(s, at, literal_string(s, &string, text), resolved);
}
