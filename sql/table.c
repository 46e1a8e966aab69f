/* table.c - CREATE TABLE. */
#include "sql/analyze.h"

#include <string.h>

/* ---- defaults --------------------------------------------------------------------- */

static void take_default(compiler *c, const ast_column *column, hw_field *f) {
  scope s = {.c = c};
  expr *e = analyze(&s, column->default_value);
  if (e && e->op != EXPR_LITERAL) {
    compiler_error(c, &column->default_value->span, "this default cannot be computed: a constant is wanted");
    return;
  }
  if (e) e = assign_convert(&s, column->default_value, "default", e, f);
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
