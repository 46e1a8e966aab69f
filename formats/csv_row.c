/* csv_row.c - the cells of a CSV record into the columns.
 *
 * DESIGN
 * Where cells may end is found WINDOW bytes at a time: one bit for each delimiter
 * and line feed. The next cell then begins behind the next bit, whatever becomes
 * of the value before it, so that the processor reads several cells at once; a
 * reader has only to see that the value it took ends there, and may begin at its
 * end. The window outlives the record: it goes on into the next, of which as many
 * as look usual are read in one loop.
 *
 * A cell that begins with a quote is searched for the one that closes it, and the
 * bits before that are dropped. What a reader declines is read by csv_cell.c. */
#include "formats/csv.h"
#include "formats/fast_column.h"
#include "formats/text_class.h"

#define WINDOW 64

/* ---- where cells end -------------------------------------------------------------- */

FAST_INLINE void look_at(csv_window *w, const fast_row *h, const char *p) {
  *w = (csv_window){.start = p, .ahead = 0};
  if (__builtin_expect(p >= h->end, 0)) return;
  uint64_t ahead = 0;
#pragma GCC unroll 8
  for (unsigned i = 0; i < WINDOW; i += SCAN_WIDTH)
    ahead |= (uint64_t)scan_any_of4(p + i, h->delimiter, '\n', h->delimiter, '\n') << i;
  if (__builtin_expect(h->end - p < WINDOW, 0)) ahead &= (UINT64_C(1) << (h->end - p)) - 1;
  w->ahead = ahead;
}

/* Drops what is before p. */
FAST_INLINE void look_from(csv_window *w, const fast_row *h, const char *p) {
  size_t offset = (size_t)((uintptr_t)p - (uintptr_t)w->start);
  if (offset < WINDOW)
    w->ahead &= UINT64_MAX << offset;
  else
    look_at(w, h, p);
}

/* The next delimiter or line feed, which is ahead no more; NULL: none in the data. */
FAST_INLINE const char *next_end(csv_window *w, const fast_row *h) {
  while (__builtin_expect(!w->ahead, 0)) {
    if (h->end - w->start <= WINDOW) return NULL;
    look_at(w, h, w->start + WINDOW);
  }
  const char *end = w->start + __builtin_ctzll(w->ahead);
  w->ahead &= w->ahead - 1;
  return end;
}

/* ---- values as they usually look ---------------------------------------------------- */

FAST_INLINE bool ends_at_stop(const fast_row *h, const char *p) {
  return p == h->stop;
}

FAST_INLINE const char *whole_value(const fast_row *h, const char *p, int64_t *value) {
  return fast_signed_to(p, h->stop, value) ? h->stop : NULL;
}

FAST_INLINE const char *decimal_value(const fast_row *h, const char *p, int64_t *mantissa, unsigned *scale) {
  return fast_number_to(p, h->stop, mantissa, scale) ? h->stop : NULL;
}

FAST_INLINE const char *text_value(const fast_row *h, const char *p, const row_column *column) {
  uint32_t flags;
  size_t len = (size_t)(h->stop - p);
  if (__builtin_expect(len > column->max_length || !text_classify(p, len, &flags), 0)) return NULL;
  *(hw_str *)fast_slot(h, column, sizeof(hw_str)) = (hw_str){.data = p, .len = (uint32_t)len, .flags = flags};
  return h->stop;
}

FAST_INLINE const char *day_value(const fast_row *h, const char *p, const row_column *column) {
  return h->stop - p == 10 ? fast_day(h, p, column) : NULL;
}

FAST_INLINE const char *instant_value(const fast_row *h, const char *p, const row_column *column) {
  const char *after = fast_instant(h, p, column);
  return after == h->stop ? after : NULL;
}

/* The value from p up to h->stop. */
FAST_INLINE bool read_value(const fast_row *h, const char *p, const row_column *column) {
  static const fast_form form = {ends_at_stop, whole_value, decimal_value, text_value, day_value, instant_value};
  return fast_column(h, p, column, &form) != NULL;
}

/* ---- quotes ------------------------------------------------------------------------- */

/* The first quote from p on; NULL: none in the data. */
FAST_INLINE const char *find_quote(const fast_row *h, const char *p) {
  for (; p < h->end; p += WINDOW) {
    uint64_t quotes = 0;
#pragma GCC unroll 8
    for (unsigned i = 0; i < WINDOW; i += SCAN_WIDTH)
      quotes |= (uint64_t)scan_any_of4(p + i, h->quote, h->quote, h->quote, h->quote) << i;
    if (quotes) return p + __builtin_ctzll(quotes) < h->end ? p + __builtin_ctzll(quotes) : NULL;
  }
  return NULL;
}

FAST_INLINE bool ends_cell(const fast_row *h, const char *p) {
  if (p >= h->end) return false;
  return *p == h->delimiter || *p == '\n' || (*p == '\r' && p + 1 < h->end && p[1] == '\n');
}

/* Any value from p up to the quote at `stop` that is no text. */
static __attribute__((noinline)) bool quoted_value(const fast_row *outer, const char *p, const char *stop,
                                                   const row_column *column) {
  fast_row h = *outer;
  h.stop = stop;
  return read_value(&h, p, column);
}

/* The cell whose opening quote is at p, if the next quote closes it: the delimiter or line end behind that; NULL:
 * declined. */
