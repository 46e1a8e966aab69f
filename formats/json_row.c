/* json_row.c - one row of JSON into a batch's columns.
 *
 * An object is read by expectation: as long as keys come as key_order.h learned
 * them, a row is a loop of one comparison and one typed read per column, and
 * nothing is noted; that each column got its value follows from the order itself.
 * A key that strays is looked up, the columns read so far are marked as seen, and
 * at the end what was not seen is filled in. */
#include "formats/fast_column.h"
#include "formats/json_read.h"

/* ---- values as they usually look --------------------------------------------- */

FAST_INLINE bool ends_value(const fast_row *h, const char *p) {
  return p < h->end && (*p == ',' || *p == '}' || *p == ']');
}

FAST_INLINE const char *whole_value(const fast_row *h, const char *p, int64_t *value) {
  p = fast_signed(p, value);
  return __builtin_expect(p && ends_value(h, p), 1) ? p : NULL;
}

FAST_INLINE const char *decimal_value(const fast_row *h, const char *p, int64_t *mantissa, unsigned *scale) {
  p = fast_number(p, mantissa, scale);
  return __builtin_expect(p && ends_value(h, p), 1) ? p : NULL;
}

/* Whether a string ends before p, and with it the value. */
FAST_INLINE const char *close_string(const fast_row *h, const char *p) {
  return __builtin_expect(p && *p == '"' && ends_value(h, p + 1), 1) ? p + 1 : NULL;
}

/* The byte that ends the string begun at start, whose first byte above 0x7f is at
 * p, which may be past the end of the data; NULL: invalid, or past that end. */
static const char *end_of_utf8(const char *start, const char *p, const char *end) {
  uint32_t high, stop = 0;
  for (; p < end && !(stop = scan_json_stop(p, &high)); p += SCAN_WIDTH) {}
  if (p >= end) return NULL;
  p += __builtin_ctz(stop);
  return p < end && scan_utf8(start, (size_t)(p - start)) ? p : NULL;
}

/* Text without escapes that needs no padding and surely fits. */
FAST_INLINE const char *text_string(const fast_row *h, const char *p, const row_column *column) {
  if (__builtin_expect(*p != '"', 0)) return NULL;
  const char *start = ++p;
  uint32_t special;
  while (!(special = scan_json_special(p)))
    if ((p += SCAN_WIDTH) >= h->end) return NULL;
  p += __builtin_ctz(special);
  if (__builtin_expect((signed char)*p < 0, 0) && !(p = end_of_utf8(start, p, h->end))) return NULL;
  size_t len = (size_t)(p - start);
  if (__builtin_expect(*p != '"' || !ends_value(h, p + 1) || len > column->max_length, 0)) return NULL;
  hw_str *slot = fast_slot(h, column, sizeof *slot);
  *slot = (hw_str){.data = start, .len = (uint32_t)len, .flags = HW_STR_PLAIN};
  return p + 1;
}

FAST_INLINE const char *day_string(const fast_row *h, const char *p, const row_column *column) {
  return *p == '"' ? close_string(h, fast_day(h, p + 1, column)) : NULL;
}

FAST_INLINE const char *instant_string(const fast_row *h, const char *p, const row_column *column) {
  return *p == '"' ? close_string(h, fast_instant(h, p + 1, column)) : NULL;
}

/* Any value at p or behind blanks there. A text that ends up here mostly has escapes. */
static __attribute__((noinline)) const char *read_unusual(json_reader *r, const char *p, uint32_t column) {
  const row_column *info = &r->row.info[column];
  hw_str text;
  const char *after = NULL;
  p = json_skip_blanks(p, r->end);
  if (info->type == HW_TYPE_VARCHAR && p < r->end && *p == '"') after = json_read_short(r, p + 1, &text);
  if (!after || text.len > info->max_length) return json_read_value(r, p, column);
  *(hw_str *)row_slot(&r->row, column, sizeof text) = text;
  row_set_valid(&r->row, column);
  return after;
}

/* The value at p or behind blanks there; p may lie up to SCAN_KEY bytes past the end of the data. */
FAST_INLINE const char *read_hot(json_reader *r, const fast_row *h, const char *p, uint32_t column) {
  static const fast_form form = {ends_value, whole_value, decimal_value, text_string, day_string, instant_string};
  const char *after = fast_column(h, p, &h->info[column], &form);
  if (__builtin_expect(after != NULL, 1)) return after;
  return read_unusual(r, p, column);
}

static const char *read_value(json_reader *r, const char *p, uint32_t column) {
  const fast_row h = fast_row_of(&r->row, r->end);
  return read_hot(r, &h, p, column);
}

static const char *skip_value(json_reader *r, const char *p) {
  return json_skip_value(r, json_skip_blanks(p, r->end));
}

