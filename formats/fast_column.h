/* fast_column.h - usual spellings of values straight into the columns.
 *
 * One switch by the column's type, for the formats whose numbers look alike. What
 * differs between them, the end of a value, known or not, and whatever stands in
 * quotes, comes as functions, which must be FAST_INLINE for the whole to become one loop. */
#ifndef FORMATS_FAST_COLUMN_H
#define FORMATS_FAST_COLUMN_H

#include "formats/fast_value.h"
#include "formats/row.h"

/* What the readers need of the parser, in registers: a store into a column could,
 * for all the compiler knows, change the parser itself. */
typedef struct fast_row {
  const char *end; /* of the data */
  const row_column *info;
  row_day *day;
  size_t row;
  char delimiter, quote; /* csv: of the dialect, */
  const char *stop;      /* and where the value at hand must end */
} fast_row;

/* Whether a value ends before p, which may be past the end of the data. */
typedef bool fast_ends(const fast_row *h, const char *p);
/* Reads the value at p into a column; the byte after it, or NULL: declined. */
typedef const char *fast_reader(const fast_row *h, const char *p, const row_column *column);
/* The whole number, or any number (fast_number), at p; the byte after it, where the value ends, or NULL: declined. */
typedef const char *fast_whole(const fast_row *h, const char *p, int64_t *value);
typedef const char *fast_decimal(const fast_row *h, const char *p, int64_t *mantissa, unsigned *scale);

/* What a format has of its own. */
typedef struct fast_form {
  fast_ends *ends;
  fast_whole *whole;
  fast_decimal *decimal;
  fast_reader *text, *day, *instant;
} fast_form;

FAST_INLINE fast_row fast_row_of(row_writer *w, const char *end) {
  return (fast_row){.end = end, .info = w->info, .day = &w->day, .row = w->row};
}

FAST_INLINE void *fast_slot(const fast_row *h, const row_column *column, size_t width) {
  return (char *)column->values + h->row * width;
}

/* max: of the column's type; signed and unsigned of one width look alike in memory. */
FAST_INLINE void fast_store_integer(const fast_row *h, const row_column *column, int64_t max, int64_t value) {
  switch (max) {
  case INT8_MAX:
  case UINT8_MAX: *(uint8_t *)fast_slot(h, column, 1) = (uint8_t)value; break;
  case INT16_MAX:
  case UINT16_MAX: *(uint16_t *)fast_slot(h, column, 2) = (uint16_t)value; break;
  case INT32_MAX:
  case UINT32_MAX: *(uint32_t *)fast_slot(h, column, 4) = (uint32_t)value; break;
  default: *(uint64_t *)fast_slot(h, column, 8) = (uint64_t)value; break;
  }
}

FAST_INLINE const char *fast_boolean(const fast_row *h, const char *p, const row_column *column, fast_ends *ends) {
  bool is_true = *p == 't';
  const char *after = p + 5 - is_true;
  if (memcmp(p, is_true ? "true" : "fals", 4) || after[-1] != 'e' || !ends(h, after)) return NULL;
  *(uint8_t *)fast_slot(h, column, 1) = is_true;
  return after;
}

FAST_INLINE const char *fast_integer(const fast_row *h, const char *p, const row_column *column, fast_whole *whole,
                                     int64_t min, int64_t max) {
  int64_t value;
  const char *after = whole(h, p, &value);
  if (__builtin_expect(!after || value < min || value > max, 0)) return NULL;
  fast_store_integer(h, column, max, value);
  return after;
}

FAST_INLINE const char *fast_floating(const fast_row *h, const char *p, const row_column *column,
                                      fast_decimal *decimal) {
  int64_t mantissa;
  unsigned scale;
  const char *after = decimal(h, p, &mantissa, &scale);
  if (__builtin_expect(!after, 0)) return NULL;
  *(double *)fast_slot(h, column, sizeof(double)) = fast_as_double(mantissa, scale);
  return after;
}

