/* parse_bench.c - what text costs on its way into typed columns and back, one core.
 *
 *   parse_bench ROWS.ndjson [REPEATS [WAY]]
 *
 * The rows are those of gen_rows. They are read by the json parser; written out by
 * every encoder, the bytes of which its parser reads again. Each way is timed
 * REPEATS times (the time of the thread, so that other work on the machine counts
 * for little), and what the columns hold is summed up after it: a way whose rows are not
 * those of the input prints no rate. One JSON object a line:
 *
 *   {"what":"parse","format":"json","simd":"avx2","rows":..,"bytes":..,"seconds":[..],"sums":".."}
 *
 * WAY, "parse-csv" say, times that one only. HEADWORKS_SIMD picks the instruction set.
 * What is timed goes through a function whose name begins with timed_, which is where
 * tests/instructions.py has callgrind count.
 *
 * simdjson_rows.cpp does the first of these with simdjson, and sums up in the same way. */
#include "formats/formats.h"
#include "runtime/batch.h"
#include "runtime/config.h"
#include "runtime/report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REPEATS_MAX 99
#define PIECE (256u << 10) /* bytes of output encoded at a time */

static const hw_field fields[] = {{.name = "id", .type = {.id = HW_TYPE_BIGINT}},
                                  {.name = "ts", .type = {.id = HW_TYPE_TIMESTAMP, .nullable = true}},
                                  {.name = "user", .type = {.id = HW_TYPE_VARCHAR, .nullable = true}},
                                  {.name = "country", .type = {.id = HW_TYPE_VARCHAR, .nullable = true}},
                                  {.name = "amount", .type = {.id = HW_TYPE_DOUBLE, .nullable = true}},
                                  {.name = "qty", .type = {.id = HW_TYPE_INT, .nullable = true}},
                                  {.name = "ok", .type = {.id = HW_TYPE_BOOLEAN, .nullable = true}},
                                  {.name = "note", .type = {.id = HW_TYPE_VARCHAR, .nullable = true}}};
static const hw_schema schema = {.name = "t", .n_fields = 8, .fields = fields};

static mem memory;

_Noreturn static void die(const char *what) {
  fprintf(stderr, "parse_bench: %s\n", what);
  exit(1);
}

static void *must(void *p) {
  if (!p) die("out of memory");
  return p;
}

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

/* ---- sums of what columns hold ------------------------------------------------ */

typedef struct sums {
  uint64_t rows, bad, numbers, texts;
} sums;

static uint64_t text_sum(const hw_str *s) {
  uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
  for (uint32_t i = 0; i < s->len; i++) h = (h ^ (unsigned char)s->data[i]) * UINT64_C(0x100000001b3);
  return h;
}

static uint64_t number_at(const hw_column *c, hw_type_id type, uint32_t row) {
  uint64_t bits = 0;
  switch (type) {
  case HW_TYPE_INT: return (uint64_t)((const int32_t *)c->values)[row];
  case HW_TYPE_BOOLEAN: return ((const uint8_t *)c->values)[row];
  case HW_TYPE_VARCHAR: return text_sum((const hw_str *)c->values + row);
  default: memcpy(&bits, (const char *)c->values + row * sizeof bits, sizeof bits); return bits;
  }
}

/* NULL counts as nothing. */
static void add_batch(sums *sum, const hw_batch *b) {
  for (uint32_t c = 0; c < b->n_columns; c++) {
    hw_type_id type = (hw_type_id)fields[c].type.id;
    uint64_t of_column = 0;
    for (uint32_t i = 0; i < b->n_rows; i++)
      if (hw_column_valid(&b->columns[c], i)) of_column += number_at(&b->columns[c], type, i);
    *(type == HW_TYPE_VARCHAR ? &sum->texts : &sum->numbers) += of_column * (2 * c + 1);
  }
  sum->rows += b->n_rows;
}

/* ---- parsing ------------------------------------------------------------------- */

typedef struct text {
  char *data; /* padded */
  size_t len;
} text;

typedef struct counted_report {
  hw_report report;
  uint64_t n;
} counted_report;

static void count_bad(hw_report *r, const hw_bad_record *bad) {
  (void)bad;
  ((counted_report *)r)->n++;
}

static void on_fault(void *arg, const char *path, const char *message) {
  (void)arg;
  fprintf(stderr, "parse_bench: option %s: %s\n", path, message);
}

