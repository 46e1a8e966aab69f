/* json_in.c - JSON documents to rows: the parser behind format "json".
 *
 * DESIGN
 * Documents stand one after the other with blanks between them. A document is a
 * row, an update of one row, or (option array) an array of these. The loop reads
 * one record at a time; what the record may look like is json_row.c's business.
 *
 * Where the next record starts after a bad one:
 *   - well-formed JSON that is no row of the table: right behind it;
 *   - broken JSON: at the next line, when the fault lies on the line the record
 *     starts on, as in NDJSON. A document over several lines is given up to the
 *     next line that starts with '{' (or '[') in its first column, so that lines
 *     in its middle are not taken for records;
 *   - a broken element of an array: behind the ',' or before the ']' that its
 *     brackets lead to; if they lead nowhere, at the next line that starts with
 *     one of { [ ] and ','.
 * All of this looks only at bytes from the record's start on, and waits for more
 * data where these leave it open: how the data is cut into buffers cannot show.
 * What it waits for is noted (json_wait.h), so that it is not read for nothing.
 *
 * Rejected: finding lines first and parsing within them. It costs a pass over
 * all data and cannot handle documents over several lines. */
#include "formats/formats.h"
#include "formats/json_out.h"
#include "formats/json_wait.h"
#include "formats/part.h"

#include <stdlib.h>
#include <string.h>

typedef enum array_state {
  ARRAY_OUTSIDE, /* between documents */
  ARRAY_FIRST,   /* after '[' */
  ARRAY_AFTER,   /* after an element */
  ARRAY_NEXT,    /* after ',' */
  ARRAY_RESYNC,  /* at the start of a line, after an element that led nowhere */
} array_state;

typedef struct json_parser {
  json_reader reader;
  bool updates; /* update_format insert_delete */
  bool debezium;
  json_event event; /* debezium: the record at hand */
  bool half;        /* its `before` is in the batch before this one */
  bool array;
  bool single_line;
  bool at_start; /* nothing of the stream has been consumed */
  bool final;    /* as parse was told */
  array_state state;
  json_wait wait; /* of the record that the last parse left */
} json_parser;

/* One call to parse. */
typedef struct json_run {
  const char *p; /* all before it is done with */
  const char *end;
  bool stop; /* the record at p waits for more data or memory */
  hw_report *report;
} json_run;

/* ---- options ------------------------------------------------------------------- */

static const char *const update_formats[] = {"raw", "insert_delete", "debezium", NULL};
static const char *const flavors[] = {"default", "pandas", NULL};
static const char *const line_modes[] = {"multiple", "single", NULL};

static const hw_option parser_options[] = {
    {.name = "update_format",
     .type = HW_OPTION_CHOICE,
     .default_text = "insert_delete",
     .choices = update_formats,
     .description = "`raw`: each record is a row to insert. `insert_delete`: each record is an object "
                    "{\"insert\": row}, {\"delete\": row} or {\"update\": row}. In a table with a PRIMARY KEY "
                    "a delete needs the key only, and an update (which needs one) the key and what changes. "
                    "`debezium`: each record is an event of Debezium."},
    {.name = "json_flavor",
     .type = HW_OPTION_CHOICE,
     .default_text = "default",
     .choices = flavors,
     .description = "How values are spelled; see the rules for JSON values. `pandas`: as DataFrame.to_json does it."},
    {.name = "array",
     .type = HW_OPTION_BOOL,
     .default_text = "false",
     .description = "Each document is an array of records instead of one record."},
    {.name = "lines",
     .type = HW_OPTION_CHOICE,
     .default_text = "multiple",
     .choices = line_modes,
     .description = "`multiple`: a document may span lines and share one with others. `single`: each line holds "
                    "exactly one document."},
    {0},
};

static void parser_destroy(void *self) {
  json_parser *j = self;
  row_fini(&j->reader.row);
  key_order_fini(&j->reader.keys);
  free(j);
}

