/* expr_compare.c - =, <>, <, <=, >, >=, IS [NOT] DISTINCT FROM.
 *
 * Two kernels per type, EQ and LT, serve all: the order of each type is total
 * (NaN equals itself and is above everything; CHAR ignores trailing blanks), so
 * the others are these with arguments exchanged or the result inverted. */
#include "runtime/expr_eval.h"

#include <string.h>

/* ---- values of one type ------------------------------------------------------------ */

#define PLAIN_EQ(x, y) ((x) == (y))
#define PLAIN_LT(x, y) ((x) < (y))
#define FLOAT_EQ(x, y) (((x) == (y)) | (((x) != (x)) & ((y) != (y))))
#define FLOAT_LT(x, y) (((x) < (y)) | (((y) != (y)) & ((x) == (x))))

static inline bool str_equal(hw_str x, hw_str y) {
  return x.len == y.len && (x.len == 0 || memcmp(x.data, y.data, x.len) == 0);
}

static inline bool str_less(hw_str x, hw_str y) {
  uint32_t len = x.len < y.len ? x.len : y.len;
  int c = len ? memcmp(x.data, y.data, len) : 0;
  return c < 0 || (c == 0 && x.len < y.len);
}

static inline hw_str without_blanks(hw_str s) {
  while (s.len > 0 && s.data[s.len - 1] == ' ') s.len--;
  return s;
}

static inline bool char_equal(hw_str x, hw_str y) {
  return str_equal(without_blanks(x), without_blanks(y));
}

/* As if the shorter were padded: what follows it is compared with blanks. */
static inline bool char_less(hw_str x, hw_str y) {
  x = without_blanks(x);
  y = without_blanks(y);
  uint32_t len = x.len < y.len ? x.len : y.len;
  int c = len ? memcmp(x.data, y.data, len) : 0;
  if (c != 0 || x.len == y.len) return c < 0;
  return x.len < y.len ? (unsigned char)y.data[len] > ' ' : (unsigned char)x.data[len] < ' ';
}

static inline bool uuid_equal(hw_uuid x, hw_uuid y) {
  return memcmp(x.bytes, y.bytes, sizeof x.bytes) == 0;
}
static inline bool uuid_less(hw_uuid x, hw_uuid y) {
  return memcmp(x.bytes, y.bytes, sizeof x.bytes) < 0;
}

/* ---- kernels ------------------------------------------------------------------------- */

/* Every byte is written, also those of NULL rows: numbers of any bits compare
 * without harm. AT_X and AT_Y are `row` or 0. */
#define NUMBER_LOOP(type, compare, AT_X, AT_Y)                                                                         \
  do {                                                                                                                 \
    const type *restrict x = a->values, *restrict y = b->values;                                                       \
    if (!r->sel)                                                                                                       \
      for (uint32_t row = 0; row < r->n; row++) out[row] = (uint8_t)(compare(x[AT_X], y[AT_Y]) ^ invert);              \
    else                                                                                                               \
      for (uint32_t i = 0; i < r->n; i++) {                                                                            \
        uint32_t row = r->sel[i];                                                                                      \
        out[row] = (uint8_t)(compare(x[AT_X], y[AT_Y]) ^ invert);                                                      \
      }                                                                                                                \
  } while (0)

#define NUMBER_KERNEL(name, type, compare)                                                                             \
  static void name(uint8_t *restrict out, const vec *a, const vec *b, const rows *r, const uint64_t *validity,         \
                   uint8_t invert) {                                                                                   \
    (void)validity;                                                                                                    \
    if (b->constant)                                                                                                   \
      NUMBER_LOOP(type, compare, row, 0); /* both constant: row is 0 */                                                \
    else if (a->constant)                                                                                              \
      NUMBER_LOOP(type, compare, 0, row);                                                                              \
    else                                                                                                               \
      NUMBER_LOOP(type, compare, row, row);                                                                            \
  }

