/* batch.h - how batches are made and kept (the inside of types.h).
 *
 * DESIGN
 * A batch is one block that holds its struct, its column arrays and validity
 * bitmaps; strings point into blocks that the batch keeps alive: input buffers
 * (shared) and an arena of its own (a chain of blocks, bump-allocated). A view
 * batch has no arrays of its own for columns it passes on: it points into its
 * parent's and keeps the parent alive, with a selection of its rows.
 *
 * THREADS  One writer until it is handed over through a queue, then immutable. */
#ifndef RUNTIME_BATCH_H
#define RUNTIME_BATCH_H

#include "runtime/mem.h"

#include <headworks/types.h>

#define BATCH_ROWS_MAX 4096u /* capacity of the largest batch */
#define BATCH_ROWS_MIN 64u
#define BATCH_KEEP 6         /* shared blocks one batch can keep alive */

typedef struct batch {
  hw_batch pub; /* first: a hw_batch * is a batch * */
  _Atomic uint32_t refs;
  uint32_t n_keep;
  block *keep[BATCH_KEEP];  /* shared blocks; [0] is the batch's own */
  block *arena;             /* chain of own blocks for string bytes, newest first */
  size_t arena_used;        /* of the newest */
  const struct batch *parent;
  mem *mem;
  bool essential;           /* of data already taken in: see mem_get_essential */
  bool stored;              /* part of a store, which accounts for it; its arrays may still be written */
  int64_t *weights_room;    /* what pub.weights becomes when a weight is set */
  /* set by the producer before it is queued */
  uint64_t source_bytes;    /* bytes of input these rows came from, as counted in statistics */
  uint64_t fetched_ns;      /* when the first of its bytes came in; sched_now_ns */
  uint64_t held;            /* batch_bytes, when it was done */
  struct batch *unit_next;  /* the rest of a unit that is queued, and taken by the circuit, as one; NULL: none */
  /* while a transaction holds it (deployment_transaction.c) */
  struct batch *next_held;
  struct source *source;
  /* set by the circuit before it is queued to a sink */
  uint64_t mark;            /* input records the pipeline had taken up to and with this step */
  uint64_t step;
} batch;

/* An empty batch to fill, with arrays for up to `rows` rows; NULL: no memory. */
batch *batch_new(mem *m, const hw_schema *schema, uint32_t rows);
/* The same beyond the budget, as mem_get_essential. */
batch *batch_new_essential(mem *m, const hw_schema *schema, uint32_t rows);
/* A batch for a view over parent (which gets a reference): same physical rows,
 * columns unset, no selection. */
batch *batch_new_view(const batch *parent, const hw_schema *schema);
/* A batch to keep rows in, for a store: all `rows` (a multiple of 64) count in
 * n_rows from the start, there is no room for weights, and *room gets `extra`
 * bytes, aligned to 64, that live as long as the batch. NULL: over the budget of
 * m, or no memory. The second: how many
 * rows fit a block of `size` bytes, its head included; at least BATCH_ROWS_MIN. */
batch *batch_new_stored(mem *m, const hw_schema *schema, uint32_t rows, size_t extra, void **room);
uint32_t batch_stored_rows(const hw_schema *schema, size_t extra, size_t size);
/* Room for `n` selection entries inside the batch; NULL: no memory. */
uint32_t *batch_new_sel(batch *b, uint32_t n);

/* A copy of just the rows that belong to v, which holds on to nothing else: for
 * a selection of few. NULL: no memory. */
batch *batch_compact(const batch *v);

/* Why the table that b's schema describes takes no such row (physical), as part
 * of a sentence ("is a delete, ..."), and a word for it; NULL: it takes it. The
 * first is quick: whether there may be any such row at all. */
bool batch_may_be_refused(const batch *b);
const char *batch_refusal(const batch *b, uint32_t row, const char **tag);

/* A view of n of the rows that belong to b, from the first-th on. NULL: no memory. */
batch *batch_slice(const batch *b, uint32_t first, uint32_t n);

/* Keeps a shared block alive; false: no slot is left, the batch must be cut. */
bool batch_keep(batch *b, block *shared);

/* Bytes this batch holds on to: what its queue accounts. (What a store keeps is the store's to account.) */
uint64_t batch_bytes(const batch *b);

static inline batch *batch_of(hw_batch *b) { return (batch *)b; }
static inline const batch *batch_of_const(const hw_batch *b) { return (const batch *)b; }

#endif
