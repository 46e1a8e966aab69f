/* convert.c - casts, written and implied, and the types that arguments share.
 *
 * DESIGN
 * The evaluator wants the arguments of an operation to be of one type, so casts
 * are put in here. Literals are converted on the spot. A literal gives way to
 * what it stands beside: in a comparison an integer literal takes the type of a
 * column that can hold it, which saves a cast of every row, and a string
 * literal takes whatever type the other side has. */
#include "sql/analyze.h"

#include <headworks/value.h>

#include <stdlib.h>
#include <string.h>

/* ---- literals on the spot ------------------------------------------------------ */

static hw_int128 power_of_ten(unsigned n) {
  hw_int128 v = 1;
  while (n-- > 0) v *= 10;
  return v;
}

/* An integer literal as another number; false: left to the evaluator. */
static bool convert_integer(hw_int128 v, const hw_type *type, hw_value *out) {
  hw_type_id id = (hw_type_id)type->id;
  *out = (hw_value){0};
  if (hw_type_is_integer(id) && typing_holds(id, v)) {
    if (typing_is_unsigned(id)) out->u.u64 = (uint64_t)v;
    else out->u.i64 = (int64_t)v;
  } else if (id == HW_TYPE_DECIMAL) {
    hw_int128 limit = power_of_ten((unsigned)(type->precision - type->scale));
    if (v >= limit || v <= -limit) return false;
    out->u.dec = v * power_of_ten(type->scale);
  } else if (id == HW_TYPE_DOUBLE) {
    out->u.f64 = (double)v;
  } else {
    return false;
  }
  return true;
}

/* The literal as one of that type; NULL: not one of the simple cases. */
static expr *convert_literal(scope *s, const expr *e, hw_type type) {
  hw_value value = e->value;
  if (value.is_null) type.nullable = true;
  else if (node_is_integer(e)) {
    if (!convert_integer(node_integer(e), &type, &value)) return NULL;
  } else if (type.id != HW_TYPE_VARCHAR || type.length || e->type.id != HW_TYPE_VARCHAR) {
    return NULL;
  }
  expr *copy = node_relabel(s, e, type);
  if (copy) copy->value = value;
  return copy;
}

/* Whether values of one type are values of the other as they are. */
static bool only_widens(const hw_type *from, const hw_type *to) {
  if (from->id != to->id || from->scale != to->scale) return false;
  if (from->id == HW_TYPE_DECIMAL) return to->precision >= from->precision;
  bool varying = from->id == HW_TYPE_VARCHAR || from->id == HW_TYPE_VARBINARY;
  return varying && (to->length == 0 || (from->length && to->length >= from->length));
}

/* ---- casts ----------------------------------------------------------------------- */

/* What needs no work at run time; NULL: a CAST is needed. */
static expr *convert_for_free(scope *s, expr *e, hw_type type) {
  if (typing_same(&e->type, &type)) return e;
  if (e->op == EXPR_LITERAL) {
    expr *literal = convert_literal(s, e, type);
    if (literal) return literal;
  }
  bool leaf = e->op == EXPR_COLUMN || e->op == EXPR_LITERAL;
  return leaf && only_widens(&e->type, &type) ? node_relabel(s, e, type) : NULL;
}

static bool check_castable(scope *s, const ast *at, const expr *e, const hw_type *type) {
  if (expr_can_cast(&e->type, type)) return true;
  char from[TYPING_TEXT], to[TYPING_TEXT];
  compiler_error(s->c, &at->span, "there is no cast from %s to %s", typing_text(&e->type, from), typing_text(type, to));
  return false;
}

expr *convert_explicit(scope *s, const ast *at, expr *e, hw_type type) {
  if (!e || !check_castable(s, at, e, &type)) return NULL;
  type.nullable = e->type.nullable;
  expr *converted = convert_for_free(s, e, type);
  if (converted || s->c->no_memory) return converted;
  return node_make(s, at, EXPR_CAST, type, &e, 1);
}

/* A cast that nobody wrote speaks of what it casts. */
static expr *cast_of(scope *s, const ast *at, expr *e, hw_type type) {
  expr *cast = node_plain(s, &at->span, EXPR_CAST, type, &e, 1);
  if (!cast) return NULL;
  cast->text = e->text;
  cast->line = e->line;
  cast->column = e->column;
  return cast;
}

/* A literal that is to be of another type must be one now. */
static expr *convert_literal_now(scope *s, const ast *at, expr *e, hw_type type) {
  expr *cast = cast_of(s, at, e, type);
  if (!cast) return NULL;
  hw_value value;
  void *keep = NULL;
  hw_error err;
  hw_status status = expr_constant(cast, &value, &keep, &err);
  free(keep);
  if (status == HW_OK) return node_fold(s, &at->span, cast);
  if (status == HW_ENOMEM) s->c->no_memory = true;
  script_span place = script_find(s->c->text, &at->span, e->line, e->column, e->text);
  if (status != HW_ENOMEM) compiler_error(s->c, &place, "%s", err.message);
  return NULL;
}

