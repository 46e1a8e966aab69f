/* deployment_stats.c - snapshots, from atomics: no task is asked. */
#include "runtime/deployment_impl.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct {
  uint32_t bit;
  const char *name;
} hold_names[] = {{GATE_PIPELINE, "pipeline"},         {GATE_USER, "user"},   {GATE_START_AFTER, "start_after"},
                  {GATE_BACKPRESSURE, "backpressure"}, {GATE_RETRY, "retry"}, {GATE_ENDED, "ended"}};

/* waits_for_commit: a transaction is full, which is why the queue is. */
static void name_holds(uint32_t reasons, bool waits_for_commit, char *out, size_t room) {
  size_t at = 0;
  out[0] = '\0';
  for (size_t i = 0; i < sizeof hold_names / sizeof *hold_names; i++)
    if (reasons & hold_names[i].bit && at < room)
      at += (size_t)snprintf(out + at, room - at, "%s%s", at ? " " : "", hold_names[i].name);
  if (waits_for_commit && at < room) snprintf(out + at, room - at, "%stransaction", at ? " " : "");
}

static void gate_stats(hw_connector *c, connector_stats *out) {
  uint32_t reasons = gate_reasons(&c->gate);
  bool waits = c->spec->is_input && reasons & GATE_BACKPRESSURE && atomic_load(&c->d->transaction.full);
  name_holds(reasons, waits, out->holds, sizeof out->holds);
  out->paused = reasons & GATE_USER;
  out->active = reasons == 0;
  out->epoch = control_epoch(&c->control);
}

static void input_stats(input *in, connector_stats *out) {
  out->end_of_input = atomic_load(&in->end_of_input);
  out->total_records = atomic_load(&in->total_records); /* before what is buffered, for `quiescent` */
  out->buffered_records = queue_records(&in->source.queue);
  out->buffered_bytes = queue_bytes(&in->source.queue);
  out->buffered_batches = queue_batches(&in->source.queue);
  latency_read(&in->source.processing, &out->processing);
  out->total_bytes = atomic_load(&in->total_bytes);
  out->dropped_records = atomic_load(&in->dropped);
  out->progress_done = atomic_load(&in->progress_done);
  out->progress_total = atomic_load(&in->progress_total);
  out->taken_mark = atomic_load(&in->source.taken_mark);
}

/* `completed` was looked at after all that is in s: never true too early. Once for all
 * connectors, since it is a look at every output. */
static void settle(connector_stats *s, uint64_t completed) {
  s->quiescent = s->is_input && s->buffered_records == 0 && completed >= s->taken_mark;
}

static void spill_stats(const spill *s, connector_stats *out) {
  out->queued_bytes += queue_difference(&s->in.bytes, &s->gone.bytes);
  out->memory += atomic_load(&s->list_held);
  out->spill_bytes = atomic_load(&s->on_disk);
  out->spilled_records = atomic_load(&s->spilled);
}

static const char *const on_full_names[] = {
    [ON_FULL_HOLD] = "hold", [ON_FULL_SPILL] = "spill", [ON_FULL_DROP] = "drop"};

static void output_stats(const deployment *d, const output *o, connector_stats *out) {
  out->transmitted_records = atomic_load(&o->transmitted_records);
  out->transmitted_bytes = atomic_load(&o->transmitted_bytes);
  out->on_full = on_full_names[o->c.spec->on_full];
  out->queued_records = output_records(o);
  out->queued_batches = output_batches(o);
  out->queued_bytes = queue_bytes(&o->queue);
  out->dropped_records = atomic_load(&o->dropped_records);
  out->memory = queue_held(&o->queue);
  out->total_processed_input_records = output_mark(o, atomic_load(&d->mark));
  out->total_processed_steps = output_is_idle(o) ? atomic_load(&d->steps) : atomic_load(&o->done_step);
  if (o->spill) spill_stats(o->spill, out);
}

/* A spill that cannot is a reason to be unhealthy. */
static hw_status spill_trouble(output *o, connector_stats *out) {
  if (!o->spill || out->health_reason) return HW_OK;
  pthread_mutex_lock(&o->c.lock);
  if (*o->spill->trouble) out->health_reason = strdup(o->spill->trouble);
  bool lost = *o->spill->trouble && !out->health_reason;
  pthread_mutex_unlock(&o->c.lock);
  out->healthy = !out->health_reason;
  return lost ? HW_ENOMEM : HW_OK;
}

