/* events.h - the latest changes of a pipeline's states, for those who look later. */
#ifndef ENGINE_EVENTS_H
#define ENGINE_EVENTS_H

#include "engine/manager.h"

/* Under the pipeline's lock. */
typedef struct event_ring {
  pipeline_event *items; /* oldest first, from `first` on; grows up to PIPELINE_EVENTS_MAX */
  size_t first, n, capacity;
} event_ring;

/* Takes over what the event points to; the oldest gives way. Lost without memory. */
void event_ring_add(event_ring *ring, const pipeline_event *event);
/* Deep copies, newest first, each of those that `id` names (NULL: all; "latest"). */
hw_status event_ring_copy(const event_ring *ring, const char *id, pipeline_event **out, size_t *n);
void event_ring_fini(event_ring *ring);

#endif
