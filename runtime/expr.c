/* expr.c - from expression trees to nodes, and the evaluator's entry points.
 * The design is described in expr_eval.h. */
#include "runtime/expr_eval.h"

#include <headworks/value.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- compiling -------------------------------------------------------------------- */

static const op_info *const ops[] = {
    [EXPR_COLUMN] = &op_column,
    [EXPR_LITERAL] = &op_literal,
    [EXPR_CAST] = &op_cast,
    [EXPR_NEG] = &op_negate,
    [EXPR_ADD] = &op_arithmetic,
    [EXPR_SUB] = &op_arithmetic,
    [EXPR_MUL] = &op_arithmetic,
    [EXPR_DIV] = &op_arithmetic,
    [EXPR_MOD] = &op_arithmetic,
    [EXPR_EQ] = &op_comparison,
    [EXPR_NE] = &op_comparison,
    [EXPR_LT] = &op_comparison,
    [EXPR_LE] = &op_comparison,
    [EXPR_GT] = &op_comparison,
    [EXPR_GE] = &op_comparison,
    [EXPR_AND] = &op_logic,
    [EXPR_OR] = &op_logic,
    [EXPR_NOT] = &op_not,
    [EXPR_IS_NULL] = &op_is_null,
    [EXPR_IS_NOT_NULL] = &op_is_null,
    [EXPR_IS_TRUE] = &op_is_boolean,
    [EXPR_IS_NOT_TRUE] = &op_is_boolean,
    [EXPR_IS_FALSE] = &op_is_boolean,
    [EXPR_IS_NOT_FALSE] = &op_is_boolean,
    [EXPR_IS_DISTINCT] = &op_distinct,
    [EXPR_IS_NOT_DISTINCT] = &op_distinct,
    [EXPR_IN] = &op_in,
    [EXPR_LIKE] = &op_like,
    [EXPR_CASE] = &op_case,
    [EXPR_COALESCE] = &op_coalesce,
    [EXPR_NULLIF] = &op_nullif,
    [EXPR_CONCAT] = &op_concat,
    [EXPR_LOWER] = &op_change_case,
    [EXPR_UPPER] = &op_change_case,
    [EXPR_CHAR_LENGTH] = &op_length,
    [EXPR_OCTET_LENGTH] = &op_length,
    [EXPR_SUBSTRING] = &op_substring,
    [EXPR_TRIM_BOTH] = &op_trim,
    [EXPR_TRIM_LEADING] = &op_trim,
    [EXPR_TRIM_TRAILING] = &op_trim,
    [EXPR_ABS] = &op_abs,
    [EXPR_ROUND] = &op_round,
    [EXPR_FLOOR] = &op_round,
    [EXPR_CEIL] = &op_round,
    [EXPR_EXTRACT] = &op_extract,
    [EXPR_SPLIT_PART] = &op_split_part,
};

void *evaluator_alloc(evaluator *ev, size_t size) {
  evaluator_block *b = calloc(1, sizeof *b + size);
  if (!b) return NULL;
  b->next = ev->blocks;
  ev->blocks = b;
  return b->data;
}

static bool is_vector_type(hw_type_id id) {
  return !hw_type_is_string(id) && id != HW_TYPE_DECIMAL;
}

/* What follows for nd from its arguments. */
static void summarize(node *nd, const op_info *info) {
  nd->invariant = nd->e->op != EXPR_COLUMN;
  nd->cheap = info->cheap && is_vector_type((hw_type_id)nd->type.id);
  for (uint32_t i = 0; i < nd->n_args; i++) {
    const node *arg = nd->args[i];
    nd->invariant = nd->invariant && arg->invariant;
    nd->fallible = nd->fallible || arg->fallible;
    nd->cheap = nd->cheap && arg->cheap;
  }
}

