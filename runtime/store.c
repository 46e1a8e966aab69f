/* store.c - rows come and end; the list of segments. See store_impl.h. */
#include "runtime/store_impl.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define LIST_FIRST 4u
#define SLOTS_MOST (UINT32_C(1) << (32 - SEGMENT_ROWS_SHIFT))
#define GROWTH 4u /* a segment has so many times the rows of the one before, until it is of full size */

/* ---- lists --------------------------------------------------------------- */

static segment_list *list_new(uint32_t capacity) {
  segment_list *list = malloc(sizeof *list + capacity * sizeof(segment *));
  if (!list) return NULL;
  atomic_init(&list->refs, 1);
  list->n = 0;
  list->capacity = capacity;
  return list;
}

void segment_list_unref(segment_list *list) {
  /* acq_rel: as for blocks, see block_unref. */
  if (!list || atomic_fetch_sub_explicit(&list->refs, 1, memory_order_acq_rel) != 1) return;
  for (uint32_t i = 0; i < list->n; i++)
    if (list->items[i]) segment_unref(list->items[i]);
  free(list);
}

/* Lock held: puts a copy with room for `capacity` in the place of the list. */
static bool renew_list(store *s, uint32_t capacity) {
  segment_list *old = s->published.list, *list = list_new(capacity);
  if (!list) return false;
  list->n = old->n;
  memcpy(list->items, old->items, old->n * sizeof(segment *));
  for (uint32_t i = 0; i < list->n; i++)
    if (list->items[i]) segment_ref(list->items[i]);
  s->published.list = list;
  segment_list_unref(old);
  return true;
}

/* Lock held: makes the list ours alone. New references are taken under the lock;
 * the acquire meets the release of whoever gave the last one up. */
static bool own_list(store *s) {
  segment_list *list = s->published.list;
  return atomic_load_explicit(&list->refs, memory_order_acquire) == 1 || renew_list(s, list->capacity);
}

/* Lock held: a slot for g, with its reference. A snapshot of an earlier step
 * that finds it passes over it, for when it was born. */
static bool list_segment(store *s, segment *g) {
  if (s->n_free) {
    if (!own_list(s)) return false;
    g->slot = s->free_slots[--s->n_free];
  } else {
    const segment_list *list = s->published.list;
    if (list->n == SLOTS_MOST || (list->n == list->capacity && !renew_list(s, list->capacity * 2))) return false;
    g->slot = s->published.list->n++;
  }
  s->published.list->items[g->slot] = g;
  return true;
}

/* ---- life ---------------------------------------------------------------- */

static bool list_fields(store *s) {
  const program_relation *r = s->relation;
  uint32_t n = r->schema.n_fields, n_rest = 0;
  uint32_t *index = malloc((2 * (size_t)n + 1) * sizeof *index);
  if (!index) return false;
  uint32_t *rest = index + n;
  for (uint32_t i = 0; i < n; i++) {
    bool in_key = false;
    for (uint32_t k = 0; k < r->n_key; k++) in_key = in_key || r->key[k] == i;
    index[i] = i;
    if (!in_key) rest[n_rest++] = i;
  }
  s->all = (row_fields){n, index};
  s->rest = (row_fields){n_rest, rest};
  s->identity = r->n_key ? (row_fields){r->n_key, r->key} : s->all;
  return true;
}

bool store_init(store *s, const program_relation *r, mem *m, pthread_mutex_t *lock, store_scratch *scratch,
                uint64_t seed) {
  *s = (store){.relation = r, .m = m, .lock = lock, .scratch = scratch, .seed = seed};
  s->adds_only = r->schema.append_only && !r->n_key;
  index_init(&s->index, m);
  if (!list_fields(s)) return false;
  s->published.list = list_new(LIST_FIRST);
  if (s->published.list) return true;
  free((void *)(uintptr_t)s->all.index);
  return false;
}

void store_fini(store *s) {
  segment_list_unref(s->published.list);
  index_fini(&s->index);
  free(s->free_slots);
  free((void *)(uintptr_t)s->all.index);
  *s = (store){0};
}

/* ---- rows ---------------------------------------------------------------- */

static void look_whether_sparse(store *s, segment *g) {
  if (!g->sealed || g->sparse || g->live > g->n / 2) return;
  g->sparse = true;
  g->next = s->sparse;
  s->sparse = g;
}

static uint64_t string_bytes(const segment *g) {
  uint64_t sum = 0;
  for (const block *k = g->rows->arena; k; k = k->next) sum += k->capacity;
  return sum;
}