/* All but what settle tells. */
static hw_status fill_connector(hw_connector *c, bool with_errors, connector_stats *out) {
  hw_status st = connector_fill_stats(c, with_errors, out);
  if (st != HW_OK) return st;
  gate_stats(c, out);
  if (c->spec->is_input)
    input_stats((input *)c, out);
  else
    output_stats(c->d, (output *)c, out);
  if (!c->spec->is_input) st = spill_trouble((output *)c, out);
  if (st != HW_OK) connector_stats_fini(out);
  return st;
}

hw_status deployment_connector_stats(deployment *d, uint32_t i, bool with_errors, connector_stats *out) {
  hw_status st = fill_connector(deployment_connector(d, i), with_errors, out);
  if (st == HW_OK) settle(out, deployment_completed(d));
  return st;
}

typedef struct named_stats {
  uint32_t relation;
  const char *name;
  bool is_input, found;
  connector_stats *out;
} named_stats;

static hw_status fill_named(void *arg, hw_connector *c) {
  named_stats *n = arg;
  if (n->found || c->spec->is_input != n->is_input || c->spec->relation != n->relation) return HW_OK;
  if (strcmp(c->spec->name, n->name) != 0) return HW_OK;
  n->found = true;
  return fill_connector(c, true, n->out);
}

hw_status deployment_extra_stats(deployment *d, uint32_t relation, bool is_input, const char *connector,
                                 connector_stats *out) {
  named_stats n = {.relation = relation, .name = connector, .is_input = is_input, .out = out};
  hw_status st = extras_visit(d, fill_named, &n);
  if (st == HW_OK && n.found) settle(out, deployment_completed(d));
  return st == HW_OK && !n.found ? HW_ENOTFOUND : st;
}

