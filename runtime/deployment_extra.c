/* deployment_extra.c - connectors that come while a deployment runs.
 *
 * DESIGN
 * Inputs stand in a list that only grows, newest first: whoever looks at all
 * inputs walks it without a lock, and none of them ends before the deployment. An
 * input is added under the deployment's lock, as transitions of the pipeline are,
 * so it is held from birth when a pause was asked for before, and meets every
 * transition that comes after.
 *
 * Outputs come and go, and only the pipeline's task may change what the circuit
 * sees, so both are wishes that it fulfils between steps:
 *
 *     ATTACH ─▸ LIVE ─▸ DETACH ─▸ CLOSING ─▸ out of the list, freed
 *        └───────────────▴
 *
 * The list is protected by the deployment's lock; whoever walks it for numbers
 * takes that, on any thread. */
#include "runtime/deployment_extra.h"

#include "runtime/deployment_impl.h"

#include <stdlib.h>
#include <string.h>

typedef enum wish { WISH_ATTACH, WISH_LIVE, WISH_DETACH, WISH_CLOSING } wish;

struct extra_output {
  output out; /* first */
  extra_spec *spec;
  wish wish;           /* protected by the deployment's lock, as is next */
  extra_output *next;
};

static extra_spec *spec_of(const hw_connector *c) { return (extra_spec *)(uintptr_t)c->spec; }

/* It looks at the dead letters by itself: the circuit knows nothing of them. */
static bool is_of_letters(const extra_spec *spec) { return spec->spec.relation == PROGRAM_LETTERS; }

static const hw_schema *schema_of(const deployment *d, const extra_spec *spec) {
  if (is_of_letters(spec)) return &program_letters_schema;
  return &d->program->relations[spec->spec.relation].schema;
}

static void refuse_stopping(hw_error *err) {
  (void)hw_error_code(err, HW_ESTATE, "PipelineInteractionNotDeployed", "the pipeline is stopping");
}

/* ---- inputs -------------------------------------------------------------- */

input *extra_find_input(const deployment *d, uint64_t number) {
  for (input *in = atomic_load(&d->extra_inputs); in; in = in->next_extra)
    if (in->c.index == number) return in;
  return NULL;
}

extra_spec *deployment_find_input(deployment *d, const char *endpoint) {
  for (input *in = atomic_load(&d->extra_inputs); in; in = in->next_extra)
    if (strcmp(in->c.spec->endpoint, endpoint) == 0) return spec_of(&in->c);
  return NULL;
}

bool deployment_find_extra(deployment *d, uint32_t relation, const char *connector, uint64_t *number) {
  for (input *in = atomic_load(&d->extra_inputs); in; in = in->next_extra) {
    *number = in->c.index;
    if (in->c.spec->relation == relation && strcmp(in->c.spec->name, connector) == 0) return true;
  }
  return false;
}

static void free_input(input *in) {
  extra_spec *spec = spec_of(&in->c);
  input_drop(in);
  input_fini(in);
  free(in);
  spec->free(spec);
}

/* Lock held. */
static bool admit_input(deployment *d, input *in, hw_error *err) {
  if (d->stop_asked) {
    refuse_stopping(err);
    return false;
  }
  if (d->n_extra_inputs == EXTRA_INPUTS_MAX) {
    (void)hw_error_code(err, HW_ELIMIT, "ApiConnectionLimit",
                        "the pipeline has %u ingress endpoints, one for each table and set of format options that was "
                        "used; no more can be made before it is stopped", EXTRA_INPUTS_MAX);
    return false;
  }
  if (!deployment_widen_stop(d, d->n_inputs + d->n_extra_inputs + 1)) {
    (void)hw_error_set(err, HW_ENOMEM, "no memory for connector %s", in->c.spec->endpoint);
    return false;
  }
  in->c.index = d->program->n_connectors + d->n_extras++;
  d->n_extra_inputs++;
  if (in->unpausable || !d->held) gate_release(&in->c.gate, GATE_PIPELINE);
  in->next_extra = atomic_load(&d->extra_inputs);
  atomic_store(&d->extra_inputs, in);
  return true;
}

static input *new_input(deployment *d, extra_spec *spec, hw_error *err) {
  input *in = deployment_alloc(sizeof *in);
  if (!in) {
    (void)hw_error_set(err, HW_ENOMEM, "no memory for connector %s", spec->spec.endpoint);
    return NULL;
  }
  if (input_init(in, d, d->rt, 0, &spec->spec, schema_of(d, spec), err) == HW_OK) return in;
  free(in);
  return NULL;
}

