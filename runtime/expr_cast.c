/* expr_cast.c - CAST: which way leads from one type to another. */
#include "runtime/expr_cast.h"

#include <stdio.h>

typedef enum cast_way {
  CAST_NOTHING, /* the values are the same */
  CAST_KERNEL,  /* numbers, by vector code */
  CAST_VALUES,  /* one by one */
  CAST_FROM_TEXT,
  CAST_TO_STRING,
  CAST_STRINGS,
  CAST_TO_UUID, /* from 16 bytes */
  CAST_NULL,    /* of a bare NULL */
  CAST_IMPOSSIBLE,
} cast_way;

typedef struct cast_plan {
  cast_way way;
  cast_kernel *kernel;
} cast_plan;

static bool is_time(hw_type_id id) {
  return id == HW_TYPE_DATE || id == HW_TYPE_TIME || id == HW_TYPE_TIMESTAMP;
}

static cast_way way_between_strings(const hw_type *from, const hw_type *to) {
  bool same_class = hw_type_is_text((hw_type_id)from->id) == hw_type_is_text((hw_type_id)to->id);
  bool to_bytes = !hw_type_is_text((hw_type_id)to->id);
  bool short_enough = to->length == 0 || (same_class && from->length != 0 && from->length <= to->length);
  bool pads = to->id == HW_TYPE_CHAR && to->length && !(from->id == HW_TYPE_CHAR && from->length == to->length);
  return (same_class || to_bytes) && short_enough && !pads ? CAST_NOTHING : CAST_STRINGS;
}

static cast_way way_of(const hw_type *from, const hw_type *to) {
  hw_type_id f = (hw_type_id)from->id, t = (hw_type_id)to->id;
  if (f == HW_TYPE_NULL) return CAST_NULL;
  if (hw_type_is_string(f) && hw_type_is_string(t)) return way_between_strings(from, to);
  if (hw_type_is_text(f)) return t == HW_TYPE_NULL ? CAST_IMPOSSIBLE : CAST_FROM_TEXT;
  if (hw_type_is_string(f)) return t == HW_TYPE_UUID ? CAST_TO_UUID : CAST_IMPOSSIBLE;
  if (hw_type_is_text(t) || (hw_type_is_string(t) && f == HW_TYPE_UUID)) return CAST_TO_STRING;
  if (f == t && (f != HW_TYPE_DECIMAL || (from->scale == to->scale && from->precision <= to->precision)))
    return CAST_NOTHING;
  if (cast_number_kernel(f, t)) return CAST_KERNEL;
  bool numbers = (hw_type_is_numeric(f) || f == HW_TYPE_BOOLEAN) && (hw_type_is_numeric(t) || t == HW_TYPE_BOOLEAN);
  bool times = (f == HW_TYPE_DATE && t == HW_TYPE_TIMESTAMP) || (f == HW_TYPE_TIMESTAMP && is_time(t));
  return numbers || times ? CAST_VALUES : CAST_IMPOSSIBLE;
}

bool expr_can_cast(const hw_type *from, const hw_type *to) {
  return way_of(from, to) != CAST_IMPOSSIBLE;
}

static hw_status plan_cast(evaluator *ev, node *nd) {
  cast_plan *plan = evaluator_alloc(ev, sizeof *plan);
  if (!plan) return HW_ENOMEM;
  const hw_type *from = &nd->args[0]->type;
  plan->way = way_of(from, &nd->type);
  plan->kernel = cast_number_kernel((hw_type_id)from->id, (hw_type_id)nd->type.id);
  bool harmless = plan->way == CAST_NOTHING || plan->way == CAST_NULL;
  nd->fallible = plan->way == CAST_IMPOSSIBLE || !(harmless || cast_never_fails(from, &nd->type));
  nd->plan = plan;
  return HW_OK;
}

hw_status cast_fail(evaluator *ev, const node *nd, uint32_t row, const void *slot, const char *why) {
  char shown[EVAL_SHOWN], bounds[32] = "";
  if (nd->type.id == HW_TYPE_DECIMAL) snprintf(bounds, sizeof bounds, "(%u, %u)", nd->type.precision, nd->type.scale);
  return eval_fail(ev, nd, row, "cannot cast %s to %s%s: %s", eval_show(&nd->args[0]->type, slot, shown),
                   hw_type_name((hw_type_id)nd->type.id), bounds, why);
}

static hw_status cast_values(evaluator *ev, const node *nd, const rows *r, const vec *arg, vec *out) {
  const hw_type *from = &nd->args[0]->type;
  size_t in_width = hw_type_width((hw_type_id)from->id), out_width = hw_type_width((hw_type_id)nd->type.id);
  char *to = vec_array(out);
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    if (!vec_filled(out, row)) continue;
    const char *slot = (const char *)arg->values + vec_at(arg, row) * in_width;
    if (!cast_value(from, slot, &nd->type, to + row * out_width)) return cast_fail(ev, nd, row, slot, "out of range");
  }
  return HW_OK;
}

/* Kernels do not look at validity: when one reports a failure, rows are tried again one by one. */
static hw_status cast_by_kernel(evaluator *ev, const node *nd, const rows *r, const vec *arg, vec *out) {
  const cast_plan *plan = nd->plan;
  bool failed = plan->kernel(vec_array(out), arg, r);
  return failed ? cast_values(ev, nd, r, arg, out) : HW_OK;
}

static hw_status cast_to_uuid(evaluator *ev, const node *nd, const rows *r, const vec *arg, vec *out) {
  hw_uuid *to = vec_array(out);
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    if (!vec_filled(out, row)) continue;
    const hw_str *s = vec_str(arg, row);
    if (s->len != sizeof *to) return cast_fail(ev, nd, row, s, "not 16 bytes");
    to[row] = *(const hw_uuid *)s->data;
  }
  return HW_OK;
}

static hw_status convert(evaluator *ev, const node *nd, const rows *r, const vec *arg, vec *out) {
  const cast_plan *plan = nd->plan;
  switch (plan->way) {
  case CAST_KERNEL:
    return cast_by_kernel(ev, nd, r, arg, out);
  case CAST_VALUES:
    return cast_values(ev, nd, r, arg, out);
  case CAST_FROM_TEXT:
    return cast_from_text(ev, nd, r, arg, out);
  case CAST_TO_STRING:
    return cast_to_string(ev, nd, r, arg, out);
  case CAST_STRINGS:
    return cast_between_strings(ev, nd, r, arg, out);
  case CAST_TO_UUID:
    return cast_to_uuid(ev, nd, r, arg, out);
  default:
    return eval_fail(ev, nd, rows_at(r, 0), "cannot cast %s to %s", hw_type_name((hw_type_id)nd->args[0]->type.id),
                     hw_type_name((hw_type_id)nd->type.id));
  }
}

static hw_status eval_cast(evaluator *ev, const node *nd, const rows *r, vec *out) {
  const cast_plan *plan = nd->plan;
  if (plan->way == CAST_NOTHING) return node_eval(ev, nd->args[0], r, out);
  return node_eval_fill(ev, nd, r, out, convert);
}

const op_info op_cast = {.eval = eval_cast, .plan = plan_cast, .fallible = true, .cheap = true, .keeps = true};
