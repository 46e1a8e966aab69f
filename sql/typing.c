/* typing.c - names of types, common types, and results of decimal arithmetic. */
#include "sql/typing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- names ----------------------------------------------------------------- */

typedef enum type_params { NO_PARAMS, LENGTH, PRECISION_SCALE } type_params;

static const struct {
  const char *name, *second; /* second: the word after it, "precision" or "varying" */
  hw_type_id id;
  type_params params;
  uint32_t default_length;
} type_names[] = {
    {"boolean", NULL, HW_TYPE_BOOLEAN, NO_PARAMS, 0},
    {"tinyint", NULL, HW_TYPE_TINYINT, NO_PARAMS, 0},
    {"smallint", NULL, HW_TYPE_SMALLINT, NO_PARAMS, 0},
    {"int", NULL, HW_TYPE_INT, NO_PARAMS, 0},
    {"integer", NULL, HW_TYPE_INT, NO_PARAMS, 0},
    {"bigint", NULL, HW_TYPE_BIGINT, NO_PARAMS, 0},
    {"real", NULL, HW_TYPE_REAL, NO_PARAMS, 0},
    {"float", NULL, HW_TYPE_REAL, NO_PARAMS, 0},
    {"double", NULL, HW_TYPE_DOUBLE, NO_PARAMS, 0},
    {"double", "precision", HW_TYPE_DOUBLE, NO_PARAMS, 0},
    {"decimal", NULL, HW_TYPE_DECIMAL, PRECISION_SCALE, 0},
    {"numeric", NULL, HW_TYPE_DECIMAL, PRECISION_SCALE, 0},
    {"char", NULL, HW_TYPE_CHAR, LENGTH, 1},
    {"character", NULL, HW_TYPE_CHAR, LENGTH, 1},
    {"varchar", NULL, HW_TYPE_VARCHAR, LENGTH, 0},
    {"char", "varying", HW_TYPE_VARCHAR, LENGTH, 0},
    {"character", "varying", HW_TYPE_VARCHAR, LENGTH, 0},
    {"binary", NULL, HW_TYPE_BINARY, LENGTH, 1},
    {"varbinary", NULL, HW_TYPE_VARBINARY, LENGTH, 0},
    {"binary", "varying", HW_TYPE_VARBINARY, LENGTH, 0},
    {"date", NULL, HW_TYPE_DATE, NO_PARAMS, 0},
    {"time", NULL, HW_TYPE_TIME, NO_PARAMS, 0},
    {"timestamp", NULL, HW_TYPE_TIMESTAMP, NO_PARAMS, 0},
    {"uuid", NULL, HW_TYPE_UUID, NO_PARAMS, 0},
    /* other spellings */
    {"bool", NULL, HW_TYPE_BOOLEAN, NO_PARAMS, 0},
    {"int2", NULL, HW_TYPE_SMALLINT, NO_PARAMS, 0},
    {"int16", NULL, HW_TYPE_SMALLINT, NO_PARAMS, 0},
    {"int4", NULL, HW_TYPE_INT, NO_PARAMS, 0},
    {"int32", NULL, HW_TYPE_INT, NO_PARAMS, 0},
    {"signed", NULL, HW_TYPE_INT, NO_PARAMS, 0},
    {"int8", NULL, HW_TYPE_BIGINT, NO_PARAMS, 0},
    {"int64", NULL, HW_TYPE_BIGINT, NO_PARAMS, 0},
    {"float4", NULL, HW_TYPE_REAL, NO_PARAMS, 0},
    {"float32", NULL, HW_TYPE_REAL, NO_PARAMS, 0},
    {"float8", NULL, HW_TYPE_DOUBLE, NO_PARAMS, 0},
    {"float64", NULL, HW_TYPE_DOUBLE, NO_PARAMS, 0},
    {"dec", NULL, HW_TYPE_DECIMAL, PRECISION_SCALE, 0},
    {"number", NULL, HW_TYPE_DECIMAL, PRECISION_SCALE, 0},
    {"string", NULL, HW_TYPE_VARCHAR, NO_PARAMS, 0},
    {"text", NULL, HW_TYPE_VARCHAR, NO_PARAMS, 0},
    {"bytea", NULL, HW_TYPE_VARBINARY, NO_PARAMS, 0},
    {"datetime", NULL, HW_TYPE_TIMESTAMP, NO_PARAMS, 0},
};

#define N_TYPE_NAMES ((uint32_t)(sizeof type_names / sizeof *type_names))

static const char *const later_types[] = {"ARRAY", "MAP", "ROW", "VARIANT", "INTERVAL", "GEOMETRY"};

static int find_type(const ast_type *t) {
  for (uint32_t i = 0; i < N_TYPE_NAMES; i++) {
    const char *second = type_names[i].second;
    if (strcmp(type_names[i].name, t->name->text) != 0 || !second != !t->second) continue;
    if (!second || strcmp(second, t->second->text) == 0) return (int)i;
  }
  return -1;
}

