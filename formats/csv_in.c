/* csv_in.c - CSV records to rows: the parser behind format "csv".
 *
 * After a bad record the next one starts behind the record's end as its quotes
 * show it. A quote that is never closed would take the rest of the stream with
 * it; at the end of the data the next record is then looked for on the next line. */
#include "formats/csv.h"
#include "formats/formats.h"
#include "formats/part.h"

#include <stdlib.h>
#include <string.h>

typedef struct csv_parser {
  csv_reader reader;
  bool headers; /* the first record names the columns */
  bool has_map;  /* the reader's map is set: the header was read, or there is none */
  uint32_t map_capacity;
  bool at_start; /* nothing of the stream has been consumed */
  csv_progress progress; /* in the record that the last parse left */
  bool in_comment;       /* which is a comment */
  bool in_mark;          /* or may be half a byte order mark */
} csv_parser;

typedef struct csv_run {
  const char *p; /* all before it is done with */
  hw_report *report;
  hw_status status;
  bool stop;
} csv_run;

/* ---- options ------------------------------------------------------------------- */

static const char *const trims[] = {"none", "headers", "fields", "all", NULL};

static const hw_option parser_options[] = {
    {.name = "delimiter",
     .type = HW_OPTION_STRING,
     .default_text = ",",
     .description = "One ASCII character between cells; \"\\t\" for a tab."},
    {.name = "headers",
     .type = HW_OPTION_BOOL,
     .default_text = "false",
     .description = "The first record names the columns; without it, cells stand in the order of the columns."},
    {.name = "quote",
     .type = HW_OPTION_STRING,
     .default_text = "\"",
     .description = "The character around quoted cells."},
    {.name = "escape",
     .type = HW_OPTION_STRING,
     .description = "A character that, inside quotes, makes the next one stand for itself."},
    {.name = "double_quote",
     .type = HW_OPTION_BOOL,
     .default_text = "true",
     .description = "Two quotes inside quotes stand for one."},
    {.name = "quoting",
     .type = HW_OPTION_BOOL,
     .default_text = "true",
     .description = "Quotes have a meaning; without it they are text."},
    {.name = "comment", .type = HW_OPTION_STRING, .description = "Lines that begin with this character are skipped."},
    {.name = "flexible",
     .type = HW_OPTION_BOOL,
     .default_text = "true",
     .description =
         "A record may have fewer cells (the columns are missing) or more (they are ignored) than expected."},
    {.name = "trim",
     .type = HW_OPTION_CHOICE,
     .default_text = "none",
     .choices = trims,
     .description = "Where blanks and tabs around cells are taken off."},
    {0},
};

static hw_status read_dialect(csv_dialect *d, const hw_config *config, hw_error *err) {
  bool is_set;
  *d = (csv_dialect){.delimiter = ',', .quote = '"'};
  d->quoting = hw_config_bool(config, "quoting");
  d->double_quote = hw_config_bool(config, "double_quote");
  hw_error all = {.status = HW_OK};
  csv_dialect_character(config, "delimiter", &d->delimiter, &is_set, &all);
  csv_dialect_character(config, "quote", &d->quote, &is_set, &all);
  csv_dialect_character(config, "escape", &d->escape, &d->has_escape, &all);
  csv_dialect_character(config, "comment", &d->comment, &d->has_comment, &all);
  return csv_dialect_check(d, &all, err);
}

/* ---- making ---------------------------------------------------------------------- */

static void parser_destroy(void *self) {
  csv_parser *c = self;
  row_fini(&c->reader.row);
  free(c->reader.map.cells);
  free(c);
}

/* Cells stand for the columns in their order. */
static void map_by_position(csv_parser *c) {
  csv_map *map = &c->reader.map;
  map->n = c->reader.row.n_columns;
  for (uint32_t i = 0; i < map->n; i++) map->cells[i] = &c->reader.row.info[i];
  map->cells[map->n] = csv_no_column(&c->reader);
  map->complete = true;
}

static void start_anew(csv_parser *c) {
  c->at_start = true;
  c->has_map = !c->headers;
}

static hw_status init_parser(csv_parser *c, const hw_config *config, const hw_schema *schema, hw_error *err) {
  csv_reader *r = &c->reader;
  hw_status status = read_dialect(&r->dialect, config, err);
  if (status == HW_OK) status = row_init(&r->row, schema, err);
  if (status != HW_OK) return status;
  c->map_capacity = schema->n_fields;
  r->row.info[schema->n_fields] = (row_column){.type = CSV_NO_TYPE};
  r->map.cells = calloc(schema->n_fields + 1, sizeof *r->map.cells);
  if (!r->map.cells) return hw_error_set(err, HW_ENOMEM, "no memory for a parser");
  const char *trim = hw_config_string(config, "trim");
  r->trim_fields = !strcmp(trim, "fields") || !strcmp(trim, "all");
  r->trim_headers = !strcmp(trim, "headers") || !strcmp(trim, "all");
  char delimiter = r->dialect.delimiter;
  r->usual = r->dialect.quoting && r->dialect.double_quote && !r->dialect.has_escape && !r->trim_fields &&
             !csv_dialect_is_value_character(delimiter) && delimiter != '"' && delimiter != '\\';
  c->headers = hw_config_bool(config, "headers");
  r->map.flexible = hw_config_bool(config, "flexible");
  map_by_position(c);
  start_anew(c);
  return HW_OK;
}

