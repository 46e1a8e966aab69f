/* query_table.c - rows as a table with borders.
 *
 *     +----+-------+
 *     | id | name  |
 *     +----+-------+
 *     | 1  | Ada   |
 *     +----+-------+
 *
 * How wide columns are is decided by the heads and the first rows, up to 1,000
 * rows or 256 KiB of them; columns of later rows are widened where they must be,
 * from there on. A value is cut after 64 characters; NULL is an empty cell; what
 * would break a line is spelled as an escape. */
#include "api/query_write.h"

#include <headworks/value.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CELL_MAX 64u /* characters */
#define FIRST_ROWS 1000u
#define FIRST_BYTES (256u << 10)

struct query_table {
  const hw_schema *schema;
  size_t *widths;  /* characters */
  outbuf cells;    /* of rows that wait: each cell's text, and a NUL */
  size_t n_cells;
  bool begun;      /* the head was written */
};

query_table *query_table_new(const hw_schema *schema) {
  query_table *t = calloc(1, sizeof *t);
  if (!t) return NULL;
  t->schema = schema;
  t->widths = calloc(schema->n_fields + 1, sizeof *t->widths);
  if (t->widths) return t;
  free(t);
  return NULL;
}

void query_table_free(query_table *t) {
  if (!t) return;
  outbuf_fini(&t->cells);
  free(t->widths);
  free(t);
}

/* ---- cells ------------------------------------------------------------------ */

static void add_escape(outbuf *out, unsigned char c) {
  const char *letter = c == '\n' ? "\\n" : c == '\t' ? "\\t" : c == '\r' ? "\\r" : NULL;
  if (letter) outbuf_add_str(out, letter);
  else outbuf_printf(out, "\\x%02x", c);
}

/* Up to CELL_MAX characters of UTF-8. */
static void add_text(outbuf *out, const char *data, size_t len) {
  size_t characters = 0;
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)data[i];
    bool begins = (c & 0xC0) != 0x80;
    if (begins && characters++ == CELL_MAX) {
      outbuf_add_str(out, "...");
      return;
    }
    if (c < 0x20 || c == 0x7f) add_escape(out, c);
    else outbuf_add_char(out, (char)c);
  }
}

static void add_bytes(outbuf *out, const hw_str *s) {
  uint32_t shown = s->len > CELL_MAX / 2 ? CELL_MAX / 2 : s->len;
  for (uint32_t i = 0; i < shown; i++) outbuf_printf(out, "%02x", (unsigned char)s->data[i]);
  if (shown < s->len) outbuf_add_str(out, "...");
}

static void add_value(outbuf *out, const hw_type *type, const void *slot) {
  char text[HW_VALUE_TEXT_MAX];
  if (hw_type_is_text((hw_type_id)type->id)) add_text(out, ((const hw_str *)slot)->data, ((const hw_str *)slot)->len);
  else if (hw_type_is_string((hw_type_id)type->id)) add_bytes(out, slot);
  else outbuf_add(out, text, hw_value_format(type, slot, text));
}

static void add_row(query_table *t, const hw_batch *b, uint32_t row) {
  for (uint32_t i = 0; i < t->schema->n_fields; i++, t->n_cells++) {
    const hw_type *type = &t->schema->fields[i].type;
    size_t at = t->cells.len, width = hw_type_width((hw_type_id)type->id);
    const char *values = b->columns[i].values;
    if (hw_column_valid(&b->columns[i], row)) add_value(&t->cells, type, values + row * width);
    outbuf_add_char(&t->cells, '\0');
    if (t->cells.failed) return;
    size_t characters = hw_utf8_length(t->cells.data + at, t->cells.len - at - 1);
    if (characters > t->widths[i]) t->widths[i] = characters;
  }
}

/* ---- lines --------------------------------------------------------------------- */

static void put_many(outbuf *out, char c, size_t n) {
  while (n-- > 0) outbuf_add_char(out, c);
}

static void put_border(const query_table *t, outbuf *out) {
  for (uint32_t i = 0; i < t->schema->n_fields; i++) {
    outbuf_add_char(out, '+');
    put_many(out, '-', t->widths[i] + 2);
  }
  outbuf_add_str(out, "+\n");
}

static void put_cell(outbuf *out, const char *text, size_t len, size_t width, bool last) {
  size_t characters = hw_utf8_length(text, len);
  outbuf_add_str(out, "| ");
  outbuf_add(out, text, len);
  put_many(out, ' ', width > characters ? width - characters : 0);
  outbuf_add_str(out, last ? " |\n" : " ");
}

/* The names of the columns, as cells. */
static void put_head(query_table *t, outbuf *out) {
  uint32_t n = t->schema->n_fields;
  outbuf name = {0};
  t->begun = true;
  for (uint32_t i = 0; i < n; i++) {
    outbuf_reset(&name, CELL_MAX);
    add_text(&name, t->schema->fields[i].name, strlen(t->schema->fields[i].name));
    size_t width = hw_utf8_length(name.data, name.len);
    if (width > t->widths[i]) t->widths[i] = width;
  }
  put_border(t, out);
  for (uint32_t i = 0; i < n; i++) {
    outbuf_reset(&name, CELL_MAX);
    add_text(&name, t->schema->fields[i].name, strlen(t->schema->fields[i].name));
    put_cell(out, name.data, name.len, t->widths[i], i + 1 == n);
  }
  put_border(t, out);
  out->failed = out->failed || name.failed;
  outbuf_fini(&name);
}

static void put_waiting(query_table *t, outbuf *out) {
  if (t->cells.failed) out->failed = true;
  if (!t->begun) put_head(t, out);
  const char *text = t->cells.data;
  uint32_t n = t->schema->n_fields;
  for (size_t i = 0; i < t->n_cells && !t->cells.failed; i++) {
    size_t len = strlen(text);
    put_cell(out, text, len, t->widths[i % n], i % n + 1 == n);
    text += len + 1;
  }
  outbuf_reset(&t->cells, FIRST_BYTES);
  t->n_cells = 0;
}

void query_table_rows(query_table *t, const hw_batch *batch, outbuf *out) {
  for (uint32_t i = 0; i < hw_batch_count(batch); i++) {
    uint32_t row = hw_batch_row(batch, i);
    for (int64_t left = hw_batch_weight(batch, row); left > 0; left--) add_row(t, batch, row);
  }
  bool enough = t->n_cells >= (size_t)FIRST_ROWS * t->schema->n_fields || t->cells.len >= FIRST_BYTES;
  if (t->begun || enough || t->cells.failed) put_waiting(t, out);
}

void query_table_end(query_table *t, outbuf *out) {
  put_waiting(t, out);
  put_border(t, out);
}
