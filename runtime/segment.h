/* segment.h - some thousand rows of a store, column by column.
 *
 * DESIGN
 * A segment takes rows at its end until it is full; a row's values never change
 * afterwards, nor does its place. What may still change is when the row ended:
 * `until` is the number of the step that took it away, and whoever looks as of
 * an earlier step still sees it. Both `until` and `weights` are arrays that are
 * made when the first row needs them: rows that stay, of weight +1, cost neither.
 * The size of a segment is chosen so that its arrays just fill a block; strings
 * are copied into blocks of its own.
 *
 * A segment lives inside its batch and as long as that: lists hold references,
 * and so do the batches that readers were given.
 *
 * THREADS  The store's writer writes. Readers look at rows that were complete
 *          when they took their snapshot, under the lock that publishes them. Of
 *          these only `until` entries, words of validity bitmaps that are shared
 *          with later rows, and the two array pointers change: all are atomic. */
#ifndef RUNTIME_SEGMENT_H
#define RUNTIME_SEGMENT_H

#include "runtime/batch.h"

#include <assert.h>

#define SEGMENT_ROWS_SHIFT 12
#define SEGMENT_ROWS_MAX (1u << SEGMENT_ROWS_SHIFT)
#define SEGMENT_FOREVER UINT64_MAX

typedef struct segment {
  batch *rows;                /* values and strings; holds this struct too */
  _Atomic(block *) until;     /* uint64_t by row; NULL: no row has ended */
  _Atomic(block *) weights;   /* int64_t by row; NULL: each is +1 */
  uint32_t slot;              /* in the store's list */
  uint32_t n, capacity;       /* rows */
  uint32_t live;              /* of them, those that have not ended */
  uint64_t born;              /* the step that made it */
  bool sealed;                /* takes no more rows */
  bool sparse;                /* in the list of those to be emptied */
  struct segment *next;       /* in that list */
  uint64_t bytes;             /* of its blocks */
  uint32_t string_block;      /* bytes of the next block for strings */
} segment;

static_assert(BATCH_ROWS_MAX == SEGMENT_ROWS_MAX, "a segment's rows go into one batch");
static_assert(sizeof(_Atomic uint64_t) == sizeof(uint64_t), "bitmaps are read as plain words once they are complete");

/* An empty one for about `rows` rows, at least 64; NULL: no memory within the
 * budget. `strings`: bytes of strings it will probably need. */
segment *segment_new(mem *m, const hw_schema *schema, uint32_t rows, uint64_t strings);
static inline void segment_ref(segment *s) { (void)hw_batch_ref(&s->rows->pub); }
static inline void segment_unref(segment *s) { hw_batch_unref(&s->rows->pub); }

/* Copies the values of rows[0 .. n) (physical) of b to the places first .. of s,
 * of whose rows they are part already. False: no memory. */
bool segment_copy(segment *s, uint32_t first, const hw_batch *b, const uint32_t *rows, uint32_t n);

/* Ends a row / sets its weight. False: no memory. */
bool segment_end(segment *s, uint32_t row, uint64_t step);
bool segment_set_weight(segment *s, uint32_t row, int64_t weight);

static inline uint64_t segment_until(const segment *s, uint32_t row) {
  block *k = atomic_load_explicit(&((segment *)(uintptr_t)s)->until, memory_order_acquire);
  return k ? atomic_load_explicit(&((_Atomic uint64_t *)(void *)k->data)[row], memory_order_relaxed) : SEGMENT_FOREVER;
}
static inline int64_t segment_weight(const segment *s, uint32_t row) {
  block *k = atomic_load_explicit(&((segment *)(uintptr_t)s)->weights, memory_order_acquire);
  return k ? ((const int64_t *)(void *)k->data)[row] : 1;
}

#endif
