/* DESIGN
 * A column is filled in blocks of BLOCK rows: first which rows are NULL, then 64-bit
 * numbers for all rows (a loop per strategy), then what the type makes of them (a
 * loop per type). So no decision is taken per value, and a block's numbers stay in
 * the first-level cache. Row numbers go in, not a generator's state: the rows of a
 * plan are the same however they are cut into batches. */
#include "connectors/datagen_fill.h"
#include "connectors/datagen_values.h"

#include <headworks/value.h>

#include <math.h>
#include <string.h>

#define BLOCK 256u
#define TEXT_CHUNK (16u << 10)

/* Keys under a field's key. */
enum { KEY_VALUES, KEY_NULLS, KEY_TEXT };

/* Some rows of one column. */
typedef struct slice {
  const datagen_field *field;
  hw_batch *batch;
  hw_column *column;
  uint32_t at;   /* physical row of the first */
  uint32_t n;    /* at most BLOCK */
  uint64_t row;  /* number of the first in the plan */
  bool has_nulls;
  bool null[BLOCK]; /* with has_nulls */
  uint64_t bytes; /* of their values as JSON */
} slice;

static bool is_null(const slice *s, uint32_t i) { return s->has_nulls && s->null[i]; }

static void *slot(const slice *s, uint32_t i) {
  return (char *)s->column->values + (size_t)(s->at + i) * hw_type_width((hw_type_id)s->field->type.id);
}

static datagen_stream stream_of(const datagen_field *f, unsigned which, uint64_t row) {
  return (datagen_stream){.key = datagen_key(datagen_key(f->key, which), row), .n = 0};
}

/* ---- numbers by strategy ---------------------------------------------------- */

static void count_up(uint64_t row, uint64_t step, uint64_t span, uint32_t n, uint64_t *out) {
  uint64_t v = span ? (uint64_t)((datagen_wide)row * step % span) : row * step;
  step = span ? step % span : step;
  for (uint32_t i = 0; i < n; i++) {
    out[i] = v;
    v = span && v >= span - step ? v - (span - step) : v + step;
  }
}

/* Offsets 0 .. span-1, one for each row of the slice; span 0 stands for 2^64. */
static void draw(const slice *s, uint64_t span, uint64_t step, uint64_t *out) {
  const datagen_field *f = s->field;
  uint64_t key = datagen_key(f->key, KEY_VALUES);
  switch (f->strategy) {
  case DATAGEN_INCREMENT: count_up(s->row, step, span, s->n, out); break;
  case DATAGEN_ZIPF:
    for (uint32_t i = 0; i < s->n; i++) {
      datagen_stream one = stream_of(f, KEY_VALUES, s->row + i);
      out[i] = datagen_zipf_draw(&f->zipf, &one);
    }
    break;
  default:
    for (uint32_t i = 0; i < s->n; i++) out[i] = datagen_below(datagen_random(key, s->row + i), span);
  }
}

/* ---- sizes as JSON ---------------------------------------------------------- */

static uint64_t digits(uint64_t v) {
  static const uint64_t powers[] = {
      0, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, UINT64_C(10000000000),
      UINT64_C(100000000000), UINT64_C(1000000000000), UINT64_C(10000000000000), UINT64_C(100000000000000),
      UINT64_C(1000000000000000), UINT64_C(10000000000000000), UINT64_C(100000000000000000),
      UINT64_C(1000000000000000000), UINT64_C(10000000000000000000)};
  unsigned guess = (64 - (unsigned)__builtin_clzll(v | 1)) * 1233 >> 12; /* bits times log10(2), rounded down */
  return guess + (v >= powers[guess]);
}

/* ".5", ".25", ".125" of milliseconds; nothing for whole seconds. */
static uint64_t fraction_size(uint64_t ms) {
  unsigned part = (unsigned)(ms % 1000);
  return part == 0 ? 0 : part % 100 == 0 ? 2 : part % 10 == 0 ? 3 : 4;
}

