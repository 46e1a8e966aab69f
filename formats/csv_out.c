/* csv_out.c - rows to CSV records: the encoder behind format "csv".
 *
 * An empty cell is NULL, "" is the empty string; any other cell is quoted only
 * when it has to be. As in json_out.c, a row begins with room for all but its
 * strings, which ask for theirs. Whether a text needs quotes is found before it is
 * copied: both passes are a few vectors, and nothing is taken back. */
#include "formats/csv.h"
#include "formats/encode.h"
#include "formats/put_value.h"
#include "formats/scan.h"

#include <headworks/value.h>

#include <stdlib.h>
#include <string.h>

typedef struct csv_encoder {
  csv_dialect dialect;
  bool headers;
  bool weight;       /* a last column holds the row's weight */
  bool quote_values; /* the delimiter may stand inside numbers or dates */
  size_t fixed;      /* most that a row needs beside its strings */
  put_day day;
  const hw_schema *schema;
} csv_encoder;

#define STRING_EXTRA (SCAN_WIDTH + 4)
#define QUOTED_MAX 2 /* bytes that one byte may become, as hexadecimal digits too */

/* ---- cells ----------------------------------------------------------------------- */

/* Text in which quotes are doubled. */
static char *put_doubled(char *out, const char *p, size_t len, char quote) {
  while (len > 0) {
    const char *next = memchr(p, quote, len);
    size_t n = next ? (size_t)(next - p) + 1 : len;
    memcpy(out, p, n);
    out += n;
    if (next) *out++ = quote;
    p += n;
    len -= n;
  }
  return out;
}

/* Not 0 where a byte of x is c. */
PUT_INLINE uint64_t word_has(uint64_t x, char c) {
  x ^= UINT64_C(0x0101010101010101) * (unsigned char)c;
  return (x - UINT64_C(0x0101010101010101)) & ~x & UINT64_C(0x8080808080808080);
}

/* `plain`: of all that asks for quotes the text may only hold the delimiter. */
PUT_INLINE uint64_t word_has_marks(const csv_dialect *d, uint64_t x, bool plain) {
  uint64_t others = plain ? 0 : word_has(x, d->quote) | word_has(x, '\n') | word_has(x, '\r');
  return others | word_has(x, d->delimiter);
}

PUT_INLINE uint32_t vector_has_marks(const csv_dialect *d, const char *p, bool plain) {
  char c = d->delimiter;
  return plain ? scan_any_of4(p, c, c, c, c) : scan_any_of4(p, c, d->quote, '\n', '\r');
}

/* The bytes of a text of 1 to 7, none missing, some twice. */
PUT_INLINE uint64_t gather_short(const char *p, size_t len) {
  if (len >= 4) return swar_load4(p) | (uint64_t)swar_load4(p + len - 4) << 32;
  uint64_t first = (unsigned char)p[0], middle = (unsigned char)p[len / 2], last = (unsigned char)p[len - 1];
  return (first | middle << 8 | last << 16 | last << 24) * UINT64_C(0x0000000100000001);
}

/* Whether anything in a text asks for quotes; len > 0. */
PUT_INLINE bool has_marks(const csv_dialect *d, const char *p, size_t len, bool plain) {
  if (len < 8) return word_has_marks(d, gather_short(p, len), plain) != 0;
  if (len < SCAN_WIDTH) {
    uint64_t words = word_has_marks(d, swar_load8(p + len - 8), plain);
    for (size_t i = 0; i + 8 < len; i += 8) words |= word_has_marks(d, swar_load8(p + i), plain);
    return words != 0;
  }
  uint32_t marks = vector_has_marks(d, p + len - SCAN_WIDTH, plain);
  for (size_t i = 0; i + SCAN_WIDTH < len; i += SCAN_WIDTH) marks |= vector_has_marks(d, p + i, plain);
  return marks != 0;
}

PUT_INLINE bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

/* Blanks that a reader may trim, and what begins like a byte order mark, which a reader
 * takes off the start of a stream. */
PUT_INLINE bool opens_oddly(char c) {
  return is_blank(c) || c == '\xef';
}