extra_spec *deployment_add_input(deployment *d, extra_spec *spec, bool unpausable, hw_error *err) {
  input *in = new_input(d, spec, err);
  if (!in) {
    spec->free(spec);
    return NULL;
  }
  in->unpausable = unpausable;
  pthread_mutex_lock(&d->lock);
  extra_spec *there = deployment_find_input(d, spec->spec.endpoint);
  bool added = !there && admit_input(d, in, err);
  pthread_mutex_unlock(&d->lock);
  if (added) {
    task_notify(&in->c.task);
    return spec;
  }
  free_input(in);
  return there;
}

void extra_free_inputs(deployment *d) {
  for (input *in = atomic_load(&d->extra_inputs), *next; in; in = next) {
    next = in->next_extra;
    free_input(in);
  }
}

/* ---- outputs ------------------------------------------------------------- */

extra_spec *deployment_add_output(deployment *d, extra_spec *spec, hw_error *err) {
  uint32_t relation = spec->spec.relation;
  if (spec->wants_snapshot && state_check(d->state, &relation, 1, err) != HW_OK) {
    spec->free(spec);
    return NULL;
  }
  extra_output *x = deployment_alloc(sizeof *x);
  if (!x) {
    (void)hw_error_set(err, HW_ENOMEM, "no memory for connector %s", spec->spec.endpoint);
    goto failed;
  }
  if (output_init(&x->out, d, d->rt, 0, &spec->spec, schema_of(d, spec), err) != HW_OK) goto failed;
  x->spec = spec;
  pthread_mutex_lock(&d->lock);
  bool refused = d->stop_asked;
  if (!refused) {
    deployment_ref(d); /* its own, until it has ended */
    x->out.c.index = d->program->n_connectors + d->n_extras++;
    x->next = d->extra_outputs;
    d->extra_outputs = x;
    d->n_extra_outputs++;
    atomic_store(&d->extras_changed, true);
  }
  pthread_mutex_unlock(&d->lock);
  if (!refused) {
    task_notify(&d->task);
    return spec;
  }
  refuse_stopping(err);
  output_drop(&x->out);
  output_fini(&x->out);
failed:
  free(x);
  spec->free(spec);
  return NULL;
}

void deployment_remove_output(deployment *d, extra_spec *spec) {
  pthread_mutex_lock(&d->lock);
  for (extra_output *x = d->extra_outputs; x; x = x->next)
    if (x->spec == spec && x->wish < WISH_DETACH) x->wish = WISH_DETACH;
  atomic_store(&d->extras_changed, true);
  pthread_mutex_unlock(&d->lock);
  task_notify(&d->task); /* a closing deployment ends it anyway */
}

/* On a pool thread: the last that happens to it. */
static void extra_closed(task *t) {
  extra_output *x = (extra_output *)t;
  deployment *d = x->out.c.d;
  output_drop(&x->out);
  pthread_mutex_lock(&d->lock);
  extra_output **at = &d->extra_outputs;
  while (*at != x) at = &(*at)->next;
  *at = x->next;
  d->n_extra_outputs--;
  bool counted = d->closing_extras;
  pthread_mutex_unlock(&d->lock);
  extra_spec *spec = x->spec;
  output_fini(&x->out);
  free(x);
  spec->free(spec);
  if (counted) deployment_one_closed(d);
  deployment_unref(d);
}

static void watch_closed(task *t) {
  control *ctl = (control *)((char *)t - offsetof(control, watch));
  task_close(&ctl->c->task, extra_closed);
}

/* Lock held. */
static void close_output(extra_output *x) {
  x->wish = WISH_CLOSING;
  control_close(&x->out.c.control);
  task_close(&x->out.c.control.watch, watch_closed);
}

/* Lock held; the pipeline's task. Without memory it stays a wish, for the next time. */
static void attach(deployment *d, extra_output *x) {
  uint32_t relation = x->spec->spec.relation;
  store_snapshot *s = NULL;
  hw_error err;
  if (!deployment_make_touchable(d, d->n_outputs + d->n_extra_outputs)) return;
  if (x->spec->wants_snapshot && state_snapshot(d->state, &relation, 1, &s, &err) != HW_OK) return;
  if (is_of_letters(x->spec) || circuit_attach(d->circuit, relation, deployment_offer, &x->out) == HW_OK) {
    x->wish = WISH_LIVE;
    x->spec->attached(x->spec, s);
    task_notify(&x->out.c.task);
  } else {
    store_snapshot_free(s);
  }
}

/* The same. */
static void fulfil(deployment *d, extra_output *x) {
  uint32_t relation = x->spec->spec.relation;
  if (x->wish == WISH_ATTACH && !deployment_in_step(d)) attach(d, x);
  if (x->wish != WISH_DETACH) return;
  if (!is_of_letters(x->spec)) circuit_detach(d->circuit, relation, deployment_offer, &x->out);
  deployment_untouch(d, &x->out);
  close_output(x);
}

