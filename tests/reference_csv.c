#include "tests/reference_csv.h"

#include "tests/reference_value.h"

#include <headworks/value.h>

#include <stdlib.h>
#include <string.h>

#define CELLS_MAX 64 /* of the columns of a table, and of the cells of a record that are kept */
#define HEADER_MAX 4096

/* A cell as it is written, and what it says. */
typedef struct cell {
  fixture_text text;
  bool quoted;
} cell;

typedef struct reader {
  const csv_rules *rules;
  const hw_schema *schema;
  const char *data, *p, *end;
  const char *tag, *field; /* what is wrong with the record; tag NULL: nothing */
  bool has_map;
  int map[HEADER_MAX];
  unsigned n_map;
  cell cells[CELLS_MAX];
  unsigned n_cells; /* of the record; those beyond CELLS_MAX are not kept */
  fixture_text rows, bad;
} reader;

static bool fault(reader *r, const char *tag, const char *field) {
  r->tag = tag;
  r->field = field;
  return false;
}

/* ---- cells ------------------------------------------------------------------- */

/* LF, CR LF, and a CR that ends the stream. */
static size_t line_end(const reader *r, const char *p) {
  if (p < r->end && *p == '\n') return 1;
  if (p < r->end && *p == '\r') return p + 1 == r->end ? 1 : p[1] == '\n' ? 2 : 0;
  return 0;
}

static bool is_end_of_cell(const reader *r, const char *p) {
  return p >= r->end || *p == r->rules->delimiter || line_end(r, p);
}

static bool is_blank(const reader *r, const char *p) {
  return p < r->end && (*p == ' ' || *p == '\t') && *p != r->rules->delimiter;
}

/* Behind the opening quote; at the closing one afterwards. False: there is none. */
static bool read_quotes(reader *r, cell *c) {
  const csv_rules *rules = r->rules;
  for (; r->p < r->end; r->p++) {
    bool last = r->p + 1 == r->end;
    if (rules->escape && *r->p == rules->escape && !(last && *r->p == rules->quote)) {
      if (last) break;
      r->p++;
    } else if (*r->p == rules->quote) {
      if (!rules->double_quote || last || r->p[1] != rules->quote) return true;
      r->p++;
    }
    fixture_put(&c->text, r->p, 1);
  }
  r->p = r->end;
  return false;
}

static bool read_cell(reader *r, cell *c, bool trim) {
  *c = (cell){.quoted = false};
  fixture_put(&c->text, "", 0);
  while (trim && is_blank(r, r->p)) r->p++;
  c->quoted = r->rules->quoting && r->p < r->end && *r->p == r->rules->quote;
  if (c->quoted) {
    r->p++;
    if (!read_quotes(r, c)) return fault(r, "truncated", NULL);
    r->p++;
    while (trim && is_blank(r, r->p)) r->p++;
    return is_end_of_cell(r, r->p) || fault(r, "syntax", NULL);
  }
  for (; !is_end_of_cell(r, r->p); r->p++) fixture_put(&c->text, r->p, 1);
  while (trim && c->text.len && memchr(" \t", c->text.data[c->text.len - 1], 2)) c->text.len--;
  return true;
}

/* ---- values -------------------------------------------------------------------- */

static bool put_binary(reader *r, fixture_text *row, const hw_field *field, const char *text, size_t len) {
  char bytes[4096];
  size_t n = 0;
  if (len >= 2 && (text[0] == '0' || text[0] == '\\') && text[1] == 'x') text += 2, len -= 2;
  if (len > 2 * sizeof bytes) fixture_fail("more than this reader can hold");
  for (; len >= 2 && strspn(text, "0123456789abcdefABCDEF") >= 2; text += 2, len -= 2) {
    char pair[3] = {text[0], text[1]};
    bytes[n++] = (char)strtoul(pair, NULL, 16);
  }
  if (len) return fault(r, "type", field->name);
  return reference_bytes(row, &field->type, bytes, n) || fault(r, "length", field->name);
}

static bool put_spelled(reader *r, fixture_text *row, const hw_field *field, const char *text, size_t len) {
  char slot[16];
  if (reference_spelled(row, &field->type, text, len)) return true;
  return fault(r, hw_value_parse(&field->type, text, len, slot) == HW_ERANGE ? "range" : "type", field->name);
}

static bool put_value(reader *r, fixture_text *row, const hw_field *field, const cell *c) {
  hw_type_id type = (hw_type_id)field->type.id;
  if (c->text.len == 0 && !c->quoted && field->type.nullable) {
    fixture_put(row, "NULL", 4);
    return true;
  }
  if (c->text.len == 0 && !c->quoted && !hw_type_is_string(type)) return fault(r, "null", field->name);
  if (!hw_type_is_string(type)) return put_spelled(r, row, field, c->text.data, c->text.len);
  if (!hw_type_is_text(type)) return put_binary(r, row, field, c->text.data, c->text.len);
  if (!hw_utf8_valid(c->text.data, c->text.len)) return fault(r, "utf8", field->name);
  return reference_text(row, &field->type, c->text.data, c->text.len) || fault(r, "length", field->name);
}

/* ---- records --------------------------------------------------------------------- */

static void drop_cells(reader *r) {
  for (unsigned i = 0; i < r->n_cells && i < CELLS_MAX; i++) free(r->cells[i].text.data);
  r->n_cells = 0;
}

/* Cells of the record at p, each looked at as soon as it is read; in the order of the
 * columns afterwards they are `values`. */
