/* msgpack_out.c - rows to MessagePack: the encoder behind format "msgpack".
 *
 * A row begins with room for all but its strings, which ask for theirs, as in
 * json_out.c. What is the same in every row, the keys of a map, is packed by msgpack-c
 * when the encoder is made; values are written by msgpack_put.h. */
#include "formats/encode.h"
#include "formats/msgpack_out.h"
#include "formats/msgpack_put.h"

#include <headworks/value.h>

#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

typedef struct msgpack_column {
  hw_type type;
  uint32_t key_len;
  const char *key; /* its item, and PUT_SLACK bytes */
} msgpack_column;

typedef struct msgpack_encoder {
  bool updates; /* update_format insert_delete */
  bool maps;
  uint32_t n_columns;
  size_t fixed; /* most that a row needs beside its strings */
  msgpack_column *columns;
  msgpack_sbuffer keys;
} msgpack_encoder;

#define HEADER_MAX 5 /* bytes before a string or the items of a map */

/* ---- values ----------------------------------------------------------------------- */

static char *put_spelled(char *out, const hw_type *type, const void *slot) {
  char text[2 * HW_VALUE_TEXT_MAX]; /* put_bytes' longest copies are never done */
  return mp_put_str(out, text, (uint32_t)hw_value_format(type, slot, text));
}

PUT_INLINE char *put_item(char *out, const hw_type *type, const void *values, uint32_t row) {
  switch (type->id) {
  case HW_TYPE_BOOLEAN: *out = (char)(0xc2 + ((const uint8_t *)values)[row]); return out + 1;
  case HW_TYPE_TINYINT: return mp_put_signed(out, ((const int8_t *)values)[row]);
  case HW_TYPE_SMALLINT: return mp_put_signed(out, ((const int16_t *)values)[row]);
  case HW_TYPE_INT: return mp_put_signed(out, ((const int32_t *)values)[row]);
  case HW_TYPE_BIGINT: return mp_put_signed(out, ((const int64_t *)values)[row]);
  case HW_TYPE_UTINYINT: return mp_put_unsigned(out, ((const uint8_t *)values)[row]);
  case HW_TYPE_USMALLINT: return mp_put_unsigned(out, ((const uint16_t *)values)[row]);
  case HW_TYPE_UINT: return mp_put_unsigned(out, ((const uint32_t *)values)[row]);
  case HW_TYPE_UBIGINT: return mp_put_unsigned(out, ((const uint64_t *)values)[row]);
  case HW_TYPE_REAL: return mp_put_float(out, ((const float *)values)[row]);
  case HW_TYPE_DOUBLE: return mp_put_double(out, ((const double *)values)[row]);
  case HW_TYPE_TIMESTAMP: return mp_put_timestamp(out, ((const int64_t *)values)[row]);
  default: return put_spelled(out, type, (const char *)values + (size_t)row * hw_type_width((hw_type_id)type->id));
  }
}

/* A string, and room for what may follow it; NULL: no memory. */
PUT_INLINE char *put_string(const msgpack_encoder *e, hw_bytes *room, char *out, const hw_type *type,
                            const hw_str *s) {
  if (!(out = encode_room(room, out, s->len + e->fixed))) return NULL;
  if (hw_type_is_text((hw_type_id)type->id)) return mp_put_str(out, s->data, s->len);
  return mp_put_bin(out, s->data, s->len);
}

/* ---- rows --------------------------------------------------------------------------- */

static char *put_row(const msgpack_encoder *e, const hw_batch *batch, uint32_t row, hw_bytes *room, char *out) {
  out = mp_put_items(out, e->maps, e->n_columns);
  for (uint32_t i = 0; i < e->n_columns; i++) {
    const msgpack_column *c = &e->columns[i];
    const hw_column *column = &batch->columns[i];
    if (e->maps) out = put_padded(out, c->key, c->key_len);
    if (__builtin_expect(!hw_column_valid(column, row), 0))
      *out++ = (char)0xc0;
    else if (!hw_type_is_string((hw_type_id)c->type.id))
      out = put_item(out, &c->type, column->values, row);
    else if (!(out = put_string(e, room, out, &c->type, &((const hw_str *)column->values)[row])))
      return NULL;
  }
  return out;
}

