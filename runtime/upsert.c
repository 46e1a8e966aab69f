#include "runtime/upsert.h"

#include <stdlib.h>
#include <string.h>

#define NO_ENTRY UINT16_MAX
#define TABLE_SIZE (2 * STORE_CHUNK)

/* What a key's row is to be. */
typedef enum outcome { AS_IT_WAS, INSERTED, UPDATED, DELETED } outcome;

typedef struct entry {
  uint32_t hash;
  uint32_t key_row; /* of the batch: has the key */
  uint32_t row;     /* INSERTED: of the batch; UPDATED: of `updated` */
  outcome outcome;
} entry;

struct upsert {
  entry entries[STORE_CHUNK];
  uint32_t n;
  uint32_t mask;
  uint16_t table[TABLE_SIZE]; /* of entries, by hash */
  bool come[STORE_CHUNK];     /* by row of the chunk: it was inserted */
  uint32_t n_come;
  uint32_t place[BATCH_ROWS_MAX]; /* of a physical row in the chunk */
  uint32_t gone[STORE_CHUNK]; /* row numbers in the store */
  uint32_t n_gone;
  uint32_t updated_come[STORE_CHUNK]; /* rows of `updated` */
  uint32_t n_updated_come;
  const batch *b;
  uint32_t rows[STORE_CHUNK]; /* physical, of b */
  uint32_t n_rows;
  batch *updated;             /* rows that updates have made; NULL: none yet */
  store *s;
  uint64_t ignored;
};

upsert *upsert_new(void) { return calloc(1, sizeof(upsert)); }
void upsert_free(upsert *u) { free(u); }

/* ---- one key's part ------------------------------------------------------ */

static entry *entry_of(upsert *u, uint32_t hash, uint32_t row) {
  const hw_schema *schema = &u->s->relation->schema;
  uint32_t at = hash & u->mask;
  for (; u->table[at] != NO_ENTRY; at = (at + 1) & u->mask) {
    entry *e = &u->entries[u->table[at]];
    if (e->hash == hash && row_equal(schema, &u->s->identity, &u->b->pub, e->key_row, &u->b->pub, row)) return e;
  }
  u->table[at] = (uint16_t)u->n;
  entry *e = &u->entries[u->n++];
  *e = (entry){.hash = hash, .key_row = row};
  return e;
}

/* The row that stands under the key by now; false: none. */
static bool find_base(const upsert *u, const entry *e, const hw_batch **b, uint32_t *row) {
  *row = e->row;
  switch (e->outcome) {
  case INSERTED: *b = &u->b->pub; return true;
  case UPDATED: *b = &u->updated->pub; return true;
  case DELETED: return false;
  case AS_IT_WAS: break;
  }
  index_cursor c = store_find(u->s, e->hash, &u->b->pub, e->key_row);
  if (c.row == INDEX_NONE) return false;
  *b = store_read(u->s, c.row, row);
  return true;
}

static bool put_value(hw_batch *to, uint32_t at, uint32_t f, const hw_batch *from, uint32_t row) {
  const hw_column *c = &from->columns[f];
  if (!hw_column_valid(c, row)) return true; /* the bits of a fresh row are clear */
  hw_column_set_valid(&to->columns[f], at);
  hw_type_id id = (hw_type_id)to->schema->fields[f].type.id;
  if (hw_type_is_string(id)) {
    const hw_str *v = &((const hw_str *)c->values)[row];
    hw_str *out = &((hw_str *)to->columns[f].values)[at];
    if (!hw_batch_copy_str(to, v->data, v->len, out)) return false;
    out->flags = v->flags;
    return true;
  }
  size_t width = hw_type_width(id);
  memcpy((char *)to->columns[f].values + at * width, (const char *)c->values + row * width, width);
  return true;
}

static batch *new_batch(const upsert *u, uint32_t rows) {
  batch *b = batch_new_essential(u->b->mem, &u->s->relation->schema, rows);
  if (b) b->fetched_ns = u->b->fetched_ns;
  return b;
}

