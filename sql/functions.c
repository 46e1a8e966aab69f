/* functions.c - functions by name: a table, and what each makes of its arguments. */
#include "sql/analyze.h"

#include <stdio.h>
#include <string.h>

typedef struct function function;

/* args are analysed and none is NULL; it may change them. */
typedef expr *build_function(scope *s, const ast *at, const function *f, expr **args, uint32_t n);

struct function {
  const char *name;
  uint32_t min_args, max_args;
  build_function *build;
  expr_op op;
  unsigned unit; /* of the shorthands for EXTRACT */
};

#define ANY_NUMBER UINT32_MAX

/* Functions are spoken of in capitals. */
#define CAPITALS 32
static const char *capitals(const char *name, char *text) {
  size_t i = 0;
  for (; name[i] && i + 1 < CAPITALS; i++) text[i] = (char)(name[i] >= 'a' && name[i] <= 'z' ? name[i] - 32 : name[i]);
  text[i] = '\0';
  return text;
}

static expr *wrong_argument(scope *s, const ast *at, const char *name, const char *wanted, const expr *found) {
  char text[TYPING_TEXT], function_name[CAPITALS];
  compiler_error(s->c, &at->span, "%s needs %s, found %s", capitals(name, function_name), wanted,
                 typing_text(&found->type, text));
  return NULL;
}

static bool is_null_type(const expr *e) { return e->type.id == HW_TYPE_NULL; }

/* The i-th argument as written. */
static const ast *argument(const ast *at, uint32_t i) {
  const ast *arg = at->args;
  while (i-- > 0) arg = arg->next;
  return arg;
}

/* ---- strings ---------------------------------------------------------------------- */

static expr *to_text(scope *s, const ast *at, const function *f, uint32_t i, expr *e) {
  hw_type_id id = (hw_type_id)e->type.id;
  const ast *arg = argument(at, i);
  return hw_type_is_text(id) || is_null_type(e) ? convert_text(s, arg, f->name, e, false)
                                                : wrong_argument(s, arg, f->name, "text", e);
}

static expr *to_integer(scope *s, const ast *at, const function *f, uint32_t i, expr *e, hw_type_id id) {
  const ast *arg = argument(at, i);
  if (hw_type_is_integer((hw_type_id)e->type.id) || is_null_type(e)) return convert_implied(s, arg, e, typing_make(id));
  return wrong_argument(s, arg, f->name, "an integer", e);
}

/* Text or bytes, of the varying kind. */
static expr *to_string(scope *s, const ast *at, const function *f, uint32_t i, expr *e) {
  if (!typing_is_binary((hw_type_id)e->type.id)) return to_text(s, at, f, i, e);
  return convert_implied(s, argument(at, i), e, (hw_type){.id = HW_TYPE_VARBINARY, .length = e->type.length});
}

static expr *build_change_case(scope *s, const ast *at, const function *f, expr **args, uint32_t n) {
  if (!(args[0] = to_text(s, at, f, 0, args[0]))) return NULL;
  return node_make(s, at, f->op, args[0]->type, args, n);
}

static expr *build_length(scope *s, const ast *at, const function *f, expr **args, uint32_t n) {
  bool bytes = f->op == EXPR_OCTET_LENGTH;
  args[0] = bytes ? to_string(s, at, f, 0, args[0]) : to_text(s, at, f, 0, args[0]);
  return node_make(s, at, f->op, typing_make(HW_TYPE_INT), args, n);
}

static expr *build_substring(scope *s, const ast *at, const function *f, expr **args, uint32_t n) {
  if (!(args[0] = to_string(s, at, f, 0, args[0]))) return NULL;
  for (uint32_t i = 1; i < n; i++) args[i] = to_integer(s, at, f, i, args[i], HW_TYPE_BIGINT);
  return node_make(s, at, f->op, args[0]->type, args, n);
}

static expr *build_split_part(scope *s, const ast *at, const function *f, expr **args, uint32_t n) {
  for (uint32_t i = 0; i < 2; i++) args[i] = to_text(s, at, f, i, args[i]);
  args[2] = to_integer(s, at, f, 2, args[2], HW_TYPE_BIGINT);
  return args[0] ? node_make(s, at, f->op, args[0]->type, args, n) : NULL;
}

expr *function_trim(scope *s, const ast *at, expr_op op, expr *text, expr *characters) {
  if (!text) return NULL;
  if (!characters)
    characters = node_literal(s, at, typing_make(HW_TYPE_VARCHAR), &(hw_value){.u.str = {.data = " ", .len = 1}});
  expr *args[] = {convert_text(s, at, "TRIM", text, false), convert_text(s, at, "TRIM", characters, false)};
  return args[0] ? node_make(s, at, op, args[0]->type, args, 2) : NULL;
}

