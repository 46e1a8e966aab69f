#include "runtime/input.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FETCH_BYTES (256u << 10) /* about 200 us of parsing */
#define LATE_RETRY_US UINT64_C(1000) /* when memory was short: look again, less and less often */
#define LATE_DOUBLINGS 6u

/* ---- batches ------------------------------------------------------------- */

uint64_t input_rows_allowed(const input *in) {
  uint64_t held = queue_waiting_records(&in->source.queue), most = in->source.queue.max_records;
  return held < most ? most - held : 0;
}

bool input_is_empty(const input *in) {
  return !in->open && !in->lent && !in->ahead && queue_batches(&in->source.queue) == 0;
}

void input_account(input *in, uint64_t n) {
  /* Relaxed load: only this task writes it. */
  atomic_store(&in->total_bytes, atomic_load_explicit(&in->total_bytes, memory_order_relaxed) + n);
  if (in->open)
    in->open->source_bytes += n;
  else
    deployment_count_bytes(in->c.d, n);
}

static batch *new_batch(const input *in) {
  batch *b = batch_new(&in->c.rt->mem, in->c.schema, in->rows_wanted);
  return b || !input_is_empty(in) ? b : batch_new_essential(&in->c.rt->mem, in->c.schema, BATCH_ROWS_MIN);
}

batch *input_open_batch(input *in) {
  TASK_ASSERT(&in->c.task);
  if (in->open) return in->open;
  if (queue_is_full(&in->source.queue)) return NULL;
  batch *b = new_batch(in);
  if (!b) {
    in->starved = true;
    return NULL;
  }
  uint64_t most = input_rows_allowed(in);
  if (in->c.spec->max_batch_size > 0 && (uint64_t)in->c.spec->max_batch_size < most)
    most = (uint64_t)in->c.spec->max_batch_size;
  if (most < b->pub.capacity) b->pub.capacity = (uint32_t)most;
  b->fetched_ns = in->now_ns;
  return in->open = b;
}

static void grow_or_shrink(input *in, uint32_t rows) {
  if (rows >= in->rows_wanted && in->rows_wanted < BATCH_ROWS_MAX) in->rows_wanted *= 4;
  if (rows < in->rows_wanted / 16 && in->rows_wanted > BATCH_ROWS_MIN) in->rows_wanted /= 4;
}

/* Rows that the table does not take are reported, and left out of the batch. */
static void refuse_rows(input *in, batch *b) {
  uint32_t n = 0, *sel = batch_new_sel(b, b->pub.n_rows);
  const char *tag, *why;
  for (uint32_t row = 0; row < b->pub.n_rows; row++) {
    if ((why = batch_refusal(b, row, &tag)))
      connector_add_error(&in->c, ERROR_PARSE, tag, "a row for \"%s\" %s: it is left out", in->c.schema->name, why);
    else if (sel)
      sel[n++] = row;
    else /* no memory for the list: rows that are not listed would come in as well */
      atomic_fetch_add(&in->dropped, 1);
  }
  static const uint32_t none[1];
  b->pub.sel = sel ? sel : none;
  b->pub.n_sel = n;
}

static void push(input *in, batch *b) {
  uint64_t n = 0;
  for (batch *part = b; part; part = part->unit_next) {
    part->held = batch_bytes(part);
    n += hw_batch_count(&part->pub);
  }
  bool pushed = queue_push(&in->source.queue, b);
  assert(pushed); /* a batch is only opened when the queue has a slot for it */
  (void)pushed;
  /* After the push: rows that are counted here are found in the queue, or beyond it. Relaxed load: our own. */
  atomic_store(&in->total_records, atomic_load_explicit(&in->total_records, memory_order_relaxed) + n);
  deployment_source_ready(in->c.d, &in->source);
}

void input_flush(input *in) {
  TASK_ASSERT(&in->c.task);
  batch *b = in->open;
  in->open = NULL;
  if (!b) return;
  if (batch_may_be_refused(b)) refuse_rows(in, b);
  if (hw_batch_count(&b->pub)) {
    grow_or_shrink(in, hw_batch_count(&b->pub));
    push(in, b);
    return;
  }
  deployment_count_bytes(in->c.d, b->source_bytes);
  hw_batch_unref(&b->pub);
}

bool input_push_unit(input *in, batch *unit, uint64_t loose) {
  input_flush(in); /* in order */
  if (unit && queue_is_full(&in->source.queue)) return false;
  uint64_t bytes = loose;
  for (const batch *part = unit; part; part = part->unit_next) bytes += part->source_bytes;
  atomic_store(&in->total_bytes, atomic_load_explicit(&in->total_bytes, memory_order_relaxed) + bytes); /* our own */
  deployment_count_bytes(in->c.d, loose);
  if (unit) push(in, unit);
  return true;
}

hw_batch *hw_input_batch(hw_connector *c) {
  input *in = (input *)c;
  assert(!in->lent);
  input_flush(in);
  batch *b = input_open_batch(in);
  in->open = NULL;
  return in->lent = b ? &b->pub : NULL;
}