static bool read_cells(reader *r, fixture_text *values) {
  for (;;) {
    cell spare, *c = r->n_cells < CELLS_MAX ? &r->cells[r->n_cells] : &spare;
    bool read = read_cell(r, c, r->rules->trim_fields);
    int column = r->n_cells < r->n_map ? r->map[r->n_cells] : -1;
    r->n_cells++;
    if (read && column >= 0) read = put_value(r, &values[column], &r->schema->fields[column], c);
    if (c == &spare) free(spare.text.data);
    if (!read) return false;
    if (r->p >= r->end || line_end(r, r->p)) break;
    r->p++;
  }
  r->p += line_end(r, r->p);
  return true;
}

static bool fill_missing(reader *r, fixture_text *values) {
  if (!r->rules->flexible && r->n_cells != r->n_map) return fault(r, "cells", NULL);
  for (uint32_t i = 0; i < r->schema->n_fields; i++) {
    const hw_field *field = &r->schema->fields[i];
    if (!values[i].data && !reference_missing(&values[i], field)) return fault(r, "missing", field->name);
  }
  return true;
}

static bool read_record(reader *r) {
  fixture_text values[CELLS_MAX] = {{0}};
  bool read = read_cells(r, values) && fill_missing(r, values);
  for (uint32_t i = 0; i < r->schema->n_fields; i++) {
    if (read) fixture_print(&r->rows, "%s", i ? "|" : "");
    if (read) fixture_put(&r->rows, values[i].data, values[i].len);
    free(values[i].data);
  }
  if (read) fixture_put(&r->rows, "\n", 1);
  drop_cells(r);
  return read;
}

static bool check_header(reader *r) {
  bool given[CELLS_MAX] = {false}, any = false;
  for (unsigned i = 0; i < r->n_map; i++) {
    if (r->map[i] < 0) continue;
    any = given[r->map[i]] = true;
  }
  if (!any) return fault(r, "header", NULL);
  for (uint32_t i = 0; i < r->schema->n_fields; i++)
    if (!given[i] && !r->schema->fields[i].type.nullable) return fault(r, "header", r->schema->fields[i].name);
  return true;
}

static bool add_name(reader *r, const cell *c) {
  int column = hw_schema_find(r->schema, c->text.data, c->text.len);
  if (r->n_map == HEADER_MAX) fixture_fail("more cells than this reader can hold");
  for (unsigned i = 0; i < r->n_map; i++)
    if (column >= 0 && r->map[i] == column) return fault(r, "header", r->schema->fields[column].name);
  r->map[r->n_map++] = column;
  return true;
}

static bool read_header(reader *r) {
  r->n_map = 0;
  for (;;) {
    cell c;
    bool read = read_cell(r, &c, r->rules->trim_headers) && add_name(r, &c);
    free(c.text.data);
    if (!read) return false;
    if (r->p >= r->end || line_end(r, r->p)) break;
    r->p++;
  }
  r->p += line_end(r, r->p);
  r->has_map = check_header(r);
  return r->has_map;
}

/* ---- the stream --------------------------------------------------------------------- */

/* By its quotes alone; one that is never closed hides no line after the first. */
static void skip_record(reader *r, const char *start) {
  reader look = *r;
  look.p = start;
  for (;;) {
    cell c;
    (void)read_cell(&look, &c, r->rules->trim_fields);
    free(c.text.data);
    if (look.tag && !strcmp(look.tag, "truncated") && c.quoted && look.p == look.end) break;
    while (!is_end_of_cell(&look, look.p)) look.p++;
    if (look.p >= look.end || line_end(&look, look.p)) {
      r->p = look.p + line_end(&look, look.p);
      return;
    }
    look.p++;
    look.tag = NULL;
  }
  const char *newline = memchr(start, '\n', (size_t)(r->end - start));
  r->p = newline ? newline + 1 : r->end;
}

static bool skip_line(reader *r) {
  bool is_row = r->has_map && r->n_map == 1 && r->map[0] >= 0 && r->schema->fields[r->map[0]].type.nullable;
  size_t n = line_end(r, r->p);
  if (n && !is_row) {
    r->p += n;
    return true;
  }
  if (!r->rules->comment || *r->p != r->rules->comment) return false;
  const char *newline = memchr(r->p, '\n', (size_t)(r->end - r->p));
  r->p = newline ? newline + 1 : r->end;
  return true;
}

/* False: nothing under this header can be right. */
static bool step(reader *r) {
  const char *start = r->p;
  bool header = !r->has_map;
  r->tag = NULL;
  if (skip_line(r) || (header ? read_header(r) : read_record(r))) return true;
  const char *tag = r->tag, *field = r->field;
  r->tag = NULL;
  skip_record(r, start);
  size_t len = (size_t)(r->p - start);
  while (len && memchr("\r\n", start[len - 1], 2)) len--;
  fixture_print(&r->bad, "!%s %s @%zu+%zu\n", tag, field ? field : "-", (size_t)(start - r->data), len);
  return !header || !strcmp(tag, "truncated");
}

hw_status reference_csv(fixture_text *out, const hw_schema *schema, const csv_rules *rules, const char *data,
                        size_t len) {
  reader r = {.rules = rules, .schema = schema, .data = data, .p = data, .end = data + len, .has_map = !rules->headers};
  if (schema->n_fields > CELLS_MAX) fixture_fail("more columns than this reader can hold");
  if (r.has_map)
    for (; r.n_map < schema->n_fields; r.n_map++) r.map[r.n_map] = (int)r.n_map;
  if (len >= 3 && !memcmp(data, "\xef\xbb\xbf", 3)) r.p += 3;
  bool hopeful = true;
  while (hopeful && r.p < r.end) hopeful = step(&r);
  fixture_put(out, r.rows.data, r.rows.len);
  fixture_put(out, r.bad.data, r.bad.len);
  free(r.rows.data);
  free(r.bad.data);
  return hopeful ? HW_OK : HW_EPARSE;
}
