#include "runtime/dead_letters.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define REASON_MOST 2048u

struct dead_letters {
  _Atomic uint32_t refs;
  uint64_t most, bytes_most;
  pthread_mutex_t lock; /* protects all below */
  dead_letter *first, **last;
  dead_letters_count count;
  uint64_t last_id;
  letters_watch *watches;
};

/* ---- life ---------------------------------------------------------------- */

dead_letters *dead_letters_new(uint64_t most, uint64_t bytes_most) {
  dead_letters *dl = calloc(1, sizeof *dl);
  if (!dl) return NULL;
  if (pthread_mutex_init(&dl->lock, NULL) != 0) {
    free(dl);
    return NULL;
  }
  atomic_init(&dl->refs, 1);
  dl->most = most ? most : DEAD_LETTERS_MOST;
  dl->bytes_most = bytes_most ? bytes_most : DEAD_LETTERS_BYTES_MOST;
  dl->last = &dl->first;
  return dl;
}

dead_letters *dead_letters_ref(dead_letters *dl) {
  atomic_fetch_add(&dl->refs, 1);
  return dl;
}

void dead_letters_unref(dead_letters *dl) {
  if (!dl || atomic_fetch_sub(&dl->refs, 1) != 1) return;
  dead_letters_free_list(dl->first);
  pthread_mutex_destroy(&dl->lock);
  free(dl);
}

void dead_letters_free_list(dead_letter *list) {
  for (dead_letter *next; list; list = next) {
    next = list->next;
    free(list);
  }
}

/* ---- one letter ---------------------------------------------------------- */

/* Appends len bytes and a zero; where they are. */
static const char *put(char **at, const char *bytes, size_t len) {
  char *to = *at;
  if (len) memcpy(to, bytes, len);
  to[len] = '\0';
  *at += len + 1;
  return to;
}

/* A copy in one piece of memory; NULL: no memory. */
static dead_letter *copy(const dead_letter *from, const char *reason) {
  size_t connector = strlen(from->connector), position = strlen(from->position), field = strlen(from->field);
  size_t why = strnlen(reason, REASON_MOST);
  size_t raw = from->raw_len < DEAD_LETTER_RAW_MOST ? from->raw_len : DEAD_LETTER_RAW_MOST;
  size_t size = sizeof *from + connector + position + field + why + raw + 5;
  dead_letter *l = malloc(size);
  if (!l) return NULL;
  char *at = (char *)(l + 1);
  *l = *from;
  l->next = NULL;
  l->size = size;
  l->connector = put(&at, from->connector, connector);
  l->position = put(&at, from->position, position);
  l->field = put(&at, from->field, field);
  l->reason = put(&at, reason, why);
  l->raw = put(&at, from->raw, raw);
  l->raw_len = raw;
  l->cut = from->cut || raw < from->raw_len;
  return l;
}

static bool is_of(const dead_letter *l, const char *connector) {
  return !connector || strcmp(l->connector, connector) == 0;
}

/* ---- the list: lock held ------------------------------------------------- */

/* Takes *at out. */
static dead_letter *unlink_at(dead_letters *dl, dead_letter **at) {
  dead_letter *l = *at;
  *at = l->next;
  if (dl->last == &l->next) dl->last = at;
  dl->count.letters--;
  dl->count.bytes -= l->size;
  l->next = NULL;
  return l;
}

static void link_at(dead_letters *dl, dead_letter **at, dead_letter *l) {
  l->next = *at;
  *at = l;
  if (dl->last == at) dl->last = &l->next;
  dl->count.letters++;
  dl->count.bytes += l->size;
}

static bool has_too_much(const dead_letters *dl) {
  return dl->count.letters > dl->most || dl->count.bytes > dl->bytes_most;
}

/* The oldest go. What went, to be freed without the lock. */
static dead_letter *cut_to_bounds(dead_letters *dl) {
  dead_letter *gone = NULL;
  while (dl->first && has_too_much(dl)) {
    dead_letter *l = unlink_at(dl, &dl->first);
    dl->count.dropped++;
    l->next = gone;
    gone = l;
  }
  return gone;
}

/* The first one behind an id. */
static dead_letter **find_after(dead_letters *dl, uint64_t id) {
  if (id >= dl->last_id) return dl->last;
  dead_letter **at = &dl->first;
  while (*at && (*at)->id <= id) at = &(*at)->next;
  return at;
}

/* ---- taking in ----------------------------------------------------------- */