static hw_config *options_of(const hw_option *options, const char *json) {
  json_t *given = must(json_loads(json, 0, NULL));
  hw_config *config = config_new(options, given, "", on_fault, NULL);
  json_decref(given);
  return must(config);
}

/* Keeps the batches where `kept` is not NULL, else counts them only. */
static void parse_all(const hw_format *f, void *parser, const text *t, hw_batch **kept, sums *sum) {
  counted_report report = {.report = {count_bad}};
  for (size_t at = 0, n = 0; at < t->len; n++) {
    batch *b = must(batch_new(&memory, &schema, BATCH_ROWS_MAX));
    size_t consumed;
    if (f->parser->parse(parser, t->data + at, t->len - at, true, &b->pub, &report.report, &consumed) != HW_OK ||
        (consumed == 0 && b->pub.n_rows == 0))
      die("the parser gives up");
    at += consumed;
    if (kept) kept[n] = &b->pub;
    else hw_batch_unref(&b->pub);
    if (sum && kept) add_batch(sum, &b->pub);
  }
  if (sum) sum->bad += report.n;
}

static hw_batch **room_for(const text *t) { /* a batch is full, or the last */
  return must(calloc(t->len / BATCH_ROWS_MAX + 2, sizeof(hw_batch *)));
}

static void let_go(hw_batch **kept) {
  for (size_t i = 0; kept[i]; i++) hw_batch_unref(kept[i]);
  free(kept);
}

/* ---- reports ------------------------------------------------------------------- */

typedef struct timing {
  unsigned n;
  double seconds[REPEATS_MAX];
} timing;

static void print(const char *what, const char *format, const text *t, const sums *sum, const sums *wanted,
                  const timing *times) {
  printf("{\"what\":\"%s\",\"format\":\"%s\",\"simd\":\"%s\",\"rows\":%" PRIu64 ",\"bytes\":%zu,", what, format,
         formats_in_use()->simd, sum->rows, t->len);
  if (memcmp(sum, wanted, sizeof *sum) != 0) {
    printf("\"fault\":\"these are not the rows of the input\"}\n");
    return;
  }
  printf("\"seconds\":[");
  for (unsigned i = 0; i < times->n; i++) printf("%s%.6f", i ? "," : "", times->seconds[i]);
  printf("],\"sums\":\"%" PRIx64 "-%" PRIx64 "\"}\n", sum->numbers, sum->texts);
  fflush(stdout);
}

/* Encodes all, a piece at a time into one buffer; the bytes are added to `whole` where there is one. */
static size_t encode_all(const hw_format *f, void *encoder, hw_batch **rows, text *whole) {
  counted_report report = {.report = {count_bad}};
  hw_bytes piece = {0};
  size_t total = 0;
  for (size_t i = 0; rows[i]; i++) {
    for (uint32_t first = 0, taken; first < rows[i]->n_rows; first += taken) {
      if (f->encoder->encode(encoder, rows[i], first, PIECE, &piece, &report.report, &taken) != HW_OK || taken == 0)
        die("the encoder gives up");
      if (piece.len < PIECE && first + taken < rows[i]->n_rows) continue;
      if (whole) memcpy(whole->data + total, piece.data, piece.len);
      total += piece.len;
      piece.len = 0;
    }
  }
  if (report.n) die("some rows cannot be encoded");
  free(piece.data);
  return total;
}

/* ---- what is timed --------------------------------------------------------------- */

static const char *only; /* way; NULL: all */

static bool is_wanted(const char *what, const hw_format *f) {
  size_t len = strlen(what);
  return !only || (strncmp(only, what, len) == 0 && only[len] == '-' && strcmp(only + len + 1, f->name) == 0);
}

__attribute__((noinline)) static void timed_parse(const hw_format *f, void *parser, const text *t) {
  parse_all(f, parser, t, NULL, NULL);
}

__attribute__((noinline)) static size_t timed_encode(const hw_format *f, void *encoder, hw_batch **rows) {
  return encode_all(f, encoder, rows, NULL);
}

/* ---- one format ---------------------------------------------------------------- */

static const char *const parser_options = "{\"update_format\":\"raw\"}";
static const char *const csv_out_options = "{\"headers\":false,\"weight\":false}"; /* eight cells a row */

