/* base.c - memory and time, for a tool that ends when it gets no memory. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void *checked(void *memory) {
  if (memory) return memory;
  fputs("headworks: out of memory\n", stderr);
  exit(CLI_FAILED);
}

void *cli_alloc(size_t size) { return checked(calloc(1, size ? size : 1)); }

void *cli_grow(void *old, size_t size) { return checked(realloc(old, size ? size : 1)); }

char *cli_strdup(const char *s) { return checked(strdup(s)); }

char *cli_printf(const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  char *text = NULL;
  int n = vasprintf(&text, fmt, args);
  va_end(args);
  return checked(n < 0 ? NULL : text);
}

double cli_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
