#include "connectors/datagen_values.h"
#include "connectors/datagen_json.h"

#include <stdlib.h>
#include <string.h>

/* ---- sizes ------------------------------------------------------------------ */

static size_t escaped_size(unsigned char c) {
  if (c == '"' || c == '\\') return 2;
  if (c >= 0x20) return 1;
  return c == '\n' || c == '\t' || c == '\r' || c == '\b' || c == '\f' ? 2 : 6;
}

size_t datagen_json_size(const hw_type *type, const hw_str *s) {
  size_t size = 2;
  bool text = hw_type_is_text((hw_type_id)type->id);
  for (uint32_t i = 0; i < s->len; i++) {
    unsigned char c = (unsigned char)s->data[i];
    size += text ? escaped_size(c) : (i > 0) + (c >= 100 ? 3u : c >= 10 ? 2u : 1u);
  }
  return size;
}

static bool is_quoted(const hw_type *type) { return type->id >= HW_TYPE_DATE; }

static size_t scalar_size(const hw_type *type, const void *slot) {
  char text[HW_VALUE_TEXT_MAX];
  return hw_value_format(type, slot, text) + (is_quoted(type) ? 2 : 0);
}

static bool is_plain(const hw_str *s) {
  for (uint32_t i = 0; i < s->len; i++)
    if (escaped_size((unsigned char)s->data[i]) > 1 || s->data[i] == 0x7f) return false;
  return true;
}

/* ---- one value -------------------------------------------------------------- */

/* Bytes that this value may take in `bytes`. */
static size_t room_for(const json_t *value, const hw_type *type) {
  if (json_is_string(value)) return json_string_length(value) + type->length; /* CHAR is padded */
  return json_is_array(value) ? json_array_size(value) : 0;
}

static hw_status put_text(const json_t *value, const hw_type *type, datagen_values *out, hw_str *slot) {
  if (!json_is_string(value)) return HW_EPARSE;
  size_t len = json_string_length(value);
  char *at = out->bytes + out->n_bytes;
  memcpy(at, json_string_value(value), len);
  hw_status status = hw_value_parse(type, at, len, slot);
  if (status == HW_EAGAIN) {
    size_t pad = type->length - hw_utf8_length(at, len);
    memset(at + len, ' ', pad);
    len += pad;
    status = HW_OK;
  }
  if (status != HW_OK) return status;
  *slot = (hw_str){.data = at, .len = (uint32_t)len};
  if (is_plain(slot)) slot->flags = HW_STR_PLAIN;
  out->n_bytes += len;
  return HW_OK;
}

static hw_status put_bytes(const json_t *value, const hw_type *type, datagen_values *out, hw_str *slot) {
  if (!json_is_array(value)) return HW_EPARSE;
  size_t len = json_array_size(value);
  if (type->length && len > type->length) return HW_ERANGE;
  char *at = out->bytes + out->n_bytes;
  for (size_t i = 0; i < len; i++) {
    const json_t *byte = json_array_get(value, i);
    json_int_t v = json_is_integer(byte) ? json_integer_value(byte) : -1;
    if (v < 0 || v > 255) return HW_EPARSE;
    at[i] = (char)(unsigned char)v;
  }
  *slot = (hw_str){.data = at, .len = (uint32_t)len};
  out->n_bytes += len;
  return HW_OK;
}

/* Days, milliseconds of the day, milliseconds since 1970. */
static hw_status put_count(json_int_t v, const hw_type *type, void *slot) {
  int64_t most = type->id == HW_TYPE_DATE ? INT32_MAX : type->id == HW_TYPE_TIME ? 86399999 : INT64_MAX / 1000;
  int64_t least = type->id == HW_TYPE_TIME ? 0 : -most;
  if (v < least || v > most) return HW_ERANGE;
  if (type->id == HW_TYPE_DATE) *(int32_t *)slot = (int32_t)v;
  else *(int64_t *)slot = v * (type->id == HW_TYPE_TIME ? 1000000 : 1000);
  return HW_OK;
}

