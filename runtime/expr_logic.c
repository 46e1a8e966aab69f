/* expr_logic.c - AND, OR, NOT and the tests of truth and NULL, three-valued.
 *
 * A truth value is a byte, of which only the lowest bit counts, and a validity
 * bit. An argument that can fail, or that is dear, is only evaluated on rows
 * that those before it have left open: not FALSE for AND, not TRUE for OR. */
#include "runtime/expr_eval.h"

#include <string.h>

/* ---- AND, OR ----------------------------------------------------------------------- */

/* One row of AND or OR. `decides`: the value that makes the result by itself. */
static inline void combine_row(uint8_t *value, uint32_t *valid, uint8_t other, uint32_t other_valid, uint32_t decides) {
  uint32_t decided = (*valid & ((*value ^ decides ^ 1) & 1)) | (other_valid & ((other ^ decides ^ 1U) & 1));
  uint32_t both = *valid & other_valid;
  *valid = decided | both;
  *value = (uint8_t)(decided ? decides : decides ^ 1);
}

/* The bytes alone: AND gives FALSE where either is FALSE, whatever byte a NULL has. */
static void combine_bytes(uint8_t *acc, const uint8_t *other, uint32_t n, bool is_or) {
  if (is_or)
    for (uint32_t i = 0; i < n; i++) acc[i] = (acc[i] | other[i]) & 1;
  else
    for (uint32_t i = 0; i < n; i++) acc[i] &= other[i];
}

static uint64_t tail_bits(const uint8_t *bytes, uint32_t n) {
  uint8_t padded[64] = {0};
  memcpy(padded, bytes, n);
  return bits_of_bytes(padded);
}

/* Validity of 64 rows at a time: valid where both are, or where one decides. */
static void combine_validity(const uint8_t *acc, uint64_t *validity, const uint8_t *other,
                             const uint64_t *other_validity, uint32_t n, bool is_or) {
  for (uint32_t w = 0; w * 64 < n; w++) {
    uint32_t rest = n - w * 64;
    uint64_t a = rest >= 64 ? bits_of_bytes(acc + w * 64) : tail_bits(acc + w * 64, rest);
    uint64_t b = rest >= 64 ? bits_of_bytes(other + w * 64) : tail_bits(other + w * 64, rest);
    uint64_t va = validity[w], vb = other_validity ? other_validity[w] : UINT64_MAX;
    validity[w] = (va & vb) | (va & (is_or ? a : ~a)) | (vb & (is_or ? b : ~b));
  }
}

static void combine_dense(uint8_t *acc, uint64_t *validity, const vec *other, const rows *r, bool is_or) {
  if (validity) combine_validity(acc, validity, other->values, other->validity, r->n, is_or);
  combine_bytes(acc, other->values, r->n, is_or);
}

static void combine_rows(uint8_t *acc, uint64_t *validity, const vec *other, const rows *r, bool is_or) {
  const uint8_t *bytes = other->values;
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i), valid = validity ? bit_get(validity, row) : 1;
    combine_row(&acc[row], &valid, bytes[vec_at(other, row)], vec_valid(other, row), is_or);
    if (!validity) continue;
    uint64_t bit = UINT64_C(1) << (row & 63);
    validity[row >> 6] = (validity[row >> 6] & ~bit) | (valid ? bit : 0);
  }
}

/* The accumulator gets a bitmap when an argument brings one. */
static hw_status need_validity(evaluator *ev, const node *nd, const rows *r, const vec *arg, vec *out) {
  if (out->validity || !arg->validity) return HW_OK;
  uint64_t *bits = vec_make_validity(ev, r, out);
  if (!bits) return eval_no_memory(ev, nd);
  memset(bits, 0xFF, rows_words(r) * sizeof *bits);
  return HW_OK;
}

static hw_status take_arg(evaluator *ev, const node *nd, const rows *all, const rows *r, const vec *arg, vec *out) {
  hw_status st = need_validity(ev, nd, all, arg, out);
  if (st != HW_OK) return st;
  uint8_t *acc = (uint8_t *)(uintptr_t)out->values;
  uint64_t *validity = (uint64_t *)(uintptr_t)out->validity;
  bool is_or = nd->e->op == EXPR_OR;
  if (!r->sel && !arg->constant)
    combine_dense(acc, validity, arg, r, is_or);
  else
    combine_rows(acc, validity, arg, r, is_or);
  return HW_OK;
}

static hw_status add_arg(evaluator *ev, const node *nd, const rows *all, const rows *r, const node *arg_node,
                         vec *out) {
  vec arg;
  hw_status st = node_eval(ev, arg_node, r, &arg);
  if (st != HW_OK) return st;
  st = take_arg(ev, nd, all, r, &arg, out);
  vec_drop(ev, &arg);
  return st;
}