static void report_unknown(compiler *c, const ast_type *t) {
  const char *name = t->name->text;
  for (size_t i = 0; i < sizeof later_types / sizeof *later_types; i++) {
    if (strcasecmp(later_types[i], name) != 0) continue;
    compiler_error(c, &t->span, "not supported yet: the type %s", later_types[i]);
    return;
  }
  const char *names[N_TYPE_NAMES];
  for (uint32_t i = 0; i < N_TYPE_NAMES; i++) names[i] = type_names[i].name;
  char hint[COMPILER_HINT];
  compiler_error(c, &t->span, "unknown type \"%.60s%s%s\"%s", name, t->second ? " " : "",
                 t->second ? t->second->text : "", compiler_hint(c, name, names, N_TYPE_NAMES, hint));
}

/* A parameter within low .. high, or the default where it is not given. */
static bool parameter(compiler *c, const ast_text *given, const char *what, uint32_t low, uint32_t high,
                      uint32_t *out) {
  if (!given) return true;
  char *end;
  unsigned long v = strtoul(given->data, &end, 10);
  if (*end == '\0' && given->len <= 10 && v >= low && v <= high) {
    *out = (uint32_t)v;
    return true;
  }
  compiler_error(c, &given->span, "%s must be a whole number from %u to %u, found %.40s", what, low, high, given->data);
  return false;
}

static bool take_decimal(compiler *c, const ast_type *t, hw_type *out) {
  uint32_t precision = HW_DECIMAL_MAX_PRECISION, scale = 0;
  if (!parameter(c, t->params[0], "precision", 1, HW_DECIMAL_MAX_PRECISION, &precision)) return false;
  if (!parameter(c, t->params[1], "scale", 0, precision, &scale)) return false;
  out->precision = (uint8_t)precision;
  out->scale = (uint8_t)scale;
  return true;
}

static bool take_length(compiler *c, const ast_type *t, uint32_t length, hw_type *out) {
  /* CHAR and BINARY values have all their length in memory. */
  bool padded = out->id == HW_TYPE_CHAR || out->id == HW_TYPE_BINARY;
  if (t->params[1]) {
    compiler_error(c, &t->params[1]->span, "%s takes one number, its length", hw_type_name((hw_type_id)out->id));
    return false;
  }
  if (!parameter(c, t->params[0], "length", 1, padded ? 65535 : INT32_MAX, &length)) return false;
  out->length = length;
  return true;
}

static bool take_params(compiler *c, const ast_type *t, int i, hw_type *out) {
  switch (type_names[i].params) {
  case LENGTH: return take_length(c, t, type_names[i].default_length, out);
  case PRECISION_SCALE: return take_decimal(c, t, out);
  case NO_PARAMS: break;
  }
  if (!t->params[0]) return true;
  compiler_error(c, &t->params[0]->span, "%s takes no number in parentheses", hw_type_name((hw_type_id)out->id));
  return false;
}

bool typing_resolve(compiler *c, const ast_type *t, hw_type *out) {
  int i = find_type(t);
  if (i < 0) {
    report_unknown(c, t);
    return false;
  }
  *out = typing_make(type_names[i].id);
  if (!take_params(c, t, i, out)) return false;
  if (!t->is_unsigned) return true;
  if (!hw_type_is_integer((hw_type_id)out->id)) {
    compiler_error(c, &t->span, "UNSIGNED goes with integer types, not with %s", hw_type_name((hw_type_id)out->id));
    return false;
  }
  out->id = (uint8_t)(out->id + (HW_TYPE_UTINYINT - HW_TYPE_TINYINT));
  return true;
}

const char *typing_text(const hw_type *type, char *text) {
  const char *name = hw_type_name((hw_type_id)type->id);
  if (type->id == HW_TYPE_DECIMAL) snprintf(text, TYPING_TEXT, "DECIMAL(%u, %u)", type->precision, type->scale);
  else if (type->length) snprintf(text, TYPING_TEXT, "%s(%u)", name, type->length);
  else snprintf(text, TYPING_TEXT, "%s", name);
  return text;
}

bool typing_same(const hw_type *a, const hw_type *b) {
  return a->id == b->id && a->precision == b->precision && a->scale == b->scale && a->length == b->length;
}

/* ---- integers ---------------------------------------------------------------- */

static unsigned bits(hw_type_id id) { return (unsigned)hw_type_width(id) * 8; }

static hw_type_id signed_of(unsigned width) {
  return width <= 8 ? HW_TYPE_TINYINT : width <= 16 ? HW_TYPE_SMALLINT : width <= 32 ? HW_TYPE_INT : HW_TYPE_BIGINT;
}

bool typing_holds(hw_type_id id, hw_int128 v) {
  unsigned width = bits(id);
  if (typing_is_unsigned(id)) return v >= 0 && v < (hw_int128)1 << width;
  hw_int128 limit = (hw_int128)1 << (width - 1);
  return v >= -limit && v < limit;
}

static hw_type decimal(unsigned precision, unsigned scale) {
  return (hw_type){.id = HW_TYPE_DECIMAL, .precision = (uint8_t)precision, .scale = (uint8_t)scale};
}

