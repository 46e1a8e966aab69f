/* row.c - see row.h.
 *
 * DESIGN
 * Hashing goes column by column over many rows, so that what a column's type
 * asks for is decided once. A value is folded in by one wide multiplication:
 * the state and the value, xored, times a secret odd number, both halves of the
 * product xored. Long strings take eight bytes at a time. */
#include "runtime/row.h"

#include <string.h>

#define NULL_VALUE UINT64_C(0x9ddfea08eb382d69) /* stands for a NULL */
#define NAN_VALUE UINT64_C(0x7ff8000000000000)

/* ---- equality ------------------------------------------------------------ */

static bool equal_f64(double a, double b) { return a == b || (a != a && b != b); }

static bool equal_str(const hw_str *a, const hw_str *b) {
  return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static bool equal_value(hw_type_id id, const void *a, const void *b) {
  switch (id) {
  case HW_TYPE_REAL: return equal_f64((double)*(const float *)a, (double)*(const float *)b);
  case HW_TYPE_DOUBLE: return equal_f64(*(const double *)a, *(const double *)b);
  case HW_TYPE_CHAR:
  case HW_TYPE_VARCHAR:
  case HW_TYPE_BINARY:
  case HW_TYPE_VARBINARY: return equal_str(a, b);
  default: return memcmp(a, b, hw_type_width(id)) == 0;
  }
}

bool row_equal(const hw_schema *schema, const row_fields *fields, const hw_batch *a, uint32_t row_a,
               const hw_batch *b, uint32_t row_b) {
  for (uint32_t i = 0; i < fields->n; i++) {
    uint32_t f = fields->index[i];
    const hw_column *ca = &a->columns[f], *cb = &b->columns[f];
    bool valid = hw_column_valid(ca, row_a);
    if (valid != hw_column_valid(cb, row_b)) return false;
    if (!valid) continue;
    hw_type_id id = (hw_type_id)schema->fields[f].type.id;
    size_t width = hw_type_width(id);
    if (!equal_value(id, (const char *)ca->values + row_a * width, (const char *)cb->values + row_b * width))
      return false;
  }
  return true;
}

/* ---- hashes -------------------------------------------------------------- */

static inline uint64_t fold(uint64_t h, uint64_t v, uint64_t k) {
  hw_uint128 p = (hw_uint128)(h ^ v) * k;
  return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static uint64_t load(const char *p, size_t n) {
  uint64_t v = 0;
  memcpy(&v, p, n);
  return v;
}

static uint64_t fold_bytes(uint64_t h, const char *p, size_t n, uint64_t k) {
  h = fold(h, n, k);
  for (; n >= 8; p += 8, n -= 8) h = fold(h, load(p, 8), k);
  return n ? fold(h, load(p, n), k) : h;
}

static uint64_t f64_value(double v) {
  uint64_t u;
  if (v != v) return NAN_VALUE;
  memcpy(&u, &v, sizeof u);
  return v == 0.0 ? 0 : u;
}

static uint64_t fold_value(hw_type_id id, size_t width, const char *at, uint64_t h, uint64_t k) {
  switch (id) {
  case HW_TYPE_REAL: return fold(h, f64_value((double)*(const float *)(const void *)at), k);
  case HW_TYPE_DOUBLE: return fold(h, f64_value(*(const double *)(const void *)at), k);
  case HW_TYPE_CHAR:
  case HW_TYPE_VARCHAR:
  case HW_TYPE_BINARY:
  case HW_TYPE_VARBINARY: {
    const hw_str *s = (const hw_str *)(const void *)at;
    return fold_bytes(h, s->data, s->len, k);
  }
  default: return width > 8 ? fold_bytes(h, at, width, k) : fold(h, load(at, width), k);
  }
}

static void hash_column(const hw_column *c, hw_type_id id, uint64_t k, const uint32_t *rows, uint32_t n, uint64_t *h) {
  size_t width = hw_type_width(id);
  if (width == 8 && id != HW_TYPE_DOUBLE && !c->validity) { /* keys, mostly */
    for (uint32_t i = 0; i < n; i++) h[i] = fold(h[i], ((const uint64_t *)c->values)[rows[i]], k);
    return;
  }
  for (uint32_t i = 0; i < n; i++)
    h[i] = hw_column_valid(c, rows[i]) ? fold_value(id, width, (const char *)c->values + rows[i] * width, h[i], k)
                                       : fold(h[i], NULL_VALUE, k);
}

void row_hash(const hw_schema *schema, const row_fields *fields, uint64_t seed, const hw_batch *b,
              const uint32_t *rows, uint32_t n, uint64_t *room, uint32_t *hashes) {
  uint64_t k = seed | 1;
  for (uint32_t i = 0; i < n; i++) room[i] = ~seed;
  for (uint32_t i = 0; i < fields->n; i++) {
    uint32_t f = fields->index[i];
    hash_column(&b->columns[f], (hw_type_id)schema->fields[f].type.id, k, rows, n, room);
  }
  for (uint32_t i = 0; i < n; i++) {
    uint64_t h = fold(room[i], room[i] >> 32, k); /* spreads what the last value did to few bits */
    hashes[i] = (uint32_t)(h ^ h >> 32);
  }
}
