/* ck_peer.h - Concurrency Kit's ck_ring under the names of runtime/ring.h, so that
 * ring_bench.c measures the two with the same code. It takes items one by one only,
 * so a batch is a loop. */
#ifndef BENCH_CK_PEER_H
#define BENCH_CK_PEER_H

#include <ck_ring.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define RING_NAME "ck_ring"

typedef uint32_t ring_pos;
typedef struct ring {
  ck_ring_t ck;
  ck_ring_buffer_t *slots;
} ring;

/* ck_ring holds one item less than it has slots. */
static inline bool ring_init(ring *r, unsigned slots, uint64_t start) {
  (void)start;
  r->slots = calloc(slots, sizeof *r->slots);
  if (r->slots) ck_ring_init(&r->ck, slots);
  return r->slots != NULL;
}

static inline void ring_fini(ring *r) { free(r->slots); }

static inline bool ring_push(ring *r, void *item) { return ck_ring_enqueue_spsc(&r->ck, r->slots, item); }

static inline void *ring_pop(ring *r) {
  void *item;
  return ck_ring_dequeue_spsc(&r->ck, r->slots, &item) ? item : NULL;
}

static inline ring_pos ring_push_many(ring *r, void *const *items, ring_pos n) {
  ring_pos k = 0;
  while (k < n && ring_push(r, items[k])) k++;
  return k;
}

static inline ring_pos ring_pop_many(ring *r, void **items, ring_pos n) {
  ring_pos k = 0;
  while (k < n && (items[k] = ring_pop(r))) k++;
  return k;
}

#endif
