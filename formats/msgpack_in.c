/* msgpack_in.c - MessagePack to rows: the parser behind format "msgpack".
 *
 * Rows are maps from names to values, or arrays of values in the order of the
 * columns. As in JSON, the keys of a map are guessed from the rows before.
 * Items carry their lengths, so a record that is no row is simply stepped over;
 * bytes that are not MessagePack leave no way to find the next record. */
#include "formats/formats.h"
#include "formats/key_order.h"
#include "formats/msgpack_fast.h"
#include "formats/msgpack_item.h"
#include "formats/msgpack_out.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct msgpack_parser {
  row_writer row;
  key_order keys;
  bool updates; /* update_format insert_delete */
  const char *end;
  size_t looked; /* at so much of the record that the last parse left, */
  uint64_t left; /* which so many items are still missing of */
} msgpack_parser;

static const char *const update_formats[] = {"raw", "insert_delete", NULL};

static const hw_option parser_options[] = {
    {.name = "update_format",
     .type = HW_OPTION_CHOICE,
     .default_text = "insert_delete",
     .choices = update_formats,
     .description = "`raw`: each record is a row to insert. `insert_delete`: each record is a map {\"insert\": row}, "
                    "{\"delete\": row} or {\"update\": row}. In a table with a PRIMARY KEY a delete needs the key "
                    "only, and an update (which needs one) the key and what changes."},
    {0},
};

/* ---- items ------------------------------------------------------------------- */

/* p: behind the item that was cut or broken. */
static bool fault_result(msgpack_parser *m, mp_result result, const char *p) {
  m->row.fault.at = p;
  if (result == MP_CUT) return row_fault(&m->row, FAULT_INCOMPLETE, "truncated", "the data ends inside a record");
  return row_fault(&m->row, FAULT_SYNTAX, "syntax", "found the byte 0xc1, which MessagePack never uses");
}

static bool read_item(msgpack_parser *m, const char **p, mp_item *item) {
  mp_result result = mp_read(p, m->end, item);
  return result == MP_READ || fault_result(m, result, *p);
}

static const char *kind_text(const mp_item *item) {
  static const char *const texts[] = {"nil",      "a boolean",   "an integer",   "an integer", "a float", "a float",
                                      "a string", "binary data", "an extension", "an array",   "a map"};
  return texts[item->kind];
}

static bool fault_kind_of(msgpack_parser *m, uint32_t column, const mp_item *item) {
  char type[ROW_TEXT_MAX];
  row_type_text(type, &m->row.schema->fields[column].type);
  if (item->kind == MP_STR) return row_fault_found(&m->row, column, "type", item->data, item->len, true);
  if (item->kind == MP_EXT)
    return row_fault_column(&m->row, column, "type", "expected %s, found extension type %d of %u bytes", type,
                            item->ext_type, item->len);
  return row_fault_column(&m->row, column, "type", "expected %s, found %s", type, kind_text(item));
}

/* ---- values -------------------------------------------------------------------- */

static hw_int128 integer_of(const mp_item *item) {
  return item->kind == MP_INT ? (hw_int128)item->v.i : (hw_int128)item->v.u;
}

static bool is_integer(const mp_item *item) {
  return item->kind == MP_UINT || item->kind == MP_INT;
}
static bool is_float(const mp_item *item) {
  return item->kind == MP_FLOAT32 || item->kind == MP_FLOAT64;
}

static bool put_double(msgpack_parser *m, uint32_t column, double value) {
  *(double *)row_slot(&m->row, column, sizeof value) = value;
  row_set_valid(&m->row, column);
  return true;
}

static bool put_real(msgpack_parser *m, uint32_t column, double value) {
  float narrow = (float)value;
  if (isinf(narrow) && !isinf(value)) {
    char text[HW_VALUE_TEXT_MAX];
    return row_fault_found(&m->row, column, "range", text, hw_format_f64(value, text), false);
  }
  *(float *)row_slot(&m->row, column, sizeof narrow) = narrow;
  row_set_valid(&m->row, column);
  return true;
}

