#include "formats/row.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- making -------------------------------------------------------------- */

static hw_int128 pow10_of(unsigned n) {
  hw_int128 v = 1;
  while (n-- > 0) v *= 10;
  return v;
}

static row_column describe(const hw_field *field) {
  const hw_type *t = &field->type;
  return (row_column){
      .type = t->id,
      .nullable = t->nullable,
      .has_default = field->has_default,
      .scale = t->scale,
      .max_length = t->length ? t->length : UINT32_MAX,
      .limit = t->id == HW_TYPE_DECIMAL ? pow10_of(t->precision) : 0,
  };
}

hw_status row_init(row_writer *w, const hw_schema *schema, hw_error *err) {
  uint32_t n = schema->n_fields;
  *w = (row_writer){.n_columns = n, .schema = schema};
  memcpy(w->day.text, "1970-01-01", sizeof w->day.text);
  w->info = aligned_alloc(alignof(row_column), (n + 1) * sizeof *w->info);
  w->seen = calloc((n + 63) / 64 + 1, sizeof *w->seen);
  if (!w->info || !w->seen) {
    row_fini(w);
    return hw_error_set(err, HW_ENOMEM, "no memory for a parser");
  }
  for (uint32_t i = 0; i < n; i++) {
    w->info[i] = describe(&schema->fields[i]);
    w->info[i].in_key = hw_schema_in_key(schema, i);
  }
  return HW_OK;
}

void row_fini(row_writer *w) {
  free(w->info);
  free(w->seen);
  w->info = NULL;
  w->seen = NULL;
}

static void set_bits(uint64_t *words, size_t from, size_t to, bool value) {
  while (from < to) {
    size_t bit = from & 63, n = to - from < 64 - bit ? to - from : 64 - bit;
    uint64_t mask = UINT64_MAX >> (64 - n) << bit;
    words[from >> 6] = value ? words[from >> 6] | mask : words[from >> 6] & ~mask;
    from += n;
  }
}

static void set_validity(row_writer *w, uint32_t from, uint32_t to, bool value) {
  for (uint32_t i = 0; i < w->n_columns; i++)
    if (w->columns[i].validity) set_bits(w->columns[i].validity, from, to, value);
}

void row_attach(row_writer *w, hw_batch *batch, size_t len) {
  size_t most = batch->capacity - batch->n_rows; /* a row is a byte or more; and one that is not whole */
  w->batch = batch;
  w->columns = batch->columns;
  w->row = batch->n_rows;
  w->ready = w->row + (uint32_t)(len < most ? len + 1 : most);
  for (uint32_t i = 0; i < w->n_columns; i++) {
    w->info[i].values = batch->columns[i].values;
    w->info[i].validity = batch->columns[i].validity;
  }
  set_validity(w, w->row, w->ready, true);
}

void row_detach(row_writer *w) {
  set_validity(w, w->batch->n_rows, w->ready, false);
}

/* ---- the row as a whole -------------------------------------------------- */

void row_clear_seen(row_writer *w) {
  memset(w->seen, 0, ((size_t)w->n_columns + 63) / 64 * sizeof *w->seen);
}

/* Stores value in the form that its column's array has. */
static void store(row_writer *w, uint32_t column, const hw_value *value) {
  hw_type_id type = (hw_type_id)w->info[column].type;
  size_t width = hw_type_width(type);
  void *slot = row_slot(w, column, width);
  switch (type) {
  case HW_TYPE_BOOLEAN: *(uint8_t *)slot = value->u.boolean; break;
  case HW_TYPE_TINYINT: *(int8_t *)slot = (int8_t)value->u.i64; break;
  case HW_TYPE_SMALLINT: *(int16_t *)slot = (int16_t)value->u.i64; break;
  case HW_TYPE_INT:
  case HW_TYPE_DATE: *(int32_t *)slot = (int32_t)value->u.i64; break;
  case HW_TYPE_UTINYINT: *(uint8_t *)slot = (uint8_t)value->u.u64; break;
  case HW_TYPE_USMALLINT: *(uint16_t *)slot = (uint16_t)value->u.u64; break;
  case HW_TYPE_UINT: *(uint32_t *)slot = (uint32_t)value->u.u64; break;
  default: memcpy(slot, &value->u, width); break; /* the union's members are those of the array */
  }
  row_set_valid(w, column);
}

static bool fill_one(row_writer *w, uint32_t column) {
  const hw_field *field = &w->schema->fields[column];
  /* A default's string bytes live with the schema, which outlives its batches. */
  if (field->has_default && !field->default_value.is_null) {
    store(w, column, &field->default_value);
    return true;
  }
  if (w->info[column].nullable) return row_put_null(w, column);
  return row_fault_column(w, column, "missing", "missing, though it is NOT NULL and has no DEFAULT");
}