static hw_status parser_create(const hw_config *config, const hw_schema *schema, void **parser, hw_error *err) {
  csv_parser *c = calloc(1, sizeof *c);
  if (!c) return hw_error_set(err, HW_ENOMEM, "no memory for a parser");
  hw_status status = init_parser(c, config, schema, err);
  if (status != HW_OK)
    parser_destroy(c);
  else
    *parser = c;
  return status;
}

/* ---- the header -------------------------------------------------------------------- */

static bool reserve_map(csv_parser *c, uint32_t n) {
  if (n <= c->map_capacity) return true;
  uint32_t capacity = n * 2;
  const row_column **cells = realloc(c->reader.map.cells, (capacity + 1) * sizeof *cells);
  if (!cells) return false;
  c->reader.map.cells = cells;
  c->map_capacity = capacity;
  return true;
}

static bool add_header(csv_parser *c, const csv_text *name) {
  row_writer *w = &c->reader.row;
  if (!reserve_map(c, c->reader.map.n + 1)) return row_fault(w, FAULT_MEMORY, NULL, "no memory for a header");
  int column = hw_schema_find(w->schema, name->data, name->len);
  if (column >= 0) {
    uint64_t bit = UINT64_C(1) << (column & 63);
    if (w->seen[column >> 6] & bit)
      return row_fault_column(w, (uint32_t)column, "header", "the header names this column twice");
    row_mark_seen(w, (uint32_t)column);
  }
  csv_map *map = &c->reader.map;
  map->cells[map->n++] = column < 0 ? csv_no_column(&c->reader) : &w->info[column];
  map->cells[map->n] = csv_no_column(&c->reader);
  return true;
}

/* Whether rows are possible under this header. */
static bool check_header(csv_parser *c) {
  row_writer *w = &c->reader.row;
  csv_map *map = &c->reader.map;
  uint32_t mapped = 0;
  for (uint32_t i = 0; i < map->n; i++) mapped += csv_column(&c->reader, map->cells[i]) >= 0;
  map->complete = mapped == w->n_columns;
  if (mapped == 0) return row_fault(w, FAULT_VALUE, "header", "the header names no column of \"%s\"", w->schema->name);
  for (uint32_t i = 0; i < w->n_columns; i++) {
    const hw_field *field = &w->schema->fields[i];
    if ((w->seen[i >> 6] >> (i & 63) & 1) || field->type.nullable) continue;
    if (!field->has_default || field->default_value.is_null)
      return row_fault_column(w, i, "header", "not in the header, though it is NOT NULL and has no DEFAULT");
  }
  return true;
}

static const char *read_header(csv_parser *c, const char *p) {
  csv_reader *r = &c->reader;
  r->start = p;
  c->reader.map.n = 0;
  row_clear_seen(&r->row);
  for (;;) {
    csv_text name;
    bool at_end;
    if (!(p = csv_read_text(r, p, r->trim_headers, &name)) || !add_header(c, &name)) return NULL;
    if (name.copied) hw_batch_trim(r->row.batch, name.copied);
    size_t n = csv_line_end(r, p, &at_end);
    if (n || at_end) return check_header(c) ? p + n : NULL;
    p++;
  }
}

/* ---- lines that are no records ------------------------------------------------------ */

/* Blank lines and comments at p: *p moves behind one; false: neither stands there. */
static bool skip_line(csv_parser *c, csv_run *run) {
  csv_reader *r = &c->reader;
  bool at_end;
  size_t n = csv_line_end(r, run->p, &at_end);
  /* In a table of one nullable column an empty line is an empty cell: NULL. */
  bool blank_is_row = c->has_map && r->map.n == 1 && r->map.cells[0]->nullable;
  if (n && !blank_is_row) {
    run->p += n;
    return true;
  }
  if (!r->dialect.has_comment || *run->p != r->dialect.comment) return false;
  const char *newline = memchr(run->p, '\n', (size_t)(r->end - run->p));
  if (newline)
    run->p = newline + 1;
  else if (r->final)
    run->p = r->end;
  else
    run->stop = c->in_comment = true;
  return true;
}

/* ---- after a bad record ----------------------------------------------------------------- */

static size_t trimmed(const char *start, const char *end) {
  while (end > start && (end[-1] == '\n' || end[-1] == '\r')) end--;
  return (size_t)(end - start);
}

/* Where the record after the one at p starts; NULL: the data does not show it. */
static const char *next_record(const csv_reader *r, const char *p) {
  const char *after = csv_skip_record(r, p);
  if (after || !r->final) return after;
  const char *newline = memchr(p, '\n', (size_t)(r->end - p));
  return newline ? newline + 1 : r->end;
}

