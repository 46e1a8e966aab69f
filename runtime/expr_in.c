/* expr_in.c - IN lists.
 *
 * A list of literals becomes a set: a hash table of keys, or, for a few numbers,
 * nothing but the equality kernel once per literal, which is vector code. Any
 * other list is what SQL says it means: x = a OR x = b OR ... */
#include "runtime/expr_eval.h"

#include <string.h>

#define FEW 6 /* literals up to which comparing with each is quicker */

typedef struct in_plan {
  node *instead;      /* the OR, or NULL */
  bool has_null;      /* NULL is among the literals: what is not found is unknown */
  uint32_t n;         /* values that are not NULL */
  const char **slots; /* n literals, as rows of a column */
  bool use_table;
  uint32_t mask;
  uint32_t *table; /* mask + 1 entries: 0, or 1 + an index into slots */
  compare_kernel *equal;
} in_plan;

/* ---- keys -------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t h, uint64_t v) {
  h = (h ^ v) * UINT64_C(0x9E3779B97F4A7C15);
  return h ^ h >> 29;
}

static hw_str as_compared(hw_type_id id, hw_str s) {
  while (id == HW_TYPE_CHAR && s.len > 0 && s.data[s.len - 1] == ' ') s.len--;
  return s;
}

static uint64_t hash_bytes(const char *p, size_t len) {
  uint64_t h = len, w;
  for (; len >= 8; len -= 8, p += 8) {
    memcpy(&w, p, 8);
    h = mix(h, w);
  }
  w = 0;
  if (len) memcpy(&w, p, len);
  return mix(h, w);
}

/* Bits that are the same for values that compare as equal: one zero, one NaN. */
static uint64_t double_key(double v) {
  uint64_t bits;
  if (v != v) return UINT64_MAX;
  v += 0.0; /* -0 becomes 0 */
  memcpy(&bits, &v, sizeof bits);
  return bits;
}

static uint64_t hash_value(hw_type_id id, const void *slot) {
  switch (id) {
  case HW_TYPE_REAL:
    return mix(0, double_key((double)*(const float *)slot));
  case HW_TYPE_DOUBLE:
    return mix(0, double_key(*(const double *)slot));
  case HW_TYPE_CHAR:
  case HW_TYPE_VARCHAR:
  case HW_TYPE_BINARY:
  case HW_TYPE_VARBINARY: {
    hw_str s = as_compared(id, *(const hw_str *)slot);
    return hash_bytes(s.data, s.len);
  }
  default:
    return hash_bytes(slot, hw_type_width(id));
  }
}

static bool same_value(hw_type_id id, const void *x, const void *y) {
  if (hw_type_is_string(id)) {
    hw_str a = as_compared(id, *(const hw_str *)x), b = as_compared(id, *(const hw_str *)y);
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
  }
  if (id == HW_TYPE_REAL) return double_key((double)*(const float *)x) == double_key((double)*(const float *)y);
  if (id == HW_TYPE_DOUBLE) return double_key(*(const double *)x) == double_key(*(const double *)y);
  return memcmp(x, y, hw_type_width(id)) == 0;
}

static uint32_t *find_entry(const in_plan *plan, hw_type_id id, const void *slot) {
  uint32_t i = (uint32_t)(hash_value(id, slot) >> 16) & plan->mask;
  while (plan->table[i] && !same_value(id, plan->slots[plan->table[i] - 1], slot)) i = (i + 1) & plan->mask;
  return &plan->table[i];
}

/* ---- preparing ----------------------------------------------------------------------------------- */

static bool all_literals(const node *nd) {
  for (uint32_t i = 1; i < nd->n_args; i++)
    if (nd->args[i]->e->op != EXPR_LITERAL) return false;
  return true;
}

/* x = a OR x = b OR ... */
static hw_status plan_instead(evaluator *ev, node *nd, in_plan *plan) {
  uint32_t n = nd->n_args - 1;
  expr * or = evaluator_alloc(ev, sizeof * or), *terms = evaluator_alloc(ev, n * sizeof *terms);
  expr **args = evaluator_alloc(ev, n * sizeof *args), **sides = evaluator_alloc(ev, n * 2 * sizeof *sides);
  if (! or || !terms || !args || !sides) return HW_ENOMEM;
  * or = *nd->e;
  or->op = EXPR_OR;
  or->n_args = n;
  or->args = args;
  for (uint32_t i = 0; i < n; i++) {
    terms[i] = *nd->e;
    terms[i].op = EXPR_EQ;
    terms[i].type.nullable = true;
    terms[i].n_args = 2;
    terms[i].args = &sides[2 * (size_t)i];
    sides[2 * (size_t)i] = nd->e->args[0];
    sides[2 * (size_t)i + 1] = nd->e->args[i + 1];
    args[i] = &terms[i];
  }
  plan->instead = node_compile(ev, or, false);
  return plan->instead ? HW_OK : HW_ENOMEM;
}