FAST_INLINE const char *read_quoted(const fast_row *outer, const char *p, const row_column *column) {
  fast_row h = *outer;
  h.stop = find_quote(&h, ++p);
  if (__builtin_expect(!h.stop || !ends_cell(&h, h.stop + 1), 0)) return NULL;
  bool done = __builtin_expect(column->type == HW_TYPE_VARCHAR, 1) ? text_value(&h, p, column) != NULL
                                                                  : quoted_value(&h, p, h.stop, column);
  return done ? h.stop + 1 : NULL;
}

/* ---- a record ------------------------------------------------------------------------ */

/* What stands before the line feed at `end`. */
FAST_INLINE const char *before_line_end(const char *p, const char *end) {
  return end - (end > p && end[-1] == '\r');
}

/* The cell without quotes from p up to `end`, when its text does not matter: it is of no column, or
 * empty, which is NULL; false: it does matter. */
static __attribute__((noinline)) bool read_void(csv_reader *r, const char *p, const char *end,
                                                const row_column *column) {
  if (column == csv_no_column(r)) return true;
  if (p != end || !column->nullable) return false;
  hw_column_set_null(&r->row.columns[column - r->row.info], r->row.row);
  return true;
}

/* Returns what is behind the record whose cells begin at p, or NULL: fault set. */
FAST_INLINE const char *read_cells(csv_reader *r, const fast_row *row, csv_window *w, const char *p,
                                   uint32_t *n_cells) {
  fast_row h = *row;
  const row_column **first = r->map.cells, **cell = first, **beyond = first + r->map.n;
  uint32_t extra = 0;
  for (;; p++) {
    const row_column *column = *cell;
    const char *end, *after = NULL;
    if (*p == h.quote) {
      if (column != csv_no_column(r)) after = read_quoted(&h, p, column);
    } else if (__builtin_expect((end = next_end(w, &h)) != NULL, 1)) {
      bool last = *end == '\n';
      h.stop = last ? before_line_end(p, end) : end;
      if (__builtin_expect(p != h.stop && read_value(&h, p, column), 1)) {
        cell++;
        p = end;
        if (!last) continue;
        *n_cells = (uint32_t)(cell - first) + extra;
        return end + 1;
      }
      if (read_void(r, p, h.stop, column)) after = h.stop;
    }
    if (__builtin_expect(!after, 0) && !(after = csv_read_value(r, p, csv_column(r, column)))) return NULL;
    p = after;
    if (cell < beyond)
      cell++;
    else
      extra++;
    if (p < h.end && *p == h.delimiter) {
      look_from(w, &h, p + 1);
      continue;
    }
    bool at_end;
    *n_cells = (uint32_t)(cell - first) + extra;
    p += __builtin_expect(p < h.end && *p == '\n', 1) ? 1 : csv_line_end(r, p, &at_end);
    look_from(w, &h, p);
    return p;
  }
}

/* Whether a record may have so many cells; fills the columns that have none. */
static __attribute__((noinline)) bool finish_cells(csv_reader *r, uint32_t n_cells) {
  row_writer *w = &r->row;
  const csv_map *map = &r->map;
  if (n_cells != map->n && !map->flexible)
    return row_fault(w, FAULT_VALUE, "cells", "expected %u cells, found %u", map->n, n_cells);
  if (map->complete && n_cells >= map->n) return true;
  row_clear_seen(w);
  for (uint32_t i = 0; i < map->n && i < n_cells; i++)
    if (csv_column(r, map->cells[i]) >= 0) row_mark_seen(w, (uint32_t)csv_column(r, map->cells[i]));
  return row_fill_missing(w);
}

FAST_INLINE bool finish_record(csv_reader *r, uint32_t n_cells) {
  if (__builtin_expect(n_cells != r->map.n || !r->map.complete, 0) && !finish_cells(r, n_cells)) return false;
  return row_commit(&r->row, 1);
}

/* The record at *at, behind which *at moves; false: fault set. */
static bool read_strictly(csv_reader *r, const char **at) {
  const char *p = *at;
  uint32_t n_cells = 0;
  bool at_end;
  r->start = p;
  for (;; p++) {
    int32_t column = n_cells < r->map.n ? csv_column(r, r->map.cells[n_cells]) : -1;
    if (!(p = csv_read_value(r, p, column))) return false;
    n_cells++;
    if (p >= r->end || *p != r->dialect.delimiter) break;
  }
  if (!finish_record(r, n_cells)) return false;
  *at = p + csv_line_end(r, p, &at_end);
  return true;
}

bool csv_read_records(csv_reader *r, const char **at) {
  if (__builtin_expect(!r->usual, 0)) return read_strictly(r, at);
  fast_row h = fast_row_of(&r->row, r->end);
  h.delimiter = r->dialect.delimiter;
  h.quote = r->dialect.quote;
  csv_window w;
  const char *p = *at, *after;
  uint32_t capacity = r->row.batch->capacity, n_cells = 0;
  look_at(&w, &h, p);
  do {
    *at = r->start = p;
    after = read_cells(r, &h, &w, p, &n_cells);
    if (__builtin_expect(!after || !finish_record(r, n_cells), 0)) return false;
    p = after;
    h.row++;
  } while (p < h.end && h.row < capacity && !csv_may_skip(&r->dialect, *p));
  *at = p;
  return true;
}
