/* expr_branch.c - CASE, COALESCE, NULLIF: which argument is evaluated on which rows. */
#include "runtime/expr_eval.h"

#include <string.h>

/* What a result is put together in, row sets by row sets. */
typedef struct merge {
  void *values;
  uint64_t *validity; /* NULL: no argument can be NULL */
  scratch *chosen_mem, *rest_mem;
  uint32_t *chosen; /* room for r->n rows each */
  uint32_t *rest;
} merge;

static void merge_end(evaluator *ev, merge *m) {
  scratch_put(ev, m->chosen_mem);
  scratch_put(ev, m->rest_mem);
}

static hw_status merge_begin(evaluator *ev, const node *nd, const rows *r, bool nullable, merge *m, vec *out) {
  *m = (merge){.values = vec_make(ev, nd, r, out)};
  if (nullable) m->validity = vec_make_validity(ev, r, out);
  m->chosen_mem = scratch_get(ev, r->n * sizeof(uint32_t));
  m->rest_mem = scratch_get(ev, r->n * sizeof(uint32_t));
  if (m->values && (m->validity || !nullable) && m->chosen_mem && m->rest_mem) {
    m->chosen = (uint32_t *)(void *)m->chosen_mem->data;
    m->rest = (uint32_t *)(void *)m->rest_mem->data;
    return HW_OK;
  }
  merge_end(ev, m);
  vec_drop(ev, out);
  return eval_no_memory(ev, nd);
}

/* Evaluates arg on r and copies what comes out. */
static hw_status merge_arg(evaluator *ev, const node *nd, const node *arg, const rows *r, merge *m) {
  if (r->n == 0) return HW_OK;
  vec v;
  hw_status st = node_eval(ev, arg, r, &v);
  if (st != HW_OK) return st;
  vec_copy_rows(&v, hw_type_width((hw_type_id)nd->type.id), r, m->values, m->validity);
  vec_drop(ev, &v);
  return HW_OK;
}

/* ---- CASE ----------------------------------------------------------------------------- */

static hw_status plan_case(evaluator *ev, node *nd) {
  for (uint32_t i = 1; i < nd->n_args; i += 2) {
    hw_status st = node_rescale_arg(ev, nd, i, nd->type);
    if (st != HW_OK) return st;
  }
  return node_rescale_arg(ev, nd, nd->n_args - 1, nd->type);
}

/* Condition i on the rows that are left: chosen ones to m->chosen, others stay in m->rest. */
static hw_status split_rows(evaluator *ev, const node *condition, rows *left, merge *m, uint32_t *n_chosen) {
  vec v;
  hw_status st = node_eval(ev, condition, left, &v);
  if (st != HW_OK) return st;
  uint32_t n_rest;
  *n_chosen = select_split(&v, left, m->chosen, m->rest, &n_rest);
  vec_drop(ev, &v);
  if (n_rest < left->n) *left = (rows){.sel = m->rest, .n = n_rest, .limit = left->limit};
  return HW_OK;
}

static hw_status eval_case(evaluator *ev, const node *nd, const rows *r, vec *out) {
  merge m;
  hw_status st = merge_begin(ev, nd, r, nd->type.nullable, &m, out);
  if (st != HW_OK) return st;
  rows left = *r;
  for (uint32_t i = 0; i + 1 < nd->n_args && left.n > 0 && st == HW_OK; i += 2) {
    uint32_t n_chosen = 0;
    bool all_dense = !left.sel;
    st = split_rows(ev, nd->args[i], &left, &m, &n_chosen);
    rows chosen = {.sel = all_dense && n_chosen == r->n ? NULL : m.chosen, .n = n_chosen, .limit = r->limit};
    if (st == HW_OK) st = merge_arg(ev, nd, nd->args[i + 1], &chosen, &m);
  }
  if (st == HW_OK) st = merge_arg(ev, nd, nd->args[nd->n_args - 1], &left, &m);
  merge_end(ev, &m);
  if (st != HW_OK) vec_drop(ev, out);
  return st;
}

const op_info op_case = {.eval = eval_case, .plan = plan_case, .keeps = true};

/* ---- COALESCE ---------------------------------------------------------------------------- */

