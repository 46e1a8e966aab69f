/* csv.h - the parts of format "csv".
 *
 * DESIGN
 *   csv_in.c      records: headers, comments, blank lines, what follows a bad one
 *   csv_row.c     the cells of a record into the columns; the hot path
 *   csv_cell.c    one cell of any kind, strictly
 *   csv_out.c     rows to records
 *   csv_dialect.c the characters that both sides agree on
 *
 * A record is read cell by cell straight into the columns. Cells that look as
 * nearly all do are read by type, each up to where the next delimiter or line end
 * is known to be; a value that ends elsewhere, or that the fast readers do not
 * know, is read again strictly. Quotes matter only at the start of a cell; a quote
 * inside one that does not begin with a quote is text.
 *
 * What the end of the data leaves open is FAULT_INCOMPLETE, and the record is
 * read again when there is more.
 *
 * THREADS  As the parser that owns the reader. */
#ifndef FORMATS_CSV_H
#define FORMATS_CSV_H

#include "formats/row.h"
#include "formats/simd.h"

typedef struct csv_dialect {
  char delimiter;
  char quote;
  bool quoting;      /* quotes mean something */
  bool double_quote; /* two quotes inside quotes are one */
  bool has_escape, has_comment;
  char escape, comment;
} csv_dialect;

/* Reads the option of that name: one ASCII character, kept as it is in *out when it
 * is not set, or is not one, which is added to *all. */
void csv_dialect_character(const hw_config *config, const char *option, char *out, bool *is_set, hw_error *all);
/* Whether all of them could be read and can be told from each other; *err: every fault. */
hw_status csv_dialect_check(const csv_dialect *d, hw_error *all, hw_error *err);
/* Whether the delimiter may stand inside a number, date or time. */
bool csv_dialect_is_value_character(char c);

/* The delimiters and line feeds of some bytes of the data, see csv_row.c. */
typedef struct csv_window {
  const char *start;
  uint64_t ahead; /* bit i: one stands at start + i, and was not yet come by */
} csv_window;

#define CSV_NO_TYPE UINT8_MAX /* of what stands behind the columns, for cells that are dropped */

/* Which columns the cells of a record are for. */
typedef struct csv_map {
  const row_column **cells; /* by cell, and csv_no_column behind the last */
  uint32_t n;
  bool complete; /* every column has a cell */
  bool flexible; /* records may have fewer cells, or more */
} csv_map;

typedef struct csv_reader {
  row_writer row;
  csv_dialect dialect;
  csv_map map;
  bool trim_fields, trim_headers;
  bool usual;        /* plain enough for the fast readers */
  bool final;        /* the end of the data ends a record */
  const char *start; /* of the record being read */
  const char *end;   /* of the data */
} csv_reader;

/* What stands for no column. */
static inline const row_column *csv_no_column(const csv_reader *r) {
  return &r->row.info[r->row.n_columns];
}

/* The column that a cell is for; below 0: none. */
static inline int32_t csv_column(const csv_reader *r, const row_column *cell) {
  return cell == csv_no_column(r) ? -1 : (int32_t)(cell - r->row.info);
}

/* ---- csv_row.c ---- */
/* The record at *p and those behind it into rows, up to where the batch is full, the data ends, or a line may
 * be no record: *p moves behind them. False: the one at *p cannot be read, fault set. */
bool csv_read_records(csv_reader *r, const char **p);

/* Whether a line that begins so may be no record: it is empty, or a comment. */
static inline bool csv_may_skip(const csv_dialect *d, char first) {
  return first == '\n' || first == '\r' || (d->has_comment && first == d->comment);
}

/* ---- csv_cell.c ---- */
/* The cell at p into a column (below 0: it is dropped). Returns the delimiter, line end or
 * end of final data behind it, or NULL with the fault set. */
const char *csv_read_value(csv_reader *r, const char *p, int32_t column);

/* The text of the cell at p; returns the delimiter, line end or end of final data
 * behind it, or NULL with the fault set. The text is in the batch's memory where it has to be
 * put together (*copied: bytes that can be trimmed). */
typedef struct csv_text {
  const char *data;
  size_t len;
  size_t copied;
  bool quoted;
} csv_text;
const char *csv_read_text(csv_reader *r, const char *p, bool trim, csv_text *text);

/* Bytes of the line end at p: 1 or 2, or 0 when none stands there. The end of
 * final data counts, with 0 bytes, as *at_end. */
size_t csv_line_end(const csv_reader *r, const char *p, bool *at_end);

/* The byte after the record at p by its quotes alone; NULL: not in this data. */
const char *csv_skip_record(const csv_reader *r, const char *p);

/* The same in pieces: how far a record that is not whole was looked at. */
typedef struct csv_progress {
  size_t at; /* bytes from the record's start */
  enum { CSV_AT_CELL, CSV_IN_QUOTES, CSV_IN_CELL } place;
} csv_progress;
const char *csv_skip_on(const csv_reader *r, const char *start, csv_progress *progress);

extern const hw_option csv_encoder_options[];
extern const hw_encoder_ops csv_encoder_ops;

#endif
