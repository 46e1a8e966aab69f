/* deployment.c - making a deployment and opening its connectors. */
#include "runtime/deployment_impl.h"
#include "runtime/letter_rows.h"
#include "runtime/store_impl.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STRINGS_MEMORY_PART 4u /* of the memory for rows: for the strings made at a time, see circuit.h */

static const char *const phase_names[] = {"new",      "opening",  "open",    "holding",
                                          "draining", "flushing", "closing", "closed"};

/* A stop by force may come between a look at the phase and the next step of a
 * graceful one: phases only ever go forward, and a later one stays. */
void deployment_set_phase(deployment *d, phase p) {
  uint32_t old = atomic_load(&d->phase);
  do
    if (old >= (uint32_t)p) return;
  while (!atomic_compare_exchange_weak(&d->phase, &old, (uint32_t)p));
  deployment_log(d, HW_LOG_DEBUG, d->name, "%s -> %s", phase_names[old], phase_names[p]);
}

void deployment_log(deployment *d, hw_log_level level, const char *about, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  logger_vtell(&d->rt->log, &d->events.log, level, about, fmt, args);
  va_end(args);
}

phase deployment_phase(const deployment *d) { return (phase)atomic_load(&d->phase); }

void *deployment_alloc(size_t size) {
  size = (size + 63) & ~(size_t)63;
  void *p = aligned_alloc(64, size);
  if (p) memset(p, 0, size);
  return p;
}

static hw_status add_input(deployment *d, uint32_t i, hw_error *err) {
  const program_connector *spec = &d->program->connectors[i];
  input *in = deployment_alloc(sizeof *in);
  if (!in) return hw_error_set(err, HW_ENOMEM, "no memory for connector %s", spec->endpoint);
  hw_status st = input_init(in, d, d->rt, i, spec, &d->program->relations[spec->relation].schema, err);
  if (st != HW_OK) {
    free(in);
    return st;
  }
  d->inputs[i] = in;
  d->n_inputs++;
  if (spec->n_start_after) d->followers++;
  return HW_OK;
}

static hw_status add_output(deployment *d, uint32_t i, hw_error *err) {
  const program_connector *spec = &d->program->connectors[i];
  output *out = deployment_alloc(sizeof *out);
  if (!out) return hw_error_set(err, HW_ENOMEM, "no memory for connector %s", spec->endpoint);
  hw_status st = output_init(out, d, d->rt, i, spec, &d->program->relations[spec->relation].schema, err);
  if (st != HW_OK) {
    free(out);
    return st;
  }
  d->outputs[i] = out;
  d->n_outputs++;
  if (out->spill) d->n_spills++;
  return circuit_attach(d->circuit, spec->relation, deployment_offer, out);
}

static void name_connector(hw_error *err, const program_connector *spec) {
  hw_error inner = *err;
  hw_error_code(err, inner.status, inner.code[0] ? inner.code : "InitializationError", "connector %s: %s",
                spec->endpoint, inner.message);
}

static hw_status add_connectors(deployment *d, hw_error *err) {
  for (uint32_t i = 0; i < d->program->n_connectors; i++) {
    const program_connector *spec = &d->program->connectors[i];
    hw_error why = {0};
    hw_status st = spec->is_input ? add_input(d, i, &why) : add_output(d, i, &why);
    if (st == HW_OK) continue;
    name_connector(&why, spec);
    if (err) *err = why;
    return st;
  }
  return HW_OK;
}

static bool make_arrays(deployment *d) {
  size_t n = d->program->n_connectors ? d->program->n_connectors : 1;
  d->inputs = calloc(n, sizeof *d->inputs);
  d->outputs = calloc(n, sizeof *d->outputs);
  d->touched = calloc(n, sizeof *d->touched);
  d->touched_room = (uint32_t)n;
  d->held = true;
  d->circuit = circuit_new(d->program);
  if (!d->inputs || !d->outputs || !d->touched || !d->circuit) return false;
  circuit_set_limit(d->circuit, d->rt->mem.limit, STRINGS_MEMORY_PART);
  circuit_set_pause(d->circuit, deployment_must_pause, d);
  return true;
}

static void destroy(deployment *d) {
  for (uint32_t i = 0; d->inputs && d->outputs && i < d->program->n_connectors; i++) {
    if (d->inputs[i]) {
      input_drop(d->inputs[i]);
      input_fini(d->inputs[i]);
      free(d->inputs[i]);
    }
    if (d->outputs[i]) {
      output_drop(d->outputs[i]);
      output_fini(d->outputs[i]);
      free(d->outputs[i]);
    }
  }
  extra_free_inputs(d);
  deployment_discard_stop(d);
  state_free(d->state);
  circuit_free(d->circuit);
  free(d->inputs);
  free(d->outputs);
  free(d->touched);
  dead_letters_unref(d->events.letters);
  pthread_cond_destroy(&d->changed);
  pthread_mutex_destroy(&d->lock);
  program_unref(d->program);
  free(d->name);
  free(d);
}

static bool init_locks(deployment *d) {
  if (pthread_mutex_init(&d->lock, NULL) != 0) return false;
  if (pthread_cond_init(&d->changed, NULL) == 0) return true;
  pthread_mutex_destroy(&d->lock);
  return false;
}

