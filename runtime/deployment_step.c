/* deployment_step.c - the pipeline's task: takes batches from sources through
 * the circuit, and notices when everything is done.
 *
 * A batch that makes the views grow large goes through in parts (circuit.h): then
 * it stays in hand over several turns of the task, in which outputs are waited for
 * and stops are seen, and its step ends when it is through. */
#include "runtime/deployment_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCHES_PER_TURN 4u /* of one source, then the next one's turn */

static void list(deployment *d, source *s) {
  if (atomic_exchange(&s->listed, true)) return;
  source *first = atomic_load(&d->ready);
  do s->next = first;
  while (!atomic_compare_exchange_weak(&d->ready, &first, s));
}

void deployment_source_ready(deployment *d, source *s) {
  list(d, s);
  task_notify(&d->task);
}

void deployment_count_bytes(deployment *d, uint64_t n) { atomic_fetch_add(&d->processed_bytes, n); }

void deployment_output_written(deployment *d, output *out, const batch *b) {
  (void)out;
  uint64_t ns = sched_now_ns() - b->fetched_ns;
  histogram_add(&d->latency, ns);
  latency_add_shared(&d->completion, ns);
}

void deployment_output_progress(deployment *d, output *out) {
  if (atomic_load(&out->pipeline_waits) || atomic_load(&d->watching)) task_notify(&d->task);
}

uint64_t deployment_completed(const deployment *d) {
  /* The pipeline's mark first: what is counted there has been offered already, and is seen by snapshots. */
  uint64_t mark = atomic_load(&d->seen_mark), least = mark;
  for (uint32_t i = 0; i < d->program->n_connectors; i++) {
    if (!d->outputs[i]) continue;
    uint64_t m = output_mark(d->outputs[i], mark);
    if (m < least) least = m;
  }
  uint64_t m = extras_completed((deployment *)(uintptr_t)d, mark);
  return m < least ? m : least;
}

/* ---- outputs ------------------------------------------------------------- */

hw_status deployment_offer(void *arg, batch *b) {
  output *out = arg;
  deployment *d = out->c.d;
  TASK_ASSERT(&d->task);
  if (!out->touched) {
    out->touched = true;
    d->touched[d->n_touched++] = out;
  }
  hw_status st = output_offer(out, b);
  task_notify(&out->c.task);
  return st;
}

bool deployment_make_touchable(deployment *d, uint32_t n) {
  if (n <= d->touched_room) return true;
  output **more = realloc(d->touched, 2 * (size_t)n * sizeof *more);
  if (!more) return false;
  d->touched = more;
  d->touched_room = 2 * n;
  return true;
}

static void untouch(deployment *d, uint32_t i) {
  d->touched[i]->touched = false;
  d->touched[i] = d->touched[--d->n_touched];
}

void deployment_untouch(deployment *d, const output *out) {
  for (uint32_t i = 0; i < d->n_touched; i++)
    if (d->touched[i] == out) {
      untouch(d, i);
      return;
    }
}

static bool has_slots(const output *out) { return batch_list_is_empty(&out->waiting); }

/* Whether the output takes more. It will wake the pipeline when it has room, if it
 * takes no more or if batches wait for slots, which only the pipeline can give them. */
static bool accepts(output *out) {
  bool ok = output_accepts(out);
  if (!ok || !has_slots(out)) {
    atomic_store(&out->pipeline_waits, true);
    ok = output_accepts(out); /* looked again, now that it would tell */
  }
  if (ok && has_slots(out)) atomic_store(&out->pipeline_waits, false);
  return ok;
}

bool deployment_outputs_accept(deployment *d) {
  bool all = true;
  for (uint32_t i = 0; i < d->n_touched;) {
    output *out = d->touched[i];
    bool ok = accepts(out);
    all = all && ok;
    if (ok && output_is_idle(out))
      untouch(d, i);
    else
      i++;
  }
  return all;
}

void deployment_note_stall(deployment *d, bool stalled) {
  bool before = atomic_load(&d->stalled);
  uint64_t now = stalled || before ? sched_now_us() : 0;
  if (before) atomic_store(&d->stall_us, atomic_load(&d->stall_us) + now - d->stalled_since_us);
  if (stalled) atomic_fetch_add(&d->stalls, 1);
  atomic_store(&d->stalled, stalled);
  d->stalled_since_us = now;
}

/* ---- sources ------------------------------------------------------------- */

#define RECORDS_TEXT 80

/* Where the row of the error is in the pipeline's input, counted from 1. A batch
 * that was made smaller on its way has lost the places of its rows. */
