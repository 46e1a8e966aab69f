/* csv_out.c - rows to CSV records: the encoder behind format "csv".
 *
 * An empty cell is NULL, "" is the empty string; any other cell is quoted only
 * when it has to be. As in json_out.c, a row is written into room for the longest
 * it can be. */
#include "formats/csv.h"
#include "formats/encode.h"
#include "formats/scan.h"

#include <headworks/value.h>

#include <stdlib.h>
#include <string.h>

typedef struct csv_encoder {
  csv_dialect dialect;
  bool headers;
  bool weight;       /* a last column holds the row's weight */
  bool quote_values; /* the delimiter may stand inside numbers or dates */
  size_t fixed;      /* most that a row needs beside its strings */
  const hw_schema *schema;
} csv_encoder;

#define STRING_EXTRA (SCAN_WIDTH + 4)
#define QUOTED_MAX 2 /* bytes that one byte may become, as hexadecimal digits too */

/* ---- cells ----------------------------------------------------------------------- */

static char *put_quoted(const csv_encoder *e, char *out, const char *p, size_t len) {
  char quote = e->dialect.quote;
  *out++ = quote;
  for (size_t i = 0; i < len; i++) {
    if (p[i] == quote) *out++ = quote;
    *out++ = p[i];
  }
  *out = quote;
  return out + 1;
}

static bool is_mark(const csv_encoder *e, char c) {
  return c == e->dialect.delimiter || c == e->dialect.quote || c == '\n' || c == '\r';
}