bool row_fill_missing(row_writer *w) {
  for (uint32_t base = 0; base < w->n_columns; base += 64) {
    uint32_t left = w->n_columns - base;
    uint64_t missing = ~w->seen[base >> 6];
    if (left < 64) missing &= (UINT64_C(1) << left) - 1;
    for (; missing; missing &= missing - 1)
      if (!fill_one(w, base + (uint32_t)__builtin_ctzll(missing))) return false;
  }
  return true;
}

/* ---- a row by its key ---------------------------------------------------- */

bool row_delete_part(row_writer *w, row_part *part) {
  *part = w->schema->n_key ? ROW_KEY : ROW_WHOLE;
  if (!w->schema->append_only) return true;
  return row_fault(w, FAULT_VALUE, "append_only", "\"%s\" is append_only: rows are inserted, never deleted",
                   w->schema->name);
}

bool row_update_part(row_writer *w, row_part *part) {
  *part = ROW_GIVEN;
  if (w->schema->append_only)
    return row_fault(w, FAULT_VALUE, "append_only", "\"%s\" is append_only: rows are inserted, never updated",
                     w->schema->name);
  if (w->schema->n_key) return true;
  return row_fault(w, FAULT_VALUE, "update",
                   "an update finds its row by the PRIMARY KEY, which \"%s\" has not: delete the row and insert it "
                   "anew", w->schema->name);
}

static bool was_seen(const row_writer *w, uint32_t column) { return w->seen[column >> 6] >> (column & 63) & 1; }

static bool give_columns(row_writer *w) {
  if (!hw_batch_set_update(w->batch, w->row)) return row_fault(w, FAULT_MEMORY, NULL, "no memory for an update");
  for (uint32_t i = 0; i < w->n_columns; i++)
    if (was_seen(w, i)) hw_batch_set_given(w->batch, i, w->row);
  return true;
}

bool row_finish_part(row_writer *w, row_part part) {
  if (part == ROW_WHOLE) return row_fill_missing(w);
  for (uint32_t i = 0; i < w->n_columns; i++) {
    if (was_seen(w, i)) continue;
    if (w->columns[i].validity) hw_column_set_null(&w->columns[i], w->row);
    if (w->info[i].in_key)
      return row_fault_column(w, i, "missing", "missing, though it is part of the PRIMARY KEY, by which the row to %s "
                              "is found", part == ROW_KEY ? "delete" : "update");
  }
  return part == ROW_KEY || give_columns(w);
}

bool row_commit_weighted(row_writer *w, int64_t weight) {
  if (!hw_batch_set_weight(w->batch, w->row, weight))
    return row_fault(w, FAULT_MEMORY, NULL, "no memory for weights");
  w->batch->n_rows = ++w->row;
  return true;
}

void row_abandon(row_writer *w) {
  hw_batch_clear_row(w->batch, w->row);
  set_validity(w, w->row, w->row + 1, true); /* for what comes in its place */
}

/* ---- values -------------------------------------------------------------- */

bool row_put_null(row_writer *w, uint32_t column) {
  if (!w->info[column].nullable) return row_fault_column(w, column, "null", "found NULL, though it is NOT NULL");
  hw_column_set_null(&w->columns[column], w->row);
  return true;
}

static bool put_str(row_writer *w, uint32_t column, const char *data, size_t len, uint32_t flags) {
  hw_str *slot = row_slot(w, column, sizeof(hw_str));
  *slot = (hw_str){.data = data, .len = (uint32_t)len, .flags = flags};
  row_set_valid(w, column);
  return true;
}

static bool fault_length(row_writer *w, uint32_t column, size_t len, const char *unit) {
  char type[ROW_TEXT_MAX];
  const hw_field *field = &w->schema->fields[column];
  return row_fault_column(w, column, "length", "%zu %s do not fit %s", len, unit, row_type_text(type, &field->type));
}

static bool put_padded(row_writer *w, uint32_t column, const char *data, size_t len, size_t blanks, uint32_t flags) {
  char *copy = hw_batch_alloc(w->batch, len + blanks);
  if (!copy) return row_fault(w, FAULT_MEMORY, NULL, "no memory for a string");
  if (len) memcpy(copy, data, len);
  memset(copy + len, ' ', blanks);
  return put_str(w, column, copy, len + blanks, flags);
}

bool row_put_text(row_writer *w, uint32_t column, const char *data, size_t len, uint32_t flags) {
  const row_column *info = &w->info[column];
  if (len > UINT32_MAX) return fault_length(w, column, len, "bytes");
  if (info->max_length == UINT32_MAX) return put_str(w, column, data, len, flags);
  size_t characters = hw_utf8_length(data, len);
  if (characters > info->max_length) return fault_length(w, column, characters, "characters");
  size_t blanks = info->type == HW_TYPE_CHAR ? info->max_length - characters : 0;
  return blanks ? put_padded(w, column, data, len, blanks, flags) : put_str(w, column, data, len, flags);
}

bool row_put_bytes(row_writer *w, uint32_t column, const char *data, size_t len) {
  if (len > w->info[column].max_length) return fault_length(w, column, len, "bytes");
  return put_str(w, column, data, len, 0);
}

