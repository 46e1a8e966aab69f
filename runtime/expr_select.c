/* expr_select.c - from truth values to selections: without branches, since
 * whether a row passes is what a branch cannot foresee. */
#include "runtime/expr_eval.h"

#include <string.h>

/* ---- bytes and bits ---------------------------------------------------------------- */

uint64_t bits_of_bytes(const uint8_t *bytes) {
  uint64_t bits = 0;
  for (unsigned i = 0; i < 8; i++) {
    uint64_t eight;
    memcpy(&eight, bytes + 8 * (size_t)i, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    eight = __builtin_bswap64(eight);
#endif
    /* Byte k's lowest bit is moved to bit 56 + k; no two products meet there. */
    eight = (eight & UINT64_C(0x0101010101010101)) * UINT64_C(0x0102040810204080) >> 56;
    bits |= eight << (8 * i);
  }
  return bits;
}

void bytes_of_bits(uint64_t bits, uint8_t *bytes) {
  for (unsigned i = 0; i < 64; i++) bytes[i] = (uint8_t)(bits >> i & 1);
}

/* ---- selections --------------------------------------------------------------------- */

/* Appends the rows r for which `chosen` is 1 (an expression of row). */
#define COLLECT(chosen)                                                                                                \
  uint32_t n = 0;                                                                                                      \
  if (!r->sel) {                                                                                                       \
    for (uint32_t row = 0; row < r->n; row++) {                                                                        \
      out[n] = row;                                                                                                    \
      n += (chosen);                                                                                                   \
    }                                                                                                                  \
  } else {                                                                                                             \
    for (uint32_t i = 0; i < r->n; i++) {                                                                              \
      uint32_t row = r->sel[i];                                                                                        \
      out[n] = row;                                                                                                    \
      n += (chosen);                                                                                                   \
    }                                                                                                                  \
  }                                                                                                                    \
  return n;

static uint32_t all_rows(const rows *r, uint32_t *out) {
  for (uint32_t i = 0; i < r->n; i++) out[i] = rows_at(r, i);
  return r->n;
}

static inline uint32_t valid_bit(const uint64_t *validity, uint32_t row) {
  return (uint32_t)(validity[row >> 6] >> (row & 63)) & 1;
}

static uint32_t select_true_nullable(const uint8_t *truth, const uint64_t *validity, const rows *r, uint32_t *out) {
  COLLECT(truth[row] & valid_bit(validity, row))
}

static uint32_t select_true_plain(const uint8_t *truth, const rows *r, uint32_t *out){COLLECT(truth[row] & 1U)}

uint32_t select_true(const vec *v, const rows *r, uint32_t *out) {
  const uint8_t *truth = v->values;
  if (v->constant) return vec_valid(v, 0) && truth[0] ? all_rows(r, out) : 0;
  return v->validity ? select_true_nullable(truth, v->validity, r, out) : select_true_plain(truth, r, out);
}

uint32_t select_split(const vec *v, const rows *r, uint32_t *yes, uint32_t *rest, uint32_t *n_rest) {
  const uint8_t *truth = v->values;
  uint32_t n_yes = 0, n_no = 0;
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i), is_true = truth[vec_at(v, row)] & vec_valid(v, row);
    yes[n_yes] = row;
    rest[n_no] = row;
    n_yes += is_true;
    n_no += is_true ^ 1;
  }
  *n_rest = n_no;
  return n_yes;
}

static uint32_t undecided_nullable(const uint8_t *truth, const uint64_t *validity, const rows *r, uint32_t decided_by,
                                   uint32_t *out) {
  COLLECT(((truth[row] ^ decided_by) & 1) | (valid_bit(validity, row) ^ 1))
}

static uint32_t undecided_plain(const uint8_t *truth, const rows *r, uint32_t decided_by,
                                uint32_t *out){COLLECT((truth[row] ^ decided_by) & 1)}

uint32_t select_undecided(const vec *v, const rows *r, bool decided_by, uint32_t *out) {
  const uint8_t *truth = v->values;
  if (v->constant) return vec_valid(v, 0) && truth[0] == decided_by ? 0 : all_rows(r, out);
  return v->validity ? undecided_nullable(truth, v->validity, r, decided_by, out)
                     : undecided_plain(truth, r, decided_by, out);
}

static uint32_t null_rows(const uint64_t *validity, const rows *r, uint32_t *out){COLLECT(valid_bit(validity, row) ^ 1)}

uint32_t select_null(const vec *v, const rows *r, uint32_t *out) {
  if (!v->validity) return 0;
  if (v->constant) return vec_valid(v, 0) ? 0 : all_rows(r, out);
  return null_rows(v->validity, r, out);
}

/* ---- validity ------------------------------------------------------------------------------ */

void vec_both_valid(const vec *a, const vec *b, const rows *r, uint64_t *bits) {
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    if (vec_valid(a, row) && vec_valid(b, row))
      bit_set(bits, row);
    else
      bit_clear(bits, row);
  }
}

/* ---- copying rows ----------------------------------------------------------------------- */

#define COPY(width)                                                                                                    \
  do {                                                                                                                 \
    for (uint32_t i = 0; i < r->n; i++) {                                                                              \
      size_t row = rows_at(r, i);                                                                                      \
      memcpy((char *)to + row * (width), (const char *)v->values + vec_at(v, (uint32_t)row) * (width), width);         \
    }                                                                                                                  \
  } while (0)

static void copy_values(const vec *v, size_t width, const rows *r, void *to) {
  switch (width) {
  case 1:
    COPY((size_t)1);
    break;
  case 2:
    COPY((size_t)2);
    break;
  case 4:
    COPY((size_t)4);
    break;
  case 8:
    COPY((size_t)8);
    break;
  case 16:
    COPY((size_t)16);
    break;
  default:
    break; /* bare NULL: no values */
  }
}

void vec_copy_rows(const vec *v, size_t width, const rows *r, void *to, uint64_t *validity) {
  copy_values(v, width, r, to);
  if (!validity) return;
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    uint64_t bit = UINT64_C(1) << (row & 63);
    validity[row >> 6] = (validity[row >> 6] & ~bit) | (vec_valid(v, row) ? bit : 0);
  }
}
