/* stats.c - freeing of statistics snapshots. */
#include "runtime/stats.h"

#include <stdlib.h>

static void errors_fini(connector_error_list *errors) {
  for (uint32_t i = 0; i < errors->n; i++) free(errors->items[i].message);
  free(errors->items);
}

void connector_stats_fini(connector_stats *s) {
  free(s->endpoint);
  free(s->relation);
  free(s->name);
  free(s->config_json);
  free(s->fatal_error);
  free(s->health_reason);
  free(s->position);
  errors_fini(&s->parse_errors);
  errors_fini(&s->transport_errors);
  errors_fini(&s->encode_errors);
  *s = (connector_stats){0};
}

void pipeline_stats_fini(pipeline_stats *s) {
  /* A snapshot that ran out of memory may have counts without arrays. */
  for (uint32_t i = 0; s->inputs && i < s->n_inputs; i++) connector_stats_fini(&s->inputs[i]);
  for (uint32_t i = 0; s->outputs && i < s->n_outputs; i++) connector_stats_fini(&s->outputs[i]);
  free(s->inputs);
  free(s->outputs);
  free(s->relations);
  *s = (pipeline_stats){0};
}
