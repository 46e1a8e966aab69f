/* query_exec.c - scans, filters, projections, limits; see query_exec.h. */
#include "runtime/query_op.h"

#include <stdlib.h>
#include <string.h>

#define COPIES_MAX 4096 /* rows that a batch may stand for */

struct query_exec {
  query_op *root;
  batch *current; /* whose rows stand for more; NULL: none */
  uint32_t at;    /* of its rows, the next to be handed out ... */
  int64_t left;   /* ... and how many times yet; 0: not begun */
};

/* ---- helpers of all steps --------------------------------------------------- */

query_next query_pull(query_op *op, batch **out, hw_error *err) {
  *out = NULL;
  return op->kind->next(op, out, err);
}

query_next query_no_memory(query_op *op, hw_error *err) {
  hw_error_code(err, HW_ELIMIT, "AdHocQueryError",
                "this query needs more memory than there is (%llu MiB for all queries together): narrow it with WHERE, "
                "GROUP BY or LIMIT, or wait for others to end",
                (unsigned long long)(op->m->limit >> 20));
  return QUERY_FAILED;
}

batch *query_view(query_op *op, const batch *parent, const hw_schema *schema) {
  batch *b = batch_new(op->m, schema, 0);
  if (!b) return NULL;
  b->pub.n_rows = b->pub.capacity = parent->pub.n_rows;
  b->pub.sel = parent->pub.sel;
  b->pub.n_sel = parent->pub.n_sel;
  b->pub.weights = parent->pub.weights;
  b->parent = (const batch *)hw_batch_ref(&parent->pub);
  return b;
}

hw_status query_explain(eval_error *why, const hw_batch *b, hw_error *err) {
  if (why->error.status == HW_ENOMEM || !why->at)
    return hw_error_code(err, HW_ELIMIT, "AdHocQueryError", "no memory within the limit to evaluate an expression");
  eval_error_show_row(why, b);
  return hw_error_code(err, HW_EEVAL, "AdHocQueryError", "%s, in `%.200s` at line %d, column %d%s%s",
                       why->error.message, why->at->text, why->at->line, why->at->column,
                       why->row_text[0] ? ", where " : "", why->row_text);
}

evaluator **query_evaluators(const expr *const *exprs, uint32_t n) {
  evaluator **evs = calloc(n + 1, sizeof *evs);
  for (uint32_t i = 0; evs && i < n; i++) {
    if (!exprs[i] || exprs[i]->op == EXPR_COLUMN || (evs[i] = evaluator_new(exprs[i], NULL))) continue;
    query_evaluators_free(evs, n);
    return NULL;
  }
  return evs;
}

void query_evaluators_free(evaluator **evs, uint32_t n) {
  for (uint32_t i = 0; evs && i < n; i++) evaluator_free(evs[i]);
  free(evs);
}

hw_status query_evaluate(const expr *const *exprs, evaluator **evs, uint32_t n, const batch *b, batch *into,
                         hw_error *err) {
  for (uint32_t i = 0; i < n; i++) {
    eval_error why = {0};
    if (!exprs[i]) continue;
    if (!evs[i]) {
      into->pub.columns[i] = b->pub.columns[exprs[i]->index];
      continue;
    }
    hw_status st = evaluator_run(evs[i], &b->pub, b->pub.sel, hw_batch_count(&b->pub), &into->pub,
                                 &into->pub.columns[i], &why);
    if (st != HW_OK) return query_explain(&why, &b->pub, err);
  }
  return HW_OK;
}

/* ---- VALUES ------------------------------------------------------------------- */

typedef struct values_op {
  query_op op;
  uint32_t at;
} values_op;

/* One constant, as the column's i-th value. */
static hw_status put_constant(const expr *e, hw_batch *b, uint32_t column, hw_error *err) {
  const hw_batch nothing = {.n_rows = 1, .capacity = 1};
  hw_column *to = &b->columns[column], c;
  eval_error why = {0};
  evaluator *ev = evaluator_new(e, NULL);
  if (!ev) return hw_error_set(err, HW_ENOMEM, "no memory");
  hw_status st = evaluator_run(ev, &nothing, NULL, 1, b, &c, &why);
  evaluator_free(ev);
  if (st != HW_OK) return query_explain(&why, &nothing, err);
  if (!hw_column_valid(&c, 0)) return HW_OK;
  size_t width = hw_type_width((hw_type_id)e->type.id);
  memcpy((char *)to->values + b->n_rows * width, c.values, width);
  hw_column_set_valid(to, b->n_rows);
  return HW_OK;
}