static expr *build_trim(scope *s, const ast *at, const function *f, expr **args, uint32_t n) {
  return function_trim(s, at, f->op, args[0], n > 1 ? args[1] : NULL);
}

static expr *build_concat(scope *s, const ast *at, const function *f, expr **args, uint32_t n) {
  (void)f;
  const ast *arg = at->args;
  for (uint32_t i = 0; i < n; i++, arg = arg->next) args[i] = convert_text(s, arg, "CONCAT", args[i], true);
  return operator_concat(s, at, args, n);
}

/* ---- numbers -------------------------------------------------------------------------- */

static expr *build_numeric(scope *s, const ast *at, const function *f, expr **args, uint32_t n) {
  if (is_null_type(args[0])) args[0] = convert_implied(s, at, args[0], typing_make(HW_TYPE_INT));
  else if (!hw_type_is_numeric((hw_type_id)args[0]->type.id))
    return wrong_argument(s, at->args, f->name, "a number", args[0]);
  return args[0] ? node_make(s, at, f->op, args[0]->type, args, n) : NULL;
}

static hw_type with_digits(unsigned whole, unsigned scale) {
  unsigned precision = whole + scale;
  if (precision < 1) precision = 1;
  if (precision > HW_DECIMAL_MAX_PRECISION) precision = HW_DECIMAL_MAX_PRECISION;
  return (hw_type){.id = HW_TYPE_DECIMAL, .precision = (uint8_t)precision, .scale = (uint8_t)scale};
}

/* Digits that are left behind the point: those asked for, where that is a constant. */
static unsigned kept_scale(expr **args, uint32_t n) {
  unsigned scale = args[0]->type.scale;
  if (n < 2) return 0;
  if (!node_is_integer(args[1])) return scale;
  hw_int128 digits = node_integer(args[1]);
  return digits <= 0 ? 0 : digits < scale ? (unsigned)digits : scale;
}

/* ROUND, FLOOR, CEIL. A decimal may grow by a digit (9.9 to 10), and loses those behind the point. */
static expr *build_round(scope *s, const ast *at, const function *f, expr **args, uint32_t n) {
  if (n > 1 && !(args[1] = to_integer(s, at, f, 1, args[1], HW_TYPE_INT))) return NULL;
  if (args[0]->type.id != HW_TYPE_DECIMAL) return build_numeric(s, at, f, args, n);
  unsigned scale = args[0]->type.scale, whole = args[0]->type.precision - scale + 1u;
  return node_make(s, at, f->op, with_digits(whole, kept_scale(args, n)), args, n);
}

static expr *build_mod(scope *s, const ast *at, const function *f, expr **args, uint32_t n) {
  (void)n;
  return operator_arithmetic(s, at, f->op, args[0], args[1]);
}

/* ---- conditions ------------------------------------------------------------------------ */

static expr *build_coalesce(scope *s, const ast *at, const function *f, expr **args, uint32_t n) {
  hw_type type;
  if (!convert_together(s, at, "COALESCE", args, n, CONVERT_VALUE, &type)) return NULL;
  if (type.id == HW_TYPE_NULL) return node_null(s, at, type);
  bool nullable = true;
  for (uint32_t i = 0; i < n; i++) nullable = nullable && args[i]->type.nullable;
  expr *e = node_plain(s, &at->span, f->op, type, args, n);
  if (e) e->type.nullable = nullable;
  return node_fold(s, &at->span, e);
}

/* The result is the first argument: its length stays. */
static expr *build_nullif(scope *s, const ast *at, const function *f, expr **args, uint32_t n) {
  hw_type type;
  if (is_null_type(args[0])) return node_null(s, at, args[0]->type);
  if (!convert_together(s, at, "NULLIF", args, n, CONVERT_COMPARE, &type)) return NULL;
  type = args[0]->type;
  type.nullable = true;
  return node_make(s, at, f->op, type, args, n);
}

static expr *build_if(scope *s, const ast *at, const function *f, expr **args, uint32_t n) {
  if (is_null_type(args[0])) args[0] = convert_implied(s, at, args[0], typing_make(HW_TYPE_BOOLEAN));
  else if (args[0]->type.id != HW_TYPE_BOOLEAN) return wrong_argument(s, at->args, f->name, "a BOOLEAN first", args[0]);
  return operator_case(s, at, args, n);
}

/* ---- moments ------------------------------------------------------------------------------ */

