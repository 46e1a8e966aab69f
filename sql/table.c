/* table.c - CREATE TABLE. */
#include "sql/analyze.h"

#include <headworks/value.h>

#include <string.h>

/* ---- defaults --------------------------------------------------------------------- */

/* What a value of one type may become in a column without a written cast. */
static bool assignable(hw_type_id from, hw_type_id to) {
  bool numbers = hw_type_is_numeric(from) && hw_type_is_numeric(to);
  bool texts = hw_type_is_text(from) && hw_type_is_text(to);
  bool bytes = typing_is_binary(from) && typing_is_binary(to);
  return from == to || numbers || texts || bytes || (from == HW_TYPE_DATE && to == HW_TYPE_TIMESTAMP);
}

static bool check_length(compiler *c, const ast *at, const expr *e, const hw_type *type) {
  hw_type_id id = (hw_type_id)type->id;
  if (!hw_type_is_string(id) || !type->length || !hw_type_is_string((hw_type_id)e->type.id)) return true;
  const hw_str *str = &e->value.u.str;
  size_t len = hw_type_is_text(id) ? hw_utf8_length(str->data, str->len) : str->len;
  if (len <= type->length) return true;
  char text[TYPING_TEXT];
  compiler_error(c, &at->span, "this default has a length of %zu: too long for %s", len, typing_text(type, text));
  return false;
}

/* 2.0 may become an integer, 2.5 not. */
static expr *convert_number(scope *s, const ast *at, expr *e, const hw_type *type) {
  expr *converted = convert_implied(s, at, e, *type);
  bool fraction = hw_type_is_numeric((hw_type_id)e->type.id) && !hw_type_is_integer((hw_type_id)e->type.id);
  if (!converted || !fraction || !hw_type_is_integer((hw_type_id)type->id)) return converted;
  const expr *same = operator_compare(s, at, EXPR_EQ, e, converted);
  if (!same || (same->op == EXPR_LITERAL && same->value.u.boolean)) return converted;
  compiler_error(s->c, &at->span, "this default is not a whole number, its column is %s",
                 hw_type_name((hw_type_id)type->id));
  return NULL;
}

/* The value as the column's type, or NULL: reported. */
static expr *convert_default(scope *s, const ast *at, expr *e, const hw_field *f) {
  compiler *c = s->c;
  char from[TYPING_TEXT], to[TYPING_TEXT];
  if (e->op != EXPR_LITERAL) {
    compiler_error(c, &at->span, "this default cannot be computed: a constant is wanted");
  } else if (node_is_null(e)) {
    if (f->type.nullable) return e;
    compiler_error(c, &at->span, "column \"%.100s\" is NOT NULL, so NULL cannot be its default", f->name);
  } else if (!node_is_text(e) && !assignable((hw_type_id)e->type.id, (hw_type_id)f->type.id)) {
    compiler_error(c, &at->span, "column \"%.100s\" is %s, this default is %s", f->name, typing_text(&f->type, to),
                   typing_text(&e->type, from));
  } else if (check_length(c, at, e, &f->type)) {
    return convert_number(s, at, e, &f->type);
  }
  return NULL;
}

static void take_default(compiler *c, const ast_column *column, hw_field *f) {
  scope s = {.c = c};
  expr *e = analyze(&s, column->default_value);
  if (e) e = convert_default(&s, column->default_value, e, f);
  if (!e) return;
  f->has_default = true;
  f->default_value = e->value;
}

/* ---- columns ------------------------------------------------------------------------ */

static void take_column(compiler *c, relation_info *info, const ast_column *column, hw_field *f, uint32_t i) {
  const ast_name *name = column->name;
  f->name = compiler_strdup(c, name->text, strlen(name->text));
  f->case_sensitive = name->quoted;
  info->faulty[i] = !typing_resolve(c, column->type, &f->type);
  f->type.nullable = !column->not_null && !column->key;
  if (!f->name) return;
  if (!name_table_put(&info->columns, c->memory, f->name, i))
    compiler_error(c, &name->span, "there is a column \"%.100s\" already", name->text);
  if (column->null && column->key)
    compiler_error(c, &column->key_span, "column \"%.100s\" is NULL, so it cannot be in the primary key", name->text);
}