static bool new_tail(store *s) {
  segment *old = s->tail;
  uint32_t rows = !old ? BATCH_ROWS_MIN : old->capacity < SEGMENT_ROWS_MAX / GROWTH ? old->capacity * GROWTH
                                                                                    : SEGMENT_ROWS_MAX;
  segment *g = segment_new(s->m, &s->relation->schema, rows, old ? string_bytes(old) : 0);
  if (!g) return false;
  g->born = s->step;
  pthread_mutex_lock(s->lock);
  bool ok = list_segment(s, g);
  pthread_mutex_unlock(s->lock);
  if (!ok) {
    segment_unref(g);
    return false;
  }
  s->segment_bytes += g->bytes;
  s->tail = g;
  if (!old) return true;
  old->sealed = true;
  look_whether_sparse(s, old);
  return true;
}

bool store_flush(store *s) {
  uint32_t n = s->n_pending;
  if (!n) return true;
  s->n_pending = 0;
  uint64_t before = s->tail->bytes;
  bool ok = segment_copy(s->tail, s->first, s->from, s->scratch->pending, n);
  s->segment_bytes += s->tail->bytes - before;
  return ok;
}

static bool set_weight(store *s, segment *g, uint32_t place, int64_t weight) {
  uint64_t before = g->bytes;
  bool ok = segment_set_weight(g, place, weight);
  s->segment_bytes += g->bytes - before;
  return ok;
}

bool store_add(store *s, const hw_batch *b, uint32_t row, int64_t weight, uint32_t *id) {
  if ((s->n_pending && s->from != b) || !s->tail || s->tail->n == s->tail->capacity) {
    if (!store_flush(s)) return false;
    if ((!s->tail || s->tail->n == s->tail->capacity) && !new_tail(s)) return false;
  }
  segment *g = s->tail;
  if (!s->n_pending) {
    s->from = b;
    s->first = g->n;
  }
  s->scratch->pending[s->n_pending++] = row;
  uint32_t place = g->n++;
  g->live++;
  s->rows++;
  *id = g->slot << SEGMENT_ROWS_SHIFT | place;
  return set_weight(s, g, place, weight);
}

bool store_end(store *s, uint32_t id) {
  segment *g = store_segment(s, id);
  uint64_t before = g->bytes;
  if (!segment_end(g, store_place(id), s->step)) return false;
  s->segment_bytes += g->bytes - before;
  s->rows--;
  s->ended++;
  look_whether_sparse(s, g);
  return true;
}

void store_hash(const store *s, const hw_batch *b, const uint32_t *rows, uint32_t n) {
  store_scratch *t = s->scratch;
  row_hash(&s->relation->schema, &s->identity, s->seed, b, rows, n, t->room, t->hashes);
}

index_cursor store_find(const store *s, uint32_t hash, const hw_batch *b, uint32_t row) {
  index_cursor c = index_find(&s->index, hash);
  for (; c.row != INDEX_NONE; index_next(&c, hash)) {
    uint32_t at;
    const hw_batch *there = store_read(s, c.row, &at);
    if (row_equal(&s->relation->schema, &s->identity, there, at, b, row)) break;
  }
  return c;
}

/* ---- commit -------------------------------------------------------------- */

/* Room for the slots of all that are emptied. */
static bool reserve_slots(store *s) {
  uint32_t n = s->n_free;
  for (const segment *g = s->emptied; g; g = g->next) n++;
  if (n <= s->free_capacity) return true;
  uint32_t capacity = 2 * n;
  uint32_t *more = realloc(s->free_slots, capacity * sizeof *more);
  if (!more) return false;
  s->free_slots = more;
  s->free_capacity = capacity;
  return true;
}

bool store_prepare(store *s) {
  assert(!s->n_pending);
  return !s->emptied || (reserve_slots(s) && own_list(s));
}

static void drop_emptied(store *s) {
  for (segment *g; (g = s->emptied);) {
    s->emptied = g->next;
    s->free_slots[s->n_free++] = g->slot;
    s->published.list->items[g->slot] = NULL;
    s->segment_bytes -= g->bytes;
    segment_unref(g);
  }
}

void store_commit(store *s) {
  drop_emptied(s);
  s->published.tail = s->tail;
  s->published.tail_n = s->tail ? s->tail->n : 0;
  s->published.rows = s->rows;
  s->published.bytes = s->segment_bytes + s->index.bytes;
  s->step = 0;
  s->ended = 0;
}
