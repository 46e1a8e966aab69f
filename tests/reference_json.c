#include "tests/reference.h"

#include <headworks/value.h>

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEPTH_MAX 64 /* of a value inside a row */

/* One document, read twice: jansson makes "-0" the integer 0, but the real -0.0. */
typedef struct document {
  json_t *value, *real;
} document;

static reference expect_integer(fixture_text *t, const hw_type *type, document v) {
  char text[32];
  if (!json_is_integer(v.value)) return REFERENCE_REFUSED;
  int n = snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(v.value));
  return reference_spelled(t, type, text, (size_t)n) ? REFERENCE_TAKEN : REFERENCE_REFUSED;
}

static reference expect_decimal(fixture_text *t, const hw_type *type, document v) {
  double value = json_number_value(v.real), limit = pow(10, type->precision - type->scale);
  if (!json_is_number(v.value)) return REFERENCE_REFUSED;
  if (fabs(value) > limit * 1.000001) return REFERENCE_REFUSED;
  return json_is_integer(v.value) ? expect_integer(t, type, v) : REFERENCE_UNKNOWN;
}

static reference expect_float(fixture_text *t, const hw_type *type, document v) {
  char text[HW_VALUE_TEXT_MAX];
  double value = json_number_value(v.real);
  float narrow = (float)value;
  if (!json_is_number(v.value)) return REFERENCE_REFUSED;
  if (type->id == HW_TYPE_REAL && (double)narrow != value) return REFERENCE_UNKNOWN;
  fixture_put(t, text, type->id == HW_TYPE_REAL ? hw_format_f32(narrow, text) : hw_format_f64(value, text));
  return REFERENCE_TAKEN;
}

static reference expect_bytes(fixture_text *t, const hw_type *type, document v) {
  char bytes[1024];
  size_t n = json_array_size(v.value);
  if (!json_is_array(v.value)) return REFERENCE_REFUSED;
  if (n > sizeof bytes) return REFERENCE_UNKNOWN;
  for (size_t i = 0; i < n; i++) {
    const json_t *item = json_array_get(v.value, i);
    json_int_t byte = json_integer_value(item);
    bool minus = json_is_integer(item) && signbit(json_real_value(json_array_get(v.real, i)));
    if (!json_is_integer(item) || byte > 255 || minus) return REFERENCE_REFUSED;
    bytes[i] = (char)byte;
  }
  return reference_bytes(t, type, bytes, n) ? REFERENCE_TAKEN : REFERENCE_REFUSED;
}

static bool expect_string(fixture_text *t, const hw_type *type, const json_t *v) {
  const char *text = json_string_value(v);
  size_t len = json_string_length(v);
  if (hw_type_is_text((hw_type_id)type->id)) return text && reference_text(t, type, text, len);
  return text && reference_spelled(t, type, text, len);
}

static reference expect_value(fixture_text *t, const hw_type *type, document v) {
  bool number = json_is_number(v.value);
  switch (type->id) {
  case HW_TYPE_BOOLEAN:
    if (!json_is_boolean(v.value)) return REFERENCE_REFUSED;
    fixture_print(t, "%s", json_is_true(v.value) ? "true" : "false");
    return REFERENCE_TAKEN;
  case HW_TYPE_BINARY:
  case HW_TYPE_VARBINARY: return expect_bytes(t, type, v);
  case HW_TYPE_REAL:
  case HW_TYPE_DOUBLE:
    if (number) return expect_float(t, type, v);
    break;
  case HW_TYPE_DECIMAL:
    if (number) return expect_decimal(t, type, v);
    break;
  default:
    if (number && hw_type_is_integer((hw_type_id)type->id)) return expect_integer(t, type, v);
  }
  return expect_string(t, type, v.value) ? REFERENCE_TAKEN : REFERENCE_REFUSED;
}

static document member(document row, const hw_field *field, uint32_t column) {
  if (json_is_array(row.value)) return (document){json_array_get(row.value, column), json_array_get(row.real, column)};
  return (document){json_object_get(row.value, field->name), json_object_get(row.real, field->name)};
}

static reference expect_column(fixture_text *t, document row, const hw_field *field, uint32_t column) {
  document v = member(row, field, column);
  if (!v.value) return reference_missing(t, field) ? REFERENCE_TAKEN : REFERENCE_REFUSED;
  if (!json_is_null(v.value)) return expect_value(t, &field->type, v);
  fixture_put(t, "NULL", 4);
  return field->type.nullable ? REFERENCE_TAKEN : REFERENCE_REFUSED;
}

static reference expect_row(fixture_text *t, const hw_schema *schema, document row) {
  reference all = REFERENCE_TAKEN;
  if (!json_is_object(row.value) && !json_is_array(row.value)) return REFERENCE_REFUSED;
  if (json_array_size(row.value) > schema->n_fields) return REFERENCE_REFUSED;
  for (uint32_t column = 0; column < schema->n_fields; column++) {
    if (column) fixture_put(t, "|", 1);
    reference one = expect_column(t, row, &schema->fields[column], column);
    if (one == REFERENCE_REFUSED || all == REFERENCE_TAKEN) all = one;
    if (all == REFERENCE_REFUSED) return all;
  }
  fixture_put(t, "\n", 1);
  return all;
}

/* Names of another case mean a column, too, and jansson keeps them apart. */
static bool has_strange_case(const hw_schema *schema, const json_t *object) {
  const char *key;
  json_t *v;
  json_object_foreach((json_t *)(uintptr_t)object, key, v) {
    for (uint32_t i = 0; i < schema->n_fields; i++)
      if (!strcasecmp(key, schema->fields[i].name) && strcmp(key, schema->fields[i].name) != 0) return true;
  }
  return false;
}

/* How deep the brackets of a well-formed document are nested. */
static unsigned depth_of(const char *text, size_t len) {
  unsigned depth = 0, deepest = 0;
  bool inside = false;
  for (size_t i = 0; i < len; i++) {
    if (inside && text[i] == '\\')
      i++;
    else if (text[i] == '"')
      inside = !inside;
    else if (!inside && (text[i] == '{' || text[i] == '['))
      deepest = ++depth > deepest ? depth : deepest;
    else if (!inside && (text[i] == '}' || text[i] == ']'))
      depth--;
  }
  return deepest;
}

static bool is_beyond_jansson(const json_error_t *err) {
  return strstr(err->text, "overflow") || strstr(err->text, "too big") || strstr(err->text, "NUL byte in object key");
}

reference reference_json(fixture_text *row, const hw_schema *schema, const char *line, size_t len) {
  json_error_t err;
  size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
  if (memchr(line, '\0', len)) return REFERENCE_REFUSED; /* jansson does not notice one behind a number */
  document d = {.real = json_loadb(line, len, flags | JSON_DECODE_INT_AS_REAL, &err)};
  if (!d.real) return is_beyond_jansson(&err) ? REFERENCE_UNKNOWN : REFERENCE_REFUSED;
  reference outcome = REFERENCE_REFUSED;
  if (depth_of(line, len) > DEPTH_MAX + 1) goto done;
  d.value = json_loadb(line, len, flags, &err);
  outcome = REFERENCE_UNKNOWN;
  if (!d.value || has_strange_case(schema, d.value)) goto done;
  outcome = expect_row(row, schema, d);
  json_t *unique = json_loadb(line, len, flags | JSON_REJECT_DUPLICATES, &err);
  if (!unique && outcome == REFERENCE_TAKEN) outcome = REFERENCE_UNKNOWN;
  json_decref(unique);
done:
  json_decref(d.value);
  json_decref(d.real);
  return outcome;
}
