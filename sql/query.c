/* query.c - ad-hoc requests: statements, FROM, and the order of a query's steps. */
#include "sql/query_impl.h"

#include <stdlib.h>
#include <string.h>

/* ---- steps ------------------------------------------------------------------------ */

plan *query_step(compilation *q, plan_kind kind, const plan *input) {
  plan *step = compiler_alloc(&q->c, sizeof *step);
  const plan **inputs = compiler_alloc(&q->c, sizeof *inputs);
  if (!step || !inputs) return NULL;
  *step = (plan){.kind = kind, .n_inputs = input ? 1 : 0, .inputs = inputs, .limit = PLAN_NO_LIMIT};
  inputs[0] = input;
  if (input) step->schema = input->schema;
  return step;
}

/* ---- relations --------------------------------------------------------------------- */

relation_info *query_relation(compilation *q, const hw_schema *schema) {
  relation_info *info = arena_alloc(q->c.memory, sizeof *info);
  program_relation *r = arena_alloc(q->c.memory, sizeof *r);
  bool *faulty = arena_alloc(q->c.memory, (schema->n_fields + 1) * sizeof *faulty);
  if (!info || !r || !faulty) return NULL;
  r->schema = *schema;
  *info = (relation_info){.relation = r, .known = true, .complete = true, .faulty = faulty};
  for (uint32_t i = 0; i < schema->n_fields; i++)
    (void)name_table_put(&info->columns, q->c.memory, schema->fields[i].name, i); /* the first of a name is meant */
  return info;
}

static const char *relation_hint(compilation *q, const char *name, char *hint) {
  const program *p = q->program;
  const char **names = arena_alloc(q->c.memory, (p->n_relations + 1) * sizeof *names);
  hint[0] = '\0';
  if (!names) return hint;
  for (uint32_t i = 0; i < p->n_relations; i++) names[i] = p->relations[i].schema.name;
  return compiler_hint(&q->c, name, names, p->n_relations, hint);
}

/* The names there are, for whoever asked for one that is not there. */
static void list_relations(const program *p, char *text, size_t size) {
  size_t used = 0;
  text[0] = '\0';
  for (uint32_t i = 0; i < p->n_relations && used + 80 < size; i++)
    used += (size_t)snprintf(text + used, size - used, "%s%.64s", i ? ", " : "", p->relations[i].schema.name);
  if (!p->n_relations) snprintf(text, size, "none");
}

int64_t query_find_relation(compilation *q, const ast_name *name) {
  const program *p = q->program;
  char hint[COMPILER_HINT], known[400];
  if (strcmp(name->text, PROGRAM_LETTERS_NAME) == 0) {
    compiler_error(&q->c, &name->span, PROGRAM_LETTERS_NAME " can only be read: its rows are the records that inputs "
                                       "could not read");
    return -1;
  }
  for (uint32_t i = 0; i < p->n_relations; i++)
    if (strcmp(p->relations[i].schema.name, name->text) == 0) return i;
  list_relations(p, known, sizeof known);
  compiler_error(&q->c, &name->span, "there is no table or view \"%.100s\"%s (there is: %s)", name->text,
                 relation_hint(q, name->text, hint), known);
  return -1;
}

static bool add_source(compilation *q, uint32_t relation, uint32_t *out) {
  for (*out = 0; *out < q->n_sources; ++*out)
    if (q->sources[*out] == relation) return true;
  uint32_t *more = compiler_alloc(&q->c, (q->n_sources + 1) * sizeof *more);
  if (!more) return false;
  if (q->n_sources) memcpy(more, q->sources, q->n_sources * sizeof *more);
  more[q->n_sources++] = relation;
  q->sources = more;
  return true;
}

static const plan *scan(compilation *q, uint32_t relation, const hw_schema *schema) {
  plan *step = query_step(q, PLAN_SCAN, NULL);
  if (!step || !add_source(q, relation, &step->source)) return NULL;
  step->schema = *schema;
  return step;
}

const plan *query_scan(compilation *q, const ast_name *name) {
  if (strcmp(name->text, PROGRAM_LETTERS_NAME) == 0) return scan(q, PROGRAM_LETTERS, &program_letters_schema);
  int64_t i = query_find_relation(q, name);
  if (i < 0) return NULL;
  const program_relation *r = &q->program->relations[i];
  if (!program_relation_is_stored(r)) {
    compiler_error(&q->c, &name->span,
                   "Tried to SELECT from a non-materialized source. Make sure `%.100s` is configured as materialized: "
                   "%s",
                   name->text,
                   r->kind == PROGRAM_TABLE ? "give the table WITH ('materialized' = 'true'), or a PRIMARY KEY"
                                            : "use CREATE MATERIALIZED VIEW");
    return NULL;
  }
  return scan(q, (uint32_t)i, &r->schema);
}