static const struct {
  const char *name;
  expr_unit unit;
} units[] = {
    {"millennium", EXPR_UNIT_MILLENNIUM}, {"century", EXPR_UNIT_CENTURY},         {"decade", EXPR_UNIT_DECADE},
    {"year", EXPR_UNIT_YEAR},             {"isoyear", EXPR_UNIT_ISOYEAR},         {"quarter", EXPR_UNIT_QUARTER},
    {"month", EXPR_UNIT_MONTH},           {"week", EXPR_UNIT_WEEK},               {"day", EXPR_UNIT_DAY},
    {"dow", EXPR_UNIT_DOW},               {"isodow", EXPR_UNIT_ISODOW},           {"doy", EXPR_UNIT_DOY},
    {"hour", EXPR_UNIT_HOUR},             {"minute", EXPR_UNIT_MINUTE},           {"second", EXPR_UNIT_SECOND},
    {"millisecond", EXPR_UNIT_MILLISECOND}, {"microsecond", EXPR_UNIT_MICROSECOND},
    {"nanosecond", EXPR_UNIT_NANOSECOND}, {"epoch", EXPR_UNIT_EPOCH},
};

#define N_UNITS ((uint32_t)(sizeof units / sizeof *units))

static const char *unit_name(unsigned unit) {
  for (uint32_t i = 0; i < N_UNITS; i++)
    if (units[i].unit == unit) return units[i].name;
  return "?";
}

static expr *extract(scope *s, const ast *at, unsigned unit, expr *a) {
  hw_type_id id = (hw_type_id)a->type.id;
  hw_type bigint = typing_make(HW_TYPE_BIGINT);
  if (id == HW_TYPE_NULL) return node_null(s, at, bigint);
  if (id != HW_TYPE_DATE && id != HW_TYPE_TIME && id != HW_TYPE_TIMESTAMP)
    return wrong_argument(s, at, "extract", "a DATE, TIME or TIMESTAMP", a);
  bool of_day = unit >= EXPR_UNIT_HOUR;
  if (id == HW_TYPE_TIME && !of_day) {
    compiler_error(s->c, &at->span, "a TIME has no %s", unit_name(unit));
    return NULL;
  }
  expr *e = node_plain(s, &at->span, EXPR_EXTRACT, bigint, &a, 1);
  if (e) e->index = unit;
  return node_fold(s, &at->span, e);
}

expr *function_extract(scope *s, const ast *at, const char *unit, const script_span *unit_at, expr *a) {
  const char *names[N_UNITS];
  for (uint32_t i = 0; i < N_UNITS; i++) {
    if (strcmp(units[i].name, unit) == 0) return a ? extract(s, at, units[i].unit, a) : NULL;
    names[i] = units[i].name;
  }
  char hint[COMPILER_HINT];
  compiler_error(s->c, unit_at, "unknown unit \"%.60s\"%s", unit, compiler_hint(s->c, unit, names, N_UNITS, hint));
  return NULL;
}

static expr *build_extract(scope *s, const ast *at, const function *f, expr **args, uint32_t n) {
  (void)n;
  return extract(s, at, f->unit, args[0]);
}

/* ---- the table ------------------------------------------------------------------------------ */

static const function functions[] = {
    {"abs", 1, 1, build_numeric, EXPR_ABS, 0},
    {"btrim", 1, 2, build_trim, EXPR_TRIM_BOTH, 0},
    {"ceil", 1, 1, build_round, EXPR_CEIL, 0},
    {"ceiling", 1, 1, build_round, EXPR_CEIL, 0},
    {"char_length", 1, 1, build_length, EXPR_CHAR_LENGTH, 0},
    {"character_length", 1, 1, build_length, EXPR_CHAR_LENGTH, 0},
    {"coalesce", 1, ANY_NUMBER, build_coalesce, EXPR_COALESCE, 0},
    {"concat", 1, ANY_NUMBER, build_concat, EXPR_CONCAT, 0},
    {"dayofmonth", 1, 1, build_extract, EXPR_EXTRACT, EXPR_UNIT_DAY},
    {"dayofyear", 1, 1, build_extract, EXPR_EXTRACT, EXPR_UNIT_DOY},
    {"floor", 1, 1, build_round, EXPR_FLOOR, 0},
    {"hour", 1, 1, build_extract, EXPR_EXTRACT, EXPR_UNIT_HOUR},
    {"if", 3, 3, build_if, EXPR_CASE, 0},
    {"len", 1, 1, build_length, EXPR_CHAR_LENGTH, 0},
    {"length", 1, 1, build_length, EXPR_CHAR_LENGTH, 0},
    {"lower", 1, 1, build_change_case, EXPR_LOWER, 0},
    {"ltrim", 1, 2, build_trim, EXPR_TRIM_LEADING, 0},
    {"minute", 1, 1, build_extract, EXPR_EXTRACT, EXPR_UNIT_MINUTE},
    {"mod", 2, 2, build_mod, EXPR_MOD, 0},
    {"month", 1, 1, build_extract, EXPR_EXTRACT, EXPR_UNIT_MONTH},
    {"nullif", 2, 2, build_nullif, EXPR_NULLIF, 0},
    {"octet_length", 1, 1, build_length, EXPR_OCTET_LENGTH, 0},
    {"quarter", 1, 1, build_extract, EXPR_EXTRACT, EXPR_UNIT_QUARTER},
    {"round", 1, 2, build_round, EXPR_ROUND, 0},
    {"rtrim", 1, 2, build_trim, EXPR_TRIM_TRAILING, 0},
    {"second", 1, 1, build_extract, EXPR_EXTRACT, EXPR_UNIT_SECOND},
    {"split_part", 3, 3, build_split_part, EXPR_SPLIT_PART, 0},
    {"substr", 2, 3, build_substring, EXPR_SUBSTRING, 0},
    {"substring", 2, 3, build_substring, EXPR_SUBSTRING, 0},
    {"upper", 1, 1, build_change_case, EXPR_UPPER, 0},
    {"week", 1, 1, build_extract, EXPR_EXTRACT, EXPR_UNIT_WEEK},
    {"year", 1, 1, build_extract, EXPR_EXTRACT, EXPR_UNIT_YEAR},
};