FAST_INLINE const char *fast_fixed(const fast_row *h, const char *p, const row_column *column, fast_decimal *decimal) {
  int64_t mantissa;
  unsigned scale;
  hw_int128 value;
  const char *after = decimal(h, p, &mantissa, &scale);
  if (__builtin_expect(!after, 0)) return NULL;
  if (__builtin_expect(!fast_as_decimal(mantissa, scale, column->scale, column->limit, &value), 0)) return NULL;
  *(hw_int128 *)fast_slot(h, column, sizeof value) = value;
  return after;
}

static inline bool fast_other_day(row_day *last, const char *p, int32_t *days) {
  if (!fast_date(p, days)) return false;
  memcpy(last->text, p, sizeof last->text);
  last->days = *days;
  return true;
}

/* The date at p; mostly the one read last, which takes one comparison. */
FAST_INLINE bool fast_known_day(const fast_row *h, const char *p, int32_t *days) {
  *days = h->day->days;
  if (__builtin_expect(!memcmp(p, h->day->text, sizeof h->day->text), 1)) return true;
  return fast_other_day(h->day, p, days);
}

/* A date or timestamp without quotes. */
FAST_INLINE const char *fast_day(const fast_row *h, const char *p, const row_column *column) {
  int32_t value;
  if (__builtin_expect(!fast_known_day(h, p, &value), 0)) return NULL;
  *(int32_t *)fast_slot(h, column, sizeof value) = value;
  return p + 10;
}

FAST_INLINE const char *fast_instant(const fast_row *h, const char *p, const row_column *column) {
  int32_t days;
  int64_t value;
  if (__builtin_expect(!fast_known_day(h, p, &days), 0)) return NULL;
  const char *after = fast_timestamp(p, days, &value);
  if (__builtin_expect(!after, 0)) return NULL;
  *(int64_t *)fast_slot(h, column, sizeof value) = value;
  return after;
}

/* The value at p by its column's type. That it is there is not noted: in this row, so
 * far, the column has not been found NULL (row_attach). */
FAST_INLINE const char *fast_column(const fast_row *h, const char *p, const row_column *column, const fast_form *form) {
  const char *after = NULL;
  switch (column->type) {
  case HW_TYPE_BOOLEAN: after = fast_boolean(h, p, column, form->ends); break;
  case HW_TYPE_TINYINT: after = fast_integer(h, p, column, form->whole, INT8_MIN, INT8_MAX); break;
  case HW_TYPE_SMALLINT: after = fast_integer(h, p, column, form->whole, INT16_MIN, INT16_MAX); break;
  case HW_TYPE_INT: after = fast_integer(h, p, column, form->whole, INT32_MIN, INT32_MAX); break;
  case HW_TYPE_BIGINT: after = fast_integer(h, p, column, form->whole, INT64_MIN, INT64_MAX); break;
  case HW_TYPE_UTINYINT: after = fast_integer(h, p, column, form->whole, 0, UINT8_MAX); break;
  case HW_TYPE_USMALLINT: after = fast_integer(h, p, column, form->whole, 0, UINT16_MAX); break;
  case HW_TYPE_UINT: after = fast_integer(h, p, column, form->whole, 0, UINT32_MAX); break;
  case HW_TYPE_UBIGINT: after = fast_integer(h, p, column, form->whole, 0, INT64_MAX); break;
  case HW_TYPE_DOUBLE: after = fast_floating(h, p, column, form->decimal); break;
  case HW_TYPE_DECIMAL: after = fast_fixed(h, p, column, form->decimal); break;
  case HW_TYPE_VARCHAR: after = form->text(h, p, column); break;
  case HW_TYPE_DATE: after = form->day(h, p, column); break;
  case HW_TYPE_TIMESTAMP: after = form->instant(h, p, column); break;
  default: break;
  }
  return after;
}

#endif
