/* group.c - aggregate functions: their types, and their place behind the keys. */
#include "sql/group.h"

#include <string.h>

static const struct {
  const char *name;
  aggregate_kind kind;
} names[] = {
    {"count", AGGREGATE_COUNT}, {"sum", AGGREGATE_SUM}, {"avg", AGGREGATE_AVG},
    {"min", AGGREGATE_MIN},     {"max", AGGREGATE_MAX},
};

static bool find_aggregate(const ast *a, aggregate_kind *kind) {
  if (a->kind != AST_CALL || !a->name) return false;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    *kind = names[i].kind;
    if (strcmp(names[i].name, a->name->text) == 0) return true;
  }
  return false;
}

bool group_has_aggregate(const ast *a) {
  aggregate_kind kind;
  if (!a) return false;
  if (find_aggregate(a, &kind)) return true;
  for (const ast *arg = a->args; arg; arg = arg->next)
    if (group_has_aggregate(arg)) return true;
  return false;
}

/* ---- types -------------------------------------------------------------------------- */

static hw_type wider_decimal(const hw_type *t, unsigned digits, unsigned scale) {
  unsigned s = t->scale + scale, p = t->precision + digits;
  if (s > HW_DECIMAL_MAX_PRECISION) s = HW_DECIMAL_MAX_PRECISION;
  if (p > HW_DECIMAL_MAX_PRECISION) p = HW_DECIMAL_MAX_PRECISION;
  return (hw_type){.id = HW_TYPE_DECIMAL, .precision = (uint8_t)p, .scale = (uint8_t)s};
}

static hw_type sum_type(const hw_type *t) {
  hw_type_id id = (hw_type_id)t->id;
  if (id == HW_TYPE_DECIMAL) return wider_decimal(t, 10, 0);
  if (typing_is_approximate(id)) return typing_make(HW_TYPE_DOUBLE);
  return typing_make(typing_is_unsigned(id) ? HW_TYPE_UBIGINT : HW_TYPE_BIGINT);
}

static hw_type result_type(aggregate_kind kind, const hw_type *arg) {
  hw_type type = *arg;
  if (kind == AGGREGATE_COUNT) return typing_make(HW_TYPE_BIGINT);
  if (kind == AGGREGATE_SUM) type = sum_type(arg);
  else if (kind == AGGREGATE_AVG)
    type = arg->id == HW_TYPE_DECIMAL ? wider_decimal(arg, 4, 4) : typing_make(HW_TYPE_DOUBLE);
  type.nullable = true; /* of no row */
  return type;
}

/* ---- calls ---------------------------------------------------------------------------- */

static bool check_arg(scope *s, const ast *a, aggregate_kind kind, const expr *arg) {
  char text[TYPING_TEXT];
  bool sums = kind == AGGREGATE_SUM || kind == AGGREGATE_AVG;
  if (!sums || hw_type_is_numeric((hw_type_id)arg->type.id)) return true;
  compiler_error(s->c, &a->args->span, "%s needs a number, found %s", a->name->text, typing_text(&arg->type, text));
  return false;
}

/* The argument over the rows that are grouped; a NULL is one of type INT. */
static expr *analyze_arg(scope *rows, const ast *a, aggregate_kind kind) {
  grouping inside = {.refuse = "the argument of an aggregate function"};
  scope s = *rows;
  s.group = &inside;
  expr *arg = analyze(&s, a->args);
  if (arg && arg->type.id == HW_TYPE_NULL) arg = convert_implied(&s, a->args, arg, typing_make(HW_TYPE_INT));
  return arg && check_arg(&s, a, kind, arg) ? arg : NULL;
}

static bool check_call(scope *s, const ast *a, aggregate_kind kind) {
  if (a->n_args == 1) return true;
  if (a->n_args == 0 && a->flag && kind == AGGREGATE_COUNT) return true;
  const char *found = a->flag && a->n_args == 0 ? "*" : a->n_args ? "more" : "none";
  compiler_error(s->c, &a->span, "%s takes one argument%s, found %s", a->name->text,
                 kind == AGGREGATE_COUNT ? ", or *" : "", found);
  return false;
}