/* ---- UNION ALL ------------------------------------------------------------------------ */

static bool check_counts(compilation *q, select_list *const *lists, const ast_query *body) {
  const ast_select *select = body->first;
  bool ok = true;
  for (uint32_t k = 0; k < body->n; k++, select = select->next) {
    if (lists[k]->n == lists[0]->n) continue;
    compiler_error(&q->c, &select->span, "this SELECT of the UNION ALL has %u columns, the first has %u", lists[k]->n,
                   lists[0]->n);
    ok = false;
  }
  return ok;
}

/* What is NULL in every branch is text. */
static bool join_types(select_list *const *lists, uint32_t n) {
  bool ok = true;
  for (uint32_t i = 0; i < lists[0]->n; i++) {
    hw_type type;
    bool known = select_common_type(lists, n, i, lists[0]->outputs[i].name, &type);
    if (known && type.id == HW_TYPE_NULL) type = (hw_type){.id = HW_TYPE_VARCHAR, .nullable = true};
    ok = known && select_convert(lists, n, i, &type) && ok;
  }
  return ok;
}

static const plan *join_blocks(compilation *q, block *blocks, uint32_t n) {
  plan *step = query_step(q, PLAN_UNION, NULL);
  const plan **inputs = compiler_alloc(&q->c, n * sizeof *inputs);
  if (!step || !inputs) return NULL;
  for (uint32_t k = 0; k < n; k++)
    if (!(inputs[k] = block_project(q, &blocks[k]))) return NULL;
  step->n_inputs = n;
  step->inputs = inputs;
  step->schema = inputs[0]->schema;
  return step;
}

/* ---- ORDER BY, LIMIT --------------------------------------------------------------------- */

static const plan *sort(compilation *q, const plan *input, const ast_command *command, const uint32_t *columns,
                        uint64_t first) {
  if (!command->order.n) return input;
  plan *step = query_step(q, PLAN_SORT, input);
  plan_key *keys = compiler_alloc(&q->c, command->order.n * sizeof *keys);
  if (!step || !keys) return NULL;
  uint32_t n = 0;
  for (const ast_order *o = command->order.first; o; o = o->next, n++)
    keys[n] = (plan_key){.column = columns[n], .descending = o->descending,
                         .nulls_first = o->nulls == AST_NULLS_DEFAULT ? o->descending : o->nulls == AST_NULLS_FIRST};
  step->keys = keys;
  step->n_keys = n;
  step->limit = first;
  return step;
}

static bool read_count(compilation *q, const ast_text *text, const char *what, uint64_t *out) {
  if (!text) return true;
  char *end;
  *out = strtoull(text->data, &end, 10);
  if (*end == '\0' && text->len <= 18) return true;
  compiler_error(&q->c, &text->span, "%s is a whole number of rows, found %.40s", what, text->data);
  return false;
}

static const plan *limit(compilation *q, const plan *input, uint64_t most, uint64_t offset) {
  if (most == PLAN_NO_LIMIT && offset == 0) return input;
  plan *step = query_step(q, PLAN_LIMIT, input);
  if (!step) return NULL;
  step->limit = most;
  step->offset = offset;
  return step;
}

/* Takes away the columns that were there for ORDER BY only. */
static const plan *cut_columns(compilation *q, const plan *input, uint32_t n) {
  if (input->schema.n_fields == n) return input;
  plan *step = query_step(q, PLAN_PROJECT, input);
  const expr **exprs = compiler_alloc(&q->c, (n + 1) * sizeof *exprs);
  if (!step || !exprs) return NULL;
  for (uint32_t i = 0; i < n; i++) {
    expr *e = compiler_alloc(&q->c, sizeof *e);
    if (!e) return NULL;
    *e = (expr){.op = EXPR_COLUMN, .type = input->schema.fields[i].type, .index = i, .text = ""};
    exprs[i] = e;
  }
  step->schema.n_fields = n;
  step->exprs = exprs;
  step->n_exprs = n;
  return step;
}

/* ---- queries -------------------------------------------------------------------------------- */