/* Text with quotes around it, if need be. `plain`: it holds no '"'. */
PUT_INLINE char *put_text(const csv_encoder *e, char *out, const char *p, size_t len, bool plain) {
  const csv_dialect *d = &e->dialect;
  bool easy = plain && d->quote == '"';
  bool quoted = len == 0 || opens_oddly(p[0]) || is_blank(p[len - 1]) ||
                (easy ? has_marks(d, p, len, true) : has_marks(d, p, len, false));
  bool doubled = quoted && !easy;
  *out = d->quote;
  out += quoted;
  out = __builtin_expect(doubled, 0) ? put_doubled(out, p, len, d->quote) : put_bytes(out, p, len);
  *out = d->quote;
  return out + quoted;
}

/* Hexadecimal digits. The prefix, which the parser allows, keeps an empty value from being NULL. */
static char *put_binary(const csv_encoder *e, char *out, const hw_str *s) {
  static const char hex[] = "0123456789abcdef";
  if (e->quote_values) *out++ = e->dialect.quote;
  memcpy(out, "0x", 2);
  out += 2;
  for (uint32_t i = 0; i < s->len; i++) {
    *out++ = hex[(unsigned char)s->data[i] >> 4];
    *out++ = hex[s->data[i] & 15];
  }
  if (e->quote_values) *out++ = e->dialect.quote;
  return out;
}

/* A value of a dialect whose delimiter may stand in it. */
static char *put_value_quoted(const csv_encoder *e, char *out, const hw_type *type, const void *slot) {
  char text[2 * HW_VALUE_TEXT_MAX]; /* put_text's longest copies are never done */
  return put_text(e, out, text, hw_value_format(type, slot, text), true);
}

PUT_INLINE char *put_value(csv_encoder *e, char *out, const hw_type *type, const void *values, uint32_t row) {
  if (__builtin_expect(!e->quote_values, 1)) return put_plain(out, type, values, row, &e->day);
  return put_value_quoted(e, out, type, (const char *)values + (size_t)row * hw_type_width((hw_type_id)type->id));
}

/* A string, and room for what may follow it; NULL: no memory. */
PUT_INLINE char *put_string(const csv_encoder *e, hw_bytes *room, char *out, const hw_type *type, const hw_str *s) {
  if (!(out = encode_room(room, out, (size_t)s->len * QUOTED_MAX + e->fixed))) return NULL;
  if (!hw_type_is_text((hw_type_id)type->id)) return put_binary(e, out, s);
  return put_text(e, out, s->data, s->len, s->flags & HW_STR_PLAIN);
}

/* ---- rows ------------------------------------------------------------------------- */

static char *put_weight(csv_encoder *e, char *out, int64_t weight) {
  static const hw_type type = {.id = HW_TYPE_BIGINT};
  *out = e->dialect.delimiter;
  return put_value(e, out + 1, &type, &weight, 0);
}

static char *put_row(csv_encoder *e, const hw_batch *batch, uint32_t row, hw_bytes *room) {
  if (!hw_bytes_reserve(room, e->fixed)) return NULL;
  char *out = room->data + room->len;
  for (uint32_t i = 0; i < e->schema->n_fields; i++) {
    const hw_type *type = &e->schema->fields[i].type;
    const hw_column *column = &batch->columns[i];
    *out = e->dialect.delimiter;
    out += i > 0;
    if (__builtin_expect(!hw_column_valid(column, row), 0)) continue;
    if (!hw_type_is_string((hw_type_id)type->id))
      out = put_value(e, out, type, column->values, row);
    else if (!(out = put_string(e, room, out, type, &((const hw_str *)column->values)[row])))
      return NULL;
  }
  if (e->weight) out = put_weight(e, out, hw_batch_weight(batch, row));
  *out = '\n';
  return out + 1;
}

static hw_status encode_row(csv_encoder *e, const hw_batch *batch, uint32_t index, hw_bytes *out, hw_report *report) {
  uint32_t row = hw_batch_row(batch, index);
  int64_t weight = hw_batch_weight(batch, row);
  uint64_t copies = e->weight ? weight != 0 : encode_copies(report, index, weight, false);
  size_t before = out->len;
  for (; copies > 0; copies--) {
    char *after = put_row(e, batch, row, out);
    if (__builtin_expect(!after, 0)) {
      out->len = before;
      return HW_ENOMEM;
    }
    out->len = (size_t)(after - out->data);
  }
  return HW_OK;
}