void extras_update(deployment *d) {
  if (!atomic_exchange(&d->extras_changed, false)) return;
  pthread_mutex_lock(&d->lock);
  for (extra_output *x = d->extra_outputs, *next; x; x = next) {
    next = x->next; /* it may end at once, but for the lock */
    fulfil(d, x);
    if (x->wish == WISH_ATTACH) atomic_store(&d->extras_changed, true); /* no memory, or in a step: with the next run */
  }
  pthread_mutex_unlock(&d->lock);
}

void extras_close(deployment *d) {
  pthread_mutex_lock(&d->lock);
  d->closing_extras = true;
  atomic_fetch_add(&d->open_tasks, d->n_extra_outputs); /* before one of them can end */
  for (extra_output *x = d->extra_outputs; x; x = x->next) {
    if (x->wish != WISH_CLOSING) close_output(x);
  }
  pthread_mutex_unlock(&d->lock);
}

/* ---- what others ask of all of them --------------------------------------- */

uint64_t extras_completed(deployment *d, uint64_t mark) {
  uint64_t least = mark;
  pthread_mutex_lock(&d->lock);
  for (extra_output *x = d->extra_outputs; x; x = x->next) {
    uint64_t m = x->wish == WISH_LIVE ? output_mark(&x->out, mark) : mark;
    if (m < least) least = m;
  }
  pthread_mutex_unlock(&d->lock);
  return least;
}

bool extra_inputs_are_quiet(const deployment *d) {
  for (input *in = atomic_load(&d->extra_inputs); in; in = in->next_extra)
    if (queue_batches(&in->source.queue)) return false;
  return true;
}

bool extra_outputs_are_quiet(deployment *d) {
  bool quiet = true;
  pthread_mutex_lock(&d->lock);
  for (extra_output *x = d->extra_outputs; x && quiet; x = x->next)
    quiet = x->wish != WISH_LIVE || output_batches(&x->out) == 0;
  pthread_mutex_unlock(&d->lock);
  return quiet;
}

hw_status extras_visit(deployment *d, extra_visit *visit, void *arg) {
  hw_status st = HW_OK;
  for (input *in = atomic_load(&d->extra_inputs); in && st == HW_OK; in = in->next_extra) st = visit(arg, &in->c);
  pthread_mutex_lock(&d->lock);
  for (extra_output *x = d->extra_outputs; x && st == HW_OK; x = x->next)
    if (x->wish < WISH_DETACH) st = visit(arg, &x->out.c);
  pthread_mutex_unlock(&d->lock);
  return st;
}

/* ---- completion ---------------------------------------------------------- */

void deployment_hold_completion(deployment *d) {
  atomic_fetch_add(&d->producers_open, 1);
  atomic_store(&d->complete, false);
}

void deployment_release_completion(deployment *d) {
  atomic_fetch_sub(&d->producers_open, 1);
  task_notify(&d->task); /* it looks whether all is done */
}

static input *find_input(const deployment *d, uint64_t number) {
  return number < d->program->n_connectors ? d->inputs[number] : extra_find_input(d, number);
}

hw_status deployment_input_records(deployment *d, uint64_t number, uint64_t *records) {
  const input *in = find_input(d, number);
  if (!in) return HW_ENOTFOUND;
  *records = atomic_load(&in->total_records);
  return HW_OK;
}

/* Made once. What the pipeline's task had taken before it could see it has the
 * marks read here, at most: first how much was taken, then up to which mark. */
static progress *watch_progress(deployment *d, source *s) {
  pthread_mutex_lock(&d->lock);
  progress *p = atomic_load(&s->progress), *made = NULL;
  if (!p && (made = progress_new())) {
    pthread_mutex_lock(&made->lock);
    atomic_store(&s->progress, made);
    progress_note base = {.records = atomic_load(&s->queue.out.records)};
    base.mark = atomic_load(&s->taken_mark);
    base.step = atomic_load(&s->taken_step);
    progress_begin(made, base);
    pthread_mutex_unlock(&made->lock);
    p = made;
  }
  pthread_mutex_unlock(&d->lock);
  return p;
}

hw_status deployment_is_complete(deployment *d, uint64_t number, uint64_t records, bool *complete, uint64_t *step) {
  input *in = find_input(d, number);
  if (!in) return HW_ENOTFOUND;
  source *s = &in->source;
  progress *p = watch_progress(d, s);
  if (!p) return HW_ENOMEM;
  uint64_t completed = deployment_completed(d);
  *complete = progress_is_complete(p, records, completed, step);
  if (*complete || atomic_load(&s->queue.out.records) < records) return HW_OK;
  /* All taken: complete at the latest with the source's last mark, which it got before that was counted as taken. */
  uint64_t last = atomic_load(&s->taken_mark);
  if (!*step) *step = atomic_load(&s->taken_step);
  *complete = last <= completed;
  return HW_OK;
}