static hw_status parser_create(const hw_config *config, const hw_schema *schema, void **parser, hw_error *err) {
  json_parser *j = calloc(1, sizeof *j);
  if (!j) return hw_error_set(err, HW_ENOMEM, "no memory for a parser");
  hw_status status = row_init(&j->reader.row, schema, err);
  if (status == HW_OK) status = key_order_init(&j->reader.keys, schema, err);
  if (status != HW_OK) {
    parser_destroy(j);
    return status;
  }
  j->updates = !strcmp(hw_config_string(config, "update_format"), "insert_delete");
  j->debezium = !strcmp(hw_config_string(config, "update_format"), "debezium");
  j->reader.flavor = !strcmp(hw_config_string(config, "json_flavor"), "pandas") ? JSON_PANDAS : JSON_DEFAULT;
  j->array = hw_config_bool(config, "array");
  j->single_line = !strcmp(hw_config_string(config, "lines"), "single");
  j->at_start = true;
  *parser = j;
  return HW_OK;
}

/* ---- one record ------------------------------------------------------------------ */

static const char *fault_record(json_reader *r, const char *p, const char *expected) {
  if (*p != '{' && *p != '[') return json_fault(r, p, expected);
  (void)row_fault(&r->row, FAULT_VALUE, "record", "expected %s, found %s", expected,
                  *p == '{' ? "an object" : "an array");
  return NULL;
}

static const char *fault_update(json_reader *r, const char *name, size_t len) {
  char found[ROW_TEXT_MAX];
  (void)row_fault(&r->row, FAULT_VALUE, "update",
                  "unknown update \"%s\" (valid: \"insert\", \"delete\", \"update\"; set update_format to raw for "
                  "plain rows)",
                  row_printable(found, name, len));
  return NULL;
}

/* The row that is a member's value. */
static const char *read_row_value(json_reader *r, const char *p, row_part part) {
  if (p >= r->end) return json_fault(r, p, "a row");
  if (*p == '{' || *p == '[') return json_read_part(r, p, part);
  const char *after = json_skip_value(r, p);
  if (after) (void)row_fault(&r->row, FAULT_VALUE, "update", "expected a row, an object or an array");
  return NULL;
}

static const char *read_update_end(json_reader *r, const char *p) {
  p = json_skip_blanks(p, r->end);
  if (p < r->end && *p == '}') return p + 1;
  if (p >= r->end || *p != ',') return json_fault(r, p, "'}' after an update");
  (void)row_fault(&r->row, FAULT_VALUE, "update", "an update has one member, \"insert\", \"delete\" or \"update\"");
  return NULL;
}

static bool is_word(const json_span *name, const char *word) {
  return name->len == strlen(word) && !memcmp(name->data, word, name->len);
}

/* What the name of an update means; false: nothing, or nothing for this table. */
static bool read_kind(json_reader *r, const json_span *name, row_part *part, int64_t *weight) {
  *part = ROW_WHOLE;
  *weight = is_word(name, "delete") ? -1 : 1;
  if (*weight < 0) return row_delete_part(&r->row, part);
  if (is_word(name, "update")) return row_update_part(&r->row, part);
  if (!is_word(name, "insert")) (void)fault_update(r, name->data, name->len);
  return is_word(name, "insert");
}

static const char *read_update(json_reader *r, const char *p, int64_t *weight) {
  static const char usual[] = "{\"insert\":{";
  *weight = 1;
  if (r->end - p > 16 && !memcmp(p, usual, sizeof usual - 1) && (p = json_read_row(r, p + sizeof usual - 2)))
    return p < r->end && *p == '}' ? p + 1 : read_update_end(r, p);
  if (!p) return NULL;
  json_span name;
  row_part part;
  p = json_skip_blanks(p + 1, r->end);
  if (p < r->end && *p == '}') return fault_update(r, "", 0);
  if (p >= r->end || *p != '"') return json_fault(r, p, "\"insert\", \"delete\" or \"update\"");
  if (!(p = json_read_span(r, p + 1, &name)) || !read_kind(r, &name, &part, weight)) return NULL;
  p = json_skip_blanks(p, r->end);
  if (p >= r->end || *p != ':') return json_fault(r, p, "':' after a key");
  p = read_row_value(r, json_skip_blanks(p + 1, r->end), part);
  return p ? read_update_end(r, p) : NULL;
}

