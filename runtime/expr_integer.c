/* expr_integer.c - integers of any type, one at a time: for what need not be fast. */
#include "runtime/expr_eval.h"

hw_int128 integer_at(hw_type_id id, const void *slot) {
  switch (id) {
  case HW_TYPE_TINYINT:
    return *(const int8_t *)slot;
  case HW_TYPE_SMALLINT:
    return *(const int16_t *)slot;
  case HW_TYPE_INT:
    return *(const int32_t *)slot;
  case HW_TYPE_BIGINT:
    return *(const int64_t *)slot;
  case HW_TYPE_BOOLEAN:
  case HW_TYPE_UTINYINT:
    return *(const uint8_t *)slot;
  case HW_TYPE_USMALLINT:
    return *(const uint16_t *)slot;
  case HW_TYPE_UINT:
    return *(const uint32_t *)slot;
  case HW_TYPE_UBIGINT:
    return *(const uint64_t *)slot;
  default:
    return 0;
  }
}

void integer_put(hw_type_id id, void *slot, hw_int128 v) {
  switch (id) {
  case HW_TYPE_TINYINT:
    *(int8_t *)slot = (int8_t)v;
    break;
  case HW_TYPE_SMALLINT:
    *(int16_t *)slot = (int16_t)v;
    break;
  case HW_TYPE_INT:
    *(int32_t *)slot = (int32_t)v;
    break;
  case HW_TYPE_BIGINT:
    *(int64_t *)slot = (int64_t)v;
    break;
  case HW_TYPE_BOOLEAN:
    *(uint8_t *)slot = v != 0;
    break;
  case HW_TYPE_UTINYINT:
    *(uint8_t *)slot = (uint8_t)v;
    break;
  case HW_TYPE_USMALLINT:
    *(uint16_t *)slot = (uint16_t)v;
    break;
  case HW_TYPE_UINT:
    *(uint32_t *)slot = (uint32_t)v;
    break;
  case HW_TYPE_UBIGINT:
    *(uint64_t *)slot = (uint64_t)v;
    break;
  default:
    break;
  }
}

hw_int128 integer_least(hw_type_id id) {
  if (id < HW_TYPE_TINYINT || id > HW_TYPE_BIGINT) return 0;
  return -((hw_int128)1 << (hw_type_width(id) * 8 - 1));
}

hw_int128 integer_most(hw_type_id id) {
  bool is_signed = id >= HW_TYPE_TINYINT && id <= HW_TYPE_BIGINT;
  return ((hw_int128)1 << (hw_type_width(id) * 8 - is_signed)) - 1;
}

bool integer_fits(hw_type_id id, hw_int128 v) {
  return v >= integer_least(id) && v <= integer_most(id);
}
