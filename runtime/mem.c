#include "runtime/mem.h"

#include <stdlib.h>

/* Free blocks kept per size, beside the budget: at most 32 MiB of each, and two fifths of the budget of all. */
#define KEEP_BYTES (UINT64_C(32) << 20)
#define KEEP_SHARE 32u

static size_t class_bytes(unsigned c) { return (size_t)1 << (MEM_CLASS_MIN_SHIFT + c); }

static unsigned class_of(size_t bytes) {
  unsigned c = 0;
  while (c < MEM_CLASSES && class_bytes(c) < bytes) c++;
  return c;
}

hw_status mem_init(mem *m, uint64_t limit) {
  atomic_init(&m->used, 0);
  atomic_init(&m->refused, 0);
  m->limit = limit;
  for (unsigned i = 0; i < MEM_CLASSES; i++) {
    m->lists[i].head = NULL;
    m->lists[i].kept = 0;
    if (pthread_mutex_init(&m->lists[i].lock, NULL) != 0) {
      while (i-- > 0) pthread_mutex_destroy(&m->lists[i].lock);
      return HW_ENOMEM;
    }
  }
  return HW_OK;
}

void mem_fini(mem *m) {
  for (unsigned i = 0; i < MEM_CLASSES; i++) {
    while (m->lists[i].head) {
      block *b = m->lists[i].head;
      m->lists[i].head = b->next;
      free(b);
    }
    pthread_mutex_destroy(&m->lists[i].lock);
  }
}

static bool charge(mem *m, size_t bytes, bool essential) {
  /* Relaxed: the count orders nothing, it only has to be exact. */
  uint64_t before = atomic_fetch_add_explicit(&m->used, bytes, memory_order_relaxed);
  if (essential || before + bytes <= m->limit) return true;
  atomic_fetch_sub_explicit(&m->used, bytes, memory_order_relaxed);
  atomic_fetch_add(&m->refused, 1);
  return false;
}

static block *take_kept(mem_list *list) {
  pthread_mutex_lock(&list->lock);
  block *b = list->head;
  if (b) {
    list->head = b->next;
    list->kept--;
  }
  pthread_mutex_unlock(&list->lock);
  return b;
}

static block *get(mem *m, size_t size, bool essential) {
  if (size > SIZE_MAX / 2) return NULL;
  unsigned c = class_of(size + sizeof(block));
  size_t bytes = c < MEM_CLASSES ? class_bytes(c) : (size + sizeof(block) + 63) & ~(size_t)63;
  if (!charge(m, bytes, essential)) return NULL;
  block *b = c < MEM_CLASSES ? take_kept(&m->lists[c]) : NULL;
  if (!b) {
    b = aligned_alloc(64, bytes);
    if (!b) {
      atomic_fetch_sub_explicit(&m->used, bytes, memory_order_relaxed);
      return NULL;
    }
    b->size_class = c;
    b->capacity = bytes - sizeof(block);
    b->mem = m;
    atomic_init(&b->refs, 0);
  }
  b->next = NULL;
  atomic_store_explicit(&b->refs, 1, memory_order_relaxed);
  return b;
}

block *mem_get(mem *m, size_t size) { return get(m, size, false); }
block *mem_get_essential(mem *m, size_t size) { return get(m, size, true); }

static void give_back(block *b) {
  mem *m = b->mem;
  size_t bytes = b->capacity + sizeof(block);
  bool kept = false;
  if (b->size_class < MEM_CLASSES) {
    mem_list *list = &m->lists[b->size_class];
    uint64_t keep = m->limit / KEEP_SHARE < KEEP_BYTES ? m->limit / KEEP_SHARE : KEEP_BYTES;
    pthread_mutex_lock(&list->lock);
    if (list->kept < keep / bytes) {
      b->next = list->head;
      list->head = b;
      list->kept++;
      kept = true;
    }
    pthread_mutex_unlock(&list->lock);
  }
  if (!kept) free(b);
  atomic_fetch_sub_explicit(&m->used, bytes, memory_order_relaxed);
}

void block_unref(block *b) {
  if (!b) return;
  /* Release: our use of the bytes comes before their reuse; acquire: the last
   * one sees every other holder's use. */
  if (atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) == 1) give_back(b);
}