static const char *read_document(json_parser *j, const char *p, int64_t *weight) {
  json_reader *r = &j->reader;
  if (j->debezium)
    return *p == '{' ? json_read_event(r, p, &j->event) : fault_record(r, p, "an event, as in {\"payload\": {...}}");
  if (j->updates)
    return *p == '{' ? read_update(r, p, weight) : fault_record(r, p, "an update, as in {\"insert\": row}");
  return *p == '{' || *p == '[' ? json_read_row(r, p) : fault_record(r, p, "a row, an object or an array");
}

/* With lines=single: as if the data ended with the line, which must hold nothing else. */
static const char *read_line(json_parser *j, const char *p, int64_t *weight) {
  json_reader *r = &j->reader;
  const char *data_end = r->end, *newline = memchr(p, '\n', (size_t)(data_end - p));
  if (!newline && !j->final) return json_fault(r, data_end, "the end of the line");
  r->end = newline ? newline : data_end;
  if ((p = read_document(j, p, weight))) {
    p = json_skip_blanks(p, r->end);
    if (p < r->end) p = json_fault(r, p, "the end of the line");
  }
  if (!p && newline && r->row.fault.kind == FAULT_INCOMPLETE) {
    (void)row_fault(&r->row, FAULT_SYNTAX, "truncated", "the line ends inside a record");
    r->row.fault.at = newline;
  }
  r->end = data_end;
  return p;
}

static bool put_row(json_reader *r, const char *p, int64_t weight) {
  row_part part = ROW_WHOLE;
  if (weight < 0 && !row_delete_part(&r->row, &part)) return false;
  return json_read_part(r, p, part) && row_commit(&r->row, weight);
}

/* Room for one row, and the event has two: the second, which is tried now, goes
 * into the next batch, when the event comes again. */
static bool put_first_half(json_parser *j) {
  json_reader *r = &j->reader;
  if (!json_read_row(r, j->event.after)) return false;
  row_abandon(&r->row);
  return j->half = put_row(r, j->event.before, -1);
}

/* The rows of the event at `start`, which ends at `end`; start: it has to come again. */
static const char *put_event(json_parser *j, const char *start, const char *end) {
  row_writer *w = &j->reader.row;
  bool first = j->event.before && !j->half, both = first && j->event.after;
  if (both && w->batch->capacity - w->row < 2) return put_first_half(j) ? start : NULL;
  if (first && !put_row(&j->reader, j->event.before, -1)) return NULL;
  if (!j->event.after || put_row(&j->reader, j->event.after, 1)) {
    j->half = false;
    return end;
  }
  if (both) { /* no part of a bad record counts */
    row_abandon(w);
    w->batch->n_rows = --w->row;
    row_abandon(w);
  }
  return NULL;
}

/* The record at p (inside the data), put into the current row and committed; p
 * itself: the batch is full, and the record has to come again. */
static const char *read_record(json_parser *j, const char *p) {
  int64_t weight = 1;
  const char *start = p;
  j->reader.start = p;
  p = j->single_line && !j->array ? read_line(j, p, &weight) : read_document(j, p, &weight);
  if (p && j->debezium) return put_event(j, start, p);
  return p && row_commit(&j->reader.row, weight) ? p : NULL;
}

/* ---- after a bad record ------------------------------------------------------------ */

static const char *line_after(const char *p, const char *end) {
  const char *newline = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
  return newline ? newline + 1 : NULL;
}

/* The next line that starts, behind blanks, with one of `marks`. */
static const char *line_with(const char *p, const char *end, const char *marks, bool indented) {
  while ((p = line_after(p, end)) && p < end) {
    const char *q = p;
    while (indented && q < end && (*q == ' ' || *q == '\t' || *q == '\r')) q++;
    if (q == end) return NULL;
    if (strchr(marks, *q) && *q) return p;
  }
  return NULL;
}