bool row_put_spelled(row_writer *w, uint32_t column, const char *text, size_t len, bool quoted) {
  const hw_type *type = &w->schema->fields[column].type;
  void *slot = row_slot(w, column, hw_type_width((hw_type_id)type->id));
  hw_status status = hw_value_parse(type, text, len, slot);
  if (status == HW_OK) {
    row_set_valid(w, column);
    return true;
  }
  return row_fault_found(w, column, status == HW_ERANGE ? "range" : "type", text, len, quoted);
}

static bool in_range(hw_type_id type, hw_int128 v) {
  switch (type) {
  case HW_TYPE_TINYINT: return v >= INT8_MIN && v <= INT8_MAX;
  case HW_TYPE_SMALLINT: return v >= INT16_MIN && v <= INT16_MAX;
  case HW_TYPE_INT: return v >= INT32_MIN && v <= INT32_MAX;
  case HW_TYPE_BIGINT: return v >= INT64_MIN && v <= INT64_MAX;
  case HW_TYPE_UTINYINT: return v >= 0 && v <= UINT8_MAX;
  case HW_TYPE_USMALLINT: return v >= 0 && v <= UINT16_MAX;
  case HW_TYPE_UINT: return v >= 0 && v <= UINT32_MAX;
  default: return v >= 0 && v <= UINT64_MAX;
  }
}

bool row_put_integer(row_writer *w, uint32_t column, hw_int128 value) {
  hw_type_id type = (hw_type_id)w->info[column].type;
  if (!hw_type_is_integer(type) || !in_range(type, value)) {
    char text[HW_VALUE_TEXT_MAX];
    return row_put_spelled(w, column, text, hw_format_decimal(value, 0, text), false);
  }
  hw_value v = {.u.u64 = (uint64_t)value};
  store(w, column, &v);
  return true;
}

/* ---- faults -------------------------------------------------------------- */

bool row_fault(row_writer *w, fault_kind kind, const char *tag, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  w->fault.kind = kind;
  w->fault.tag = tag;
  w->fault.field = NULL;
  (void)vsnprintf(w->fault.reason, sizeof w->fault.reason, fmt, args);
  va_end(args);
  return false;
}

bool row_fault_column(row_writer *w, uint32_t column, const char *tag, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  w->fault.kind = FAULT_VALUE;
  w->fault.tag = tag;
  w->fault.field = w->schema->fields[column].name;
  (void)vsnprintf(w->fault.reason, sizeof w->fault.reason, fmt, args);
  va_end(args);
  return false;
}

bool row_fault_found(row_writer *w, uint32_t column, const char *tag, const char *text, size_t len, bool quoted) {
  char found[ROW_TEXT_MAX], type[ROW_TEXT_MAX];
  const char *quote = quoted ? "\"" : "";
  row_printable(found, text, len);
  row_type_text(type, &w->schema->fields[column].type);
  if (!strcmp(tag, "range"))
    return row_fault_column(w, column, tag, "%s%s%s is out of range for %s", quote, found, quote, type);
  return row_fault_column(w, column, tag, "expected %s, found %s%s%s", type, quote, found, quote);
}

void row_report(row_writer *w, hw_report *report, const char *start, size_t len, uint32_t index) {
  const hw_bad_record bad = {.start = start,
                             .len = len,
                             .index = index,
                             .field = w->fault.field,
                             .tag = w->fault.tag,
                             .reason = w->fault.reason};
  hw_report_bad(report, &bad);
}

/* Bytes of the UTF-8 sequence at text, 0 when it is none (or cut, or a control). */
static size_t character_at(const char *text, size_t len) {
  if ((unsigned char)*text < 0x80) return *text >= 0x20 && *text != 0x7f;
  for (size_t n = 2; n <= 4 && n <= len; n++)
    if (hw_utf8_valid(text, n)) return n;
  return 0;
}

const char *row_printable(char out[ROW_TEXT_MAX], const char *text, size_t len) {
  size_t used = 0, i = 0;
  while (i < len && used + 8 < ROW_TEXT_MAX) {
    size_t n = character_at(text + i, len - i);
    if (n)
      memcpy(out + used, text + i, n);
    else
      (void)snprintf(out + used, 5, "\\x%02x", (unsigned char)text[i]);
    used += n ? n : 4;
    i += n ? n : 1;
  }
  memcpy(out + used, "...", 4);
  if (i == len) out[used] = '\0';
  return out;
}

const char *row_type_text(char out[ROW_TEXT_MAX], const hw_type *type) {
  const char *name = hw_type_name((hw_type_id)type->id);
  if (type->id == HW_TYPE_DECIMAL)
    (void)snprintf(out, ROW_TEXT_MAX, "%s(%u,%u)", name, type->precision, type->scale);
  else if (type->length)
    (void)snprintf(out, ROW_TEXT_MAX, "%s(%" PRIu32 ")", name, type->length);
  else
    (void)snprintf(out, ROW_TEXT_MAX, "%s", name);
  return out;
}
