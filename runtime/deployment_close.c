/* deployment_close.c - stopping: hold, drain, flush, close. */
#include "runtime/deployment_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXTRAS_PATIENCE_US 2000000u
#define HURRY_EVERY_US 20000 /* calls that block are interrupted this often until they return */

/* ---- closing ------------------------------------------------------------- */

static void pipeline_closed(task *t) {
  deployment *d = (deployment *)t;
  deployment_set_phase(d, PHASE_CLOSED); /* first: who comes or goes from here on looks after himself */
  listeners_close(d);
  producers_close(d);
  state_close(d->state);
  transaction_drop(d);
  bool bad = d->stop_error.status != HW_OK;
  if (d->events.stopped) d->events.stopped(d->events.arg, bad ? &d->stop_error : NULL);
  deployment_unref(d);
}

void deployment_one_closed(deployment *d) {
  if (atomic_fetch_sub(&d->open_tasks, 1) == 1) task_close(&d->task, pipeline_closed);
}

void input_unuse(input *in) {
  if (atomic_fetch_sub(&in->uses, 1) != 1) return;
  input_drop(in);
  deployment_one_closed(in->c.d);
}

static void input_closed(task *t) { input_unuse((input *)t); }

static void watch_closed(task *t) {
  control *ctl = (control *)((char *)t - offsetof(control, watch));
  deployment_one_closed(ctl->c->d);
}

static void output_closed(task *t) {
  output *out = (output *)t;
  output_drop(out);
  deployment_one_closed(out->c.d);
}

static void spill_closed(task *t) {
  spill *s = (spill *)t;
  spill_drop(s);
  deployment_one_closed(s->out->c.d);
}

static void interrupt_all(deployment *d) {
  for (uint32_t i = 0; i < d->program->n_connectors; i++)
    connector_interrupt(deployment_connector(d, i));
}

void deployment_hurry(deployment *d) {
  interrupt_all(d);
  task_wait_us(&d->task, HURRY_EVERY_US);
}

static void close_connector(hw_connector *c) {
  gate_hold(&c->gate, GATE_PIPELINE);
  control_close(&c->control);
  task_close(&c->control.watch, watch_closed);
  task_close(&c->task, c->spec->is_input ? input_closed : output_closed);
}

#define STEP_TEXT 400

/* The same between two batches of a commit. */
static const char *commit_text(const deployment *d, char out[STEP_TEXT]) {
  const transaction *t = &d->transaction;
  snprintf(out, STEP_TEXT, "transaction %llu of %llu records was being committed", (unsigned long long)t->id,
           (unsigned long long)atomic_load(&t->records));
  return out;
}

/* What the step at hand was doing: "view ... was computed over ..., which are lost". */
static const char *step_text(const deployment *d, char out[STEP_TEXT]) {
  const char *view = circuit_left_at(d->circuit);
  const batch *b = d->in_hand;
  if (!b) return commit_text(d, out);
  snprintf(out, STEP_TEXT, "%s%.150s%s computed over %u rows of \"%.150s\", which are lost", view ? "view \"" : "views",
           view ? view : "", view ? "\" was" : " were", hw_batch_count(&b->pub), b->pub.schema->name);
  return out;
}

void deployment_begin_close(deployment *d) {
  TASK_ASSERT(&d->task);
  uint32_t old = atomic_load(&d->phase);
  do
    if (old >= PHASE_CLOSING) return;
  while (!atomic_compare_exchange_weak(&d->phase, &old, PHASE_CLOSING));
  char step[STEP_TEXT];
  if (deployment_in_step(d) && !d->failed && atomic_load(&d->force))
    deployment_log(d, HW_LOG_WARNING, d->name, "stopped by force while %s", step_text(d, step));
  deployment_drop_in_hand(d);
  /* A stop was asked: no input is added any more. */
  atomic_store(&d->open_tasks, 2 * (d->program->n_connectors + d->n_extra_inputs) + d->n_spills + 1);
  extras_close(d);
  for (uint32_t i = 0; i < d->program->n_connectors; i++) {
    if (d->outputs[i] && d->outputs[i]->spill) task_close(&d->outputs[i]->spill->task, spill_closed);
    close_connector(deployment_connector(d, i));
  }
  for (input *in = atomic_load(&d->extra_inputs); in; in = in->next_extra) close_connector(&in->c);
  deployment_hurry(d);
  deployment_one_closed(d);
}

/* ---- a graceful stop ----------------------------------------------------- */

static bool is_paused(const output *out) { return gate_reasons(&out->c.gate) & GATE_USER; }

/* Who is to blame: a paused output, or else the one with the most. NULL: none. */
static const output *not_written(const deployment *d, uint64_t *most) {
  const output *who = NULL;
  *most = 0;
  for (uint32_t i = 0; i < d->program->n_connectors; i++) {
    const output *out = d->outputs[i];
    if (!out || output_is_idle(out)) continue;
    uint64_t n = output_records(out);
    bool worse = !who || (is_paused(out) == is_paused(who) ? n >= *most : is_paused(out));
    if (!worse) continue;
    who = out;
    *most = n;
  }
  return who;
}

