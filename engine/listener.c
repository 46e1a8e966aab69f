/* listener.c - rows into and changes out of a program, for embedding programs.
 *
 * A listener is a wish that outlives runs: it is attached to each deployment
 * before that opens, so that it misses nothing, and detached when it has stopped. */
#include "engine/pipeline.h"

#include <stdlib.h>

struct hw_listener {
  hw_listener *next;             /* protected by the pipeline's lock */
  hw_pipeline *pipeline;         /* a reference */
  uint32_t relation;
  hw_listener_function *call;
  void *arg;
  deployment_listener *attached; /* NULL: to no deployment. Protected by the pipeline's lock */
};

/* ---- lock held ----------------------------------------------------------- */

static hw_status attach(hw_listener *l, deployment *d, hw_error *err) {
  hw_error why;
  l->attached = deployment_listen(d, l->relation, l->call, l->arg, &why);
  if (l->attached) return HW_OK;
  if (err) *err = why;
  return why.status;
}

hw_status listeners_attach(hw_pipeline *p, deployment *d, hw_error *err) {
  hw_status status = HW_OK;
  for (hw_listener *l = p->listeners; l && status == HW_OK; l = l->next) status = attach(l, d, err);
  return status;
}

void listeners_detach(hw_pipeline *p) {
  for (hw_listener *l = p->listeners; l; l = l->next) {
    if (l->attached) deployment_unlisten(l->attached);
    l->attached = NULL;
  }
}

static hw_status find_relation(const hw_pipeline *p, const char *name, uint32_t *out, hw_error *err) {
  if (!p->program)
    return hw_error_set(err, HW_ESTATE, "the program of pipeline '%s' is not compiled (%s)", p->name,
                        program_status_name(p->program_status));
  int i = program_find_relation(p->program, name);
  if (i < 0) return hw_error_set(err, HW_ENOTFOUND, "pipeline '%s' has no table or view %s", p->name, name);
  *out = (uint32_t)i;
  return HW_OK;
}

/* To the deployment there is, unless it is on its way out. */
static hw_status attach_now(hw_listener *l, hw_error *err) {
  const hw_pipeline *p = l->pipeline;
  bool there = p->run && p->run->deployment && p->status != DEPLOYMENT_STOPPING;
  return there ? attach(l, p->run->deployment, err) : HW_OK;
}

/* ---- listeners ----------------------------------------------------------- */

static hw_status join(hw_listener *l, const char *relation, hw_error *err) {
  hw_pipeline *p = l->pipeline;
  pipeline_lock(p);
  hw_status status = find_relation(p, relation, &l->relation, err);
  if (status == HW_OK) status = attach_now(l, err);
  if (status == HW_OK) {
    l->next = p->listeners;
    p->listeners = l;
  }
  pipeline_unlock(p);
  return status;
}

hw_listener *hw_listener_open(hw_pipeline *p, const char *relation, hw_listener_function *call, void *arg,
                              hw_error *err) {
  hw_listener *l = calloc(1, sizeof *l);
  if (!l) {
    (void)hw_error_set(err, HW_ENOMEM, "no memory for a listener");
    return NULL;
  }
  l->pipeline = hw_pipeline_ref(p);
  l->call = call;
  l->arg = arg;
  if (join(l, relation, err) == HW_OK) return l;
  hw_pipeline_unref(p);
  free(l);
  return NULL;
}

void hw_listener_close(hw_listener *l) {
  if (!l) return;
  hw_pipeline *p = l->pipeline;
  pipeline_lock(p);
  hw_listener **at = &p->listeners;
  while (*at != l) at = &(*at)->next;
  *at = l->next;
  deployment_listener *attached = l->attached;
  pipeline_unlock(p);
  if (attached) deployment_unlisten(attached);
  free(l);
  hw_pipeline_unref(p);
}

/* ---- producers ----------------------------------------------------------- */

/* With a producer there is more to come. */
static void not_complete(hw_pipeline *p) {
  pipeline_lock(p);
  p->complete = false;
  pipeline_unlock(p);
}

hw_producer *hw_producer_open(hw_pipeline *p, const char *table, hw_error *err) {
  const program *running;
  deployment *d = pipeline_deployed(p, &running, err);
  if (!d) return NULL;
  hw_producer *producer = NULL;
  int i = program_find_relation(running, table);
  if (i < 0 || running->relations[i].kind != PROGRAM_TABLE)
    (void)hw_error_set(err, HW_ENOTFOUND, "pipeline '%s' has no table %s", p->name, table);
  else
    producer = deployment_producer(d, (uint32_t)i, err);
  deployment_unref(d);
  if (producer) not_complete(p);
  return producer;
}