/* Where the next document starts when the one at `start` breaks at `at`. NULL: the data does not show it. */
static const char *next_document(json_parser *j, const json_run *run, const char *start, const char *at) {
  const char *marks = j->updates ? "{" : "{[";
  bool one_line = j->single_line || !memchr(start, '\n', (size_t)(at - start));
  json_wait_for(&j->wait, one_line ? JSON_LINE_END : JSON_LINE_START, marks, false);
  return one_line ? line_after(at > start ? at : start, run->end) : line_with(start, run->end, marks, false);
}

static const char *next_element(json_parser *j, const json_run *run, const char *start) {
  const char *p = json_skip_brackets(start, run->end);
  json_wait_for(&j->wait, p ? JSON_BRACKETS_END : JSON_LINE_START, "{[],", true);
  if (p) {
    j->state = ARRAY_AFTER;
    return p < run->end ? p : NULL;
  }
  j->state = ARRAY_RESYNC;
  return line_with(start, run->end, "{[],", true);
}

/* The end of the faulty record at start, NULL when the data does not show it. */
static const char *end_of_bad(json_parser *j, const json_run *run, const char *start) {
  json_reader *r = &j->reader;
  const char *at = r->row.fault.kind == FAULT_SYNTAX ? r->row.fault.at : start;
  if (r->row.fault.kind == FAULT_VALUE && !j->single_line) {
    fault keep = r->row.fault;
    const char *after = json_skip_value(r, start);
    fault second = r->row.fault;
    r->row.fault = keep;
    if (after) {
      if (j->array && j->state != ARRAY_OUTSIDE) j->state = ARRAY_AFTER;
      return after;
    }
    if (second.kind == FAULT_INCOMPLETE && !j->final) return NULL;
    if (second.kind == FAULT_SYNTAX) at = second.at;
  }
  if (j->array && j->state != ARRAY_OUTSIDE) return next_element(j, run, start);
  return next_document(j, run, start, at);
}

/* Length of the record without the line end behind it. */
static size_t trimmed(const char *start, const char *end) {
  while (end > start && json_is_blank(end[-1])) end--;
  return (size_t)(end - start);
}

/* The record at run->p failed: reports it and moves behind it, or stops. */
static void give_up_record(json_parser *j, json_run *run) {
  row_writer *w = &j->reader.row;
  row_abandon(w);
  bool incomplete = w->fault.kind == FAULT_INCOMPLETE && !j->final;
  array_state state = j->state;
  json_wait_for(&j->wait, j->single_line && !j->array ? JSON_LINE_END : JSON_VALUE_END, "", false);
  const char *after = w->fault.kind == FAULT_MEMORY || incomplete ? NULL : end_of_bad(j, run, run->p);
  if (w->fault.kind == FAULT_MEMORY || (!after && !j->final)) {
    j->state = state;
    run->stop = true;
    return;
  }
  if (!after) after = run->end;
  row_report(w, run->report, run->p, trimmed(run->p, after), 0);
  run->p = after;
}

/* ---- documents ---------------------------------------------------------------------- */

static void step_record(json_parser *j, json_run *run) {
  const char *after = read_record(j, run->p);
  if (__builtin_expect(!after, 0)) {
    give_up_record(j, run);
    return;
  }
  if (after == run->p) return;
  run->p = after;
  if (j->array) j->state = ARRAY_AFTER;
}