/* v is a value in steps of the type. */
static uint64_t number_size(hw_type_id id, uint64_t v) {
  bool negative = (int64_t)v < 0;
  switch (id) {
  case HW_TYPE_UTINYINT:
  case HW_TYPE_USMALLINT:
  case HW_TYPE_UINT:
  case HW_TYPE_UBIGINT: return digits(v);
  case HW_TYPE_DATE: return sizeof "\"2000-01-01\"" - 1;
  case HW_TYPE_TIME: return sizeof "\"00:00:00\"" - 1 + fraction_size(v);
  case HW_TYPE_TIMESTAMP:
    return sizeof "\"2000-01-01 00:00:00\"" - 1 + fraction_size(negative ? -v % 1000 == 0 ? 0 : 1000 - -v % 1000 : v);
  default: return negative + digits(negative ? -v : v);
  }
}

static void count_numbers(slice *s, const uint64_t *v) {
  hw_type_id id = (hw_type_id)s->field->type.id;
  for (uint32_t i = 0; i < s->n; i++)
    if (!is_null(s, i)) s->bytes += number_size(id, v[i]);
}

/* ---- whole numbers, dates, times -------------------------------------------- */

/* Offsets to values, still in steps. */
static void place_in_range(const datagen_field *f, uint64_t *v, uint32_t n) {
  uint64_t top = f->low + f->span - 1;
  if (f->strategy == DATAGEN_INCREMENT && f->down)
    for (uint32_t i = 0; i < n; i++) v[i] = top - v[i];
  else
    for (uint32_t i = 0; i < n; i++) v[i] += f->low;
  if (f->strategy == DATAGEN_UNIFORM && f->scale != 1)
    for (uint32_t i = 0; i < n; i++) v[i] *= (uint64_t)f->scale;
}

static void store_numbers(const slice *s, const uint64_t *v) {
  void *out = slot(s, 0);
  uint64_t unit = s->field->type.id == HW_TYPE_TIME ? 1000000 : s->field->type.id == HW_TYPE_TIMESTAMP ? 1000 : 1;
  switch (hw_type_width((hw_type_id)s->field->type.id)) {
  case 1:
    for (uint32_t i = 0; i < s->n; i++) ((uint8_t *)out)[i] = (uint8_t)v[i];
    break;
  case 2:
    for (uint32_t i = 0; i < s->n; i++) ((uint16_t *)out)[i] = (uint16_t)v[i];
    break;
  case 4:
    for (uint32_t i = 0; i < s->n; i++) ((uint32_t *)out)[i] = (uint32_t)v[i];
    break;
  default:
    for (uint32_t i = 0; i < s->n; i++) ((uint64_t *)out)[i] = v[i] * unit;
  }
}

static bool fill_numbers(slice *s) {
  uint64_t v[BLOCK];
  draw(s, s->field->span, s->field->step, v);
  place_in_range(s->field, v, s->n);
  store_numbers(s, v);
  count_numbers(s, v);
  return true;
}

static bool fill_booleans(slice *s) {
  uint64_t v[BLOCK];
  draw(s, 2, 1, v);
  for (uint32_t i = 0; i < s->n; i++) {
    *(uint8_t *)slot(s, i) = (uint8_t)v[i];
    if (!is_null(s, i)) s->bytes += v[i] ? 4 : 5;
  }
  return true;
}

/* Random ones are of version 4, others are the number in its last 8 bytes. */
static bool fill_uuids(slice *s) {
  uint64_t low[BLOCK];
  uint64_t key = datagen_key(s->field->key, KEY_TEXT);
  draw(s, 0, 1, low);
  for (uint32_t i = 0; i < s->n; i++) {
    bool random = s->field->strategy == DATAGEN_UNIFORM;
    uint64_t high = random ? datagen_random(key, s->row + i) : 0;
    hw_uuid *uuid = slot(s, i);
    for (unsigned k = 0; k < 8; k++) {
      uuid->bytes[k] = (uint8_t)(high >> (56 - 8 * k));
      uuid->bytes[8 + k] = (uint8_t)(low[i] >> (56 - 8 * k));
    }
    if (random) {
      uuid->bytes[6] = (uint8_t)((uuid->bytes[6] & 0x0f) | 0x40);
      uuid->bytes[8] = (uint8_t)((uuid->bytes[8] & 0x3f) | 0x80);
    }
    if (!is_null(s, i)) s->bytes += 38;
  }
  return true;
}

