/* listener.c - an embedding program's callback on a relation's changes.
 *
 * Only the pipeline's task may change the circuit, so coming and going are
 * wishes that it fulfils between steps; a listener's close waits for that. */
#include "runtime/deployment_impl.h"

#include <stdlib.h>

typedef enum wish { WISH_ATTACH, WISH_NONE, WISH_DETACH, WISH_GONE } wish;

struct deployment_listener {
  deployment *d; /* a reference */
  uint32_t relation;
  hw_listener_function *call;
  void *arg;
  wish wish;             /* protected by the deployment's lock */
  deployment_listener *next;     /* the same */
};

static hw_status deliver(void *arg, batch *b) {
  deployment_listener *l = arg;
  l->call(l->arg, &b->pub);
  return HW_OK;
}

deployment_listener *deployment_listen(deployment *d, uint32_t relation, hw_listener_function *call, void *arg,
                                       hw_error *err) {
  deployment_listener *l = calloc(1, sizeof *l);
  if (!l) {
    hw_error_set(err, HW_ENOMEM, "no memory for a listener");
    return NULL;
  }
  *l = (deployment_listener){.d = deployment_ref(d), .relation = relation, .call = call, .arg = arg};
  l->wish = WISH_ATTACH;
  pthread_mutex_lock(&d->lock);
  if (deployment_phase(d) == PHASE_CLOSED) l->wish = WISH_GONE;
  l->next = d->listeners;
  d->listeners = l;
  pthread_mutex_unlock(&d->lock);
  if (deployment_phase(d) != PHASE_NEW) task_notify(&d->task); /* else opening does */
  return l;
}

/* Lock held. */
static void fulfil(deployment *d, deployment_listener *l) {
  if (l->wish == WISH_ATTACH && circuit_attach(d->circuit, l->relation, deliver, l) == HW_OK) l->wish = WISH_NONE;
  if (l->wish != WISH_DETACH) return;
  circuit_detach(d->circuit, l->relation, deliver, l);
  l->wish = WISH_GONE;
  pthread_cond_broadcast(&d->changed);
}

void listeners_update(deployment *d) {
  pthread_mutex_lock(&d->lock);
  for (deployment_listener *l = d->listeners; l; l = l->next) fulfil(d, l);
  pthread_mutex_unlock(&d->lock);
}

void listeners_close(deployment *d) {
  pthread_mutex_lock(&d->lock);
  for (deployment_listener *l = d->listeners; l; l = l->next) l->wish = WISH_GONE;
  pthread_cond_broadcast(&d->changed);
  pthread_mutex_unlock(&d->lock);
}

void deployment_unlisten(deployment_listener *l) {
  deployment *d = l->d;
  pthread_mutex_lock(&d->lock);
  if (l->wish == WISH_ATTACH) l->wish = WISH_GONE;
  if (l->wish == WISH_NONE) {
    l->wish = WISH_DETACH;
    task_notify(&d->task); /* it is open, or it could not have been attached */
  }
  while (l->wish != WISH_GONE) pthread_cond_wait(&d->changed, &d->lock);
  deployment_listener **at = &d->listeners;
  while (*at != l) at = &(*at)->next;
  *at = l->next;
  pthread_mutex_unlock(&d->lock);
  free(l);
  deployment_unref(d);
}
