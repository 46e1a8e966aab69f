/* query_sort.c - ORDER BY: sorted runs of 1,024 rows, merged as they are asked for. */
#include "runtime/query_op.h"

#include <stdlib.h>
#include <string.h>

#define KEEP_FACTOR 4u /* with a LIMIT: how many times as many rows are kept before they are thinned out */

/* A chunk's rows in order. */
typedef struct run {
  const hw_batch *rows;
  const uint32_t *order;
  uint32_t at; /* of the next row */
} run;

typedef struct sort_op {
  query_op op;
  query_rows rows;
  uint32_t n_ordered; /* chunks that are runs */
  bool sorted;
  run *runs;
  uint32_t *heap, n_heap; /* runs with rows left, the one with the first row on top */
} sort_op;

/* ---- order ------------------------------------------------------------------- */

static int compare_key(const plan_key *key, hw_type_id id, const hw_batch *a, uint32_t i, const hw_batch *b,
                       uint32_t k) {
  const hw_column *x = &a->columns[key->column], *y = &b->columns[key->column];
  bool x_valid = hw_column_valid(x, i), y_valid = hw_column_valid(y, k);
  if (!x_valid || !y_valid) return key->nulls_first ? x_valid - y_valid : y_valid - x_valid;
  size_t width = hw_type_width(id);
  int c = query_compare(id, (const char *)x->values + i * width, (const char *)y->values + k * width);
  return key->descending ? -c : c;
}

static int compare_rows(const plan *p, const hw_batch *a, uint32_t i, const hw_batch *b, uint32_t k) {
  for (uint32_t n = 0; n < p->n_keys; n++) {
    hw_type_id id = (hw_type_id)p->schema.fields[p->keys[n].column].type.id;
    int c = compare_key(&p->keys[n], id, a, i, b, k);
    if (c) return c;
  }
  return 0;
}

typedef struct context {
  const plan *plan;
  const hw_batch *rows;
} context;

/* Rows that are alike stay as they came. */
static int compare_in_chunk(const void *a, const void *b, void *arg) {
  const context *c = arg;
  uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
  int order = compare_rows(c->plan, c->rows, i, c->rows, k);
  return order ? order : (i > k) - (i < k);
}

/* ---- runs --------------------------------------------------------------------- */

/* Sorts a chunk: its order is kept in the chunk's own memory, found by `sel`. */
static bool order_chunk(sort_op *s, batch *chunk) {
  uint32_t n = chunk->pub.n_rows;
  uint32_t *order = hw_batch_alloc(&chunk->pub, n * sizeof *order);
  if (!order) return false;
  for (uint32_t i = 0; i < n; i++) order[i] = i;
  context c = {.plan = s->op.plan, .rows = &chunk->pub};
  qsort_r(order, n, sizeof *order, compare_in_chunk, &c);
  chunk->pub.sel = order;
  chunk->pub.n_sel = n;
  return true;
}

/* Full chunks, or all. */
static bool order_chunks(sort_op *s, bool all) {
  for (; s->n_ordered < s->rows.n_chunks; s->n_ordered++) {
    batch *chunk = s->rows.chunks[s->n_ordered];
    if (!all && chunk->pub.n_rows < QUERY_CHUNK) break;
    if (!order_chunk(s, chunk)) return false;
  }
  return true;
}

/* ---- merging -------------------------------------------------------------------- */

static bool before(const sort_op *s, uint32_t a, uint32_t b) {
  const run *x = &s->runs[a], *y = &s->runs[b];
  int c = compare_rows(s->op.plan, x->rows, x->order[x->at], y->rows, y->order[y->at]);
  return c ? c < 0 : a < b;
}

static void sink(sort_op *s, uint32_t i) {
  for (;;) {
    uint32_t first = i, left = 2 * i + 1, right = left + 1;
    if (left < s->n_heap && before(s, s->heap[left], s->heap[first])) first = left;
    if (right < s->n_heap && before(s, s->heap[right], s->heap[first])) first = right;
    if (first == i) return;
    uint32_t moved = s->heap[i];
    s->heap[i] = s->heap[first];
    s->heap[first] = moved;
    i = first;
  }
}

static void forget_runs(sort_op *s) {
  free(s->runs);
  free(s->heap);
  s->runs = NULL;
  s->heap = NULL;
  s->n_heap = 0;
}

