/* account.c - is every record at every sink?
 *
 * Inputs, circuit and outputs count on their own, each where it works; here the
 * counts meet:
 *
 *   rows of a table's inputs            = rows of the table, or, where it has a
 *                                         PRIMARY KEY, rows brought to its upserts
 *   rows of the relations a view reads  = rows of the view + rows its filters dropped
 *   rows of a relation                  = rows each output wrote + rows it could not encode */
#include "cli/account.h"

#include <stdio.h>
#include <string.h>

static uint64_t rows_from_inputs(const program_relation *r, const pipeline_stats *stats) {
  uint64_t n = 0;
  for (uint32_t i = 0; i < stats->n_inputs; i++)
    if (strcmp(stats->inputs[i].relation, r->schema.name) == 0) n += stats->inputs[i].total_records;
  return n;
}

static uint64_t rows_from_branches(const program_relation *r, const pipeline_stats *stats) {
  uint64_t n = 0;
  for (uint32_t i = 0; i < r->n_branches; i++) n += stats->relations[r->branches[i].input].records;
  return n;
}

/* A relation that nothing looks at is not computed. */
static bool is_computed(const program *p, uint32_t index) {
  for (uint32_t i = 0; i < p->n_connectors; i++)
    if (!p->connectors[i].is_input && p->connectors[i].relation == index) return true;
  for (uint32_t i = index + 1; i < p->n_relations; i++)
    for (uint32_t k = 0; k < p->relations[i].n_branches; k++)
      if (p->relations[i].branches[k].input == index && is_computed(p, i)) return true;
  return false;
}

static bool check_relation(const program *p, uint32_t index, const pipeline_stats *stats, char *finding) {
  const program_relation *r = &p->relations[index];
  const relation_stats *counted = &stats->relations[index];
  bool table = r->kind == PROGRAM_TABLE;
  uint64_t in = table ? rows_from_inputs(r, stats) : rows_from_branches(r, stats);
  if (r->n_key) {
    if (in == counted->brought) return true;
    snprintf(finding, ACCOUNT_FINDING_MAX, "table %s: %llu rows came in, %llu were brought to its keys", r->schema.name,
             (unsigned long long)in, (unsigned long long)counted->brought);
    return false;
  }
  if (in == counted->records + counted->filtered || !is_computed(p, index)) return true;
  snprintf(finding, ACCOUNT_FINDING_MAX, "%s %s: %llu rows came in, %llu came out and %llu were filtered",
           table ? "table" : "view", r->schema.name, (unsigned long long)in, (unsigned long long)counted->records,
           (unsigned long long)counted->filtered);
  return false;
}

static bool check_output(const program *p, const connector_stats *output, const pipeline_stats *stats, char *finding) {
  for (uint32_t i = 0; i < p->n_relations; i++) {
    if (strcmp(p->relations[i].schema.name, output->relation) != 0) continue;
    uint64_t rows = stats->relations[i].records, done = output->transmitted_records + output->num_encode_errors;
    if (rows == done) return true;
    snprintf(finding, ACCOUNT_FINDING_MAX, "%s: %llu rows were to be written, %llu were and %llu could not be encoded",
             output->endpoint, (unsigned long long)rows, (unsigned long long)output->transmitted_records,
             (unsigned long long)output->num_encode_errors);
    return false;
  }
  snprintf(finding, ACCOUNT_FINDING_MAX, "%s: its relation is not in the program", output->endpoint);
  return false;
}

bool account_check(const program *p, const pipeline_stats *stats, char finding[ACCOUNT_FINDING_MAX]) {
  if (stats->n_relations != p->n_relations) {
    snprintf(finding, ACCOUNT_FINDING_MAX, "the rows of the relations were not counted");
    return false;
  }
  for (uint32_t i = 0; i < p->n_relations; i++)
    if (!check_relation(p, i, stats, finding)) return false;
  for (uint32_t i = 0; i < stats->n_outputs; i++)
    if (!check_output(p, &stats->outputs[i], stats, finding)) return false;
  return true;
}