static const plan *finish(compilation *q, const ast_command *command, block *blocks, select_list **lists,
                          const uint32_t *columns, uint32_t n_visible) {
  const ast_query *body = &command->body;
  uint64_t most = PLAN_NO_LIMIT, offset = 0;
  if (!read_count(q, command->limits.limit, "LIMIT", &most) ||
      !read_count(q, command->limits.offset, "OFFSET", &offset) || !join_types(lists, body->n))
    return NULL;
  const plan *step = body->n == 1 ? block_project(q, &blocks[0]) : join_blocks(q, blocks, body->n);
  if (step) step = sort(q, step, command, columns, most == PLAN_NO_LIMIT ? most : most + offset);
  if (step) step = limit(q, step, most, offset);
  return step ? cut_columns(q, step, n_visible) : NULL;
}

static const plan *compile_query(compilation *q, const ast_command *command) {
  const ast_query *body = &command->body;
  block *blocks = arena_alloc(q->c.memory, (body->n + 1) * sizeof *blocks);
  select_list **lists = arena_alloc(q->c.memory, (body->n + 1) * sizeof *lists);
  uint32_t *columns = arena_alloc(q->c.memory, (command->order.n + 1) * sizeof *columns), n = 0;
  if (!blocks || !lists || !columns || !body->n) return NULL;
  bool ok = true, alone = body->n == 1;
  for (const ast_select *select = body->first; select; select = select->next, n++) {
    lists[n] = &blocks[n].list;
    ok = block_analyze(q, &blocks[n], select, alone ? &command->order : NULL) && ok;
  }
  if (!ok || !check_counts(q, lists, body)) return NULL;
  uint32_t n_visible = lists[0]->n;
  if (!block_order(q, &blocks[0], alone, &command->order, columns)) return NULL;
  return finish(q, command, blocks, lists, columns, n_visible);
}

#define QUERY_MAX_DEPTH 50

const plan *query_compile_one(compilation *q, const ast_command *command) {
  const plan *step = NULL;
  if (q->depth++ == QUERY_MAX_DEPTH)
    compiler_error(&q->c, &command->span, "queries stand in each other more than %d deep", QUERY_MAX_DEPTH);
  else
    step = compile_query(q, command);
  q->depth--;
  return step;
}

/* ---- statements -------------------------------------------------------------------------------- */

static bool compile_command(compilation *q, const ast_command *command, query_statement *out) {
  if (command->table) return query_compile_insert(q, command, out);
  if (command->next) {
    compiler_error(&q->c, &command->span,
                   "only the last statement of a request may be a SELECT: its rows are the reply");
    return false;
  }
  out->plan = query_compile_one(q, command);
  return out->plan != NULL;
}

static query *compile_commands(compilation *q, const parser *p) {
  query *out = compiler_alloc(&q->c, sizeof *out);
  query_statement *statements = compiler_alloc(&q->c, (p->n_commands + 1) * sizeof *statements);
  if (!out || !statements) return NULL;
  uint32_t n = 0;
  for (const ast_command *command = p->first_command; command && !q->c.no_memory; command = command->next)
    (void)compile_command(q, command, &statements[n++]);
  if (q->c.no_memory || q->c.memory->failed) return NULL;
  *out = (query){.n_statements = n, .statements = statements, .n_sources = q->n_sources, .sources = q->sources};
  return out;
}

static query *compile(compilation *q, const char *text, size_t len, program_messages *messages) {
  script source;
  parser p;
  uint32_t errors = messages->n_errors;
  if (!q->c.out || !script_init(&source, q->c.memory, text, len, messages)) return NULL;
  q->c.text = &source;
  if (!parser_run_ad_hoc(&p, &source, q->c.memory)) return NULL;
  if (messages->n_errors == errors && p.n_commands == 0) {
    const script_span start = {.line = 1, .column = 1, .end_line = 1, .end_column = 1};
    script_error(&source, &start, SCRIPT_SYNTAX,
                 "there is no statement: a query is made of SELECT and INSERT statements");
  }
  return messages->n_errors == errors ? compile_commands(q, &p) : NULL;
}

query *query_compile(program *p, const char *text, size_t len, program_messages *messages) {
  arena memory;
  arena_init(&memory);
  compilation q = {.c = {.memory = &memory, .out = program_new()}, .program = p};
  uint32_t errors = messages->n_errors;
  query *out = compile(&q, text, len, messages);
  bool failed = !q.c.out || q.c.no_memory || memory.failed;
  if (failed && messages->n_errors == errors)
    program_messages_add(messages, &(program_message){.line = 1, .column = 1, .end_line = 1, .end_column = 1}, false,
                         SCRIPT_SEMANTICS, "", "out of memory");
  arena_fini(&memory);
  if (!out || messages->n_errors != errors) {
    program_unref(q.c.out);
    return NULL;
  }
  out->program = program_ref(p);
  out->arena = q.c.out;
  return out;
}
