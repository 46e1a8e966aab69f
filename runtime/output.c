#include "runtime/output.h"
#include "runtime/report.h"
#include "runtime/spill.h"

#include <stdlib.h>
#include <string.h>

#define OUTPUT_MEMORY_PART 4u
#define ENCODE_BYTES (256u << 10) /* written at a time */
#define ENCODE_ROWS 8192u         /* likewise */
#define FLUSH_EVERY_US 1000000u   /* while data keeps coming */
#define QUANTUM_US 200u
#define RETRY_MEMORY_US 1000u

/* ---- encoding ------------------------------------------------------------ */

typedef struct encode_report {
  hw_report report;
  output *out;
} encode_report;

static void report_bad(hw_report *r, const hw_bad_record *bad) {
  output *out = ((encode_report *)r)->out;
  out->bad++;
  report_add(&out->c, ERROR_ENCODE, NULL, 0, bad);
}

static void count_written(output *out, size_t n) {
  /* Relaxed load: only this task writes it. */
  atomic_store(&out->transmitted_bytes, atomic_load_explicit(&out->transmitted_bytes, memory_order_relaxed) + n);
}

static void count_rows(output *out, uint64_t n) {
  /* Relaxed load: as above. */
  atomic_store(&out->transmitted_records, atomic_load_explicit(&out->transmitted_records, memory_order_relaxed) + n);
  out->settled += n;
}

/* The rows of the buffer that the sink has whole by now. */
static void count_rows_sent(output *out) {
  uint64_t n = 0;
  for (; out->ends_sent < out->n_ends && out->ends[out->ends_sent].at <= out->sent; out->ends_sent++)
    n += out->ends[out->ends_sent].rows;
  if (n) count_rows(out, n);
}

/* The batch's rows are with the sink, but for the bad ones. */
static void batch_done(output *out, batch *b) {
  TASK_ASSERT(&out->c.task);
  out->settled -= hw_batch_count(&b->pub);
  deployment_output_written(out->c.d, out, b);
  if (b->mark != out->last_mark) {
    atomic_store(&out->done_mark, out->last_mark);
    atomic_store(&out->done_step, out->last_step);
  }
  out->last_mark = b->mark;
  out->last_step = b->step;
  queue_done(&out->queue, b);
  hw_batch_unref(&b->pub);
  output_tell_room(out);
}

static hw_status begin(output *out) {
  if (out->begun) return HW_OK;
  const hw_encoder_ops *ops = out->c.spec->format->encoder;
  hw_status st = ops->begin ? ops->begin(out->encoder, &out->bytes) : HW_OK;
  out->begun = st == HW_OK;
  return st;
}

static bool is_full(const output *out) { return out->bytes.len >= ENCODE_BYTES || out->n_ends == ENCODE_ROWS; }

/* The next row of the current batch, and bad ones before it: one byte is enough for
 * the encoder to stop at. */
static hw_status encode_row(output *out, encode_report *er) {
  uint32_t n = 0;
  out->bad = 0;
  hw_status st = out->c.spec->format->encoder->encode(out->encoder, &out->current->pub, out->taken,
                                                      out->bytes.len + 1, &out->bytes, &er->report, &n);
  if (st == HW_OK && n == 0) st = HW_EIO; /* or it would be asked for ever */
  uint32_t good = n > out->bad ? n - out->bad : 0;
  out->taken += n;
  out->settled += n - good;
  if (good) out->ends[out->n_ends++] = (row_end){.at = out->bytes.len, .rows = good};
  return st;
}

static hw_status encode_batch(output *out, encode_report *er) {
  hw_status st = begin(out);
  uint32_t count = hw_batch_count(&out->current->pub);
  while (st == HW_OK && out->taken < count && !is_full(out)) st = encode_row(out, er);
  if (out->taken < count) return st;
  out->encoded[out->n_encoded++] = out->current;
  out->current = NULL;
  out->taken = 0;
  return st;
}

/* Fills the buffer; HW_OK when it is full enough or there is nothing more. */
static hw_status encode(output *out) {
  encode_report er = {.report = {report_bad}, .out = out};
  hw_status st = HW_OK;
  while (st == HW_OK && !is_full(out) && out->n_encoded < sizeof out->encoded / sizeof *out->encoded) {
    if (!out->current && !(out->current = queue_pop(&out->queue))) return HW_OK;
    if (!out->ends && !(out->ends = malloc(ENCODE_ROWS * sizeof *out->ends))) return HW_ENOMEM;
    st = encode_batch(out, &er);
  }
  return st;
}

static void buffer_written(output *out) {
  out->bytes.len = out->sent = 0;
  out->n_ends = out->ends_sent = 0;
  for (uint32_t i = 0; i < out->n_encoded; i++) batch_done(out, out->encoded[i]);
  out->n_encoded = 0;
}