static void give_up_record(csv_parser *c, csv_run *run) {
  csv_reader *r = &c->reader;
  row_abandon(&r->row);
  const char *after = NULL;
  if (r->row.fault.kind == FAULT_MEMORY)
    run->status = HW_ENOMEM;
  else if (r->row.fault.kind != FAULT_INCOMPLETE || r->final)
    after = next_record(r, run->p);
  if (!after) {
    run->stop = true;
    return;
  }
  row_report(&r->row, run->report, run->p, trimmed(run->p, after), 0);
  run->p = after;
}

/* ---- the stream ---------------------------------------------------------------------------- */

static void step_header(csv_parser *c, csv_run *run) {
  const char *after = read_header(c, run->p);
  if (after) {
    c->has_map = true;
    run->p = after;
    return;
  }
  bool hopeless = c->reader.row.fault.kind == FAULT_VALUE || c->reader.row.fault.kind == FAULT_SYNTAX;
  give_up_record(c, run);
  if (!hopeless || run->stop) return;
  run->status = HW_EPARSE;
  run->stop = true;
}

static void step(csv_parser *c, csv_run *run) {
  csv_reader *r = &c->reader;
  if (csv_may_skip(&r->dialect, *run->p) && skip_line(c, run)) return;
  if (!c->has_map)
    step_header(c, run);
  else if (!csv_read_records(r, &run->p))
    give_up_record(c, run);
}

/* A byte order mark may open the stream; false: it cannot be told yet. */
static bool skip_mark(csv_parser *c, csv_run *run) {
  static const char mark[] = "\xef\xbb\xbf";
  size_t len = (size_t)(c->reader.end - run->p);
  if (!c->at_start || len == 0) return true;
  if (len >= 3 && !memcmp(run->p, mark, 3)) run->p += 3;
  return len >= 3 || c->reader.final || memcmp(run->p, mark, len) != 0;
}

static hw_status parser_parse(void *self, const char *data, size_t len, bool final, hw_batch *batch, hw_report *report,
                              size_t *consumed) {
  csv_parser *c = self;
  csv_run run = {.p = data, .report = report, .status = HW_OK};
  c->reader.end = data + len;
  c->reader.final = final;
  c->progress = (csv_progress){0};
  c->in_comment = false;
  *consumed = 0;
  c->in_mark = !skip_mark(c, &run);
  if (c->in_mark) return HW_OK;
  row_attach(&c->reader.row, batch, len);
  while (!run.stop && run.p < c->reader.end && batch->n_rows < batch->capacity) step(c, &run);
  row_detach(&c->reader.row);
  *consumed = (size_t)(run.p - data);
  if (*consumed) c->at_start = false;
  if (run.status == HW_EPARSE || (final && run.p == c->reader.end)) start_anew(c);
  return run.status;
}

static bool parser_can_go_on(void *self, const char *data, size_t len) {
  csv_parser *c = self;
  c->reader.end = data + len;
  c->reader.final = false;
  if (c->in_mark) return true;
  if (!c->in_comment) return csv_skip_on(&c->reader, data, &c->progress) != NULL;
  bool over = memchr(data + c->progress.at, '\n', len - c->progress.at) != NULL;
  c->progress.at = len;
  return over;
}

static size_t parser_skip(void *self, const char *data, size_t len) {
  csv_parser *c = self;
  const char *newline = len ? memchr(data, '\n', len) : NULL;
  if (!newline) return 0;
  c->at_start = false;
  return (size_t)(newline - data) + 1;
}

/* Where a line end stands in quotes, the new parser does not come to the end. */
static size_t parser_part(void *self, const char *data, size_t len) {
  const csv_parser *c = self;
  return c->has_map ? part_at_line(c->at_start, data, len) : 0;
}

/* Which column is where stands in the header, which only `other` has read. */
static hw_status parser_follow(void *self, const void *other) {
  csv_parser *c = self;
  const csv_parser *from = other;
  csv_map *map = &c->reader.map;
  if (!reserve_map(c, from->reader.map.n)) return HW_ENOMEM;
  map->n = from->reader.map.n;
  map->complete = from->reader.map.complete;
  for (uint32_t i = 0; i <= map->n; i++)
    map->cells[i] = c->reader.row.info + (from->reader.map.cells[i] - from->reader.row.info);
  c->has_map = true;
  return HW_OK;
}

static const hw_parser_ops parser_ops = {
    .create = parser_create, .parse = parser_parse, .skip = parser_skip, .destroy = parser_destroy};

const hw_format format_csv = {
    .struct_size = sizeof(hw_format),
    .name = "csv",
    .summary = "Comma-separated values (RFC 4180) and their relatives",
    .parser_options = parser_options,
    .encoder_options = csv_encoder_options,
    .parser = &parser_ops,
    .encoder = &csv_encoder_ops,
    .can_go_on = parser_can_go_on,
    .part = parser_part,
    .follow = parser_follow,
};
