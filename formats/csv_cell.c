/* csv_cell.c - one cell of a CSV record, whatever it looks like, into its column. */
#include "formats/csv.h"
#include "formats/scan.h"

#include <string.h>

/* ---- where a cell ends -------------------------------------------------------- */

size_t csv_line_end(const csv_reader *r, const char *p, bool *at_end) {
  *at_end = p >= r->end && r->final;
  if (p >= r->end) return 0;
  if (*p == '\n') return 1;
  if (*p != '\r') return 0;
  if (p + 1 < r->end) return p[1] == '\n' ? 2 : 0;
  return r->final; /* a CR that ends the stream stands for a line end that was cut */
}

static const char *incomplete(csv_reader *r) {
  (void)row_fault(&r->row, FAULT_INCOMPLETE, "truncated", "the data ends inside a record");
  return NULL;
}

static const char *fault_at(csv_reader *r, const char *at, const char *what) {
  r->row.fault.at = at;
  (void)row_fault(&r->row, FAULT_SYNTAX, "syntax", "%s at byte %zu of the record", what, (size_t)(at - r->start));
  return NULL;
}

/* ---- text, strictly ------------------------------------------------------------- */

static bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

static const char *skip_blanks(const csv_reader *r, const char *p) {
  while (p < r->end && is_blank(*p) && *p != r->dialect.delimiter) p++;
  return p;
}

/* The delimiter or line end after p, or r->end. */
static const char *find_end(const csv_reader *r, const char *p) {
  char delimiter = r->dialect.delimiter;
  for (; p < r->end; p += SCAN_WIDTH) {
    uint32_t stops = scan_any_of4(p, delimiter, '\n', '\r', delimiter);
    for (; stops; stops &= stops - 1) {
      const char *at = p + __builtin_ctz(stops);
      bool at_end;
      if (at >= r->end) return r->end;
      if (*at == delimiter || csv_line_end(r, at, &at_end)) return at;
      if (at + 1 == r->end && !r->final) return r->end; /* a CR whose LF may come */
    }
  }
  return r->end;
}

static const char *read_unquoted(csv_reader *r, const char *p, bool trim, csv_text *text) {
  const char *after = find_end(r, p);
  if (after == r->end && !r->final) return incomplete(r);
  size_t len = (size_t)(after - p);
  while (trim && len > 0 && is_blank(p[len - 1])) len--;
  *text = (csv_text){.data = p, .len = len};
  return after;
}

/* The quote that closes the cell whose inside begins at *at; *extra counts the
 * characters inside that only say what the next one means. NULL: not in the data,
 * *at is where to look on. */
static const char *find_quote(const csv_reader *r, const char **at, size_t *extra) {
  const csv_dialect *d = &r->dialect;
  const char *p = *at;
  char escape = d->has_escape ? d->escape : d->quote;
  *extra = 0;
  while (p < r->end) {
    uint32_t stops = scan_any_of4(p, d->quote, escape, d->quote, escape);
    if (!stops) {
      p += SCAN_WIDTH;
      continue;
    }
    p += __builtin_ctz(stops);
    if (p >= r->end) break;
    bool last = p + 1 == r->end;
    if (last && !r->final) break;
    bool escaped = d->has_escape && *p == escape && !(last && *p == d->quote);
    bool doubled = !escaped && *p == d->quote && d->double_quote && !last && p[1] == d->quote;
    if (!escaped && !doubled) return p;
    ++*extra;
    p += 2;
  }
  *at = p < r->end ? p : r->end;
  return NULL;
}

/* Copies the inside of quotes without the characters that find_quote counted. */
static char *resolve(const csv_reader *r, const char *p, const char *end, char *out) {
  const csv_dialect *d = &r->dialect;
  while (p < end) {
    bool marks = (d->has_escape && *p == d->escape) || *p == d->quote;
    if (marks && p + 1 < end) p++;
    *out++ = *p++;
  }
  return out;
}

static const char *read_quoted(csv_reader *r, const char *p, bool trim, csv_text *text) {
  size_t extra;
  const char *inside = p + 1, *from = inside, *quote = find_quote(r, &from, &extra);
  if (!quote) return incomplete(r);
  bool at_end;
  const char *after = trim ? skip_blanks(r, quote + 1) : quote + 1;
  if (after >= r->end && !r->final) return incomplete(r);
  if (after < r->end && *after == '\r' && after + 1 == r->end && !r->final) return incomplete(r);
  if (!(after < r->end && *after == r->dialect.delimiter) && !csv_line_end(r, after, &at_end) && !at_end)
    return fault_at(r, after, "text after the closing quote");
  *text = (csv_text){.data = inside, .len = (size_t)(quote - inside), .quoted = true};
  if (!extra) return after;
  char *copy = hw_batch_alloc(r->row.batch, text->len);
  if (!copy) {
    (void)row_fault(&r->row, FAULT_MEMORY, NULL, "no memory for a string");
    return NULL;
  }
  text->copied = (size_t)(resolve(r, inside, quote, copy) - copy);
  hw_batch_trim(r->row.batch, text->len - text->copied);
  text->data = copy;
  text->len = text->copied;
  return after;
}