static void name_records(const batch *b, const eval_error *e, char out[RECORDS_TEXT]) {
  uint32_t n = hw_batch_count(&b->pub);
  unsigned long long before = b->mark - n;
  if (e->n_rows == n)
    snprintf(out, RECORDS_TEXT, "record %llu", before + e->row + 1);
  else
    snprintf(out, RECORDS_TEXT, "one of the records %llu to %llu", before + 1, before + n);
}

/* What failed cannot go on: held, until it is stopped. */
static void fail(deployment *d, const hw_error *err) {
  d->failed = true;
  for (uint32_t i = 0; i < d->program->n_connectors; i++)
    if (d->inputs[i]) gate_hold(&d->inputs[i]->c.gate, GATE_PIPELINE);
  for (input *in = atomic_load(&d->extra_inputs); in; in = in->next_extra) gate_hold(&in->c.gate, GATE_PIPELINE);
  if (d->events.failed) d->events.failed(d->events.arg, err);
}

static void eval_failed(deployment *d, const batch *b, const eval_error *e) {
  hw_error err = e->error;
  char records[RECORDS_TEXT];
  name_records(b, e, records);
  if (e->at)
    hw_error_code(&err, e->error.status == HW_ELIMIT ? HW_ELIMIT : HW_EEVAL,
                  e->error.code[0] ? e->error.code : "RuntimeError.WorkerPanic",
                  "%s, in %s (line %d, column %d of the program), for %s%s%s of the pipeline's input, a row of \"%s\"",
                  e->error.message, e->at->text ? e->at->text : "an expression", e->at->line, e->at->column,
                  e->row_text, *e->row_text ? ": " : "", records, b->pub.schema->name);
  fail(d, &err);
}

static void note_progress(source *s, const batch *b) {
  progress *p = atomic_load(&s->progress);
  progress_note note = {.records = atomic_load_explicit(&s->queue.out.records, memory_order_relaxed), /* our own */
                        .mark = b->mark, .step = b->step};
  if (p) progress_add(p, note);
}

static bool stop_is_due(const deployment *d) {
  if (atomic_load(&d->force)) return true;
  phase p = deployment_phase(d);
  return p >= PHASE_HOLDING && sched_now_us() >= atomic_load(&d->stop_deadline_us);
}

bool deployment_must_pause(void *arg, bool between) {
  deployment *d = arg;
  if (stop_is_due(d)) return true;
  return between && (sched_now_us() - d->turn_us > d->rt->turn_us || !deployment_outputs_accept(d));
}

void deployment_take_in_hand(deployment *d, source *s, batch *b) {
  d->in_hand_of = s;
  d->in_hand = b;
  d->in_unit = b ? b->unit_next : NULL;
  if (b) b->unit_next = NULL; /* sinks get it as a batch like any other */
}

void deployment_drop_in_hand(deployment *d) {
  state_abandon(d->state);
  if (d->in_hand) hw_batch_unref(&d->in_hand->pub);
  queue_drop(d->in_unit);
  deployment_take_in_hand(d, NULL, NULL);
}

static hw_status begin_batch(deployment *d, eval_error *err) {
  batch *b = d->in_hand;
  b->mark = atomic_load_explicit(&d->mark, memory_order_relaxed) + hw_batch_count(&b->pub); /* our own */
  b->step = atomic_load_explicit(&d->steps, memory_order_relaxed) + 1;
  return state_push(d->state, d->in_hand_of->relation, b, err);
}

/* It is through, or has failed: on to the rest of its unit. */
static void end_batch(deployment *d) {
  source *s = d->in_hand_of;
  batch *b = d->in_hand;
  deployment_count_bytes(d, b->source_bytes);
  latency_add(&s->processing, sched_now_ns() - b->fetched_ns);
  atomic_store(&s->taken_mark, b->mark);
  atomic_store(&s->taken_step, b->step);
  atomic_store(&d->mark, b->mark);
  queue_done(&s->queue, b);
  note_progress(s, b);
  hw_batch_unref(&b->pub);
  deployment_take_in_hand(d, s, d->in_unit);
  s->has_room(s);
}

/* False: it failed, or stays in hand. */
static bool process(deployment *d) {
  TASK_ASSERT(&d->task);
  eval_error err = {0};
  hw_status st = state_is_busy(d->state) ? state_go_on(d->state, &err) : begin_batch(d, &err);
  if (st == HW_OK && state_is_busy(d->state)) return false;
  if (st != HW_OK) eval_failed(d, d->in_hand, &err);
  end_batch(d);
  if (st != HW_OK) deployment_drop_in_hand(d);
  return st == HW_OK;
}

/* What is in hand and its unit, which nothing may come between. True: all of it, and the outputs take more. */
bool deployment_work_off(deployment *d, bool *stalled) {
  while (d->in_hand && process(d)) {}
  if (d->failed) return false;
  *stalled = !deployment_outputs_accept(d);
  return !*stalled && !d->in_hand;
}