/* One step inside a document that is an array: a bracket, a comma or a record. */
static void step_array(json_parser *j, json_run *run) {
  char c = *run->p;
  json_reader *r = &j->reader;
  r->start = run->p;
  if (c == '[' && (j->state == ARRAY_OUTSIDE || j->state == ARRAY_RESYNC)) {
    j->state = ARRAY_FIRST;
    run->p++;
  } else if (j->state == ARRAY_OUTSIDE) {
    (void)fault_record(r, run->p, "an array of records");
    give_up_record(j, run);
  } else if (c == ']' && j->state != ARRAY_NEXT) {
    j->state = ARRAY_OUTSIDE;
    run->p++;
  } else if (c == ',' && (j->state == ARRAY_AFTER || j->state == ARRAY_RESYNC)) {
    j->state = ARRAY_NEXT;
    run->p++;
  } else if (j->state == ARRAY_AFTER) {
    (void)json_fault(r, run->p, "',' or ']' after an element");
    give_up_record(j, run);
  } else {
    step_record(j, run);
  }
}

/* The stream is over inside an array. */
static void report_open_array(json_parser *j, json_run *run) {
  (void)row_fault(&j->reader.row, FAULT_INCOMPLETE, "truncated", "the data ends inside an array, ']' is missing");
  row_report(&j->reader.row, run->report, run->end, 0, 0);
}

/* A byte order mark may open the stream; false: it cannot be told yet. */
static bool skip_mark(json_parser *j, json_run *run) {
  static const char mark[] = "\xef\xbb\xbf";
  size_t len = (size_t)(run->end - run->p);
  if (!j->at_start || len == 0) return true;
  if (len >= 3 && !memcmp(run->p, mark, 3)) run->p += 3;
  return len >= 3 || j->final || memcmp(run->p, mark, len) != 0;
}

static hw_status parser_parse(void *self, const char *data, size_t len, bool final, hw_batch *batch, hw_report *report,
                              size_t *consumed) {
  json_parser *j = self;
  json_run run = {.p = data, .end = data + len, .report = report};
  *consumed = 0;
  json_wait_for(&j->wait, JSON_ANYTHING, "", false);
  if (!skip_mark(j, &run)) return HW_OK;
  row_attach(&j->reader.row, batch, len);
  j->reader.end = run.end;
  j->final = final;
  j->reader.row.fault.kind = FAULT_NONE;
  for (;;) {
    run.p = json_skip_blanks(run.p, run.end);
    if (run.stop || run.p == run.end || batch->n_rows == batch->capacity) break;
    if (j->array)
      step_array(j, &run);
    else
      step_record(j, &run);
  }
  if (!run.stop) json_wait_for(&j->wait, JSON_ANYTHING, "", false);
  row_detach(&j->reader.row);
  *consumed = (size_t)(run.p - data);
  if (*consumed) j->at_start = false;
  if (final && run.p == run.end) {
    if (j->array && j->state != ARRAY_OUTSIDE) report_open_array(j, &run);
    j->at_start = true;
    j->state = ARRAY_OUTSIDE;
  }
  return run.stop && j->reader.row.fault.kind == FAULT_MEMORY ? HW_ENOMEM : HW_OK;
}

static bool parser_can_go_on(void *self, const char *data, size_t len) {
  json_parser *j = self;
  return json_wait_over(&j->wait, &j->reader, data, len);
}

static size_t parser_skip(void *self, const char *data, size_t len) {
  json_parser *j = self;
  const char *line = line_after(data, data + len);
  if (!line) return 0;
  if (j->state != ARRAY_OUTSIDE) j->state = ARRAY_RESYNC;
  j->at_start = false;
  return (size_t)(line - data);
}

/* An event of debezium may stand in two batches, between which a new parser cannot go on. */
static size_t parser_part(void *self, const char *data, size_t len) {
  const json_parser *j = self;
  return j->array || j->debezium ? 0 : part_at_line(j->at_start, data, len);
}

static const hw_parser_ops parser_ops = {
    .create = parser_create, .parse = parser_parse, .skip = parser_skip, .destroy = parser_destroy};

const hw_format format_json = {
    .struct_size = sizeof(hw_format),
    .name = "json",
    .summary = "JSON documents: newline-delimited, concatenated, or arrays of records",
    .parser_options = parser_options,
    .encoder_options = json_encoder_options,
    .parser = &parser_ops,
    .encoder = &json_encoder_ops,
    .can_go_on = parser_can_go_on,
    .part = parser_part,
};
