/* query_block.c - one SELECT of an ad-hoc query. */
#include "sql/query_impl.h"

#include <headworks/value.h>

#include <stdlib.h>
#include <string.h>

/* ---- FROM, WHERE -------------------------------------------------------------------- */

/* Names within a derived table must differ, or which one is meant? */
static bool check_names(compilation *q, const ast_select *select, const hw_schema *schema, const relation_info *info) {
  for (uint32_t i = 0; i < schema->n_fields; i++) {
    if (name_table_get(&info->columns, schema->fields[i].name) == i) continue;
    compiler_error(&q->c, &select->derived->span, "two columns of this query are named \"%.100s\": name one with AS",
                   schema->fields[i].name);
    return false;
  }
  return true;
}

static bool resolve_from(compilation *q, block *b) {
  const ast_select *select = b->select;
  b->rows = (scope){.c = &q->c, .group = &b->plain};
  b->plain.refuse = "WHERE";
  if (!select->relation && !select->derived) {
    plan *one = query_step(q, PLAN_VALUES, NULL);
    if (one) one->n_rows = 1;
    b->input = one;
    return one != NULL;
  }
  b->input = select->derived ? query_compile_one(q, select->derived) : query_scan(q, select->relation);
  if (!b->input) return false;
  relation_info *info = query_relation(q, &b->input->schema);
  b->rows.from = info;
  b->rows.from_name = select->alias ? select->alias->text : select->relation ? select->relation->text : "";
  return info && (!select->derived || check_names(q, select, &b->input->schema, info));
}

static bool filter(compilation *q, scope *s, const ast *condition, const char *what, const expr **out) {
  if (!condition) return true;
  (void)q;
  *out = analyze_condition(s, condition, what);
  return *out != NULL;
}

static bool resolve_where(compilation *q, block *b) {
  const expr *condition = NULL;
  if (!filter(q, &b->rows, b->select->where, "WHERE", &condition)) return false;
  if (!condition) return true;
  plan *step = query_step(q, PLAN_FILTER, b->input);
  if (!step) return false;
  step->filter = condition;
  b->input = step;
  return true;
}

/* ---- GROUP BY -------------------------------------------------------------------------- */

static bool is_grouped(const ast_select *select, const ast_orders *orders) {
  if (select->group || select->having) return true;
  for (const ast_item *item = select->items.first; item; item = item->next)
    if (group_has_aggregate(item->value)) return true;
  for (const ast_order *o = orders ? orders->first : NULL; o; o = o->next)
    if (group_has_aggregate(o->value)) return true;
  return false;
}

/* The value of a literal that counts from 1 to n, or 0. */
static uint32_t position(const ast *a, uint32_t n) {
  char *end;
  if (a->kind != AST_NUMBER) return 0;
  unsigned long i = strtoul(a->text->data, &end, 10);
  return *end == '\0' && i <= n ? (uint32_t)i : 0;
}

/* GROUP BY 1, and GROUP BY a name from the list that no column has. */
static const ast *key_meant(compilation *q, const block *b, const ast *a) {
  const ast_items *items = &b->select->items;
  uint32_t i = 1, wanted = position(a, items->n);
  if (a->kind == AST_NUMBER && !wanted) {
    compiler_error(&q->c, &a->span, "GROUP BY %.20s: there are columns 1 to %u", a->text->data, items->n);
    return NULL;
  }
  bool named = a->kind == AST_COLUMN && !a->qualifier && b->rows.from &&
               name_table_get(&b->rows.from->columns, a->name->text) == NAME_NONE;
  for (const ast_item *item = items->first; item; item = item->next, i++) {
    bool is_name = named && item->alias && strcmp(item->alias->text, a->name->text) == 0;
    if ((i == wanted || is_name) && item->value) return item->value;
  }
  return a;
}

static bool resolve_group(compilation *q, block *b) {
  const ast *list = b->select->group;
  grouping *g = &b->group;
  g->rows = &b->rows;
  uint32_t n = list ? list->n_args : 0;
  g->keys = arena_alloc(q->c.memory, (n + 1) * sizeof *g->keys);
  g->key_exprs = arena_alloc(q->c.memory, (n + 1) * sizeof *g->key_exprs);
  if (!g->keys || !g->key_exprs) return false;
  bool ok = true;
  for (const ast *a = list ? list->args : NULL; a; a = a->next) {
    const ast *meant = key_meant(q, b, a);
    if (meant) group_add_key(g, meant);
    ok = ok && meant && g->key_exprs[g->n_keys - 1];
  }
  for (const ast_item *item = b->select->items.first; item; item = item->next) {
    if (item->value) continue;
    compiler_error(&q->c, &item->span, "* cannot stand in a query with GROUP BY or aggregate functions");
    ok = false;
  }
  return ok;
}

/* ---- the list ------------------------------------------------------------------------------ */

/* As it was written, with ASCII letters folded. */
static const char *name_by_text(const select_list *l, const ast_item *item) {
  compiler *c = l->scope.c;
  char *name = script_excerpt(c->text, &item->value->span, c->out);
  if (!name) c->no_memory = true;
  for (char *p = name; p && *p; p++)
    if (*p >= 'A' && *p <= 'Z') *p = (char)(*p + 32);
  return name;
}

