#include "runtime/batch.h"

#include <string.h>

#define ARENA_FIRST (16u << 10)
#define ARENA_MOST (256u << 10)

static size_t align64(size_t n) { return (n + 63) & ~(size_t)63; }
static size_t validity_bytes(uint32_t rows) { return align64((size_t)(rows + 63) / 64 * 8); }

static size_t columns_bytes(const hw_schema *schema, uint32_t rows) {
  size_t size = 0;
  for (uint32_t i = 0; i < schema->n_fields; i++) {
    const hw_type *t = &schema->fields[i].type;
    size += align64(rows * hw_type_width((hw_type_id)t->id));
    if (t->nullable) size += validity_bytes(rows);
  }
  return size;
}

static size_t head_bytes(const hw_schema *schema) {
  return align64(sizeof(batch)) + align64(schema->n_fields * sizeof(hw_column));
}

static size_t slab_bytes(const hw_schema *schema, uint32_t rows) {
  return head_bytes(schema) + align64(rows * sizeof(int64_t)) + columns_bytes(schema, rows);
}

/* Takes size bytes off the slab. */
static void *cut(char **at, size_t size) {
  void *p = *at;
  *at += align64(size);
  return p;
}

static batch *start(mem *m, block *slab, const hw_schema *schema, char **at) {
  *at = slab->data;
  batch *b = cut(at, sizeof *b);
  memset(b, 0, sizeof *b);
  atomic_init(&b->refs, 1);
  b->keep[b->n_keep++] = slab;
  b->mem = m;
  b->pub.n_columns = schema->n_fields;
  b->pub.schema = schema;
  b->pub.columns = cut(at, schema->n_fields * sizeof(hw_column));
  return b;
}

static void cut_columns(batch *b, char **at, uint32_t rows) {
  for (uint32_t i = 0; i < b->pub.n_columns; i++) {
    const hw_type *t = &b->pub.schema->fields[i].type;
    hw_column *c = &b->pub.columns[i];
    c->values = cut(at, rows * hw_type_width((hw_type_id)t->id));
    c->validity = t->nullable ? cut(at, validity_bytes(rows)) : NULL;
    if (c->validity) memset(c->validity, 0, validity_bytes(rows));
  }
}

static batch *new_filled(mem *m, const hw_schema *schema, uint32_t rows, bool essential) {
  rows = (rows + 63) & ~63u;
  size_t size = slab_bytes(schema, rows);
  block *slab = essential ? mem_get_essential(m, size) : mem_get(m, size);
  if (!slab) return NULL;
  char *at;
  batch *b = start(m, slab, schema, &at);
  b->essential = essential;
  b->pub.capacity = rows;
  b->weights_room = cut(&at, rows * sizeof(int64_t));
  cut_columns(b, &at, rows);
  return b;
}

batch *batch_new(mem *m, const hw_schema *schema, uint32_t rows) { return new_filled(m, schema, rows, false); }

batch *batch_new_essential(mem *m, const hw_schema *schema, uint32_t rows) {
  return new_filled(m, schema, rows, true);
}

uint32_t batch_stored_rows(const hw_schema *schema, size_t extra, size_t size) {
  size_t head = sizeof(block) + head_bytes(schema) + align64(extra);
  uint32_t rows = BATCH_ROWS_MAX;
  while (rows > BATCH_ROWS_MIN && head + columns_bytes(schema, rows) > size) rows -= 64;
  return rows;
}

batch *batch_new_stored(mem *m, const hw_schema *schema, uint32_t rows, size_t extra, void **room) {
  block *slab = mem_get(m, head_bytes(schema) + align64(extra) + columns_bytes(schema, rows));
  if (!slab) return NULL;
  char *at;
  batch *b = start(m, slab, schema, &at);
  b->stored = true;
  b->pub.n_rows = b->pub.capacity = rows;
  *room = cut(&at, extra);
  cut_columns(b, &at, rows);
  return b;
}

batch *batch_new_view(const batch *parent, const hw_schema *schema) {
  size_t size = align64(sizeof(batch)) + align64(schema->n_fields * sizeof(hw_column));
  block *slab = mem_get_essential(parent->mem, size);
  if (!slab) return NULL;
  char *at;
  batch *b = start(parent->mem, slab, schema, &at);
  memset(b->pub.columns, 0, schema->n_fields * sizeof(hw_column));
  b->pub.n_rows = parent->pub.n_rows;
  b->pub.capacity = parent->pub.n_rows;
  b->pub.weights = parent->pub.weights;
  b->parent = (const batch *)hw_batch_ref(&parent->pub);
  b->essential = true;
  b->source_bytes = parent->source_bytes;
  b->fetched_ns = parent->fetched_ns;
  return b;
}

