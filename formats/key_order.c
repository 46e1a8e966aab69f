#include "formats/key_order.h"

#include <stdlib.h>
#include <string.h>

#define EXTRA_KEYS 32 /* unknown keys that an order may hold */
#define PATIENCE_MOST 4096u

static uint32_t memo_size(uint32_t n_fields) {
  uint32_t size = 256;
  while (size < n_fields * 8) size *= 2;
  return size;
}

hw_status key_order_init(key_order *k, const hw_schema *schema, hw_error *err) {
  uint32_t size = memo_size(schema->n_fields);
  *k = (key_order){.schema = schema, .capacity = schema->n_fields + EXTRA_KEYS, .learning = true, .patience = 1};
  k->entries = calloc(k->capacity, sizeof *k->entries);
  k->position = calloc(schema->n_fields + 1, sizeof *k->position);
  k->memo = calloc(size, sizeof *k->memo);
  k->memo_mask = size - 1;
  if (k->entries && k->position && k->memo) return HW_OK;
  key_order_fini(k);
  return hw_error_set(err, HW_ENOMEM, "no memory for a parser");
}

void key_order_fini(key_order *k) {
  free(k->entries);
  free(k->position);
  free(k->memo);
  k->entries = NULL;
  k->position = NULL;
  k->memo = NULL;
}

/* ---- the memo ---------------------------------------------------------------- */

static inline key_name name_of(const char *p, size_t len) {
  key_name n = {.len_plus_one = (uint32_t)len + 1};
  if (len > 16) {
    n.words[0] = swar_load8(p);
    n.words[1] = swar_load8(p + 8);
    n.words[2] = swar_load8(p + len - 16);
    n.words[3] = swar_load8(p + len - 8);
  } else if (len >= 8) {
    n.words[0] = swar_load8(p);
    n.words[1] = swar_load8(p + len - 8);
  } else if (len >= 4) {
    n.words[0] = swar_load4(p) | (uint64_t)swar_load4(p + len - 4) << 32;
  } else if (len > 0) {
    n.words[0] =
        (uint64_t)(unsigned char)p[0] << 16 | (uint64_t)(unsigned char)p[len / 2] << 8 | (unsigned char)p[len - 1];
  }
  return n;
}

static inline bool same_name(const key_name *a, const key_name *b) {
  uint64_t differ = (a->words[0] ^ b->words[0]) | (a->words[1] ^ b->words[1]) | (a->words[2] ^ b->words[2]) |
                    (a->words[3] ^ b->words[3]);
  return !(differ | (a->len_plus_one ^ b->len_plus_one));
}

static inline uint32_t hash(const key_name *n) {
  uint64_t h = (n->words[0] ^ n->words[3]) * UINT64_C(0x9e3779b97f4a7c15);
  h ^= (n->words[1] ^ (n->words[2] + n->len_plus_one)) * UINT64_C(0xc2b2ae3d27d4eb4f);
  return (uint32_t)(h >> 40);
}

int32_t key_order_find(key_order *k, const char *name, size_t len) {
  if (len > SCAN_KEY) return hw_schema_find(k->schema, name, len);
  key_name n = name_of(name, len);
  uint32_t slot = hash(&n) & k->memo_mask;
  key_memo_entry *e = &k->memo[slot];
  if (same_name(&n, &e->name)) return e->column;
  key_memo_entry *second = &k->memo[slot ^ 1];
  if (same_name(&n, &second->name)) return second->column;
  if (e->name.len_plus_one && !second->name.len_plus_one) e = second;
  *e = (key_memo_entry){.name = n, .column = hw_schema_find(k->schema, name, len)};
  return e->column;
}

/* ---- learning ------------------------------------------------------------------ */

static void set_entry(key_entry *e, const char *spelling, size_t len, int32_t column) {
  memcpy(e->bytes, spelling, len);
  memset(e->bytes + len, 0, SCAN_KEY - len);
  e->len = (uint32_t)len;
  e->mask = UINT32_MAX >> (SCAN_KEY - len);
  e->first = swar_load8(e->bytes);
  e->first_mask = len < 8 ? (UINT64_C(1) << 8 * len) - 1 : UINT64_MAX;
  e->column = column;
}

static void learn(key_order *k, const char *spelling, size_t len, int32_t column) {
  set_entry(&k->entries[k->n++], spelling, len, column);
  if (column >= 0) k->position[column] = k->n;
}

static void forget(key_order *k) {
  k->n = 0;
  k->strays = 0;
  k->complete = false;
  k->learning = true;
  memset(k->position, 0, k->schema->n_fields * sizeof *k->position);
}

/* ---- a row's way through the order ------------------------------------------- */

static inline void mark_run(const key_order *k, row_writer *w, key_walk *walk) {
  if (!walk->strayed) row_clear_seen(w);
  for (; walk->run < walk->next; walk->run++) {
    int32_t column = k->entries[walk->run].column;
    if (column >= 0) row_mark_seen(w, (uint32_t)column);
  }
}

static uint32_t next_after(key_order *k, uint32_t next, const char *spelling, size_t len, int32_t column) {
  if (k->learning) {
    bool again = column >= 0 && k->position[column];
    if (!again && k->n < k->capacity && len <= KEY_LEARNED_MAX) learn(k, spelling, len, column);
    return k->n;
  }
  /* An object's first key is spelled with its brace, which may stand nowhere else. */
  if (column == KEY_UNKNOWN && *spelling != '{' && len <= KEY_LEARNED_MAX)
    set_entry(&k->ignored, spelling, len, column);
  if (column >= 0 && k->position[column] > next) return k->position[column];
  bool with_brace = next == 0 && k->n && k->entries[0].bytes[0] == '{';
  return with_brace ? 1 : next; /* or the value of the key that strayed could be followed by it */
}

void key_walk_stray(key_order *k, row_writer *w, key_walk *walk, const char *spelling, size_t len, int32_t column) {
  mark_run(k, w, walk);
  walk->strayed = true;
  if (column >= 0) row_mark_seen(w, (uint32_t)column);
  walk->next = walk->run = next_after(k, walk->next, spelling, len, column);
}

static bool names_every_column(const key_order *k) {
  for (uint32_t i = 0; i < k->schema->n_fields; i++)
    if (!k->position[i]) return false;
  return true;
}

/* A row with strays is over. */
static void consider_learning(key_order *k) {
  if (k->learning) {
    k->learning = false;
    k->complete = names_every_column(k);
  } else if (++k->strays >= k->patience) {
    if (k->patience < PATIENCE_MOST) k->patience *= 2;
    forget(k);
  }
}

bool key_walk_finish(key_order *k, row_writer *w, key_walk *walk) {
  mark_run(k, w, walk);
  if (walk->strayed) consider_learning(k);
  return row_fill_missing(w);
}

void key_walk_fail(key_order *k) {
  if (k->learning) forget(k);
}
