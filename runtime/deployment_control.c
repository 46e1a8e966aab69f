/* deployment_control.c - pauses and starts of connectors and of the pipeline.
 *
 * A transition of the pipeline is one transition of each input, all added to the
 * inputs' lists under the deployment's lock, so that two of them reach every input
 * in the same order; it is answered when the last of them is. */
#include "runtime/deployment_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct group {
  deployment *d;           /* a reference, while it is under way */
  _Atomic uint32_t left;
  _Atomic uint32_t status; /* hw_status of the first that failed */
  hw_connector *late;             /* that connector */
  uint32_t capacity;       /* of items */
  bool hold, stop;
  uint64_t number;
  hw_done *done;
  void *arg;
  struct item *items;      /* freed with the group */
} group;

typedef struct item {
  transition t;
  group *group;
} item;

typedef struct single {
  transition t;
  char position[CONNECTOR_POSITION_MAX];
  hw_done *done;
  void *arg;
} single;

static void reply(hw_done *done, void *arg, hw_status status, const hw_error *err, const transition *t) {
  hw_reply r = {.struct_size = sizeof r, .status = status, .error = status ? err : NULL, .position = ""};
  if (t) {
    r.epoch = t->epoch;
    r.total_records = t->total_records;
    r.position = t->position;
  }
  if (done) done(arg, &r);
}

static void describe_timeout(hw_error *err, const hw_connector *c) {
  hw_error_code(err, HW_ETIMEOUT, "PauseTimeout",
                "connector %s did not stop %s within %.1f s; it stays held and will not begin another %s",
                c->spec->endpoint, c->spec->is_input ? "fetching" : "writing", (double)c->rt->pause_timeout_us / 1e6,
                c->spec->is_input ? "fetch" : "write");
}

static hw_status stopping(hw_error *err) {
  return hw_error_code(err, HW_ESTATE, "PipelineInteractionNotDeployed", "the pipeline is stopping");
}

/* The status to reply with. */
static hw_status describe(hw_error *err, hw_status status, const hw_connector *c) {
  if (status == HW_ETIMEOUT) describe_timeout(err, c);
  return status == HW_ECANCELED ? stopping(err) : status;
}

static void single_done(transition *t, hw_connector *c, hw_status status) {
  single *s = (single *)t;
  hw_error err = {0};
  status = describe(&err, status, c);
  reply(s->done, s->arg, status, &err, t);
  free(s);
}

/* ---- the pipeline -------------------------------------------------------- */

static void settle(group *g) {
  deployment *d = g->d;
  pthread_mutex_lock(&d->lock);
  if (g->number > d->settled) {
    d->settled = g->number;
    d->running = !g->hold;
  }
  pthread_mutex_unlock(&d->lock);
}

static void group_free(group *g) {
  free(g->items);
  free(g);
}

static void group_done(group *g) {
  deployment *d = g->d;
  hw_status status = (hw_status)atomic_load(&g->status);
  hw_error err = {0};
  if (status) status = describe(&err, status, g->late);
  settle(g);
  if (g->stop) {
    deployment_set_phase(d, PHASE_DRAINING);
    task_notify(&d->task);
  } else {
    reply(g->done, g->arg, status, &err, NULL);
  }
  deployment_unref(d);
  group_free(g);
}

static void group_left(group *g) {
  if (atomic_fetch_sub(&g->left, 1) == 1) group_done(g);
}

static void item_done(transition *t, hw_connector *c, hw_status status) {
  group *g = ((item *)t)->group;
  uint32_t none = HW_OK;
  if (status && atomic_compare_exchange_strong(&g->status, &none, (uint32_t)status)) g->late = c;
  group_left(g);
}

static group *group_new(uint32_t n_inputs, bool hold) {
  group *g = calloc(1, sizeof *g);
  if (!g) return NULL;
  g->capacity = n_inputs ? n_inputs : 1;
  g->items = calloc(g->capacity, sizeof *g->items);
  if (!g->items) {
    free(g);
    return NULL;
  }
  g->hold = hold;
  return g;
}

bool deployment_widen_stop(deployment *d, uint32_t n_inputs) {
  group *g = d->stop_group;
  if (n_inputs <= g->capacity) return true;
  item *items = calloc(2 * (size_t)n_inputs, sizeof *items); /* none is in use before the stop */
  if (!items) return false;
  free(g->items);
  g->items = items;
  g->capacity = 2 * n_inputs;
  return true;
}