node *node_compile(evaluator *ev, const expr *e, bool escapes) {
  const op_info *info = ops[e->op];
  bool is_string = hw_type_is_string((hw_type_id)e->type.id);
  node *nd = evaluator_alloc(ev, sizeof *nd);
  if (!nd) return NULL;
  nd->e = e;
  nd->type = e->type;
  nd->eval = info->eval;
  nd->escapes = escapes;
  nd->fallible = info->fallible;
  nd->n_args = e->n_args;
  nd->args = evaluator_alloc(ev, (e->n_args + 1) * sizeof(node *));
  if (!nd->args) return NULL;
  for (uint32_t i = 0; i < e->n_args; i++)
    if (!(nd->args[i] = node_compile(ev, e->args[i], escapes && info->keeps && is_string))) return NULL;
  if (info->plan && info->plan(ev, nd) != HW_OK) return NULL;
  summarize(nd, info);
  return nd;
}

hw_status node_rescale_arg(evaluator *ev, node *nd, uint32_t i, hw_type wanted) {
  node *arg = nd->args[i];
  if (wanted.id != HW_TYPE_DECIMAL || arg->type.id != HW_TYPE_DECIMAL || arg->type.scale == wanted.scale) return HW_OK;
  node *cast = evaluator_alloc(ev, sizeof *cast);
  expr *e = evaluator_alloc(ev, sizeof *e);
  node **args = evaluator_alloc(ev, sizeof *args);
  if (!cast || !e || !args) return HW_ENOMEM;
  *e = *arg->e; /* messages speak of the argument */
  e->op = EXPR_CAST;
  e->type = wanted;
  *cast = (node){.e = e, .type = wanted, .eval = op_cast.eval, .n_args = 1, .args = args, .fallible = true};
  args[0] = arg;
  hw_status st = op_cast.plan(ev, cast);
  if (st != HW_OK) return st;
  summarize(cast, &op_cast);
  nd->args[i] = cast;
  return HW_OK;
}

evaluator *evaluator_new(const expr *root, text_budget *budget) {
  evaluator *ev = calloc(1, sizeof *ev);
  if (!ev) return NULL;
  ev->budget = budget;
  ev->root = node_compile(ev, root, true);
  if (ev->root) return ev;
  evaluator_free(ev);
  return NULL;
}

static void free_chain(scratch *s) {
  while (s) {
    scratch *next = s->next;
    free(s);
    s = next;
  }
}

void evaluator_free(evaluator *ev) {
  if (!ev) return;
  vec_drop(ev, &ev->result);
  for (uint32_t c = 0; c < SCRATCH_CLASSES; c++) free_chain(ev->free_scratch[c]);
  free_chain(ev->text);
  while (ev->blocks) {
    evaluator_block *next = ev->blocks->next;
    free(ev->blocks);
    ev->blocks = next;
  }
  free(ev);
}

/* ---- leaves ---------------------------------------------------------------------------- */

static hw_status eval_column(evaluator *ev, const node *nd, const rows *r, vec *out) {
  (void)r;
  const hw_column *c = &ev->batch->columns[nd->e->index];
  *out = (vec){.values = c->values, .validity = c->validity};
  return HW_OK;
}

const op_info op_column = {.eval = eval_column, .cheap = true};

/* A literal as a column of one row. */
typedef struct literal {
  alignas(16) char value[16];
  uint64_t validity;
} literal;

static void store_value(hw_type_id id, const hw_value *v, void *slot) {
  switch (id) {
  case HW_TYPE_BOOLEAN:
    *(uint8_t *)slot = v->u.boolean;
    break;
  case HW_TYPE_REAL:
    *(float *)slot = v->u.f32;
    break;
  case HW_TYPE_DOUBLE:
    *(double *)slot = v->u.f64;
    break;
  case HW_TYPE_DECIMAL:
    *(hw_int128 *)slot = v->u.dec;
    break;
  case HW_TYPE_UUID:
    *(hw_uuid *)slot = v->u.uuid;
    break;
  case HW_TYPE_DATE:
    *(int32_t *)slot = (int32_t)v->u.i64;
    break;
  case HW_TYPE_TIME:
  case HW_TYPE_TIMESTAMP:
    *(int64_t *)slot = v->u.i64;
    break;
  case HW_TYPE_UBIGINT:
    *(uint64_t *)slot = v->u.u64;
    break;
  default:
    if (hw_type_is_string(id))
      *(hw_str *)slot = v->u.str;
    else if (hw_type_is_integer(id))
      integer_put(id, slot, v->u.i64); /* unsigned ones below 2^32 read the same */
  }
}