static hw_status plan_coalesce(evaluator *ev, node *nd) {
  for (uint32_t i = 0; i < nd->n_args; i++) {
    hw_status st = node_rescale_arg(ev, nd, i, nd->type);
    if (st != HW_OK) return st;
  }
  return HW_OK;
}

/* Copies the first argument's values; the rows where it is NULL are left. */
static void begin_coalesce(const node *nd, const rows *r, const vec *first, merge *m, rows *left) {
  vec_copy_rows(first, hw_type_width((hw_type_id)nd->type.id), r, m->values, m->validity);
  *left = (rows){.sel = m->rest, .n = select_null(first, r, m->rest), .limit = r->limit};
}

static hw_status merge_coalesce(evaluator *ev, const node *nd, const rows *r, const vec *first, vec *out) {
  merge m;
  hw_status st = merge_begin(ev, nd, r, true, &m, out);
  if (st != HW_OK) return st;
  rows left;
  begin_coalesce(nd, r, first, &m, &left);
  for (uint32_t i = 1; i < nd->n_args && left.n > 0 && st == HW_OK; i++) {
    st = merge_arg(ev, nd, nd->args[i], &left, &m);
    vec so_far = {.values = m.values, .validity = m.validity};
    left.n = select_null(&so_far, &left, m.rest);
  }
  merge_end(ev, &m);
  if (st != HW_OK) vec_drop(ev, out);
  return st;
}

static hw_status eval_coalesce(evaluator *ev, const node *nd, const rows *r, vec *out) {
  vec first;
  hw_status st = node_eval(ev, nd->args[0], r, &first);
  if (st != HW_OK) return st;
  bool is_result = nd->n_args == 1 || !first.validity;
  if (is_result && first.constant == nd->invariant) {
    *out = first;
    return HW_OK;
  }
  st = merge_coalesce(ev, nd, r, &first, out);
  vec_drop(ev, &first);
  return st;
}

const op_info op_coalesce = {.eval = eval_coalesce, .plan = plan_coalesce, .keeps = true};

/* ---- NULLIF -------------------------------------------------------------------------------- */

static hw_status plan_nullif(evaluator *ev, node *nd) {
  (void)ev;
  nd->plan = (void *)(uintptr_t)compare_equal_kernel((hw_type_id)nd->args[0]->type.id);
  return HW_OK;
}

/* From rows where both are valid to those where `a` is, and they are not equal. */
static void clear_equal(const vec *a, const uint8_t *equal, const rows *r, uint64_t *bits) {
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    bool is_equal = bit_get(bits, row) && equal[row];
    if (vec_valid(a, row) && !is_equal)
      bit_set(bits, row);
    else
      bit_clear(bits, row);
  }
}

static hw_status nullif_of(evaluator *ev, const node *nd, const rows *r, const vec *args, vec *out) {
  compare_kernel *equal = (compare_kernel *)(uintptr_t)nd->plan;
  scratch *bytes = scratch_get(ev, r->limit);
  void *values = vec_make(ev, nd, r, out);
  uint64_t *validity = vec_make_validity(ev, r, out);
  bool ok = bytes && values && validity;
  if (ok) {
    vec_both_valid(&args[0], &args[1], r, validity);
    equal((uint8_t *)bytes->data, &args[0], &args[1], r, validity, 0);
    clear_equal(&args[0], (const uint8_t *)bytes->data, r, validity);
    vec_copy_rows(&args[0], hw_type_width((hw_type_id)nd->type.id), r, values, NULL);
  } else {
    vec_drop(ev, out);
  }
  scratch_put(ev, bytes);
  return ok ? HW_OK : eval_no_memory(ev, nd);
}

static hw_status eval_nullif(evaluator *ev, const node *nd, const rows *r, vec *out) {
  vec args[NODE_ARGS];
  hw_status st = node_eval_args(ev, nd, r, args);
  if (st != HW_OK) return st;
  st = nullif_of(ev, nd, r, args, out);
  vec_drop_all(ev, args, 2);
  return st;
}

const op_info op_nullif = {.eval = eval_nullif, .plan = plan_nullif, .keeps = true};
