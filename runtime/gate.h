/* gate.h - decides, alone, whether a connector may fetch, or write.
 *
 * DESIGN
 * One atomic word per connector; a fetch stands for a write where it is an output:
 *
 *     63 ........ 32 | 31 ... 17 | 16     | 15 ........ 0
 *     fetches        | unused    | WAITED | reasons to hold
 *
 * A fetch begins by a compare-and-swap from "no reason" and ends by counting
 * down; so once a reason stands and the count is zero, no fetch is in progress
 * and none can begin. Reasons are bits that belong to whoever sets them: clearing
 * one never lifts another. WAITED asks the fetch that counts down to zero to
 * tell those who wait for it (see control.h).
 *
 * A lock would do the same, but a fetch would then take it 5,000 times a second
 * per connector and a pause would queue behind a whole fetch to learn nothing.
 *
 * Modelled in tests/model/gate.pml. */
#ifndef RUNTIME_GATE_H
#define RUNTIME_GATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <headworks/status.h>

#define GATE_PIPELINE 1u     /* the pipeline is paused, or not started, or stopping */
#define GATE_USER 2u         /* paused by its user */
#define GATE_START_AFTER 4u  /* waits for other connectors to end */
#define GATE_BACKPRESSURE 8u /* its queue, or the memory budget, is full */
#define GATE_RETRY 16u       /* waits to try its source again */
#define GATE_ENDED 32u       /* end of input, or failed for good: never lifted */
#define GATE_REASONS 0xffffu
#define GATE_WAITED (UINT64_C(1) << 16)
#define GATE_FETCH (UINT64_C(1) << 32)

typedef struct gate {
  _Atomic uint64_t word;
} gate;

static inline void gate_init(gate *g, uint32_t reasons) { atomic_init(&g->word, reasons); }
static inline uint64_t gate_fetches(uint64_t word) { return word / GATE_FETCH; }
static inline uint32_t gate_reasons(const gate *g) { return (uint32_t)(atomic_load(&g->word) & GATE_REASONS); }

/* Begins a fetch; false: held. */
static inline bool gate_enter(gate *g) {
  uint64_t w = atomic_load(&g->word);
  do {
    if (w & GATE_REASONS) return false;
  } while (!atomic_compare_exchange_weak(&g->word, &w, w + GATE_FETCH));
  return true;
}

/* Begins one whatever the reasons: for the end of an output, which must still wait for nobody. */
static inline void gate_enter_anyway(gate *g) { atomic_fetch_add(&g->word, GATE_FETCH); }

/* Ends a fetch; true: it was the last one and somebody waits for that. */
static inline HW_MUST_USE bool gate_leave(gate *g) {
  uint64_t w = atomic_fetch_sub(&g->word, GATE_FETCH) - GATE_FETCH;
  return gate_fetches(w) == 0 && (w & GATE_WAITED);
}

/* Sets reasons; true: no fetch is in progress, and none can begin. */
static inline bool gate_hold(gate *g, uint32_t reasons) {
  return gate_fetches(atomic_fetch_or(&g->word, reasons)) == 0;
}

/* Asks gate_leave to tell; true: no fetch is in progress any more. */
static inline HW_MUST_USE bool gate_wait(gate *g) {
  return gate_fetches(atomic_fetch_or(&g->word, GATE_WAITED)) == 0;
}
static inline void gate_unwait(gate *g) { atomic_fetch_and(&g->word, ~GATE_WAITED); }

/* Clears reasons; true: that opened the gate. */
static inline bool gate_release(gate *g, uint32_t reasons) {
  uint64_t before = atomic_fetch_and(&g->word, ~(uint64_t)reasons);
  return (before & reasons) && !(before & GATE_REASONS & ~(uint64_t)reasons);
}

#endif