static bool all_good(const select_list *l) {
  bool ok = l->known;
  for (uint32_t i = 0; i < l->n; i++) ok = ok && l->outputs[i].e && l->outputs[i].name;
  return ok;
}

bool block_analyze(compilation *q, block *b, const ast_select *select, const ast_orders *orders) {
  b->select = select;
  if (!resolve_from(q, b)) return false;
  bool ok = resolve_where(q, b);
  b->grouped = is_grouped(select, orders);
  b->list.scope = b->rows;
  if (b->grouped) {
    if (!resolve_group(q, b)) return false;
    b->list.scope.group = &b->group;
  }
  select_analyze(&b->list, &select->items, orders ? orders->n : 0, name_by_text);
  return filter(q, &b->list.scope, select->having, "HAVING", &b->having) && all_good(&b->list) && ok;
}

/* ---- ORDER BY --------------------------------------------------------------------------------- */

/* The column that a name or an expression of ORDER BY means, or UINT32_MAX. */
static uint32_t find_output(const block *b, const ast *a, uint32_t n) {
  for (uint32_t i = 0; i < n && a->kind == AST_COLUMN && !a->qualifier; i++)
    if (strcmp(b->list.outputs[i].name, a->name->text) == 0) return i;
  for (uint32_t i = 0; i < n; i++)
    if (b->list.outputs[i].source && ast_same(b->list.outputs[i].source, a)) return i;
  return UINT32_MAX;
}

static bool add_hidden(compilation *q, block *b, const ast *a, uint32_t *column) {
  if (b->select->distinct) {
    compiler_error(&q->c, &a->span, "with DISTINCT, ORDER BY takes columns of the SELECT list only");
    return false;
  }
  expr *e = analyze(&b->list.scope, a);
  output *out = e ? select_add(&b->list, &a->span) : NULL;
  if (!out) return false;
  out->e = e;
  out->name = "";
  *column = b->list.n - 1;
  return true;
}

static bool resolve_key(compilation *q, block *b, bool alone, const ast *a, uint32_t n, uint32_t *column) {
  if (a->kind == AST_NUMBER) {
    *column = position(a, n) - 1;
    if (*column != UINT32_MAX) return true;
    compiler_error(&q->c, &a->span, "ORDER BY %.20s: there are columns 1 to %u", a->text->data, n);
    return false;
  }
  *column = find_output(b, a, n);
  if (*column != UINT32_MAX) return true;
  if (alone) return add_hidden(q, b, a, column);
  compiler_error(&q->c, &a->span, "after UNION ALL, ORDER BY takes names and numbers of columns only");
  return false;
}

bool block_order(compilation *q, block *b, bool alone, const ast_orders *orders, uint32_t *columns) {
  uint32_t n = b->list.n, i = 0;
  bool ok = true;
  for (const ast_order *o = orders->first; o; o = o->next, i++)
    ok = resolve_key(q, b, alone, o->value, n, &columns[i]) && ok;
  return ok;
}

/* ---- steps --------------------------------------------------------------------------------------- */

static const plan *group_step(compilation *q, const block *b) {
  const grouping *g = &b->group;
  plan *step = query_step(q, PLAN_GROUP, b->input);
  uint32_t n = g->n_keys + g->n_calls;
  hw_field *fields = compiler_alloc(&q->c, (n + 1) * sizeof *fields);
  const expr **exprs = compiler_alloc(&q->c, (n + 1) * sizeof *exprs);
  if (!step || !fields || !exprs) return NULL;
  for (uint32_t i = 0; i < n; i++) {
    bool key = i < g->n_keys;
    fields[i] = (hw_field){.name = "", .type = key ? g->key_exprs[i]->type : g->aggregates[i - g->n_keys].type};
    if (key) exprs[i] = g->key_exprs[i];
  }
  step->schema = (hw_schema){.name = "", .n_fields = n, .fields = fields};
  step->exprs = exprs;
  step->n_exprs = g->n_keys;
  step->aggregates = g->aggregates;
  step->n_aggregates = g->n_calls;
  return step;
}

static const plan *having_step(compilation *q, const block *b, const plan *input) {
  if (!b->having) return input;
  plan *step = query_step(q, PLAN_FILTER, input);
  if (step) step->filter = b->having;
  return step;
}

const plan *block_project(compilation *q, const block *b) {
  const select_list *l = &b->list;
  const plan *input = b->grouped ? group_step(q, b) : b->input;
  if (input) input = having_step(q, b, input);
  plan *step = input ? query_step(q, PLAN_PROJECT, input) : NULL;
  hw_field *fields = compiler_alloc(&q->c, (l->n + 1) * sizeof *fields);
  const expr **exprs = compiler_alloc(&q->c, (l->n + 1) * sizeof *exprs);
  if (!step || !fields || !exprs) return NULL;
  for (uint32_t i = 0; i < l->n; i++) {
    fields[i] = (hw_field){.name = l->outputs[i].name, .case_sensitive = l->outputs[i].quoted,
                           .type = l->outputs[i].e->type};
    exprs[i] = l->outputs[i].e;
  }
  step->schema = (hw_schema){.name = "query", .n_fields = l->n, .fields = fields};
  step->exprs = exprs;
  step->n_exprs = l->n;
  return b->select->distinct ? query_step(q, PLAN_DISTINCT, step) : step;
}
