#include "runtime/spill_codec.h"

#include <string.h>
#include <zlib.h>

#define MAGIC 0x48577331u
#define PLAIN_BIT (UINT64_C(1) << 32) /* in a string's length: its HW_STR_PLAIN */

static size_t validity_size(uint32_t rows) { return (rows + 7) / 8; }

/* Over the head from `size` on, and the body. */
static uint32_t checksum(const spill_head *head, const char *body) {
  const size_t skip = offsetof(spill_head, size);
  uLong crc = crc32(0, (const Bytef *)head + skip, (uInt)(sizeof *head - skip));
  return (uint32_t)crc32_z(crc, (const Bytef *)body, head->size);
}

/* ---- writing ------------------------------------------------------------- */

/* Room for n bytes at the end, counted already; NULL: no memory. */
static char *extend(hw_bytes *out, size_t n) {
  if (!hw_bytes_reserve(out, n)) return NULL;
  char *at = out->data + out->len;
  out->len += n;
  return at;
}

static bool put_weights(const hw_batch *b, uint32_t rows, hw_bytes *out) {
  char *to = extend(out, rows * sizeof(int64_t));
  for (uint32_t i = 0; to && i < rows; i++) {
    int64_t w = hw_batch_weight(b, hw_batch_row(b, i));
    memcpy(to + i * sizeof w, &w, sizeof w);
  }
  return to;
}

static bool put_validity(const hw_batch *b, const hw_column *c, uint32_t rows, hw_bytes *out) {
  char *to = extend(out, validity_size(rows));
  if (!to) return false;
  memset(to, 0, validity_size(rows));
  for (uint32_t i = 0; i < rows; i++)
    if (hw_column_valid(c, hw_batch_row(b, i))) to[i / 8] = (char)(to[i / 8] | 1 << i % 8);
  return true;
}

static bool put_fixed(const hw_batch *b, const hw_column *c, size_t width, uint32_t rows, hw_bytes *out) {
  char *to = extend(out, rows * width);
  for (uint32_t i = 0; to && i < rows; i++) {
    uint32_t row = hw_batch_row(b, i);
    if (hw_column_valid(c, row))
      memcpy(to + i * width, (const char *)c->values + row * width, width);
    else
      memset(to + i * width, 0, width);
  }
  return to;
}

static bool put_strings(const hw_batch *b, const hw_column *c, uint32_t rows, hw_bytes *out) {
  const hw_str *values = c->values;
  size_t sum = 0, lengths = out->len;
  if (!extend(out, rows * sizeof(uint64_t))) return false;
  for (uint32_t i = 0; i < rows; i++) {
    uint32_t row = hw_batch_row(b, i);
    uint64_t len = 0;
    if (hw_column_valid(c, row)) len = values[row].len | (values[row].flags & HW_STR_PLAIN ? PLAIN_BIT : 0);
    memcpy(out->data + lengths + i * sizeof len, &len, sizeof len);
    sum += (uint32_t)len;
  }
  char *to = extend(out, sum);
  if (!to) return false;
  for (uint32_t i = 0; i < rows; i++) {
    uint32_t row = hw_batch_row(b, i);
    if (!hw_column_valid(c, row) || values[row].len == 0) continue;
    memcpy(to, values[row].data, values[row].len);
    to += values[row].len;
  }
  return true;
}

static bool put_column(const hw_batch *b, uint32_t column, uint32_t rows, hw_bytes *out) {
  const hw_column *c = &b->columns[column];
  const hw_type *type = &b->schema->fields[column].type;
  if (type->nullable && !put_validity(b, c, rows, out)) return false;
  if (hw_type_is_string((hw_type_id)type->id)) return put_strings(b, c, rows, out);
  return put_fixed(b, c, hw_type_width((hw_type_id)type->id), rows, out);
}

