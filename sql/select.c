/* select.c - SELECT lists, as views and ad-hoc queries share them. */
#include "sql/select.h"

#include <stdio.h>
#include <string.h>

output *select_add(select_list *l, const script_span *at) {
  if (l->n == l->room) return NULL;
  output *out = &l->outputs[l->n++];
  out->at.span = *at;
  return out;
}

static bool check_star(select_list *l, const ast_item *item) {
  compiler *c = l->scope.c;
  if (!l->scope.from) {
    compiler_error(c, &item->span, "* needs a FROM");
  } else if (item->qualifier && strcmp(item->qualifier->text, l->scope.from_name) != 0) {
    compiler_error(c, &item->qualifier->span, "unknown relation \"%.100s\" here, FROM names \"%.100s\"",
                   item->qualifier->text, l->scope.from_name);
  } else {
    return true;
  }
  l->known = false;
  return false;
}

static void add_star(select_list *l, const ast_item *item) {
  if (!check_star(l, item)) return;
  const relation_info *from = l->scope.from;
  const hw_schema *schema = &from->relation->schema;
  for (uint32_t i = 0; i < schema->n_fields; i++) {
    output *out = select_add(l, &item->span);
    if (!out) return;
    const hw_field *f = &schema->fields[i];
    out->name = f->name;
    out->quoted = f->case_sensitive;
    if (from->faulty[i]) continue;
    out->e = node_plain(&l->scope, &item->span, EXPR_COLUMN, f->type, NULL, 0);
    if (!out->e) continue;
    out->e->index = i;
    out->e->text = f->name;
  }
}

static void name_output(select_list *l, const ast_item *item, output *out, select_name *make) {
  const ast_name *name = item->alias ? item->alias : item->value->kind == AST_COLUMN ? item->value->name : NULL;
  out->name = name ? compiler_strdup(l->scope.c, name->text, strlen(name->text)) : make(l, item);
  out->quoted = name ? name->quoted : true;
}

void select_analyze(select_list *l, const ast_items *items, uint32_t spare, select_name *make) {
  l->known = true;
  l->room = items->n + spare;
  for (const ast_item *item = items->first; item; item = item->next)
    if (!item->value && l->scope.from) l->room += l->scope.from->relation->schema.n_fields;
  l->outputs = arena_alloc(l->scope.c->memory, (l->room + 1) * sizeof *l->outputs);
  if (!l->outputs) l->known = false;
  for (const ast_item *item = items->first; item && l->outputs; item = item->next) {
    if (!item->value) {
      add_star(l, item);
      continue;
    }
    output *out = select_add(l, &item->value->span);
    out->source = item->value;
    out->e = analyze(&l->scope, item->value);
    name_output(l, item, out, make);
  }
}

/* ---- types in common ---------------------------------------------------------------- */

bool select_common_type(select_list *const *lists, uint32_t n, uint32_t i, const char *name, hw_type *type) {
  select_list *first = lists[0];
  char what[192];
  expr **column = arena_alloc(first->scope.c->memory, n * sizeof *column);
  if (!column) return false;
  for (uint32_t k = 0; k < n; k++) column[k] = lists[k]->outputs[i].e;
  snprintf(what, sizeof what, "column \"%.100s\" of the UNION ALL", name);
  return convert_common(&first->scope, &lists[n - 1]->outputs[i].at, what, column, n, CONVERT_VALUE, type);
}

/* The i-th column as the very type. */
static expr *as_type(select_list *l, uint32_t i, const hw_type *type) {
  output *out = &l->outputs[i];
  expr *e = convert_implied(&l->scope, &out->at, out->e, *type);
  return e && e->type.nullable != type->nullable ? node_relabel(&l->scope, e, *type) : e;
}

bool select_convert(select_list *const *lists, uint32_t n, uint32_t i, const hw_type *type) {
  for (uint32_t k = 0; k < n; k++)
    if (!(lists[k]->outputs[i].e = as_type(lists[k], i, type))) return false;
  return true;
}
