/* types.c - facts about SQL types, and finding fields by name. */
#include <headworks/types.h>

#include <string.h>

/* Indexed by hw_type_id. */
static const struct {
  const char *name;
  uint8_t width;
} types[HW_TYPE_COUNT] = {
    [HW_TYPE_NULL] = {"NULL", 0},
    [HW_TYPE_BOOLEAN] = {"BOOLEAN", sizeof(uint8_t)},
    [HW_TYPE_TINYINT] = {"TINYINT", sizeof(int8_t)},
    [HW_TYPE_SMALLINT] = {"SMALLINT", sizeof(int16_t)},
    [HW_TYPE_INT] = {"INT", sizeof(int32_t)},
    [HW_TYPE_BIGINT] = {"BIGINT", sizeof(int64_t)},
    [HW_TYPE_UTINYINT] = {"TINYINT UNSIGNED", sizeof(uint8_t)},
    [HW_TYPE_USMALLINT] = {"SMALLINT UNSIGNED", sizeof(uint16_t)},
    [HW_TYPE_UINT] = {"INT UNSIGNED", sizeof(uint32_t)},
    [HW_TYPE_UBIGINT] = {"BIGINT UNSIGNED", sizeof(uint64_t)},
    [HW_TYPE_REAL] = {"REAL", sizeof(float)},
    [HW_TYPE_DOUBLE] = {"DOUBLE", sizeof(double)},
    [HW_TYPE_DECIMAL] = {"DECIMAL", sizeof(hw_int128)},
    [HW_TYPE_CHAR] = {"CHAR", sizeof(hw_str)},
    [HW_TYPE_VARCHAR] = {"VARCHAR", sizeof(hw_str)},
    [HW_TYPE_BINARY] = {"BINARY", sizeof(hw_str)},
    [HW_TYPE_VARBINARY] = {"VARBINARY", sizeof(hw_str)},
    [HW_TYPE_DATE] = {"DATE", sizeof(int32_t)},
    [HW_TYPE_TIME] = {"TIME", sizeof(int64_t)},
    [HW_TYPE_TIMESTAMP] = {"TIMESTAMP", sizeof(int64_t)},
    [HW_TYPE_UUID] = {"UUID", sizeof(hw_uuid)},
};

size_t hw_type_width(hw_type_id id) {
  return (unsigned)id < HW_TYPE_COUNT ? types[id].width : 0;
}

const char *hw_type_name(hw_type_id id) {
  return (unsigned)id < HW_TYPE_COUNT ? types[id].name : "UNKNOWN";
}

static unsigned char fold(char c) {
  unsigned char u = (unsigned char)c;
  return u >= 'A' && u <= 'Z' ? (unsigned char)(u + 32) : u;
}

static bool same_folded(const char *a, const char *b, size_t len) {
  for (size_t i = 0; i < len; i++)
    if (fold(a[i]) != fold(b[i])) return false;
  return true;
}

static bool field_matches(const hw_field *field, const char *name, size_t len, bool folded) {
  if (strlen(field->name) != len) return false;
  if (!folded) return memcmp(field->name, name, len) == 0;
  return !field->case_sensitive && same_folded(field->name, name, len);
}

int hw_schema_find(const hw_schema *schema, const char *name, size_t len) {
  for (int folded = 0; folded < 2; folded++)
    for (uint32_t i = 0; i < schema->n_fields; i++)
      if (field_matches(&schema->fields[i], name, len, folded)) return (int)i;
  return -1;
}