static hw_status plan_literal(evaluator *ev, node *nd) {
  literal *l = evaluator_alloc(ev, sizeof *l);
  if (!l) return HW_ENOMEM;
  nd->plan = l;
  l->validity = !nd->e->value.is_null;
  if (l->validity) store_value((hw_type_id)nd->type.id, &nd->e->value, l->value);
  return HW_OK;
}

/* Bytes of a literal that can reach the result are copied: the batch may outlive the tree. */
static hw_status eval_literal(evaluator *ev, const node *nd, const rows *r, vec *out) {
  (void)r;
  const literal *l = nd->plan;
  *out = (vec){.values = l->value, .validity = l->validity ? NULL : &l->validity, .constant = true};
  if (!nd->escapes || !ev->into || !l->validity || !hw_type_is_string((hw_type_id)nd->type.id)) return HW_OK;
  hw_str s = nd->e->value.u.str;
  char *bytes = text_alloc(ev, nd, s.len);
  hw_str *copy = vec_make(ev, nd, &(rows){.n = 1, .limit = 1}, out);
  if (!bytes || !copy) return eval_no_memory(ev, nd);
  if (s.len) memcpy(bytes, s.data, s.len);
  s.data = bytes;
  *copy = s;
  out->constant = true;
  return HW_OK;
}

const op_info op_literal = {.eval = eval_literal, .plan = plan_literal, .cheap = true};

/* ---- errors ------------------------------------------------------------------------------ */

hw_status eval_fail(evaluator *ev, const node *nd, uint32_t row, const char *fmt, ...) {
  char message[HW_ERROR_MAX];
  va_list args;
  va_start(args, fmt);
  vsnprintf(message, sizeof message, fmt, args);
  va_end(args);
  ev->err->at = nd->e;
  ev->err->row = row;
  return hw_error_set(&ev->err->error, HW_EEVAL, "%s", message);
}

hw_status eval_no_memory(evaluator *ev, const node *nd) {
  ev->err->at = nd->e;
  ev->err->row = 0;
  return hw_error_set(&ev->err->error, HW_ENOMEM, "no memory within the limit to evaluate an expression");
}

#define SHOWN_TEXT 64

const char *eval_show(const hw_type *type, const void *slot, char *out) {
  if (!hw_type_is_string((hw_type_id)type->id)) {
    out[hw_value_format(type, slot, out)] = '\0';
    return out;
  }
  const hw_str *s = slot;
  bool bytes = !hw_type_is_text((hw_type_id)type->id), cut = s->len > SHOWN_TEXT;
  uint32_t len = cut ? SHOWN_TEXT : s->len;
  if (bytes) {
    snprintf(out, EVAL_SHOWN, "%u bytes", s->len);
  } else {
    while (cut && len > 0 && ((unsigned char)s->data[len] & 0xC0) == 0x80) len--; /* not inside of a character */
    snprintf(out, EVAL_SHOWN, "'%.*s%s'", (int)len, len ? s->data : "", cut ? "..." : "");
  }
  return out;
}

#define COLUMNS_SHOWN 8

typedef struct row_writer {
  const hw_batch *batch;
  uint32_t row;
  uint32_t shown[COLUMNS_SHOWN], n_shown;
  char *text;
  size_t len;
} row_writer;

