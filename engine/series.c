/* series.c - what a pipeline did in the last minute, a sample a second. */
#include "engine/pipeline.h"

#include <stdlib.h>
#include <string.h>

struct series {
  char run[UUID_TEXT_SIZE]; /* the run that the samples are of */
  uint32_t n, next;         /* next: where the next one goes */
  pipeline_sample items[PIPELINE_SAMPLES];
};

void series_free(series *s) { free(s); }

/* Lock held. Without memory there is no history yet. True: it is not like the one before it. */
static bool add_sample(hw_pipeline *p, const pipeline_sample *sample) {
  if (!p->series) p->series = calloc(1, sizeof *p->series);
  series *s = p->series;
  if (!s) return false;
  if (strcmp(s->run, p->run->id) != 0) {
    memcpy(s->run, p->run->id, sizeof s->run);
    s->n = s->next = 0;
  }
  const pipeline_sample *last = &s->items[(s->next + PIPELINE_SAMPLES - 1) % PIPELINE_SAMPLES];
  bool moved = s->n == 0 || last->processed_records != sample->processed_records;
  s->items[s->next] = *sample;
  s->next = (s->next + 1) % PIPELINE_SAMPLES;
  if (s->n < PIPELINE_SAMPLES) s->n++;
  return moved;
}

static bool take_sample(hw_pipeline *p, pipeline_sample sample) {
  deployment *d = pipeline_deployment(p, NULL);
  if (!d) return false;
  sample.processed_records = deployment_processed(d);
  deployment_unref(d);
  pipeline_lock(p);
  bool moved = pipeline_check_interactive(p, NULL) == HW_OK && add_sample(p, &sample);
  pipeline_unlock(p);
  return moved;
}

hw_status manager_sample(hw_engine *engine, uint64_t resident_bytes, bool *moved) {
  hw_pipeline **all;
  size_t n;
  *moved = false;
  if (manager_list(engine, &all, &n) != HW_OK) return HW_ENOMEM;
  const pipeline_sample sample = {.at_us = wall_clock_us(), .resident_bytes = resident_bytes};
  for (size_t i = 0; i < n; i++) {
    if (take_sample(all[i], sample)) *moved = true;
    hw_pipeline_unref(all[i]);
  }
  free(all);
  return HW_OK;
}

hw_status pipeline_get_samples(hw_pipeline *p, pipeline_sample out[PIPELINE_SAMPLES], uint32_t *n, hw_error *err) {
  *n = 0;
  pipeline_lock(p);
  hw_status status = pipeline_check_interactive(p, err);
  const series *s = p->series;
  if (status == HW_OK && s && strcmp(s->run, p->run->id) == 0)
    for (*n = 0; *n < s->n; (*n)++)
      out[*n] = s->items[(s->next + PIPELINE_SAMPLES - s->n + *n) % PIPELINE_SAMPLES];
  pipeline_unlock(p);
  return status;
}
