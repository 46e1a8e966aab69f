/* analyze.c - the walk over a parsed expression. It recurses; the grammar's limit
 * on depth keeps that in bounds. */
#include "sql/analyze.h"

#include "sql/group.h"

#include <string.h>

/* ---- columns ---------------------------------------------------------------------- */

static expr *analyze_column(scope *s, const ast *a) {
  compiler *c = s->c;
  char hint[COMPILER_HINT];
  if (!s->from) {
    compiler_error(c, &a->span, "\"%.100s\": a column cannot stand here, a constant is wanted", a->name->text);
    return NULL;
  }
  if (a->qualifier && strcmp(a->qualifier->text, s->from_name) != 0) {
    const char *known[] = {s->from_name};
    compiler_error(c, &a->qualifier->span, "unknown relation \"%.100s\" here, FROM names \"%.100s\"%s",
                   a->qualifier->text, s->from_name, compiler_hint(c, a->qualifier->text, known, 1, hint));
    return NULL;
  }
  uint32_t i = name_table_get(&s->from->columns, a->name->text);
  const hw_schema *schema = &s->from->relation->schema;
  if (i == NAME_NONE) {
    const char *help = compiler_column_hint(c, s->from, a->name->text, hint);
    if (!*help && a->name->quoted) help = " (text stands in 'single quotes')";
    compiler_error(c, &a->name->span, "unknown column \"%.100s\" in \"%.100s\"%s", a->name->text, schema->name, help);
    return NULL;
  }
  if (s->from->faulty[i]) return NULL;
  expr *e = node_plain(s, &a->span, EXPR_COLUMN, schema->fields[i].type, NULL, 0);
  if (e) e->index = i;
  return e;
}

/* ---- several arguments ----------------------------------------------------------------- */

static expr **analyze_args(scope *s, const ast *a) {
  expr **args = arena_alloc(s->c->memory, (a->n_args + 1) * sizeof *args);
  uint32_t n = 0;
  for (const ast *arg = a->args; args && arg; arg = arg->next) args[n++] = analyze(s, arg);
  return args;
}

static expr *negate_if(scope *s, const ast *a, bool negated, expr *e) {
  return negated ? node_make(s, a, EXPR_NOT, typing_make(HW_TYPE_BOOLEAN), &e, 1) : e;
}

static expr *analyze_not(scope *s, const ast *a) { return negate_if(s, a, true, analyze_condition(s, a->args, "NOT")); }

static expr *analyze_chain(scope *s, const ast *a) {
  expr **args = arena_alloc(s->c->memory, a->n_args * sizeof *args);
  if (!args) return NULL;
  const char *what = a->op == EXPR_AND ? "AND" : "OR";
  uint32_t n = 0;
  for (const ast *arg = a->args; arg; arg = arg->next) args[n++] = analyze_condition(s, arg, what);
  return operator_logic(s, a, a->op, args, n);
}

/* ||: bytes with bytes, or text with anything. */
static expr *analyze_concat(scope *s, const ast *a) {
  expr **args = analyze_args(s, a);
  if (!args) return NULL;
  bool bytes = true, text = false;
  for (uint32_t i = 0; i < a->n_args; i++) {
    if (!args[i]) return NULL;
    hw_type_id id = (hw_type_id)args[i]->type.id;
    bytes = bytes && typing_is_binary(id);
    text = text || hw_type_is_text(id) || id == HW_TYPE_NULL;
  }
  const ast *arg = a->args;
  for (uint32_t i = 0; i < a->n_args; i++, arg = arg->next) {
    hw_type varbinary = {.id = HW_TYPE_VARBINARY, .length = args[i]->type.length};
    args[i] = bytes ? convert_implied(s, arg, args[i], varbinary) : convert_text(s, arg, "||", args[i], text);
    if (!args[i]) return NULL;
  }
  return operator_concat(s, a, args, a->n_args);
}