static query_next values_next(query_op *op, batch **out, hw_error *err) {
  values_op *v = (values_op *)op;
  const plan *p = op->plan;
  uint32_t width = p->schema.n_fields, n = p->n_rows - v->at;
  if (n == 0) return QUERY_END;
  if (n > QUERY_CHUNK) n = QUERY_CHUNK;
  batch *b = batch_new(op->m, &p->schema, n);
  if (!b) return query_no_memory(op, err);
  for (; n > 0; n--, v->at++, b->pub.n_rows++) {
    for (uint32_t i = 0; i < width; i++) {
      if (put_constant(p->values[(size_t)v->at * width + i], &b->pub, i, err) == HW_OK) continue;
      hw_batch_unref(&b->pub);
      return QUERY_FAILED;
    }
  }
  *out = b;
  return QUERY_ROWS;
}

/* ---- SCAN ---------------------------------------------------------------------- */

typedef struct scan_op {
  query_op op;
  uint32_t piece;
} scan_op;

/* Leaves out rows of weight below 1. Takes b's reference. */
static batch *leave_out_deleted(query_op *op, batch *b) {
  uint32_t n = hw_batch_count(&b->pub), kept = 0;
  for (uint32_t i = 0; b->pub.weights && i < n; i++) kept += b->pub.weights[hw_batch_row(&b->pub, i)] > 0;
  if (!b->pub.weights || kept == n) return b;
  batch *view = query_view(op, b, b->pub.schema);
  uint32_t *sel = view ? hw_batch_alloc(&view->pub, (kept + 1) * sizeof *sel) : NULL;
  if (sel) {
    memcpy(view->pub.columns, b->pub.columns, b->pub.n_columns * sizeof *b->pub.columns);
    view->pub.n_sel = 0;
    for (uint32_t i = 0; i < n; i++) {
      uint32_t row = hw_batch_row(&b->pub, i);
      if (b->pub.weights[row] > 0) sel[view->pub.n_sel++] = row;
    }
    view->pub.sel = sel;
  } else if (view) {
    hw_batch_unref(&view->pub);
    view = NULL;
  }
  hw_batch_unref(&b->pub);
  return view;
}

static query_next scan_next(query_op *op, batch **out, hw_error *err) {
  scan_op *s = (scan_op *)op;
  hw_batch *b;
  if (s->piece == store_snapshot_pieces(op->sources, op->plan->source)) return QUERY_END;
  if (store_snapshot_piece(op->sources, op->plan->source, s->piece++, &b) != HW_OK) return query_no_memory(op, err);
  if (!b) return QUERY_AGAIN;
  *out = leave_out_deleted(op, batch_of(b));
  return *out ? QUERY_ROWS : query_no_memory(op, err);
}

/* ---- FILTER ----------------------------------------------------------------------- */

typedef struct filter_op {
  query_op op;
  evaluator *ev;
} filter_op;

static hw_status filter_open(query_op *op) {
  filter_op *f = (filter_op *)op;
  f->ev = evaluator_new(op->plan->filter, NULL);
  return f->ev ? HW_OK : HW_ENOMEM;
}

static void filter_close(query_op *op) { evaluator_free(((filter_op *)op)->ev); }

/* *view: of the rows of b that pass. */
static query_next filter_batch(query_op *op, const batch *b, batch *view, hw_error *err) {
  eval_error why = {0};
  uint32_t n = hw_batch_count(&b->pub), n_out = 0;
  uint32_t *sel = hw_batch_alloc(&view->pub, (n + 1) * sizeof *sel);
  if (!sel) return query_no_memory(op, err);
  if (evaluator_filter(((filter_op *)op)->ev, &b->pub, b->pub.sel, n, sel, &n_out, &why) != HW_OK) {
    (void)query_explain(&why, &b->pub, err);
    return QUERY_FAILED;
  }
  memcpy(view->pub.columns, b->pub.columns, b->pub.n_columns * sizeof *b->pub.columns);
  view->pub.sel = sel;
  view->pub.n_sel = n_out;
  return n_out ? QUERY_ROWS : QUERY_AGAIN;
}

