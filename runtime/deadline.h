/* deadline.h - until when a condition is waited for. */
#ifndef RUNTIME_DEADLINE_H
#define RUNTIME_DEADLINE_H

#include <stdint.h>
#include <time.h>

/* In ms milliseconds (at least 0) from now, for conditions on CLOCK_MONOTONIC. */
static inline struct timespec deadline_in(int64_t ms) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  t.tv_sec += ms / 1000;
  t.tv_nsec += (ms % 1000) * 1000000;
  if (t.tv_nsec >= 1000000000) {
    t.tv_sec++;
    t.tv_nsec -= 1000000000;
  }
  return t;
}

#endif