void dead_letters_add(dead_letters *dl, const dead_letter *letter) {
  dead_letter *l = copy(letter, letter->reason), *gone = NULL;
  pthread_mutex_lock(&dl->lock);
  dl->count.total++;
  dl->last_id++;
  if (l) {
    l->id = dl->last_id;
    link_at(dl, dl->last, l);
    gone = cut_to_bounds(dl);
  } else {
    dl->count.dropped++;
  }
  for (const letters_watch *w = dl->watches; w; w = w->next) w->call(w->arg);
  pthread_mutex_unlock(&dl->lock);
  dead_letters_free_list(gone);
}

void dead_letters_watch(dead_letters *dl, letters_watch *w) {
  pthread_mutex_lock(&dl->lock);
  w->next = dl->watches;
  w->link = &dl->watches;
  if (w->next) w->next->link = &w->next;
  dl->watches = w;
  pthread_mutex_unlock(&dl->lock);
}

void dead_letters_unwatch(dead_letters *dl, letters_watch *w) {
  pthread_mutex_lock(&dl->lock);
  *w->link = w->next;
  if (w->next) w->next->link = w->link;
  pthread_mutex_unlock(&dl->lock);
}

/* ---- looking ------------------------------------------------------------- */

hw_status dead_letters_list(dead_letters *dl, const char *connector, uint64_t after, uint64_t n, uint64_t bytes,
                            dead_letter **out) {
  dead_letter *list = NULL, **end = &list;
  hw_status st = HW_OK;
  pthread_mutex_lock(&dl->lock);
  for (const dead_letter *l = *find_after(dl, after); l && n > 0 && st == HW_OK; l = l->next) {
    if (!is_of(l, connector)) continue;
    if (list && l->size > bytes) break;
    *end = copy(l, l->reason);
    st = *end ? HW_OK : HW_ENOMEM;
    if (st == HW_OK) end = &(*end)->next;
    bytes = bytes > l->size ? bytes - l->size : 0;
    n--;
  }
  pthread_mutex_unlock(&dl->lock);
  if (st == HW_OK) *out = list;
  else dead_letters_free_list(list);
  return st;
}

dead_letters_count dead_letters_counts(dead_letters *dl) {
  pthread_mutex_lock(&dl->lock);
  dead_letters_count count = dl->count;
  pthread_mutex_unlock(&dl->lock);
  return count;
}

/* ---- taking out ---------------------------------------------------------- */

dead_letter *dead_letters_take(dead_letters *dl, uint64_t id) {
  pthread_mutex_lock(&dl->lock);
  dead_letter **at = find_after(dl, id ? id - 1 : 0);
  dead_letter *l = *at && (*at)->id == id ? unlink_at(dl, at) : NULL;
  pthread_mutex_unlock(&dl->lock);
  return l;
}

dead_letter *dead_letters_take_next(dead_letters *dl, const char *connector, uint64_t after, uint64_t last) {
  pthread_mutex_lock(&dl->lock);
  dead_letter **at = find_after(dl, after);
  while (*at && !is_of(*at, connector)) at = &(*at)->next;
  dead_letter *l = *at && (*at)->id <= last ? unlink_at(dl, at) : NULL;
  pthread_mutex_unlock(&dl->lock);
  return l;
}

void dead_letters_give_back(dead_letters *dl, dead_letter *letter, const char *reason) {
  dead_letter *l = reason ? copy(letter, reason) : NULL; /* without memory the old reason stays */
  if (l) free(letter);
  else l = letter;
  pthread_mutex_lock(&dl->lock);
  link_at(dl, find_after(dl, l->id), l);
  dead_letter *gone = cut_to_bounds(dl);
  pthread_mutex_unlock(&dl->lock);
  dead_letters_free_list(gone);
}

void dead_letters_settle(dead_letters *dl, dead_letter *letter) {
  pthread_mutex_lock(&dl->lock);
  dl->count.resubmitted++;
  pthread_mutex_unlock(&dl->lock);
  free(letter);
}

uint64_t dead_letters_clear(dead_letters *dl, const char *connector) {
  dead_letter *gone = NULL;
  uint64_t n = 0;
  pthread_mutex_lock(&dl->lock);
  for (dead_letter **at = &dl->first; *at;) {
    if (!is_of(*at, connector)) {
      at = &(*at)->next;
      continue;
    }
    dead_letter *l = unlink_at(dl, at);
    l->next = gone;
    gone = l;
    n++;
  }
  dl->count.cleared += n;
  pthread_mutex_unlock(&dl->lock);
  dead_letters_free_list(gone);
  return n;
}