static void *parser_of(const hw_format *f, hw_config **config) {
  void *parser;
  hw_error err;
  *config = options_of(f->parser_options, strcmp(f->name, "csv") == 0 ? "{}" : parser_options);
  if (f->parser->create(*config, &schema, &parser, &err) != HW_OK) die(err.message);
  return parser;
}

static void bench_parse(const hw_format *f, const text *t, const sums *wanted, unsigned repeats) {
  if (!is_wanted("parse", f)) return;
  hw_config *config;
  void *parser = parser_of(f, &config);
  timing times = {.n = repeats};
  for (unsigned i = 0; i < repeats; i++) {
    uint64_t began = now_ns();
    timed_parse(f, parser, t);
    times.seconds[i] = (double)(now_ns() - began) / 1e9;
  }
  sums sum = {0};
  hw_batch **kept = room_for(t);
  parse_all(f, parser, t, kept, &sum);
  let_go(kept);
  print("parse", f->name, t, &sum, wanted, &times);
  f->parser->destroy(parser);
  config_free(config);
}

/* Times it, and returns what was encoded. */
static text bench_encode(const hw_format *f, hw_batch **rows, const sums *wanted, unsigned repeats) {
  const char *options = strcmp(f->name, "csv") == 0 ? csv_out_options : parser_options;
  hw_config *config = options_of(f->encoder_options, options);
  void *encoder;
  hw_error err;
  timing times = {.n = repeats};
  text t = {0};
  if (f->encoder->create(config, &schema, &encoder, &err) != HW_OK) die(err.message);
  t.len = encode_all(f, encoder, rows, NULL);
  for (unsigned i = 0; i < repeats && is_wanted("encode", f); i++) {
    uint64_t began = now_ns();
    (void)timed_encode(f, encoder, rows);
    times.seconds[i] = (double)(now_ns() - began) / 1e9;
  }
  t.data = must(calloc(1, t.len + HW_PARSE_PADDING));
  (void)encode_all(f, encoder, rows, &t);
  f->encoder->destroy(encoder);
  config_free(config);

  sums sum = {0};
  void *parser = parser_of(f, &config);
  hw_batch **kept = room_for(&t);
  parse_all(f, parser, &t, kept, &sum);
  let_go(kept);
  f->parser->destroy(parser);
  config_free(config);
  if (is_wanted("encode", f)) print("encode", f->name, &t, &sum, wanted, &times);
  return t;
}

/* ---- all ----------------------------------------------------------------------- */

static text read_file(const char *name) {
  FILE *file = fopen(name, "rb");
  if (!file || fseek(file, 0, SEEK_END) != 0) die("the file cannot be read");
  long len = ftell(file);
  rewind(file);
  text t = {.data = must(calloc(1, (size_t)(len < 0 ? 0 : len) + HW_PARSE_PADDING)), .len = (size_t)len};
  if (len <= 0 || fread(t.data, 1, t.len, file) != t.len) die("the file cannot be read, or is empty");
  fclose(file);
  return t;
}

int main(int argc, char **argv) {
  if (argc < 2 || argc > 4) die("usage: parse_bench ROWS.ndjson [REPEATS [WAY]]");
  only = argc > 3 ? argv[3] : NULL;
  const formats_set *set;
  hw_error err;
  if (formats_choose(&set, &err) != HW_OK) die(err.message);
  long repeats = argc > 2 ? strtol(argv[2], NULL, 10) : 5;
  if (repeats < 1 || repeats > REPEATS_MAX) die("REPEATS is 1 to 99");
  text input = read_file(argv[1]);
  if (mem_init(&memory, UINT64_C(64) << 30) != HW_OK) die("out of memory");
  hw_config *config;
  void *parser = parser_of(&format_json, &config);

  sums wanted = {0};
  hw_batch **rows = room_for(&input);
  parse_all(&format_json, parser, &input, rows, &wanted);
  format_json.parser->destroy(parser);
  config_free(config);
  if (wanted.bad) die("the file has bad rows");
  bench_parse(&format_json, &input, &wanted, (unsigned)repeats);
  const hw_format *const all[] = {&format_json, &format_csv, &format_msgpack};
  for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
    text t = bench_encode(all[i], rows, &wanted, (unsigned)repeats);
    if (all[i] != &format_json) bench_parse(all[i], &t, &wanted, (unsigned)repeats);
    free(t.data);
  }
  let_go(rows);
  free(input.data);
  mem_fini(&memory);
  return 0;
}
