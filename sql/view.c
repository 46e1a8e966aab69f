/* view.c - CREATE VIEW: names, branches of UNION ALL, and the types they share. */
#include "sql/analyze.h"

#include <stdio.h>
#include <string.h>

/* A column of one branch. */
typedef struct output {
  expr *e; /* NULL: faulty */
  const char *name;
  bool quoted;
  ast at;  /* only its place */
} output;

typedef struct branch {
  const ast_select *select;
  scope scope;
  uint32_t input;
  bool known;      /* its columns are */
  uint32_t n, room;
  output *outputs;
  const expr *filter;
} branch;

typedef struct view {
  compiler *c;
  const ast_statement *statement;
  relation_info *info;
  branch *branches;
  uint32_t n_branches;
  uint32_t n; /* columns, by the first branch */
} view;

/* ---- FROM -------------------------------------------------------------------------- */

static void report_missing(view *v, const ast_name *name) {
  compiler *c = v->c;
  char hint[COMPILER_HINT];
  if (strcmp(name->text, v->statement->name->text) == 0) {
    compiler_error(c, &name->span, "not supported yet: a view that reads itself");
    return;
  }
  for (const ast_statement *s = v->statement->next; s; s = s->next) {
    if (strcmp(s->name->text, name->text) != 0) continue;
    compiler_error(c, &name->span, "\"%.100s\" is created further down: it must come before what reads it", name->text);
    return;
  }
  compiler_error(c, &name->span, "there is no table or view \"%.100s\"%s", name->text,
                 compiler_relation_hint(c, name->text, hint));
}

static bool resolve_input(view *v, branch *b) {
  compiler *c = v->c;
  const ast_select *select = b->select;
  b->input = name_table_get(&c->relations, select->relation->text);
  if (b->input == NAME_NONE) {
    report_missing(v, select->relation);
    return false;
  }
  b->scope = (scope){.c = c, .from = &c->infos[b->input]};
  b->scope.from_name = select->alias ? select->alias->text : select->relation->text;
  return b->scope.from->known;
}

/* ---- SELECT list ------------------------------------------------------------------------ */

static output *add_output(branch *b, const script_span *at) {
  if (b->n == b->room) return NULL;
  output *out = &b->outputs[b->n++];
  out->at.span = *at;
  return out;
}

static void add_star(branch *b, const ast_item *item) {
  const relation_info *from = b->scope.from;
  const hw_schema *schema = &from->relation->schema;
  if (item->qualifier && strcmp(item->qualifier->text, b->scope.from_name) != 0) {
    compiler_error(b->scope.c, &item->qualifier->span, "unknown relation \"%.100s\" here, FROM names \"%.100s\"",
                   item->qualifier->text, b->scope.from_name);
    b->known = false;
    return;
  }
  for (uint32_t i = 0; i < schema->n_fields; i++) {
    output *out = add_output(b, &item->span);
    if (!out) return;
    const hw_field *f = &schema->fields[i];
    out->name = f->name;
    out->quoted = f->case_sensitive;
    if (from->faulty[i]) continue;
    out->e = node_plain(&b->scope, &item->span, EXPR_COLUMN, f->type, NULL, 0);
    if (!out->e) continue;
    out->e->index = i;
    out->e->text = f->name;
  }
}

static void name_output(branch *b, const ast_item *item, output *out) {
  const ast_name *name = item->alias ? item->alias : item->value->kind == AST_COLUMN ? item->value->name : NULL;
  if (name) {
    out->name = compiler_strdup(b->scope.c, name->text, strlen(name->text));
    out->quoted = name->quoted;
    return;
  }
  char made[32];
  int len = snprintf(made, sizeof made, "EXPR$%u", b->n - 1);
  out->name = compiler_strdup(b->scope.c, made, (size_t)len);
  out->quoted = true;
}

static void analyze_items(branch *b) {
  const ast_select *select = b->select;
  compiler *c = b->scope.c;
  b->room = select->items.n;
  for (const ast_item *item = select->items.first; item; item = item->next)
    if (!item->value) b->room += b->scope.from->relation->schema.n_fields;
  b->outputs = arena_alloc(c->memory, (b->room + 1) * sizeof *b->outputs);
  if (!b->outputs) return;
  for (const ast_item *item = select->items.first; item; item = item->next) {
    if (!item->value) {
      add_star(b, item);
      continue;
    }
    output *out = add_output(b, &item->value->span);
    out->e = analyze(&b->scope, item->value);
    name_output(b, item, out);
  }
}

static void analyze_branch(view *v, branch *b) {
  b->known = resolve_input(v, b);
  if (!b->known) return;
  analyze_items(b);
  if (!b->outputs) b->known = false;
  if (!b->select->where) return;
  const expr *filter = analyze_condition(&b->scope, b->select->where, "WHERE");
  bool always = filter && filter->op == EXPR_LITERAL && !filter->value.is_null && filter->value.u.boolean;
  b->filter = always ? NULL : filter;
}

/* ---- columns of the view ------------------------------------------------------------------ */