#define N_FUNCTIONS ((uint32_t)(sizeof functions / sizeof *functions))

/* Known to SQL, not to this version. */
static const struct {
  const char *name, *kind;
} later[] = {
    {"count", "aggregate functions"},     {"sum", "aggregate functions"},        {"avg", "aggregate functions"},
    {"min", "aggregate functions"},       {"max", "aggregate functions"},        {"array_agg", "aggregate functions"},
    {"stddev", "aggregate functions"},    {"stddev_pop", "aggregate functions"}, {"stddev_samp", "aggregate functions"},
    {"every", "aggregate functions"},     {"some", "aggregate functions"},       {"any_value", "aggregate functions"},
    {"bool_and", "aggregate functions"},  {"bool_or", "aggregate functions"},    {"arg_max", "aggregate functions"},
    {"arg_min", "aggregate functions"},   {"countif", "aggregate functions"},    {"row_number", "window functions"},
    {"rank", "window functions"},         {"dense_rank", "window functions"},    {"lag", "window functions"},
    {"lead", "window functions"},         {"first_value", "window functions"},   {"last_value", "window functions"},
    {"now", "the current time"},          {"array", "the type ARRAY"},           {"map", "the type MAP"},
    {"row", "the type ROW"},              {"parse_json", "the type VARIANT"},
};

static void report_unknown(scope *s, const ast_name *name) {
  for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
    if (strcmp(later[i].name, name->text) != 0) continue;
    compiler_error(s->c, &name->span, "not supported yet: %s (%s)", later[i].kind, name->text);
    return;
  }
  const char *names[N_FUNCTIONS];
  for (uint32_t i = 0; i < N_FUNCTIONS; i++) names[i] = functions[i].name;
  char hint[COMPILER_HINT];
  compiler_error(s->c, &name->span, "unknown function \"%.60s\"%s", name->text,
                 compiler_hint(s->c, name->text, names, N_FUNCTIONS, hint));
}

static const function *find(const char *name) {
  for (uint32_t i = 0; i < N_FUNCTIONS; i++)
    if (strcmp(functions[i].name, name) == 0) return &functions[i];
  return NULL;
}

static bool check_count(scope *s, const ast *a, const function *f) {
  char wanted[64], name[CAPITALS];
  uint32_t low = f->min_args, high = f->max_args;
  if (a->flag) {
    compiler_error(s->c, &a->span, "%s takes neither DISTINCT nor *", capitals(f->name, name));
    return false;
  }
  if (a->n_args >= low && a->n_args <= high) return true;
  if (high == ANY_NUMBER) snprintf(wanted, sizeof wanted, "%u or more", low);
  else if (low == high) snprintf(wanted, sizeof wanted, "%u", low);
  else snprintf(wanted, sizeof wanted, "%u or %u", low, high);
  compiler_error(s->c, &a->span, "%s takes %s argument%s, found %u", capitals(f->name, name), wanted,
                 high == 1 ? "" : "s", a->n_args);
  return false;
}

expr *function_call(scope *s, const ast *a) {
  const function *f = find(a->name->text);
  if (!f) report_unknown(s, a->name);
  expr **args = arena_alloc(s->c->memory, (a->n_args + 1) * sizeof *args);
  bool ok = f && args && check_count(s, a, f);
  uint32_t n = 0;
  for (const ast *arg = a->args; args && arg; arg = arg->next) {
    args[n] = analyze(s, arg);
    ok = ok && args[n++];
  }
  return ok ? f->build(s, a, f, args, n) : NULL;
}