static hw_type common_integer(hw_type_id a, hw_type_id b) {
  if (typing_is_unsigned(a) == typing_is_unsigned(b)) return typing_make(bits(a) >= bits(b) ? a : b);
  hw_type_id u = typing_is_unsigned(a) ? a : b, s = u == a ? b : a;
  if (bits(s) > bits(u)) return typing_make(s);
  return bits(u) < 64 ? typing_make(signed_of(bits(u) * 2)) : decimal(20, 0);
}

hw_type typing_negated(const hw_type *type) {
  hw_type_id id = (hw_type_id)type->id;
  if (!typing_is_unsigned(id)) return *type;
  return bits(id) < 64 ? typing_make(signed_of(bits(id) * 2)) : decimal(20, 0);
}

/* ---- decimals ------------------------------------------------------------------- */

hw_type typing_as_decimal(const hw_type *type) {
  static const uint8_t digits[] = {3, 5, 10, 19, 3, 5, 10, 20}; /* from TINYINT on */
  if (!hw_type_is_integer((hw_type_id)type->id)) return *type;
  return decimal(digits[type->id - HW_TYPE_TINYINT], 0);
}

static unsigned max_of(unsigned a, unsigned b) { return a > b ? a : b; }
static unsigned min_of(unsigned a, unsigned b) { return a < b ? a : b; }

static hw_type common_decimal(hw_type a, hw_type b) {
  unsigned scale = max_of(a.scale, b.scale);
  unsigned whole = max_of((unsigned)(a.precision - a.scale), (unsigned)(b.precision - b.scale));
  return decimal(min_of(whole + scale, HW_DECIMAL_MAX_PRECISION), scale);
}

/* Where the digits do not fit, those behind the point give way, down to six. */
static hw_type fit_decimal(unsigned whole, unsigned scale) {
  const unsigned most = HW_DECIMAL_MAX_PRECISION;
  if (whole + scale <= most) return decimal(max_of(whole + scale, 1), scale);
  unsigned room = whole < most ? most - whole : 0;
  return decimal(most, min_of(scale, max_of(room, min_of(scale, 6))));
}

hw_type typing_decimal_result(expr_op op, const hw_type *a, const hw_type *b) {
  unsigned whole_a = (unsigned)(a->precision - a->scale), whole_b = (unsigned)(b->precision - b->scale);
  unsigned scale = max_of(a->scale, b->scale);
  switch (op) {
  case EXPR_MUL: return fit_decimal(whole_a + whole_b, (unsigned)(a->scale + b->scale));
  case EXPR_DIV: return fit_decimal(whole_a + b->scale, max_of(6, (unsigned)(a->scale + b->precision + 1)));
  case EXPR_MOD: return decimal(max_of(min_of(min_of(whole_a, whole_b) + scale, HW_DECIMAL_MAX_PRECISION), 1), scale);
  default: return decimal(min_of(max_of(whole_a, whole_b) + scale + 1, HW_DECIMAL_MAX_PRECISION), scale);
  }
}

/* ---- common types ------------------------------------------------------------------ */

static hw_type common_number(const hw_type *a, const hw_type *b) {
  hw_type_id x = (hw_type_id)a->id, y = (hw_type_id)b->id;
  if (hw_type_is_integer(x) && hw_type_is_integer(y)) return common_integer(x, y);
  bool approximate = typing_is_approximate(x) || typing_is_approximate(y);
  if (!approximate) return common_decimal(typing_as_decimal(a), typing_as_decimal(b));
  bool twice = x == HW_TYPE_DOUBLE || y == HW_TYPE_DOUBLE || x == HW_TYPE_DECIMAL || y == HW_TYPE_DECIMAL;
  return typing_make(twice ? HW_TYPE_DOUBLE : HW_TYPE_REAL);
}

/* Two texts, or two byte strings. */
static hw_type common_string(const hw_type *a, const hw_type *b, hw_type_id fixed, hw_type_id varying) {
  uint32_t length = a->length > b->length ? a->length : b->length;
  if (a->length == 0 || b->length == 0) length = 0;
  bool is_fixed = a->id == fixed && b->id == fixed && (fixed == HW_TYPE_CHAR || a->length == b->length);
  return (hw_type){.id = (uint8_t)(is_fixed ? fixed : varying), .length = length};
}

bool typing_common(const hw_type *a, const hw_type *b, hw_type *out) {
  hw_type_id x = (hw_type_id)a->id, y = (hw_type_id)b->id;
  bool days = (x == HW_TYPE_DATE && y == HW_TYPE_TIMESTAMP) || (x == HW_TYPE_TIMESTAMP && y == HW_TYPE_DATE);
  if (hw_type_is_numeric(x) && hw_type_is_numeric(y)) *out = common_number(a, b);
  else if (hw_type_is_text(x) && hw_type_is_text(y)) *out = common_string(a, b, HW_TYPE_CHAR, HW_TYPE_VARCHAR);
  else if (typing_is_binary(x) && typing_is_binary(y)) *out = common_string(a, b, HW_TYPE_BINARY, HW_TYPE_VARBINARY);
  else if (x == y) *out = *a;
  else if (days) *out = typing_make(HW_TYPE_TIMESTAMP);
  else return false;
  out->nullable = a->nullable || b->nullable;
  return true;
}
