/* compile.c - from text to program: the order of things. */
#include "sql/compile.h"

#include "sql/compiler.h"
#include "sql/connectors.h"
#include "sql/parser.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- helpers of the parts -------------------------------------------------------- */

void *compiler_alloc(compiler *c, size_t size) {
  void *p = program_alloc(c->out, size);
  if (!p) c->no_memory = true;
  return p;
}

char *compiler_strdup(compiler *c, const char *s, size_t len) {
  char *copy = program_strdup(c->out, s, len);
  if (!copy) c->no_memory = true;
  return copy;
}

void compiler_error(compiler *c, const script_span *at, const char *fmt, ...) {
  char message[1024];
  va_list args;
  va_start(args, fmt);
  vsnprintf(message, sizeof message, fmt, args);
  va_end(args);
  script_error(c->text, at, SCRIPT_SEMANTICS, "%s", message);
}

void compiler_warning(compiler *c, const script_span *at, const char *fmt, ...) {
  char message[1024];
  va_list args;
  va_start(args, fmt);
  vsnprintf(message, sizeof message, fmt, args);
  va_end(args);
  script_warning(c->text, at, SCRIPT_SEMANTICS, "%s", message);
}

/* ---- suggestions ------------------------------------------------------------------ */

#define SUGGESTIONS_MAX 100
#define SUGGESTED_NAMES_MAX 5000

const char *compiler_hint(compiler *c, const char *name, const char *const *names, uint32_t n, char *hint) {
  hint[0] = '\0';
  if (c->suggestions++ >= SUGGESTIONS_MAX) return hint;
  const char **list = arena_alloc(c->memory, ((size_t)n + 1) * sizeof *list);
  if (!list) return hint;
  memcpy(list, names, n * sizeof *list);
  const char *nearest = config_nearest(name, list);
  if (nearest) snprintf(hint, COMPILER_HINT, "; did you mean \"%.64s\"?", nearest);
  return hint;
}

const char *compiler_relation_hint(compiler *c, const char *name, char *hint) {
  const char *names[SUGGESTED_NAMES_MAX];
  uint32_t n = 0;
  for (; n + 1 < c->n_made && n < SUGGESTED_NAMES_MAX; n++) names[n] = c->made[n].schema.name;
  return compiler_hint(c, name, names, n, hint);
}

const char *compiler_column_hint(compiler *c, const relation_info *r, const char *name, char *hint) {
  const char *names[SUGGESTED_NAMES_MAX];
  const hw_schema *schema = &r->relation->schema;
  uint32_t n = 0;
  for (; n < schema->n_fields && n < SUGGESTED_NAMES_MAX; n++) names[n] = schema->fields[n].name;
  return compiler_hint(c, name, names, n, hint);
}

/* ---- statements --------------------------------------------------------------------- */

static void compile_statement(compiler *c, const ast_statement *s) {
  uint32_t index = c->n_made++;
  relation_info *info = &c->infos[index];
  program_relation *r = info->relation = &c->made[index];
  r->kind = s->kind;
  r->case_sensitive = s->name->quoted;
  r->schema.name = compiler_strdup(c, s->name->text, strlen(s->name->text));
  if (!r->schema.name) return;
  bool taken = name_table_get(&c->relations, s->name->text) != NAME_NONE;
  if (!s->broken) {
    if (s->kind == PROGRAM_TABLE) table_compile(c, index, s);
    else view_compile(c, index, s);
    properties_compile(c, index, s);
  }
  if (strcmp(r->schema.name, PROGRAM_LETTERS_NAME) == 0)
    compiler_error(c, &s->name->span,
                   "\"" PROGRAM_LETTERS_NAME "\" is the system relation of records that inputs could not read: give "
                   "this %s another name",
                   s->kind == PROGRAM_TABLE ? "table" : "view");
  if (taken && !s->broken)
    compiler_error(c, &s->name->span, "there is a table or view \"%.100s\" already", s->name->text);
  else if (!taken)
    name_table_put(&c->relations, c->memory, r->schema.name, index);
}

static bool compile_statements(compiler *c, const parser *p) {
  c->made = compiler_alloc(c, (p->n_statements + 1) * sizeof *c->made);
  c->infos = arena_alloc(c->memory, (p->n_statements + 1) * sizeof *c->infos);
  if (!c->made || !c->infos) return false;
  c->out->relations = c->made;
  for (const ast_statement *s = p->first; s && !c->no_memory && !c->memory->failed; s = s->next)
    compile_statement(c, s);
  c->out->n_relations = c->n_made;
  connectors_link(c);
  return !c->no_memory && !c->memory->failed;
}

static bool compile(compiler *c, script *text, const char *data, size_t len, program_messages *messages) {
  parser p;
  if (!script_init(text, c->memory, data, len, messages)) return !c->memory->failed;
  c->text = text;
  return parser_run(&p, text, c->memory) && compile_statements(c, &p);
}

static int compare_places(const void *a, const void *b) {
  const program_message *x = a, *y = b;
  int lines = (x->line > y->line) - (x->line < y->line);
  return lines ? lines : (x->column > y->column) - (x->column < y->column);
}

program *program_compile(const char *text, size_t len, program_messages *messages) {
  arena memory;
  arena_init(&memory);
  script source;
  compiler c = {.memory = &memory, .out = program_new()};
  uint32_t errors = messages->n_errors, n = messages->n;
  if (!c.out || !compile(&c, &source, text, len, messages))
    program_messages_add(messages, &(program_message){.line = 1, .column = 1, .end_line = 1, .end_column = 1}, false,
                         SCRIPT_SEMANTICS, "", "out of memory");
  if (messages->n > n) qsort(messages->items + n, messages->n - n, sizeof *messages->items, compare_places);
  arena_fini(&memory);
  if (messages->n_errors == errors) return c.out;
  program_unref(c.out);
  return NULL;
}
