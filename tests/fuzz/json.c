/* json.c - format "json": input is mode, schema, three bytes of cuts, stream.
 *
 * - However the stream is cut, the same rows and faults with the same places come of it.
 * - With blanks around all that may have them, the fast readers decline and the order
 *   of keys is guessed wrong: the same rows and faults.
 * - Line by line, where each has a document: what jansson and docs/formats.md say.
 * - What was read is written, as JSON, CSV and MessagePack, and read as the same rows. */
#include "tests/fuzz/fuzz.h"
#include "tests/reference.h"

#include <stdlib.h>
#include <string.h>

typedef struct mode {
  const char *options;
  bool raw;     /* a line is a row */
  bool single;  /* documents and lines are the same */
  bool inserts; /* rows are inserted only */
} mode;

static const mode modes[] = {
    {"\"update_format\": \"raw\", \"lines\": \"single\"", true, true, true},
    {"\"update_format\": \"raw\"", false, false, true},
    {"", false, false, false},
    {"\"update_format\": \"raw\", \"array\": true", false, false, true},
    {"\"array\": true", false, false, false},
    {"\"update_format\": \"debezium\"", false, false, false},
    {"\"lines\": \"single\"", false, true, false},
    {"\"update_format\": \"debezium\", \"lines\": \"single\"", false, true, false},
    {"\"update_format\": \"raw\", \"json_flavor\": \"pandas\"", false, false, true},
};
#define N_MODES (sizeof modes / sizeof *modes)

static const char *const schemas[] = {
    "a BIGINT!, b VARCHAR, c DOUBLE, d BOOLEAN",
    "id INT, ts TIMESTAMP, m DECIMAL(10,2), s CHAR(3), v VARCHAR(4), u UUID",
    "t TINYINT, us SMALLINT UNSIGNED, ub BIGINT UNSIGNED, r REAL, x VARBINARY(4), da DATE, ti TIME",
    "a_rather_long_name_of_a_column VARCHAR!, another_one_that_is_long INT, \"B\" INT, c INT",
    "*k INT!, v VARCHAR",
};
#define N_SCHEMAS (sizeof schemas / sizeof *schemas)

/* ---- blanks -------------------------------------------------------------------- */

/* The stream with blanks on both sides of what stands between values. */
static fixture_text spread(fuzz_input in) {
  fixture_text t = {0};
  bool inside = false;
  fixture_put(&t, "", 0);
  for (size_t i = 0; i < in.len; i++) {
    const char *c = in.data + i;
    bool structural = !inside && *c && strchr("{}[],:", *c);
    if (structural) fixture_put(&t, " ", 1);
    fixture_put(&t, c, 1);
    if (structural) fixture_put(&t, "\t", 1);
    if (*c == '"') inside = !inside;
    if (*c == '\n') inside = false;
    if (inside && *c == '\\' && i + 1 < in.len && in.data[i + 1] != '\n') fixture_put(&t, in.data + ++i, 1);
  }
  return t;
}

/* Rows, tags and columns, without places. */
static fixture_text without_places(const fixture_result *r) {
  fixture_text t = {0};
  fixture_put(&t, r->brief, r->rows_len);
  for (const char *line = r->brief + r->rows_len; *line; line = strchr(line, '\n') + 1)
    fixture_print(&t, "%.*s\n", (int)strcspn(line, "@"), line);
  fixture_put(&t, "", 0);
  return t;
}

static void check_spread(const mode *m, const hw_schema *schema, fuzz_input in, const fixture_result *r) {
  if (!m->single && r->n_bad) return; /* where reading goes on depends on what stands first in lines */
  fixture_text blanks = spread(in);
  fixture_result other = fixture_parse(&format_json, m->options, schema, blanks.data, blanks.len, (fixture_feed){0});
  fixture_text a = without_places(r), b = without_places(&other);
  if (strcmp(a.data, b.data) != 0)
    fixture_fail("%.*s\ngives\n%s\nand with blanks, %s\n%s", (int)in.len, in.data, r->full, blanks.data, other.full);
  free(a.data);
  free(b.data);
  free(blanks.data);
  fixture_result_fini(&other);
}

/* ---- line by line ------------------------------------------------------------------ */

static size_t line_length(const char *p) {
  return strcspn(p, "\n");
}

