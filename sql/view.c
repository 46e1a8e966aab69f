/* view.c - CREATE VIEW: names, branches of UNION ALL, and the types they share. */
#include "sql/select.h"

#include <stdio.h>
#include <string.h>

typedef struct branch {
  select_list list; /* first */
  const ast_select *select;
  uint32_t input;
  const expr *filter;
} branch;

typedef struct view {
  compiler *c;
  const ast_statement *statement;
  relation_info *info;
  branch *branches;
  select_list **lists; /* of the branches */
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
  b->list.scope = (scope){.c = c, .from = &c->infos[b->input]};
  b->list.scope.from_name = select->alias ? select->alias->text : select->relation->text;
  return b->list.scope.from->known;
}

/* ---- branches --------------------------------------------------------------------------- */

static const char *name_by_place(const select_list *l, const ast_item *item) {
  (void)item;
  char made[32];
  int len = snprintf(made, sizeof made, "EXPR$%u", l->n - 1);
  return compiler_strdup(l->scope.c, made, (size_t)len);
}

static void analyze_branch(view *v, branch *b) {
  if (!resolve_input(v, b)) return;
  select_analyze(&b->list, &b->select->items, 0, name_by_place);
  if (!b->select->where) return;
  const expr *filter = analyze_condition(&b->list.scope, b->select->where, "WHERE");
  bool always = filter && filter->op == EXPR_LITERAL && !filter->value.is_null && filter->value.u.boolean;
  b->filter = always ? NULL : filter;
}

/* ---- columns of the view ------------------------------------------------------------------ */

static bool check_counts(view *v) {
  compiler *c = v->c;
  const ast_names *names = &v->statement->columns;
  bool ok = true;
  for (uint32_t i = 1; i < v->n_branches; i++) {
    if (v->lists[i]->n == v->n) continue;
    compiler_error(c, &v->branches[i].select->span, "this SELECT of the UNION ALL has %u columns, the first has %u",
                   v->lists[i]->n, v->n);
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
    const output *out = &v->lists[0]->outputs[i];
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

static bool type_field(view *v, uint32_t i, hw_field *f) {
  if (!select_common_type(v->lists, v->n_branches, i, f->name, &f->type)) return false;
  if (f->type.id != HW_TYPE_NULL) return select_convert(v->lists, v->n_branches, i, &f->type);
  compiler_error(v->c, &v->lists[0]->outputs[i].at.span,
                 "the type of NULL is not known here: write CAST(NULL AS type)");
  return false;
}

static void type_fields(view *v, hw_field *fields) {
  v->info->complete = true;
  for (uint32_t i = 0; i < v->n; i++) {
    v->info->faulty[i] = !type_field(v, i, &fields[i]);
    if (v->info->faulty[i]) v->info->complete = false;
  }
}

static void emit_branches(view *v) {
  program_branch *made = compiler_alloc(v->c, v->n_branches * sizeof *made);
  if (!made) return;
  for (uint32_t k = 0; k < v->n_branches; k++) {
    const branch *b = &v->branches[k];
    const expr **project = compiler_alloc(v->c, v->n * sizeof *project);
    if (!project) return;
    for (uint32_t i = 0; i < v->n; i++) project[i] = b->list.outputs[i].e;
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
  if (v->c->no_memory || v->c->memory->failed) return;
  type_fields(v, fields);
  v->info->known = true;
  emit_branches(v);
}

void view_compile(compiler *c, uint32_t index, const ast_statement *s) {
  view v = {.c = c, .statement = s, .info = &c->infos[index], .n_branches = s->query.n};
  v.info->relation->local = s->local;
  v.info->relation->materialized = s->materialized;
  v.branches = arena_alloc(c->memory, (s->query.n + 1) * sizeof *v.branches);
  v.lists = arena_alloc(c->memory, (s->query.n + 1) * sizeof *v.lists);
  if (!v.branches || !v.lists) return;
  bool known = true;
  uint32_t n = 0;
  for (const ast_select *select = s->query.first; select; select = select->next) {
    branch *b = &v.branches[n];
    v.lists[n++] = &b->list;
    b->select = select;
    analyze_branch(&v, b);
    known = known && b->list.known;
  }
  if (n == 0 || !known) return;
  v.n = v.lists[0]->n;
  if (check_counts(&v)) make_fields(&v);
}
