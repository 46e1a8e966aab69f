/* program.c - life of compiled programs, finding things in them, and messages. */
#include "runtime/program.h"

#include "runtime/arena.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct program_arena {
  arena memory;
};

/* ---- life ---------------------------------------------------------------- */

program *program_new(void) {
  program *p = calloc(1, sizeof *p);
  if (!p) return NULL;
  p->arena = calloc(1, sizeof *p->arena);
  if (!p->arena) {
    free(p);
    return NULL;
  }
  arena_init(&p->arena->memory);
  atomic_init(&p->refs, 1);
  return p;
}

void *program_alloc(program *p, size_t size) { return arena_alloc(&p->arena->memory, size); }

char *program_strdup(program *p, const char *s, size_t len) { return arena_strdup(&p->arena->memory, s, len); }

program *program_ref(program *p) {
  atomic_fetch_add(&p->refs, 1);
  return p;
}

void program_unref(program *p) {
  if (!p || atomic_fetch_sub(&p->refs, 1) != 1) return;
  for (uint32_t i = 0; i < p->n_connectors; i++) {
    config_free(p->connectors[i].transport_config);
    config_free(p->connectors[i].format_config);
  }
  arena_fini(&p->arena->memory);
  free(p->arena);
  free(p);
}

/* ---- finding ------------------------------------------------------------- */

static bool is_quoted(const char *name, size_t len) { return len >= 2 && name[0] == '"' && name[len - 1] == '"'; }

/* Whether text between double quotes, where "" stands for one, spells name. */
static bool quoted_equals(const char *text, size_t len, const char *name) {
  size_t i = 0;
  for (; i < len && *name; i++, name++) {
    if (text[i] != *name) return false;
    if (text[i] == '"' && i + 1 < len && text[i + 1] == '"') i++;
  }
  return i == len && !*name;
}

static bool folded_equals(const char *text, const char *name) {
  for (; *text && *name; text++, name++) {
    char c = *text >= 'A' && *text <= 'Z' ? (char)(*text + 32) : *text;
    if (c != *name) return false;
  }
  return !*text && !*name;
}

static bool means(const char *name, const char *candidate) {
  size_t len = strlen(name);
  return is_quoted(name, len) ? quoted_equals(name + 1, len - 2, candidate) : folded_equals(name, candidate);
}

int program_find_relation(const program *p, const char *name) {
  for (uint32_t i = 0; i < p->n_relations; i++)
    if (means(name, p->relations[i].schema.name)) return (int)i;
  return -1;
}

bool program_names_letters(const char *name) { return means(name, PROGRAM_LETTERS_NAME); }

int program_find_connector(const program *p, uint32_t relation, bool is_input, const char *name) {
  for (uint32_t i = 0; i < p->n_connectors; i++) {
    const program_connector *c = &p->connectors[i];
    if (c->relation == relation && c->is_input == is_input && strcmp(c->name, name) == 0) return (int)i;
  }
  return -1;
}

/* ---- messages ------------------------------------------------------------ */

static program_message *add_slot(program_messages *ms) {
  if (ms->n == ms->capacity) {
    uint32_t capacity = ms->capacity ? ms->capacity * 2 : 8;
    program_message *items = realloc(ms->items, capacity * sizeof *items);
    if (!items) return NULL;
    ms->items = items;
    ms->capacity = capacity;
  }
  return &ms->items[ms->n];
}

void program_messages_add(program_messages *ms, const program_message *where, bool warning, const char *type,
                          const char *snippet, const char *fmt, ...) {
  if (!warning) ms->n_errors++;
  program_message *m = add_slot(ms);
  if (!m) return;
  *m = *where;
  m->warning = warning;
  m->type = strdup(type);
  m->snippet = strdup(snippet);
  va_list args;
  va_start(args, fmt);
  if (vasprintf(&m->message, fmt, args) < 0) m->message = NULL;
  va_end(args);
  if (m->type && m->snippet && m->message) {
    ms->n++;
    return;
  }
  free(m->type);
  free(m->snippet);
  free(m->message);
}

void program_messages_fini(program_messages *ms) {
  for (uint32_t i = 0; i < ms->n; i++) {
    free(ms->items[i].type);
    free(ms->items[i].message);
    free(ms->items[i].snippet);
  }
  free(ms->items);
  *ms = (program_messages){0};
}
