/* store_index.h - finds the rows of a store by their hashes.
 *
 * DESIGN
 * An extendible hash table: a directory of 2^depth pointers, chosen by the low
 * bits of a hash, to buckets of up to 64 KiB that are open-addressing tables of
 * (hash, row number) pairs, searched from a place that the high bits give. A
 * bucket that is seven eighths full is split in two by one more low bit, the
 * directory doubles when it has to: a row never waits for more than one split
 * (some ten microseconds), however many rows there are. Deleting moves later
 * entries back, so nothing is left behind. A small store has one small bucket.
 * One large table that doubles was rejected for the pause at each doubling.
 *
 * THREAD  The store's writer. */
#ifndef RUNTIME_STORE_INDEX_H
#define RUNTIME_STORE_INDEX_H

#include "runtime/mem.h"

#define INDEX_NONE UINT32_MAX /* no row */

typedef struct index_slot {
  uint32_t hash, row; /* row INDEX_NONE: free */
} index_slot;

typedef struct index_bucket {
  uint32_t n;           /* entries */
  uint32_t depth;       /* low bits of the hash that all entries share */
  index_slot slots[];
} index_bucket;

typedef struct store_index {
  mem *m;
  block *directory;     /* of block *, each with a bucket; NULL: nothing was ever put in */
  uint32_t depth;
  uint32_t capacity;    /* slots of each bucket: kept here, for the heads of large, aligned
                           blocks would push each other out of the cache */
  uint64_t bytes;       /* of blocks it has */
} store_index;

/* Where a search stands. */
typedef struct index_cursor {
  index_bucket *bucket; /* NULL: the index is empty */
  uint32_t at, capacity;
  uint32_t row;         /* found, or INDEX_NONE */
} index_cursor;

static inline void index_init(store_index *ix, mem *m) { *ix = (store_index){.m = m}; }
void index_fini(store_index *ix); /* may be used again afterwards */

static inline index_bucket *index_bucket_of(const store_index *ix, uint32_t hash) {
  block *const *directory = (block *const *)(void *)ix->directory->data;
  return (index_bucket *)(void *)directory[hash & ((UINT32_C(1) << ix->depth) - 1)]->data;
}

static inline uint32_t index_home(uint32_t capacity, uint32_t hash) {
  return (uint32_t)((uint64_t)hash * capacity >> 32);
}

/* The next entry of this hash after the cursor's place. */
static inline void index_next(index_cursor *c, uint32_t hash) {
  for (;;) {
    if (++c->at == c->capacity) c->at = 0;
    const index_slot *s = &c->bucket->slots[c->at];
    c->row = s->row;
    if (s->row == INDEX_NONE || s->hash == hash) return;
  }
}

/* The first entry of this hash: whether it is the one, the caller knows. */
static inline index_cursor index_find(const store_index *ix, uint32_t hash) {
  index_cursor c = {.capacity = ix->capacity, .row = INDEX_NONE};
  if (!ix->directory) return c;
  c.bucket = index_bucket_of(ix, hash);
  c.at = index_home(ix->capacity, hash);
  const index_slot *s = &c.bucket->slots[c.at];
  c.row = s->row;
  if (s->row != INDEX_NONE && s->hash != hash) index_next(&c, hash);
  return c;
}

static inline void index_prefetch(const store_index *ix, uint32_t hash) {
  if (!ix->directory) return;
  const index_bucket *b = index_bucket_of(ix, hash);
  __builtin_prefetch(b, 1);
  __builtin_prefetch(&b->slots[index_home(ix->capacity, hash)], 1);
}

/* The row of an entry that is likely to be the one sought, without a search. */
static inline uint32_t index_guess(const store_index *ix, uint32_t hash) {
  if (!ix->directory) return INDEX_NONE;
  const index_slot *s = &index_bucket_of(ix, hash)->slots[index_home(ix->capacity, hash)];
  return s->hash == hash ? s->row : INDEX_NONE;
}

/* Adds an entry (not looked for); cursors are void. False: no memory within the budget. */
bool index_insert(store_index *ix, uint32_t hash, uint32_t row);
/* Of a found entry: another row number; or away with it (cursors are void). */
static inline void index_set(const index_cursor *c, uint32_t row) { c->bucket->slots[c->at].row = row; }
void index_remove(const index_cursor *c);

#endif