/* As add_arg, on the rows that are still open. */
static hw_status add_guarded(evaluator *ev, const node *nd, const rows *r, const node *arg_node, vec *out) {
  scratch *s = scratch_get(ev, r->n * sizeof(uint32_t));
  if (!s) return eval_no_memory(ev, nd);
  uint32_t *open = (uint32_t *)(void *)s->data, n = select_undecided(out, r, nd->e->op == EXPR_OR, open);
  rows some = {.sel = open, .n = n, .limit = r->limit};
  hw_status st = HW_OK;
  if (n) st = add_arg(ev, nd, r, n == r->n ? r : &some, arg_node, out);
  scratch_put(ev, s);
  return st;
}

static hw_status begin_logic(evaluator *ev, const node *nd, const rows *r, vec *out) {
  uint8_t *acc = vec_make(ev, nd, r, out);
  if (!acc) return eval_no_memory(ev, nd);
  memset(acc, nd->e->op == EXPR_AND, r->limit);
  return HW_OK;
}

static hw_status eval_logic(evaluator *ev, const node *nd, const rows *r, vec *out) {
  hw_status st = begin_logic(ev, nd, r, out);
  for (uint32_t i = 0; i < nd->n_args && st == HW_OK; i++) {
    const node *arg = nd->args[i];
    bool guard = i > 0 && (arg->fallible || !arg->cheap);
    st = guard ? add_guarded(ev, nd, r, arg, out) : add_arg(ev, nd, r, r, arg, out);
  }
  if (st != HW_OK) vec_drop(ev, out);
  return st;
}

const op_info op_logic = {.eval = eval_logic, .cheap = true};

/* ---- NOT ------------------------------------------------------------------------------ */

static hw_status eval_not(evaluator *ev, const node *nd, const rows *r, vec *out) {
  vec arg;
  bool done;
  hw_status st = node_eval_strict(ev, nd, r, &arg, out, &done);
  if (st != HW_OK || done) return st;
  const uint8_t *from = arg.values;
  uint8_t *to = vec_make(ev, nd, r, out);
  for (uint32_t i = 0; to && i < r->n; i++) to[rows_at(r, i)] = (uint8_t)((from[rows_at(r, i)] & 1) ^ 1);
  st = to ? vec_join_validity(ev, nd, r, &arg, 1, out) : eval_no_memory(ev, nd);
  vec_drop(ev, &arg);
  return st;
}

const op_info op_not = {.eval = eval_not, .cheap = true};

/* ---- IS [NOT] NULL, TRUE, FALSE --------------------------------------------------------- */

static void null_bytes(const uint64_t *validity, const rows *r, uint8_t invert, uint8_t *to) {
  uint32_t whole = r->sel ? 0 : r->n / 64;
  for (uint32_t w = 0; w < whole; w++) bytes_of_bits(validity[w] ^ (invert ? 0 : UINT64_MAX), to + w * 64);
  for (uint32_t i = whole * 64; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    to[row] = (uint8_t)(bit_get(validity, row) ^ 1) ^ invert;
  }
}

static hw_status eval_is_null(evaluator *ev, const node *nd, const rows *r, vec *out) {
  vec arg;
  hw_status st = node_eval(ev, nd->args[0], r, &arg);
  if (st != HW_OK) return st;
  uint8_t *to = vec_make(ev, nd, r, out), invert = nd->e->op == EXPR_IS_NOT_NULL;
  if (to && arg.validity)
    null_bytes(arg.validity, r, invert, to);
  else if (to)
    memset(to, invert, r->limit);
  vec_drop(ev, &arg);
  return to ? HW_OK : eval_no_memory(ev, nd);
}

const op_info op_is_null = {.eval = eval_is_null, .cheap = true};

/* IS TRUE is (value = wanted and valid); its negation differs for NULL from that of `=`. */
static hw_status eval_is_boolean(evaluator *ev, const node *nd, const rows *r, vec *out) {
  vec arg;
  hw_status st = node_eval(ev, nd->args[0], r, &arg);
  if (st != HW_OK) return st;
  expr_op op = nd->e->op;
  uint8_t wanted = op == EXPR_IS_TRUE || op == EXPR_IS_NOT_TRUE;
  uint8_t invert = op == EXPR_IS_NOT_TRUE || op == EXPR_IS_NOT_FALSE;
  uint8_t *to = vec_make(ev, nd, r, out);
  const uint8_t *from = arg.values;
  for (uint32_t i = 0; to && i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    uint8_t is = (uint8_t)((from[row] ^ wanted ^ 1) & 1 & vec_valid(&arg, row));
    to[row] = is ^ invert;
  }
  vec_drop(ev, &arg);
  return to ? HW_OK : eval_no_memory(ev, nd);
}

const op_info op_is_boolean = {.eval = eval_is_boolean, .cheap = true};
