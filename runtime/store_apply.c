/* store_apply.c - changes of a relation without key: weights add up. */
#include "runtime/store_impl.h"

/* Whether only this step has seen the row. */
static bool is_new(const store *s, uint32_t id) {
  const segment *g = store_segment(s, id);
  return g->born == s->step || (g == s->published.tail && store_place(id) >= s->published.tail_n);
}

static bool change_weight(store *s, const index_cursor *c, const hw_batch *b, uint32_t row, int64_t weight) {
  segment *g = store_segment(s, c->row);
  uint32_t id = c->row;
  if (is_new(s, id)) {
    uint64_t before = g->bytes;
    bool ok = segment_set_weight(g, store_place(id), weight);
    s->segment_bytes += g->bytes - before;
    return ok;
  }
  if (!store_end(s, id) || !store_add(s, b, row, weight, &id)) return false;
  index_set(c, id);
  return true;
}

static hw_status apply_row(store *s, uint32_t hash, const hw_batch *b, uint32_t row) {
  int64_t weight = hw_batch_weight(b, row);
  if (weight == 0) return HW_OK;
  index_cursor c = store_find(s, hash, b, row);
  if (c.row == INDEX_NONE) {
    uint32_t id;
    return store_add(s, b, row, weight, &id) && index_insert(&s->index, hash, id) ? HW_OK : HW_ENOMEM;
  }
  if (__builtin_add_overflow(weight, segment_weight(store_segment(s, c.row), store_place(c.row)), &weight))
    return HW_ERANGE;
  if (weight) return change_weight(s, &c, b, row, weight) ? HW_OK : HW_ENOMEM;
  uint32_t id = c.row;
  index_remove(&c);
  return store_end(s, id) ? HW_OK : HW_ENOMEM;
}

static hw_status apply_chunk(store *s, const hw_batch *b, const uint32_t *rows, uint32_t n) {
  const uint32_t *hashes = s->scratch->hashes;
  store_hash(s, b, rows, n);
  for (uint32_t i = 0; i < n && i < STORE_AHEAD; i++) index_prefetch(&s->index, hashes[i]);
  for (uint32_t i = 0; i < n; i++) {
    if (i + STORE_AHEAD < n) index_prefetch(&s->index, hashes[i + STORE_AHEAD]);
    if (i + STORE_AHEAD / 2 < n) store_prefetch(s, hashes[i + STORE_AHEAD / 2]);
    hw_status st = apply_row(s, hashes[i], b, rows[i]);
    if (st != HW_OK) return st;
  }
  return HW_OK;
}

static hw_status add_chunk(store *s, const hw_batch *b, const uint32_t *rows, uint32_t n) {
  uint32_t id;
  for (uint32_t i = 0; i < n; i++)
    if (!store_add(s, b, rows[i], hw_batch_weight(b, rows[i]), &id)) return HW_ENOMEM;
  return HW_OK;
}

hw_status store_apply(store *s, const hw_batch *b, uint64_t step) {
  store_begin(s, step);
  uint32_t *rows = s->scratch->rows;
  hw_status st = HW_OK;
  for (uint32_t i = 0, count = hw_batch_count(b), n; st == HW_OK && i < count; i += n) {
    n = count - i < STORE_CHUNK ? count - i : STORE_CHUNK;
    for (uint32_t k = 0; k < n; k++) rows[k] = hw_batch_row(b, i + k);
    st = s->adds_only ? add_chunk(s, b, rows, n) : apply_chunk(s, b, rows, n);
  }
  if (!store_flush(s) && st == HW_OK) st = HW_ENOMEM;
  return st;
}
