/* ring_bench.c - runtime/ring.h between two threads: items a second, one by one
 * and in batches of 64, and the round trip over two rings. Every item is checked:
 * a ring that lost, repeated or reordered one gets no rate.
 *
 *   ring_bench [MILLIONS [REPEATS]]
 *
 * Prints one JSON object a line, rates being medians of the repeats. Built with
 * RING_HEADER it measures another ring that has the same names. */
#ifdef RING_HEADER
#include RING_HEADER
#else
#include "runtime/ring.h"
#define RING_NAME "ring"
#endif

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SLOTS 1024
#define BATCH 64
#define REPEATS_MAX 99

typedef struct lane {
  ring there, back;
  uint64_t items;
  ring_pos batch; /* items at a time */
  uint64_t wrong; /* items that were not the one expected */
} lane;

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static cpu_set_t allowed; /* cores of the process, before any thread was bound to one */

/* Binds the caller to the n-th core that the process may use, when there are enough. */
static void stay_on(int n) {
  if (CPU_COUNT(&allowed) < 2) return;
  for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, &allowed) || n-- > 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    pthread_setaffinity_np(pthread_self(), sizeof one, &one);
    return;
  }
}

/* On a machine that has other work, the other side may not be running at all. */
static inline void idle(uint32_t *spins) {
  if (++*spins % 10000 == 0) sched_yield();
}

static void *pop(ring *r) {
  void *got;
  for (uint32_t spins = 0; !(got = ring_pop(r));) idle(&spins);
  return got;
}

static void push(ring *r, void *it) {
  for (uint32_t spins = 0; !ring_push(r, it);) idle(&spins);
}

/* Items are the numbers from 1, since NULL means empty. */
static void *item(uint64_t i) { return (void *)(uintptr_t)(i + 1); }

static void consume_one_by_one(lane *l) {
  for (uint64_t i = 0; i < l->items; i++) l->wrong += pop(&l->there) != item(i);
}

static void consume_batches(lane *l) {
  void *got[BATCH];
  uint32_t spins = 0;
  for (uint64_t i = 0; i < l->items;) {
    ring_pos n = ring_pop_many(&l->there, got, l->batch);
    if (n == 0) idle(&spins);
    for (ring_pos k = 0; k < n; k++, i++) l->wrong += got[k] != item(i);
  }
}

static void *consumer(void *arg) {
  lane *l = arg;
  stay_on(1);
  if (l->batch == 1)
    consume_one_by_one(l);
  else
    consume_batches(l);
  return NULL;
}

static void *echo(void *arg) {
  lane *l = arg;
  stay_on(1);
  for (uint64_t i = 0; i < l->items; i++) push(&l->back, pop(&l->there));
  return NULL;
}

static void push_batch(ring *r, void *const *items, ring_pos n) {
  uint32_t spins = 0;
  for (ring_pos k = 0; k < n;) {
    ring_pos taken = ring_push_many(r, items + k, n - k);
    if (taken == 0) idle(&spins);
    k += taken;
  }
}

static void produce(lane *l) {
  void *items[BATCH];
  for (uint64_t i = 0; i < l->items;) {
    ring_pos n = l->items - i < l->batch ? (ring_pos)(l->items - i) : l->batch;
    for (ring_pos k = 0; k < n; k++) items[k] = item(i + k);
    if (l->batch == 1)
      push(&l->there, items[0]);
    else
      push_batch(&l->there, items, n);
    i += n;
  }
}

static void there_and_back(lane *l) {
  for (uint64_t i = 0; i < l->items; i++) {
    push(&l->there, item(i));
    l->wrong += pop(&l->back) != item(i);
  }
}

/* Seconds for all items, or a negative number when an item was wrong. */
static double run(uint64_t items, ring_pos batch, bool round_trip) {
  lane l = {.items = items, .batch = batch};
  pthread_t other;
  double seconds = -1;
  if (!ring_init(&l.there, SLOTS, 0)) return -1;
  if (!ring_init(&l.back, SLOTS, 0)) goto no_back;
  uint64_t begin = now_ns();
  if (pthread_create(&other, NULL, round_trip ? echo : consumer, &l) != 0) goto no_thread;
  stay_on(0);
  if (round_trip)
    there_and_back(&l);
  else
    produce(&l);
  pthread_join(other, NULL);
  if (l.wrong == 0) seconds = (double)(now_ns() - begin) / 1e9;
no_thread:
  ring_fini(&l.back);
no_back:
  ring_fini(&l.there);
  return seconds;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static bool report(const char *what, uint64_t items, ring_pos batch, bool round_trip, int repeats) {
  double seconds[REPEATS_MAX];
  for (int i = 0; i < repeats; i++) {
    seconds[i] = run(items, batch, round_trip);
    if (seconds[i] < 0) {
      printf("{\"what\": \"%s\", \"fault\": \"items were lost, repeated or reordered\"}\n", what);
      return false;
    }
  }
  qsort(seconds, (size_t)repeats, sizeof *seconds, ascending);
  double median = seconds[repeats / 2];
  printf("{\"what\": \"%s\", \"slots\": %d, \"items\": %" PRIu64 ", \"repeats\": %d, \"items_per_second\": %.0f, "
         "\"ns_per_item\": %.2f, \"best\": %.0f, \"worst\": %.0f}\n",
         what, SLOTS, items, repeats, (double)items / median, median * 1e9 / (double)items,
         (double)items / seconds[0], (double)items / seconds[repeats - 1]);
  return true;
}

int main(int argc, char **argv) {
  uint64_t millions = argc > 1 ? strtoull(argv[1], NULL, 10) : 50;
  int repeats = argc > 2 ? atoi(argv[2]) : 5;
  if (millions == 0 || repeats < 1 || repeats > REPEATS_MAX) {
    fprintf(stderr, "usage: ring_bench [MILLIONS [REPEATS, at most %d]]\n", REPEATS_MAX);
    return 2;
  }
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) CPU_ZERO(&allowed);
  uint64_t items = millions * 1000000;
  bool ok = report(RING_NAME ", one by one", items, 1, false, repeats);
  ok = report(RING_NAME ", batches of 64", items, BATCH, false, repeats) && ok;
  ok = report(RING_NAME ", round trip", items / 50, 1, true, repeats) && ok;
  return ok ? 0 : 1;
}
