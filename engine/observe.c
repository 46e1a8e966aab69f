/* observe.c - what others see of a pipeline: snapshots, statistics, its end. */
#include "engine/pipeline.h"
#include "runtime/deadline.h"

#include <errno.h>
#include <string.h>

/* ---- snapshot ------------------------------------------------------------ */

static bool copy_messages(program_messages *to, const program_messages *from) {
  for (uint32_t i = 0; i < from->n; i++) {
    const program_message *m = &from->items[i];
    program_messages_add(to, m, m->warning, m->type, m->snippet, "%s", m->message);
  }
  bool whole = to->n == from->n;
  to->n_errors = from->n_errors; /* may be more than are told */
  return whole;
}

/* What needs no memory. Lock held. */
static void copy_states(pipeline_info *out, const hw_pipeline *p) {
  memcpy(out->id, p->id, sizeof out->id);
  out->created_at_us = p->created_at_us;
  out->definition = pipeline_definition_ref(p->definition);
  out->refresh_version = p->refresh_version;
  out->program_status = p->program_status;
  out->program_status_since_us = p->program_status_since_us;
  out->program = p->program ? program_ref(p->program) : NULL;
  out->status = p->status;
  out->desired = p->desired;
  out->status_since_us = p->status_since_us;
  out->desired_since_us = p->desired_since_us;
  out->storage_in_use = p->storage_in_use;
  out->deployment_error = p->deployment_error;
  if (!p->run) return;
  if (p->status != DEPLOYMENT_STOPPED) memcpy(out->deployment_id, p->run->id, sizeof out->deployment_id);
  out->bootstrap = p->bootstrap;
  memcpy(out->deployment_initial, p->initial == HW_PAUSED ? "paused" : "running", p->initial == HW_PAUSED ? 7 : 8);
}

hw_status pipeline_get_info(hw_pipeline *p, pipeline_info *out) {
  *out = (pipeline_info){0};
  pipeline_lock(p);
  copy_states(out, p);
  bool ok = copy_messages(&out->messages, &p->messages);
  deployment *d = pipeline_check_interactive(p, NULL) == HW_OK ? deployment_ref(p->run->deployment) : NULL;
  pipeline_unlock(p);
  if (d) {
    out->num_errors = deployment_num_errors(d);
    deployment_unref(d);
  }
  if (ok) return HW_OK;
  pipeline_info_fini(out);
  return HW_ENOMEM;
}

void pipeline_info_fini(pipeline_info *info) {
  pipeline_definition_unref(info->definition);
  if (info->program) program_unref(info->program);
  program_messages_fini(&info->messages);
  *info = (pipeline_info){0};
}

hw_status pipeline_get_events(hw_pipeline *p, const char *id, pipeline_event **out, size_t *n) {
  pipeline_lock(p);
  hw_status status = event_ring_copy(&p->events, id, out, n);
  pipeline_unlock(p);
  return status;
}

logbook *pipeline_logbook(hw_pipeline *p) { return p->log; }

void pipeline_copy_id(const hw_pipeline *p, char out[37]) { memcpy(out, p->id, sizeof p->id); }

/* ---- statistics ---------------------------------------------------------- */

void manager_memory(const hw_engine *engine, uint64_t *used, uint64_t *limit) {
  *used = atomic_load(&engine->rt->mem.used);
  *limit = engine->rt->mem.limit;
}

hw_status pipeline_get_stats(hw_pipeline *p, bool with_errors, pipeline_stats *out, hw_error *err) {
  *out = (pipeline_stats){0};
  deployment *d = pipeline_deployment(p, err);
  if (!d) return HW_ESTATE;
  hw_status status = deployment_stats(d, with_errors, out);
  deployment_unref(d);
  if (status == HW_OK) return HW_OK;
  return hw_error_set(err, status, "the statistics of pipeline '%s' cannot be had: %s", p->name,
                      hw_status_text(status));
}

hw_status pipeline_get_connector_stats(hw_pipeline *p, bool is_input, const char *relation, const char *connector,
                                       connector_stats *out, hw_error *err) {
  *out = (connector_stats){0};
  const program *running;
  deployment *d = pipeline_deployed(p, &running, err);
  if (!d) return HW_ESTATE;
  hw_status status = HW_ENOTFOUND;
  int r = program_find_relation(running, relation);
  int index = r < 0 ? -1 : program_find_connector(running, (uint32_t)r, is_input, connector);
  if (r >= 0 && index < 0) status = deployment_extra_stats(d, (uint32_t)r, is_input, connector, out);
  if (index >= 0) status = deployment_connector_stats(d, (uint32_t)index, true, out);
  if (status == HW_ENOTFOUND) {
    (void)pipeline_find_connector(p, running, is_input, relation, connector, err); /* says so */
  } else {
    if (status != HW_OK)
      (void)hw_error_set(err, status, "the statistics of connector '%s' cannot be had: %s", connector,
                         hw_status_text(status));
  }
  deployment_unref(d);
  return status;
}

hw_status pipeline_get_latency(hw_pipeline *p, latency_summary *out) {
  *out = (latency_summary){0};
  deployment *d = pipeline_deployment(p, NULL);
  if (!d) return HW_ESTATE;
  deployment_latency(d, out);
  deployment_unref(d);
  return HW_OK;
}

/* ---- waiting for the end ------------------------------------------------- */

/* Lock held: whether it is over, and how. */
static bool is_over(const hw_pipeline *p, hw_error *how) {
  if (p->complete)
    *how = p->outcome;
  else if (p->run)
    return false;
  else if (p->deployment_error.status != HW_OK)
    *how = p->deployment_error;
  else
    (void)hw_error_code(how, HW_ESTATE, "PipelineInteractionNotDeployed", "pipeline '%s' is stopped and not complete",
                        p->name);
  return true;
}

hw_status hw_pipeline_wait(hw_pipeline *p, int64_t timeout_ms, hw_error *err) {
  struct timespec deadline = deadline_in(timeout_ms < 0 ? 0 : timeout_ms);
  hw_error how;
  int expired = 0;
  pipeline_lock(p);
  while (!is_over(p, &how) && expired != ETIMEDOUT) {
    p->locked = false;
    expired = timeout_ms < 0 ? pthread_cond_wait(&p->changed, &p->lock)
                             : pthread_cond_timedwait(&p->changed, &p->lock, &deadline);
    p->locked = true;
  }
  if (expired == ETIMEDOUT && !is_over(p, &how))
    (void)hw_error_set(&how, HW_ETIMEOUT, "pipeline '%s' is %s and not complete after %lld ms", p->name,
                       deployment_status_name(p->status), (long long)timeout_ms);
  pipeline_unlock(p);
  if (how.status != HW_OK && err) *err = how;
  return how.status;
}
