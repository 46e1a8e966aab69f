/* json_out.c - rows to JSON: the encoder behind format "json".
 *
 * A row begins with room for all that is of bounded length in it, so that only
 * strings have to ask for room, each for the longest it can be and again for all of
 * the former. What stands between values (`,"name":`) is rendered when the encoder is
 * made. Strings known to be plain are copied without a look. */
#include "formats/encode.h"
#include "formats/json_out.h"
#include "formats/put_value.h"
#include "formats/scan.h"

#include <headworks/value.h>

#include <stdlib.h>
#include <string.h>

typedef struct json_column {
  hw_type type;
  uint32_t key_len;
  const char *key; /* `{"name":` or `,"name":`, and PUT_SLACK bytes */
} json_column;

typedef struct json_encoder {
  bool updates; /* update_format insert_delete */
  bool array;
  bool first; /* no record stands in the array yet */
  uint32_t n_columns;
  size_t fixed; /* most that a row needs beside its strings */
  put_day day;
  json_column *columns;
  char *keys;
} json_encoder;

/* Room beyond its text that a string needs: quotes, and whole vectors being stored. */
#define STRING_EXTRA (SCAN_WIDTH + 4)
#define ESCAPED_MAX 6 /* bytes that one byte may become */

/* ---- strings ---------------------------------------------------------------- */

static char *put_escape(char *out, unsigned char c) {
  static const char hex[] = "0123456789abcdef";
  static const char letters[0x20] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
  char letter = c >= 0x20 ? (char)c : letters[c];
  *out++ = '\\';
  if (letter) {
    *out++ = letter;
    return out;
  }
  memcpy(out, "u00", 3);
  out[3] = hex[c >> 4];
  out[4] = hex[c & 15];
  return out + 5;
}

static char *put_byte(char *out, char c) {
  if ((unsigned char)c < 0x20 || c == '"' || c == '\\') return put_escape(out, (unsigned char)c);
  *out = c;
  return out + 1;
}

static char *put_escaped(char *out, const char *p, size_t len) {
  const char *end = p + len;
  while (end - p >= SCAN_WIDTH) {
    uint32_t high, stop = scan_json_stop(p, &high);
    memcpy(out, p, SCAN_WIDTH);
    if (!stop) {
      out += SCAN_WIDTH;
      p += SCAN_WIDTH;
      continue;
    }
    unsigned n = (unsigned)__builtin_ctz(stop);
    out = put_escape(out + n, (unsigned char)p[n]);
    p += n + 1;
  }
  while (p < end) out = put_byte(out, *p++);
  return out;
}

PUT_INLINE char *put_text(char *out, const hw_str *s) {
  *out++ = '"';
  out = s->flags & HW_STR_PLAIN ? put_bytes(out, s->data, s->len) : put_escaped(out, s->data, s->len);
  *out = '"';
  return out + 1;
}

/* Binary values are arrays of their bytes, as the parser takes them. */
static char *put_binary(char *out, const hw_str *s) {
  *out++ = '[';
  for (uint32_t i = 0; i < s->len; i++) {
    if (i) *out++ = ',';
    out = put_unsigned(out, (unsigned char)s->data[i]);
  }
  *out = ']';
  return out + 1;
}

/* ---- other values -------------------------------------------------------------- */

/* JSON has no NaN and no infinities: these become strings, which the parser reads back. */
static char *put_special(char *out, double v) {
  *out = '"';
  out += 1 + hw_format_f64(v, out + 1);
  *out = '"';
  return out + 1;
}

static char *put_real(char *out, float v) {
  return __builtin_isfinite(v) ? out + hw_format_f32(v, out) : put_special(out, (double)v);
}

static char *put_quoted(char *out, const hw_type *type, const void *slot) {
  *out = '"';
  out += 1 + hw_value_format(type, slot, out + 1);
  *out = '"';
  return out + 1;
}

PUT_INLINE char *put_instant(char *out, int64_t v, put_day *day) {
  *out = '"';
  out = put_timestamp(out + 1, v, day);
  *out = '"';
  return out + 1;
}

