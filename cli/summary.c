/* summary.c - what came of a run. */
#include "cli/summary.h"

#include "cli/human.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ERRORS_SHOWN 3 /* of each connector's list */

const char *summary_end_name(session_end end) {
  static const char *const names[] = {"complete", "ended by a signal", "cut short by a signal", "failed"};
  return names[end];
}

json_t *summary_checked(json_t *json) {
  if (json) return json;
  cli_complain("out of memory");
  exit(CLI_FAILED);
}

/* 0 when it never started. */
static double seconds(const session *s) { return s->ended > s->started ? s->ended - s->started : 0; }

/* To the microsecond: what the clock has beyond means nothing. */
static double rounded(double seconds) { return round(seconds * 1e6) / 1e6; }

/* ---- text ----------------------------------------------------------------- */

static void add_row(table *t, const connector_stats *c) {
  char records[HUMAN_MAX], bytes[HUMAN_MAX], bad[HUMAN_MAX], faults[HUMAN_MAX];
  const char *cells[] = {c->endpoint, c->is_input ? "in" : "out",
                         human_count(c->is_input ? c->total_records : c->transmitted_records, records),
                         human_bytes((double)(c->is_input ? c->total_bytes : c->transmitted_bytes), bytes),
                         human_count(c->is_input ? c->num_parse_errors : c->num_encode_errors, bad),
                         human_count(session_connector_faults(c), faults),
                         c->fatal_error         ? "failed"
                         : c->dropped_records   ? (c->is_input ? "the source dropped rows" : "rows were dropped")
                         : c->end_of_input      ? "at its end"
                         : c->paused            ? "paused"
                         : c->health_reason     ? c->health_reason
                                                : ""};
  table_row(t, cells);
}

static void print_errors(FILE *to, const connector_stats *c, const char *kind, const connector_error_list *list) {
  for (uint32_t i = 0; i < list->n && i < ERRORS_SHOWN; i++)
    fprintf(to, "  %s: %s: %s\n", c->endpoint, strcmp(list->items[i].tag, "retry") == 0 ? "tried again" : kind,
            list->items[i].message);
  if (list->n > ERRORS_SHOWN) fprintf(to, "  %s: and more\n", c->endpoint);
}

static void print_connector_errors(FILE *to, const connector_stats *c) {
  if (c->fatal_error) fprintf(to, "  %s: %s\n", c->endpoint, c->fatal_error);
  print_errors(to, c, "bad record", &c->parse_errors);
  print_errors(to, c, "bad record", &c->encode_errors);
  print_errors(to, c, "fault", &c->transport_errors);
}

void summary_print(FILE *to, const session *s, session_end end) {
  char time[HUMAN_MAX];
  fprintf(to, "%s: %s after %s\n", s->path, summary_end_name(end), human_seconds(seconds(s), time));
  const pipeline_stats *stats = &s->stats;
  if (stats->n_inputs + stats->n_outputs == 0) return;
  static const char *const titles[] = {"connector", "", ">rows", ">bytes", ">bad records", ">faults", "state"};
  table *t = table_new(7, titles);
  for (uint32_t i = 0; i < stats->n_inputs; i++) add_row(t, &stats->inputs[i]);
  for (uint32_t i = 0; i < stats->n_outputs; i++) add_row(t, &stats->outputs[i]);
  table_print(t, to, 2);
  for (uint32_t i = 0; i < stats->n_inputs; i++) print_connector_errors(to, &stats->inputs[i]);
  for (uint32_t i = 0; i < stats->n_outputs; i++) print_connector_errors(to, &stats->outputs[i]);
}

/* ---- JSON ----------------------------------------------------------------- */

static json_t *errors_json(const connector_stats *c) {
  json_t *errors = summary_checked(json_array());
  const struct {
    const char *kind;
    const connector_error_list *list;
  } lists[] = {{"parse", &c->parse_errors}, {"encode", &c->encode_errors}, {"transport", &c->transport_errors}};
  for (size_t k = 0; k < sizeof lists / sizeof *lists; k++)
    for (uint32_t i = 0; i < lists[k].list->n; i++)
      if (json_array_append_new(errors, json_pack("{ss ss}", "kind", lists[k].kind, "message",
                                                  lists[k].list->items[i].message)))
        summary_checked(NULL);
  return errors;
}

static json_t *connector_json(const connector_stats *c) {
  json_t *json = summary_checked(json_pack(
      "{ss sI sI sI sI sI sI so ss?}", "connector", c->endpoint,
      "rows", (json_int_t)(c->is_input ? c->total_records : c->transmitted_records),
      "bytes", (json_int_t)(c->is_input ? c->total_bytes : c->transmitted_bytes),
      "bad_records", (json_int_t)(c->is_input ? c->num_parse_errors : c->num_encode_errors),
      "faults", (json_int_t)session_connector_faults(c), "retries", (json_int_t)c->recovered_errors,
      "dropped", (json_int_t)c->dropped_records,
      "errors", errors_json(c), "fatal_error", c->fatal_error));
  if (c->is_input && json_object_set_new(json, "end_of_input", json_boolean(c->end_of_input))) summary_checked(NULL);
  return json;
}

static json_t *connectors_json(const connector_stats *items, uint32_t n) {
  json_t *list = summary_checked(json_array());
  for (uint32_t i = 0; i < n; i++)
    if (json_array_append_new(list, connector_json(&items[i]))) summary_checked(NULL);
  return list;
}

json_t *summary_json(const session *s, session_end end) {
  return summary_checked(json_pack("{ss ss sf sb ss? sI so so}", "program", s->path, "end", summary_end_name(end),
                                   "seconds", rounded(seconds(s)),
                                   "complete", (int)(end == SESSION_COMPLETE),
                                   "error", end == SESSION_FAILED ? s->error.message : NULL,
                                   "bad_records", (json_int_t)session_bad_records(s),
                                   "inputs", connectors_json(s->stats.inputs, s->stats.n_inputs),
                                   "outputs", connectors_json(s->stats.outputs, s->stats.n_outputs)));
}