/* Copies text as long as nothing in it asks for quotes; returns how much that was. */
static size_t copy_unmarked(const csv_encoder *e, char *out, const char *p, size_t len) {
  size_t i = 0;
  for (; len - i >= SCAN_WIDTH; i += SCAN_WIDTH) {
    memcpy(out + i, p + i, SCAN_WIDTH);
    if (scan_any_of4(p + i, e->dialect.delimiter, e->dialect.quote, '\n', '\r')) return i;
  }
  for (; i < len && !is_mark(e, p[i]); i++) out[i] = p[i];
  return i;
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

static char *put_text(const csv_encoder *e, char *out, const char *p, size_t len) {
  if (len == 0 || is_blank(p[0]) || is_blank(p[len - 1]) || copy_unmarked(e, out, p, len) < len)
    return put_quoted(e, out, p, len);
  return out + len;
}

/* Hexadecimal digits. The prefix, which the parser allows, keeps an empty value from being NULL. */
static char *put_binary(const csv_encoder *e, char *out, const hw_str *s) {
  static const char hex[] = "0123456789abcdef";
  if (e->quote_values) *out++ = e->dialect.quote;
  memcpy(out, "0x", 2);
  out += 2;
  for (uint32_t i = 0; i < s->len; i++) {
    *out++ = hex[(unsigned char)s->data[i] >> 4];
    *out++ = hex[s->data[i] & 15];
  }
  if (e->quote_values) *out++ = e->dialect.quote;
  return out;
}

static char *put_value(const csv_encoder *e, char *out, const hw_type *type, const void *slot) {
  if (!e->quote_values) return out + hw_value_format(type, slot, out);
  char text[HW_VALUE_TEXT_MAX];
  return put_text(e, out, text, hw_value_format(type, slot, text));
}

static char *put_cell(const csv_encoder *e, char *out, const hw_type *type, const hw_column *column, uint32_t row) {
  hw_type_id id = (hw_type_id)type->id;
  if (!hw_column_valid(column, row)) return out;
  const void *slot = (const char *)column->values + row * hw_type_width(id);
  if (!hw_type_is_string(id)) return put_value(e, out, type, slot);
  const hw_str *s = slot;
  return hw_type_is_text(id) ? put_text(e, out, s->data, s->len) : put_binary(e, out, s);
}

/* ---- rows ------------------------------------------------------------------------- */

static size_t row_bound(const csv_encoder *e, const hw_batch *batch, uint32_t row) {
  size_t bound = e->fixed;
  for (uint32_t i = 0; i < e->schema->n_fields; i++)
    if (hw_type_is_string((hw_type_id)e->schema->fields[i].type.id) && hw_column_valid(&batch->columns[i], row))
      bound += (size_t)((const hw_str *)batch->columns[i].values)[row].len * QUOTED_MAX;
  return bound;
}

static char *put_row(const csv_encoder *e, const hw_batch *batch, uint32_t row, char *out) {
  for (uint32_t i = 0; i < e->schema->n_fields; i++) {
    if (i) *out++ = e->dialect.delimiter;
    out = put_cell(e, out, &e->schema->fields[i].type, &batch->columns[i], row);
  }
  if (e->weight) {
    *out++ = e->dialect.delimiter;
    char text[HW_VALUE_TEXT_MAX];
    size_t len = hw_format_i64(hw_batch_weight(batch, row), text);
    if (e->quote_values) {
      out = put_text(e, out, text, len);
    } else {
      memcpy(out, text, len);
      out += len;
    }
  }
  *out = '\n';
  return out + 1;
}

static hw_status encode_row(csv_encoder *e, const hw_batch *batch, uint32_t index, hw_bytes *out, hw_report *report) {
  uint32_t row = hw_batch_row(batch, index);
  int64_t weight = hw_batch_weight(batch, row);
  uint64_t copies = e->weight ? weight != 0 : encode_copies(report, index, weight, false);
  size_t bound = row_bound(e, batch, row), before = out->len;
  for (; copies > 0; copies--) {
    if (!hw_bytes_reserve(out, bound)) {
      out->len = before;
      return HW_ENOMEM;
    }
    out->len = (size_t)(put_row(e, batch, row, out->data + out->len) - out->data);
  }
  return HW_OK;
}

static hw_status encoder_encode(void *self, const hw_batch *batch, uint32_t first, size_t soft_limit, hw_bytes *out,
                                hw_report *report, uint32_t *taken) {
  uint32_t count = hw_batch_count(batch), i = first;
  hw_status status = HW_OK;
  for (; i < count && out->len < soft_limit; i++)
    if ((status = encode_row(self, batch, i, out, report)) != HW_OK) break;
  *taken = i - first;
  return status;
}

static hw_status encoder_begin(void *self, hw_bytes *out) {
  const csv_encoder *e = self;
  if (!e->headers) return HW_OK;
  size_t bound = sizeof "weight" * QUOTED_MAX + STRING_EXTRA;
  for (uint32_t i = 0; i < e->schema->n_fields; i++)
    bound += strlen(e->schema->fields[i].name) * QUOTED_MAX + STRING_EXTRA;
  if (!hw_bytes_reserve(out, bound)) return HW_ENOMEM;
  char *at = out->data + out->len;
  for (uint32_t i = 0; i < e->schema->n_fields; i++) {
    if (i) *at++ = e->dialect.delimiter;
    at = put_text(e, at, e->schema->fields[i].name, strlen(e->schema->fields[i].name));
  }
  if (e->weight) {
    *at++ = e->dialect.delimiter;
    at = put_text(e, at, "weight", strlen("weight"));
  }
  *at++ = '\n';
  out->len = (size_t)(at - out->data);
  return HW_OK;
}

/* ---- making ------------------------------------------------------------------------- */

static size_t fixed_bound(const hw_schema *schema) {
  size_t bound = HW_VALUE_TEXT_MAX + 4;
  for (uint32_t i = 0; i < schema->n_fields; i++)
    bound += hw_type_is_string((hw_type_id)schema->fields[i].type.id) ? STRING_EXTRA : HW_VALUE_TEXT_MAX + STRING_EXTRA;
  return bound;
}

static hw_status read_dialect(csv_dialect *d, const hw_config *config, hw_error *err) {
  bool is_set;
  *d = (csv_dialect){.delimiter = ',', .quote = '"', .quoting = true, .double_quote = true};
  hw_error all = {.status = HW_OK};
  csv_dialect_character(config, "delimiter", &d->delimiter, &is_set, &all);
  csv_dialect_character(config, "quote", &d->quote, &is_set, &all);
  return csv_dialect_check(d, &all, err);
}

static void encoder_destroy(void *self) {
  free(self);
}

static hw_status encoder_create(const hw_config *config, const hw_schema *schema, void **encoder, hw_error *err) {
  csv_encoder *e = calloc(1, sizeof *e);
  if (!e) return hw_error_set(err, HW_ENOMEM, "no memory for an encoder");
  hw_status status = read_dialect(&e->dialect, config, err);
  if (status != HW_OK) {
    free(e);
    return status;
  }
  e->schema = schema;
  e->fixed = fixed_bound(schema);
  e->headers = hw_config_bool(config, "headers");
  e->weight = hw_config_bool(config, "weight");
  e->quote_values = csv_dialect_is_value_character(e->dialect.delimiter);
  *encoder = e;
  return HW_OK;
}

const hw_option csv_encoder_options[] = {
    {.name = "delimiter",
     .type = HW_OPTION_STRING,
     .default_text = ",",
     .description = "One ASCII character between cells; \"\\t\" for a tab."},
    {.name = "headers",
     .type = HW_OPTION_BOOL,
     .default_text = "false",
     .description = "The first record holds the columns' names."},
    {.name = "quote",
     .type = HW_OPTION_STRING,
     .default_text = "\"",
     .description = "The character around quoted cells."},
    {.name = "weight",
     .type = HW_OPTION_BOOL,
     .default_text = "true",
     .description = "A last cell holds the row's weight: 1 for an inserted row, -1 for a deleted one. Without it, "
                    "deleted rows are reported as errors."},
    {.name = "buffer_size_records",
     .type = HW_OPTION_INT,
     .default_text = "10000",
     .min = 1,
     .max = INT64_MAX,
     .unit = "records",
     .description = "Accepted for compatibility: what is written at once is bounded by its bytes."},
    {0},
};

const hw_encoder_ops csv_encoder_ops = {
    .create = encoder_create, .encode = encoder_encode, .begin = encoder_begin, .destroy = encoder_destroy};
