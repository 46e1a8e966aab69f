/* value.c - any type's values to text and back, by its type; BOOLEAN and UUID. */
#include "runtime/value_text.h"
#include "runtime/value_utf8.h"

#include <headworks/value.h>

/* ---- BOOLEAN ------------------------------------------------------------- */

/* Whether data spells the lower-case word of that length in any case. */
static bool spells(const char *data, const char *word, size_t len) {
  for (size_t i = 0; i < len; i++)
    if ((data[i] | 0x20) != word[i]) return false;
  return true;
}

hw_status hw_parse_bool(const char *data, size_t len, bool *out) {
  bool is_true = len == 4 && spells(data, "true", 4);
  if (!is_true && !(len == 5 && spells(data, "false", 5))) return HW_EPARSE;
  *out = is_true;
  return HW_OK;
}

/* ---- UUID ---------------------------------------------------------------- */

/* 0 .. 15, or 0xFF. */
static unsigned hex_digit(char c) {
  if (text_is_digit(c)) return text_digit(c);
  unsigned letter = ((unsigned)(unsigned char)c | 0x20) - 'a';
  return letter < 6 ? letter + 10 : 0xFF;
}

hw_status hw_parse_uuid(const char *data, size_t len, hw_uuid *out) {
  bool dashes = len == 36;
  if (!dashes && len != 32) return HW_EPARSE;
  for (unsigned i = 0; i < 16; i++) {
    if (dashes && (i == 4 || i == 6 || i == 8 || i == 10) && *data++ != '-') return HW_EPARSE;
    unsigned high = hex_digit(data[0]), low = hex_digit(data[1]);
    if ((high | low) > 15) return HW_EPARSE;
    out->bytes[i] = (uint8_t)(high << 4 | low);
    data += 2;
  }
  return HW_OK;
}

size_t hw_format_uuid(const hw_uuid *v, char *out) {
  static const char digits[] = "0123456789abcdef";
  char *p = out;
  for (unsigned i = 0; i < 16; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *p++ = '-';
    *p++ = digits[v->bytes[i] >> 4];
    *p++ = digits[v->bytes[i] & 15];
  }
  return (size_t)(p - out);
}

/* ---- by type ------------------------------------------------------------- */

static hw_status parse_signed(const char *data, size_t len, unsigned bits, int64_t *out) {
  hw_status st = hw_parse_i64(data, len, out);
  if (st != HW_OK) return st;
  int64_t limit = INT64_C(1) << (bits - 1);
  return *out >= -limit && *out < limit ? HW_OK : HW_ERANGE;
}

static hw_status parse_unsigned(const char *data, size_t len, unsigned bits, uint64_t *out) {
  hw_status st = hw_parse_u64(data, len, out);
  if (st != HW_OK) return st;
  return *out >> bits == 0 ? HW_OK : HW_ERANGE;
}

/* Whether at most bound characters: counted only if there could be more. */
static bool within_length(const char *data, size_t len, uint32_t bound) {
  return bound == 0 || len <= bound || hw_utf8_length(data, len) <= bound;
}

static hw_status parse_string(const hw_type *type, const char *data, size_t len, hw_str *out) {
  if (len > UINT32_MAX) return HW_ERANGE;
  if (hw_type_is_text(type->id)) {
    if (!within_length(data, len, type->length)) return HW_ERANGE;
  } else if (type->length != 0 && len > type->length) {
    return HW_ERANGE;
  }
  *out = (hw_str){data, (uint32_t)len, 0};
  if (type->id != HW_TYPE_CHAR || type->length == 0) return HW_OK;
  return hw_utf8_length(data, len) < type->length ? HW_EAGAIN : HW_OK;
}

#define PARSE_INTEGER(id, c_type, wide, parse, bits)                                                                   \
  case id: {                                                                                                           \
    wide v;                                                                                                            \
    hw_status st = parse(data, len, bits, &v);                                                                         \
    if (st == HW_OK) *(c_type *)slot = (c_type)v;                                                                      \
    return st;                                                                                                         \
  }

