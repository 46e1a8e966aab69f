/* msgpack_out.c - rows to MessagePack: the encoder behind format "msgpack".
 *
 * msgpack-c's packer chooses the shortest form of every item; it writes through a
 * callback into the output, which has been given room for the whole row before.
 * The keys of a map are packed once, when the encoder is made. */
#include "formats/encode.h"
#include "formats/msgpack_out.h"

#include <headworks/value.h>

#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

typedef struct msgpack_key {
  size_t start, len; /* in keys */
} msgpack_key;

typedef struct msgpack_encoder {
  bool updates; /* update_format insert_delete */
  bool maps;
  const hw_schema *schema;
  size_t fixed; /* most that a row needs beside its strings */
  msgpack_sbuffer keys;
  msgpack_key *key;
} msgpack_encoder;

#define HEADER_MAX 5 /* bytes before a string or the items of a map */

/* The packer's way out; room is there already. */
static int write_bytes(void *arg, const char *data, size_t len) {
  hw_bytes *out = arg;
  if (!hw_bytes_reserve(out, len)) return -1;
  if (len) memcpy(out->data + out->len, data, len);
  out->len += len;
  return 0;
}

/* ---- values ----------------------------------------------------------------------- */

static int pack_str(msgpack_packer *pk, const char *data, size_t len) {
  return msgpack_pack_str(pk, len) || msgpack_pack_str_body(pk, data, len) ? -1 : 0;
}

static int pack_spelled(msgpack_packer *pk, const hw_type *type, const void *slot) {
  char text[HW_VALUE_TEXT_MAX];
  return pack_str(pk, text, hw_value_format(type, slot, text));
}

static int pack_timestamp(msgpack_packer *pk, int64_t micros) {
  int64_t seconds = micros / 1000000, rest = micros % 1000000;
  if (rest < 0) seconds--, rest += 1000000;
  msgpack_timestamp t = {.tv_sec = seconds, .tv_nsec = (uint32_t)rest * 1000};
  return msgpack_pack_timestamp(pk, &t);
}

static int pack_integer(msgpack_packer *pk, hw_type_id type, const void *slot) {
  switch (type) {
  case HW_TYPE_TINYINT: return msgpack_pack_int8(pk, *(const int8_t *)slot);
  case HW_TYPE_SMALLINT: return msgpack_pack_int16(pk, *(const int16_t *)slot);
  case HW_TYPE_INT: return msgpack_pack_int32(pk, *(const int32_t *)slot);
  case HW_TYPE_BIGINT: return msgpack_pack_int64(pk, *(const int64_t *)slot);
  case HW_TYPE_UTINYINT: return msgpack_pack_uint8(pk, *(const uint8_t *)slot);
  case HW_TYPE_USMALLINT: return msgpack_pack_uint16(pk, *(const uint16_t *)slot);
  case HW_TYPE_UINT: return msgpack_pack_uint32(pk, *(const uint32_t *)slot);
  default: return msgpack_pack_uint64(pk, *(const uint64_t *)slot);
  }
}

static int pack_value(msgpack_packer *pk, const hw_type *type, const void *slot) {
  const hw_str *s = slot;
  switch (type->id) {
  case HW_TYPE_BOOLEAN: return *(const uint8_t *)slot ? msgpack_pack_true(pk) : msgpack_pack_false(pk);
  case HW_TYPE_REAL: return msgpack_pack_float(pk, *(const float *)slot);
  case HW_TYPE_DOUBLE: return msgpack_pack_double(pk, *(const double *)slot);
  case HW_TYPE_CHAR:
  case HW_TYPE_VARCHAR: return pack_str(pk, s->data, s->len);
  case HW_TYPE_BINARY:
  case HW_TYPE_VARBINARY: return msgpack_pack_bin_with_body(pk, s->data, s->len);
  case HW_TYPE_TIMESTAMP: return pack_timestamp(pk, *(const int64_t *)slot);
  case HW_TYPE_DECIMAL:
  case HW_TYPE_DATE:
  case HW_TYPE_TIME:
  case HW_TYPE_UUID: return pack_spelled(pk, type, slot);
  default: return pack_integer(pk, (hw_type_id)type->id, slot);
  }
}