/* ---- objects ------------------------------------------------------------------ */

/* Reads members as long as they are those expected. A key that names no column is
 * not missed where it was expected, and may come again anywhere. */
FAST_INLINE const char *read_expected(json_reader *r, const char *p, key_walk *walk) {
  const fast_row h = fast_row_of(&r->row, r->end);
  const key_entry *first = r->keys.entries, *last = first + r->keys.n, *e = first + walk->next;
  for (;;) {
    if (__builtin_expect(e < last && scan_key_equal(p, e->bytes, e->mask), 1)) {
      p += e->len;
      p = __builtin_expect(e->column >= 0, 1) ? read_hot(r, &h, p, (uint32_t)e->column) : skip_value(r, p);
      e++;
    } else if (e < last && e->column == KEY_UNKNOWN) {
      e++;
    } else if (key_order_is_ignored(&r->keys, p)) {
      p = skip_value(r, p + r->keys.ignored.len);
    } else {
      break;
    }
    if (__builtin_expect(!p, 0)) return NULL;
  }
  walk->next = (uint32_t)(e - first);
  return p;
}

const char *json_read_separator(json_reader *r, const char *p, bool first, bool *closed) {
  p = json_skip_blanks(first ? p + 1 : p, r->end);
  if (p < r->end && *p == '}') {
    *closed = true;
    return p + 1;
  }
  if (!first) {
    if (p >= r->end || *p != ',') return json_fault(r, p, "',' or '}'");
    p = json_skip_blanks(p + 1, r->end);
  }
  return p < r->end && *p == '"' ? p : json_fault(r, p, "'\"' of a key");
}

const char *json_read_key(json_reader *r, const char *p, int32_t *column) {
  json_span span;
  size_t len;
  if (!(p = json_read_span_quick(r, p + 1, &span))) return NULL;
  const char *name = json_unescape(r, &span, &len);
  if (!name) return NULL;
  *column = key_order_find(&r->keys, name, len);
  if (span.escapes) hw_batch_trim(r->row.batch, len); /* the name has served */
  p = json_skip_blanks(p, r->end);
  if (p >= r->end || *p != ':') return json_fault(r, p, "':' after a key");
  return json_skip_blanks(p + 1, r->end);
}

/* A member whatever its key, or the end of the object (*closed). */
static const char *read_stray(json_reader *r, const char *p, bool first, key_walk *walk, bool *closed) {
  const char *spelling = p;
  int32_t column;
  if (!(p = json_read_separator(r, p, first, closed)) || *closed) return p;
  if (!(p = json_read_key(r, p, &column))) return NULL;
  key_walk_stray(&r->keys, &r->row, walk, spelling, (size_t)(p - spelling), column);
  if (column < 0) return skip_value(r, p);
  row_set_valid(&r->row, (uint32_t)column); /* it may have been NULL, earlier in this row */
  return read_value(r, p, (uint32_t)column);
}

static const char *read_object(json_reader *r, const char *p) {
  key_walk walk = {0};
  const char *open = p;
  for (;;) {
    bool closed = false;
    p = read_expected(r, p, &walk);
    if (p && p != open && *p == '}' && p < r->end)
      closed = true, p++;
    else if (p)
      p = read_stray(r, p, p == open, &walk, &closed);
    if (closed) return key_walk_end(&r->keys, &r->row, &walk) ? p : NULL;
    if (__builtin_expect(!p, 0)) break;
  }
  key_walk_fail(&r->keys);
  return NULL;
}

/* ---- arrays -------------------------------------------------------------------- */

const char *json_fault_too_many(json_reader *r) {
  (void)row_fault(&r->row, FAULT_VALUE, "columns", "more than the %u values of a row of \"%s\"", r->row.n_columns,
                  r->row.schema->name);
  return NULL;
}

/* Values by position; columns past the last are missing. */
static const char *read_positional(json_reader *r, const char *p) {
  row_clear_seen(&r->row);
  p = json_skip_blanks(p + 1, r->end);
  if (p < r->end && *p == ']') return row_fill_missing(&r->row) ? p + 1 : NULL;
  for (uint32_t column = 0;; column++) {
    if (column == r->row.n_columns) return json_fault_too_many(r);
    if (!(p = read_value(r, p, column))) return NULL;
    row_mark_seen(&r->row, column);
    p = json_skip_blanks(p, r->end);
    if (p < r->end && *p == ']') return row_fill_missing(&r->row) ? p + 1 : NULL;
    if (p >= r->end || *p != ',') return json_fault(r, p, "',' or ']'");
    p = json_skip_blanks(p + 1, r->end);
  }
}

const char *json_read_row(json_reader *r, const char *p) {
  return *p == '[' ? read_positional(r, p) : read_object(r, p);
}