static void add_item(group *g, item *it, input *in) {
  it->group = g;
  it->t.reason = GATE_PIPELINE;
  it->t.hold = g->hold;
  it->t.patient = g->stop; /* a stop has its own deadline */
  it->t.done = item_done;
  atomic_fetch_add(&g->left, 1);
  control_add(&in->c.control, &it->t);
}

/* Lock held: every transition of the pipeline meets the inputs in one order. */
static void add(deployment *d, group *g) {
  g->d = deployment_ref(d);
  atomic_init(&g->left, 1); /* ours, until all are submitted */
  g->number = ++d->transitions;
  d->held = g->hold;
  uint32_t k = 0;
  for (uint32_t i = 0; i < d->program->n_connectors; i++)
    if (d->inputs[i]) add_item(g, &g->items[k++], d->inputs[i]);
  for (input *in = atomic_load(&d->extra_inputs); in; in = in->next_extra)
    if (g->stop || !in->unpausable) add_item(g, &g->items[k++], in);
}

/* Without the lock: this may answer others. Gives up our part of the group. */
static void run(deployment *d, group *g) {
  for (uint32_t i = 0; i < d->program->n_connectors; i++)
    if (d->inputs[i]) control_run(&d->inputs[i]->c.control);
  for (input *in = atomic_load(&d->extra_inputs); in; in = in->next_extra) control_run(&in->c.control);
  group_left(g);
}

/* A group with room for all inputs there are, and the lock. NULL: no memory, no lock. */
static group *group_for_all(deployment *d, bool pause) {
  for (uint32_t n = d->n_inputs;;) {
    group *g = group_new(n, pause);
    if (!g) return NULL;
    pthread_mutex_lock(&d->lock);
    n = d->n_inputs + d->n_extra_inputs;
    if (n <= g->capacity) return g;
    pthread_mutex_unlock(&d->lock);
    group_free(g);
  }
}

static void control_pipeline(deployment *d, bool pause, hw_done *done, void *arg) {
  hw_error err = {0};
  group *g = group_for_all(d, pause);
  if (!g) {
    hw_error_set(&err, HW_ENOMEM, "no memory to pause or start the pipeline's connectors");
    reply(done, arg, HW_ENOMEM, &err, NULL);
    return;
  }
  g->done = done;
  g->arg = arg;
  bool refused = d->stop_asked;
  if (!refused) add(d, g);
  pthread_mutex_unlock(&d->lock);
  if (refused) {
    reply(done, arg, stopping(&err), &err, NULL);
    group_free(g);
    return;
  }
  run(d, g);
}

bool deployment_prepare_stop(deployment *d) {
  d->stop_group = group_new(d->n_inputs, true);
  if (d->stop_group) d->stop_group->stop = true;
  return d->stop_group;
}

void deployment_discard_stop(deployment *d) {
  if (d->stop_group) group_free(d->stop_group);
}

void deployment_hold_all(deployment *d) {
  pthread_mutex_lock(&d->lock);
  group *g = d->stop_group;
  d->stop_group = NULL;
  add(d, g);
  pthread_mutex_unlock(&d->lock);
  run(d, g);
}

/* ---- one connector ------------------------------------------------------- */

static void control_connector(hw_connector *c, bool pause, hw_done *done, void *arg) {
  hw_error err = {0};
  /* Flushing, an output ends its document whatever holds it. */
  if (deployment_phase(c->d) >= (c->spec->is_input ? PHASE_CLOSING : PHASE_FLUSHING)) {
    reply(done, arg, stopping(&err), &err, NULL);
    return;
  }
  single *s = calloc(1, sizeof *s);
  if (!s) {
    hw_error_set(&err, HW_ENOMEM, "no memory to pause or start connector %s", c->spec->endpoint);
    reply(done, arg, HW_ENOMEM, &err, NULL);
    return;
  }
  s->t.reason = GATE_USER;
  s->t.hold = pause;
  s->t.done = single_done;
  s->t.position = s->position;
  s->done = done;
  s->arg = arg;
  control_add(&c->control, &s->t);
  control_run(&c->control);
}

void deployment_control(deployment *d, uint32_t connector, bool pause, hw_done *done, void *arg) {
  if (connector == DEPLOYMENT_ALL)
    control_pipeline(d, pause, done, arg);
  else
    control_connector(deployment_connector(d, connector), pause, done, arg);
}

bool deployment_running(const deployment *d) {
  deployment *m = (deployment *)(uintptr_t)d; /* for the lock */
  pthread_mutex_lock(&m->lock);
  bool running = m->running;
  pthread_mutex_unlock(&m->lock);
  return running;
}
