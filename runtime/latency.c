#include "runtime/latency.h"

/* The limit of the bucket in which the 99th of a hundred stands. */
static uint64_t find_p99(const uint64_t *counts, uint64_t total) {
  uint64_t seen = 0, rank = total - total / 100;
  for (uint32_t i = 0; i < LATENCY_BUCKETS - 1; i++) {
    seen += counts[i];
    if (seen >= rank) return latency_limit_us(i);
  }
  return latency_limit_us(LATENCY_BUCKETS - 2);
}

void latency_read(const latency *l, latency_counts *out) {
  uint64_t counts[LATENCY_BUCKETS], sum = 0;
  uint32_t edge = 0;
  for (uint32_t i = 0; i < LATENCY_BUCKETS; i++) {
    /* Relaxed: each count is right; they need not be of one moment. */
    sum += counts[i] = atomic_load_explicit(&l->count[i], memory_order_relaxed);
    if (edge < LATENCY_EDGES && i < LATENCY_BUCKETS - 1 && latency_limit_us(i) == latency_edge_us(edge))
      out->at_most[edge++] = sum;
  }
  out->count = sum;
  out->sum_ns = atomic_load_explicit(&l->sum_ns, memory_order_relaxed);
  out->p99_us = sum ? find_p99(counts, sum) : 0;
}