static expr *analyze_is(scope *s, const ast *a) {
  bool any = a->op == EXPR_IS_NULL || a->op == EXPR_IS_NOT_NULL;
  expr *arg = any ? analyze(s, a->args) : analyze_condition(s, a->args, "IS TRUE or IS FALSE");
  if (arg && arg->type.id == HW_TYPE_NULL) arg = convert_implied(s, a, arg, typing_make(HW_TYPE_BOOLEAN));
  expr *e = node_plain(s, &a->span, a->op, typing_make(HW_TYPE_BOOLEAN), &arg, 1);
  if (e) e->type.nullable = false;
  return node_fold(s, &a->span, e);
}

/* ---- CASE ------------------------------------------------------------------------------- */

/* The operand and what it is compared with become one type, once. */
static bool analyze_operand(scope *s, const ast *a, expr **against, uint32_t n) {
  hw_type type;
  if (!node_is_small(against[0], 10000 / n + 100)) {
    compiler_error(s->c, &a->args->span, "the operand of this CASE is too large: compute it in a view of its own");
    return false;
  }
  if (!convert_together(s, a, "CASE", against, n, CONVERT_COMPARE, &type)) return false;
  for (uint32_t i = 0; type.id == HW_TYPE_NULL && i < n; i++)
    if (!(against[i] = convert_implied(s, a, against[i], typing_make(HW_TYPE_BOOLEAN)))) return false;
  return true;
}

/* Fills in the conditions: args[0], args[2], ... */
static bool analyze_whens(scope *s, const ast *a, expr **args, uint32_t n_whens) {
  const ast *when = a->flag ? a->args->next : a->args;
  if (!a->flag) {
    for (uint32_t i = 0; i < n_whens; i++, when = when->next->next)
      args[2 * i] = analyze_condition(s, when, "WHEN");
    return true;
  }
  expr **against = arena_alloc(s->c->memory, (n_whens + 1) * sizeof *against);
  if (!against) return false;
  against[0] = analyze(s, a->args);
  for (uint32_t i = 0; i < n_whens; i++, when = when->next->next) against[i + 1] = analyze(s, when);
  if (!analyze_operand(s, a, against, n_whens + 1)) return false;
  when = a->args->next;
  for (uint32_t i = 0; i < n_whens; i++, when = when->next->next)
    args[2 * i] = operator_compare(s, when, EXPR_EQ, against[0], against[i + 1]);
  return true;
}

static expr *analyze_case(scope *s, const ast *a) {
  uint32_t n_parts = a->n_args - (a->flag ? 1 : 0), n_whens = n_parts / 2;
  expr **args = arena_alloc(s->c->memory, (2 * n_whens + 1) * sizeof *args);
  if (!args) return NULL;
  bool ok = analyze_whens(s, a, args, n_whens);
  const ast *part = a->flag ? a->args->next : a->args;
  for (uint32_t i = 0; i < n_whens; i++, part = part->next->next) args[2 * i + 1] = analyze(s, part->next);
  args[2 * n_whens] = part ? analyze(s, part) : node_null(s, a, typing_make(HW_TYPE_NULL));
  return ok ? operator_case(s, a, args, 2 * n_whens + 1) : NULL;
}

/* ---- the rest ------------------------------------------------------------------------------ */

static expr *analyze_cast(scope *s, const ast *a) {
  hw_type type;
  expr *arg = analyze(s, a->args);
  if (!typing_resolve(s->c, a->type, &type)) return NULL;
  return convert_explicit(s, a, arg, type);
}

/* A minus before a number belongs to it: -2147483648 is an INT. */
static expr *analyze_negate(scope *s, const ast *a) {
  if (a->args->kind == AST_NUMBER) return literal_number(s, a, a->args->text, true);
  return operator_negate(s, a, analyze(s, a->args));
}

static expr *analyze_plus(scope *s, const ast *a) {
  expr *arg = analyze(s, a->args);
  char text[TYPING_TEXT];
  if (!arg || hw_type_is_numeric((hw_type_id)arg->type.id)) return arg;
  compiler_error(s->c, &a->span, "+ needs a number, found %s", typing_text(&arg->type, text));
  return NULL;
}