static bool update(upsert *u, entry *e, uint32_t row) {
  const hw_batch *base, *patch = &u->b->pub;
  uint32_t base_row;
  if (!find_base(u, e, &base, &base_row)) {
    u->ignored++;
    return true;
  }
  if (!u->updated && !(u->updated = new_batch(u, u->n_rows))) return false;
  hw_batch *to = &u->updated->pub;
  for (uint32_t f = 0; f < to->n_columns; f++) {
    bool given = hw_batch_is_given(patch, f, row);
    if (!put_value(to, to->n_rows, f, given ? patch : base, given ? row : base_row)) return false;
  }
  e->row = to->n_rows++;
  e->outcome = UPDATED;
  return true;
}

/* Puts together what the chunk says about each key. */
static bool put_together(upsert *u) {
  const hw_batch *b = &u->b->pub;
  const uint32_t *hashes = u->s->scratch->hashes;
  store_hash(u->s, b, u->rows, u->n_rows);
  for (uint32_t i = 0; i < u->n_rows; i++) {
    uint32_t row = u->rows[i];
    int64_t weight = hw_batch_weight(b, row);
    if (weight == 0) continue;
    entry *e = entry_of(u, hashes[i], row);
    if (hw_batch_is_update(b, row)) {
      if (!update(u, e, row)) return false;
      continue;
    }
    e->outcome = weight > 0 ? INSERTED : DELETED;
    e->row = row;
  }
  return true;
}

/* ---- against the store --------------------------------------------------- */

static bool replace(upsert *u, const entry *e, const hw_batch *from, const index_cursor *c) {
  store *s = u->s;
  uint32_t id = c->row;
  if (id == INDEX_NONE) return store_add(s, from, e->row, 1, &id) && index_insert(&s->index, e->hash, id);
  u->gone[u->n_gone++] = id;
  if (!store_end(s, id) || !store_add(s, from, e->row, 1, &id)) return false;
  index_set(c, id);
  return true;
}

static bool put_row(upsert *u, const entry *e, const index_cursor *c) {
  store *s = u->s;
  const hw_batch *from = e->outcome == INSERTED ? &u->b->pub : &u->updated->pub;
  if (c->row != INDEX_NONE) {
    uint32_t row;
    const hw_batch *old = store_read(s, c->row, &row);
    if (row_equal(&s->relation->schema, &s->rest, old, row, from, e->row)) return true;
  }
  if (e->outcome == INSERTED) {
    u->come[u->place[e->row]] = true;
    u->n_come++;
  } else {
    u->updated_come[u->n_updated_come++] = e->row;
  }
  return replace(u, e, from, c);
}

static bool delete_row(upsert *u, const index_cursor *c) {
  uint32_t id = c->row;
  if (id == INDEX_NONE) {
    u->ignored++;
    return true;
  }
  u->gone[u->n_gone++] = id;
  index_remove(c);
  return store_end(u->s, id);
}

static bool settle(upsert *u) {
  for (uint32_t i = 0; i < u->n && i < STORE_AHEAD; i++) index_prefetch(&u->s->index, u->entries[i].hash);
  for (uint32_t i = 0; i < u->n; i++) {
    const entry *e = &u->entries[i];
    if (i + STORE_AHEAD < u->n) index_prefetch(&u->s->index, u->entries[i + STORE_AHEAD].hash);
    if (i + STORE_AHEAD / 2 < u->n) store_prefetch(u->s, u->entries[i + STORE_AHEAD / 2].hash);
    if (e->outcome == AS_IT_WAS) continue;
    index_cursor c = store_find(u->s, e->hash, &u->b->pub, e->key_row);
    if (!(e->outcome == DELETED ? delete_row(u, &c) : put_row(u, e, &c))) return false;
  }
  return store_flush(u->s);
}

/* ---- the changes --------------------------------------------------------- */