const char *csv_read_text(csv_reader *r, const char *p, bool trim, csv_text *text) {
  if (trim) p = skip_blanks(r, p);
  if (p >= r->end && !r->final) return incomplete(r);
  if (p < r->end && r->dialect.quoting && *p == r->dialect.quote) return read_quoted(r, p, trim, text);
  return read_unquoted(r, p, trim, text);
}

/* Behind the closing quote, if one opens or opened the cell; false: it is not there yet. */
static bool skip_quotes(const csv_reader *r, const char **p, csv_progress *progress) {
  size_t extra;
  if (progress->place == CSV_AT_CELL) {
    if (r->trim_fields) *p = skip_blanks(r, *p);
    if (*p == r->end && !r->final) return false;
    bool quoted = *p < r->end && r->dialect.quoting && **p == r->dialect.quote;
    *p += quoted;
    progress->place = quoted ? CSV_IN_QUOTES : CSV_IN_CELL;
  }
  if (progress->place == CSV_IN_CELL) return true;
  const char *quote = find_quote(r, p, &extra);
  if (!quote) return false;
  *p = quote + 1;
  progress->place = CSV_IN_CELL;
  return true;
}

const char *csv_skip_on(const csv_reader *r, const char *start, csv_progress *progress) {
  const char *p = start + progress->at;
  while (skip_quotes(r, &p, progress)) {
    bool at_end;
    const char *from = p;
    p = find_end(r, from);
    size_t n = csv_line_end(r, p, &at_end);
    if (n || at_end) return p + n;
    if (p >= r->end) { /* a CR that ends the data is looked at again */
      p = r->end > from ? r->end - 1 : from;
      break;
    }
    p++;
    progress->place = CSV_AT_CELL;
  }
  progress->at = (size_t)(p - start);
  return NULL;
}

const char *csv_skip_record(const csv_reader *r, const char *p) {
  return csv_skip_on(r, p, &(csv_progress){0});
}

/* ---- values, strictly ------------------------------------------------------------- */

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

static bool fault_memory(csv_reader *r) {
  return row_fault(&r->row, FAULT_MEMORY, NULL, "no memory for a string");
}

/* Binary values are pairs of hexadecimal digits, with "0x" or "\x" before them or not. */
static bool put_binary(csv_reader *r, uint32_t column, const csv_text *text) {
  const char *p = text->data;
  size_t len = text->len;
  if (len >= 2 && (p[0] == '0' || p[0] == '\\') && p[1] == 'x') p += 2, len -= 2;
  char *bytes = hw_batch_alloc(r->row.batch, len / 2 + 1);
  if (!bytes) return fault_memory(r);
  for (size_t i = 0; i < len; i += 2) {
    int high = hex_digit(p[i]), low = i + 1 < len ? hex_digit(p[i + 1]) : -1;
    if (high < 0 || low < 0) return row_fault_column(&r->row, column, "type", "expected pairs of hexadecimal digits");
    bytes[i / 2] = (char)(high << 4 | low);
  }
  return row_put_bytes(&r->row, column, bytes, len / 2);
}

static bool put_empty(csv_reader *r, uint32_t column) {
  const row_column *info = &r->row.info[column];
  if (info->nullable) return row_put_null(&r->row, column);
  if (hw_type_is_text((hw_type_id)info->type)) return row_put_text(&r->row, column, "", 0, HW_STR_PLAIN);
  if (hw_type_is_string((hw_type_id)info->type)) return row_put_bytes(&r->row, column, "", 0);
  return row_fault_column(&r->row, column, "null", "found an empty cell, which is NULL, though it is NOT NULL");
}

static bool put_text(csv_reader *r, uint32_t column, const csv_text *text) {
  hw_type_id type = (hw_type_id)r->row.info[column].type;
  if (text->len == 0 && !text->quoted) return put_empty(r, column);
  if (!hw_type_is_string(type)) {
    bool done = row_put_spelled(&r->row, column, text->data, text->len, text->quoted);
    if (text->copied) hw_batch_trim(r->row.batch, text->copied); /* the text has served */
    return done;
  }
  if (!hw_type_is_text(type)) return put_binary(r, column, text);
  if (!hw_utf8_valid(text->data, text->len)) return row_fault_column(&r->row, column, "utf8", "invalid UTF-8 in text");
  return row_put_text(&r->row, column, text->data, text->len, 0);
}

const char *csv_read_value(csv_reader *r, const char *p, int32_t column) {
  csv_text text;
  const char *after = csv_read_text(r, p, r->trim_fields, &text);
  if (!after || column < 0) return after;
  return put_text(r, (uint32_t)column, &text) ? after : NULL;
}
