#include "runtime/letter_rows.h"

#include <headworks/value.h>

#include <stdlib.h>
#include <string.h>

#define ROWS_AT_ONCE 1024u
#define BYTES_AT_ONCE (UINT64_C(1) << 20)

enum { ID, CONNECTOR, POSITION, TIME, REASON, FIELD, RAW, RAW_TEXT, RECORD_BYTES, CUT, N_COLUMNS };

static const hw_field fields[N_COLUMNS] = {
    [ID] = {.name = "id", .type = {.id = HW_TYPE_BIGINT}},
    [CONNECTOR] = {.name = "connector", .type = {.id = HW_TYPE_VARCHAR}},
    [POSITION] = {.name = "position", .type = {.id = HW_TYPE_VARCHAR}},
    [TIME] = {.name = "time", .type = {.id = HW_TYPE_TIMESTAMP}},
    [REASON] = {.name = "reason", .type = {.id = HW_TYPE_VARCHAR}},
    [FIELD] = {.name = "field", .type = {.id = HW_TYPE_VARCHAR, .nullable = true}},
    [RAW] = {.name = "raw", .type = {.id = HW_TYPE_VARBINARY}},
    [RAW_TEXT] = {.name = "raw_text", .type = {.id = HW_TYPE_VARCHAR, .nullable = true}},
    [RECORD_BYTES] = {.name = "record_bytes", .type = {.id = HW_TYPE_BIGINT}},
    [CUT] = {.name = "cut", .type = {.id = HW_TYPE_BOOLEAN}},
};

const hw_schema program_letters_schema = {.name = PROGRAM_LETTERS_NAME, .n_fields = N_COLUMNS, .fields = fields};

/* ---- one row --------------------------------------------------------------- */

static bool put_bytes(hw_batch *b, unsigned column, const char *data, size_t len) {
  hw_column *c = &b->columns[column];
  hw_column_set_valid(c, b->n_rows);
  return hw_batch_copy_str(b, data, len, &((hw_str *)c->values)[b->n_rows]);
}

/* Text from elsewhere, which may be none: then what is not ASCII becomes '?'. */
static bool put_text(hw_batch *b, unsigned column, const char *text) {
  size_t len = strlen(text);
  if (hw_utf8_valid(text, len)) return put_bytes(b, column, text, len);
  char *copy = hw_batch_alloc(b, len);
  if (!copy) return false;
  for (size_t i = 0; i < len; i++) copy[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
  ((hw_str *)b->columns[column].values)[b->n_rows] = (hw_str){.data = copy, .len = (uint32_t)len};
  hw_column_set_valid(&b->columns[column], b->n_rows);
  return true;
}

static void put_i64(hw_batch *b, unsigned column, int64_t value) {
  ((int64_t *)b->columns[column].values)[b->n_rows] = value;
}

/* False: no memory. */
static bool add_row(hw_batch *b, const dead_letter *l) {
  put_i64(b, ID, (int64_t)l->id);
  put_i64(b, TIME, l->time_us);
  put_i64(b, RECORD_BYTES, (int64_t)l->record_len);
  ((uint8_t *)b->columns[CUT].values)[b->n_rows] = l->cut;
  bool ok = put_text(b, CONNECTOR, l->connector) && put_text(b, POSITION, l->position) &&
            put_text(b, REASON, l->reason) && put_bytes(b, RAW, l->raw, l->raw_len);
  if (ok && *l->field) ok = put_text(b, FIELD, l->field);
  if (ok && hw_utf8_valid(l->raw, l->raw_len)) ok = put_bytes(b, RAW_TEXT, l->raw, l->raw_len);
  if (ok) b->n_rows++;
  return ok;
}

/* ---- all of them ------------------------------------------------------------- */

static batch *make_batch(mem *m, const dead_letter *letters, uint32_t rows) {
  batch *b = batch_new(m, &program_letters_schema, rows < BATCH_ROWS_MIN ? BATCH_ROWS_MIN : rows);
  bool ok = b != NULL;
  for (const dead_letter *l = letters; ok && l; l = l->next) ok = add_row(&b->pub, l);
  if (ok) b->held = batch_bytes(b);
  if (ok) return b;
  if (b) hw_batch_unref(&b->pub);
  return NULL;
}

/* Takes the reference; false: no memory, and it is given back. */
static bool append(batch ***all, uint32_t *n, batch *b) {
  batch **more = realloc(*all, (*n + 1) * sizeof *more);
  if (!more) {
    hw_batch_unref(&b->pub);
    return false;
  }
  more[(*n)++] = b;
  *all = more;
  return true;
}

void letter_rows_free(batch **batches, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) hw_batch_unref(&batches[i]->pub);
  free(batches);
}

hw_status letter_rows_next(dead_letters *dl, mem *m, uint64_t *last, batch **out) {
  dead_letter *letters;
  uint64_t refused = mem_refused(m);
  hw_status st = dead_letters_list(dl, NULL, *last, ROWS_AT_ONCE, BYTES_AT_ONCE, &letters);
  if (st != HW_OK) return st;
  if (!letters) return HW_EAGAIN;
  uint64_t id = 0;
  uint32_t rows = 0;
  for (const dead_letter *l = letters; l; l = l->next) {
    id = l->id;
    rows++;
  }
  *out = make_batch(m, letters, rows);
  dead_letters_free_list(letters);
  if (!*out) return mem_refused(m) != refused ? HW_ELIMIT : HW_ENOMEM;
  *last = id;
  return HW_OK;
}

hw_status letter_rows(dead_letters *dl, mem *m, batch ***out, uint32_t *n) {
  *out = NULL;
  *n = 0;
  /* No more than there are now, or it might go on for ever. */
  uint64_t most = dl ? dead_letters_counts(dl).letters : 0, last = 0;
  hw_status st = HW_OK;
  for (uint64_t rows = 0; st == HW_OK && rows < most;) {
    batch *b;
    st = letter_rows_next(dl, m, &last, &b);
    if (st != HW_OK) break;
    rows += b->pub.n_rows;
    if (!append(out, n, b)) st = HW_ENOMEM;
  }
  if (st == HW_OK || st == HW_EAGAIN) return HW_OK;
  letter_rows_free(*out, *n);
  return st;
}
