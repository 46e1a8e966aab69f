/* graph_view.c - a program's operators: how they hang together, and what each has
 * done. A table is one operator; a branch of a view reads a relation, filters
 * and computes; a view of several branches is their union. */
#include "api/json_view.h"

#include <stdio.h>

/* ---- the graph ------------------------------------------------------------ */

static void view_input_node(json_writer *w, const char *node) {
  jw_object(w);
  jw_key_string(w, "node", node);
  jw_key_u64(w, "output", 0);
  jw_object_end(w);
}

static void begin_node(json_writer *w, const char *id, const char *operation) {
  jw_key_text(w, id);
  jw_object(w);
  jw_key_string(w, "operation", operation);
  jw_key(w, "inputs");
  jw_array(w);
}

/* A node with one input. */
static void view_step(json_writer *w, const char *id, const char *operation, const char *input) {
  begin_node(w, id, operation);
  view_input_node(w, input);
  jw_array_end(w);
  jw_object_end(w);
}

#define ID_MAX 400

static void name_step(char id[ID_MAX], const program_relation *r, uint32_t branch, const char *step) {
  snprintf(id, ID_MAX, "%s.%u.%s", r->schema.name, branch, step);
}

static void view_branch(json_writer *w, const program *p, const program_relation *r, uint32_t i) {
  char filter[ID_MAX], map[ID_MAX];
  const char *from = p->relations[r->branches[i].input].schema.name;
  name_step(filter, r, i, "filter");
  name_step(map, r, i, "map");
  if (r->branches[i].filter) view_step(w, filter, "filter", from);
  view_step(w, map, "map", r->branches[i].filter ? filter : from);
}

static void view_relation_node(json_writer *w, const program *p, const program_relation *r) {
  char id[ID_MAX];
  bool table = r->kind == PROGRAM_TABLE;
  for (uint32_t i = 0; i < r->n_branches; i++) view_branch(w, p, r, i);
  begin_node(w, r->schema.name, table ? "source" : r->n_branches > 1 ? "union" : "view");
  for (uint32_t i = 0; i < r->n_branches; i++) {
    name_step(id, r, i, "map");
    view_input_node(w, id);
  }
  jw_array_end(w);
  jw_key_string(w, table ? "table" : "view", r->schema.name);
  jw_object_end(w);
}

void view_dataflow(json_writer *w, const program *p) {
  jw_object(w);
  jw_key(w, "calcite_plan");
  jw_object(w);
  jw_object_end(w);
  jw_key(w, "mir");
  jw_object(w);
  for (uint32_t i = 0; i < p->n_relations; i++) view_relation_node(w, p, &p->relations[i]);
  jw_object_end(w);
  jw_object_end(w);
}

/* ---- the profile ---------------------------------------------------------- */

static void view_latency(json_writer *w, const char *key, const latency_counts *counts) {
  jw_key(w, key);
  jw_object(w);
  jw_key_u64(w, "count", counts->count);
  jw_key_u64(w, "total_micros", counts->sum_ns / 1000);
  jw_key_u64(w, "p99_micros", counts->p99_us);
  jw_object_end(w);
}

static void view_operator(json_writer *w, const program *p, uint32_t i, const relation_stats *s) {
  const program_relation *r = &p->relations[i];
  jw_object(w);
  jw_key_string(w, "relation", r->schema.name);
  jw_key_string(w, "kind", r->kind == PROGRAM_TABLE ? "table" : "view");
  jw_key(w, "inputs");
  jw_array(w);
  for (uint32_t k = 0; k < r->n_branches; k++) jw_string(w, p->relations[r->branches[k].input].schema.name);
  jw_array_end(w);
  jw_key_u64(w, "rows_in", s->brought ? s->brought : s->records + s->filtered);
  jw_key_u64(w, "rows_out", s->records);
  jw_key_u64(w, "batches", s->batches);
  jw_key_u64(w, "micros", s->ns / 1000);
  jw_key_u64(w, "stored_rows", s->stored_rows);
  jw_key_u64(w, "stored_bytes", s->stored_bytes);
  jw_object_end(w);
}

void view_profile(json_writer *w, const program *p, const pipeline_stats *s) {
  jw_object(w);
  jw_key_string(w, "incarnation_uuid", s->incarnation);
  jw_key_u64(w, "uptime_msecs", s->uptime_us / 1000);
  jw_key_u64(w, "steps", s->completed_steps);
  jw_key_u64(w, "output_stall_msecs", s->output_stall_us / 1000);
  view_latency(w, "step_time", &s->step_time);
  view_latency(w, "completion_latency", &s->completion);
  jw_key(w, "operators");
  jw_array(w);
  for (uint32_t i = 0; i < p->n_relations && i < s->n_relations; i++) view_operator(w, p, i, &s->relations[i]);
  jw_array_end(w);
  jw_object_end(w);
}