uint64_t stats_resident_of(int statm) {
  char text[128];
  ssize_t n = pread(statm, text, sizeof text - 1, 0);
  unsigned long long resident;
  text[n > 0 ? n : 0] = '\0';
  return sscanf(text, "%*u %llu", &resident) == 1 ? resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

uint64_t stats_resident_bytes(void) {
  int statm = open(STATS_STATM, O_RDONLY | O_CLOEXEC);
  uint64_t resident = stats_resident_of(statm);
  if (statm >= 0) close(statm);
  return resident;
}

static uint64_t cpu_us(void) {
  struct rusage r;
  if (getrusage(RUSAGE_SELF, &r) != 0) return 0;
  return (uint64_t)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000u +
         (uint64_t)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

static hw_status fill_connectors(deployment *d, bool with_errors, pipeline_stats *out) {
  for (uint32_t i = 0; i < d->program->n_connectors; i++) {
    connector_stats *s = d->inputs[i] ? &out->inputs[out->n_inputs] : &out->outputs[out->n_outputs];
    hw_status st = fill_connector(deployment_connector(d, i), with_errors, s);
    if (st != HW_OK) return st;
    if (d->inputs[i])
      out->n_inputs++;
    else
      out->n_outputs++;
  }
  return HW_OK;
}

typedef struct extras_fill {
  bool with_errors;
  uint32_t inputs_room, outputs_room;
  pipeline_stats *out;
} extras_fill;

static hw_status fill_extra(void *arg, hw_connector *c) {
  extras_fill *f = arg;
  uint32_t *n = c->spec->is_input ? &f->out->n_inputs : &f->out->n_outputs;
  if (*n == (c->spec->is_input ? f->inputs_room : f->outputs_room)) return HW_OK; /* it came since we made room */
  connector_stats *items = c->spec->is_input ? f->out->inputs : f->out->outputs;
  hw_status st = fill_connector(c, f->with_errors, &items[*n]);
  if (st == HW_OK) ++*n;
  return st;
}

static void fill_producers(deployment *d, pipeline_stats *out) {
  pthread_mutex_lock(&d->lock);
  out->total_input_records += d->past_records;
  out->total_input_bytes += d->past_bytes;
  for (hw_producer *p = d->producers; p; p = producer_next(p)) {
    const queue *q = &producer_source(p)->queue;
    out->total_input_records += atomic_load(&q->in.records);
    out->total_input_bytes += atomic_load(&q->in.bytes);
    out->buffered_input_records += queue_records(q);
    out->buffered_input_bytes += queue_bytes(q);
  }
  pthread_mutex_unlock(&d->lock);
}

static void fill_transaction(deployment *d, transaction_stats *out) {
  transaction *t = &d->transaction;
  pthread_mutex_lock(&d->lock);
  uint32_t at = atomic_load(&t->state);
  if (at != TRANSACTION_NONE)
    *out = (transaction_stats){.open = at == TRANSACTION_OPEN, .committing = at == TRANSACTION_COMMITTING,
                               .id = t->id, .age_us = sched_now_us() - t->began_us,
                               .committed = atomic_load(&t->committed), .records = atomic_load(&t->records),
                               .held_bytes = atomic_load(&t->held), .full = atomic_load(&t->full)};
  pthread_mutex_unlock(&d->lock);
}

static void fill_totals(deployment *d, pipeline_stats *out) {
  out->running = deployment_running(d);
  out->complete = atomic_load(&d->complete);
  out->total_completed_records = deployment_completed(d);
  out->total_processed_records = atomic_load(&d->mark);
  out->total_processed_bytes = atomic_load(&d->processed_bytes);
  /* What was taken in, after what is processed: never less, and neither ever falls. */
  for (uint32_t i = 0; i < d->program->n_connectors; i++) {
    const input *in = d->inputs[i];
    if (!in) continue;
    out->total_input_records += atomic_load(&in->source.queue.in.records);
    out->total_input_bytes += atomic_load(&in->total_bytes);
  }
  for (const input *in = atomic_load(&d->extra_inputs); in; in = in->next_extra) {
    out->total_input_records += atomic_load(&in->source.queue.in.records);
    out->total_input_bytes += atomic_load(&in->total_bytes);
  }
  for (uint32_t i = 0; i < out->n_inputs; i++) {
    settle(&out->inputs[i], out->total_completed_records);
    out->buffered_input_records += out->inputs[i].buffered_records;
    out->buffered_input_bytes += out->inputs[i].buffered_bytes;
  }
  fill_producers(d, out);
  out->initiated_steps = out->completed_steps = atomic_load(&d->steps);
  out->output_stall_us = atomic_load(&d->stall_us);
  out->output_stalls = atomic_load(&d->stalls);
  out->wakeups = atomic_load(&d->wakeups);
  latency_read(&d->step_time, &out->step_time);
  latency_read(&d->completion, &out->completion);
  fill_transaction(d, &out->transaction);
  latency_read(&d->transaction.ingest, &out->transaction_ingest);
  latency_read(&d->transaction.commit, &out->transaction_commit);
  out->rss_bytes = stats_resident_of(d->rt->statm);
  out->cpu_us = cpu_us();
  out->memory_in_use = atomic_load(&d->rt->mem.used);
  out->start_time_us = d->started_wall_us;
  uint64_t started = atomic_load(&d->started_us);
  out->uptime_us = started ? sched_now_us() - started : 0;
  memcpy(out->incarnation, d->incarnation, sizeof out->incarnation);
}

hw_status deployment_stats(deployment *d, bool with_errors, pipeline_stats *out) {
  memset(out, 0, sizeof *out);
  extras_fill extras = {.with_errors = with_errors, .out = out};
  pthread_mutex_lock(&d->lock);
  extras.inputs_room = d->n_inputs + d->n_extra_inputs;
  extras.outputs_room = d->n_outputs + d->n_extra_outputs;
  pthread_mutex_unlock(&d->lock);
  out->inputs = calloc(extras.inputs_room + 1, sizeof *out->inputs);
  out->outputs = calloc(extras.outputs_room + 1, sizeof *out->outputs);
  out->n_relations = d->program->n_relations;
  out->relations = calloc(out->n_relations ? out->n_relations : 1, sizeof *out->relations);
  for (uint32_t i = 0; out->relations && i < out->n_relations; i++) {
    out->relations[i] = circuit_relation_stats(d->circuit, i);
    state_relation_stats(d->state, i, &out->relations[i]);
  }
  hw_status st = out->inputs && out->outputs && out->relations ? fill_connectors(d, with_errors, out) : HW_ENOMEM;
  if (st == HW_OK) st = extras_visit(d, fill_extra, &extras);
  if (st != HW_OK) {
    pipeline_stats_fini(out);
    return st;
  }
  fill_totals(d, out);
  return HW_OK;
}

uint64_t deployment_processed(const deployment *d) { return atomic_load(&d->mark); }

void deployment_latency(deployment *d, latency_summary *out) {
  out->count = atomic_load(&d->latency.total);
  out->p50_us = (double)histogram_quantile(&d->latency, 0.5) / 1000;
  out->p99_us = (double)histogram_quantile(&d->latency, 0.99) / 1000;
  out->max_us = (double)atomic_load(&d->latency.max) / 1000;
}

static hw_status add_errors(void *arg, hw_connector *c) {
  for (unsigned k = 0; k < ERROR_KINDS; k++) *(uint64_t *)arg += atomic_load(&c->counts[k]);
  return HW_OK;
}

uint64_t deployment_num_errors(const deployment *d) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < d->program->n_connectors; i++) (void)add_errors(&sum, deployment_connector(d, i));
  (void)extras_visit((deployment *)(uintptr_t)d, add_errors, &sum); /* for the lock */
  return sum;
}