/* ---- keys ----------------------------------------------------------------------------- */

static void take_key_column(compiler *c, relation_info *info, hw_field *fields, const ast_name *name, uint32_t *key,
                            uint32_t *n) {
  char hint[COMPILER_HINT];
  uint32_t i = name_table_get(&info->columns, name->text);
  if (i == NAME_NONE) {
    compiler_error(c, &name->span, "the primary key names an unknown column \"%.100s\"%s", name->text,
                   compiler_column_hint(c, info, name->text, hint));
    return;
  }
  for (uint32_t k = 0; k < *n; k++) {
    if (key[k] != i) continue;
    compiler_error(c, &name->span, "column \"%.100s\" is in the primary key already", name->text);
    return;
  }
  fields[i].type.nullable = false;
  key[(*n)++] = i;
}

static void take_key_clause(compiler *c, relation_info *info, hw_field *fields, const ast_table *t, uint32_t *key,
                            uint32_t *n) {
  if (!t->first_key) return;
  if (*n || t->first_key->next)
    compiler_error(c, *n ? &t->first_key->span : &t->first_key->next->span, "a table has one primary key");
  if (*n) return;
  for (const ast_name *name = t->first_key->columns.first; name; name = name->next)
    take_key_column(c, info, fields, name, key, n);
}

static void take_keys(compiler *c, relation_info *info, hw_field *fields, const ast_table *t) {
  uint32_t room = t->n_columns + (t->first_key ? t->first_key->columns.n : 0), n = 0, i = 0;
  uint32_t *key = compiler_alloc(c, (room + 1) * sizeof *key);
  if (!key) return;
  for (const ast_column *column = t->first; column; column = column->next, i++) {
    if (!column->key) continue;
    if (n == 1) compiler_error(c, &column->key_span, "a table has one primary key: use PRIMARY KEY (a, b)");
    key[n++] = i;
  }
  take_key_clause(c, info, fields, t, key, &n);
  info->relation->key = info->relation->schema.key = key;
  info->relation->n_key = info->relation->schema.n_key = n;
}

static void check_null_keys(compiler *c, const relation_info *info, const ast_table *t) {
  const ast_column *column = t->first;
  for (uint32_t i = 0; column; i++, column = column->next) {
    const hw_field *f = &info->relation->schema.fields[i];
    if (column->null && !f->type.nullable && !column->key)
      compiler_error(c, &column->name->span, "column \"%.100s\" is NULL, so it cannot be in the primary key", f->name);
  }
}

void table_compile(compiler *c, uint32_t index, const ast_statement *s) {
  relation_info *info = &c->infos[index];
  const ast_table *t = &s->table;
  uint32_t n = t->n_columns, i = 0;
  if (n == 0) {
    compiler_error(c, &s->name->span, "table \"%.100s\" has no columns", s->name->text);
    return;
  }
  hw_field *fields = compiler_alloc(c, n * sizeof *fields);
  info->faulty = arena_alloc(c->memory, n * sizeof *info->faulty);
  if (!fields || !info->faulty) return;
  info->relation->schema.fields = fields;
  info->relation->schema.n_fields = n;
  for (const ast_column *column = t->first; column; column = column->next, i++)
    take_column(c, info, column, &fields[i], i);
  take_keys(c, info, fields, t);
  check_null_keys(c, info, t);
  i = 0;
  info->known = info->complete = true;
  for (const ast_column *column = t->first; column; column = column->next, i++) {
    if (info->faulty[i]) info->complete = false;
    else if (column->default_value) take_default(c, column, &fields[i]);
  }
}
