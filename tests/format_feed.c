#include "tests/format_feed.h"

#include "runtime/batch.h"
#include "runtime/config.h"
#include "runtime/report.h"

#include <headworks/value.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_ROWS 64u
#define FIELDS_MAX 32u

#define must(condition)                                                                                                \
  do {                                                                                                                 \
    if (!(condition)) fixture_fail("not so: %s", #condition);                                                          \
  } while (0)

/* ---- text ------------------------------------------------------------------- */

void fixture_put(fixture_text *t, const void *data, size_t len) {
  if (t->capacity - t->len < len + 1) {
    t->capacity = (t->capacity + len + 1) * 2;
    t->data = realloc(t->data, t->capacity);
    must(t->data != NULL);
  }
  if (len) memcpy(t->data + t->len, data, len);
  t->len += len;
  t->data[t->len] = '\0';
}

void fixture_print(fixture_text *t, const char *fmt, ...) {
  char line[2048];
  va_list args;
  va_start(args, fmt);
  int n = vsnprintf(line, sizeof line, fmt, args);
  va_end(args);
  must(n >= 0);
  fixture_put(t, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

uint32_t fixture_random(uint64_t *seed) {
  *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)(*seed >> 33);
}

/* Memory that lives until the process ends, and stays reachable until then. */
static void *keep(void *p) {
  static void *kept[65536];
  static size_t n;
  must(p != NULL && n < sizeof kept / sizeof *kept);
  return kept[n++] = p;
}

/* ---- schemas ------------------------------------------------------------------- */

static hw_type_id type_named(const char *name, size_t len) {
  for (int i = 1; i < HW_TYPE_COUNT; i++)
    if (strlen(hw_type_name((hw_type_id)i)) == len && !memcmp(hw_type_name((hw_type_id)i), name, len))
      return (hw_type_id)i;
  fixture_fail("no type %.*s", (int)len, name);
  return HW_TYPE_NULL;
}

static void set_length(hw_type *type, const char *text) {
  unsigned first = 0, second = 0;
  must(sscanf(text, "(%u,%u)", &first, &second) >= 1);
  if (type->id == HW_TYPE_DECIMAL) {
    type->precision = (uint8_t)first;
    type->scale = (uint8_t)second;
  } else {
    type->length = first;
  }
}

/* "name TYPE(p,s)!" */
static hw_field field_of(const char *text, size_t len) {
  hw_field field = {0};
  while (len && *text == ' ') text++, len--;
  const char *blank = memchr(text, ' ', len);
  must(blank != NULL);
  field.case_sensitive = *text == '"';
  field.name = keep(strndup(text + field.case_sensitive, (size_t)(blank - text) - 2 * field.case_sensitive));
  const char *type = blank + 1, *end = text + len;
  field.type.nullable = end[-1] != '!';
  if (!field.type.nullable) end--;
  const char *paren = memchr(type, '(', (size_t)(end - type));
  field.type.id = (uint8_t)type_named(type, (size_t)((paren ? paren : end) - type));
  if (paren) set_length(&field.type, paren);
  return field;
}

/* The end of the field at text: a comma outside parentheses and quotes, or the end. */
static const char *field_end(const char *text) {
  bool inside = false;
  for (; *text && (inside || *text != ','); text++) {
    if (*text == '(' || *text == ')' || *text == '"') inside = !inside;
  }
  return text;
}

hw_schema *fixture_schema(const char *text) {
  hw_schema *schema = keep(calloc(1, sizeof *schema));
  hw_field *fields = keep(calloc(FIELDS_MAX, sizeof *fields));
  for (;;) {
    const char *end = field_end(text);
    must(schema->n_fields < FIELDS_MAX);
    fields[schema->n_fields++] = field_of(text, (size_t)(end - text));
    if (!*end) break;
    text = end + 1;
  }
  schema->name = "t";
  schema->fields = fields;
  return schema;
}

void fixture_key(hw_schema *schema, uint32_t first, uint32_t n) {
  uint32_t *key = keep(calloc(n, sizeof *key));
  for (uint32_t i = 0; i < n; i++) key[i] = first + i;
  schema->key = key;
  schema->n_key = n;
}

void fixture_default(hw_schema *schema, uint32_t column, const char *text) {
  hw_field *field = (hw_field *)(uintptr_t)&schema->fields[column]; /* made by fixture_schema, not really const */
  field->has_default = true;
  memset(&field->default_value, 0, sizeof field->default_value);
  char slot[16];
  must(hw_value_parse(&field->type, text, strlen(text), slot) == HW_OK);
  switch (field->type.id) {
  case HW_TYPE_INT: field->default_value.u.i64 = *(int32_t *)(void *)slot; break;
  case HW_TYPE_SMALLINT: field->default_value.u.i64 = *(int16_t *)(void *)slot; break;
  default: memcpy(&field->default_value.u, slot, hw_type_width((hw_type_id)field->type.id)); break;
  }
}

/* ---- configuration ----------------------------------------------------------------- */

static void config_failed(void *arg, const char *path, const char *message) {
  (void)arg;
  fixture_fail("%s: %s", path, message);
}

hw_config *fixture_config(const hw_option *table, const char *options) {
  char text[512];
  json_error_t err;
  (void)snprintf(text, sizeof text, "{%s}", options ? options : "");
  json_t *object = json_loads(text, 0, &err);
  if (!object) fixture_fail("%s: %s", text, err.text);
  hw_config *config = config_new(table, object, "config", config_failed, NULL);
  json_decref(object);
  return config;
}

/* ---- parsing -------------------------------------------------------------------------- */

typedef struct run {
  hw_report report; /* first: what a parser reports comes with its address */
  const hw_format *format;
  const hw_schema *schema;
  const hw_config *config;
  void *parser;
  mem memory;
  hw_batch *batch;
  uint32_t capacity;
  const char *piece; /* what the parser is being given */
  size_t piece_len;
  size_t offset; /* of piece in the stream */
  char **pieces; /* all of them: batches point into them */
  size_t n_pieces;
  fixture_text rows, bad, bad_full, trace;
  uint32_t n_rows, n_bad;
  uint64_t n_parsed; /* bytes given to parse, over and over */
  bool sparing;      /* does not parse where the parser says that it is for nothing */
  bool waiting;      /* the last parse left what is no whole record */
  void (*seen)(void *arg, const hw_batch *batch);
  void *arg;
} run;

static void add_bad(hw_report *report, const hw_bad_record *bad) {
  run *r = (run *)report;
  must(bad->start >= r->piece && bad->start + bad->len <= r->piece + r->piece_len);
  must(bad->reason != NULL);
  size_t at = r->offset + (size_t)(bad->start - r->piece);
  fixture_print(&r->bad, "!%s %s @%zu+%zu\n", bad->tag ? bad->tag : "-", bad->field ? bad->field : "-", at, bad->len);
  fixture_print(&r->bad_full, "!%s %s @%zu+%zu %s\n", bad->tag, bad->field, at, bad->len, bad->reason);
  r->n_bad++;
}

static bool is_plain(const hw_str *s) {
  for (uint32_t i = 0; i < s->len; i++)
    if ((unsigned char)s->data[i] < 0x20 || s->data[i] == '"' || s->data[i] == '\\') return false;
  return true;
}

static void print_str(fixture_text *t, const hw_str *s, bool text) {
  must(!(s->flags & HW_STR_PLAIN) || is_plain(s));
  if (text) {
    must(hw_utf8_valid(s->data, s->len));
    fixture_put(t, "\"", 1);
    for (uint32_t i = 0; i < s->len; i++) fixture_put(t, s->data[i] ? s->data + i : "\\0", s->data[i] ? 1 : 2);
    fixture_put(t, "\"", 1);
    return;
  }
  fixture_put(t, "x", 1);
  for (uint32_t i = 0; i < s->len; i++) fixture_print(t, "%02x", (unsigned char)s->data[i]);
}

static void print_value(fixture_text *t, const hw_type *type, const hw_column *column, uint32_t row) {
  char text[HW_VALUE_TEXT_MAX];
  const char *slot = (const char *)column->values + row * hw_type_width((hw_type_id)type->id);
  if (!hw_column_valid(column, row))
    fixture_put(t, "NULL", 4);
  else if (hw_type_is_string((hw_type_id)type->id))
    print_str(t, (const hw_str *)(const void *)slot, hw_type_is_text((hw_type_id)type->id));
  else
    fixture_put(t, text, hw_value_format(type, slot, text));
}

/* Whether the row must have a value, or NULL, in the column. */
static bool has_column(const hw_batch *b, uint32_t row, uint32_t c) {
  if (hw_batch_is_update(b, row)) return hw_batch_is_given(b, c, row);
  return hw_batch_weight(b, row) > 0 || !b->schema->n_key || hw_schema_in_key(b->schema, c);
}

static void print_batch(fixture_text *t, const hw_batch *b) {
  for (uint32_t i = 0; i < hw_batch_count(b); i++) {
    uint32_t row = hw_batch_row(b, i);
    if (hw_batch_is_update(b, row)) fixture_put(t, "~ ", 2);
    if (hw_batch_weight(b, row) != 1) fixture_print(t, "%lld* ", (long long)hw_batch_weight(b, row));
    for (uint32_t c = 0; c < b->n_columns; c++) {
      if (c) fixture_put(t, "|", 1);
      if (has_column(b, row, c))
        print_value(t, &b->schema->fields[c].type, &b->columns[c], row);
      else
        fixture_put(t, "-", 1);
    }
    fixture_put(t, "\n", 1);
  }
}

/* What the batch says of rows that are not in it: nothing. */
static void check_no_trace(const hw_batch *b) {
  for (uint32_t c = 0; c < b->n_columns; c++)
    for (uint32_t row = b->n_rows; b->columns[c].validity && row < b->capacity; row++)
      must(!hw_column_valid(&b->columns[c], row));
  for (uint32_t row = b->n_rows; row < b->capacity; row++) must(!hw_batch_is_update(b, row));
  for (uint32_t row = 0; row < b->n_rows; row++)
    for (uint32_t c = 0; c < b->n_columns; c++) must(b->schema->fields[c].type.nullable || !b->columns[c].validity);
}

static void new_batch(run *r) {
  batch *b = batch_new(&r->memory, r->schema, BATCH_ROWS);
  must(b != NULL);
  r->batch = &b->pub;
  if (r->capacity) r->batch->capacity = r->capacity;
}

static void flush_batch(run *r) {
  print_batch(&r->rows, r->batch);
  if (r->seen) r->seen(r->arg, r->batch);
  r->n_rows += r->batch->n_rows;
  hw_batch_unref(r->batch);
  r->batch = NULL;
}

/* A copy with exactly the padding a parser may read; what follows is what tempts it most. */
static const char *copy_piece(run *r, const char *data, size_t len, size_t left) {
  char *copy = malloc(len + HW_PARSE_PADDING);
  must(copy != NULL);
  memcpy(copy, data, len);
  size_t more = left - len < HW_PARSE_PADDING ? left - len : HW_PARSE_PADDING;
  memcpy(copy + len, data + len, more);
  memset(copy + len + more, "1}\",]\n 0"[r->n_pieces % 8], HW_PARSE_PADDING - more); /* must not matter either */
  r->pieces = realloc(r->pieces, (r->n_pieces + 1) * sizeof *r->pieces);
  must(r->pieces != NULL);
  return r->pieces[r->n_pieces++] = copy;
}

/* Whether the parser says that parsing the piece would be for nothing. */
static bool is_for_nothing(const run *r, bool final) {
  return r->waiting && !final && r->format->can_go_on && !r->format->can_go_on(r->parser, r->piece, r->piece_len);
}

/* Gives the parser data[r->offset .. end) as often as it fills batches. What it says beforehand must come true. */
static hw_status feed_piece(run *r, const char *data, size_t len, size_t end) {
  for (;;) {
    size_t consumed = SIZE_MAX, n = end - r->offset;
    bool final = end == len;
    r->piece = copy_piece(r, data + r->offset, n, len - r->offset);
    r->piece_len = n;
    bool spared = is_for_nothing(r, final);
    if (spared && r->sparing) {
      free(r->pieces[--r->n_pieces]);
      return HW_OK;
    }
    uint32_t rows = r->batch->n_rows, bad = r->n_bad;
    r->n_parsed += n;
    hw_status status = r->format->parser->parse(r->parser, r->piece, n, final, r->batch, &r->report, &consumed);
    must(consumed <= n);
    must(r->batch->n_rows <= r->batch->capacity);
    check_no_trace(r->batch);
    r->offset += consumed;
    if (spared && (status != HW_OK || consumed || r->batch->n_rows != rows || r->n_bad != bad))
      fixture_fail("%.*s: said to be for nothing, but %zu bytes of it were consumed", (int)n, r->piece, consumed);
    if (status != HW_OK) return status;
    r->waiting = r->batch->n_rows < r->batch->capacity && consumed < n;
    if (r->batch->n_rows < r->batch->capacity) {
      must(!final || consumed == n);
      return HW_OK;
    }
    flush_batch(r);
    new_batch(r);
  }
}

static void start(run *r) {
  hw_error err = {0};
  must(mem_init(&r->memory, UINT64_C(1) << 30) == HW_OK);
  if (r->format->parser->create(r->config, r->schema, &r->parser, &err) != HW_OK)
    fixture_fail("create: %s", err.message);
  new_batch(r);
}

static void end_run(run *r) {
  flush_batch(r);
  r->format->parser->destroy(r->parser);
  mem_fini(&r->memory);
}

static void free_pieces(run *r) {
  for (size_t i = 0; i < r->n_pieces; i++) free(r->pieces[i]);
  free(r->pieces);
}

/* Gives a new parser what the format parts from data[r->offset .. end), as the runtime
 * does: it counts when all of it is good records. */
static void part(run *r, const char *data, size_t len, size_t end) {
  const char *from = data + r->offset;
  size_t n = r->format->part ? r->format->part(r->parser, from, end - r->offset) : 0;
  must(n <= end - r->offset);
  if (n == 0 || r->offset + n == len) return;
  run one = {.report = {add_bad}, .format = r->format, .schema = r->schema, .config = r->config,
             .capacity = r->capacity};
  start(&one);
  if (r->format->follow) must(r->format->follow(one.parser, r->parser) == HW_OK);
  bool exact = feed_piece(&one, from, len - r->offset, n) == HW_OK && one.offset == n && one.n_bad == 0;
  end_run(&one);
  if (exact) {
    flush_batch(r);
    new_batch(r);
    fixture_put(&r->rows, one.rows.data, one.rows.len);
    r->n_rows += one.n_rows;
    r->offset += n;
    r->waiting = false;
  }
  free(one.rows.data);
  free(one.bad.data);
  free(one.bad_full.data);
  free_pieces(&one);
}

static fixture_result take_result(run *r, hw_status status) {
  fixture_text brief = {0}, full = {0};
  size_t rows_len = r->rows.len;
  fixture_put(&brief, r->rows.data, r->rows.len);
  fixture_put(&full, r->rows.data, r->rows.len);
  fixture_put(&brief, r->bad.data, r->bad.len);
  fixture_put(&full, r->bad_full.data, r->bad_full.len);
  fixture_put(&r->trace, "", 0);
  free(r->rows.data);
  free(r->bad.data);
  free(r->bad_full.data);
  free_pieces(r);
  return (fixture_result){.brief = brief.data,
                          .full = full.data,
                          .trace = r->trace.data,
                          .rows_len = rows_len,
                          .n_rows = r->n_rows,
                          .n_bad = r->n_bad,
                          .n_parsed = r->n_parsed,
                          .status = status};
}

fixture_result fixture_parse(const hw_format *format, const char *options, const hw_schema *schema, const void *data,
                             size_t len, fixture_feed feed) {
  hw_config *config = fixture_config(format->parser_options, options);
  run r = {.report = {add_bad}, .format = format, .schema = schema, .config = config, .capacity = feed.capacity,
           .sparing = feed.sparing, .seen = feed.seen, .arg = feed.arg};
  hw_status status;
  start(&r);
  for (size_t end = feed.first && feed.first < len ? feed.first : len;;) {
    if (feed.parted) part(&r, data, len, end);
    status = feed_piece(&r, data, len, end);
    if (status != HW_OK || end == len) break;
    fixture_print(&r.trace, "%zu ", r.offset);
    end = feed.step && feed.step < len - end ? end + feed.step : len;
  }
  end_run(&r);
  config_free(config);
  return take_result(&r, status);
}

void fixture_result_fini(fixture_result *r) {
  free(r->brief);
  free(r->full);
  free(r->trace);
}

void fixture_check_sparing(const hw_format *format, const char *options, const hw_schema *schema, const void *data,
                          size_t len, fixture_feed feed) {
  fixture_result plain = fixture_parse(format, options, schema, data, len, feed);
  feed.sparing = true;
  fixture_result sparing = fixture_parse(format, options, schema, data, len, feed);
  if (strcmp(plain.full, sparing.full) != 0 || strcmp(plain.trace, sparing.trace) != 0)
    fixture_fail("%.*s\nin pieces of %zu gives, without sparing,\n%s%s\nand with it\n%s%s", (int)len,
                 (const char *)data, feed.step, plain.full, plain.trace, sparing.full, sparing.trace);
  fixture_result_fini(&plain);
  fixture_result_fini(&sparing);
}

void fixture_check_same(const fixture_result *whole, const hw_format *format, const char *options,
                       const hw_schema *schema, const void *data, size_t len, fixture_feed feed) {
  fixture_result other = fixture_parse(format, options, schema, data, len, feed);
  if (strcmp(whole->full, other.full) != 0 || whole->status != other.status)
    fixture_fail("first %zu step %zu capacity %u%s of:\n%.*s\ngives (%d)\n%sinstead of (%d)\n%s", feed.first, feed.step,
                 feed.capacity, feed.parted ? " parted" : "", (int)len, (const char *)data, (int)other.status,
                 other.full, (int)whole->status, whole->full);
  fixture_result_fini(&other);
}

/* ---- encoding ---------------------------------------------------------------------------- */

hw_batch *fixture_batch(const hw_schema *schema, const char *json_rows, const int64_t *weights) {
  run *r = keep(calloc(1, sizeof *r)); /* with all that the batch points to */
  *r = (run){.report = {add_bad}, .format = &format_json, .schema = schema};
  hw_error err = {0};
  hw_config *config = fixture_config(format_json.parser_options, "\"update_format\": \"raw\"");
  must(mem_init(&r->memory, UINT64_C(1) << 30) == HW_OK);
  must(format_json.parser->create(config, schema, &r->parser, &err) == HW_OK);
  new_batch(r);
  must(feed_piece(r, json_rows, strlen(json_rows), strlen(json_rows)) == HW_OK);
  if (r->n_bad) fixture_fail("%s", r->bad_full.data);
  for (uint32_t row = 0; weights && row < r->batch->n_rows; row++)
    must(hw_batch_set_weight(r->batch, row, weights[row]));
  format_json.parser->destroy(r->parser);
  config_free(config);
  return r->batch;
}

typedef struct encode_run {
  hw_report report;
  fixture_text faults;
} encode_run;

static void add_encode_fault(hw_report *report, const hw_bad_record *bad) {
  encode_run *r = (encode_run *)report;
  fixture_print(&r->faults, "!%s %u\n", bad->tag, bad->index);
}

char *fixture_encode(const hw_format *format, const char *options, const hw_batch *b, size_t soft_limit, size_t *len,
                     char **faults) {
  encode_run r = {.report = {add_encode_fault}};
  hw_bytes out = {0};
  hw_error err = {0};
  void *encoder;
  hw_config *config = fixture_config(format->encoder_options, options);
  const hw_encoder_ops *ops = format->encoder;
  if (ops->create(config, b->schema, &encoder, &err) != HW_OK) fixture_fail("create: %s", err.message);
  if (ops->begin) must(ops->begin(encoder, &out) == HW_OK);
  for (uint32_t first = 0; first < hw_batch_count(b);) {
    uint32_t taken = 0;
    size_t limit = soft_limit ? out.len + soft_limit : SIZE_MAX;
    must(ops->encode(encoder, b, first, limit, &out, &r.report, &taken) == HW_OK);
    must(taken > 0);
    first += taken;
  }
  if (ops->end) must(ops->end(encoder, &out) == HW_OK);
  ops->destroy(encoder);
  config_free(config);
  must(hw_bytes_reserve(&out, 1));
  out.data[out.len] = '\0';
  if (len) *len = out.len;
  fixture_put(&r.faults, "", 0);
  if (faults)
    *faults = r.faults.data;
  else
    free(r.faults.data);
  return out.data;
}
