/* events.c - a ring of a pipeline's latest changes of state (events.h). */
#include "engine/events.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 16

static pipeline_event *at(const event_ring *ring, size_t i) { return &ring->items[(ring->first + i) % ring->capacity]; }

static void event_fini(pipeline_event *event) {
  free(event->error_code);
  free(event->error_message);
}

/* Only a ring that has not gone round yet grows, so the items keep their places. */
static bool reserve(event_ring *ring) {
  if (ring->n < ring->capacity || ring->capacity == PIPELINE_EVENTS_MAX) return true;
  size_t capacity = ring->capacity ? ring->capacity * 2 : FIRST_CAPACITY;
  if (capacity > PIPELINE_EVENTS_MAX) capacity = PIPELINE_EVENTS_MAX;
  pipeline_event *items = realloc(ring->items, capacity * sizeof *items);
  if (!items) return false;
  ring->items = items;
  ring->capacity = capacity;
  return true;
}

void event_ring_add(event_ring *ring, const pipeline_event *event) {
  pipeline_event lost = *event;
  if (!reserve(ring)) {
    event_fini(&lost);
    return;
  }
  if (ring->n == ring->capacity) {
    event_fini(at(ring, 0));
    ring->first = (ring->first + 1) % ring->capacity;
    ring->n--;
  }
  *at(ring, ring->n++) = *event;
}

static bool copy_event(pipeline_event *to, const pipeline_event *from) {
  *to = *from;
  to->error_code = from->error_code ? strdup(from->error_code) : NULL;
  to->error_message = from->error_message ? strdup(from->error_message) : NULL;
  return !from->error_code == !to->error_code && !from->error_message == !to->error_message;
}

static bool is_wanted(const event_ring *ring, size_t i, const char *id) {
  if (!id) return true;
  return strcmp(id, "latest") == 0 ? i == ring->n - 1 : strcmp(id, at(ring, i)->id) == 0;
}

hw_status event_ring_copy(const event_ring *ring, const char *id, pipeline_event **out, size_t *n) {
  *n = 0;
  *out = calloc(ring->n ? ring->n : 1, sizeof **out);
  if (!*out) return HW_ENOMEM;
  for (size_t i = ring->n; i-- > 0;) {
    if (!is_wanted(ring, i, id)) continue;
    if (copy_event(&(*out)[(*n)++], at(ring, i))) continue;
    pipeline_events_free(*out, *n);
    return HW_ENOMEM;
  }
  return HW_OK;
}

void pipeline_events_free(pipeline_event *events, size_t n) {
  for (size_t i = 0; i < n; i++) event_fini(&events[i]);
  free(events);
}

void event_ring_fini(event_ring *ring) {
  for (size_t i = 0; i < ring->n; i++) event_fini(at(ring, i));
  free(ring->items);
}
