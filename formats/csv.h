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

typedef struct csv_reader {
  row_writer row;
  csv_dialect dialect;
  bool trim_fields, trim_headers;
  bool usual;        /* plain enough for the fast readers */
  bool final;        /* the end of the data ends a record */
  csv_window window; /* in this data, or NULL */
  const char *start; /* of the record being read */
  const char *end;   /* of the data */
} csv_reader;

/* ---- csv_row.c ---- */
/* The cells of the record at p, each into the column that map names (below 0, and
 * past the map: it is dropped). Returns the line end or the end of final data, or
 * NULL with the fault set. */
const char *csv_read_cells(csv_reader *r, const char *p, const int32_t *map, uint32_t n_map, uint32_t *n_cells);

/* ---- csv_cell.c ---- */
/* The cell at p into a column (below 0: it is dropped), as csv_read_cells. */
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