static bool begin_merge(sort_op *s) {
  uint32_t n = s->rows.n_chunks;
  s->runs = calloc(n + 1, sizeof *s->runs);
  s->heap = calloc(n + 1, sizeof *s->heap);
  if (!s->runs || !s->heap) return false;
  for (uint32_t i = 0; i < n; i++) {
    const hw_batch *chunk = &s->rows.chunks[i]->pub;
    s->runs[i] = (run){.rows = chunk, .order = chunk->sel};
    s->heap[i] = i;
  }
  s->n_heap = n;
  for (uint32_t i = n / 2; i-- > 0;) sink(s, i);
  return true;
}

/* The next row in order; false: none is left. */
static bool next_row(sort_op *s, const hw_batch **b, uint32_t *row) {
  if (!s->n_heap) return false;
  run *r = &s->runs[s->heap[0]];
  *b = r->rows;
  *row = r->order[r->at++];
  if (r->at == r->rows->n_rows) s->heap[0] = s->heap[--s->n_heap];
  sink(s, 0);
  return true;
}

/* ---- with a LIMIT ------------------------------------------------------------------ */

/* Keeps the first rows only, as many as are wanted. */
static bool thin_out(sort_op *s) {
  query_rows kept;
  query_rows_init(&kept, s->rows.m, s->rows.schema);
  const hw_batch *b;
  uint32_t row;
  bool ok = order_chunks(s, true) && begin_merge(s);
  for (uint64_t left = s->op.plan->limit; ok && left > 0 && next_row(s, &b, &row);) {
    uint64_t weight = (uint64_t)hw_batch_weight(b, row);
    if (weight > left) weight = left;
    left -= weight;
    ok = query_rows_add(&kept, b, row, (int64_t)weight);
  }
  forget_runs(s);
  query_rows_fini(&s->rows);
  s->rows = kept;
  s->n_ordered = 0;
  return ok;
}

static bool is_time_to_thin(const sort_op *s) {
  uint64_t n = query_rows_count(&s->rows), most = s->op.plan->limit;
  return most < UINT64_MAX / KEEP_FACTOR && n > KEEP_FACTOR * most && n > KEEP_FACTOR * QUERY_CHUNK;
}

/* ---- the step ------------------------------------------------------------------------ */

static query_next take(sort_op *s, const hw_batch *b, hw_error *err) {
  uint32_t n = hw_batch_count(b);
  for (uint32_t i = 0; i < n; i++) {
    uint32_t row = hw_batch_row(b, i);
    if (!query_rows_add(&s->rows, b, row, hw_batch_weight(b, row))) return query_no_memory(&s->op, err);
  }
  bool ok = is_time_to_thin(s) ? thin_out(s) : order_chunks(s, false);
  return ok ? QUERY_AGAIN : query_no_memory(&s->op, err);
}

static query_next emit(sort_op *s, batch **out, hw_error *err) {
  const hw_batch *b;
  uint32_t row;
  if (!s->n_heap) return QUERY_END;
  batch *to = batch_new(s->op.m, &s->op.plan->schema, QUERY_CHUNK);
  if (!to) return query_no_memory(&s->op, err);
  while (to->pub.n_rows < QUERY_CHUNK && next_row(s, &b, &row))
    (void)query_copy_row(&to->pub, b, row, hw_batch_weight(b, row), false); /* shallow: needs no memory */
  *out = to;
  return QUERY_ROWS;
}

static query_next sort_next(query_op *op, batch **out, hw_error *err) {
  sort_op *s = (sort_op *)op;
  batch *b;
  if (s->sorted) return emit(s, out, err);
  query_next next = query_pull(op->inputs[0], &b, err);
  if (next == QUERY_ROWS) {
    next = take(s, &b->pub, err);
    hw_batch_unref(&b->pub);
  } else if (next == QUERY_END) {
    s->sorted = true;
    next = order_chunks(s, true) && begin_merge(s) ? QUERY_AGAIN : query_no_memory(op, err);
  }
  return next;
}

static hw_status sort_open(query_op *op) {
  query_rows_init(&((sort_op *)op)->rows, op->m, &op->plan->schema);
  return HW_OK;
}

static void sort_close(query_op *op) {
  forget_runs((sort_op *)op);
  query_rows_fini(&((sort_op *)op)->rows);
}

const query_op_kind query_op_sort = {.size = sizeof(sort_op), .open = sort_open, .next = sort_next,
                                     .close = sort_close};
