#include "runtime/store_index.h"

#include <string.h>

#define BUCKET_FIRST (4u << 10) /* bytes of a block */
#define BUCKET_MOST (64u << 10)
#define DEPTH_MOST 24u          /* 2^24 buckets of 64 KiB: no machine has that */

static block **entries(const store_index *ix) { return (block **)(void *)ix->directory->data; }
static index_bucket *bucket_in(block *b) { return (index_bucket *)(void *)b->data; }
static uint64_t size_of(const block *b) { return b->capacity + sizeof(block); }
static uint32_t slots_of(const block *b) {
  return (uint32_t)((b->capacity - sizeof(index_bucket)) / sizeof(index_slot));
}

/* ---- blocks -------------------------------------------------------------- */

static block *new_block(store_index *ix, size_t size) {
  block *b = mem_get(ix->m, size - sizeof(block));
  if (b) ix->bytes += size_of(b);
  return b;
}

static void drop_block(store_index *ix, block *b) {
  ix->bytes -= size_of(b);
  block_unref(b);
}

static block *new_bucket(store_index *ix, size_t size, uint32_t depth) {
  block *k = new_block(ix, size);
  if (!k) return NULL;
  index_bucket *b = bucket_in(k);
  *b = (index_bucket){.depth = depth};
  memset(b->slots, 0xff, slots_of(k) * sizeof(index_slot));
  return k;
}

void index_fini(store_index *ix) {
  uint32_t n = ix->directory ? UINT32_C(1) << ix->depth : 0;
  for (uint32_t i = n; i-- > 0;) {
    block *k = entries(ix)[i];
    /* A bucket stands wherever the low bits are its own: going down, last where the others are 0. */
    if (i >> bucket_in(k)->depth == 0) drop_block(ix, k);
  }
  if (ix->directory) drop_block(ix, ix->directory);
  ix->directory = NULL;
  ix->depth = 0;
}

/* ---- one bucket ---------------------------------------------------------- */

static void put(index_bucket *b, uint32_t capacity, index_slot s) {
  uint32_t at = index_home(capacity, s.hash);
  while (b->slots[at].row != INDEX_NONE)
    if (++at == capacity) at = 0;
  b->slots[at] = s;
  b->n++;
}

/* Whether an entry whose home is `home` may stand at the hole: going round from
 * home, the hole comes no later than `at`, where the entry is now. */
static bool may_move(uint32_t home, uint32_t hole, uint32_t at) {
  return at >= hole ? home <= hole || home > at : home <= hole && home > at;
}

void index_remove(const index_cursor *c) {
  index_bucket *b = c->bucket;
  uint32_t hole = c->at, at = hole;
  for (;;) {
    if (++at == c->capacity) at = 0;
    if (b->slots[at].row == INDEX_NONE) break;
    if (!may_move(index_home(c->capacity, b->slots[at].hash), hole, at)) continue;
    b->slots[hole] = b->slots[at];
    hole = at;
  }
  b->slots[hole] = (index_slot){.hash = INDEX_NONE, .row = INDEX_NONE};
  b->n--;
}

/* ---- growing ------------------------------------------------------------- */

static bool init_directory(store_index *ix) {
  block *directory = new_block(ix, BUCKET_FIRST);
  if (!directory) return false;
  ix->directory = directory;
  ix->depth = 0;
  block *k = new_bucket(ix, BUCKET_FIRST, 0);
  if (!k) {
    drop_block(ix, directory);
    ix->directory = NULL;
    return false;
  }
  entries(ix)[0] = k;
  ix->capacity = slots_of(k);
  return true;
}

static bool double_directory(store_index *ix) {
  uint32_t n = UINT32_C(1) << ix->depth;
  if (ix->depth == DEPTH_MOST) return false;
  if (2 * n * sizeof(block *) > ix->directory->capacity) {
    block *more = new_block(ix, 4 * n * sizeof(block *)); /* twice the room, as a whole block of its size */
    if (!more) return false;
    memcpy(more->data, ix->directory->data, n * sizeof(block *));
    drop_block(ix, ix->directory);
    ix->directory = more;
  }
  memcpy(entries(ix) + n, entries(ix), n * sizeof(block *));
  ix->depth++;
  return true;
}

/* Puts the entries of `from` where they belong now; frees it. */
static void spread(store_index *ix, block *from) {
  const index_bucket *b = bucket_in(from);
  for (uint32_t i = 0, n = slots_of(from); i < n; i++)
    if (b->slots[i].row != INDEX_NONE) put(index_bucket_of(ix, b->slots[i].hash), ix->capacity, b->slots[i]);
  drop_block(ix, from);
}

static bool enlarge(store_index *ix, block *old) {
  block *larger = new_bucket(ix, 2 * size_of(old), 0);
  if (!larger) return false;
  entries(ix)[0] = larger; /* only the first bucket is ever small */
  ix->capacity = slots_of(larger);
  spread(ix, old);
  return true;
}

static bool split(store_index *ix, block *old, uint32_t hash) {
  uint32_t depth = bucket_in(old)->depth;
  if (depth == ix->depth && !double_directory(ix)) return false;
  block *low = new_bucket(ix, BUCKET_MOST, depth + 1), *high = low ? new_bucket(ix, BUCKET_MOST, depth + 1) : NULL;
  if (!high) {
    if (low) drop_block(ix, low);
    return false;
  }
  uint32_t step = UINT32_C(1) << depth, n = UINT32_C(1) << ix->depth;
  for (uint32_t i = hash & (step - 1); i < n; i += step) entries(ix)[i] = i & step ? high : low;
  spread(ix, old);
  return true;
}

static bool make_room(store_index *ix, uint32_t hash) {
  block *k = entries(ix)[hash & ((UINT32_C(1) << ix->depth) - 1)];
  return size_of(k) < BUCKET_MOST ? enlarge(ix, k) : split(ix, k, hash);
}

bool index_insert(store_index *ix, uint32_t hash, uint32_t row) {
  if (!ix->directory && !init_directory(ix)) return false;
  index_bucket *b = index_bucket_of(ix, hash);
  while (b->n >= ix->capacity - ix->capacity / 8) {
    if (!make_room(ix, hash)) return false;
    b = index_bucket_of(ix, hash);
  }
  put(b, ix->capacity, (index_slot){.hash = hash, .row = row});
  return true;
}