static bool holds_rows(const deployment *d) {
  const transaction *t = &d->transaction;
  return atomic_load(&t->state) == TRANSACTION_OPEN && atomic_load(&t->records);
}

/* What keeps a stop from ending: a transaction that nobody commits. */
static bool not_committed(deployment *d, hw_error *err) {
  const transaction *t = &d->transaction;
  bool open = holds_rows(d);
  if (open)
    hw_error_set(err, HW_ETIMEOUT,
                 "the stop's deadline passed: a transaction was open, and the %llu input records that it held are "
                 "dropped: no output has got any of them; commit it before the pipeline is stopped",
                 (unsigned long long)atomic_load(&t->records));
  return open;
}

/* Records of a commit that the circuit has not had. */
static uint64_t not_through(const deployment *d) {
  const transaction *t = &d->transaction;
  return atomic_load(&t->state) == TRANSACTION_COMMITTING ? atomic_load(&t->records) - atomic_load(&t->committed) : 0;
}

static void describe_rest(deployment *d) {
  if (not_committed(d, &d->stop_error)) return;
  uint64_t n;
  const output *who = not_written(d, &n);
  uint64_t behind = atomic_load(&d->mark) - deployment_completed(d) + not_through(d);
  char step[STEP_TEXT];
  if (deployment_in_step(d) && !atomic_load(&d->stalled))
    hw_error_set(&d->stop_error, HW_ETIMEOUT,
                 "the stop's deadline passed while %s; %llu input records are not completely written",
                 step_text(d, step), (unsigned long long)behind);
  else if (who)
    hw_error_set(&d->stop_error, HW_ETIMEOUT,
                 "the stop's deadline passed: output %s %s %llu rows to write, %llu input records are not "
                 "completely written",
                 who->c.spec->endpoint, is_paused(who) ? "is paused and holds" : "still had", (unsigned long long)n,
                 (unsigned long long)behind);
  else
    hw_error_set(&d->stop_error, HW_ETIMEOUT,
                 "the stop's deadline passed before everything was processed and flushed%s; %llu input records are not "
                 "completely written",
                 atomic_load(&d->stalled) ? ": a listener that the pipeline waits for takes no more" : "",
                 (unsigned long long)behind);
}

static void give_up(deployment *d) {
  describe_rest(d);
  deployment_log(d, HW_LOG_WARNING, d->name, "%s", d->stop_error.message);
  deployment_begin_close(d);
}

static bool all_finished(const deployment *d) {
  for (uint32_t i = 0; i < d->program->n_connectors; i++)
    if (d->outputs[i] && atomic_load(&d->outputs[i]->phase) != OUTPUT_FINISHED) return false;
  return true;
}

/* Those who listen over the API get a moment to take what is there, no more. */
static bool extras_are_served(deployment *d) {
  uint64_t now = sched_now_us();
  if (!d->extras_patience_us) d->extras_patience_us = now + EXTRAS_PATIENCE_US;
  if (now >= d->extras_patience_us || extra_outputs_are_quiet(d)) return true;
  task_wait_us(&d->task, d->extras_patience_us - now);
  return false;
}

void deployment_advance_stop(deployment *d) {
  bool drained = deployment_phase(d) == PHASE_DRAINING && deployment_is_quiet(d);
  if (drained && !extras_are_served(d)) return;
  if (drained) {
    deployment_set_phase(d, PHASE_FLUSHING);
    for (uint32_t i = 0; i < d->program->n_connectors; i++)
      if (d->outputs[i]) output_finish(d->outputs[i]);
  }
  if (deployment_phase(d) == PHASE_FLUSHING && all_finished(d)) {
    deployment_begin_close(d);
    return;
  }
  uint64_t now = sched_now_us(), deadline = atomic_load(&d->stop_deadline_us);
  if (now >= deadline)
    give_up(d);
  else
    task_wait_us(&d->task, deadline - now);
}

static bool first_ask(deployment *d) {
  pthread_mutex_lock(&d->lock);
  bool first = !d->stop_asked;
  d->stop_asked = true;
  producers_stop(d);
  pthread_mutex_unlock(&d->lock);
  return first;
}

void deployment_stop(deployment *d, bool force, uint64_t deadline_us) {
  deployment_ref(d); /* the stop may end, and its last reference go, before we return */
  bool first = first_ask(d);
  phase p = deployment_phase(d);
  if (p < PHASE_OPEN) force = true; /* nothing is on its way yet */
  if (force) atomic_store(&d->force, true);
  if (force) {
    interrupt_all(d);
    task_notify(&d->task); /* which closes: nothing is taken away while the circuit uses it */
  } else if (first) {
    atomic_store(&d->stop_deadline_us, deadline_us);
    atomic_store(&d->watching, true);
    deployment_set_phase(d, PHASE_HOLDING);
    if (holds_rows(d))
      deployment_log(d, HW_LOG_WARNING, d->name, "a transaction is open: the stop waits for its commit");
    deployment_hold_all(d);
    task_notify(&d->task);
  }
  deployment_unref(d);
}