/* A float for a DECIMAL means the shortest number that reads back as it. */
static bool put_decimal(msgpack_parser *m, uint32_t column, const mp_item *item) {
  char text[HW_VALUE_TEXT_MAX];
  if (is_integer(item)) return row_put_integer(&m->row, column, integer_of(item));
  size_t len = item->kind == MP_FLOAT32 ? hw_format_f32((float)item->v.f, text) : hw_format_f64(item->v.f, text);
  return row_put_spelled(&m->row, column, text, len, false);
}

static bool put_number(msgpack_parser *m, uint32_t column, const mp_item *item) {
  hw_type_id type = (hw_type_id)m->row.info[column].type;
  if (item->kind == MP_STR) return row_put_spelled(&m->row, column, item->data, item->len, true);
  if (!is_integer(item) && !is_float(item)) return fault_kind_of(m, column, item);
  if (type == HW_TYPE_DECIMAL) return put_decimal(m, column, item);
  if (hw_type_is_integer(type))
    return is_integer(item) ? row_put_integer(&m->row, column, integer_of(item)) : fault_kind_of(m, column, item);
  if (type == HW_TYPE_REAL && is_integer(item)) { /* rounded once, not by way of a double */
    char text[HW_VALUE_TEXT_MAX];
    return row_put_spelled(&m->row, column, text, hw_format_decimal(integer_of(item), 0, text), false);
  }
  double value = is_integer(item) ? (double)integer_of(item) : item->v.f;
  return type == HW_TYPE_REAL ? put_real(m, column, value) : put_double(m, column, value);
}

static bool put_text(msgpack_parser *m, uint32_t column, const mp_item *item) {
  uint32_t flags;
  if (item->kind != MP_STR) return fault_kind_of(m, column, item);
  if (!text_classify(item->data, item->len, &flags))
    return row_fault_column(&m->row, column, "utf8", "invalid UTF-8 in text");
  return row_put_text(&m->row, column, item->data, item->len, flags);
}

static bool put_binary(msgpack_parser *m, uint32_t column, const mp_item *item) {
  if (item->kind != MP_BIN) return fault_kind_of(m, column, item);
  return row_put_bytes(&m->row, column, item->data, item->len);
}

static uint64_t big_endian(const char *p, unsigned size) {
  uint64_t v = 0;
  for (unsigned i = 0; i < size; i++) v = v << 8 | (unsigned char)p[i];
  return v;
}

/* Seconds and nanoseconds of a timestamp extension in one of its three sizes. */
static bool decode_timestamp(const mp_item *item, int64_t *seconds, uint32_t *nanos) {
  if (item->ext_type != -1) return false;
  uint64_t low = item->len >= 8 ? big_endian(item->data + item->len - 8, 8) : 0;
  switch (item->len) {
  case 4:
    *seconds = (int64_t)big_endian(item->data, 4);
    *nanos = 0;
    return true;
  case 8:
    *seconds = (int64_t)(low & ((UINT64_C(1) << 34) - 1));
    *nanos = (uint32_t)(low >> 34);
    return *nanos < 1000000000;
  case 12:
    *seconds = (int64_t)low;
    *nanos = (uint32_t)big_endian(item->data, 4);
    return *nanos < 1000000000;
  default: return false;
  }
}

/* The first and the last second of the years that SQL has, 1 to 9999. */
#define SECONDS_MIN INT64_C(-62135596800)
#define SECONDS_MAX INT64_C(253402300799)

static bool put_timestamp(msgpack_parser *m, uint32_t column, const mp_item *item) {
  int64_t seconds;
  uint32_t nanos;
  if (item->kind == MP_STR) return row_put_spelled(&m->row, column, item->data, item->len, true);
  if (item->kind != MP_EXT || !decode_timestamp(item, &seconds, &nanos)) return fault_kind_of(m, column, item);
  if (seconds < SECONDS_MIN || seconds > SECONDS_MAX) {
    char text[HW_VALUE_TEXT_MAX];
    return row_fault_found(&m->row, column, "range", text, hw_format_i64(seconds, text), false);
  }
  *(int64_t *)row_slot(&m->row, column, sizeof(int64_t)) = seconds * 1000000 + nanos / 1000;
  row_set_valid(&m->row, column);
  return true;
}

