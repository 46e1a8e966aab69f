/* listener.c - an embedding program's callback on a relation's changes.
 *
 * Only the pipeline's task may change the circuit, so coming and going are
 * wishes that it fulfils, coming between steps; a listener's close waits for that. */
#include "runtime/deployment_impl.h"

#include <stdlib.h>

typedef enum wish { WISH_ATTACH, WISH_NONE, WISH_DETACH, WISH_GONE } wish;

struct deployment_listener {
  deployment *d; /* a reference */
  uint32_t relation;
  hw_listener_function *call;
  listener_begin *begin; /* NULL: changes only */
  void *arg;
  wish wish;             /* protected by the deployment's lock */
  deployment_listener *next;     /* the same */
};

static hw_status deliver(void *arg, batch *b) {
  deployment_listener *l = arg;
  l->call(l->arg, &b->pub);
  return HW_OK;
}

static deployment_listener *listen(deployment *d, uint32_t relation, listener_begin *begin, hw_listener_function *call,
                                   void *arg, hw_error *err) {
  deployment_listener *l = calloc(1, sizeof *l);
  if (!l) {
    hw_error_set(err, HW_ENOMEM, "no memory for a listener");
    return NULL;
  }
  *l = (deployment_listener){.d = deployment_ref(d), .relation = relation, .call = call, .begin = begin,
                             .arg = arg};
  l->wish = WISH_ATTACH;
  pthread_mutex_lock(&d->lock);
  if (deployment_phase(d) == PHASE_CLOSED) l->wish = WISH_GONE;
  l->next = d->listeners;
  d->listeners = l;
  pthread_mutex_unlock(&d->lock);
  if (deployment_phase(d) != PHASE_NEW) task_notify(&d->task); /* else opening does */
  return l;
}

deployment_listener *deployment_listen(deployment *d, uint32_t relation, hw_listener_function *call, void *arg,
                                       hw_error *err) {
  return listen(d, relation, NULL, call, arg, err);
}

deployment_listener *deployment_listen_from(deployment *d, uint32_t relation, listener_begin *begin,
                                            hw_listener_function *call, void *arg, hw_error *err) {
  if (state_check(d->state, &relation, 1, err) != HW_OK) return NULL;
  return listen(d, relation, begin, call, arg, err);
}

/* Lock held. Between steps: what the snapshot does not show comes afterwards.
 * Without memory it stays a wish, for the next time. */
static void attach(deployment *d, deployment_listener *l, store_snapshot **s) {
  hw_error err;
  if (l->begin && state_snapshot(d->state, &l->relation, 1, s, &err) != HW_OK) return;
  if (circuit_attach(d->circuit, l->relation, deliver, l) == HW_OK) {
    l->wish = WISH_NONE;
    return;
  }
  store_snapshot_free(*s);
  *s = NULL;
}

/* Lock held. Fulfils wishes up to one whose listener has to be given a snapshot. */
static deployment_listener *fulfil(deployment *d, store_snapshot **s) {
  for (deployment_listener *l = d->listeners; l; l = l->next) {
    if (l->wish == WISH_ATTACH && !deployment_in_step(d)) attach(d, l, s);
    if (*s) return l;
    if (l->wish != WISH_DETACH) continue;
    circuit_detach(d->circuit, l->relation, deliver, l);
    l->wish = WISH_GONE;
    pthread_cond_broadcast(&d->changed);
  }
  return NULL;
}

/* The callback is made without the lock; its listener stays, for only we detach it. */
void listeners_update(deployment *d) {
  for (;;) {
    store_snapshot *s = NULL;
    pthread_mutex_lock(&d->lock);
    deployment_listener *l = fulfil(d, &s);
    pthread_mutex_unlock(&d->lock);
    if (!l) return;
    l->begin(l->arg, s);
  }
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