/* ---- REAL and DOUBLE -------------------------------------------------------- */

static double real_increment(const datagen_field *f, uint64_t row) {
  double v = (double)row * f->real_scale;
  if (f->real_high == HUGE_VAL) return f->real_low + v;
  double span = f->real_high - f->real_low, rest = fmod(v, span);
  return f->real_low + (rest < 0 ? rest + span : rest);
}

/* In [low, high), as near to high as rounding may come. */
static double real_uniform(const datagen_field *f, uint64_t r) {
  double u = datagen_unit(r);
  double v = f->real_low * (1 - u) + f->real_high * u; /* their difference may be infinite */
  if (v < f->real_low) v = f->real_low;
  if (v >= f->real_high) v = nextafter(f->real_high, f->real_low);
  return v * f->real_scale;
}

static double real_value(const datagen_field *f, uint64_t row, uint64_t key) {
  if (f->strategy == DATAGEN_INCREMENT) return real_increment(f, row);
  if (f->strategy == DATAGEN_UNIFORM) return real_uniform(f, datagen_random(key, row));
  datagen_stream one = stream_of(f, KEY_VALUES, row);
  return f->real_low + (double)datagen_zipf_draw(&f->zipf, &one);
}

/* A double below high may round to a float that is not. */
static float to_float(const datagen_field *f, double v) {
  float r = (float)v;
  bool bounded = f->strategy == DATAGEN_UNIFORM && f->real_scale == 1;
  return bounded && (double)r >= f->real_high ? nextafterf(r, -INFINITY) : r;
}

static bool fill_reals(slice *s) {
  uint64_t key = datagen_key(s->field->key, KEY_VALUES);
  bool narrow = s->field->type.id == HW_TYPE_REAL;
  for (uint32_t i = 0; i < s->n; i++) {
    double v = real_value(s->field, s->row + i, key);
    if (narrow) *(float *)slot(s, i) = to_float(s->field, v);
    else *(double *)slot(s, i) = v;
    if (!is_null(s, i)) s->bytes += narrow ? 4 : 8;
  }
  return true;
}

/* ---- DECIMAL ---------------------------------------------------------------- */

/* Evenly from 0 .. span-1, by trying until a number is not in the remainder. */
static hw_uint128 wide_below(datagen_stream *s, hw_uint128 span) {
  if (span <= UINT64_MAX) return datagen_next_below(s, (uint64_t)span);
  hw_uint128 rest = -span % span; /* 2^128 modulo span */
  for (;;) {
    hw_uint128 r = (hw_uint128)datagen_next(s) << 64;
    r |= datagen_next(s);
    if (r >= rest) return r % span;
  }
}

static hw_int128 drawn_decimal(const datagen_field *f, uint64_t row) {
  datagen_stream one = stream_of(f, KEY_VALUES, row);
  hw_uint128 low = (hw_uint128)f->dec_low;
  if (f->strategy == DATAGEN_ZIPF) return (hw_int128)(low + datagen_zipf_draw(&f->zipf, &one));
  return (hw_int128)(low + wide_below(&one, f->dec_span)) * f->scale;
}

static void count_decimals(const slice *s, hw_int128 *out) {
  const datagen_field *f = s->field;
  hw_uint128 offset = datagen_mulmod(f->dec_step, s->row, f->dec_span);
  hw_uint128 low = (hw_uint128)f->dec_low, top = low + f->dec_span - 1;
  for (uint32_t i = 0; i < s->n; i++) {
    out[i] = (hw_int128)(f->down ? top - offset : low + offset);
    offset = offset >= f->dec_span - f->dec_step ? offset - (f->dec_span - f->dec_step) : offset + f->dec_step;
  }
}

