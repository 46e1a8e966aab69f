#include "tests/store_model.h"
#include "tests/require.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the program --------------------------------------------------------- */

static const char *const names[] = {"k",   "key", "boolean", "tinyint", "smallint", "int",  "bigint", "utinyint",
                                    "usmallint", "uint", "ubigint", "real", "double", "decimal", "char", "varchar",
                                    "binary", "varbinary", "date", "time", "timestamp", "uuid"};

static hw_type_id type_of(uint32_t c) {
  return c == 0 ? HW_TYPE_BIGINT : c == 1 ? HW_TYPE_VARCHAR : (hw_type_id)(c - MODEL_KEYS + HW_TYPE_BOOLEAN);
}

static const expr *column_of(program *p, const hw_field *f, uint32_t c) {
  expr *e = program_alloc(p, sizeof *e);
  *e = (expr){.op = EXPR_COLUMN, .type = f->type, .index = c, .text = f->name, .line = 1, .column = 1};
  return e;
}

static const program_branch *all_of(program *p, const hw_field *f) {
  program_branch *b = program_alloc(p, sizeof *b);
  b->project = program_alloc(p, MODEL_COLUMNS * sizeof *b->project);
  for (uint32_t c = 0; c < MODEL_COLUMNS; c++) b->project[c] = column_of(p, &f[c], c);
  return b;
}

program *model_program(bool keyed, bool append_only) {
  program *p = program_new();
  program_relation *r = program_alloc(p, 2 * sizeof *r);
  hw_field *f = program_alloc(p, MODEL_COLUMNS * sizeof *f);
  uint32_t *key = program_alloc(p, MODEL_KEYS * sizeof *key);
  for (uint32_t c = 0; c < MODEL_COLUMNS; c++)
    f[c] = (hw_field){.name = names[c], .type = {.id = (uint8_t)type_of(c), .nullable = c >= MODEL_KEYS}};
  for (uint32_t k = 0; k < MODEL_KEYS; k++) key[k] = k;
  for (uint32_t i = 0; i < 2; i++) {
    r[i].schema = (hw_schema){.name = i ? "v" : "t", .n_fields = MODEL_COLUMNS, .fields = f};
    r[i].kind = i ? PROGRAM_VIEW : PROGRAM_TABLE;
    r[i].materialized = true;
  }
  if (keyed) {
    r[0].n_key = r[0].schema.n_key = MODEL_KEYS;
    r[0].key = r[0].schema.key = key;
  }
  r[0].schema.append_only = append_only;
  r[1].n_branches = 1;
  r[1].branches = all_of(p, f);
  p->n_relations = 2;
  p->relations = r;
  return p;
}

/* ---- values -------------------------------------------------------------- */

/* Bytes of the value with number v > 0 of a type that is no string; numbers
 * that differ make values that differ. */
static void fixed_value(hw_type_id id, int v, void *out) {
  memset(out, 0, 16);
  if (id == HW_TYPE_BOOLEAN)
    *(uint8_t *)out = (uint8_t)(v > 1);
  else if (id == HW_TYPE_REAL)
    *(float *)out = v == 1 ? 0.0f : v == 2 ? __builtin_nanf("") : (float)v / 3;
  else if (id == HW_TYPE_DOUBLE)
    *(double *)out = v == 1 ? 0.0 : v == 2 ? __builtin_nan("") : (double)v / 3;
  else
    memset(out, v * 37, hw_type_width(id));
}

static uint32_t text_value(uint32_t c, int v, char *out, size_t room) {
  static const int lengths[MODEL_VALUES] = {0, 0, 1, 8, 33, 300};
  int len = c == 1 ? 3 + v % 30 : lengths[v];
  uint32_t n = 0;
  while (n < (uint32_t)len && n + 12 < room) n += (uint32_t)snprintf(out + n, room - n, "%d.", v);
  return n;
}