uint32_t *batch_new_sel(batch *b, uint32_t n) { return hw_batch_alloc(&b->pub, n * sizeof(uint32_t)); }

bool batch_keep(batch *b, block *shared) {
  for (uint32_t i = 0; i < b->n_keep; i++)
    if (b->keep[i] == shared) return true;
  if (b->n_keep == BATCH_KEEP) return false;
  b->keep[b->n_keep++] = block_ref(shared);
  return true;
}

uint64_t batch_bytes(const batch *b) {
  uint64_t sum = b->keep[0]->capacity;
  for (const block *a = b->arena; a; a = a->next) sum += a->capacity;
  if (b->parent) return b->parent->stored ? sum : sum + batch_bytes(b->parent);
  return sum + b->source_bytes;
}

/* ---- what a table takes -------------------------------------------------- */

bool batch_may_be_refused(const batch *b) {
  const hw_schema *schema = b->pub.schema;
  return (b->pub.updates && !schema->n_key) || (schema->append_only && (b->pub.updates || b->pub.weights));
}

const char *batch_refusal(const batch *b, uint32_t row, const char **tag) {
  const hw_schema *schema = b->pub.schema;
  bool update = hw_batch_is_update(&b->pub, row);
  *tag = schema->append_only ? "append_only" : "update";
  if (schema->append_only && update) return "is an update, but the table is append_only";
  if (schema->append_only && hw_batch_weight(&b->pub, row) < 0) return "is a delete, but the table is append_only";
  if (!schema->n_key && update) return "is an update, but the table has no PRIMARY KEY";
  return NULL;
}

/* ---- compacting ---------------------------------------------------------- */

static bool copy_strings(batch *b, const hw_batch *from, uint32_t column, const hw_column *to) {
  const hw_column *c = &from->columns[column];
  for (uint32_t i = 0; i < from->n_sel; i++) {
    uint32_t row = from->sel[i];
    const hw_str *s = &((const hw_str *)c->values)[row];
    hw_str *copy = &((hw_str *)to->values)[i];
    if (!hw_column_valid(c, row)) continue;
    if (!hw_batch_copy_str(&b->pub, s->data, s->len, copy)) return false;
    copy->flags = s->flags;
  }
  return true;
}

static bool copy_column(batch *b, const hw_batch *from, uint32_t column) {
  const hw_column *c = &from->columns[column];
  hw_column *to = &b->pub.columns[column];
  hw_type_id id = (hw_type_id)from->schema->fields[column].type.id;
  size_t width = hw_type_width(id);
  if (to->validity)
    for (uint32_t i = 0; i < from->n_sel; i++)
      if (hw_column_valid(c, from->sel[i])) hw_column_set_valid(to, i);
  if (hw_type_is_string(id)) return copy_strings(b, from, column, to);
  for (uint32_t i = 0; i < from->n_sel; i++)
    memcpy((char *)to->values + i * width, (const char *)c->values + from->sel[i] * width, width);
  return true;
}

batch *batch_compact(const batch *v) {
  const hw_batch *from = &v->pub;
  batch *b = new_filled(v->mem, from->schema, from->n_sel, true);
  if (!b) return NULL;
  bool ok = true;
  for (uint32_t i = 0; ok && i < from->n_columns; i++) ok = copy_column(b, from, i);
  for (uint32_t i = 0; ok && i < from->n_sel; i++)
    ok = hw_batch_set_weight(&b->pub, i, hw_batch_weight(from, from->sel[i]));
  if (!ok) {
    hw_batch_unref(&b->pub);
    return NULL;
  }
  b->pub.n_rows = from->n_sel;
  b->fetched_ns = v->fetched_ns;
  b->mark = v->mark;
  b->step = v->step;
  return b;
}

batch *batch_slice(const batch *b, uint32_t first, uint32_t n) {
  batch *v = batch_new_view(b, b->pub.schema);
  if (!v) return NULL;
  memcpy(v->pub.columns, b->pub.columns, b->pub.n_columns * sizeof *b->pub.columns);
  uint32_t *sel = b->pub.sel ? NULL : batch_new_sel(v, n);
  if (!b->pub.sel && !sel) {
    hw_batch_unref(&v->pub);
    return NULL;
  }
  for (uint32_t i = 0; sel && i < n; i++) sel[i] = first + i;
  v->pub.sel = sel ? sel : b->pub.sel + first;
  v->pub.n_sel = n;
  uint64_t count = hw_batch_count(&b->pub);
  v->source_bytes = b->source_bytes * (first + n) / count - b->source_bytes * first / count; /* its part of them */
  v->mark = b->mark;
  v->step = b->step;
  return v;
}

