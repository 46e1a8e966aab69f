/* query_insert.c - INSERT INTO table [(columns)] VALUES ... | SELECT ... */
#include "sql/query_impl.h"

#include <string.h>

typedef struct insert {
  compilation *q;
  const ast_command *command;
  const program_relation *table;
  relation_info *info;
  int64_t *from; /* by field of the table: which of the given values it gets, or -1: none */
  uint32_t n;    /* values that are to be given */
} insert;

/* ---- columns ------------------------------------------------------------------------ */

static bool take_column(insert *in, const ast_name *name, uint32_t value) {
  compiler *c = &in->q->c;
  char hint[COMPILER_HINT];
  uint32_t i = name_table_get(&in->info->columns, name->text);
  if (i == NAME_NONE) {
    compiler_error(c, &name->span, "unknown column \"%.100s\" in \"%.100s\"%s", name->text, in->table->schema.name,
                   compiler_column_hint(c, in->info, name->text, hint));
    return false;
  }
  if (in->from[i] >= 0) {
    compiler_error(c, &name->span, "column \"%.100s\" is named twice", name->text);
    return false;
  }
  in->from[i] = value;
  return true;
}

static bool take_columns(insert *in) {
  const ast_names *names = &in->command->columns;
  uint32_t n_fields = in->table->schema.n_fields, n = 0;
  bool ok = true;
  in->n = names->n ? names->n : n_fields;
  for (uint32_t i = 0; i < n_fields; i++) in->from[i] = names->n ? -1 : (int64_t)i;
  for (const ast_name *name = names->first; name; name = name->next) ok = take_column(in, name, n++) && ok;
  return ok;
}

static bool check_count(insert *in, const script_span *at, uint32_t n) {
  if (n == in->n) return true;
  compiler_error(&in->q->c, at, "%u values for %u columns of \"%.100s\"", n, in->n, in->table->schema.name);
  return false;
}

/* ---- values --------------------------------------------------------------------------- */

/* What a column gets that was not named. */
static expr *missing_value(insert *in, scope *s, const hw_field *f) {
  const ast at = {.span = in->command->table->span};
  hw_type type = f->type;
  if (f->has_default) return node_literal(s, &at, type, &f->default_value);
  if (type.nullable) return node_null(s, &at, type);
  compiler_error(s->c, &at.span, "column \"%.100s\" of \"%.100s\" is NOT NULL and has no default: give it a value",
                 f->name, in->table->schema.name);
  return NULL;
}

static bool take_row(insert *in, const ast *row, const expr **out) {
  grouping none = {.refuse = "VALUES"};
  scope s = {.c = &in->q->c, .group = &none};
  const hw_schema *schema = &in->table->schema;
  if (!check_count(in, &row->span, row->n_args)) return false;
  expr **values = arena_alloc(s.c->memory, (row->n_args + 1) * sizeof *values);
  const ast **places = arena_alloc(s.c->memory, (row->n_args + 1) * sizeof *places);
  if (!values || !places) return false;
  uint32_t n = 0;
  for (const ast *a = row->args; a; a = a->next) {
    places[n] = a;
    if (!(values[n++] = analyze(&s, a))) return false;
  }
  for (uint32_t i = 0; i < schema->n_fields; i++) {
    const hw_field *f = &schema->fields[i];
    int64_t k = in->from[i];
    out[i] = k < 0 ? missing_value(in, &s, f) : assign_convert(&s, places[k], "value", values[k], f);
    if (!out[i]) return false;
  }
  return true;
}

static const plan *values_step(insert *in) {
  compiler *c = &in->q->c;
  const ast *rows = in->command->rows;
  uint32_t width = in->table->schema.n_fields, n = 0;
  plan *step = query_step(in->q, PLAN_VALUES, NULL);
  const expr **values = compiler_alloc(c, ((size_t)rows->n_args * width + 1) * sizeof *values);
  if (!step || !values) return NULL;
  bool ok = true;
  for (const ast *row = rows->args; row; row = row->next, n++) ok = take_row(in, row, values + (size_t)n * width) && ok;
  step->schema = in->table->schema;
  step->n_rows = rows->n_args;
  step->values = values;
  return ok ? step : NULL;
}

/* ---- SELECT ------------------------------------------------------------------------------ */

/* Column k of the query; a literal of its list stays one, and gives way to the table's type. */
static expr *selected_value(scope *s, const ast *at, const plan *input, uint32_t k) {
  if (input->kind == PLAN_PROJECT && input->exprs[k]->op == EXPR_LITERAL)
    return node_relabel(s, input->exprs[k], input->exprs[k]->type);
  expr *e = node_plain(s, &at->span, EXPR_COLUMN, input->schema.fields[k].type, NULL, 0);
  if (!e) return NULL;
  e->index = k;
  e->text = input->schema.fields[k].name;
  return e;
}

static const plan *select_step(insert *in) {
  compiler *c = &in->q->c;
  const plan *input = query_compile_one(in->q, in->command);
  if (!input || !check_count(in, &in->command->span, input->schema.n_fields)) return NULL;
  const hw_schema *schema = &in->table->schema;
  plan *step = query_step(in->q, PLAN_PROJECT, input);
  const expr **exprs = compiler_alloc(c, (schema->n_fields + 1) * sizeof *exprs);
  relation_info *from = query_relation(in->q, &input->schema);
  if (!step || !exprs || !from) return NULL;
  scope s = {.c = c, .from = from};
  const ast at = {.span = in->command->span};
  for (uint32_t i = 0; i < schema->n_fields; i++) {
    int64_t k = in->from[i];
    expr *e = k < 0 ? missing_value(in, &s, &schema->fields[i]) : selected_value(&s, &at, input, (uint32_t)k);
    if (e && k >= 0) e = assign_convert(&s, &at, "value", e, &schema->fields[i]);
    if (!(exprs[i] = e)) return NULL;
  }
  step->schema = *schema;
  step->exprs = exprs;
  step->n_exprs = schema->n_fields;
  return step;
}

bool query_compile_insert(compilation *q, const ast_command *command, query_statement *out) {
  int64_t i = query_find_relation(q, command->table);
  if (i < 0) return false;
  insert in = {.q = q, .command = command, .table = &q->program->relations[i]};
  if (in.table->kind != PROGRAM_TABLE) {
    compiler_error(&q->c, &command->table->span, "\"%.100s\" is a view: rows go into tables", command->table->text);
    return false;
  }
  in.info = query_relation(q, &in.table->schema);
  in.from = arena_alloc(q->c.memory, (in.table->schema.n_fields + 1) * sizeof *in.from);
  if (!in.info || !in.from || !take_columns(&in)) return false;
  *out = (query_statement){.is_insert = true, .table = (uint32_t)i,
                           .plan = command->rows ? values_step(&in) : select_step(&in)};
  return out->plan != NULL;
}