void model_put(hw_batch *b, uint32_t at, const model_row *row, const bool *given) {
  for (uint32_t c = 0; c < MODEL_COLUMNS; c++) {
    hw_type_id id = type_of(c);
    int v = row->v[c];
    char text[512], value[16];
    if (given && !given[c]) continue;
    if (c >= MODEL_KEYS && v == 0) continue; /* NULL */
    hw_column_set_valid(&b->columns[c], at);
    if (c == 0) {
      ((int64_t *)b->columns[c].values)[at] = v;
    } else if (hw_type_is_string(id)) {
      uint32_t len = text_value(c, v, text, sizeof text);
      REQUIRE(hw_batch_copy_str(b, text, len, &((hw_str *)b->columns[c].values)[at]));
    } else {
      fixed_value(id, v, value);
      memcpy((char *)b->columns[c].values + at * hw_type_width(id), value, hw_type_width(id));
    }
  }
}

static bool is_value(const hw_batch *b, uint32_t at, uint32_t c, int v) {
  hw_type_id id = type_of(c);
  char text[512], value[16];
  if (hw_type_is_string(id)) {
    const hw_str *s = &((const hw_str *)b->columns[c].values)[at];
    uint32_t len = text_value(c, v, text, sizeof text);
    return s->len == len && (len == 0 || memcmp(s->data, text, len) == 0);
  }
  fixed_value(id, v, value);
  return memcmp((const char *)b->columns[c].values + at * hw_type_width(id), value, hw_type_width(id)) == 0;
}

model_row model_get(const hw_batch *b, uint32_t at) {
  model_row row = {0};
  row.v[0] = (int16_t)((const int64_t *)b->columns[0].values)[at];
  for (uint32_t c = 1; c < MODEL_COLUMNS; c++) {
    int most = c == 1 ? INT16_MAX : MODEL_VALUES, v = c == 1 ? 0 : 1;
    if (!hw_column_valid(&b->columns[c], at)) continue;
    while (v < most && !is_value(b, at, c, v)) v++;
    REQUIRE_MSG(v < most, "column %s of row %u has a value that nobody put there", names[c], at);
    row.v[c] = (int16_t)v;
  }
  return row;
}

/* ---- the model ----------------------------------------------------------- */

static void grow(model *m) {
  if (m->n < m->capacity) return;
  m->capacity = m->capacity ? m->capacity * 2 : 64;
  m->entries = realloc(m->entries, m->capacity * sizeof *m->entries);
  ck_assert_ptr_nonnull(m->entries);
}

void model_add(model *m, const model_row *row, int64_t weight) {
  size_t i = 0;
  while (i < m->n && memcmp(&m->entries[i].row, row, sizeof *row) != 0) i++;
  if (i < m->n) {
    model_entry *e = &m->entries[i];
    e->weight += weight;
    if (!e->weight) *e = m->entries[--m->n];
  } else if (weight) {
    grow(m);
    m->entries[m->n++] = (model_entry){*row, weight};
  }
}

model_entry *model_find_key(model *m, const model_row *row) {
  for (uint32_t i = 0; i < m->n; i++)
    if (memcmp(m->entries[i].row.v, row->v, MODEL_KEYS * sizeof *row->v) == 0) return &m->entries[i];
  return NULL;
}

model model_copy(const model *m) {
  model copy = {.n = m->n, .capacity = m->n + 1, .entries = malloc((m->n + 1) * sizeof *copy.entries)};
  ck_assert_ptr_nonnull(copy.entries);
  if (m->n) memcpy(copy.entries, m->entries, m->n * sizeof *m->entries);
  return copy;
}

void model_fini(model *m) {
  free(m->entries);
  *m = (model){0};
}

static int compare(const void *a, const void *b) {
  const model_entry *x = a, *y = b;
  int order = memcmp(&x->row, &y->row, sizeof x->row);
  return order ? order : (x->weight > y->weight) - (x->weight < y->weight);
}

void model_check_same(model *a, model *b, const char *what) {
  ck_assert_msg(a->n == b->n, "%s: %u rows, the model has %u", what, a->n, b->n);
  if (!a->n) return;
  qsort(a->entries, a->n, sizeof *a->entries, compare);
  qsort(b->entries, b->n, sizeof *b->entries, compare);
  for (uint32_t i = 0; i < a->n; i++)
    REQUIRE_MSG(compare(&a->entries[i], &b->entries[i]) == 0, "%s: the rows differ (k = %d, weight %lld)", what,
                  a->entries[i].row.v[0], (long long)a->entries[i].weight);
}
