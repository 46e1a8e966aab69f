/* expr_cases.c - building trees and batches from text, and running cases. */
#include "tests/expr_cases.h"

#include <headworks/value.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory of a test --------------------------------------------------------------- */

mem memory;
static void **owned;
static size_t n_owned;

void *own(void *p) {
  REQUIRE(p != NULL);
  owned = realloc(owned, (n_owned + 1) * sizeof *owned);
  REQUIRE(owned != NULL);
  return owned[n_owned++] = p;
}

void *make(size_t size) {
  return own(calloc(1, size ? size : 1));
}

void setup(void) {
  ck_assert_int_eq(mem_init(&memory, 256 << 20), HW_OK);
}

void free_owned(void) {
  while (n_owned > 0) free(owned[--n_owned]);
  free(owned);
  owned = NULL;
}

void teardown(void) {
  free_owned();
  mem_fini(&memory);
}

static uint64_t seed = 0x9E3779B97F4A7C15;

uint64_t next_random(void) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return seed * UINT64_C(0x2545F4914F6CDD1D);
}

/* ---- types and values from text ----------------------------------------------------------- */

/* "INT", "DECIMAL(5,2)", "VARCHAR(3)"; a '!' at the end: NOT NULL. */
hw_type type_of(const char *text) {
  hw_type t = {.nullable = text[strlen(text) - 1] != '!'};
  char name[40];
  snprintf(name, sizeof name, "%s", text);
  name[strcspn(name, "(!")] = '\0';
  while (t.id < HW_TYPE_COUNT && strcmp(hw_type_name(t.id), name) != 0) t.id++;
  REQUIRE_MSG(t.id < HW_TYPE_COUNT, "no type %s", text);
  const char *bounds = strchr(text, '(');
  unsigned a = 0, b = 0;
  if (bounds) sscanf(bounds, "(%u,%u)", &a, &b);
  if (t.id == HW_TYPE_DECIMAL) {
    t.precision = (uint8_t)(a ? a : 38);
    t.scale = (uint8_t)b;
  } else {
    t.length = a;
  }
  return t;
}

static void put_text(const hw_type *t, const char *text, void *slot) {
  hw_status st = hw_value_parse(t, text, strlen(text), slot);
  if (st == HW_EAGAIN) {
    char *padded = make(t->length * 4 + 1);
    size_t len = strlen(text), characters = hw_utf8_length(text, len);
    memcpy(padded, text, len);
    memset(padded + len, ' ', t->length - characters);
    *(hw_str *)slot = (hw_str){padded, (uint32_t)(len + t->length - characters), 0};
    st = HW_OK;
  }
  REQUIRE_MSG(st == HW_OK, "%s is no %s", text, hw_type_name(t->id));
}

const char *text_at(const hw_type *t, const hw_column *c, uint32_t row) {
  if (!hw_column_valid(c, row)) return NULL;
  const char *slot = (const char *)c->values + row * hw_type_width(t->id);
  if (hw_type_is_string(t->id)) {
    const hw_str *s = (const hw_str *)(const void *)slot;
    char *copy = make(s->len + 1);
    if (s->len) memcpy(copy, s->data, s->len);
    return copy;
  }
  char *out = make(HW_VALUE_TEXT_MAX + 1);
  out[hw_value_format(t, slot, out)] = '\0';
  return out;
}

/* ---- trees ---------------------------------------------------------------------------------- */

expr *node_new(expr_op op, hw_type type, uint32_t n) {
  expr *e = make(sizeof *e);
  *e = (expr){.op = op, .type = type, .n_args = n, .args = make((n + 1) * sizeof(expr *)), .text = "?", .line = 1};
  return e;
}

expr *column(uint32_t index, const char *type) {
  expr *e = node_new(EXPR_COLUMN, type_of(type), 0);
  e->index = index;
  return e;
}