static batch *make_gone(const upsert *u) {
  batch *b = new_batch(u, u->n_gone);
  if (!b) return NULL;
  bool ok = true;
  for (uint32_t i = 0; ok && i < u->n_gone; i++) {
    uint32_t row;
    const hw_batch *from = store_read(u->s, u->gone[i], &row);
    for (uint32_t f = 0; ok && f < b->pub.n_columns; f++) ok = put_value(&b->pub, i, f, from, row);
    ok = ok && hw_batch_set_weight(&b->pub, i, -1);
  }
  b->pub.n_rows = u->n_gone;
  if (ok) return b;
  hw_batch_unref(&b->pub);
  return NULL;
}

/* The batch itself, where all of it was inserted as it is. */
static bool came_whole(const upsert *u) {
  const hw_batch *b = &u->b->pub;
  return u->n_come == hw_batch_count(b) && !b->weights && !b->updates;
}

static batch *make_come(const upsert *u) {
  const hw_batch *from = &u->b->pub;
  if (came_whole(u)) return batch_of(hw_batch_ref(from));
  batch *v = batch_new_view(u->b, from->schema);
  uint32_t *sel = v ? batch_new_sel(v, u->n_come) : NULL, n = 0;
  if (!sel) {
    if (v) hw_batch_unref(&v->pub);
    return NULL;
  }
  memcpy(v->pub.columns, from->columns, from->n_columns * sizeof *from->columns);
  for (uint32_t i = 0; i < u->n_rows; i++)
    if (u->come[i]) sel[n++] = u->rows[i];
  v->pub.weights = NULL; /* a row is there once, however often it was inserted */
  v->pub.sel = sel;
  v->pub.n_sel = n;
  return v;
}

/* The rows that are not the last of their key, or equal what was there, are left out. */
static batch *take_updated(upsert *u) {
  batch *b = u->updated;
  uint32_t *sel = batch_new_sel(b, u->n_updated_come);
  if (!sel) return NULL;
  memcpy(sel, u->updated_come, u->n_updated_come * sizeof *sel);
  b->pub.sel = sel;
  b->pub.n_sel = u->n_updated_come;
  u->updated = NULL;
  return b;
}

static bool make_delta(upsert *u, upsert_delta *d) {
  if (u->n_gone && !(d->batches[0] = make_gone(u))) return false;
  if (u->n_come && !(d->batches[1] = make_come(u))) return false;
  if (u->n_updated_come && !(d->batches[2] = take_updated(u))) return false;
  for (uint32_t i = 0; i < UPSERT_DELTAS; i++) {
    batch *b = d->batches[i];
    if (b && b != u->b) b->held = batch_bytes(b);
  }
  return true;
}

static void begin(upsert *u, store *s, const batch *b, uint32_t first, uint32_t n) {
  u->s = s;
  u->b = b;
  u->n = u->n_rows = u->n_come = u->n_gone = u->n_updated_come = 0;
  u->ignored = 0;
  for (u->mask = 16; u->mask < 2 * n; u->mask *= 2) {}
  memset(u->table, 0xff, u->mask * sizeof *u->table);
  u->mask--;
  memset(u->come, 0, n);
  for (; u->n_rows < n; u->n_rows++) {
    uint32_t row = hw_batch_row(&b->pub, first + u->n_rows);
    u->rows[u->n_rows] = row;
    u->place[row] = u->n_rows;
  }
}

hw_status upsert_apply(upsert *u, store *s, const batch *b, uint32_t first, uint32_t n, uint64_t step,
                       upsert_delta *delta) {
  begin(u, s, b, first, n);
  store_begin(s, step);
  bool ok = put_together(u) && settle(u) && make_delta(u, delta);
  delta->ignored += u->ignored;
  if (u->updated) hw_batch_unref(&u->updated->pub);
  u->updated = NULL;
  return ok ? HW_OK : HW_ENOMEM;
}

void upsert_delta_fini(upsert_delta *delta) {
  for (uint32_t i = 0; i < UPSERT_DELTAS; i++)
    if (delta->batches[i]) hw_batch_unref(&delta->batches[i]->pub);
  *delta = (upsert_delta){0};
}