static hw_status put_scalar(const json_t *value, const hw_type *type, void *slot) {
  char text[HW_VALUE_TEXT_MAX];
  bool of_time = type->id == HW_TYPE_DATE || type->id == HW_TYPE_TIME || type->id == HW_TYPE_TIMESTAMP;
  if (json_is_integer(value) && of_time) return put_count(json_integer_value(value), type, slot);
  if (json_is_string(value)) return hw_value_parse(type, json_string_value(value), json_string_length(value), slot);
  if (json_is_boolean(value) && type->id == HW_TYPE_BOOLEAN) {
    *(uint8_t *)slot = json_is_true(value);
    return HW_OK;
  }
  if (!json_is_number(value)) return HW_EPARSE;
  return hw_value_parse(type, text, datagen_json_number_text(value, text), slot);
}

/* The i-th, which is not null. */
static hw_status put(const json_t *value, const hw_type *type, datagen_values *out, size_t i) {
  void *slot = (char *)out->items + i * hw_type_width((hw_type_id)type->id);
  if (!hw_type_is_string((hw_type_id)type->id)) {
    hw_status status = put_scalar(value, type, slot);
    if (status == HW_OK) out->json_len[i] = (uint32_t)scalar_size(type, slot);
    return status;
  }
  hw_status status =
      hw_type_is_text((hw_type_id)type->id) ? put_text(value, type, out, slot) : put_bytes(value, type, out, slot);
  if (status == HW_OK) out->json_len[i] = (uint32_t)datagen_json_size(type, slot);
  return status;
}

/* ---- all -------------------------------------------------------------------- */

void datagen_values_fini(datagen_values *values) {
  free(values->items);
  free(values->null);
  free(values->json_len);
  free(values->bytes);
  *values = (datagen_values){0};
}

static bool allocate(const json_t *array, const hw_type *type, datagen_values *out) {
  size_t n = json_array_size(array), room = 1;
  for (size_t i = 0; i < n; i++) room += room_for(json_array_get(array, i), type);
  out->n = (uint32_t)n;
  out->items = calloc(n + 1, hw_type_width((hw_type_id)type->id));
  out->null = calloc(n + 1, sizeof *out->null);
  out->json_len = calloc(n + 1, sizeof *out->json_len);
  out->bytes = malloc(room);
  return out->items && out->null && out->json_len && out->bytes;
}

static hw_status put_all(const json_t *array, const hw_type *type, const char *path, datagen_values *out,
                         hw_error *err) {
  for (size_t i = 0; i < out->n; i++) {
    const json_t *value = json_array_get(array, i);
    out->null[i] = json_is_null(value);
    out->any_null = out->any_null || out->null[i];
    if (out->null[i] && !type->nullable)
      return hw_error_add(err, HW_EINVAL, "%s[%zu]: the column is NOT NULL", path, i);
    hw_status status = out->null[i] ? HW_OK : put(value, type, out, i);
    if (status != HW_OK)
      return hw_error_add(err, HW_EINVAL, "%s[%zu]: %s %s", path, i,
                          status == HW_ERANGE ? "does not fit into" : "is not a value of type",
                          hw_type_name((hw_type_id)type->id));
  }
  return HW_OK;
}

hw_status datagen_values_parse(const json_t *array, const hw_type *type, const char *path, datagen_values *out,
                               hw_error *err) {
  if (!json_is_array(array) || json_array_size(array) > INT32_MAX)
    return hw_error_add(err, HW_EINVAL, "%s: must be an array of values", path);
  if (json_array_size(array) == 0 && !type->nullable)
    return hw_error_add(err, HW_EINVAL, "%s: no value means NULL, and the column is NOT NULL", path);
  out->given = true;
  out->any_null = json_array_size(array) == 0;
  hw_status status =
      allocate(array, type, out) ? put_all(array, type, path, out, err) : hw_error_set(err, HW_ENOMEM, "out of memory");
  if (status != HW_OK) datagen_values_fini(out);
  return status;
}