/* ---- sink ---------------------------------------------------------------- */

static void retry_later(output *out, const hw_error *err) {
  uint64_t delay = connector_next_delay(&out->c);
  connector_add_error(&out->c, ERROR_TRANSPORT, "retry", "%s; next try in %.1f s", err->message, (double)delay / 1e6);
  connector_set_trouble(&out->c, err->message);
  out->c.retry_at_us = sched_now_us() + delay;
  task_wait_us(&out->c.task, delay);
}

void output_fail(output *out, const hw_error *err) {
  if (atomic_load(&out->failed)) return;
  connector_add_error(&out->c, ERROR_TRANSPORT, "fatal", "%s", err->message);
  connector_set_fatal(&out->c, err->message);
  atomic_store(&out->failed, true);
  task_notify(&out->c.task); /* which drops what it holds */
  if (out->spill) spill_go_on(out->spill);
  deployment_output_progress(out->c.d, out);
}

/* True: go on. Otherwise *next says how. */
static bool after_call(output *out, hw_write r, const hw_error *err, task_next *next) {
  *next = TASK_IDLE;
  switch (r) {
  case HW_WRITE_OK: connector_recovered(&out->c); return true;
  case HW_WRITE_WAIT: return false;
  case HW_WRITE_BLOCK: *next = TASK_BLOCKING; return false;
  case HW_WRITE_RETRY: retry_later(out, err); return false;
  case HW_WRITE_FATAL: break;
  }
  output_fail(out, err);
  return false;
}

typedef struct call {
  hw_write_args args;
  hw_error err;
} call;

static void call_begin(output *out, call *c, bool may_block) {
  c->args = (hw_write_args){.struct_size = sizeof c->args, .may_block = may_block};
  c->err.message[0] = '\0';
  if (may_block) connector_enter_blocking(&out->c);
}

/* Whoever holds us interrupts afterwards: either it sees a call that may block, or
 * we see the hold before the call. */
static bool is_held(const output *out, const call *c) {
  return c->args.may_block && gate_reasons(&out->c.gate) && atomic_load(&out->phase) == OUTPUT_OPEN;
}

static void call_end(output *out, const call *c) {
  if (c->args.may_block) connector_leave_blocking(&out->c);
}

/* Writes the buffer out; true: all of it. */
static bool write_buffer(output *out, bool may_block, task_next *next) {
  while (out->sent < out->bytes.len) {
    call c;
    size_t written = 0;
    call_begin(out, &c, may_block);
    hw_write r = HW_WRITE_BLOCK;
    if (!is_held(out, &c))
      r = out->c.spec->output->ops->write(out->c.instance, &c.args, out->bytes.data + out->sent,
                                          out->bytes.len - out->sent, &written, &c.err);
    call_end(out, &c);
    out->sent += written;
    out->dirty = out->dirty || written;
    count_written(out, written);
    count_rows_sent(out);
    if (!after_call(out, r, &c.err, next)) return false;
    if (!written) { /* it would be asked for ever: others get their turn */
      *next = TASK_AGAIN;
      return false;
    }
  }
  return true;
}

static bool write_batch(output *out, bool may_block, task_next *next) {
  call c;
  call_begin(out, &c, may_block);
  hw_write r = HW_WRITE_BLOCK;
  if (!is_held(out, &c)) r = out->c.spec->output->ops->take(out->c.instance, &c.args, &out->current->pub, &c.err);
  call_end(out, &c);
  if (!after_call(out, r, &c.err, next)) return false;
  out->dirty = true;
  batch *b = out->current;
  out->current = NULL;
  count_rows(out, hw_batch_count(&b->pub) - out->bad); /* transports inside the engine count them */
  out->bad = 0;
  batch_done(out, b);
  return true;
}

static bool flush(output *out, bool may_block, task_next *next) {
  if (out->dirty && out->c.spec->output->ops->flush) {
    call c;
    call_begin(out, &c, may_block);
    hw_write r = HW_WRITE_BLOCK;
    if (!is_held(out, &c)) r = out->c.spec->output->ops->flush(out->c.instance, &c.args, &c.err);
    call_end(out, &c);
    if (!after_call(out, r, &c.err, next)) return false;
  }
  out->dirty = false;
  out->flushed_us = sched_now_us();
  return true;
}

