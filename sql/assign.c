/* assign.c - values for columns: defaults, and what an ad-hoc INSERT puts in. */
#include "sql/analyze.h"

#include <headworks/value.h>

/* What a value of one type may become in a column without a written cast. */
static bool assignable(hw_type_id from, hw_type_id to) {
  bool numbers = hw_type_is_numeric(from) && hw_type_is_numeric(to);
  bool texts = hw_type_is_text(from) && hw_type_is_text(to);
  bool bytes = typing_is_binary(from) && typing_is_binary(to);
  return from == to || numbers || texts || bytes || (from == HW_TYPE_DATE && to == HW_TYPE_TIMESTAMP);
}

/* A cast would cut what is too long. */
static bool check_length(compiler *c, const ast *at, const char *what, const expr *e, const hw_type *type) {
  hw_type_id id = (hw_type_id)type->id;
  char text[TYPING_TEXT], from[TYPING_TEXT];
  if (!hw_type_is_string(id) || !type->length || !hw_type_is_string((hw_type_id)e->type.id)) return true;
  if (e->op != EXPR_LITERAL) {
    if (e->type.length && e->type.length <= type->length) return true;
    compiler_error(c, &at->span, "this %s is %s and may be too long for %s: CAST it, which cuts it", what,
                   typing_text(&e->type, from), typing_text(type, text));
    return false;
  }
  const hw_str *str = &e->value.u.str;
  size_t len = hw_type_is_text(id) ? hw_utf8_length(str->data, str->len) : str->len;
  if (len <= type->length) return true;
  compiler_error(c, &at->span, "this %s has a length of %zu: too long for %s", what, len, typing_text(type, text));
  return false;
}

/* 2.0 may become an integer, 2.5 not. */
static expr *convert_number(scope *s, const ast *at, const char *what, expr *e, const hw_type *type) {
  expr *converted = convert_implied(s, at, e, *type);
  bool fraction = hw_type_is_numeric((hw_type_id)e->type.id) && !hw_type_is_integer((hw_type_id)e->type.id);
  if (!converted || e->op != EXPR_LITERAL || !fraction || !hw_type_is_integer((hw_type_id)type->id)) return converted;
  const expr *same = operator_compare(s, at, EXPR_EQ, e, converted);
  if (!same || (same->op == EXPR_LITERAL && same->value.u.boolean)) return converted;
  compiler_error(s->c, &at->span, "this %s is not a whole number, its column is %s", what,
                 hw_type_name((hw_type_id)type->id));
  return NULL;
}

expr *assign_convert(scope *s, const ast *at, const char *what, expr *e, const hw_field *f) {
  compiler *c = s->c;
  char from[TYPING_TEXT], to[TYPING_TEXT];
  if (node_is_null(e)) {
    if (f->type.nullable) return convert_implied(s, at, e, f->type);
    compiler_error(c, &at->span, "column \"%.100s\" is NOT NULL, so NULL cannot be its %s", f->name, what);
  } else if (!node_is_text(e) && !assignable((hw_type_id)e->type.id, (hw_type_id)f->type.id)) {
    compiler_error(c, &at->span, "column \"%.100s\" is %s, this %s is %s", f->name, typing_text(&f->type, to), what,
                   typing_text(&e->type, from));
  } else if (check_length(c, at, what, e, &f->type)) {
    return convert_number(s, at, what, e, &f->type);
  }
  return NULL;
}
