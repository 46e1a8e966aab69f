#include "runtime/query_set.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SLOTS_FIRST 256u
#define FREE UINT32_MAX

typedef struct slot {
  uint32_t hash, row; /* row FREE: none */
} slot;

static slot *slots_of(const query_set *s) { return (slot *)(void *)s->slots->data; }

bool query_set_init(query_set *s, mem *m, const hw_schema *schema) {
  *s = (query_set){0};
  query_rows_init(&s->rows, m, schema);
  s->index = calloc(schema->n_fields + 1, sizeof *s->index);
  if (!s->index) return false;
  for (uint32_t i = 0; i < schema->n_fields; i++) s->index[i] = i;
  s->fields = (row_fields){.n = schema->n_fields, .index = s->index};
  if (getrandom(&s->seed, sizeof s->seed, GRND_NONBLOCK) != (ssize_t)sizeof s->seed) s->seed = (uintptr_t)s;
  return true;
}

void query_set_fini(query_set *s) {
  query_rows_fini(&s->rows);
  block_unref(s->slots);
  free(s->index);
  free(s->room);
  free(s->hashes);
  free(s->physical);
  *s = (query_set){0};
}

/* ---- the table ------------------------------------------------------------- */

static void put(slot *slots, uint32_t mask, uint32_t hash, uint32_t row) {
  uint32_t at = hash & mask;
  while (slots[at].row != FREE) at = (at + 1) & mask;
  slots[at] = (slot){.hash = hash, .row = row};
}

/* Room for one more row. */
static bool make_slots(query_set *s) {
  uint64_t n = query_rows_count(&s->rows), size = s->slots ? (uint64_t)s->mask + 1 : 0;
  if (n + 1 <= size / 8 * 7) return true;
  uint64_t wanted = size ? size * 2 : SLOTS_FIRST;
  if (wanted > UINT32_MAX) return false;
  block *more = mem_get(s->rows.m, wanted * sizeof(slot));
  if (!more) return false;
  slot *to = (slot *)(void *)more->data;
  memset(to, 0xFF, wanted * sizeof(slot));
  for (uint64_t i = 0; i < size; i++)
    if (slots_of(s)[i].row != FREE) put(to, (uint32_t)wanted - 1, slots_of(s)[i].hash, slots_of(s)[i].row);
  block_unref(s->slots);
  s->slots = more;
  s->mask = (uint32_t)wanted - 1;
  return true;
}

static uint32_t find(const query_set *s, const hw_batch *b, uint32_t row, uint32_t hash) {
  const slot *slots = slots_of(s);
  for (uint32_t at = hash & s->mask; slots[at].row != FREE; at = (at + 1) & s->mask) {
    if (slots[at].hash != hash) continue;
    const batch *chunk = query_rows_chunk(&s->rows, slots[at].row);
    if (row_equal(s->rows.schema, &s->fields, b, row, &chunk->pub, slots[at].row % QUERY_CHUNK)) return slots[at].row;
  }
  return FREE;
}

static bool add_row(query_set *s, const hw_batch *b, uint32_t row, uint32_t hash, uint32_t *id, bool *fresh) {
  if (!make_slots(s)) return false;
  *id = find(s, b, row, hash);
  *fresh = *id == FREE;
  if (!*fresh) return true;
  *id = (uint32_t)query_rows_count(&s->rows);
  if (!query_rows_add(&s->rows, b, row, 1)) return false;
  put(slots_of(s), s->mask, hash, *id);
  return true;
}

/* ---- a batch ---------------------------------------------------------------- */

static bool make_room(query_set *s, uint32_t n) {
  if (n <= s->capacity) return true;
  free(s->room);
  free(s->hashes);
  free(s->physical);
  s->room = malloc(n * sizeof *s->room);
  s->hashes = malloc(n * sizeof *s->hashes);
  s->physical = malloc(n * sizeof *s->physical);
  bool ok = s->room && s->hashes && s->physical;
  s->capacity = ok ? n : 0;
  return ok;
}

bool query_set_add(query_set *s, const hw_batch *b, uint32_t *ids, bool *fresh) {
  uint32_t n = hw_batch_count(b);
  bool is_fresh;
  if (!make_room(s, n)) return false;
  for (uint32_t i = 0; i < n; i++) s->physical[i] = hw_batch_row(b, i);
  row_hash(s->rows.schema, &s->fields, s->seed, b, s->physical, n, s->room, s->hashes);
  for (uint32_t i = 0; i < n; i++) {
    if (!add_row(s, b, s->physical[i], s->hashes[i], &ids[i], &is_fresh)) return false;
    if (fresh) fresh[i] = is_fresh;
  }
  return true;
}