static bool put_uuid(msgpack_parser *m, uint32_t column, const mp_item *item) {
  if (item->kind == MP_STR) return row_put_spelled(&m->row, column, item->data, item->len, true);
  if (item->kind != MP_BIN || item->len != 16) return fault_kind_of(m, column, item);
  memcpy(row_slot(&m->row, column, 16), item->data, 16);
  row_set_valid(&m->row, column);
  return true;
}

static bool put_boolean(msgpack_parser *m, uint32_t column, const mp_item *item) {
  if (item->kind != MP_BOOL) return fault_kind_of(m, column, item);
  *(uint8_t *)row_slot(&m->row, column, 1) = (uint8_t)item->v.u;
  row_set_valid(&m->row, column);
  return true;
}

static bool put_item(msgpack_parser *m, uint32_t column, const mp_item *item) {
  if (item->kind == MP_NIL) return row_put_null(&m->row, column);
  switch (m->row.info[column].type) {
  case HW_TYPE_BOOLEAN: return put_boolean(m, column, item);
  case HW_TYPE_CHAR:
  case HW_TYPE_VARCHAR: return put_text(m, column, item);
  case HW_TYPE_BINARY:
  case HW_TYPE_VARBINARY: return put_binary(m, column, item);
  case HW_TYPE_TIMESTAMP: return put_timestamp(m, column, item);
  case HW_TYPE_UUID: return put_uuid(m, column, item);
  case HW_TYPE_DATE:
  case HW_TYPE_TIME:
    if (item->kind != MP_STR) return fault_kind_of(m, column, item);
    return row_put_spelled(&m->row, column, item->data, item->len, true);
  default: return put_number(m, column, item);
  }
}

static bool read_value(msgpack_parser *m, const char **p, int32_t column) {
  mp_item item;
  if (column < 0) {
    mp_result result = mp_skip(p, m->end);
    return result == MP_READ || fault_result(m, result, *p);
  }
  return read_item(m, p, &item) && put_item(m, (uint32_t)column, &item);
}

/* ---- rows ------------------------------------------------------------------------ */

static bool fault_key(msgpack_parser *m, const mp_item *key) {
  return row_fault(&m->row, FAULT_VALUE, "key", "expected a string as a key, found %s", kind_text(key));
}

/* The value at p, which may lie up to SCAN_KEY bytes past the end of the data; NULL: fault set. */
FAST_INLINE const char *read_hot(msgpack_parser *m, const fast_row *h, const char *p, int32_t column) {
  const char *after = __builtin_expect(column >= 0, 1) ? mp_fast_column(h, p, &h->info[column]) : NULL;
  if (__builtin_expect(after && after <= h->end, 1)) return after;
  return read_value(m, &p, column) ? p : NULL;
}

/* Reads pairs as long as their keys are those expected; *n: how many are still to come. */
static bool read_expected(msgpack_parser *m, const char **at, uint32_t *n, key_walk *walk) {
  const fast_row h = fast_row_of(&m->row, m->end);
  const key_entry *first = m->keys.entries, *last = first + m->keys.n, *e = first + walk->next;
  const char *p = *at;
  for (; *n > 0 && e < last && key_entry_match(e, p); e++, --*n)
    if (__builtin_expect(!(p = read_hot(m, &h, p + e->len, e->column)), 0)) return false;
  walk->next = (uint32_t)(e - first);
  *at = p;
  return true;
}

static bool read_stray(msgpack_parser *m, const char **p, key_walk *walk) {
  const char *spelling = *p;
  mp_item key;
  if (!read_item(m, p, &key)) return false;
  if (key.kind != MP_STR) return fault_key(m, &key);
  int32_t column = key_order_find(&m->keys, key.data, key.len);
  key_walk_stray(&m->keys, &m->row, walk, spelling, (size_t)(*p - spelling), column);
  return read_value(m, p, column);
}

static bool read_map(msgpack_parser *m, const char **p, uint32_t n) {
  key_walk walk = {0};
  while (read_expected(m, p, &n, &walk)) {
    if (n == 0) return key_walk_end(&m->keys, &m->row, &walk);
    if (!read_stray(m, p, &walk)) break;
    n--;
  }
  key_walk_fail(&m->keys);
  return false;
}

static bool fault_too_many(msgpack_parser *m, uint32_t n) {
  return row_fault(&m->row, FAULT_VALUE, "columns", "%u values for the %u columns of \"%s\"", n, m->row.n_columns,
                   m->row.schema->name);
}

