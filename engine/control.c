/* control.c - pause and start of a running pipeline and of its connectors.
 *
 * All go through the pipeline's outbox, so that deployment_status, and what is kept
 * of the connectors, end as the last accepted call wants them. A call takes effect
 * while the catalog writes it down, and is answered when both are done. */
#include "engine/pipeline.h"

#include <stdio.h>
#include <string.h>

hw_status pipeline_check_interactive(const hw_pipeline *p, hw_error *err) {
  switch (p->status) {
  case DEPLOYMENT_PAUSED:
  case DEPLOYMENT_RUNNING: return HW_OK;
  case DEPLOYMENT_INITIALIZING:
    return hw_error_code(err, HW_ESTATE, "Initializing",
                         "pipeline '%s' is still opening its connectors: try again soon", p->name);
  case DEPLOYMENT_STOPPED:
  case DEPLOYMENT_PROVISIONING:
  case DEPLOYMENT_STOPPING: break;
  }
  return hw_error_code(err, HW_ESTATE, "PipelineInteractionNotDeployed",
                       "pipeline '%s' is %s (desired: %s): this needs one that is Running or Paused", p->name,
                       deployment_status_name(p->status), deployment_status_name(p->desired));
}

deployment *pipeline_deployed(hw_pipeline *p, const program **running, hw_error *err) {
  pipeline_lock(p);
  deployment *d = pipeline_check_interactive(p, err) == HW_OK ? deployment_ref(p->run->deployment) : NULL;
  *running = d ? p->program : NULL;
  pipeline_unlock(p);
  return d;
}

deployment *pipeline_deployment(hw_pipeline *p, hw_error *err) {
  const program *running;
  return pipeline_deployed(p, &running, err);
}

/* ---- calls ---------------------------------------------------------------- */

static deployment_status target(const request *q) { return q->flag ? DEPLOYMENT_PAUSED : DEPLOYMENT_RUNNING; }

static void take_answer(request *q, const hw_reply *reply) {
  q->epoch = reply->epoch;
  q->total_records = reply->total_records;
  bool any = reply->position && *reply->position;
  q->position = any ? strdup(reply->position) : NULL;
  if (any && !q->position) (void)hw_error_set(&q->error, HW_ENOMEM, "no memory for a position");
}

static void controlled(void *arg, const hw_reply *reply) {
  request *q = arg;
  run *r = q->run;
  hw_pipeline *p = r->pipeline;
  take_answer(q, reply);
  pipeline_lock(p);
  bool up = p->status == DEPLOYMENT_PAUSED || p->status == DEPLOYMENT_RUNNING;
  bool moves = q->connector == DEPLOYMENT_ALL && reply->status == HW_OK && up && p->run == r;
  if (moves && p->status != target(q)) pipeline_set_status(p, target(q));
  request_part(p, q, reply->error);
  run_unref(r);
  pipeline_unlock(p);
}

static void deliver_control(effect *e) {
  request *q = (request *)e;
  deployment_control(q->run->deployment, q->connector, q->flag, controlled, q);
}

/* Lock held; what is kept has been changed. */
static void control_later(hw_pipeline *p, request *q) {
  q->run = p->run;
  q->run->refs++;
  q->effect.deliver = deliver_control;
  pipeline_keep_then(p, q);
  pipeline_post(p, &q->effect);
}

/* ---- the pipeline -------------------------------------------------------- */

static hw_status control(hw_pipeline *p, bool pause, hw_done *done, void *arg, hw_error *err) {
  request *q = request_new(done, arg, pause, err);
  if (!q) return HW_ENOMEM;
  pipeline_lock(p);
  hw_status status = pipeline_check_interactive(p, err);
  if (status == HW_OK) {
    pipeline_set_desired(p, target(q));
    pipeline_want(p, target(q));
    control_later(p, q);
  } else {
    request_free(q);
  }
  pipeline_unlock(p);
  return status;
}

static hw_status control_or_wait(hw_pipeline *p, bool pause, hw_done *done, void *arg, hw_error *err) {
  if (done) return control(p, pause, done, arg, err);
  waiter w;
  waiter_init(&w);
  return waiter_finish(&w, control(p, pause, waiter_done, &w, err), err);
}

hw_status hw_pipeline_pause(hw_pipeline *p, hw_done *done, void *arg, hw_error *err) {
  return control_or_wait(p, true, done, arg, err);
}

hw_status hw_pipeline_resume(hw_pipeline *p, hw_done *done, void *arg, hw_error *err) {
  return control_or_wait(p, false, done, arg, err);
}

/* ---- its connectors ------------------------------------------------------ */