query_next query_pull_view(query_op *op, query_make_view *make, batch **out, hw_error *err) {
  batch *b;
  query_next next = query_pull(op->inputs[0], &b, err);
  if (next != QUERY_ROWS) return next;
  batch *view = query_view(op, b, &op->plan->schema);
  next = view ? make(op, b, view, err) : query_no_memory(op, err);
  hw_batch_unref(&b->pub);
  if (next == QUERY_ROWS) *out = view;
  else if (view) hw_batch_unref(&view->pub);
  return next;
}

static query_next filter_next(query_op *op, batch **out, hw_error *err) {
  return query_pull_view(op, filter_batch, out, err);
}

/* ---- PROJECT -------------------------------------------------------------------------- */

typedef struct project_op {
  query_op op;
  evaluator **evs;
} project_op;

static hw_status project_open(query_op *op) {
  project_op *p = (project_op *)op;
  p->evs = query_evaluators(op->plan->exprs, op->plan->n_exprs);
  return p->evs ? HW_OK : HW_ENOMEM;
}

static void project_close(query_op *op) { query_evaluators_free(((project_op *)op)->evs, op->plan->n_exprs); }

static query_next project_batch(query_op *op, const batch *b, batch *view, hw_error *err) {
  const plan *p = op->plan;
  hw_status st = query_evaluate(p->exprs, ((project_op *)op)->evs, p->n_exprs, b, view, err);
  return st == HW_OK ? QUERY_ROWS : QUERY_FAILED;
}

static query_next project_next(query_op *op, batch **out, hw_error *err) {
  return query_pull_view(op, project_batch, out, err);
}

/* ---- LIMIT ------------------------------------------------------------------------------ */

typedef struct limit_op {
  query_op op;
  uint64_t skip, left;
} limit_op;

static hw_status limit_open(query_op *op) {
  limit_op *l = (limit_op *)op;
  l->skip = op->plan->offset;
  l->left = op->plan->limit;
  return HW_OK;
}

/* How many of the w rows that a row stands for are let pass. */
static int64_t pass(limit_op *l, int64_t w) {
  uint64_t n = (uint64_t)w, skipped = n < l->skip ? n : l->skip;
  l->skip -= skipped;
  n -= skipped;
  if (n > l->left) n = l->left;
  if (l->op.plan->limit != PLAN_NO_LIMIT) l->left -= n;
  return (int64_t)n;
}

static query_next limit_batch(query_op *op, const batch *b, batch *view, hw_error *err) {
  uint32_t n = hw_batch_count(&b->pub), n_out = 0;
  uint32_t *sel = hw_batch_alloc(&view->pub, (n + 1) * sizeof *sel);
  int64_t *weights = sel ? hw_batch_alloc(&view->pub, (b->pub.n_rows + 1) * sizeof *weights) : NULL;
  if (!weights) return query_no_memory(op, err);
  memcpy(view->pub.columns, b->pub.columns, b->pub.n_columns * sizeof *b->pub.columns);
  for (uint32_t i = 0; i < n; i++) {
    uint32_t row = hw_batch_row(&b->pub, i);
    weights[row] = pass((limit_op *)op, hw_batch_weight(&b->pub, row));
    if (weights[row]) sel[n_out++] = row;
  }
  view->pub.sel = sel;
  view->pub.n_sel = n_out;
  view->pub.weights = weights;
  return n_out ? QUERY_ROWS : QUERY_AGAIN;
}

static query_next limit_next(query_op *op, batch **out, hw_error *err) {
  if (((limit_op *)op)->left == 0) return QUERY_END;
  return query_pull_view(op, limit_batch, out, err);
}

/* ---- UNION --------------------------------------------------------------------------------- */

typedef struct union_op {
  query_op op;
  uint32_t at;
} union_op;

static query_next union_next(query_op *op, batch **out, hw_error *err) {
  union_op *u = (union_op *)op;
  if (u->at == op->plan->n_inputs) return QUERY_END;
  query_next next = query_pull(op->inputs[u->at], out, err);
  if (next != QUERY_END) return next;
  u->at++;
  return QUERY_AGAIN;
}

/* ---- the whole -------------------------------------------------------------------------------- */

static const query_op_kind op_values = {.size = sizeof(values_op), .next = values_next};
static const query_op_kind op_scan = {.size = sizeof(scan_op), .next = scan_next};
static const query_op_kind op_filter = {.size = sizeof(filter_op), .open = filter_open, .next = filter_next,
                                        .close = filter_close};
static const query_op_kind op_project = {.size = sizeof(project_op), .open = project_open, .next = project_next,
                                         .close = project_close};