/* ---- rows --------------------------------------------------------------------------- */

static int pack_column(msgpack_packer *pk, const hw_type *type, const hw_column *column, uint32_t row) {
  if (!hw_column_valid(column, row)) return msgpack_pack_nil(pk);
  return pack_value(pk, type, (const char *)column->values + row * hw_type_width((hw_type_id)type->id));
}

static int pack_row(const msgpack_encoder *e, msgpack_packer *pk, const hw_batch *batch, uint32_t row) {
  uint32_t n = e->schema->n_fields;
  int failed = e->maps ? msgpack_pack_map(pk, n) : msgpack_pack_array(pk, n);
  for (uint32_t i = 0; i < n && !failed; i++) {
    if (e->maps) failed = write_bytes(pk->data, e->keys.data + e->key[i].start, e->key[i].len);
    if (!failed) failed = pack_column(pk, &e->schema->fields[i].type, &batch->columns[i], row);
  }
  return failed;
}

static size_t row_bound(const msgpack_encoder *e, const hw_batch *batch, uint32_t row) {
  size_t bound = e->fixed;
  for (uint32_t i = 0; i < e->schema->n_fields; i++)
    if (hw_type_is_string((hw_type_id)e->schema->fields[i].type.id) && hw_column_valid(&batch->columns[i], row))
      bound += ((const hw_str *)batch->columns[i].values)[row].len;
  return bound;
}

static hw_status encode_row(const msgpack_encoder *e, const hw_batch *batch, uint32_t index, hw_bytes *out,
                            hw_report *report) {
  uint32_t row = hw_batch_row(batch, index);
  int64_t weight = hw_batch_weight(batch, row);
  uint64_t copies = encode_copies(report, index, weight, e->updates);
  size_t bound = row_bound(e, batch, row), before = out->len;
  msgpack_packer pk;
  msgpack_packer_init(&pk, out, write_bytes);
  for (; copies > 0; copies--) {
    int failed = !hw_bytes_reserve(out, bound);
    if (!failed && e->updates)
      failed = write_bytes(out,
                           weight > 0 ? "\x81\xa6insert"
                                      : "\x81\xa6"
                                        "delete",
                           8);
    if (!failed) failed = pack_row(e, &pk, batch, row);
    if (failed) {
      out->len = before;
      return HW_ENOMEM;
    }
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
  msgpack_sbuffer_destroy(&e->keys);
  free(e->key);
  free(e);
}

static bool pack_keys(msgpack_encoder *e) {
  const hw_schema *schema = e->schema;
  msgpack_packer pk;
  e->key = calloc(schema->n_fields + 1, sizeof *e->key);
  if (!e->key) return false;
  msgpack_packer_init(&pk, &e->keys, msgpack_sbuffer_write);
  e->fixed = 8 + HEADER_MAX;
  for (uint32_t i = 0; i < schema->n_fields; i++) {
    e->key[i].start = e->keys.size;
    if (pack_str(&pk, schema->fields[i].name, strlen(schema->fields[i].name))) return false;
    e->key[i].len = e->keys.size - e->key[i].start;
    e->fixed += e->key[i].len + HEADER_MAX + HW_VALUE_TEXT_MAX;
  }
  return true;
}

static const char *const update_formats[] = {"raw", "insert_delete", NULL};
static const char *const row_forms[] = {"maps", "arrays", NULL};

static hw_status encoder_create(const hw_config *config, const hw_schema *schema, void **encoder, hw_error *err) {
  msgpack_encoder *e = calloc(1, sizeof *e);
  if (!e) return hw_error_set(err, HW_ENOMEM, "no memory for an encoder");
  e->schema = schema;
  msgpack_sbuffer_init(&e->keys);
  if (!pack_keys(e)) {
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
