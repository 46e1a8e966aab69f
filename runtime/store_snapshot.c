/* store_snapshot.c - the readers' side of stores, see store.h.
 *
 * DESIGN
 * A piece is what one segment holds: a view batch over the segment's arrays with
 * a selection of the rows that were there at the end of the step. Where later
 * rows may be written beside them, bitmap words are shared with those, so the
 * view gets a copy of its own; all else is read where it is. */
#include "runtime/store_impl.h"

#include <stdlib.h>

typedef struct part {
  const hw_schema *schema;
  segment_list *list;
  uint32_t n_slots;
  const segment *tail;
  uint32_t tail_n;
  uint64_t rows;
  batch **made; /* no relation of a store: its pieces, n_slots of them */
} part;

struct store_snapshot {
  program *program; /* has the schemas */
  uint64_t step;
  uint32_t n;
  part parts[];
};

/* ---- taking -------------------------------------------------------------- */

store_snapshot *store_snapshot_new(program *p, uint32_t n) {
  store_snapshot *s = calloc(1, sizeof *s + n * sizeof(part));
  if (!s) return NULL;
  s->program = program_ref(p);
  s->n = n;
  return s;
}

void store_snapshot_add(store_snapshot *s, uint32_t i, const store *from) {
  const store_published *p = &from->published;
  /* Relaxed: under the lock. */
  atomic_fetch_add_explicit(&p->list->refs, 1, memory_order_relaxed);
  s->parts[i] = (part){.schema = &from->relation->schema, .list = p->list, .n_slots = p->list->n,
                       .tail = p->tail, .tail_n = p->tail_n, .rows = p->rows};
}

void store_snapshot_set_rows(store_snapshot *s, uint32_t i, const hw_schema *schema, batch **pieces, uint32_t n) {
  s->parts[i] = (part){.schema = schema, .made = pieces, .n_slots = n};
  for (uint32_t k = 0; k < n; k++) s->parts[i].rows += hw_batch_count(&pieces[k]->pub);
}

void store_snapshot_set_step(store_snapshot *s, uint64_t step) { s->step = step; }

void store_snapshot_free(store_snapshot *s) {
  if (!s) return;
  for (uint32_t i = 0; i < s->n; i++) {
    part *p = &s->parts[i];
    segment_list_unref(p->list);
    for (uint32_t k = 0; p->made && k < p->n_slots; k++) hw_batch_unref(&p->made[k]->pub);
    free(p->made);
  }
  program_unref(s->program);
  free(s);
}

/* ---- reading ------------------------------------------------------------- */

uint64_t store_snapshot_step(const store_snapshot *s) { return s->step; }
const hw_schema *store_snapshot_schema(const store_snapshot *s, uint32_t i) { return s->parts[i].schema; }
uint64_t store_snapshot_rows(const store_snapshot *s, uint32_t i) { return s->parts[i].rows; }
uint32_t store_snapshot_pieces(const store_snapshot *s, uint32_t i) { return s->parts[i].n_slots; }

/* The rows of g that had not ended: all, or a selection. False: no memory. */
static bool select_rows(batch *v, const segment *g, uint32_t n, uint64_t step) {
  if (!atomic_load_explicit(&((segment *)(uintptr_t)g)->until, memory_order_acquire)) return true;
  uint32_t *sel = batch_new_sel(v, n), n_sel = 0;
  if (!sel) return false;
  for (uint32_t row = 0; row < n; row++)
    if (segment_until(g, row) > step) sel[n_sel++] = row;
  hw_batch_trim(&v->pub, (n - n_sel) * sizeof *sel);
  v->pub.sel = sel;
  v->pub.n_sel = n_sel;
  return true;
}

static bool copy_validity(batch *v, uint32_t n) {
  uint32_t words = (n + 63) / 64;
  for (uint32_t f = 0; f < v->pub.n_columns; f++) {
    const _Atomic uint64_t *from = (const _Atomic uint64_t *)v->pub.columns[f].validity;
    if (!from) continue;
    uint64_t *to = hw_batch_alloc(&v->pub, words * sizeof *to);
    if (!to) return false;
    /* Relaxed: see copy_validity in segment.c. */
    for (uint32_t w = 0; w < words; w++) to[w] = atomic_load_explicit(&from[w], memory_order_relaxed);
    v->pub.columns[f].validity = to;
  }
  return true;
}

static bool fill_view(batch *v, const segment *g, uint32_t n, uint64_t step) {
  for (uint32_t f = 0; f < v->pub.n_columns; f++) v->pub.columns[f] = g->rows->pub.columns[f];
  v->pub.n_rows = v->pub.capacity = n;
  if (!select_rows(v, g, n, step)) return false;
  if (n < g->capacity && !copy_validity(v, n)) return false;
  block *weights = atomic_load_explicit(&((segment *)(uintptr_t)g)->weights, memory_order_acquire);
  if (weights) v->pub.weights = (int64_t *)(void *)weights->data;
  return true;
}

hw_status store_snapshot_piece(const store_snapshot *s, uint32_t i, uint32_t k, hw_batch **out) {
  const part *p = &s->parts[i];
  if (p->made) {
    *out = hw_batch_ref(&p->made[k]->pub);
    return HW_OK;
  }
  const segment *g = k < p->n_slots ? p->list->items[k] : NULL;
  *out = NULL;
  if (!g || g->born > s->step) return HW_OK;
  uint32_t n = g == p->tail ? p->tail_n : g->n;
  batch *v = batch_new_view(g->rows, p->schema);
  if (!v) return HW_ENOMEM;
  bool ok = fill_view(v, g, n, s->step);
  if (ok && hw_batch_count(&v->pub)) {
    v->step = s->step;
    v->held = batch_bytes(v);
    *out = &v->pub;
    return HW_OK;
  }
  hw_batch_unref(&v->pub);
  return ok ? HW_OK : HW_ENOMEM;
}
