/* batch_list.h - a list of batches that grows: first in, first out. One thread,
 * or under a lock. It owns a reference of each. */
#ifndef RUNTIME_BATCH_LIST_H
#define RUNTIME_BATCH_LIST_H

#include "runtime/batch.h"

#include <stdlib.h>
#include <string.h>

typedef struct batch_list {
  batch **items;
  uint32_t first, end, capacity; /* [first, end) are in it */
} batch_list;

static inline bool batch_list_is_empty(const batch_list *l) { return l->first == l->end; }
static inline batch *batch_list_peek(const batch_list *l) { return l->items[l->first]; }

/* Takes the reference; false: no memory, nothing taken. */
static inline bool batch_list_push(batch_list *l, batch *b) {
  if (l->end == l->capacity && l->first > l->capacity / 2) { /* rarer than every capacity / 2 pushes */
    memmove(l->items, l->items + l->first, (l->end - l->first) * sizeof *l->items);
    l->end -= l->first;
    l->first = 0;
  }
  if (l->end == l->capacity) {
    uint32_t capacity = l->capacity ? l->capacity * 2 : 16;
    batch **items = realloc(l->items, capacity * sizeof *items);
    if (!items) return false;
    l->items = items;
    l->capacity = capacity;
  }
  l->items[l->end++] = b;
  return true;
}

/* Gives its reference; the list is not empty. */
static inline batch *batch_list_pop(batch_list *l) {
  batch *b = l->items[l->first++];
  if (l->first == l->end) l->first = l->end = 0;
  return b;
}

static inline void batch_list_fini(batch_list *l) {
  while (!batch_list_is_empty(l)) hw_batch_unref(&batch_list_pop(l)->pub);
  free(l->items);
  *l = (batch_list){0};
}

#endif