static uint64_t decimal_size(hw_int128 v, unsigned scale) {
  char text[HW_VALUE_TEXT_MAX];
  hw_uint128 a = v < 0 ? -(hw_uint128)v : (hw_uint128)v;
  if (a > UINT64_MAX) return hw_format_decimal(v, scale, text);
  uint64_t n = digits((uint64_t)a);
  return (v < 0 ? 1u : 0u) + (scale > 0 ? 1u : 0u) + (n > scale ? n : scale + 1);
}

static bool fill_decimals(slice *s) {
  hw_int128 *out = slot(s, 0);
  if (s->field->strategy == DATAGEN_INCREMENT) count_decimals(s, out);
  else
    for (uint32_t i = 0; i < s->n; i++) out[i] = drawn_decimal(s->field, s->row + i);
  for (uint32_t i = 0; i < s->n; i++)
    if (!is_null(s, i)) s->bytes += decimal_size(out[i], s->field->type.scale);
  return true;
}

/* ---- strings ---------------------------------------------------------------- */

/* Bytes of the batch that texts are put into, one behind the other. */
typedef struct text_room {
  hw_batch *batch;
  char *at, *end;
} text_room;

/* At least `most` bytes; NULL: no memory. */
static char *text_reserve(text_room *r, size_t most) {
  if ((size_t)(r->end - r->at) >= most) return r->at;
  hw_batch_trim(r->batch, (size_t)(r->end - r->at));
  size_t size = most > TEXT_CHUNK ? most : TEXT_CHUNK;
  r->at = hw_batch_alloc(r->batch, size);
  r->end = r->at ? r->at + size : NULL;
  return r->at;
}

/* Cuts text to as many characters as its type holds, and pads it to so many. */
static size_t fit_text(const hw_type *type, char *text, size_t len) {
  size_t size = 0, characters = 0;
  for (; size < len; size++) {
    if (((unsigned char)text[size] & 0xc0) == 0x80) continue; /* within a character */
    if (characters == type->length) break;
    characters++;
  }
  if (type->id != HW_TYPE_CHAR) return size;
  memset(text + size, ' ', type->length - characters);
  return size + type->length - characters;
}

/* len bytes at r->at are the text of row i, or its beginning; behind them is room
 * for as many as the type's length. */
static void text_take(slice *s, text_room *r, uint32_t i, size_t len) {
  const hw_type *type = &s->field->type;
  if (type->length && hw_type_is_text((hw_type_id)type->id)) len = fit_text(type, r->at, len);
  hw_str *str = slot(s, i);
  *str = (hw_str){.data = r->at, .len = (uint32_t)len};
  if (hw_type_is_text((hw_type_id)type->id)) str->flags = HW_STR_PLAIN;
  r->at += len;
  if (!is_null(s, i)) s->bytes += str->flags ? len + 2 : datagen_json_size(type, str);
}

static size_t write_number(const datagen_field *f, uint64_t v, char *out) {
  if (!f->has_range) return hw_format_u64(v, out);
  char text[HW_VALUE_TEXT_MAX];
  size_t len = hw_format_u64(v, text), pad = f->low > len ? (size_t)f->low - len : 0;
  memset(out, '0', pad);
  memcpy(out + pad, text, len);
  return pad + len;
}

static size_t write_characters(datagen_stream *one, size_t len, char *out) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  uint64_t bits = 0;
  for (size_t i = 0; i < len; i++, bits >>= 6) {
    if (i % 10 == 0) bits = datagen_next(one); /* ten letters of 6 bits to a number */
    out[i] = letters[bits & 63];
  }
  return len;
}

/* Each element counts from 0, or is drawn for its row and place. */
static size_t write_bytes(const datagen_field *f, uint64_t row, size_t len, char *out) {
  slice bytes = {.field = f->element};
  hw_column column = {.values = out};
  datagen_field element = *f->element;
  element.key = datagen_key(f->element->key, row);
  bytes.field = &element;
  bytes.column = &column;
  for (size_t done = 0; done < len; done += bytes.n) {
    bytes.at = (uint32_t)done;
    bytes.row = done;
    bytes.n = len - done < BLOCK ? (uint32_t)(len - done) : BLOCK;
    if (element.values.given) {
      uint64_t v[BLOCK];
      draw(&bytes, element.values.n, 1, v);
      for (uint32_t i = 0; i < bytes.n; i++) out[done + i] = ((const char *)element.values.items)[v[i]];
    } else {
      fill_numbers(&bytes);
    }
  }
  return len;
}

