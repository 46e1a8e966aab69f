#include "tests/reference_value.h"

#include <headworks/value.h>

#include <stdlib.h>

bool reference_text(fixture_text *t, const hw_type *type, const char *data, size_t len) {
  size_t n = hw_utf8_length(data, len);
  if (!hw_utf8_valid(data, len) || (type->length && n > type->length)) return false;
  fixture_put(t, "\"", 1);
  for (size_t i = 0; i < len; i++) fixture_put(t, data[i] ? data + i : "\\0", data[i] ? 1 : 2);
  for (; type->id == HW_TYPE_CHAR && n < type->length; n++) fixture_put(t, " ", 1);
  fixture_put(t, "\"", 1);
  return true;
}

bool reference_spelled(fixture_text *t, const hw_type *type, const char *data, size_t len) {
  char text[HW_VALUE_TEXT_MAX];
  union {
    hw_int128 any;
    char bytes[16];
  } slot;
  if (hw_value_parse(type, len ? data : "", len, &slot) != HW_OK) return false; /* msgpack-c has NULL there */
  fixture_put(t, text, hw_value_format(type, &slot, text));
  return true;
}

bool reference_bytes(fixture_text *t, const hw_type *type, const char *data, size_t len) {
  if (type->length && len > type->length) return false;
  fixture_put(t, "x", 1);
  for (size_t i = 0; i < len; i++) fixture_print(t, "%02x", (unsigned char)data[i]);
  return true;
}

bool reference_missing(fixture_text *t, const hw_field *field) {
  fixture_put(t, "NULL", 4);
  return field->type.nullable;
}