hw_status hw_value_parse(const hw_type *type, const char *data, size_t len, void *slot) {
  switch (type->id) {
    PARSE_INTEGER(HW_TYPE_TINYINT, int8_t, int64_t, parse_signed, 8)
    PARSE_INTEGER(HW_TYPE_SMALLINT, int16_t, int64_t, parse_signed, 16)
    PARSE_INTEGER(HW_TYPE_INT, int32_t, int64_t, parse_signed, 32)
    PARSE_INTEGER(HW_TYPE_UTINYINT, uint8_t, uint64_t, parse_unsigned, 8)
    PARSE_INTEGER(HW_TYPE_USMALLINT, uint16_t, uint64_t, parse_unsigned, 16)
    PARSE_INTEGER(HW_TYPE_UINT, uint32_t, uint64_t, parse_unsigned, 32)
  case HW_TYPE_BIGINT:
    return hw_parse_i64(data, len, slot);
  case HW_TYPE_UBIGINT:
    return hw_parse_u64(data, len, slot);
  case HW_TYPE_BOOLEAN: {
    bool v;
    hw_status st = hw_parse_bool(data, len, &v);
    if (st == HW_OK) *(uint8_t *)slot = v;
    return st;
  }
  case HW_TYPE_REAL:
    return hw_parse_f32(data, len, slot);
  case HW_TYPE_DOUBLE:
    return hw_parse_f64(data, len, slot);
  case HW_TYPE_DECIMAL:
    return hw_parse_decimal(data, len, type->precision, type->scale, slot);
  case HW_TYPE_DATE:
    return hw_parse_date(data, len, slot);
  case HW_TYPE_TIME:
    return hw_parse_time(data, len, slot);
  case HW_TYPE_TIMESTAMP:
    return hw_parse_timestamp(data, len, slot);
  case HW_TYPE_UUID:
    return hw_parse_uuid(data, len, slot);
  case HW_TYPE_CHAR:
  case HW_TYPE_VARCHAR:
  case HW_TYPE_BINARY:
  case HW_TYPE_VARBINARY:
    return parse_string(type, data, len, slot);
  default:
    return HW_EINVAL;
  }
}

static size_t put_text(const char *text, char *out) {
  size_t len = strlen(text);
  memcpy(out, text, len);
  return len;
}

size_t hw_value_format(const hw_type *type, const void *slot, char *out) {
  switch (type->id) {
  case HW_TYPE_BOOLEAN:
    return put_text(*(const uint8_t *)slot ? "true" : "false", out);
  case HW_TYPE_TINYINT:
    return hw_format_i64(*(const int8_t *)slot, out);
  case HW_TYPE_SMALLINT:
    return hw_format_i64(*(const int16_t *)slot, out);
  case HW_TYPE_INT:
    return hw_format_i64(*(const int32_t *)slot, out);
  case HW_TYPE_BIGINT:
    return hw_format_i64(*(const int64_t *)slot, out);
  case HW_TYPE_UTINYINT:
    return hw_format_u64(*(const uint8_t *)slot, out);
  case HW_TYPE_USMALLINT:
    return hw_format_u64(*(const uint16_t *)slot, out);
  case HW_TYPE_UINT:
    return hw_format_u64(*(const uint32_t *)slot, out);
  case HW_TYPE_UBIGINT:
    return hw_format_u64(*(const uint64_t *)slot, out);
  case HW_TYPE_REAL:
    return hw_format_f32(*(const float *)slot, out);
  case HW_TYPE_DOUBLE:
    return hw_format_f64(*(const double *)slot, out);
  case HW_TYPE_DECIMAL:
    return hw_format_decimal(*(const hw_int128 *)slot, type->scale, out);
  case HW_TYPE_DATE:
    return hw_format_date(*(const int32_t *)slot, out);
  case HW_TYPE_TIME:
    return hw_format_time(*(const int64_t *)slot, out);
  case HW_TYPE_TIMESTAMP:
    return hw_format_timestamp(*(const int64_t *)slot, out);
  case HW_TYPE_UUID:
    return hw_format_uuid(slot, out);
  default:
    return 0;
  }
}