static void value_from_slot(const hw_type *t, const void *slot, hw_value *v) {
  switch (t->id) {
  case HW_TYPE_TINYINT:
    v->u.i64 = *(const int8_t *)slot;
    break;
  case HW_TYPE_SMALLINT:
    v->u.i64 = *(const int16_t *)slot;
    break;
  case HW_TYPE_INT:
  case HW_TYPE_DATE:
    v->u.i64 = *(const int32_t *)slot;
    break;
  case HW_TYPE_BOOLEAN:
    v->u.boolean = *(const uint8_t *)slot;
    break;
  case HW_TYPE_UTINYINT:
    v->u.u64 = *(const uint8_t *)slot;
    break;
  case HW_TYPE_USMALLINT:
    v->u.u64 = *(const uint16_t *)slot;
    break;
  case HW_TYPE_UINT:
    v->u.u64 = *(const uint32_t *)slot;
    break;
  case HW_TYPE_REAL:
    v->u.f32 = *(const float *)slot;
    break;
  default:
    memcpy(&v->u, slot, hw_type_width(t->id));
    break;
  }
}

expr *literal(const char *type, const char *text) {
  hw_type t = type_of(type);
  expr *e = node_new(EXPR_LITERAL, t, 0);
  e->value.is_null = text == NULL;
  _Alignas(16) char slot[16] = {0};
  if (!text) return e;
  put_text(&t, text, slot);
  value_from_slot(&t, slot, &e->value);
  return e;
}

expr *tree1(expr_op op, const char *type, expr *a) {
  expr *e = node_new(op, type_of(type), 1);
  e->args[0] = a;
  return e;
}

expr *tree2(expr_op op, const char *type, expr *a, expr *b) {
  expr *e = node_new(op, type_of(type), 2);
  e->args[0] = a;
  e->args[1] = b;
  return e;
}

expr *tree3(expr_op op, const char *type, expr *a, expr *b, expr *c) {
  expr *e = node_new(op, type_of(type), 3);
  e->args[0] = a;
  e->args[1] = b;
  e->args[2] = c;
  return e;
}

/* ---- batches --------------------------------------------------------------------------------- */

hw_schema *schema_of(const char *const *types, uint32_t n) {
  hw_field *fields = make((n + 1) * sizeof *fields);
  for (uint32_t i = 0; i < n; i++) fields[i] = (hw_field){.name = "c", .type = type_of(types[i])};
  hw_schema *s = make(sizeof *s);
  *s = (hw_schema){.name = "t", .n_fields = n, .fields = fields};
  return s;
}

hw_batch *batch_of_types(const char *const *types, uint32_t n, uint32_t rows) {
  batch *b = batch_new(&memory, schema_of(types, n), rows);
  ck_assert_ptr_nonnull(b);
  b->pub.n_rows = rows;
  return &b->pub;
}

void set_cell(hw_batch *b, uint32_t c, uint32_t row, const char *text) {
  const hw_type *t = &b->schema->fields[c].type;
  if (!text) {
    if (b->columns[c].validity) hw_column_set_null(&b->columns[c], row);
    return;
  }
  hw_column_set_valid(&b->columns[c], row);
  put_text(t, text, (char *)b->columns[c].values + row * hw_type_width(t->id));
}

/* What nobody may look at. */
void fill_with_rubbish(hw_batch *b) {
  for (uint32_t c = 0; c < b->n_columns; c++) {
    size_t width = hw_type_width(b->schema->fields[c].type.id);
    for (size_t i = 0; i < b->capacity * width; i++) ((char *)b->columns[c].values)[i] = (char)(0x81 + i % 7);
    if (b->columns[c].validity) memset(b->columns[c].validity, 0x5A, b->capacity / 64 * 8);
  }
}

/* ---- the table runner ---------------------------------------------------------------------------- */

static uint32_t count_args(const op_case *c) {
  uint32_t n = 0;
  while (n < MAX_ARGS && c->args[n].type) n++;
  return n;
}

