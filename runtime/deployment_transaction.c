/* deployment_transaction.c - transactions: see transaction.h. */
#include "runtime/deployment_impl.h"

#define LOOK_AGAIN_US 10000u /* whether others have left memory */

static transaction_state state_of(const deployment *d) { return (transaction_state)atomic_load(&d->transaction.state); }

/* ---- the clients' side ----------------------------------------------------- */

typedef void source_visit(source *s);

/* The deployment's lock held. */
static void visit_sources(deployment *d, source_visit *visit) {
  for (uint32_t i = 0; i < d->program->n_connectors; i++)
    if (d->inputs[i]) visit(&d->inputs[i]->source);
  for (input *in = atomic_load(&d->extra_inputs); in; in = in->next_extra) visit(&in->source);
  for (hw_producer *p = d->producers; p; p = producer_next(p)) visit(producer_source(p));
}

static void mark_start(source *s) { s->transaction_from = s->transaction_to = atomic_load(&s->queue.in.batches); }
static void mark_commit(source *s) { s->transaction_to = atomic_load(&s->queue.in.batches); }

static hw_status refuse_stopping(hw_error *err) {
  return hw_error_code(err, HW_ESTATE, "PipelineInteractionNotDeployed", "the pipeline is stopping");
}

static const char *const being[] = {
    [TRANSACTION_NONE] = "not there", [TRANSACTION_OPEN] = "open: commit it first",
    [TRANSACTION_COMMITTING] = "being committed: the next one can be started when that has ended"};

/* Lock held. */
static hw_status start(deployment *d, hw_error *err) {
  transaction *t = &d->transaction;
  if (d->stop_asked) return refuse_stopping(err);
  if (state_of(d) != TRANSACTION_NONE)
    return hw_error_code(err, HW_ESTATE, "TransactionInProgress",
                         "transaction %llu of pipeline '%s' is %s; a pipeline has one at a time",
                         (unsigned long long)t->id, d->name, being[state_of(d)]);
  visit_sources(d, mark_start);
  t->id++;
  t->began_us = sched_now_us();
  atomic_store(&t->records, 0);
  atomic_store(&t->committed, 0);
  atomic_store(&t->full, false);
  atomic_store(&t->state, TRANSACTION_OPEN);
  return HW_OK;
}

hw_status deployment_start_transaction(deployment *d, uint64_t *id, hw_error *err) {
  pthread_mutex_lock(&d->lock);
  hw_status st = start(d, err);
  *id = d->transaction.id;
  pthread_mutex_unlock(&d->lock);
  if (st == HW_OK) deployment_log(d, HW_LOG_INFO, d->name, "transaction %llu is open", (unsigned long long)*id);
  return st;
}

/* Lock held. */
static hw_status commit(deployment *d, hw_error *err) {
  transaction *t = &d->transaction;
  if (deployment_phase(d) >= PHASE_FLUSHING) return refuse_stopping(err);
  if (state_of(d) == TRANSACTION_NONE)
    return hw_error_code(err, HW_ESTATE, "NoTransactionInProgress",
                         "pipeline '%s' has no transaction that could be committed: start one first", d->name);
  if (state_of(d) == TRANSACTION_COMMITTING)
    return hw_error_code(err, HW_ESTATE, "NoTransactionInProgress", "transaction %llu of pipeline '%s' is %s",
                         (unsigned long long)t->id, d->name, being[TRANSACTION_COMMITTING]);
  visit_sources(d, mark_commit);
  t->commit_us = sched_now_us();
  latency_add(&t->ingest, (t->commit_us - t->began_us) * 1000);
  atomic_store(&t->state, TRANSACTION_COMMITTING);
  return HW_OK;
}

hw_status deployment_commit_transaction(deployment *d, hw_error *err) {
  pthread_mutex_lock(&d->lock);
  hw_status st = commit(d, err);
  pthread_mutex_unlock(&d->lock);
  if (st == HW_OK) task_notify(&d->task);
  return st;
}

bool deployment_transaction_is_full(const deployment *d) { return atomic_load(&d->transaction.full); }

/* ---- taking ---------------------------------------------------------------- */

/* Whether there is no memory for more. Once there was none there has to be some more
 * than that, so that it does not come and go with every batch. */
static bool is_full(deployment *d) {
  uint64_t limit = d->rt->mem.limit;
  transaction *t = &d->transaction;
  uint64_t used_most = atomic_load(&t->full) ? limit / 2 : limit / 4 * 3;
  bool full = atomic_load(&d->rt->transactions_held) >= limit / 2 || atomic_load(&d->rt->mem.used) >= used_most;
  if (full && t->warned != t->id)
    deployment_log(d, HW_LOG_WARNING, d->name,
                   "the transaction holds %llu records (%llu bytes), and there is no memory for more of them: inputs "
                   "wait for its commit (all transactions together may hold half of --memory)",
                   (unsigned long long)atomic_load(&t->records), (unsigned long long)atomic_load(&t->held));
  if (full) t->warned = t->id;
  atomic_store(&t->full, full);
  if (full) task_wait_us(&d->task, LOOK_AGAIN_US);
  return full;
}