bool spill_encode(const batch *b, hw_bytes *out) {
  uint32_t rows = hw_batch_count(&b->pub);
  size_t start = out->len;
  if (!extend(out, sizeof(spill_head))) return false;
  bool ok = !b->pub.weights || put_weights(&b->pub, rows, out);
  for (uint32_t i = 0; ok && i < b->pub.n_columns; i++) ok = put_column(&b->pub, i, rows, out);
  if (!ok) {
    out->len = start;
    return false;
  }
  spill_head head = {.magic = MAGIC, .size = out->len - start - sizeof head, .rows = rows,
                     .weighted = b->pub.weights != NULL, .mark = b->mark, .step = b->step,
                     .fetched_ns = b->fetched_ns, .source_bytes = b->source_bytes};
  head.checksum = checksum(&head, out->data + start + sizeof head);
  memcpy(out->data + start, &head, sizeof head);
  return true;
}

/* ---- reading ------------------------------------------------------------- */

bool spill_head_ok(const spill_head *head) { return head->magic == MAGIC; }

static const char *cut(const char **at, size_t n) {
  const char *p = *at;
  *at += n;
  return p;
}

static bool get_strings(batch *b, const hw_column *c, uint32_t rows, const char **at) {
  const char *lengths = cut(at, rows * sizeof(uint64_t));
  size_t sum = 0;
  uint64_t len;
  for (uint32_t i = 0; i < rows; i++) {
    memcpy(&len, lengths + i * sizeof len, sizeof len);
    sum += (uint32_t)len;
  }
  char *bytes = sum ? hw_batch_alloc(&b->pub, sum) : NULL;
  if (sum && !bytes) return false;
  if (sum) memcpy(bytes, cut(at, sum), sum);
  for (uint32_t i = 0; i < rows; i++) {
    memcpy(&len, lengths + i * sizeof len, sizeof len);
    ((hw_str *)c->values)[i] =
        (hw_str){.data = bytes, .len = (uint32_t)len, .flags = len & PLAIN_BIT ? HW_STR_PLAIN : 0};
    if ((uint32_t)len) bytes += (uint32_t)len;
  }
  return true;
}

static bool get_column(batch *b, uint32_t column, uint32_t rows, const char **at) {
  hw_column *c = &b->pub.columns[column];
  const hw_type *type = &b->pub.schema->fields[column].type;
  if (type->nullable) {
    const char *validity = cut(at, validity_size(rows));
    for (uint32_t i = 0; i < rows; i++)
      if (validity[i / 8] >> i % 8 & 1) hw_column_set_valid(c, i);
  }
  if (hw_type_is_string((hw_type_id)type->id)) return get_strings(b, c, rows, at);
  size_t size = rows * hw_type_width((hw_type_id)type->id);
  memcpy(c->values, cut(at, size), size);
  return true;
}

static bool get_weights(batch *b, uint32_t rows, const char **at) {
  const char *weights = cut(at, rows * sizeof(int64_t));
  for (uint32_t i = 0; i < rows; i++) {
    int64_t w;
    memcpy(&w, weights + i * sizeof w, sizeof w);
    if (!hw_batch_set_weight(&b->pub, i, w)) return false;
  }
  return true;
}

hw_status spill_decode(mem *m, const hw_schema *schema, const spill_head *head, const char *body, batch **out) {
  if (!spill_head_ok(head) || head->checksum != checksum(head, body)) return HW_EIO;
  batch *b = batch_new_essential(m, schema, head->rows);
  if (!b) return HW_ENOMEM;
  const char *at = body;
  bool ok = !head->weighted || get_weights(b, head->rows, &at);
  for (uint32_t i = 0; ok && i < schema->n_fields; i++) ok = get_column(b, i, head->rows, &at);
  if (!ok) {
    hw_batch_unref(&b->pub);
    return HW_ENOMEM;
  }
  b->pub.n_rows = head->rows;
  b->held = batch_bytes(b); /* it no longer keeps the bytes it was made from */
  b->source_bytes = head->source_bytes;
  b->mark = head->mark;
  b->step = head->step;
  b->fetched_ns = head->fetched_ns;
  *out = b;
  return HW_OK;
}