static char *put_record(const msgpack_encoder *e, const hw_batch *batch, uint32_t row, bool insert, hw_bytes *room) {
  static const char updates[2][9] = {"\x81\xa6" "delete", "\x81\xa6" "insert"};
  if (!hw_bytes_reserve(room, e->fixed)) return NULL;
  char *out = room->data + room->len;
  if (e->updates) {
    memcpy(out, updates[insert], 8);
    out += 8;
  }
  return put_row(e, batch, row, room, out);
}

static hw_status encode_row(const msgpack_encoder *e, const hw_batch *batch, uint32_t index, hw_bytes *out,
                            hw_report *report) {
  uint32_t row = hw_batch_row(batch, index);
  int64_t weight = hw_batch_weight(batch, row);
  uint64_t copies = encode_copies(report, index, weight, e->updates);
  size_t before = out->len;
  for (; copies > 0; copies--) {
    char *after = put_record(e, batch, row, weight > 0, out);
    if (__builtin_expect(!after, 0)) {
      out->len = before;
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

/* ---- making --------------------------------------------------------------------------- */

static void encoder_destroy(void *self) {
  msgpack_encoder *e = self;
  free(e->columns);
  msgpack_sbuffer_destroy(&e->keys);
  free(e);
}

/* The keys stand one behind the other, each with the bytes that put_padded may copy
 * beyond it. False: no memory. */
static bool render_columns(msgpack_encoder *e, const hw_schema *schema) {
  static const char slack[PUT_SLACK];
  msgpack_packer pk;
  msgpack_packer_init(&pk, &e->keys, msgpack_sbuffer_write);
  e->fixed = 8 + HEADER_MAX + PUT_SLACK;
  for (uint32_t i = 0; i < schema->n_fields; i++) {
    const hw_field *field = &schema->fields[i];
    size_t start = e->keys.size, len = strlen(field->name);
    if (msgpack_pack_str(&pk, len) != 0 || msgpack_pack_str_body(&pk, field->name, len) != 0) return false;
    size_t key_len = e->keys.size - start;
    if (msgpack_sbuffer_write(&e->keys, slack, sizeof slack) != 0) return false;
    e->columns[i] = (msgpack_column){.type = field->type, .key_len = (uint32_t)key_len};
    e->fixed += key_len + HEADER_MAX + HW_VALUE_TEXT_MAX + PUT_SLACK;
  }
  const char *at = e->keys.data; /* it moves no more */
  for (uint32_t i = 0; i < schema->n_fields; at += e->columns[i++].key_len + PUT_SLACK) e->columns[i].key = at;
  return true;
}

static const char *const update_formats[] = {"raw", "insert_delete", NULL};
static const char *const row_forms[] = {"maps", "arrays", NULL};

static hw_status encoder_create(const hw_config *config, const hw_schema *schema, void **encoder, hw_error *err) {
  msgpack_encoder *e = calloc(1, sizeof *e);
  if (!e) return hw_error_set(err, HW_ENOMEM, "no memory for an encoder");
  e->n_columns = schema->n_fields;
  e->columns = calloc(schema->n_fields + 1, sizeof *e->columns);
  msgpack_sbuffer_init(&e->keys);
  if (!e->columns || !render_columns(e, schema)) {
    encoder_destroy(e);
    return hw_error_set(err, HW_ENOMEM, "no memory for an encoder");
  }
  e->updates = !strcmp(hw_config_string(config, "update_format"), "insert_delete");
  e->maps = !strcmp(hw_config_string(config, "rows"), "maps");
  *encoder = e;
  return HW_OK;
}

const hw_option mp_encoder_options[] = {
    {.name = "update_format",
     .type = HW_OPTION_CHOICE,
     .default_text = "insert_delete",
     .choices = update_formats,
     .description =
         "`insert_delete`: each record is a map {\"insert\": row} or {\"delete\": row}. `raw`: each record is "
         "an inserted row; deleted ones are reported as errors."},
    {.name = "rows",
     .type = HW_OPTION_CHOICE,
     .default_text = "maps",
     .choices = row_forms,
     .description = "`maps`: from names to values. `arrays`: values in the order of the columns."},
    {0},
};

const hw_encoder_ops mp_encoder_ops = {.create = encoder_create, .encode = encoder_encode, .destroy = encoder_destroy};
