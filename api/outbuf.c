/* outbuf.c - bytes that grow. */
#include "api/outbuf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void outbuf_fini(outbuf *b) {
  free(b->data);
  *b = (outbuf){0};
}

void outbuf_reset(outbuf *b, size_t keep) {
  if (b->capacity > keep) {
    outbuf_fini(b);
    return;
  }
  b->len = 0;
  b->failed = false;
}

static bool give_up(outbuf *b) {
  b->failed = true;
  return false;
}

bool outbuf_grow(outbuf *b, size_t more) {
  if (b->failed || more > SIZE_MAX / 4 - b->len) return give_up(b);
  size_t capacity = b->capacity ? b->capacity : 256;
  while (capacity < b->len + more) capacity *= 2;
  char *data = realloc(b->data, capacity);
  if (!data) return give_up(b);
  b->data = data;
  b->capacity = capacity;
  return true;
}

void outbuf_printf(outbuf *b, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  va_list again;
  va_copy(again, args);
  int n = vsnprintf(NULL, 0, fmt, args);
  va_end(args);
  if (n < 0) b->failed = true;
  if (n > 0 && outbuf_reserve(b, (size_t)n + 1))
    b->len += (size_t)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
  va_end(again);
}
