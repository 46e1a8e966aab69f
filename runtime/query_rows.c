#include "runtime/query_rows.h"

#include <stdlib.h>
#include <string.h>

void query_rows_init(query_rows *rows, mem *m, const hw_schema *schema) {
  *rows = (query_rows){.m = m, .schema = schema};
}

void query_rows_fini(query_rows *rows) {
  for (uint32_t i = 0; i < rows->n_chunks; i++) hw_batch_unref(&rows->chunks[i]->pub);
  free(rows->chunks);
  query_rows_init(rows, rows->m, rows->schema);
}

/* One pointer per thousand rows is not worth counting. */
static bool add_chunk(query_rows *rows) {
  if (rows->n_chunks == rows->capacity) {
    uint32_t more = rows->capacity ? rows->capacity * 2 : 16;
    batch **chunks = realloc(rows->chunks, more * sizeof(batch *));
    if (!chunks) return false;
    rows->chunks = chunks;
    rows->capacity = more;
  }
  batch *b = batch_new(rows->m, rows->schema, QUERY_CHUNK);
  if (!b) return false;
  rows->chunks[rows->n_chunks++] = b;
  return true;
}

bool query_rows_add(query_rows *rows, const hw_batch *b, uint32_t row, int64_t weight) {
  bool full = !rows->n_chunks || rows->chunks[rows->n_chunks - 1]->pub.n_rows == QUERY_CHUNK;
  if (full && !add_chunk(rows)) return false;
  return query_copy_row(&rows->chunks[rows->n_chunks - 1]->pub, b, row, weight, true);
}

static bool copy_value(hw_batch *to, uint32_t column, const hw_column *from, uint32_t row, bool deep) {
  hw_type_id id = (hw_type_id)to->schema->fields[column].type.id;
  size_t width = hw_type_width(id);
  void *slot = (char *)to->columns[column].values + to->n_rows * width;
  const void *value = (const char *)from->values + row * width;
  memcpy(slot, value, width);
  if (!deep || !hw_type_is_string(id)) return true;
  const hw_str *s = value;
  if (!hw_batch_copy_str(to, s->data, s->len, slot)) return false;
  ((hw_str *)slot)->flags = s->flags;
  return true;
}

bool query_copy_row(hw_batch *to, const hw_batch *from, uint32_t row, int64_t weight, bool deep) {
  for (uint32_t i = 0; i < to->n_columns; i++) {
    if (!hw_column_valid(&from->columns[i], row)) continue; /* bits of a batch to fill are 0 */
    if (!copy_value(to, i, &from->columns[i], row, deep)) {
      hw_batch_clear_row(to, to->n_rows);
      return false;
    }
    hw_column_set_valid(&to->columns[i], to->n_rows);
  }
  if (!hw_batch_set_weight(to, to->n_rows, weight)) return false;
  to->n_rows++;
  return true;
}

/* ---- order ----------------------------------------------------------------- */

static int compare_bytes(const char *a, size_t n, const char *b, size_t m) {
  size_t len = n < m ? n : m;
  int c = len ? memcmp(a, b, len) : 0;
  return c ? (c > 0) - (c < 0) : (n > m) - (n < m);
}

/* NaN equals itself and is above everything. */
static int compare_f64(double a, double b) {
  if (a != a || b != b) return (a != a) - (b != b);
  return (a > b) - (a < b);
}

#define ORDER(type)                                    \
  do {                                                 \
    type x = *(const type *)a, y = *(const type *)b;   \
    return (x > y) - (x < y);                          \
  } while (0)

int query_compare(hw_type_id id, const void *a, const void *b) {
  switch (id) {
  case HW_TYPE_BOOLEAN:
  case HW_TYPE_UTINYINT: ORDER(uint8_t);
  case HW_TYPE_TINYINT: ORDER(int8_t);
  case HW_TYPE_SMALLINT: ORDER(int16_t);
  case HW_TYPE_USMALLINT: ORDER(uint16_t);
  case HW_TYPE_DATE:
  case HW_TYPE_INT: ORDER(int32_t);
  case HW_TYPE_UINT: ORDER(uint32_t);
  case HW_TYPE_TIME:
  case HW_TYPE_TIMESTAMP:
  case HW_TYPE_BIGINT: ORDER(int64_t);
  case HW_TYPE_UBIGINT: ORDER(uint64_t);
  case HW_TYPE_REAL: return compare_f64((double)*(const float *)a, (double)*(const float *)b);
  case HW_TYPE_DOUBLE: return compare_f64(*(const double *)a, *(const double *)b);
  case HW_TYPE_DECIMAL: ORDER(hw_int128);
  case HW_TYPE_UUID: return compare_bytes(a, 16, b, 16);
  default: { /* strings; those of CHAR have one length */
    const hw_str *x = a, *y = b;
    return compare_bytes(x->data, x->len, y->data, y->len);
  }
  }
}
