#include "tests/reference.h"

#include <headworks/value.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_integer(const msgpack_object *o) {
  return o->type == MSGPACK_OBJECT_POSITIVE_INTEGER || o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER;
}

static bool is_float(const msgpack_object *o) {
  return o->type == MSGPACK_OBJECT_FLOAT32 || o->type == MSGPACK_OBJECT_FLOAT64;
}

static size_t print_integer(const msgpack_object *o, char text[HW_VALUE_TEXT_MAX]) {
  return o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER ? hw_format_i64(o->via.i64, text) : hw_format_u64(o->via.u64, text);
}

/* A number in a column of numbers: by way of its text, but for floats in REAL, which are rounded as they are. */
static bool expect_number(fixture_text *t, const hw_type *type, const msgpack_object *o) {
  char text[HW_VALUE_TEXT_MAX];
  if (is_integer(o)) return reference_spelled(t, type, text, print_integer(o, text));
  if (!is_float(o) || hw_type_is_integer((hw_type_id)type->id)) return false;
  if (type->id == HW_TYPE_REAL) {
    float narrow = (float)o->via.f64;
    if (isinf(narrow) && !isinf(o->via.f64)) return false;
    fixture_put(t, text, hw_format_f32(narrow, text));
    return true;
  }
  bool short_one = o->type == MSGPACK_OBJECT_FLOAT32 && type->id == HW_TYPE_DECIMAL;
  size_t len = short_one ? hw_format_f32((float)o->via.f64, text) : hw_format_f64(o->via.f64, text);
  return reference_spelled(t, type, text, len);
}

static uint64_t big_endian(const char *p, unsigned size) {
  uint64_t v = 0;
  for (unsigned i = 0; i < size; i++) v = v << 8 | (unsigned char)p[i];
  return v;
}

/* The extension's three sizes: seconds; 30 bits of nanoseconds, 34 of seconds; 32 bits and 64. */
static bool expect_timestamp(fixture_text *t, const msgpack_object *o) {
  char text[HW_VALUE_TEXT_MAX];
  const char *p = o->via.ext.ptr;
  uint32_t size = o->via.ext.size;
  if (o->type != MSGPACK_OBJECT_EXT || o->via.ext.type != -1 || (size != 4 && size != 8 && size != 12)) return false;
  uint64_t nanos = size == 4 ? 0 : size == 8 ? big_endian(p, 8) >> 34 : big_endian(p, 4);
  int64_t seconds = size == 4   ? (int64_t)big_endian(p, 4)
                    : size == 8 ? (int64_t)(big_endian(p, 8) & 0x3ffffffff)
                                : (int64_t)big_endian(p + 4, 8);
  if (nanos > 999999999 || seconds < INT64_C(-62135596800) || seconds > INT64_C(253402300799)) return false;
  fixture_put(t, text, hw_format_timestamp(seconds * 1000000 + (int64_t)(nanos / 1000), text));
  return true;
}

static bool expect_string(fixture_text *t, const hw_type *type, const msgpack_object *o) {
  const char *data = o->via.str.ptr;
  size_t len = o->via.str.size;
  if (hw_type_is_text((hw_type_id)type->id)) return reference_text(t, type, data, len);
  bool other = type->id == HW_TYPE_BOOLEAN || hw_type_is_string((hw_type_id)type->id);
  return !other && reference_spelled(t, type, data, len);
}

static bool expect_binary(fixture_text *t, const hw_type *type, const msgpack_object *o) {
  char text[HW_VALUE_TEXT_MAX];
  hw_uuid uuid;
  if (type->id == HW_TYPE_BINARY || type->id == HW_TYPE_VARBINARY)
    return reference_bytes(t, type, o->via.bin.ptr, o->via.bin.size);
  if (type->id != HW_TYPE_UUID || o->via.bin.size != sizeof uuid) return false;
  memcpy(&uuid, o->via.bin.ptr, sizeof uuid);
  fixture_put(t, text, hw_format_uuid(&uuid, text));
  return true;
}

static bool expect_value(fixture_text *t, const hw_type *type, const msgpack_object *o) {
  switch (o->type) {
  case MSGPACK_OBJECT_NIL: fixture_put(t, "NULL", 4); return type->nullable;
  case MSGPACK_OBJECT_BOOLEAN:
    fixture_print(t, "%s", o->via.boolean ? "true" : "false");
    return type->id == HW_TYPE_BOOLEAN;
  case MSGPACK_OBJECT_STR: return expect_string(t, type, o);
  case MSGPACK_OBJECT_BIN: return expect_binary(t, type, o);
  case MSGPACK_OBJECT_EXT: return type->id == HW_TYPE_TIMESTAMP && expect_timestamp(t, o);
  case MSGPACK_OBJECT_ARRAY:
  case MSGPACK_OBJECT_MAP: return false;
  default: return hw_type_is_numeric((hw_type_id)type->id) && expect_number(t, type, o);
  }
}

/* Which column the name means; an exact match wins. -1: none. */
static int column_named(const hw_schema *schema, const msgpack_object *key) {
  int found = -1;
  for (uint32_t i = 0; i < schema->n_fields; i++) {
    const hw_field *field = &schema->fields[i];
    size_t len = strlen(field->name);
    if (len != key->via.str.size || strncasecmp(field->name, key->via.str.ptr, len) != 0) continue;
    if (!memcmp(field->name, key->via.str.ptr, len)) return (int)i;
    if (!field->case_sensitive) found = (int)i;
  }
  return found;
}

/* The value of each column, the last of several; each of them must be right. */
static bool find_columns(const hw_schema *schema, const msgpack_object *o, const msgpack_object **values) {
  if (o->type == MSGPACK_OBJECT_ARRAY) {
    if (o->via.array.size > schema->n_fields) return false;
    for (uint32_t i = 0; i < o->via.array.size; i++) values[i] = &o->via.array.ptr[i];
    return true;
  }
  for (uint32_t i = 0; i < o->via.map.size; i++) {
    const msgpack_object_kv *kv = &o->via.map.ptr[i];
    if (kv->key.type != MSGPACK_OBJECT_STR) return false;
    int column = column_named(schema, &kv->key);
    if (column < 0) continue;
    fixture_text any = {0};
    bool right = expect_value(&any, &schema->fields[column].type, &kv->val);
    free(any.data);
    if (!right) return false;
    values[column] = &kv->val;
  }
  return true;
}

reference reference_msgpack(fixture_text *row, const hw_schema *schema, const msgpack_object *o) {
  const msgpack_object *values[64] = {NULL};
  if (o->type != MSGPACK_OBJECT_MAP && o->type != MSGPACK_OBJECT_ARRAY) return REFERENCE_REFUSED;
  if (schema->n_fields > 64) return REFERENCE_UNKNOWN;
  if (!find_columns(schema, o, values)) return REFERENCE_REFUSED;
  for (uint32_t i = 0; i < schema->n_fields; i++) {
    const hw_field *field = &schema->fields[i];
    if (i) fixture_put(row, "|", 1);
    bool right = values[i] ? expect_value(row, &field->type, values[i]) : reference_missing(row, field);
    if (!right) return REFERENCE_REFUSED;
  }
  fixture_put(row, "\n", 1);
  return REFERENCE_TAKEN;
}
