/* store_impl.h - the writer's side of a store.
 *
 * DESIGN
 * A store is a list of segments and, unless rows are only ever added, an index
 * over the rows that have not ended: by the whole row (a Z-set: equal rows are
 * one row, weights add up) or by the key (one row per key). Changing a row ends
 * it and adds another at the end of the last segment. So what a snapshot needs
 * is the list, how far the last segment was filled, and the number of the step.
 *
 *   slot 0          slot 1          slot 2 (last)
 *   [r r x r r x]   [x x x r x x]   [r r r . . .]      x: ended
 *                   sparse: its rows move to the end, then the slot is free
 *
 * A row added and ended within one step is seen by nobody, and its weight may
 * still change in place. All else becomes visible at once, by store_commit.
 *
 * A segment of whose rows at most half are left is emptied, some thousand rows
 * a step: memory stays within about twice what the rows need, and each row that
 * ends pays for moving one at most. Snapshots hold on to the segments that
 * they saw; nobody waits for anybody.
 *
 * Rejected: copying a table for each snapshot (time and memory by its size); a
 * persistent tree (a pointer chase and some 100 bytes more per row); row locks.
 *
 * THREAD  The pipeline's task, but for what says "lock". */
#ifndef RUNTIME_STORE_IMPL_H
#define RUNTIME_STORE_IMPL_H

#include "runtime/program.h"
#include "runtime/row.h"
#include "runtime/segment.h"
#include "runtime/store.h"
#include "runtime/store_index.h"

#define STORE_CHUNK SEGMENT_ROWS_MAX /* rows that are looked at together */

/* Segments by slot; NULL: a free one. A snapshot has a reference. While others
 * have one, segments are only added behind the last. */
typedef struct segment_list {
  _Atomic uint32_t refs;
  uint32_t n, capacity;
  segment *items[];
} segment_list;

void segment_list_unref(segment_list *list); /* [any thread] */

/* Working memory, shared by stores that are written by one thread in turn. */
typedef struct store_scratch {
  uint32_t pending[SEGMENT_ROWS_MAX];
  uint64_t room[STORE_CHUNK];
  uint32_t hashes[STORE_CHUNK];
  uint32_t rows[STORE_CHUNK];
} store_scratch;

/* What a snapshot may see; protected by the lock. */
typedef struct store_published {
  segment_list *list;
  segment *tail;       /* NULL: none */
  uint32_t tail_n;     /* its rows */
  uint64_t rows;
  uint64_t bytes;      /* memory of segments and index */
} store_published;

typedef struct store {
  const program_relation *relation;
  mem *m;
  pthread_mutex_t *lock;
  store_scratch *scratch;
  row_fields all, rest; /* all columns; those that are not of the key */
  row_fields identity;  /* the key, or all columns: what the index is over */
  bool adds_only;       /* no index: rows only come */
  uint64_t seed;
  store_index index;
  store_published published;
  segment *tail;
  uint32_t *free_slots;
  uint32_t n_free, free_capacity;
  segment *sparse;      /* to be emptied */
  segment *emptied;     /* no row is left: to go at the commit */
  uint64_t step;        /* under way; 0: nothing has changed since the last commit */
  uint64_t rows, ended; /* rows now; rows ended in this step */
  uint64_t segment_bytes;
  /* rows that have their places in the last segment, and are yet to be copied there */
  const hw_batch *from;
  uint32_t first, n_pending;
} store;

/* False: no memory. Everything borrowed outlives the store. */
bool store_init(store *s, const program_relation *r, mem *m, pthread_mutex_t *lock, store_scratch *scratch,
                uint64_t seed);
void store_fini(store *s); /* nobody takes snapshots any more; those taken stay good */

/* ---- for store_apply and upsert ---- */

/* Begins to change the store, by step `step` if it has not begun yet. */
static inline void store_begin(store *s, uint64_t step) {
  if (!s->step) s->step = step;
}
/* Adds row `row` of b; *id: its number. b must stay until store_flush. False:
 * no memory: the store may only be read, or freed, then. The same for the rest. */
bool store_add(store *s, const hw_batch *b, uint32_t row, int64_t weight, uint32_t *id);
bool store_flush(store *s);
/* The row of the index that equals the row of b by identity; .row INDEX_NONE: none. */
index_cursor store_find(const store *s, uint32_t hash, const hw_batch *b, uint32_t row);
bool store_end(store *s, uint32_t id);
/* Hashes of n <= STORE_CHUNK rows, into scratch->hashes, and their places warmed up. */
void store_hash(const store *s, const hw_batch *b, const uint32_t *rows, uint32_t n);

static inline segment *store_segment(const store *s, uint32_t id) {
  return s->published.list->items[id >> SEGMENT_ROWS_SHIFT];
}
static inline uint32_t store_place(uint32_t id) { return id & (SEGMENT_ROWS_MAX - 1); }

/* What is on its way from memory ahead of store_find: the place in the index by
 * index_prefetch, STORE_AHEAD rows before; then, half as many before, by this one
 * the row that will probably be found there. */
#define STORE_AHEAD 16u
static inline void store_prefetch(const store *s, uint32_t hash) {
  uint32_t id = index_guess(&s->index, hash), f = s->identity.index[0];
  if (id == INDEX_NONE) return;
  size_t width = hw_type_width((hw_type_id)s->relation->schema.fields[f].type.id);
  __builtin_prefetch((const char *)store_segment(s, id)->rows->pub.columns[f].values + store_place(id) * width);
}

/* Where the values of row `id` are to be read now: as it may not be copied yet. */
static inline const hw_batch *store_read(const store *s, uint32_t id, uint32_t *row) {
  const segment *g = store_segment(s, id);
  uint32_t place = store_place(id);
  if (s->n_pending && g == s->tail && place >= s->first) {
    *row = s->scratch->pending[place - s->first];
    return s->from;
  }
  *row = place;
  return &g->rows->pub;
}

/* ---- for state.c ---- */

/* Takes changes of a relation without key: HW_OK, HW_ENOMEM, HW_ERANGE (a sum of
 * weights beyond 64 bits). */
hw_status store_apply(store *s, const hw_batch *b, uint64_t step);

/* Moves rows out of sparse segments, before a commit. False: no memory. */
bool store_compact(store *s);
/* Lock held, one after the other: whether all is there that the commit needs
 * (false: no memory, nothing has changed); makes seen what the step has done. */
bool store_prepare(store *s);
void store_commit(store *s);

/* store_snapshot.c: one of n relations, to be filled in under the lock. NULL: no memory. */
store_snapshot *store_snapshot_new(program *p, uint32_t n);
void store_snapshot_add(store_snapshot *snapshot, uint32_t i, const store *s);
/* Instead: rows that come from elsewhere. Takes the array and its references. */
void store_snapshot_set_rows(store_snapshot *snapshot, uint32_t i, const hw_schema *schema, batch **pieces,
                             uint32_t n);
void store_snapshot_set_step(store_snapshot *snapshot, uint64_t step);

#endif
