/* node.c - nodes of expressions, and folding of constant ones. */
#include "sql/analyze.h"

#include <stdlib.h>
#include <string.h>

static expr *new_node(scope *s, const script_span *at, expr_op op, hw_type type, uint32_t n) {
  expr *e = compiler_alloc(s->c, sizeof *e);
  expr **args = n ? compiler_alloc(s->c, n * sizeof *args) : NULL;
  char *text = script_excerpt(s->c->text, at, s->c->out);
  if (!e || (n && !args) || !text) {
    s->c->no_memory = true;
    return NULL;
  }
  *e = (expr){.op = op, .type = type, .n_args = n, .args = args, .text = text, .line = at->line, .column = at->column};
  return e;
}

expr *node_plain(scope *s, const script_span *at, expr_op op, hw_type type, expr **args, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    if (!args[i]) return NULL;
    type.nullable |= args[i]->type.nullable;
  }
  expr *e = new_node(s, at, op, type, n);
  if (e && n) memcpy(e->args, args, n * sizeof *args);
  return e;
}

/* Gives a folded string a place in the program. */
static bool keep_string(scope *s, const hw_type *type, hw_value *value) {
  if (value->is_null || !hw_type_is_string((hw_type_id)type->id)) return true;
  value->u.str.data = compiler_strdup(s->c, value->u.str.data, value->u.str.len);
  return value->u.str.data != NULL;
}

static bool is_constant(const expr *e) {
  for (uint32_t i = 0; i < e->n_args; i++)
    if (e->args[i]->op != EXPR_LITERAL || e->args[i]->type.id == HW_TYPE_NULL) return false;
  return e->n_args > 0;
}

expr *node_fold(scope *s, const script_span *at, expr *e) {
  if (!e || !is_constant(e)) return e;
  hw_value value;
  void *keep = NULL;
  hw_error err;
  hw_status status = expr_constant(e, &value, &keep, &err);
  if (status == HW_OK && keep_string(s, &e->type, &value)) {
    e->op = EXPR_LITERAL;
    e->value = value;
    e->n_args = 0;
    e->args = NULL;
    e->type.nullable = value.is_null;
  } else if (status == HW_ENOMEM) {
    s->c->no_memory = true;
  } else if (status != HW_OK) {
    compiler_warning(s->c, at, "this fails whenever it is evaluated: %s", err.message);
  }
  free(keep);
  return e;
}

expr *node_make(scope *s, const ast *at, expr_op op, hw_type type, expr **args, uint32_t n) {
  return node_fold(s, &at->span, node_plain(s, &at->span, op, type, args, n));
}

expr *node_literal(scope *s, const ast *at, hw_type type, const hw_value *value) {
  type.nullable = value->is_null;
  expr *e = new_node(s, &at->span, EXPR_LITERAL, type, 0);
  if (e) e->value = *value;
  return e;
}

expr *node_null(scope *s, const ast *at, hw_type type) {
  return node_literal(s, at, type, &(hw_value){.is_null = true});
}

expr *node_relabel(scope *s, const expr *e, hw_type type) {
  expr *copy = compiler_alloc(s->c, sizeof *copy);
  if (!copy) return NULL;
  *copy = *e;
  copy->type = type;
  return copy;
}

static uint32_t count(const expr *e, uint32_t most) {
  uint32_t n = 1;
  for (uint32_t i = 0; i < e->n_args && n <= most; i++) n += count(e->args[i], most - n);
  return n;
}

bool node_is_small(const expr *e, uint32_t most) { return !e || count(e, most) <= most; }

bool node_is_null(const expr *e) { return e->op == EXPR_LITERAL && e->value.is_null; }

bool node_is_text(const expr *e) {
  return e->op == EXPR_LITERAL && !e->value.is_null && hw_type_is_text((hw_type_id)e->type.id);
}

bool node_is_integer(const expr *e) {
  return e->op == EXPR_LITERAL && !e->value.is_null && hw_type_is_integer((hw_type_id)e->type.id);
}

hw_int128 node_integer(const expr *e) {
  return typing_is_unsigned((hw_type_id)e->type.id) ? (hw_int128)e->value.u.u64 : (hw_int128)e->value.u.i64;
}
