/* property.c - WITH ('key' = 'value', ...). */
#include "sql/compiler.h"
#include "sql/connectors.h"

#include <string.h>
#include <strings.h>

static bool take_boolean(compiler *c, const ast_property *property, bool *out) {
  const char *value = property->value->data;
  *out = strcasecmp(value, "true") == 0;
  if (*out || strcasecmp(value, "false") == 0) return true;
  compiler_error(c, &property->value->span, "property '%s' is 'true' or 'false', found '%.60s'", property->key->data,
                 value);
  return false;
}

static void take_materialized(compiler *c, uint32_t index, const ast_property *property) {
  bool value;
  if (take_boolean(c, property, &value)) c->made[index].materialized |= value;
}

static void take_append_only(compiler *c, uint32_t index, const ast_property *property) {
  bool value;
  if (!take_boolean(c, property, &value)) return;
  if (c->made[index].kind == PROGRAM_VIEW)
    compiler_error(c, &property->key->span, "property 'append_only' belongs to tables, \"%.100s\" is a view",
                   c->made[index].schema.name);
  else if (value && c->made[index].n_key)
    compiler_error(c, &property->key->span,
                   "table \"%.100s\" has a PRIMARY KEY, so an insert may replace a row: it cannot be 'append_only'; "
                   "drop one of the two",
                   c->made[index].schema.name);
  else
    c->made[index].schema.append_only = value;
}

static void take_connectors(compiler *c, uint32_t index, const ast_property *property) {
  if (c->made[index].local)
    compiler_error(c, &property->key->span,
                   "LOCAL view \"%.100s\" has no output, so no connectors: drop LOCAL, or 'connectors'",
                   c->made[index].schema.name);
  connectors_compile(c, index, property);
}

static const struct {
  const char *key;
  void (*take)(compiler *c, uint32_t index, const ast_property *property);
} known[] = {
    {"append_only", take_append_only},
    {"connectors", take_connectors},
    {"materialized", take_materialized},
};

#define N_KNOWN ((uint32_t)(sizeof known / sizeof *known))

static void warn_unknown(compiler *c, const ast_property *property) {
  const char *names[N_KNOWN];
  char hint[COMPILER_HINT];
  for (uint32_t i = 0; i < N_KNOWN; i++) names[i] = known[i].key;
  compiler_warning(c, &property->key->span,
                   "unknown property '%.60s' has no effect%s (known: append_only, connectors, materialized)",
                   property->key->data, compiler_hint(c, property->key->data, names, N_KNOWN, hint));
}

static void take_property(compiler *c, uint32_t index, const ast_property *property) {
  for (uint32_t i = 0; i < N_KNOWN; i++) {
    if (strcmp(known[i].key, property->key->data) != 0) continue;
    known[i].take(c, index, property);
    return;
  }
  warn_unknown(c, property);
}

void properties_compile(compiler *c, uint32_t index, const ast_statement *s) {
  uint32_t n = 0;
  name_table seen = {0};
  program_property *made = compiler_alloc(c, (s->properties.n + 1) * sizeof *made);
  if (!made) return;
  for (const ast_property *p = s->properties.first; p; p = p->next) {
    const script_span *key = &p->key->span, *value = &p->value->span;
    if (!name_table_put(&seen, c->memory, p->key->data, n)) {
      compiler_error(c, key, "property '%.60s' is given twice", p->key->data);
      continue;
    }
    made[n++] = (program_property){.key = compiler_strdup(c, p->key->data, p->key->len),
                                   .value = compiler_strdup(c, p->value->data, p->value->len),
                                   .key_line = key->line, .key_column = key->column,
                                   .value_line = value->line, .value_column = value->column};
    take_property(c, index, p);
  }
  c->made[index].properties = made;
  c->made[index].n_properties = n;
}