void hw_input_commit(hw_connector *c, hw_batch *pub, uint64_t bytes) {
  input *in = (input *)c;
  assert(in->lent == pub);
  in->lent = NULL;
  in->open = batch_of(pub);
  input_account(in, bytes);
  input_flush(in);
}

void hw_input_set_position(hw_connector *c, const char *position) {
  pthread_mutex_lock(&c->lock);
  strncpy(c->position, position, sizeof c->position - 1);
  c->position[sizeof c->position - 1] = '\0';
  secret_redact(&c->secrets, c->position);
  pthread_mutex_unlock(&c->lock);
}

void hw_input_progress(hw_connector *c, uint64_t done, uint64_t total) {
  input *in = (input *)c;
  atomic_store(&in->progress_done, done);
  atomic_store(&in->progress_total, total);
}

void hw_input_count_drops(hw_connector *c, uint64_t n) { atomic_fetch_add(&((input *)c)->dropped, n); }

/* ---- the fetch ----------------------------------------------------------- */

static hw_fetch call_fetch(input *in, bool may_block, hw_error *err) {
  const hw_input_ops *ops = in->c.spec->input->ops;
  if (atomic_exchange(&in->resumed, false) && ops->resume) ops->resume(in->c.instance);
  hw_fetch_args args = {.struct_size = sizeof args, .may_block = may_block, .max_bytes = FETCH_BYTES,
                        .max_rows = BATCH_ROWS_MAX};
  if (!may_block) return ops->fetch(in->c.instance, &args, err);
  connector_enter_blocking(&in->c);
  /* Whoever holds us interrupts afterwards: either it sees the call, or we see the hold. */
  hw_fetch r = gate_reasons(&in->c.gate) ? HW_FETCH_BLOCK : ops->fetch(in->c.instance, &args, err);
  connector_leave_blocking(&in->c);
  return r;
}

/* Nothing more will come, and what came is queued. */
static void end(input *in) {
  if (!connector_failed(&in->c)) atomic_store(&in->end_of_input, true);
  gate_hold(&in->c.gate, GATE_ENDED);
  deployment_source_ready(in->c.d, &in->source); /* the pipeline looks whether all is done */
}

static void fail(input *in, const hw_error *err) {
  connector_add_error(&in->c, ERROR_TRANSPORT, "fatal", "%s", err->message);
  connector_set_fatal(&in->c, err->message);
  in->ended = true;
}

static void retry_later(input *in, const hw_error *err) {
  uint64_t delay = connector_next_delay(&in->c);
  connector_add_error(&in->c, ERROR_TRANSPORT, "retry", "%s; next try in %.1f s", err->message, (double)delay / 1e6);
  connector_set_trouble(&in->c, err->message);
  in->c.retry_at_us = sched_now_us() + delay;
  gate_hold(&in->c.gate, GATE_RETRY);
  task_wait_us(&in->c.task, delay);
}

/* Held until the queue has room; the look after the hold meets a consumer that
 * made room between ours and it. */
static void hold_for_room(input *in) {
  gate_hold(&in->c.gate, GATE_BACKPRESSURE);
  if (in->starved)
    task_wait_us(&in->c.task, LATE_RETRY_US << in->starvations);
  else if (!queue_is_full(&in->source.queue))
    gate_release(&in->c.gate, GATE_BACKPRESSURE);
}

static task_next after_fetch(input *in, hw_fetch r, const hw_error *err) {
  switch (r) {
  case HW_FETCH_MORE: connector_recovered(&in->c); return TASK_AGAIN;
  case HW_FETCH_WAIT: connector_recovered(&in->c); return TASK_IDLE;
  case HW_FETCH_TRYING: return TASK_IDLE;
  case HW_FETCH_BLOCK: return TASK_BLOCKING;
  case HW_FETCH_END:
    connector_recovered(&in->c);
    in->ended = true;
    return TASK_AGAIN;
  case HW_FETCH_RETRY: retry_later(in, err); return TASK_IDLE;
  case HW_FETCH_FATAL: break;
  }
  fail(in, err);
  return TASK_AGAIN;
}

/* A fetch that blocks would hold back the rows that other workers have parsed meanwhile:
 * those are taken in first. */
static bool may_call(input *in, bool may_block) {
  in->awaits = may_block && in->ahead;
  return !in->awaits;
}

/* Inside the gate. */
static task_next fetch(input *in, bool may_block) {
  in->now_ns = sched_now_ns();
  in->starved = in->awaits = false;
  task_next next = TASK_AGAIN;
  if (input_parse_rest(in) && !in->ended && may_call(in, may_block)) {
    hw_error err = {0};
    next = after_fetch(in, call_fetch(in, may_block, &err), &err);
    assert(!in->lent);
  }
  input_flush(in);
  if (in->ended && !in->unparsed && !in->ahead) {
    end(in);
    return TASK_IDLE;
  }
  in->starvations = !in->starved ? 0 : in->starvations < LATE_DOUBLINGS ? in->starvations + 1 : LATE_DOUBLINGS;
  if (in->starved || queue_is_full(&in->source.queue)) hold_for_room(in);
  if (in->starved) return TASK_IDLE; /* its next run, by the timer at the latest, lifts that hold */
  return (in->awaits || in->ended) && input_is_parsed_ahead(in) ? TASK_IDLE : next;
}