deployment *deployment_new(runtime *rt, const char *pipeline, program *p, const deployment_events *events,
                           hw_error *err) {
  deployment *d = deployment_alloc(sizeof *d);
  if (!d) goto no_memory;
  if (!init_locks(d)) goto no_locks;
  atomic_init(&d->refs, 1);
  d->rt = rt;
  d->events = *events;
  if (d->events.letters) dead_letters_ref(d->events.letters);
  d->program = program_ref(p);
  task_init(&d->task, rt->sched, deployment_run, false);
  d->name = strdup(pipeline);
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  d->started_wall_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
  if (!d->name || !make_arrays(d)) {
    destroy(d);
    goto no_memory;
  }
  if (uuid_make(d->incarnation, err) != HW_OK || state_new(p, &rt->state, d->circuit, &d->state, err) != HW_OK ||
      add_connectors(d, err) != HW_OK) {
    destroy(d);
    return NULL;
  }
  if (deployment_prepare_stop(d)) return d;
  destroy(d);
  goto no_memory;

no_locks:
  free(d);
no_memory:
  hw_error_set(err, HW_ENOMEM, "no memory for pipeline %s", pipeline);
  return NULL;
}

program *deployment_program(const deployment *d) { return d->program; }

deployment *deployment_ref(deployment *d) {
  atomic_fetch_add(&d->refs, 1);
  return d;
}

void deployment_unref(deployment *d) {
  if (d && atomic_fetch_sub(&d->refs, 1) == 1) destroy(d);
}

static hw_status add_letters(deployment *d, store_snapshot *s, uint32_t i, hw_error *err) {
  batch **pieces;
  uint32_t n;
  mem *m = &d->rt->queries;
  hw_status st = letter_rows(d->events.letters, m, &pieces, &n);
  if (st == HW_OK) store_snapshot_set_rows(s, i, &program_letters_schema, pieces, n);
  if (st == HW_OK) return HW_OK;
  return hw_error_set(err, st, "%s for the rows of " PROGRAM_LETTERS_NAME " (%llu MiB for all queries together)",
                      st == HW_ELIMIT ? "there is not memory enough" : "the system has no memory",
                      (unsigned long long)(m->limit >> 20));
}

hw_status deployment_snapshot(deployment *d, const uint32_t *relations, uint32_t n, store_snapshot **out,
                              hw_error *err) {
  store_snapshot *s;
  hw_status st = state_snapshot(d->state, relations, n, &s, err);
  if (st != HW_OK) return st;
  for (uint32_t i = 0; i < n && st == HW_OK; i++)
    if (relations[i] == PROGRAM_LETTERS) st = add_letters(d, s, i, err);
  if (st == HW_OK)
    *out = s;
  else
    store_snapshot_free(s);
  return st;
}

dead_letters *deployment_dead_letters(const deployment *d) { return d->events.letters; }

const char *deployment_incarnation(const deployment *d) { return d->incarnation; }

/* ---- opening ------------------------------------------------------------- */

static void keep_open_error(deployment *d, const hw_error *err) {
  pthread_mutex_lock(&d->lock);
  if (!d->open_error.status) d->open_error = *err;
  pthread_mutex_unlock(&d->lock);
}

static void open_connector(void *arg) {
  hw_connector *c = arg;
  hw_status (*open)(void *, hw_error *) = c->spec->is_input ? c->spec->input->ops->open : c->spec->output->ops->open;
  hw_error err = {0};
  connector_enter_blocking(c);
  spill *s = c->spec->is_input ? NULL : ((output *)c)->spill;
  hw_status st = atomic_load(&c->d->force) ? HW_ECANCELED : s ? spill_open(s, &err) : HW_OK;
  if (st == HW_OK && open) st = open(c->instance, &err);
  connector_leave_blocking(c);
  if (st != HW_OK) {
    err.status = st;
    connector_redact(c, &err);
    name_connector(&err, c->spec);
    keep_open_error(c->d, &err);
  } else {
    atomic_store(&c->opened, true);
    if (c->spec->is_input) task_notify(&c->task); /* a held one has its source to look after from now on */
  }
  deployment *d = c->d;
  if (atomic_fetch_sub(&d->to_open, 1) == 1) task_notify(&d->task);
  deployment_unref(d);
}

static void start_open(deployment *d, hw_connector *c) {
  const program_connector *spec = c->spec;
  bool opens = spec->is_input ? spec->input->ops->open != NULL
                              : spec->output->ops->open || spec->on_full == ON_FULL_SPILL;
  atomic_store(&c->opened, !opens);
  if (!opens) return;
  atomic_fetch_add(&d->to_open, 1);
  deployment_ref(d);
  if (sched_call(d->rt->sched, open_connector, c) == HW_OK) return;
  hw_error err;
  hw_error_set(&err, HW_ENOMEM, "no memory to open connector %s", c->spec->endpoint);
  keep_open_error(d, &err);
  atomic_fetch_sub(&d->to_open, 1);
  deployment_unref(d);
}

void deployment_open(deployment *d) {
  deployment_ref(d); /* the tasks'; given up when the last of them has ended */
  deployment_ref(d); /* ours: a stop may overtake us */
  atomic_store(&d->to_open, 1);
  deployment_set_phase(d, PHASE_OPENING);
  for (uint32_t i = 0; i < d->program->n_connectors; i++)
    start_open(d, deployment_connector(d, i));
  atomic_fetch_sub(&d->to_open, 1);
  task_notify(&d->task);
  deployment_unref(d);
}

void deployment_reopen_outputs(deployment *d) {
  phase p = deployment_phase(d);
  if (p < PHASE_OPEN || p >= PHASE_CLOSING) return; /* before, `open` may be at work */
  for (uint32_t i = 0; i < d->program->n_connectors; i++)
    if (d->outputs[i]) output_reopen(d->outputs[i]);
}
