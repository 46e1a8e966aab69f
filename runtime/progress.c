#include "runtime/progress.h"

#include <stdlib.h>

static_assert((PROGRESS_NOTES & (PROGRESS_NOTES - 1)) == 0, "a ring's size");

progress *progress_new(void) {
  progress *p = aligned_alloc(RING_LINE, (sizeof *p + RING_LINE - 1) & ~(size_t)(RING_LINE - 1));
  if (!p) return NULL;
  *p = (progress){.has_next = false};
  if (pthread_mutex_init(&p->lock, NULL) != 0) goto no_lock;
  if (ring_init(&p->ring, PROGRESS_NOTES, 0)) return p;
  pthread_mutex_destroy(&p->lock);
no_lock:
  free(p);
  return NULL;
}

void progress_free(progress *p) {
  if (!p) return;
  ring_fini(&p->ring);
  pthread_mutex_destroy(&p->lock);
  free(p);
}

void progress_add(progress *p, progress_note note) {
  if (ring_room(&p->ring, 1) == 0) return; /* the next one that finds room speaks for this one */
  ring_pos at = atomic_load_explicit(&p->ring.tail, memory_order_relaxed) & p->ring.mask; /* our own */
  p->notes[at] = note; /* free as long as the ring's slot of that number is */
  (void)ring_push(&p->ring, &p->notes[at]);
}

void progress_begin(progress *p, progress_note base) {
  p->next = base;
  p->has_next = true;
}

/* Lock held. The slot is given back with the copy. */
static bool take(progress *p) {
  if (p->has_next) return true;
  if (ring_ready(&p->ring, 1) == 0) return false;
  ring_pos at = atomic_load_explicit(&p->ring.head, memory_order_relaxed) & p->ring.mask; /* our own */
  p->next = *(const progress_note *)p->ring.slots[at];
  (void)ring_pop(&p->ring);
  return p->has_next = true;
}

bool progress_is_complete(progress *p, uint64_t records, uint64_t completed, uint64_t *step) {
  pthread_mutex_lock(&p->lock);
  while (take(p) && p->next.mark <= completed) {
    p->done = p->next;
    p->has_next = false;
  }
  bool complete = p->done.records >= records;
  bool taken = complete || (p->has_next && p->next.records >= records);
  *step = !taken ? 0 : complete ? p->done.step : p->next.step;
  pthread_mutex_unlock(&p->lock);
  return complete;
}
