/* expr_memory.c - where an evaluator's arrays, bitmaps and string bytes live. */
#include "runtime/expr_eval.h"

#include <stdlib.h>
#include <string.h>

/* ---- scratch ----------------------------------------------------------------- */

static uint32_t class_of(size_t size) {
  return size <= 64 ? 6 : 64 - (uint32_t)__builtin_clzll(size - 1);
}

scratch *scratch_get(evaluator *ev, size_t size) {
  uint32_t c = class_of(size);
  if (c >= SCRATCH_CLASSES) return NULL;
  scratch *s = ev->free_scratch[c];
  if (s) {
    ev->free_scratch[c] = s->next;
    return s;
  }
  s = aligned_alloc(64, sizeof *s + ((size_t)1 << c));
  if (s) s->size_class = c;
  return s;
}

void scratch_put(evaluator *ev, scratch *s) {
  if (!s) return;
  s->next = ev->free_scratch[s->size_class];
  ev->free_scratch[s->size_class] = s;
}

void vec_drop(evaluator *ev, vec *v) {
  scratch_put(ev, v->own_values);
  scratch_put(ev, v->own_validity);
  *v = (vec){0};
}

void vec_drop_all(evaluator *ev, vec *v, uint32_t n) {
  while (n > 0) vec_drop(ev, &v[--n]);
}

/* ---- arrays and bitmaps -------------------------------------------------------- */

static void *align64(char *p) {
  return (void *)(((uintptr_t)p + 63) & ~(uintptr_t)63);
}

void *vec_make(evaluator *ev, const node *nd, const rows *r, vec *out) {
  size_t size = hw_type_width((hw_type_id)nd->type.id) * r->limit;
  *out = (vec){0};
  if (nd == ev->root && ev->into && !nd->invariant) {
    char *p = hw_batch_alloc(ev->into, size + 63);
    out->values = p ? align64(p) : NULL;
    out->in_batch = true;
  } else {
    out->own_values = scratch_get(ev, size);
    out->values = out->own_values ? out->own_values->data : NULL;
  }
  return (void *)(uintptr_t)out->values;
}

uint64_t *vec_make_validity(evaluator *ev, const rows *r, vec *out) {
  out->own_validity = scratch_get(ev, rows_words(r) * sizeof(uint64_t));
  uint64_t *bits = out->own_validity ? (uint64_t *)(void *)out->own_validity->data : NULL;
  out->validity = bits;
  return bits;
}

hw_status vec_make_null(evaluator *ev, const node *nd, const rows *r, vec *out) {
  void *values = vec_make(ev, nd, r, out);
  uint64_t *validity = vec_make_validity(ev, r, out);
  if (values && validity) {
    memset(validity, 0, rows_words(r) * sizeof *validity);
    return HW_OK;
  }
  vec_drop(ev, out);
  return eval_no_memory(ev, nd);
}

hw_status vec_join_validity(evaluator *ev, const node *nd, const rows *r, vec *args, uint32_t n, vec *out) {
  vec *first = NULL;
  uint64_t *joined = NULL;
  for (uint32_t i = 0; i < n; i++) {
    const uint64_t *bits = args[i].validity;
    if (!bits || args[i].constant) continue;
    if (!first) {
      first = &args[i];
      continue;
    }
    uint32_t words = rows_words(r);
    const uint64_t *before = joined ? joined : first->validity;
    if (!joined && !(joined = vec_make_validity(ev, r, out))) return eval_no_memory(ev, nd);
    for (uint32_t w = 0; w < words; w++) joined[w] = before[w] & bits[w];
  }
  if (joined || !first) return HW_OK;
  out->validity = first->validity;
  out->own_validity = first->own_validity;
  first->own_validity = NULL;
  return HW_OK;
}

/* ---- string bytes ---------------------------------------------------------------- */

#define TEXT_FIRST ((size_t)16 << 10)
#define TEXT_KEEP ((size_t)1 << 20) /* more is not kept from one run to the next: there are many evaluators */

/* Chunks of a run are chained, and joined to one of their size for the next. */
static char *scratch_text(evaluator *ev, size_t size) {
  if (ev->text && ev->text_capacity - ev->text_used >= size) {
    ev->text_used += size;
    return ev->text->data + ev->text_used - size;
  }
  size_t want = ev->text_total > TEXT_FIRST ? ev->text_total : TEXT_FIRST;
  if (want < size) want = size;
  scratch *s = aligned_alloc(64, sizeof *s + ((want + 63) & ~(size_t)63));
  if (!s) return NULL;
  s->next = ev->text;
  ev->text = s;
  ev->text_capacity = want;
  ev->text_total += want;
  ev->text_used = size;
  return s->data;
}

static void free_text(evaluator *ev) {
  while (ev->text) {
    scratch *next = ev->text->next;
    free(ev->text);
    ev->text = next;
  }
  ev->text_used = ev->text_capacity = ev->text_total = 0;
}

void text_leave(evaluator *ev, bool shown) {
  if (ev->budget) ev->budget->used -= ev->text_taken;
  ev->text_taken = 0;
  if (!shown && ev->text_total > TEXT_KEEP) free_text(ev);
}

void text_reset(evaluator *ev) {
  ev->text_used = 0;
  if (!ev->text || (!ev->text->next && ev->text_total <= TEXT_KEEP)) return;
  size_t size = ev->text_total;
  free_text(ev);
  if (size > TEXT_KEEP) return;
  ev->text = aligned_alloc(64, sizeof *ev->text + ((size + 63) & ~(size_t)63));
  if (!ev->text) return;
  ev->text->next = NULL;
  ev->text_capacity = ev->text_total = size;
}

static bool take(text_budget *budget, size_t size) {
  if (size > budget->most - budget->used) {
    budget->refused = size;
    return false;
  }
  budget->used += size;
  return true;
}

static bool outlives_the_run(const evaluator *ev, const node *nd) { return nd->escapes && ev->into; }

char *text_alloc(evaluator *ev, const node *nd, size_t size) {
  if (size == 0) size = 1;
  if (ev->budget && !take(ev->budget, size)) return NULL;
  if (outlives_the_run(ev, nd)) return hw_batch_alloc(ev->into, size);
  ev->text_taken += size;
  return scratch_text(ev, size);
}

void text_trim(evaluator *ev, const node *nd, size_t unused) {
  if (ev->budget) ev->budget->used -= unused;
  if (outlives_the_run(ev, nd)) {
    hw_batch_trim(ev->into, unused);
  } else {
    ev->text_used -= unused;
    ev->text_taken -= unused;
  }
}
