/* latency.h - durations counted in few buckets, for statistics and metrics.
 *
 * 808 bytes each, so that every connector can have one: four buckets per power of
 * two, from 1 us to 67 s. (histogram.h is finer, and 19 times as large.) A bucket
 * holds what is above the one before it and at most its own limit; the limits that
 * metrics tell, powers of four, are limits of buckets, so what they tell is exact. */
#ifndef RUNTIME_LATENCY_H
#define RUNTIME_LATENCY_H

#include "runtime/stats.h"

#include <stdatomic.h>

#define LATENCY_BUCKETS 101u /* the last: longer than all limits */

typedef struct latency {
  _Atomic uint64_t count[LATENCY_BUCKETS];
  _Atomic uint64_t sum_ns;
} latency;

static inline uint32_t latency_bucket(uint64_t ns) {
  uint64_t v = ns ? (ns - 1) / 1000 : 0; /* so that a limit belongs to the bucket below it */
  if (v < 4) return (uint32_t)v;
  uint32_t top = 63 - (uint32_t)__builtin_clzll(v);
  uint32_t i = (top - 1) * 4 + (uint32_t)(v >> (top - 2)) % 4;
  return i < LATENCY_BUCKETS ? i : LATENCY_BUCKETS - 1;
}

/* Of a bucket, in us; of the last one there is none. */
static inline uint64_t latency_limit_us(uint32_t bucket) {
  return bucket < 4 ? bucket + 1 : (uint64_t)(5 + bucket % 4) << (bucket / 4 - 1);
}

/* One thread at a time, always the same owner: no read-modify-write. */
static inline void latency_add(latency *l, uint64_t ns) {
  _Atomic uint64_t *count = &l->count[latency_bucket(ns)];
  /* Relaxed: counts only, which order nothing. */
  atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1, memory_order_relaxed);
  atomic_store_explicit(&l->sum_ns, atomic_load_explicit(&l->sum_ns, memory_order_relaxed) + ns,
                        memory_order_relaxed);
}

/* Any thread. */
static inline void latency_add_shared(latency *l, uint64_t ns) {
  atomic_fetch_add_explicit(&l->count[latency_bucket(ns)], 1, memory_order_relaxed); /* relaxed: as above */
  atomic_fetch_add_explicit(&l->sum_ns, ns, memory_order_relaxed);
}

/* [any thread] */
void latency_read(const latency *l, latency_counts *out);

#endif
