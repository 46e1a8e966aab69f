/* mem.h - memory for batches and buffers: one budget, recycled blocks.
 *
 * DESIGN
 * Bytes on their way through a pipeline live in blocks of a few sizes (powers
 * of two). A freed block goes to a free list of its size and comes back, still
 * warm in the cache, with the next request: in steady state nothing is asked of
 * malloc. What is handed out counts against the budget; at the limit a request
 * gets NULL and its connector is held until blocks come back. Blocks are
 * reference counted, since an input buffer is shared by the batches whose
 * strings point into it. One lock per free list is taken twice per block, that
 * is a few times per thousands of rows; lock-free lists were not worth having. */
#ifndef RUNTIME_MEM_H
#define RUNTIME_MEM_H

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <headworks/status.h>

#define MEM_CLASS_MIN_SHIFT 12 /* 4 KiB */
#define MEM_CLASSES 13         /* .. 16 MiB; larger blocks are not kept */

typedef struct block {
  _Atomic uint32_t refs;
  uint32_t size_class;   /* MEM_CLASSES: not of a class */
  size_t capacity;       /* bytes at data */
  struct mem *mem;
  struct block *next;    /* in a free list, or a batch's chain of its own blocks */
  alignas(64) char data[];
} block;

typedef struct mem_list {
  alignas(64) pthread_mutex_t lock;
  block *head;           /* protected by lock */
  size_t kept;           /* blocks in the list; protected by lock */
} mem_list;

typedef struct mem {
  alignas(64) _Atomic uint64_t used;  /* bytes handed out */
  _Atomic uint64_t refused;           /* requests refused for the limit */
  uint64_t limit;
  mem_list lists[MEM_CLASSES];
} mem;

hw_status mem_init(mem *m, uint64_t limit);
void mem_fini(mem *m); /* every block must be back */

/* A block with at least size bytes, one reference; NULL: over budget or none. */
block *mem_get(mem *m, size_t size);
/* The same for what data already taken in needs to go on its way: counted, but
 * never refused for the budget, or batches would wait for each other. What
 * bounds it are the queues that are looked at before more is taken in. */
block *mem_get_essential(mem *m, size_t size);
static inline uint64_t mem_refused(const mem *m) { return atomic_load(&m->refused); }
void block_unref(block *b);
static inline block *block_ref(block *b) {
  /* Relaxed: whoever hands the reference on orders it. */
  atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
  return b;
}
/* Whether nobody else holds it (then its bytes may be moved). */
static inline bool block_is_mine(const block *b) { return atomic_load_explicit(&b->refs, memory_order_acquire) == 1; }

#endif