static bool read_array(msgpack_parser *m, const char **at, uint32_t n) {
  row_writer *w = &m->row;
  const fast_row h = fast_row_of(w, m->end);
  const char *p = *at;
  if (n > w->n_columns) return fault_too_many(m, n);
  for (uint32_t column = 0; column < n; column++)
    if (!(p = read_hot(m, &h, p, (int32_t)column))) return false;
  *at = p;
  if (n == w->n_columns) return true;
  row_clear_seen(w);
  for (uint32_t column = 0; column < n; column++) row_mark_seen(w, column);
  return row_fill_missing(w);
}

/* The key of a row to delete, or the columns to update, see json_part.c. */
static bool read_wanted(msgpack_parser *m, const char **p, row_part part, int32_t column) {
  bool wanted = row_wants(&m->row, part, column);
  if (wanted) row_mark_seen(&m->row, (uint32_t)column);
  return read_value(m, p, wanted ? column : KEY_UNKNOWN);
}

static bool read_part(msgpack_parser *m, const char **p, const mp_item *row, row_part part) {
  row_clear_seen(&m->row);
  for (uint32_t i = 0; i < row->len; i++) {
    int32_t column = (int32_t)i;
    if (row->kind == MP_MAP) {
      mp_item key;
      if (!read_item(m, p, &key)) return false;
      if (key.kind != MP_STR) return fault_key(m, &key);
      column = key_order_find(&m->keys, key.data, key.len);
    } else if (i >= m->row.n_columns) {
      return fault_too_many(m, row->len);
    }
    if (!read_wanted(m, p, part, column)) return false;
  }
  return row_finish_part(&m->row, part);
}

static bool read_row(msgpack_parser *m, const char **p, row_part part) {
  mp_item item;
  if (__builtin_expect(part == ROW_WHOLE && *p < m->end && (**p & 0xf0) == 0x80, 1)) { /* a short map */
    uint32_t n = *(*p)++ & 15;
    return read_map(m, p, n);
  }
  if (!read_item(m, p, &item)) return false;
  if (part != ROW_WHOLE && (item.kind == MP_MAP || item.kind == MP_ARRAY)) return read_part(m, p, &item, part);
  if (item.kind == MP_MAP) return read_map(m, p, item.len);
  if (item.kind == MP_ARRAY) return read_array(m, p, item.len);
  return row_fault(&m->row, FAULT_VALUE, "record", "expected a row, a map or an array, found %s", kind_text(&item));
}

static bool is_text(const mp_item *item, const char *text) {
  return item->kind == MP_STR && item->len == strlen(text) && !memcmp(item->data, text, item->len);
}

static bool read_update(msgpack_parser *m, const char **p, int64_t *weight) {
  static const char insert[8] = {'\x81', '\xa6', 'i', 'n', 's', 'e', 'r', 't'};
  mp_item map, key;
  char name[ROW_TEXT_MAX];
  if (__builtin_expect(m->end - *p >= 8 && !memcmp(*p, insert, 8), 1)) {
    *p += 8;
    return read_row(m, p, ROW_WHOLE);
  }
  if (!read_item(m, p, &map)) return false;
  if (map.kind != MP_MAP || map.len != 1)
    return row_fault(&m->row, FAULT_VALUE, "update",
                     "expected an update, a map with the one key \"insert\", \"delete\" or \"update\", found %s%s",
                     kind_text(&map),
                     map.kind == MP_MAP ? " of another size (set update_format to raw for plain rows)" : "");
  if (!read_item(m, p, &key)) return false;
  if (key.kind != MP_STR) return fault_key(m, &key);
  row_part part = ROW_WHOLE;
  *weight = is_text(&key, "delete") ? -1 : 1;
  if (*weight < 0) return row_delete_part(&m->row, &part) && read_row(m, p, part);
  if (is_text(&key, "update")) return row_update_part(&m->row, &part) && read_row(m, p, part);
  if (is_text(&key, "insert")) return read_row(m, p, part);
  return row_fault(&m->row, FAULT_VALUE, "update",
                   "unknown update \"%s\" (valid: \"insert\", \"delete\", \"update\"; set update_format to raw for "
                   "plain rows)",
                   row_printable(name, key.data, key.len));
}

