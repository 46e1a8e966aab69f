/* ast.c - building the tree. */
#include "sql/ast.h"

#include "sql/parser.h"

#include <string.h>

ast *ast_new(parser *p, ast_kind kind, const script_span *span) {
  ast *a = arena_alloc(p->memory, sizeof *a);
  if (!a) return NULL;
  a->kind = kind;
  a->span = *span;
  a->depth = 1;
  return a;
}

/* Says so once a statement, and lets the rest of the tree be built. */
static void too_deep(parser *p, ast *a) {
  a->kind = AST_ERROR;
  a->depth = 1;
  if (p->too_deep) return;
  p->too_deep = true;
  script_error(p->text, &a->span, SCRIPT_SYNTAX,
               "this expression nests more than %d levels deep: split it, over several views say", AST_MAX_DEPTH);
}

void ast_add(parser *p, ast *parent, ast *arg) {
  if (!parent || !arg) return;
  *(parent->last ? &parent->last->next : &parent->args) = arg;
  parent->last = arg;
  parent->n_args++;
  if (arg->depth >= parent->depth) parent->depth = arg->depth + 1;
  if (parent->depth > AST_MAX_DEPTH) too_deep(p, parent);
}

ast *ast_unary(parser *p, ast_kind kind, expr_op op, const script_span *span, ast *a) {
  ast *node = ast_new(p, kind, span);
  if (node) node->op = op;
  ast_add(p, node, a);
  return node;
}

ast *ast_binary(parser *p, ast_kind kind, expr_op op, const script_span *span, ast *a, ast *b) {
  ast *node = ast_unary(p, kind, op, span, a);
  ast_add(p, node, b);
  return node;
}

ast *ast_chain(parser *p, expr_op op, const script_span *span, ast *a, ast *b) {
  if (!a || a->kind != AST_CHAIN || a->op != op) return ast_binary(p, AST_CHAIN, op, span, a, b);
  ast_add(p, a, b);
  a->span = *span;
  return a;
}

ast *ast_literal(parser *p, ast_kind kind, const script_span *span, const ast_text *text) {
  ast *node = ast_new(p, kind, span);
  if (node) node->text = text;
  return node;
}

ast_type *ast_type_new(parser *p, const script_span *span, const ast_name *name, const ast_name *second,
                       const ast_text *precision, const ast_text *scale) {
  ast_type *type = arena_alloc(p->memory, sizeof *type);
  if (!type) return NULL;
  *type = (ast_type){.name = name, .second = second, .params = {precision, scale}, .span = *span};
  return type;
}

void ast_names_add(ast_names *names, ast_name *name) {
  if (!name) return;
  *(names->last ? &names->last->next : &names->first) = name;
  names->last = name;
  names->n++;
}

ast_item *ast_item_new(parser *p, const script_span *span, ast *value, const ast_name *alias) {
  ast_item *item = arena_alloc(p->memory, sizeof *item);
  if (!item) return NULL;
  item->value = value;
  item->alias = alias;
  item->span = *span;
  return item;
}

ast_items ast_items_add(ast_items items, ast_item *item) {
  if (!item) return items;
  *(items.last ? &items.last->next : &items.first) = item;
  items.last = item;
  items.n++;
  return items;
}

ast_query ast_query_join(ast_query a, ast_query b) {
  if (!b.first) return a;
  if (!a.first) return b;
  a.last->next = b.first;
  a.last = b.last;
  a.n += b.n;
  return a;
}

ast_orders ast_orders_add(parser *p, ast_orders orders, ast *value, bool descending, ast_nulls nulls) {
  ast_order *order = arena_alloc(p->memory, sizeof *order);
  if (!order) return orders;
  *order = (ast_order){.value = value, .descending = descending, .nulls = nulls};
  *(orders.last ? &orders.last->next : &orders.first) = order;
  orders.last = order;
  orders.n++;
  return orders;
}

/* ---- comparing ---------------------------------------------------------------- */

static bool same_name(const ast_name *a, const ast_name *b) {
  return a == b || (a && b && strcmp(a->text, b->text) == 0);
}

static bool same_text(const ast_text *a, const ast_text *b) {
  return a == b || (a && b && a->len == b->len && memcmp(a->data, b->data, a->len) == 0);
}

static bool same_type(const ast_type *a, const ast_type *b) {
  if (!a || !b) return a == b;
  return same_name(a->name, b->name) && same_name(a->second, b->second) && a->is_unsigned == b->is_unsigned &&
         same_text(a->params[0], b->params[0]) && same_text(a->params[1], b->params[1]);
}

bool ast_same(const ast *a, const ast *b) {
  if (!a || !b) return a == b;
  if (a->kind != b->kind || a->op != b->op || a->flag != b->flag || a->n_args != b->n_args) return false;
  if (!same_name(a->name, b->name) || !same_text(a->text, b->text) || !same_type(a->type, b->type)) return false;
  const ast *y = b->args;
  for (const ast *x = a->args; x; x = x->next, y = y->next)
    if (!ast_same(x, y)) return false;
  return true;
}

ast_properties ast_properties_add(parser *p, ast_properties list, const ast_text *key, const ast_text *value) {
  ast_property *property = arena_alloc(p->memory, sizeof *property);
  if (!property) return list;
  property->key = key;
  property->value = value;
  *(list.last ? &list.last->next : &list.first) = property;
  list.last = property;
  list.n++;
  return list;
}