/* Whether the next fault is the line's. */
static bool is_bad(const char *bad, size_t start, size_t end) {
  const char *at = strrchr(bad, '@');
  if (!at) return false;
  size_t place = strtoul(at + 1, NULL, 10);
  return place >= start && place <= end;
}

static bool is_blank_line(const char *p, size_t len) {
  for (size_t i = 0; i < len; i++)
    if (!memchr(" \t\r", p[i], 3)) return false;
  return true;
}

/* One of the lines: it is the row at *row, or the fault at *bad. */
static void check_line(const hw_schema *schema, fuzz_input in, size_t start, size_t end, const char **row, char **bad) {
  fixture_text expected = {0};
  reference o = reference_json(&expected, schema, in.data + start, end - start);
  char *bad_end = strchr(*bad, '\n');
  if (bad_end) *bad_end = '\0';
  bool taken = !is_bad(*bad, start, end);
  size_t len = line_length(*row);
  if (o != REFERENCE_UNKNOWN && taken != (o == REFERENCE_TAKEN))
    fixture_fail("%.*s\nis %s", (int)(end - start), in.data + start, taken ? "taken" : *bad);
  if (taken && o == REFERENCE_TAKEN && (len + 1 != expected.len || memcmp(*row, expected.data, len) != 0))
    fixture_fail("%.*s\ngives %.*s\ninstead of %s", (int)(end - start), in.data + start, (int)len, *row, expected.data);
  free(expected.data);
  if (taken)
    *row += len + 1;
  else
    *bad = bad_end + 1;
  if (taken && bad_end) *bad_end = '\n';
}

/* Text may hold line ends; rows are then not told apart by them. */
static bool has_line_ends_in_rows(const fixture_result *r) {
  size_t n = 0;
  for (size_t i = 0; i < r->rows_len; i++) n += r->brief[i] == '\n';
  return n != r->n_rows;
}

static void check_lines(const hw_schema *schema, fuzz_input in, const fixture_result *r) {
  if (has_line_ends_in_rows(r)) return;
  char *bads = strdup(r->brief + r->rows_len), *bad = bads;
  const char *row = r->brief;
  size_t at = in.len >= 3 && !memcmp(in.data, "\xef\xbb\xbf", 3) ? 3 : 0;
  while (at < in.len) {
    const char *newline = memchr(in.data + at, '\n', in.len - at);
    size_t end = newline ? (size_t)(newline - in.data) : in.len;
    if (!is_blank_line(in.data + at, end - at)) check_line(schema, in, at, end, &row, &bad);
    at = end + 1;
  }
  if (row != r->brief + r->rows_len || *bad) fixture_fail("more than there are lines:\n%s", r->full);
  free(bads);
}

/* ---- all of it ------------------------------------------------------------------------ */

typedef struct outputs {
  fuzz_encoded json, csv, msgpack;
} outputs;

static void encode(void *arg, const hw_batch *batch) {
  outputs *o = arg;
  fuzz_encode(&o->json, batch);
  fuzz_encode(&o->csv, batch);
  fuzz_encode(&o->msgpack, batch);
}

static void check_outputs(outputs *o, bool inserts, const hw_schema *schema, const fixture_result *rows) {
  fuzz_check_encoded(&o->json, "", schema, rows);
  fuzz_check_encoded(&o->msgpack, "", schema, rows);
  if (inserts) /* its parser leaves the weight alone */
    fuzz_check_encoded(&o->csv, "", schema, rows);
  else
    free(o->csv.text.data);
}

void fuzz_json(fuzz_input in) {
  const mode *m = &modes[fuzz_choose(&in, N_MODES)];
  const hw_schema *schema = fuzz_choose_schema(&in, schemas, N_SCHEMAS);
  fixture_feed feed = fuzz_choose_feed(&in);
  outputs o = {.json = {.format = &format_json, .soft_limit = feed.step},
               .csv = {.format = &format_csv},
               .msgpack = {.format = &format_msgpack}};
  if (!schema->n_key) { /* a delete by key and an update are no rows */
    feed.seen = encode;
    feed.arg = &o;
  }
  fixture_result r = fuzz_parse(&format_json, m->options, schema, in, feed);
  check_spread(m, schema, in, &r);
  if (m->raw) check_lines(schema, in, &r);
  if (!schema->n_key) check_outputs(&o, m->inserts, schema, &r);
  fixture_result_fini(&r);
}
