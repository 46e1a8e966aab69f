/* outbuf.h - bytes that grow: where replies are put together.
 *
 * A failed allocation is remembered in `failed` and everything added later is
 * dropped, so that a writer checks once, at the end. */
#ifndef API_OUTBUF_H
#define API_OUTBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <headworks/status.h>

typedef struct outbuf {
  char *data; /* not terminated */
  size_t len, capacity;
  bool failed;
} outbuf;

void outbuf_fini(outbuf *b); /* back to all zero */
/* Empties it; gives memory beyond keep bytes back. */
void outbuf_reset(outbuf *b, size_t keep);
/* Room for more bytes at data + len; false: no memory. */
bool outbuf_grow(outbuf *b, size_t more);

static inline bool outbuf_reserve(outbuf *b, size_t more) {
  return b->capacity - b->len >= more || outbuf_grow(b, more);
}

static inline void outbuf_add(outbuf *b, const void *data, size_t len) {
  if (len == 0 || !outbuf_reserve(b, len)) return;
  memcpy(b->data + b->len, data, len);
  b->len += len;
}

static inline void outbuf_add_str(outbuf *b, const char *s) { outbuf_add(b, s, strlen(s)); }

static inline void outbuf_add_char(outbuf *b, char c) {
  if (outbuf_reserve(b, 1)) b->data[b->len++] = c;
}

void outbuf_printf(outbuf *b, const char *fmt, ...) HW_PRINTF(2, 3);

#endif
