/* json_part.c - a part of a row: the key of one to delete, the columns to update.
 *
 * These are read member by member, without the guesses of json_row.c: they name
 * other columns than the inserts around them, and would upset what was learned. */
#include "formats/json_read.h"

static const char *read_wanted(json_reader *r, const char *p, row_part part, int32_t column) {
  if (!row_wants(&r->row, part, column)) return json_skip_value(r, p);
  row_mark_seen(&r->row, (uint32_t)column);
  return json_read_value(r, p, (uint32_t)column);
}

static const char *read_members(json_reader *r, const char *p, row_part part) {
  for (bool first = true;; first = false) {
    bool closed = false;
    int32_t column;
    if (!(p = json_read_separator(r, p, first, &closed)) || closed) return p;
    if (!(p = json_read_key(r, p, &column)) || !(p = read_wanted(r, p, part, column))) return NULL;
  }
}

static const char *read_elements(json_reader *r, const char *p, row_part part) {
  p = json_skip_blanks(p + 1, r->end);
  if (p < r->end && *p == ']') return p + 1;
  for (uint32_t column = 0;; column++) {
    if (column == r->row.n_columns) return json_fault_too_many(r);
    if (!(p = read_wanted(r, p, part, (int32_t)column))) return NULL;
    p = json_skip_blanks(p, r->end);
    if (p < r->end && *p == ']') return p + 1;
    if (p >= r->end || *p != ',') return json_fault(r, p, "',' or ']'");
    p = json_skip_blanks(p + 1, r->end);
  }
}

const char *json_read_part(json_reader *r, const char *p, row_part part) {
  if (part == ROW_WHOLE) return json_read_row(r, p);
  row_clear_seen(&r->row);
  p = *p == '[' ? read_elements(r, p, part) : read_members(r, p, part);
  return p && row_finish_part(&r->row, part) ? p : NULL;
}