typedef enum turn { TURN_EMPTY, TURN_MORE, TURN_HELD, TURN_STALLED, TURN_BUSY } turn;

/* One batch, or the unit that it begins. It is looked at before it is decided about:
 * what was pushed after a transaction began is seen after that began. */
static turn take_turn(deployment *d, source *s) {
  const batch *b = queue_peek(&s->queue);
  if (!b) return TURN_EMPTY;
  transaction_role role = transaction_role_of(d, s);
  if (role == ROLE_WAITS) return TURN_HELD;
  for (; b; b = b->unit_next) s->taken++;
  if (role == ROLE_BELONGS) {
    transaction_park(d, s, queue_pop(&s->queue));
    return TURN_MORE;
  }
  bool stalled = false;
  deployment_take_in_hand(d, s, queue_pop(&s->queue));
  return deployment_work_off(d, &stalled) ? TURN_MORE : stalled ? TURN_STALLED : TURN_BUSY;
}

static turn run_source(deployment *d, source *s) {
  turn t = TURN_MORE;
  for (unsigned k = 0; k < BATCHES_PER_TURN && t == TURN_MORE && !d->failed; k++) t = take_turn(d, s);
  return t;
}

/* The stack gives the latest first: turned round, the oldest goes first. */
static source *take_ready(deployment *d) {
  source *s = atomic_exchange(&d->ready, NULL), *in_order = NULL;
  while (s) {
    source *next = s->next;
    s->next = in_order;
    in_order = s;
    s = next;
  }
  return in_order;
}

/* The next source in turn, or NULL: each that was ready when the round began has had its turn. */
static source *next_due(deployment *d, bool *begun) {
  if (!d->due && !*begun) {
    d->due = take_ready(d);
    *begun = true;
  }
  source *s = d->due;
  if (!s) return NULL;
  d->due = s->next;
  atomic_store(&s->listed, false); /* it may be listed anew from here on */
  return s;
}

static bool turn_is_over(const deployment *d) {
  return d->failed || d->in_hand || sched_now_us() - d->turn_us > d->rt->turn_us;
}

/* One round, or as much of it as a quantum allows: the rest stays due, and is not looked
 * at meanwhile, however many they are. True: there is more to do at once. */
static bool run_sources(deployment *d) {
  d->turn_us = sched_now_us();
  bool stalled = false, busy = d->in_hand && !deployment_work_off(d, &stalled), more = busy, begun = false;
  for (source *s; !busy && !stalled && (s = next_due(d, &begun));) {
    turn t = run_source(d, s);
    more = more || t == TURN_MORE || t == TURN_BUSY;
    stalled = t == TURN_STALLED;
    busy = turn_is_over(d);
    if (t != TURN_EMPTY) list(d, s);
  }
  if (stalled) deployment_note_stall(d, true);
  bool unseen = !begun && atomic_load(&d->ready); /* listed before, and nobody wakes us for them again */
  return (more || d->due || unseen) && !stalled && !d->failed;
}

/* ---- the end ------------------------------------------------------------- */

bool deployment_is_quiet(deployment *d) {
  if (d->failed) return true;
  if (d->in_hand || d->due || atomic_load(&d->ready)) return false;
  for (uint32_t i = 0; i < d->program->n_connectors; i++) {
    if (d->inputs[i] && queue_batches(&d->inputs[i]->source.queue)) return false;
    if (d->outputs[i] && output_batches(d->outputs[i])) return false; /* nor is one to be dropped */
  }
  return extra_inputs_are_quiet(d) && producers_are_quiet(d);
}

static bool input_is_over(input *in) { return gate_reasons(&in->c.gate) & GATE_ENDED; }

static bool carries(const program_connector *spec, const char *label) {
  for (uint32_t i = 0; i < spec->n_labels; i++)
    if (strcmp(spec->labels[i], label) == 0) return true;
  return false;
}

static bool label_is_done(const deployment *d, const char *label) {
  for (uint32_t i = 0; i < d->program->n_connectors; i++) {
    input *in = d->inputs[i];
    if (!in || !carries(in->c.spec, label)) continue;
    if (!atomic_load(&in->end_of_input) || queue_waiting_batches(&in->source.queue)) return false;
  }
  return true;
}

/* Lets inputs go whose start_after is met. */
static void release_followers(deployment *d) {
  uint32_t left = 0;
  for (uint32_t i = 0; i < d->program->n_connectors; i++) {
    input *in = d->inputs[i];
    if (!in || !(gate_reasons(&in->c.gate) & GATE_START_AFTER)) continue;
    bool met = true;
    for (uint32_t k = 0; k < in->c.spec->n_start_after && met; k++) met = label_is_done(d, in->c.spec->start_after[k]);
    if (met)
      input_release(in, GATE_START_AFTER);
    else
      left++;
  }
  d->followers = left;
}

