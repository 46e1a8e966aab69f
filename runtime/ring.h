/* ring.h - a bounded queue of pointers from one thread to one other.
 *
 * DESIGN
 * Single producer, single consumer. Positions count up for ever and wrap with
 * their type; a slot is position & mask. Each side owns one cache line: the
 * position it writes, and a copy of the other side's that it refreshes only
 * when the ring looks full (or empty), so that in a busy ring the lines do not
 * travel with every item.
 *
 * ORDER  Two release/acquire pairs:
 *   A  hands an item over:   producer stores tail (release)  -> consumer loads tail (acquire)
 *   B  hands a slot back:    consumer stores head (release)  -> producer loads head (acquire)
 *
 * WHAT MAY RUN AT ONCE
 *                 push   pop    count
 *        push     no     yes    yes
 *        pop      yes    no     yes
 *        count    yes    yes    yes   (a moment's truth)
 * "One thread" may change hands, when something else orders the change. */
#ifndef RUNTIME_RING_H
#define RUNTIME_RING_H

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define RING_LINE 64

typedef uint32_t ring_pos;

typedef struct ring {
  /* written by the producer */
  alignas(RING_LINE) _Atomic ring_pos tail; /* next slot to fill */
  ring_pos seen_head;                       /* head, as last seen */
  /* written by the consumer */
  alignas(RING_LINE) _Atomic ring_pos head; /* next slot to empty */
  ring_pos seen_tail;
  /* constant */
  alignas(RING_LINE) ring_pos mask;
  void **slots;
} ring;

static_assert(offsetof(ring, head) == RING_LINE && offsetof(ring, mask) == 2 * RING_LINE, "a line for each writer");

/* `size` is a power of two below 2^31; `first` the position to start from (0,
 * but for tests near wrap-around). False: no memory. */
static inline bool ring_init(ring *r, ring_pos size, ring_pos first) {
  assert(size > 0 && size < UINT32_C(1) << 31 && (size & (size - 1)) == 0);
  r->slots = calloc(size, sizeof *r->slots);
  if (!r->slots) return false;
  r->mask = size - 1;
  atomic_init(&r->tail, first);
  atomic_init(&r->head, first);
  r->seen_head = r->seen_tail = first;
  return true;
}

static inline void ring_fini(ring *r) { free(r->slots); }

/* Items in it. Any thread. */
static inline ring_pos ring_count(const ring *r) {
  /* head first: tail can only have grown since, so the difference is never negative. */
  ring_pos head = atomic_load_explicit(&r->head, memory_order_acquire);
  return atomic_load_explicit(&r->tail, memory_order_acquire) - head;
}

/* Producer: slots free, at least `want` if there are that many. */
static inline ring_pos ring_room(ring *r, ring_pos want) {
  /* Relaxed: our own position. */
  ring_pos tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
  ring_pos room = r->mask + 1 - (tail - r->seen_head);
  if (room >= want) return room;
  r->seen_head = atomic_load_explicit(&r->head, memory_order_acquire); /* B */
  return r->mask + 1 - (tail - r->seen_head);
}

/* Producer. Items pushed: all, or as many as there is room for. */
static inline ring_pos ring_push_many(ring *r, void *const *items, ring_pos n) {
  ring_pos room = ring_room(r, n);
  if (n > room) n = room;
  ring_pos tail = atomic_load_explicit(&r->tail, memory_order_relaxed); /* our own position */
  for (ring_pos i = 0; i < n; i++) r->slots[(tail + i) & r->mask] = items[i];
  atomic_store_explicit(&r->tail, tail + n, memory_order_release); /* A */
  return n;
}

static inline bool ring_push(ring *r, void *item) {
  if (ring_room(r, 1) == 0) return false;
  ring_pos tail = atomic_load_explicit(&r->tail, memory_order_relaxed); /* our own position */
  r->slots[tail & r->mask] = item;
  atomic_store_explicit(&r->tail, tail + 1, memory_order_release); /* A */
  return true;
}

/* Consumer: items ready, at least `want` if there are that many. */
static inline ring_pos ring_ready(ring *r, ring_pos want) {
  ring_pos head = atomic_load_explicit(&r->head, memory_order_relaxed); /* our own position */
  ring_pos ready = r->seen_tail - head;
  if (ready >= want) return ready;
  r->seen_tail = atomic_load_explicit(&r->tail, memory_order_acquire); /* A */
  return r->seen_tail - head;
}

/* Consumer. Items popped, at most n. */
static inline ring_pos ring_pop_many(ring *r, void **items, ring_pos n) {
  ring_pos ready = ring_ready(r, n);
  if (n > ready) n = ready;
  ring_pos head = atomic_load_explicit(&r->head, memory_order_relaxed); /* our own position */
  for (ring_pos i = 0; i < n; i++) items[i] = r->slots[(head + i) & r->mask];
  atomic_store_explicit(&r->head, head + n, memory_order_release); /* B */
  return n;
}

/* Consumer: the next item, which stays. NULL: empty. */
static inline void *ring_peek(ring *r) {
  if (ring_ready(r, 1) == 0) return NULL;
  return r->slots[atomic_load_explicit(&r->head, memory_order_relaxed) & r->mask]; /* our own position */
}

/* Consumer. NULL: empty. */
static inline void *ring_pop(ring *r) {
  if (ring_ready(r, 1) == 0) return NULL;
  ring_pos head = atomic_load_explicit(&r->head, memory_order_relaxed); /* our own position */
  void *item = r->slots[head & r->mask];
  atomic_store_explicit(&r->head, head + 1, memory_order_release); /* B */
  return item;
}

#endif
