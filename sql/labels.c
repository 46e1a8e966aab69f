/* labels.c - start_after against labels: that they are there, and form no cycle.
 *
 * Connectors wait for labels, labels for the connectors that carry them. Who
 * waits for nothing is let go first, then the labels that only such carry, then
 * who waited for those, and so on; what is left waits for itself. */
#include "sql/connectors.h"

#include <stdio.h>
#include <string.h>

typedef struct edge {
  uint32_t connector;
  struct edge *next;
} edge;

typedef struct label {
  const char *name;
  edge *carriers, *waiters;
  uint32_t open; /* carriers not let go yet */
} label;

typedef struct graph {
  compiler *c;
  const program_connector *connectors;
  uint32_t n;
  name_table by_name;
  label *labels;
  uint32_t n_labels;
  uint32_t *pending; /* by connector: labels it still waits for */
  uint32_t *ready, n_ready;
  uint32_t *seen;    /* by connector: the walk that came by, from 1 */
} graph;

static void add_edge(graph *g, edge **list, uint32_t connector) {
  edge *e = arena_alloc(g->c->memory, sizeof *e);
  if (!e) return;
  *e = (edge){.connector = connector, .next = *list};
  *list = e;
}

/* ---- building ------------------------------------------------------------------ */

static void take_carried(graph *g, uint32_t i) {
  const program_connector *connector = &g->connectors[i];
  for (uint32_t k = 0; connector->is_input && k < connector->n_labels; k++) {
    const char *name = connector->labels[k];
    uint32_t at = name_table_get(&g->by_name, name);
    if (at == NAME_NONE) {
      at = g->n_labels++;
      g->labels[at].name = name;
      name_table_put(&g->by_name, g->c->memory, name, at);
    }
    add_edge(g, &g->labels[at].carriers, i);
    g->labels[at].open++;
  }
}

static void report_unknown(graph *g, uint32_t i, const char *name) {
  const char *names[64];
  char hint[COMPILER_HINT], known[512] = "";
  uint32_t n = 0;
  size_t len = 0;
  for (; n < g->n_labels && n < sizeof names / sizeof *names; n++) {
    names[n] = g->labels[n].name;
    if (len < sizeof known)
      len += (size_t)snprintf(known + len, sizeof known - len, "%s\"%.60s\"", n ? ", " : "", names[n]);
  }
  script_error(g->c->text, &g->c->connector_places[i], SCRIPT_CONNECTOR,
               "connector \"%.200s\": start_after names the label \"%.60s\", which no input connector carries%s (%s%s)",
               g->connectors[i].endpoint, name, compiler_hint(g->c, name, names, n, hint),
               n ? "there are: " : "there are no labels", known);
}

static void take_waiting(graph *g, uint32_t i) {
  const program_connector *connector = &g->connectors[i];
  for (uint32_t k = 0; connector->is_input && k < connector->n_start_after; k++) {
    uint32_t at = name_table_get(&g->by_name, connector->start_after[k]);
    if (at == NAME_NONE) {
      report_unknown(g, i, connector->start_after[k]);
      continue;
    }
    add_edge(g, &g->labels[at].waiters, i);
    g->pending[i]++;
  }
}

static bool build(graph *g) {
  uint32_t n_labels = 0;
  for (uint32_t i = 0; i < g->n; i++) n_labels += g->connectors[i].n_labels;
  arena *memory = g->c->memory;
  g->labels = arena_alloc(memory, (n_labels + 1) * sizeof *g->labels);
  g->pending = arena_alloc(memory, g->n * sizeof *g->pending);
  g->ready = arena_alloc(memory, g->n * sizeof *g->ready);
  g->seen = arena_alloc(memory, g->n * sizeof *g->seen);
  if (memory->failed) return false;
  for (uint32_t i = 0; i < g->n; i++) take_carried(g, i);
  for (uint32_t i = 0; i < g->n; i++) take_waiting(g, i);
  return !memory->failed;
}

/* ---- letting go ------------------------------------------------------------------- */

static void finish_label(graph *g, label *l) {
  for (const edge *e = l->waiters; e; e = e->next)
    if (--g->pending[e->connector] == 0) g->ready[g->n_ready++] = e->connector;
}

static void let_go(graph *g) {
  for (uint32_t i = 0; i < g->n; i++)
    if (g->pending[i] == 0) g->ready[g->n_ready++] = i;
  for (uint32_t done = 0; done < g->n_ready; done++) {
    const program_connector *connector = &g->connectors[g->ready[done]];
    for (uint32_t k = 0; connector->is_input && k < connector->n_labels; k++) {
      label *l = &g->labels[name_table_get(&g->by_name, connector->labels[k])];
      if (--l->open == 0) finish_label(g, l);
    }
  }
}

/* ---- cycles -------------------------------------------------------------------------- */

/* A connector that i waits for and that waits itself; *name: the label between them. */
static uint32_t next_in_cycle(const graph *g, uint32_t i, const char **name) {
  const program_connector *connector = &g->connectors[i];
  for (uint32_t k = 0; k < connector->n_start_after; k++) {
    uint32_t at = name_table_get(&g->by_name, connector->start_after[k]);
    if (at == NAME_NONE) continue;
    for (const edge *e = g->labels[at].carriers; e; e = e->next) {
      if (g->pending[e->connector] == 0) continue;
      *name = g->labels[at].name;
      return e->connector;
    }
  }
  return i;
}

static void report_cycle(const graph *g, uint32_t start) {
  char text[700] = "";
  size_t len = 0;
  uint32_t i = start;
  do {
    const char *name = "";
    uint32_t next = next_in_cycle(g, i, &name);
    if (len < sizeof text)
      len += (size_t)snprintf(text + len, sizeof text - len, "%s\"%.60s\" starts after \"%.60s\", carried by \"%.60s\"",
                              len ? "; " : "", g->connectors[i].endpoint, name, g->connectors[next].endpoint);
    i = next;
  } while (i != start);
  script_error(g->c->text, &g->c->connector_places[start], SCRIPT_CONNECTOR,
               "connectors wait for each other: %s (CyclicDependency)", text);
}

static void find_cycles(graph *g) {
  const char *name;
  for (uint32_t i = 0, walk = 0; i < g->n; i++) {
    if (g->pending[i] == 0 || g->seen[i]) continue;
    uint32_t at = i;
    for (walk++; !g->seen[at]; at = next_in_cycle(g, at, &name)) g->seen[at] = walk;
    if (g->seen[at] == walk) report_cycle(g, at);
  }
}

void connectors_link(compiler *c) {
  graph g = {.c = c, .connectors = c->connectors, .n = c->out->n_connectors};
  if (g.n == 0 || c->no_memory || c->memory->failed || !build(&g)) return;
  let_go(&g);
  if (g.n_ready < g.n) find_cycles(&g);
}
