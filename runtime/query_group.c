/* query_group.c - GROUP BY, aggregate functions, DISTINCT.
 *
 * Groups are numbered by a set of their keys; every aggregate function has an
 * array of accumulators, one a group. Sums of integers and decimals are exact, in
 * 128 bits, and checked once, when they are told: whether a sum fits does not
 * depend on the order of rows. */
#include "runtime/query_op.h"
#include "runtime/query_set.h"

#include <stdlib.h>
#include <string.h>

typedef struct accumulator {
  union {
    hw_int128 sum;
    double f64;
    char value[16]; /* MIN, MAX: as in a column */
  } u;
  int64_t rows;     /* that were counted in */
  uint32_t room;    /* MIN, MAX of strings: bytes at the hw_str's data */
} accumulator;

/* One aggregate function. */
typedef struct aggregation {
  const plan_aggregate *plan;
  block *memory;    /* of accumulators; NULL: none yet */
  uint64_t capacity;
  hw_field fields[2]; /* DISTINCT: group and argument */
  hw_schema schema;
  query_set seen;
} aggregation;

typedef struct group_op {
  query_op op;
  hw_schema keys_schema;
  query_set keys;
  evaluator **key_evs, **arg_evs;
  const expr **args;       /* by aggregate; NULL: COUNT(*) */
  hw_schema args_schema;
  hw_field *arg_fields;
  aggregation *aggregations;
  batch *texts;            /* memory for MIN and MAX of strings */
  uint32_t *ids, capacity; /* by row of a batch */
  bool *fresh;
  uint64_t n_groups, told;
  bool complete;
} group_op;

static accumulator *accumulators(const aggregation *a) { return (accumulator *)(void *)a->memory->data; }

/* ---- taking rows in ----------------------------------------------------------- */

static bool grow(aggregation *a, mem *m, uint64_t n) {
  if (n <= a->capacity) return true;
  uint64_t more = a->capacity ? a->capacity * 2 : 64;
  while (more < n) more *= 2;
  block *b = mem_get(m, more * sizeof(accumulator));
  if (!b) return false;
  memset(b->data, 0, more * sizeof(accumulator));
  if (a->memory) memcpy(b->data, a->memory->data, a->capacity * sizeof(accumulator));
  block_unref(a->memory);
  a->memory = b;
  a->capacity = more;
  return true;
}

static hw_status overflow(const plan_aggregate *p, const char *type, hw_error *err) {
  const char *remedy = p->kind == AGGREGATE_SUM ? ": CAST its argument to DECIMAL" : "";
  return hw_error_code(err, HW_EEVAL, "AdHocQueryError", "`%.200s` at line %d, column %d is too large for %s%s",
                       p->text, p->line, p->column, type, remedy);
}

static hw_int128 exact_value(const hw_type *type, const void *slot) {
  if (type->id == HW_TYPE_DECIMAL) return *(const hw_int128 *)slot;
  switch (type->id) {
  case HW_TYPE_TINYINT: return *(const int8_t *)slot;
  case HW_TYPE_SMALLINT: return *(const int16_t *)slot;
  case HW_TYPE_INT: return *(const int32_t *)slot;
  case HW_TYPE_BIGINT: return *(const int64_t *)slot;
  case HW_TYPE_UTINYINT: return *(const uint8_t *)slot;
  case HW_TYPE_USMALLINT: return *(const uint16_t *)slot;
  case HW_TYPE_UINT: return *(const uint32_t *)slot;
  default: return *(const uint64_t *)slot;
  }
}

static bool add_exact(accumulator *acc, hw_int128 v, int64_t weight) {
  hw_int128 many;
  return !__builtin_mul_overflow(v, (hw_int128)weight, &many) &&
         !__builtin_add_overflow(acc->u.sum, many, &acc->u.sum);
}

static void add_floating(accumulator *acc, const hw_type *type, const void *slot, int64_t weight) {
  double v = type->id == HW_TYPE_REAL ? (double)*(const float *)slot : *(const double *)slot;
  acc->u.f64 += v * (double)weight;
}