/* ---- the public side (types.h) ------------------------------------------- */

void hw_batch_clear_row(hw_batch *b, uint32_t row) {
  for (uint32_t i = 0; i < b->n_columns; i++)
    if (b->columns[i].validity) hw_column_set_null(&b->columns[i], row);
  if (b->weights) b->weights[row] = 1;
  if (b->updates) b->updates[row >> 6] &= ~(UINT64_C(1) << (row & 63));
}

static bool grow_arena(batch *b, size_t size) {
  size_t want = b->arena ? b->arena->capacity * 2 : ARENA_FIRST;
  if (want > ARENA_MOST) want = ARENA_MOST;
  if (size < want - sizeof(block)) size = want - sizeof(block); /* all that its size class has */
  block *k = b->essential ? mem_get_essential(b->mem, size) : mem_get(b->mem, size);
  if (!k) return false;
  k->next = b->arena;
  b->arena = k;
  b->arena_used = 0;
  return true;
}

void *hw_batch_alloc(hw_batch *pub, size_t size) {
  batch *b = batch_of(pub);
  size_t from = (b->arena_used + 7) & ~(size_t)7;
  if (!b->arena || from > b->arena->capacity || b->arena->capacity - from < size) {
    if (!grow_arena(b, size)) return NULL;
    from = 0;
  }
  b->arena_used = from + size;
  return b->arena->data + from;
}

void hw_batch_trim(hw_batch *pub, size_t unused) { batch_of(pub)->arena_used -= unused; }

bool hw_batch_copy_str(hw_batch *b, const void *data, size_t len, hw_str *out) {
  if (len > UINT32_MAX) return false;
  char *p = hw_batch_alloc(b, len ? len : 1);
  if (!p) return false;
  if (len) memcpy(p, data, len);
  *out = (hw_str){.data = p, .len = (uint32_t)len};
  return true;
}

bool hw_batch_set_weight(hw_batch *pub, uint32_t row, int64_t weight) {
  batch *b = batch_of(pub);
  if (!pub->weights) {
    if (weight == 1) return true;
    for (uint32_t i = 0; i < pub->capacity; i++) b->weights_room[i] = 1;
    pub->weights = b->weights_room;
  }
  pub->weights[row] = weight;
  return true;
}

/* One run of bitmaps: which rows are updates, then one for each column. */
static bool make_updates(hw_batch *b) {
  size_t words = (b->capacity + 63) / 64, bits = words * sizeof(uint64_t);
  char *room = hw_batch_alloc(b, (1 + (size_t)b->n_columns) * bits + b->n_columns * sizeof(uint64_t *));
  if (!room) return false;
  memset(room, 0, (1 + (size_t)b->n_columns) * bits);
  b->updates = (uint64_t *)(void *)room;
  b->given = (uint64_t **)(void *)(room + (1 + (size_t)b->n_columns) * bits);
  for (uint32_t i = 0; i < b->n_columns; i++) b->given[i] = b->updates + (1 + i) * words;
  return true;
}

bool hw_batch_set_update(hw_batch *b, uint32_t row) {
  if (!b->updates && !make_updates(b)) return false;
  uint64_t bit = UINT64_C(1) << (row & 63);
  b->updates[row >> 6] |= bit;
  for (uint32_t i = 0; i < b->n_columns; i++) b->given[i][row >> 6] &= ~bit;
  return true;
}

hw_batch *hw_batch_ref(const hw_batch *pub) {
  batch *b = (batch *)(uintptr_t)pub; /* the count is not part of what is immutable */
  /* Relaxed: whoever hands the reference on orders it. */
  atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
  return &b->pub;
}

void hw_batch_unref(const hw_batch *pub) {
  if (!pub) return;
  batch *b = (batch *)(uintptr_t)pub;
  /* acq_rel: as for blocks, see block_unref. */
  if (atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1) return;
  const batch *parent = b->parent;
  for (block *a = b->arena; a;) {
    block *next = a->next;
    block_unref(a);
    a = next;
  }
  for (uint32_t i = b->n_keep; i-- > 0;) block_unref(b->keep[i]); /* the slab, with b itself, last */
  if (parent) hw_batch_unref(&parent->pub);
}