expr *convert_implied(scope *s, const ast *at, expr *e, hw_type type) {
  if (!e) return NULL;
  type.nullable = e->type.nullable;
  expr *converted = convert_for_free(s, e, type);
  if (converted || s->c->no_memory) return converted;
  if (e->op == EXPR_LITERAL) return convert_literal_now(s, at, e, type);
  return cast_of(s, at, e, type);
}

/* ---- shared types -------------------------------------------------------------------- */

static unsigned decimal_digits(hw_int128 v) {
  unsigned n = 1;
  while (v >= 10 || v <= -10) v /= 10, n++;
  return n;
}

/* What a literal counts as beside something of type base. */
static hw_type literal_type(const expr *e, const hw_type *base, convert_mode mode) {
  hw_type_id id = (hw_type_id)base->id;
  if (node_is_text(e)) {
    bool padded = id == HW_TYPE_CHAR && mode == CONVERT_COMPARE;
    bool fits = padded && hw_utf8_length(e->value.u.str.data, e->value.u.str.len) <= base->length;
    return !hw_type_is_text(id) || fits ? *base : e->type;
  }
  if (!node_is_integer(e)) return e->type;
  hw_int128 v = node_integer(e);
  bool takes = mode == CONVERT_COMPARE || id == HW_TYPE_UBIGINT;
  if (takes && hw_type_is_integer(id) && typing_holds(id, v)) return *base;
  if (mode == CONVERT_COMPARE && id == HW_TYPE_DECIMAL)
    return (hw_type){.id = HW_TYPE_DECIMAL, .precision = (uint8_t)decimal_digits(v)};
  return e->type;
}

/* Classes of arguments, the firmest first: the first class that is there makes
 * the base type, the others adapt to it. */
static int softness(const expr *e) {
  if (e->type.id == HW_TYPE_NULL) return 3;
  if (e->op != EXPR_LITERAL) return 0;
  return node_is_text(e) ? 2 : 1;
}

static bool mismatch(scope *s, const ast *at, const char *what, const hw_type *a, const hw_type *b) {
  char left[TYPING_TEXT], right[TYPING_TEXT];
  compiler_error(s->c, &at->span, "%s and %s have no common type for %s: CAST one of them", typing_text(a, left),
                 typing_text(b, right), what);
  return false;
}

/* Takes an argument into *type; *base is what literals adapt to. */
static bool widen(scope *s, const ast *at, const char *what, const expr *e, convert_mode mode, hw_type *type) {
  hw_type own = e->op == EXPR_LITERAL && type->id != HW_TYPE_NULL ? literal_type(e, type, mode) : e->type;
  bool nullable = type->nullable || e->type.nullable;
  if (type->id == HW_TYPE_NULL) *type = own;
  else if (own.id != HW_TYPE_NULL && !typing_common(type, &own, type)) return mismatch(s, at, what, type, &own);
  type->nullable = nullable;
  return true;
}

bool convert_common(scope *s, const ast *at, const char *what, expr **args, uint32_t n, convert_mode mode,
                    hw_type *type) {
  for (uint32_t i = 0; i < n; i++)
    if (!args[i]) return false;
  *type = typing_make(HW_TYPE_NULL);
  for (int class = 0; class <= 3; class++)
    for (uint32_t i = 0; i < n; i++)
      if (softness(args[i]) == class && !widen(s, at, what, args[i], mode, type)) return false;
  return true;
}

/* What an argument must be for arguments of `type` to be alike: lengths may
 * differ, and precisions, which saves casts. */
static hw_type alike(const expr *e, hw_type type) {
  if (e->type.id != type.id) return type;
  bool varying = type.id == HW_TYPE_VARCHAR || type.id == HW_TYPE_VARBINARY;
  bool same_scale = type.id == HW_TYPE_DECIMAL && e->type.scale == type.scale;
  return varying || same_scale ? e->type : type;
}

bool convert_together(scope *s, const ast *at, const char *what, expr **args, uint32_t n, convert_mode mode,
                      hw_type *type) {
  if (!convert_common(s, at, what, args, n, mode, type)) return false;
  if (type->id == HW_TYPE_NULL) return true;
  bool ok = true;
  for (uint32_t i = 0; i < n; i++) {
    args[i] = convert_implied(s, at, args[i], alike(args[i], *type));
    ok = ok && args[i];
  }
  return ok;
}

expr *convert_text(scope *s, const ast *at, const char *what, expr *e, bool any) {
  if (!e) return NULL;
  hw_type_id id = (hw_type_id)e->type.id;
  hw_type varchar = {.id = HW_TYPE_VARCHAR, .length = hw_type_is_text(id) ? e->type.length : 0};
  if (hw_type_is_text(id) || id == HW_TYPE_NULL) return convert_implied(s, at, e, varchar);
  if (any && expr_can_cast(&e->type, &varchar)) return convert_explicit(s, at, e, varchar);
  char text[TYPING_TEXT];
  compiler_error(s->c, &at->span, "%s needs text, found %s", what, typing_text(&e->type, text));
  return NULL;
}