/* The string's bytes go where the last ones were, if there is room. */
static bool keep_text(group_op *g, accumulator *acc, const hw_str *s) {
  hw_str *kept = (hw_str *)(void *)acc->u.value;
  if (s->len > acc->room || !acc->room) {
    uint32_t room = s->len < 16 ? 16 : s->len > UINT32_MAX / 2 ? s->len : s->len * 2;
    char *bytes = hw_batch_alloc(&g->texts->pub, room);
    if (!bytes) return false;
    acc->room = room;
    kept->data = bytes;
  }
  if (s->len) memcpy((char *)(uintptr_t)kept->data, s->data, s->len);
  kept->len = s->len;
  kept->flags = s->flags;
  return true;
}

static bool take_extreme(group_op *g, const plan_aggregate *p, accumulator *acc, const void *slot) {
  hw_type_id id = (hw_type_id)p->arg->type.id;
  int c = acc->rows ? query_compare(id, slot, acc->u.value) : 0;
  if (acc->rows && (p->kind == AGGREGATE_MIN ? c >= 0 : c <= 0)) return true;
  if (hw_type_is_string(id)) return keep_text(g, acc, slot);
  memcpy(acc->u.value, slot, hw_type_width(id));
  return true;
}

/* One value that is not NULL; slot NULL: COUNT(*). */
static hw_status take_value(group_op *g, const plan_aggregate *p, accumulator *acc, const void *slot, int64_t weight,
                            hw_error *err) {
  bool sums = p->kind == AGGREGATE_SUM || p->kind == AGGREGATE_AVG, exact = true;
  const hw_type *type = p->arg ? &p->arg->type : NULL;
  if (sums && (type->id == HW_TYPE_REAL || type->id == HW_TYPE_DOUBLE)) add_floating(acc, type, slot, weight);
  else if (sums) exact = add_exact(acc, exact_value(type, slot), weight);
  else if (p->kind != AGGREGATE_COUNT && !take_extreme(g, p, acc, slot)) return HW_ENOMEM;
  if (!exact || __builtin_add_overflow(acc->rows, weight, &acc->rows)) return overflow(p, "128 bits", err);
  return HW_OK;
}

static hw_status take_column(group_op *g, aggregation *a, const hw_column *c, const hw_batch *b, const uint32_t *ids,
                             const bool *fresh, hw_error *err) {
  uint32_t n = hw_batch_count(b);
  size_t width = c ? hw_type_width((hw_type_id)a->plan->arg->type.id) : 0;
  for (uint32_t i = 0; i < n; i++) {
    uint32_t row = hw_batch_row(b, i);
    if ((c && !hw_column_valid(c, row)) || (fresh && !fresh[i])) continue;
    const void *slot = c ? (const char *)c->values + row * width : NULL;
    int64_t weight = fresh ? 1 : hw_batch_weight(b, row);
    hw_status st = take_value(g, a->plan, &accumulators(a)[ids ? ids[i] : 0], slot, weight, err);
    if (st != HW_OK) return st;
  }
  return HW_OK;
}

/* DISTINCT: which rows bring a value that its group has not seen. */
static bool find_fresh(group_op *g, aggregation *a, const hw_column *c, const batch *b, const uint32_t *ids) {
  uint32_t n = hw_batch_count(&b->pub);
  batch *pairs = query_view(&g->op, b, &a->schema);
  uint32_t *groups = pairs ? hw_batch_alloc(&pairs->pub, (b->pub.n_rows + 1) * sizeof *groups) : NULL;
  uint32_t *unused = groups ? hw_batch_alloc(&pairs->pub, (n + 1) * sizeof *unused) : NULL;
  bool ok = unused != NULL;
  if (ok) {
    for (uint32_t i = 0; i < n; i++) groups[hw_batch_row(&b->pub, i)] = ids ? ids[i] : 0;
    pairs->pub.columns[0] = (hw_column){.values = groups};
    pairs->pub.columns[1] = *c;
    ok = query_set_add(&a->seen, &pairs->pub, unused, g->fresh);
  }
  if (pairs) hw_batch_unref(&pairs->pub);
  return ok;
}