static void show_column(row_writer *w, uint32_t index) {
  const hw_field *field = &w->batch->schema->fields[index];
  const hw_column *column = &w->batch->columns[index];
  char value[EVAL_SHOWN] = "NULL";
  for (uint32_t i = 0; i < w->n_shown; i++)
    if (w->shown[i] == index) return;
  if (w->n_shown == COLUMNS_SHOWN) return;
  if (hw_column_valid(column, w->row))
    eval_show(&field->type, (const char *)column->values + w->row * hw_type_width((hw_type_id)field->type.id), value);
  size_t room = EVAL_ROW_TEXT - w->len;
  int n = snprintf(w->text + w->len, room, "%s%.100s = %s", w->n_shown ? ", " : "", field->name, value);
  if (n < 0 || (size_t)n >= room) {
    w->text[w->len] = '\0'; /* whole columns only */
    return;
  }
  w->len += (size_t)n;
  w->shown[w->n_shown++] = index;
}

static void show_columns(row_writer *w, const expr *e) {
  if (e->op == EXPR_COLUMN) show_column(w, e->index);
  for (uint32_t i = 0; i < e->n_args; i++) show_columns(w, e->args[i]);
}

void eval_error_show_row(eval_error *err, const hw_batch *batch) {
  row_writer w = {.batch = batch, .row = err->row, .text = err->row_text};
  err->n_rows = batch->n_rows;
  err->row_text[0] = '\0';
  if (err->at && err->row < batch->n_rows) show_columns(&w, err->at);
}

/* ---- running ------------------------------------------------------------------------------- */

hw_status node_eval(evaluator *ev, const node *nd, const rows *r, vec *out) {
  static const hw_int128 nothing = 0;
  if (r->n == 0) {
    *out = (vec){.values = &nothing, .constant = true};
    return HW_OK;
  }
  if (!nd->invariant || nd->e->op == EXPR_LITERAL) return nd->eval(ev, nd, r, out);
  rows one = {.n = 1, .limit = 1};
  hw_status st = nd->eval(ev, nd, &one, out);
  if (st != HW_OK)
    ev->err->row = rows_at(r, 0);
  else
    out->constant = true;
  return st;
}

hw_status node_eval_args(evaluator *ev, const node *nd, const rows *r, vec *args) {
  for (uint32_t i = 0; i < nd->n_args; i++) {
    hw_status st = node_eval(ev, nd->args[i], r, &args[i]);
    if (st == HW_OK) continue;
    vec_drop_all(ev, args, i);
    return st;
  }
  return HW_OK;
}

hw_status node_eval_strict(evaluator *ev, const node *nd, const rows *r, vec *args, vec *out, bool *done) {
  *done = false;
  hw_status st = node_eval_args(ev, nd, r, args);
  if (st != HW_OK) return st;
  for (uint32_t i = 0; i < nd->n_args; i++) *done = *done || vec_is_null_constant(&args[i]);
  if (!*done) return HW_OK;
  vec_drop_all(ev, args, nd->n_args);
  return vec_make_null(ev, nd, r, out);
}

static hw_status fill_with(evaluator *ev, const node *nd, const rows *r, vec *args, vec *out, node_fill *fill) {
  bool done;
  hw_status st = node_eval_strict(ev, nd, r, args, out, &done);
  if (st != HW_OK || done) return st;
  st = vec_make(ev, nd, r, out) ? vec_join_validity(ev, nd, r, args, nd->n_args, out) : eval_no_memory(ev, nd);
  if (st == HW_OK) st = fill(ev, nd, r, args, out);
  if (st != HW_OK) vec_drop(ev, out);
  vec_drop_all(ev, args, nd->n_args);
  return st;
}