/* "a.b, c.d, ..." as far as there is room. */
static void list_endpoints(const program *prog, bool is_input, char *out, size_t size) {
  size_t at = 0;
  out[0] = '\0';
  for (uint32_t i = 0; i < prog->n_connectors && at < size; i++)
    if (prog->connectors[i].is_input == is_input)
      at += (size_t)snprintf(out + at, size - at, "%s%s", at ? ", " : "", prog->connectors[i].endpoint);
  if (at >= size) memcpy(out + size - 4, "...", 4);
  if (at == 0) snprintf(out, size, "none");
}

/* The name by SQL's rule: unquoted text is folded, quotes are taken off. */
static void fold_name(const char *name, char *out, size_t size) {
  size_t len = strlen(name);
  bool quoted = len >= 2 && name[0] == '"' && name[len - 1] == '"';
  if (quoted) {
    snprintf(out, size, "%.*s", (int)(len - 2), name + 1);
    return;
  }
  snprintf(out, size, "%s", name);
  for (char *c = out; *c; c++)
    if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + 32);
}

static hw_status unknown_endpoint(const hw_pipeline *p, const program *running, bool is_input, const char *relation,
                                  const char *connector, hw_error *err) {
  char folded[200], there[400];
  fold_name(relation, folded, sizeof folded);
  list_endpoints(running, is_input, there, sizeof there);
  const char *direction = is_input ? "input" : "output";
  return hw_error_code(err, HW_ENOTFOUND, is_input ? "UnknownInputEndpoint" : "UnknownOutputEndpoint",
                       "unknown %s endpoint name '%s.%.100s' (pipeline '%s' has: %s)", direction, folded, connector,
                       p->name, there);
}

int64_t pipeline_find_connector(const hw_pipeline *p, const program *running, bool is_input, const char *relation,
                                const char *connector, hw_error *err) {
  int r = program_find_relation(running, relation);
  int c = r < 0 ? -1 : program_find_connector(running, (uint32_t)r, is_input, connector);
  if (c < 0) (void)unknown_endpoint(p, running, is_input, relation, connector, err);
  return c;
}

/* Lock held. */
static hw_status switch_connector(hw_pipeline *p, bool is_input, const char *relation, const char *connector,
                                  request *q, hw_error *err) {
  hw_status status = pipeline_check_interactive(p, err);
  if (status != HW_OK) return status;
  int64_t index = pipeline_find_connector(p, p->program, is_input, relation, connector, err);
  if (index < 0) return HW_ENOTFOUND;
  q->connector = (uint32_t)index;
  status = pipeline_set_switch(p, q->connector, q->flag ? SWITCH_PAUSED : SWITCH_STARTED, err);
  if (status == HW_OK) control_later(p, q);
  return status;
}

hw_status pipeline_control_connector(hw_pipeline *p, bool is_input, const char *relation, const char *connector,
                                     bool pause, hw_done *done, void *arg, hw_error *err) {
  request *q = request_new(done, arg, pause, err);
  if (!q) return HW_ENOMEM;
  pipeline_lock(p);
  hw_status status = switch_connector(p, is_input, relation, connector, q, err);
  if (status != HW_OK) request_free(q);
  pipeline_unlock(p);
  return status;
}

/* A table's connectors are inputs, a view's are outputs. */
static bool is_view(hw_pipeline *p, const char *relation) {
  pipeline_lock(p);
  const program *prog = p->program;
  int r = prog ? program_find_relation(prog, relation) : -1;
  bool view = r >= 0 && prog->relations[r].kind == PROGRAM_VIEW;
  pipeline_unlock(p);
  return view;
}

static hw_status control_connector_or_wait(hw_pipeline *p, const char *relation, const char *connector, bool pause,
                                           hw_done *done, void *arg, hw_error *err) {
  bool is_input = !is_view(p, relation);
  if (done) return pipeline_control_connector(p, is_input, relation, connector, pause, done, arg, err);
  waiter w;
  waiter_init(&w);
  hw_status st = pipeline_control_connector(p, is_input, relation, connector, pause, waiter_done, &w, err);
  return waiter_finish(&w, st, err);
}

hw_status hw_connector_pause(hw_pipeline *p, const char *relation, const char *connector, hw_done *done, void *arg,
                             hw_error *err) {
  return control_connector_or_wait(p, relation, connector, true, done, arg, err);
}

hw_status hw_connector_start(hw_pipeline *p, const char *relation, const char *connector, hw_done *done, void *arg,
                             hw_error *err) {
  return control_connector_or_wait(p, relation, connector, false, done, arg, err);
}