static hw_status take_aggregates(group_op *g, const batch *b, const batch *args, const uint32_t *ids, hw_error *err) {
  for (uint32_t i = 0; i < g->op.plan->n_aggregates; i++) {
    aggregation *a = &g->aggregations[i];
    const hw_column *c = g->args[i] ? &args->pub.columns[i] : NULL;
    if (!grow(a, g->op.m, g->n_groups)) return HW_ENOMEM;
    if (a->plan->distinct && !find_fresh(g, a, c, b, ids)) return HW_ENOMEM;
    hw_status st = take_column(g, a, c, &b->pub, ids, a->plan->distinct ? g->fresh : NULL, err);
    if (st != HW_OK) return st;
  }
  return HW_OK;
}

/* The numbers of the rows' groups; *ids NULL: all are in group 0. */
static hw_status take_keys(group_op *g, const batch *b, uint32_t **ids, hw_error *err) {
  const plan *p = g->op.plan;
  *ids = NULL;
  if (!p->n_exprs) return HW_OK;
  batch *keys = query_view(&g->op, b, &g->keys_schema);
  if (!keys) return HW_ENOMEM;
  hw_status st = query_evaluate(p->exprs, g->key_evs, p->n_exprs, b, keys, err);
  if (st == HW_OK && !query_set_add(&g->keys, &keys->pub, g->ids, NULL)) st = HW_ENOMEM;
  hw_batch_unref(&keys->pub);
  g->n_groups = query_rows_count(&g->keys.rows);
  *ids = g->ids;
  return st;
}

static bool make_room(group_op *g, uint32_t n) {
  if (n <= g->capacity) return true;
  free(g->ids);
  free(g->fresh);
  g->ids = malloc(n * sizeof *g->ids);
  g->fresh = malloc(n * sizeof *g->fresh);
  g->capacity = g->ids && g->fresh ? n : 0;
  return g->capacity > 0;
}

static query_next take(group_op *g, const batch *b, hw_error *err) {
  uint32_t *ids;
  batch *args = query_view(&g->op, b, &g->args_schema);
  hw_status st = args && make_room(g, hw_batch_count(&b->pub) + 1) ? HW_OK : HW_ENOMEM;
  if (st == HW_OK) st = query_evaluate(g->args, g->arg_evs, g->op.plan->n_aggregates, b, args, err);
  if (st == HW_OK) st = take_keys(g, b, &ids, err);
  if (st == HW_OK) st = take_aggregates(g, b, args, ids, err);
  if (args) hw_batch_unref(&args->pub);
  if (st == HW_ENOMEM) return query_no_memory(&g->op, err);
  return st == HW_OK ? QUERY_AGAIN : QUERY_FAILED;
}

/* ---- telling results --------------------------------------------------------------- */

static hw_int128 power_of_ten(unsigned n) {
  hw_int128 v = 1;
  while (n-- > 0) v *= 10;
  return v;
}

/* Half away from zero. */
static hw_int128 divide(hw_int128 v, hw_int128 by) {
  hw_int128 q = v / by, r = v % by;
  if (r < 0) r = -r;
  return r >= by - r ? q + (v < 0 ? -1 : 1) : q;
}

static bool fits(const hw_type *type, hw_int128 v) {
  if (type->id == HW_TYPE_BIGINT) return v >= INT64_MIN && v <= INT64_MAX;
  if (type->id == HW_TYPE_UBIGINT) return v >= 0 && v <= (hw_int128)UINT64_MAX;
  hw_int128 limit = power_of_ten(type->precision);
  return v > -limit && v < limit;
}

static hw_status tell_exact(const plan_aggregate *p, hw_int128 v, void *slot, hw_error *err) {
  if (!fits(&p->type, v)) return overflow(p, hw_type_name((hw_type_id)p->type.id), err);
  if (p->type.id == HW_TYPE_DECIMAL) *(hw_int128 *)slot = v;
  else *(uint64_t *)slot = (uint64_t)v;
  return HW_OK;
}

