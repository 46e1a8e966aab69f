/* datagen_random.h - numbers by their place, not by their order.
 *
 * A value depends on its key and its number alone, so that rows come out the
 * same however they are cut into batches. The mixer is the finalizer of
 * SplitMix64 (Steele, Lea, Flood 2014), which passes for random on counters. */
#ifndef CONNECTORS_DATAGEN_RANDOM_H
#define CONNECTORS_DATAGEN_RANDOM_H

#include <stdint.h>

#define DATAGEN_STEP UINT64_C(0x9e3779b97f4a7c15) /* 2^64 divided by the golden ratio, odd */

__extension__ typedef unsigned __int128 datagen_wide;

static inline uint64_t datagen_mix(uint64_t z) {
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

/* The n-th number of the sequence that key names. */
static inline uint64_t datagen_random(uint64_t key, uint64_t n) { return datagen_mix(key + (n + 1) * DATAGEN_STEP); }

/* A key for one of many sequences under a key. */
static inline uint64_t datagen_key(uint64_t key, uint64_t n) {
  return datagen_mix(datagen_random(key, n) ^ DATAGEN_STEP);
}

/* From all 64-bit numbers to 0 .. n-1; n = 0 stands for 2^64. */
static inline uint64_t datagen_below(uint64_t r, uint64_t n) { return n ? (uint64_t)((datagen_wide)r * n >> 64) : r; }

/* To [0, 1). */
static inline double datagen_unit(uint64_t r) { return (double)(r >> 11) * 0x1p-53; }

/* a * b modulo m, for a below or above m. */
static inline datagen_wide datagen_mulmod(datagen_wide a, uint64_t b, datagen_wide m) {
  datagen_wide sum = 0;
  for (a %= m; b; b >>= 1) {
    if (b & 1) sum = sum >= m - a ? sum - (m - a) : sum + a;
    a = a >= m - a ? a - (m - a) : a + a;
  }
  return sum;
}

/* A sequence that is read one after the other. */
typedef struct datagen_stream {
  uint64_t key, n;
} datagen_stream;

static inline uint64_t datagen_next(datagen_stream *s) { return datagen_random(s->key, s->n++); }
static inline uint64_t datagen_next_below(datagen_stream *s, uint64_t n) { return datagen_below(datagen_next(s), n); }

#endif
