/* process.h - what the operating system knows of this process. */
#ifndef API_PROCESS_H
#define API_PROCESS_H

#include <stdint.h>

typedef struct process_stats {
  uint64_t cpu_us, start_time_us; /* since 1970 */
  uint64_t open_fds, max_fds;     /* UINT64_MAX: no limit */
  uint64_t resident_bytes, swap_bytes, virtual_bytes, virtual_max_bytes;
  uint64_t threads;
} process_stats;

/* What cannot be read stays 0. Reads /proc, which does not block. [any thread] */
void process_read(process_stats *out);

#endif
