/* csv_row.c - the cells of a CSV record into the columns.
 *
 * DESIGN
 * Where cells may end is found WINDOW bytes at a time: one bit for each delimiter
 * and line feed. The next cell then begins behind the next bit, whatever becomes
 * of the value before it, so that the processor reads several cells at once; a
 * reader has only to see that the value it took ends there. The window outlives
 * the record: it goes on into the next.
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

FAST_INLINE const char *text_value(const fast_row *h, const char *p, uint32_t column) {
  uint32_t flags;
  size_t len = (size_t)(h->stop - p);
  if (__builtin_expect(len > h->info[column].max_length || !text_classify(p, len, &flags), 0)) return NULL;
  *(hw_str *)fast_slot(h, column, sizeof(hw_str)) = (hw_str){.data = p, .len = (uint32_t)len, .flags = flags};
  return h->stop;
}

FAST_INLINE const char *day_value(const fast_row *h, const char *p, uint32_t column) {
  return h->stop - p == 10 ? fast_day(h, p, column) : NULL;
}

FAST_INLINE const char *instant_value(const fast_row *h, const char *p, uint32_t column) {
  const char *after = fast_instant(h, p, column);
  return after == h->stop ? after : NULL;
}

/* The value from p up to h->stop. */
FAST_INLINE bool read_value(const fast_row *h, const char *p, uint32_t column) {
  return fast_column(h, p, column, ends_at_stop, text_value, day_value, instant_value) != NULL;
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

/* Text from p up to the next quote, if it surely fits. Where that quote does not close it, the caller sees no end
 * of a cell behind it. */
FAST_INLINE const char *quoted_text(const fast_row *h, const char *p, uint32_t column) {
  const char *close = find_quote(h, p);
  uint32_t flags;
  if (__builtin_expect(!close, 0)) return NULL;
  size_t len = (size_t)(close - p);
  if (__builtin_expect(len > h->info[column].max_length || !text_classify(p, len, &flags), 0)) return NULL;
  *(hw_str *)fast_slot(h, column, sizeof(hw_str)) = (hw_str){.data = p, .len = (uint32_t)len, .flags = flags};
  return close;
}

/* Any other value inside quotes. */
static const char *quoted_value(fast_row *h, const char *p, uint32_t column) {
  h->stop = find_quote(h, p);
  return h->stop && read_value(h, p, column) ? h->stop : NULL;
}

/* The cell whose opening quote is at p; the byte behind its closing quote, or NULL: declined. */
FAST_INLINE const char *read_quoted(fast_row *h, const char *p, int32_t column) {
  if (__builtin_expect(column < 0, 0)) return NULL;
  const char *close = __builtin_expect(h->info[column].type == HW_TYPE_VARCHAR, 1)
                          ? quoted_text(h, p + 1, (uint32_t)column)
                          : quoted_value(h, p + 1, (uint32_t)column);
  return close ? close + 1 : NULL;
}

/* ---- a record ------------------------------------------------------------------------ */

FAST_INLINE bool ends_cell(const fast_row *h, const char *p) {
  if (p >= h->end) return false;
  return *p == h->delimiter || *p == '\n' || (*p == '\r' && p + 1 < h->end && p[1] == '\n');
}

/* The cell at p, which is quoted or of no usual look: the delimiter or line end behind it; NULL: fault set. */
FAST_INLINE const char *read_other(csv_reader *r, fast_row *h, csv_window *w, const char *p, int32_t column) {
  const char *after = *p == h->quote ? read_quoted(h, p, column) : NULL;
  if (__builtin_expect(!after || !ends_cell(h, after), 0) && !(after = csv_read_value(r, p, column))) return NULL;
  look_from(w, h, after + 1);
  return after;
}

/* An empty cell is NULL; false: it may not be. */
static bool read_empty(const fast_row *h, uint32_t column) {
  const row_column *info = &h->info[column];
  if (info->nullable) info->validity[h->row >> 6] &= ~(UINT64_C(1) << (h->row & 63));
  return info->nullable;
}

/* The cell at p, up to `end`. */
FAST_INLINE bool read_usual(fast_row *h, const char *p, const char *end, int32_t column) {
  h->stop = end;
  if (__builtin_expect(column < 0, 0)) return true;
  if (__builtin_expect(p == end, 0)) return read_empty(h, (uint32_t)column);
  return read_value(h, p, (uint32_t)column);
}

/* What stands before the line feed at `end`. */
FAST_INLINE const char *before_line_end(const char *p, const char *end) {
  return end - (end > p && end[-1] == '\r');
}

static const char *read_cells_strictly(csv_reader *r, const char *p, const int32_t *map, uint32_t n_map,
                                       uint32_t *n_cells) {
  for (uint32_t i = 0;; p++) {
    int32_t column = i < n_map ? map[i] : -1;
    if (!(p = csv_read_value(r, p, column))) return NULL;
    *n_cells = ++i;
    if (p >= r->end || *p != r->dialect.delimiter) return p;
  }
}

/* Returns where the record ends, or NULL: fault set. */
FAST_INLINE const char *read_cells(csv_reader *r, fast_row *h, csv_window *w, const char *p, const int32_t *map,
                                   uint32_t n_map, uint32_t *n_cells) {
  for (uint32_t i = 0;; p++) {
    int32_t column = __builtin_expect(i < n_map, 1) ? map[i] : -1;
    *n_cells = ++i;
    const char *end = __builtin_expect(*p != h->quote, 1) ? next_end(w, h) : NULL;
    if (__builtin_expect(end != NULL, 1)) {
      bool last = *end == '\n';
      if (last) end = before_line_end(p, end);
      if (__builtin_expect(read_usual(h, p, end, column), 1)) {
        p = end;
        if (last) return p;
        continue;
      }
    }
    if (!(p = read_other(r, h, w, p, column))) return NULL;
    if (p >= h->end || *p != h->delimiter) return p;
  }
}

const char *csv_read_cells(csv_reader *r, const char *p, const int32_t *map, uint32_t n_map, uint32_t *n_cells) {
  if (__builtin_expect(!r->usual, 0)) return read_cells_strictly(r, p, map, n_map, n_cells);
  fast_row h = fast_row_of(&r->row, r->end);
  h.delimiter = r->dialect.delimiter;
  h.quote = r->dialect.quote;
  csv_window w = r->window;
  uint32_t n;
  if (w.start != p) look_at(&w, &h, p);
  p = read_cells(r, &h, &w, p, map, n_map, &n);
  *n_cells = n;
  r->window = p ? w : (csv_window){.start = NULL};
  return p;
}