PUT_INLINE char *put_value(json_encoder *e, char *out, const hw_type *type, const void *values, uint32_t row) {
  switch (type->id) {
  case HW_TYPE_REAL: return put_real(out, ((const float *)values)[row]);
  case HW_TYPE_DOUBLE: {
    double v = ((const double *)values)[row];
    return __builtin_expect(__builtin_isfinite(v), 1) ? put_double(out, v) : put_special(out, v);
  }
  case HW_TYPE_DATE: return put_quoted(out, type, &((const int32_t *)values)[row]);
  case HW_TYPE_TIME: return put_quoted(out, type, &((const int64_t *)values)[row]);
  case HW_TYPE_TIMESTAMP: return put_instant(out, ((const int64_t *)values)[row], &e->day);
  case HW_TYPE_UUID: return put_quoted(out, type, &((const hw_uuid *)values)[row]);
  default: return put_plain(out, type, values, row, &e->day);
  }
}

/* ---- rows ------------------------------------------------------------------------ */

/* A string, and room for what may follow it; NULL: no memory. */
PUT_INLINE char *put_string(const json_encoder *e, hw_bytes *room, char *out, const hw_type *type, const hw_str *s) {
  if (!(out = encode_room(room, out, (size_t)s->len * ESCAPED_MAX + e->fixed))) return NULL;
  return hw_type_is_text((hw_type_id)type->id) ? put_text(out, s) : put_binary(out, s);
}

static char *put_row(json_encoder *e, const hw_batch *batch, uint32_t row, hw_bytes *room, char *out) {
  for (uint32_t i = 0; i < e->n_columns; i++) {
    const json_column *c = &e->columns[i];
    const hw_column *column = &batch->columns[i];
    out = put_padded(out, c->key, c->key_len);
    if (__builtin_expect(!hw_column_valid(column, row), 0)) {
      memcpy(out, "null", 4);
      out += 4;
    } else if (hw_type_is_string((hw_type_id)c->type.id)) {
      if (!(out = put_string(e, room, out, &c->type, &((const hw_str *)column->values)[row]))) return NULL;
    } else {
      out = put_value(e, out, &c->type, column->values, row);
    }
  }
  *out = '}';
  return out + 1;
}

/* One record with what separates it from the one before and after. */
static char *put_record(json_encoder *e, const hw_batch *batch, uint32_t row, bool insert, hw_bytes *room) {
  if (!hw_bytes_reserve(room, e->fixed)) return NULL;
  char *out = room->data + room->len;
  if (e->array && !e->first) *out++ = ',';
  if (e->array) *out++ = '\n';
  e->first = false;
  if (e->updates) {
    memcpy(out, insert ? "{\"insert\":" : "{\"delete\":", 10);
    out += 10;
  }
  if (!(out = put_row(e, batch, row, room, out))) return NULL;
  if (e->updates) *out++ = '}';
  if (!e->array) *out++ = '\n';
  return out;
}