/* Numbers as text; at most as many digits as the range or the column allows. */
static uint64_t number_span(const datagen_field *f) {
  uint64_t most = f->has_range ? f->low + f->span - 1 : f->type.length;
  uint64_t span = 1;
  if (most == 0 || most > 19) return 0;
  while (most-- > 0) span *= 10;
  return span;
}

static bool fill_number_texts(slice *s) {
  const datagen_field *f = s->field;
  uint64_t v[BLOCK];
  size_t most = HW_VALUE_TEXT_MAX + (f->has_range ? f->low : 0) + f->type.length;
  text_room room = {.batch = s->batch};
  draw(s, number_span(f), f->step, v);
  for (uint32_t i = 0; i < s->n; i++) {
    if (!text_reserve(&room, most)) return false;
    text_take(s, &room, i, write_number(f, v[i], room.at));
  }
  hw_batch_trim(s->batch, (size_t)(room.end - room.at));
  return true;
}

/* Lengths by strategy, letters or bytes at random. */
static bool fill_lengths(slice *s) {
  const datagen_field *f = s->field;
  uint64_t length[BLOCK];
  text_room room = {.batch = s->batch};
  draw(s, f->span, 1, length);
  for (uint32_t i = 0; i < s->n; i++) {
    size_t len = (size_t)(f->low + length[i]);
    if (!text_reserve(&room, len + f->type.length + 1)) return false;
    datagen_stream one = stream_of(f, KEY_TEXT, s->row + i);
    size_t n = f->element ? write_bytes(f, s->row + i, len, room.at) : write_characters(&one, len, room.at);
    text_take(s, &room, i, n);
  }
  hw_batch_trim(s->batch, (size_t)(room.end - room.at));
  return true;
}

/* Entries of a list lie in constant memory: they are pointed to as they are. */
static bool fill_from_list(slice *s, const hw_str *items, uint32_t n) {
  uint64_t key = datagen_key(s->field->key, KEY_VALUES);
  hw_str *out = slot(s, 0);
  for (uint32_t i = 0; i < s->n; i++) {
    out[i] = items[datagen_below(datagen_random(key, s->row + i), n)];
    if (!is_null(s, i)) s->bytes += out[i].len + 2;
  }
  return true;
}

static bool fill_texts(slice *s) {
  const datagen_field *f = s->field;
  uint32_t n;
  const hw_str *items = f->type.length ? NULL : datagen_text_list(f->text, &n);
  if (items) return fill_from_list(s, items, n);
  uint64_t high = f->low + f->span;
  uint64_t low, unused;
  bool counted = datagen_text_default_range(f->text, &low, &unused);
  size_t most = datagen_text_most(f->text, counted ? high : 0) + f->type.length;
  text_room room = {.batch = s->batch};
  for (uint32_t i = 0; i < s->n; i++) {
    if (!text_reserve(&room, most)) return false;
    datagen_stream one = stream_of(f, KEY_TEXT, s->row + i);
    text_take(s, &room, i, datagen_text_write(f->text, &one, f->low, counted ? high : 0, room.at));
  }
  hw_batch_trim(s->batch, (size_t)(room.end - room.at));
  return true;
}

static bool fill_strings(slice *s) {
  const datagen_field *f = s->field;
  if (f->strategy == DATAGEN_TEXT) return fill_texts(s);
  return f->strategy == DATAGEN_INCREMENT && !f->element ? fill_number_texts(s) : fill_lengths(s);
}

/* ---- values ----------------------------------------------------------------- */

