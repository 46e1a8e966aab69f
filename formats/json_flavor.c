/* json_flavor.c - values that some writers of JSON spell in their own way. */
#include "formats/json_read.h"

/* Milliseconds since 1970 of the first and the last moment of years 1 to 9999. */
#define FIRST_MS (-INT64_C(62135596800000))
#define LAST_MS INT64_C(253402300799999)
#define DAY_MS INT64_C(86400000)

bool json_flavor_takes(const json_reader *r, hw_type_id type) {
  return r->flavor == JSON_PANDAS && (type == HW_TYPE_TIMESTAMP || type == HW_TYPE_DATE);
}

bool json_put_flavored(json_reader *r, uint32_t column, const char *text, size_t len) {
  int64_t ms;
  hw_status st = hw_parse_i64(text, len, &ms);
  if (st != HW_OK) return row_fault_found(&r->row, column, "type", text, len, false);
  if (ms < FIRST_MS || ms > LAST_MS) return row_fault_found(&r->row, column, "range", text, len, false);
  if (r->row.info[column].type == HW_TYPE_TIMESTAMP)
    *(int64_t *)row_slot(&r->row, column, sizeof(int64_t)) = ms * 1000;
  else
    *(int32_t *)row_slot(&r->row, column, sizeof(int32_t)) = (int32_t)((ms - (ms < 0 ? DAY_MS - 1 : 0)) / DAY_MS);
  row_set_valid(&r->row, column);
  return true;
}
