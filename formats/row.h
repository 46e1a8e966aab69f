/* row.h - what all parsers share: the row being filled, and what is wrong with it.
 *
 * DESIGN
 * A row_writer stands for row `row` of a batch while a record is read into it.
 * Readers put values by column; whatever a record may not do (a NULL where none
 * may be, a value out of range, a column left out) is decided here, so that all
 * formats have one set of rules. Nothing counts until row_commit.
 *
 * The first thing that is wrong with a record stays in `fault`: readers stop at
 * it and return NULL or false all the way up to the loop over records, which
 * alone decides where the next record starts.
 *
 * THREADS  As the parser that owns it: one call at a time. */
#ifndef FORMATS_ROW_H
#define FORMATS_ROW_H

#include <headworks/format.h>
#include <headworks/value.h>

#include <stdalign.h>

typedef enum fault_kind {
  FAULT_NONE,
  FAULT_INCOMPLETE, /* the data ends inside the record */
  FAULT_SYNTAX,     /* the record is not of this format; its end is not known */
  FAULT_VALUE,      /* well-formed so far, but not a row of this table */
  FAULT_MEMORY,
} fault_kind;

typedef struct fault {
  fault_kind kind;
  const char *at; /* FAULT_SYNTAX: the byte that cannot be */
  const char *tag;
  const char *field; /* column name, or NULL */
  char reason[320];
} fault;

/* What readers want to know of a column, on a cache line of its own. */
typedef struct row_column {
  alignas(64) void *values; /* those of the batch's column, */
  uint64_t *validity;       /* set by row_attach */
  uint8_t type;             /* hw_type_id */
  bool nullable;
  bool has_default;
  bool in_key; /* of the PRIMARY KEY */
  uint8_t scale;
  uint32_t max_length; /* of a string: characters or bytes; UINT32_MAX: no bound */
  hw_int128 limit;     /* DECIMAL: every value is less */
} row_column;

/* The day read last: dates mostly come again and again. */
typedef struct row_day {
  char text[10]; /* "YYYY-MM-DD" */
  int32_t days;  /* since 1970-01-01 */
} row_day;

typedef struct row_writer {
  hw_batch *batch;
  hw_column *columns; /* batch->columns */
  uint32_t row;
  uint32_t n_columns;
  uint32_t ready; /* rows before this one have bits of validity, see row_attach */
  row_column *info;
  uint64_t *seen; /* one bit per column; cleared by row_clear_seen */
  const hw_schema *schema;
  row_day day;
  fault fault;
} row_writer;

hw_status row_init(row_writer *w, const hw_schema *schema, hw_error *err);
void row_fini(row_writer *w);

/* Points w at the batch; the row is the first free one. Until row_detach rows not
 * yet counted are taken to have a value in every column: a reader that finds one has
 * nothing to note, and NULL takes the bit away. len: bytes of data that make them. */
void row_attach(row_writer *w, hw_batch *batch, size_t len);
/* Nothing is said of rows that do not count any more. */
void row_detach(row_writer *w);

void row_clear_seen(row_writer *w);
static inline void row_mark_seen(row_writer *w, uint32_t column) {
  w->seen[column >> 6] |= UINT64_C(1) << (column & 63);
}
/* Gives every column not marked its DEFAULT, else NULL; false: one may have neither. */
bool row_fill_missing(row_writer *w);

/* The row is complete: it counts from now on. */
bool row_commit_weighted(row_writer *w, int64_t weight);
static inline bool row_commit(row_writer *w, int64_t weight) {
  if (__builtin_expect(weight != 1 || w->batch->weights, 0)) return row_commit_weighted(w, weight);
  w->batch->n_rows = ++w->row;
  return true;
}

/* ---- records that name a row by its key ---- */

/* What a record has of a row: all of it (what is left out is filled in); for the
 * delete of a row by its key, the key (the rest is passed over); for an update,
 * the key and the columns to change. */
typedef enum row_part { ROW_WHOLE, ROW_KEY, ROW_GIVEN } row_part;

/* Which part a delete or an update has to have here; false: the table takes none
 * such (fault set). */
bool row_delete_part(row_writer *w, row_part *part);
bool row_update_part(row_writer *w, row_part *part);
/* Whether the value of a column is wanted (column < 0: it names none). */
static inline bool row_wants(const row_writer *w, row_part part, int32_t column) {
  return column >= 0 && (part != ROW_KEY || w->info[column].in_key);
}
/* Every value that was wanted has been put, and its column marked as seen: fills
 * in the rest, or checks the key and makes the row an update; false: fault set. */
bool row_finish_part(row_writer *w, row_part part);

/* Takes back what a record that failed has put. */
void row_abandon(row_writer *w);

/* Array element that row's value of a column stands in. */
static inline void *row_slot(const row_writer *w, uint32_t column, size_t width) {
  return (char *)w->columns[column].values + (size_t)w->row * width;
}
static inline void row_set_valid(row_writer *w, uint32_t column) {
  hw_column_set_valid(&w->columns[column], w->row);
}

/* Each puts one value, or sets the fault and returns false. Text is UTF-8 that
 * the caller has checked; it and bytes are borrowed (they live with the batch). */
bool row_put_null(row_writer *w, uint32_t column);
bool row_put_text(row_writer *w, uint32_t column, const char *data, size_t len, uint32_t flags);
bool row_put_bytes(row_writer *w, uint32_t column, const char *data, size_t len);
/* A value of any non-string type from its spelling in text. `quoted`: how the
 * record showed it, for the message. */
bool row_put_spelled(row_writer *w, uint32_t column, const char *text, size_t len, bool quoted);
/* An integer into any numeric column; other types are a fault. */
bool row_put_integer(row_writer *w, uint32_t column, hw_int128 value);

/* Set the fault. They return false, for `return row_...`. */
bool row_fault(row_writer *w, fault_kind kind, const char *tag, const char *fmt, ...) HW_PRINTF(4, 5);
bool row_fault_column(row_writer *w, uint32_t column, const char *tag, const char *fmt, ...) HW_PRINTF(4, 5);
/* "expected DECIMAL(10,2), found "abc"": text is cut and made printable. */
bool row_fault_found(row_writer *w, uint32_t column, const char *tag, const char *text, size_t len, bool quoted);

/* Hands the fault, whatever it is, to the report for the record at start. */
void row_report(row_writer *w, hw_report *report, const char *start, size_t len, uint32_t index);

#define ROW_TEXT_MAX 64
/* At most ROW_TEXT_MAX - 1 bytes of text made printable ASCII or whole UTF-8, terminated. */
const char *row_printable(char out[ROW_TEXT_MAX], const char *text, size_t len);
/* "VARCHAR(10)", "DECIMAL(10,2)", "BIGINT". */
const char *row_type_text(char out[ROW_TEXT_MAX], const hw_type *type);

#endif