static hw_status encode_row(json_encoder *e, const hw_batch *batch, uint32_t index, hw_bytes *out, hw_report *report) {
  uint32_t row = hw_batch_row(batch, index);
  int64_t weight = hw_batch_weight(batch, row);
  uint64_t copies = encode_copies(report, index, weight, e->updates);
  size_t before = out->len;
  bool was_first = e->first;
  for (; copies > 0; copies--) {
    char *after = put_record(e, batch, row, weight > 0, out);
    if (__builtin_expect(!after, 0)) {
      out->len = before;
      e->first = was_first;
      return HW_ENOMEM;
    }
    out->len = (size_t)(after - out->data);
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

static hw_status put_literal(hw_bytes *out, const char *text) {
  size_t len = strlen(text);
  if (!hw_bytes_reserve(out, len)) return HW_ENOMEM;
  memcpy(out->data + out->len, text, len);
  out->len += len;
  return HW_OK;
}

static hw_status encoder_begin(void *self, hw_bytes *out) {
  json_encoder *e = self;
  e->first = true;
  return e->array ? put_literal(out, "[") : HW_OK;
}

static hw_status encoder_end(void *self, hw_bytes *out) {
  json_encoder *e = self;
  return e->array ? put_literal(out, "\n]\n") : HW_OK;
}

/* ---- making ------------------------------------------------------------------------ */

static void encoder_destroy(void *self) {
  json_encoder *e = self;
  free(e->columns);
  free(e->keys);
  free(e);
}

static size_t keys_room(const hw_schema *schema) {
  size_t room = 0;
  for (uint32_t i = 0; i < schema->n_fields; i++)
    room += strlen(schema->fields[i].name) * ESCAPED_MAX + STRING_EXTRA + PUT_SLACK;
  return room;
}

/* Most bytes that writing a value may touch, those of a string's text aside. */
static size_t value_room(const hw_type *type) {
  return hw_type_is_string((hw_type_id)type->id) ? STRING_EXTRA + HW_VALUE_TEXT_MAX : HW_VALUE_TEXT_MAX + 2;
}

static void render_columns(json_encoder *e, const hw_schema *schema) {
  char *at = e->keys;
  e->fixed = sizeof "{\"insert\":{}},\n" + PUT_SLACK;
  for (uint32_t i = 0; i < schema->n_fields; i++) {
    const hw_field *field = &schema->fields[i];
    hw_str name = {.data = field->name, .len = (uint32_t)strlen(field->name)};
    char *key = at;
    *at = i ? ',' : '{';
    at = put_text(at + 1, &name);
    *at++ = ':';
    e->columns[i] = (json_column){.type = field->type, .key = key, .key_len = (uint32_t)(at - key)};
    e->fixed += (size_t)(at - key) + PUT_SLACK + value_room(&field->type);
    at += PUT_SLACK;
  }
}

static hw_status encoder_create(const hw_config *config, const hw_schema *schema, void **encoder, hw_error *err) {
  json_encoder *e = calloc(1, sizeof *e);
  if (!e) return hw_error_set(err, HW_ENOMEM, "no memory for an encoder");
  e->n_columns = schema->n_fields;
  e->columns = calloc(schema->n_fields + 1, sizeof *e->columns);
  e->keys = calloc(1, keys_room(schema) + 1);
  if (!e->columns || !e->keys) {
    encoder_destroy(e);
    return hw_error_set(err, HW_ENOMEM, "no memory for an encoder");
  }
  render_columns(e, schema);
  put_day_init(&e->day);
  e->updates = !strcmp(hw_config_string(config, "update_format"), "insert_delete");
  e->array = hw_config_bool(config, "array");
  e->first = true;
  *encoder = e;
  return HW_OK;
}

static const char *const update_formats[] = {"raw", "insert_delete", NULL};
static const char *const flavors[] = {"default", NULL};

const hw_option json_encoder_options[] = {
    {.name = "update_format",
     .type = HW_OPTION_CHOICE,
     .default_text = "insert_delete",
     .choices = update_formats,
     .description = "`insert_delete`: each record is {\"insert\": row} or {\"delete\": row}. `raw`: each record is an "
                    "inserted row; deleted ones are reported as errors."},
    {.name = "json_flavor",
     .type = HW_OPTION_CHOICE,
     .default_text = "default",
     .choices = flavors,
     .description = "How values are spelled; see the rules for JSON values."},
    {.name = "array",
     .type = HW_OPTION_BOOL,
     .default_text = "false",
     .description = "The output is one array of records instead of a record per line."},
    {.name = "buffer_size_records",
     .type = HW_OPTION_INT,
     .default_text = "10000",
     .min = 1,
     .max = INT64_MAX,
     .unit = "records",
     .description = "Accepted for compatibility: what is written at once is bounded by its bytes."},
    {0},
};

const hw_encoder_ops json_encoder_ops = {.create = encoder_create,
                                         .encode = encoder_encode,
                                         .begin = encoder_begin,
                                         .end = encoder_end,
                                         .destroy = encoder_destroy};