static hw_status tell_average(const plan_aggregate *p, const accumulator *acc, void *slot, hw_error *err) {
  hw_int128 sum = acc->u.sum;
  bool floating = p->arg->type.id == HW_TYPE_REAL || p->arg->type.id == HW_TYPE_DOUBLE;
  if (p->type.id == HW_TYPE_DECIMAL) {
    if (__builtin_mul_overflow(sum, power_of_ten((unsigned)(p->type.scale - p->arg->type.scale)), &sum))
      return overflow(p, "DECIMAL", err);
    return tell_exact(p, divide(sum, acc->rows), slot, err);
  }
  *(double *)slot = (floating ? acc->u.f64 : (double)sum) / (double)acc->rows;
  return HW_OK;
}

static hw_status tell(const plan_aggregate *p, const accumulator *acc, hw_column *c, uint32_t row, hw_error *err) {
  size_t width = hw_type_width((hw_type_id)p->type.id);
  void *slot = (char *)c->values + row * width;
  if (p->kind == AGGREGATE_COUNT) {
    *(int64_t *)slot = acc->rows;
    return HW_OK;
  }
  if (!acc->rows) return HW_OK; /* NULL */
  hw_column_set_valid(c, row);
  if (p->kind == AGGREGATE_AVG) return tell_average(p, acc, slot, err);
  if (p->kind == AGGREGATE_SUM && p->type.id != HW_TYPE_DOUBLE) return tell_exact(p, acc->u.sum, slot, err);
  memcpy(slot, acc->u.value, width); /* the extreme, or the sum of doubles */
  return HW_OK;
}

static hw_status tell_group(group_op *g, batch *to, uint64_t group, hw_error *err) {
  uint32_t n_keys = g->op.plan->n_exprs, row = to->pub.n_rows;
  for (uint32_t i = 0; i < g->op.plan->n_aggregates; i++) {
    const aggregation *a = &g->aggregations[i];
    static const accumulator none; /* of no row */
    const accumulator *acc = a->memory ? &accumulators(a)[group] : &none;
    hw_status st = tell(a->plan, acc, &to->pub.columns[n_keys + i], row, err);
    if (st != HW_OK) return st;
  }
  if (!n_keys) {
    to->pub.n_rows++;
    return HW_OK;
  }
  hw_batch keys = to->pub; /* its first columns; memory is not asked for */
  keys.n_columns = n_keys;
  (void)query_copy_row(&keys, &query_rows_chunk(&g->keys.rows, group)->pub, (uint32_t)(group % QUERY_CHUNK), 1, false);
  to->pub.n_rows = keys.n_rows;
  return HW_OK;
}

static query_next emit(group_op *g, batch **out, hw_error *err) {
  if (g->told == g->n_groups) return QUERY_END;
  uint64_t n = g->n_groups - g->told;
  batch *to = batch_new(g->op.m, &g->op.plan->schema, n < QUERY_CHUNK ? (uint32_t)n : QUERY_CHUNK);
  if (!to) return query_no_memory(&g->op, err);
  for (; to->pub.n_rows < QUERY_CHUNK && g->told < g->n_groups; g->told++) {
    if (tell_group(g, to, g->told, err) == HW_OK) continue;
    hw_batch_unref(&to->pub);
    return QUERY_FAILED;
  }
  *out = to;
  return QUERY_ROWS;
}

static query_next group_next(query_op *op, batch **out, hw_error *err) {
  group_op *g = (group_op *)op;
  batch *b;
  if (g->complete) return emit(g, out, err);
  query_next next = query_pull(op->inputs[0], &b, err);
  if (next == QUERY_ROWS) {
    next = take(g, b, err);
    hw_batch_unref(&b->pub);
  } else if (next == QUERY_END) {
    g->complete = true;
    next = QUERY_AGAIN;
  }
  return next;
}

/* ---- life ------------------------------------------------------------------------------- */

static bool open_aggregate(group_op *g, uint32_t i) {
  aggregation *a = &g->aggregations[i];
  a->plan = &g->op.plan->aggregates[i];
  g->args[i] = a->plan->arg;
  g->arg_fields[i] = (hw_field){.name = "", .type = a->plan->arg ? a->plan->arg->type : a->plan->type};
  if (!a->plan->distinct) return true;
  a->fields[0] = (hw_field){.name = "", .type = {.id = HW_TYPE_UINT}};
  a->fields[1] = g->arg_fields[i];
  a->schema = (hw_schema){.name = "", .n_fields = 2, .fields = a->fields};
  return query_set_init(&a->seen, g->op.m, &a->schema);
}