/* Argument i is a literal where bit i of mask is set. */
static expr *case_tree(const op_case *c, unsigned mask) {
  uint32_t n = count_args(c);
  expr *e = node_new(c->op, type_of(c->type), n);
  for (uint32_t i = 0; i < n; i++)
    e->args[i] = mask >> i & 1 ? literal(c->args[i].type, c->args[i].text) : column(i, c->args[i].type);
  if (c->op == EXPR_EXTRACT) e->index = c->args[1].type ? (uint32_t)atoi(c->args[1].text) : 0;
  if (c->op == EXPR_EXTRACT) e->n_args = 1;
  return e;
}

static void describe(const op_case *c, char *out, size_t room) {
  size_t len = (size_t)snprintf(out, room, "op %d to %s:", c->op, c->type);
  for (uint32_t i = 0; i < count_args(c) && len < room; i++)
    len += (size_t)snprintf(out + len, room - len, " %s '%s'", c->args[i].type,
                            c->args[i].text ? c->args[i].text : "NULL");
}

static void check_result(const op_case *c, const char *how, hw_status st, const eval_error *err, const hw_column *out,
                         const uint32_t *sel, uint32_t n) {
  char about[600];
  describe(c, about, sizeof about);
  if (c->expected && c->expected[0] == '!') {
    REQUIRE_MSG(st == HW_EEVAL, "%s (%s): no error", about, how);
    REQUIRE_MSG(strstr(err->error.message, c->expected + 1) != NULL, "%s (%s): %s", about, how, err->error.message);
    ck_assert_uint_eq(err->row, sel ? sel[0] : 0);
    return;
  }
  REQUIRE_MSG(st == HW_OK, "%s (%s): %s", about, how, err->error.message);
  hw_type t = type_of(c->type);
  REQUIRE((out->validity != NULL) == t.nullable);
  for (uint32_t i = 0; i < n; i++) {
    const char *text = text_at(&t, out, sel ? sel[i] : i);
    bool same = (text && c->expected && strcmp(text, c->expected) == 0) || (!text && !c->expected);
    REQUIRE_MSG(same, "%s (%s): %s, expected %s", about, how, text ? text : "NULL", c->expected ? c->expected : "NULL");
  }
}

#define CASE_ROWS 131

static void run_case_on(const op_case *c, unsigned mask, hw_batch *b, const uint32_t *sel, uint32_t n,
                        const char *how) {
  evaluator *ev = evaluator_new(case_tree(c, mask), NULL);
  ck_assert_ptr_nonnull(ev);
  eval_error err;
  hw_column out;
  batch *into = batch_new_view((batch *)b, schema_of(&c->type, 1));
  hw_status st = evaluator_run(ev, b, sel, n, &into->pub, &out, &err);
  check_result(c, how, st, &err, &out, sel, n);
  st = evaluator_run(ev, b, sel, n, NULL, &out, &err);
  check_result(c, how, st, &err, &out, sel, n);
  evaluator_free(ev);
  hw_batch_unref(&into->pub);
}

void run_case(const op_case *c) {
  const char *types[MAX_ARGS];
  uint32_t n_args = count_args(c), sel[CASE_ROWS], n_sel = 0;
  for (uint32_t i = 0; i < n_args; i++) types[i] = c->args[i].type;
  hw_batch *dense = batch_of_types(types, n_args, CASE_ROWS), *sparse = batch_of_types(types, n_args, CASE_ROWS);
  fill_with_rubbish(sparse);
  for (uint32_t row = 0; row < CASE_ROWS; row++) {
    bool chosen = row % 3 == 1;
    if (chosen) sel[n_sel++] = row;
    for (uint32_t i = 0; i < n_args; i++) {
      set_cell(dense, i, row, c->args[i].text);
      if (chosen) set_cell(sparse, i, row, c->args[i].text);
    }
  }
  for (unsigned mask = 0; mask < 1U << n_args; mask++) {
    run_case_on(c, mask, dense, NULL, CASE_ROWS, "dense");
    run_case_on(c, mask, sparse, sel, n_sel, "sparse");
  }
  hw_batch_unref(dense);
  hw_batch_unref(sparse);
  free_owned();
}