transaction_role transaction_role_of(deployment *d, const source *s) {
  transaction_state now = state_of(d);
  if (now == TRANSACTION_NONE || s->taken < s->transaction_from) return ROLE_PASSES;
  if (now == TRANSACTION_COMMITTING) return s->taken < s->transaction_to ? ROLE_BELONGS : ROLE_WAITS;
  return is_full(d) ? ROLE_WAITS : ROLE_BELONGS;
}

void transaction_park(deployment *d, source *s, batch *b) {
  transaction *t = &d->transaction;
  TASK_ASSERT(&d->task);
  for (const batch *part = b; part; part = part->unit_next) {
    queue_park(&s->queue, part);
    atomic_fetch_add(&t->records, hw_batch_count(&part->pub));
    atomic_fetch_add(&t->held, part->held);
    atomic_fetch_add(&d->rt->transactions_held, part->held);
  }
  b->source = s;
  b->next_held = NULL;
  if (t->last)
    t->last->next_held = b;
  else
    t->first = b;
  t->last = b;
  s->has_room(s);
}

static batch *take_first(transaction *t) {
  batch *b = t->first;
  if (!b) return NULL;
  t->first = b->next_held;
  if (!t->first) t->last = NULL;
  return b;
}

static void give_back(deployment *d, const batch *b) {
  for (; b; b = b->unit_next) {
    atomic_fetch_sub(&d->transaction.held, b->held);
    atomic_fetch_sub(&d->rt->transactions_held, b->held);
  }
}

void transaction_drop(deployment *d) {
  for (batch *b; (b = take_first(&d->transaction));) {
    give_back(d, b);
    queue_drop(b);
  }
}

/* ---- the commit ------------------------------------------------------------ */

static bool has_all(const source *s) { return s->taken >= s->transaction_to; }

static bool is_gathered(deployment *d) {
  bool all = true;
  for (uint32_t i = 0; i < d->program->n_connectors && all; i++) all = !d->inputs[i] || has_all(&d->inputs[i]->source);
  for (input *in = atomic_load(&d->extra_inputs); in && all; in = in->next_extra) all = has_all(&in->source);
  pthread_mutex_lock(&d->lock);
  for (hw_producer *p = d->producers; p && all; p = producer_next(p)) all = has_all(producer_source(p));
  pthread_mutex_unlock(&d->lock);
  return all;
}

bool transaction_begin_run(deployment *d) {
  transaction *t = &d->transaction;
  if (state_of(d) != TRANSACTION_COMMITTING || d->failed || d->in_hand || !is_gathered(d)) return false;
  t->running = true;
  t->run_mark = atomic_load_explicit(&d->mark, memory_order_relaxed); /* our own */
  t->run_began_ns = sched_now_ns();
  return true;
}

static void finish(deployment *d) {
  transaction *t = &d->transaction;
  unsigned long long records = atomic_load(&t->records);
  if (records) {
    deployment_end_step(d);
    latency_add(&d->step_time, sched_now_ns() - t->run_began_ns);
  }
  if (d->failed) return; /* the step could not be ended: no snapshot shows it */
  t->running = false;
  pthread_mutex_lock(&d->lock);
  uint64_t took_us = sched_now_us() - t->commit_us;
  unsigned long long id = t->id;
  atomic_store(&t->full, false);
  atomic_store(&t->state, TRANSACTION_NONE);
  pthread_mutex_unlock(&d->lock);
  latency_add(&t->commit, took_us * 1000);
  deployment_log(d, HW_LOG_INFO, d->name, "transaction %llu is committed: %llu records, in %.3f s", id, records,
                 (double)took_us / 1e6);
}

/* False: not all of it is through, or outputs are full (*stalled). */
static bool commit_unit(deployment *d, batch *b, bool *stalled) {
  for (const batch *part = b; part; part = part->unit_next) queue_unpark(&b->source->queue, part);
  give_back(d, b);
  deployment_take_in_hand(d, b->source, b);
  return deployment_work_off(d, stalled);
}

/* As long as nothing holds it, and its turn is not over. True: all is through the circuit. */
static bool commit_some(deployment *d, bool *stalled) {
  d->turn_us = sched_now_us();
  bool ok = !d->in_hand || deployment_work_off(d, stalled);
  while (ok && d->transaction.first && sched_now_us() - d->turn_us <= d->rt->turn_us)
    ok = commit_unit(d, take_first(&d->transaction), stalled);
  return ok && !d->transaction.first;
}

bool transaction_run(deployment *d) {
  transaction *t = &d->transaction;
  bool stalled = false, all = commit_some(d, &stalled);
  /* Relaxed: our own. */
  atomic_store(&t->committed, atomic_load_explicit(&d->mark, memory_order_relaxed) - t->run_mark);
  if (stalled) deployment_note_stall(d, true);
  if (all) finish(d);
  return !stalled && !d->failed;
}
