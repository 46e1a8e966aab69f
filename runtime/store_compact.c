/* store_compact.c - empties segments of which little is left. */
#include "runtime/store_impl.h"

#include <assert.h>

#define MOVES_LEAST 4096u /* rows moved per commit, where there are so many to move */

/* Up to STORE_CHUNK rows of g that have not ended, from the last down: a row
 * that was moved is found no more. */
static uint32_t pick(const segment *g, uint32_t *rows) {
  uint32_t n = 0, want = g->live < STORE_CHUNK ? g->live : STORE_CHUNK;
  for (uint32_t row = g->n; n < want && row-- > 0;)
    if (segment_until(g, row) == SEGMENT_FOREVER) rows[n++] = row;
  return n;
}

static bool move(store *s, segment *g, uint32_t hash, uint32_t row) {
  uint32_t old = g->slot << SEGMENT_ROWS_SHIFT | row, id;
  index_cursor c = index_find(&s->index, hash);
  while (c.row != old) {
    assert(c.row != INDEX_NONE); /* every row that has not ended is in the index */
    index_next(&c, hash);
  }
  if (!store_add(s, &g->rows->pub, row, segment_weight(g, row), &id)) return false;
  index_set(&c, id);
  return store_end(s, old);
}

bool store_compact(store *s) {
  uint64_t budget = 2 * s->ended > MOVES_LEAST ? 2 * s->ended : MOVES_LEAST;
  uint32_t *rows = s->scratch->rows;
  while (s->sparse) {
    segment *g = s->sparse;
    for (uint32_t n; g->live && budget; budget -= n < budget ? n : budget) {
      n = pick(g, rows);
      store_hash(s, &g->rows->pub, rows, n);
      for (uint32_t i = 0; i < n; i++)
        if (!move(s, g, s->scratch->hashes[i], rows[i])) return false;
      if (!store_flush(s)) return false;
    }
    if (g->live) return true;
    /* What was moved may have put others before it. */
    segment **at = &s->sparse;
    while (*at != g) at = &(*at)->next;
    *at = g->next;
    g->next = s->emptied;
    s->emptied = g;
  }
  return true;
}