static bool check_counts(view *v) {
  compiler *c = v->c;
  const ast_names *names = &v->statement->columns;
  bool ok = true;
  for (uint32_t i = 1; i < v->n_branches; i++) {
    if (v->branches[i].n == v->n) continue;
    compiler_error(c, &v->branches[i].select->span, "this SELECT of the UNION ALL has %u columns, the first has %u",
                   v->branches[i].n, v->n);
    ok = false;
  }
  if (names->n == 0 || names->n == v->n) return ok;
  compiler_error(c, &v->statement->name->span, "view \"%.100s\" names %u columns, its query has %u",
                 v->statement->name->text, names->n, v->n);
  return false;
}

static void name_fields(view *v, hw_field *fields) {
  compiler *c = v->c;
  const ast_name *given = v->statement->columns.first;
  for (uint32_t i = 0; i < v->n; i++) {
    const output *out = &v->branches[0].outputs[i];
    fields[i].name = given ? compiler_strdup(c, given->text, strlen(given->text)) : out->name;
    fields[i].case_sensitive = given ? given->quoted : out->quoted;
    if (!fields[i].name) return;
    if (!name_table_put(&v->info->columns, c->memory, fields[i].name, i))
      compiler_error(c, given ? &given->span : &out->at.span,
                     "two columns of view \"%.100s\" are named \"%.100s\": name one with AS",
                     v->statement->name->text, fields[i].name);
    if (given) given = given->next;
  }
}

/* The i-th column of a branch as the field's very type. */
static expr *as_field(branch *b, uint32_t i, const hw_type *type) {
  output *out = &b->outputs[i];
  expr *e = convert_implied(&b->scope, &out->at, out->e, *type);
  return e && e->type.nullable != type->nullable ? node_relabel(&b->scope, e, *type) : e;
}

static bool type_field(view *v, uint32_t i, hw_field *f, expr **column) {
  branch *first = &v->branches[0], *last = &v->branches[v->n_branches - 1];
  char what[192];
  for (uint32_t k = 0; k < v->n_branches; k++) column[k] = v->branches[k].outputs[i].e;
  snprintf(what, sizeof what, "column \"%.100s\" of the UNION ALL", f->name);
  const ast *at = &last->outputs[i].at;
  if (!convert_common(&first->scope, at, what, column, v->n_branches, CONVERT_VALUE, &f->type)) return false;
  if (f->type.id != HW_TYPE_NULL) return true;
  compiler_error(v->c, &first->outputs[i].at.span, "the type of NULL is not known here: write CAST(NULL AS type)");
  return false;
}

static bool type_fields(view *v, hw_field *fields) {
  expr **column = arena_alloc(v->c->memory, v->n_branches * sizeof *column);
  if (!column) return false;
  v->info->complete = true;
  for (uint32_t i = 0; i < v->n; i++) {
    bool ok = type_field(v, i, &fields[i], column);
    for (uint32_t k = 0; ok && k < v->n_branches; k++) {
      output *out = &v->branches[k].outputs[i];
      out->e = as_field(&v->branches[k], i, &fields[i].type);
      ok = out->e != NULL;
    }
    v->info->faulty[i] = !ok;
    if (!ok) v->info->complete = false;
  }
  return true;
}

static void emit_branches(view *v) {
  program_branch *made = compiler_alloc(v->c, v->n_branches * sizeof *made);
  if (!made) return;
  for (uint32_t k = 0; k < v->n_branches; k++) {
    const branch *b = &v->branches[k];
    const expr **project = compiler_alloc(v->c, v->n * sizeof *project);
    if (!project) return;
    for (uint32_t i = 0; i < v->n; i++) project[i] = b->outputs[i].e;
    made[k] = (program_branch){.input = b->input, .filter = b->filter, .project = project};
  }
  v->info->relation->branches = made;
  v->info->relation->n_branches = v->n_branches;
}

static void make_fields(view *v) {
  hw_field *fields = compiler_alloc(v->c, (v->n + 1) * sizeof *fields);
  v->info->faulty = arena_alloc(v->c->memory, (v->n + 1) * sizeof *v->info->faulty);
  if (!fields || !v->info->faulty) return;
  name_fields(v, fields);
  v->info->relation->schema.fields = fields;
  v->info->relation->schema.n_fields = v->n;
  if (v->c->no_memory || !type_fields(v, fields)) return;
  v->info->known = true;
  emit_branches(v);
}

void view_compile(compiler *c, uint32_t index, const ast_statement *s) {
  view v = {.c = c, .statement = s, .info = &c->infos[index], .n_branches = s->query.n};
  v.info->relation->local = s->local;
  v.info->relation->materialized = s->materialized;
  v.branches = arena_alloc(c->memory, (s->query.n + 1) * sizeof *v.branches);
  if (!v.branches) return;
  bool known = true;
  uint32_t n = 0;
  for (const ast_select *select = s->query.first; select; select = select->next) {
    branch *b = &v.branches[n++];
    b->select = select;
    analyze_branch(&v, b);
    known = known && b->known;
  }
  if (n == 0 || !known) return;
  v.n = v.branches[0].n;
  if (check_counts(&v)) make_fields(&v);
}
