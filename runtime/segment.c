#include "runtime/segment.h"

#include <string.h>

#define STRING_BLOCK_LEAST (4u << 10)
#define STRING_BLOCK_MOST (256u << 10)
#define STRING_BLOCKS 8u /* of a segment, about */

/* ---- making -------------------------------------------------------------- */

/* As many rows as fill the largest block that holds no more than asked. */
static uint32_t fitting_rows(const hw_schema *schema, uint32_t rows) {
  uint32_t best = BATCH_ROWS_MIN;
  for (size_t size = 4096; size <= (size_t)1 << 30; size *= 2) {
    uint32_t n = batch_stored_rows(schema, sizeof(segment), size);
    if (n > rows || n == SEGMENT_ROWS_MAX) break;
    best = n;
  }
  return best;
}

segment *segment_new(mem *m, const hw_schema *schema, uint32_t rows, uint64_t strings) {
  void *room;
  batch *b = batch_new_stored(m, schema, fitting_rows(schema, rows), sizeof(segment), &room);
  if (!b) return NULL;
  segment *s = room;
  memset(s, 0, sizeof *s);
  s->rows = b;
  s->capacity = b->pub.capacity;
  s->bytes = b->keep[0]->capacity + sizeof(block);
  s->string_block = STRING_BLOCK_LEAST;
  while (s->string_block < strings / STRING_BLOCKS && s->string_block < STRING_BLOCK_MOST) s->string_block *= 2;
  return s;
}

/* ---- copying ------------------------------------------------------------- */

static char *string_room(segment *s, size_t size) {
  batch *b = s->rows;
  if (!b->arena || b->arena->capacity - b->arena_used < size) {
    size_t want = s->string_block - sizeof(block);
    block *k = mem_get(b->mem, size > want ? size : want);
    if (!k) return NULL;
    s->bytes += k->capacity + sizeof(block);
    k->next = b->arena;
    b->arena = k;
    b->arena_used = 0;
  }
  char *p = b->arena->data + b->arena_used;
  b->arena_used += size;
  return p;
}

static bool copy_strings(segment *s, hw_str *to, const hw_column *from, const uint32_t *rows, uint32_t n) {
  const hw_str *values = from->values;
  for (uint32_t i = 0; i < n; i++) {
    if (!hw_column_valid(from, rows[i])) continue;
    const hw_str *v = &values[rows[i]];
    char *p = string_room(s, v->len);
    if (!p) return false;
    if (v->len) memcpy(p, v->data, v->len);
    to[i] = (hw_str){.data = p, .len = v->len, .flags = v->flags};
  }
  return true;
}

/* With the width known the compiler makes plain loads and stores of it. */
static inline void copy_wide(char *to, const char *from, size_t width, const uint32_t *rows, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) memcpy(to + i * width, from + rows[i] * width, width);
}

static void copy_fixed(char *to, const char *from, size_t width, const uint32_t *rows, uint32_t n) {
  switch (width) {
  case 1: copy_wide(to, from, 1, rows, n); return;
  case 2: copy_wide(to, from, 2, rows, n); return;
  case 4: copy_wide(to, from, 4, rows, n); return;
  case 8: copy_wide(to, from, 8, rows, n); return;
  default: copy_wide(to, from, 16, rows, n); return;
  }
}

/* Words are put together and stored whole: a reader may look at the first one,
 * for the rows before `first`. Relaxed: it looks at the bits that were there
 * when its snapshot was published, which do not change. */
static void copy_validity(uint64_t *validity, uint32_t first, const hw_column *from, const uint32_t *rows,
                          uint32_t n) {
  _Atomic uint64_t *words = (_Atomic uint64_t *)validity;
  for (uint32_t i = 0; i < n;) {
    uint32_t at = first + i, w = at >> 6, end = 64 - (at & 63) < n - i ? i + 64 - (at & 63) : n;
    uint64_t bits = 0;
    for (; i < end; i++, at++) bits |= (uint64_t)hw_column_valid(from, rows[i]) << (at & 63);
    uint64_t old = atomic_load_explicit(&words[w], memory_order_relaxed);
    atomic_store_explicit(&words[w], old | bits, memory_order_relaxed);
  }
}

bool segment_copy(segment *s, uint32_t first, const hw_batch *b, const uint32_t *rows, uint32_t n) {
  const hw_batch *to = &s->rows->pub;
  for (uint32_t f = 0; f < to->n_columns; f++) {
    const hw_column *from = &b->columns[f];
    hw_type_id id = (hw_type_id)to->schema->fields[f].type.id;
    size_t width = hw_type_width(id);
    char *values = (char *)to->columns[f].values + first * width;
    if (to->columns[f].validity) copy_validity(to->columns[f].validity, first, from, rows, n);
    if (hw_type_is_string(id)) {
      if (!copy_strings(s, (hw_str *)(void *)values, from, rows, n)) return false;
    } else {
      copy_fixed(values, from->values, width, rows, n);
    }
  }
  return true;
}

/* ---- what changes -------------------------------------------------------- */

/* 8 bytes for each row, all the same to begin with. */
static block *new_array(segment *s, uint64_t value) {
  block *k = mem_get(s->rows->mem, s->capacity * sizeof value);
  if (!k) return NULL;
  bool kept = batch_keep(s->rows, k); /* beside the rows themselves only two arrays are kept */
  block_unref(k);
  if (!kept) return NULL;
  s->bytes += k->capacity + sizeof(block);
  for (uint32_t i = 0; i < s->capacity; i++) ((uint64_t *)(void *)k->data)[i] = value;
  return k;
}

bool segment_end(segment *s, uint32_t row, uint64_t step) {
  block *k = atomic_load_explicit(&s->until, memory_order_relaxed); /* our own */
  if (!k) {
    if (!(k = new_array(s, SEGMENT_FOREVER))) return false;
    atomic_store_explicit(&s->until, k, memory_order_release); /* with segment_until's acquire: the array is filled */
  }
  /* Relaxed: a reader of an earlier step makes no difference between this and SEGMENT_FOREVER. */
  atomic_store_explicit(&((_Atomic uint64_t *)(void *)k->data)[row], step, memory_order_relaxed);
  s->live--;
  return true;
}

bool segment_set_weight(segment *s, uint32_t row, int64_t weight) {
  block *k = atomic_load_explicit(&s->weights, memory_order_relaxed); /* our own */
  if (!k) {
    if (weight == 1) return true;
    if (!(k = new_array(s, 1))) return false;
    atomic_store_explicit(&s->weights, k, memory_order_release); /* as above, with segment_weight's */
  }
  ((int64_t *)(void *)k->data)[row] = weight;
  return true;
}
