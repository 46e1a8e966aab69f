#include "connectors/datagen_json.h"

#include <headworks/value.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

json_t *datagen_json_get(const json_t *object, const char *member) {
  json_t *value = json_object_get(object, member);
  return json_is_null(value) ? NULL : value;
}

static hw_status unknown_member(const char *name, const char *const *members, const char *path, hw_error *err) {
  char known[256];
  size_t len = 0;
  for (; *members; members++)
    len += (size_t)snprintf(known + len, sizeof known - len, "%s%s", len ? ", " : "", *members);
  return hw_error_add(err, HW_EINVAL, "%s: no such member: \"%s\" (there are: %s)", path, name, known);
}

hw_status datagen_json_check(const json_t *object, const char *const *members, const char *path, hw_error *err) {
  if (!json_is_object(object)) return hw_error_add(err, HW_EINVAL, "%s: must be an object", path);
  const char *name;
  json_t *value;
  hw_status status = HW_OK;
  json_object_foreach((json_t *)object, name, value) {
    const char *const *m = members;
    while (*m && strcmp(*m, name) != 0) m++;
    if (!*m) status = unknown_member(name, members, path, err);
  }
  return status;
}

static bool is_whole(double v) { return v == floor(v) && fabs(v) < 0x1p63; }

hw_status datagen_json_integer(const json_t *object, const char *member, int64_t low, int64_t high, const char *path,
                               int64_t *out, hw_error *err) {
  const json_t *value = datagen_json_get(object, member);
  if (!value) return HW_OK;
  double real = json_is_real(value) ? json_real_value(value) : 0.5;
  int64_t v = is_whole(real) ? (int64_t)real : json_integer_value(value);
  if ((!json_is_integer(value) && !is_whole(real)) || v < low || v > high)
    return hw_error_add(err, HW_EINVAL, "%s.%s: must be a whole number from %lld to %lld", path, member,
                        (long long)low, (long long)high);
  *out = v;
  return HW_OK;
}

hw_status datagen_json_real(const json_t *value, const char *path, double *out, hw_error *err) {
  if (!json_is_number(value)) return hw_error_add(err, HW_EINVAL, "%s: must be a number", path);
  *out = json_number_value(value);
  return HW_OK;
}

/* ---- bounds ----------------------------------------------------------------- */

/* Milliseconds from finer units, rounded down. */
static hw_int128 floor_div(int64_t v, int64_t by) { return v / by - (v % by < 0); }

static hw_status bound_of_text(const hw_type *type, const char *text, size_t len, hw_int128 *out) {
  int64_t i64 = 0;
  int32_t days = 0;
  hw_status status;
  switch (type->id) {
  case HW_TYPE_DATE:
    status = hw_parse_date(text, len, &days);
    *out = days;
    return status;
  case HW_TYPE_TIME:
    status = hw_parse_time(text, len, &i64);
    *out = floor_div(i64, 1000000);
    return status;
  case HW_TYPE_TIMESTAMP:
    status = hw_parse_timestamp(text, len, &i64);
    *out = floor_div(i64, 1000);
    return status;
  case HW_TYPE_DECIMAL: return hw_parse_decimal(text, len, HW_DECIMAL_MAX_PRECISION, type->scale, out);
  case HW_TYPE_UBIGINT: {
    uint64_t u64 = 0;
    status = hw_parse_u64(text, len, &u64);
    *out = u64;
    return status;
  }
  default: return HW_EPARSE; /* a number is wanted */
  }
}

size_t datagen_json_number_text(const json_t *value, char out[HW_VALUE_TEXT_MAX]) {
  double real = json_is_real(value) ? json_real_value(value) : 0.5;
  if (json_is_integer(value)) return hw_format_i64(json_integer_value(value), out);
  return is_whole(real) ? hw_format_i64((int64_t)real, out) : hw_format_f64(real, out);
}

static const char *wanted(const hw_type *type) {
  switch (type->id) {
  case HW_TYPE_DATE: return "a date \"YYYY-MM-DD\" or a number of days since 1970-01-01";
  case HW_TYPE_TIME: return "a time \"HH:MM:SS\" or a number of milliseconds";
  case HW_TYPE_TIMESTAMP: return "a timestamp \"YYYY-MM-DDTHH:MM:SSZ\" or a number of milliseconds since 1970-01-01";
  case HW_TYPE_UBIGINT: return "a whole number (in quotes when it is above 9223372036854775807)";
  case HW_TYPE_DECIMAL: return "a number";
  default: return "a whole number";
  }
}

hw_status datagen_json_bound(const json_t *value, const hw_type *type, const char *path, hw_int128 *out,
                             hw_error *err) {
  char text[HW_VALUE_TEXT_MAX];
  hw_status status = HW_EPARSE;
  if (json_is_string(value)) {
    status = bound_of_text(type, json_string_value(value), json_string_length(value), out);
  } else if (json_is_number(value) && type->id == HW_TYPE_DECIMAL) {
    status = hw_parse_decimal(text, datagen_json_number_text(value, text), HW_DECIMAL_MAX_PRECISION, type->scale, out);
  } else if (json_is_integer(value)) {
    *out = json_integer_value(value);
    status = HW_OK;
  } else if (json_is_real(value) && is_whole(json_real_value(value))) {
    *out = (hw_int128)json_real_value(value);
    status = HW_OK;
  }
  if (status == HW_OK) return HW_OK;
  return hw_error_add(err, HW_EINVAL, "%s: must be %s", path, wanted(type));
}