static void do_reopen(output *out, bool may_block) {
  const hw_output_ops *ops = out->c.spec->output->ops;
  atomic_store(&out->reopen, false);
  if (!ops->reopen) return;
  hw_error err = {0};
  bool restarted = false;
  if (may_block) connector_enter_blocking(&out->c);
  hw_status st = ops->reopen(out->c.instance, &restarted, &err);
  if (may_block) connector_leave_blocking(&out->c);
  if (st != HW_OK) connector_add_error(&out->c, ERROR_TRANSPORT, "reopen", "%s", err.message);
  if (restarted) out->begun = false;
}

/* ---- the task ------------------------------------------------------------ */

/* `settled` of its rows are none that it loses. */
static void drop_taken(output *out, batch *b) {
  uint64_t count = hw_batch_count(&b->pub), settled = out->settled < count ? out->settled : count;
  out->settled -= settled;
  output_count_dropped(out, count - settled);
  queue_done(&out->queue, b);
  hw_batch_unref(&b->pub);
}

static void drop_all(output *out) {
  for (uint32_t i = 0; i < out->n_encoded; i++) drop_taken(out, out->encoded[i]);
  out->n_encoded = 0;
  if (out->current) drop_taken(out, out->current);
  out->current = NULL;
  out->n_ends = out->ends_sent = 0;
  for (batch *b; (b = queue_pop(&out->queue));) drop_taken(out, b);
}

/* Nothing could be encoded; what could has been written before. */
static bool encoding_failed(output *out, hw_status st, task_next *next) {
  *next = TASK_IDLE;
  if (st == HW_ENOMEM) {
    task_wait_us(&out->c.task, RETRY_MEMORY_US); /* it comes back as other batches go */
    return false;
  }
  hw_error err;
  hw_error_set(&err, st, "format %s cannot encode these rows", out->c.spec->format->name);
  output_fail(out, &err);
  return false;
}

/* One bufferful, or one batch. False: *next says why not. */
static bool work(output *out, bool may_block, bool *nothing, task_next *next) {
  *nothing = false;
  if (!out->encoder) {
    if (!out->current) out->current = queue_pop(&out->queue);
    *nothing = !out->current;
    return *nothing || write_batch(out, may_block, next);
  }
  hw_status st = out->sent == 0 ? encode(out) : HW_OK;
  *nothing = out->bytes.len == 0 && out->n_encoded == 0;
  if (st != HW_OK && *nothing) return encoding_failed(out, st, next);
  if (!write_buffer(out, may_block, next)) return false;
  buffer_written(out);
  return true;
}

/* Everything is written: the end of the document, once. */
static bool end_document(output *out, bool may_block, task_next *next) {
  if (out->encoder && !out->ended) {
    const hw_encoder_ops *ops = out->c.spec->format->encoder;
    hw_status st = ops->end ? begin(out) : HW_OK;
    if (st == HW_OK && ops->end) st = ops->end(out->encoder, &out->bytes);
    if (st != HW_OK) return encoding_failed(out, st, next);
    out->ended = true;
  }
  return write_buffer(out, may_block, next) && flush(out, may_block, next);
}

/* After a call that went wrong: a failed output has yet to drop what it holds. */
static task_next unless_failed(const output *out, task_next next) {
  return atomic_load(&out->failed) ? TASK_AGAIN : next;
}

static task_next when_idle(output *out, bool may_block) {
  task_next next = TASK_IDLE;
  if (atomic_load(&out->phase) == OUTPUT_FINISH) {
    if (!end_document(out, may_block, &next)) return unless_failed(out, next);
    atomic_store(&out->phase, OUTPUT_FINISHED);
    deployment_output_progress(out->c.d, out);
    return TASK_IDLE;
  }
  if (out->dirty) {
    uint64_t since = sched_now_us() - out->flushed_us;
    if (since < FLUSH_EVERY_US)
      task_wait_us(&out->c.task, FLUSH_EVERY_US - since);
    else if (!flush(out, may_block, &next))
      return unless_failed(out, next);
  }
  deployment_output_progress(out->c.d, out);
  return TASK_IDLE;
}

static task_next run_failed(output *out) {
  drop_all(out);
  if (atomic_load(&out->phase) == OUTPUT_FINISH) atomic_store(&out->phase, OUTPUT_FINISHED);
  deployment_output_progress(out->c.d, out);
  return TASK_IDLE;
}

/* Inside the gate. */
static task_next write_on(output *out, bool may_block) {
  uint64_t now = sched_now_us();
  if (out->c.retry_at_us > now) {
    task_wait_us(&out->c.task, out->c.retry_at_us - now); /* another wait may have taken its place */
    return TASK_IDLE;
  }
  out->c.retry_at_us = 0;
  if (out->prelude && out->prelude(out->c.instance) != HW_WRITE_OK) return TASK_IDLE; /* something is armed */
  out->prelude = NULL;
  for (;;) {
    bool nothing;
    task_next next;
    if (atomic_load(&out->reopen) && out->bytes.len == 0 && !out->ended) do_reopen(out, may_block);
    if (!work(out, may_block, &nothing, &next)) return unless_failed(out, next);
    if (nothing) return when_idle(out, may_block);
    if (sched_now_us() - now > QUANTUM_US) return TASK_AGAIN;
  }
}