/* Another wait may have taken the retry's place: the earlier one counts. */
static void rearm_retry(input *in) {
  uint64_t now = sched_now_us(), at = in->c.retry_at_us;
  if (in->c.wait_at_us > now && in->c.wait_at_us < at) at = in->c.wait_at_us;
  task_wait_us(&in->c.task, at > now ? at - now : 1);
}

static void lift_timed_holds(input *in) {
  uint64_t now = in->c.retry_at_us ? sched_now_us() : 0;
  if (in->c.retry_at_us > now) {
    rearm_retry(in);
  } else if (in->c.retry_at_us) {
    in->c.retry_at_us = 0;
    gate_release(&in->c.gate, GATE_RETRY);
  }
  if (in->starved) {
    in->starved = false;
    if (!queue_is_full(&in->source.queue)) gate_release(&in->c.gate, GATE_BACKPRESSURE);
  }
}

static bool is_attended(const input *in) {
  return in->c.spec->input->attend && atomic_load(&in->c.opened) && !(gate_reasons(&in->c.gate) & GATE_ENDED);
}

/* Outside the gate: nothing is fetched. */
static task_next attend(input *in, bool may_block) {
  if (!is_attended(in)) return TASK_IDLE;
  if (may_block) connector_enter_blocking(&in->c);
  hw_fetch r = in->c.spec->input->attend(in->c.instance, may_block);
  if (may_block) connector_leave_blocking(&in->c);
  if (in->c.retry_at_us) rearm_retry(in);
  return r == HW_FETCH_BLOCK ? TASK_BLOCKING : TASK_IDLE;
}

static task_next input_run(task *t, bool may_block) {
  input *in = (input *)t;
  lift_timed_holds(in);
  if (!gate_enter(&in->c.gate)) return attend(in, may_block);
  task_next next = fetch(in, may_block);
  if (gate_leave(&in->c.gate)) control_run(&in->c.control);
  return next;
}

void input_release(input *in, uint32_t reasons) {
  if (reasons & (GATE_PIPELINE | GATE_USER | GATE_START_AFTER)) atomic_store(&in->resumed, true);
  if (gate_release(&in->c.gate, reasons)) task_notify(&in->c.task);
}

static void release(hw_connector *c, uint32_t reasons) { input_release((input *)c, reasons); }

/* The pipeline took batches from the queue. */
static void has_room(source *s) {
  input *in = (input *)((char *)s - offsetof(input, source));
  if (gate_reasons(&in->c.gate) & GATE_BACKPRESSURE && !queue_is_full(&s->queue)) input_release(in, GATE_BACKPRESSURE);
}

/* ---- life ---------------------------------------------------------------- */

hw_status input_init(input *in, deployment *d, runtime *rt, uint32_t index, const program_connector *spec,
                     const hw_schema *schema, hw_error *err) {
  in->c.spec = spec;
  in->c.schema = schema;
  uint32_t reasons = GATE_PIPELINE | (spec->paused ? GATE_USER : 0) | (spec->n_start_after ? GATE_START_AFTER : 0);
  gate_init(&in->c.gate, reasons);
  in->rows_wanted = BATCH_ROWS_MIN;
  atomic_init(&in->uses, 1);
  in->c.counted = &in->total_records;
  in->c.letters = deployment_dead_letters(d);
  in->c.release = release;
  if (connector_init(&in->c, d, rt, index, input_run, spec->input->capabilities & HW_CAP_BLOCKING) != HW_OK)
    goto no_connector;
  if (!source_init(&in->source, spec->relation, &QUEUE_OF_INPUT, (uint64_t)spec->max_queued_records,
                   (uint64_t)spec->max_queued_bytes, has_room))
    goto no_source;
  hw_status st = connector_resolve(&in->c, err);
  if (st == HW_OK) st = spec->input->ops->create(&in->c, in->c.transport_config, &in->c.instance, err);
  if (st == HW_OK) return HW_OK;
  connector_redact(&in->c, err);
  in->c.instance = NULL;
  queue_fini(&in->source.queue);
  connector_fini(&in->c);
  return st;

no_source:
  connector_fini(&in->c);
no_connector:
  return hw_error_set(err, HW_ENOMEM, "no memory for connector %s", spec->endpoint);
}

void input_drop(input *in) {
  if (in->c.instance) in->c.spec->input->ops->destroy(in->c.instance);
  in->c.instance = NULL;
  while (in->streams) stream_free(in->streams);
  if (in->open) hw_batch_unref(&in->open->pub);
  in->open = NULL;
}

void input_fini(input *in) {
  source_fini(&in->source);
  connector_fini(&in->c);
}