static expr *result_column(scope *s, const ast *a, uint32_t index, const hw_type *type) {
  expr *e = node_plain(s, &a->span, EXPR_COLUMN, *type, NULL, 0);
  if (e) e->index = index;
  return e;
}

static void *grown(compiler *c, void *items, uint32_t n, uint32_t room, size_t size) {
  void *more = compiler_alloc(c, (size_t)room * size);
  if (more && n) memcpy(more, items, n * size);
  return more;
}

static bool make_room(scope *s, grouping *g) {
  if (g->n_calls < g->calls_room) return true;
  uint32_t room = g->calls_room ? g->calls_room * 2 : 8;
  const ast **calls = grown(s->c, g->calls, g->n_calls, room, sizeof *calls);
  plan_aggregate *aggregates = grown(s->c, g->aggregates, g->n_calls, room, sizeof *aggregates);
  if (!calls || !aggregates) return false;
  g->calls = calls;
  g->aggregates = aggregates;
  g->calls_room = room;
  return true;
}

static expr *add_call(scope *s, const ast *a, aggregate_kind kind) {
  grouping *g = s->group;
  if (!check_call(s, a, kind)) return NULL;
  expr *arg = a->n_args ? analyze_arg(g->rows, a, kind) : NULL;
  if ((a->n_args && !arg) || !make_room(s, g)) return NULL;
  char *text = script_excerpt(s->c->text, &a->span, s->c->out);
  if (!text) s->c->no_memory = true;
  hw_type none = typing_make(HW_TYPE_BIGINT);
  g->calls[g->n_calls] = a;
  g->aggregates[g->n_calls] = (plan_aggregate){.kind = kind, .distinct = a->flag && a->n_args, .arg = arg,
                                               .type = result_type(kind, arg ? &arg->type : &none), .text = text,
                                               .line = a->span.line, .column = a->span.column};
  uint32_t i = g->n_calls++;
  return result_column(s, a, g->n_keys + i, &g->aggregates[i].type);
}

static expr *take_call(scope *s, const ast *a, aggregate_kind kind) {
  grouping *g = s->group;
  for (uint32_t i = 0; i < g->n_calls; i++)
    if (ast_same(g->calls[i], a)) return result_column(s, a, g->n_keys + i, &g->aggregates[i].type);
  return add_call(s, a, kind);
}

/* A column that is not grouped by; one that does not exist is reported as that. */
static expr *refuse_column(scope *s, const ast *a) {
  scope rows = *s->group->rows;
  rows.group = NULL;
  if (analyze(&rows, a))
    compiler_error(s->c, &a->span, "column \"%.100s\" must be in GROUP BY or inside of an aggregate function",
                   a->name->text);
  return NULL;
}

bool group_take(scope *s, const ast *a, expr **out) {
  grouping *g = s->group;
  aggregate_kind kind;
  bool is_call = find_aggregate(a, &kind);
  *out = NULL;
  if (g->refuse) {
    if (is_call) compiler_error(s->c, &a->span, "%s cannot stand in %s", a->name->text, g->refuse);
    return is_call;
  }
  for (uint32_t i = 0; i < g->n_keys; i++) {
    if (!ast_same(g->keys[i], a)) continue;
    if (g->key_exprs[i]) *out = result_column(s, a, i, &g->key_exprs[i]->type);
    return true;
  }
  if (is_call) *out = take_call(s, a, kind);
  else if (a->kind == AST_COLUMN) *out = refuse_column(s, a);
  return is_call || a->kind == AST_COLUMN;
}

void group_add_key(grouping *g, const ast *a) {
  scope *s = g->rows;
  grouping none = {.refuse = "GROUP BY"};
  scope plain = *s;
  plain.group = &none;
  expr *e = analyze(&plain, a);
  if (e && e->type.id == HW_TYPE_NULL) e = convert_implied(&plain, a, e, typing_make(HW_TYPE_INT));
  g->keys[g->n_keys] = a;
  g->key_exprs[g->n_keys++] = e;
}