static hw_status encoder_encode(void *self, const hw_batch *batch, uint32_t first, size_t soft_limit, hw_bytes *out,
                                hw_report *report, uint32_t *taken) {
  uint32_t count = hw_batch_count(batch), i = first;
  hw_status status = HW_OK;
  for (; i < count && out->len < soft_limit; i++)
    if ((status = encode_row(self, batch, i, out, report)) != HW_OK) break;
  *taken = i - first;
  return status;
}

static hw_status encoder_begin(void *self, hw_bytes *out) {
  const csv_encoder *e = self;
  if (!e->headers) return HW_OK;
  size_t bound = sizeof "weight" * QUOTED_MAX + STRING_EXTRA;
  for (uint32_t i = 0; i < e->schema->n_fields; i++)
    bound += strlen(e->schema->fields[i].name) * QUOTED_MAX + STRING_EXTRA;
  if (!hw_bytes_reserve(out, bound)) return HW_ENOMEM;
  char *at = out->data + out->len;
  for (uint32_t i = 0; i < e->schema->n_fields; i++) {
    if (i) *at++ = e->dialect.delimiter;
    at = put_text(e, at, e->schema->fields[i].name, strlen(e->schema->fields[i].name), false);
  }
  if (e->weight) {
    *at++ = e->dialect.delimiter;
    at = put_text(e, at, "weight", strlen("weight"), false);
  }
  *at++ = '\n';
  out->len = (size_t)(at - out->data);
  return HW_OK;
}

/* ---- making ------------------------------------------------------------------------- */

static size_t fixed_bound(const hw_schema *schema) {
  size_t bound = HW_VALUE_TEXT_MAX + 4 + PUT_SLACK;
  for (uint32_t i = 0; i < schema->n_fields; i++)
    bound += hw_type_is_string((hw_type_id)schema->fields[i].type.id) ? STRING_EXTRA : HW_VALUE_TEXT_MAX + STRING_EXTRA;
  return bound;
}

static hw_status read_dialect(csv_dialect *d, const hw_config *config, hw_error *err) {
  bool is_set;
  *d = (csv_dialect){.delimiter = ',', .quote = '"', .quoting = true, .double_quote = true};
  hw_error all = {.status = HW_OK};
  csv_dialect_character(config, "delimiter", &d->delimiter, &is_set, &all);
  csv_dialect_character(config, "quote", &d->quote, &is_set, &all);
  return csv_dialect_check(d, &all, err);
}

static void encoder_destroy(void *self) {
  free(self);
}

static hw_status encoder_create(const hw_config *config, const hw_schema *schema, void **encoder, hw_error *err) {
  csv_encoder *e = calloc(1, sizeof *e);
  if (!e) return hw_error_set(err, HW_ENOMEM, "no memory for an encoder");
  hw_status status = read_dialect(&e->dialect, config, err);
  if (status != HW_OK) {
    free(e);
    return status;
  }
  e->schema = schema;
  e->fixed = fixed_bound(schema);
  put_day_init(&e->day);
  e->headers = hw_config_bool(config, "headers");
  e->weight = hw_config_bool(config, "weight");
  e->quote_values = csv_dialect_is_value_character(e->dialect.delimiter);
  *encoder = e;
  return HW_OK;
}

const hw_option csv_encoder_options[] = {
    {.name = "delimiter",
     .type = HW_OPTION_STRING,
     .default_text = ",",
     .description = "One ASCII character between cells; \"\\t\" for a tab."},
    {.name = "headers",
     .type = HW_OPTION_BOOL,
     .default_text = "false",
     .description = "The first record holds the columns' names."},
    {.name = "quote",
     .type = HW_OPTION_STRING,
     .default_text = "\"",
     .description = "The character around quoted cells."},
    {.name = "weight",
     .type = HW_OPTION_BOOL,
     .default_text = "true",
     .description = "A last cell holds the row's weight: 1 for an inserted row, -1 for a deleted one. Without it, "
                    "deleted rows are reported as errors."},
    {.name = "buffer_size_records",
     .type = HW_OPTION_INT,
     .default_text = "10000",
     .min = 1,
     .max = INT64_MAX,
     .unit = "records",
     .description = "Accepted for compatibility: what is written at once is bounded by its bytes."},
    {0},
};

const hw_encoder_ops csv_encoder_ops = {
    .create = encoder_create, .encode = encoder_encode, .begin = encoder_begin, .destroy = encoder_destroy};