static hw_status build_table(evaluator *ev, const node *nd, in_plan *plan) {
  uint32_t size = 16;
  while (size < 2 * plan->n) size *= 2;
  plan->table = evaluator_alloc(ev, size * sizeof *plan->table);
  if (!plan->table) return HW_ENOMEM;
  plan->mask = size - 1;
  for (uint32_t i = 0; i < plan->n; i++) {
    uint32_t *entry = find_entry(plan, (hw_type_id)nd->args[0]->type.id, plan->slots[i]);
    if (!*entry) *entry = i + 1;
  }
  return HW_OK;
}

/* A literal's vec does not depend on rows, nor on a run. */
static const char *literal_slot(evaluator *ev, const node *literal) {
  rows one = {.n = 1, .limit = 1};
  vec v;
  if (node_eval(ev, literal, &one, &v) != HW_OK) return NULL;
  return vec_valid(&v, 0) ? v.values : NULL;
}

static hw_status plan_in(evaluator *ev, node *nd) {
  in_plan *plan = evaluator_alloc(ev, sizeof *plan);
  if (!plan) return HW_ENOMEM;
  nd->plan = plan;
  if (!all_literals(nd)) return plan_instead(ev, nd, plan);
  plan->slots = evaluator_alloc(ev, nd->n_args * sizeof *plan->slots);
  if (!plan->slots) return HW_ENOMEM;
  for (uint32_t i = 1; i < nd->n_args; i++) {
    const char *slot = literal_slot(ev, nd->args[i]);
    if (slot)
      plan->slots[plan->n++] = slot;
    else
      plan->has_null = true;
  }
  hw_type_id id = (hw_type_id)nd->args[0]->type.id;
  plan->equal = compare_equal_kernel(id);
  plan->use_table = hw_type_is_string(id) ? plan->n > 2 : plan->n > FEW;
  return plan->use_table ? build_table(ev, nd, plan) : HW_OK;
}

/* ---- evaluating ------------------------------------------------------------------------------------- */

static void look_up(const node *nd, const in_plan *plan, const rows *r, const vec *arg, const vec *out, uint8_t *to) {
  hw_type_id id = (hw_type_id)nd->args[0]->type.id;
  size_t width = hw_type_width(id);
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    to[row] = 0;
    if (!vec_filled(out, row)) continue;
    to[row] = *find_entry(plan, id, (const char *)arg->values + vec_at(arg, row) * width) != 0;
  }
}

static hw_status compare_each(evaluator *ev, const node *nd, const in_plan *plan, const rows *r, const vec *arg,
                              const vec *out, uint8_t *to) {
  scratch *s = scratch_get(ev, r->limit);
  if (!s) return eval_no_memory(ev, nd);
  uint8_t *is = (uint8_t *)s->data;
  memset(to, 0, r->limit);
  for (uint32_t k = 0; k < plan->n; k++) {
    vec literal = {.values = plan->slots[k], .constant = true};
    plan->equal(is, arg, &literal, r, out->validity, 0);
    if (r->sel)
      for (uint32_t i = 0; i < r->n; i++) to[r->sel[i]] |= is[r->sel[i]];
    else
      for (uint32_t i = 0; i < r->n; i++) to[i] |= is[i];
  }
  scratch_put(ev, s);
  return HW_OK;
}

/* Where nothing was found, a NULL in the list leaves it open. */
static hw_status forget_misses(evaluator *ev, const node *nd, const rows *r, vec *out) {
  vec old = *out;
  out->own_validity = NULL;
  uint64_t *bits = vec_make_validity(ev, r, out);
  if (!bits) {
    *out = old;
    return eval_no_memory(ev, nd);
  }
  const uint8_t *found = out->values;
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    if (found[row] && vec_filled(&old, row))
      bit_set(bits, row);
    else
      bit_clear(bits, row);
  }
  scratch_put(ev, old.own_validity);
  return HW_OK;
}

static hw_status fill_in(evaluator *ev, const node *nd, const rows *r, const vec *arg, vec *out) {
  const in_plan *plan = nd->plan;
  uint8_t *to = vec_array(out);
  hw_status st = HW_OK;
  if (plan->use_table)
    look_up(nd, plan, r, arg, out, to);
  else
    st = compare_each(ev, nd, plan, r, arg, out, to);
  return st == HW_OK && plan->has_null ? forget_misses(ev, nd, r, out) : st;
}

static hw_status eval_in(evaluator *ev, const node *nd, const rows *r, vec *out) {
  const in_plan *plan = nd->plan;
  if (plan->instead) return node_eval(ev, plan->instead, r, out);
  vec arg;
  hw_status st = node_eval(ev, nd->args[0], r, &arg);
  if (st != HW_OK) return st;
  if (vec_is_null_constant(&arg)) {
    vec_drop(ev, &arg);
    return vec_make_null(ev, nd, r, out);
  }
  st = vec_make(ev, nd, r, out) ? vec_join_validity(ev, nd, r, &arg, 1, out) : eval_no_memory(ev, nd);
  if (st == HW_OK) st = fill_in(ev, nd, r, &arg, out);
  if (st != HW_OK) vec_drop(ev, out);
  vec_drop(ev, &arg);
  return st;
}

const op_info op_in = {.eval = eval_in, .plan = plan_in};
