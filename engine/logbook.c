#include "engine/logbook.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIRST_BYTES 4096u

struct logbook {
  pthread_mutex_t lock; /* protects all below */
  char *bytes;
  size_t capacity;      /* a power of two, so that a place's byte finds its slot by a mask */
  logbook_place first, end;
  logbook_watch *watches;
  bool closed;
};

logbook *logbook_new(void) {
  logbook *book = calloc(1, sizeof *book);
  if (!book) return NULL;
  if (pthread_mutex_init(&book->lock, NULL) == 0) return book;
  free(book);
  return NULL;
}

void logbook_free(logbook *book) {
  if (!book) return;
  pthread_mutex_destroy(&book->lock);
  free(book->bytes);
  free(book);
}

/* ---- the ring ------------------------------------------------------------- */

static char *slot(const logbook *book, uint64_t byte) { return &book->bytes[byte & (book->capacity - 1)]; }

/* Bytes from `byte` on that lie in one piece. */
static size_t piece(const logbook *book, uint64_t byte, size_t len) {
  size_t left = book->capacity - (size_t)(byte & (book->capacity - 1));
  return len < left ? len : left;
}

static void copy_out(const logbook *book, uint64_t byte, char *out, size_t len) {
  size_t first = piece(book, byte, len);
  memcpy(out, slot(book, byte), first);
  memcpy(out + first, book->bytes, len - first);
}

static void copy_in(logbook *book, const char *text, size_t len) {
  size_t first = piece(book, book->end.byte, len);
  memcpy(slot(book, book->end.byte), text, first);
  memcpy(book->bytes, text + first, len - first);
  book->end.byte += len;
  book->end.line++;
}

/* Room for a line, as far as memory goes. Places keep their meaning. */
static void grow(logbook *book, size_t len) {
  size_t used = (size_t)(book->end.byte - book->first.byte), capacity = book->capacity ? book->capacity : FIRST_BYTES;
  while (capacity - used < len && capacity < LOGBOOK_BYTES) capacity *= 2;
  if (capacity == book->capacity) return;
  logbook wider = {.bytes = malloc(capacity), .capacity = capacity};
  if (!wider.bytes) return;
  for (uint64_t at = book->first.byte; at < book->end.byte;) {
    size_t n = piece(book, at, (size_t)(book->end.byte - at));
    size_t room = piece(&wider, at, n);
    memcpy(slot(&wider, at), slot(book, at), room);
    at += room;
  }
  free(book->bytes);
  book->bytes = wider.bytes;
  book->capacity = capacity;
}

static void discard_first(logbook *book) {
  while (*slot(book, book->first.byte) != '\n') book->first.byte++;
  book->first.byte++;
  book->first.line++;
}

/* ---- adding --------------------------------------------------------------- */

static size_t format_line(char out[LOGBOOK_LINE_BYTES], hw_log_level level, const char *line) {
  static const char *const names[] = {"ERROR", "WARN", "INFO", "DEBUG"};
  struct timespec now;
  struct tm utc;
  clock_gettime(CLOCK_REALTIME, &now);
  gmtime_r(&now.tv_sec, &utc);
  size_t at = strftime(out, LOGBOOK_LINE_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
  int n = snprintf(out + at, LOGBOOK_LINE_BYTES - at, ".%06ldZ %5s %s", now.tv_nsec / 1000, names[level], line);
  size_t len = at + (n > 0 ? (size_t)n : 0);
  if (len > LOGBOOK_LINE_BYTES - 1) len = LOGBOOK_LINE_BYTES - 1;
  out[len] = '\n';
  return len + 1;
}

static void tell_watches(logbook *book) {
  for (logbook_watch *w = book->watches; w; w = w->next) w->grew(w->arg);
}

void logbook_add(logbook *book, hw_log_level level, const char *line) {
  char text[LOGBOOK_LINE_BYTES];
  size_t len = format_line(text, level, line);
  pthread_mutex_lock(&book->lock);
  grow(book, len);
  while (book->first.byte < book->end.byte && book->capacity - (size_t)(book->end.byte - book->first.byte) < len)
    discard_first(book);
  if (book->capacity >= len && !book->closed) copy_in(book, text, len);
  tell_watches(book);
  pthread_mutex_unlock(&book->lock);
}

void logbook_close(logbook *book) {
  pthread_mutex_lock(&book->lock);
  book->closed = true;
  tell_watches(book);
  pthread_mutex_unlock(&book->lock);
}

/* ---- reading -------------------------------------------------------------- */

/* The whole lines within the first len bytes of text. */
static size_t whole_lines(const char *text, size_t len, uint64_t *lines) {
  size_t end = 0;
  for (const char *at; (at = memchr(text + end, '\n', len - end)); (*lines)++) end = (size_t)(at - text) + 1;
  return end;
}

/* Lock held. */
static uint64_t skip_lost(const logbook *book, logbook_place *at) {
  if (at->byte >= book->first.byte) return 0;
  uint64_t lost = book->first.line - at->line;
  *at = book->first;
  return lost;
}

uint64_t logbook_skip_lost(logbook *book, logbook_place *at) {
  pthread_mutex_lock(&book->lock);
  uint64_t lost = skip_lost(book, at);
  pthread_mutex_unlock(&book->lock);
  return lost;
}

size_t logbook_read(logbook *book, logbook_place *at, char *out, size_t room, uint64_t *lost) {
  pthread_mutex_lock(&book->lock);
  *lost = skip_lost(book, at);
  size_t len = (size_t)(book->end.byte - at->byte);
  if (len > room) len = room;
  if (len) copy_out(book, at->byte, out, len);
  pthread_mutex_unlock(&book->lock);
  len = whole_lines(out, len, &at->line);
  at->byte += len;
  return len;
}

void logbook_add_watch(logbook *book, logbook_watch *w) {
  pthread_mutex_lock(&book->lock);
  w->next = book->watches;
  w->link = &book->watches;
  if (w->next) w->next->link = &w->next;
  book->watches = w;
  pthread_mutex_unlock(&book->lock);
}

void logbook_remove_watch(logbook *book, logbook_watch *w) {
  pthread_mutex_lock(&book->lock);
  *w->link = w->next;
  if (w->next) w->next->link = w->link;
  pthread_mutex_unlock(&book->lock);
}

bool logbook_is_closed(logbook *book) {
  pthread_mutex_lock(&book->lock);
  bool closed = book->closed;
  pthread_mutex_unlock(&book->lock);
  return closed;
}

uint64_t logbook_lines(logbook *book) {
  pthread_mutex_lock(&book->lock);
  uint64_t n = book->end.line;
  pthread_mutex_unlock(&book->lock);
  return n;
}