/* Strings of NULL rows point anywhere. */
#define STRING_KERNEL(name, type, compare)                                                                             \
  static void name(uint8_t *restrict out, const vec *a, const vec *b, const rows *r, const uint64_t *validity,         \
                   uint8_t invert) {                                                                                   \
    const type *x = a->values, *y = b->values;                                                                         \
    uint32_t x_mask = a->constant ? 0 : UINT32_MAX, y_mask = b->constant ? 0 : UINT32_MAX;                             \
    for (uint32_t i = 0; i < r->n; i++) {                                                                              \
      uint32_t row = rows_at(r, i);                                                                                    \
      if (validity && !bit_get(validity, row))                                                                         \
        out[row] = 0;                                                                                                  \
      else                                                                                                             \
        out[row] = (uint8_t)(compare(x[row & x_mask], y[row & y_mask]) ^ invert);                                      \
    }                                                                                                                  \
  }

#define NUMBER_KERNELS(name, type, kind)                                                                               \
  NUMBER_KERNEL(equal_##name, type, kind##_EQ)                                                                         \
  NUMBER_KERNEL(less_##name, type, kind##_LT)

NUMBER_KERNELS(i8, int8_t, PLAIN)
NUMBER_KERNELS(i16, int16_t, PLAIN)
NUMBER_KERNELS(i32, int32_t, PLAIN)
NUMBER_KERNELS(i64, int64_t, PLAIN)
NUMBER_KERNELS(u8, uint8_t, PLAIN)
NUMBER_KERNELS(u16, uint16_t, PLAIN)
NUMBER_KERNELS(u32, uint32_t, PLAIN)
NUMBER_KERNELS(u64, uint64_t, PLAIN)
NUMBER_KERNELS(f32, float, FLOAT)
NUMBER_KERNELS(f64, double, FLOAT)
NUMBER_KERNELS(i128, hw_int128, PLAIN)
STRING_KERNEL(equal_str, hw_str, str_equal)
STRING_KERNEL(less_str, hw_str, str_less)
STRING_KERNEL(equal_char, hw_str, char_equal)
STRING_KERNEL(less_char, hw_str, char_less)
STRING_KERNEL(equal_uuid, hw_uuid, uuid_equal)
STRING_KERNEL(less_uuid, hw_uuid, uuid_less)

static const struct {
  compare_kernel *equal, *less;
} kernels[HW_TYPE_COUNT] = {
    [HW_TYPE_NULL] = {equal_u8, less_u8}, /* never valid: what it says does not matter */
    [HW_TYPE_BOOLEAN] = {equal_u8, less_u8},     [HW_TYPE_TINYINT] = {equal_i8, less_i8},
    [HW_TYPE_SMALLINT] = {equal_i16, less_i16},  [HW_TYPE_INT] = {equal_i32, less_i32},
    [HW_TYPE_BIGINT] = {equal_i64, less_i64},    [HW_TYPE_UTINYINT] = {equal_u8, less_u8},
    [HW_TYPE_USMALLINT] = {equal_u16, less_u16}, [HW_TYPE_UINT] = {equal_u32, less_u32},
    [HW_TYPE_UBIGINT] = {equal_u64, less_u64},   [HW_TYPE_REAL] = {equal_f32, less_f32},
    [HW_TYPE_DOUBLE] = {equal_f64, less_f64},    [HW_TYPE_DECIMAL] = {equal_i128, less_i128},
    [HW_TYPE_CHAR] = {equal_char, less_char},    [HW_TYPE_VARCHAR] = {equal_str, less_str},
    [HW_TYPE_BINARY] = {equal_str, less_str},    [HW_TYPE_VARBINARY] = {equal_str, less_str},
    [HW_TYPE_DATE] = {equal_i32, less_i32},      [HW_TYPE_TIME] = {equal_i64, less_i64},
    [HW_TYPE_TIMESTAMP] = {equal_i64, less_i64}, [HW_TYPE_UUID] = {equal_uuid, less_uuid},
};

compare_kernel *compare_equal_kernel(hw_type_id id) {
  return kernels[id].equal;
}

/* ---- =, <>, <, <=, >, >= ---------------------------------------------------------------- */

typedef struct comparison {
  compare_kernel *kernel;
  bool exchange;
  uint8_t invert;
} comparison;

static hw_status plan_comparison(evaluator *ev, node *nd) {
  comparison *c = evaluator_alloc(ev, sizeof *c);
  if (!c) return HW_ENOMEM;
  nd->plan = c;
  hw_type_id id = (hw_type_id)nd->args[0]->type.id;
  expr_op op = nd->e->op;
  bool equality = op == EXPR_EQ || op == EXPR_NE;
  c->kernel = equality ? kernels[id].equal : kernels[id].less;
  c->exchange = op == EXPR_GT || op == EXPR_LE; /* a > b is b < a */
  c->invert = op == EXPR_NE || op == EXPR_LE || op == EXPR_GE;
  return HW_OK;
}

static hw_status eval_comparison(evaluator *ev, const node *nd, const rows *r, vec *out) {
  vec args[NODE_ARGS];
  bool done;
  hw_status st = node_eval_strict(ev, nd, r, args, out, &done);
  if (st != HW_OK || done) return st;
  const comparison *c = nd->plan;
  vec *a = &args[c->exchange], *b = &args[!c->exchange];
  uint8_t *truth = vec_make(ev, nd, r, out);
  st = truth ? vec_join_validity(ev, nd, r, args, 2, out) : eval_no_memory(ev, nd);
  if (st == HW_OK)
    c->kernel(truth, a, b, r, out->validity, c->invert);
  else
    vec_drop(ev, out);
  vec_drop_all(ev, args, 2);
  return st;
}

const op_info op_comparison = {.eval = eval_comparison, .plan = plan_comparison, .cheap = true};

/* ---- IS [NOT] DISTINCT FROM ---------------------------------------------------------------- */

static hw_status plan_distinct(evaluator *ev, node *nd) {
  (void)ev;
  nd->plan = (void *)(uintptr_t)compare_equal_kernel((hw_type_id)nd->args[0]->type.id);
  return HW_OK;
}

/* Where both are valid the kernel has said it; otherwise two NULLs are the same. */
static void resolve_nulls(const vec *a, const vec *b, const rows *r, uint8_t invert, uint8_t *truth) {
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    bool va = vec_valid(a, row), vb = vec_valid(b, row);
    if (!va || !vb) truth[row] = (uint8_t)(va == vb) ^ invert;
  }
}

static hw_status distinct_of(evaluator *ev, const node *nd, const rows *r, const vec *args, vec *out) {
  compare_kernel *equal = (compare_kernel *)(uintptr_t)nd->plan;
  uint8_t invert = nd->e->op == EXPR_IS_DISTINCT;
  bool nullable = args[0].validity || args[1].validity;
  uint8_t *truth = vec_make(ev, nd, r, out);
  scratch *bits = scratch_get(ev, rows_words(r) * sizeof(uint64_t));
  bool ok = truth && bits;
  if (ok) {
    uint64_t *both = (uint64_t *)(void *)bits->data;
    if (nullable) vec_both_valid(&args[0], &args[1], r, both);
    equal(truth, &args[0], &args[1], r, nullable ? both : NULL, invert);
    if (nullable) resolve_nulls(&args[0], &args[1], r, invert, truth);
  } else {
    vec_drop(ev, out);
  }
  scratch_put(ev, bits);
  return ok ? HW_OK : eval_no_memory(ev, nd);
}

static hw_status eval_distinct(evaluator *ev, const node *nd, const rows *r, vec *out) {
  vec args[NODE_ARGS];
  hw_status st = node_eval_args(ev, nd, r, args);
  if (st != HW_OK) return st;
  st = distinct_of(ev, nd, r, args, out);
  vec_drop_all(ev, args, 2);
  return st;
}

const op_info op_distinct = {.eval = eval_distinct, .plan = plan_distinct, .cheap = true};
