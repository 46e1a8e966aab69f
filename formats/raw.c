/* raw.c - format "raw": text as it is, a line or a whole message to a row. */
#include "formats/formats.h"
#include "formats/row.h"
#include "formats/text_class.h"

#include <stdlib.h>
#include <string.h>

typedef struct raw_parser {
  row_writer row;
  uint32_t column;
  bool lines;
  bool text; /* the column wants UTF-8 */
  size_t looked; /* at so much of the record that the last parse left */
} raw_parser;

static const char *const modes[] = {"lines", "blob", NULL};

static const hw_option raw_options[] = {
    {.name = "mode",
     .type = HW_OPTION_CHOICE,
     .default_text = "lines",
     .choices = modes,
     .description = "`lines`: each line, without its LF or CR LF, is a row. `blob`: a whole message, or a stream up to "
                    "its end, is one row."},
    {.name = "column_name",
     .type = HW_OPTION_STRING,
     .description = "The VARCHAR or VARBINARY column that gets the bytes; not needed when the table has only one."},
    {0},
};

/* ---- making ----------------------------------------------------------------- */

static bool takes_bytes(const hw_field *field) {
  return field->type.id == HW_TYPE_VARCHAR || field->type.id == HW_TYPE_VARBINARY;
}

static hw_status only_column(const hw_schema *schema, uint32_t *column, hw_error *err) {
  uint32_t found = 0;
  for (uint32_t i = 0; i < schema->n_fields; i++)
    if (takes_bytes(&schema->fields[i])) *column = i, found++;
  if (found == 1) return HW_OK;
  return hw_error_set(err, HW_EINVAL,
                      "table \"%s\" has %s VARCHAR or VARBINARY column: say with column_name which one gets the bytes",
                      schema->name, found ? "more than one" : "no");
}

static hw_status choose_column(const char *name, const hw_schema *schema, uint32_t *column, hw_error *err) {
  if (!name) return only_column(schema, column, err);
  int found = hw_schema_find(schema, name, strlen(name));
  if (found < 0)
    return hw_error_set(err, HW_EINVAL, "column_name: table \"%s\" has no column \"%s\"", schema->name, name);
  if (!takes_bytes(&schema->fields[found]))
    return hw_error_set(err, HW_EINVAL,
                        "column_name: column \"%s\" of table \"%s\" is %s, it must be VARCHAR or VARBINARY", name,
                        schema->name, hw_type_name((hw_type_id)schema->fields[found].type.id));
  *column = (uint32_t)found;
  return HW_OK;
}

/* Every other column must do without a value. */
static hw_status check_others(const hw_schema *schema, uint32_t column, hw_error *err) {
  for (uint32_t i = 0; i < schema->n_fields; i++) {
    const hw_field *field = &schema->fields[i];
    if (i == column || field->type.nullable || (field->has_default && !field->default_value.is_null)) continue;
    return hw_error_set(err, HW_EINVAL,
                        "column \"%s\" of table \"%s\" is NOT NULL without DEFAULT: raw has no value for it",
                        field->name, schema->name);
  }
  return HW_OK;
}

static void raw_destroy(void *self) {
  raw_parser *r = self;
  row_fini(&r->row);
  free(r);
}

static hw_status raw_create(const hw_config *config, const hw_schema *schema, void **parser, hw_error *err) {
  uint32_t column = 0;
  hw_status status = choose_column(hw_config_string(config, "column_name"), schema, &column, err);
  if (status == HW_OK) status = check_others(schema, column, err);
  if (status != HW_OK) return status;
  raw_parser *r = calloc(1, sizeof *r);
  if (!r) return hw_error_set(err, HW_ENOMEM, "no memory for a parser");
  if ((status = row_init(&r->row, schema, err)) != HW_OK) {
    free(r);
    return status;
  }
  r->column = column;
  r->lines = !strcmp(hw_config_string(config, "mode"), "lines");
  r->text = schema->fields[column].type.id == HW_TYPE_VARCHAR;
  *parser = r;
  return HW_OK;
}

/* ---- parsing ------------------------------------------------------------------ */

static bool put_cell(raw_parser *r, const char *p, size_t len) {
  uint32_t flags;
  if (!r->text) return row_put_bytes(&r->row, r->column, p, len);
  if (text_classify(p, len, &flags)) return row_put_text(&r->row, r->column, p, len, flags);
  return row_fault_column(&r->row, r->column, "utf8", "invalid UTF-8 in text");
}

/* False: no memory. */
static bool put_record(raw_parser *r, const char *p, size_t len, hw_report *report) {
  row_clear_seen(&r->row);
  row_mark_seen(&r->row, r->column);
  if (put_cell(r, p, len) && row_fill_missing(&r->row) && row_commit(&r->row, 1)) return true;
  row_abandon(&r->row);
  if (r->row.fault.kind == FAULT_MEMORY) return false;
  row_report(&r->row, report, p, len, 0);
  return true;
}

/* Bytes of the record at p, and *after, with its terminator; false: it is not whole yet. */
static bool find_record(const raw_parser *r, const char *p, size_t left, bool final, size_t *len, size_t *after) {
  const char *newline = r->lines ? memchr(p, '\n', left) : NULL;
  if (!newline && !final) return false;
  *len = newline ? (size_t)(newline - p) : left;
  *after = newline ? *len + 1 : left;
  if (newline && *len > 0 && p[*len - 1] == '\r') --*len;
  return true;
}

static hw_status raw_parse(void *self, const char *data, size_t len, bool final, hw_batch *batch, hw_report *report,
                           size_t *consumed) {
  raw_parser *r = self;
  size_t at = 0, record, after;
  row_attach(&r->row, batch, len);
  r->looked = 0;
  bool room = true;
  while (at < len && batch->n_rows < batch->capacity && find_record(r, data + at, len - at, final, &record, &after)) {
    if (!(room = put_record(r, data + at, record, report))) break;
    at += after;
  }
  row_detach(&r->row);
  *consumed = at;
  return room ? HW_OK : HW_ENOMEM;
}

static bool raw_can_go_on(void *self, const char *data, size_t len) {
  raw_parser *r = self;
  size_t from = r->looked;
  r->looked = len;
  return r->lines && memchr(data + from, '\n', len - from);
}

static size_t raw_skip(void *self, const char *data, size_t len) {
  const raw_parser *r = self;
  const char *newline = r->lines ? memchr(data, '\n', len) : NULL;
  return newline ? (size_t)(newline - data) + 1 : 0;
}

static const hw_parser_ops raw_ops = {
    .create = raw_create, .parse = raw_parse, .skip = raw_skip, .destroy = raw_destroy};

const hw_format format_raw = {
    .struct_size = sizeof(hw_format),
    .name = "raw",
    .summary = "Text as it is: each line, or each message, is one value",
    .parser_options = raw_options,
    .parser = &raw_ops,
    .can_go_on = raw_can_go_on,
};