hw_status node_eval_fill(evaluator *ev, const node *nd, const rows *r, vec *out, node_fill *fill) {
  vec few[NODE_ARGS];
  if (nd->n_args <= NODE_ARGS) return fill_with(ev, nd, r, few, out, fill);
  scratch *many = scratch_get(ev, nd->n_args * sizeof(vec));
  if (!many) return eval_no_memory(ev, nd);
  hw_status st = fill_with(ev, nd, r, (vec *)(void *)many->data, out, fill);
  scratch_put(ev, many);
  return st;
}

static void begin_run(evaluator *ev, const hw_batch *batch, hw_batch *into, eval_error *err) {
  ev->batch = batch;
  ev->into = into;
  ev->err = err;
  err->at = ev->root->e;
  err->row = 0;
  vec_drop(ev, &ev->result);
  text_reset(ev);
}

/* Memory of the result: in its batch, or scratch that *keep holds until the next run. */
static void *result_alloc(evaluator *ev, size_t size, scratch **keep) {
  if (ev->into) {
    char *p = hw_batch_alloc(ev->into, size + 63);
    return p ? (void *)(((uintptr_t)p + 63) & ~(uintptr_t)63) : NULL;
  }
  *keep = scratch_get(ev, size);
  return *keep ? (*keep)->data : NULL;
}

/* An array of the result's own: a constant is spread, a borrowed array copied. */
static void *result_values(evaluator *ev, const rows *r, vec *v) {
  if (v->in_batch) return (void *)(uintptr_t)v->values;
  if (!ev->into && v->own_values && !v->constant) {
    ev->result.own_values = v->own_values;
    v->own_values = NULL;
    return ev->result.own_values->data;
  }
  size_t width = hw_type_width((hw_type_id)ev->root->type.id);
  void *to = result_alloc(ev, width * r->limit, &ev->result.own_values);
  if (to) vec_copy_rows(v, width, r, to, NULL);
  return to;
}

static uint64_t *result_validity(evaluator *ev, const rows *r, const vec *v) {
  size_t size = rows_words(r) * sizeof(uint64_t);
  uint64_t *to = result_alloc(ev, size, &ev->result.own_validity);
  if (!to) return NULL;
  if (!v->validity || v->constant)
    memset(to, vec_valid(v, 0) ? 0xFF : 0, size);
  else
    memcpy(to, v->validity, size);
  return to;
}

static rows rows_of(const hw_batch *batch, const uint32_t *sel, uint32_t n) {
  return (rows){.sel = sel, .n = n, .limit = sel ? batch->n_rows : n};
}

static hw_status run_root(evaluator *ev, const rows *r, hw_column *out) {
  vec v;
  hw_status st = node_eval(ev, ev->root, r, &v);
  if (st != HW_OK) return st;
  *out = (hw_column){.values = result_values(ev, r, &v)};
  if (ev->root->type.nullable) out->validity = result_validity(ev, r, &v);
  vec_drop(ev, &v);
  return out->values && (out->validity || !ev->root->type.nullable) ? HW_OK : eval_no_memory(ev, ev->root);
}

hw_status evaluator_run(evaluator *ev, const hw_batch *batch, const uint32_t *sel, uint32_t n, hw_batch *into,
                        hw_column *out, eval_error *err) {
  begin_run(ev, batch, into, err);
  if (ev->root->e->op == EXPR_COLUMN) {
    *out = batch->columns[ev->root->e->index];
    return HW_OK;
  }
  rows r = rows_of(batch, sel, n);
  hw_status st = run_root(ev, &r, out);
  text_leave(ev, !into && hw_type_is_string((hw_type_id)ev->root->type.id));
  return st;
}

static hw_status filter_rows(evaluator *ev, const node *nd, const rows *r, uint32_t *out, uint32_t *n_out);

/* Each term sees the rows that those before it let pass. */
static hw_status filter_and(evaluator *ev, const node *nd, const rows *r, uint32_t *out, uint32_t *n_out) {
  rows rest = *r;
  for (uint32_t i = 0; i < nd->n_args; i++) {
    hw_status st = filter_rows(ev, nd->args[i], &rest, out, n_out);
    if (st != HW_OK || *n_out == 0) return st;
    if (rest.sel || *n_out < rest.n) rest = (rows){.sel = out, .n = *n_out, .limit = ev->batch->n_rows};
  }
  return HW_OK;
}

