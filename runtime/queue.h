/* queue.h - a bounded queue of batches: a ring, and what it holds.
 *
 * Counters count up for ever, each written by one side only, so that what is
 * held is a difference and nobody needs a read-modify-write.
 *
 * A queue is full at its configured bounds, or when it holds a normal number of
 * batches already, however small they are: bounds are for the worst case, a short queue
 * keeps data in the cache and latency low. A source that waits for room has more to bring
 * at once afterwards: batches grow until what each of them costs does not matter.
 *
 * What the consumer has taken and only keeps, for a transaction, is `parked`: it
 * counts as in the queue, for nothing has been done with it, but makes it no fuller. */
#ifndef RUNTIME_QUEUE_H
#define RUNTIME_QUEUE_H

#include "runtime/batch.h"
#include "runtime/ring.h"

#define QUEUE_SLOTS 128u
#define QUEUE_NORMAL_BATCHES 4u
#define QUEUE_NORMAL_BYTES (UINT64_C(4) << 20)

typedef struct queue_count {
  alignas(RING_LINE) _Atomic uint64_t records;
  _Atomic uint64_t bytes;   /* of input, as statistics count them */
  _Atomic uint64_t held;    /* memory kept alive */
  _Atomic uint64_t batches;
} queue_count;

/* It is full with so many batches once these keep so much memory alive, and without a
 * slot in any case. */
typedef struct queue_kind {
  ring_pos slots, normal_batches;
  uint64_t normal_held;
} queue_kind;

static const queue_kind QUEUE_OF_INPUT = {8, QUEUE_NORMAL_BATCHES, 0};
static const queue_kind QUEUE_OF_OUTPUT = {QUEUE_SLOTS, QUEUE_NORMAL_BATCHES, 0}; /* holds more while it is paused */
/* Who pushes row by row does not bring more for having waited. */
static const queue_kind QUEUE_OF_PRODUCER = {QUEUE_SLOTS, 2 * QUEUE_NORMAL_BATCHES, QUEUE_NORMAL_BYTES};

typedef struct queue {
  ring ring;
  queue_count in;  /* written by the producer */
  queue_count out; /* written by the consumer */
  queue_count parked; /* likewise; goes down as well */
  uint64_t max_records, max_held;
  queue_kind kind;
} queue;

static inline bool queue_init(queue *q, const queue_kind *kind, uint64_t max_records, uint64_t max_held) {
  q->max_records = max_records;
  q->max_held = max_held;
  q->kind = *kind;
  return ring_init(&q->ring, kind->slots, 0);
}

/* Lets go of a batch, and of the unit that it begins. */
static inline void queue_drop(batch *b) {
  for (batch *next; b; b = next) {
    next = b->unit_next;
    hw_batch_unref(&b->pub);
  }
}

static inline void queue_fini(queue *q) {
  for (batch *b; (b = ring_pop(&q->ring));) queue_drop(b);
  ring_fini(&q->ring);
}

static inline void queue_add(queue_count *c, uint64_t records, uint64_t bytes, uint64_t held) {
  /* Relaxed loads: one writer, its own counters. Sequential stores: whoever sees them sees the batch's effects. */
  atomic_store(&c->records, atomic_load_explicit(&c->records, memory_order_relaxed) + records);
  atomic_store(&c->bytes, atomic_load_explicit(&c->bytes, memory_order_relaxed) + bytes);
  atomic_store(&c->held, atomic_load_explicit(&c->held, memory_order_relaxed) + held);
  atomic_store(&c->batches, atomic_load_explicit(&c->batches, memory_order_relaxed) + 1);
}

/* What was held at one moment: that of the look at `in`, for `out` was the same
 * before and after it. Two plain looks would tell of two moments, and whoever is
 * interrupted between them would see more than a queue can hold. */
static inline uint64_t queue_difference(const _Atomic uint64_t *in, const _Atomic uint64_t *out) {
  for (uint64_t before = atomic_load(out);;) {
    uint64_t sum = atomic_load(in), after = atomic_load(out);
    if (after == before) return sum - before;
    before = after;
  }
}

static inline uint64_t queue_records(const queue *q) { return queue_difference(&q->in.records, &q->out.records); }
static inline uint64_t queue_bytes(const queue *q) { return queue_difference(&q->in.bytes, &q->out.bytes); }
static inline uint64_t queue_held(const queue *q) { return queue_difference(&q->in.held, &q->out.held); }
static inline uint64_t queue_batches(const queue *q) { return queue_difference(&q->in.batches, &q->out.batches); }

/* Of them what is not parked. The consumer lessens `parked` before it counts as done,
 * and has told of room afterwards: the producer never finds less here than there is.
 * Others may look across several moments, hence the comparison. */
static inline uint64_t queue_unparked(uint64_t all, const _Atomic uint64_t *parked) {
  uint64_t n = atomic_load(parked);
  return all > n ? all - n : 0;
}
static inline uint64_t queue_waiting_records(const queue *q) {
  return queue_unparked(queue_records(q), &q->parked.records);
}
static inline uint64_t queue_waiting_batches(const queue *q) {
  return queue_unparked(queue_batches(q), &q->parked.batches);
}

/* Any thread; exact for the producer. A producer that has set a flag and then
 * finds the queue full has its flag seen by the consumer, which takes, counts,
 * and then looks for flags (counters and flags are sequentially consistent; the
 * ring is read after them). */
static inline bool queue_is_full(const queue *q) {
  uint64_t held = queue_unparked(queue_held(q), &q->parked.held);
  if (held >= q->max_held || queue_waiting_records(q) >= q->max_records) return true;
  ring_pos n = ring_count(&q->ring);
  return n > q->ring.mask || (n >= q->kind.normal_batches && held >= q->kind.normal_held);
}

/* Producer: counts b as held, for a producer that keeps what finds no slot in a
 * list of its own, until queue_place. */
static inline void queue_count_in(queue *q, const batch *b) {
  queue_add(&q->in, hw_batch_count(&b->pub), b->source_bytes, b->held);
}
/* Producer: takes the reference of b, which is counted; false: no slot. */
static inline bool queue_place(queue *q, batch *b) { return ring_push(&q->ring, b); }

/* Producer: both, for b and the unit that it begins. False: no slot (nothing taken). */
static inline bool queue_push(queue *q, batch *b) {
  if (ring_room(&q->ring, 1) == 0) return false;
  for (const batch *part = b; part; part = part->unit_next) queue_count_in(q, part);
  return queue_place(q, b);
}

/* Consumer: the next batch, which stays counted until queue_done. NULL: empty. */
static inline batch *queue_pop(queue *q) { return ring_pop(&q->ring); }
static inline batch *queue_peek(queue *q) { return ring_peek(&q->ring); } /* the same, and it stays there */
static inline void queue_done(queue *q, const batch *b) {
  queue_add(&q->out, hw_batch_count(&b->pub), b->source_bytes, b->held);
}

/* Consumer: b was popped, and is kept until queue_unpark. */
static inline void queue_park(queue *q, const batch *b) {
  queue_add(&q->parked, hw_batch_count(&b->pub), b->source_bytes, b->held);
}
static inline void queue_unpark(queue *q, const batch *b) {
  atomic_fetch_sub(&q->parked.records, hw_batch_count(&b->pub));
  atomic_fetch_sub(&q->parked.bytes, b->source_bytes);
  atomic_fetch_sub(&q->parked.held, b->held);
  atomic_fetch_sub(&q->parked.batches, 1);
}

#endif