/* An input that is over stays over: none is looked at twice. */
static bool all_inputs_over(deployment *d) {
  const uint32_t n = d->program->n_connectors;
  while (d->n_over < n && (!d->inputs[d->n_over] || input_is_over(d->inputs[d->n_over]))) d->n_over++;
  return d->n_over == n && atomic_load(&d->producers_open) == 0;
}

static bool find_failed(const deployment *d, hw_error *err) {
  for (uint32_t i = 0; i < d->program->n_connectors; i++) {
    hw_connector *c = deployment_connector(d, i);
    if (!connector_failed(c)) continue;
    pthread_mutex_lock(&c->lock);
    hw_error_set(err, HW_EIO, "connector %s failed: %s", c->spec->endpoint, c->fatal);
    pthread_mutex_unlock(&c->lock);
    return true;
  }
  return false;
}

static void look_for_completion(deployment *d) {
  if (atomic_load(&d->complete) || d->failed || !all_inputs_over(d)) return;
  atomic_store(&d->watching, true);
  if (!deployment_is_quiet(d) || !extra_outputs_are_quiet(d)) return;
  atomic_store(&d->complete, true);
  if (atomic_load(&d->producers_open)) { /* one came between the look and the mark */
    atomic_store(&d->complete, false);
    return;
  }
  hw_error err = {0};
  bool bad = find_failed(d, &err);
  if (d->events.complete) d->events.complete(d->events.arg, bad ? &err : NULL);
}

static void give_opened(deployment *d) {
  pthread_mutex_lock(&d->lock);
  hw_error err = d->open_error;
  pthread_mutex_unlock(&d->lock);
  atomic_store(&d->started_us, sched_now_us());
  deployment_set_phase(d, PHASE_OPEN);
  if (d->events.opened) d->events.opened(d->events.arg, err.status ? &err : NULL);
}

/* Snapshots see it from now on, unless it failed. */
void deployment_end_step(deployment *d) {
  uint64_t step = atomic_load_explicit(&d->steps, memory_order_relaxed) + 1; /* our own */
  hw_error err = {0};
  if (!d->failed && state_commit(d->state, step, &err) != HW_OK) fail(d, &err);
  atomic_store(&d->steps, step);
  if (!d->failed) atomic_store(&d->seen_mark, atomic_load_explicit(&d->mark, memory_order_relaxed)); /* our own */
}

static bool step(deployment *d) {
  if (d->transaction.running) return transaction_run(d);
  uint64_t began_ns = sched_now_ns();
  bool more = run_sources(d);
  bool taken = atomic_load_explicit(&d->mark, memory_order_relaxed) !=
               atomic_load_explicit(&d->seen_mark, memory_order_relaxed); /* our own */
  if (taken || d->in_hand) d->step_ns += sched_now_ns() - began_ns;
  if (taken && !d->in_hand) {
    deployment_end_step(d);
    latency_add(&d->step_time, d->step_ns);
    d->step_ns = 0;
  }
  return transaction_begin_run(d) || more;
}

task_next deployment_run(task *t, bool may_block) {
  (void)may_block;
  deployment *d = (deployment *)t;
  phase p = deployment_phase(d);
  if (p == PHASE_NEW) return TASK_IDLE;
  atomic_fetch_add(&d->wakeups, 1);
  bool opening = p == PHASE_OPENING && atomic_load(&d->to_open);
  if (p == PHASE_CLOSING || (opening && atomic_load(&d->force))) deployment_hurry(d);
  if (p >= PHASE_CLOSING || opening) return TASK_IDLE;
  if (atomic_load(&d->force)) {
    deployment_begin_close(d);
    return TASK_IDLE;
  }
  if (p == PHASE_OPENING) give_opened(d);
  listeners_update(d);
  extras_update(d);
  bool more = false, was_in_step = deployment_in_step(d);
  if (!d->failed && deployment_outputs_accept(d)) {
    if (atomic_load(&d->stalled)) deployment_note_stall(d, false);
    more = step(d);
  } else if (!d->failed && !atomic_load(&d->stalled)) {
    deployment_note_stall(d, true);
  }
  if (was_in_step && !deployment_in_step(d)) more = true; /* for those who waited for its end */
  if (atomic_load(&d->producers_closing)) producers_are_quiet(d);
  if (d->followers) release_followers(d);
  if (deployment_phase(d) == PHASE_OPEN)
    look_for_completion(d);
  else
    deployment_advance_stop(d);
  return more ? TASK_AGAIN : TASK_IDLE;
}
