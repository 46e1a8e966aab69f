/* output_offer.c - the pipeline's side of an output: what it is given, and when that
 * is too much.
 *
 * DESIGN
 * What finds no slot in the queue stands in a list on this side, counted as queued.
 *
 *           takes a batch                      the pipeline waits
 *   hold    always                             at the bounds; while it writes, already when the
 *                                              queue holds a normal amount (queue.h)
 *   drop    if it fits the bounds, else counts never
 *   spill   always, see spill.h                while the disk does not keep up, or is full
 *
 * A paused output is given batches up to its bounds, so that others go on meanwhile.
 * When it is started again it has more in hand than a normal amount, and the pipeline
 * must not wait for that either: so there is a ceiling, which is taken off when it is
 * paused and follows what is in hand downwards from then on, to the normal amount. */
#include "runtime/output.h"
#include "runtime/spill.h"

/* ---- what is in hand ------------------------------------------------------- */

/* The spill first: what leaves it is counted in the queue before. */
uint64_t output_batches(const output *out) {
  uint64_t spilled = out->spill ? spill_batches(out->spill) : 0;
  return spilled + queue_batches(&out->queue);
}

uint64_t output_records(const output *out) {
  uint64_t spilled = out->spill ? spill_records(out->spill) : 0;
  return spilled + queue_records(&out->queue);
}

bool output_is_idle(const output *out) { return atomic_load(&out->failed) || output_batches(out) == 0; }

uint64_t output_mark(const output *out, uint64_t pipeline_mark) {
  if (output_is_idle(out)) return pipeline_mark;
  uint64_t mark = atomic_load(&out->done_mark);
  return mark < pipeline_mark ? mark : pipeline_mark;
}

void output_count_dropped(output *out, uint64_t records) { atomic_fetch_add(&out->dropped_records, records); }

/* ---- taking ---------------------------------------------------------------- */

static bool at_bounds(const queue *q) { return queue_records(q) >= q->max_records || queue_held(q) >= q->max_held; }

/* One batch is always taken, or none of that size ever would be. */
static bool fits(const queue *q, const batch *b) {
  return queue_batches(q) == 0 || (queue_records(q) + hw_batch_count(&b->pub) <= q->max_records &&
                                   queue_held(q) + b->held <= q->max_held);
}

static bool enqueue(output *out, batch *b) {
  if (batch_list_is_empty(&out->waiting) && queue_push(&out->queue, b)) return true;
  if (!batch_list_push(&out->waiting, b)) return false;
  queue_count_in(&out->queue, b);
  return true;
}

hw_status output_offer(output *out, const batch *b) {
  bool drops = out->c.spec->on_full == ON_FULL_DROP && !fits(&out->queue, b);
  if (drops || atomic_load(&out->failed)) {
    output_count_dropped(out, hw_batch_count(&b->pub));
    return HW_OK;
  }
  batch *mine = batch_of(hw_batch_ref(&b->pub));
  if (out->spill ? spill_offer(out->spill, mine) : enqueue(out, mine)) return HW_OK;
  hw_batch_unref(&mine->pub);
  return HW_ENOMEM;
}

/* The output may have gone idle since: what finds a slot now wakes it. */
static void place_waiting(output *out) {
  bool placed = false;
  while (!batch_list_is_empty(&out->waiting) && queue_place(&out->queue, batch_list_peek(&out->waiting))) {
    (void)batch_list_pop(&out->waiting); /* the reference is the queue's */
    placed = true;
  }
  if (placed) task_notify(&out->c.task);
}

/* ---- waiting --------------------------------------------------------------- */

/* Sets the ceiling for a queue that holds more than a normal amount since a pause. */
static void move_ceiling(output *out) {
  uint64_t held = queue_held(&out->queue);
  if (gate_reasons(&out->c.gate) & GATE_USER)
    out->ceiling = UINT64_MAX;
  else if (out->ceiling > held + QUEUE_NORMAL_BYTES)
    out->ceiling = held + QUEUE_NORMAL_BYTES;
  if (out->ceiling != UINT64_MAX && batch_list_is_empty(&out->waiting) && !queue_is_full(&out->queue))
    out->ceiling = 0; /* it has caught up */
  atomic_store(&out->catches_up, out->ceiling != 0);
}

static bool holds_no_more(output *out) {
  const queue *q = &out->queue;
  move_ceiling(out);
  if (at_bounds(q)) return true;
  if (out->ceiling) return queue_held(q) >= out->ceiling;
  return !batch_list_is_empty(&out->waiting) || queue_is_full(q);
}

bool output_accepts(output *out) {
  if (!batch_list_is_empty(&out->waiting)) place_waiting(out);
  if (atomic_load(&out->failed)) return true;
  switch (out->c.spec->on_full) {
  case ON_FULL_DROP: return true;
  case ON_FULL_SPILL: return spill_accepts(out->spill);
  case ON_FULL_HOLD: break;
  }
  return !holds_no_more(out);
}

void output_tell_room(output *out) {
  if (out->spill) spill_go_on(out->spill);
  if (!atomic_load(&out->pipeline_waits)) return;
  if (out->spill || atomic_load(&out->catches_up) || !queue_is_full(&out->queue))
    deployment_output_progress(out->c.d, out);
}