/* A stop ends the document of an output that has written all it was given, whatever
 * holds it. */
static bool enter(output *out) {
  if (atomic_load(&out->phase) == OUTPUT_OPEN) return gate_enter(&out->c.gate);
  gate_enter_anyway(&out->c.gate);
  return true;
}

static task_next output_run(task *t, bool may_block) {
  output *out = (output *)t;
  if (atomic_load(&out->failed)) return run_failed(out);
  if (atomic_load(&out->phase) == OUTPUT_FINISHED || !enter(out)) return TASK_IDLE;
  task_next next = write_on(out, may_block);
  if (gate_leave(&out->c.gate)) control_run(&out->c.control);
  return next;
}

static void release(hw_connector *c, uint32_t reasons) {
  if (gate_release(&c->gate, reasons)) task_notify(&c->task);
}

/* A paused output takes more than one that writes: the pipeline looks again. */
static void held(hw_connector *c) {
  deployment_output_progress(c->d, (output *)c);
}

void output_finish(output *out) {
  uint32_t open = OUTPUT_OPEN;
  atomic_compare_exchange_strong(&out->phase, &open, OUTPUT_FINISH);
  task_notify(&out->c.task);
}

void output_reopen(output *out) {
  atomic_store(&out->reopen, true);
  task_notify(&out->c.task);
}

/* ---- life ---------------------------------------------------------------- */

static hw_status make_encoder(output *out, hw_error *err) {
  const program_connector *spec = out->c.spec;
  if (!spec->format) return HW_OK;
  return spec->format->encoder->create(out->c.format_config, out->c.schema, &out->encoder, err);
}

/* Outputs that are paused or slow keep what they hold from everybody: one of them
 * gets no more than a part of the memory that there is. */
static uint64_t held_most(const runtime *rt, const program_connector *spec) {
  uint64_t most = (uint64_t)spec->max_queued_bytes, part = rt->mem.limit / OUTPUT_MEMORY_PART;
  return most < part ? most : part;
}

hw_status output_init(output *out, deployment *d, runtime *rt, uint32_t index, const program_connector *spec,
                      const hw_schema *schema, hw_error *err) {
  out->c.spec = spec;
  out->c.schema = schema;
  hw_status st = HW_ENOMEM;
  if (connector_init(&out->c, d, rt, index, output_run, spec->output->capabilities & HW_CAP_BLOCKING) != HW_OK)
    goto no_connector;
  out->c.counted = &out->transmitted_records;
  out->c.release = release;
  out->c.held = held;
  if (spec->paused) (void)gate_hold(&out->c.gate, GATE_USER);
  if (!queue_init(&out->queue, &QUEUE_OF_OUTPUT, (uint64_t)spec->max_queued_records, held_most(rt, spec)))
    goto no_queue;
  if (spec->on_full == ON_FULL_SPILL && !(out->spill = spill_new(out, rt->spill_dir, (uint64_t)spec->max_spill_bytes)))
    goto no_spill;
  if ((st = connector_resolve(&out->c, err)) != HW_OK) goto no_encoder;
  if ((st = make_encoder(out, err)) != HW_OK) goto no_encoder;
  st = spec->output->ops->create(&out->c, out->c.transport_config, &out->c.instance, err);
  if (st == HW_OK) return HW_OK;

  out->c.instance = NULL;
  if (out->encoder) spec->format->encoder->destroy(out->encoder);
no_encoder:
  connector_redact(&out->c, err);
  spill_free(out->spill);
no_spill:
  queue_fini(&out->queue);
no_queue:
  connector_fini(&out->c);
no_connector:
  if (st == HW_ENOMEM) hw_error_set(err, HW_ENOMEM, "no memory for connector %s", spec->endpoint);
  return st;
}

void output_drop(output *out) {
  if (out->c.instance) out->c.spec->output->ops->destroy(out->c.instance);
  out->c.instance = NULL;
  if (out->encoder) out->c.spec->format->encoder->destroy(out->encoder);
  out->encoder = NULL;
  drop_all(out);
  free(out->bytes.data);
  free(out->ends);
  out->bytes = (hw_bytes){0};
  out->ends = NULL;
}

void output_fini(output *out) {
  batch_list_fini(&out->waiting);
  spill_free(out->spill);
  queue_fini(&out->queue);
  connector_fini(&out->c);
}
