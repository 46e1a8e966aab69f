/* name_table.c - open addressing, at most half full. */
#include "sql/name_table.h"

#include <string.h>

static uint32_t hash(const char *name) {
  uint32_t h = 2166136261u;
  for (; *name; name++) h = (h ^ (unsigned char)*name) * 16777619u;
  return h;
}

/* The slot that holds name, or the free one where it belongs. */
static name_slot *find(const name_table *t, const char *name) {
  uint32_t mask = t->capacity - 1, i = hash(name) & mask;
  while (t->slots[i].name && strcmp(t->slots[i].name, name) != 0) i = (i + 1) & mask;
  return &t->slots[i];
}

uint32_t name_table_get(const name_table *t, const char *name) {
  if (t->n == 0) return NAME_NONE;
  const name_slot *slot = find(t, name);
  return slot->name ? slot->value : NAME_NONE;
}

static bool grow(name_table *t, arena *memory) {
  name_table bigger = {.n = t->n, .capacity = t->capacity ? t->capacity * 2 : 16};
  bigger.slots = arena_alloc(memory, bigger.capacity * sizeof *bigger.slots);
  if (!bigger.slots) return false;
  for (uint32_t i = 0; i < t->capacity; i++)
    if (t->slots[i].name) *find(&bigger, t->slots[i].name) = t->slots[i];
  *t = bigger;
  return true;
}

bool name_table_put(name_table *t, arena *memory, const char *name, uint32_t value) {
  if (t->n * 2 >= t->capacity && !grow(t, memory)) return false;
  name_slot *slot = find(t, name);
  if (slot->name) return false;
  *slot = (name_slot){.name = name, .value = value};
  t->n++;
  return true;
}
