/* histogram.h - counts of durations in buckets of about 3 % width, for quantiles. */
#ifndef RUNTIME_HISTOGRAM_H
#define RUNTIME_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

#define HISTOGRAM_SUB 32u /* buckets per power of two */
#define HISTOGRAM_BUCKETS (HISTOGRAM_SUB * 60u)

typedef struct histogram {
  _Atomic uint64_t count[HISTOGRAM_BUCKETS];
  _Atomic uint64_t total, max;
} histogram;

static inline uint32_t histogram_bucket(uint64_t v) {
  if (v < HISTOGRAM_SUB) return (uint32_t)v;
  uint32_t top = 63 - (uint32_t)__builtin_clzll(v); /* >= 5 */
  return (top - 4) * HISTOGRAM_SUB + (uint32_t)(v >> (top - 5)) % HISTOGRAM_SUB;
}

/* The largest value of a bucket. */
static inline uint64_t histogram_upper(uint32_t bucket) {
  if (bucket < HISTOGRAM_SUB) return bucket;
  uint32_t shift = bucket / HISTOGRAM_SUB - 1;
  return ((uint64_t)(HISTOGRAM_SUB + bucket % HISTOGRAM_SUB + 1) << shift) - 1;
}

/* Any thread. */
static inline void histogram_add(histogram *h, uint64_t v) {
  /* Relaxed: only counts, which order nothing. */
  atomic_fetch_add_explicit(&h->count[histogram_bucket(v)], 1, memory_order_relaxed);
  atomic_fetch_add_explicit(&h->total, 1, memory_order_relaxed);
  uint64_t max = atomic_load_explicit(&h->max, memory_order_relaxed);
  while (v > max &&
         !atomic_compare_exchange_weak_explicit(&h->max, &max, v, memory_order_relaxed, memory_order_relaxed)) {
  }
}

/* The value that a share q (0 .. 1) of those counted does not exceed; 0 when empty. */
static inline uint64_t histogram_quantile(const histogram *h, double q) {
  uint64_t total = atomic_load(&h->total), seen = 0, max = atomic_load(&h->max);
  uint64_t rank = (uint64_t)((double)total * q);
  for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
    seen += atomic_load_explicit(&h->count[i], memory_order_relaxed);
    if (seen > rank) return histogram_upper(i) < max ? histogram_upper(i) : max;
  }
  return max;
}

#endif