/* The list's own bytes go with the connector, the batch may live longer. */
static bool fill_from_values(slice *s) {
  const datagen_values *values = &s->field->values;
  size_t width = hw_type_width((hw_type_id)s->field->type.id);
  bool strings = hw_type_is_string((hw_type_id)s->field->type.id);
  uint64_t pick[BLOCK];
  draw(s, values->n, 1, pick);
  for (uint32_t i = 0; i < s->n; i++) {
    memcpy(slot(s, i), (const char *)values->items + pick[i] * width, width);
    if (is_null(s, i)) continue;
    s->bytes += values->json_len[pick[i]];
    hw_str *str = slot(s, i);
    if (strings && !values->null[pick[i]]) {
      uint32_t flags = str->flags;
      if (!hw_batch_copy_str(s->batch, str->data, str->len, str)) return false;
      str->flags = flags;
    }
  }
  return true;
}

/* ---- NULL ------------------------------------------------------------------- */

static void decide_nulls(slice *s) {
  const datagen_field *f = s->field;
  const datagen_values *values = &f->values;
  s->has_nulls = f->null_percentage > 0 || values->any_null;
  if (!s->has_nulls) return;
  uint64_t key = datagen_key(f->key, KEY_NULLS);
  uint32_t percentage = values->given && !values->n ? 100 : f->null_percentage;
  for (uint32_t i = 0; i < s->n; i++) s->null[i] = datagen_below(datagen_random(key, s->row + i), 100) < percentage;
  if (!values->any_null || !values->n) return;
  uint64_t pick[BLOCK];
  draw(s, values->n, 1, pick);
  for (uint32_t i = 0; i < s->n; i++) s->null[i] = s->null[i] || values->null[pick[i]];
}

static void set_validity(slice *s) {
  for (uint32_t i = 0; i < s->n; i++) {
    if (!is_null(s, i)) hw_column_set_valid(s->column, s->at + i);
    else s->bytes += 4; /* null */
  }
}

/* ---- all -------------------------------------------------------------------- */

static bool fill_values(slice *s) {
  if (s->field->values.given) return s->field->values.n ? fill_from_values(s) : true;
  switch (s->field->type.id) {
  case HW_TYPE_BOOLEAN: return fill_booleans(s);
  case HW_TYPE_REAL:
  case HW_TYPE_DOUBLE: return fill_reals(s);
  case HW_TYPE_DECIMAL: return fill_decimals(s);
  case HW_TYPE_UUID: return fill_uuids(s);
  case HW_TYPE_CHAR:
  case HW_TYPE_VARCHAR:
  case HW_TYPE_BINARY:
  case HW_TYPE_VARBINARY: return fill_strings(s);
  default: return fill_numbers(s);
  }
}

static bool fill_column(const datagen_field *f, hw_batch *batch, uint64_t row, uint32_t n, uint64_t *bytes) {
  slice s = {.field = f, .batch = batch, .column = &batch->columns[f->column]};
  for (uint32_t done = 0; done < n; done += s.n) {
    s.at = batch->n_rows + done;
    s.row = row + done;
    s.n = n - done < BLOCK ? n - done : BLOCK;
    decide_nulls(&s);
    if (!fill_values(&s)) return false;
    if (s.column->validity) set_validity(&s);
  }
  *bytes += s.bytes;
  return true;
}

/* {"name":value,...} and what separates rows. */
static uint64_t frame_bytes(const hw_schema *schema) {
  uint64_t bytes = 3;
  for (uint32_t i = 0; i < schema->n_fields; i++) {
    hw_str name = {.data = schema->fields[i].name, .len = (uint32_t)strlen(schema->fields[i].name)};
    static const hw_type text = {.id = HW_TYPE_VARCHAR};
    bytes += datagen_json_size(&text, &name) + 1 + (i > 0);
  }
  return bytes;
}

bool datagen_fill(const datagen_plan *plan, hw_batch *batch, uint64_t row, uint32_t n, uint64_t *bytes) {
  *bytes = n * frame_bytes(batch->schema);
  for (uint32_t i = 0; i < plan->n_fields; i++) {
    if (fill_column(&plan->fields[i], batch, row, n, bytes)) continue;
    for (uint32_t k = 0; k < n; k++) hw_batch_clear_row(batch, batch->n_rows + k);
    return false;
  }
  batch->n_rows += n;
  return true;
}
