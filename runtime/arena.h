/* arena.h - memory that is given out piece by piece and freed all at once.
 *
 * A failed allocation gives NULL and leaves `failed` set, so that code which
 * builds large structures may check once at the end. One thread at a time. */
#ifndef RUNTIME_ARENA_H
#define RUNTIME_ARENA_H

#include <stdbool.h>
#include <stddef.h>

typedef struct arena {
  struct arena_block *blocks; /* the one in use first */
  bool failed;                /* some allocation was not possible */
} arena;

static inline void arena_init(arena *a) { *a = (arena){0}; }
void arena_fini(arena *a);

/* Zeroed, aligned for anything; NULL: no memory. */
void *arena_alloc(arena *a, size_t size);
/* A terminated copy of s[0 .. len). */
char *arena_strdup(arena *a, const char *s, size_t len);

#endif