/* ---- the stream --------------------------------------------------------------------- */

/* What a bad record means for the rest. */
typedef enum verdict { VERDICT_GO_ON, VERDICT_WAIT, VERDICT_ENOMEM, VERDICT_LOST } verdict;

/* *after: the end of the bad record at start, as far as it is known. */
static verdict judge(msgpack_parser *m, const char *start, bool final, const char **after) {
  mp_result result = MP_READ;
  *after = start;
  switch (m->row.fault.kind) {
  case FAULT_MEMORY: return VERDICT_ENOMEM;
  case FAULT_INCOMPLETE: result = MP_CUT; break;
  case FAULT_SYNTAX:
    result = MP_BROKEN;
    *after = m->row.fault.at;
    break;
  case FAULT_NONE:
  case FAULT_VALUE: result = mp_skip(after, m->end); break;
  }
  if (result == MP_READ) return VERDICT_GO_ON;
  if (result == MP_BROKEN) return VERDICT_LOST;
  *after = m->end;
  return final ? VERDICT_GO_ON : VERDICT_WAIT;
}

static verdict read_record(msgpack_parser *m, const char **p, bool final, hw_report *report) {
  int64_t weight = 1;
  const char *start = *p, *after;
  bool read = m->updates ? read_update(m, p, &weight) : read_row(m, p, ROW_WHOLE);
  if (read && row_commit(&m->row, weight)) return VERDICT_GO_ON;
  *p = start;
  row_abandon(&m->row);
  verdict v = judge(m, start, final, &after);
  if (v == VERDICT_WAIT || v == VERDICT_ENOMEM) return v;
  row_report(&m->row, report, start, (size_t)(after - start), 0);
  *p = v == VERDICT_LOST ? m->end : after;
  return v;
}

static hw_status parser_parse(void *self, const char *data, size_t len, bool final, hw_batch *batch, hw_report *report,
                              size_t *consumed) {
  msgpack_parser *m = self;
  const char *p = data;
  verdict v = VERDICT_GO_ON;
  m->end = data + len;
  m->looked = 0;
  m->left = 1;
  row_attach(&m->row, batch, len);
  while (v == VERDICT_GO_ON && p < m->end && batch->n_rows < batch->capacity) v = read_record(m, &p, final, report);
  row_detach(&m->row);
  *consumed = (size_t)(p - data);
  if (v == VERDICT_LOST) return HW_EPARSE;
  return v == VERDICT_ENOMEM ? HW_ENOMEM : HW_OK;
}

/* ---- making --------------------------------------------------------------------------- */

static bool parser_can_go_on(void *self, const char *data, size_t len) {
  msgpack_parser *m = self;
  const char *p = data + m->looked;
  mp_result result = mp_skip_on(&p, data + len, &m->left);
  m->looked = (size_t)(p - data);
  return result != MP_CUT;
}

static void parser_destroy(void *self) {
  msgpack_parser *m = self;
  row_fini(&m->row);
  key_order_fini(&m->keys);
  free(m);
}

static hw_status parser_create(const hw_config *config, const hw_schema *schema, void **parser, hw_error *err) {
  msgpack_parser *m = calloc(1, sizeof *m);
  if (!m) return hw_error_set(err, HW_ENOMEM, "no memory for a parser");
  hw_status status = row_init(&m->row, schema, err);
  if (status == HW_OK) status = key_order_init(&m->keys, schema, err);
  if (status != HW_OK) {
    parser_destroy(m);
    return status;
  }
  m->updates = !strcmp(hw_config_string(config, "update_format"), "insert_delete");
  *parser = m;
  return HW_OK;
}

static const hw_parser_ops parser_ops = {.create = parser_create, .parse = parser_parse, .destroy = parser_destroy};

const hw_format format_msgpack = {
    .struct_size = sizeof(hw_format),
    .name = "msgpack",
    .summary = "MessagePack: maps or arrays, one after the other",
    .parser_options = parser_options,
    .encoder_options = mp_encoder_options,
    .parser = &parser_ops,
    .encoder = &mp_encoder_ops,
    .can_go_on = parser_can_go_on,
};