static hw_status group_open(query_op *op) {
  group_op *g = (group_op *)op;
  const plan *p = op->plan;
  uint32_t n = p->n_aggregates;
  g->n_groups = p->n_exprs ? 0 : 1;
  g->keys_schema = p->schema;
  g->keys_schema.n_fields = p->n_exprs;
  g->aggregations = calloc(n + 1, sizeof *g->aggregations);
  g->args = calloc(n + 1, sizeof *g->args);
  g->arg_fields = calloc(n + 1, sizeof *g->arg_fields);
  if (!g->aggregations || !g->args || !g->arg_fields) return HW_ENOMEM;
  g->args_schema = (hw_schema){.name = "", .n_fields = n, .fields = g->arg_fields};
  for (uint32_t i = 0; i < n; i++)
    if (!open_aggregate(g, i)) return HW_ENOMEM;
  g->key_evs = query_evaluators(p->exprs, p->n_exprs);
  g->arg_evs = query_evaluators(g->args, n);
  g->texts = batch_new(op->m, &g->args_schema, 0);
  bool ok = g->key_evs && g->arg_evs && g->texts && query_set_init(&g->keys, op->m, &g->keys_schema);
  return ok ? HW_OK : HW_ENOMEM;
}

static void group_close(query_op *op) {
  group_op *g = (group_op *)op;
  for (uint32_t i = 0; g->aggregations && i < op->plan->n_aggregates; i++) {
    block_unref(g->aggregations[i].memory);
    query_set_fini(&g->aggregations[i].seen);
  }
  query_set_fini(&g->keys);
  query_evaluators_free(g->key_evs, op->plan->n_exprs);
  query_evaluators_free(g->arg_evs, op->plan->n_aggregates);
  if (g->texts) hw_batch_unref(&g->texts->pub);
  free(g->aggregations);
  free(g->args);
  free(g->arg_fields);
  free(g->ids);
  free(g->fresh);
}

const query_op_kind query_op_group = {.size = sizeof(group_op), .open = group_open, .next = group_next,
                                      .close = group_close};

/* ---- DISTINCT ------------------------------------------------------------------------------ */

typedef struct distinct_op {
  query_op op;
  query_set seen;
} distinct_op;

static hw_status distinct_open(query_op *op) {
  return query_set_init(&((distinct_op *)op)->seen, op->m, &op->plan->schema) ? HW_OK : HW_ENOMEM;
}

static void distinct_close(query_op *op) { query_set_fini(&((distinct_op *)op)->seen); }

/* The rows of b that were not there before, each once. */
static query_next pass_fresh(query_op *op, const batch *b, batch *view, hw_error *err) {
  uint32_t n = hw_batch_count(&b->pub), n_out = 0;
  uint32_t *sel = hw_batch_alloc(&view->pub, (n + 1) * sizeof *sel);
  bool *fresh = sel ? hw_batch_alloc(&view->pub, n + 1) : NULL;
  if (!fresh || !query_set_add(&((distinct_op *)op)->seen, &b->pub, sel, fresh)) return query_no_memory(op, err);
  for (uint32_t i = 0; i < n; i++)
    if (fresh[i]) sel[n_out++] = hw_batch_row(&b->pub, i);
  memcpy(view->pub.columns, b->pub.columns, b->pub.n_columns * sizeof *b->pub.columns);
  view->pub.sel = sel;
  view->pub.n_sel = n_out;
  view->pub.weights = NULL;
  return n_out ? QUERY_ROWS : QUERY_AGAIN;
}

static query_next distinct_next(query_op *op, batch **out, hw_error *err) {
  return query_pull_view(op, pass_fresh, out, err);
}

const query_op_kind query_op_distinct = {.size = sizeof(distinct_op), .open = distinct_open, .next = distinct_next,
                                         .close = distinct_close};