static hw_status filter_rows(evaluator *ev, const node *nd, const rows *r, uint32_t *out, uint32_t *n_out) {
  bool all_at_once = nd->invariant || (nd->cheap && !nd->fallible);
  if (nd->e->op == EXPR_AND && !all_at_once) return filter_and(ev, nd, r, out, n_out);
  vec v;
  hw_status st = node_eval(ev, nd, r, &v);
  if (st != HW_OK) return st;
  *n_out = select_true(&v, r, out);
  vec_drop(ev, &v);
  return HW_OK;
}

hw_status evaluator_filter(evaluator *ev, const hw_batch *batch, const uint32_t *sel, uint32_t n, uint32_t *sel_out,
                           uint32_t *n_out, eval_error *err) {
  begin_run(ev, batch, NULL, err);
  *n_out = 0;
  if (n == 0) return HW_OK;
  rows r = rows_of(batch, sel, n);
  hw_status st = filter_rows(ev, ev->root, &r, sel_out, n_out);
  text_leave(ev, false);
  return st;
}

/* ---- constants ---------------------------------------------------------------------------- */

static void load_value(hw_type_id id, const void *slot, hw_value *v) {
  switch (id) {
  case HW_TYPE_BOOLEAN:
    v->u.boolean = *(const uint8_t *)slot;
    break;
  case HW_TYPE_REAL:
    v->u.f32 = *(const float *)slot;
    break;
  case HW_TYPE_DOUBLE:
    v->u.f64 = *(const double *)slot;
    break;
  case HW_TYPE_DECIMAL:
    v->u.dec = *(const hw_int128 *)slot;
    break;
  case HW_TYPE_UUID:
    v->u.uuid = *(const hw_uuid *)slot;
    break;
  case HW_TYPE_DATE:
    v->u.i64 = *(const int32_t *)slot;
    break;
  case HW_TYPE_TIME:
  case HW_TYPE_TIMESTAMP:
    v->u.i64 = *(const int64_t *)slot;
    break;
  default:
    if (hw_type_is_string(id))
      v->u.str = *(const hw_str *)slot;
    else if (hw_type_is_integer(id))
      v->u.u64 = (uint64_t)integer_at(id, slot);
  }
}

static hw_status keep_string(hw_str *s, void **keep, hw_error *err) {
  char *copy = malloc(s->len ? s->len : 1);
  if (!copy) return hw_error_set(err, HW_ENOMEM, "out of memory");
  if (s->len) memcpy(copy, s->data, s->len);
  s->data = copy;
  *keep = copy;
  return HW_OK;
}

static hw_status run_constant(evaluator *ev, hw_value *out, void **keep, hw_error *err) {
  const hw_batch nothing = {.n_rows = 1, .capacity = 1};
  eval_error why;
  hw_column c;
  hw_status st = evaluator_run(ev, &nothing, NULL, 1, NULL, &c, &why);
  if (st != HW_OK) return hw_error_set(err, st, "%s", why.error.message);
  *out = (hw_value){.is_null = !hw_column_valid(&c, 0)};
  if (out->is_null) return HW_OK;
  load_value((hw_type_id)ev->root->type.id, c.values, out);
  return hw_type_is_string((hw_type_id)ev->root->type.id) ? keep_string(&out->u.str, keep, err) : HW_OK;
}

hw_status expr_constant(const expr *root, hw_value *out, void **keep, hw_error *err) {
  *keep = NULL;
  evaluator *ev = evaluator_new(root, NULL);
  if (!ev) return hw_error_set(err, HW_ENOMEM, "out of memory");
  hw_status st = run_constant(ev, out, keep, err);
  evaluator_free(ev);
  return st;
}