static expr *analyze_binary(scope *s, const ast *a) {
  expr *left = analyze(s, a->args), *right = analyze(s, a->args->next);
  return a->kind == AST_COMPARE ? operator_compare(s, a, a->op, left, right)
                                : operator_arithmetic(s, a, a->op, left, right);
}

static expr *analyze_between(scope *s, const ast *a) {
  expr **args = analyze_args(s, a);
  return args ? negate_if(s, a, a->flag, operator_between(s, a, args[0], args[1], args[2])) : NULL;
}

static expr *analyze_in(scope *s, const ast *a) {
  expr **args = analyze_args(s, a);
  return args ? negate_if(s, a, a->flag, operator_in(s, a, args, a->n_args)) : NULL;
}

static expr *analyze_like(scope *s, const ast *a) {
  expr *args[3];
  uint32_t n = 0;
  for (const ast *arg = a->args; arg; arg = arg->next) args[n++] = convert_text(s, arg, "LIKE", analyze(s, arg), false);
  return negate_if(s, a, a->flag, node_make(s, a, EXPR_LIKE, typing_make(HW_TYPE_BOOLEAN), args, n));
}

static expr *analyze_trim(scope *s, const ast *a) {
  expr *text = analyze(s, a->args);
  expr *characters = a->n_args > 1 ? analyze(s, a->args->next) : NULL;
  return a->n_args > 1 && !characters ? NULL : function_trim(s, a, a->op, text, characters);
}

static expr *analyze_boolean(scope *s, const ast *a) {
  return node_literal(s, a, typing_make(HW_TYPE_BOOLEAN), &(hw_value){.u.boolean = a->flag});
}

expr *analyze(scope *s, const ast *a) {
  expr *taken;
  if (s->group && group_take(s, a, &taken)) return taken;
  switch (a->kind) {
  case AST_ERROR: return NULL;
  case AST_NULL: return node_null(s, a, typing_make(HW_TYPE_NULL));
  case AST_BOOLEAN: return analyze_boolean(s, a);
  case AST_NUMBER: return literal_number(s, a, a->text, false);
  case AST_STRING: return literal_string(s, a, a->text);
  case AST_BYTES: return literal_bytes(s, a, a->text);
  case AST_TYPED: return literal_typed(s, a, a->type, a->text);
  case AST_COLUMN: return analyze_column(s, a);
  case AST_NEGATE: return analyze_negate(s, a);
  case AST_PLUS: return analyze_plus(s, a);
  case AST_NOT: return analyze_not(s, a);
  case AST_ARITHMETIC:
  case AST_COMPARE: return analyze_binary(s, a);
  case AST_CHAIN: return a->op == EXPR_CONCAT ? analyze_concat(s, a) : analyze_chain(s, a);
  case AST_IS: return analyze_is(s, a);
  case AST_BETWEEN: return analyze_between(s, a);
  case AST_IN: return analyze_in(s, a);
  case AST_LIKE: return analyze_like(s, a);
  case AST_CASE: return analyze_case(s, a);
  case AST_CAST: return analyze_cast(s, a);
  case AST_CALL: return function_call(s, a);
  case AST_EXTRACT: return function_extract(s, a, a->name->text, &a->name->span, analyze(s, a->args));
  case AST_TRIM: return analyze_trim(s, a);
  }
  return NULL;
}

expr *analyze_condition(scope *s, const ast *a, const char *what) {
  expr *e = analyze(s, a);
  if (!e || e->type.id == HW_TYPE_BOOLEAN) return e;
  if (e->type.id == HW_TYPE_NULL) return convert_implied(s, a, e, typing_make(HW_TYPE_BOOLEAN));
  char text[TYPING_TEXT];
  compiler_error(s->c, &a->span, "%s needs a BOOLEAN, found %s", what, typing_text(&e->type, text));
  return NULL;
}