static const query_op_kind op_limit = {.size = sizeof(limit_op), .open = limit_open, .next = limit_next};
static const query_op_kind op_union = {.size = sizeof(union_op), .next = union_next};

static const query_op_kind *const kinds[] = {
    [PLAN_VALUES] = &op_values, [PLAN_SCAN] = &op_scan,         [PLAN_FILTER] = &op_filter,
    [PLAN_PROJECT] = &op_project, [PLAN_GROUP] = &query_op_group, [PLAN_DISTINCT] = &query_op_distinct,
    [PLAN_SORT] = &query_op_sort, [PLAN_LIMIT] = &op_limit,       [PLAN_UNION] = &op_union,
};

static void op_free(query_op *op) {
  if (!op) return;
  if (op->kind->close) op->kind->close(op);
  for (uint32_t i = 0; op->inputs && i < op->plan->n_inputs; i++) op_free(op->inputs[i]);
  free(op->inputs);
  free(op);
}

static query_op *op_new(const plan *p, const store_snapshot *sources, mem *m) {
  query_op *op = calloc(1, kinds[p->kind]->size);
  if (!op) return NULL;
  *op = (query_op){.kind = kinds[p->kind], .plan = p, .m = m, .sources = sources};
  op->inputs = calloc(p->n_inputs + 1, sizeof(query_op *));
  bool ok = op->inputs != NULL;
  for (uint32_t i = 0; ok && i < p->n_inputs; i++) ok = (op->inputs[i] = op_new(p->inputs[i], sources, m)) != NULL;
  if (ok && (!op->kind->open || op->kind->open(op) == HW_OK)) return op;
  op_free(op);
  return NULL;
}

query_exec *query_exec_new(const plan *root, const store_snapshot *sources, mem *m) {
  query_exec *x = calloc(1, sizeof *x);
  if (!x) return NULL;
  x->root = op_new(root, sources, m);
  if (x->root) return x;
  free(x);
  return NULL;
}

/* ---- rows that stand for many ---------------------------------------------------- */

static bool is_heavy(const hw_batch *b) {
  int64_t copies = 0;
  for (uint32_t i = 0; b->weights && i < hw_batch_count(b); i++) {
    if (__builtin_add_overflow(copies, b->weights[hw_batch_row(b, i)], &copies) || copies > COPIES_MAX) return true;
  }
  return false;
}

/* The next rows of the heavy batch, standing for at most COPIES_MAX. */
static query_next take_copies(query_exec *x, batch **out, hw_error *err) {
  const hw_batch *b = &x->current->pub;
  uint32_t n = hw_batch_count(b);
  batch *view = query_view(x->root, x->current, b->schema);
  uint32_t *sel = view ? hw_batch_alloc(&view->pub, (n + 1) * sizeof *sel) : NULL;
  int64_t *weights = sel ? hw_batch_alloc(&view->pub, (b->n_rows + 1) * sizeof *weights) : NULL;
  if (!weights) {
    if (view) hw_batch_unref(&view->pub);
    return query_no_memory(x->root, err);
  }
  memcpy(view->pub.columns, b->columns, b->n_columns * sizeof *b->columns);
  view->pub.n_sel = 0;
  for (int64_t room = COPIES_MAX; room > 0 && x->at < n;) {
    uint32_t row = hw_batch_row(b, x->at);
    if (!x->left) x->left = hw_batch_weight(b, row);
    weights[row] = x->left < room ? x->left : room;
    sel[view->pub.n_sel++] = row;
    x->left -= weights[row];
    room -= weights[row];
    if (!x->left) x->at++;
  }
  view->pub.sel = sel;
  view->pub.weights = weights;
  *out = view;
  return QUERY_ROWS;
}

static void end_copies(query_exec *x) {
  if (x->current) hw_batch_unref(&x->current->pub);
  x->current = NULL;
}

query_next query_exec_next(query_exec *x, batch **out, hw_error *err) {
  if (x->current && x->at == hw_batch_count(&x->current->pub)) end_copies(x);
  if (x->current) return take_copies(x, out, err);
  query_next next = query_pull(x->root, out, err);
  if (next != QUERY_ROWS || !is_heavy(&(*out)->pub)) return next;
  x->current = *out;
  x->at = 0;
  x->left = 0;
  return take_copies(x, out, err);
}

void query_exec_free(query_exec *x) {
  if (!x) return;
  end_copies(x);
  op_free(x->root);
  free(x);
}
