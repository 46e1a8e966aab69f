/* arena.c - bump allocation in blocks that double in size. */
#include "runtime/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_FIRST ((size_t)4096)
#define BLOCK_LARGEST ((size_t)256 * 1024)
#define ALIGNMENT alignof(max_align_t)

struct arena_block {
  struct arena_block *next;
  size_t size; /* bytes at data */
  size_t used;
  alignas(max_align_t) char data[];
};

void arena_fini(arena *a) {
  for (struct arena_block *b = a->blocks, *next; b; b = next) {
    next = b->next;
    free(b);
  }
  *a = (arena){0};
}

static struct arena_block *block_new(size_t size) {
  struct arena_block *b = calloc(1, sizeof *b + size);
  if (b) b->size = size;
  return b;
}

/* A piece that would waste much of a block gets one of its own, behind the one in use. */
static void *alloc_alone(arena *a, size_t size) {
  struct arena_block *b = block_new(size);
  if (!b) return NULL;
  b->used = size;
  if (a->blocks) {
    b->next = a->blocks->next;
    a->blocks->next = b;
  } else {
    a->blocks = b;
  }
  return b->data;
}

static struct arena_block *add_block(arena *a) {
  size_t size = a->blocks ? a->blocks->size * 2 : BLOCK_FIRST;
  if (size < BLOCK_FIRST) size = BLOCK_FIRST;
  if (size > BLOCK_LARGEST) size = BLOCK_LARGEST;
  struct arena_block *b = block_new(size);
  if (!b) return NULL;
  b->next = a->blocks;
  a->blocks = b;
  return b;
}

static void *alloc(arena *a, size_t size) {
  struct arena_block *b = a->blocks;
  if (!b || b->size - b->used < size) {
    if (size > BLOCK_FIRST / 4) return alloc_alone(a, size);
    if (!(b = add_block(a))) return NULL;
  }
  void *p = b->data + b->used;
  b->used += size;
  return p;
}

void *arena_alloc(arena *a, size_t size) {
  void *p = NULL;
  if (size < SIZE_MAX / 2) p = alloc(a, (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
  if (!p) a->failed = true;
  return p;
}

char *arena_strdup(arena *a, const char *s, size_t len) {
  char *copy = len < SIZE_MAX ? arena_alloc(a, len + 1) : NULL;
  if (copy && len) memcpy(copy, s, len);
  return copy;
}
